"""The office's calendar in a file of its own: read together with the rest, mistakes told at their place."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from runner.binding import Bound, Documents, bind
from runner.errors import Refused
from runner.plan import Selection

PLAYBOOK = """\
procedure: {title: T}
steps: [{id: a, activity: a, tasks: [{id: b, action: command.run, effect: read, with: {argv: ["true"]}}]}]
"""
OFFICE = "office: {name: Pengadilan Negeri Contoh, timezone: WIB}\n"
CALENDAR = """\
office:
  hours:
    monday-friday: {open: 08:00-16:00, break: 12:00-13:00}
    periods: [{name: SK baru, from: 2026-07-01, friday: {open: 08:00-11:00}}]
  holidays: {2026-07-06: Hari jadi daerah}
  working_days: {2026-12-24: Pelayanan tetap buka, 2026-03-28: {open: 08:00-12:00, reason: Ujian dinas}}
  day_norm: hours
"""


def load(folder: Path, calendar: str) -> Bound:
    (folder / "inventory").mkdir()
    (folder / "a.yml").write_text(PLAYBOOK)
    (folder / "inventory" / "office.yml").write_text(OFFICE)
    (folder / "inventory" / "zz_calendar.yml").write_text(calendar)
    documents = Documents(folder / "a.yml", (folder / "inventory",))
    return bind(documents, Selection(), now=datetime(2026, 7, 6, tzinfo=UTC))


def test_a_calendar_may_stand_in_a_file_of_its_own(tmp_path: Path) -> None:
    calendar = load(tmp_path, CALENDAR).calendar
    assert calendar.office.day_norm == "hours"
    assert calendar.hours(date(2026, 7, 3)) == ((28800, 39600),)
    assert calendar.holiday(date(2026, 7, 6)) == "Hari jadi daerah"
    assert calendar.is_working_day(date(2026, 12, 24))
    assert calendar.office.working_days[date(2026, 3, 28)].reason == "Ujian dinas"


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        (CALENDAR.replace("2026-07-06:", "2026-02-30:"), "zz_calendar.yml:5:26: '2026-02-30' is not a date"),
        (CALENDAR.replace("day_norm: hours", "day_norm: noon"), "zz_calendar.yml:7:13: "),
        (CALENDAR.replace(", reason: Ujian dinas", ""), "zz_calendar.yml:6:"),
    ],
)
def test_a_mistake_in_it_is_told_at_its_place(tmp_path: Path, wrong: str, place: str) -> None:
    with pytest.raises(Refused) as refusal:
        load(tmp_path, wrong)
    assert place in str(refusal.value)
