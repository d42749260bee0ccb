"""website.maintenance: a closed site opens again, by us or by itself; what others closed is theirs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.actions.website_maintenance import ACTION
from runner.connections import Connections
from runner.contract import Outcome, Status
from runner.errors import Failed
from tests.calls import assert_fits, make_call
from tests.connections.conftest import target_of
from tests.sshd import ssh_server
from tests.wordpress_lab import WordPress, wordpress_lab

JOOMLA = (Path(__file__).parents[1] / "cases" / "site-configs" / "joomla.php").read_text()


@pytest.fixture(params=["wordpress", "joomla"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    root = tmp_path / "it's a site"
    root.mkdir()
    if request.param == "wordpress":
        (root / "wp-load.php").touch()
    else:
        (root / "configuration.php").write_text(JOOMLA)
        (root / "configuration.php").chmod(0o444)
    return root


def maintain(site: Path, folder: Path, *, closed: bool, **inputs: Any) -> Outcome:
    cms = "wordpress" if (site / "wp-load.php").exists() else "joomla"
    target = {"name": "pn", "kind": "website", "root": str(site), "cms": cms}
    outcome = ACTION.run(make_call(ACTION, {"closed": closed, **inputs}, directory=folder, target=target))
    assert_fits(ACTION, outcome.outputs)
    return outcome


def state(site: Path) -> dict[str, tuple[str, int]]:
    return {path.name: (path.read_text(), path.stat().st_mode) for path in site.iterdir()}


def is_closed(site: Path) -> bool:
    config = site / "configuration.php"
    if not config.exists():
        return (site / ".maintenance").exists()
    assert config.read_text().replace("$offline = true;", "$offline = false;") == JOOMLA
    return "public $offline = true;" in config.read_text()


def test_closes_and_opens_and_leaves_nothing(site: Path, tmp_path: Path) -> None:
    before = state(site)
    outcome = maintain(site, tmp_path, closed=True)
    assert (outcome.status, outcome.outputs["by_us"]) == (Status.CHANGED, True)
    assert outcome.outputs["until"] == "2026-11-22T11:00:00+07:00"
    assert is_closed(site)
    again = maintain(site, tmp_path, closed=True)
    assert (again.status, again.outputs["closed"]) == (Status.OK, True)
    assert is_closed(site)
    assert maintain(site, tmp_path, closed=False).status is Status.CHANGED
    assert state(site) == before
    assert maintain(site, tmp_path, closed=False).outputs == {"closed": False, "by_us": False, "until": ""}


def test_shows_no_copy_of_the_configuration_as_text(site: Path, tmp_path: Path) -> None:
    maintain(site, tmp_path, closed=True)
    assert all(path.suffix == ".php" or "rahasia" not in path.read_text() for path in site.iterdir())


def test_leaves_alone_what_somebody_else_closed(site: Path, tmp_path: Path) -> None:
    if (site / "wp-load.php").exists():
        (site / ".maintenance").write_text("<?php $upgrading = 1;")
    else:
        (site / "configuration.php").chmod(0o644)
        (site / "configuration.php").write_text(JOOMLA.replace("$offline = false;", "$offline = true;"))
    before = state(site)
    for closed in (True, False):
        outcome = maintain(site, tmp_path, closed=closed)
        assert outcome.status is Status.OK
        assert not outcome.outputs["by_us"]
        assert state(site) == before


def test_opens_by_itself_when_nobody_does(tmp_path: Path) -> None:
    """Over SSH, whose agent ends what its commands leave behind: the process that opens the site outlives that."""
    (tmp_path / "configuration.php").write_text(JOOMLA)
    with ssh_server(tmp_path / "sshd") as server:
        connections = Connections((server.known_hosts,))
        inputs = {"closed": True, "root": str(tmp_path), "cms": "joomla", "at_most": "2s"}
        connection = connections.get(target_of(server))
        ACTION.run(make_call(ACTION, inputs, directory=tmp_path, connect=lambda: connection))
        assert is_closed(tmp_path)
        connections.close()
    until = time.monotonic() + 60
    while is_closed(tmp_path) or list(tmp_path.glob("*sop*")):
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({}, "root: the site's folder is not known"),
        ({"root": "/tmp", "cms": "joomla"}, "there is no Joomla in this folder"),
        ({"root": "/tmp", "cms": "wordpress"}, "there is no WordPress in this folder"),
        ({"root": "/nowhere", "cms": "wordpress"}, "cannot be closed"),
        ({"root": "/tmp"}, "cms: None has no maintenance mode"),
        ({"root": "/tmp", "cms": "wordpress", "at_most": "soon"}, "at_most: "),
    ],
)
def test_says_why_it_cannot(tmp_path: Path, inputs: dict[str, str], words: str) -> None:
    with pytest.raises(Failed, match=words):
        ACTION.run(make_call(ACTION, {"closed": True, **inputs}, directory=tmp_path))


@pytest.fixture(scope="module")
def wordpress() -> Iterator[WordPress]:
    with wordpress_lab(posts=2) as running:
        yield running


@pytest.mark.heavy
def test_a_real_wordpress_is_closed_to_visitors_and_opens_by_itself(wordpress: WordPress, tmp_path: Path) -> None:
    connections = Connections((wordpress.ssh.known_hosts,))
    connection = connections.get(target_of(wordpress.ssh))
    try:
        for closed, status in ((True, 503), (False, 200)):
            inputs = {"closed": closed, "root": str(wordpress.root), "cms": "wordpress"}
            ACTION.run(make_call(ACTION, inputs, directory=tmp_path, connect=lambda: connection))
            assert wordpress.get("/")[0] == status
        inputs = {"closed": True, "root": str(wordpress.root), "cms": "wordpress", "at_most": "1s"}
        ACTION.run(make_call(ACTION, inputs, directory=tmp_path, connect=lambda: connection))
        until = time.monotonic() + 60
        while wordpress.get("/")[0] != 200:
            assert time.monotonic() < until
            time.sleep(0.1)
    finally:
        connections.close()
