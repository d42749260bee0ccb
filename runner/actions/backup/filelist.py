"""The list of files of a set, one JSON object in a line, and what it says of a parent's entries to the next backup."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from runner.actions.backup.ledger import Kept
from runner.actions.backup.listing import FILE, HARDLINK
from runner.actions.backup.storage import PartFile, Stored
from runner.actions.backup.volumes import volume_name
from runner.actions.backup.zstd import ZstdCompressor, ZstdFile, build_compressor

LIST, DELETIONS = "files.jsonl.zst", "deleted.jsonl.zst"
LONGEST_LINE = 64 * 1024
_ROOM = 1024 * 1024


def render_kept(kept: Kept, parent: str) -> bytes:
    """Given an entry, return its line; one that is unchanged keeps its parent's, with that set's name."""
    if kept.kind is None:
        assert kept.line is not None
        return kept.line.rstrip(b"}\n") + f', "set": "{parent}"}}\n'.encode()
    fields: dict[str, Any] = {**_text("path", kept.path), "type": kept.kind, "size": kept.size}
    fields |= {"mtime_ns": kept.mtime_ns, "ctime_ns": kept.ctime_ns, "mode": kept.mode, "uid": kept.uid}
    fields |= {"gid": kept.gid, "owner": kept.owner, "group": kept.group}
    fields |= _text("link", kept.link) if kept.link else {}
    fields |= {"sha256": kept.sha256} if kept.kind == FILE else {}
    fields |= {"part": volume_name(kept.volume), "frame": kept.frame}
    fields |= {"slices": json.loads(kept.slices)} if kept.slices else {}
    return _line(fields)


def render_path(path: bytes) -> bytes:
    """Given a path, return its line in the list of deletions."""
    return _line(_text("path", path))


def write_lines(path: Path, lines: Iterable[bytes]) -> Stored:
    """Write lines as a file of zstd. Raise Failed."""
    compressor = build_compressor()
    path.unlink(missing_ok=True)
    with PartFile(path) as file:
        gathered: list[bytes] = []
        size = 0
        for line in lines:
            gathered.append(line)
            size += len(line)
            if size > _ROOM:
                file.write(compressor.compress(b"".join(gathered)))
                gathered, size = [], 0
        file.write(compressor.compress(b"".join(gathered), ZstdCompressor.FLUSH_FRAME))
        return file.keep()


def load_parent(path: Path) -> Iterator[tuple[object, ...]]:
    """Given the list of files of a full set, give the rows of Ledger.add_parent.

    Raise OSError, ZstdError, ValueError or KeyError where it is spoilt.
    """
    with ZstdFile(path) as file:
        for line in file:
            body = json.loads(line)
            kind = FILE if body["type"] == HARDLINK else body["type"]
            name = body["path"].encode() if "path" in body else b64decode(body["path_b64"])
            ctime = body.get("ctime_ns", 0)
            yield name, kind, body["size"], body["mtime_ns"], ctime, body["mode"], body["uid"], body["gid"], line


def _text(name: str, value: bytes) -> dict[str, str]:
    try:
        return {name: value.decode()}
    except UnicodeDecodeError:
        return {f"{name}_b64": b64encode(value).decode()}


def _line(fields: dict[str, Any]) -> bytes:
    return _dump(fields).encode() + b"\n"


_dump: Callable[[Any], str] = json.JSONEncoder(ensure_ascii=False, separators=(", ", ": ")).encode
