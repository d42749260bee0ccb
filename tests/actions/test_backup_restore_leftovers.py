"""What a restore that broke leaves aside is removed by the next one, unless another run may still be at it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from runner.actions import backup_database
from runner.actions.restore import leftovers
from runner.contract import Status
from runner.errors import TimeUp, Unreachable
from tests.actions.backups import backup_call, run_well, seal
from tests.actions.made_sets import make_rescue
from tests.actions.sftp_here import sftp_here
from tests.actions.test_backup_restore import Broken, back_up, compare, restore
from tests.actions.test_backup_restore_databases import back_up as back_up_database
from tests.actions.test_backup_restore_databases import inputs_of, joomla, pg_inputs, register
from tests.actions.test_backup_restore_far import Account
from tests.calls import NOW
from tests.mariadb import MariaDB
from tests.postgresql import PostgreSQL

__all__ = ["joomla", "register"]
LATER = NOW + timedelta(seconds=7)
DEAD, STRANGE = "0123456789ab", "a-name-of-ones-own"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    root = tmp_path / "account" / "html"
    root.mkdir(parents=True)
    (root / "index.php").write_text("<?php")
    (root / "large").write_bytes(os.urandom(9_000_000))
    back_up(root, tmp_path)
    (root / "index.php").write_text("defaced")
    return root


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody claims anything."""
    monkeypatch.setattr(leftovers, "CLAIMED_MINUTES", 0)


def leave(site: Path) -> list[str]:
    """What other restores, and other people, left beside the site."""
    for name in (f"pulih-{DEAD}.sebagian", f"pulih-{DEAD}", f"lama-{DEAD}", f"pulih-{STRANGE}"):
        (site.parent / f"html.{name}").mkdir()
        (site.parent / f"html.{name}" / "file").write_text("x")
    return [f"html.lama-{DEAD}", f"html.pulih-{STRANGE}"]


def names(site: Path) -> list[str]:
    own = [path.name for path in site.parent.glob("html.lama-*") if path.name != f"html.lama-{DEAD}"]
    return sorted(set(os.listdir(site.parent)) - {"html", *own})


@pytest.mark.parametrize("paths", [[], ["index.php"]])
def test_the_next_restore_removes_what_another_left(
    site: Path, tmp_path: Path, at_once: None, paths: list[str]
) -> None:
    rescue = make_rescue(tmp_path, "mariadb:x")
    with pytest.raises(TimeUp):
        restore(tmp_path, compare(tmp_path, paths=paths)["plan"], rescue=rescue, connection=Broken(4, after=True))
    assert list(site.parent.glob("html.pulih-*.sebagian"))
    kept = leave(site)
    plan = compare(tmp_path, now=LATER, paths=paths)["plan"]
    assert restore(tmp_path, plan, rescue=rescue).status is Status.CHANGED
    assert (site / "index.php").read_text() == "<?php"
    assert names(site) == kept


def test_what_another_run_may_be_at_stays(site: Path, tmp_path: Path) -> None:
    leave(site)
    before = names(site)
    assert restore(tmp_path, compare(tmp_path)["plan"], rescue=make_rescue(tmp_path, "mariadb:x")).status
    assert names(site) == before


def test_over_sftp_too(site: Path, tmp_path: Path) -> None:
    rescue = make_rescue(tmp_path, "mariadb:x")
    leave(site)
    old = site.parent / f"html.pulih-{DEAD}.sebagian"
    os.utime(old, (1_700_000_000, 1_700_000_000))
    with sftp_here() as here:
        account = Account(tmp_path, {"root": str(site)}, {"connect": lambda: here}, rescue)
        account.restore(account.compare()["plan"])
    assert (site / "index.php").read_text() == "<?php"
    assert names(site) == [f"html.lama-{DEAD}", f"html.pulih-{DEAD}", f"html.pulih-{STRANGE}"]


def test_a_resumed_restore_removes_its_own_over_sftp(site: Path, tmp_path: Path) -> None:
    def is_begun() -> bool:
        return bool(list(site.parent.glob("html.pulih-*/*")))

    with sftp_here() as here, sftp_here(lambda number: is_begun() and cut.cut()) as cut:
        account = Account(tmp_path, {"root": str(site)}, {}, make_rescue(tmp_path, "mariadb:x"))
        plan = account._replace(more={"connect": lambda: here}).compare()["plan"]
        with pytest.raises(Unreachable):
            account._replace(more={"connect": lambda: cut}).restore(plan)
        assert is_begun()
        account._replace(more={"connect": lambda: here}).restore(plan)
    assert names(site) == []


def test_a_loaded_sqlite_file_is_removed(tmp_path: Path, at_once: None) -> None:
    path = tmp_path / "data" / "site.sqlite"
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as base:
        base.executescript("CREATE TABLE a (b INT); INSERT INTO a VALUES (1);")
    login = {"engine": "sqlite", "name": str(path)}
    seal(run_well(backup_database.ACTION, backup_call(backup_database.ACTION, login, tmp_path))["part"], tmp_path)
    for name in (f"pulih-{DEAD}", f"lama-{DEAD}", f"pulih-{STRANGE}"):
        (path.parent / f"site.sqlite.{name}").write_text("x")
    restore(tmp_path, compare(tmp_path)["plan"], rescue=make_rescue(tmp_path, f"sqlite:{path}"))
    left = {each.name for each in path.parent.iterdir() if DEAD in each.name or STRANGE in each.name}
    assert left == {f"site.sqlite.lama-{DEAD}", f"site.sqlite.pulih-{STRANGE}"}


def check_databases(
    tmp_path: Path, source: str, login: dict[str, Any], make: Callable[[str], object], there: Callable[[], set[str]]
) -> None:
    """A restore leaves databases of other restores alone while these may be at work; later it removes them."""
    name = source.partition(":")[2]
    dead = f"{name}_pulih_{DEAD}"
    others = {f"{name}_lama_{DEAD}", f"{name}_pulih_rahasia"}
    for each in (dead, *others):
        make(each)
    rescue = make_rescue(tmp_path, source)
    restore(tmp_path, compare(tmp_path, **login)["plan"], rescue=rescue, **login)
    assert {dead, *others} <= there()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(leftovers, "CLAIMED_MINUTES", 0)
        restore(tmp_path, compare(tmp_path, now=LATER, **login)["plan"], rescue=rescue, **login)
    assert others <= there()
    assert dead not in there()


def test_a_loaded_mariadb_database_is_removed(mariadb: MariaDB, joomla: str, tmp_path: Path) -> None:
    def make(name: str) -> None:
        mariadb.sql(f"CREATE DATABASE `{name}`; CREATE TABLE `{name}`.a (b INT);")

    login = inputs_of(mariadb)
    back_up_database(tmp_path, "mariadb", joomla, login)
    mariadb.sql(f"CREATE DATABASE `{joomla}_pulih_ba9876543210`")  # empty: made by a panel for a plan to come
    check_databases(tmp_path, f"mariadb:{joomla}", login, make, lambda: set(mariadb.sql("SHOW DATABASES").split()))
    assert f"{joomla}_pulih_ba9876543210" in mariadb.sql("SHOW DATABASES")


def test_a_loaded_postgresql_database_is_removed(postgresql: PostgreSQL, register: str, tmp_path: Path) -> None:
    def make(name: str) -> None:
        postgresql.sql(f"CREATE DATABASE {name}")
        postgresql.sql(f"DO $$ BEGIN EXECUTE format('COMMENT ON DATABASE %I IS %L', '{name}', now()); END $$")

    def there() -> set[str]:
        return set(postgresql.sql("SELECT datname FROM pg_database").split())

    login = pg_inputs(postgresql)
    back_up_database(tmp_path, "postgresql", register, login)
    postgresql.sql(f"CREATE DATABASE {register}_pulih_ba9876543210")  # without a mark it is not ours
    check_databases(tmp_path, f"postgresql:{register}", login, make, there)
    assert f"{register}_pulih_ba9876543210" in there()
    for name in there():
        if name.startswith(f"{register}_"):
            postgresql.sql(f"DROP DATABASE {name}")


def test_a_private_folder_that_was_left_is_removed(
    mariadb: MariaDB, joomla: str, tmp_path: Path, at_once: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    (home / f".sop-pulih-{DEAD}").mkdir(parents=True)
    (home / f".sop-pulih-{DEAD}" / "script.gz").write_text("x")
    monkeypatch.setenv("HOME", str(home))
    login = inputs_of(mariadb)
    back_up_database(tmp_path, "mariadb", joomla, login)
    compare(tmp_path, **login)
    assert os.listdir(home) == []
