"""The situation report ("Laporan Pengelolaan IT") from the record of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from runner.messages import Language
from runner.reports.activities import (
    MOST_EVIDENCE,
    Activity,
    EvidenceRow,
    Json,
    Result,
    Row,
    build_deviations,
    build_evidence,
    build_results,
    build_rows,
    moments,
    pair_activities,
)
from runner.reports.pages import render_page
from runner.reports.pen import Pen, take_pen
from runner.reports.values import parse_instant, shorten
from runner.reports.words import Words

MOST_PROBLEMS = 200
MOST_SIGNATURES = 3


class RunRecord(Protocol):
    """What is read of a run's record."""

    @property
    def started(self) -> Json:
        """The data of the run's first event."""

    def document(self) -> Json:
        """The run as one JSON document."""


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Lines of the letterhead, the office's own name last, and how to reach it."""

    lines: Sequence[str]
    contacts: Sequence[str]


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem in the five parts that auditors use; a part that nobody knows is empty."""

    heading: str
    parts: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Signature:
    """A place to sign; `name` and `number` are empty where nobody is known to hold the post."""

    date: str
    heading: str
    office: str
    name: str
    number: str


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a role: name, staff number (NIP), and "Plh" or "Plt" for a deputy."""

    name: str
    number: str = ""
    deputy: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that stands on the report, as text."""

    run: str
    letterhead: Letterhead
    facts: Sequence[tuple[str, str]]
    rows: Sequence[Row]
    results: Sequence[Result]
    problems: Sequence[Finding]
    problems_left_out: int
    deviations: Sequence[str]
    evidence: Sequence[EvidenceRow]
    evidence_left_out: int
    signatures: Sequence[Signature]
    head: str
    sources: Sequence[Json]


def render_situation(
    record: RunRecord,
    problems: Sequence[Json],
    office: Json,
    *,
    language: Language = "id",
    head: str = "",
    people: Mapping[str, Holder] | None = None,
) -> str:
    """Given a run's record, the open problems and the office, return the report as one self-contained HTML page.

    A problem has `key`, `severity`, `target`, `message` (the condition) and, where known, `criterion`, `cause`,
    `effect`, `advice` and `since`; what is not known becomes a blank line. `head` is the head of the record's hash
    chain, `people` names who holds a role.
    """
    pen = take_pen(office, language)
    page = build_page(record, problems, office, pen, head, people or {})
    return render_page("situation.html", styles="situation.css", page=page, words=pen.words, language=language)


def build_page(
    record: RunRecord, problems: Sequence[Json], office: Json, pen: Pen, head: str, people: Mapping[str, Holder]
) -> Page:
    """Given the same as `render_situation`, return what stands on the page."""
    document, started = record.document(), record.started
    roles = started.get("roles") or {}
    activities = pair_activities(started.get("steps") or document["steps"], document["steps"])
    evidence = build_evidence(activities, pen)
    until = _latest(document, activities)
    return Page(
        run=str(document["run"]),
        letterhead=build_letterhead(office),
        facts=_facts(document, started, office, pen, until),
        rows=build_rows(activities, roles, evidence, pen),
        results=build_results(activities, pen),
        problems=[_finding(problem, pen) for problem in problems[:MOST_PROBLEMS]],
        problems_left_out=max(0, len(problems) - MOST_PROBLEMS),
        deviations=build_deviations(activities),
        evidence=evidence[:MOST_EVIDENCE],
        evidence_left_out=max(0, len(evidence) - MOST_EVIDENCE),
        signatures=_signatures(activities, roles, people, office, pen, until),
        head=head,
        sources=list(started.get("sources") or ()),
    )


def build_letterhead(office: Json) -> Letterhead:
    """Given the office, return its letterhead as configured; of an office without one, its name and how to reach it."""
    head = office.get("letterhead") or office.get("name") or ()
    lines = head.splitlines() if isinstance(head, str) else [str(line) for line in head]
    contacts = [str(office[name]) for name in ("phone", "website", "email") if office.get(name)]
    return Letterhead(lines, [line for line in (str(office.get("address") or ""), " · ".join(contacts)) if line])


def _facts(document: Json, started: Json, office: Json, pen: Pen, until: datetime | None) -> list[tuple[str, str]]:
    words = pen.words
    begun = parse_instant(document.get("started"))
    period = "–" if begun is None else pen.day(begun)
    if begun and until and pen.day(until) != period:
        period = f"{period} {words['to']} {pen.day(until)}"
    facts = [
        (words["procedure"], str(started.get("title") or document.get("playbook") or "")),
        (words["unit"], str(office.get("name") or "")),
        (words["period"], period),
        (words["run"], str(document["run"])),
        (words["by"], str(started.get("by") or "")),
        (words["made"], pen.time(until) if until else ""),
        (words["result"], pen.status(document.get("status"))),
    ]
    return [(name, value) for name, value in facts if value]


def _latest(document: Json, activities: Sequence[Activity]) -> datetime | None:
    times = [time for activity in activities for _, target in activity.targets() for time in moments(target)]
    times += [time for time in (parse_instant(document.get(name)) for name in ("started", "ended")) if time]
    return max(times, default=None)


def _finding(problem: Json, pen: Pen) -> Finding:
    words = pen.words
    target = str(problem.get("target") or "")
    severity = str(problem.get("severity") or "")
    since = parse_instant(problem.get("since"))
    known = [(words["severity"], pen.severity(severity)), (words["key"], str(problem.get("key") or ""))]
    if since:
        known.append((words["since"], pen.time(since)))
    condition = (words["condition"], shorten(str(problem.get("message") or ""), 2000))
    rest = [(words[name], str(problem.get(name) or "")) for name in ("criterion", "cause", "effect", "advice")]
    return Finding(target or words["unit"], [*known, condition, *rest])


def _signatures(
    activities: Sequence[Activity],
    roles: Json,
    people: Mapping[str, Holder],
    office: Json,
    pen: Pen,
    until: datetime | None,
) -> list[Signature]:
    """The posts that act alone in some step, in the SOP's order: the first prepares, the last acknowledges."""
    acting = dict.fromkeys(a.form.get("actor") for a in activities if isinstance(a.form.get("actor"), str))
    names = [str(name) for name in acting][:MOST_SIGNATURES]
    headings = _headings(len(names), pen.words)
    place = str(office.get("city") or "…………………")
    date = f"{place}, {pen.day(until) if until else '…………………'}"
    blocks = [
        _signature(date if index == 0 else "", heading, str(roles.get(name, name)), people.get(name, Holder("")))
        for index, (name, heading) in enumerate(zip(names, headings, strict=True))
    ]
    return blocks[::-1]  # who prepared the paper signs at the right, as in official letters


def _signature(date: str, heading: str, post: str, holder: Holder) -> Signature:
    post = f"{holder.deputy}. {post}" if holder.deputy else post
    return Signature(date, heading, post, holder.name, holder.number)


def _headings(count: int, words: Words) -> list[str]:
    if count < 2:
        return [words["prepared"]] * count
    return [words["prepared"], *[words["checked"]] * (count - 2), words["acknowledged"]]
