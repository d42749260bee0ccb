"""Pieces of the playbook's schema: how keys are described, how acts are conducted, where it goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

ID_PATTERN = "^[a-z][a-z0-9_]{0,62}$"


def text(description: str, example: Any, **more: Any) -> Schema:
    """Given a description and an example, return the schema of a text."""
    return {"type": "string", "description": description, "examples": [example], **more}


def texts(description: str, example: Any) -> Schema:
    """Return the schema of a list of texts."""
    return {"type": "array", "items": {"type": "string"}, "description": description, "examples": [example]}


def mapping(properties: Mapping[str, Schema], description: str, example: Any, required: tuple[str, ...] = ()) -> Schema:
    """Return the schema of a mapping with exactly these keys."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
        "description": description,
        "examples": [example],
    }


def free(description: str, example: Any) -> Schema:
    """Return the schema of a mapping with any keys."""
    return {"type": "object", "description": description, "examples": [example]}


def or_null(schema: Schema) -> Schema:
    """Return the schema that also takes nothing."""
    return {**schema, "type": [schema["type"], "null"]}


ID = text("a name for references: small letters, digits and _", "backup", pattern=ID_PATTERN)
WHEN = text("do it only when this is true: one boolean expression", "{{ tasks.check.http_status != 200 }}")
LIMIT = text("clock time after which it is ended, with its process", "2h", minLength=1)
DESTINATION_STEP = mapping(
    {"step": ID}, "a step of this playbook; an earlier one begins a new attempt", {"step": "solution"}, ("step",)
)


def _route(description: str) -> Schema:
    return {
        "description": description,
        "examples": ["continue", {"step": "solution"}],
        "oneOf": [{"type": "string", "enum": ["stop", "continue"]}, DESTINATION_STEP],
    }


ON_FAILURE = _route("after a failure: stop this target (the default), continue, or go to a step")
ON_UNREACHABLE = _route("after no connection: stop this target (the default), continue, or go to a step")
ALWAYS: Schema = {
    "type": "boolean",
    "description": "do it also after the target was stopped by a failure or was unreachable",
    "examples": [True],
}
FOR_EACH: Schema = {
    "description": "do it once for each: a list, or one expression that gives a list; {{ item }} is the current one",
    "examples": [["uploads", "images"], "{{ vars.folders }}"],
    "oneOf": [{"type": "array", "maxItems": 1000}, {"type": "string"}],
}
RETRY = mapping(
    {
        "count": {
            "type": "integer",
            "minimum": 1,
            "maximum": 100,
            "description": "how many times to try again",
            "examples": [3],
        },
        "pause": text("how long to wait before each new try", "30s"),
        "on": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "string", "enum": ["failed", "timed_out", "unreachable"]},
            "description": "which outcomes to try again",
            "examples": [["unreachable", "timed_out"]],
        },
    },
    "try again after a failure",
    {"count": 3, "pause": "30s", "on": ["unreachable"]},
    ("count",),
)
RUN_AS = text("the user to become on the server, by sudo -n", "www-data", pattern="^[a-z_][a-z0-9_.-]{0,31}$")
_ROLES: Schema = {"type": "array", "minItems": 1, "items": {"type": "string"}}
ACTOR: Schema = {
    "description": "the role that acts, several roles that act together, or any_of: several of which one acts",
    "examples": ["admin", ["admin", "third_party"], {"any_of": ["camat", "sekcam"]}],
    "oneOf": [
        {"type": "string"},
        _ROLES,
        mapping(
            {
                "any_of": {
                    **_ROLES,
                    "minItems": 2,
                    "description": "whoever holds one of these roles acts",
                    "examples": [["camat", "sekcam"]],
                }
            },
            "several roles of which one acts",
            {"any_of": ["camat", "sekcam"]},
            ("any_of",),
        ),
    ],
}
AFTER: Schema = {
    "type": "array",
    "items": {"type": "string"},
    "maxItems": 500,
    "description": "what must be done before: several that name the same are a fork, one that names several is a join; "
    "[] starts at once. Without it, what is written before",
    "examples": [["verify", "inspect"]],
}
COMMON: Mapping[str, Schema] = {
    "when": WHEN,
    "for_each": FOR_EACH,
    "retry": RETRY,
    "on_failure": ON_FAILURE,
    "on_unreachable": ON_UNREACHABLE,
    "always": ALWAYS,
    "run_as": RUN_AS,
}
DESTINATION_PLACE = mapping(
    {"step": ID, "task": ID},
    "a step of this playbook; an earlier one begins a new attempt. With `task`, at that task of it",
    {"step": "repair", "task": "test"},
    ("step",),
)
DESTINATION_TASK = mapping(
    {"task": ID},
    "a task of this step; one that came before is done again, with all that follows it",
    {"task": "check"},
    ("task",),
)
DESTINATION_OUT = mapping(
    {"out": text("the procedure, as the form names it", "SOP Pembaharuan Konten Website")},
    "out of this procedure, into another one",
    {"out": "SOP Pembaharuan Konten Website"},
    ("out",),
)
ANSWER: Schema = {
    "description": "where an answer leads: to what follows, the end, out of the SOP, a step, or a task of this step",
    "examples": ["next", {"step": "solution"}, {"task": "check"}],
    "oneOf": [
        {"type": "string", "enum": ["next", "end", "out"]},
        DESTINATION_PLACE,
        DESTINATION_TASK,
        DESTINATION_OUT,
    ],
}
DECIDE = mapping(
    {
        "question": text(
            "the question on the form; without it the activity is what is asked", "Masalah terselesaikan?"
        ),
        "actor": {
            **ACTOR,
            "description": "the role that decides, or several that decide together; else the task's or step's actor",
        },
        "answers": {
            "type": "object",
            "minProperties": 2,
            "additionalProperties": ANSWER,
            "description": "each label as on the form, and where it leads",
            "examples": [{"ya": "next", "tidak": {"step": "solution"}}],
        },
        "rounds": {
            "type": "integer",
            "minimum": 1,
            "maximum": 100,
            "default": 5,
            "description": "how many times it may send back before the run stops",
            "examples": [5],
        },
        "value": text("an expression that gives the label; without it a person decides", "{{ tasks.check.label }}"),
    },
    "a decision at the end of the step or task",
    {"question": "Masalah terselesaikan?", "answers": {"ya": "next", "tidak": {"step": "solution"}}},
    ("answers",),
)
