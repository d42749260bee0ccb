from __future__ import annotations

import re
import string
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from runner.contract import Reason, Severity, Status
from runner.languages import FINDING
from runner.languages.catalogue import CATALOGUES, load_catalogue, parse_catalogue, render_catalogue
from runner.messages import (
    MESSAGES,
    MONTHS,
    WEEKDAYS,
    render_date,
    render_deviation,
    render_moment,
    render_number,
    render_size,
    say,
)
from runner.record.marks import State
from tests.catalogue import find_findings, find_messages

COUNTED = """
    working_time days_by_close days_by_hours period clock elsewhere continuous none late_bound estimated leave_unknown
"""
TRANSLATIONS = {spoken: load_catalogue(spoken) for spoken in ("en", "id")}
HOLES = re.compile(r"\{\d+\}").findall
JAKARTA = ZoneInfo("Asia/Jakarta")


def _names(text: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_every_message_stands_in_both_languages() -> None:
    for key, words in MESSAGES.items():
        assert all(word == word.strip() != "" for word in words), key
        assert _names(words.id) == _names(words.en), key
    assert all(all(words) for words in (*WEEKDAYS, *MONTHS))


def test_every_status_reason_and_severity_has_words() -> None:
    expected = {
        *(f"status.{word}" for word in Status),
        *(f"reason.{word}" for word in Reason),
        *(f"severity.{word}" for word in Severity),
        *(f"state.{word}" for word in State),
        *(f"deviation.{word}" for word in ("late", "no_output", "same_person", "same_paper")),
        *(f"counted.{word}" for word in COUNTED.split()),
    }
    assert {key for key in MESSAGES if "." in key} == expected


def test_says_in_both_languages() -> None:
    assert say(f"status.{Status.TIMED_OUT}", "id") == "melewati batas waktu"
    assert say(f"status.{Status.TIMED_OUT}", "en") == "timed out"


def test_values_are_never_read_as_templates() -> None:
    assert say("moment", "id", date="{hour}", hour="{0}", minute="", zone="{") == "{hour} pukul {0}. {"


def test_what_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError):
        say("status.unknown", "id")
    with pytest.raises(KeyError):
        say("moment", "id")


@pytest.mark.parametrize(
    ("zone", "name"), [("Asia/Jakarta", "WIB"), ("Asia/Makassar", "WITA"), ("Asia/Jayapura", "WIT")]
)
def test_writes_dates_as_offices_do(zone: str, name: str) -> None:
    moment = datetime(2026, 3, 24, 15, 30, tzinfo=ZoneInfo(zone))
    assert render_moment(moment, "id") == f"Selasa, 24 Maret 2026 pukul 15.30 {name}"
    assert render_moment(moment, "en") == f"Tuesday, 24 March 2026 at 15:30 {name}"
    assert render_date(date(2026, 1, 2), "id") == "Jumat, 2 Januari 2026"


def test_writes_numbers_with_the_right_separators() -> None:
    assert render_number(1234567.891, "id", decimals=2) == "1.234.567,89"
    assert render_number(1234567.891, "en", decimals=2) == "1,234,567.89"
    assert render_number(-1000, "id") == "-1.000"


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1,0 kB"),
        (1_500_000, "1,5 MB"),
        (999_960, "1,0 MB"),
        (123_456_789, "123 MB"),
        (10**19, "10.000 PB"),
    ],
)
def test_writes_sizes_in_the_unit_that_fits(size: int, words: str) -> None:
    assert render_size(size, "id") == words


def test_a_deviation_is_put_in_words() -> None:
    assert render_deviation("no_output: arsip", JAKARTA) == "output 'arsip' tidak tercatat"
    late = render_deviation("late: 2026-03-25T15:30+07:00", JAKARTA)
    assert late == "terlambat; batas waktunya Rabu, 25 Maret 2026 pukul 15.30 WIB"
    assert render_deviation("in a court's own words", JAKARTA) == "in a court's own words"


def test_every_message_is_translated_and_every_translation_is_used() -> None:
    """Run `make messages`, and put the translation of what is new into runner/languages/id.po (en.po)."""
    for said, told in ((find_messages(), TRANSLATIONS["id"]), (find_findings(), TRANSLATIONS["en"])):
        assert not set(said) - set(told), "not translated"
        assert not set(told) - set(said), "nothing says this any more"


@pytest.mark.parametrize("spoken", sorted(TRANSLATIONS))
def test_translations_fill_the_holes_of_their_messages(spoken: str) -> None:
    told = TRANSLATIONS[spoken]
    assert [message for message in told if sorted(HOLES(message)) != sorted(HOLES(told[message]))] == []


def test_translations_keep_what_is_typed() -> None:
    """Commands and options are the same in each language."""
    wrong = {}
    for message, told in TRANSLATIONS["id"].items():
        lost = {word for word in re.findall(r"(?<![\w-])--[a-z][a-z-]+", message) if word not in told}
        if lost:
            wrong[message] = lost
    assert wrong == {}


def test_what_actions_find_is_recognised_without_the_catalogue() -> None:
    """Where it is not, put one of its words, which no English text has, into _FINDINGS of runner/languages."""
    known = {message for message, told in TRANSLATIONS["en"].items() if message != told}
    assert [message for message in known if not FINDING.search(message)] == []


@pytest.mark.parametrize("spoken", sorted(TRANSLATIONS))
def test_the_catalogues_are_gettexts(spoken: str) -> None:
    """What Poedit, Weblate and msgfmt read is what we read."""
    pofile = pytest.importorskip("babel.messages.pofile", reason="Babel comes with sphinx")
    path = CATALOGUES / f"{spoken}.po"
    with path.open("rb") as stream:
        read = pofile.read_po(stream, abort_invalid=True)
    assert {entry.id: entry.string for entry in read if entry.id} == TRANSLATIONS[spoken]
    text = path.read_text(encoding="utf-8")
    assert render_catalogue(parse_catalogue(text), spoken) == text
