"""Visits what may tell of changes on a website: its pages, then what they name, then the usual places."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from urllib.parse import urljoin

from runner.actions.web import freshness
from runner.actions.web.feeds import parse_feed, unpack_sitemap
from runner.actions.web.fetch import Answer, Fetcher
from runner.actions.web.pages import Page, parse_page
from runner.actions.web.placeholders import PageKind, page_kind
from runner.actions.web.text import decode_body
from runner.actions.web.visit import visit
from runner.durations import Deadline

USUAL_FEEDS = ("/feed/", "/index.php?format=feed&type=rss")
APIS = {
    "wordpress": ("/wp-json/wp/v2/posts?per_page=20&orderby=modified&_fields=link,date_gmt,modified_gmt",),
    "drupal": ("/jsonapi/node/article?sort=-changed&page[limit]=20",),
}
SIGNS = {"wordpress": (b"/wp-content/", b"https://api.w.org/"), "drupal": (b"drupal-settings-json", b"Drupal.settings")}
REDIRECTS = 5
MOST_FEEDS = 4
MOST_SITEMAPS = 6


@dataclass(frozen=True, slots=True)
class Places:
    """Where to look, relative to the site: pages, and what is read beside what they name."""

    pages: Sequence[str]
    feeds: Sequence[str] = ()
    sitemaps: Sequence[str] = ()
    apis: Sequence[str] = ()


@dataclass(slots=True)
class Survey:
    """Visits places, each once, and remembers what was visited and what went wrong there."""

    base: str
    hosts: Collection[str]
    moment: freshness.Moment
    deadline: Deadline
    fetcher: Fetcher
    cms: str = ""
    visited: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    _pages: dict[str, Page | None] = field(default_factory=dict)
    _days: dict[str, list[date]] = field(default_factory=dict)

    def look(self, places: Places, *, main: bool) -> tuple[dict[str, list[date]], str]:
        """Given places, return the days that each source tells, and the fingerprint of the pages.

        On the whole site (`main`) the usual places of feeds and of the CMS are tried, on a section only its own.
        """
        read = [page for page in map(self._page, places.pages) if page]
        days: dict[str, list[date]] = {source: [] for source in freshness.SOURCES}
        if not read:
            return days, ""
        named = list(dict.fromkeys(url for page in read for url in page.feeds)) if main else []
        feeds = [*places.feeds, *named] or (list(USUAL_FEEDS) if main else [])
        apis = [*places.apis] or (list(APIS.get(self.cms, ())) if main else [])
        days["api"] = self._all(apis, lambda body: freshness.days_of_api(body, self.moment))
        days["feed"] = self._all(feeds[:MOST_FEEDS], self._feed_days)
        days["markup"] = freshness.marked_days(read, self.moment)
        days["sitemap"] = self._sitemap_days(places.sitemaps)
        days["visible"] = [day for page in read for day in freshness.visible_days(page, self.moment)]
        return days, freshness.fingerprint(read)

    def _get(self, url: str) -> Answer | None:
        self.visited.append(url)
        answer = visit(url, self.deadline, self.fetcher, hosts=self.hosts, most=REDIRECTS).last
        if answer.fault:
            self.faults.append(f"{url}: {answer.fault.message}")
        elif answer.status != 200:
            self.faults.append(f"{url}: status {answer.status}")
        else:
            return answer
        return None

    def _page(self, place: str) -> Page | None:
        url = urljoin(self.base, place)
        if url not in self._pages:
            answer = self._get(url)
            self._pages[url] = self._read(answer) if answer else None
        return self._pages[url]

    def _read(self, answer: Answer) -> Page | None:
        page = parse_page(decode_body(answer))
        if page_kind(page, answer.url) is not PageKind.SITE:
            self.faults.append(f"{answer.url}: bukan halaman situs")
            return None
        known = (cms for cms, signs in SIGNS.items() if any(sign in answer.body for sign in signs))
        self.cms = self.cms if self.cms in APIS else next(known, self.cms)
        return page

    def _all(self, places: Sequence[str], read: Callable[[bytes], list[date]]) -> list[date]:
        found: list[date] = []
        for place in places:
            url = urljoin(self.base, place)
            if url not in self._days:
                answer = self._get(url)
                self._days[url] = read(answer.body) if answer else []
            found += self._days[url]
        return found

    def _feed_days(self, body: bytes) -> list[date]:
        feed = parse_feed(body)
        return freshness.days_of_feed(feed, self.moment) if feed.root in ("rss", "rdf", "feed") else []

    def _sitemap_days(self, places: Sequence[str]) -> list[date]:
        waiting, days, seen = [urljoin(self.base, place) for place in places], list[date](), set[str]()
        while waiting and len(seen) < MOST_SITEMAPS:
            url = waiting.pop(0)
            if url in seen:
                continue
            seen.add(url)
            answer = self._get(url)
            feed = parse_feed(unpack_sitemap(answer.body, self.fetcher.limit)) if answer else None
            if feed and feed.root == "sitemapindex":
                waiting += [urljoin(url, link) for link in freshness.newest_first(feed.entries, self.moment)]
            elif feed and feed.root == "urlset":
                days += freshness.days_of_sitemap(feed, self.moment)
        return days
