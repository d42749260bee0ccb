"""backup.database for SQLite files, also while they are written."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from runner.actions.backup import sqlite
from runner.actions.backup_database import ACTION
from runner.durations import Deadline
from runner.errors import Failed
from tests.actions.backups import PathWithout, assert_refused, backup_call, files_in, run_well, unpack
from tests.calls import LocalConnection


class Elsewhere(LocalConnection):
    """A server whose files this process does not see (it refuses to read them), and whose commands run here."""

    __slots__ = ()

    def read(self, path: str, deadline: Deadline, *, limit: int = 0) -> bytes:
        raise Failed(f"{path}: there is no such file")


@pytest.fixture(params=["DELETE", "WAL"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "the site.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA journal_mode = {request.param}")
        database.execute("PRAGMA user_version = 7")
        database.execute("CREATE TABLE pages (id INTEGER PRIMARY KEY, title TEXT, body BLOB)")
        rows = [(f"halaman {n}\0tersembunyi 😀", os.urandom(500)) for n in range(200)]
        database.executemany("INSERT INTO pages (title, body) VALUES (?, ?)", rows)
        database.execute("CREATE VIEW titles AS SELECT title FROM pages")
        database.execute("CREATE VIRTUAL TABLE search USING fts5(title)")
        database.execute("INSERT INTO search SELECT title FROM pages")
        database.commit()
        yield path


def has_log(path: Path) -> bool:
    return path.with_name(path.name + "-wal").exists()


def rows_of(path: Path) -> Any:
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        version = database.execute("PRAGMA user_version").fetchone()
        return version, database.execute("SELECT id, hex(title), hex(body) FROM pages ORDER BY id").fetchall()


@pytest.fixture(params=["here", "sqlite3", "python3"])
def connection(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """This machine, or a server with one of the programs that can copy."""
    if request.param == "here":
        return LocalConnection
    others = {"sqlite3", "python3"} - {request.param}
    monkeypatch.setenv("PATH", str(PathWithout(tmp_path, *others)))
    return Elsewhere


def test_restores_to_the_same_rows_with_plain_tools(source: Path, tmp_path: Path, connection: Any) -> None:
    call = backup_call(ACTION, {"engine": "sqlite", "name": str(source)}, tmp_path, connect=connection)
    outputs = run_well(ACTION, call)
    part = outputs["part"]
    assert part["tables"][0] == "pages"
    assert part["path"].endswith("-database-the-site.sqlite.zst")
    restored = tmp_path / "restored"
    restored.write_bytes(unpack(part))
    assert rows_of(restored) == rows_of(source)
    assert files_in(call.directory) == []
    through = ["copied through a temporary file on the server"]
    assert part["notes"] == (through if connection is Elsewhere and has_log(source) else [])


def test_copies_one_moment_while_it_is_written(source: Path, tmp_path: Path, connection: Any) -> None:
    """The writer moves an amount between two rows: in every consistent copy their sum is the same."""
    with closing(sqlite3.connect(source)) as database:
        database.execute("CREATE TABLE money (a INT, b INT, filler BLOB)")
        database.execute("INSERT INTO money VALUES (1000000, 0, NULL)")
        database.commit()
    ended, begun = threading.Event(), threading.Event()
    writer = threading.Thread(target=keep_writing, args=(source, begun, ended))
    writer.start()
    try:
        assert begun.wait(10)
        call = backup_call(ACTION, {"engine": "sqlite", "name": str(source)}, tmp_path, connect=connection)
        part = run_well(ACTION, call)["part"]
    finally:
        ended.set()
        writer.join(30)
    copy = tmp_path / "copy"
    copy.write_bytes(unpack(part))
    with closing(sqlite3.connect(copy)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        a, b, rows = database.execute("SELECT sum(a), sum(b), count(filler) FROM money").fetchone()
    assert a + b == 1000000
    assert b == rows > 0


def keep_writing(path: Path, begun: threading.Event, ended: threading.Event) -> None:
    with closing(sqlite3.connect(path, timeout=30)) as database:
        while not ended.is_set():
            database.execute("UPDATE money SET a = a - 1 WHERE filler IS NULL")
            database.execute("INSERT INTO money VALUES (0, 1, zeroblob(3000))")
            database.commit()
            begun.set()
            ended.wait(0.002)


def test_leaves_nothing_on_the_server(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    inputs = {"engine": "sqlite", "name": str(source)}
    run_well(ACTION, backup_call(ACTION, inputs, tmp_path, connect=Elsewhere))
    with closing(sqlite3.connect(source)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    source.write_bytes(source.read_bytes()[:8192] + os.urandom(8192))
    assert ACTION.run(backup_call(ACTION, inputs, tmp_path, connect=Elsewhere)).problems
    assert list(temporary.iterdir()) == []


def test_says_what_is_no_database(tmp_path: Path) -> None:
    call = backup_call(ACTION, {"engine": "sqlite", "name": str(tmp_path / "none")}, tmp_path)
    assert_refused(ACTION.run(call), "backup.database.incomplete", "there is no such file on the server")
    assert not (tmp_path / "none").exists()
    (tmp_path / "none").write_text("<html>not found, but 200 OK</html>")
    assert_refused(ACTION.run(call), "backup.database.incomplete", "this is no SQLite database")
    with pytest.raises(Failed, match="this is no SQLite database"):
        ACTION.preview(call)


def test_refuses_an_empty_database(tmp_path: Path) -> None:
    path = tmp_path / "empty.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE t (a)")
    call = backup_call(ACTION, {"engine": "sqlite", "name": str(path)}, tmp_path)
    assert_refused(ACTION.run(call), "backup.database.incomplete", "none of its tables has a row")
    assert files_in(tmp_path / "backups") == []


def test_refuses_a_damaged_database(source: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.sqlite"
    with closing(sqlite3.connect(source)) as database, closing(sqlite3.connect(damaged)) as copy:
        database.backup(copy)
    data = bytearray(damaged.read_bytes())
    data[4096 * 2 : 4096 * 4] = os.urandom(8192)
    damaged.write_bytes(data)
    call = backup_call(ACTION, {"engine": "sqlite", "name": str(damaged)}, tmp_path)
    assert_refused(ACTION.run(call), "backup.database.incomplete", "the copy is damaged")
    assert files_in(tmp_path / "backups") == []


@pytest.mark.parametrize("source", ["DELETE"], indirect=True)
def test_says_when_it_stays_locked(
    source: Path, tmp_path: Path, connection: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "LOCK_WAIT", 1)
    with closing(sqlite3.connect(source, isolation_level=None)) as database:
        database.execute("BEGIN EXCLUSIVE")
        outcome = ACTION.run(
            backup_call(ACTION, {"engine": "sqlite", "name": str(source)}, tmp_path, connect=connection)
        )
    assert_refused(outcome, "backup.database.incomplete", "database is locked")
    assert files_in(tmp_path / "backups") == []


def test_refuses_a_database_that_shrank(source: Path, tmp_path: Path) -> None:
    inputs = {"engine": "sqlite", "name": str(source)}
    earlier = run_well(ACTION, backup_call(ACTION, inputs, tmp_path))
    with closing(sqlite3.connect(source)) as database:
        database.execute("DELETE FROM pages WHERE id > 20")
        database.commit()
        database.execute("VACUUM")
    outcome = ACTION.run(backup_call(ACTION, inputs, tmp_path, earlier=earlier))
    assert_refused(outcome, "backup.database.shrunk", "shrank by more than a fifth")


def test_says_what_the_server_lacks(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    call = backup_call(ACTION, {"engine": "sqlite", "name": str(source)}, tmp_path, connect=Elsewhere)
    monkeypatch.setenv("PATH", str(PathWithout(tmp_path, "sqlite3", "python3")))
    assert_refused(ACTION.run(call), "backup.database.incomplete", "the server has neither sqlite3 nor python3")


def test_previews_without_opening_the_database(source: Path, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    preview = ACTION.preview(backup_call(ACTION, {"engine": "sqlite", "name": str(source)}, tmp_path))
    assert preview is not None
    assert preview.message.startswith(f"would copy sqlite:{source} (")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before
    assert not (tmp_path / "backups").exists()


def test_names_never_become_commands(tmp_path: Path) -> None:
    folder = tmp_path / "-x; touch pwned $(touch pwned) `touch pwned` 'q\" "
    folder.mkdir()
    path = folder / "?mode=rwc#a%20b.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute('CREATE TABLE "a""; DROP TABLE b" (a)')
        database.execute('INSERT INTO "a""; DROP TABLE b" VALUES (1)')
        database.commit()
    for connection in (LocalConnection, Elsewhere):
        call = backup_call(ACTION, {"engine": "sqlite", "name": str(path)}, tmp_path, connect=connection)
        outputs = run_well(ACTION, call)
        assert outputs["part"]["tables"] == ['a"; DROP TABLE b']
    assert not list(tmp_path.rglob("pwned"))


def test_sqlite_dump_would_lose_text(source: Path) -> None:
    """Why `.dump` is not used: it cuts texts at NUL and says nothing."""
    program = shutil.which("sqlite3")
    assert program, "sqlite3 is needed for this test: apt-get install sqlite3"
    result = subprocess.run([program, "-readonly", str(source), ".dump pages"], capture_output=True, check=True)
    assert b"tersembunyi" not in result.stdout
