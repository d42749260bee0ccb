"""The JSON Schema of the document that `sop run --format json` prints."""

from __future__ import annotations

from runner.contract import Reason, Severity, Status
from runner.record.schema_parts import DIALECT, EVIDENCE, Schema, many, moment, one, thing


def _status(description: str, example: str) -> Schema:
    return one("string", description, example, enum=[str(status) for status in Status])


_TASK = thing(
    "A task as it ended on this target; of several tries the last.",
    {
        "id": one("string", "The task's id in the playbook.", "database"),
        "action": one("string", "The action that it names.", "backup.database"),
        "item": {"description": "The item of `for_each` that it was done for; null without.", "examples": ["news"]},
        "try": one("integer", "Which try this is, from 1.", 1, minimum=0),
        "status": _status("How it ended.", "changed"),
        "reason": one(
            ["string", "null"],
            "Why it was skipped; null unless it was.",
            "condition",
            enum=[*(str(reason) for reason in Reason), None],
        ),
        "started": moment("When it was begun, UTC.", "2026-11-22T02:30:00+00:00"),
        "ended": moment("When it ended, UTC; null where it never did.", "2026-11-22T02:30:41+00:00", missing=True),
        "outputs": one("object", "What it gave, by the names that the action declares.", {"size": 4096}),
        "evidence": many("The files that it kept.", EVIDENCE),
        "message": one("string", "What happened, in words; empty when all went well.", "1 of 3 tables is empty"),
    },
)

_COUNTED = thing(
    "The rule by which a due time is counted, or what may still move it.",
    {
        "rule": one("string", "Its name, and after a colon its detail.", "days_by_close: 1"),
        "id": one("string", "In Indonesian.", "Jatuh tempo pada jam tutup kantor …"),
        "en": one("string", "In English.", "Due at the office's close on working day 1 …"),
    },
)

_TARGET = thing(
    "The step on one target.",
    {
        "target": one(["string", "null"], "The target's name; null in a step that runs once.", "pn_tais"),
        "status": _status("How the step ended on it.", "changed"),
        "due": moment("When the time limit passes; null without one.", "2026-11-23T16:30:00+07:00", missing=True),
        "counted": many("How that was counted: the rule, then what is not settled yet.", _COUNTED),
        "used_seconds": one(
            ["number", "null"], "Seconds by the clock that it took; null until it finished.", 41.2, minimum=0
        ),
        "outputs": one("object", "The step's outputs, by id.", {"archive": "manifest.json"}),
        "deviations": many(
            "Where it departed from the procedure: late, skipped, without evidence, wrong performer.",
            one("string", "One deviation, in words.", "late by 2 h"),
        ),
        "tasks": many("Its tasks, in the order in which they were begun.", _TASK),
    },
)

_STEP = thing(
    "A step of the procedure: its latest attempt.",
    {
        "id": one("string", "The step's id in the playbook.", "backup"),
        "status": _status("The worst of its targets' statuses; skipped when it was never begun.", "changed"),
        "attempt": one("integer", "Which attempt this is, from 1; 0 when it was never begun.", 1, minimum=0),
        "time_limit": one(["string", "null"], "Its time limit as written in the procedure; null without.", "1 hari"),
        "targets": many("The step on each of its targets.", _TARGET),
    },
)

_PROBLEM = thing(
    "Something found wrong out there.",
    {
        "key": one("string", "Its stable name: the same fault has the same key in every run.", "certificate.expires"),
        "severity": one("string", "How bad it is.", "major", enum=[str(severity) for severity in Severity]),
        "target": one(["string", "null"], "The target that has it; null when none is meant.", "pn_tais"),
        "message": one("string", "What is wrong, in words.", "the certificate expires in 6 days"),
    },
)

_MOVE = thing(
    "Where a decision, a person who returned it, or a failure went on at another place.",
    {
        "step": one("string", "The step that it went on from.", "solved"),
        "to": one("string", 'The step, "step.task" within one, "end" or "out".', "solution"),
        "back": one("boolean", "Whether that was done again.", True),
        "why": one("string", "The answer, the reason of who returned it, or the failure.", "Siti: belum"),
        "at": moment("When, UTC.", "2026-11-22T02:31:10+00:00"),
    },
)
_CANCELLED = thing(
    "Who ended the run for good; only of a run that was cancelled.",
    {
        "person": one("string", "The person's name.", "Siti Aminah, S.Kom."),
        "login": one("string", "The login that recorded it.", "siti"),
        "reason": one("string", "Why.", "Situs dipindahkan ke peladen lain."),
        "at": moment("When, UTC.", "2026-11-22T02:31:10+00:00"),
    },
)

RECORD_SCHEMA: Schema = {
    "$schema": DIALECT,
    "title": "A run of sop",
    **thing(
        "What one run did, step by step.",
        {
            "run": one("string", "The run's id.", "20261122-0930-k7f2c"),
            "playbook": one("string", "The playbook's name.", "pemeliharaan-website"),
            "status": _status("The worst of its steps' statuses; interrupted until it has ended.", "changed"),
            "exit_code": one("integer", "The exit code of `sop run`.", 0, enum=[0, 2, 3, 4, 10, 130]),
            "started": moment("When it began, UTC.", "2026-11-22T02:30:00+00:00"),
            "ended": moment("When it ended, UTC; null until then.", "2026-11-22T02:31:10+00:00", missing=True),
            "steps": many("The steps, in the procedure's order.", _STEP),
            "problems": many("What was found wrong; one entry for each key and target.", _PROBLEM),
        },
        sometimes={"moves": many("Where it went on out of order, where it did.", _MOVE), "cancelled": _CANCELLED},
    ),
}
