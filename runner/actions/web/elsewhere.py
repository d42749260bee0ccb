"""The other ways to the same site: every address that its name leads to, and apex and www over http and https."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import urlsplit

from runner.actions.web.demands import Demand
from runner.actions.web.faults import Cause
from runner.actions.web.fetch import Answer, Fetcher
from runner.actions.web.lookup import Place, Resolver
from runner.actions.web.visit import Visit, visit
from runner.durations import Deadline

LONGEST_VISIT = 10.0
PORTS = {"http": 80, "https": 443}


class Way(StrEnum):
    """How a way to the site is. Kept as words."""

    OK = "ok"
    FAILED = "failed"
    INSECURE = "insecure"
    ASTRAY = "astray"
    NOT_OFFERED = "not_offered"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class AddressCheck:
    """What one address of the site answered."""

    address: str
    family: str
    way: Way
    reason: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class VariantCheck:
    """Where one spelling of the site's address led."""

    url: str
    way: Way
    reason: str
    final_url: str
    redirects: tuple[str, ...]


def family_of(address: str) -> str:
    """Given an IP address, return "ipv4" or "ipv6"."""
    return f"ipv{ip_address(address.partition('%')[0]).version}"


def check_addresses(url: str, known: Answer, fetcher: Fetcher, deadline: Deadline) -> tuple[AddressCheck, ...]:
    """Given a URL and what it answered, ask each further address that its name leads to, one after the other."""
    answered = _as_check(known, known.address) if known.address else None
    checks = [answered] if answered else []
    others = [place for place in known.places if str(place[1][0]) != known.address]
    for position, place in enumerate(others):
        share = min(LONGEST_VISIT, deadline.remaining() / (len(others) - position))
        answer = replace(fetcher, resolver=_only(place)).fetch(url, deadline.tightened(share))
        checks.append(_as_check(answer, str(place[1][0])))
    return tuple(checks)


def _only(place: Place) -> Resolver:
    return lambda host, port: (place,)


def _as_check(answer: Answer, address: str) -> AddressCheck:
    family, seconds = family_of(address), round(sum(answer.timings.values()), 6)
    if answer.fault is None and answer.status is not None and answer.status < 500:
        return AddressCheck(address, family, Way.OK, "", seconds)
    if family == "ipv6" and answer.fault and answer.fault.ours and not _has_ipv6():
        return AddressCheck(address, family, Way.UNKNOWN, "pemeriksa tidak mempunyai IPv6", seconds)
    reason = answer.fault.message if answer.fault else f"server menjawab dengan status {answer.status}"
    return AddressCheck(address, family, Way.FAILED, reason, seconds)


def _has_ipv6() -> bool:
    """Whether this machine has a way out over IPv6; nothing is sent to find out."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as plug:
            plug.connect(("2001:db8::1", 9))
    except OSError as error:
        return error.errno not in (errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EACCES)
    return True


def spellings(url: str) -> tuple[str, ...]:
    """Given a site's URL, return its address without and with www, over http and https; none where the URL names a
    port or an IP address."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.port not in (None, PORTS[parts.scheme]) or "." not in host or host.rpartition(".")[2].isdigit():
        return ()
    bare = host.removeprefix("www.")
    return tuple(f"{scheme}://{name}/" for name in (bare, f"www.{bare}") for scheme in ("http", "https"))


def check_variants(
    urls: Sequence[str], site: Visit, demand: Demand, fetcher: Fetcher, deadline: Deadline
) -> tuple[VariantCheck, ...]:
    """Given spellings of a site's address and the visit that reached the site, follow each of them to its end."""
    return tuple(_follow_all(urls, site, demand, fetcher, deadline))


def _follow_all(
    urls: Sequence[str], site: Visit, demand: Demand, fetcher: Fetcher, deadline: Deadline
) -> Iterator[VariantCheck]:
    for position, url in enumerate(urls):
        share = min(LONGEST_VISIT, deadline.remaining() / (len(urls) - position))
        visited = visit(url, deadline.tightened(share), fetcher, hosts=demand.hosts, most=demand.redirects)
        way, reason = _judge(visited, site)
        chain = tuple(answer.url for answer in visited.answers[1:])
        yield VariantCheck(url, way, reason, visited.last.url, chain)


def _judge(visited: Visit, site: Visit) -> tuple[Way, str]:
    first, last = visited.answers[0], visited.last
    if first.fault and first.fault.cause is Cause.NAME and first.url.partition("://")[2].startswith("www."):
        return Way.NOT_OFFERED, first.fault.message
    if last.fault:
        return Way.FAILED, last.fault.message
    if last.status is None or last.status >= 400:
        return Way.FAILED, f"server menjawab dengan status {last.status}"
    ours, theirs = urlsplit(site.last.url), urlsplit(last.url)
    if ours.scheme == "https" and theirs.scheme == "http":
        return Way.INSECURE, "tidak dialihkan ke https"
    if ours.hostname != theirs.hostname:
        return Way.ASTRAY, f"berakhir di {theirs.hostname}, bukan di {ours.hostname}"
    return Way.OK, ""
