"""Asking all sources about a domain, and making one finding of what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from runner.actions.domain.asking_rdap import ask_rdap
from runner.actions.domain.asking_whois import ask_whois
from runner.actions.domain.bootstrap import Bootstrap
from runner.actions.domain.findings import Cause, Finding, Reply, unknown
from runner.actions.domain.zone import Records, ask_dns
from runner.durations import Deadline

_COMPARED = ("registered", "expires", "created", "statuses", "name_servers", "dnssec")
_FILLED = ("expires", "created", "registrar", "statuses", "name_servers", "dnssec")


@dataclass(frozen=True, slots=True)
class Places:
    """Where to ask: empty texts mean the registry's own servers and this machine's resolver."""

    rdap: str = ""
    whois: str = ""
    resolver: str = ""
    ca_file: str = ""


@dataclass(frozen=True, slots=True)
class Answers:
    """What the sources brought, in the order of their weight, and what the DNS says."""

    replies: tuple[Reply, ...]
    records: Records = field(default_factory=Records)

    @property
    def source(self) -> str:
        """The source that counts; "" where none told anything."""
        return next((reply.source for reply in self.replies if reply.finding.registered is not None), "")


def ask_all(domain: str, bootstrap: Bootstrap, places: Places, deadline: Deadline, now: datetime) -> Answers:
    """Given a domain, ask RDAP, WHOIS and the DNS in turn; a silent one does not use up the others' time."""
    share = deadline.tightened(0.45 * deadline.remaining())
    rdap = ask_rdap(domain, bootstrap, share, base=places.rdap, ca_file=places.ca_file, now=now)
    whois = ask_whois(domain, deadline.tightened(0.75 * deadline.remaining()), server=places.whois)
    return Answers((rdap, whois), ask_dns(domain, deadline, resolver=places.resolver))


def conclude(replies: Sequence[Reply]) -> Finding:
    """Given the replies in order of weight, return one finding: the first's, with what it leaves out from the others.

    Where they contradict each other on whether the domain is registered, nothing is known.
    """
    known = [reply.finding for reply in replies if reply.finding.registered is not None]
    if not known:
        return _why([reply.finding for reply in replies])
    if len({finding.registered for finding in known}) > 1:
        return unknown(Cause.CONTRADICTORY, "RDAP dan WHOIS bertentangan tentang terdaftar atau tidaknya domain")
    merged = known[0]
    for other in known[1:]:
        missing = {name: getattr(other, name) for name in _FILLED if getattr(merged, name) in (None, "", ())}
        merged = replace(merged, **missing)
    return merged


def _why(findings: Sequence[Finding]) -> Finding:
    """Of several reasons, the most telling: throttled before others, no source at all last."""
    ranked = sorted(findings, key=lambda f: (f.cause is not Cause.THROTTLED, f.cause is Cause.NO_SOURCE))
    waits = [finding.wait for finding in findings if finding.wait is not None]
    reasons = "; ".join(dict.fromkeys(finding.reason for finding in ranked if finding.reason))
    return unknown(ranked[0].cause or Cause.UNREADABLE, reasons, max(waits, default=None))


def find_disagreements(replies: Sequence[Reply]) -> list[dict[str, Any]]:
    """Given the replies, return the fields in which two sources differ, with both values.

    What one of them leaves out is no difference.
    """
    known = [reply for reply in replies if reply.finding.registered is not None]
    if len(known) < 2:
        return []
    first, second = known[0], known[1]
    pairs = ((name, getattr(first.finding, name), getattr(second.finding, name)) for name in _COMPARED)
    return [
        {"field": name, first.source: plain(one), second.source: plain(other)}
        for name, one, other in pairs
        if one not in (None, ()) and other not in (None, ()) and _differ(one, other)
    ]


def _differ(one: object, other: object) -> bool:
    if isinstance(one, tuple) and isinstance(other, tuple):
        return {str(item).lower() for item in one} != {str(item).lower() for item in other}
    return one != other


def plain(value: Any) -> Any:
    """Given a finding's value, return it as JSON has it."""
    if isinstance(value, tuple):
        return list(value)
    return value.isoformat() if hasattr(value, "isoformat") else value
