"""What SQLite and the disk refuse is told with its place and its cure."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from runner.errors import RecordError
from runner.record.database import Format, connect_to_write, create_database, database_errors

ROOT = Path(__file__).parent.parent
FORM = Format(0x12345678, "CREATE TABLE things (name TEXT);")


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    path = tmp_path / "things.sqlite"
    create_database(path, FORM)
    with closing(connect_to_write(path, FORM)) as connection:
        connection.execute("PRAGMA max_page_count = 2")  # SQLite's own way to have no space left
        full = pytest.raises(RecordError, match=r"things\.sqlite: the disk is full .*free some space.*sop resume")
        with full, database_errors(path):
            connection.execute("INSERT INTO things VALUES (?)", ("x" * 100_000,))


@pytest.mark.promise("Disk", "bad blocks in the journal", "told with the cure")
def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "things.sqlite"
    create_database(path, FORM)
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    damaged = pytest.raises(RecordError, match=r"things\.sqlite: the file is damaged .*sop verify")
    with closing(connect_to_write(path, FORM)) as connection, damaged, database_errors(path):
        connection.execute("SELECT * FROM things").fetchall()


def test_a_wrong_use_of_the_library_stays_a_bug(tmp_path: Path) -> None:
    connection = sqlite3.connect(":memory:")
    connection.close()
    with pytest.raises(sqlite3.ProgrammingError), database_errors(tmp_path):
        connection.execute("SELECT 1")


def test_many_processes_may_create_one_file(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from runner.record.database import connect_to_write, create_database
from tests.test_database import FORM
sys.stdin.readline()
create_database(Path(sys.argv[1]), FORM)
connection = connect_to_write(Path(sys.argv[1]), FORM)
connection.execute("INSERT INTO things VALUES ('one')")
"""
    path = tmp_path / "deep" / "records" / "things.sqlite"
    command = [sys.executable, "-c", code, str(path)]
    processes = [subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, text=True) for _ in range(4)]
    for process in processes:
        process.communicate("go\n", timeout=60)
    assert [process.returncode for process in processes] == [0] * 4
    with closing(connect_to_write(path, FORM)) as connection:
        assert connection.execute("SELECT count(*) FROM things").fetchone() == (4,)


def test_what_a_killed_creator_left_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / ".things.sqlite.new").write_bytes(b"half")
    create_database(tmp_path / "things.sqlite", FORM)
    assert [path.name for path in tmp_path.iterdir()] == ["things.sqlite"]
