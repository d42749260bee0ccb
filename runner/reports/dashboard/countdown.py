"""What lapses and when: certificates as last seen, services as last judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import NamedTuple

from runner.inventory import Target
from runner.inventory.register import KINDS, read_day
from runner.reports.dashboard.basis import Basis
from runner.reports.dashboard.latest import Outcomes

URGENT, SOON = 7, 30  # days


class Countdown(NamedTuple):
    """Something that lapses: of which site ("" of none alone), until when (None: unknown), as seen when."""

    what: str
    name: str
    site: str
    expires: date | None
    days: int | None
    seen: datetime | None

    @property
    def level(self) -> str:
        """How urgent it is: "critical", "major", "ok" or "unknown"."""
        if self.days is None:
            return "unknown"
        return "critical" if self.days <= URGENT else "major" if self.days <= SOON else "ok"


def gather_countdowns(basis: Basis, outcomes: Outcomes, now: datetime) -> tuple[Countdown, ...]:
    """Given what was last seen, return all countdowns: unknown ones and the nearest first."""
    today = now.astimezone(basis.calendar.office.zone).date()
    found = [*_certificates(basis, outcomes, today), *_services(basis, outcomes, today)]
    return tuple(sorted(found, key=lambda each: (each.days is not None, each.days or 0, each.what, each.name)))


def _certificates(basis: Basis, outcomes: Outcomes, today: date) -> Iterator[Countdown]:
    for target in basis.inventory.targets.values():
        if target.kind != "website" or not str(target.settings.get("url", "")).startswith("https:"):
            continue
        found = _seen(outcomes, target.name, {"tls.certificate": "expires", "website.available": "certificate_expires"})
        yield _countdown(KINDS["certificate"], title_of(target), target.name, found, today)


def _services(basis: Basis, outcomes: Outcomes, today: date) -> Iterator[Countdown]:
    sites = _sites_of_services(basis)
    for target in basis.inventory.targets.values():
        if target.kind != "service":
            continue
        found = _seen(outcomes, target.name, {"service.due": "expires", "domain.status": "expires"})
        kind = str(target.settings.get("kind") or "")
        name = str(target.settings.get("name") or target.name)
        for site in sites.get(target.name) or [""]:
            yield _countdown(KINDS.get(kind, kind or "layanan"), name, site, found, today)


def _sites_of_services(basis: Basis) -> dict[str, list[str]]:
    """The websites that hang on each service."""
    sites: dict[str, list[str]] = {}
    for target in basis.inventory.targets.values():
        named = target.settings.get("services") or () if target.kind == "website" else ()
        for service in (named,) if isinstance(named, str) else named:
            sites.setdefault(service, []).append(target.name)
    return sites


def title_of(target: Target) -> str:
    """What people call a target: its title, a service's name outside, or its name."""
    outside = target.settings.get("name") if target.kind == "service" else ""
    return str(target.settings.get("title") or outside or target.name)


def _seen(outcomes: Outcomes, target: str, outputs: Mapping[str, str]) -> tuple[date, datetime] | None:
    """The last day that one of these actions gave last, by the output that tells it, and when."""
    found = [
        (last.good.at, day)
        for last in outcomes.of(target)
        if last.good and (day := read_day(last.good.outputs.get(outputs.get(last.good.action, ""))))
    ]
    return max(found)[::-1] if found else None


def _countdown(what: str, name: str, site: str, found: tuple[date, datetime] | None, today: date) -> Countdown:
    expires, seen = found or (None, None)
    return Countdown(what, name, site, expires, (expires - today).days if expires else None, seen)
