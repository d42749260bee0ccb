"""Which visitors a block list names: from the suspicious lines, from the list before, and from what a person adds."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from runner.actions.logs.engines import Network
from runner.actions.logs.ranges import WIDEST, Never, is_within, overlaps, parse_network, visitor_of
from runner.errors import Failed

MOST_AGENTS = 20
MOST_RULES = 12


@dataclass(slots=True)
class Visitor:
    """What a visitor did on a site: suspicious requests, those that likely worked, by which rules, as which agents."""

    site: str
    address: str
    lines: set[int] = field(default_factory=set)
    successes: int = 0
    rules: Counter[str] = field(default_factory=Counter)
    agents: set[str] = field(default_factory=set)

    @property
    def requests(self) -> int:
        """How many requests: one that meets several rules is one, and the same one within a second may come again."""
        return max(len(self.lines), max(self.rules.values(), default=0))


class Entry(NamedTuple):
    """A network to block up to and with its last day; `site` and `address` say where its token comes from ("" where a
    person added it)."""

    network: Network
    until: date
    requests: int = 0
    successes: int = 0
    rules: tuple[str, ...] = ()
    site: str = ""
    address: str = ""
    new: bool = True


class Chosen(NamedTuple):
    """The entries of a list, the worst first, and how many visitors were left out, by why."""

    entries: Sequence[Entry]
    left_out: Mapping[str, int]


def read_hits(site: str, content: bytes) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Given a site and its suspicious lines as they were kept (JSON, one a line), give each with the site."""
    for line in content.splitlines():
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict) and "address" in row:
            yield site, row


def gather_visitors(hits: Iterable[tuple[str, Mapping[str, Any]]]) -> tuple[dict[Network, Visitor], int]:
    """Given suspicious lines, return what each visitor did, and how many lines name no address."""
    found: dict[Network, Visitor] = {}
    nameless = 0
    for site, row in hits:
        network = visitor_of(str(row["address"]))
        if network is None:
            nameless += 1
            continue
        visitor = found.setdefault(network, Visitor(site, str(row["address"])))
        visitor.lines.add(hash(tuple(str(row.get(name)) for name in ("time", "target", "status", "size"))))
        visitor.successes += row.get("likely_success") is True
        rule = str(row.get("title") or row.get("rule") or "?")[:60]
        if rule in visitor.rules or len(visitor.rules) < MOST_RULES:
            visitor.rules[rule] += 1
        if len(visitor.agents) < MOST_AGENTS:
            visitor.agents.add(str(row.get("agent") or "")[:300])
    return found, nameless


def choose(
    visitors: Mapping[Network, Visitor], before: Sequence[Entry], also: Sequence[Entry], never: Never, limits: Limits
) -> Chosen:
    """Given what visitors did, the entries of the list before that are not over, what a person adds, and what is never
    blocked, return the list."""
    left_out: Counter[str] = Counter()
    entries: dict[Network, Entry] = {each.network: each for each in also}
    for network, visitor in visitors.items():
        why = _why_not(network, visitor, never, limits)
        if why:
            left_out[why] += 1
        else:
            entries.setdefault(network, _entry(network, visitor, limits.until))
    for each in before:
        if each.until >= limits.today and not never.why(each.network):
            known = entries.get(each.network)
            entries[each.network] = known._replace(new=False) if known else each._replace(new=False)
    worst = sorted(_whole(entries.values()), key=_rank)
    left_out["too_many"] += max(0, len(worst) - limits.most)
    return Chosen(worst[: limits.most], +left_out)


class Limits(NamedTuple):
    """From how many suspicious requests on a visitor is listed, how many entries a list has at most, the office's day,
    and the last day of new entries."""

    least: int
    most: int
    today: date
    until: date


def parse_also(texts: Sequence[str], never: Never, until: date) -> list[Entry]:
    """Given networks that a person adds, return their entries. Raise Failed for one that is too wide, or is never
    blocked."""
    found = []
    for text in texts:
        network = parse_network(text, "also")
        if network.prefixlen < WIDEST[network.version]:
            widest = f"/{WIDEST[network.version]}"
            raise Failed(f"also: {network} is too wide: honest visitors share it. block {widest} at most")
        if why := never.why(network):
            raise Failed(f"also: {network} is never blocked ({why}). leave it out")
        found.append(Entry(network, until))
    return found


def _why_not(network: Network, visitor: Visitor, never: Never, limits: Limits) -> str:
    if why := never.why(network):
        return why
    if never.is_in_doubt(visitor.agents):
        return "claims_engine"
    return "" if visitor.successes or visitor.requests >= limits.least else "few"


def _entry(network: Network, visitor: Visitor, until: date) -> Entry:
    rules = tuple(name for name, _ in visitor.rules.most_common())
    return Entry(network, until, visitor.requests, visitor.successes, rules, visitor.site, visitor.address)


def _whole(entries: Iterable[Entry]) -> Iterator[Entry]:
    """The entries that no wider one holds: sets of a firewall may not overlap."""
    wide = [each for each in entries if each.network.prefixlen < 32 or each.network.version == 6]
    for each in entries:
        inside = (w for w in wide if w.network != each.network and overlaps(each.network, [w.network]))
        if not any(is_within(each.network, w.network) for w in inside):
            yield each


def _rank(entry: Entry) -> tuple[int, int, int, str]:
    return -entry.successes, -entry.requests, entry.network.version, entry.network.exploded


def entry_to_json(entry: Entry) -> dict[str, Any]:
    """Given an entry, return it as JSON values, for the restricted evidence."""
    return {
        **entry._asdict(),
        "network": str(entry.network),
        "until": entry.until.isoformat(),
        "rules": list(entry.rules),
    }


def entry_from_json(body: Mapping[str, Any]) -> Entry:
    """The inverse of `entry_to_json`. Raise KeyError, TypeError or ValueError for what is none."""
    values = {name: body[name] for name in Entry._fields}
    network, until = parse_network(values["network"], "entry"), date.fromisoformat(values["until"])
    return Entry(**{**values, "network": network, "until": until, "rules": tuple(values["rules"])})
