"""The demo court: the same each time, all fictional, with something to find, and gone when it ends."""

from __future__ import annotations

import re
import socket
import sqlite3
import threading
import xml.etree.ElementTree as ElementTree
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from runner.binding import Documents, bind
from runner.demo import build_demo, serve
from runner.errors import Refused
from runner.plan import Selection
from runner.source import load_source

NOW = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
DOCUMENTATION = [ip_network(net) for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")]
LINE = re.compile(r'(\S+) - - \[([^\]]+)\] "((?:GET|POST) /\S* HTTP/1\.1)" (\d{3}) (\d+) "([^"]*)" "([^"]*)"')


@pytest.fixture
def demo(tmp_path):
    return build_demo(tmp_path / "demo", NOW)


def contents(folder: Path) -> dict[str, bytes]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    place = str(folder).encode()
    return {str(path.relative_to(folder)): path.read_bytes().replace(place, b"FOLDER") for path in files}


def test_same_time_gives_the_same_files(tmp_path):
    one, two = build_demo(tmp_path / "one", NOW), build_demo(tmp_path / "two", NOW)
    assert contents(one.folder) == contents(two.folder)


def test_refuses_a_folder_that_is_in_use(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(Refused, match="not empty"):
        build_demo(tmp_path, NOW)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("name", ["my demo", "a\"b'c", "# x: {y}", "$(touch x)", "${soon}"])
def test_any_folder_name_is_only_a_name(tmp_path, name):
    demo = build_demo(tmp_path / name, NOW)
    website = load_source(demo.inventory).data["websites"]["pn_contoh"]
    assert website["root"] == str(demo.website)
    assert website["database"]["path"] == str(demo.database)


def test_every_visitor_has_a_documentation_address(demo):
    addresses = {ip_address(line.split(" ")[0]) for line in demo.access_log.read_text().splitlines()}
    assert [a for a in addresses if not any(a in network for network in DOCUMENTATION)] == []


def test_access_log_is_a_combined_log_in_order(demo):
    matches = [LINE.fullmatch(line) for line in demo.access_log.read_text().splitlines()]
    assert all(matches)
    times = [datetime.strptime(match[2], "%d/%b/%Y:%H:%M:%S %z") for match in matches if match]
    assert times == sorted(times)
    assert NOW - timedelta(days=3, minutes=2) <= times[0] <= times[-1] < NOW


@pytest.mark.parametrize("mark", ["UNION%20ALL", "etc%2Fpasswd", "%3Cscript%3E", "sqlmap", "jndi", "/.env"])
def test_attacks_stand_in_the_log(demo, mark):
    assert mark in demo.access_log.read_text()


def test_one_service_is_about_to_expire(demo):
    services = load_source(demo.inventory).data["services"]
    soon = [name for name, s in services.items() if s["expires"] < (NOW + timedelta(days=30)).date().isoformat()]
    assert soon == ["domain"]


def test_news_is_fresh_and_announcements_are_stale(demo):
    feed = ElementTree.fromstring((demo.website / "feed.xml").read_text())
    newest = max(parsedate_to_datetime(item.text or "") for item in feed.iter("pubDate"))
    assert timedelta(days=2) < NOW - newest < timedelta(days=4)
    stale = re.search(r'Terakhir diperbarui: <time datetime="([^"]+)"', (demo.website / "pengumuman.html").read_text())
    assert stale is not None
    assert NOW - datetime.fromisoformat(f"{stale[1]}T00:00:00+00:00") > timedelta(days=60)


def test_every_link_of_the_site_leads_somewhere(demo):
    pages = demo.website.rglob("*.html")
    links = {link for page in pages for link in re.findall(r'href="(/[^"]*)"', page.read_text())}
    names = {"index.html" if link == "/" else link[1:] for link in links}
    assert [name for name in names if not (demo.website / name).is_file()] == []


def test_database_holds_the_articles(demo):
    with closing(sqlite3.connect(demo.database)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("SELECT count(*) FROM articles").fetchone()[0] == 9


def test_everybody_is_labelled_as_not_real(demo):
    people = load_source(demo.inventory).data["people"].values()
    assert [p["name"] for p in people if not re.fullmatch(r"Petugas Demo [A-D] \(bukan orang nyata\)", p["name"])] == []


def test_acts_fit_the_playbook_and_the_people(demo):
    people = load_source(demo.inventory).data["people"]
    playbook = load_source(demo.playbook).data
    steps = {step["id"]: step for step in playbook["steps"]}
    for act in demo.acts:
        assert act.role in [holding["role"] for holding in people[act.person]["roles"]]
        assert act.role in playbook["procedure"]["roles"]
        assert act.label in offered(steps[act.step])


ROOT = Path(__file__).parents[1]
PLAYBOOKS = sorted((ROOT / "playbooks").glob("*.yml"))


@pytest.mark.parametrize("playbook", PLAYBOOKS, ids=lambda path: path.stem)
def test_shipped_playbooks_are_accepted_with_the_sample_inventory(playbook):
    bound = bind(Documents(playbook, (ROOT / "inventory",)), Selection(), now=NOW)
    assert all(step.targets for step in bound.plan.steps)


def test_the_demo_is_accepted(demo):
    bound = bind(Documents(demo.playbook, (demo.inventory,)), Selection(), now=NOW)
    assert len(bound.plan.steps) == 9


def offered(step: dict[str, Any]) -> set[str]:
    """All labels that a step's people can choose from."""
    asked = [label for task in step["tasks"] for label in task.get("with", {}).get("answers", ["signed", "returned"])]
    return {*asked, *step.get("decide", {}).get("answers", ())}


def test_serves_the_site_and_ends_cleanly(demo):
    before = set(threading.enumerate())
    with serve(demo.folder) as url:
        assert load_source(demo.inventory).data["websites"]["pn_contoh"]["url"] == url
        with urlopen(f"{url}/") as answer:
            assert "Pengadilan Negeri Contoh" in answer.read().decode()
    assert set(threading.enumerate()) <= before
    assert not is_open(url)


def test_ends_also_when_the_demo_breaks(demo):
    with pytest.raises(RuntimeError), serve(demo.folder) as url:
        raise RuntimeError
    assert not is_open(url)


def test_ends_while_a_client_is_silent(demo):
    with serve(demo.folder) as url, socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))):
        pass
    assert not is_open(url)


def is_open(url: str) -> bool:
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex(("127.0.0.1", int(url.rpartition(":")[2]))) == 0
