"""The inputs and outputs of website.available, declared as data."""

from __future__ import annotations

from collections.abc import Mapping

from runner.actions.web.inputs import RESOLVING, SHARED
from runner.contract import JsonSchema

CAUSES = (
    *("name", "connect", "tls", "time", "broken", "size", "redirect", "elsewhere", "status", "header", "content"),
    *("page", "own_network"),
)
PAGES = ("site", "empty", "payment", "suspended", "expired", "default", "listing", "maintenance", "error")
PHASES = ["lookup", "connect", "tls", "first_byte", "body"]

_SECONDS = {"type": ["number", "null"], "minimum": 0}
_TEXTS = {"type": "array", "items": {"type": "string", "minLength": 1}}
_HEADERS = {"type": "object", "additionalProperties": {"type": "string"}, "maxProperties": 20}
_CHECKS = {"type": "integer", "minimum": 1, "maximum": 20, "unit": "checks"}
_CHOICE = {"type": "boolean", "default": True}
_ROWS = {"type": "array", "items": {"type": "object"}}

DEMANDS: Mapping[str, JsonSchema] = {
    "statuses": {
        "type": "array",
        "items": {
            "anyOf": [
                {"type": "integer", "minimum": 100, "maximum": 599},
                {"type": "string", "pattern": "^([1-5]xx|[1-5][0-9]{2}-[1-5][0-9]{2})$"},
            ]
        },
        "description": "The HTTP statuses that count as available: numbers, ranges, classes",
        "examples": [[200, "400-403"], ["2xx"]],
        "default": [200],
    },
    "must_contain": {
        **_TEXTS,
        "description": "Texts that must stand on the page",
        "examples": [["Pengadilan Negeri Tais"]],
        "default": [],
    },
    "must_not_contain": {
        **_TEXTS,
        "description": "Texts that must not stand on the page",
        "examples": [["Fatal error"]],
        "default": [],
    },
    "header_contains": {
        **_HEADERS,
        "description": "Headers that must be there, and a text that must stand in each",
        "examples": [{"Strict-Transport-Security": "max-age"}],
        "default": {},
    },
    "header_lacks": {
        **_HEADERS,
        "description": "Headers in which a text must not stand; without a text, that must not be there",
        "examples": [{"X-Powered-By": ""}],
        "default": {},
    },
    "smallest": {
        "type": "integer",
        "minimum": 0,
        "description": "The smallest page that can be the site",
        "unit": "bytes",
        "examples": [2000],
        "default": 0,
    },
    "redirects": {
        "type": "integer",
        "minimum": 0,
        "maximum": 20,
        "description": "How many redirects are followed, inside the court's own hosts",
        "examples": [5],
        "default": 5,
    },
}

INPUTS: Mapping[str, JsonSchema] = {
    **SHARED,
    **RESOLVING,
    **DEMANDS,
    "references": {
        "type": "array",
        "items": {"type": "string", "pattern": r"^.+:[0-9]{1,5}$"},
        "description": "host:port of others; when none of them can be reached either, it is our own network",
        "examples": [["mahkamahagung.go.id:443"]],
        "default": [],
    },
    "tries": {
        **_CHECKS,
        "maximum": 5,
        "unit": "visits",
        "description": "How many visits may fail in one check before the site counts as unavailable in it",
        "examples": [2],
        "default": 2,
    },
    "pause": {
        "type": "string",
        "description": "How long to wait before the next visit",
        "unit": "duration",
        "examples": ["3s"],
        "default": "2s",
    },
    "slow": {
        "type": "object",
        "propertyNames": {"enum": PHASES},
        "additionalProperties": {"type": "number", "exclusiveMinimum": 0},
        "description": "From how many seconds on a phase is slow; a phase that is not named never is",
        "unit": "seconds",
        "examples": [{"first_byte": 5}],
        "default": {"lookup": 3, "connect": 3, "tls": 3, "first_byte": 8, "body": 12},
    },
    "addresses": {
        **_CHOICE,
        "description": "Whether every further IPv4 and IPv6 address of the name is visited too",
        "examples": [False],
    },
    "variants": {
        **_CHOICE,
        "description": "Whether the address without and with www is visited over http and https too",
        "examples": [False],
    },
    "down_after": {
        **_CHECKS,
        "description": "How many checks in a row must see a fault before it is a problem",
        "examples": [3],
        "default": 1,
    },
    "up_after": {
        **_CHECKS,
        "description": "How many checks in a row must not see it before the problem is over",
        "examples": [2],
        "default": 1,
    },
    "unstable_after": {
        "type": "integer",
        "minimum": 0,
        "maximum": 11,
        "description": "From how many changes between up and down in twelve checks a site is unstable; 0: never",
        "unit": "changes",
        "examples": [6],
        "default": 6,
    },
    "maintenance": {
        **_TEXTS,
        "maxItems": 50,
        "description": "Windows in which faults are no problems, by the clock of WIB, WITA, WIT or the office",
        "examples": [["Sabtu 22.00-02.00 WIB", "2026-12-01 20.00-23.00 WITA"]],
        "default": [],
    },
    "keep": {
        "enum": ["always", "faults"],
        "description": "Which answers are kept as evidence: every one, or those of a site that is not available",
        "examples": ["always"],
        "default": "faults",
    },
}

OUTPUTS: Mapping[str, JsonSchema] = {
    "available": {
        "type": ["boolean", "null"],
        "description": "Whether the site can be used; null when it cannot be told",
        "examples": [True],
    },
    "state": {
        "enum": ["up", "down", "unknown"],
        "description": "The same, damped: down after `down_after` checks, up again after `up_after`",
        "examples": ["up"],
    },
    "since": {
        "type": "string",
        "description": "Since when it is down or unknown; empty while it is up",
        "unit": "moment",
        "examples": ["2026-11-22T02:05:00+00:00"],
    },
    "cause": {"enum": ["", *CAUSES], "description": "Where it failed; empty when it did not", "examples": ["tls"]},
    "reason": {
        "type": "string",
        "description": "Why it is not available, in words; other causes of earlier visits beside it",
        "examples": ["sertifikat sudah kedaluwarsa"],
    },
    "http_status": {"type": ["integer", "null"], "description": "The last HTTP status", "examples": [200]},
    "final_url": {
        "type": "string",
        "description": "The address at the end of the redirects",
        "examples": ["https://pn-tais.go.id/"],
    },
    "redirects": {
        "type": "array",
        "items": {"type": "string"},
        "description": "The addresses redirected to",
        "examples": [[]],
    },
    "chain": {
        **_ROWS,
        "description": "Every answer of a visit that was redirected: its address, status and seconds",
        "examples": [[{"url": "https://pn-tais.go.id/", "address": "203.0.113.10", "status": 200, "seconds": 0.4}]],
    },
    "address": {"type": "string", "description": "The IP address that answered", "examples": ["203.0.113.10"]},
    "response_seconds": {**_SECONDS, "description": "The whole visit", "unit": "seconds", "examples": [0.412]},
    "timings": {
        "type": "object",
        "additionalProperties": _SECONDS,
        "description": "Time by phase over all redirects; null for a phase that was not reached",
        "unit": "seconds",
        "examples": [{"lookup": 0.01, "connect": 0.02, "tls": 0.05, "first_byte": 0.3, "body": 0.032}],
    },
    "phases": {
        "type": "object",
        "additionalProperties": {"enum": ["ok", "slow", "failed", "not_reached"]},
        "description": "Each phase's own verdict",
        "examples": [{"lookup": "ok", "connect": "ok", "tls": "ok", "first_byte": "slow", "body": "ok"}],
    },
    "tries": {
        **_ROWS,
        "description": "Every visit of this check that failed, with its own cause and reason",
        "examples": [[{"cause": "connect", "reason": "koneksi ditolak oleh server", "seconds": 0.01}]],
    },
    "addresses": {
        **_ROWS,
        "description": "Every address of a name that has several: its family, whether it answers, why not",
        "examples": [[{"address": "203.0.113.10", "family": "ipv4", "way": "ok", "reason": "", "seconds": 0.2}]],
    },
    "variants": {
        **_ROWS,
        "description": "Every spelling of the site's address: where it leads, and whether that is right",
        "examples": [[{"url": "http://pn-tais.go.id/", "way": "ok", "reason": "", "final_url": "", "redirects": []}]],
    },
    "certificate_expires": {
        "type": ["string", "null"],
        "description": "The last day of the certificate, also of one that is not trusted",
        "unit": "date",
        "examples": ["2027-02-01"],
    },
    "certificate_days_left": {
        "type": ["integer", "null"],
        "description": "Whole days until the certificate expires; negative afterwards",
        "unit": "days",
        "examples": [71],
    },
    "title": {
        "type": "string",
        "description": "The page's title, as text from outside",
        "examples": ["Pengadilan Negeri Tais"],
    },
    "page": {
        "enum": ["", *PAGES],
        "description": "What kind of page came; only `site` is the court's. Empty when none with status 200 came",
        "examples": ["site"],
    },
    "size": {"type": "integer", "description": "The size of the page", "unit": "bytes", "examples": [48211]},
    "server": {"type": "string", "description": "What the server calls itself", "examples": ["nginx"]},
    "maintenance": {
        "type": "string",
        "description": "The maintenance window that it was checked in; empty outside of one",
        "examples": ["Sabtu 22.00-02.00 WIB"],
    },
    "recent": {
        "type": "string",
        "description": "The latest twelve checks, the newest last: 1 available, 0 not, ? unknown, m maintenance",
        "examples": ["111011111111"],
    },
    "watched": {
        "type": "object",
        "additionalProperties": {"type": "object"},
        "description": "What is counted of each fault, for the next check",
        "examples": [{}],
    },
}
