"""A connection that breaks in the middle: what came stays, the next run has the rest come."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runner.actions.backup import packing
from runner.actions.backup.sets import list_sets
from runner.actions.backup_files import ACTION
from runner.connections import open_connections
from runner.contract import Command, Connection, Result
from runner.durations import Deadline
from runner.errors import TimeUp, Unreachable
from tests.actions.backups import Server, backup_call, files_in, run_well, unpack_volumes
from tests.actions.test_backup_files import snapshot
from tests.relay import Relay, relay_to
from tests.sshd import SshServer, ssh_server

KIB = 1024
FILES, SIZE = 160, 400 * KIB  # far more than comes before the break and what is then on its way (twice 8 MiB)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    root = tmp_path / "site"
    root.mkdir()
    for number in range(FILES):
        (root / f"{number:02d}.jpg").write_bytes(os.urandom(SIZE))
    return root


@pytest.fixture(autouse=True)
def small_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames of 256 KiB: a small site has many."""
    monkeypatch.setattr(packing, "FRAME", 256 * KIB)
    monkeypatch.setattr(packing, "LARGEST_FRAME", 512 * KIB)


class Counting:
    """A connection that counts what tar sends, and does something once so much has come; at -1, before it begins."""

    def __init__(self, connection: Connection, at: int = 0, then: Callable[[], None] = lambda: None) -> None:
        self._connection, self._at, self._then = connection, at, then
        self.came = 0

    def run(self, command: Command, deadline: Deadline) -> Result:
        return self._connection.run(command, deadline)

    def stream(self, command: Command, deadline: Deadline, sink: Callable[[bytes], None]) -> Result:
        if self._at < 0 and " tar " in command.line:
            self._then()

        def count(piece: bytes) -> None:
            if " tar " in command.line:
                before, self.came = self.came, self.came + len(piece)
                if before < self._at <= self.came:
                    self._then()
            sink(piece)

        return self._connection.stream(command, deadline, count)


@contextmanager
def over(server: SshServer, relay: Relay) -> Iterator[Connection]:
    connections = open_connections(known_hosts=[])
    settings = {**server.settings, "port": relay.port, "host_key": server.host_key()}
    try:
        yield connections.get(Server("web1", settings))
    finally:
        connections.close()


def test_a_connection_that_breaks_costs_a_frame(site: Path, tmp_path: Path) -> None:
    whole = FILES * SIZE
    with ssh_server(tmp_path / "sshd") as server:
        with relay_to(server.port) as relay, over(server, relay) as connection:
            broken = Counting(connection, whole // 4, relay.close)
            call = backup_call(ACTION, {"root": str(site)}, tmp_path, connect=lambda: broken)
            with pytest.raises(Unreachable):
                ACTION.run(call)
        folder = tmp_path / "backups" / "WEB-PN-TAIS"
        assert list_sets(folder).sets == ()
        assert [name for name in files_in(folder) if not name.startswith("files-site.partial/")] == [".lock"]
        with relay_to(server.port) as relay, over(server, relay) as connection:
            second = Counting(connection)
            part = run_well(ACTION, backup_call(ACTION, {"root": str(site)}, tmp_path, connect=lambda: second))["part"]
    assert second.came <= whole * 3 // 4 + 512 * KIB + 2 * SIZE + FILES * 1536 + 10240
    (tmp_path / "restored").mkdir()
    unpack_volumes(Path(part["path"]), tmp_path / "restored")
    assert snapshot(tmp_path / "restored") == snapshot(site)


@pytest.mark.heavy
@pytest.mark.promise(
    "Network", "a link falls silent in the middle of a backup", "ends with the time limit; nothing is kept as good"
)
def test_a_link_that_falls_silent_ends_with_the_time_limit(site: Path, tmp_path: Path) -> None:
    with ssh_server(tmp_path / "sshd") as server, relay_to(server.port) as relay, over(server, relay) as connection:
        silent = Counting(connection, -1, relay.fall_silent)
        with pytest.raises((TimeUp, Unreachable)):
            ACTION.run(backup_call(ACTION, {"root": str(site)}, tmp_path, connect=lambda: silent, limit=15.0))
    with ssh_server(tmp_path / "again") as server, relay_to(server.port) as relay, over(server, relay) as connection:
        run_well(ACTION, backup_call(ACTION, {"root": str(site)}, tmp_path, connect=lambda: connection))
