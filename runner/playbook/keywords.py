"""The playbook's keys, declared once: the schema that checks a playbook and that editors read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

ID_PATTERN = "^[a-z][a-z0-9_]{0,62}$"
CRON_PATTERN = r"^(@(hourly|daily|weekly|monthly|yearly)|([0-9*,/A-Za-z-]+\s+){4}[0-9*,/A-Za-z-]+)$"


def _text(description: str, example: Any, **more: Any) -> Schema:
    return {"type": "string", "description": description, "examples": [example], **more}


def _texts(description: str, example: Any) -> Schema:
    return {"type": "array", "items": {"type": "string"}, "description": description, "examples": [example]}


def _map(properties: Mapping[str, Schema], description: str, example: Any, required: tuple[str, ...] = ()) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
        "description": description,
        "examples": [example],
    }


def _free(description: str, example: Any) -> Schema:
    return {"type": "object", "description": description, "examples": [example]}


def _or_null(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]}


ID = _text("a name for references: small letters, digits and _", "backup", pattern=ID_PATTERN)
WHEN = _text("do it only when this is true: one boolean expression", "{{ tasks.check.http_status != 200 }}")
LIMIT = _text("clock time after which it is ended, with its process", "2h", minLength=1)
DESTINATION_STEP = _map(
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
RETRY = _map(
    {
        "count": {
            "type": "integer",
            "minimum": 1,
            "maximum": 100,
            "description": "how many times to try again",
            "examples": [3],
        },
        "pause": _text("how long to wait before each new try", "30s"),
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
RUN_AS = _text("the user to become on the server, by sudo -n", "www-data", pattern="^[a-z_][a-z0-9_.-]{0,31}$")
ACTOR: Schema = {
    "description": "the role that acts, or several roles that act together",
    "examples": ["admin", ["admin", "third_party"]],
    "oneOf": [{"type": "string"}, {"type": "array", "minItems": 1, "items": {"type": "string"}}],
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
TASK = _map(
    {
        "id": ID,
        "action": _text("what kind of act it is; `sop actions` lists them", "backup.database"),
        "with": _free("the action's inputs", {"command": "uptime"}),
        "time_limit": LIMIT,
        "effect": {
            "type": "string",
            "enum": ["read", "change", "outside"],
            "description": "what it does to the world, where the action cannot know: a command that only reads",
            "examples": ["read"],
        },
        "actor": ACTOR,
        "symbol": {
            "type": "string",
            "enum": ["start", "process", "decision", "connector", "end"],
            "description": "its symbol on the form",
            "examples": ["process"],
        },
        **COMMON,
    },
    "one act inside a step, by a machine or a person",
    {"id": "load", "action": "command.run", "with": {"command": "uptime"}},
    ("id", "action"),
)
TIME_LIMIT: Schema = {
    "description": "the SOP's norm as written, in working time; with `means` where the wording needs a reading",
    "examples": ["1 hari", "1jam - 3hari", {"text": "5 minit", "means": "5 menit"}],
    "oneOf": [
        {"type": "null"},
        {"type": "string"},
        _map(
            {"text": _text("the wording", "5 minit"), "means": _text("the reading", "5 menit")},
            "a wording and its reading",
            {"text": "5 minit", "means": "5 menit"},
            ("text", "means"),
        ),
    ],
}
INPUT = _map(
    {
        "text": _text("the input as written on the form", "Akses server"),
        "needs": _text("what must be there before the step: a setting of the target", "server"),
    },
    "one of the form's inputs (kelengkapan)",
    {"text": "Akses server", "needs": "server"},
    ("text",),
)
OUTPUT = _map(
    {
        "id": ID,
        "text": _text("the output as written on the form", "ADK/Dokumen elektronik"),
        "value": _text("where its value comes from", "{{ tasks.set.manifest }}"),
    },
    "one of the form's outputs",
    {"id": "archive", "text": "ADK/Dokumen elektronik", "value": "{{ tasks.set.manifest }}"},
    ("id", "text"),
)
ANSWER: Schema = {
    "description": "where an answer leads: the next step, the end, out of the SOP, or a step",
    "examples": ["next", {"step": "solution"}],
    "oneOf": [{"type": "string", "enum": ["next", "end", "out"]}, DESTINATION_STEP],
}
DECIDE = _map(
    {
        "question": _text("the question on the form", "Masalah terselesaikan?"),
        "actor": _text("the role that decides; without it the step's actor", "kasubbag"),
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
        "value": _text("an expression that gives the label; without it a person decides", "{{ tasks.check.label }}"),
    },
    "a decision at the end of the step",
    {"question": "Masalah terselesaikan?", "answers": {"ya": "next", "tidak": {"step": "solution"}}},
    ("question", "answers"),
)
STEP = _map(
    {
        "id": ID,
        "activity": _text("the activity, word for word", "Melakukan backup seluruh sistem …"),
        "actor": ACTOR,
        "remark": _text("the form's remark (keterangan)", "Disesuaikan dengan kebutuhan"),
        "inputs": {"type": "array", "items": INPUT, "description": "the form's inputs", "examples": [[]]},
        "time_limit": TIME_LIMIT,
        "outputs": {"type": "array", "items": OUTPUT, "description": "the form's outputs", "examples": [[]]},
        "targets": _text("on which targets: a pattern; without it the step runs once, on this machine", "websites"),
        "once": {"type": "boolean", "description": "of the targets, run on the first only", "examples": [True]},
        "tasks": {"type": "array", "items": TASK, "description": "how it is carried out", "examples": [[]]},
        "decide": DECIDE,
        "include": _text("another playbook that carries it out", "pembaharuan-konten.yml"),
        "with": _free("variables for the included playbook", {"month": "{{ vars.month }}"}),
        **COMMON,
    },
    "one row of the form",
    {"id": "watch", "activity": "Memonitoring …", "targets": "websites", "tasks": []},
    ("id", "activity"),
)
SCHEDULE = _map(
    {
        "steps": {"type": "array", "minItems": 1, "items": ID, "description": "which steps", "examples": [["backup"]]},
        "cron": _text("when, as in crontab(5)", "30 1 * * *", pattern=CRON_PATTERN),
        "note": _text("why then", "di luar jam kerja"),
    },
    "when steps run by themselves",
    {"steps": ["backup"], "cron": "30 1 * * *"},
    ("steps", "cron"),
)
SUPPLEMENT = _map(
    {
        "schedule": {"type": "array", "items": SCHEDULE, "description": "when steps run", "examples": [[]]},
        "after": _map(
            {"problems": {"type": "array", "items": ID, "description": "the steps", "examples": [["report"]]}},
            "what starts steps: open problems",
            {"problems": ["report", "forward"]},
        ),
        "readings": _free("how illegible or faulty places are read", {"title": "S.O.P. Pemeliharaan Website"}),
        "actors": {
            "type": "object",
            "additionalProperties": ACTOR,
            "description": "who carries out a step where the form does not tell",
            "examples": [{"watch": "admin"}],
        },
        "notes": _texts("further additions by the court", ["Jadwal ditetapkan Kasubbag"]),
    },
    "what the court added to carry the SOP out; never shown as SOP text",
    {"schedule": [{"steps": ["backup"], "cron": "30 1 * * *"}]},
)
PROCEDURE = _map(
    {
        "title": _text("the SOP's title", "S.O.P. Pemeliharaan Website"),
        "unit": _or_null(_text("the institution", "Pengadilan Negeri Tais")),
        "number": _or_null(_text("the SOP's number; null where none can be read", "W8.U7/01/SOP/PTIP/2019")),
        "made": _or_null(_text("date made, as written", "2 Januari 2019")),
        "revised": _or_null(_text("date revised, as written", "-")),
        "effective": _or_null(_text("date effective, as written", "2 Januari 2019")),
        "approved_by": _or_null(_text("who approved it, as written", "Ketua")),
        "legal_basis": _texts("dasar hukum, in order", ["Undang-Undang No. 14 Tahun 2008 tentang KIP"]),
        "qualifications": _texts("kualifikasi pelaksana", ["S1 Komputer"]),
        "related": _texts("keterkaitan", ["SOP Pembaharuan Konten Website"]),
        "equipment": _texts("peralatan/perlengkapan", ["Komputer / Laptop"]),
        "warning": _or_null(_text("peringatan", "Jika S.O.P ini tidak dilaksanakan maka …")),
        "records": _texts("pencatatan dan pendataan", ["Laporan Pengelolaan IT"]),
        "roles": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "the form's performers (pelaksana): a name for references, and the heading as written",
            "examples": [{"kasubbag": "Kasubbag. Perencanaan, IT dan Pelaporan"}],
        },
        "notes": _texts("keterangan below the form", ["Pihak ketiga yang dimaksud terdiri dari: …"]),
    },
    "the approved document, word for word",
    {"title": "S.O.P. Pemeliharaan Website"},
    ("title",),
)
PLAYBOOK: Schema = {
    "title": "sop playbook",
    **_map(
        {
            "procedure": PROCEDURE,
            "steps": {
                "type": "array",
                "minItems": 1,
                "maxItems": 500,
                "items": STEP,
                "description": "the rows of the form",
                "examples": [[{"id": "watch", "activity": "Memonitoring …"}]],
            },
            "supplement": SUPPLEMENT,
            "vars": _free("variables, read as {{ vars.name }}", {"section_age": "7 hari"}),
            "outputs": {
                "type": "object",
                "additionalProperties": {"type": "string"},
                "description": "what a playbook that includes this one can read",
                "examples": [{"newest": "{{ steps.check.newest }}"}],
            },
        },
        "a written standard operating procedure and how it is carried out",
        {"procedure": {"title": "S.O.P. …"}, "steps": [{"id": "watch", "activity": "Memonitoring …"}]},
        ("procedure", "steps"),
    ),
}
