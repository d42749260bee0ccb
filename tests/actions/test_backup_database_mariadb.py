"""backup.database against a real MariaDB."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.actions import backup_seal
from runner.actions.backup.dumps import Database
from runner.actions.backup.mariadb import render_options
from runner.actions.backup_database import ACTION
from runner.errors import Failed, TimeUp, Unreachable
from tests.actions.backups import (
    PathWithout,
    Spoiling,
    assert_refused,
    backup_call,
    files_in,
    processes_seen,
    run_well,
    unpack,
)
from tests.mariadb import PASSWORD, USER, MariaDB

LACKS = "lacks these tables, or their rows: "
DEFINITIONS = {
    "triggers": "trigger_name, event_manipulation, event_object_table, action_statement",
    "routines": "routine_name, routine_type, routine_definition",
    "events": "event_name, interval_value, interval_field, event_definition",
}
CONTENT = """
CREATE TABLE `odd ``name` (id INT PRIMARY KEY, body LONGBLOB, words TEXT) ENGINE=InnoDB;
INSERT INTO `odd ``name` VALUES (1, x'00ff0a27275c', 'Pengadilan 😀 é'), (3, NULL, ''),
 (2, REPEAT(x'80', 300000), "it's \\\\ \\n");
CREATE TABLE old (a INT) ENGINE=MyISAM;
INSERT INTO old SELECT seq FROM seq_1_to_5000;
CREATE TABLE log (a INT);
CREATE TABLE bare (a INT);
CREATE VIEW seen AS SELECT id, words FROM `odd ``name`;
DELIMITER //
CREATE TRIGGER noted AFTER INSERT ON old FOR EACH ROW BEGIN
INSERT INTO log VALUES (NEW.a);
END//
CREATE PROCEDURE p() BEGIN
CREATE TABLE `fake` (
 a INT);
END//
CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DO DELETE FROM log//
DELIMITER ;
"""


@pytest.fixture
def database(mariadb: MariaDB) -> Iterator[str]:
    with mariadb.database() as name:
        mariadb.sql(CONTENT, name)
        yield name


def login(mariadb: MariaDB, name: str, **more: Any) -> dict[str, Any]:
    return {"engine": "mariadb", "name": name, "user": USER, "password": PASSWORD, "socket": mariadb.socket, **more}


def fingerprint(mariadb: MariaDB, name: str) -> str:
    """Hash of everything in a database: rows of all tables, and the definitions of the rest."""
    tables = mariadb.sql(f"SELECT table_name FROM information_schema.tables WHERE table_schema='{name}'").splitlines()
    text = ""
    for table in sorted(tables):
        quoted = table.replace("`", "``")
        columns = mariadb.sql(
            f"SELECT CONCAT('HEX(`', column_name, '`)') FROM information_schema.columns "
            f"WHERE table_schema='{name}' AND table_name='{table}' ORDER BY ordinal_position"
        ).split("\n")[:-1]
        text += f"{table}\n" + mariadb.sql(f"SELECT {', '.join(columns)} FROM `{quoted}` ORDER BY 1", name)
    for kind, wanted in DEFINITIONS.items():
        text += mariadb.sql(f"SELECT {wanted} FROM information_schema.{kind} WHERE {kind[:-1]}_schema='{name}'")
    return hashlib.sha256(text.encode()).hexdigest()


def test_restores_to_the_same_rows_with_plain_tools(mariadb: MariaDB, database: str, tmp_path: Path) -> None:
    outputs = run_well(ACTION, backup_call(ACTION, login(mariadb, database), tmp_path))
    part = outputs["part"]
    assert outputs["tables"] == 4
    assert part["tables"] == ["bare", "log", "odd `name", "old"]
    assert part["views"] == ["seen"]
    assert part["notes"] == ["not in the common snapshot, their engine has no transactions: old"]
    assert part["compression"] == "zstd"
    file = Path(part["path"])
    assert file.name == f"WEB-PN-TAIS-2026-11-22-090000-database-{database.replace('_', '-')}.sql.zst"
    assert hashlib.sha256(file.read_bytes()).hexdigest() == part["sha256"]
    assert file.stat().st_mode & 0o777 == 0o600
    assert files_in(tmp_path / "backups") == [f"WEB-PN-TAIS/{file.name}"]
    dump = unpack(part)
    assert (len(dump), file.stat().st_size) == (outputs["content_bytes"], outputs["bytes"])
    with mariadb.database() as restored:
        assert (
            mariadb.feed(["mariadb", "--no-defaults", "-uroot", "-S", mariadb.socket, restored], dump).returncode == 0
        )
        assert fingerprint(mariadb, restored) == fingerprint(mariadb, database)


def test_a_dump_can_be_sealed(mariadb: MariaDB, database: str, tmp_path: Path) -> None:
    part = run_well(ACTION, backup_call(ACTION, login(mariadb, database), tmp_path))["part"]
    outputs = run_well(backup_seal.ACTION, backup_call(backup_seal.ACTION, {"parts": [part]}, tmp_path))
    guide = (Path(outputs["set"]) / "PULIHKAN.txt").read_text()
    assert f"zstd -dc db-{database.replace('_', '-')}.sql.zst | mariadb PULIH" in guide


def test_packs_here_where_the_server_has_no_zstd(
    mariadb: MariaDB, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = backup_call(ACTION, login(mariadb, database), tmp_path)
    monkeypatch.setenv("PATH", str(PathWithout(tmp_path, "zstd")))
    part = run_well(ACTION, call)["part"]
    monkeypatch.undo()
    assert part["path"].endswith(".sql.zst")
    assert unpack(part).rstrip().rpartition(b"\n")[2].startswith(b"-- Dump completed")


def test_uses_the_login_of_the_target(mariadb: MariaDB, database: str, tmp_path: Path) -> None:
    settings = {key: value for key, value in login(mariadb, database).items() if key != "engine"}
    target = {"name": "pn_tais", "kind": "website", "database": settings}
    run_well(ACTION, backup_call(ACTION, {"engine": "mariadb", "name": database}, tmp_path, target=target))


def test_asks_for_a_secret_that_the_inventory_only_names(mariadb: MariaDB, tmp_path: Path) -> None:
    target = {"name": "pn_tais", "kind": "website", "database": {"password": {"secret": "db"}}}
    outcome = ACTION.run(backup_call(ACTION, {"engine": "mariadb", "name": "x"}, tmp_path, target=target))
    assert_refused(outcome, "backup.database.incomplete", "the inventory only names a secret")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"password": "wrong"}, ("Access denied", ". check `user` and `password`")),
        ({"name": "no_such"}, ("'no_such'", ". check the database's `name`")),
        ({"socket": "/nowhere"}, ("connect", ". does it run there? check `socket`, or `host` and `port`")),
    ],
)
def test_says_why_the_server_refuses(
    mariadb: MariaDB, database: str, tmp_path: Path, wrong: dict[str, str], words: tuple[str, str]
) -> None:
    call = backup_call(ACTION, {**login(mariadb, database), **wrong}, tmp_path)
    outcome = ACTION.run(call)
    assert_refused(outcome, "backup.database.incomplete", *words)
    assert PASSWORD not in outcome.message
    assert files_in(tmp_path / "backups") == []
    with pytest.raises(Failed, match=re.escape(words[1])):
        ACTION.preview(call)


def test_one_table_is_one_table(mariadb: MariaDB, tmp_path: Path) -> None:
    with mariadb.database() as name:
        mariadb.sql("CREATE TABLE t (a INT); INSERT INTO t VALUES (1)", name)
        call = backup_call(ACTION, login(mariadb, name), tmp_path)
        assert f"{name} (1 table, about " in ACTION.preview(call).message
        assert f"{name}: 1 table, " in ACTION.run(call).message


def test_refuses_an_empty_database(mariadb: MariaDB, tmp_path: Path) -> None:
    with mariadb.database() as name:
        call = backup_call(ACTION, login(mariadb, name), tmp_path)
        assert_refused(ACTION.run(call), "backup.database.incomplete", "it has no tables")
        mariadb.sql("CREATE TABLE t (a INT)", name)
        assert_refused(ACTION.run(call), "backup.database.incomplete", "none of its tables has a row")
        assert files_in(tmp_path / "backups") == []
        run_well(ACTION, call._replace(inputs={**call.inputs, "accept_smaller": True}))


def test_refuses_a_database_that_shrank(mariadb: MariaDB, database: str, tmp_path: Path) -> None:
    earlier = run_well(ACTION, backup_call(ACTION, login(mariadb, database), tmp_path))
    mariadb.sql("DELETE FROM `odd ``name` WHERE id = 2", database)
    outcome = ACTION.run(backup_call(ACTION, login(mariadb, database), tmp_path, earlier=earlier))
    assert_refused(outcome, "backup.database.shrunk", "shrank by more than a fifth", "bytes of content")
    assert len(files_in(tmp_path / "backups")) == 1
    smaller = login(mariadb, database, accept_smaller=True)
    run_well(ACTION, backup_call(ACTION, smaller, tmp_path, earlier=earlier))


def test_previews_without_writing(mariadb: MariaDB, database: str, tmp_path: Path) -> None:
    before = mariadb.sql("SHOW GLOBAL STATUS LIKE 'Handler_write'"), fingerprint(mariadb, database)
    preview = ACTION.preview(backup_call(ACTION, login(mariadb, database), tmp_path))
    assert preview is not None
    assert preview.message.startswith(f"would dump mariadb:{database} (4 tables, about ")
    assert str(tmp_path / "backups" / "WEB-PN-TAIS") in preview.message
    assert fingerprint(mariadb, database) == before[1]
    assert not (tmp_path / "backups").exists()


def test_leaves_out_views_that_no_longer_work_and_keeps_their_text(
    mariadb: MariaDB, database: str, tmp_path: Path
) -> None:
    """The table of one is gone, which would end the dump; of the other the definer, and its text holds the database's
    name, so that it could not be restored into another one."""
    mariadb.sql("CREATE OR REPLACE USER gone@localhost; GRANT ALL ON *.* TO gone@localhost")
    mariadb.sql("CREATE OR REPLACE USER plain@localhost IDENTIFIED BY 'p'")
    mariadb.sql(f"GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON {database}.* TO plain@localhost")
    mariadb.sql("CREATE TABLE brief (a INT); CREATE VIEW torn AS SELECT a FROM brief; DROP TABLE brief", database)
    mariadb.sql("CREATE DEFINER = gone@localhost VIEW orphan AS SELECT a FROM old; DROP USER gone@localhost", database)
    part = run_well(ACTION, backup_call(ACTION, login(mariadb, database, user="plain", password="p"), tmp_path))["part"]
    assert part["views"] == ["seen"]
    told = {note.split()[2]: note for note in part["notes"] if note.startswith("the view ")}
    assert set(told) == {"torn", "orphan"}
    assert "brief" in told["torn"]
    with mariadb.database() as restored:
        words = ["mariadb", "--no-defaults", "-uroot", "-S", mariadb.socket, restored]
        assert mariadb.feed(words, unpack(part)).returncode == 0


@contextmanager
def blocked_dump(mariadb: MariaDB, database: str, tmp_path: Path) -> Iterator[tuple[Callable[[], Any], str]]:
    """A dump that has begun and waits at its last table: how to get its outcome, and its connection's number."""
    mariadb.sql("CREATE TABLE zz_last (a INT); INSERT INTO zz_last VALUES (1)", database)
    with ThreadPoolExecutor(2) as pool:
        lock = pool.submit(mariadb.sql, "LOCK TABLES zz_last WRITE; SELECT SLEEP(20)", database, check=False)
        holder = _number(mariadb, f"db = '{database}' AND state = 'User sleep'")
        try:
            outcome = pool.submit(ACTION.run, backup_call(ACTION, login(mariadb, database), tmp_path))
            number = _number(mariadb, f"db = '{database}' AND user = '{USER}' AND state LIKE 'Waiting for%lock'")
            yield outcome.result, number
        finally:
            mariadb.sql(f"KILL {holder}")
            lock.result()


def _number(mariadb: MariaDB, where: str) -> str:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        found = mariadb.sql(f"SELECT id FROM information_schema.processlist WHERE {where}").split()
        if found:
            return found[0]
    raise AssertionError(mariadb.sql("SHOW PROCESSLIST"))


@pytest.mark.promise("Network", "the database's connection dies in mid-dump", "nothing is kept as good")
def test_keeps_nothing_of_a_dump_that_was_killed(mariadb: MariaDB, database: str, tmp_path: Path) -> None:
    with blocked_dump(mariadb, database, tmp_path) as (outcome, number):
        assert [name for name in files_in(tmp_path / "backups") if not name.endswith(".partial")] == []
        mariadb.sql(f"KILL {number}")
        assert_refused(outcome(), "backup.database.incomplete", "the dump ended with exit code")
    assert files_in(tmp_path / "backups") == []


def test_a_table_that_stays_locked_ends_at_the_limit(mariadb: MariaDB, database: str, tmp_path: Path) -> None:
    mariadb.sql("CREATE TABLE zz_last (a INT)", database)
    with ThreadPoolExecutor(1) as pool:
        lock = pool.submit(mariadb.sql, "LOCK TABLES zz_last WRITE; SELECT SLEEP(60)", database, check=False)
        holder = _number(mariadb, f"db = '{database}' AND state = 'User sleep'")
        try:
            with pytest.raises(TimeUp):
                ACTION.run(backup_call(ACTION, login(mariadb, database), tmp_path, limit=3))
        finally:
            mariadb.sql(f"KILL {holder}")
            lock.result()
    assert files_in(tmp_path / "backups") == []


def test_shows_no_password_to_other_processes(mariadb: MariaDB, database: str, tmp_path: Path) -> None:
    with blocked_dump(mariadb, database, tmp_path) as (outcome, number):
        seen = processes_seen()
        assert any(b"mariadb-dump" in text and database.encode() in text for text in seen)
        assert not any(b"s3cret" in text for text in seen)
        mariadb.sql(f"KILL {number}")
        outcome()


@pytest.mark.parametrize(
    ("alter", "words"),
    [
        (lambda data: data[: len(data) // 2], "lacks its end mark"),
        (lambda data: b"", "lacks its end mark"),
        (
            lambda data: data.replace(b"for table `old`", b"for table `odd`"),
            LACKS + "old",
        ),
        (
            lambda data: data.replace(b"\nINSERT INTO `old`", b"\nINSERT INTO `odd`"),
            LACKS + "old",
        ),
        (lambda data: data.replace(b"VIEW `seen`", b"VIEW `unseen`"), LACKS + "seen"),
    ],
)
def test_refuses_a_dump_that_lacks_something(
    mariadb: MariaDB,
    database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    alter: Callable[[bytes], bytes],
    words: str,
) -> None:
    call = backup_call(ACTION, login(mariadb, database), tmp_path, connect=lambda: Spoiling(alter))
    monkeypatch.setenv("PATH", str(PathWithout(tmp_path, "zstd")))
    assert_refused(ACTION.run(call), "backup.database.incomplete", words)
    assert files_in(tmp_path / "backups") == []


def test_refuses_a_packed_stream_that_was_cut(mariadb: MariaDB, database: str, tmp_path: Path) -> None:
    call = backup_call(
        ACTION, login(mariadb, database), tmp_path, connect=lambda: Spoiling(lambda data: data[: len(data) // 2])
    )
    assert_refused(ACTION.run(call), "backup.database.incomplete", "does not decompress")
    assert files_in(tmp_path / "backups") == []


def test_keeps_nothing_when_the_connection_breaks(mariadb: MariaDB, database: str, tmp_path: Path) -> None:
    def alter(data: bytes) -> bytes:
        raise Unreachable("the connection broke")

    call = backup_call(ACTION, login(mariadb, database), tmp_path, connect=lambda: Spoiling(alter))
    with pytest.raises(Unreachable):
        ACTION.run(call)
    assert files_in(tmp_path / "backups") == []


def test_says_what_the_server_lacks(mariadb: MariaDB, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    call = backup_call(ACTION, login(mariadb, "x"), tmp_path)
    monkeypatch.setenv("PATH", str(PathWithout(tmp_path, "mariadb", "mariadb-dump")))
    assert_refused(
        ACTION.run(call), "backup.database.incomplete", "neither mariadb nor mysql", "install mariadb-client"
    )


@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_writes_any_value_as_one_line_or_refuses_it(password: str) -> None:
    try:
        text = render_options(Database("x", user="u", password=password)).decode()
    except Failed:
        assert not password.isprintable()
        return
    line = text.splitlines()[3] if password else 'password=""'
    inner = line.removeprefix('password="').removesuffix('"')
    assert inner.replace('\\"', '"').replace("\\\\", "\\") == password or "\\" in password
    assert len(text.splitlines()) == (4 if password else 3)


def test_reaches_the_server_with_odd_passwords(mariadb: MariaDB, database: str, tmp_path: Path) -> None:
    for number, password in enumerate(("#", "a'b", 'x"', "\\", "a\\nb", " lead ", "é😀", "%s=$(id)`")):
        quoted = password.replace("\\", "\\\\").replace("'", "''")
        mariadb.sql(f"CREATE OR REPLACE USER odd@localhost IDENTIFIED BY '{quoted}'; GRANT ALL ON *.* TO odd@localhost")
        folder = tmp_path / str(number)
        folder.mkdir()
        preview = ACTION.preview(backup_call(ACTION, login(mariadb, database, user="odd", password=password), folder))
        assert preview is not None, password
    assert os.environ.get("MYSQL_PWD") is None
