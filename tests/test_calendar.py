from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.calendar import Calendar
from runner.durations import parse_norm
from runner.hours import OfficeError

WIB = ZoneInfo("Asia/Jakarta")
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

moments = st.datetimes(datetime(2024, 1, 1), datetime(2027, 12, 31), timezones=st.sampled_from([WIB, UTC]))
seconds = st.floats(0.001, 5_000_000)
norms = st.sampled_from(["5 menit", "3 jam", "40 jam", "1 hari", "9 hari", "3 x 24 jam", "2 minggu", "1 semester"])


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=WIB)


@pytest.mark.parametrize(
    ("start", "norm", "due"),
    [
        ("2026-07-03 15:00", "3 jam", "2026-07-06 09:30"),
        ("2026-07-03 16:28", "5 menit", "2026-07-06 08:03"),
        ("2026-07-06 11:30", "2 jam", "2026-07-06 14:30"),
        ("2026-07-06 11:30", "30 menit", "2026-07-06 12:00"),
        ("2026-07-04 10:00", "1 jam", "2026-07-06 09:00"),
        ("2026-03-17 14:00", "1 hari", "2026-03-25 16:30"),
        ("2026-03-17 14:00", "3 hari", "2026-03-27 16:30"),
        ("2026-03-17 14:00", "3 hari kerja", "2026-03-27 16:30"),
        ("2026-03-17 14:00", "7 jam 30 menit", "2026-03-25 15:30"),
        ("2026-03-17 14:00", "1 x 24 jam", "2026-03-18 14:00"),
        ("2026-03-17 14:00", "3 x 24 jam", "2026-03-20 14:00"),
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
            "working_days": {"2026-07-11": {"open": "08:00-12:00"}, "2026-12-24": "Pelayanan tetap buka"},
        }
    )
    assert calendar.holiday(date(2026, 7, 6)) == "Hari jadi daerah"
    assert calendar.due(_at("2026-07-03 09:00"), parse_norm("1 hari")) == _at("2026-07-07 16:30")
    assert calendar.due(_at("2026-07-10 09:00"), parse_norm("1 hari")) == _at("2026-07-11 12:00")
    assert calendar.due(_at("2026-12-23 09:00"), parse_norm("1 hari")) == _at("2026-12-24 16:30")


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
        ({"hours": {**USUAL, "periods": [{"from": "2026-02-19"}]}}, "office.hours.periods.0.until: '' is not a date"),
        (
            {"hours": {**USUAL, "periods": [{**RAMADAN, "until": "2026-02-01"}]}},
            "office.hours.periods.0.until: the period ends before",
        ),
        ({"hours": {**USUAL, "periods": [RAMADAN, RAMADAN]}}, "office.hours.periods.1: overlaps"),
        ({"holidays": {"24 Maret 2026": "x"}}, "office.holidays.24 Maret 2026: '24 Maret 2026' is not a date"),
        ({"holidays": {"20260324": "x"}}, "office.holidays.20260324: "),
        ({"holidays": {"2026-07-06": None}}, "office.holidays.2026-07-06: the holiday has no name"),
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


@given(moments, norms)
def test_nothing_is_due_before_it_starts_or_while_closed(start: datetime, wording: str) -> None:
    norm = parse_norm(wording)
    due = TAIS.due(start, norm)
    assert due is not None
    assert due > start
    assert norm.kind == "clock" or TAIS.is_working_day(due.date())


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
