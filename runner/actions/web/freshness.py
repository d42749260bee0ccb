"""When a website really changed last, by an order of evidence; what is made anew at every request is no evidence.

The order: items of a feed, addresses of a sitemap, dates in the markup, dates that visitors see. The strongest that
speaks decides; the others are kept beside it.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from urllib.parse import urljoin

from runner.actions.web.dates import day_of, find_dates, parse_moment
from runner.actions.web.feeds import Entry, Feed, parse_feed
from runner.actions.web.fetch import Answer, Fetcher
from runner.actions.web.pages import Page, parse_page
from runner.actions.web.placeholders import PageKind, page_kind
from runner.actions.web.text import decode_body
from runner.actions.web.visit import visit
from runner.durations import Deadline

SOURCES = ("feed", "sitemap", "markup", "visible")
USUAL_FEEDS = ("/feed/", "/index.php?format=feed&type=rss")
JUST_NOW = timedelta(minutes=2)
REDIRECTS = 5
MOST_FEEDS = 4
MOST_SITEMAPS = 6
ALIKE = 3  # from so many addresses on, one date for all of them is the date of the sitemap, not of the pages


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


@dataclass(frozen=True, slots=True)
class Findings:
    """The newest day by source (None: it says nothing), what was visited, and what went wrong there."""

    newest: dict[str, date | None]
    visited: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """The strongest source that says something; "" when none does."""
        return next((source for source in SOURCES if self.newest[source]), "")


@dataclass(slots=True)
class Survey:
    """Visits what may tell of changes, strongest first, and stops when something strong has spoken."""

    base: str
    hosts: Collection[str]
    moment: Moment
    deadline: Deadline
    fetcher: Fetcher
    visited: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def findings(self, pages: Sequence[str], feeds: Sequence[str], sitemaps: Sequence[str]) -> Findings:
        """Given addresses (of pages, feeds, sitemaps), return what they tell."""
        read = [page for page in map(self._page, pages) if page]
        named = list(dict.fromkeys(url for page in read for url in page.feeds))
        newest = newest_on_pages(read, self.moment)
        newest["feed"] = self._newest_in_feeds([*feeds, *named] or list(USUAL_FEEDS)) if read else None
        if not newest["feed"] and read:
            newest["sitemap"] = self._newest_in_sitemaps(sitemaps)
        return Findings(newest, tuple(self.visited), tuple(self.faults))

    def _get(self, url: str) -> Answer | None:
        url = urljoin(self.base, url)
        if url in self.visited:
            return None
        self.visited.append(url)
        answer = visit(url, self.deadline, self.fetcher, hosts=self.hosts, most=REDIRECTS).last
        if answer.fault:
            self.faults.append(f"{url}: {answer.fault.message}")
        elif answer.status != 200:
            self.faults.append(f"{url}: status {answer.status}")
        else:
            return answer
        return None

    def _page(self, url: str) -> Page | None:
        answer = self._get(url)
        if answer is None:
            return None
        page = parse_page(decode_body(answer))
        if page_kind(page, answer.url) is not PageKind.SITE:
            self.faults.append(f"{answer.url}: bukan halaman situs")
            return None
        return page

    def _newest_in_feeds(self, urls: Sequence[str]) -> date | None:
        days: list[date] = []
        for url in urls[:MOST_FEEDS]:
            answer = self._get(url)
            feed = parse_feed(answer.body) if answer else None
            if feed and feed.root in ("rss", "rdf", "feed"):
                days += days_of_feed(feed, self.moment)
        return max(days, default=None)

    def _newest_in_sitemaps(self, urls: Sequence[str]) -> date | None:
        waiting, days = list(urls), list[date]()
        for _ in range(MOST_SITEMAPS):
            if not waiting:
                break
            answer = self._get(waiting.pop(0))
            feed = parse_feed(_unpacked(answer.body, self.fetcher.limit)) if answer else None
            if feed and feed.root == "sitemapindex":
                waiting += _newest_first(feed.entries, self.moment)
            elif feed and feed.root == "urlset":
                days += days_of_sitemap(feed, self.moment)
        return max(days, default=None)


def newest_on_pages(pages: Sequence[Page], moment: Moment) -> dict[str, date | None]:
    """Given pages, return the newest day by source, as far as pages tell."""
    marked = [day for page in pages for day in moment.believed(page.dates)]
    seen = [day for page in pages for day in visible_days(page, moment)]
    newest: dict[str, date | None] = dict.fromkeys(SOURCES)
    return {**newest, "markup": max(marked, default=None), "visible": max(seen, default=None)}


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


def _newest_first(entries: Sequence[Entry], moment: Moment) -> list[str]:
    oldest = date.min
    ordered = sorted(entries, key=lambda entry: max(moment.believed(entry.dates), default=oldest), reverse=True)
    return [entry.link for entry in ordered if entry.kind == "sitemap" and entry.link]


def _unpacked(body: bytes, limit: int) -> bytes:
    """Given a sitemap, also a gzipped one, return its XML, at most `limit` bytes of it."""
    if not body.startswith(b"\x1f\x8b"):
        return body
    try:
        return zlib.decompressobj(47).decompress(body, limit)
    except zlib.error:
        return b""
