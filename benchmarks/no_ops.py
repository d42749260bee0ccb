"""A run of tasks that do nothing, through plan, engine and journal: what each outcome costs that is on the disk.

    python benchmarks/no_ops.py TARGETS TASKS FOLDER

It is `command.run` whose command is not run; the threads, the journal and its syncs are those of every run.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from runner.actions import command_run
from runner.cli import main
from runner.contract import Call, Outcome, Reach, Status


def run(call: Call) -> Outcome:
    """Do nothing."""
    return Outcome(Status.CHANGED, outputs={"stdout": "", "stderr": "", "exit_code": 0})


def prepare(folder: Path, targets: int, tasks: int) -> list[str]:
    """Write playbook and inventory into a folder and return the words for sop."""
    steps = [{"id": f"task{number}", "action": "command.run", "with": {"argv": ["true"]}} for number in range(tasks)]
    step = {"id": "nothing", "activity": "Nothing", "targets": "servers", "tasks": steps}
    (folder / "playbook.yml").write_text(json.dumps({"procedure": {"title": "Nothing"}, "steps": [step]}))
    servers = {f"server{number:04d}": {"connection": "local"} for number in range(targets)}
    (folder / "inventory.yml").write_text(json.dumps({"servers": servers}))
    words = ["run", str(folder / "playbook.yml"), "-i", str(folder / "inventory.yml"), "-f", "400"]
    return [*words, "--records", str(folder / "records")]


if __name__ == "__main__":
    command_run.ACTION = command_run.ACTION._replace(run=run, reach=Reach.CONTROLLER)
    main(prepare(Path(sys.argv[3]), int(sys.argv[1]), int(sys.argv[2])))
