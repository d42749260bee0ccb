"""What the tests of the backup actions share: calls into a folder of their own, and restoring with plain tools."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from runner.actions import backup_seal
from runner.contract import Action, Call, Command, Outcome, Result, Status
from runner.durations import Deadline
from tests.calls import LocalConnection, assert_fits, make_call

TARGET = {"name": "pn_tais", "kind": "website", "url": "http://127.0.0.1/", "server": "here"}
PROGRAMS = [
    "sh",
    "cat",
    "head",
    "tar",
    "env",
    "ls",
    "wc",
    "rm",
    "mktemp",
    "du",
    "cut",
    "mariadb",
    "mariadb-dump",
    "python3",
    "psql",
    "pg_dump",
    "sqlite3",
    "zstd",
]
UNPACK = {"zstd": ["zstd", "-dc"], "gzip": ["gzip", "-dc"]}


def backup_call(action: Action, inputs: Mapping[str, Any], folder: Path, **more: Any) -> Call:
    """A call whose backups go into `folder`/backups."""
    destination = {"destination": str(folder / "backups")} if "destination" in action.inputs else {}
    return make_call(action, {**destination, **inputs}, directory=folder, **{"target": TARGET, "limit": 300.0, **more})


def run_well(action: Action, call: Call) -> Mapping[str, Any]:
    """Run an action that has to succeed; return its outputs."""
    outcome = action.run(call)
    assert outcome.status is Status.CHANGED, outcome.message
    assert_fits(action, outcome.outputs)
    return outcome.outputs


def assert_refused(outcome: Outcome, key: str, *words: str) -> None:
    """Assert that a backup was refused with that problem, in those words."""
    assert outcome.status is Status.FAILED
    assert [problem.key for problem in outcome.problems] == [key]
    for word in words:
        assert word in outcome.message, outcome.message
    assert outcome.outputs == {}


def files_in(folder: Path) -> list[str]:
    """Paths of all files under a folder, relative to it."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def unpack_volumes(folder: Path, to: Path) -> None:
    """Unpack all volumes in a folder with plain tools."""
    for volume in sorted(folder.glob("p*.tar.zst")):
        plain = subprocess.run(["zstd", "-dc", volume], capture_output=True, check=True).stdout
        subprocess.run(["tar", "-xpf", "-", "-C", to], input=plain, check=True)


def seal(part: Mapping[str, Any], folder: Path, **more: Any) -> Path:
    """Seal a part; return the set's folder."""
    call = backup_call(backup_seal.ACTION, {"parts": [part]}, folder, **more)
    return Path(run_well(backup_seal.ACTION, call)["set"])


def unpack(part: Mapping[str, Any]) -> bytes:
    """The plain content of a part, by the tool that its paper names."""
    return subprocess.run([*UNPACK[part["compression"]], part["path"]], capture_output=True, check=True).stdout


class Server(NamedTuple):
    """A server as the inventory knows it."""

    name: str
    settings: Mapping[str, Any]


def deleted_in(chosen: Path) -> list[bytes]:
    """The paths that an increment says are gone since its parent, read with plain tools."""
    lines = subprocess.run(["zstd", "-dc", chosen / "deleted.jsonl.zst"], capture_output=True, check=True).stdout
    return [json.loads(line)["path"].encode() for line in lines.splitlines()]


class PathWithout:
    """A PATH of links to the programs of this machine, without some of them."""

    def __init__(self, folder: Path, *missing: str) -> None:
        self.folder = folder / "bin"
        self.folder.mkdir()
        for name in PROGRAMS:
            if name not in missing:
                (self.folder / name).symlink_to(_which(name))

    def __str__(self) -> str:
        return str(self.folder)


def _which(name: str) -> str:
    found = os.path.realpath(sys.executable) if name == "python3" else shutil.which(name)
    assert found, f"{name} is needed for this test"
    return found


def processes_seen() -> list[bytes]:
    """Command lines and environments of all processes of this machine."""
    return [_read(entry / name) for entry in Path("/proc").glob("[0-9]*") for name in ("cmdline", "environ")]


def _read(path: Path) -> bytes:
    """A file's bytes, none where it is gone or closed to us."""
    try:
        return path.read_bytes()
    except OSError:  # it ended meanwhile
        return b""


@dataclass(frozen=True, slots=True)
class Spoiling(LocalConnection):
    """A connection over which the dump arrives altered, and ends as if all were well."""

    alter: Callable[[bytes], bytes]

    def stream(self, command: Command, deadline: Deadline, sink: Callable[[bytes], None]) -> Result:
        result = self.run(command, deadline)
        sink(self.alter(result.stdout))
        return Result(0)
