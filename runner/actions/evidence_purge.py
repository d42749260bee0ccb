"""`evidence.purge`: deletes kept files with personal data once their last day is over, and says which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from runner.contract import Action, Call, Effect, Outcome, Preview, Reach, Repeat, Status

_ROW = {"type": "array", "items": {"type": "object"}}
_EXAMPLE = {"name": "hits.restricted.jsonl", "sha256": "9f" * 32, "until": "2026-08-22", "run": "20260524-0930-bcdfg"}


def run(call: Call) -> Outcome:
    """Delete what may go; the outcome is the record of it. A file that is gone already is named, too."""
    due = call.record.delete_expired(_today(call))
    deleted = [_deleted(each) for each in due if not each["held"]]
    kept = [{**_told(each), "held": each["held"]} for each in due if each["held"]]
    status = Status.CHANGED if deleted else Status.OK
    return Outcome(status, outputs={"deleted": deleted, "kept": kept, "summary": _summary(deleted, kept)})


def preview(call: Call) -> Preview:
    """Say what would be deleted."""
    going = [each for each in call.record.expired(_today(call)) if not each["held"]]
    names = ", ".join(f"{each['name']} ({each['until']})" for each in going[:20])
    return Preview(f"{len(going)} kept files would be deleted{': ' if names else ''}{names}", changes=bool(going))


def _today(call: Call) -> date:
    return call.office_time.date()


def _told(each: Mapping[str, Any]) -> dict[str, Any]:
    return {name: each[name] for name in ("name", "sha256", "size", "until", "reason", "keeper", "run")}


def _deleted(each: Mapping[str, Any]) -> dict[str, Any]:
    rule = f"kept until {each['until']} for: {each['reason']}"
    return {**_told(each), "rule": rule, "there": bool(each["there"])}


def _summary(deleted: Sequence[Mapping[str, Any]], kept: Sequence[Mapping[str, Any]]) -> str:
    if not deleted and not kept:
        return "Tidak ada bukti berisi data pribadi yang masa simpannya berakhir."
    held = f" {len(kept)} berkas belum dapat dihapus." if kept else ""
    return f"{len(deleted)} berkas bukti berisi data pribadi dihapus karena masa simpannya berakhir.{held}"


ACTION = Action(
    name="evidence.purge",
    description="Deletes kept files with personal data (raw lines of logs, block lists) once their last day is over. "
    "What a signature, a problem that is not solved, or a run that still goes on rests on, stays.",
    inputs={},
    outputs={
        "deleted": {
            **_ROW,
            "description": "What was deleted, by which rule; `there`: whether the file still was",
            "examples": [[{**_EXAMPLE, "rule": "kept until 2026-08-22 for: keamanan sistem", "there": True}]],
        },
        "kept": {
            **_ROW,
            "description": "What must stay although its last day is over, and why",
            "examples": [[{**_EXAMPLE, "held": "a signature or an answer rests on it"}]],
        },
        "summary": {
            "type": "string",
            "description": "The result in a sentence, for the report",
            "examples": ["2 berkas bukti berisi data pribadi dihapus karena masa simpannya berakhir."],
        },
    },
    effect=Effect.CHANGE,
    repeat=Repeat.SAFE,
    reach=Reach.CONTROLLER,
    limit="10m",
    run=run,
    preview=preview,
    targets=("",),
    example="""\
- id: purge
  action: evidence.purge
""",
)
