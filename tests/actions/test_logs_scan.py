from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from runner.actions.logs.privacy import mask_address
from runner.actions.logs.results import build_trend
from runner.actions.logs_scan import ACTION
from runner.actions.web.own_probe import build_mark, build_query, key_of
from runner.contract import Call, Connection, Outcome, Severity, Status
from runner.errors import Failed, TimeUp, Unreachable
from tests.calls import NOW, LocalConnection, assert_fits, make_call, read_evidence


def line(
    target: str = "/",
    *,
    address: str = "203.0.113.7",
    status: int = 200,
    method: str = "GET",
    ago: timedelta = timedelta(hours=1),
    agent: str = "Mozilla/5.0",
) -> str:
    moment = (NOW - ago).strftime("%d/%b/%Y:%H:%M:%S +0000")
    return f'{address} - - [{moment}] "{method} {target} HTTP/1.1" {status} 512 "-" "{agent}"\n'


def scan_call(folder: Path, log: str | bytes, inputs: Mapping[str, Any] | None = None, **more: Any) -> Call:
    path = folder / "access.log"
    path.write_bytes(log if isinstance(log, bytes) else log.encode("utf-8", "surrogateescape"))
    target = {"name": "pn_contoh", "kind": "website", "access_log": str(path)}
    return make_call(ACTION, inputs, directory=folder, target=target, **more)


def scan(folder: Path, log: str | bytes, inputs: Mapping[str, Any] | None = None) -> Outcome:
    outcome = ACTION.run(scan_call(folder, log, inputs))
    assert outcome.status is Status.OK
    assert_fits(ACTION, outcome.outputs)
    return outcome


def keys(outcome: Outcome) -> list[str]:
    return [problem.key for problem in outcome.problems]


def test_summarises_visitors(tmp_path: Path) -> None:
    log = line() + line("/berita?id=1", address="198.51.100.9") + line("/a.css") + line("/x", status=404)
    outcome = scan(tmp_path, log + line("/", address="2001:db8:1:2::3", ago=timedelta(hours=10)))
    outputs = outcome.outputs
    assert outcome.problems == ()
    assert (outputs["verdict"], outputs["requests"], outputs["addresses"]) == ("clean", 5, 3)
    assert (outputs["statuses"], outputs["transferred"]) == ({"200": 4, "404": 1}, 5 * 512)
    assert outputs["days"] == {"2026-11-21": 1, "2026-11-22": 4}
    assert outputs["top_pages"] == [{"path": "/", "requests": 2}, {"path": "/berita", "requests": 1}]
    assert outputs["top_networks"][0] == {"network": "203.0.113.0/24", "requests": 3}
    assert {row["network"] for row in outputs["top_networks"]} >= {"198.51.100.0/24", "2001:db8:1::/48"}
    assert outputs["complete"] is True
    assert outputs["summary"] == (
        "5 permintaan dari 3 alamat, Sabtu, 21 November 2026 sampai dengan Minggu, 22 November 2026."
        " Tidak ditemukan permintaan yang mencurigakan."
    )


def test_attempts_are_told_from_likely_success(tmp_path: Path) -> None:
    log = line("/images/x.php", status=404) + line("/?id=1%27%20or%201=1")
    outcome = scan(tmp_path, log)
    assert keys(outcome) == ["visitors.attack_attempts"]
    assert outcome.problems[0].severity is Severity.MAJOR
    assert (outcome.outputs["attempts"], outcome.outputs["likely_successes"]) == (2, 0)
    worked = scan(tmp_path, log + line("/images/x.php", status=200))
    assert keys(worked) == ["visitors.attack_attempts", "visitors.likely_intrusion"]
    assert worked.problems[1].severity is Severity.CRITICAL
    assert worked.outputs["verdict"] == "likely_intrusion"
    assert worked.outputs["suspicious"][0]["rule"] == "shell_place"


def test_refused_attempts_are_minor(tmp_path: Path) -> None:
    outcome = scan(tmp_path, line("/.env", status=403))
    assert [(p.key, p.severity) for p in outcome.problems] == [("visitors.attack_attempts", Severity.MINOR)]


def test_guessing_passwords_counts_from_the_threshold(tmp_path: Path) -> None:
    tries = [line("/wp-login.php", method="POST") for _ in range(9)]
    assert keys(scan(tmp_path, "".join(tries))) == []
    outcome = scan(tmp_path, "".join([*tries, line("/administrator/index.php", method="POST")]))
    assert outcome.outputs["suspicious"][0]["attempts"] == 10
    assert keys(outcome) == ["visitors.attack_attempts"]


def test_a_login_that_leads_on_after_guessing_is_a_likely_intrusion(tmp_path: Path) -> None:
    tries = "".join(line("/wp-login.php", method="POST") for _ in range(12))
    outcome = scan(tmp_path, tries + line("/wp-login.php", method="POST", status=302))
    assert "visitors.likely_intrusion" in keys(outcome)


def test_an_administrator_who_logs_in_is_not_suspicious(tmp_path: Path) -> None:
    assert keys(scan(tmp_path, line("/wp-login.php", method="POST", status=302) * 3)) == []


def test_a_log_that_ended_days_ago_says_nothing_of_today(tmp_path: Path) -> None:
    log = line(ago=timedelta(days=3))
    outcome = scan(tmp_path, log)
    assert (keys(outcome), outcome.outputs["verdict"]) == (["visitors.log_unknown"], "unknown")
    assert "baris terakhir log bertanggal Kamis, 19 November 2026" in outcome.problems[0].message
    assert keys(scan(tmp_path, log, {"stale_after": "7 hari"})) == []
    assert keys(scan(tmp_path, log + line())) == []


def test_the_trend_tells_this_week_from_the_last_ones(tmp_path: Path) -> None:
    week, ago = timedelta(days=7), timedelta(hours=1)
    log = line(ago=2 * week) * 4 + line(ago=week) * 5 + line(ago=ago) * 2
    first = scan(tmp_path, log).outputs
    assert first["trend"] == {"2026-W45": 4, "2026-W46": 5, "2026-W47": 2}
    again = ACTION.run(scan_call(tmp_path, line(ago=week) + line(ago=ago) * 3, earlier=first)).outputs
    assert again["trend"] == {"2026-W45": 4, "2026-W46": 5, "2026-W47": 3}  # days seen again: the fuller count
    daily = build_trend({"2026-11-22": 10, "2026-11-23": 1}, again, anew=False)
    assert daily["trend"] == {"2026-W45": 4, "2026-W46": 5, "2026-W47": 13, "2026-W48": 1}  # fetched: each line once


def test_searching_for_missing_pages_counts_different_ones(tmp_path: Path) -> None:
    same = line("/hilang", status=404) * 250
    static = "".join(line(f"/a{n}.png", status=404) for n in range(250))
    assert keys(scan(tmp_path, same + static)) == []
    outcome = scan(tmp_path, "".join(line(f"/a{n}", status=404) for n in range(31)))
    assert [(row["rule"], row["attempts"]) for row in outcome.outputs["suspicious"]] == [("not_found_burst", 31)]


@pytest.mark.parametrize("log", ["", "\n\n\n", "not a log\n" * 5, line(ago=timedelta(days=-30))])
def test_a_log_that_says_nothing_is_unknown(tmp_path: Path, log: str) -> None:
    outcome = scan(tmp_path, log)
    assert outcome.outputs["verdict"] == "unknown"
    assert [(p.key, p.severity) for p in outcome.problems] == [("visitors.log_unknown", Severity.MAJOR)]
    assert "tidak dapat dipastikan" in outcome.outputs["summary"]


def test_a_missing_or_unreadable_log_is_unknown(tmp_path: Path) -> None:
    for path in (tmp_path / "none.log", tmp_path, tmp_path / "none" / "*.log"):
        outcome = ACTION.run(make_call(ACTION, {"path": str(path)}, directory=tmp_path))
        assert_fits(ACTION, outcome.outputs)
        assert (keys(outcome), outcome.outputs["complete"]) == (["visitors.log_unknown"], False)
        assert str(path) in outcome.problems[0].message


def test_mostly_unknown_lines_are_unknown_but_attacks_are_still_told(tmp_path: Path) -> None:
    outcome = scan(tmp_path, "?\n" * 5 + line("/.git/config"))
    assert keys(outcome) == ["visitors.log_unknown", "visitors.attack_attempts", "visitors.likely_intrusion"]
    assert outcome.outputs["not_understood"] == 5


def test_since_leaves_older_lines_out(tmp_path: Path) -> None:
    log = line("/.env", ago=timedelta(days=3)) + line()
    outputs = scan(tmp_path, log, {"since": "1 hari"}).outputs
    assert (outputs["requests"], outputs["older"], outputs["attempts"]) == (1, 1, 0)
    assert scan(tmp_path, line(ago=timedelta(days=3)), {"since": "24h"}).outputs["verdict"] == "unknown"


def test_reads_only_the_end_of_a_large_log_and_says_so(tmp_path: Path) -> None:
    last = line("/terakhir")
    outputs = scan(tmp_path, line("/awal") * 50 + last * 3, {"size_limit": len(last) * 3 + 7}).outputs
    assert (outputs["lines"], outputs["not_understood"], outputs["complete"]) == (3, 0, False)
    assert [row["path"] for row in outputs["top_pages"]] == ["/terakhir"]


def test_rotated_and_several_logs_are_read(tmp_path: Path) -> None:
    (tmp_path / "access.log.1").write_text(line("/satu"))
    (tmp_path / "access.log.2.gz").write_bytes(gzip.compress(line("/dua").encode()))
    (tmp_path / "access.log.3.xz").write_bytes(b"?")
    (tmp_path / "other access.log").write_text(line("/lain"))
    outputs = scan(tmp_path, line(), {"rotated": True}).outputs
    assert {row["path"] for row in outputs["top_pages"]} == {"/", "/satu", "/dua"}
    assert outputs["complete"] is False  # the .xz
    outcome = ACTION.run(make_call(ACTION, {"path": str(tmp_path / "*access.log")}, directory=tmp_path))
    assert {row["path"] for row in outcome.outputs["top_pages"]} == {"/", "/lain"}


@pytest.mark.promise("Limits", "a packed bomb for a log", "cut at the size limit, said so")
def test_a_packed_bomb_is_cut_at_the_size_limit(tmp_path: Path) -> None:
    (tmp_path / "access.log.1.gz").write_bytes(gzip.compress(b"x" * 50_000_000))
    outputs = scan(tmp_path, line(), {"rotated": True, "size_limit": 100_000}).outputs
    assert (outputs["complete"], outputs["requests"]) == (False, 1)


def test_the_path_is_never_run_as_a_command(tmp_path: Path) -> None:
    names = ["$(touch pwned)", "`touch pwned`", "; touch pwned", "-n 1; touch pwned", "a'b\"c $IFS"]
    for name in names:
        folder = tmp_path / "logs"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(line())
        outcome = ACTION.run(make_call(ACTION, {"path": str(folder / name)}, directory=tmp_path))
        assert outcome.outputs["requests"] == 1, name
    assert not list(tmp_path.rglob("pwned"))
    assert not Path("pwned").exists()


def test_personal_data_stays_in_the_restricted_evidence(tmp_path: Path) -> None:
    secret = "/pihak/penggugat-budi-santoso/1234567890123456?email=budi@pn.example&token=kelinci"
    log = line(secret) + line(f"/.env/{'9' * 16}/budi%40pn.example?nik=1771012345678901", address="203.0.113.77")
    call = scan_call(tmp_path, log)
    outcome = ACTION.run(call)
    public, restricted = (read_evidence(call, evidence).decode() for evidence in outcome.evidence)
    assert [e.name for e in outcome.evidence] == ["visitors.json", "hits.restricted.jsonl"]
    everything = public + json.dumps(outcome.outputs) + str(outcome.problems)
    for private in ("203.0.113.77", "203.0.113.7", "budi", "kelinci", "1771012345678901", "9" * 16):
        assert private not in everything
    assert json.loads(restricted.splitlines()[0])["address"] == "203.0.113.77"
    assert json.loads(public)["top_networks"] == [{"network": "203.0.113.0/24", "requests": 2}]


@pytest.mark.promise("Fuzzing", "hostile lines in an access log", "no harm, counted as not understood")
def test_hostile_lines_do_no_harm(tmp_path: Path) -> None:
    hostile = [
        b"\x00\x01\x02" * 1000,
        b"\xff\xfe" * 500,
        line("/" + "A" * 1_000_000).encode(),
        line("/\x1b]0;pwned\x07\x1b[31m\u202e").encode(),
        b'1.2.3.4 - - [22/Nov/2026:01:00:00 +0000] "\\x16\\x03\\x01" 400 0 "-" "-"',
        b'1.2.3.4 - - [22/Nov/2026:01:00:00 +0000] "GET /\\" x HTTP/1.1" 200 5 "-" "a\\"b"',
        b'1.2.3.4 - - [99/Xxx/2026:01:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "-"',
        b'fe80::1%eth0 - - [22/Nov/2026:01:00:00 +0000] "GET / HTTP/1.1" 200 99999999999999999999999 "-" "-"',
        ("%" * 5000 + "25" * 5000).encode(),
        line("/?x=" + "%25" * 2500 + "27").encode(),
        line("/?x=" + "/*" * 4000).encode(),
        line("/?x=" + "'or" * 3000).encode(),
    ]
    call = scan_call(tmp_path, b"\n".join(hostile) + b"\n" + line().encode() * 20)
    outcome = ACTION.run(call)
    assert_fits(ACTION, outcome.outputs)
    assert outcome.outputs["requests"] >= 20
    for evidence in outcome.evidence:
        data = read_evidence(call, evidence)
        assert data.replace(b"\n", b"").decode("ascii").isprintable()
    assert outcome.message.isprintable()
    assert all(path.isprintable() for row in outcome.outputs["suspicious"] for path in row["examples"])


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:aa:bb::1", "2001:db8:aa::/48"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("fe80::1%eth0", "fe80::/48"),
        ("pc-budi.example", "?"),
    ],
)
def test_masks_addresses(address: str, masked: str) -> None:
    assert mask_address(address) == masked


def test_needs_a_whole_path(tmp_path: Path) -> None:
    for inputs, words in (({}, "no access log"), ({"path": "access.log"}, "whole path")):
        with pytest.raises(Failed, match=words):
            ACTION.run(make_call(ACTION, inputs, directory=tmp_path))
    with pytest.raises(Failed, match="since"):
        ACTION.run(scan_call(tmp_path, line(), {"since": "soon"}))


def test_an_unreachable_server_is_left_to_the_engine(tmp_path: Path) -> None:
    def connect() -> Connection:
        raise Unreachable("web1: connection refused")

    with pytest.raises(Unreachable):
        ACTION.run(scan_call(tmp_path, line(), connect=connect))


def test_a_log_that_never_ends_is_ended_by_the_limit(tmp_path: Path) -> None:
    import os

    pipe = tmp_path / "pipe.log"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.open("wb").close(), daemon=True)
    writer.start()
    with pytest.raises(TimeUp):
        ACTION.run(make_call(ACTION, {"path": str(pipe)}, directory=tmp_path, limit=0.3, connect=LocalConnection))


def test_the_sites_own_watch_is_told_from_visitors_of_planted_pages(tmp_path: Path) -> None:
    call = scan_call(tmp_path, "")
    mark = build_mark(key_of(call), NOW.date())
    own = build_query("slot", mark)
    outcome = scan(tmp_path, line(f"/{own}") + line(f"/{own}", ago=timedelta(hours=20)))
    assert (outcome.outputs["own_checks"], outcome.outputs["attempts"], outcome.problems) == (2, 0, ())

    stranger = build_mark(bytes(32), NOW.date())
    foreign = [
        line(f"/{build_query('slot', stranger)}"),
        line("/?slot=slot%20gacor"),
        line(f"/{own}", ago=timedelta(days=3)),  # a mark is of its day
        line(f"/{own}", method="POST"),
        line(f"/{own}&cmd=id"),
        line(f"/..%2f..%2fetc/passwd{own}"),
    ]
    outcome = scan(tmp_path, "".join(foreign))
    assert outcome.outputs["own_checks"] == 0
    assert outcome.outputs["attempts"] >= len(foreign)
