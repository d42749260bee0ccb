"""What a set's MANIFEST.json and SHA256SUMS say, and what the set is called."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from runner import __version__
from runner.actions.backup.part import earliest, label, slug
from runner.contract import Call

MANIFEST, SUMS = "MANIFEST.json", "SHA256SUMS"
FORMAT = 2
AGE = ".age"


class Piece(NamedTuple):
    """A file of a set: where it was written, its name in the set, its SHA-256 (hex) and size, and the part that it is;
    lists of files are none."""

    written: Path
    file: str
    sha256: str
    bytes: int
    part: Mapping[str, Any] | None


def pieces_of(parts: Sequence[Mapping[str, Any]]) -> list[Piece]:
    """Given the parts of a set, return its files."""
    pieces: list[Piece] = []
    for part in parts:
        pieces += _files_pieces(part) if part["kind"] == "files" else [_database_piece(part, pieces)]
    return pieces


def set_kind(parts: Sequence[Mapping[str, Any]]) -> str:
    """Given parts, return P (penuh: all files), T (tambahan: files since a full set) or D (databases only)."""
    files = files_part(parts)
    return "D" if files is None else "T" if files.get("parent") else "P"


def files_part(parts: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Given parts, return the one that is of files."""
    return next((part for part in parts if part["kind"] == "files"), None)


def set_name(call: Call, parts: Sequence[Mapping[str, Any]]) -> str:
    """Given parts, return their set's name by the Mahkamah Agung's convention, from when the first was begun."""
    begun = earliest(parts).astimezone(call.zone)
    return f"{label(call.target)}-{begun:%Y-%m-%d-%H%M%S}-{set_kind(parts)}"


def build_manifest(
    call: Call,
    name: str,
    sequence: int,
    parts: Sequence[Mapping[str, Any]],
    pieces: Sequence[Piece],
    recipients: Sequence[str],
) -> dict[str, Any]:
    """Given verified parts, their files as they are in the set, and to whom these are encrypted, return the manifest,
    but for how to restore it."""
    target, files = call.target or {}, files_part(parts)
    return {
        "format": FORMAT,
        "set": name,
        "sequence": sequence,
        "kind": set_kind(parts),
        "parent": files.get("parent") if files else None,
        "reason": call.inputs["reason"],
        "office": str(call.office.get("name", "")),
        "target": {key: target[key] for key in ("name", "kind", "url", "server") if key in target},
        "begun": earliest(parts).astimezone(UTC).isoformat(timespec="seconds"),
        "sealed": call.now.astimezone(UTC).isoformat(timespec="seconds"),
        "program": f"sop {__version__}",
        "total_bytes": sum(piece.bytes for piece in pieces),
        "parts": [dict(piece.part) for piece in pieces if piece.part],
        "files": _files(files, AGE if recipients else "") if files else None,
        "encrypted_to": list(recipients) or None,
        "notes": sorted({note for part in parts for note in part.get("notes", ())}),
    }


def render_manifest(manifest: Mapping[str, Any]) -> bytes:
    """Given a manifest, return its file."""
    return (json.dumps(manifest, ensure_ascii=False, indent=2) + "\n").encode()


def render_sums(sums: Mapping[str, str]) -> bytes:
    """Given SHA-256 by file name, return the file that `sha256sum -c` reads."""
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())).encode()


def _files(part: Mapping[str, Any], ending: str) -> dict[str, Any]:
    deletions = part.get("deletions")
    return {
        "source": part["source"],
        "list": part["list"]["file"] + ending,
        "list_sha256": part["list"]["sha256"],
        "deletions": deletions["file"] + ending if deletions else None,
        "entries": part["entries"],
        "bytes": part["content_bytes"],
        "excluded": part["exclude"],
        "changed_while_read": part["changed_while_read"],
        "vanished": part["vanished"],
    }


def _files_pieces(part: Mapping[str, Any]) -> list[Piece]:
    folder = Path(part["path"])
    common = {key: part[key] for key in ("kind", "format", "compression", "source", "taken")}
    volumes = [
        Piece(folder / each["file"], each["file"], each["sha256"], each["bytes"], {**each, **common})
        for each in part["volumes"]
    ]
    papers = [part[key] for key in ("list", "deletions") if part.get(key)]
    return volumes + [
        Piece(folder / each["file"], each["file"], each["sha256"], each["bytes"], None) for each in papers
    ]


def _database_piece(part: Mapping[str, Any], before: Sequence[Piece]) -> Piece:
    written = Path(part["path"])
    name = slug(PurePath(part["source"].partition(":")[2]).stem if part["format"] == "sqlite" else _database(part))
    ending = written.name.partition(".")[2]
    taken = {piece.file for piece in before}
    names = (f"db-{name}{number}.{ending}" for number in ("", *(f"-{n}" for n in range(2, len(taken) + 3))))
    file = next(name for name in names if name not in taken)
    facts = {"file": file, **{key: value for key, value in part.items() if key != "path"}}
    return Piece(written, file, part["sha256"], part["bytes"], facts)


def _database(part: Mapping[str, Any]) -> str:
    return str(part["source"].partition(":")[2])
