"""Inputs and outputs of the actions about services."""

from __future__ import annotations

from typing import Any

from runner.inventory.ladder import LADDER
from runner.inventory.register import KINDS, PAPERS
from runner.shapes.describe import day, word

ROLES = ("admin", "kasubbag", "sekretaris")


def days(description: str, default: int) -> dict[str, Any]:
    """Given a default, return the schema of a count of days."""
    return {
        "type": "integer",
        "minimum": 0,
        "maximum": 365,
        "description": description,
        "unit": "days",
        "examples": [default],
        "default": default,
    }


def null_day(description: str, example: str) -> dict[str, Any]:
    """Return the schema of a day that may be unknown."""
    return {"type": ["string", "null"], "description": description, "unit": "date", "examples": [example]}


def numbers(description: str, example: list[int]) -> dict[str, Any]:
    """Return the schema of a list of whole numbers."""
    return {"type": "array", "items": {"type": "integer"}, "description": description, "examples": [example]}


def words(description: str, example: list[str]) -> dict[str, Any]:
    """Return the schema of a list of words."""
    return {"type": "array", "items": {"type": "string"}, "description": description, "examples": [example]}


DUE_INPUTS: dict[str, Any] = {
    "expires": {
        **day("The last day it is paid for; without it the target's `expires`", "2026-12-31"),
        "optional": True,
    },
    "observed": {
        "type": ["string", "null"],
        "description": "The last day as seen outside: of domain.status, of the provider's page; empty if not seen",
        "examples": ["2027-12-31"],
        "optional": True,
    },
    "kind": {**word("What it is; without it the target's kind", *KINDS), "optional": True},
    "address": {
        "type": "string",
        "description": "Where a certificate is shown, host:port; without it the target's `address`",
        "examples": ["pn-tais.go.id:443"],
        "optional": True,
    },
    "ladder": {
        "type": "array",
        "items": {"type": "integer", "minimum": 0, "maximum": 3650},
        "minItems": 1,
        "uniqueItems": True,
        "description": "How long before the end to remind",
        "unit": "days",
        "examples": [[*LADDER]],
        "default": [*LADDER],
    },
    "roles": {
        **words(
            "Who is told, the nearest first (the people in charge, if named, stand for it); the last rungs go to all",
            [*ROLES],
        ),
        "default": [*ROLES],
    },
    "budget_year_end": {
        "type": "string",
        "pattern": r"^((0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01]))?$",
        "description": "Month and day on which the budget year closes for payments; empty: not heeded",
        "examples": ["12-15"],
        "default": "12-31",
    },
    "settle_days": days("How long a payment may take to show outside before the reminder is opened again", 3),
    "invoice_days": days("How long an invoice without a due day silences", 14),
}
DUE_OUTPUTS: dict[str, Any] = {
    "expires": null_day("The last day of the service; null when it is not known", "2026-12-31"),
    "days_left": {
        "type": ["integer", "null"],
        "description": "Days until then; negative when it has lapsed",
        "unit": "days",
        "examples": [39],
    },
    "deadline": null_day(
        "The day to arrange it by: the last day, or the end of the budget year before it", "2026-12-31"
    ),
    "rung": {
        "type": ["integer", "null"],
        "description": "The rung of the ladder that is reached; null before the first, and when it has lapsed",
        "unit": "days",
        "examples": [60],
    },
    "stage": {
        "enum": ["later", "due", "arranged", "expired", "unknown"],
        "description": "later: before the first rung; due: to be renewed; arranged: a paper silences the reminders",
        "examples": ["due"],
    },
    "source": {
        "enum": ["", "register", "observed", "remembered"],
        "description": "Whether the date is that of the register, was seen outside, or was seen in the last 30 days",
        "examples": ["register"],
    },
    "fault": {
        "type": "string",
        "description": "Why there is no date, or why it could not be seen outside",
        "examples": [""],
    },
    "event": {
        "enum": ["", "rung", "budget", "reopened", "expired", "unknown"],
        "description": "What is told today, each thing once a cycle; empty: nothing",
        "examples": ["rung"],
    },
    "remind": {"type": "boolean", "description": "Whether anything is told today", "examples": [True]},
    "recipients": words("The people and roles that are told today, as notify.send takes them", ["budi", "kasubbag"]),
    "message": {
        "type": "string",
        "description": "What is told today",
        "examples": ["Masa berlaku nama domain pn-tais.go.id berakhir pada Kamis, 31 Desember 2026, 39 hari lagi; …"],
    },
    "reason": {
        "type": "string",
        "description": "Why the reminders are silent, or why they were opened again",
        "examples": [
            "Invoice nomor INV-118 tanggal 2 November 2026 tercatat; pengingat ditahan sampai 1 Desember 2026."
        ],
    },
    "cycle": null_day("The last day that what follows is about", "2026-12-31"),
    "reminded": numbers("Rungs told in this cycle", [90, 60]),
    "skipped": numbers("Rungs that passed without being told: no run, or silenced", [30]),
    "announced": words("What else was told in this cycle", ["reopened: payment 2026-12-10 SP2D-1"]),
    "seen": null_day("The last day as it was last seen outside", "2026-12-31"),
    "seen_on": null_day("The day on which that was seen", "2026-11-22"),
}
_SECONDS = {"type": ["number", "null"], "unit": "seconds"}
RENEWED_INPUTS: dict[str, Any] = {
    "observed": DUE_INPUTS["observed"],
    "address": DUE_INPUTS["address"],
    "papers": {
        "type": "array",
        "items": {"enum": [*PAPERS]},
        "uniqueItems": True,
        "description": "The papers without which a renewal is not done",
        "examples": [["invoice", "payment", "handover"]],
        "default": ["invoice", "payment"],
    },
    "work": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "from": {"type": "string", "description": "When it began", "examples": ["2026-11-03 09:00"]},
                "until": {"type": "string", "description": "When it ended", "examples": ["2026-11-03 09:40"]},
            },
            "required": ["from", "until"],
            "additionalProperties": False,
        },
        "description": "When somebody worked on it; without it, what the renewal in the register says",
        "examples": [[{"from": "2026-11-03 09:00", "until": "2026-11-03 09:40"}]],
        "default": [],
    },
    "norm": {
        "type": "string",
        "description": "The working time that the work may take, as the SOP writes it",
        "examples": ["3 jam"],
        "default": "3 jam",
    },
}
RENEWED_OUTPUTS: dict[str, Any] = {
    "renewed": {"type": "boolean", "description": "Whether papers and observation agree", "examples": [True]},
    "stage": {
        "enum": ["none", "arranging", "waiting", "renewed"],
        "description": "none: no renewal is recorded; arranging: not paid; waiting: paid, but something is missing",
        "examples": ["waiting"],
    },
    "expected": null_day("The last day that the renewal should bring", "2027-12-31"),
    "observed": null_day("The last day as seen outside; null when it cannot be seen", "2026-12-31"),
    "missing": words("What is missing, in words", ["berkas bukti pembayaran belum dicatat"]),
    "papers": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "kind": {"enum": [*PAPERS], "description": "What it is", "examples": ["invoice"]},
                "number": {"type": "string", "description": "Its number", "examples": ["INV-118/2026"]},
                "name": {"type": "string", "description": "The file's name", "examples": ["invoice.pdf"]},
                "sha256": {"type": "string", "description": "SHA-256 of the kept file", "examples": ["9f86d0…"]},
                "size": {"type": "integer", "description": "Bytes", "examples": [48211]},
            },
            "additionalProperties": False,
        },
        "description": "The papers on record, with their files as kept",
        "examples": [[{"kind": "invoice", "number": "INV-118", "name": "a.pdf", "sha256": "9f86d0…", "size": 48211}]],
    },
    "work_seconds": {**_SECONDS, "description": "Working time spent; null if not written down", "examples": [2400]},
    "waiting_seconds": {
        **_SECONDS,
        "description": "Working time from the day after payment (or request) until the new day was first seen, or now",
        "examples": [81000],
    },
    "within_norm": {
        "type": ["boolean", "null"],
        "description": "Whether the work kept to the norm; null if it was not written down",
        "examples": [True],
    },
    "effective": {
        "type": ["string", "null"],
        "description": "When the new last day was first seen",
        "unit": "time",
        "examples": ["2026-12-03T02:00:00+00:00"],
    },
    "running": null_day("The last day of the running period in the register", "2026-12-31"),
}
