"""Whether a website can be used: a visit asked for under a deadline, and the judgement of what it brought."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from runner.actions.web.faults import Cause, Fault
from runner.actions.web.fetch import PHASES, Fetcher
from runner.actions.web.lookup import any_reachable
from runner.actions.web.pages import Page, parse_page
from runner.actions.web.placeholders import WORDS, PageKind, page_kind
from runner.actions.web.text import clean_text, decode_body
from runner.actions.web.visit import Visit, visit
from runner.durations import Deadline

KEPT_BODY = 256 * 1024
LONGEST_REFERENCE = 5.0
THROTTLED = 429

_BEFORE_HTTP = frozenset({Cause.NAME, Cause.CONNECT})


@dataclass(frozen=True, slots=True)
class Demand:
    """What is asked of a site."""

    hosts: Collection[str]
    statuses: Collection[int] = (200,)
    must_contain: Sequence[str] = ()
    must_not_contain: Sequence[str] = ()
    redirects: int = 5
    references: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the site is available (None: cannot be told), why not, and what page it showed."""

    available: bool | None
    fault: Fault | None = None
    page: Page | None = None
    kind: PageKind | None = None


def ask(url: str, demand: Demand, deadline: Deadline, fetcher: Fetcher, last: Deadline) -> tuple[Visit, Verdict]:
    """Given a URL, visit it before the deadline and return the visit and its judgement.

    Until `last` others may be asked whether it is us. Never raises for what the site does.
    """
    visited = visit(url, deadline, fetcher, hosts=demand.hosts, most=demand.redirects)
    verdict = judge(visited, demand)
    part = last.tightened(LONGEST_REFERENCE)
    if verdict.fault and verdict.fault.cause in _BEFORE_HTTP and _is_us(verdict.fault, demand.references, part):
        words = f"jaringan pemeriksa sendiri diduga terganggu ({verdict.fault.message})"
        return visited, Verdict(None, Fault(Cause.OWN_NETWORK, words, ours=True))
    return visited, verdict


def _is_us(fault: Fault, references: Sequence[str], deadline: Deadline) -> bool:
    return not any_reachable(references, deadline) if references else fault.ours


def judge(visited: Visit, demand: Demand) -> Verdict:
    """Given a visit, return whether the site is available."""
    answer = visited.last
    if answer.fault:
        return Verdict(False, answer.fault)
    markup = decode_body(answer)
    page = parse_page(markup)
    kind = page_kind(page, answer.url) if answer.status == 200 else None
    if answer.status == THROTTLED:
        fault = Fault(Cause.STATUS, "server membatasi permintaan pemeriksa (status 429)")
        return Verdict(None, fault, page, kind)
    broken = _check_status(answer.status, demand) or _check_text(markup, page, demand) or _check_kind(kind)
    return Verdict(broken is None, broken, page, kind)


def _check_status(status: int | None, demand: Demand) -> Fault | None:
    if status in demand.statuses:
        return None
    return Fault(Cause.STATUS, f"server menjawab dengan status {status}")


def _check_text(markup: str, page: Page, demand: Demand) -> Fault | None:
    visible = " ".join(page.whole.split())
    for text in demand.must_contain:
        if text not in markup and text not in visible:
            return Fault(Cause.CONTENT, f"halaman tidak memuat teks {clean_text(text, 80)!r}")
    for text in demand.must_not_contain:
        if text in markup or text in visible:
            return Fault(Cause.CONTENT, f"halaman memuat teks terlarang {clean_text(text, 80)!r}")
    return None


def _check_kind(kind: PageKind | None) -> Fault | None:
    if kind is None or kind is PageKind.SITE:
        return None
    return Fault(Cause.PAGE, f"yang tampil bukan situs, melainkan {WORDS[kind]}")


def sum_timings(visited: Visit) -> dict[str, float | None]:
    """Given a visit, return seconds by phase over all its answers; None for a phase that was never reached."""
    totals: dict[str, float | None] = dict.fromkeys(PHASES)
    for answer in visited.answers:
        for phase, seconds in answer.timings.items():
            totals[phase] = round((totals[phase] or 0.0) + seconds, 6)
    return totals


def render_evidence(visited: Visit) -> bytes:
    """Given a visit, return its answers' heads and the first 256 KiB of the last body, for keeping."""
    lines: list[str] = []
    for answer in visited.answers:
        lines += [f"# {answer.url} ({answer.address})", f"HTTP {answer.status} {answer.reason}"]
        lines += [f"{name}: {value}" for name, value in answer.headers]
        lines.append("")
    return "\r\n".join([*lines, ""]).encode("utf-8", "replace") + visited.last.body[:KEPT_BODY]
