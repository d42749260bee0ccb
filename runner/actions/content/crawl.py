"""A small polite crawler: one host, a budget of pages, robots.txt kept, a pause between requests, one deadline."""

from __future__ import annotations

import heapq
import re
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit
from urllib.robotparser import RobotFileParser

from runner.actions.content.facts import Facts, read_facts
from runner.actions.web.demands import look_at
from runner.actions.web.fetch import Answer, Fetcher
from runner.actions.web.placeholders import WORDS, PageKind
from runner.actions.web.text import decode_body
from runner.actions.web.visit import visit
from runner.durations import Deadline

NAME = "sop-runner"
REDIRECTS = 5
LONGEST_PAUSE = 10.0
LONGEST_VISIT = 20.0  # one page that never ends leaves time for the others
MOST_WAITING = 5_000
MISSING = frozenset({404, 410})
_FILE = re.compile(r"\.(?:pdf|docx?|xlsx?|pptx?|zip|rar|jpe?g|png|gif|svg|webp|mp[34]|css|js|xml|ico|apk|odt)\Z", re.I)


@dataclass(slots=True)
class Crawl:
    """What a crawl brought: pages in the order of their visit, addresses that are missing with the page that links
    them, what robots.txt forbids, what went wrong, what was left for want of budget or time, and the front page's
    answers (by http, where the site is https)."""

    pages: list[Facts] = field(default_factory=list)
    missing: list[tuple[str, str]] = field(default_factory=list)
    forbidden: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    left: dict[str, int] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    front: Answer | None = None

    @property
    def near_is_whole(self) -> bool:
        """Whether every page that the front page links to was read, or is known not to be there."""
        return bool(self.pages) and not any(depth <= 1 for depth in self.left.values()) and not self.faults


@dataclass(slots=True)
class Crawler:
    """Visits pages of one host, those first whose links hold one of `words`."""

    hosts: Collection[str]
    fetcher: Fetcher
    deadline: Deadline
    budget: int
    pause: float
    words: Sequence[str]
    wait: Callable[[float], None] = time.sleep
    longest: float = LONGEST_VISIT
    _robots: RobotFileParser = field(default_factory=RobotFileParser)

    def crawl(self, url: str) -> Crawl:
        """Given the front page's address, visit the site. Never raises for what the site does."""
        found = Crawl()
        if not self._read_robots(url, found):
            return found
        waiting: list[tuple[int, bool, int, str, str]] = [(0, False, 0, url, "")]
        seen = {_plain(url)}
        number = 0
        while waiting and len(found.pages) + len(found.missing) + len(found.faults) < self.budget:
            depth, _, _, address, source = heapq.heappop(waiting)
            if number and not self._pause():
                heapq.heappush(waiting, (depth, False, 0, address, source))
                break
            number += 1
            for link, text in self._visit(address, source, depth, found):
                if self._fits(link, url) and _plain(link) not in seen and len(seen) < MOST_WAITING:
                    seen.add(_plain(link))
                    plain = not self._is_wanted(f"{text} {link}")
                    heapq.heappush(waiting, (depth + 1, plain, len(seen), link, address))
        found.left = {each[3]: each[0] for each in waiting}
        return found

    def _pause(self) -> bool:
        if self.pause:
            self.wait(min(self.pause, max(0.0, self.deadline.remaining())))
        return not self.deadline.passed

    def _is_wanted(self, text: str) -> bool:
        plain = text.lower().replace("-", " ").replace("_", " ")
        return any(word in plain for word in self.words)

    def _read_robots(self, url: str, found: Crawl) -> bool:
        """Read robots.txt; return whether the site may be visited. What cannot be read forbids, as RFC 9309 says."""
        answer = self._get(urljoin(url, "/robots.txt"))
        if answer.fault or (answer.status or 0) >= 500:
            found.faults.append(f"robots.txt: {answer.fault.message if answer.fault else f'status {answer.status}'}")
            return False
        text = decode_body(answer)[:500_000] if answer.status == 200 else ""
        self._robots.parse(text.splitlines())
        delay = self._robots.crawl_delay(NAME)
        self.pause = min(LONGEST_PAUSE, max(self.pause, float(delay or 0)))
        return True

    def _get(self, url: str) -> Answer:
        return visit(url, self.deadline.tightened(self.longest), self.fetcher, hosts=self.hosts, most=REDIRECTS).last

    def _fits(self, link: str, front: str) -> bool:
        try:
            there, here = urlsplit(link), urlsplit(front)
            same = _bare(there.hostname) == _bare(here.hostname) and (there.port or 0) == (here.port or 0)
        except ValueError:
            return False
        return there.scheme in ("http", "https") and same and not _FILE.search(there.path)

    def _visit(self, url: str, source: str, depth: int, found: Crawl) -> list[tuple[str, str]]:
        if not self._robots.can_fetch(NAME, url):
            found.forbidden.append(url)
            return []
        answer = self._get(url)
        found.front = found.front or answer
        if answer.fault:
            found.faults.append(f"{url}: {answer.fault.message}")
        elif answer.status in MISSING:
            found.missing.append((url, source))
        elif answer.status != 200:
            found.faults.append(f"{url}: status {answer.status}")
        elif "html" in answer.header("Content-Type").lower() or not answer.header("Content-Type"):
            return self._read(answer, depth, found)
        return []

    def _read(self, answer: Answer, depth: int, found: Crawl) -> list[tuple[str, str]]:
        """Take in a page; where another's notice stands in place of the front page, there is no site to score."""
        markup = decode_body(answer)
        kind = look_at(answer, markup).kind if answer is found.front else None
        if kind and kind is not PageKind.SITE:
            found.faults.append(f"{answer.url}: yang tampil bukan situs, melainkan {WORDS[kind]}")
            return []
        found.seconds.append(sum(answer.timings.values()))
        found.pages.append(read_facts(markup, answer.url, depth))
        return found.pages[-1].links


def _plain(url: str) -> str:
    return url.rstrip("/").replace("://www.", "://", 1)


def _bare(host: str | None) -> str:
    return (host or "").lower().removeprefix("www.")
