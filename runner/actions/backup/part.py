"""A part of a backup: one stored file, its name, and what is said of it from the dump to the seal."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runner.actions.backup.storage import Stored
from runner.contract import Call, JsonSchema
from runner.errors import Failed

LONGEST_SLUG = 60

PART: JsonSchema = {
    "description": "One stored file of a backup and what is known of it; sizes in bytes",
    "type": "object",
    "required": ["path", "sha256", "bytes", "content_bytes", "kind", "format", "compression", "source", "taken"],
    "properties": {
        "path": {
            "type": "string",
            "description": "Where the file was written on this machine",
            "examples": ["/srv/sop/backups/WEB-PN-TAIS/joomla.sql.zst"],
        },
        "sha256": {
            "type": "string",
            "pattern": "^[0-9a-f]{64}$",
            "description": "SHA-256 of the file as stored",
            "examples": ["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
        },
        "bytes": {"type": "integer", "description": "Size as stored, in bytes", "examples": [95000000]},
        "content_bytes": {
            "type": "integer",
            "description": "Size once decompressed, in bytes",
            "examples": [314000000],
        },
        "content_sha256": {
            "type": "string",
            "pattern": "^[0-9a-f]{64}$",
            "description": "SHA-256 of the content of a dump",
            "examples": ["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
        },
        "delta_of": {
            "type": "object",
            "required": ["set", "file", "content_sha256", "segment_bytes"],
            "description": "Of a dump that is stored as what differs from an earlier one: set and file of that, the "
            "SHA-256 of its content, and the size of its segments in bytes",
            "examples": [{"set": "WEB-PN-TAIS-2026-11-22-013000-P", "file": "db-joomla.sql.zst"}],
        },
        "kind": {"enum": ["database", "files"], "description": "What was backed up", "examples": ["database"]},
        "format": {
            "enum": ["sql", "pgsql", "sqlite", "tar"],
            "description": "What the decompressed content is",
            "examples": ["sql"],
        },
        "compression": {
            "enum": ["zstd", "gzip"],
            "description": "The plain tool that decompresses it",
            "examples": ["zstd"],
        },
        "source": {"type": "string", "description": "What it is a copy of", "examples": ["mariadb:joomla"]},
        "taken": {
            "type": "string",
            "description": "When the copy was begun, ISO 8601 in UTC",
            "examples": ["2026-11-21T18:30:00+00:00"],
        },
        "table_count": {"type": "integer", "description": "How many tables a database had", "examples": [71]},
        "tables": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Names of the tables",
            "examples": [["content", "users"]],
        },
        "views": {"type": "array", "items": {"type": "string"}, "description": "Names of the views", "examples": [[]]},
        "entries": {
            "type": "integer",
            "description": "How many files, folders and links an archive holds",
            "examples": [4210],
        },
        "exclude": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Patterns that were left out",
            "examples": [["cache/*"]],
        },
        "tools": {
            "type": "object",
            "description": "Programs that made it, with their versions",
            "examples": [{"zstd": "1.5.4"}],
        },
        "notes": {
            "type": "array",
            "items": {"type": "string"},
            "description": "What a reader has to know about it",
            "examples": [[]],
        },
    },
    "examples": [
        {
            "path": "/srv/sop/backups/WEB-PN-TAIS/WEB-PN-TAIS-2026-11-22-013000-database-joomla.sql.zst",
            "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "bytes": 95000000,
            "content_bytes": 314000000,
            "kind": "database",
            "format": "sql",
            "compression": "zstd",
            "source": "mariadb:joomla",
            "taken": "2026-11-21T18:30:00+00:00",
        }
    ],
}

DESTINATION: JsonSchema = {
    "description": "Folder on this machine for all backups; a relative one stands in the working folder. "
    "A folder per target is made in it",
    "type": "string",
    "minLength": 1,
    "default": "backups",
    "examples": ["backups", "/mnt/disk/backups"],
}

ACCEPT_SMALLER: JsonSchema = {
    "description": "Accept a backup that is more than a fifth smaller than the last one, or a database without a row; "
    "for the one time it is right",
    "type": "boolean",
    "default": False,
    "examples": [True],
}


def part_folder(call: Call) -> Path:
    """Given a call, return the folder of its target's backups (absolute; perhaps not there yet)."""
    return Path(os.path.abspath(Path(call.inputs["destination"]).expanduser())) / label(call.target)


def make_folder(folder: Path) -> None:
    """Make the folder of a target, and the destination above it, but nothing further up. Raise Failed."""
    try:
        folder.parent.mkdir(mode=0o700, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        reason = error.strerror
        raise Failed(f"{folder}: cannot be made: {reason}. check the destination, and its disk") from None


def check_folder(folder: Path) -> Path:
    """Given the folder of a target, return the nearest one that is there, changing nothing. Raise Failed where the
    rest of it could not be made."""
    above = folder.parent.parent
    there = next((place for place in (folder, folder.parent, above) if place.exists()), above)
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise Failed(f"{folder}: cannot be made or written. check the destination, and that its disk is there")
    return there


def part_path(call: Call, what: str, extension: str) -> Path:
    """Given a call and what it copies ("database-joomla"), return the path of its part; its name stands on its own."""
    stamp = call.office_time.strftime("%Y-%m-%d-%H%M%S")
    return part_folder(call) / f"{label(call.target)}-{stamp}-{what}.{extension}"


def build_part(call: Call, stored: Stored, **facts: Any) -> dict[str, Any]:
    """Given a stored file and the facts of PART, return the part."""
    taken = call.now.astimezone(UTC).isoformat(timespec="seconds")
    return {"path": str(stored.path), "sha256": stored.sha256, "bytes": stored.bytes, "taken": taken, **facts}


def label(target: Mapping[str, Any] | None) -> str:
    """Given a target, return its name as written on folders, labels and discs: "WEB-PN-TAIS"."""
    if target is None:
        return "LOKAL"
    prefix = {"website": "WEB", "server": "SERVER"}.get(str(target.get("kind")), "DATA")
    return f"{prefix}-{slug(str(target['name'])).upper()}"


def slug(text: str) -> str:
    """Given any text, return it as letters, digits and single hyphens, safe on exFAT and ISO 9660."""
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")[:LONGEST_SLUG] or "x"


def earliest(parts: Sequence[Mapping[str, Any]]) -> datetime:
    """Given parts, return when the first of them was begun."""
    return min(datetime.fromisoformat(str(part["taken"])) for part in parts)
