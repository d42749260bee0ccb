"""What is asked of an answer: status, size, headers, texts, and that it is the site and no notice in its place."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from runner.actions.web.faults import Cause, Fault
from runner.actions.web.fetch import Answer
from runner.actions.web.glance import glance
from runner.actions.web.pages import parse_page
from runner.actions.web.placeholders import SHORT_PAGE, WORDS, PageKind, kind_of, page_kind
from runner.actions.web.text import clean_text, decode_body
from runner.actions.web.visible import visible_text

GLANCE = SHORT_PAGE * 5 // 4  # entities may make the text shorter
LONGEST_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Demand:
    """What is asked of a site.

    `statuses` are numbers, ranges ("200-299") and classes ("2xx"); `header_contains` and `header_lacks` map a header
    to a text that must, or must not, stand in it ("": the header itself).
    """

    hosts: Collection[str]
    statuses: Collection[int | str] = (200,)
    must_contain: Sequence[str] = ()
    must_not_contain: Sequence[str] = ()
    header_contains: Mapping[str, str] = field(default_factory=dict)
    header_lacks: Mapping[str, str] = field(default_factory=dict)
    smallest: int = 0
    redirects: int = 5
    references: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Sight:
    """What a page shows: its title, and what kind of page it is (None: it did not come with status 200)."""

    title: str = ""
    kind: PageKind | None = None


def look_at(answer: Answer, markup: str) -> Sight:
    """Given an answer and its markup, return what it shows. Only a short page is read in full."""
    first = glance(markup, GLANCE)
    long = not first.whole and len(first.text) > SHORT_PAGE
    page = None if long else parse_page(markup)
    title = page.title if page else first.title
    if answer.status != 200:
        return Sight(title)
    return Sight(title, page_kind(page, answer.url) if page else kind_of(first.title, first.text, answer.url))


def check_answer(answer: Answer, demand: Demand) -> tuple[Sight, Fault | None]:
    """Given an answer that came whole, return what it shows and the first demand that it does not meet."""
    markup = decode_body(answer)
    sight = look_at(answer, markup)
    fault = (
        _check_status(answer.status, demand.statuses)
        or _check_headers(answer, demand)
        or _check_size(answer, demand.smallest)
        or _check_text(markup, demand)
        or _check_kind(sight.kind)
    )
    return sight, fault


def allows(statuses: Collection[int | str], status: int) -> bool:
    """Given numbers, ranges and classes, return whether a status is among them."""
    return any(_covers(str(known), status) for known in statuses)


def _covers(known: str, status: int) -> bool:
    first, dash, last = known.partition("-")
    if dash:
        return int(first) <= status <= int(last)
    return known[0] == str(status)[0] if known.endswith("xx") else known == str(status)


def _check_status(status: int | None, statuses: Collection[int | str]) -> Fault | None:
    if status is not None and allows(statuses, status):
        return None
    return Fault(Cause.STATUS, f"server menjawab dengan status {status}")


def _check_headers(answer: Answer, demand: Demand) -> Fault | None:
    for name, text in demand.header_contains.items():
        values = _values(answer, name)
        if not any(text.lower() in value for value in values):
            what = f"tidak memuat {clean_text(text, LONGEST_SHOWN)!r}" if values else "tidak ada"
            return Fault(Cause.HEADER, f"header {clean_text(name, LONGEST_SHOWN)} {what}")
    for name, text in demand.header_lacks.items():
        if any(text.lower() in value for value in _values(answer, name)):
            what = f"memuat {clean_text(text, LONGEST_SHOWN)!r}" if text else "ada"
            return Fault(Cause.HEADER, f"header {clean_text(name, LONGEST_SHOWN)} {what}, padahal tidak boleh")
    return None


def _values(answer: Answer, name: str) -> list[str]:
    return [value.lower() for key, value in answer.headers if key.lower() == name.lower()]


def _check_size(answer: Answer, smallest: int) -> Fault | None:
    size = len(answer.body)
    return Fault(Cause.SIZE, f"halaman hanya {size} byte, paling sedikit {smallest}") if size < smallest else None


def _check_text(markup: str, demand: Demand) -> Fault | None:
    missing = [text for text in demand.must_contain if text not in markup]
    if not missing and not demand.must_not_contain:
        return None
    visible = visible_text(markup)
    for text in missing:
        if text not in visible:
            return Fault(Cause.CONTENT, f"halaman tidak memuat teks {clean_text(text, LONGEST_SHOWN)!r}")
    for text in demand.must_not_contain:
        if text in markup or text in visible:
            return Fault(Cause.CONTENT, f"halaman memuat teks terlarang {clean_text(text, LONGEST_SHOWN)!r}")
    return None


def _check_kind(kind: PageKind | None) -> Fault | None:
    if kind is None or kind is PageKind.SITE:
        return None
    return Fault(Cause.PAGE, f"yang tampil bukan situs, melainkan {WORDS[kind]}")
