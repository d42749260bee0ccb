"""What `logs.scan` takes and gives, as declared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runner.actions.logs.fetch_keys import INCREMENT, PATH
from runner.actions.logs.restricted import RESTRICTED


def _number(description: str, example: int, **more: Any) -> dict[str, Any]:
    return {"type": "integer", "minimum": 0, "description": description, "examples": [example], **more}


_MOMENT = {"type": ["string", "null"], "unit": "time"}
_NUMBERS = {"type": "object", "additionalProperties": {"type": "integer"}}
_ROWS = {"type": "array", "items": {"type": "object"}}

INPUTS: Mapping[str, Any] = {
    "increment": {
        **INCREMENT,
        "description": "What logs.fetch has brought, to be read instead of the log's end",
        "optional": True,
    },
    "path": PATH,
    "since": {
        "type": "string",
        "description": "How far back lines count; without it all that is read",
        "unit": "duration",
        "examples": ["1 hari", "24h"],
        "optional": True,
    },
    "size_limit": {
        "type": "integer",
        "minimum": 1,
        "maximum": 10 * 1024**3,
        "description": "How much is read, from the end of the log",
        "unit": "bytes",
        "examples": [33554432],
        "default": 32 * 1024 * 1024,
    },
    "rotated": {
        "type": "boolean",
        "description": "Whether older files beside it (access.log.1, access.log.2.gz) are read, too",
        "examples": [False],
        "default": False,
    },
    "login_attempts": _number(
        "From how many sent logins on an address is guessing", 10, minimum=1, unit="requests", default=10
    ),
    "missing_pages": _number(
        "From how many different missing pages on an address is searching", 30, minimum=1, unit="pages", default=30
    ),
    "format": {
        "type": "string",
        "description": "The log's form (combined, common, vhost, json) or the server's format line; else guessed",
        "examples": ["combined", '%h %l %u %t "%r" %>s %b'],
        "optional": True,
    },
    "rules": {
        "type": "array",
        "items": {"type": "string"},
        "description": "Folders on this machine with the court's own Sigma rules, beside those that sop brings",
        "examples": [["rules"]],
        "default": [],
        "names": "file",
    },
    "usual": {
        "type": "object",
        "additionalProperties": {"type": "array", "items": {"type": "string"}},
        "description": "Paths by rule that are usual on this site: they weigh less, and are told all the same",
        "examples": [{"remote_file": ["/keluar"]}],
        "default": {},
    },
    "engines": {
        "type": "string",
        "description": "A JSON file with the networks that search engines publish; without it none is verified",
        "examples": ["inventory/engines.json"],
        "optional": True,
        "names": "file",
    },
    "stale_after": {
        "type": "string",
        "description": "How old the last line may be before the log says nothing of today (of an increment logs.fetch "
        "tells that)",
        "unit": "duration",
        "examples": ["2 hari"],
        "default": "2 hari",
    },
}

OUTPUTS: Mapping[str, Any] = {
    "increment": {
        **INCREMENT,
        "type": ["object", "null"],
        "description": "The increment that was read: the next fetch goes on behind it",
    },
    "verdict": {
        "enum": ["clean", "attempts", "likely_intrusion", "unknown"],
        "description": "What the log says; unknown when it is missing, empty or not understood",
        "examples": ["attempts"],
    },
    "summary": {
        "type": "string",
        "description": "The result in one or two sentences, for the report",
        "examples": ["1.204 permintaan dari 87 alamat, Minggu, 22 November 2026. …"],
    },
    "lines": _number("Lines examined", 1210, unit="lines"),
    "not_understood": _number("Lines of no known form", 3, unit="lines"),
    "older": _number("Lines older than `since`", 0, unit="lines"),
    "own_checks": _number(
        "Requests by which `website.integrity` looks for planted pages: told apart by their mark, and no attempts", 5
    ),
    "complete": {
        "type": "boolean",
        "description": "Whether all of the log was read, not only its end",
        "examples": [True],
    },
    "first": {**_MOMENT, "description": "The earliest request", "examples": ["2026-11-21T02:00:00+00:00"]},
    "last": {**_MOMENT, "description": "The latest request", "examples": ["2026-11-22T01:59:58+00:00"]},
    "requests": _number("Requests counted", 1204, unit="requests"),
    "addresses": _number("Different addresses", 87, unit="addresses"),
    "transferred": _number("Bytes sent to visitors", 48211034, unit="bytes"),
    "statuses": {**_NUMBERS, "description": "Requests by status", "unit": "requests", "examples": [{"200": 1100}]},
    "days": {**_NUMBERS, "description": "Requests by day", "unit": "requests", "examples": [{"2026-11-22": 1204}]},
    "top_pages": {
        **_ROWS,
        "description": "The most visited pages, without queries",
        "examples": [[{"path": "/", "requests": 310}]],
    },
    "top_networks": {
        **_ROWS,
        "description": "The networks (/24 or /48) with the most requests",
        "examples": [[{"network": "203.0.113.0/24", "requests": 120}]],
    },
    "formats": {
        **_NUMBERS,
        "description": "Lines by the log's form",
        "unit": "lines",
        "examples": [{"combined": 9}],
    },
    "visits": _number(
        "Visits by people: an address and agent, until half an hour without a request", 61, unit="visits"
    ),
    "bot_visits": _number("Visits by programs that say so", 30, unit="visits"),
    "bot_requests": _number("Requests by programs that say so", 340, unit="requests"),
    "hours": {
        **_NUMBERS,
        "description": "Requests by hour of the day",
        "unit": "requests",
        "examples": [{"09": 12}],
    },
    "missing_pages": {
        **_ROWS,
        "description": "Pages asked for in vain, the most often asked first",
        "examples": [[{"path": "/hilang", "requests": 3}]],
    },
    "top_referers": {
        **_ROWS,
        "description": "Sites that led visitors here",
        "examples": [[{"host": "www.google.com", "requests": 40}]],
    },
    "top_bots": {
        **_ROWS,
        "description": "Programs by their names",
        "examples": [[{"name": "Googlebot", "requests": 120}]],
    },
    "engines": {
        **_ROWS,
        "description": "Search engines that agents claim to be: by their networks verified, false, or unverified",
        "examples": [[{"engine": "google", "verified": 0, "unverified": 120, "false": 0}]],
    },
    "trend": {
        **_NUMBERS,
        "description": "Requests by week, this one and up to twelve before it",
        "unit": "requests",
        "examples": [{"2026-W46": 8012, "2026-W47": 1204}],
    },
    "daily": {
        **_NUMBERS,
        "description": "Requests by day as far as scans know them, up to thirteen weeks",
        "unit": "requests",
        "examples": [{"2026-11-22": 1204}],
    },
    "usual": {
        "type": "object",
        "description": "Paths by rule that were answered to several networks without harm: they weigh less later",
        "examples": [{"remote_file": ["/keluar"]}],
    },
    "attempts": _number("Suspicious requests; one that meets two rules counts twice", 15, unit="requests"),
    "likely_successes": _number("Those of them that likely worked", 0, unit="requests"),
    "suspicious": {
        **_ROWS,
        "description": "The suspicious requests by rule; addresses are masked",
        "examples": [[{"rule": "sql_injection", "severity": "major", "attempts": 15, "likely_successes": 0}]],
    },
    "restricted": RESTRICTED,
}
