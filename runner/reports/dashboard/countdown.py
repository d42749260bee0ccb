"""What lapses and when: certificates as last seen, services as last judged."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import NamedTuple

from runner.inventory import Target
from runner.inventory.register import read_day
from runner.reports.dashboard.basis import Basis
from runner.reports.dashboard.latest import Outcome, Outcomes

URGENT, SOON = 7, 30  # days
CERTIFICATE = "sertifikat"
_KINDS = {
    "domain": "nama domain",
    "hosting": "hosting",
    "connection": "koneksi",
    "certificate": CERTIFICATE,
    "licence": "lisensi",
}


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
        seen = outcomes.good(target.name, "website.available", "website.tls.certificate")
        expires = seen and read_day(_first(seen, "certificate_expires", "expires"))
        yield _countdown(CERTIFICATE, title_of(target), target.name, expires, seen, today)


def _services(basis: Basis, outcomes: Outcomes, today: date) -> Iterator[Countdown]:
    sites = _sites_of_services(basis)
    for target in basis.inventory.targets.values():
        if target.kind != "service":
            continue
        seen = outcomes.good(target.name, "service.due", "domain.status")
        expires = seen and read_day(_first(seen, "expires"))
        kind = str(target.settings.get("kind") or "")
        name = str(target.settings.get("name") or target.name)
        for site in sites.get(target.name) or [""]:
            yield _countdown(_KINDS.get(kind, kind or "layanan"), name, site, expires, seen, today)


def _sites_of_services(basis: Basis) -> dict[str, list[str]]:
    """The websites that hang on each service."""
    sites: dict[str, list[str]] = {}
    for target in basis.inventory.targets.values():
        named = target.settings.get("services") or () if target.kind == "website" else ()
        for service in (named,) if isinstance(named, str) else named:
            sites.setdefault(service, []).append(target.name)
    return sites


def title_of(target: Target) -> str:
    """What people call a target: its title, or its name."""
    return str(target.settings.get("title") or target.name)


def _countdown(what: str, name: str, site: str, expires: date | None, seen: Outcome | None, today: date) -> Countdown:
    return Countdown(what, name, site, expires, (expires - today).days if expires else None, seen and seen.at)


def _first(seen: Outcome, *names: str) -> object:
    return next((seen.outputs[name] for name in names if seen.outputs.get(name)), None)
