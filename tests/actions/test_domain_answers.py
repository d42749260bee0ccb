"""What is understood of real answers: every file under tests/cases/domain.status, exactly; and hostile ones."""

from __future__ import annotations

import json
import time
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.actions.domain.days import parse_day
from runner.actions.domain.findings import Cause, Finding
from runner.actions.domain.names import parse_domain
from runner.actions.domain.rdap import understand_rdap
from runner.actions.domain.statuses import judge, parse_status
from runner.actions.domain.whois import understand_whois
from tests.registry_servers import rdap_document, whois_text

CASES = Path(__file__).parents[1] / "cases" / "domain.status"
WHOIS = sorted(CASES.glob("*.whois.txt"))
RDAP = sorted(CASES.glob("*.rdap.json"))
WORDINGS = (CASES / "throttled-wordings.txt").read_text().splitlines()
ABSENT = (CASES / "absent-wordings.txt").read_text().splitlines()
REFUSED = (CASES / "refused-wordings.txt").read_text().splitlines()


def load_expected(answer: Path) -> dict[str, Any]:
    expected: dict[str, Any] = json.loads((CASES / f"{answer.name.rpartition('.')[0]}.expected.json").read_text())
    return expected


def as_json(found: Finding) -> dict[str, Any]:
    return {
        "registered": found.registered,
        "expires": found.expires.isoformat() if found.expires else None,
        "created": found.created.isoformat() if found.created else None,
        "registrar": found.registrar,
        "statuses": list(found.statuses),
        "name_servers": list(found.name_servers),
        "dnssec": found.dnssec,
        "cause": str(found.cause or ""),
        **({"wait": found.wait} if found.wait else {}),
    }


@pytest.mark.parametrize("answer", WHOIS, ids=lambda path: path.name)
def test_understands_a_whois_answer_exactly(answer: Path) -> None:
    expected = load_expected(answer)
    domain = expected.pop("domain")
    assert as_json(understand_whois(answer.read_bytes(), domain)) == expected


@pytest.mark.parametrize("answer", RDAP, ids=lambda path: path.name)
def test_understands_an_rdap_answer_exactly(answer: Path) -> None:
    expected = load_expected(answer)
    domain, status = expected.pop("domain"), expected.pop("http_status")
    assert as_json(understand_rdap(answer.read_bytes(), domain, status=status)) == expected


def test_the_table_of_answers_is_as_large_as_promised() -> None:
    recorded = [path for path in WHOIS + RDAP if not path.name.startswith("made")]
    listed = (CASES / "SOURCES.md").read_text()
    assert len(recorded) >= 60
    assert all(f"| {path.name} |" in listed for path in WHOIS + RDAP)


@pytest.mark.parametrize("wording", WORDINGS)
def test_a_throttled_answer_is_unknown(wording: str) -> None:
    found = understand_whois(wording + "\r\n", "pn-contoh.go.id")
    assert (found.registered, found.cause) == (None, Cause.THROTTLED)


@pytest.mark.parametrize("wording", WORDINGS)
def test_a_throttled_answer_is_unknown_inside_terms_of_use(wording: str) -> None:
    terms = "% This is the registry's WHOIS service.\n% The data is for information only. All rights reserved.\n\n"
    assert understand_whois(f"{terms}% {wording}\n% See http://example.org/terms\n").registered is None


@pytest.mark.parametrize("wording", REFUSED)
def test_a_refusal_or_a_failure_of_the_server_never_means_not_registered(wording: str) -> None:
    found = understand_whois(wording + "\r\n", "pn-contoh.go.id")
    assert (found.registered, found.cause is None) == (None, False)


@pytest.mark.parametrize("wording", ABSENT)
def test_knows_how_registries_say_that_a_domain_is_not_registered(wording: str) -> None:
    assert understand_whois(wording + "\r\n", "pn-contoh.go.id").registered is False


@pytest.mark.parametrize("start", ["HTTP/1.1 404 Not Found\r\n\r\n", "<!DOCTYPE html>", "<html><h1>404 Not Found</h1>"])
def test_a_web_page_is_no_answer_of_a_registry(start: str) -> None:
    assert understand_whois(start + "\r\nDomain not found.\r\n").registered is None


@pytest.mark.parametrize("status", [400, 403, 404, 500, 503])
@pytest.mark.parametrize("wording", ["Too many requests", "Rate limit exceeded", "Try again in 30 seconds"])
def test_an_rdap_error_that_says_in_words_that_too_much_was_asked_is_throttling(status: int, wording: str) -> None:
    told = json.dumps({"errorCode": status, "title": "Error", "description": [wording]})
    for body in (told, json.dumps({"message": wording}), f"<html><body>{wording}</body></html>", wording):
        found = understand_rdap(body, "pn-contoh.go.id", status=status, media_type="application/rdap+json")
        assert (found.registered, found.cause) == (None, Cause.THROTTLED)


def test_an_rdap_domain_without_a_name_and_without_events_tells_nothing() -> None:
    assert understand_rdap('{"objectClassName": "domain"}', "pn-contoh.go.id").registered is None


FORMS = {
    "lettered brackets": ("a [Domain Name]  contoh.my\nd [Record Expired]  08-JUN-2027\n", "expires", date(2027, 6, 8)),
    "a date under its header": (
        "Domain name:\ncontoh.ch\n\nRegistrar:\nPT Contoh\n\nFirst registration date:\n1999-05-24\n",
        "created",
        date(1999, 5, 24),
    ),
    "a bracketed section": ("[Domain]\nDomain: contoh.lv\n\n[Registrar]\nName: PT Contoh\n", "registrar", "PT Contoh"),
    "named items": ("Registrar...: X\n\nDNS servers\nName....: ns1.contoh.id.\n", "name_servers", ("ns1.contoh.id",)),
    "flags": ("Registrar: X\n\nFlags:\n\tclientHold\n\tKSK key:3\n", "statuses", ("clientHold",)),
}


@pytest.mark.parametrize("form", FORMS)
def test_reads_forms_of_registries(form: str) -> None:
    text, field, value = FORMS[form]
    assert getattr(understand_whois(text), field) == value


@pytest.mark.parametrize("domain", ["user-access.go.id", "later.page.id", "whois-contact.id", "blocked.id"])
def test_a_domain_may_be_called_after_any_word(domain: str) -> None:
    for wording in ("No match for {}.", 'domain "{}" not found.', "The domain {} has not been registered."):
        assert understand_whois(wording.format(domain.upper()), domain).registered is False


def test_an_answer_that_was_cut_short_by_throttling_is_unknown_even_with_a_date() -> None:
    told = b"% Terms of use.\n\n% Query rate limit exceeded. Reduced information.\n\n"
    assert understand_whois(told + whois_text(), "pn-contoh.go.id").cause is Cause.THROTTLED
    terms = (
        b"% Terms: queries are counted, and those who come\n% too often, too many requests in a minute,\n% wait.\n\n"
    )
    assert understand_whois(terms + whois_text(), "pn-contoh.go.id").expires == date(2027, 3, 1)


def test_terms_of_use_that_speak_of_limits_are_no_throttling() -> None:
    terms = (
        "Queries are throttled. If too many queries are received from a single IP address, the service will reject"
        " further queries. The registry reserves the right to restrict access when limits are exceeded.\n"
    )
    assert understand_whois(b"Domain not found.\n" + terms.encode()).registered is False
    assert understand_whois(whois_text() + terms.encode(), "pn-contoh.go.id").registered is True


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", Cause.UNREADABLE),
        ("\r\n \r\n", Cause.UNREADABLE),
        ("Hello there", Cause.UNREADABLE),
        ("<html><body>It works!</body></html>", Cause.UNREADABLE),
        ("Error: the database is down for maintenance", Cause.REFUSED),
        ("This name is not available for registration", Cause.REFUSED),
        ("Domain Name: LAIN.GO.ID\nRegistry Expiry Date: 2027-01-01\nName Server: ns1.example.org", Cause.UNREADABLE),
        ("No match for PN-CONTOH.GO.ID\nCreated On: 2009-01-01\nName Server: ns1.example.org", Cause.CONTRADICTORY),
    ],
)
def test_what_is_not_surely_an_answer_is_unknown(text: str, cause: Cause) -> None:
    found = understand_whois(text, "pn-contoh.go.id")
    assert (found.registered, found.cause) == (None, cause)


def test_reads_latin_1() -> None:
    found = understand_whois("Domain Name: contoh.id\nRegistrar: Soci\xe9t\xe9\nExpires: 1.3.2027\n".encode("latin-1"))
    assert (found.registrar, found.expires) == ("Société", date(2027, 3, 1))


def test_takes_the_part_about_the_domain_that_was_asked_for() -> None:
    other = whois_text(domain="lain.go.id", expires="2030-01-01")
    assert understand_whois(other + b"\r\n" + whois_text(), "pn-contoh.go.id").expires == date(2027, 3, 1)


@pytest.mark.parametrize("unit", [b"%", b"a:", b"Domain: x\n", b"[", b"\n", b"exceeded ", b"no match ", b" ." * 3])
@pytest.mark.promise("Fuzzing", "a hostile WHOIS answer", "read in bounded time")
def test_a_large_hostile_answer_takes_no_time(unit: bytes) -> None:
    begin = time.process_time()
    understand_whois((unit * (1024 * 1024 // len(unit)))[: 1024 * 1024 - 1] + b"x")
    assert time.process_time() - begin < 2


def test_a_too_large_answer_is_not_read() -> None:
    assert understand_whois(b"x" * (5 * 1024 * 1024)).cause is Cause.SIZE
    assert understand_rdap(b" " * (5 * 1024 * 1024)).cause is Cause.SIZE


@given(st.binary(max_size=2000))
def test_no_bytes_break_the_reading(raw: bytes) -> None:
    understand_whois(raw, "pn-contoh.go.id")
    assert understand_rdap(raw, "pn-contoh.go.id").registered is not True


WRONG = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(sorted(rdap_document())), WRONG, max_size=4))
def test_rdap_with_members_of_wrong_types_is_read_without_them(wrong: dict[str, Any]) -> None:
    found = understand_rdap(json.dumps({**rdap_document(), **wrong}), "pn-contoh.go.id")
    if not {"objectClassName", "ldhName", "errorCode"} & set(wrong):
        assert found.registered is True


@pytest.mark.parametrize("without", ["events", "status", "entities", "nameservers", "secureDNS", "ldhName"])
def test_rdap_with_a_member_missing_still_says_registered(without: str) -> None:
    document = rdap_document()
    del document[without]
    assert understand_rdap(json.dumps(document), "pn-contoh.go.id").registered is True


def test_deep_json_is_unreadable() -> None:
    assert understand_rdap(b"[" * 200_000).cause is Cause.UNREADABLE


def test_an_empty_404_is_not_registered_only_as_rdap() -> None:
    assert understand_rdap(b"", status=404, media_type="application/rdap+json; charset=utf-8").registered is False
    assert understand_rdap(b"", status=404, media_type="text/html").cause is Cause.REFUSED
    assert understand_rdap(b"<h1>Not Found</h1>", status=404, media_type="text/html").registered is None


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("pn-tais.go.id", "pn-tais.go.id"),
        ("WWW.PN-Tais.GO.ID.", "pn-tais.go.id"),
        ("https://sipp.pn-tais.go.id:8443/perkara?id=1", "pn-tais.go.id"),
        ("mail.contoh.id", "contoh.id"),
        ("kelurahan.contoh.desa.id", "contoh.desa.id"),
        ("www.example.com", "example.com"),
        ("www.example.co.uk", "example.co.uk"),
        ("net.co", "net.co"),
        ("www.münchen.de", "xn--mnchen-3ya.de"),
        ("WWW.XN--MNCHEN-3YA.DE", "xn--mnchen-3ya.de"),
    ],
)
def test_finds_the_registered_domain(text: str, domain: str) -> None:
    assert parse_domain(text) == domain


@pytest.mark.parametrize(
    ("written", "stage"),
    [
        *(("QUARANTINE", "redemption"), ("in quarantine", "redemption"), ("redemption", "redemption")),
        *(("inactive / expired", "expired"), ("Renewal required.", "expired"), ("Suspended", "on_hold")),
        *(("To be suspended", "on_hold"), ("deactivated", "on_hold"), ("not suspended", "active")),
        *(
            ("to be deleted", "pending_delete"),
            ("ok (paid and in zone)", "active"),
            ("Registered until expiry date", "active"),
        ),
    ],
)
def test_knows_what_a_registrys_own_word_comes_to(written: str, stage: str) -> None:
    assert judge("contoh.nl", (parse_status(written),), date(2027, 3, 1), date(2026, 11, 22)).stage == stage


@pytest.mark.parametrize("text", ["straße.de", "https://www.faß.de/", "con\u200dtoh.id"])
def test_never_asks_about_another_name_than_the_one_that_was_written(text: str) -> None:
    with pytest.raises(ValueError, match="take its form with xn--"):
        parse_domain(text)


@pytest.mark.parametrize(
    "text", ["https://user:word@www.pn-contoh.go.id:8443/a?b#c", "http://pn-contoh.go.id?x=1", "pn-contoh.go.id#x"]
)
def test_reads_the_domain_out_of_any_web_address(text: str) -> None:
    assert parse_domain(text) == "pn-contoh.go.id"


@pytest.mark.parametrize("text", ["", "id", "go.id", "..", "a..id", "192.0.2.1", "x y.id", "-a.id", "a" * 300 + ".id"])
def test_refuses_what_is_no_domain(text: str) -> None:
    with pytest.raises(ValueError, match="is not a"):
        parse_domain(text)


@pytest.mark.parametrize(
    "text",
    [
        *("2027-03-01", "2027-03-01T23:59:59Z", "2027-03-01 23:59:59+07", "2027/03/01", "2027.03.01 12:00:00"),
        *("2027. 03. 01.", "20270301", "20270301 #142485", "01-Mar-2027", "01 March 2027", "1-mar-2027 23:59:59 UTC"),
        *("2027-Mar-01.", "Mon Mar  1 23:59:59 GMT 2027", "Mon, 01 Mar 2027 10:00:00 +0700", "1st March 2027"),
        *("March 1, 2027", "01.03.2027 12:01:02", "1.3.2027", "01/03/2027", "01-03-2027", "20270301235959"),
    ],
)
def test_reads_a_day_in_the_forms_of_registries(text: str) -> None:
    assert parse_day(text) == date(2027, 3, 1)


@pytest.mark.parametrize("text", ["", "before Aug-1996", "2027-02-30", "31/31/2027", "1.2.3.4", "never", "0000-00-00"])
def test_what_is_not_surely_a_day_is_none(text: str) -> None:
    assert parse_day(text) is None


def test_the_month_stands_first_where_another_date_shows_it() -> None:
    text = "Domain Name: contoh.tk\nDomain registered: 12/18/2001\nRecord will expire on: 03/02/2027\n"
    assert understand_whois(text).expires == date(2027, 3, 2)


@pytest.mark.parametrize(
    ("statuses", "expires", "stage", "price"),
    [
        (("ok",), date(2027, 3, 1), "active", "normal"),
        (("clientTransferProhibited",), None, "undated", ""),
        (("serverHold",), date(2027, 3, 1), "on_hold", ""),
        (("renewPeriod",), date(2026, 11, 1), "expired", "normal"),
        (("autoRenewPeriod",), date(2027, 11, 1), "expired", "normal"),
        (("redemptionPeriod", "pendingDelete"), date(2026, 9, 1), "redemption", "redemption"),
        (("pendingDelete", "serverHold"), date(2026, 10, 1), "redemption", "redemption"),
        (("pendingDelete",), date(2026, 8, 1), "pending_delete", "lost"),
    ],
)
def test_judges_where_a_domain_stands(statuses: tuple[str, ...], expires: date | None, stage: str, price: str) -> None:
    standing = judge("pn-contoh.go.id", statuses, expires, date(2026, 11, 22))
    assert (standing.stage, standing.price) == (stage, price)


def test_a_generic_domain_that_is_pending_deletion_is_lost() -> None:
    assert judge("example.com", ("pendingDelete",), date(2026, 10, 1), date(2026, 11, 22)).price == "lost"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("clientTransferProhibited https://icann.org/epp#clientTransferProhibited", "clientTransferProhibited"),
        ("client transfer prohibited", "clientTransferProhibited"),
        ("CLIENT-HOLD", "clientHold"),
        ("redemption period", "redemptionPeriod"),
        ("active", "ok"),
        ("Registered until expiry date.", "Registered until expiry date"),
    ],
)
def test_statuses_have_one_spelling(text: str, status: str) -> None:
    assert parse_status(text) == status
