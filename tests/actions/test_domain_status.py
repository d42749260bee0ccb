from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from runner.actions.domain import bootstrap
from runner.actions.domain.asking_rdap import parse_retry_after
from runner.actions.domain.asking_whois import ask_whois
from runner.actions.domain.bootstrap import load_bootstrap, refresh_bootstrap
from runner.actions.domain.findings import Cause
from runner.actions.domain_status import ACTION
from runner.contract import Outcome, Severity, Status
from runner.durations import Deadline
from runner.errors import Failed
from tests.calls import NOW, assert_fits, make_call, read_evidence
from tests.registry_servers import (
    DOMAIN,
    dns_server,
    rdap_document,
    rdap_reply,
    rdap_server,
    whois_server,
    whois_text,
)
from tests.web_servers import Reply, Talk, closed_port, drips, floods, page_server, resets, silent

SERVICE = {"name": "domain", "kind": "service", "service": "domain", "title": "www." + DOMAIN + "."}
RECORDS = {"A": ["203.0.113.10"], "MX": ["10 mail.pn-contoh.go.id."]}


def check(
    folder: Path,
    rdap: Reply | Mapping[str, Any] | None = None,
    whois: Talk | bytes | None = None,
    *,
    records: Mapping[str, list[str]] | None = RECORDS,
    earlier: Mapping[str, Any] | None = None,
    days: int = 0,
    inputs: Mapping[str, Any] | None = None,
) -> Outcome:
    """Run the action against servers of one's own; None: nobody is there."""
    nobody = f"127.0.0.1:{closed_port()}"
    with ExitStack() as stack:
        places = {
            "rdap_server": stack.enter_context(rdap_server(rdap)) if rdap is not None else f"http://{nobody}/",
            "whois_server": stack.enter_context(whois_server(whois)) if whois is not None else nobody,
            "dns_resolver": stack.enter_context(dns_server(records)) if records is not None else nobody,
        }
        call = make_call(
            ACTION,
            {**places, "within": "5s", **(inputs or {})},
            directory=folder,
            target=SERVICE,
            earlier=earlier,
            now=NOW + timedelta(days=days),
        )
        outcome = ACTION.run(call)
    assert outcome.status is Status.OK
    assert_fits(ACTION, outcome.outputs)
    json.dumps(outcome.outputs)
    return outcome


def keys(outcome: Outcome) -> list[tuple[str, Severity]]:
    return [(problem.key, problem.severity) for problem in outcome.problems]


def assert_unknown(outcome: Outcome, cause: Cause) -> None:
    outputs = outcome.outputs
    assert (outputs["registered"], outputs["stage"], outputs["cause"]) == (None, "unknown", cause)
    assert (outputs["expires"], outputs["source"], outputs["price"]) == (None, "", "")
    assert ("domain.unknown", Severity.MAJOR) in keys(outcome)
    assert outputs["retry_after"] > NOW.isoformat()


def test_tells_all_about_a_domain_in_order(tmp_path: Path) -> None:
    outcome = check(tmp_path, rdap_document(), whois_text())
    outputs = outcome.outputs
    assert outcome.problems == ()
    assert (outputs["domain"], outputs["registered"], outputs["source"]) == (DOMAIN, True, "rdap")
    assert (outputs["expires"], outputs["days_left"], outputs["created"]) == ("2027-03-01", 99, "2009-12-18")
    assert (outputs["stage"], outputs["price"], outputs["statuses"]) == ("active", "normal", ["ok"])
    assert outputs["name_servers"] == ["ns1.example.org", "ns2.example.org"]
    assert (outputs["addresses"], outputs["mail_servers"]) == (["203.0.113.10"], ["mail.pn-contoh.go.id"])
    assert (outputs["registrar"], outputs["dnssec"]) == ("Registrar Contoh", False)
    assert (outputs["disagreement"], outputs["changed"], outputs["faults"]) == ([], [], [])
    assert (outputs["age_hours"], outputs["retry_after"]) == (0, None)
    assert [evidence.name for evidence in outcome.evidence] == ["rdap.json", "whois.txt"]


def test_keeps_the_raw_answers(tmp_path: Path) -> None:
    raw = "Domain Name: PN-CONTOH.GO.ID\r\nRegistrar: Soci\xe9t\xe9\r\nExpires: 2027-03-01\r\n".encode("latin-1")
    with whois_server(raw) as server:
        inputs = {"whois_server": server, "rdap_server": f"http://127.0.0.1:{closed_port()}", "within": "3s"}
        call = make_call(ACTION, inputs, directory=tmp_path, target=SERVICE)
        outcome = ACTION.run(call)
    assert read_evidence(call, outcome.evidence[0]) == raw
    assert (outcome.outputs["source"], outcome.outputs["registrar"]) == ("whois", "Société")


@pytest.mark.parametrize(
    ("rdap", "whois"),
    [
        (None, b"WHOIS LIMIT EXCEEDED\r\n"),
        (rdap_reply({"errorCode": 429}, 429), None),
        (Reply("<h1>Too many</h1>", 429, {"Retry-After": "7200"}), b"% Query rate limit exceeded\r\n"),
        (Reply("busy", 503, {"Retry-After": "60"}), None),
    ],
)
def test_a_throttled_answer_is_unknown(tmp_path: Path, rdap: Reply | None, whois: bytes | None) -> None:
    assert_unknown(check(tmp_path, rdap, whois), Cause.THROTTLED)


@pytest.mark.parametrize(
    ("rdap", "cause"),
    [
        (None, Cause.UNREACHABLE),
        (Reply("{", 200), Cause.UNREADABLE),
        (Reply("<html>Not Found</html>", 404), Cause.REFUSED),
        (Reply("oops", 500), Cause.REFUSED),
        (rdap_reply(rdap_document(domain="lain.go.id")), Cause.UNREADABLE),
        (rdap_reply([]), Cause.UNREADABLE),
        (Reply("", 301), Cause.REFUSED),
        (Reply("", 301, {"Location": f"/rdap/domain/{DOMAIN}"}), Cause.REFUSED),
        (Reply("", 302, {"Location": "http://127.0.0.2/elsewhere"}), Cause.UNREACHABLE),
        (Reply("x" * 1_100_000, 200), Cause.SIZE),
    ],
)
def test_what_rdap_does_not_surely_say_is_unknown(tmp_path: Path, rdap: Reply | None, cause: Cause) -> None:
    assert_unknown(check(tmp_path, rdap), cause)


@pytest.mark.parametrize(
    ("whois", "words"),
    [
        (b"", "kosong"),
        (b"Hello", "tidak dikenal"),
        (b'To single out one record, look it up with "=xxx"\r\n', "merujuk terus-menerus"),
        (resets, "putus"),
        (silent, "tidak selesai dalam batas waktu"),
        (drips(b"Domain Name: PN-CONTOH.GO.ID\r\nExpires: 2027-03-01\r\n", b"."), "tidak selesai dalam batas waktu"),
        (floods(b"Domain Name: PN-CONTOH.GO.ID\r\n", b"x" * 65536), "lebih besar daripada"),
    ],
)
def test_what_whois_does_not_surely_say_is_unknown(tmp_path: Path, whois: Talk | bytes, words: str) -> None:
    begin = time.monotonic()
    outcome = check(tmp_path, None, whois, inputs={"within": "1s"})
    assert time.monotonic() - begin < 4
    assert outcome.outputs["registered"] is None
    assert words in outcome.outputs["faults"][1]


def test_whois_alone_names_each_cause() -> None:
    with whois_server(silent) as server:
        assert ask_whois(DOMAIN, Deadline.after(0.2), server=server).finding.cause is Cause.SILENT
    with whois_server(floods(b"", b"x" * 65536)) as server:
        assert ask_whois(DOMAIN, Deadline.after(5), server=server).finding.cause is Cause.SIZE
    with whois_server(b'with "=xxx"') as server:
        assert ask_whois(DOMAIN, Deadline.after(5), server=server).finding.cause is Cause.REFUSED


def test_not_registered_is_a_critical_problem(tmp_path: Path) -> None:
    absent = rdap_reply({"rdapConformance": ["rdap_level_0"], "errorCode": 404, "title": "Not Found"}, 404)
    outcome = check(tmp_path, absent, b"DOMAIN NOT FOUND\r\n")
    assert (outcome.outputs["registered"], outcome.outputs["stage"]) == (False, "not_registered")
    assert keys(outcome) == [("domain.not_registered", Severity.CRITICAL)]


def test_sources_that_contradict_each_other_on_being_registered_are_unknown(tmp_path: Path) -> None:
    outcome = check(tmp_path, rdap_document(), b"DOMAIN NOT FOUND\r\n")
    assert_unknown(outcome, Cause.CONTRADICTORY)
    assert outcome.outputs["disagreement"] == [{"field": "registered", "rdap": True, "whois": False}]


def test_shows_both_where_rdap_and_whois_differ(tmp_path: Path) -> None:
    outcome = check(tmp_path, rdap_document(), whois_text(expires="2026-03-01", servers=["ns9.example.org"]))
    fields = {entry["field"]: (entry["rdap"], entry["whois"]) for entry in outcome.outputs["disagreement"]}
    assert fields["expires"] == ("2027-03-01", "2026-03-01")
    assert set(fields) == {"expires", "name_servers"}
    assert keys(outcome) == [("domain.disagreement", Severity.MAJOR)]
    assert outcome.outputs["expires"] == "2027-03-01"


def test_takes_from_whois_what_rdap_leaves_out(tmp_path: Path) -> None:
    outcome = check(tmp_path, rdap_document(expires=None), whois_text())
    assert (outcome.outputs["expires"], outcome.outputs["source"]) == ("2027-03-01", "rdap")


def test_an_undated_domain_is_not_fine(tmp_path: Path) -> None:
    outcome = check(tmp_path, rdap_document(expires=None))
    assert outcome.outputs["stage"] == "undated"
    assert keys(outcome) == [("domain.unknown", Severity.MINOR)]


@pytest.mark.parametrize(
    ("expires", "statuses", "stage", "problem"),
    [
        ("2027-01-10", ["active"], "active", ("domain.expiring", Severity.MINOR)),
        ("2026-12-10", ["active"], "active", ("domain.expiring", Severity.MAJOR)),
        ("2026-11-25", ["active"], "active", ("domain.expiring", Severity.CRITICAL)),
        ("2026-11-22", ["active"], "active", ("domain.expiring", Severity.CRITICAL)),
        ("2026-11-21", ["renew period"], "expired", ("domain.expired", Severity.CRITICAL)),
        ("2026-10-01", ["redemption period", "server hold"], "redemption", ("domain.redemption", Severity.CRITICAL)),
        ("2026-07-01", ["pending delete"], "pending_delete", ("domain.lost", Severity.CRITICAL)),
        ("2027-10-01", ["server hold"], "on_hold", ("domain.on_hold", Severity.CRITICAL)),
    ],
)
def test_each_stage_is_its_problem(
    tmp_path: Path, expires: str, statuses: list[str], stage: str, problem: tuple[str, Severity]
) -> None:
    outcome = check(tmp_path, rdap_document(expires=expires, statuses=statuses))
    assert outcome.outputs["stage"] == stage
    assert keys(outcome) == [problem]


def test_tells_what_changed_since_last_time(tmp_path: Path) -> None:
    earlier = check(tmp_path, rdap_document(signed=True)).outputs
    moved = rdap_document(servers=["ns1.example.net", "ns2.example.org"])
    outcome = check(tmp_path, moved, records={"A": ["203.0.113.66"]}, earlier=earlier, days=1)
    changes = {entry["field"]: (entry["before"], entry["after"]) for entry in outcome.outputs["changed"]}
    assert changes["dnssec"] == (True, False)
    assert changes["name_servers"] == (["ns1.example.org", "ns2.example.org"], ["ns1.example.net", "ns2.example.org"])
    assert changes["addresses"] == (["203.0.113.10"], ["203.0.113.66"])
    assert changes["mail_servers"] == (["mail.pn-contoh.go.id"], [])
    assert keys(outcome) == [("domain.changed", Severity.MAJOR)]


def test_an_answer_that_did_not_come_is_no_change(tmp_path: Path) -> None:
    earlier = check(tmp_path, rdap_document()).outputs
    unknown = check(tmp_path, earlier=earlier, days=1, records=None, inputs={"within": "1s"}).outputs
    again = check(tmp_path, rdap_document(), earlier=unknown, days=2)
    assert (unknown["changed"], again.outputs["changed"]) == ([], [])
    moved = check(tmp_path, rdap_document(servers=["ns9.example.org"]), earlier=unknown, days=2)
    assert [entry["field"] for entry in moved.outputs["changed"]] == ["name_servers"]


def test_a_recent_answer_stands_in_with_its_age_told(tmp_path: Path) -> None:
    earlier = check(tmp_path, rdap_document(expires="2026-12-05")).outputs
    outcome = check(tmp_path, earlier=earlier, days=1)
    outputs = outcome.outputs
    assert (outputs["registered"], outputs["age_hours"]) == (None, 24)
    assert outputs["last_known"]["expires"] == "2026-12-05"
    assert keys(outcome) == [("domain.unknown", Severity.MINOR), ("domain.expiring", Severity.MAJOR)]
    assert all("24 jam" in problem.message for problem in outcome.problems)


def test_an_old_answer_does_not_stand_in(tmp_path: Path) -> None:
    earlier = check(tmp_path, rdap_document(expires="2026-12-05")).outputs
    outcome = check(tmp_path, earlier=earlier, days=9)
    assert keys(outcome) == [("domain.unknown", Severity.MAJOR)]
    assert "9 hari" in outcome.problems[0].message


def test_a_registry_that_throttled_is_left_alone_until_its_time(tmp_path: Path) -> None:
    throttled = check(tmp_path, Reply("", 429, {"Retry-After": "90000"})).outputs
    waiting = check(tmp_path, rdap_document(), earlier=throttled, days=1)
    assert_unknown(waiting, Cause.THROTTLED)
    assert waiting.outputs["retry_after"] == throttled["retry_after"]
    assert waiting.evidence == ()
    assert check(tmp_path, rdap_document(), earlier=waiting.outputs, days=2).outputs["registered"] is True


def test_asks_again_after_what_the_server_said_and_up_to_a_quarter_more(tmp_path: Path) -> None:
    moment = check(tmp_path, Reply("", 429, {"Retry-After": "7200"})).outputs["retry_after"]
    assert (NOW + timedelta(hours=2)).isoformat() <= moment <= (NOW + timedelta(hours=2.5)).isoformat()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("120", 120), (" 5 ", 5), ("Sun, 22 Nov 2026 02:01:00 GMT", 60), ("soon", None), ("", None), ("-1", None)],
)
def test_reads_retry_after(text: str, seconds: float | None) -> None:
    assert parse_retry_after(text, NOW) == seconds


def test_follows_a_redirect_of_the_same_registry(tmp_path: Path) -> None:
    pages = {
        f"/rdap/domain/{DOMAIN}": Reply("", 301, {"Location": f"/v2/domain/{DOMAIN}"}),
        f"/v2/domain/{DOMAIN}": rdap_reply(rdap_document()),
    }
    with page_server(pages) as url:
        inputs = {"rdap_server": f"{url}/rdap", "whois_server": f"127.0.0.1:{closed_port()}", "within": "5s"}
        outcome = ACTION.run(make_call(ACTION, inputs, directory=tmp_path, target=SERVICE))
    assert outcome.outputs["registered"] is True


def test_the_shipped_list_of_servers_knows_indonesia() -> None:
    bootstrap = load_bootstrap()
    assert bootstrap.base(DOMAIN) == "https://rdap.pandi.id/rdap/"
    assert bootstrap.base("example.com") == "https://rdap.verisign.com/com/v1/"
    assert bootstrap.base("example.invalid") == ""
    assert bootstrap.publication >= "2026-02"


def test_asks_the_server_that_a_list_of_ones_own_names(tmp_path: Path) -> None:
    with rdap_server(rdap_document()) as base, whois_server(whois_text()) as server:
        path = tmp_path / "dns.json"
        path.write_text(json.dumps({"publication": "now", "services": [[["id"], [base]]]}))
        inputs = {"bootstrap": str(path), "whois_server": server, "within": "5s"}
        outcome = ACTION.run(make_call(ACTION, inputs, directory=tmp_path, target=SERVICE))
    assert outcome.outputs["source"] == "rdap"


def test_refreshes_the_list_whole_or_not_at_all(tmp_path: Path) -> None:
    good = json.dumps({"publication": "2026-11-01T00:00:00Z", "services": [[["id"], ["https://rdap.example.org"]]]})
    pages = {"/dns.json": good, "/empty.json": '{"services": []}', "/broken.json": "{"}
    path = tmp_path / "dns.json"
    with page_server(pages) as url:
        assert refresh_bootstrap(path, f"{url}/dns.json").base("contoh.id") == "https://rdap.example.org/"
        for page in ("empty.json", "broken.json", "missing.json"):
            with pytest.raises(Failed):
                refresh_bootstrap(path, f"{url}/{page}")
    assert path.read_text() == good


def test_refreshing_says_what_is_wrong_in_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with page_server({"/dns.json": Reply("{}", 200)}) as url:
        monkeypatch.setattr(bootstrap.refresh_bootstrap, "__defaults__", (f"{url}/dns.json",))
        assert bootstrap.main([str(tmp_path / "new.json")]) == 1
    assert bootstrap.main([]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert "is not IANA's list of RDAP servers" in first
    assert second == "usage: python -m runner.actions.domain.bootstrap FILE"
    assert [*tmp_path.iterdir()] == []


def test_asks_iana_which_whois_server_to_ask_and_refuses_odd_ones() -> None:
    for line in (b"whois: 127.0.0.1", b"whois: -x.example", b"whois: a b", b"whois: localhost"):
        with whois_server(line + b"\n") as iana:
            found = ask_whois("example.org", Deadline.after(5), iana=iana).finding
            assert (found.registered, found.cause) == (None, Cause.UNREADABLE)
    with whois_server(b"no such thing\n") as iana:
        assert ask_whois("example.org", Deadline.after(5), iana=iana).finding.cause is Cause.NO_SOURCE
    with whois_server(silent) as iana:
        assert ask_whois("example.org", Deadline.after(0.3), iana=iana).finding.cause is Cause.SILENT


def test_a_referral_into_ones_own_network_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    known = socket.getaddrinfo

    def inside(host: str, port: int, *rest: Any, **named: Any) -> Any:
        return known("127.0.0.1" if host == "whois.example.org" else host, port, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", inside)
    with whois_server(b"whois: whois.example.org\n") as iana:
        found = ask_whois("example.org", Deadline.after(5), iana=iana).finding
    assert found.cause is Cause.REFUSED
    assert "tidak diikuti" in found.reason


def test_all_waiting_ends_in_time(tmp_path: Path) -> None:
    begin = time.monotonic()
    with whois_server(silent) as server:
        inputs = {"rdap_server": f"http://{server}/", "whois_server": server, "dns_resolver": server}
        outcome = ACTION.run(make_call(ACTION, inputs, directory=tmp_path, target=SERVICE, limit=2.0))
    assert time.monotonic() - begin < 2.5
    assert outcome.outputs["cause"] == Cause.SILENT


def test_leaves_no_thread_behind(tmp_path: Path) -> None:
    before = threading.active_count()
    check(tmp_path, rdap_document(), whois_text())
    assert threading.active_count() <= before + 1


def test_a_website_is_asked_about_by_its_address(tmp_path: Path) -> None:
    with rdap_server(rdap_document()) as base, whois_server(whois_text()) as server:
        inputs = {"rdap_server": base, "whois_server": server, "within": "5s"}
        target = {"name": "pn", "kind": "website", "url": f"https://www.{DOMAIN}/"}
        outcome = ACTION.run(make_call(ACTION, inputs, directory=tmp_path, target=target))
    assert outcome.outputs["domain"] == DOMAIN


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ({"name": "hosting", "kind": "service", "service": "hosting", "title": "Paket 1"}, "not a domain"),
        ({"name": "domain", "kind": "service", "service": "domain"}, "write it as the service's 'name', like"),
        ({"name": "domain", "kind": "service", "service": "domain", "title": "go.id"}, "not a registered domain"),
    ],
)
def test_refuses_a_target_without_a_domain(tmp_path: Path, target: dict[str, str], words: str) -> None:
    with pytest.raises(Failed, match=words):
        ACTION.run(make_call(ACTION, directory=tmp_path, target=target))
