"""The whole survey of a site from outside: which pages are looked at, what is found, what is known of it now."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urldefrag, urljoin

from runner.actions.integrity.baseline import build_state
from runner.actions.integrity.cloaking import compare_sights
from runner.actions.integrity.findings import Finding, Weight
from runner.actions.integrity.hosts import defang, host_of, is_foreign, is_known
from runner.actions.integrity.outside import Outside, choose, parameters_of
from runner.actions.integrity.pages import check_page
from runner.actions.integrity.sights import BROWSER, GOOGLEBOT, Sight
from runner.actions.integrity.surroundings import (
    Sitemap,
    check_burst,
    check_doorway,
    check_random,
    check_robots,
    check_sitemap,
)
from runner.actions.integrity.verifications import TAGS, see_marks
from runner.actions.web.own_probe import build_query
from runner.actions.web.placeholders import WORDS, PageKind, kind_of

_PROBE = re.compile(r"slot(?:\s|[+_-]|%20|&#0?32;|&nbsp;){1,3}gacor", re.IGNORECASE)
SHORT_TEXT = 4000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look at: further pages, how many of the others, further sitemaps; what burst is worth telling, how many
    addresses the sitemaps listed before, the owners' marks known before, the day on which it is, and the mark by which
    the site's log knows its own watch again."""

    pages: Sequence[str]
    sample: int
    sitemaps: Sequence[str]
    burst: float
    before: int | None
    marks: Sequence[str]
    day: str
    mark: str


@dataclass(slots=True)
class Report:
    """What a survey brought: findings, pages looked at, the site's state, what could not be seen."""

    findings: list[Finding] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=dict)
    unseen: list[str] = field(default_factory=list)
    requests: int = 0
    addresses: int | None = None
    sources: dict[str, str] = field(default_factory=dict)


def survey(outside: Outside, wanted: Wanted) -> Report:
    """Given who visits and what is wanted, look at the site from all sides. Never raises for what the site does."""
    report = Report()
    fixed = [outside.url, *(urljoin(outside.url, page) for page in wanted.pages)]
    known = [sight for url in dict.fromkeys(fixed) for sight in _look(outside, report, url, needed=True)]
    address, robots = outside.robots()
    report.findings += check_robots(robots or "", address, outside.own)
    sitemap = outside.sitemap(robots or "", wanted.sitemaps)
    report.addresses = len(sitemap.addresses) if sitemap.whole else None
    _check_sitemap(outside, report, sitemap, wanted)
    links = _links(outside, known)
    listed = [url for _, url in sitemap.addresses]
    for url in _sample(outside, wanted, links, listed, fixed):
        _look(outside, report, url)
    _probe(outside, report, wanted, [*listed, *links], next(iter(known), None))
    marks = see_marks(outside, [robots or "", *listed, *links], wanted.marks)
    report.state = describe(outside, known, robots, report.addresses, marks)
    report.unseen, report.requests = outside.unseen, outside.requests
    _keep_sources(outside, report)
    return report


def _look(outside: Outside, report: Report, url: str, *, needed: bool = False) -> list[Sight]:
    if outside.deadline.passed:
        outside.unseen.append(f"{url}: waktu habis")
        return []
    sights = outside.look(url, needed=needed)
    report.pages.append(url)
    report.findings += outside.check(sights)
    report.findings += compare_sights(sights, outside.own)
    report.findings += _check_kind(sights) if needed else ()
    return sights


def _check_kind(sights: Sequence[Sight]) -> Iterable[Finding]:
    for sight in sights[:1]:
        if sight.markup and sight.status == 200:
            title, text = sight.markup.first("title"), " ".join(sight.markup.text[: SHORT_TEXT * 2].split())
            kind = kind_of(title, text, sight.final)
            if kind is not PageKind.SITE:
                yield Finding("not_the_site", Weight.WEAK, sight.url, 0, defang(f"{WORDS[kind]}: {title}"), sight.view)
        if sight.elsewhere and all(each.elsewhere for each in sights):
            yield Finding("page_redirect", Weight.STRONG, sight.url, 0, defang(sight.elsewhere), sight.view)


def _check_sitemap(outside: Outside, report: Report, sitemap: Sitemap, wanted: Wanted) -> None:
    report.findings += check_sitemap(sitemap, outside.own)
    place = sitemap.addresses[0][0] if sitemap.addresses else ""
    if report.addresses is not None:
        report.findings += check_burst(report.addresses, wanted.before, wanted.burst, place)


def _links(outside: Outside, sights: Iterable[Sight]) -> list[str]:
    found: dict[str, None] = {}
    for sight in sights:
        for link in sight.markup.links if sight.markup else ():
            if host_of(link.href, sight.final):
                found.setdefault(urldefrag(urljoin(sight.final, link.href))[0])
    return list(found)


def _sample(
    outside: Outside, wanted: Wanted, links: Sequence[str], listed: Sequence[str], fixed: Sequence[str]
) -> list[str]:
    """Pages to look at beside the fixed ones: some that are linked, some that only the sitemap knows, of both those
    with a query first among equals."""
    seen = set(fixed)
    linked = [url for url in links if url not in seen]
    only_listed = [url for url in listed if url not in seen and url not in set(links)]
    queried = [url for url in only_listed if "?" in url]
    chosen = [
        *choose(linked, wanted.sample, wanted.day, outside.own),
        *choose(only_listed, wanted.sample, wanted.day, outside.own),
        *choose(queried, 1 if wanted.sample else 0, wanted.day, outside.own),
    ]
    return list(dict.fromkeys(chosen))


def _probe(outside: Outside, report: Report, wanted: Wanted, addresses: Sequence[str], home: Sight | None) -> None:
    """Ask for what should not be there: an address made up today, and doorways by their parameter."""
    if home is None or outside.deadline.passed:
        return
    made_up = hashlib.sha256(f"{outside.url} {wanted.day}".encode()).hexdigest()[:14]
    random = [outside.see(urljoin(outside.url, f"/{made_up}/{made_up[:6]}"), view) for view in (BROWSER, GOOGLEBOT)]
    report.findings += check_random(random)
    report.findings += outside.check(random)
    for name in parameters_of(addresses):
        if outside.deadline.passed:
            outside.unseen.append("pintu masuk dengan parameter: waktu habis")
            return
        if not wanted.mark:  # the site's log would tell the request as an attack
            outside.unseen.append("pintu masuk dengan parameter: tidak diminta dalam uji coba pertama")
            break
        url = urljoin(outside.url, build_query(name, wanted.mark))
        sight = outside.see(url, GOOGLEBOT)
        if sight.status == 200 and sight.markup:
            found = check_page(sight.markup, url, outside.own, sight.view)
            doorway = list(check_doorway(sight, home, found))
            if doorway and not _repeats(outside, name, wanted.mark, made_up, sight):
                report.findings += [*doorway, *found]
        if sight.elsewhere and not home.elsewhere:
            report.findings.append(Finding("query_doorway", Weight.STRONG, url, 0, defang(sight.elsewhere), sight.view))
    _check_queries(outside, report, home)


def _repeats(outside: Outside, name: str, mark: str, made_up: str, sight: Sight) -> bool:
    """Whether a page only repeats what it was asked for, as a search page does: another question shows."""
    other = outside.see(urljoin(outside.url, build_query(name, mark, made_up)), GOOGLEBOT)
    if not other.markup or not sight.markup:
        return False
    title, others = sight.markup.first("title"), other.markup.first("title")
    return _PROBE.sub("", title) == others.replace(made_up, "") and made_up in others


def _check_queries(outside: Outside, report: Report, home: Sight) -> None:
    """Pages with a query that were looked at anyway are doorways when they sell and the page without it does not."""
    told = {finding.rule: finding for finding in outside.found_on(home)}
    for sight in outside.sights:
        if "?" in sight.url and not any(each.weight is Weight.STRONG for each in told.values()):
            report.findings += check_doorway(sight, home, outside.found_on(sight))


def describe(
    outside: Outside, sights: Sequence[Sight], robots: str | None, addresses: int | None, marks: Iterable[str]
) -> dict[str, Any]:
    """Given the sights of the fixed pages and the owners' marks in files, return the site's state: what a later run
    compares with."""
    pages = [(sight, sight.markup) for sight in sights if sight.markup and sight.status == 200]
    home = next((markup for sight, markup in pages if sight.url == outside.url and sight.view == BROWSER.name), None)
    links = {host_of(link.href, sight.final) for sight, markup in pages for link in markup.links}
    scripts = {host_of(p.text, sight.final) for sight, markup in pages for p in markup.all("script source")}
    frames = {host_of(p.text, sight.final) for sight, markup in pages for p in markup.all("frame")}
    tags = {p.text[:200] for _, markup in pages for p in markup.all(*(f"meta {name}" for name in TAGS))}
    return build_state(
        {
            "link_hosts": _odd(links, outside),
            "script_hosts": _odd(scripts, outside),
            "frame_hosts": _odd(frames, outside),
            "verifications": tags | set(marks),
        },
        {
            "title": " ".join(home.first("title").split())[:300] if home else None,
            "language": home.language if home else None,
            "robots": hashlib.sha256(robots.encode()).hexdigest() if robots is not None else None,
        },
        addresses,
    )


def _odd(hosts: Iterable[str], outside: Outside) -> list[str]:
    return [host for host in hosts if is_foreign(host, outside.own) and not is_known(host)]


def _keep_sources(outside: Outside, report: Report) -> None:
    """Keep the source of the pages on which something strong was found, three at most."""
    for sight in outside.sights:
        strong = any(each.weight is Weight.STRONG for each in outside.found_on(sight))
        if strong and sight.markup and len(report.sources) < 3 and sight.markup.source not in report.sources.values():
            report.sources[f"{sight.view} {sight.url}"] = sight.markup.source
