"""The shipped playbook that brings a website back, from the backup to the second signature: as a person runs it."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from tests.ftps_server import ftps_server
from tests.officials import Office

ROOT = Path(__file__).parents[1]
RECOVERY, MAINTENANCE = (str(ROOT / "playbooks" / f"{name}-website.yml") for name in ("pemulihan", "pemeliharaan"))
PAGE = "<title>Pengadilan Negeri Contoh</title>"


@pytest.fixture(params=["here, with a database", "over FTPS, without one"])
def website(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """A website's settings in the inventory; its files lie in tmp_path/www/html."""
    html = tmp_path / "www" / "html"
    (html / "images").mkdir(parents=True)
    (html / "index.html").write_text(PAGE)
    (html / "images" / "logo.png").write_bytes(os.urandom(1000))
    site = {"url": "http://127.0.0.1:9/", "server": "here", "services": ["domain"]}
    with ExitStack() as stack:
        if "FTPS" in request.param:
            login = stack.enter_context(ftps_server(tmp_path / "ftps", html.parent, perm="elradfmwMT")).login
            (tmp_path / "ftp.key").write_text(str(login["password"]))
            (tmp_path / "ftp.key").chmod(0o600)
            yield site | {"root": "/html", "ftps": login | {"password": {"secret": "ftp"}}}
            return
        with closing(sqlite3.connect(tmp_path / "site.sqlite")) as base:
            base.executescript("CREATE TABLE news (title TEXT); INSERT INTO news VALUES ('Zona Integritas');")
        yield site | {"root": str(html), "database": {"engine": "sqlite", "path": str(tmp_path / "site.sqlite")}}


@pytest.fixture
def office(
    website: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Office:
    """The court that keeps that website, in its working folder."""
    roles = [{"role": role, "from": "2026-01-02"} for role in ("admin", "sekretaris")]
    inventory = {
        "office": {"name": "Pengadilan Negeri Contoh", "timezone": "Asia/Jakarta"},
        "websites": {"pn_contoh": website},
        "servers": {"here": {"connection": "local"}},
        "services": {"domain": {"kind": "domain", "name": "pn-contoh.example"}},
        "people": {
            "budi": {"name": "Budi Santoso", "login": "budi", "roles": roles},
            "rina": {"name": "Rina", "login": "rina", "roles": [{"role": "kasubbag", "from": "2026-01-02"}]},
        },
        "secrets": {"ftp": {"file": str(tmp_path / "ftp.key")}},
    }
    (tmp_path / "inventory").mkdir()
    (tmp_path / "inventory" / "office.yml").write_text(json.dumps(inventory))
    monkeypatch.chdir(tmp_path)
    return Office(monkeypatch, capsys)


def state(folder: Path) -> dict[str, Any]:
    """What the website holds: its files, and its news."""
    html = folder / "www" / "html"
    files: dict[str, Any] = {str(p.relative_to(html)): p.read_bytes() for p in html.rglob("*") if p.is_file()}
    base = folder / "site.sqlite"
    if base.exists():
        with closing(sqlite3.connect(base)) as open_:
            if open_.execute("SELECT 1 FROM sqlite_master").fetchone():
                files["news"] = open_.execute("SELECT title FROM news").fetchall()
    return files


def change_pages(folder: Path) -> None:
    (folder / "www/html/index.html").write_text("diretas")
    (folder / "www/html/images/logo.png").unlink()


def empty_tables(folder: Path) -> None:
    _execute(folder, "DELETE FROM news")


def drop_all(folder: Path) -> None:
    shutil.rmtree(folder / "www/html")
    _execute(folder, "DROP TABLE news")


def _execute(folder: Path, statement: str) -> None:
    if (folder / "site.sqlite").exists():
        with closing(sqlite3.connect(folder / "site.sqlite")) as base:
            base.executescript(statement)


@pytest.mark.parametrize("damage", [change_pages, empty_tables, drop_all])
def test_a_website_is_brought_back_by_a_signed_plan(
    office: Office, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    assert office.do("budi", "run", MAINTENANCE, "--only", "backup") == 10, office.says  # no medium is named
    whole = state(tmp_path)
    damage(tmp_path)
    broken = state(tmp_path)

    assert office.do("budi", "run", RECOVERY) == 3, office.says
    assert state(tmp_path) == broken  # nothing is touched before it is signed
    assert office.sign("budi", "approve", "--answer", "signed") != 0  # the role is another person's
    assert office.sign("rina", "approve", "--answer", "signed") == 0, office.says
    office.do("budi", "resume", "last")
    assert state(tmp_path) == whole, office.says
    assert office.sign("rina", "accept", "--answer", "signed") == 0, office.says
    assert "rahasia ftp" not in office.says + (tmp_path / "records" / "journal.sqlite").read_text("latin-1")


def test_one_file_alone_is_brought_back(office: Office, tmp_path: Path) -> None:
    assert office.do("budi", "run", MAINTENANCE, "--only", "backup") == 10, office.says
    whole = state(tmp_path)
    change_pages(tmp_path)
    empty_tables(tmp_path)
    broken = state(tmp_path)
    assert office.do("budi", "run", RECOVERY, "-e", "paths=[index.html]") == 3, office.says
    assert office.sign("rina", "approve", "--answer", "signed") == 0, office.says
    office.do("budi", "resume", "last")
    assert state(tmp_path) == {**broken, "index.html": whole["index.html"]}, office.says


def test_what_a_restore_set_aside_in_the_folder_is_in_no_later_backup(office: Office, tmp_path: Path) -> None:
    aside = tmp_path / "www" / "html" / ".lama-0123456789ab"
    aside.mkdir()
    (aside / "index.php").write_text("<?php // diretas")
    assert office.do("budi", "run", MAINTENANCE, "--only", "backup") == 10, office.says
    (listed,) = (tmp_path / "backups").glob("*/*-P/files.jsonl.zst")
    lines = subprocess.run(["zstd", "-dc", listed], capture_output=True, check=True).stdout.splitlines()
    assert {json.loads(line)["path"] for line in lines} == {".", "index.html", "images", "images/logo.png"}
    assert office.do("budi", "run", RECOVERY) == 3, office.says
    found = office.document("show", "last")
    (compared,) = [target["tasks"][0] for target in found["steps"][0]["targets"]]
    assert compared["outputs"]["files"]["only_live"] == 0
