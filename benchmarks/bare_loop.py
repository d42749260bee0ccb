"""The least that Python can do with paramiko: a thread for each of FORKS targets at a time, one connection and one
shell for each target, and each command a line to that shell. No limits, no record, no exit codes but a check.

    python benchmarks/bare_loop.py FORKS JOB.json

The job names the targets [{address, port, user}], the key file, the known_hosts file and the commands.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import paramiko


def main(forks: int, job: dict[str, Any]) -> None:
    """Carry the job out and print how many commands ended well."""
    key = paramiko.PKey.from_path(job["identity"])
    known = paramiko.HostKeys(job["known_hosts"])

    def serve(target: dict[str, Any]) -> int:
        client = paramiko.SSHClient()
        name = f"[{target['address']}]:{target['port']}"
        for kind, host_key in known[name].items():
            client.get_host_keys().add(name, kind, host_key)
        client.connect(
            target["address"], target["port"], target["user"], pkey=key, allow_agent=False, look_for_keys=False
        )
        stdin, stdout, _ = client.exec_command("sh")
        good = 0
        for number, command in enumerate(job["commands"]):
            stdin.write(f"( {command} ) </dev/null; echo end-{number}-$?\n")
            stdin.flush()
            while not (line := stdout.readline()).startswith(f"end-{number}-"):
                assert line, "the shell has ended"
            good += line == f"end-{number}-0\n"
        client.close()
        return good

    with ThreadPoolExecutor(forks) as threads:
        print("good:", sum(threads.map(serve, job["targets"])))


if __name__ == "__main__":
    main(int(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text()))
