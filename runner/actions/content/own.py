"""Checks of the pages themselves: access for all, safe delivery, nothing dead or left over."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import Any

from runner.actions.content.crawl import Crawl
from runner.actions.content.facts import Facts
from runner.actions.content.rules import Rule
from runner.actions.content.scoring import LONGEST_EVIDENCE, Score, find_pages, unknown
from runner.actions.web.text import clean_text

FAST, SLOW = 3.0, 6.0  # seconds
NEAR = 2  # clicks
HEADERS = ("strict-transport-security", "content-security-policy", "x-content-type-options")
_LEFT_OVER = re.compile(
    r"lorem ipsum|there are no articles in this category|tidak ada artikel (?:dalam|pada) kategori ini"
    r"|just another wordpress site|hello world!|sample page|contoh laman|your content goes here|under construction",
    re.IGNORECASE,
)
_VERSION = re.compile(r"\d+\.\d+")


def _share(good: int, all_: int, shown: str) -> Score:
    """Two for all, one for four fifths."""
    if not all_:
        return Score(None, "tidak ada yang dapat diperiksa")
    return Score(2 if good == all_ else 1 if good >= 0.8 * all_ else 0, clean_text(shown, LONGEST_EVIDENCE))


def _of_pages(crawl: Crawl, holds: Callable[[Facts], bool], words: str) -> Score:
    bad = [page.url for page in crawl.pages if not holds(page)]
    shown = f"{words}: {len(crawl.pages) - len(bad)} dari {len(crawl.pages)} halaman"
    return _share(len(crawl.pages) - len(bad), len(crawl.pages), f"{shown}; tidak pada {bad[0]}" if bad else shown)


def _language(crawl: Crawl) -> Score:
    return _of_pages(crawl, lambda page: page.language.split("-")[0] == "id", 'lang="id"')


def _alt(crawl: Crawl) -> Score:
    pictures = sum(page.pictures for page in crawl.pages)
    untold = [(page.url, each) for page in crawl.pages for each in page.untold_pictures]
    shown = f"{pictures - len(untold)} dari {pictures} gambar bertulisan pengganti yang bermakna"
    return _share(pictures - len(untold), pictures, f"{shown}; tidak: {untold[0][1]}" if untold else shown)


def _headings(crawl: Crawl) -> Score:
    return _of_pages(crawl, lambda page: _in_order(page.headings), "satu h1 tanpa tingkat yang dilompati")


def _in_order(levels: Sequence[int]) -> bool:
    return levels.count(1) == 1 and all(after <= before + 1 for before, after in pairwise(levels))


def _labels(crawl: Crawl) -> Score:
    fields, bad = sum(p.fields for p in crawl.pages), sum(p.unlabelled for p in crawl.pages)
    return _share(fields - bad, fields, f"{fields - bad} dari {fields} isian berlabel")


def _viewport(crawl: Crawl) -> Score:
    return _of_pages(crawl, lambda page: page.viewport, "meta viewport yang boleh diperbesar")


def _contrast(crawl: Crawl) -> Score:
    return _of_pages(crawl, lambda page: not page.faint, "kontras warna tertulis minimal 4,5 (hanya gaya pada elemen)")


def _skip_link(crawl: Crawl) -> Score:
    return _of_pages(crawl, lambda page: page.skip_link, "tautan langsung ke isi")


def _secure(crawl: Crawl) -> Score:
    url = crawl.pages[0].url
    return Score(2 if url.startswith("https:") else 0, clean_text(url, LONGEST_EVIDENCE))


def _headers(crawl: Crawl) -> Score:
    if crawl.front is None:
        return unknown("tidak ada jawaban")
    missing = [name for name in HEADERS if not crawl.front.header(name)]
    return Score(
        2 if not missing else 1 if len(missing) < len(HEADERS) else 0, f"tidak ada: {', '.join(missing) or '-'}"
    )


def _mixed(crawl: Crawl) -> Score:
    if not crawl.pages[0].url.startswith("https:"):
        return Score(None, "situs tidak memakai https", applies=False)
    return _of_pages(crawl, lambda page: not page.insecure, "tanpa isi lewat http")


def _version_hidden(crawl: Crawl) -> Score:
    told = next((page.generator for page in crawl.pages if _VERSION.search(page.generator)), "")
    server = crawl.front.header("X-Powered-By") if crawl.front else ""
    told = told or (server if _VERSION.search(server) else "")
    return Score(
        0 if told else 2, clean_text(f"versi terlihat: {told}" if told else "versi tidak terlihat", LONGEST_EVIDENCE)
    )


def _placeholder_text(crawl: Crawl) -> Score:
    for page in crawl.pages:
        if match := _LEFT_OVER.search(page.text):
            return Score(0, clean_text(f"{page.url}: {match[0]}", LONGEST_EVIDENCE))
    return Score(2, f"tidak ada pada {len(crawl.pages)} halaman")


def _dead_links(crawl: Crawl) -> Score:
    visited = len(crawl.pages) + len(crawl.missing)
    dead = crawl.missing
    shown = f"{len(dead)} dari {visited} halaman yang ditautkan tidak ada"
    points = 2 if not dead else 1 if len(dead) <= 0.05 * visited else 0
    return Score(
        points, clean_text(f"{shown}; misalnya {dead[0][0]} pada {dead[0][1]}" if dead else shown, LONGEST_EVIDENCE)
    )


def _speed(crawl: Crawl) -> Score:
    if not crawl.seconds:
        return unknown("tidak ada halaman yang terukur")
    middle = median(crawl.seconds)
    shown = f"{middle:.2f}".replace(".", ",") + " detik (median)"
    return Score(2 if middle < FAST else 1 if middle < SLOW else 0, shown)


_CHECKS: Mapping[str, Callable[[Crawl], Score]] = {
    "language": _language,
    "alt": _alt,
    "headings": _headings,
    "labels": _labels,
    "viewport": _viewport,
    "contrast": _contrast,
    "skip_link": _skip_link,
    "secure": _secure,
    "headers": _headers,
    "mixed_content": _mixed,
    "version_hidden": _version_hidden,
    "placeholder_text": _placeholder_text,
    "dead_links": _dead_links,
    "speed": _speed,
}


def score_own(asks: Mapping[str, Any], crawl: Crawl, rules: Sequence[Rule]) -> Score:
    """Given what a rule asks of the pages themselves, the crawl and all rules, return its score."""
    if not crawl.pages:
        return unknown(crawl.faults[0] if crawl.faults else "tidak ada halaman yang dapat dibaca")
    if asks["name"] == "slides":
        most = asks.get("most", 5)
        count = crawl.pages[0].slides
        return Score(2 if count <= most else 0, f"{count} gambar geser pada beranda, paling banyak {most:g}")
    if asks["name"] == "depth":
        return _score_depth(crawl, rules, asks.get("most", NEAR))
    return _CHECKS[asks["name"]](crawl)


def _score_depth(crawl: Crawl, rules: Sequence[Rule], most: float) -> Score:
    """How many of the pages that rules ask for can be reached in so many clicks."""
    found = [
        min(p.depth for p in pages) for r in rules if r.kind == "page" and (pages := find_pages(r.asks["words"], crawl))
    ]
    near = sum(depth <= most for depth in found)
    return _share(near, len(found), f"{near} dari {len(found)} halaman wajib dalam {most:g} klik")
