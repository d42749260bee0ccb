"""What logs.fetch takes and gives, as data for the schema and the reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runner.actions.logs.restricted import RESTRICTED

_MOMENT = {"type": ["string", "null"], "unit": "time"}
_COUNT = {"type": "integer", "minimum": 0}

PATH: Mapping[str, Any] = {
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}],
    "description": "The log on the server, also several, or a glob; its rotated files are found beside it. Without it "
    "the target's access_log",
    "examples": ["/var/log/nginx/access.log", ["~/access-logs/pn-contoh.go.id", "~/logs/pn-contoh.go.id-*.gz"]],
    "optional": True,
}

INPUTS: Mapping[str, Any] = {
    "path": PATH,
    "format": {
        "type": "string",
        "description": "The log's form (combined, common, vhost, json) or the server's own format line, as "
        "logs.discover gives it; without it the lines tell",
        "examples": ["combined", '%h %l %u %t "%r" %>s %b'],
        "default": "",
    },
    "since": {
        "type": "string",
        "description": "The first time only: how long ago a file was last written to, for it to be read",
        "unit": "duration",
        "examples": ["1 hari", "7 hari"],
        "default": "7 hari",
    },
    "size_limit": {
        "type": "integer",
        "minimum": 65536,
        "maximum": 1024**3,
        "description": "How much is fetched at a time; what is left comes the next time",
        "unit": "bytes",
        "examples": [67108864],
        "default": 64 * 1024**2,
    },
    "stale_after": {
        "type": "string",
        "description": "After how long without a new line the log is taken for out of order",
        "unit": "duration",
        "examples": ["2 hari"],
        "default": "2 hari",
    },
}

INCREMENT: Mapping[str, Any] = {
    "type": "object",
    "required": ["id", "after", "series", "sha256"],
    "description": "The new lines: `sha256` of the gzip file that holds them, each line once and whole; `id`, and "
    "that of the increment `after` which it comes; for logs.scan",
    "examples": [
        {
            "id": "5d41402abc4b2a76b9719d911017c592",
            "after": "",
            "series": "/var/log/nginx/access.log",
            "since": 1795100000,
            "sha256": "9f" * 32,
            "format": "combined",
            "files": 2,
            "from": "2026-11-21T02:00:00+00:00",
            "to": "2026-11-22T01:59:58+00:00",
            "bytes": 301344,
            "lines": 1204,
            "left": 0,
            "gap": None,
        }
    ],
}

OUTPUTS: Mapping[str, Any] = {
    "increment": INCREMENT,
    "summary": {
        "type": "string",
        "description": "The result in one or two sentences, for the report",
        "examples": ["1.204 baris baru dari 2 berkas log, sampai dengan Minggu, 22 November 2026 pukul 08.59."],
    },
    "lines": {**_COUNT, "description": "New lines", "unit": "lines", "examples": [1204]},
    "bytes": {**_COUNT, "description": "Size of the new lines", "unit": "bytes", "examples": [301344]},
    "wire": {**_COUNT, "description": "What came over the connection for them", "unit": "bytes", "examples": [38200]},
    "left": {**_COUNT, "description": "What is left for the next time", "unit": "bytes", "examples": [0]},
    "first": {**_MOMENT, "description": "The earliest new line", "examples": ["2026-11-21T02:00:00+00:00"]},
    "last": {**_MOMENT, "description": "The latest new line", "examples": ["2026-11-22T01:59:58+00:00"]},
    "gap": {
        "type": ["object", "null"],
        "description": "From which moment to which nothing is known, because the place where reading went on is gone",
        "examples": [{"from": "2026-11-20T02:00:00+00:00", "to": "2026-11-21T04:10:00+00:00"}],
    },
    "files": {
        "type": "array",
        "items": {"type": "object"},
        "description": "The log's files, and what was done with each: same, rest, whole, packed, old, short, later, "
        "closed, missing",
        "examples": [[{"path": "/var/log/nginx/access.log", "state": "rest", "size": 301344}]],
    },
    "place": {
        "type": "array",
        "items": {"type": "object"},
        "description": "How far each file was read, by its content, not its name",
        "examples": [[{"path": "/var/log/nginx/access.log", "head": "5d41…", "offset": 301344, "tail": "7d79…"}]],
    },
    "restricted": RESTRICTED,
}
