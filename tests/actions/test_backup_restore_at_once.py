"""Two restores of one database at once: by plans of their own, or by one plan."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from runner.contract import Status
from runner.errors import Failed
from tests.actions.made_sets import make_rescue
from tests.actions.test_backup_restore import compare, restore
from tests.actions.test_backup_restore_databases import back_up, fingerprint, inputs_of, joomla, pg_inputs, register
from tests.calls import NOW
from tests.mariadb import MariaDB
from tests.postgresql import PostgreSQL

__all__ = ["joomla", "register"]
MESSAGE = "one after the other; who comes too early is told"


def assert_whole(
    folder: Path, source: str, login: Mapping[str, Any], damage: Callable[[], object], look: Callable[[], object]
) -> None:
    """Restore twice at a time, by two plans and by one: all of the new is there, and who was refused is told why."""
    whole, rescue = look(), make_rescue(folder, source)
    for turn, plans in enumerate((2, 1)):
        damage()
        made = [compare(folder, now=NOW + timedelta(seconds=2 * turn + each), **login)["plan"] for each in range(plans)]
        barrier = Barrier(2)

        def attempt(plan: Any, barrier: Barrier = barrier) -> str:
            barrier.wait(30)
            try:
                assert restore(folder, plan, rescue=rescue, **login).status is Status.CHANGED
            except Failed as error:
                return str(error)
            return ""

        with ThreadPoolExecutor(2) as pool:
            refused = sorted(pool.map(attempt, (made[0], made[-1])))
        assert look() == whole
        assert refused[0] == ""
        assert not refused[1] or "is being written by another run (" in refused[1]


@pytest.mark.heavy
@pytest.mark.timeout(300)
@pytest.mark.promise("Files", "two restores of one MariaDB database at once", MESSAGE)
def test_mariadb(mariadb: MariaDB, joomla: str, tmp_path: Path) -> None:
    login = inputs_of(mariadb)
    back_up(tmp_path, "mariadb", joomla, login)

    def damage() -> None:
        mariadb.sql("DELETE FROM perkara; DROP PROCEDURE p; CREATE TABLE baru (a INT)", joomla)

    assert_whole(tmp_path, f"mariadb:{joomla}", login, damage, lambda: fingerprint(mariadb, joomla))


@pytest.mark.heavy
@pytest.mark.timeout(300)
@pytest.mark.promise("Files", "two restores of one PostgreSQL database at once", MESSAGE)
def test_postgresql(postgresql: PostgreSQL, register: str, tmp_path: Path) -> None:
    login = pg_inputs(postgresql)
    back_up(tmp_path, "postgresql", register, login)

    def damage() -> None:
        postgresql.sql("DELETE FROM perkara; DELETE FROM catatan", register)

    def look() -> list[str]:
        tables = ("orang", "perkara", "catatan", "daftar")
        return [postgresql.sql(f"SELECT * FROM {table} ORDER BY 1", register) for table in tables]

    assert_whole(tmp_path, f"postgresql:{register}", login, damage, look)


@pytest.mark.promise("Files", "two restores of one SQLite database at once", MESSAGE)
def test_sqlite(tmp_path: Path) -> None:
    path = tmp_path / "site.sqlite"

    def do(statement: str) -> list[Any]:
        with closing(sqlite3.connect(path)) as base, base:
            return base.execute(statement).fetchall()

    do("CREATE TABLE a (b INT)")
    do("INSERT INTO a VALUES (1), (2)")
    back_up(tmp_path, "sqlite", str(path), {})
    assert_whole(tmp_path, f"sqlite:{path}", {}, lambda: do("DELETE FROM a WHERE b = 1"), lambda: do("SELECT * FROM a"))
