"""The look from outside: every page as all five views, its surroundings, all within one deadline."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, urldefrag, urljoin, urlsplit

from runner.actions.integrity.findings import Finding
from runner.actions.integrity.hosts import host_of, is_foreign
from runner.actions.integrity.markup import read_markup
from runner.actions.integrity.pages import check_page
from runner.actions.integrity.parts import Markup
from runner.actions.integrity.sights import BROWSER, GOOGLEBOT, NAMES, VIEWS, Sight, View
from runner.actions.integrity.surroundings import Sitemap, sitemaps_of
from runner.actions.web.faults import Cause
from runner.actions.web.feeds import parse_feed, unpack_sitemap
from runner.actions.web.fetch import Answer, Fetcher
from runner.actions.web.text import LONGEST_PARSED, decode_body
from runner.actions.web.tokens import tokens
from runner.actions.web.visit import visit
from runner.durations import Deadline

REDIRECTS = 5
LONGEST_VISIT = 20.0  # one page that never ends leaves time for the others
MOST_SITEMAPS = 8
MOST_ADDRESSES = 50_000
MOST_SHEETS = 6
MOST_PARAMETERS = 3
REFUSED = frozenset({401, 403, 406, 429, 503})
KNOWN_PARAMETERS = ("pafi", "tunnel", "daftar", "slot", "id")  # as kits of doorway pages call theirs
_LINK_TAG = re.compile(r"<link\b[^>]{1,600}>", re.IGNORECASE)
_FILE = re.compile(r"\.(?:pdf|docx?|xlsx?|pptx?|zip|rar|jpe?g|png|gif|svg|webp|mp[34]|css|js|xml|ico|apk)\Z", re.I)


@dataclass(slots=True)
class Outside:
    """Visits a site, and remembers what was seen, what could not be seen, and how much was asked."""

    url: str
    own: Collection[str]
    deadline: Deadline
    fetcher: Fetcher
    sights: list[Sight] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    requests: int = 0
    _read: dict[tuple[str, str], Markup] = field(default_factory=dict)
    _sheets: dict[str, str] = field(default_factory=dict)
    _checked: dict[int, list[Finding]] = field(default_factory=dict)

    def get(self, url: str, view: View) -> Answer:
        """Given an address and a view, return the answer at the end of the redirects that stay at home."""
        self.requests += 1
        fetcher = replace(self.fetcher, agent=view.agent, referer=view.referer)
        return visit(url, self.deadline.tightened(LONGEST_VISIT), fetcher, hosts=self.own, most=REDIRECTS).last

    def see(self, url: str, view: View) -> Sight:
        """Given an address and a view, return what is seen there."""
        answer = self.get(url, view)
        if answer.fault and answer.fault.cause is Cause.ELSEWHERE:
            location = urljoin(answer.url, answer.header("Location").strip())
            return Sight(view.name, url, answer.url, answer.status, elsewhere=location)
        if answer.fault:
            return Sight(view.name, url, answer.url, answer.status, fault=answer.fault.message)
        if self.deadline.passed:
            return Sight(view.name, url, answer.url, answer.status, fault="waktu habis sebelum halaman dibaca")
        return Sight(view.name, url, answer.url, answer.status, markup=self._markup(answer))

    def _markup(self, answer: Answer) -> Markup:
        source = decode_body(replace(answer, body=_ends(answer.body)))
        sheets = "".join(self._sheet(url) for url in _sheet_addresses(source, answer.url) if self._is_own(url))
        key = source, sheets
        if key not in self._read:
            markup = read_markup(source, sheets)
            self._read[key] = replace(markup, whole=markup.whole and len(answer.body) <= LONGEST_PARSED)
        return self._read[key]

    def _is_own(self, url: str) -> bool:
        return not is_foreign(host_of(url), self.own)

    def _sheet(self, url: str) -> str:
        if url not in self._sheets:
            answer = self.get(url, BROWSER) if len(self._sheets) < MOST_SHEETS else None
            self._sheets[url] = decode_body(answer) if answer and answer.status == 200 and not answer.fault else ""
        return self._sheets[url]

    def look(self, url: str, *, needed: bool = False) -> list[Sight]:
        """Given an address, see it as all views, as a browser twice. What a `needed` page does not show is unseen."""
        views = (*VIEWS, BROWSER)
        sights = [self.see(url, view) for view in views]
        self.sights += sights
        for sight in sights:
            self._note_unseen(sight, needed=needed, all_gone=all(each.status == sight.status for each in sights))
        return sights

    def _note_unseen(self, sight: Sight, *, needed: bool, all_gone: bool) -> None:
        name = NAMES[sight.view]
        if sight.fault:
            self.add_unseen(f"{sight.url} sebagai {name}: {sight.fault}")
        elif sight.status in REFUSED or (needed and sight.status != 200 and not sight.elsewhere and all_gone):
            self.add_unseen(f"{sight.url} sebagai {name}: status {sight.status}")
        elif sight.markup and not sight.markup.whole:
            self.add_unseen(f"{sight.url}: terlalu panjang, hanya awal dan akhirnya yang dibaca")

    def add_unseen(self, words: str) -> None:
        """Remember what could not be seen, in words, once."""
        if words not in self.unseen:
            self.unseen.append(words)

    def check(self, sights: Iterable[Sight]) -> Iterator[Finding]:
        """Given sights, find what their pages show; the same page is judged once, whoever saw it."""
        for sight in sights:
            if sight.markup and sight.status == 200 and id(sight.markup) not in self._checked:
                if self.deadline.passed:
                    self.add_unseen(f"{sight.url}: waktu habis sebelum halaman diperiksa")
                    return
                found = check_page(sight.markup, sight.final or sight.url, self.own, sight.view)
                self._checked[id(sight.markup)] = found
                yield from found

    def found_on(self, sight: Sight) -> list[Finding]:
        """What was found on a sight's page when it was checked."""
        return self._checked.get(id(sight.markup), []) if sight.markup else []

    def robots(self) -> tuple[str, str | None]:
        """The address and text of robots.txt as a search engine sees it; "" where there is none, None unseen."""
        url = urljoin(self.url, "/robots.txt")
        answer = self.get(url, GOOGLEBOT)
        if answer.fault or answer.status in REFUSED:
            words = answer.fault.message if answer.fault else f"status {answer.status}"
            self.add_unseen(f"{url}: {words}")
            return url, None
        text = decode_body(answer) if answer.status == 200 else ""
        return url, "" if "<html" in text[:2000].lower() else text

    def sitemap(self, robots: str, further: Sequence[str]) -> Sitemap:
        """Given robots.txt and further addresses, return all addresses that the site's own sitemaps list."""
        waiting = [urljoin(self.url, each) for each in (*sitemaps_of(robots), *further)]
        seen: set[str] = set()
        found: list[tuple[str, str]] = []
        while waiting and len(seen) < MOST_SITEMAPS and not self.deadline.passed:
            url = waiting.pop(0)
            if url in seen or is_foreign(host_of(url), self.own):
                continue
            seen.add(url)
            answer = self.get(url, GOOGLEBOT)
            if answer.fault or answer.status != 200:
                continue
            feed = parse_feed(unpack_sitemap(answer.body, self.fetcher.limit))
            waiting += [urljoin(url, entry.link) for entry in feed.entries if entry.kind == "sitemap" and entry.link]
            found += [(url, urljoin(url, e.link)) for e in feed.entries if e.kind == "url" and e.link]
        return Sitemap(tuple(found[:MOST_ADDRESSES]), whole=not waiting)


def _ends(body: bytes) -> bytes:
    """A body, of a longer one the beginning and the end."""
    half = LONGEST_PARSED // 2
    return body if len(body) <= LONGEST_PARSED else body[: half - 1] + b"\n" + body[-half:]


def _sheet_addresses(source: str, base: str) -> list[str]:
    found: list[str] = []
    for match in _LINK_TAG.finditer(source):
        for token in tokens(match[0]):
            if "stylesheet" in token.attributes.get("rel", "").lower() and token.attributes.get("href"):
                found.append(urljoin(base, token.attributes["href"].strip()))
    return found[: MOST_SHEETS * 2]


def choose(addresses: Iterable[str], most: int, day: str, own: Collection[str]) -> list[str]:
    """Given addresses and a day, return at most `most` pages of the site among them: each day others."""
    pages = {urldefrag(url)[0] for url in addresses if not is_foreign(host_of(url), own) and host_of(url)}
    fitting = [url for url in pages if not _FILE.search(urlsplit(url).path)]
    return sorted(fitting, key=lambda url: hashlib.sha256(f"{day} {url}".encode()).digest())[:most]


def parameters_of(addresses: Iterable[str]) -> list[str]:
    """Given addresses, return the names of parameters that doorways may hide behind: the site's own and known ones."""
    own: dict[str, None] = {}
    for url in addresses:
        try:
            own.update((name[:40], None) for name, _ in parse_qsl(urlsplit(url).query, max_num_fields=20) if name)
        except ValueError:
            continue
    return [*KNOWN_PARAMETERS, *[name for name in own if name not in KNOWN_PARAMETERS][:MOST_PARAMETERS]]
