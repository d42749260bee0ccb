"""Which RDAP server knows a domain: IANA's published list (RFC 9224), shipped with the product and refreshable.

The shipped copy is IANA's of its `publication`. `python -m runner.actions.domain.bootstrap FILE` fetches today's into
a file, for the action's input `bootstrap`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from runner.actions.web.fetch import Fetcher
from runner.durations import Deadline
from runner.errors import Failed
from runner.files import write_whole

PUBLISHED = "https://data.iana.org/rdap/dns.json"
LARGEST = 4 * 1024 * 1024
REFRESH_LIMIT = 30.0

_SHIPPED = Path(__file__).with_name("rdap-dns.json")


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """Base addresses by top-level domain, with a last slash, and when IANA published them."""

    bases: Mapping[str, str]
    publication: str

    def base(self, domain: str) -> str:
        """The RDAP server's base address for a domain; "" where IANA knows none. The longest ending counts."""
        labels = domain.split(".")
        endings = (".".join(labels[place:]) for place in range(1, len(labels)))
        return next((self.bases[ending] for ending in endings if ending in self.bases), "")

    def hosts(self) -> frozenset[str]:
        """All hosts of the list: the only ones that a registry may redirect to."""
        return frozenset(urlsplit(base).hostname or "" for base in self.bases.values())


@cache
def load_bootstrap(path: Path = _SHIPPED) -> Bootstrap:
    """Given a file in IANA's form, return its servers. Raise Failed when it cannot be read or has another form."""
    try:
        return parse_bootstrap(path.read_bytes())
    except OSError as error:
        raise Failed(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise Failed(f"{path}: {error}. fetch it anew from {PUBLISHED}") from None


def parse_bootstrap(text: bytes) -> Bootstrap:
    """Given the bytes of IANA's list, return its servers; https is taken before http. Raise ValueError."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("is not JSON") from None
    services = document.get("services") if isinstance(document, dict) else None
    if not isinstance(services, list):
        raise ValueError("is not IANA's list of RDAP servers")
    bases: dict[str, str] = {}
    for service in services:
        for ending, base in _read_service(service):
            bases[ending] = base
    return Bootstrap(bases, str(document.get("publication", "")))


def _read_service(service: Any) -> list[tuple[str, str]]:
    if not isinstance(service, list) or len(service) != 2 or not all(isinstance(part, list) for part in service):
        return []
    addresses = [text for text in service[1] if isinstance(text, str) and text.startswith(("https://", "http://"))]
    addresses.sort(key=lambda text: text.startswith("http://"))
    if not addresses:
        return []
    base = addresses[0].rstrip("/") + "/"
    return [(ending.lower(), base) for ending in service[0] if isinstance(ending, str)]


def refresh_bootstrap(path: Path, address: str = PUBLISHED) -> Bootstrap:
    """Fetch the list as it is published now, check it, and write it to `path`, whole or not at all. Raise Failed."""
    answer = Fetcher(limit=LARGEST, accept="application/json").fetch(address, Deadline.after(REFRESH_LIMIT))
    if answer.fault or answer.status != 200:
        raise Failed(f"{address}: {answer.fault.message if answer.fault else f'status {answer.status}'}")
    try:
        found = parse_bootstrap(answer.body)
    except ValueError as error:
        raise Failed(f"{address}: {error}") from None
    if not found.base("contoh.go.id"):
        raise Failed(f"{address}: knows no server of .id. keep the list there is")
    write_whole(path, answer.body, mode=0o644)
    return found


def main(arguments: Sequence[str]) -> int:
    """Given the file to write, fetch the list and say when it was published; return the exit code."""
    if len(arguments) != 1:
        print("usage: python -m runner.actions.domain.bootstrap FILE", file=sys.stderr)
        return 2
    try:
        print(refresh_bootstrap(Path(arguments[0])).publication)
    except (Failed, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
