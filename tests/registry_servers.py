"""Registries on 127.0.0.1: WHOIS over raw sockets, RDAP over page servers, a DNS resolver; all answers invented."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import dns.message
import dns.rcode
import dns.rrset

from tests.web_servers import Reply, Talk, page_server, raw_server, says

DOMAIN = "pn-contoh.go.id"


def whois_text(
    *,
    expires: str = "2027-03-01",
    statuses: Sequence[str] = ("ok",),
    servers: Sequence[str] = ("ns1.example.org", "ns2.example.org"),
    dnssec: str = "unsigned",
    domain: str = DOMAIN,
) -> bytes:
    """A registered domain's answer in today's form of .id."""
    lines = [
        f"Domain Name: {domain.upper()}",
        "Creation Date: 2009-12-18T13:33:21Z",
        f"Registry Expiry Date: {expires}T23:59:59Z",
        "Registrar: Registrar Contoh",
        *(f"Domain Status: {status}" for status in statuses),
        *(f"Name Server: {server.upper()}" for server in servers),
        f"DNSSEC: {dnssec}",
    ]
    return ("\r\n".join(lines) + "\r\n").encode()


def rdap_document(
    *,
    expires: str | None = "2027-03-01",
    statuses: Sequence[str] = ("active",),
    servers: Sequence[str] = ("ns1.example.org", "ns2.example.org"),
    signed: bool = False,
    domain: str = DOMAIN,
) -> dict[str, Any]:
    """The same as RDAP tells it."""
    events = [{"eventAction": "registration", "eventDate": "2009-12-18T13:33:21Z"}]
    if expires:
        events.append({"eventAction": "expiration", "eventDate": f"{expires}T23:59:59Z"})
    card = ["vcard", [["version", {}, "text", "4.0"], ["fn", {}, "text", "Registrar Contoh"]]]
    return {
        "rdapConformance": ["rdap_level_0"],
        "objectClassName": "domain",
        "ldhName": domain.upper(),
        "status": list(statuses),
        "events": events,
        "nameservers": [{"objectClassName": "nameserver", "ldhName": server} for server in servers],
        "secureDNS": {"delegationSigned": signed},
        "entities": [{"objectClassName": "entity", "roles": ["registrar"], "vcardArray": card}],
    }


def rdap_reply(document: Any, status: int = 200, **headers: str) -> Reply:
    """A document as an RDAP server sends it."""
    fields = {"Content-Type": "application/rdap+json", **{k.replace("_", "-"): v for k, v in headers.items()}}
    return Reply(json.dumps(document), status, fields)


@contextmanager
def rdap_server(reply: Reply | Mapping[str, Any], domain: str = DOMAIN) -> Iterator[str]:
    """Serve one domain's answer and yield the base address."""
    answer = reply if isinstance(reply, Reply) else rdap_reply(reply)
    with page_server({f"/rdap/domain/{domain}": answer}) as url:
        yield f"{url}/rdap/"


@contextmanager
def whois_server(talk: Talk | bytes) -> Iterator[str]:
    """Answer every question with `talk` (bytes: say them and close) and yield host:port."""
    with raw_server(says(talk) if isinstance(talk, bytes) else talk) as url:
        yield url.removeprefix("http://")


@contextmanager
def dns_server(records: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Answer questions for any name by type ("A": ["203.0.113.10"]; others: none) over UDP and yield host:port."""
    plug = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    plug.bind(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            data, place = plug.recvfrom(4096)
            if data == b"stop":
                return
            question = dns.message.from_wire(data)
            reply = dns.message.make_response(question)
            asked = question.question[0]
            found = records.get(asked.rdtype.name, ())
            if found:
                reply.answer.append(dns.rrset.from_text(asked.name, 60, "IN", asked.rdtype.name, *found))
            plug.sendto(reply.to_wire(), place)

    thread = threading.Thread(target=serve)
    thread.start()
    port = plug.getsockname()[1]
    try:
        yield f"127.0.0.1:{port}"
    finally:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stopper:
            stopper.sendto(b"stop", ("127.0.0.1", port))
        thread.join()
        plug.close()
