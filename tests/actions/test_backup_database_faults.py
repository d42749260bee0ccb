"""A database server that fails while it is dumped or restored: the old state or the whole new one, and a message."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from runner.actions import backup_database
from runner.contract import Outcome, Status
from runner.errors import Failed
from tests.actions.backups import assert_refused, backup_call, files_in
from tests.actions.made_sets import make_rescue, make_set
from tests.actions.test_backup_restore import compare, restore
from tests.actions.test_backup_restore_databases import (
    back_up,
    fingerprint,
    inputs_of,
    joomla,
    pg_fingerprint,
    pg_inputs,
    register,
)
from tests.mariadb import USER, MariaDB
from tests.postgresql import PostgreSQL

__all__ = ["joomla", "register"]
ROOT = Path(__file__).parents[2]
WIDE = """CREATE TABLE lebar (a INT PRIMARY KEY, b TEXT);
INSERT INTO lebar SELECT seq, REPEAT(MD5(seq), 30) FROM seq_1_to_{0};"""
PG_WIDE = "CREATE TABLE lebar AS SELECT n AS a, repeat(md5(n::text), 30) AS b FROM generate_series(1, 20000) AS n;"


class Base(NamedTuple):
    """A database that was sealed: how to look at it, how to damage it, and the inputs of its login."""

    source: str
    login: Mapping[str, Any]
    look: Callable[[], dict[str, str]]
    damage: Callable[[], object]


@pytest.fixture
def of_mariadb(mariadb: MariaDB, joomla: str, tmp_path: Path) -> Base:
    mariadb.sql(WIDE.format(20000), joomla)
    login = inputs_of(mariadb)
    back_up(tmp_path, "mariadb", joomla, login)
    tables = ("orang", "perkara", "lebar", "catatan")

    def look() -> dict[str, str]:
        found = fingerprint(mariadb, joomla)
        return {name: found[name] for name in tables}

    damage = "DELETE FROM perkara; DELETE FROM lebar WHERE a > 7; UPDATE orang SET nama = 'x';"
    return Base(f"mariadb:{joomla}", login, look, lambda: mariadb.sql(damage, joomla))


@pytest.fixture
def of_postgresql(postgresql: PostgreSQL, register: str, tmp_path: Path) -> Iterator[Base]:
    postgresql.sql(PG_WIDE, register)
    login = pg_inputs(postgresql)
    back_up(tmp_path, "postgresql", register, login)
    damage = "DELETE FROM perkara; DELETE FROM lebar WHERE a > 7; UPDATE orang SET nama = 'x';"

    def look() -> dict[str, str]:
        return pg_fingerprint(postgresql, register)

    yield Base(f"postgresql:{register}", login, look, lambda: postgresql.sql(damage, register))
    for name in postgresql.sql(f"SELECT datname FROM pg_database WHERE datname LIKE '{register}_%'").split():
        postgresql.sql(f'DROP DATABASE "{name}" WITH (FORCE)')


def die(folder: Path, how: str, last: str, inputs: Mapping[str, Any]) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "tests.actions.dying_restore", folder, how, last, json.dumps(inputs)]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)


def assert_goes_on(base: Base, tmp_path: Path, how: str, last: str) -> None:
    whole = base.look()
    base.damage()
    broken = base.look()
    inputs = {"plan": compare(tmp_path, **base.login)["plan"], "rescue": make_rescue(tmp_path, base.source)}
    done = die(tmp_path, how, last, {**inputs, **base.login})
    assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr
    assert base.look() in (broken, whole)
    again = die(tmp_path, "before", "0", {**inputs, **base.login})
    assert again.returncode == 0, again.stderr
    assert base.look() == whole


@pytest.mark.heavy
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("how", "last"), [("midst", "--binary-mode"), ("after", "RENAME TABLE")])
@pytest.mark.promise("Power cut", "`kill -9` of a restore of MariaDB", "the old state or the whole new one; it goes on")
def test_a_killed_restore_of_mariadb_goes_on(of_mariadb: Base, tmp_path: Path, how: str, last: str) -> None:
    assert_goes_on(of_mariadb, tmp_path, how, last)


@pytest.mark.heavy
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("how", "last"), [("midst", "/dev/fd/3"), ("after", "RENAME TO")])
@pytest.mark.promise(
    "Power cut", "`kill -9` of a restore of PostgreSQL", "the old state or the whole new one; it goes on"
)
def test_a_killed_restore_of_postgresql_goes_on(of_postgresql: Base, tmp_path: Path, how: str, last: str) -> None:
    assert_goes_on(of_postgresql, tmp_path, how, last)


def await_one(find: Callable[[], list[str]]) -> str:
    """The first that is found within half a minute."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if found := find():
            return found[0]
        time.sleep(0.01)
    raise AssertionError("it did not come so far")


@contextmanager
def meanwhile(act: Callable[[], object]) -> Iterator[None]:
    """Act in another thread; wait for its end."""
    with ThreadPoolExecutor(1) as pool:
        acting = pool.submit(act)
        yield
        acting.result()


@pytest.mark.promise("Network", "a connection of MariaDB dies in mid-restore", "the old state, a message")
def test_a_connection_that_dies_in_mid_restore_leaves_mariadb_as_it_was(
    mariadb: MariaDB, joomla: str, tmp_path: Path
) -> None:
    """The dump sleeps in its midst while the table `tidur` says so."""
    dump = f"""-- Table structure for table `orang`
CREATE TABLE orang (id INT); INSERT INTO orang VALUES (1);
SELECT SLEEP(60) FROM {joomla}_tanda.tidur;
INSERT INTO orang VALUES (2);
-- Dump completed
"""
    mariadb.sql(f"CREATE DATABASE {joomla}_tanda; CREATE TABLE {joomla}_tanda.tidur AS SELECT 1 AS a;")
    make_set(tmp_path / "backups" / "WEB-PN-TAIS", 20, {"a": b"a"}, databases={joomla: dump.encode()})
    login = inputs_of(mariadb)
    plan = compare(tmp_path, database=joomla, **login)["plan"]
    rescue = make_rescue(tmp_path, f"mariadb:{joomla}")
    broken = fingerprint(mariadb, joomla)

    def kill() -> None:
        where = f"db LIKE '{joomla}_pulih_%' AND state = 'User sleep'"
        query = f"SELECT id FROM information_schema.processlist WHERE {where}"
        mariadb.sql(f"KILL {await_one(lambda: mariadb.sql(query).split())}")

    with meanwhile(kill), pytest.raises(Failed, match=rf"database '{joomla}_pulih_\w+': ERROR .*look at the server"):
        restore(tmp_path, plan, rescue=rescue, **login)
    assert fingerprint(mariadb, joomla) == broken
    assert not mariadb.sql(f"SHOW DATABASES LIKE '{joomla}_pulih_%'")
    mariadb.sql(f"DELETE FROM {joomla}_tanda.tidur")
    assert restore(tmp_path, plan, rescue=rescue, **login).status is Status.CHANGED
    assert mariadb.sql("SELECT id FROM orang", joomla).split() == ["1", "2"]


@pytest.mark.heavy
@pytest.mark.promise("Network", "a connection of PostgreSQL dies in mid-restore", "the old state, a message")
def test_a_connection_that_dies_in_mid_restore_leaves_postgresql_as_it_was(
    postgresql: PostgreSQL, register: str, tmp_path: Path
) -> None:
    """What it restores sleeps in a database of another name than its own."""
    postgresql.sql(
        "CREATE FUNCTION tidur(a int) RETURNS bool LANGUAGE sql AS "
        "$$ SELECT pg_sleep(CASE WHEN current_database() LIKE '%_pulih_%' THEN 60 ELSE 0 END) IS NOT NULL $$; "
        "CREATE TABLE lambat (a int CHECK (public.tidur(a))); INSERT INTO lambat VALUES (1);",
        register,
    )
    login = pg_inputs(postgresql)
    back_up(tmp_path, "postgresql", register, login)
    postgresql.sql("DELETE FROM perkara", register)
    broken = pg_fingerprint(postgresql, register)
    plan = compare(tmp_path, **login)["plan"]

    def kill() -> None:
        where = f"datname LIKE '{register}_pulih_%' AND wait_event = 'PgSleep'"
        number = await_one(lambda: postgresql.sql(f"SELECT pid FROM pg_stat_activity WHERE {where}").split())
        postgresql.sql(f"SELECT pg_terminate_backend({number})")

    with meanwhile(kill), pytest.raises(Failed, match="terminating connection due to administrator command"):
        restore(tmp_path, plan, rescue=make_rescue(tmp_path, f"postgresql:{register}"), **login)
    assert pg_fingerprint(postgresql, register) == broken
    assert not postgresql.sql(f"SELECT 1 FROM pg_database WHERE datname LIKE '{register}_pulih_%'")


@pytest.mark.heavy
@pytest.mark.timeout(300)
@pytest.mark.promise("Network", "50 connections of databases die in mid-dump", "none is kept as good")
def test_of_fifty_dumps_whose_connection_was_killed_none_is_kept(mariadb: MariaDB, tmp_path: Path) -> None:
    """Five at a time wait at a table that is locked, each time another one, further on in the dump."""
    with mariadb.database() as name:
        for number in range(10):
            mariadb.sql(WIDE.format(300).replace("lebar", f"t{number}"), name)
        refused = [outcome for number in range(10) for outcome in killed_dumps(mariadb, name, number, tmp_path)]
    assert len(refused) == 50
    for outcome in refused:
        assert_refused(outcome, "backup.database.incomplete", "the dump ended with exit code")
    assert [path for path in files_in(tmp_path) if "/backups/" in f"/{path}" and not path.endswith(".lock")] == []


def killed_dumps(mariadb: MariaDB, name: str, number: int, tmp_path: Path) -> list[Outcome]:
    """What becomes of five dumps that are killed at that table."""
    folders = [tmp_path / f"{number}-{each}" for each in range(5)]
    login = {"engine": "mariadb", "name": name, **inputs_of(mariadb)}
    waiting = f"SELECT id FROM information_schema.processlist WHERE db = '{name}'"
    with ThreadPoolExecutor(6) as pool:
        lock = f"LOCK TABLES t{number} WRITE; SELECT SLEEP(60)"
        locked = pool.submit(mariadb.sql, lock, name, check=False)
        holder = await_one(lambda: mariadb.sql(f"{waiting} AND state = 'User sleep'").split())
        dumps = []
        for folder in folders:
            folder.mkdir()
            call = backup_call(backup_database.ACTION, login, folder)
            dumps.append(pool.submit(backup_database.ACTION.run, call))
        query = f"{waiting} AND user = '{USER}' AND state LIKE 'Waiting for%lock'"
        await_one(lambda: found if len(found := mariadb.sql(query).split()) == len(dumps) else [])
        for each in mariadb.sql(query).split():
            mariadb.sql(f"KILL {each}")
        outcomes = [dump.result(60) for dump in dumps]
        mariadb.sql(f"KILL {holder}")
        locked.result(60)
    return outcomes


@pytest.mark.heavy
@pytest.mark.timeout(300)
@pytest.mark.promise("Disk", "a MariaDB server's disk is full", "the old state or the whole new one")
def test_a_mariadb_server_on_a_full_disk(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "tests.actions.full_disk_mariadb", str(tmp_path)]
    private = ["unshare", "--mount", "--map-root-user", *words]
    done = subprocess.run(private, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("held\n"), done.stderr + done.stdout
