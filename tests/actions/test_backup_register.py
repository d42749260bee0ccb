"""backup.register: every medium once, with the date by which it is to be read again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runner.actions.backup_register import ACTION
from runner.contract import Outcome, Severity, Status
from tests.actions.backups import backup_call
from tests.calls import assert_fits, read_evidence

SET, NEXT = "WEB-PN-TAIS-2026-11-22-013000-P", "WEB-PN-TAIS-2026-12-22-013000-P"


def copied(at: str, due: str, label: str = "BACKUP-PN", medium: str = "disk", **more: Any) -> tuple[str, Any]:
    outputs = {"medium": medium, "label": label, "place": "/m", "sets": [SET], "recheck_due": due, **more}
    event = {"run": "r", "at": f"{at}T02:00:00+00:00", "status": "changed", "outputs": outputs, "evidence": []}
    return "backup.media", event


def register(tmp_path: Path, *past: tuple[str, Mapping[str, Any]]) -> tuple[Outcome, str]:
    call = backup_call(ACTION, {}, tmp_path, past=past)
    outcome = ACTION.run(call)
    assert_fits(ACTION, outcome.outputs)
    return outcome, read_evidence(call, outcome.evidence[0]).decode("utf-8-sig")


def test_says_what_lies_where_and_until_when(tmp_path: Path) -> None:
    outcome, page = register(
        tmp_path,
        copied("2026-10-01", "2028-10-01"),
        copied("2026-11-01", "2028-11-01", sets=[NEXT]),
        copied("2026-11-02", "2028-11-02", "D-01 D-02", "disc"),
        ("backup.media", {"run": "r", "at": "2026-11-03T00:00:00+00:00", "status": "failed", "outputs": None}),
    )
    assert outcome.status is Status.OK
    assert outcome.problems == ()
    assert [(each["label"], each["recheck_due"]) for each in outcome.outputs["media"]] == [
        ("BACKUP-PN", "2028-11-01"),
        ("D-01", "2028-11-02"),
        ("D-02", "2028-11-02"),
    ]
    assert outcome.outputs["media"][0]["sets"] == [SET, NEXT]
    assert page.splitlines()[1].startswith(
        f"hardisk;BACKUP-PN;/m;{SET}, {NEXT};Kamis, 1 Oktober 2026;Minggu, 1 November"
    )


def test_reports_what_is_due_and_what_is_overdue(tmp_path: Path) -> None:
    soon, _ = register(tmp_path, copied("2024-12-10", "2026-12-10"))
    assert [(problem.key, problem.severity) for problem in soon.problems] == [("backup.register.due", Severity.MINOR)]
    late, _ = register(tmp_path, copied("2024-11-01", "2026-11-01"), copied("2024-12-10", "2026-12-10", "LAIN"))
    assert late.outputs["overdue"] == ["BACKUP-PN"]
    assert [(problem.key, problem.severity) for problem in late.problems] == [("backup.register.due", Severity.MAJOR)]
    assert "hardisk BACKUP-PN (sebelum Minggu, 1 November 2026); hardisk LAIN" in late.problems[0].message
    read_again, _ = register(tmp_path, copied("2024-11-01", "2026-11-01"), copied("2026-11-02", "2028-11-02"))
    assert read_again.problems == ()


def test_an_empty_register_is_one(tmp_path: Path) -> None:
    outcome, page = register(tmp_path)
    assert outcome.outputs["media"] == []
    assert len(page.splitlines()) == 1
