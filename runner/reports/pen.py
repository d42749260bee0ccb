"""How values are written on an official paper: in Indonesian, by the clock of the office."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from runner.durations import render_duration
from runner.hours import office_zone
from runner.messages import MESSAGES, render_day, render_deviation, render_moment, render_number, render_size, say
from runner.reports.values import render_value


@dataclass(frozen=True, slots=True)
class Pen:
    """How values are written on papers of an office in that time zone."""

    zone: ZoneInfo

    def value(self, value: Any) -> str:
        """Given a JSON value, return it short, for people."""
        return render_value(value, self.zone)

    def number(self, value: float, decimals: int = 0) -> str:
        """Given a number, return it with a decimal comma."""
        return render_number(value, "id", decimals=decimals)

    def size(self, size: int) -> str:
        """Given bytes, return them in the unit that fits."""
        return render_size(size, "id")

    def duration(self, seconds: float) -> str:
        """Given seconds, return the two largest units: "2 jam 5 menit"."""
        return render_duration(seconds, "id")

    def status(self, status: str | None) -> str:
        """Given a status of the record, return its word; None while it still runs. On paper, changed is done."""
        key = f"status.{'ok' if status == 'changed' else status}"
        otherwise = "dibatalkan" if status == "cancelled" else "sedang berjalan"
        return say(key, "id") if key in MESSAGES else otherwise

    def deviation(self, deviation: str) -> str:
        """Given a deviation as recorded, return it in words."""
        return render_deviation(deviation, self.zone)

    def local(self, moment: datetime) -> datetime:
        """Given an aware time, return it in the office's zone."""
        return moment.astimezone(self.zone)

    def time(self, moment: datetime) -> str:
        """Given a time, return it in full: "Selasa, 24 Maret 2026 pukul 15.30 WIB"."""
        return render_moment(self.local(moment), "id")

    def day(self, moment: datetime | date) -> str:
        """Given a time or a day, return the day without the weekday, as papers are dated: "22 November 2026"."""
        day = self.local(moment) if isinstance(moment, datetime) else moment
        return render_day(day, "id")

    def clock(self, moment: datetime) -> str:
        """Given a time, return day and hour in short: "22 November 2026 08.30 WIB"."""
        return f"{self.day(moment)} {self.local(moment):%H.%M} {self.local(moment).tzname() or ''}".strip()

    def span(self, start: datetime, end: datetime) -> str:
        """Given when something began and ended, return both; a shared day stands once."""
        first, last = self.local(start), self.local(end)
        zone = first.tzname() or ""
        if first.date() != last.date():
            return f"{self.day(start)} {first:%H.%M} – {self.day(end)} {last:%H.%M} {zone}"
        hours = f"{first:%H.%M}" if f"{first:%H.%M}" == f"{last:%H.%M}" else f"{first:%H.%M}–{last:%H.%M}"
        return f"{self.day(start)}, {hours} {zone}"

    def severity(self, severity: str) -> str:
        """Given a problem's severity, return its word."""
        key = f"severity.{severity}"
        return say(key, "id") if key in MESSAGES else severity


def take_pen(office: Mapping[str, Any]) -> Pen:
    """Given the office, whose time zone holds, return how values are written."""
    return Pen(office_zone(office))
