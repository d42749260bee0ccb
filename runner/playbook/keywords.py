"""The playbook's keys, declared once: the schema that checks a playbook and that editors read."""

from __future__ import annotations

from runner.playbook.escalation import ESCALATION
from runner.playbook.paper import DRAWN, FORM, ROW
from runner.playbook.pieces import (
    ACTOR,
    AFTER,
    COMMON,
    DECIDE,
    ID,
    LIMIT,
    Schema,
    free,
    mapping,
    or_null,
    text,
    texts,
)
from runner.playbook.timing import SCHEDULE

TASK = mapping(
    {
        "id": ID,
        "action": text(
            "what kind of act it is; `sop actions` lists them. A task that only decides, or only stands on the form as "
            "start, end or connector, has none",
            "backup.database",
        ),
        "with": free("the action's inputs", {"command": "uptime"}),
        "time_limit": LIMIT,
        "effect": {
            "type": "string",
            "enum": ["read", "change", "outside"],
            "description": "what it does to the world, where the action cannot know: a command that only reads",
            "examples": ["read"],
        },
        "actor": ACTOR,
        **DRAWN,
        "decide": DECIDE,
        "after": AFTER,
        **COMMON,
    },
    "one act inside a step, by a machine or a person",
    {"id": "load", "action": "command.run", "with": {"command": "uptime"}},
    ("id",),
)
TIME_LIMIT: Schema = {
    "description": "the SOP's norm as written, in working time; with `means` where the wording needs a reading",
    "examples": ["1 hari", "1jam - 3hari", {"text": "5 minit", "means": "5 menit"}],
    "oneOf": [
        {"type": "null"},
        {"type": "string"},
        mapping(
            {"text": text("the wording", "5 minit"), "means": text("the reading", "5 menit")},
            "a wording and its reading",
            {"text": "5 minit", "means": "5 menit"},
            ("text", "means"),
        ),
    ],
}
INPUT = mapping(
    {
        "text": text("the input as written on the form", "Akses server"),
        "needs": text("what must be there before the step: a setting of the target", "server"),
    },
    "one of the form's inputs (kelengkapan)",
    {"text": "Akses server", "needs": "server"},
    ("text",),
)
OUTPUT = mapping(
    {
        "id": ID,
        "text": text("the output as written on the form", "ADK/Dokumen elektronik"),
        "value": text("where its value comes from", "{{ tasks.set.manifest }}"),
    },
    "one of the form's outputs",
    {"id": "archive", "text": "ADK/Dokumen elektronik", "value": "{{ tasks.set.manifest }}"},
    ("id", "text"),
)
STEP = mapping(
    {
        "id": ID,
        "activity": text("the activity, word for word", "Melakukan backup seluruh sistem …"),
        **ROW,
        "actor": ACTOR,
        "remark": text("the form's remark (keterangan)", "Disesuaikan dengan kebutuhan"),
        "inputs": {
            "type": "array",
            "items": {"oneOf": [{"type": "string"}, INPUT]},
            "description": "the form's inputs, as written",
            "examples": [["Akses server"], [{"text": "Akses server", "needs": "server"}]],
        },
        "time_limit": TIME_LIMIT,
        "outputs": {
            "type": "array",
            "items": {"oneOf": [{"type": "string"}, OUTPUT]},
            "description": "the form's outputs, as written; with an id and a value where others read them",
            "examples": [["Laporan"], [{"id": "archive", "text": "ADK", "value": "{{ tasks.set.manifest }}"}]],
        },
        "targets": text("on which targets: a pattern; without it the step runs once, on this machine", "websites"),
        "once": {"type": "boolean", "description": "of the targets, run on the first only", "examples": [True]},
        "tasks": {
            "type": "array",
            "items": TASK,
            "description": "how it is carried out",
            "examples": [[{"id": "ask", "action": "domain.status"}]],
        },
        "decide": DECIDE,
        "after": AFTER,
        "include": text("another playbook that carries it out", "pembaharuan-konten.yml"),
        "with": free("variables for the included playbook", {"month": "{{ vars.month }}"}),
        **COMMON,
    },
    "one row of the form",
    {"id": "watch", "activity": "Memonitoring …", "targets": "websites", "tasks": []},
    ("id", "activity"),
)
SUPPLEMENT = mapping(
    {
        "schedule": {"type": "array", "items": SCHEDULE, "description": "when steps run", "examples": [[]]},
        "after": mapping(
            {"problems": {"type": "array", "items": ID, "description": "the steps", "examples": [["report"]]}},
            "what starts steps: open problems",
            {"problems": ["report", "forward"]},
        ),
        "readings": free("how illegible or faulty places are read", {"title": "S.O.P. Pemeliharaan Website"}),
        "actors": {
            "type": "object",
            "additionalProperties": ACTOR,
            "description": "who carries out a step where the form does not tell",
            "examples": [{"watch": "admin"}],
        },
        "outside": {
            "type": "array",
            "items": {"type": "string"},
            "description": "roles of people outside the office: nobody of the inventory holds them; an insider records "
            "what they did",
            "examples": [["applicant", "third_party"]],
        },
        "escalation": ESCALATION,
        "notes": texts("further additions by the court", ["Jadwal ditetapkan Kasubbag"]),
    },
    "what the court added to carry the SOP out; never shown as SOP text",
    {"schedule": [{"steps": ["backup"], "cron": "30 1 * * *"}]},
)
PROCEDURE = mapping(
    {
        "title": text("the SOP's title", "S.O.P. Pemeliharaan Website"),
        "unit": or_null(text("the institution", "Pengadilan Negeri Tais")),
        "number": or_null(text("the SOP's number; null where none can be read", "W8.U7/01/SOP/PTIP/2019")),
        "made": or_null(text("date made, as written", "2 Januari 2019")),
        "revised": or_null(text("date revised, as written", "-")),
        "effective": or_null(text("date effective, as written", "2 Januari 2019")),
        "approved_by": or_null(text("who approved it, as written", "Ketua")),
        "legal_basis": texts("dasar hukum, in order", ["Undang-Undang No. 14 Tahun 2008 tentang KIP"]),
        "qualifications": texts("kualifikasi pelaksana", ["S1 Komputer"]),
        "related": texts("keterkaitan", ["SOP Pembaharuan Konten Website"]),
        "equipment": texts("peralatan/perlengkapan", ["Komputer / Laptop"]),
        "warning": {
            "description": "peringatan",
            "examples": ["Jika S.O.P ini tidak dilaksanakan maka …"],
            "oneOf": [{"type": "null"}, {"type": "string"}, {"type": "array", "items": {"type": "string"}}],
        },
        "records": texts("pencatatan dan pendataan", ["Laporan Pengelolaan IT"]),
        "roles": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "the form's performers (pelaksana): a name for references, and the heading as written",
            "examples": [{"kasubbag": "Kasubbag. Perencanaan, IT dan Pelaporan"}],
        },
        "notes": texts("keterangan below the form", ["Pihak ketiga yang dimaksud terdiri dari: …"]),
        **FORM,
    },
    "the approved document, word for word",
    {"title": "S.O.P. Pemeliharaan Website"},
    ("title",),
)
PLAYBOOK: Schema = {
    "title": "sop playbook",
    **mapping(
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
            "vars": free("variables, read as {{ vars.name }}", {"section_age": "7 hari"}),
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
