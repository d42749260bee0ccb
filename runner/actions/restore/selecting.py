"""Which of a set's entries and which of its databases a restore is about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from runner.actions.backup.listing import HARDLINK
from runner.actions.backup.set_files import Entry, entries_of, find_entries, shown
from runner.actions.backup.sets import BackupSet
from runner.errors import Failed


def select(chosen: BackupSet, paths: Sequence[str]) -> Iterator[Entry]:
    """Given a set and paths under its root, give those entries, all below them, and the folders on the way there;
    without paths all entries. Raise Failed where the set has no such path."""
    if not paths:
        yield from entries_of(chosen)
        return
    meant = [_clean(path) for path in paths]
    above = {b"/".join(words[:end]) for words in (path.split(b"/") for path in meant) for end in range(1, len(words))}
    found: set[bytes] = set()
    targets: set[bytes] = set()
    for entry in find_entries(chosen, lambda path: path in above or _covers(meant, path), _hint(paths)):
        found |= {path for path in meant if entry.path == path or entry.path.startswith(path + b"/")}
        if entry.type == HARDLINK and not _covers(meant, entry.link):
            targets.add(entry.link)
        yield entry
    if lacking := [shown(path) for path in meant if path not in found]:
        raise Failed(f"{chosen.name}: it has no '{lacking[0]}'. see which sets have it: backup.catalogue")
    yield from find_entries(chosen, targets.__contains__, "") if targets else ()


def is_meant(paths: Sequence[str], path: bytes) -> bool:
    """Whether a path is one of those given, or lies below one; without any, all are."""
    return not paths or _covers([_clean(each) for each in paths], path)


def source_root(chosen: BackupSet) -> str:
    """The folder that a set's files were copied from. Raise Failed where it holds none."""
    source = (chosen.manifest.get("files") or {}).get("source")
    part = next((part for part in chosen.parts if part["kind"] == "files"), None)
    if part is None and source is None:
        raise Failed(f"{chosen.name}: it holds no files, databases only. take another set")
    return str(source or (part or {}).get("source"))


def choose_database(chosen: BackupSet, name: str, preferred: str = "") -> Mapping[str, Any] | None:
    """Given a set and which database is meant ("": its only one, or the `preferred`), return that part; None where the
    set has no database. Raise Failed where it is not clear, or not there."""
    parts = {str(part["source"]): part for part in chosen.parts if part["kind"] == "database"}
    fitting = [part for source, part in parts.items() if name in (source, source.partition(":")[2])]
    if name and not fitting:
        raise Failed(
            f"{chosen.name}: it has no database '{name}', only: {', '.join(parts) or 'none'}. name one of these"
        )
    if not name and preferred in parts:
        return parts[preferred]
    if not name and len(parts) > 1:
        raise Failed(f"{chosen.name}: it has several databases: {', '.join(parts)}. name one under `database`")
    return next(iter(fitting or parts.values()), None)


def check_tables(part: Mapping[str, Any], tables: Iterable[str]) -> None:
    """Raise Failed for a table that the database's part does not hold."""
    lacking = sorted(set(tables) - {*part.get("tables", ()), *part.get("views", ())})
    if lacking:
        raise Failed(f"{part['source']}: it has no table '{lacking[0]}'. see which sets have it: backup.catalogue")


def _clean(path: str) -> bytes:
    plain = path.encode("utf-8", "surrogateescape").strip(b"/").removeprefix(b"./")
    if not plain or plain == b"." or any(word in (b"", b".", b"..") for word in plain.split(b"/")):
        raise Failed(f"paths: '{path}' is no path under the root. leave paths out for the whole folder")
    return plain


def _covers(meant: Iterable[bytes], path: bytes) -> bool:
    return any(path == each or path.startswith(each + b"/") for each in meant)


def _hint(paths: Sequence[str]) -> str:
    """What the line of each wanted entry holds: the first step of the one path; nothing where there are several."""
    return paths[0].strip("/").removeprefix("./").partition("/")[0] if len(paths) == 1 else ""
