"""A folder or a database of a server backed up and sealed in the working folder, as the two tasks of a playbook do.

    python benchmarks/pull.py PORT KEYS SITE

backup.py and backup_database.py measure it; it loads nothing but what a backup needs.
"""

from __future__ import annotations

import getpass
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from runner.actions import backup_seal
from runner.connections import open_connections
from runner.contract import Status
from tests.actions.backups import backup_call


class Server(NamedTuple):
    """The server as the inventory knows it."""

    name: str
    settings: Mapping[str, Any]


def pull(port: str, keys: str, site: str) -> None:
    """Back up a folder of the server's at that port, with the keys in that folder."""
    from runner.actions import backup_files

    back_up(backup_files.ACTION, {"root": site, "increments": 100}, port, keys)


def back_up(action: Any, inputs: Mapping[str, Any], port: str, keys: str) -> None:
    """Have an action make a part, and seal it."""
    settings = {"address": "127.0.0.1", "port": int(port), "user": getpass.getuser(), "identity": f"{keys}/user_key"}
    key = " ".join(Path(f"{keys}/host_key.pub").read_text().split()[:2])
    connections, now = open_connections(known_hosts=[]), datetime.now(UTC)
    connection = connections.get(Server("web1", {**settings, "host_key": key}))
    more = {"connect": lambda: connection, "limit": 3600.0, "now": now}
    part = _run(action, backup_call(action, inputs, Path.cwd(), **more))["part"]
    _run(backup_seal.ACTION, backup_call(backup_seal.ACTION, {"parts": [part]}, Path.cwd(), **more))
    connections.close()


def _run(action: Any, call: Any) -> Mapping[str, Any]:
    outcome = action.run(call)
    if outcome.status is not Status.CHANGED:
        raise SystemExit(outcome.message)
    return dict(outcome.outputs)


if __name__ == "__main__":
    pull(*sys.argv[1:])
