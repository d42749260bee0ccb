"""Fifty dumps of a real site whose database connection is ended in the middle: none of them is kept as a backup."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from runner.actions.backup_database import ACTION
from runner.connections import Connections
from runner.contract import Call, Outcome
from tests.actions.backups import assert_refused, backup_call, files_in, run_well
from tests.connections.conftest import target_of
from tests.wordpress_lab import WordPress, wordpress_lab

pytestmark = pytest.mark.heavy
KILLS = 50


def test_keeps_none_of_fifty_dumps_that_were_cut_off(tmp_path: Path) -> None:
    chance = random.Random(50)
    with wordpress_lab(posts=40) as site:
        connections = Connections((site.ssh.known_hosts,))
        try:
            connection = connections.get(target_of(site.ssh))
            inputs = {"config": str(site.root / "wp-config.php")}
            call = backup_call(ACTION, inputs, tmp_path, connect=lambda: connection, limit=600)
            tables = run_well(ACTION, call)["part"]["tables"]
            whole = files_in(tmp_path / "backups")
            for _ in range(KILLS):
                outcome = cut_off(site, chance.choice(tables[1:]), call)
                assert_refused(outcome, "backup.database.incomplete", "the dump ended with exit code")
                assert files_in(tmp_path / "backups") == whole
            run_well(ACTION, call)
        finally:
            connections.close()


def cut_off(site: WordPress, table: str, call: Call) -> Outcome:
    """Back up while a table is locked, so that the dump waits there; then end its connection."""
    with ThreadPoolExecutor(2) as pool:
        lock = pool.submit(site.mariadb.sql, f"LOCK TABLES {table} WRITE; SELECT SLEEP(60)", site.database, check=False)
        holder = number(site, "state = 'User sleep'")
        try:
            backup = pool.submit(ACTION.run, call)
            waiting = number(site, f"user = '{site.database}' AND state LIKE 'Waiting for%lock'")
            site.mariadb.sql(f"KILL {waiting}")
            return backup.result()
        finally:
            site.mariadb.sql(f"KILL {holder}")
            lock.result()


def number(site: WordPress, where: str) -> str:
    """The connection that fits, once there is one."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        found = site.mariadb.sql(f"SELECT id FROM information_schema.processlist WHERE {where}").split()
        if found:
            return found[0]
    raise AssertionError(site.mariadb.sql("SHOW PROCESSLIST"))
