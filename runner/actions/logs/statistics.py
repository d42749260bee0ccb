"""Who visited: requests, visitors and visits, pages, referers, statuses, days and hours, bytes; in bounded memory."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from datetime import datetime, tzinfo
from functools import lru_cache
from typing import TypeVar

from runner.actions.logs.columns import Columns
from runner.actions.logs.privacy import mask_address, public_agent, public_host, public_path

MOST_KEYS = 100_000
MOST_VISITORS = 300_000
VISIT_GAP = 30 * 60  # seconds without a request after which a visitor's next one begins a new visit
PAGE_STATUSES = (b"200", b"304")

_STATIC = re.compile(rb"(?i)\.(?:css|js|mjs|png|jpe?g|gif|svg|ico|webp|avif|woff2?|ttf|otf|eot|map|mp4|webm)\Z")
_BOT = re.compile(
    r"(?i)bot\b|bot[/_ ;-]|crawl|spider|slurp|mediapartners|facebookexternal|whatsapp|telegram|monitor|uptime|preview"
    r"|curl|wget|python|java/|go-http|libwww|okhttp|httpclient|axios|node-fetch|scrapy|headless|phantom|feed|scan"
    r"|ahrefs|semrush|petal|bytespider|lighthouse|pingdom|zgrab|nikto|sqlmap|masscan|nmap|nuclei|wpscan|censys"
)

Key = TypeVar("Key", bound=Hashable)


class Tally(Counter[Key]):
    """Counts keys. When there are too many, the rarer half is forgotten and only its sum is kept (`forgotten`)."""

    def __init__(self, most: int = MOST_KEYS) -> None:
        super().__init__()
        self._most = most
        self.forgotten = 0

    def take(self, keys: Iterable[Key]) -> None:
        """Count each of the keys."""
        self.update(keys)
        if len(self) > self._most:
            for key, number in self.most_common()[self._most // 2 :]:
                self.forgotten += number
                del self[key]


class Statistics:
    """The statistics of a log. `take` is given one block's columns after the other."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self.requests = self.bytes = self.visits = self.bot_visits = 0
        self.statuses: Counter[bytes] = Counter()
        self.days: Counter[str] = Counter()
        self.hours: Counter[str] = Counter()
        self.first: datetime | None = None
        self.last: datetime | None = None
        self._asked: Tally[tuple[bytes, bytes]] = Tally()  # (request line, status)
        self._referers: Tally[bytes] = Tally()
        self._agents: Tally[bytes] = Tally()
        self._addresses: Tally[bytes] = Tally(MOST_VISITORS)
        self._seen: dict[tuple[bytes, bytes], int] = {}

    def take(self, columns: Columns, minutes: list[bytes], starts: Mapping[bytes, datetime]) -> None:
        """Count a block, given each line's minute, and when each minute begins."""
        self.requests += len(minutes)
        self.statuses.update(columns.statuses)
        self._asked.take(zip(columns.requests, columns.statuses, strict=True))
        self._referers.take(columns.referers)
        self._agents.take(columns.agents)
        self._addresses.take(columns.addresses)
        self.bytes += sum(map(int, filter(bytes.isdigit, columns.sizes)))
        self._take_times(Counter(minutes), starts)
        self._take_visits(columns, minutes, {minute: int(at.timestamp()) for minute, at in starts.items()})

    def _take_times(self, met: Counter[bytes], starts: Mapping[bytes, datetime]) -> None:
        for minute, number in met.items():
            local = starts[minute].astimezone(self._zone)
            self.days[local.date().isoformat()] += number
            self.hours[f"{local.hour:02d}"] += number
        moments = [starts[minute] for minute in met]
        self.first = min([*moments, *([self.first] if self.first else [])], default=None)
        self.last = max([*moments, *([self.last] if self.last else [])], default=None)

    def _take_visits(self, columns: Columns, minutes: list[bytes], epochs: Mapping[bytes, int]) -> None:
        seen = self._seen
        for visitor in dict.fromkeys(zip(columns.addresses, columns.agents, minutes, strict=True)):
            key, at = visitor[:2], epochs[visitor[2]]
            before = seen.get(key)
            if before is None or at - before >= VISIT_GAP:
                if before is None and len(seen) >= MOST_VISITORS:
                    self._forget()
                bot = is_bot(visitor[1])
                self.bot_visits += bot
                self.visits += not bot
            seen[key] = at

    def _forget(self) -> None:
        """Let the visitors go that came first: their visits are counted."""
        for key in list(self._seen)[: MOST_VISITORS // 2]:
            del self._seen[key]

    @property
    def addresses(self) -> int:
        """How many addresses came; of very many at least these."""
        return len(self._addresses)

    @property
    def bot_requests(self) -> int:
        """Requests by programs that say so, or that no browser makes."""
        return sum(number for agent, number in self._agents.items() if is_bot(agent))

    def pages(self) -> Counter[str]:
        """Pages that were shown, without pictures and the like, as they may leave."""
        found: Counter[str] = Counter()
        for (request, status), number in self._asked.items():
            path = page_path(request)
            if status in PAGE_STATUSES and path:
                found[public_path(path)] += number
        return found

    def missing(self) -> Counter[str]:
        """Pages that were asked for in vain, as they may leave."""
        found: Counter[str] = Counter()
        for (request, status), number in self._asked.items():
            if status == b"404" and (path := page_path(request)):
                found[public_path(path)] += number
        return found

    def networks(self) -> Counter[str]:
        """Requests by /24 or /48."""
        found: Counter[str] = Counter()
        for address, number in self._addresses.items():
            found[mask_address(address.decode("utf-8", "replace"))] += number
        return found

    def referers(self) -> Counter[str]:
        """Requests by the host that led to them."""
        found: Counter[str] = Counter()
        for referer, number in self._referers.items():
            host = public_host(referer.decode("utf-8", "replace"))
            if host:
                found[host] += number
        return found

    def bots(self) -> Counter[str]:
        """Requests by the programs' names."""
        found: Counter[str] = Counter()
        for agent, number in self._agents.items():
            if is_bot(agent):
                found[public_agent(agent.decode("utf-8", "replace"))] += number
        return found


@lru_cache(maxsize=16384)
def is_bot(agent: bytes) -> bool:
    """Whether an agent is a program that says so, or that is no browser."""
    text = agent.decode("utf-8", "replace")
    return not text.startswith(("Mozilla/", "Opera/")) or bool(_BOT.search(text))


def page_path(request: bytes) -> str:
    """Given a request line, return the path that a visitor asked for; "" for pictures and the like, and no pages."""
    method, _, rest = request.partition(b" ")
    if method not in (b"GET", b"HEAD"):
        return ""
    path = rest.rsplit(b" HTTP/", 1)[0].partition(b"?")[0]
    return "" if _STATIC.search(path) else path.decode("utf-8", "replace")
