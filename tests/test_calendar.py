from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import nullcontext
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.calendar import Calendar
from runner.durations import parse_norm
from runner.hours import OfficeError
from runner.messages import Language, render_counted

WIB = ZoneInfo("Asia/Jakarta")
LANGUAGES = get_args(Language)
USUAL = {
    "monday-thursday": {"open": "08:00-16:30", "break": "12:00-13:00"},
    "friday": {"open": "07:30-16:30", "break": "12:00-13:30"},
}
RAMADAN = {
    "name": "Ramadan",
    "from": "2026-02-19",
    "until": "2026-03-20",
    "senin-kamis": {"open": "08.00 – 15.00", "break": "12.00-12.30"},
    "Jumat": {"open": "08.00-15.30", "break": "11.30-12.30"},
}
TAIS = Calendar.from_office({"name": "Pengadilan Negeri Tais", "hours": {**USUAL, "periods": [RAMADAN]}})
BY_HOURS = Calendar.from_office({"hours": {**USUAL, "periods": [RAMADAN]}, "day_norm": "hours"})

moments = st.datetimes(datetime(2024, 1, 1), datetime(2027, 12, 31), timezones=st.sampled_from([WIB, UTC]))
seconds = st.floats(0.001, 5_000_000)
norms = st.sampled_from(["5 menit", "3 jam", "40 jam", "1 hari", "9 hari", "3 x 24 jam", "2 minggu", "1 semester"])


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=WIB)


# What the domain's page works out, to the minute; Bengkulu's hours, Ramadan 2026 as assumed there.
# Tue 17 Mar 2026 is in Ramadan (08-15); Wed 18 is Nyepi's collective leave, Thu 19 Nyepi, Fri 20 leave, Sat 21 and
# Sun 22 Idul Fitri, Mon 23 and Tue 24 leave; Wed 25 is the first working day after it, with the usual hours.
@pytest.mark.parametrize(
    ("start", "norm", "due"),
    [
        ("2026-07-03 15:00", "3 jam", "2026-07-06 09:30"),  # Fri 15-16.30 is 1.30; Mon 8-9.30 is 1.30
        ("2026-07-03 16:28", "5 menit", "2026-07-06 08:03"),  # Fri 2 minutes, Mon 3
        ("2026-07-06 11:30", "2 jam", "2026-07-06 14:30"),  # 0.30 before the break of 12-13, 1.30 after it
        ("2026-03-17 14:00", "1 hari", "2026-03-25 16:30"),  # the close-of-day rule
        ("2026-03-17 14:00", "3 hari", "2026-03-27 16:30"),  # Wed 25, Thu 26, Fri 27
        ("2026-03-17 14:00", "1 x 24 jam", "2026-03-18 14:00"),  # a closed day: no matter
        ("2026-03-17 14:00", "3 x 24 jam", "2026-03-20 14:00"),
    ],
)
def test_worked_examples(start: str, norm: str, due: str) -> None:
    assert TAIS.due(_at(start), parse_norm(norm)) == _at(due)


def test_worked_example_of_the_hours_rule() -> None:
    # Tue 14-15 is 1 h of that day's 6.30; Wed 25 has 7.30 h, so 6.30 more: 8-12 is 4, 13-15.30 is 2.30
    assert BY_HOURS.due(_at("2026-03-17 14:00"), parse_norm("1 hari")) == _at("2026-03-25 15:30")


@pytest.mark.parametrize(
    ("start", "norm", "due"),
    [
        (
            "2026-03-17 14:00",
            "3 hari",
            "2026-03-27 15:30",
        ),  # 1 + 7.30 + 7.30 + 6.30 = 3 x 7.30; Fri 7.30-12, 13.30-15.30
        ("2026-03-02 10:00", "1 hari", "2026-03-03 10:00"),  # all in Ramadan: 6.30 h, Mon 4.30, Tue 2
        ("2026-02-18 09:30", "1 hari", "2026-02-19 08:30"),  # Wed 6 h; Ramadan begins Thu: 6.30 in all
        ("2026-02-18 08:30", "1 hari", "2026-02-19 08:00"),  # Wed 7 of 7.30 h, more than all of Thu: at its opening
        ("2026-07-06 08:00", "1 hari", "2026-07-06 16:30"),  # a whole day from its opening ends with it
        ("2026-07-04 10:00", "1 hari", "2026-07-06 16:30"),  # a Saturday adds nothing
        ("2026-07-06 12:30", "1 hari", "2026-07-07 12:00"),  # begun in the break
        ("2026-07-06 09:00", "1 x 24 jam", "2026-07-07 09:00"),
    ],
)
def test_an_office_may_count_days_by_their_hours(start: str, norm: str, due: str) -> None:
    assert BY_HOURS.due(_at(start), parse_norm(norm)) == _at(due)


@pytest.mark.parametrize(
    ("start", "norm", "due"),
    [
        ("2026-07-06 11:30", "30 menit", "2026-07-06 12:00"),
        ("2026-07-04 10:00", "1 jam", "2026-07-06 09:00"),
        ("2026-03-17 14:00", "3 hari kerja", "2026-03-27 16:30"),
        ("2026-03-17 14:00", "7 jam 30 menit", "2026-03-25 15:30"),
        ("2026-07-06 09:00", "1jam - 3hari", "2026-07-09 16:30"),
        ("2026-07-06 09:00", "40 jam", "2026-07-13 11:30"),
        ("2026-07-04 09:00", "1 minggu", "2026-07-10 16:30"),
        ("2026-03-17 14:00", "1 minggu", "2026-03-25 16:30"),
        ("2026-01-31 09:00", "1 bulan", "2026-02-27 15:30"),
        ("2026-01-05 09:00", "1 semester", "2026-07-03 16:30"),
        ("2026-02-05 09:00", "1 tahun", "2027-02-04 16:30"),
    ],
)
def test_due_times_of_the_forms(start: str, norm: str, due: str) -> None:
    assert TAIS.due(_at(start), parse_norm(norm)) == _at(due)


@pytest.mark.parametrize("norm", ["sesuai jadwal", "sepanjang tahun", "segera", "-", None])
def test_norms_without_a_bound_are_never_due(norm: str | None) -> None:
    assert TAIS.due(_at("2026-07-06 09:00"), parse_norm(norm)) is None


def test_due_times_stand_in_the_zone_of_the_office() -> None:
    due = TAIS.due(datetime(2026, 7, 6, 2, tzinfo=UTC), parse_norm("1 x 24 jam"))
    assert due is not None
    assert due.isoformat() == "2026-07-07T09:00:00+07:00"


@pytest.mark.parametrize(("zone", "opens"), [("WIB", 1), ("wita", 0), ("WIT", 23), ("Asia/Makassar", 0), (None, 1)])
def test_hours_are_those_of_the_zone(zone: str | None, opens: int) -> None:
    calendar = Calendar.from_office({"timezone": zone})
    opening = calendar.add_working(datetime(2026, 7, 4, tzinfo=UTC), 1) - timedelta(seconds=1)
    assert opening.astimezone(UTC).hour == opens


def test_a_usual_week_has_the_hours_of_the_decree() -> None:
    assert TAIS.working_seconds(_at("2026-07-06 00:00"), _at("2026-07-13 00:00")) == 37.5 * 3600
    assert TAIS.working_seconds(_at("2026-03-02 00:00"), _at("2026-03-09 00:00")) == 32.5 * 3600


def test_knows_holidays_and_collective_leave() -> None:
    assert TAIS.holiday(date(2026, 3, 23)) == "Cuti Bersama Hari Raya Idul Fitri"
    assert not TAIS.is_working_day(date(2026, 3, 23))
    assert not TAIS.is_working_day(date(2026, 8, 17))
    assert not TAIS.is_working_day(date(2026, 7, 4))
    assert TAIS.is_working_day(date(2026, 7, 6))
    assert TAIS.holiday(date(2026, 7, 6)) == ""


def test_says_until_when_leave_is_known() -> None:
    assert TAIS.known_until >= date(2027, 12, 31)
    assert (TAIS.known_until.month, TAIS.known_until.day) == (12, 31)


def test_an_office_has_its_own_days() -> None:
    calendar = Calendar.from_office(
        {
            "holidays": {"2026-07-06": "Hari jadi daerah"},
            "working_days": {
                "2026-07-11": {"open": "08:00-12:00", "reason": "Ujian"},
                "2026-12-24": "Pelayanan tetap buka",
            },
        }
    )
    assert calendar.holiday(date(2026, 7, 6)) == "Hari jadi daerah"
    assert calendar.due(_at("2026-07-03 09:00"), parse_norm("1 hari")) == _at("2026-07-07 16:30")
    assert calendar.due(_at("2026-07-10 09:00"), parse_norm("1 hari")) == _at("2026-07-11 12:00")
    assert calendar.due(_at("2026-12-23 09:00"), parse_norm("1 hari")) == _at("2026-12-24 16:30")


def test_hours_change_from_the_day_that_a_decree_says() -> None:
    decree = {
        "name": "SK baru",
        "from": "2026-01-01",
        "monday-thursday": {"open": "07:30-16:00", "break": "12:00-13:00"},
    }
    calendar = Calendar.from_office({"hours": {**USUAL, "periods": [RAMADAN, decree]}})
    opening, closing = {date(2025, 12, 29): (8, 16.5), date(2026, 7, 6): (7.5, 16), date(2026, 3, 2): (8, 15)}, {}
    for day in opening:  # a Monday each: before the decree, under it, and in Ramadan, which lies within it
        hours = calendar.hours(day)
        closing[day] = (hours[0][0] / 3600, hours[-1][1] / 3600)
    assert closing == opening
    assert calendar.hours(date(2026, 7, 3)) == TAIS.hours(date(2026, 7, 3)), (
        "a Friday, which the decree leaves as it was"
    )


@pytest.mark.parametrize(
    ("name", "from_", "until", "fits"),
    [
        ("within", "2026-03-01", "2026-03-10", True),
        ("around", "2026-01-01", "2026-12-31", True),
        ("after", "2026-03-21", None, True),
        ("across its end", "2026-03-10", "2026-04-10", False),
        ("from its first day", "2026-02-19", "2026-03-01", False),
    ],
)
def test_periods_lie_apart_or_within_another(name: str, from_: str, until: str | None, fits: bool) -> None:
    other = {"name": name, "from": from_, **({"until": until} if until else {}), "friday": "closed"}
    for periods in ([RAMADAN, other], [other, RAMADAN]):
        with nullcontext() if fits else pytest.raises(OfficeError, match="overlaps"):
            Calendar.from_office({"hours": {**USUAL, "periods": periods}})


@pytest.mark.promise("Clock", "daylight saving elsewhere", "due times stand")
def test_due_times_do_not_hang_on_the_zone_of_this_machine() -> None:
    code = (
        "from datetime import datetime, UTC; from runner.calendar import Calendar;"
        "from runner.durations import parse_norm;"
        "c = Calendar.from_office({'timezone': 'WIT'}); s = datetime(2026, 7, 3, 6, tzinfo=UTC);"
        "print(c.due(s, parse_norm('3 jam')), c.due(s, parse_norm('1 hari')), c.due(s, parse_norm('1 x 24 jam')))"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "TZ": zone},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout
        for zone in ("UTC", "America/New_York", "Pacific/Kiritimati")
    }
    # Fri 3 Jul 2026 15:00 in Jayapura
    assert told == {"2026-07-06 09:30:00+09:00 2026-07-06 16:30:00+09:00 2026-07-04 15:00:00+09:00\n"}


def test_days_left_out_are_closed_and_periods_keep_them() -> None:
    hours = {"monday": {"open": "08:00-12:00, 13:00-15:00"}, "periods": [{**RAMADAN, "Jumat": "closed"}]}
    calendar = Calendar.from_office({"hours": hours})
    assert calendar.hours(date(2026, 7, 6)) == ((28800, 43200), (46800, 54000))
    assert not calendar.is_working_day(date(2026, 7, 7))
    assert calendar.is_working_day(date(2026, 2, 24))


@pytest.mark.parametrize(
    ("office", "words"),
    [
        ({"timezone": "Mars"}, "office.timezone: 'Mars' is not known. write WIB"),
        ({"timezone": "../../etc/passwd"}, "office.timezone: "),
        ({"hours": []}, "office.hours: not a mapping"),
        ({"hours": {}}, "office.hours: the office is never open"),
        (
            {"hours": {"mondey": {"open": "08:00-16:30"}}},
            "office.hours.mondey: 'mondey' is not a weekday. did you mean",
        ),
        ({"hours": {"monday-friday-sunday": "closed"}}, "is not a weekday"),
        ({"hours": {**USUAL, "jumat": "closed"}}, "office.hours.jumat: Friday stands twice"),
        ({"hours": {"monday": "08:00-16:30"}}, "office.hours.monday: not the hours of a day. write for example {open"),
        ({"hours": {"monday": {"open": "16:30-08:00"}}}, "office.hours.monday.open: '16:30-08:00' is not a time"),
        ({"hours": {"monday": {"open": "8-16"}}}, "office.hours.monday.open: "),
        ({"hours": {"monday": {"open": "08:00-24:30"}}}, "office.hours.monday.open: "),
        (
            {"hours": {"monday": {"open": "08:00-12:00", "break": "12:00-13:00"}}},
            "office.hours.monday.break: the break lies outside",
        ),
        ({"hours": {**USUAL, "periods": {}}}, "office.hours.periods: not a list"),
        ({"hours": {**USUAL, "periods": [{"until": "2026-02-19"}]}}, "office.hours.periods.0.from: '' is not a date"),
        (
            {"hours": {**USUAL, "periods": [{**RAMADAN, "until": "2026-02-01"}]}},
            "office.hours.periods.0.until: the period ends before",
        ),
        ({"hours": {**USUAL, "periods": [RAMADAN, RAMADAN]}}, "office.hours.periods.1: overlaps"),
        ({"holidays": {"24 Maret 2026": "x"}}, "office.holidays.24 Maret 2026: '24 Maret 2026' is not a date"),
        ({"holidays": {"20260324": "x"}}, "office.holidays.20260324: "),
        ({"holidays": {"2026-07-06": None}}, "office.holidays.2026-07-06: the holiday has no name"),
        (
            {"working_days": {"2026-12-24": {"open": "08:00-12:00"}}},
            "office.working_days.2026-12-24: it is not said why",
        ),
        ({"working_days": {"2026-12-24": ""}}, "office.working_days.2026-12-24: it is not said why"),
        ({"day_norm": "midnight"}, "office.day_norm: 'midnight' is not known. write close or hours"),
        ({"working_days": {"2026-07-11": "Lembur"}}, "office.working_days.2026-07-11: Saturday has no hours"),
        (
            {"holidays": {"2026-07-06": "a"}, "working_days": {"2026-07-06": "b"}},
            "office.working_days.2026-07-06: this day also stands",
        ),
    ],
)
def test_refuses_hours_that_make_no_sense(office: dict[str, Any], words: str) -> None:
    with pytest.raises(OfficeError) as refusal:
        Calendar.from_office(office)
    assert words in str(refusal.value)
    assert len(refusal.value.mistakes) == 1


def test_tells_all_mistakes_at_once_with_their_paths() -> None:
    with pytest.raises(ValueError, match="office") as refusal:
        Calendar.from_office({"timezone": "x", "holidays": {"x": ""}, "hours": {"friday": {"close": 1}}})
    assert isinstance(refusal.value, OfficeError)
    assert [mistake.path for mistake in refusal.value.mistakes] == [
        ("timezone",),
        ("hours", "friday"),
        ("holidays", "x"),
    ]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["08:00-16:30", "2026-07-06"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["monday", "open", "break", "periods", "from", "until"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["timezone", "hours", "holidays", "working_days"]), json_values))
def test_any_office_is_a_calendar_or_an_office_error(office: dict[str, Any]) -> None:
    try:
        calendar: Calendar | OfficeError = Calendar.from_office(office)
    except OfficeError as error:
        calendar = error
    assert isinstance(calendar, Calendar) or calendar.mistakes


@pytest.mark.parametrize("method", ["working_seconds", "add_working", "due"])
def test_refuses_times_without_a_zone(method: str) -> None:
    naive = datetime(2026, 7, 6)
    second = {"working_seconds": _at("2026-07-06 09:00"), "add_working": 60, "due": parse_norm("1 hari")}[method]
    with pytest.raises(ValueError, match="has no time zone"):
        getattr(TAIS, method)(naive, second)


def test_an_office_that_never_opens_again_is_an_error() -> None:
    closed = {"from": "2026-01-01", "until": "2199-12-31", "monday-sunday": "closed"}
    calendar = Calendar.from_office({"hours": {**USUAL, "periods": [closed]}})
    for norm in ("1 jam", "1 hari", "1 minggu"):
        with pytest.raises(ValueError, match="100 years"):
            calendar.due(_at("2026-07-06 09:00"), parse_norm(norm))


@given(moments, seconds)
def test_working_time_added_is_working_time_used(start: datetime, amount: float) -> None:
    end = TAIS.add_working(start, amount)
    assert TAIS.working_seconds(start, end) == pytest.approx(amount, abs=1e-6)
    assert TAIS.working_seconds(start, end - timedelta(microseconds=1)) < round(amount, 6)


@pytest.mark.parametrize(
    ("end", "minutes", "start"),
    [
        ("2026-07-06 16:30", 30, "2026-07-06 16:00"),
        ("2026-07-06 13:10", 30, "2026-07-06 11:40"),  # 10 minutes after the break, 20 before it
        ("2026-07-06 08:05", 30, "2026-07-03 16:05"),  # 5 on Monday, 25 on Friday
        ("2026-07-06 08:30", 30, "2026-07-06 08:00"),  # the latest of many such moments, not Friday's close
        ("2026-07-05 10:00", 30, "2026-07-03 16:00"),
        ("2026-03-25 08:30", 35, "2026-03-17 14:55"),  # through the leave
        (
            "2026-01-02 08:00",
            60,
            "2025-12-31 16:00",
        ),  # a Friday from 7.30: half an hour, and half one of the year before
        ("2026-07-06 10:00", 0, "2026-07-06 10:00"),
    ],
)
def test_working_time_is_taken_off_as_it_is_added(end: str, minutes: int, start: str) -> None:
    assert TAIS.subtract_working(_at(end), minutes * 60) == _at(start)


@given(moments, seconds)
def test_what_is_taken_off_is_the_latest_start(end: datetime, amount: float) -> None:
    start = TAIS.subtract_working(end, amount)
    assert start <= end
    assert TAIS.working_seconds(start, end) == pytest.approx(amount, abs=1e-6)
    assert TAIS.working_seconds(start + timedelta(microseconds=2), end) < round(amount, 6)


@given(moments, moments, moments)
def test_working_time_adds_up(first: datetime, second: datetime, third: datetime) -> None:
    whole = TAIS.working_seconds(first, third)
    assert whole == pytest.approx(TAIS.working_seconds(first, second) + TAIS.working_seconds(second, third), abs=1e-5)
    assert TAIS.working_seconds(third, first) == -whole


@given(st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 30)), st.integers(0, 4000))
def test_working_time_is_what_counting_minutes_gives(start: datetime, minutes: int) -> None:
    begin = start.replace(second=0, microsecond=0, tzinfo=WIB)
    counted = 0
    for number in range(minutes):
        moment = begin + timedelta(minutes=number)
        second = moment.hour * 3600 + moment.minute * 60
        counted += any(first <= second < last for first, last in TAIS.hours(moment.date()))
    assert TAIS.working_seconds(begin, begin + timedelta(minutes=minutes)) == counted * 60


@given(moments, st.integers(0, 40 * 86400), norms, st.sampled_from([TAIS, BY_HOURS]))
def test_a_later_start_is_never_due_earlier(start: datetime, later: int, wording: str, calendar: Calendar) -> None:
    first, second = (calendar.due(moment, parse_norm(wording)) for moment in (start, start + timedelta(seconds=later)))
    assert first is not None
    assert second is not None
    assert first <= second


@given(st.dates(date(2026, 1, 1), date(2027, 12, 30)), st.lists(st.integers(0, 86400), max_size=6))
def test_the_pieces_of_a_day_are_the_whole_of_it(day: date, cuts: list[int]) -> None:
    midnight = datetime(day.year, day.month, day.day, tzinfo=WIB)
    times = [midnight + timedelta(seconds=cut) for cut in (0, *sorted(cuts), 86400)]
    pieces = sum(TAIS.working_seconds(one, other) for one, other in pairwise(times))
    assert pieces == pytest.approx(sum(end - begin for begin, end in TAIS.hours(day)), abs=1e-6)


@given(moments, norms, st.sampled_from([TAIS, BY_HOURS]))
def test_what_is_due_is_due_while_the_office_is_open(start: datetime, wording: str, calendar: Calendar) -> None:
    norm = parse_norm(wording)
    due = calendar.due(start, norm)
    assert due is not None
    second = due.hour * 3600 + due.minute * 60 + due.second + due.microsecond / 1e6
    open_then = any(begin <= second <= end for begin, end in calendar.hours(due.date()))
    assert open_then or norm.kind == "clock"


@given(moments, st.integers(1, 12))
def test_statutory_clocks_never_pause(start: datetime, days: int) -> None:
    for calendar in (TAIS, BY_HOURS, Calendar.from_office({"holidays": {"2026-07-06": "Libur"}})):
        due = calendar.due(start, parse_norm(f"{days} x 24 jam"))
        assert due is not None
        assert due - start == timedelta(hours=24 * days)


@given(moments, norms)
def test_nothing_is_due_before_it_starts_or_while_closed(start: datetime, wording: str) -> None:
    norm = parse_norm(wording)
    due = TAIS.due(start, norm)
    assert due is not None
    assert due > start
    assert norm.kind == "clock" or TAIS.is_working_day(due.date())


@pytest.mark.parametrize(
    ("start", "norm", "told"),
    [
        ("2026-07-06 09:00", "3 jam", ["working_time"]),
        ("2026-07-06 09:00", "2 hari kerja", ["days_by_close: 2"]),
        ("2026-07-06 09:00", "1jam - 3hari", ["days_by_close: 3", "late_bound"]),
        ("2026-07-06 09:00", "3 x 24 jam", ["clock: 3"]),
        ("2026-07-06 09:00", "1 semester", ["period", "estimated"]),
        ("2026-07-06 09:00", "sesuai jadwal", ["elsewhere"]),
        ("2026-07-06 09:00", "sepanjang tahun", ["continuous"]),
        ("2026-07-06 09:00", "-", ["none"]),
    ],
)
def test_says_by_which_rule_it_counts(start: str, norm: str, told: list[str]) -> None:
    counted = TAIS.counted(_at(start), parse_norm(norm))
    assert list(counted) == told or told[-1] == "estimated"  # half a year on lies in 2027
    assert counted[0] == told[0]
    for each in counted:
        for language in LANGUAGES:
            sentence = render_counted(each, language)
            assert sentence.endswith(".")
            assert "{" not in sentence
            assert sentence != each
    assert BY_HOURS.counted(_at(start), parse_norm("2 hari"))[0] == "days_by_hours: 2"


def test_names_estimated_days_between_start_and_due_until_the_office_settles_them() -> None:
    start, norm = _at("2027-03-04 09:00"), parse_norm("1 minggu")  # Idul Fitri 2027 is estimated for 10 and 11 March
    named = TAIS.counted(start, norm)
    assert named[0] == "period"
    assert "estimated: Hari Raya Idul Fitri, 2027-03-10" in named
    assert render_counted(named[1], "id") == (
        "Hari Raya Idul Fitri, Rabu, 10 Maret 2027, masih perkiraan: jatuh tempo dapat berubah."
    )
    settled = Calendar.from_office({"holidays": {"2027-03-10": "Idul Fitri", "2027-03-11": "Idul Fitri"}})
    assert settled.counted(start, norm) == ("period",)
    assert TAIS.counted(start, parse_norm("1 x 24 jam")) == ("clock: 1",), "an estimate matters to no clock"


def test_says_when_a_due_time_lies_beyond_the_leave_that_is_known() -> None:
    year = TAIS.known_until.year
    counted = TAIS.counted(_at(f"{year}-12-20 09:00"), parse_norm("1 bulan"))
    assert f"leave_unknown: {year}-12-31" in counted
    assert f"31 Desember {year}" in render_counted(counted[-1], "id")
    assert TAIS.counted(_at(f"{year}-06-07 09:00"), parse_norm("3 jam")) == ("working_time",)


def test_decades_are_counted_quickly() -> None:
    calendar = Calendar.from_office({})
    begin = time.perf_counter()
    calendar.working_seconds(_at("2000-01-01 00:00"), _at("2030-01-01 00:00"))
    first = time.perf_counter() - begin
    begin = time.perf_counter()
    for _ in range(100):
        calendar.working_seconds(_at("2000-01-01 00:00"), _at("2030-01-01 00:00"))
    assert first < 5
    assert time.perf_counter() - begin < 0.5


def test_holidays_load_only_when_needed() -> None:
    code = "import sys, runner.calendar as c; c.Calendar.from_office({}); print('holidays' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert answer.stdout == "False\n"
