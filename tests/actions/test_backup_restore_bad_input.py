"""Bad input of a restore: whatever comes, the old state or the whole new set, and a message."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from runner.actions.restore import into_mariadb
from runner.contract import Status
from runner.errors import Failed
from tests.actions.made_sets import make_rescue, make_set, write_sums
from tests.actions.test_backup_database_faults import await_one
from tests.actions.test_backup_files import snapshot
from tests.actions.test_backup_restore import back_up, compare, restore
from tests.actions.test_backup_restore_databases import back_up as back_up_database
from tests.actions.test_backup_restore_databases import fingerprint, inputs_of, joomla
from tests.calls import NOW
from tests.mariadb import MariaDB

__all__ = ["joomla"]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    root = tmp_path / "account" / "html"
    root.mkdir(parents=True)
    for number in range(200):
        (root / f"{number}.txt").write_text(str(number))
    (root / "index.php").write_text("<?php")
    return root


def edit(change: Callable[[dict[str, Any]], object], *, sums: bool) -> Callable[[Path], None]:
    def do(folder: Path) -> None:
        page = json.loads((folder / "MANIFEST.json").read_text())
        change(page)
        (folder / "MANIFEST.json").write_text(json.dumps(page))
        if sums:
            write_sums(folder)

    return do


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (edit(lambda page: page.update(reason="after_repair"), sums=False), "MANIFEST.json is not what was sealed"),
        (edit(lambda page: page.update(reason="after_repair"), sums=True), "not the set that was signed for"),
        (edit(lambda page: page["parts"].clear(), sums=True), "not the set that was signed for"),
        (edit(lambda page: page.pop("sealed"), sums=True), "MANIFEST.json is not valid"),
        (lambda folder: (folder / "MANIFEST.json").write_text("{"), "MANIFEST.json is not JSON"),
    ],
)
@pytest.mark.promise("Files", "a backup set whose manifest was edited by hand", "not restored; the old state")
def test_a_manifest_that_was_edited_by_hand_is_not_restored(
    site: Path, tmp_path: Path, spoil: Callable[[Path], object], words: str
) -> None:
    sealed = back_up(site, tmp_path)
    (site / "index.php").write_text("newer")
    before = snapshot(site)
    plan = compare(tmp_path)["plan"]
    spoil(sealed)
    outcome = restore(tmp_path, plan, rescue=make_rescue(tmp_path, "mariadb:x"))
    assert outcome.status is Status.FAILED
    assert words in outcome.message
    assert "restore nothing from it" in outcome.message or "take another set" in outcome.message
    assert snapshot(site) == before


@pytest.mark.promise("Files", "two restores of one folder at once", "one after the other; who comes too early is told")
def test_two_restores_at_once_leave_one_whole_set(site: Path, tmp_path: Path) -> None:
    back_up(site, tmp_path)
    whole = snapshot(site)
    rescue = make_rescue(tmp_path, "mariadb:x")
    for turn in range(4):
        (site / "index.php").write_text("defaced")
        plans = [compare(tmp_path, now=NOW + timedelta(seconds=2 * turn + each))["plan"] for each in (0, 1)]
        barrier = Barrier(2)

        def attempt(plan: Any, barrier: Barrier = barrier) -> str:
            barrier.wait(30)
            try:
                return restore(tmp_path, plan, rescue=rescue).message
            except Failed as error:
                return str(error)

        with ThreadPoolExecutor(2) as pool:
            messages = list(pool.map(attempt, plans))
        assert snapshot(site) == whole, messages
        assert any(message.startswith("restored 201 files") for message in messages), messages
        for left in site.parent.glob("html.*"):
            shutil.rmtree(left)


ODD = """-- Table structure for table `orang`
CREATE TABLE orang (nama VARCHAR(9)) COLLATE={0};
INSERT INTO orang VALUES ('Siti');
-- Dump completed
"""


@pytest.mark.promise("Files", "a dump of a server of another version", "refused, the old state; or the whole new one")
def test_a_dump_that_this_version_does_not_understand_leaves_the_old_state(
    mariadb: MariaDB, joomla: str, tmp_path: Path
) -> None:
    dump = ODD.format("utf8mb4_of_a_later_version")
    make_set(tmp_path / "backups" / "WEB-PN-TAIS", 20, {"a": b"a"}, databases={joomla: dump.encode()})
    login = inputs_of(mariadb)
    before = fingerprint(mariadb, joomla)
    plan = compare(tmp_path, database=joomla, **login)["plan"]
    with pytest.raises(Failed, match=r"ERROR 1273 .* Unknown collation: 'utf8mb4_of_a_later_version'. look at"):
        restore(tmp_path, plan, rescue=make_rescue(tmp_path, f"mariadb:{joomla}"), **login)
    assert fingerprint(mariadb, joomla) == before
    assert not mariadb.sql(f"SHOW DATABASES LIKE '{joomla}_pulih_%'")


@pytest.mark.heavy
@pytest.mark.promise("Network", "a live table is locked while it is to be replaced", "the old state, and it goes on")
def test_a_live_table_that_stays_locked_leaves_the_old_state(
    mariadb: MariaDB,
    joomla: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(into_mariadb, "LONGEST_WAIT", 2)
    login = inputs_of(mariadb)
    back_up_database(tmp_path, "mariadb", joomla, login)
    whole = fingerprint(mariadb, joomla)
    mariadb.sql("DELETE FROM perkara", joomla)
    broken = fingerprint(mariadb, joomla)
    plan = compare(tmp_path, **login)["plan"]
    rescue = make_rescue(tmp_path, f"mariadb:{joomla}")
    listing = f"SELECT id FROM information_schema.processlist WHERE db = '{joomla}' AND state = 'User sleep'"
    with ThreadPoolExecutor(1) as pool:
        lock = pool.submit(mariadb.sql, "LOCK TABLES orang READ; SELECT SLEEP(120)", joomla, check=False)
        holder = await_one(lambda: mariadb.sql(listing).split())
        try:
            with pytest.raises(Failed, match="Lock wait timeout exceeded"):
                restore(tmp_path, plan, rescue=rescue, **login)
        finally:
            mariadb.sql(f"KILL {holder}")
            lock.result(60)
    assert fingerprint(mariadb, joomla) == broken
    restore(tmp_path, plan, rescue=rescue, **login)
    assert fingerprint(mariadb, joomla) == whole
