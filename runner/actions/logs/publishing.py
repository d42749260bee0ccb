"""Counts of what a log says, as they may leave: what many texts have in common is looked at once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache

from runner.actions.logs.privacy import mask_address, public_host, public_path

_STATIC = re.compile(rb"(?i)\.(?:css|js|mjs|png|jpe?g|gif|svg|ico|webp|avif|woff2?|ttf|otf|eot|map|mp4|webm)\Z")
_BOT = re.compile(
    r"(?i)bot\b|bot[/_ ;-]|crawl|spider|slurp|mediapartners|facebookexternal|whatsapp|telegram|monitor|uptime|preview"
    r"|curl|wget|python|java/|go-http|libwww|okhttp|httpclient|axios|node-fetch|scrapy|headless|phantom|feed|scan"
    r"|ahrefs|semrush|petal|bytespider|lighthouse|pingdom|zgrab|nikto|sqlmap|masscan|nmap|nuclei|wpscan|censys"
)
_OCTETS = frozenset(b"%d" % number for number in range(256))


@lru_cache(maxsize=16384)
def is_bot(agent: bytes) -> bool:
    """Whether an agent is a program that says so, or that is no browser."""
    text = agent.decode("utf-8", "replace")
    return not text.startswith(("Mozilla/", "Opera/")) or bool(_BOT.search(text))


def page_path(request: bytes) -> bytes:
    """Given a request line, return the path that a visitor asked for; b"" for pictures and the like, and no pages."""
    method, _, rest = request.partition(b" ")
    if method not in (b"GET", b"HEAD"):
        return b""
    path = rest.rsplit(b" HTTP/", 1)[0].partition(b"?")[0]
    return b"" if _STATIC.search(path) else path


def public_pages(requests: Mapping[bytes, int]) -> Counter[str]:
    """Given counts by request line, return them by page."""
    paths: Counter[bytes] = Counter()
    for request, number in requests.items():
        paths[page_path(request)] += number
    del paths[b""]
    found: Counter[str] = Counter()
    for path, number in paths.items():
        found[public_path(path.decode("utf-8", "replace"))] += number
    return found


def public_networks(addresses: Mapping[bytes, int]) -> Counter[str]:
    """Given counts by address, return them by /24 or /48."""
    fronts: Counter[bytes] = Counter()
    for address, number in addresses.items():
        front, _, last = address.rpartition(b".")
        fronts[front + b".0" if last in _OCTETS else address] += number
    found: Counter[str] = Counter()
    for front, number in fronts.items():
        found[mask_address(front.decode("utf-8", "replace"))] += number
    return found


def public_hosts(referers: Mapping[bytes, int]) -> Counter[str]:
    """Given counts by referer, return them by its host."""
    fronts: Counter[bytes] = Counter()
    for referer, number in referers.items():
        fronts[b"/".join(referer.split(b"/", 3)[:3])] += number  # "https://a.example"
    found: Counter[str] = Counter()
    for front, number in fronts.items():
        if host := public_host(front.decode("utf-8", "replace")):
            found[host] += number
    return found
