"""logs.fetch: each line once, wherever rotation has put it; what cannot be known is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.actions.log_rotation import Office, Server


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(tmp_path / "var log")


@pytest.fixture
def office(tmp_path: Path, server: Server) -> Office:
    return Office(tmp_path / "office", str(server.log))


def test_only_what_is_new_is_fetched(server: Server, office: Office) -> None:
    server.write(40)
    first = office.work().outputs
    server.write(3)
    second = office.work().outputs
    assert (first["lines"], second["lines"]) == (40, 3)
    assert second["increment"]["after"] == first["increment"]["id"]
    assert office.order == server.written
    assert office.work().outputs["lines"] == 0
