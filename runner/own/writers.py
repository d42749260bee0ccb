"""Who may write a file of code: only this user and root, else somebody else's code would run under this login."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

from runner.errors import Mistake


def check_writers(path: Path) -> Iterator[Mistake]:
    """Given a file, yield what lets others than this user and root change it or put another in its place: its own mode
    and owner, or those of a folder above it."""
    whole = path.resolve()
    for part in (whole, *whole.parents):
        try:
            found = part.stat()
        except OSError as error:
            yield Mistake(str(path), 0, 0, f"it cannot be looked at: {error.strerror}", "make it readable")
            return
        shown = str(path if part == whole else part)
        if found.st_uid not in (0, os.geteuid()):
            cure = f"work under that login, or give it to root: sudo chown root {shown}"
            yield Mistake(shown, 0, 0, f"it belongs to '{_login(found.st_uid)}', who could put any code there", cure)
        elif _others_write(found, sticky=part != whole and bool(found.st_mode & stat.S_ISVTX)):
            yield Mistake(shown, 0, 0, "others may write there, and so run code as you", f"type: chmod go-w {shown}")


def _others_write(found: os.stat_result, *, sticky: bool) -> bool:
    """Whether others than the owner may write; in a sticky folder nobody can move what is not theirs."""
    if sticky:
        return False
    group = bool(found.st_mode & stat.S_IWGRP) and not _is_private(found.st_uid, found.st_gid)
    return group or bool(found.st_mode & stat.S_IWOTH)


def _is_private(uid: int, gid: int) -> bool:
    """Whether a group is that of one user alone, as Debian and Ubuntu make them, whose umask lets it write."""
    try:
        owner, group = pwd.getpwuid(uid), grp.getgrgid(gid)
    except KeyError:
        return False
    return owner.pw_gid == gid and group.gr_name == owner.pw_name and set(group.gr_mem) <= {owner.pw_name}


def _login(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
