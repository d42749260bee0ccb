"""backup.drill: what it restores is nowhere near what is live, and only what was compared is called proved."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from runner.actions import backup_database, backup_drill, backup_files
from runner.actions.backup.rows import read_rows
from runner.actions.restore import proving
from runner.actions.restore.throwaway import NoServer
from runner.contract import Outcome, Status
from runner.errors import Failed
from tests.actions.backups import backup_call, run_well, seal
from tests.actions.made_sets import make_set
from tests.actions.test_backup_restore_databases import CONTENT, PG_CONTENT, inputs_of, pg_inputs
from tests.calls import assert_fits, read_evidence
from tests.mariadb import MariaDB
from tests.postgresql import PostgreSQL

HOSTILE = r"""<?php
$tried = [
    'exec' => function_exists('exec') && @exec('id'),
    'mail' => function_exists('mail') && @mail('a@localhost', 'x', 'y'),
    'socket' => function_exists('fsockopen') && @fsockopen('127.0.0.1', 22),
    'url' => @file_get_contents('http://127.0.0.1:1/'),
    'passwd' => @file_get_contents('/etc/passwd'),
    'above' => @scandir('..'),
];
echo '<title>Situs ' . json_encode(array_keys(array_filter($tried))) . '</title>';
"""


def drill(tmp_path: Path, **inputs: Any) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="sop-test-") as scratch:
        os.chmod(scratch, 0o755)  # a plain account, as which PHP runs where the tests are root's, has to enter it
        call = backup_call(backup_drill.ACTION, {"scratch": scratch, **inputs}, tmp_path, limit=110.0)
        outcome = backup_drill.ACTION.run(call)
        assert os.listdir(scratch) == []
    if outcome.outputs:
        assert_fits(backup_drill.ACTION, outcome.outputs)
        assert read_evidence(call, outcome.evidence[0]).decode().startswith("CATATAN UJI PULIH\n")
    return outcome


def results(outcome: Outcome) -> dict[str, str]:
    return {check["what"]: check["result"] for check in outcome.outputs["checks"]}


def back_up_site(tmp_path: Path, index: str) -> None:
    root = tmp_path / "html"
    root.mkdir()
    (root / "index.php").write_text(index)
    (root / "sub").mkdir()
    os.link(root / "index.php", root / "sub" / "again.php")
    (root / "link").symlink_to("/etc/passwd")
    files = run_well(backup_files.ACTION, backup_call(backup_files.ACTION, {"root": str(root)}, tmp_path))["part"]
    with closing(sqlite3.connect(tmp_path / "site.sqlite")) as base:
        base.executescript("CREATE TABLE a (b TEXT); INSERT INTO a VALUES ('satu'), ('dua');")
    inputs = {"engine": "sqlite", "name": str(tmp_path / "site.sqlite")}
    data = run_well(backup_database.ACTION, backup_call(backup_database.ACTION, inputs, tmp_path))["part"]
    from runner.actions import backup_seal

    run_well(backup_seal.ACTION, backup_call(backup_seal.ACTION, {"parts": [files, data]}, tmp_path))


def test_proves_files_rows_and_a_page(tmp_path: Path) -> None:
    back_up_site(tmp_path, "<?php echo '<title>Pengadilan</title>', 6 * 7;")
    outcome = drill(tmp_path, marker="42")
    assert (outcome.status, outcome.outputs["proved"]) == (Status.OK, True), outcome.message
    sqlite_source = f"sqlite:{tmp_path / 'site.sqlite'}"
    assert results(outcome) == {"files": "proved", sqlite_source: "proved", "site": "proved"}
    details = {check["what"]: check["detail"] for check in outcome.outputs["checks"]}
    assert details["files"].startswith("3 files, ")
    assert details[sqlite_source] == "1 tables, 2 rows"
    assert details["site"] == "/ answers 200, 'Pengadilan'"
    assert outcome.outputs["rpo_seconds"] == 0
    assert outcome.problems == ()


def test_the_restored_site_can_reach_nothing(tmp_path: Path) -> None:
    back_up_site(tmp_path, HOSTILE)
    outcome = drill(tmp_path)
    assert outcome.outputs["checks"][-1]["detail"] == "/ answers 200, 'Situs []'"


@pytest.mark.parametrize(
    ("index", "inputs", "words"),
    [
        ("<?php http_response_code(500);", {}, "it answers 500"),
        ("<?php echo 'Error establishing a database connection';", {}, "Error establishing a database connection"),
        ("<?php echo 'hello';", {"marker": "Pengadilan"}, "its page lacks 'Pengadilan'"),
        ("<?php header('Location: http://127.0.0.1:1/x');", {}, "it leads elsewhere: http://127.0.0.1:1/x"),
    ],
)
def test_a_site_that_does_not_answer_is_not_proved(
    tmp_path: Path, index: str, inputs: Mapping[str, str], words: str
) -> None:
    back_up_site(tmp_path, index)
    outcome = drill(tmp_path, **inputs)
    assert (outcome.status, outcome.outputs["proved"]) == (Status.FAILED, False)
    assert [problem.key for problem in outcome.problems] == ["backup.drill.failed"]
    assert words in outcome.problems[0].message
    assert drill(tmp_path, start=False).outputs["proved"] is True


def test_a_database_of_mariadb_is_proved_by_its_rows(mariadb: MariaDB, tmp_path: Path) -> None:
    with mariadb.database() as name:
        mariadb.sql(CONTENT, name)
        inputs = {"engine": "mariadb", "name": name, **inputs_of(mariadb)}
        part = run_well(backup_database.ACTION, backup_call(backup_database.ACTION, inputs, tmp_path))["part"]
        seal(part, tmp_path)
        before = mariadb.sql("SHOW DATABASES")
        outcome = drill(tmp_path)
        there = drill(tmp_path, **inputs_of(mariadb))
        assert mariadb.sql("SHOW DATABASES") == before
    for each in (outcome, there):
        assert (each.status, results(each)) == (Status.OK, {f"mariadb:{name}": "proved"}), each.message
        assert each.outputs["checks"][0]["detail"] == "4 tables, 505 rows"


def test_a_database_of_postgresql_is_proved_by_its_rows(postgresql: PostgreSQL, tmp_path: Path) -> None:
    with postgresql.database() as name:
        postgresql.sql(PG_CONTENT, name)
        inputs = {"engine": "postgresql", "name": name, **pg_inputs(postgresql)}
        part = run_well(backup_database.ACTION, backup_call(backup_database.ACTION, inputs, tmp_path))["part"]
        seal(part, tmp_path)
        outcome = drill(tmp_path)
    assert (outcome.status, outcome.outputs["checks"][0]["detail"]) == (Status.OK, "3 tables, 6 rows"), outcome.message


def test_without_a_server_to_try_it_on_nothing_is_proved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(*_: object) -> None:
        raise NoServer("no MariaDB server is installed here to try it on")

    monkeypatch.setattr(proving, "throwaway_mariadb", lacking)
    dump = b"-- Table structure for table `a`\nINSERT INTO `a` VALUES (1);\n-- Dump completed\n"
    make_set(tmp_path / "backups" / "WEB-PN-TAIS", 1, {"a.txt": b"a"}, databases={"joomla": dump})
    outcome = drill(tmp_path)
    assert (outcome.status, outcome.outputs["proved"]) == (Status.FAILED, False)
    assert results(outcome) == {"files": "proved", "mariadb:joomla": "not_checked", "site": "not_checked"}
    assert [problem.key for problem in outcome.problems] == ["backup.drill.unproved"]


def test_a_dump_that_does_not_load_is_not_proved(tmp_path: Path) -> None:
    dump = (
        b"-- Table structure for table `a`\nCREATE TABLE a (b INT);\nINSERT INTO `b` VALUES (1);\n-- Dump completed\n"
    )
    make_set(tmp_path / "backups" / "WEB-PN-TAIS", 1, databases={"joomla": dump})
    outcome = drill(tmp_path)
    assert results(outcome) == {"mariadb:joomla": "failed"}
    assert "doesn't exist" in outcome.outputs["checks"][0]["detail"]


def test_a_spoilt_set_is_named(tmp_path: Path) -> None:
    found = make_set(tmp_path / "backups" / "WEB-PN-TAIS", 1, {"a.txt": b"a" * 5000})
    path = found.folder / "p0000.tar.zst"
    data = bytearray(path.read_bytes())
    data[-10] ^= 1
    path.write_bytes(bytes(data))
    outcome = drill(tmp_path)
    assert [problem.key for problem in outcome.problems] == ["backup.drill.spoilt"]


def test_a_scratch_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    make_set(tmp_path / "backups" / "WEB-PN-TAIS", 1, {"a.txt": b"a"})
    call = backup_call(backup_drill.ACTION, {"scratch": str(tmp_path / "nowhere")}, tmp_path)
    with pytest.raises(Failed, match="there is no such folder"):
        backup_drill.ACTION.run(call)
    good = backup_call(backup_drill.ACTION, {"scratch": str(tmp_path)}, tmp_path)
    preview = backup_drill.ACTION.preview(good)
    assert preview
    assert "nothing live is touched" in preview.message


def test_rows_are_told_apart_whatever_their_order_and_their_statements() -> None:
    one = b"INSERT INTO `a``b` VALUES\n(1,'x;'),\n(2,'),(');\nINSERT INTO `c` (`id`) VALUES\n(1);\n"
    two = b"INSERT INTO `a``b` VALUES\n(2,'),(');\nINSERT INTO `a``b` VALUES\n(1,'x;');\nINSERT INTO `c` VALUES\n(1);\n"
    other = one.replace(b"(2,", b"(3,")
    rows = [read_rows(io.BytesIO(dump), "sql") for dump in (one, two, other)]
    assert rows[0] == rows[1]
    assert rows[0]["a``b"] != rows[2]["a``b"]
    assert rows[0]["a``b"].lines == 2
    copy = b"COPY public.a (b) FROM stdin;\n1\tCOPY x FROM stdin;\n\\N\n\\.\n\nCOPY public.c (d) FROM stdin;\n\\.\n"
    found = read_rows(io.BytesIO(copy), "pgsql")
    assert {table: each.lines for table, each in found.items()} == {"public.a": 2}
    assert json.dumps(sorted(found)) == '["public.a"]'
