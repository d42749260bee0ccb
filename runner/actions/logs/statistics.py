"""Who visited: requests, visitors and visits, pages, referers, statuses, days and hours, bytes; in bounded memory.

What a line has of its own is counted at once for a block of lines, visits by who came in which minute.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from itertools import compress, islice, repeat

from runner.actions.logs.columns import Columns
from runner.actions.logs.privacy import public_agent
from runner.actions.logs.publishing import is_bot, public_hosts, public_networks, public_pages

MOST_KEYS = 100_000
MOST_VISITORS = 300_000
MOST_BYTES = 16 * 1024 * 1024
VISIT_GAP = 30 * 60  # seconds without a request after which a visitor's next one begins a new visit
PAGE_STATUSES = frozenset([b"200", b"304"])


class Tally(Counter[bytes]):
    """Counts keys. When there are too many, or their bytes, the rarer half is forgotten and only its sum is kept
    (`forgotten`)."""

    def __init__(self, most: int = MOST_KEYS) -> None:
        super().__init__()
        self._most = most
        self._weighed = self._bytes = 0
        self.forgotten = 0

    def take(self, keys: Iterable[bytes]) -> None:
        """Count each of the keys."""
        self.update(keys)
        self.trim()

    def trim(self) -> None:
        """Forget the rarer half where there are too many."""
        new = len(self) - self._weighed
        self._bytes += sum(map(len, islice(reversed(self), new)))  # what was added stands at the end
        if len(self) > self._most or self._bytes > MOST_BYTES:
            self._forget()
            self._bytes = sum(map(len, self))
        self._weighed = len(self)

    def _forget(self) -> None:
        """Of those met as often as the half's most frequent, the ones met last go."""
        left, numbers = len(self) // 2, sorted(Counter(self.values()).items())
        while numbers[-1][1] < left:
            left -= numbers.pop()[1]
        least = numbers[-1][0]
        ties = set(islice((key for key, number in self.items() if number == least), left))
        kept = {key: number for key, number in self.items() if number > least or key in ties}
        self.forgotten += self.total() - sum(kept.values())
        self.clear()
        self.update(kept)


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
        self._shown: Tally = Tally()  # request lines answered with a page
        self._missing: Tally = Tally()
        self._referers: Tally = Tally()
        self._agents: Tally = Tally()
        self._addresses: Tally = Tally(MOST_VISITORS)
        self._seen: dict[int, int] = {}  # by a visitor's hash, which is an eighth of his address and agent

    def take(self, columns: Columns, addresses: Sequence[bytes], minutes: Sequence[tuple[datetime, slice]]) -> None:
        """Count a block, given its lines' addresses, and which lines came in the minutes that begin then."""
        statuses = columns.statuses
        self.requests += len(statuses)
        self.statuses.update(statuses)
        self._shown.take(compress(columns.requests, map(PAGE_STATUSES.__contains__, statuses)))
        self._missing.take(compress(columns.requests, map(b"404".__eq__, statuses)))
        self._referers.take(columns.referers)
        self._addresses.take(addresses)
        self._agents.take(columns.agents)
        self.bytes += sum(map(int, columns.sizes))
        for start, lines in minutes:
            self._take_minute(start, addresses[lines], columns.agents[lines])

    def _take_minute(self, start: datetime, addresses: Sequence[bytes], agents: Sequence[bytes]) -> None:
        local = start.astimezone(self._zone)
        self.days[local.date().isoformat()] += len(agents)
        self.hours[f"{local.hour:02d}"] += len(agents)
        self.first = min(self.first or start, start)
        self.last = max(self.last or start, start)
        at = int(start.timestamp())
        visitors = dict.fromkeys(zip(addresses, agents, strict=True))
        hashes = list(map(hash, visitors))
        before = map(self._seen.get, hashes, repeat(at - VISIT_GAP))
        begun = [is_bot(agent) for (_, agent), last in zip(visitors, before, strict=True) if last <= at - VISIT_GAP]
        self.bot_visits += sum(begun)
        self.visits += len(begun) - sum(begun)
        self._seen.update(dict.fromkeys(hashes, at))
        if len(self._seen) > MOST_VISITORS:  # let those go that came first: their visits are counted
            for visitor in list(islice(self._seen, len(self._seen) - MOST_VISITORS // 2)):
                del self._seen[visitor]

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
        return public_pages(self._shown)

    def missing(self) -> Counter[str]:
        """Pages that were asked for in vain, as they may leave."""
        return public_pages(self._missing)

    def networks(self) -> Counter[str]:
        """Requests by /24 or /48."""
        return public_networks(self._addresses)

    def referers(self) -> Counter[str]:
        """Requests by the host that led to them."""
        return public_hosts(self._referers)

    def bots(self) -> Counter[str]:
        """Requests by the programs' names."""
        found: Counter[str] = Counter()
        for agent, number in self._agents.items():
            if is_bot(agent):
                found[public_agent(agent.decode("utf-8", "replace"))] += number
        return found
