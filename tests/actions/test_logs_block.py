"""Block lists: whom they name, whom never, and that the real programs read them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.actions.logs.blocking import Entry
from runner.actions.logs.firewalls import FORMS, render_list
from runner.actions.logs.privacy import token_of
from runner.actions.logs.ranges import Never, build_never, parse_network
from runner.actions.logs_block import ACTION
from runner.contract import Call, Outcome
from runner.errors import Failed
from tests.calls import NOW, OFFICE, assert_fits, make_call, read_evidence

TODAY = date(2026, 11, 22)
SERVERS = os.environ["PATH"] + ":/usr/sbin:/sbin"


def hit(address: str, times: int = 10, **more: Any) -> list[dict[str, Any]]:
    """Suspicious lines of one visitor."""
    row = {"rule": "sql_injection", "likely_success": False, "address": address, "agent": "Mozilla/5.0", **more}
    return [row] * times


def block(
    folder: Path,
    hits: Sequence[Mapping[str, Any]],
    inputs: Mapping[str, Any] | None = None,
    office: Mapping[str, Any] | None = None,
    **more: Any,
) -> tuple[Call, Outcome]:
    """Do it with these suspicious lines of pn_contoh."""
    content = "\n".join(json.dumps(each) for each in hits).encode() + b"\nnot json\n[1]\n"
    call = make_call(ACTION, {"findings": [], **(inputs or {})}, directory=folder, office=office or OFFICE, **more)
    kept = call.keep("hits.restricted.jsonl", content, "application/x-ndjson")
    found = [{"target": "pn_contoh", "status": "ok", "value": [{"name": kept.name, "sha256": kept.sha256}]}]
    call = call._replace(inputs={**call.inputs, "findings": found})
    outcome = ACTION.run(call)
    assert_fits(ACTION, outcome.outputs)
    return call, outcome


def entries(call: Call, outcome: Outcome) -> dict[str, str]:
    """The networks of the list with their last days."""
    (kept,) = [each for each in outcome.evidence if each.name == "blokir.restricted.json"]
    return {row["network"]: row["until"] for row in json.loads(read_evidence(call, kept))}


def text_of(call: Call, outcome: Outcome, part: str) -> str:
    (kept,) = [each for each in outcome.evidence if part in each.name and not each.name.endswith(".json")]
    return read_evidence(call, kept).decode()


def test_names_who_attacked_much_or_with_success_until_a_day(tmp_path: Path) -> None:
    hits = hit("203.0.113.7") + hit("203.0.113.8", 9) + hit("198.51.100.1", 1, likely_success=True)
    call, outcome = block(tmp_path, [*hits, *hit("2001:db8:1:2::3"), *hit("not an address", 3)])
    assert entries(call, outcome) == {
        "198.51.100.1/32": "2026-12-22",
        "203.0.113.7/32": "2026-12-22",
        "2001:db8:1:2::/64": "2026-12-22",
    }
    assert outcome.outputs["left_out"] == {"few": 1, "nameless": 3}
    assert (outcome.outputs["count"], outcome.outputs["new"], outcome.outputs["until"]) == (3, 3, "2026-12-22")


def test_a_request_that_meets_several_rules_is_one(tmp_path: Path) -> None:
    rows = [
        {**row, "rule": rule, "time": f"2026-11-22T01:00:0{second}+00:00"}
        for second in range(6)
        for rule in ("a", "b", "c")
        for row in hit("203.0.113.7", 1)
    ]
    _, outcome = block(tmp_path, rows)
    assert outcome.outputs["left_out"] == {"few": 1}
    _, outcome = block(tmp_path, rows, {"least": 6})
    assert outcome.outputs["networks"][0]["requests"] == 6


def test_raw_addresses_stand_only_in_the_restricted_files(tmp_path: Path) -> None:
    call, outcome = block(tmp_path, hit("203.0.113.7") + hit("2001:db8:1:2::3"), {"also": ["198.51.100.0/25"]})
    restricted = {row["sha256"] for row in outcome.outputs["restricted"]}
    public = [each for each in outcome.evidence if each.sha256 not in restricted]
    assert [each.name for each in public] == ["usulan-blokir.txt"]
    assert outcome.outputs["document"]["sha256"] == public[0].sha256
    told = read_evidence(call, public[0]).decode()
    for private in ("203.0.113.7", "2001:db8:1:2"):
        assert private not in told + json.dumps(outcome.outputs) + outcome.message
        assert private in text_of(call, outcome, "nginx")
    token = token_of(call.record.secret_key("visitors of pn_contoh"), "203.0.113.7")
    assert f"- 203.0.113.0/24 [{token}] sampai 22 Desember 2026 (baru)." in told
    assert all(row["until"] == "2027-02-20" for row in outcome.outputs["restricted"])


def test_own_networks_courts_and_engines_are_never_on_it(tmp_path: Path) -> None:
    ranges = tmp_path / "engines.json"
    prefixes = [{"ipv4Prefix": "66.249.64.0/19"}, {"ipv6Prefix": "2001:4860:4801::/48"}]
    ranges.write_text(json.dumps({"google": {"creationTime": "2026-11-01", "prefixes": prefixes}}))
    office = {**OFFICE, "networks": "203.0.113.0/28", "court_networks": ["198.51.100.0/24", "2001:db8:9::/48"]}
    hits = [
        *hit("203.0.113.7", likely_success=True),
        *hit("198.51.100.200"),
        *hit("2001:db8:9::1"),
        *hit("66.249.66.1"),
        *hit("2001:4860:4801:10::1"),
        *hit("127.0.0.1"),
        *hit("10.1.2.3"),
        *hit("::ffff:203.0.113.1"),
        *hit("192.0.2.1", agent="Mozilla/5.0 (compatible; Googlebot/2.1)"),
        *hit("192.0.2.2", agent="Mozilla/5.0 (compatible; bingbot/2.0)"),
        *hit("192.0.2.3"),
    ]
    inputs = {"engines": str(ranges), "never": ["192.0.2.3"]}
    call, outcome = block(tmp_path, hits, inputs, office)
    assert list(entries(call, outcome)) == ["192.0.2.1/32"]  # it only said that it was Google's
    assert outcome.outputs["left_out"] == {"own": 3, "court": 2, "engine": 2, "nobody": 2, "claims_engine": 1}
    assert "- 2 mesin pencari yang terverifikasi" in text_of(call, outcome, "usulan")


@pytest.mark.parametrize(
    ("also", "words"),
    [
        ("203.0.0.0/16", "too wide"),
        ("2001:db8::/32", "too wide"),
        ("0.0.0.0/0", "too wide"),
        ("198.51.100.8", "never blocked"),
        ("10.0.0.0/24", "never blocked"),
        ("rumah", "no network"),
    ],
)
def test_a_network_too_wide_or_protected_is_refused(tmp_path: Path, also: str, words: str) -> None:
    office = {**OFFICE, "court_networks": ["198.51.100.0/24"]}
    with pytest.raises(Failed, match=words):
        block(tmp_path, [], {"also": [also]}, office)
    with pytest.raises(Failed, match=words):
        ACTION.preview(make_call(ACTION, {"findings": [], "also": [also]}, directory=tmp_path, office=office))


def test_an_entry_leaves_the_list_after_its_last_day(tmp_path: Path) -> None:
    call, first = block(tmp_path, hit("203.0.113.7"), {"for": "5 hari"})
    later = {"earlier": first.outputs, "now": NOW + timedelta(days=5)}
    call, second = block(tmp_path, hit("203.0.113.9"), {"for": "5 hari"}, **later)
    assert entries(call, second) == {"203.0.113.7/32": "2026-11-27", "203.0.113.9/32": "2026-12-02"}
    assert (second.outputs["count"], second.outputs["new"]) == (2, 1)
    later = {"earlier": second.outputs, "now": NOW + timedelta(days=6)}
    call, third = block(tmp_path, [], {"for": "5 hari"}, **later)
    assert list(entries(call, third)) == ["203.0.113.9/32"]
    own = {**OFFICE, "networks": ["203.0.113.9"]}
    call, fourth = block(tmp_path, [], office=own, **later)
    assert entries(call, fourth) == {}


def test_a_long_list_keeps_the_worst(tmp_path: Path) -> None:
    hits = [row for n in range(1, 9) for row in hit(f"203.0.113.{n}", 10 + n)]
    call, outcome = block(tmp_path, hits, {"most": 3})
    assert list(entries(call, outcome)) == ["203.0.113.8/32", "203.0.113.7/32", "203.0.113.6/32"]
    assert outcome.outputs["left_out"] == {"too_many": 5}


def test_nothing_suspicious_makes_an_empty_list(tmp_path: Path) -> None:
    _, outcome = block(tmp_path, [])
    assert outcome.outputs["summary"] == "Tidak ada pengunjung yang diusulkan untuk diblokir."


@pytest.mark.parametrize("content", ["", '{"google": ["x"]}', "not JSON", '{"mesin": []}', "[]"])
def test_an_engines_file_that_says_nothing_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "ranges.json").write_text(content)
    with pytest.raises(Failed, match=r"ranges\.json"):
        block(tmp_path, [], {"engines": str(tmp_path / "ranges.json")})
    with pytest.raises(Failed, match="cannot be read"):
        block(tmp_path, [], {"engines": str(tmp_path / "none.json")})


@given(st.lists(st.ip_addresses(), max_size=30), st.lists(st.ip_addresses(v=4), max_size=3))
def test_what_is_protected_never_gets_on_a_list(addresses: list[object], protected: list[object]) -> None:
    never = build_never({"networks": [f"{each}/12" for each in protected]}, [])
    for each in addresses:
        network = parse_network(str(each), "x")
        why = never.why(network)
        assert bool(why) == any(network.overlaps(kept) for kept in _all(never) if kept.version == network.version)


def _all(never: Never) -> list[Any]:
    return [network for kept in never.networks.values() for network in kept]


# --- the real programs ------------------------------------------------------------------------------------------------

LISTED = [
    Entry(parse_network(text, "x"), TODAY + timedelta(days=days))
    for text, days in (("203.0.113.7", 30), ("198.51.100.0/24", 3), ("2001:db8:1:2::/64", 30), ("2001:db8:7::/48", 0))
]


def run(words: Sequence[str], folder: Path) -> None:
    """Run a program's own check. A missing one is a failure that says what to install."""
    if shutil.which(words[0], path=SERVERS) is None:
        pytest.fail(f"{words[0]} is missing: run tests/install-servers")
    environment = {**os.environ, "PATH": SERVERS}
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("entries", [LISTED, []], ids=["some", "none"])
def test_nginx_reads_it(tmp_path: Path, entries: list[Entry]) -> None:
    (tmp_path / "blokir.conf").write_text(render_list("nginx", entries, TODAY))
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid; error_log stderr; events {{}}\n"
        f"http {{ include {tmp_path}/blokir.conf; server {{ listen 127.0.0.1:8; access_log off; }} }}\n"
    )
    run(["nginx", "-t", "-c", str(tmp_path / "nginx.conf"), "-p", str(tmp_path), "-e", "stderr"], tmp_path)


@pytest.mark.parametrize("entries", [LISTED, []], ids=["some", "none"])
@pytest.mark.parametrize("form", ["apache", "cpanel"])
def test_apache_reads_it(tmp_path: Path, form: str, entries: list[Entry]) -> None:
    (tmp_path / "blokir.conf").write_text(render_list(form, entries, TODAY))
    modules = ("mpm_event", "authz_core", "authz_host")
    loads = [f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in modules]
    lines = [*loads, f"ServerRoot {tmp_path}", "ServerName localhost", "Listen 127.0.0.1:8", f"PidFile {tmp_path}/pid"]
    lines += [f"ErrorLog {tmp_path}/error.log", f"<Directory {tmp_path}>", "Include blokir.conf", "</Directory>", ""]
    (tmp_path / "apache.conf").write_text("\n".join(lines))
    run(["apache2", "-t", "-f", str(tmp_path / "apache.conf")], tmp_path)


@pytest.mark.parametrize("entries", [LISTED, []], ids=["some", "none"])
def test_nftables_reads_it_twice(tmp_path: Path, entries: list[Entry]) -> None:
    (tmp_path / "blokir.nft").write_text(render_list("nftables", entries, TODAY))
    script = "nft -c -f blokir.nft && nft -f blokir.nft && nft -f blokir.nft && nft list table inet sop_blokir >out"
    as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
    run(["unshare", "--net", *as_root, "sh", "-c", script], tmp_path)  # in a network of its own
    listed = (tmp_path / "out").read_text()
    assert ("timeout 31d" in listed) == bool(entries)
    assert listed.count("drop") == 2


def test_the_script_for_fail2ban_lets_go_of_what_is_over(tmp_path: Path) -> None:
    """The program itself is not installed: its package would start guarding the machine of whoever runs the tests."""
    today = date.today()
    ends = [today - timedelta(days=1), today, today + timedelta(days=300)]
    entries = [Entry(parse_network(f"203.0.113.{n}", "x"), end) for n, end in enumerate(ends)]
    (tmp_path / "blokir.sh").write_text(render_list("fail2ban", entries, today))
    (tmp_path / "fail2ban-client").write_text('#!/bin/sh\necho "$@" >>"$TOLD"\n')
    (tmp_path / "fail2ban-client").chmod(0o755)
    run(["env", f"PATH={tmp_path}:{SERVERS}", f"TOLD={tmp_path}/told", "sh", "blokir.sh"], tmp_path)
    assert (tmp_path / "told").read_text().splitlines() == [
        "set sop-blokir bantime 172800",
        "set sop-blokir unbanip 203.0.113.0",
        "set sop-blokir banip 203.0.113.1",
        "set sop-blokir banip 203.0.113.2",
    ]


@pytest.mark.parametrize("form", FORMS)
def test_each_entry_bears_its_last_day(form: str) -> None:
    text = render_list(form, LISTED, TODAY)
    assert text.count("sampai 2026-12-22") >= 2
    assert text.isascii()
