"""How values are written on a page: its language, its words, the office's time zone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from runner.messages import MESSAGES, Language, render_date, render_moment, say
from runner.reports.values import find_zone, render_value
from runner.reports.words import WORDS, Words


@dataclass(frozen=True, slots=True)
class Pen:
    """How values are written on this page."""

    words: Words
    zone: ZoneInfo
    language: Language

    def value(self, value: Any) -> str:
        """Given a JSON value, return it short, for people."""
        return render_value(value, self.zone, self.language)

    def status(self, status: str | None) -> str:
        """Given a status of the record, return its word; None while it still runs. On paper, changed is done."""
        key = f"status.{'ok' if status == 'changed' else status}"
        return say(key, self.language) if key in MESSAGES else self.words["running"]

    def time(self, moment: datetime) -> str:
        """Given a time, return it in full, in the office's zone."""
        return render_moment(moment.astimezone(self.zone), self.language)

    def day(self, moment: datetime) -> str:
        """Given a time, return its day without the weekday, as papers are dated: "22 November 2026"."""
        return render_date(moment.astimezone(self.zone), self.language).split(", ", 1)[1]

    def span(self, start: datetime, end: datetime) -> str:
        """Given when something began and ended, return both; a shared day stands once."""
        first, last = start.astimezone(self.zone), end.astimezone(self.zone)
        clock = "%H.%M" if self.language == "id" else "%H:%M"
        zone = first.tzname() or ""
        if first.date() != last.date():
            return f"{self.day(start)} {first:{clock}} – {self.day(end)} {last:{clock}} {zone}"
        hours = f"{first:{clock}}" if f"{first:{clock}}" == f"{last:{clock}}" else f"{first:{clock}}–{last:{clock}}"
        return f"{self.day(start)}, {hours} {zone}"

    def severity(self, severity: str) -> str:
        """Given a problem's severity, return its word."""
        key = f"severity.{severity}"
        return say(key, self.language) if key in MESSAGES else severity


def take_pen(office: Mapping[str, Any], language: Language) -> Pen:
    """Given the office, whose time zone holds, and a language, return how values are written."""
    return Pen(WORDS[language], find_zone(office.get("timezone")), language)
