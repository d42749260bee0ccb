"""Ends process groups of this machine and names who is left."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from runner.connections.commands import MARK, SHELL, TERM_GRACE, Request, as_user
from runner.messages import readable

_STEP = 0.05
_SUDO_LIMIT = 5.0
_HIT = """for f in $(grep -lszF -e "$2" /proc/[0-9]*/environ); do f=${f#/proc/}; kill -"$1" "${f%/*}"; done"""


def end_group(group: int, request: Request, leader: subprocess.Popen[bytes] | None = None) -> tuple[str, ...]:
    """Given a process group, send it TERM, after a grace KILL, and return who is left of the command, by name."""
    for names, patience in ((("TERM", "CONT"), TERM_GRACE), (("KILL",), 1.0)):
        for name in names:  # what was stopped notices TERM only when it goes on
            _send(name, group, request)
        end = time.monotonic() + patience
        while time.monotonic() < end and _is_alive(group, leader):
            time.sleep(_STEP)
    return tuple(f"{_name(pid)} (pid {pid})" for pid in _left(group, request))


def _send(name: str, group: int, request: Request) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, getattr(signal, f"SIG{name}"))
    if request.run_as:  # another user's processes, perhaps in a group that sudo made: only their mark finds them
        words = (*as_user(request.run_as), SHELL, "-c", _HIT, "sh", name, f"{MARK}={request.mark}")
        with suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SUDO_LIMIT)  # noqa: S603 - words


def _is_alive(group: int, leader: subprocess.Popen[bytes] | None) -> bool:
    if leader:
        leader.poll()  # or it stays in the group as a zombie
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not Path("/proc/self/stat").exists() or any(True for _ in _members(group))


def _left(group: int, request: Request) -> list[int]:
    mark = f"{MARK}={request.mark}".encode()
    return sorted({*_members(group), *(pid for pid in _pids() if mark in _environment(pid) and _is_running(pid))})


def _members(group: int) -> Iterator[int]:
    """Yield the processes of a group or session that are no zombies."""
    for pid in _pids():
        state, _, process_group, session, *_ = [*_status(pid), "Z", "", "", ""]
        if state != "Z" and str(group) in (process_group, session):
            yield pid


def _is_running(pid: int) -> bool:
    return [*_status(pid), "Z"][0] != "Z"


def _pids() -> Iterator[int]:
    with suppress(OSError):
        yield from (int(name) for name in os.listdir("/proc") if name.isdigit())


def _status(pid: int) -> list[str]:
    """Return state, parent, group, session …; nothing where the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(") ")[2].split()
    except OSError:
        return []


def _environment(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


def _name(pid: int) -> str:
    try:
        name = Path(f"/proc/{pid}/comm").read_text(errors="replace").strip()
    except OSError:
        return "?"
    return readable(name)
