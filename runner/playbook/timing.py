"""When steps run by themselves: `supplement.schedule`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from runner.crons import check_cron
from runner.durations import parse_limit
from runner.errors import Mistake, did_you_mean
from runner.playbook.pieces import ID, mapping, text
from runner.source import Source

CRON_PATTERN = r"^(@(hourly|daily|weekly|monthly|yearly)|([0-9*,/A-Za-z-]+\s+){4}[0-9*,/A-Za-z-]+)$"
LONGEST_JITTER = 3600.0  # seconds; the dashboard holds it against a step when it ends an hour after its time

SCHEDULE = mapping(
    {
        "steps": {"type": "array", "minItems": 1, "items": ID, "description": "which steps", "examples": [["backup"]]},
        "cron": text("when, as in crontab(5), by the office's clock", "30 1 * * *", pattern=CRON_PATTERN),
        "jitter": text(
            "begin up to this much later, at most 1h: always the same for one office, another for each, so that all "
            "courts do not ask the same registry at once",
            "30m",
        ),
        "missed": {
            "type": "string",
            "enum": ["run", "skip"],
            "default": "run",
            "description": "what becomes of a moment at which this machine was off: done once when it is on again, or "
            "left out",
            "examples": ["skip"],
        },
        "note": text("why then", "di luar jam kerja"),
    },
    "when steps run by themselves",
    {"steps": ["backup"], "cron": "30 1 * * *"},
    ("steps", "cron"),
)


class Scheduled(NamedTuple):
    """Steps that run by themselves: when, as crontab has it; up to how many seconds later; whether a missed moment is
    made up for; why then."""

    steps: tuple[str, ...]
    cron: str
    jitter: float
    made_up: bool
    note: str


def parse_schedule(supplement: Mapping[str, Any]) -> tuple[Scheduled, ...]:
    """Given a supplement without mistakes, return its schedule."""
    return tuple(
        Scheduled(
            tuple(each["steps"]),
            each["cron"],
            parse_limit(each["jitter"]) if "jitter" in each else 0.0,
            each.get("missed", "run") == "run",
            each.get("note", ""),
        )
        for each in supplement.get("schedule", ())
    )


def check_schedule(source: Source, supplement: Mapping[str, Any], steps: Sequence[str]) -> Iterator[Mistake]:
    """Given a supplement that fits the schema and the steps' ids, yield moments that never come and unknown steps."""
    for number, each in enumerate(supplement.get("schedule", ())):
        where = ("supplement", "schedule", number)
        if wrong := check_cron(each["cron"]):
            yield source.mistake((*where, "cron"), *wrong)
        if wrong := _check_jitter(each.get("jitter")):
            yield source.mistake((*where, "jitter"), *wrong)
        for place, name in enumerate(each["steps"]):
            if name not in steps:
                yield source.mistake((*where, "steps", place), f"there is no step '{name}'", did_you_mean(name, steps))


def _check_jitter(written: str | None) -> tuple[str, str] | None:
    if written is None:
        return None
    try:
        seconds = parse_limit(written)
    except ValueError as error:
        message, _, cure = str(error).partition(". ")
        return message, cure
    return None if seconds <= LONGEST_JITTER else (f"'{written}' is more than an hour", "write at most 1h")
