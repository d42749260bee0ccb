"""The guard of this machine's commands: they end when `sop` dies, in whatever moment that is."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.processes import await_end

KILLED = """
import sys
from runner.connections.local import LocalConnection
from runner.contract import Command
from runner.durations import Deadline
LocalConnection().run(Command(line=f'kill -9 $PPID; exec sleep {sys.argv[1]}'), Deadline.after(60))
"""


@pytest.mark.promise("Power cut", "sop is killed in the first instant of a command of this machine", "the command ends")
def test_a_command_that_has_only_just_begun_ends_with_sop() -> None:
    for number in range(6):
        mark = f"120.{os.getpid()}{number}"
        assert subprocess.run([sys.executable, "-c", KILLED, mark], timeout=60).returncode == -9
        await_end(mark, 30)
