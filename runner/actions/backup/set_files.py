"""What a set's list of files says: each entry under a path that cannot lead out of the folder it is restored into."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from runner.actions.backup.listing import FILE, FOLDER, HARDLINK, LINK
from runner.actions.backup.set_schema import SLICES
from runner.actions.backup.sets import BackupSet, spoilt
from runner.actions.backup.verdict import NotAccepted
from runner.actions.backup.zstd import ZstdError, ZstdFile
from runner.shapes import check_value

TYPES = frozenset({FILE, FOLDER, LINK, HARDLINK})
LONGEST_LINE = 64 * 1024
_HASH = re.compile("[0-9a-f]{64}")


class Entry(NamedTuple):
    """A file, folder or link of a set.

    `path` and `link` are bytes as on the server, relative to the root ("." is the root itself); `sha256` (hex) is of a
    file's content; `home` names the set that holds it, `part` the file there, and `frame` is the offset in that. Owner
    and group are names, or numbers. `slices` is the JSON of {name, part, bytes} where the content lies in several
    members, the first one there.
    """

    path: bytes
    type: str
    size: int
    mtime_ns: int
    mode: int
    owner: str
    group: str
    link: bytes
    sha256: str
    home: str
    part: str
    frame: int
    slices: str = ""


def entries_of(chosen: BackupSet) -> Iterator[Entry]:
    """Given a set of format 2, give what it holds, parents' files included. Raise NotAccepted at a line that cannot be.

    A set without files has no entry.
    """
    for line in _lines(chosen):
        yield _parse(chosen, line)


def find_entries(chosen: BackupSet, wanted: Callable[[bytes], bool], hint: str) -> Iterator[Entry]:
    """Like `entries_of`, of those only whose path is `wanted`; the others are passed by unread where the `hint`, a text
    that every such path holds, is not in their line."""
    marks = [json.dumps(hint, ensure_ascii=plain)[1:-1].encode() for plain in (False, True)] if hint.isascii() else []
    for line in _lines(chosen):
        if marks and b"_b64" not in line and not any(mark in line for mark in marks):
            continue
        entry = _parse(chosen, line)
        if wanted(entry.path):
            yield entry


def check_path(chosen: BackupSet, path: bytes) -> bytes:
    """Given a path of a set, return it as relative to the root. Raise NotAccepted, which names it, where it leads out
    of there."""
    words = path.removeprefix(b"./").removesuffix(b"/").split(b"/")
    if path.startswith(b"/") or b"\0" in path:
        raise refused(chosen, path, "is no path under the root")
    if path.rstrip(b"/") == b".":
        return b"."
    if any(word in (b"", b".", b"..") for word in words):
        raise refused(chosen, path, "leads out of the root, or nowhere")
    return b"/".join(words)


def refused(chosen: BackupSet, what: bytes, english: str) -> NotAccepted:
    """Given an entry of a set and why it is not restored, return the error to raise."""
    name = shown(what)
    return spoilt(chosen.folder, f"memuat {name!r}, yang ditolak", f"'{name}' {english}")


def shown(path: bytes) -> str:
    """Given a path, return it for people: unprintable and undecodable bytes escaped."""
    text = path.decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _lines(chosen: BackupSet) -> Iterator[bytes]:
    name = (chosen.manifest.get("files") or {}).get("list")
    if not name:
        return
    try:
        with chosen.open(name) as stored, ZstdFile(stored) as file:
            while line := file.readline(LONGEST_LINE):
                yield line
    except (ZstdError, EOFError):
        raise spoilt(chosen.folder, f"{name} rusak", f"{name} does not decompress") from None
    except OSError as error:
        raise spoilt(chosen.folder, f"{name} tidak terbaca", f"{name} cannot be read: {error.strerror}") from None


def _object(chosen: BackupSet, line: bytes) -> dict[str, Any]:
    try:
        body = json.loads(line)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise refused(chosen, line[:80], "is no entry")
    return body


def _parse(chosen: BackupSet, line: bytes) -> Entry:
    body = _object(chosen, line)
    path, kind = _path(chosen, body, "path"), body.get("type")
    if kind not in TYPES:
        raise refused(chosen, path, f"is of a type that is not restored: {kind!r}")
    sha256 = str(body.get("sha256") or "")
    if kind == FILE and not _HASH.fullmatch(sha256):
        raise refused(chosen, path, "has no SHA-256")
    home = str(body.get("set") or chosen.name)
    if home != chosen.name and home not in chosen.needs:
        raise refused(chosen, path, f"is said to lie in {home}, on which this set does not hang")
    return Entry(
        path=path,
        type=kind,
        size=_number(chosen, path, body, "size"),
        mtime_ns=_number(chosen, path, body, "mtime_ns"),
        mode=_number(chosen, path, body, "mode"),
        owner=str(body.get("owner") or body.get("uid", "")),
        group=str(body.get("group") or body.get("gid", "")),
        link=_link(chosen, path, kind, body),
        sha256=sha256,
        home=home,
        part=str(body.get("part") or ""),
        frame=_number(chosen, path, body, "frame"),
        slices=_slices(chosen, path, body),
    )


def _number(chosen: BackupSet, path: bytes, body: Mapping[str, Any], key: str) -> int:
    value = body.get(key, 0)
    if value is None:
        return 0
    if not isinstance(value, int) or (value < 0 and key != "mtime_ns"):
        raise refused(chosen, path, f"has a {key} that cannot be")
    return value


def _link(chosen: BackupSet, path: bytes, kind: str, body: Mapping[str, Any]) -> bytes:
    """Where a link leads: a symbolic one anywhere, for it is never followed; a hard one to another entry."""
    if kind == HARDLINK:
        return _path(chosen, body, "link")
    if kind != LINK:
        return b""
    link = _bytes(chosen, body, "link")
    if not link or b"\0" in link:
        raise refused(chosen, path, "is a link to nowhere")
    return link


def _path(chosen: BackupSet, body: Mapping[str, Any], key: str) -> bytes:
    return check_path(chosen, _bytes(chosen, body, key))


def _slices(chosen: BackupSet, path: bytes, body: Mapping[str, Any]) -> str:
    slices = body.get("slices")
    if not slices:
        return ""
    if check_value(slices, SLICES) or sum(each["bytes"] for each in slices) != body.get("size"):
        raise refused(chosen, path, "has slices that cannot be")
    return json.dumps(slices)


def _bytes(chosen: BackupSet, body: Mapping[str, Any], key: str) -> bytes:
    plain, packed = body.get(key), body.get(f"{key}_b64")
    try:
        return b64decode(packed, validate=True) if isinstance(packed, str) else str(plain or "").encode()
    except ValueError:
        raise refused(chosen, repr(packed)[:80].encode(), "is no path") from None
