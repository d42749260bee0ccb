"""Restores by a signed plan, and dies by SIGKILL at its Nth command on the server.

python -m tests.actions.dying_restore FOLDER HOW N INPUTS prints how many commands it gave, and what came of it.
INPUTS is the JSON of the restore's inputs; HOW is `before`, `midst` or `after` it; N is 0 for one that lives, or words
that stand among the command's parameters: the first that has them is meant.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path

from runner.actions import backup_restore
from runner.connections.local import LocalConnection
from runner.contract import Command, Result
from runner.durations import Deadline
from tests.actions.backups import backup_call
from tests.actions.test_backup_restore import SIGNED


class Dying(LocalConnection):
    """This machine, until its Nth command."""

    def __init__(self, how: str, last: str) -> None:
        super().__init__()
        self._how, self._last, self._number = how, last, threading.Lock()
        self.count = 0

    def run(self, command: Command, deadline: Deadline) -> Result:
        """Run the command, unless it is the last one."""
        with self._number:
            self.count += 1
            is_last = str(self.count) == self._last or self._is_named(command)
        if is_last and self._how == "midst":
            half = replace(command, stdin=command.stdin[: len(command.stdin) // 2])
            threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGKILL)).start()
            super().run(half, deadline)
        if is_last and self._how == "after":
            super().run(command, deadline)
        if is_last:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().run(command, deadline)

    def _is_named(self, command: Command) -> bool:
        return not self._last.isdigit() and any(self._last in each for each in command.parameters)


def main(folder: Path, how: str, last: str, inputs: str) -> None:
    """Restore, and say what came of it."""
    given = json.loads(inputs)
    connection = Dying(how, last)
    signatures = {given["plan"]["sha256"]: SIGNED}
    call = backup_call(backup_restore.ACTION, given, folder, signatures=signatures, connect=lambda: connection)
    outcome = backup_restore.ACTION.run(call)
    connection.close()
    print(connection.count, outcome.status)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4])
