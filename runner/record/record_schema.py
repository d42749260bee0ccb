"""The JSON Schema of the document that `sop run --format json` prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runner.contract import Reason, Severity, Status

Schema = dict[str, Any]


def _key(type_: str | list[str], description: str, example: Any, **more: Any) -> Schema:
    return {"type": type_, "description": description, "examples": [example], **more}


def _object(description: str, keys: Mapping[str, Schema]) -> Schema:
    return {
        "type": "object",
        "description": description,
        "properties": dict(keys),
        "required": list(keys),
        "additionalProperties": False,
        "examples": [{name: schema["examples"][0] for name, schema in keys.items()}],
    }


def _list(description: str, items: Schema) -> Schema:
    return {"type": "array", "description": description, "items": items, "examples": [[items["examples"][0]]]}


def _status(description: str, example: str) -> Schema:
    return _key("string", description, example, enum=[str(status) for status in Status])


def _moment(description: str, example: str, *, missing: bool = False) -> Schema:
    return _key(["string", "null"] if missing else "string", description, example, format="date-time")


_EVIDENCE = _object(
    "A kept file.",
    {
        "name": _key("string", "Its name, for people.", "access-summary.json"),
        "sha256": _key(
            "string", "SHA-256 of its content, in hex; also where it lies.", "9f" * 32, pattern="^[0-9a-f]+$"
        ),
        "size": _key("integer", "Its size in bytes.", 4096, minimum=0),
        "media_type": _key("string", "What kind of file it is.", "application/json"),
    },
)

_TASK = _object(
    "A task as it ended on this target; of several tries the last.",
    {
        "id": _key("string", "The task's id in the playbook.", "database"),
        "action": _key("string", "The action that it names.", "backup.database"),
        "item": {"description": "The item of `for_each` that it was done for; null without.", "examples": ["news"]},
        "try": _key("integer", "Which try this is, from 1.", 1, minimum=0),
        "status": _status("How it ended.", "changed"),
        "reason": _key(
            ["string", "null"],
            "Why it was skipped; null unless it was.",
            "condition",
            enum=[*(str(reason) for reason in Reason), None],
        ),
        "started": _moment("When it was begun, UTC.", "2026-11-22T02:30:00+00:00"),
        "ended": _moment("When it ended, UTC; null where it never did.", "2026-11-22T02:30:41+00:00", missing=True),
        "outputs": _key("object", "What it gave, by the names that the action declares.", {"size": 4096}),
        "evidence": _list("The files that it kept.", _EVIDENCE),
        "message": _key("string", "What happened, in words; empty when all went well.", "1 of 3 tables is empty"),
    },
)

_COUNTED = _object(
    "The rule by which a due time is counted, or what may still move it.",
    {
        "rule": _key("string", "Its name, and after a colon its detail.", "days_by_close: 1"),
        "id": _key("string", "In Indonesian.", "Jatuh tempo pada jam tutup kantor …"),
        "en": _key("string", "In English.", "Due at the office's close on working day 1 …"),
    },
)

_TARGET = _object(
    "The step on one target.",
    {
        "target": _key(["string", "null"], "The target's name; null in a step that runs once.", "pn_tais"),
        "status": _status("How the step ended on it.", "changed"),
        "due": _moment("When the time limit passes; null without one.", "2026-11-23T16:30:00+07:00", missing=True),
        "counted": _list("How that was counted: the rule, then what is not settled yet.", _COUNTED),
        "used_seconds": _key(
            ["number", "null"], "Seconds by the clock that it took; null until it finished.", 41.2, minimum=0
        ),
        "outputs": _key("object", "The step's outputs, by id.", {"archive": "manifest.json"}),
        "deviations": _list(
            "Where it departed from the procedure: late, skipped, without evidence, wrong performer.",
            _key("string", "One deviation, in words.", "late by 2 h"),
        ),
        "tasks": _list("Its tasks, in the order in which they were begun.", _TASK),
    },
)

_STEP = _object(
    "A step of the procedure: its latest attempt.",
    {
        "id": _key("string", "The step's id in the playbook.", "backup"),
        "status": _status("The worst of its targets' statuses; skipped when it was never begun.", "changed"),
        "attempt": _key("integer", "Which attempt this is, from 1; 0 when it was never begun.", 1, minimum=0),
        "time_limit": _key(["string", "null"], "Its time limit as written in the procedure; null without.", "1 hari"),
        "targets": _list("The step on each of its targets.", _TARGET),
    },
)

_PROBLEM = _object(
    "Something found wrong out there.",
    {
        "key": _key("string", "Its stable name: the same fault has the same key in every run.", "certificate.expires"),
        "severity": _key("string", "How bad it is.", "major", enum=[str(severity) for severity in Severity]),
        "target": _key(["string", "null"], "The target that has it; null when none is meant.", "pn_tais"),
        "message": _key("string", "What is wrong, in words.", "the certificate expires in 6 days"),
    },
)

RECORD_SCHEMA: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "A run of sop",
    **_object(
        "What one run did, step by step.",
        {
            "run": _key("string", "The run's id.", "20261122-0930-k7f2c"),
            "playbook": _key("string", "The playbook's name.", "pemeliharaan-website"),
            "status": _status("The worst of its steps' statuses; interrupted until it has ended.", "changed"),
            "exit_code": _key("integer", "The exit code of `sop run`.", 0, enum=[0, 2, 3, 4, 10, 130]),
            "started": _moment("When it began, UTC.", "2026-11-22T02:30:00+00:00"),
            "ended": _moment("When it ended, UTC; null until then.", "2026-11-22T02:31:10+00:00", missing=True),
            "steps": _list("The steps, in the procedure's order.", _STEP),
            "problems": _list("What was found wrong; one entry for each key and target.", _PROBLEM),
        },
    ),
}
