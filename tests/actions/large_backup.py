"""Backs up a folder over a real SSH server and seals it; prints the largest memory of this process in MiB.

python -m tests.actions.large_backup ROOT FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

from runner.actions import backup_files
from runner.connections import open_connections
from tests.actions.backups import Server, backup_call, run_well, seal
from tests.processes import peak_memory
from tests.sshd import ssh_server


def main(root: str, folder: Path) -> int:
    """Make the backup; return the peak of resident memory."""
    with ssh_server(folder / "sshd") as server:
        connections = open_connections(known_hosts=[server.known_hosts])
        connection = connections.get(Server("web1", server.settings))
        call = backup_call(backup_files.ACTION, {"root": root}, folder, connect=lambda: connection, limit=3000.0)
        seal(run_well(backup_files.ACTION, call)["part"], folder, limit=3000.0)
        connections.close()
    return peak_memory()


if __name__ == "__main__":
    print(main(sys.argv[1], Path(sys.argv[2])))
