"""Who says where a name leads: this machine, a resolver of the court's own, or a table written by hand."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence

from runner.actions.web.certificates import parse_endpoint
from runner.actions.web.lookup import Place, Resolver, numeric_place, system_resolver

LONGEST_QUESTION = 30.0


def build_resolver(table: Mapping[str, Sequence[str]], server: str = "") -> Resolver:
    """Given a table of hosts (or host:port) and a DNS server's host:port, return who looks names up.

    A name of the table leads to its addresses, an address with a port of its own there; all others are asked for.
    Raise ValueError when an address of the table, or the server's, is none.
    """
    known = {name.lower(): tuple(_parse_address(text) for text in texts) for name, texts in table.items()}
    asked = dns_resolver(*parse_endpoint(server)) if server else system_resolver

    def resolve(host: str, port: int) -> Sequence[Place]:
        found = known.get(f"{host}:{port}") or known.get(host)
        if not found:
            return tuple(asked(host, port))
        return tuple(place for address, own in found if (place := numeric_place(address, own or port)))

    return resolve


def _parse_address(text: str) -> tuple[str, int | None]:
    """Given "203.0.113.10", "203.0.113.10:8443" or "[2001:db8::1]:443", return address and port."""
    if numeric_place(text.strip("[]"), 0):
        return text.strip("[]"), None
    address, port = parse_endpoint(text)
    if not numeric_place(address, port):
        raise ValueError(f"{text!r} is no IP address, with or without a port")
    return address, port


def dns_resolver(server: str, port: int) -> Resolver:
    """Given a DNS server's address and port, return who asks it for a name's addresses; it raises OSError."""

    def resolve(host: str, asked_port: int) -> Sequence[Place]:
        import dns.exception
        import dns.resolver

        asker = dns.resolver.Resolver(configure=False)
        asker.nameservers, asker.port, asker.lifetime = [server], port, LONGEST_QUESTION
        found: list[str] = []
        try:
            for kind in ("AAAA", "A"):
                answer = asker.resolve(host + ".", kind, search=False, raise_on_no_answer=False)
                found += [record.to_text() for record in answer.rrset or ()]
        except dns.resolver.NXDOMAIN:
            found = []
        except dns.exception.DNSException as error:
            raise socket.gaierror(socket.EAI_AGAIN, f"server DNS: {type(error).__name__}") from None
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "tidak ada alamat")
        return tuple(place for address in found if (place := numeric_place(address, asked_port)))

    return resolve
