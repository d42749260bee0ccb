"""Restores over SFTP or FTPS, and dies by SIGKILL once so many bytes went there.

python -m tests.actions.dying_far FOLDER PORT MOST JOB: JOB is the JSON of the restore's inputs, and of the SSH server's
settings where it goes over SFTP (else null); PORT is the server's.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from runner.actions import backup_restore
from runner.connections import open_connections
from tests.actions.backups import Server, backup_call
from tests.actions.test_backup_restore import SIGNED
from tests.relay import Relay


class Deadly(Relay):
    """A link that takes this process with it."""

    def close(self) -> None:
        """Die."""
        os.kill(os.getpid(), signal.SIGKILL)


def main(folder: Path, port: int, most: int, inputs: dict[str, Any], server: dict[str, Any] | None) -> None:
    """Restore as far as that goes."""
    relay = Deadly(port, most)
    more: dict[str, Any] = {"signatures": {inputs["plan"]["sha256"]: SIGNED}}
    if server is None:
        inputs["ftps"]["port"] = relay.port
    else:
        connections = open_connections(known_hosts=[])
        more["connect"] = lambda: connections.get(Server("web1", {**server, "port": relay.port}))
    backup_restore.ACTION.run(backup_call(backup_restore.ACTION, inputs, folder, **more))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), *json.loads(sys.argv[4]))
