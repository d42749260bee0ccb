"""Rules that compare views: what search engines, their visitors and phones are shown, and a browser is not.

Compared are sets and heads, not texts: what a page shows by chance differs between two visits of one browser, too, so
each page is visited twice as a browser, and what either visit showed is nobody's cloak. Who cloaks by the address of a
search engine's machines cannot be seen from here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from runner.actions.integrity.findings import Finding, Weight
from runner.actions.integrity.hosts import defang, host_of, is_foreign, is_known
from runner.actions.integrity.parts import Link, Markup
from runner.actions.integrity.sights import BROWSER, Sight
from runner.actions.integrity.wording import read_link
from runner.actions.integrity.words import Meaning

STRONG, WEAK = Weight.STRONG, Weight.WEAK
MANY = 3  # foreign hosts that only one view is shown
GONE = frozenset({404, 410})


def compare_sights(sights: Sequence[Sight], own: Collection[str]) -> Iterator[Finding]:
    """Given all sights of one page, find what other views are shown than a browser is."""
    plain = [sight for sight in sights if sight.view == BROWSER.name]
    others = [sight for sight in sights if sight.view != BROWSER.name]
    for sight in others:
        yield from _compare(plain, sight, own)


def _compare(plain: Sequence[Sight], sight: Sight, own: Collection[str]) -> Iterator[Finding]:
    if sight.elsewhere and plain and not any(each.elsewhere for each in plain):
        weight = WEAK if is_known(host_of(sight.elsewhere)) else STRONG
        yield _find("cloaked_redirect", weight, sight, 0, sight.elsewhere)
    if sight.status == 200 and plain and all(each.status in GONE for each in plain):
        yield _find("cloaked_page", STRONG, sight, 0, f"{sight.status}, peramban: {plain[0].status}")
    known = [each.markup for each in plain if each.markup]
    if sight.markup and known:
        yield from _compare_heads(known, sight, sight.markup)
        yield from _compare_links(known, sight, sight.markup, own)


def _compare_heads(known: Sequence[Markup], sight: Sight, markup: Markup) -> Iterator[Finding]:
    for rule, kind, weight in (
        ("cloaked_title", "title", STRONG),
        ("cloaked_canonical", "link canonical", STRONG),
    ):
        shown, usual = markup.first(kind), {_plain(each.first(kind)) for each in known}
        if shown and _plain(shown) not in usual and len(usual) == 1:
            piece = markup.all(kind)[0]
            yield _find(rule, weight, sight, markup.line(piece.at), f"{shown} ≠ {known[0].first(kind)}")
    languages = {each.language for each in known}
    if markup.language and markup.language not in languages and len(languages) == 1:
        yield _find("cloaked_language", STRONG, sight, 1, f"{markup.language} ≠ {known[0].language}")


def _plain(text: str) -> str:
    return " ".join(text.split()).rstrip("/").lower()


def _compare_links(known: Sequence[Markup], sight: Sight, markup: Markup, own: Collection[str]) -> Iterator[Finding]:
    usual = {host_of(link.href, sight.final) for each in known for link in each.links}
    fresh: dict[str, Link] = {}
    for link in markup.links:
        host = host_of(link.href, sight.final)
        if host not in usual and is_foreign(host, own):
            fresh.setdefault(host, link)
    told = [link for link in fresh.values() if read_link(link).meaning is not Meaning.NONE]
    odd = [link for host, link in fresh.items() if not is_known(host)]
    for link in (told or odd)[:MANY]:
        weight = STRONG if told or len(odd) >= MANY else WEAK
        yield _find("cloaked_links", weight, sight, markup.line(link.at), f"{link.text[:70]} → {link.href}")


def _find(rule: str, weight: Weight, sight: Sight, line: int, excerpt: str) -> Finding:
    return Finding(rule, weight, sight.url, line, defang(excerpt), sight.view)
