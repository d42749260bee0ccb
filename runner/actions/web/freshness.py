"""What tells when a website really changed: pure judgements over pages, feeds and sitemaps. What is made anew at every
request is no evidence.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from runner.actions.web.dates import day_of, find_dates, parse_moment
from runner.actions.web.feeds import Entry, Feed
from runner.actions.web.pages import Page

SOURCES = ("api", "feed", "markup", "sitemap", "visible", "fingerprint")  # the strongest first
JUST_NOW = timedelta(minutes=2)
ALIKE = 3  # from so many addresses on, one date for all of them is the date of the sitemap, not of the pages
LARGEST_JSON = 1024 * 1024

_API_DATES = ("modified_gmt", "date_gmt", "changed", "created", "modified", "publish_up")
_CHANGING = re.compile(r"[\d\s]+")


@dataclass(frozen=True, slots=True)
class Moment:
    """The fetch's own time, and the zone in which days are counted."""

    now: datetime
    zone: tzinfo

    @property
    def today(self) -> date:
        """The day it is at the office."""
        return self.now.astimezone(self.zone).date()

    def believed(self, raw: Iterable[str]) -> list[date]:
        """Given raw dates of feeds and markup, return the days that can be the day of a change."""
        found = (parse_moment(text, self.zone) for text in raw)
        return [day_of(m, self.zone) for m in found if m is not None and not self._made_now(m)]

    def _made_now(self, moment: datetime | date) -> bool:
        """Whether it lies in the future, or was made for this very request."""
        if isinstance(moment, datetime):
            return moment > self.now - JUST_NOW
        return moment > self.today


def marked_days(pages: Sequence[Page], moment: Moment) -> list[date]:
    """Given pages, return the days that their markup tells."""
    return [day for page in pages for day in moment.believed(page.dates)]


def visible_days(page: Page, moment: Moment) -> list[date]:
    """Given a page, return the days seen on it. Today counts only in its content: elsewhere it is a clock."""
    content = [day for day in find_dates(page.content) if day <= moment.today]
    return content + [day for day in find_dates(page.other) if day < moment.today]


def days_of_feed(feed: Feed, moment: Moment) -> list[date]:
    """Given a feed, return the days of its items."""
    return [day for entry in feed.entries for day in moment.believed(entry.dates)]


def days_of_sitemap(feed: Feed, moment: Moment) -> list[date]:
    """Given a sitemap, return the days of its addresses; none when one date stands at all of them."""
    raw = [text for entry in feed.entries for text in entry.dates]
    return [] if len(raw) >= ALIKE and len(set(raw)) == 1 else moment.believed(raw)


def newest_first(entries: Sequence[Entry], moment: Moment) -> list[str]:
    """Given a sitemap index's entries, return the addresses of its sitemaps, the newest first."""
    oldest = date.min
    ordered = sorted(entries, key=lambda entry: max(moment.believed(entry.dates), default=oldest), reverse=True)
    return [entry.link for entry in ordered if entry.kind == "sitemap" and entry.link]


def days_of_api(body: bytes, moment: Moment) -> list[date]:
    """Given what a CMS answers about its articles (WordPress, Drupal, Joomla), return their days; of what is no JSON,
    none. Times without a zone are UTC there (`_gmt`) or the office's."""
    try:
        waiting: list[Any] = [json.loads(body[:LARGEST_JSON])]
    except (ValueError, RecursionError):
        return []
    raw: list[str] = []
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, dict):
            for name, each in value.items():
                if name in _API_DATES and isinstance(each, str):
                    raw.append(each + "Z" if name.endswith("_gmt") and not each.endswith("Z") else each)
                elif isinstance(each, dict | list):
                    waiting.append(each)
    return moment.believed(raw)


def fingerprint(pages: Sequence[Page]) -> str:
    """Given pages, return a hash of what they say, without numbers: clocks and visitor counters change by themselves.
    "" for none."""
    words = [_CHANGING.sub(" ", page.content.strip() or page.other) for page in pages]
    text = "\n".join(words).strip()
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32] if text else ""
