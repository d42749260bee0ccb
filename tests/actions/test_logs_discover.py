"""logs.discover: configurations of nginx, Apache and LiteSpeed, usual places, forms, rotated files, tools."""

from __future__ import annotations

import gzip
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from runner.actions import ACTIONS
from runner.actions.logs.configurations import find_logs, name_form
from runner.actions.logs.increment import log_of
from runner.actions.logs_discover import name_log
from runner.contract import Outcome
from tests.calls import make_call

DISCOVER = ACTIONS["logs.discover"]
CASES = Path(__file__).parents[1] / "cases" / "logs.discover"
SITE = {"name": "pn_contoh", "kind": "website", "url": "https://www.pn-contoh.go.id/"}
LINE = b'192.0.2.7 - - [22/Nov/2026:08:59:5%d +0700] "GET / HTTP/1.1" 200 512 "-" "Mozilla"\n'


def read_case(kind: str, logs: Path) -> dict[str, str]:
    """The configuration of a case, its logs in `logs`."""
    files = sorted(path for path in (CASES / kind).rglob("*") if path.is_file())
    return {f"/etc/{path.relative_to(CASES)}": path.read_text().replace("LOGS", str(logs)) for path in files}


def forms_of(kind: str) -> dict[str, tuple[str, tuple[str, ...]]]:
    named = find_logs(read_case(kind, Path("/logs")))
    return {each.path: (each.form, each.sites) for each in named}


def test_nginx_logs_are_found_with_form_and_names() -> None:
    timed = (
        '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
        '"$http_referer" "$http_user_agent" $request_time'
    )
    assert forms_of("nginx") == {
        "/logs/access.log": ("combined", ()),
        "/logs/pn-contoh.access.log": (timed, ("pn-contoh.go.id", "www.pn-contoh.go.id")),
        "/logs/ppid.json": ("json", ("ppid.pn-contoh.go.id",)),
        "/logs/*-access.log": ("combined", ("sipp.pn-contoh.go.id",)),
    }


def test_apache_logs_are_found_with_form_and_names() -> None:
    proxied = '%{X-Forwarded-For}i %l %u %t "%r" %>s %b "%{Referer}i" "%{User-agent}i" %D'
    assert forms_of("apache2") == {
        "/logs/other_vhosts_access.log": ("vhost", ()),
        "/logs/access.log": ("combined", ("pn-contoh.go.id", "www.pn-contoh.go.id")),
        "/logs/ppid.*-*-*.log": (proxied, ("ppid.pn-contoh.go.id",)),
        "/logs/transfer.log": ("common", ("ppid.pn-contoh.go.id",)),
    }


def test_litespeed_logs_are_found_with_form_and_names() -> None:
    assert forms_of("lsws") == {"/logs/court.access_log": ('%v %h %l %u %t "%r" %>s %b', ("pn-contoh.go.id",))}


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ('%h %l %u %t \\"%r\\" %>s %b \\"%{Referer}i\\" \\"%{User-Agent}i\\"', "combined"),
        ('%v:%p %h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-agent}i"', "vhost"),
        ('%h %l %u %t "%r" %>s %b', "common"),
        ("{ time: $time_iso8601 }", "json"),
        (
            '$http_x_forwarded_for [$time_local] "$request" $status',
            '$http_x_forwarded_for [$time_local] "$request" $status',
        ),
    ],
)
def test_usual_forms_have_names(line: str, name: str) -> None:
    assert name_form(line) == name


@pytest.mark.parametrize(
    "name",
    [
        "access.log",
        "access.log.1",
        "access.log.12.gz",
        "access.log-20261121",
        "access.log-20261121.gz",
        "access-20261121.log",
        "access-2026-11-21.log.xz",
        "access.log.old",
        "access.log-2026112103.zst",
    ],
)
def test_rotated_names_belong_to_their_log(name: str) -> None:
    assert log_of(f"/var/log/{name}") == "/var/log/access.log"


def discover(folder: Path, kind: str, **inputs: Any) -> Outcome:
    logs = folder / "logs"
    logs.mkdir(exist_ok=True)
    for path, text in read_case(kind, logs).items():
        place = folder / path.removeprefix("/etc/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    given = {
        "configurations": [f"{folder}/{kind}/*", f"{folder}/{kind}/sites-enabled/*"],
        "places": [f"{logs}/*.log"],
        **inputs,
    }
    return DISCOVER.run(make_call(DISCOVER, given, directory=folder, target=SITE))


def test_the_logs_of_a_site_are_found_with_all_that_rotation_put_beside_them(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "pn-contoh.access.log").write_bytes(LINE % 9)
    (logs / "pn-contoh.access.log.1").write_bytes(LINE % 8)
    (logs / "pn-contoh.access.log.2.gz").write_bytes(gzip.compress(LINE % 7))
    (logs / "access.log").write_bytes(LINE % 1)
    for number, name in enumerate(["2.gz", "1"]):
        os.utime(logs / f"pn-contoh.access.log.{name}", (1_790_000_000 + number,) * 2)
    outputs = discover(tmp_path, "nginx").outputs
    first, second = outputs["logs"]
    assert outputs["path"] == [str(logs / "pn-contoh.access.log")]
    assert [file["path"].rpartition("access.log")[2] for file in first["files"]] == [".2.gz", ".1", ""]
    assert (first["first"], first["last"]) == ("2026-11-22T01:59:57+00:00", "2026-11-22T01:59:59+00:00")
    assert (first["format"], first["source"]) == (outputs["format"], f"{tmp_path}/nginx/sites-enabled/court")
    assert "$request_time" in first["format"]
    assert (second["own"], second["format"]) == (False, "combined")
    assert {"tail", "gzip", "sha256sum", "stat"} <= set(outputs["tools"])


def test_without_a_configuration_the_lines_tell_the_form(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "pn-contoh.go.id-access.log").write_bytes(b"pn-contoh.go.id:443 " + LINE % 1)
    outputs = discover(tmp_path, "nginx", configurations=[f"{tmp_path}/none/*"]).outputs
    assert [(log["format"], log["source"], log["own"]) for log in outputs["logs"]] == [("vhost", "place", True)]


def test_a_hosting_accounts_logs_are_named_so_that_next_months_are_found_too(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    live, archive = (
        tmp_path / "logs" / "pn-contoh.go.id-ssl_log",
        tmp_path / "logs" / "pn-contoh.go.id-ssl_log-Nov-2026.gz",
    )
    live.write_bytes(LINE % 2)
    archive.write_bytes(gzip.compress(LINE % 1))
    (tmp_path / "logs" / "pn-contoh.go.id-bytes_log").write_bytes(b"1795312799.1 512 .\n")
    (tmp_path / "logs" / "pn-contoh.go.id.2026-11-22.log").write_bytes(LINE % 3)
    outputs = discover(tmp_path, "nginx", places=[f"{tmp_path}/logs/*"]).outputs
    assert outputs["path"] == [
        f"{tmp_path}/logs/{name}" for name in ("pn-contoh.go.id-ssl_log", "pn-contoh.go.id.*.log")
    ]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/l/access.log", "/l/access.log"),
        ("/l/access.log.1", "/l/access.log"),
        ("/l/access.log-20261121.gz", "/l/access.log"),
        ("/l/court-Nov-2026.gz", "/l/court-*.gz"),
        ("/l/ppid.2026-11-22.log", "/l/ppid.*.log"),
        ("/l/access-20261122.log.gz", "/l/access-*.log.gz"),
    ],
)
def test_a_log_is_named_as_it_will_be_called_tomorrow(path: str, name: str) -> None:
    assert name_log(path, log_of(path)) == name


def test_no_log_at_all_is_a_problem(tmp_path: Path) -> None:
    outcome = discover(tmp_path, "nginx")
    assert [problem.key for problem in outcome.problems] == ["visitors.log_unknown"]
    assert "tidak ditemukan" in outcome.problems[0].message


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("runuser"), reason="only root can become someone without rights"
)
def test_a_log_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "access.log").write_bytes(LINE % 1)
    (tmp_path / "logs" / "access.log").chmod(0o600)
    for folder in [tmp_path, *tmp_path.parents][:4]:
        folder.chmod(folder.stat().st_mode | 0o055)
    from tests.actions.log_rotation import AsNobody

    call = make_call(
        DISCOVER,
        {"configurations": ["/none/*"], "places": [f"{tmp_path}/logs/*.log"]},
        directory=tmp_path,
        connect=AsNobody,
    )
    outcome = DISCOVER.run(call)
    assert outcome.outputs["closed"] == [f"{tmp_path}/logs/access.log"]
    assert "tidak dapat dibaca" in outcome.problems[0].message


def test_names_with_blanks_and_newlines_do_not_disturb(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    odd = logs / "a b\nc.log"
    odd.write_bytes(LINE % 1)
    (logs / "access.log").write_bytes(LINE % 2)
    found = discover(tmp_path, "nginx").outputs["logs"]
    assert {log["path"] for log in found} == {f"{logs}/a b?c.log", f"{logs}/access.log"}
