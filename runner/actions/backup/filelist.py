"""The list of files of a set, one JSON object in a line, and what it says of a parent's entries to the next backup."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from runner.actions.backup.known import END
from runner.actions.backup.ledger import Kept
from runner.actions.backup.listing import FILE, HARDLINK
from runner.actions.backup.storage import PartFile, Stored
from runner.actions.backup.volumes import volume_name
from runner.actions.backup.zstd import ZstdCompressor, build_compressor

LIST, DELETIONS = "files.jsonl.zst", "deleted.jsonl.zst"
_ROOM = 1024 * 1024
_LEVEL = 1  # names and hashes: more of an effort makes the list no smaller


def render_kept(kept: Kept, parent: str) -> bytes:
    """Given an entry, return its line; one that is unchanged keeps its parent's, with that set's name."""
    if kept.kind is None:
        assert kept.line is not None
        return kept.line + end_of_unchanged(parent)
    link = f", {_text('link', kept.link)}" if kept.link else ""
    sha256 = f', "sha256": "{kept.sha256}"' if kept.kind == FILE else ""
    slices = f', "slices": {kept.slices}' if kept.slices else ""
    return (
        f'{{{_text("path", kept.path)}, "type": "{kept.kind}", "size": {kept.size}, "mtime_ns": {kept.mtime_ns}, '
        f'"ctime_ns": {kept.ctime_ns}, "mode": {kept.mode}, "uid": {kept.uid}, "gid": {kept.gid}, '
        f'"owner": {_quote(kept.owner)}, "group": {_quote(kept.group)}{link}{sha256}, '
        f'"part": "{volume_name(kept.volume)}", "frame": {kept.frame}{slices}}}\n'
    ).encode()


def end_of_unchanged(parent: str) -> bytes:
    """The end of the line of an entry that lies in the parent set."""
    return f', "set": "{parent}"'.encode() + END


def render_path(path: bytes) -> bytes:
    """Given a path, return its line in the list of deletions."""
    return f"{{{_text('path', path)}}}\n".encode()


def write_lines(path: Path, lines: Iterable[bytes]) -> Stored:
    """Write lines as a file of zstd. Raise Failed."""
    compressor = build_compressor(_LEVEL)
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


def parse_lines(lines: Iterable[bytes]) -> Iterator[tuple[object, ...]]:
    """Given lines of the list of a full set, without their ends, give the rows of Ledger.add_parent.

    Raise ValueError or KeyError where one is spoilt.
    """
    for line in lines:
        body = _read((line + END).decode())
        kind = FILE if body["type"] == HARDLINK else body["type"]
        name = body["path"].encode() if "path" in body else b64decode(body["path_b64"])
        ctime = body.get("ctime_ns", 0)
        yield name, kind, body["size"], body["mtime_ns"], ctime, body["mode"], body["uid"], body["gid"], line


def _text(name: str, value: bytes) -> str:
    """A name of bytes as a pair of JSON."""
    try:
        return f'"{name}": {_quote(value.decode())}'
    except UnicodeDecodeError:
        return f'"{name}_b64": "{b64encode(value).decode()}"'


_quote: Callable[[str], str] = json.JSONEncoder(ensure_ascii=False).encode
_read: Callable[[str], Any] = json.JSONDecoder().decode
