"""Rules about what stands beside the pages: robots.txt, sitemaps, and what answers where nothing is."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from runner.actions.integrity.findings import Finding, Weight
from runner.actions.integrity.hosts import defang, host_of, is_foreign, is_known
from runner.actions.integrity.sights import Sight
from runner.actions.integrity.words import Meaning, read_address

STRONG, WEAK = Weight.STRONG, Weight.WEAK
MOST_SHOWN = 5
ENOUGH = 3
SMALLEST_BURST = 50

_SITEMAP = re.compile(r"^[ \t]{0,20}sitemap[ \t]{0,20}:[ \t]{0,20}(\S{1,2000})", re.IGNORECASE | re.MULTILINE)


class Sitemap(NamedTuple):
    """The addresses of all sitemaps together, by the sitemap that lists them; not `whole` where some were not read."""

    addresses: tuple[tuple[str, str], ...]
    whole: bool


def sitemaps_of(robots: str) -> list[str]:
    """Given a robots.txt, return the sitemaps it names."""
    return [match[1] for match in _SITEMAP.finditer(robots[:200_000])]


def check_robots(robots: str, url: str, own: Collection[str]) -> Iterator[Finding]:
    """Given a robots.txt and its address, find sitemaps on somebody else's site."""
    for match in _SITEMAP.finditer(robots[:200_000]):
        if is_foreign(host_of(match[1], url), own):
            line = robots.count("\n", 0, match.start()) + 1
            yield Finding("robots_sitemap", STRONG, url, line, defang(match[0]))


def check_sitemap(sitemap: Sitemap, own: Collection[str]) -> Iterator[Finding]:
    """Given a site's sitemaps, find addresses that sell, and addresses of others."""
    selling = [
        (place, url) for place, url in sitemap.addresses if read_address(url).meaning in (Meaning.PROMO, Meaning.OTHER)
    ]
    for place, url in selling[:MOST_SHOWN]:
        weight = STRONG if len(selling) >= ENOUGH else WEAK
        yield Finding("sitemap_words", weight, place, 0, defang(f"[{len(selling)}] {url}"))
    others = [(place, url) for place, url in sitemap.addresses if is_foreign(host_of(url, place), own)]
    odd = [url for _, url in others if not is_known(host_of(url))]
    for place, url in others[:1]:
        yield Finding(
            "sitemap_hosts", STRONG if odd else WEAK, place, 0, defang(f"[{len(others)}] {(odd or [url])[0]}")
        )


def check_burst(count: int, before: int | None, share: float, place: str) -> Iterator[Finding]:
    """Given how many addresses the sitemaps list now and did before, find a burst beyond `share` of what was there."""
    if before is None:
        return
    grown = count - before
    if grown >= SMALLEST_BURST and grown > before * share:
        yield Finding("sitemap_burst", WEAK, place, 0, f"{before} → {count} alamat")


def check_random(sights: Sequence[Sight]) -> Iterator[Finding]:
    """Given sights of an address where nothing is, find one that answers as if something were."""
    for sight in sights:
        if sight.status == 200 and sight.markup:
            excerpt = f"status 200: {sight.markup.first('title')}"
            yield Finding("random_path", WEAK, sight.url, 0, defang(excerpt), sight.view)
            return


def check_doorway(sight: Sight, plain: Sight | None, found: Sequence[Finding]) -> Iterator[Finding]:
    """Given the sight of an address with a query, that without one, and what was found on the first, find a doorway:
    a page that sells only when it is asked for by name."""
    telling = [each for each in found if each.weight is STRONG]
    if not sight.markup or not telling:
        return
    title, usual = sight.markup.first("title"), plain.markup.first("title") if plain and plain.markup else ""
    if title != usual:
        yield Finding("query_doorway", STRONG, sight.url, 0, defang(title), sight.view)
