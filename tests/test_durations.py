from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.durations import (
    LONGEST_LIMIT,
    Clock,
    Deadline,
    Kind,
    Norm,
    SystemClock,
    parse_limit,
    parse_norm,
    render_duration,
    render_norm,
)
from runner.spans import Span, Unit
from tests.clocks import FixedClock

CASES = [
    line.split(" => ")
    for line in (Path(__file__).parent / "cases/time-norms.txt").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
]
UNDERSTOOD = [case for case in CASES if case[1] != "refused"]
REFUSED = [case for case in CASES if case[1] == "refused"]

amounts = st.integers(1, 99)
working_time = st.builds(
    lambda amount, unit: parse_norm(f"{amount} {unit}").late, amounts, st.sampled_from(["s", "m", "h"])
)
spans = working_time | st.builds(Span, st.integers(1, 119), st.sampled_from([Unit.DAY, Unit.CLOCK_DAY, Unit.WEEK]))
months = st.builds(Span, st.integers(1, 24), st.just(Unit.MONTH))
ranges = st.tuples(spans | months, spans | months).map(lambda pair: sorted(pair, key=lambda span: span.nominal))
norms = st.one_of(
    st.builds(Norm, st.just(""), st.sampled_from([Kind.ELSEWHERE, Kind.CONTINUOUS, Kind.NONE])),
    st.builds(lambda span: Norm("", _kind_of(span), None, span), spans | months),
    st.builds(lambda amount: Norm("", Kind.WORKING_DAYS, None, Span(amount, Unit.DAY)), amounts),
    ranges.map(lambda pair: Norm("", Kind.RANGE, *pair)),
)


def _result(parse: Callable[..., object], *words: str | None) -> object:
    try:
        return parse(*words)
    except ValueError as error:
        return error


def _kind_of(span: Span) -> Kind:
    return Kind.CLOCK if span.unit is Unit.CLOCK_DAY else Kind.FIXED


@pytest.mark.parametrize(("wording", "kind", "meaning"), UNDERSTOOD)
def test_reads_the_wordings_of_real_forms(wording: str, kind: str, meaning: str) -> None:
    norm = parse_norm(wording)
    assert (norm.text, norm.kind, render_norm(norm, "id")) == (wording, kind, meaning)


@pytest.mark.parametrize(("wording", "_", "words"), REFUSED)
def test_refuses_what_it_cannot_read(wording: str, _: str, words: str) -> None:
    with pytest.raises(ValueError, match="write ") as refusal:
        parse_norm(wording)
    assert words in str(refusal.value)


def test_blank_is_no_norm() -> None:
    assert parse_norm(None) == Norm("", Kind.NONE)
    assert parse_norm("  ") == Norm("  ", Kind.NONE)


def test_a_reading_gives_the_meaning_and_keeps_the_text() -> None:
    assert parse_norm("5 minit", "5 menit") == Norm("5 minit", Kind.FIXED, None, Span(5, Unit.MINUTE))
    assert parse_norm("1 hari", "3 x 24 jam") == Norm("1 hari", Kind.CLOCK, None, Span(3, Unit.CLOCK_DAY))
    assert parse_norm(None, "1 jam").text == ""


def test_a_wrong_reading_is_the_one_named() -> None:
    with pytest.raises(ValueError, match="'5 minit' is not a time norm"):
        parse_norm("1 hari", "5 minit")


def test_late_bound_of_a_range_is_the_limit() -> None:
    norm = parse_norm("1jam - 3hari")
    assert (norm.early, norm.late) == (Span(1, Unit.HOUR), Span(3, Unit.DAY))


@pytest.mark.parametrize("value", [5, 1.5, True, [], {}, b"1 hari", "1 hari" * 100])
def test_refuses_what_is_not_a_short_text(value: object) -> None:
    for parse in (parse_norm, parse_limit):
        with pytest.raises(ValueError, match="write for example"):
            parse(value)


@given(st.sampled_from(UNDERSTOOD), st.data())
def test_case_spacing_and_dashes_do_not_matter(case: list[str], data: st.DataObject) -> None:
    wording = case[0]
    for dash in "-–—":
        wording = wording.replace(dash, data.draw(st.sampled_from("-‐‑‒–—―−")))
    wording = wording.replace(" ", data.draw(st.sampled_from([" ", "  ", "\t", "\n", "\xa0", " \u200b"])))
    changed = data.draw(st.sampled_from([str.upper, str.lower, str.title, str]))(f" {wording} ")
    assert parse_norm(changed).kind == case[1]
    assert render_norm(parse_norm(changed), "id") == case[2]


@given(norms, st.sampled_from(["id", "en"]))
def test_what_is_rendered_reads_back(norm: Norm, language: str) -> None:
    again = parse_norm(render_norm(norm, language))
    assert (again.kind, again.early, again.late) == (norm.kind, norm.early, norm.late)


pieces = st.sampled_from([*"0123456789 -–x×½/.,()'\"", *"sdhmw", "jam", "hari", "24", "kerja", "sesuai ", "to", "s/d"])


@given(st.text(max_size=300) | st.lists(pieces, max_size=12).map("".join), st.none() | st.text(max_size=20))
def test_any_text_is_a_norm_or_a_value_error(text: str, means: str | None) -> None:
    result = _result(parse_norm, text, means)
    if isinstance(result, Norm):
        assert result.text == text
        assert (result.late is None) == (result.kind in (Kind.ELSEWHERE, Kind.CONTINUOUS, Kind.NONE))
    else:
        assert "write " in str(result)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("5m", 300),
        ("2h", 7200),
        ("3d", 259200),
        ("5 menit", 300),
        ("1 Jam", 3600),
        ("2 hari", 172800),
        ("1 jam 30 menit", 5400),
        ("1 x 24 jam", 86400),
        ("2 minggu", 1209600),
        ("0.5s", 0.5),
        ("366 hari", LONGEST_LIMIT),
    ],
)
def test_a_limit_is_clock_time(text: str, seconds: float) -> None:
    assert parse_limit(text) == seconds


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (5, "5 has no unit. write for example 5 menit"),
        ("5", "is not a time limit. write for example 90s"),
        ("", "is not a time limit"),
        ("1-2 jam", "is not a time limit"),
        ("1 bulan", "is not a time limit"),
        ("sesuai jadwal", "is not a time limit"),
        ("2 hari kerja", "is working time"),
        ("0s", "is out of bounds"),
        ("367 hari", "is out of bounds"),
    ],
)
def test_a_limit_that_is_none_is_refused(text: object, words: str) -> None:
    with pytest.raises(ValueError, match="write ") as refusal:
        parse_limit(text)
    assert words in str(refusal.value)


@given(st.text(max_size=300) | st.lists(pieces, max_size=12).map("".join))
def test_any_text_is_a_limit_or_a_value_error(text: str) -> None:
    result = _result(parse_limit, text)
    assert 0 < result <= LONGEST_LIMIT if isinstance(result, float) else "write " in str(result)


@pytest.mark.parametrize(
    ("seconds", "indonesian", "english"),
    [
        (-1, "0 detik", "0 s"),
        (0.04, "0 detik", "0 s"),
        (0.4, "0,4 detik", "0.4 s"),
        (9.96, "10 detik", "10 s"),
        (59.6, "1 menit", "1 min"),
        (3599.9, "1 jam", "1 h"),
        (7500, "2 jam 5 menit", "2 h 5 min"),
        (86399, "1 hari", "1 d"),
        (90061, "1 hari 1 jam", "1 d 1 h"),
    ],
)
def test_renders_durations_shortly(seconds: float, indonesian: str, english: str) -> None:
    assert (render_duration(seconds, "id"), render_duration(seconds, "en")) == (indonesian, english)


def test_renders_working_time_without_days() -> None:
    assert render_duration(133_200 + 1800, "id", days=False) == "37 jam 30 menit"


@given(st.floats(0.1, LONGEST_LIMIT), st.sampled_from(["id", "en"]))
def test_a_rendered_duration_reads_back(seconds: float, language: str) -> None:
    again = parse_limit(render_duration(seconds, language))
    assert math.isclose(again, seconds, rel_tol=0.03, abs_tol=0.051)


def test_a_deadline_counts_down() -> None:
    assert Deadline.after(-1).passed
    assert Deadline.after(-1).remaining() == 0
    assert not Deadline.after(60).passed
    assert 59 < Deadline.after(60).remaining() <= 60
    assert Deadline.after(60).tightened(5).remaining() <= 5
    assert Deadline.after(5).tightened(60).remaining() <= 5


def test_clocks_agree_on_what_a_clock_is() -> None:
    clocks: list[Clock] = [SystemClock(), fixed := FixedClock(datetime(2026, 3, 24, tzinfo=UTC))]
    assert all(clock.now().utcoffset() == timedelta(0) for clock in clocks)
    assert clocks[0].monotonic() <= clocks[0].monotonic()
    fixed.advance(90)
    assert (fixed.now().minute, fixed.monotonic()) == (1, 90)


@pytest.mark.parametrize(
    "text",
    [
        "3 x 24 jam",
        "3 kali 24 jam",
        "paling lambat 3 x 24 (tiga kali dua puluh empat) jam",
        "3 (tiga) kali 24 (dua puluh empat) jam",
    ],
)
def test_laws_write_clock_time_in_several_ways(text: str) -> None:
    norm = parse_norm(text)
    assert norm.kind is Kind.CLOCK
    assert norm.late is not None
    assert norm.late.nominal == 3 * 86400
