"""What a MANIFEST.json must be to be read: format 1, the first release's, and format 2."""

from __future__ import annotations

from runner.contract import JsonSchema

NAME = r"^[A-Z0-9]+(-[A-Za-z0-9]+)*-\d{4}-\d{2}-\d{2}-\d{6}-[PTD](-[0-9]+)?$"
FILE = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"  # a plain name in the set's own folder, safe on exFAT and ISO 9660
SHA256 = "^[0-9a-f]{64}$"
KINDS = {"P": "full", "T": "increment", "D": "database"}
ROUTINE, AFTER_REPAIR, BEFORE_RESTORE = REASONS = ("routine", "after_repair", "before_restore")

_COUNT: JsonSchema = {"type": "integer", "minimum": 0}
_TEXTS: JsonSchema = {"type": "array", "items": {"type": "string"}}
_PART: JsonSchema = {
    "type": "object",
    "required": ["file", "sha256", "bytes", "kind", "format", "compression", "source"],
    "properties": {
        "file": {"type": "string", "pattern": FILE},
        "sha256": {"type": "string", "pattern": SHA256},
        "bytes": _COUNT,
        "content_bytes": _COUNT,
        "content_sha256": {"type": "string", "pattern": SHA256},
        "kind": {"enum": ["files", "database"]},
        "format": {"type": "string"},
        "compression": {"type": "string"},
        "source": {"type": "string"},
        "tables": _TEXTS,
        "views": _TEXTS,
        "delta_of": {
            "type": ["object", "null"],
            "required": ["set", "file", "content_sha256"],
            "properties": {
                "set": {"type": "string", "pattern": NAME},
                "file": {"type": "string", "pattern": FILE},
                "content_sha256": {"type": "string", "pattern": SHA256},
            },
        },
    },
}
_COMMON: dict[str, JsonSchema] = {
    "set": {"type": "string", "pattern": NAME},
    "office": {"type": "string"},
    "target": {"type": "object"},
    "begun": {"type": "string", "format": "date-time"},
    "sealed": {"type": "string", "format": "date-time"},
    "total_bytes": _COUNT,
    "parts": {"type": "array", "minItems": 1, "items": _PART},
}
FIRST: JsonSchema = {
    "type": "object",
    "required": ["format", *_COMMON],
    "properties": {**_COMMON, "format": {"const": 1}},
}
SECOND: JsonSchema = {
    "type": "object",
    "required": ["format", "sequence", "kind", "parent", "reason", "files", *_COMMON],
    "properties": {
        **_COMMON,
        "parts": {"type": "array", "items": _PART},
        "format": {"const": 2},
        "sequence": {"type": "integer", "minimum": 1},
        "kind": {"enum": list(KINDS)},
        "parent": {
            "type": ["object", "null"],
            "required": ["set", "manifest_sha256"],
            "properties": {
                "set": {"type": "string", "pattern": NAME},
                "manifest_sha256": {"type": "string", "pattern": SHA256},
            },
        },
        "reason": {"enum": list(REASONS)},
        "files": {
            "type": ["object", "null"],
            "required": ["list", "entries", "bytes"],
            "properties": {
                "list": {"type": "string", "pattern": FILE},
                "deletions": {"type": ["string", "null"], "pattern": FILE},
                "entries": _COUNT,
                "bytes": _COUNT,
            },
        },
        "encrypted_to": {"type": ["array", "null"], "items": {"type": "string"}},
    },
}
SLICES: JsonSchema = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "required": ["name", "part", "bytes"],
        "properties": {
            "name": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._/-]*$"},
            "part": {"type": "string", "pattern": FILE},
            "bytes": _COUNT,
        },
    },
}
