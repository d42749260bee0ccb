"""A disk by its UUID or label: where it is mounted, if it is; a folder where it should be is never taken for it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from runner.actions.backup.verdict import NotAccepted
from runner.errors import Failed
from runner.messages import Words

DEVICES, MOUNTS = Path("/dev/disk"), Path("/proc/self/mountinfo")
MISSING = "missing"
_OCTAL = re.compile(r"\\([0-7]{3})")


class Disk(NamedTuple):
    """A file system on a disk that is mounted: its device, where it is mounted, and its kind ("exfat")."""

    device: Path
    mount: Path
    kind: str


def find_disk(name: str) -> Disk:
    """Given the UUID or the label of a file system, return where it is mounted. Raise NotAccepted where it is not
    connected, Failed where it is not mounted."""
    device = next((path for path in _links(name) if path.exists()), None)
    if device is None:
        raise NotAccepted(
            MISSING,
            Words(
                f"Hardisk '{name}' tidak terpasang pada komputer ini; perangkat backup belum disalin ke media. "
                "Mohon hardisk dipasang, lalu tugas ini dijalankan lagi.",
                f"disk '{name}' is not connected to this machine. connect it, then run the task again",
            ),
        )
    device = device.resolve()
    number = device.stat().st_rdev
    numbers = f"{os.major(number)}:{os.minor(number)}"
    for found, root, mount, kind in _mounted():
        if found == numbers and root == "/":
            return Disk(device, Path(mount), kind)
    raise Failed(f"disk '{name}' is connected, but not mounted. run: udisksctl mount -b {device}")


def _links(name: str) -> list[Path]:
    """Where udev names it: a label's bytes beyond letters, digits and #+-.:=@_ are written as \\xNN."""
    safe = "".join(
        char if char.isalnum() or char in "#+-.:=@_" else "".join(f"\\x{byte:02x}" for byte in char.encode())
        for char in name
    )
    names = {name.lower(), name.upper(), name} if "/" not in name else set()
    return [*(DEVICES / "by-uuid" / each for each in sorted(names)), DEVICES / "by-label" / safe]


def _mounted() -> Iterator[tuple[str, str, str, str]]:
    """What is mounted: device numbers, root in the file system, place, kind (proc_pid_mountinfo(5))."""
    for line in MOUNTS.read_text("utf-8", "surrogateescape").splitlines():
        words, _, more = line.partition(" - ")
        fields = words.split(" ")
        if len(fields) > 4 and more:
            root, place = (_OCTAL.sub(lambda match: chr(int(match[1], 8)), text) for text in fields[3:5])
            yield fields[2], root, place, more.split(" ")[0]
