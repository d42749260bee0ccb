"""Backs up a folder and seals it, and dies by SIGKILL at its Nth touch of the destination; 0: lives.

python -m tests.actions.dying_backup ROOT FOLDER N prints how often it touched the destination.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

from runner.actions import backup_files
from runner.actions.backup import packing
from tests.actions.backups import backup_call, run_well, seal
from tests.calls import NOW

TOUCHES = {"open", "os.rename", "os.mkdir", "os.remove", "os.truncate", "os.rmdir", "shutil.rmtree", "sqlite3.connect"}


def main(root: str, folder: Path, last: int) -> int:
    """Make the backup; return how often the destination was touched."""
    count = 0
    place = str(folder / "backups")

    def touch(event: str, values: tuple[object, ...]) -> None:
        nonlocal count
        if event == "frame" or (event in TOUCHES and os.fsdecode(str(values[0])).startswith(place)):
            count += 1
            if count == last:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(touch)
    packing.FRAME = 64 * 1024
    packing.LARGEST_FRAME = 128 * 1024
    flush = packing.Packer._flush

    def flush_and_touch(self: packing.Packer, *, open_: bool = False, ends: bool = False) -> None:
        flush(self, open_=open_, ends=ends)
        self._storing.wait()
        touch("frame", ())

    packing.Packer._flush = flush_and_touch  # type: ignore[method-assign]  # a frame is a touch, done before the next
    now = NOW + timedelta(minutes=last)
    inputs = {"root": root, "volume_size": 8}
    seal(
        run_well(backup_files.ACTION, backup_call(backup_files.ACTION, inputs, folder, now=now))["part"],
        folder,
        now=now,
    )
    return count


if __name__ == "__main__":
    print(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
