"""The JSON Schemas of what `sop status` and `sop tick` print for programs."""

from __future__ import annotations

from runner.record.schema_parts import DIALECT, Schema, many, moment, one, thing

_RUN = one("string", "The run's id.", "20261122-0930-k7f2c")
_STEP = one("string", "The step that waits; empty where none does.", "forward")
_OFFICIAL = thing(
    "Somebody who holds the role today.",
    {
        "person": one("string", "The short name in the inventory.", "budi"),
        "name": one("string", "The full name.", "Budi Santoso, S.Kom."),
        "position": one("string", "The position.", "Kasubbag PTIP"),
        "acting": one("string", "Plh or Plt of a deputy, else empty.", "Plh", enum=["", "Plh", "Plt"]),
    },
)
_ESCALATED = thing(
    "A rung of the ladder that was reached.",
    {
        "rung": one("integer", "Which one, from 1.", 1, minimum=1),
        "role": one("string", "The role that was told.", "sekretaris"),
        "persons": many("Who holds it.", one("string", "A name.", "Siti Aminah, S.H.")),
        "at": moment("When, UTC.", "2026-11-22T03:30:00+00:00"),
        "reached": one("boolean", "Whether one channel at least took it.", True),
    },
)
_TURN = thing(
    "One thing that is in somebody's hands.",
    {
        "run": _RUN,
        "whole": one("string", "The run that it belongs to, which is the one to resume.", "20261122-0930-k7f2c"),
        "playbook": one("string", "The playbook's name.", "pemeliharaan-website"),
        "status": one(
            "string",
            "Whether it waits for a person, goes on, or can go on.",
            "waiting",
            enum=["waiting", "running", "can_go_on"],
        ),
        "step": _STEP,
        "attempt": one("integer", "Which attempt of the step.", 1, minimum=0),
        "task": one("string", "The task that asks.", "pass_on"),
        "target": one(["string", "null"], "The target; null in a step that runs once.", "pn_tais"),
        "activity": one("string", "The activity, word for word.", "Meneruskan Laporan kepada Sekretaris."),
        "role": one("string", "The role that must act.", "kasubbag"),
        "title": one("string", "The role as the form calls it.", "Kasubbag. Perencanaan, IT dan Pelaporan"),
        "officials": many("Who holds it today; nobody: nobody can act.", _OFFICIAL),
        "question": one("string", "What is asked.", "Mohon laporan ini diteruskan."),
        "answers": many("The labels to choose from.", one("string", "A label.", "signed")),
        "since": moment("Since when, UTC.", "2026-11-22T02:30:00+00:00"),
        "time_limit": one("string", "The step's limit as written.", "5 menit"),
        "due": moment("When the step is due.", "2026-11-22T09:35:00+07:00", missing=True),
        "left_seconds": one(["number", "null"], "Working time left; negative when overdue; null without limit.", 240),
        "clock_time": one("boolean", "Whether that is time by the clock, through nights and holidays.", False),
        "third_party": one("string", "The third party that has it now.", "PT Contoh"),
        "third_party_since": moment("Since when.", "2026-11-22T03:00:00+00:00", missing=True),
        "third_party_seconds": one("number", "Working time that it was with third parties in all.", 0, minimum=0),
        "escalated": many("The rungs that were reached, in order.", _ESCALATED),
    },
)
STATUS_SCHEMA: Schema = {
    "$schema": DIALECT,
    "title": "What is in whose hands",
    **thing(
        "What `sop status --format json` prints.",
        {
            "at": moment("When it was looked up, UTC.", "2026-11-22T02:31:00+00:00"),
            "waiting": many("What is in somebody's hands, the newest run first.", _TURN),
            "schedule": many(
                "What should have run by itself and did not.",
                one("string", "In words.", "cron has never called. see: sop schedule show"),
            ),
        },
    ),
}
TICK_SCHEMA: Schema = {
    "$schema": DIALECT,
    "title": "What a tick did",
    **thing(
        "What `sop tick --format json` prints.",
        {
            "at": moment("When it began, UTC.", "2026-11-22T02:31:00+00:00"),
            "exit_code": one("integer", "The exit code.", 3),
            "escalated": many(
                "The rungs that were reached.",
                thing(
                    "A rung.",
                    {
                        "run": _RUN,
                        "step": _STEP,
                        "rung": one("integer", "Which one, from 1.", 1, minimum=1),
                        "roles": many("The roles that are told.", one("string", "A role.", "sekretaris")),
                        "reached": one("boolean", "Whether one channel at least took it.", True),
                        "failures": many("What hindered, by channel.", one("string", "In words.", "mail: 550")),
                    },
                ),
            ),
            "resumed": many(
                "The runs that went on.",
                thing(
                    "A run.",
                    {
                        "run": _RUN,
                        "status": one("string", "Its status now.", "waiting"),
                        "exit_code": one("integer", "As of `sop run`.", 3),
                    },
                ),
            ),
            "left": many(
                "What could not go on, and why.",
                thing("A run.", {"run": _RUN, "why": one("string", "In words.", "a person must say …")}),
            ),
        },
    ),
}
