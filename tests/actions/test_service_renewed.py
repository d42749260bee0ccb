from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from runner.actions.service_renewed import ACTION
from runner.contract import Outcome, Status
from runner.errors import Failed
from tests.calls import assert_fits, make_call, read_evidence

NOW = datetime(2026, 12, 7, 3, 0, tzinfo=UTC)  # Monday, 10.00 WIB
INVOICE = {"number": "INV-1", "date": "2026-11-20", "amount": 55500, "file": "invoice.pdf"}
PAYMENT = {"number": "SP2D-1", "date": "2026-12-01", "amount": 55500, "file": "sp2d.pdf"}


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("invoice.pdf").write_bytes(b"%PDF invoice")
    Path("sp2d.pdf").write_bytes(b"%PDF sp2d")


def renewal(**changes: Any) -> dict[str, Any]:
    return {"expires": "2027-12-31", "invoice": INVOICE, "payment": PAYMENT, **changes}


def check(
    inputs: Mapping[str, Any] | None = None,
    earlier: Mapping[str, Any] | None = None,
    now: datetime = NOW,
    **settings: Any,
) -> Outcome:
    target = {"kind": "service", "name": "domain", "service": "domain", "title": "pn-contoh.example"}
    call = make_call(
        ACTION,
        inputs,
        directory=Path.cwd(),
        target={**target, "expires": "2026-12-31", **settings},
        now=now,
        earlier=earlier,
    )
    outcome = ACTION.run(call)
    assert outcome.status is Status.OK
    assert_fits(ACTION, outcome.outputs)
    return outcome


def missing(inputs: Mapping[str, Any] | None = None, **settings: Any) -> list[str]:
    outcome = check({"observed": "2027-12-31", **(inputs or {})}, **settings)
    assert outcome.outputs["renewed"] is False
    assert [problem.key for problem in outcome.problems] == ["service.renewal_incomplete"]
    return list(outcome.outputs["missing"])


def test_papers_and_observation_that_agree_close_it() -> None:
    outcome = check({"observed": "2027-12-31T23:59:59Z"}, renewal=renewal())
    assert (outcome.outputs["renewed"], outcome.outputs["stage"], outcome.problems) == (True, "renewed", ())
    assert outcome.outputs["missing"] == []


def test_the_papers_are_kept_by_their_hash() -> None:
    call = make_call(
        ACTION,
        directory=Path.cwd(),
        target={"kind": "service", "name": "d", "service": "domain", "expires": "2026-12-31", "renewal": renewal()},
    )
    outcome = ACTION.run(call)
    assert [read_evidence(call, each) for each in outcome.evidence] == [b"%PDF invoice", b"%PDF sp2d"]
    assert [each["sha256"] for each in outcome.outputs["papers"]] == [each.sha256 for each in outcome.evidence]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"invoice": None}, "invoice belum dicatat"),
        ({"payment": None}, "pembayaran belum dicatat"),
        ({"payment": {**PAYMENT, "file": ""}}, "berkas pembayaran belum dicatat"),
        ({"payment": {**PAYMENT, "file": "none.pdf"}}, "berkas pembayaran 'none.pdf' tidak ada"),
        ({"payment": {**PAYMENT, "file": "."}}, "berkas pembayaran '.' bukan berkas"),
        ({"payment": {**PAYMENT, "file": "/dev/zero"}}, "berkas pembayaran '/dev/zero' bukan berkas"),
        ({"payment": {**PAYMENT, "file": "a\0b"}}, "berkas pembayaran 'a\\x00b' tidak ada"),
        (
            {"payment": {**PAYMENT, "sha256": "0" * 64}},
            "berkas pembayaran 'sp2d.pdf' berbeda dari yang dicatat (SHA-256)",
        ),
        ({"payment": {**PAYMENT, "amount": 50000}}, "pembayaran Rp50.000,00 kurang dari invoice Rp55.500,00"),
        (
            {"payment": {**PAYMENT, "currency": "USD", "amount": 12.5}},
            "pembayaran USD 12,50 dan invoice Rp55.500,00 berbeda mata uang",
        ),
        ({"payment": {**PAYMENT, "date": "2026-12-08"}}, "pembayaran bertanggal sesudah hari ini"),
        ({"payment": {**PAYMENT, "file": "invoice.pdf"}}, "satu berkas dicatat untuk dua surat"),
    ],
)
def test_says_what_is_missing_of_the_papers(changes: dict[str, Any], expected: str) -> None:
    papers = {key: value for key, value in renewal(**changes).items() if value is not None}
    assert missing(renewal=papers) == [expected]


def test_a_file_as_it_was_filed_is_right() -> None:
    digest = hashlib.sha256(b"%PDF sp2d").hexdigest()
    assert check({"observed": "2027-12-31"}, renewal=renewal(payment={**PAYMENT, "sha256": digest})).outputs["renewed"]


def test_a_handover_note_is_needed_where_the_court_says_so() -> None:
    wanted = {"papers": ["invoice", "payment", "handover"]}
    assert missing(wanted, renewal=renewal()) == ["berita acara serah terima belum dicatat"]


def test_paper_alone_closes_nothing() -> None:
    assert missing({"observed": "2026-12-31"}, renewal=renewal()) == [
        "yang terlihat berlaku sampai 31 Desember 2026, bukan 31 Desember 2027"
    ]
    assert missing({"observed": ""}, renewal=renewal()) == [
        "masa berlaku baru (sampai 31 Desember 2027) belum terlihat"
    ]
    assert missing({"observed": "soon"}, renewal=renewal()) == [
        "masa berlaku baru (sampai 31 Desember 2027) belum terlihat: tanggal yang diamati 'soon' tidak dapat dibaca"
    ]


def test_observation_alone_closes_nothing() -> None:
    assert missing(renewal={"expires": "2027-12-31"}) == ["invoice belum dicatat", "pembayaran belum dicatat"]


def test_what_somebody_saw_at_the_provider_counts_where_nothing_else_can_look() -> None:
    seen = {"observed": "2027-12-31", "renewal": renewal()}
    assert check(service="hosting", **seen).outputs["renewed"] is True
    assert check(service="domain", **seen).outputs["renewed"] is False


def test_a_providers_page_may_say_it_in_words() -> None:
    assert check({"observed": "Aktif sampai 31 Desember 2027"}, renewal=renewal()).outputs["renewed"] is True


def test_without_a_renewal_there_is_nothing_to_close() -> None:
    outcome = check()
    assert (outcome.outputs["stage"], outcome.problems) == ("none", ())


def test_a_renewal_that_was_moved_up_is_followed_until_it_is_done() -> None:
    before = check({"observed": "2026-12-31"}, renewal=renewal()).outputs
    moved = {"expires": "2027-12-31", "invoice": INVOICE, "payment": PAYMENT}
    waiting = check({"observed": "2026-12-31"}, before, **moved)
    assert waiting.outputs["stage"] == "waiting"
    done = check({"observed": "2027-12-31"}, waiting.outputs, **moved)
    assert done.outputs["renewed"] is True
    assert check({"observed": "2027-12-31"}, done.outputs, **moved).outputs["stage"] == "none"


def test_a_later_day_without_papers_is_not_a_renewal() -> None:
    before = check().outputs
    outcome = check({"observed": "2027-12-31"}, before, expires="2027-12-31")
    assert outcome.outputs["missing"] == ["invoice belum dicatat", "pembayaran belum dicatat"]


@pytest.mark.parametrize(
    ("until", "seconds", "within"),
    [("2026-11-20 10:30", 5400, True), ("2026-11-20 14:00", 12600, False), ("2026-11-21 10:00", 21600, False)],
)
def test_work_is_measured_in_working_time(until: str, seconds: int, within: bool) -> None:
    """Friday 20 November: a break from 12.00 to 13.30, open until 16.30, then a weekend."""
    work = [{"from": "2026-11-20 09:00", "until": until}]
    outputs = check({"observed": "2027-12-31"}, renewal=renewal(work=work)).outputs
    assert (outputs["work_seconds"], outputs["within_norm"]) == (seconds, within)


def test_work_that_nobody_wrote_down_is_not_known() -> None:
    outputs = check({"observed": "2027-12-31"}, renewal=renewal()).outputs
    assert (outputs["work_seconds"], outputs["within_norm"]) == (None, None)


def test_waiting_runs_from_the_day_after_payment_until_it_was_first_seen() -> None:
    waiting = check({"observed": ""}, renewal=renewal()).outputs
    assert waiting["waiting_seconds"] == 3 * 27000 + 7200  # Wednesday, Thursday, Friday, and Monday until ten
    done = check({"observed": "2027-12-31"}, waiting, renewal=renewal()).outputs
    later = check({"observed": "2027-12-31"}, done, datetime(2026, 12, 9, 3, 0, tzinfo=UTC), renewal=renewal()).outputs
    assert later["waiting_seconds"] == done["waiting_seconds"] == waiting["waiting_seconds"]
    assert later["effective"] == "2026-12-07T03:00:00+00:00"


def test_a_time_that_is_none_fails_in_words() -> None:
    with pytest.raises(Failed, match="'soon' is no time"):
        check({"work": [{"from": "soon", "until": "2026-11-20 10:30"}]}, renewal=renewal())
