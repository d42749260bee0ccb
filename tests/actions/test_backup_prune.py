"""backup.prune: what goes, what stays and why, and that nothing goes after a bad run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.actions.backup.keeping import Keep, why_kept
from runner.actions.backup.sets import BackupSet, Shelf, list_sets
from runner.actions.backup_prune import ACTION
from runner.contract import Outcome, Status
from runner.errors import Failed
from tests.actions.backups import backup_call
from tests.actions.made_sets import BEGIN, make_set
from tests.calls import assert_fits

NOW = BEGIN + timedelta(days=40)
SITE: Mapping[str | bytes, bytes] = {"a.txt": b"a" * 3000}
FEW = {"daily": 2, "weekly": 0, "monthly": 0, "yearly": 0, "least": 1}


def prune(tmp_path: Path, past: list[tuple[str, Mapping[str, Any]]] | None = None, **inputs: Any) -> Outcome:
    outcome = ACTION.run(backup_call(ACTION, inputs, tmp_path, past=past or [], now=NOW))
    if outcome.status is not Status.FAILED:
        assert_fits(ACTION, outcome.outputs)
    return outcome


def names(tmp_path: Path) -> list[str]:
    return [each.name for each in list_sets(tmp_path / "backups" / "WEB-PN-TAIS").sets]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backups" / "WEB-PN-TAIS"


def test_keeps_days_weeks_months_and_years(folder: Path, tmp_path: Path) -> None:
    made = [make_set(folder, number, SITE) for number in range(1, 41)]
    outcome = prune(tmp_path, daily=3, weekly=2, monthly=2, yearly=1)
    kept = {each["set"]: each["why"] for each in outcome.outputs["kept"]}
    assert outcome.status is Status.CHANGED
    assert list(kept) == names(tmp_path)
    assert kept[made[39].name] == ["newest", "daily", "weekly", "monthly", "yearly"]
    assert kept[made[38].name] == ["one of the newest 3", "daily"]
    # what was sealed on 30 November in UTC is of December in Jakarta
    assert [name for name, why in kept.items() if "monthly" in why] == [
        made[28].name,
        made[39].name,
    ]  # 30 November in UTC is December in Jakarta
    assert len(outcome.outputs["removed"]) == 40 - len(kept)
    assert outcome.outputs["freed_bytes"] > 0
    assert prune(tmp_path, daily=3, weekly=2, monthly=2, yearly=1).status is Status.OK


def test_the_dry_run_lists_what_goes_and_why_and_removes_nothing(folder: Path, tmp_path: Path) -> None:
    made = [make_set(folder, number, SITE) for number in range(1, 5)]
    preview = ACTION.preview(backup_call(ACTION, FEW, tmp_path, now=NOW))
    assert preview
    rule = "no rule keeps it (daily 2, weekly 0, monthly 0, yearly 0)"
    assert preview.message.splitlines()[1:] == [
        f"  goes: {made[0].name}: {rule}",
        f"  goes: {made[1].name}: {rule}",
        f"  stays: {made[2].name}: daily",
        f"  stays: {made[3].name}: newest, daily",
    ]
    assert len(names(tmp_path)) == 4


def test_never_removes_the_last_proved_nor_what_a_kept_one_needs(folder: Path, tmp_path: Path) -> None:
    first = make_set(folder, 1, SITE)
    proved = make_set(folder, 2, {**SITE, "b": b"b"}, parent=first)
    make_set(folder, 3, SITE)
    last = [make_set(folder, number, SITE) for number in (4, 5)]
    outputs = {"set": proved.name, "proved": True, "manifest_sha256": proved.manifest_sha256}
    outcome = prune(tmp_path, [("backup.drill", outputs)], **FEW)
    kept = {each["set"]: each["why"] for each in outcome.outputs["kept"]}
    assert list(kept) == [first.name, proved.name, *(each.name for each in last)]
    assert kept[proved.name] == ["last proved restorable"]
    assert kept[first.name] == [f"needed by {proved.name}"]


@pytest.mark.parametrize(("reason", "stays"), [("after_repair", True), ("before_restore", True), ("routine", False)])
def test_keeps_sets_of_a_repair_for_ninety_days(folder: Path, tmp_path: Path, reason: str, stays: bool) -> None:
    repaired = make_set(folder, 1, SITE, reason=reason)
    for number in (2, 3, 4):
        make_set(folder, number, SITE)
    prune(tmp_path, **FEW)
    assert (repaired.name in names(tmp_path)) is stays
    late = backup_call(ACTION, FEW, tmp_path, now=BEGIN + timedelta(days=91))
    ACTION.run(late)
    assert repaired.name not in names(tmp_path)


def happened(status: str, place: str) -> tuple[str, dict[str, Any]]:
    return "backup.seal", {"run": "r", "at": "", "status": status, "outputs": {"set": place}, "evidence": []}


def test_removes_nothing_after_a_bad_run(folder: Path, tmp_path: Path) -> None:
    made = [make_set(folder, number, SITE) for number in range(1, 5)]
    with pytest.raises(Failed, match="the last backup failed"):
        prune(tmp_path, [happened("changed", str(made[3].folder)), happened("failed", "")], **FEW)
    with pytest.raises(Failed, match=r"is not there\. is the right disk mounted"):
        prune(tmp_path, [happened("changed", "/x/WEB-PN-TAIS-2026-12-31-000000-P")], **FEW)
    assert len(names(tmp_path)) == 4
    path = made[3].folder / "p0000.tar.zst"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    outcome = prune(tmp_path, [happened("changed", str(made[3].folder))], **FEW)
    assert (outcome.status, [each.key for each in outcome.problems]) == (Status.FAILED, ["backup.prune.spoilt"])
    (made[0].folder / "MANIFEST.json").write_text("{}")
    with pytest.raises(Failed, match=f"while a set cannot be read: {made[0].name}"):
        prune(tmp_path, **FEW)


def test_finishes_what_was_cut_off_and_needs_no_folder(folder: Path, tmp_path: Path) -> None:
    assert prune(tmp_path, **FEW).outputs == {"removed": [], "kept": [], "freed_bytes": 0}
    made = make_set(folder, 1, SITE)
    left = folder / f"{made.name[:-1]}T.dihapus"
    left.mkdir()
    (left / "p0000.tar.zst").write_bytes(b"x")
    prune(tmp_path, **FEW)
    assert not left.exists()
    assert names(tmp_path) == [made.name]


@given(
    days=st.lists(st.integers(0, 900), min_size=1, max_size=25),
    keep=st.tuples(*(st.integers(0, 4) for _ in range(4))),
    proved=st.integers(0, 24),
    parents=st.lists(st.integers(0, 24), max_size=25),
)
def test_whatever_the_clock_said_the_newest_the_proved_and_their_parents_stay(
    days: list[int], keep: tuple[int, ...], proved: int, parents: list[int]
) -> None:
    sets: list[BackupSet] = []
    for number, day in enumerate(days):
        of = parents[number] if number < len(parents) else 99
        parent = {"set": str(of), "manifest_sha256": ""} if of < number else None
        sealed = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=day)
        facts = {
            "set": str(number),
            "sequence": number + 1,
            "sealed": sealed.isoformat(),
            "parts": [],
            "parent": parent,
        }
        sets.append(BackupSet(Path(), facts, "", {}))
    chosen = sets[proved % len(sets)]
    reasons = why_kept(Shelf(tuple(sets)), Keep(*keep, least=1), chosen, NOW, UTC)
    kept = {name for name, why in reasons.items() if why}
    assert sets[-1].name in kept
    assert chosen.name in kept
    for each in sets:
        assert each.name not in kept or each.needs <= kept
