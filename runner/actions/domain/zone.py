"""What the DNS says of a domain: its addresses and mail servers. dnspython speaks the protocol."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from runner.actions.web.certificates import parse_endpoint
from runner.durations import Deadline

MOST_RECORDS = 50
SHORTEST = 0.01


@dataclass(frozen=True, slots=True)
class Records:
    """Addresses (A and AAAA) and mail servers (MX), each sorted; None where they could not be learned."""

    addresses: tuple[str, ...] | None = None
    mail_servers: tuple[str, ...] | None = None


def ask_dns(domain: str, deadline: Deadline, *, resolver: str = "") -> Records:
    """Given a domain, ask this machine's resolver (or the one at `resolver`, host:port). Never raises."""
    ipv4 = _ask(domain, "A", deadline.tightened(deadline.remaining() / 3), resolver)
    ipv6 = _ask(domain, "AAAA", deadline.tightened(deadline.remaining() / 2), resolver)
    mail = _ask(domain, "MX", deadline, resolver)
    known = None if ipv4 is None or ipv6 is None else _clean((*ipv4, *ipv6))
    return Records(known, None if mail is None else _clean(mail))


def _clean(records: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({record.lower().rstrip(".") for record in records}))[:MOST_RECORDS]


def _ask(domain: str, kind: str, deadline: Deadline, resolver: str) -> tuple[str, ...] | None:
    import dns.exception
    import dns.resolver

    try:
        asker = dns.resolver.Resolver(configure=not resolver)
        if resolver:
            host, asker.port = parse_endpoint(resolver)
            asker.nameservers = [host]
        lifetime = max(SHORTEST, deadline.remaining())
        answer = asker.resolve(domain + ".", kind, lifetime=lifetime, search=False, raise_on_no_answer=False)
    except dns.resolver.NXDOMAIN:
        return ()
    except (dns.exception.DNSException, OSError, ValueError):
        return None
    records = answer.rrset or ()
    return tuple(str(record.exchange) if kind == "MX" else record.to_text() for record in records)
