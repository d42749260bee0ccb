"""Search engines: who claims to be one, and whether its address is of the ranges that the engine publishes."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any

Network = IPv4Network | IPv6Network
LARGEST_FILE = 5 * 1024 * 1024

# The name under which an engine stands in a file of ranges, and the word in its agent.
ENGINES = {
    "google": re.compile(rb"(?i)googlebot|google-inspectiontool|storebot-google|adsbot-google"),
    "bing": re.compile(rb"(?i)bingbot|adidxbot|msnbot"),
    "yandex": re.compile(rb"(?i)yandex(?:bot|images|mobilebot)"),
    "baidu": re.compile(rb"(?i)baiduspider"),
    "duckduckgo": re.compile(rb"(?i)duckduckbot"),
    "apple": re.compile(rb"(?i)applebot"),
    "meta": re.compile(rb"(?i)facebookexternalhit|meta-externalagent"),
}


def load_ranges(path: Path) -> dict[str, tuple[Network, ...]]:
    """Given a JSON file {engine: [network, …] or the object that the engine publishes}, return the networks by engine.

    Raise ValueError with what is wrong.
    """
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ValueError(f"{path}: larger than {LARGEST_FILE} bytes. name a file of ranges")
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}. check the path") from None
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{path}: no JSON: {error}. save it again") from None
    if not isinstance(data, dict):
        raise ValueError(f"{path}: no object. write {{engine: [networks]}}")
    unknown = sorted(set(data) - set(ENGINES))
    if unknown:
        raise ValueError(f"{path}: '{unknown[0]}' is no known engine. write one of {', '.join(ENGINES)}")
    try:
        return {name: tuple(ip_network(text, strict=False) for text in _texts(value)) for name, value in data.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: {error}. write networks such as 66.249.64.0/19") from None


def _texts(value: Any) -> Sequence[str]:
    if isinstance(value, dict):  # as Google and Bing publish theirs
        return [str(each.get("ipv4Prefix") or each.get("ipv6Prefix")) for each in value["prefixes"]]
    return [str(each) for each in value]


def claimed_engine(agent: bytes) -> str:
    """The engine that an agent claims to be; "" for none."""
    return next((name for name, pattern in ENGINES.items() if pattern.search(agent)), "")


class Engines:
    """Requests of those that claim to be an engine. Without its ranges nobody can say whether they are; in the office's
    own networks it is the site's own watch, which looks as engines do."""

    def __init__(self, ranges: Mapping[str, Sequence[Network]], own: Sequence[Network] = ()) -> None:
        self._ranges = ranges
        self._own = own
        self._known: dict[tuple[str, bytes], str] = {}
        self.requests: dict[str, Counter[str]] = {}

    def judge(self, name: str, address: bytes, requests: int) -> str:
        """Given the engine that an agent claims to be and its address, count these requests; "verified", "false" or
        "unverified"."""
        word = self._known.get((name, address))
        if word is None:
            if len(self._known) > MOST_ADDRESSES:
                self._known.clear()
            word = self._known[name, address] = self._judge(name, address)
        self.requests.setdefault(name, Counter())[word] += requests
        return word

    def _judge(self, name: str, address: bytes) -> str:
        ranges = self._ranges.get(name)
        if not ranges:
            return "unverified"
        try:
            known = ip_address(address.decode("ascii", "replace").partition("%")[0])
        except ValueError:
            return "false"
        if any(known in each for each in ranges):
            return "verified"
        return "unverified" if any(known in each for each in self._own) else "false"

    def rows(self) -> list[dict[str, Any]]:
        """The engines with their requests by what is known of them, the busiest first."""
        ordered = sorted(self.requests.items(), key=lambda pair: (-pair[1].total(), pair[0]))
        words = ("verified", "unverified", "false")
        return [{"engine": name, **{word: counts[word] for word in words}} for name, counts in ordered]


MOST_ADDRESSES = 50_000
