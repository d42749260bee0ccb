"""Files that people put to their answers: looked at before any is kept, so that bad ones lose nothing."""

from __future__ import annotations

import errno
import mimetypes
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from runner.contract import Evidence
from runner.errors import Failed, Mistake, Refused
from runner.messages import readable, render_size
from runner.record.evidence import EvidenceStore

MOST_FILES = 20
LARGEST_FILE = 200 * 1000 * 1000
LONGEST_NAME = 200


def attach(store: EvidenceStore, paths: Sequence[Path], option: str = "--evidence") -> tuple[Evidence, ...]:
    """Given files, keep all of them and return their evidence. Raise Refused, naming each, where one cannot be kept."""
    faults = [(path, _fault(path)) for path in paths]
    if len(paths) > MOST_FILES:
        faults.insert(0, (Path(option), f"{len(paths)} files, at most {MOST_FILES} go with an answer. pack them"))
    mistakes = [Mistake(str(path), 0, 0, *fault.split(". ", 1)) for path, fault in faults if fault]
    if mistakes:
        raise Refused(*mistakes)
    return tuple(_keep(store, path) for path in paths)


def clean_name(name: str) -> str:
    """Given a file's name, return it printable and bounded; its ending stays."""
    plain = readable(name, "_")
    return plain if len(plain) <= LONGEST_NAME else plain[: LONGEST_NAME // 2] + "…" + plain[-LONGEST_NAME // 2 + 1 :]


def _keep(store: EvidenceStore, path: Path) -> Evidence:
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    try:
        # opened here and kept from the open file: what lies under its name may have become something else
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise Failed(f"{path}: not a plain file. name a file")
            return store.keep(clean_name(path.name), file, media_type)
    except OSError as error:
        raise Failed(f"{path}: {error.strerror}. nothing was recorded; check the path") from error


def _fault(path: Path) -> str:
    """What hinders keeping a file, and the cure; "" where nothing does."""
    try:
        found = path.lstat()
    except OSError as error:
        return f"{'there is no such file' if error.errno == errno.ENOENT else error.strerror}. check the path"
    if stat.S_ISLNK(found.st_mode):
        return "it is a link, which may lead elsewhere tomorrow. name the file itself"
    if stat.S_ISDIR(found.st_mode):
        return "it is a folder. pack it into one file (zip), or name its files"
    if not stat.S_ISREG(found.st_mode):
        return "it is not a plain file. name a file"
    if not found.st_size:
        return "it is empty, and shows nothing. look at what was saved there"
    if found.st_size > LARGEST_FILE:
        size, most = (render_size(each, "en") for each in (found.st_size, LARGEST_FILE))
        return f"it has {size}, at most {most} are kept. keep a shorter part or pictures of it, and its SHA-256 as note"
    return "" if os.access(path, os.R_OK) else "it cannot be read. check its owner and mode"
