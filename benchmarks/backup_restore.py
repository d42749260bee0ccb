"""A sealed set of 30,000 files and 0.9 GB restored on this machine, beside `zstd -dc | tar -x`, and one file of it.

    python benchmarks/backup_restore.py [ROUNDS]

The site is that of backup.py. sop holds every content against its hash on the way, which the pipe does not; the process
that measures runs it, so its start is not in the figures. The one file is an entry in the middle of the list.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from backup import build_site
from measuring import render_machine, render_share

from runner.actions import backup_files
from runner.actions.backup.roster import Roster
from runner.actions.backup.set_reading import read_entries
from runner.actions.backup.sets import load_set
from runner.actions.restore.selecting import select
from runner.actions.restore.unpacking import Place, Unpacker
from runner.connections.local import LocalConnection
from runner.durations import Deadline
from tests.actions.backups import backup_call, run_well, seal

Runs = Mapping[str, list[tuple[float, float]]]  # by name: seconds on the clock, seconds of CPU
PIPE, OURS, ONE = "zstd, tar", "sop, all files", "sop, one file"


def build_set(folder: Path) -> Path:
    """Make the site, back it up, and return the sealed set."""
    build_site(folder / "site")
    inputs = {"root": str(folder / "site")}
    call = backup_call(backup_files.ACTION, inputs, folder, connect=LocalConnection, limit=3600.0)
    return seal(run_well(backup_files.ACTION, call)["part"], folder)


def restore(folder: Path, paths: Sequence[str], out: Path) -> None:
    """Unpack these paths of a set, or all of it, each content held against its hash."""
    found, deadline = load_set(folder), Deadline.after(3600)
    roster = Roster(out.parent, select(found, paths))
    with Unpacker(Place(LocalConnection(), str(out), deadline)) as unpacker:
        read_entries({found.name: found}, roster, unpacker, deadline)
        unpacker.finish()
    roster.close()


def unpack(folder: Path, out: Path) -> None:
    """The same by plain tools."""
    line = 'for part in "$1"/p*.tar.zst; do zstd -dc "$part" | tar -xpf - -C "$2"; done'
    subprocess.run(["sh", "-ec", line, "sh", str(folder), str(out)], check=True)


def take_turns(folder: Path, rounds: int) -> Runs:
    """Restore by each in turn, so often, into an empty folder each time."""
    runs: dict[str, list[tuple[float, float]]] = {PIPE: [], OURS: [], ONE: []}
    acts: dict[str, Callable[[Path], None]] = {
        PIPE: lambda out: unpack(folder, out),
        OURS: lambda out: restore(folder, (), out),
        ONE: lambda out: restore(folder, ("wp-admin/admin.php",), out),
    }
    for _ in range(rounds):
        for name, act in acts.items():
            with tempfile.TemporaryDirectory(prefix="sop-restore-") as place:
                out = Path(place) / "out"
                out.mkdir()
                begun, used = time.monotonic(), _cpu()
                act(out)
                runs[name].append((time.monotonic() - begun, _cpu() - used))
                assert (out / "wp-admin" / "admin.php").is_file()
    return runs


def render(runs: Runs) -> Iterator[str]:
    """Give the table: medians, and each as a share of the pipe's."""
    yield "| restored by | wall s | CPU s | of the pipe's wall | of its CPU |"
    yield "|---|---:|---:|---:|---:|"
    pipe = [median(each) for each in zip(*runs[PIPE], strict=True)]
    for name, found in runs.items():
        wall, cpu = (median(each) for each in zip(*found, strict=True))
        shares = ["", ""] if name == PIPE else [render_share(wall / pipe[0]), render_share(cpu / pipe[1])]
        yield f"| {name} | {wall:.2f} | {cpu:.2f} | {' | '.join(shares)} |"


def _cpu() -> float:
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def main(rounds: int) -> None:
    """Measure, and print the table."""
    folder = Path(tempfile.mkdtemp(prefix="sop-restore-"))
    try:
        runs = take_turns(build_set(folder), rounds)
        print(f"Measured on: {render_machine()}; {rounds} rounds.\n")
        print("\n".join(render(runs)))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
