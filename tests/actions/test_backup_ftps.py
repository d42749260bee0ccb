"""backup.files over FTPS, from a real FTP server with TLS."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.actions.backup.ftps import parse_fact_line
from runner.actions.backup.sets import BackupSet, load_set
from runner.actions.backup_files import ACTION
from runner.contract import Call
from runner.errors import Failed, Unreachable
from tests.actions.backups import assert_refused, backup_call, run_well, seal
from tests.actions.test_backup_files import snapshot
from tests.calls import NOW
from tests.ftps_server import FtpsServer, ftps_server


@pytest.fixture
def site(tmp_path: Path) -> Path:
    root = tmp_path / "account" / "public_html"
    (root / "img" / "2026").mkdir(parents=True)
    for name in (b"-rf", "é".encode(), b" lead ", b"Case", b"case", b"q\"'`\\", b"n" * 200, b".htaccess"):
        with open(os.fsencode(root) + b"/img/" + name, "wb") as file:
            file.write(name * 40)
    (root / "img" / "2026" / "large.jpg").write_bytes(os.urandom(3_000_000))
    (root / "empty").touch()
    for path in [*root.rglob("*"), root]:
        os.utime(path, (1_700_000_000, 1_700_000_000))
    return root


@pytest.fixture
def server(site: Path, tmp_path: Path) -> Iterator[FtpsServer]:
    with ftps_server(tmp_path / "ftps", site.parent) as running:
        yield running


def call_of(server: FtpsServer, tmp_path: Path, **more: Any) -> Call:
    inputs = {"ftps": {**server.login, **more.pop("ftps", {})}, "root": "/public_html", **more.pop("inputs", {})}
    return backup_call(ACTION, inputs, tmp_path, **more)


def take(server: FtpsServer, tmp_path: Path, day: int) -> BackupSet:
    now = NOW.replace(day=day)
    return load_set(seal(run_well(ACTION, call_of(server, tmp_path, now=now))["part"], tmp_path, now=now))


def test_backs_up_a_site_over_ftps(server: FtpsServer, site: Path, tmp_path: Path) -> None:
    full = take(server, tmp_path, 1)
    (note,) = full.manifest["notes"]
    assert note.startswith("over FTPS: times are in whole seconds")
    place = tmp_path / "restored"
    subprocess.run(["sh", full.folder / "PULIHKAN.sh", place], check=True, capture_output=True)
    assert snapshot(place) == snapshot(site)
    assert take(server, tmp_path, 2).parts == []
    (site / "img" / "case").unlink()
    (site / "img" / "new.txt").write_text("new")
    for path in (site / "img" / "new.txt", site / "img"):
        os.utime(path, (1_700_000_100, 1_700_000_100))
    later = take(server, tmp_path, 3)
    place = tmp_path / "restored-later"
    subprocess.run(["sh", later.folder / "PULIHKAN.sh", place], check=True, capture_output=True)
    assert snapshot(place) == snapshot(site)


def test_previews_over_ftps(server: FtpsServer, tmp_path: Path) -> None:
    preview = ACTION.preview(call_of(server, tmp_path))
    assert preview is not None
    assert "would copy /public_html (13 entries" in preview.message


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"ftps": {"password": "wrong"}}, "FTPS refuses"),
        ({"ftps": {"certificate": "00" * 32}}, "it shows another certificate"),
        ({"inputs": {"root": "/none"}}, "there is no such folder on the server"),
    ],
)
def test_says_why_a_server_gives_nothing(server: FtpsServer, tmp_path: Path, more: dict[str, Any], words: str) -> None:
    assert_refused(ACTION.run(call_of(server, tmp_path, **more)), "backup.files.incomplete", words)


def test_a_certificate_that_nobody_vouches_for_is_refused(server: FtpsServer, tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="certificate verify failed"):
        ACTION.run(call_of(server, tmp_path, ftps={"certificate": ""}))


def test_a_line_that_is_no_entry_is_refused() -> None:
    with pytest.raises(Failed, match="line break"):
        parse_fact_line("half a name", b".")
