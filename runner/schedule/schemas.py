"""The JSON Schemas of what `sop schedule show` and `sop schedule next` print for programs."""

from __future__ import annotations

from runner.record.schema_parts import DIALECT, Schema, many, moment, one, thing

_PLAYBOOK = one("string", "The playbook's name.", "pemeliharaan-website")
_STEPS = many("Its steps.", one("string", "A step's id.", "backup"))
_ENTRY = thing(
    "One entry of a playbook's schedule.",
    {
        "playbook": _PLAYBOOK,
        "steps": _STEPS,
        "cron": one("string", "When, as crontab has it, by the office's clock.", "30 1 * * *"),
        "delay_seconds": one("integer", "How much later this office begins.", 95, minimum=0),
        "missed": one("string", "What becomes of a missed moment.", "run", enum=["run", "skip"]),
        "last": thing(
            "The newest run that had these steps; null where there is none.",
            {
                "run": one("string", "The run's id.", "20261122-0930-k7f2c"),
                "began": moment("When it began.", "2026-11-22T01:30:02+07:00"),
            },
            missing=True,
        ),
        "next": moment("When it begins next.", "2026-11-23T01:30:00+07:00", missing=True),
        "state": one(
            "string",
            "ok; due: about to begin; late: did not begin though it should have; missed: so, and is not made up for; "
            "new: no moment has come yet.",
            "ok",
            enum=["ok", "due", "late", "missed", "new"],
        ),
    },
)
SCHEDULE_SCHEMA: Schema = {
    "$schema": DIALECT,
    "title": "What runs by itself",
    **thing(
        "What `sop schedule show --format json` prints.",
        {
            "at": moment("When it was looked up, UTC.", "2026-11-22T02:31:00+00:00"),
            "installed": thing(
                "How it was installed; null where it was not.",
                {
                    "folder": one("string", "The working folder.", "/home/it/sop-kantor"),
                    "by": one("string", "What calls each minute.", "cron", enum=["cron", "systemd"]),
                },
                missing=True,
            ),
            "called": moment("When that last called.", "2026-11-22T02:31:00+00:00", missing=True),
            "silent": one("boolean", "Whether it should have called, and did not.", False),
            "entries": many("The entries.", _ENTRY),
        },
    ),
}
COMING_SCHEMA: Schema = {
    "$schema": DIALECT,
    "title": "The coming runs",
    **thing(
        "What `sop schedule next --format json` prints.",
        {
            "next": many(
                "The coming runs, in order.",
                thing(
                    "One of them.",
                    {
                        "at": moment("When it begins.", "2026-11-23T01:30:00+07:00"),
                        "playbook": _PLAYBOOK,
                        "steps": _STEPS,
                    },
                ),
            )
        },
    ),
}
