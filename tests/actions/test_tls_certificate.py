from __future__ import annotations

import ssl
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from runner.actions.tls_certificate import ACTION
from runner.actions.web.certificate_keys import CAUSES
from runner.contract import Outcome, Severity
from tests.calls import assert_fits, make_call, read_evidence
from tests.certificates import Issued, Wish, authority_file, issue, server_context
from tests.registry_servers import dns_server
from tests.web_servers import closed_port, page_server, raw_server, silent

ROOT = Wish(common="Akar Uji", authority=True, days=3000)
LEAF = Wish()
MIDDLE = Wish(common="Perantara Uji", authority=True, days=400)


def look(
    folder: Path,
    context: ssl.SSLContext,
    inputs: Mapping[str, Any] | None = None,
    *,
    earlier: Mapping[str, Any] | None = None,
    later: float = 0.0,
) -> Outcome:
    """Look at a server with that context, `later` days from now."""
    now = datetime.now(UTC) + timedelta(days=later)
    with page_server({"/": "ya"}, context) as url:
        target = {"name": "pn_contoh", "kind": "website", "url": url}
        call = make_call(ACTION, inputs, directory=folder, target=target, now=now, earlier=earlier)
        outcome = ACTION.run(call)
    for evidence in outcome.evidence:
        assert read_evidence(call, evidence).startswith(b"-----BEGIN CERTIFICATE-----")
    assert_fits(ACTION, outcome.outputs)
    return outcome


def keys(outcome: Outcome) -> list[tuple[str, Severity]]:
    return [(problem.key, problem.severity) for problem in outcome.problems]


def trusting(folder: Path, wish: Wish = LEAF, above: Sequence[Wish] = (ROOT, MIDDLE)) -> tuple[Any, Issued, Any]:
    """A server whose whole chain is right: its context, its certificate, and inputs that trust its root."""
    issuer: Issued | None = None
    for each in above:
        issuer = issue(each, issuer)
    issued = issue(wish, issuer)
    root = issued.above[0] if issued.above else issued
    return server_context(folder, issued, issued.above[:0:-1]), issued, {"ca_file": authority_file(folder, root)}


def test_tells_all_about_a_chain_that_is_trusted(tmp_path: Path) -> None:
    context, issued, inputs = trusting(tmp_path)
    outcome = look(tmp_path, context, inputs)
    outputs = outcome.outputs
    assert (outputs["trusted"], outputs["cause"], outputs["reason"], outcome.problems) == (True, "", "", ())
    assert (outputs["subject"], outputs["issuer"], outputs["names"]) == ("127.0.0.1", "Perantara Uji", ["127.0.0.1"])
    assert (outputs["key_type"], outputs["key_bits"], outputs["signature"]) == ("EC", 256, "sha256")
    assert (outputs["protocol"], outputs["days_left"], outputs["lifetime_days"]) == ("TLSv1.3", 59, 61)
    assert outputs["serial"] == f"{issued.certificate.serial_number:x}"
    assert [each["subject"] for each in outputs["chain"]] == ["127.0.0.1", "Perantara Uji", "Akar Uji"]
    assert [evidence.name for evidence in outcome.evidence] == ["rantai.pem"]


def test_the_earliest_end_in_the_chain_counts(tmp_path: Path) -> None:
    context, _, inputs = trusting(tmp_path, above=(ROOT, Wish(common="Perantara Uji", authority=True, days=5, age=400)))
    outcome = look(tmp_path, context, inputs)
    assert (outcome.outputs["expiring"], outcome.outputs["days_left"]) == ("Perantara Uji", 4)
    assert keys(outcome) == [("certificate.expiring", Severity.MAJOR)]
    assert "berakhir 4 hari lagi" in outcome.problems[0].message


def broken(folder: Path, name: str) -> tuple[ssl.SSLContext, dict[str, Any]]:
    """A server that is not to be trusted, by why."""
    root = issue(ROOT)
    middle = issue(MIDDLE, root)
    trusted = {"ca_file": authority_file(folder, root)}
    leaf = {
        "expired": Wish(days=-3),
        "not yet valid": Wish(age=-2),
        "wrong name": Wish(names=["pn-lain.example"]),
        "no names": Wish(names=()),
        "incomplete": Wish(tells_issuer=True),
        "no subject": Wish(common="", names=["pn-lain.example"]),
    }.get(name, Wish())
    issued = issue(leaf, None if name == "self-signed" else middle)
    sent = () if name in ("incomplete", "self-signed") else (middle,)
    return server_context(folder, issued, sent), {} if name == "unknown issuer" else trusted


@pytest.mark.parametrize(
    ("name", "cause", "words", "problem"),
    [
        ("expired", "expired", "sudah kedaluwarsa", "certificate.expired"),
        ("not yet valid", "not_yet_valid", "belum berlaku", "certificate.untrusted"),
        ("self-signed", "self_signed", "ditandatangani sendiri", "certificate.untrusted"),
        ("unknown issuer", "unknown_issuer", "penerbit sertifikat tidak dikenal: 'Akar Uji'", "certificate.untrusted"),
        ("wrong name", "wrong_name", "bukan untuk alamat situs ini", "certificate.untrusted"),
        ("no names", "wrong_name", "bukan untuk", "certificate.untrusted"),
        ("no subject", "wrong_name", "bukan untuk", "certificate.untrusted"),
        (
            "incomplete",
            "incomplete",
            "server tidak mengirim sertifikat penerbit 'Perantara Uji'",
            "certificate.untrusted",
        ),
    ],
)
def test_says_why_a_chain_is_not_trusted(tmp_path: Path, name: str, cause: str, words: str, problem: str) -> None:
    context, inputs = broken(tmp_path, name)
    outcome = look(tmp_path, context, inputs)
    assert (outcome.outputs["trusted"], outcome.outputs["cause"]) == (False, cause)
    assert words in outcome.outputs["reason"]
    assert keys(outcome) == [(problem, Severity.CRITICAL)]
    assert cause in CAUSES
    assert outcome.outputs["fingerprint"]


def test_a_missing_link_that_names_no_issuer_is_an_unknown_one(tmp_path: Path) -> None:
    root = issue(ROOT)
    issued = issue(Wish(), issue(MIDDLE, root))
    outcome = look(tmp_path, server_context(tmp_path, issued), {"ca_file": authority_file(tmp_path, root)})
    assert outcome.outputs["cause"] == "unknown_issuer"


@pytest.mark.parametrize(
    ("wish", "words"),
    [(Wish(rsa_bits=1024), "kunci RSA hanya 1024 bit"), (Wish(sha1=True), "ditandatangani dengan SHA1")],
)
def test_says_what_is_weak(tmp_path: Path, wish: Wish, words: str) -> None:
    context, _, inputs = trusting(tmp_path, wish)
    outcome = look(tmp_path, context, inputs)
    told = {problem.key: problem for problem in outcome.problems}
    assert words in told["certificate.weak"].message
    assert told["certificate.weak"].severity is Severity.MAJOR
    assert outcome.outputs["cause"] in ("", "weak")


def test_an_old_protocol_is_told_with_its_name(tmp_path: Path) -> None:
    context, _, inputs = trusting(tmp_path)
    with pytest.deprecated_call():
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("ALL:@SECLEVEL=0")  # Debian's OpenSSL speaks TLSv1 no more otherwise
    outcome = look(tmp_path, context, inputs)
    assert (outcome.outputs["trusted"], outcome.outputs["cause"]) == (False, "protocol")
    assert outcome.outputs["protocol"] == "TLSv1"
    assert "versi TLS" in outcome.outputs["reason"]
    assert "server hanya berbicara TLSv1" in outcome.problems[-1].message


def test_ten_thousand_names_are_counted_not_listed(tmp_path: Path) -> None:
    names = ["127.0.0.1", *(f"x{number}.example" for number in range(4_000))]
    context, _, inputs = trusting(tmp_path, Wish(names=names))
    outputs = look(tmp_path, context, inputs).outputs
    assert (outputs["trusted"], outputs["names_count"], len(outputs["names"])) == (True, 4_001, 50)


def test_a_chain_too_large_to_read_is_said_to_be(tmp_path: Path) -> None:
    names = [f"nama-yang-panjang-{number}.pn-contoh.example" for number in range(10_000)]
    context, _, inputs = trusting(tmp_path, Wish(names=names))
    started = time.monotonic()
    outcome = look(tmp_path, context, inputs)
    assert time.monotonic() - started < 10
    assert (outcome.outputs["trusted"], outcome.outputs["cause"]) == (None, "unseen")
    assert "terlalu besar" in outcome.outputs["reason"]
    assert keys(outcome) == [("certificate.unknown", Severity.MAJOR)]


def test_a_chain_out_of_order_is_told(tmp_path: Path) -> None:
    root = issue(ROOT)
    middle = issue(MIDDLE, root)
    issued = issue(Wish(), middle)
    context = server_context(tmp_path, issued, (root, middle))
    outcome = look(tmp_path, context, {"ca_file": authority_file(tmp_path, root)})
    assert outcome.outputs["trusted"] is True
    assert keys(outcome) == [("certificate.chain", Severity.MINOR)]


@pytest.mark.parametrize(
    ("lifetime", "left", "severity"),
    [
        (47, 16, None),  # two thirds of its life without a word
        (47, 15, Severity.MINOR),
        (90, 30, None),
        (90, 29, Severity.MINOR),
        (398, 31, None),  # a third would be four months: the cap holds
        (398, 29, Severity.MINOR),
        (90, 7, Severity.MAJOR),
        (90, 3, Severity.CRITICAL),
        (90, 0.5, Severity.CRITICAL),
        (6, 4, None),  # seven days before its end would be always
        (6, 3, Severity.CRITICAL),
    ],
)
def test_the_end_is_told_by_the_share_of_a_lifetime(
    tmp_path: Path, lifetime: float, left: float, severity: Severity | None
) -> None:
    context, _, inputs = trusting(tmp_path, Wish(days=lifetime - 1, age=1))
    outcome = look(tmp_path, context, inputs, later=lifetime - 1 - left + 0.01)
    assert keys(outcome) == ([("certificate.expiring", severity)] if severity else [])


def test_an_expired_one_by_the_clock_of_the_run(tmp_path: Path) -> None:
    context, _, inputs = trusting(tmp_path)
    outcome = look(tmp_path, context, inputs, later=62)
    assert keys(outcome) == [("certificate.expired", Severity.CRITICAL)]


def test_tells_what_changed_since_the_last_time(tmp_path: Path) -> None:
    context, _, inputs = trusting(tmp_path)
    first = look(tmp_path, context, inputs)
    again = look(tmp_path, context, inputs, earlier=first.outputs)
    assert (again.outputs["changes"], again.problems, again.evidence) == ([], (), ())
    other = Wish(common="Perantara Lain", authority=True, days=400)
    context, _, inputs = trusting(tmp_path, Wish(rsa_bits=2048), above=(ROOT, other))
    renewed = look(tmp_path, context, inputs, earlier=first.outputs)
    fields = [change["field"] for change in renewed.outputs["changes"]]
    assert fields == ["fingerprint", "issuer", "key_type", "key_bits"]
    assert keys(renewed) == [("certificate.issuer_changed", Severity.MINOR)]
    assert renewed.evidence


def unseen(folder: Path, url: str, inputs: Mapping[str, Any] | None = None) -> Outcome:
    call = make_call(ACTION, {"url": url, **(inputs or {})}, directory=folder, limit=1, earlier={"fingerprint": "ab"})
    outcome = ACTION.run(call)
    assert not call.deadline.passed
    assert_fits(ACTION, outcome.outputs)
    assert (outcome.outputs["trusted"], outcome.outputs["fingerprint"]) == (None, "ab")
    assert keys(outcome) == [("certificate.unknown", Severity.MAJOR)]
    return outcome


def test_a_site_on_http_has_no_certificate_to_judge(tmp_path: Path) -> None:
    def look_at(place: str) -> Outcome:
        inputs = {"url": "http://pn-contoh.example/", "resolve": {"pn-contoh.example": [place]}}
        outcome = ACTION.run(make_call(ACTION, inputs, directory=tmp_path, limit=5))
        assert_fits(ACTION, outcome.outputs)
        assert (outcome.outputs["cause"], outcome.outputs["trusted"], outcome.problems) == ("no_tls", None, ())
        return outcome

    refused = look_at(f"127.0.0.1:{closed_port()}").message
    assert refused == "tidak berlaku: situs disajikan tanpa TLS (pn-contoh.example: koneksi ditolak oleh server)"
    with page_server({"/": "ya"}) as url:
        assert "server menjawab tanpa TLS" in look_at(url.removeprefix("http://")).message


def test_a_site_on_http_that_shows_a_certificate_is_judged_by_it(tmp_path: Path) -> None:
    context, _, inputs = trusting(tmp_path, Wish(names=["pn-contoh.example"]))
    with page_server({"/": "ya"}, context) as url:
        resolve = {"pn-contoh.example": [url.removeprefix("https://")]}
        asked = {**inputs, "url": "http://pn-contoh.example/", "resolve": resolve}
        outcome = ACTION.run(make_call(ACTION, asked, directory=tmp_path))
    assert (outcome.outputs["trusted"], outcome.problems) == (True, ())


def test_a_site_on_http_whose_name_is_not_known_is_unknown(tmp_path: Path) -> None:
    with dns_server({}) as server:
        unseen(tmp_path, "http://pn-contoh.example/", {"dns_resolver": server})


def test_what_cannot_be_seen_is_unknown_in_its_own_words(tmp_path: Path) -> None:
    assert "ditolak" in unseen(tmp_path, f"https://127.0.0.1:{closed_port()}").outputs["reason"]
    with raw_server(silent) as url:
        assert "jabat tangan" in unseen(tmp_path, url.replace("http:", "https:")).outputs["reason"]
    with page_server({"/": ""}) as url:
        assert "tanpa TLS" in unseen(tmp_path, url.replace("http:", "https:")).outputs["reason"]
    with dns_server({}) as server:
        inputs = {"dns_resolver": server}
        assert "tidak dikenal di DNS" in unseen(tmp_path, "https://pn-contoh.example/", inputs).outputs["reason"]


def test_the_worst_of_all_addresses_is_judged(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    good, _, inputs = trusting(tmp_path)
    old = server_context(tmp_path / "old", issue(Wish(days=-2, age=90)), [])
    with page_server({"/": "ya"}, good) as one, page_server({"/": "ya"}, old) as two:
        gone = f"127.0.0.3:{closed_port()}"
        places = [gone, *(url.removeprefix("https://").rstrip("/") for url in (one, two))]
        target = {"name": "pn", "kind": "website", "url": "https://pn-contoh.example/"}
        call = make_call(
            ACTION, {**inputs, "resolve": {"pn-contoh.example": places}}, directory=tmp_path, target=target
        )
        outcome = ACTION.run(call)
    assert (outcome.outputs["trusted"], outcome.outputs["addresses"]) == (False, 2)
    assert "pn-contoh.example (127.0.0.1)" in outcome.problems[0].message
