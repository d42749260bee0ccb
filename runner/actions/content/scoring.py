"""How far each rule is kept: 2 whole, 1 partly, 0 not, None where a machine cannot tell. Each with what shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from runner.actions.content.crawl import Crawl
from runner.actions.content.facts import Facts
from runner.actions.content.rules import Rule
from runner.actions.web.text import clean_text

LONGEST_EVIDENCE = 200
_JOINTS = re.compile(r"[-_/.+?=&%]+")
_YEAR = re.compile(r"(?<!\d)(20\d\d)(?!\d)")


class Score(NamedTuple):
    """A rule's score and what shows it. `points` is None where it is not known, `applies` False where not asked."""

    points: int | None
    evidence: str
    applies: bool = True


def unknown(why: str) -> Score:
    """A score that is not known, and why."""
    return Score(None, clean_text(why, LONGEST_EVIDENCE))


def score_words(rule: Rule, crawl: Crawl, year: int) -> Score:
    """Given a rule about a page, links or a file, return its score."""
    if not crawl.pages:
        return unknown(crawl.faults[0] if crawl.faults else "tidak ada halaman yang dapat dibaca")
    if rule.kind == "page":
        return _score_page(rule.asks, crawl)
    return _score_links(rule.asks, crawl) if rule.kind == "links" else _score_file(rule.asks, crawl, year)


def score_given(asks: Mapping[str, Any], values: Mapping[str, Any]) -> Score:
    """Given what a rule asks of another task's value, and the values, return its score."""
    value = values.get(asks["name"])
    if value is None or value == "":
        return unknown(f"nilai '{asks['name']}' belum diberikan")
    shown = clean_text(f"{asks['name']}: {value}", LONGEST_EVIDENCE)
    if "is" in asks or "partly" in asks:
        return Score(2 if value == asks.get("is") else 1 if value == asks.get("partly", object) else 0, shown)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return unknown(f"nilai '{asks['name']}' bukan bilangan")
    if "at_most" in asks:
        return Score(2 if value <= asks["at_most"] else 1 if value <= asks.get("half", asks["at_most"]) else 0, shown)
    least = asks.get("at_least", 0)
    return Score(2 if value >= least else 1 if value >= asks.get("half", least) else 0, shown)


def holds(text: str, word: str) -> bool:
    """Given plain text, return whether the word or phrase stands in it, not inside another word."""
    word = word.lower()
    at = text.find(word)
    while at >= 0:
        end = at + len(word)
        if not (at and text[at - 1].isalnum() and word[0].isalnum()) and not (end < len(text) and text[end].isalnum()):
            return True
        at = text.find(word, end)
    return False


def find_pages(words: Sequence[str], crawl: Crawl) -> list[Facts]:
    """Given words, return the pages that they name by title, address or the text of a link, the best named first."""
    named = {_plain(url) for page in crawl.pages for url, text in page.links if _any(text.lower(), words)}
    return [
        page for page in crawl.pages
        if _plain(page.url) in named or _any(page.title.lower(), words) or _any(_as_words(page.url), words)
    ]  # fmt: skip


def _score_page(asks: Mapping[str, Any], crawl: Crawl) -> Score:
    groups, length = asks.get("contains", []), asks.get("length", 0)
    best: tuple[int, str] | None = None
    for page in find_pages(asks["words"], crawl):
        text = page.text.lower()
        kept = sum(_any(text, group) for group in groups)
        whole = kept == len(groups) and len(page.text) >= length
        missing = ", ".join("/".join(group) for group in groups if not _any(text, group))
        short = f"; hanya {len(page.text)} huruf" if len(page.text) < length else ""
        score = 2 if whole else 1
        words = page.url if whole else f"{page.url}: kurang {missing or 'isi'}{short}"
        if best is None or score > best[0]:
            best = score, words
    if best:
        return Score(best[0], clean_text(best[1], LONGEST_EVIDENCE))
    return _not_found(asks["words"], crawl, "halaman")


def _not_found(words: Sequence[str], crawl: Crawl, what: str) -> Score:
    """Not found is a zero only where everything near was read, and no unread page goes by that name."""
    unread = [url for url in (*crawl.left, *crawl.forbidden) if _any(_as_words(url), words)]
    linked = {url for page in crawl.pages for url, text in page.links if _any(text.lower(), words)}
    unread += [url for url in linked if url in crawl.left or url in crawl.forbidden]
    if unread:
        return unknown(f"belum dibaca: {unread[0]}")
    gone = [url for url, _ in crawl.missing if url in linked]
    if gone:
        return Score(0, clean_text(f"tautan ada, tetapi halamannya tidak ada: {gone[0]}", LONGEST_EVIDENCE))
    if not crawl.near_is_whole:
        return unknown(f"{what} tidak ditemukan pada {len(crawl.pages)} halaman yang dibaca, tetapi belum semua dibaca")
    return Score(0, f"{what} tidak ditemukan pada {len(crawl.pages)} halaman yang dibaca")


def _score_links(groups: Sequence[Sequence[str]], crawl: Crawl) -> Score:
    links = list(_links(crawl))
    found: list[str] = []
    missing: list[str] = []
    for group in groups:
        hit = next((url for url, words in links if _any(words, group)), None)
        (found if hit else missing).append(hit or "/".join(group))
    if not missing:
        return Score(2, clean_text(", ".join(found), LONGEST_EVIDENCE))
    if not crawl.near_is_whole:
        return unknown(f"belum ditemukan: {', '.join(missing)}, tetapi belum semua halaman dibaca")
    return Score(1 if found else 0, clean_text(f"tidak ditemukan: {', '.join(missing)}", LONGEST_EVIDENCE))


def _links(crawl: Crawl) -> Iterator[tuple[str, str]]:
    for page in crawl.pages:
        yield from ((url, f"{text.lower()} {url.lower()} {_as_words(url)}") for url, text in page.links)
        yield from ((url, f"{url.lower()} {_as_words(url)}") for url in page.frames)


def _score_file(asks: Mapping[str, Any], crawl: Crawl, year: int) -> Score:
    newest, place = 0, ""
    for url, words in _links(crawl):
        if _any(words, asks["words"]):
            found = max((int(each) for each in _YEAR.findall(words) if int(each) <= year), default=0)
            if not place or found > newest:
                newest, place = found, url
    for page in find_pages(asks["words"], crawl):
        found = max((int(each) for each in _YEAR.findall(f"{page.title} {page.url}") if int(each) <= year), default=0)
        if not place or found > newest:
            newest, place = found, page.url
    if not place:
        return _not_found(asks["words"], crawl, "dokumen")
    if "years" not in asks or newest >= year - asks["years"]:
        return Score(2, clean_text(f"{place} ({newest or 'tanpa tahun'})", LONGEST_EVIDENCE))
    told = f"tahun termuda {newest}" if newest else "tahunnya tidak tertulis"
    return Score(1, clean_text(f"{place}: {told}", LONGEST_EVIDENCE))


def _any(text: str, words: Sequence[str]) -> bool:
    return any(holds(text, word) for word in words)


def _as_words(url: str) -> str:
    return _JOINTS.sub(" ", url.lower())


def _plain(url: str) -> str:
    return url.rstrip("/").replace("://www.", "://", 1)
