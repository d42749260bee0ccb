"""The situation report ("Laporan Pengelolaan IT") from the record of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from runner.inventory.people import Person
from runner.messages import Language
from runner.record.document import Record
from runner.record.problems import OpenProblem
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
from runner.reports.values import shorten
from runner.reports.words import Words

MOST_PROBLEMS = 200
LONGEST_CONDITION = 2000
MOST_SIGNATURES = 3


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
    record: Record,
    problems: Sequence[OpenProblem],
    office: Json,
    *,
    language: Language = "id",
    head: str = "",
    people: Mapping[str, Person] | None = None,
) -> str:
    """Given a run's record, the open problems and the office, return the report as one self-contained HTML page.

    Of a problem its condition and the SOP's norm are known; cause, effect and recommendation are left to be filled
    in. `head` is the head of the record's hash chain, `people` says who holds a role.
    """
    pen = take_pen(office, language)
    page = build_page(record, problems, office, pen, head, people or {})
    return render_page("situation.html", styles="situation.css", page=page, words=pen.words, language=language)


def build_page(
    record: Record, problems: Sequence[OpenProblem], office: Json, pen: Pen, head: str, people: Mapping[str, Person]
) -> Page:
    """Given the same as `render_situation`, return what stands on the page."""
    started = record.started
    roles = read_roles(started)
    activities = pair_activities(record)
    evidence = build_evidence(activities, pen)
    until = _latest(record, activities)
    return Page(
        run=record.run,
        letterhead=build_letterhead(office),
        facts=_facts(record, office, pen, until),
        rows=build_rows(activities, record, roles, {p.id: p.name for p in people.values()}, evidence, pen),
        results=build_results(activities, pen),
        problems=[_finding(problem, activities, pen) for problem in problems[:MOST_PROBLEMS]],
        problems_left_out=max(0, len(problems) - MOST_PROBLEMS),
        deviations=build_deviations(activities, pen),
        evidence=evidence[:MOST_EVIDENCE],
        evidence_left_out=max(0, len(evidence) - MOST_EVIDENCE),
        signatures=_signatures(activities, roles, people, office, pen, until),
        head=head,
        sources=list(started.get("sources") or ()),
    )


def read_roles(started: Json) -> dict[str, str]:
    """Given a run's first event, return its roles as they are read, which need not be how they are written."""
    readings = _readings(started)
    roles = (started.get("procedure") or {}).get("roles") or {}
    return {key: str(readings.get(f"roles.{key}", label)) for key, label in roles.items()}


def build_letterhead(office: Json) -> Letterhead:
    """Given the office, return its letterhead as configured; of an office without one, its name and how to reach it."""
    head = office.get("letterhead") or office.get("name") or ()
    lines = head.splitlines() if isinstance(head, str) else [str(line) for line in head]
    contacts = [str(office[name]) for name in ("phone", "website", "email") if office.get(name)]
    return Letterhead(lines, [line for line in (str(office.get("address") or ""), " · ".join(contacts)) if line])


def _readings(started: Json) -> Json:
    return started.get("readings") or {}


def _facts(record: Record, office: Json, pen: Pen, until: datetime) -> list[tuple[str, str]]:
    words = pen.words
    period = pen.day(record.began)
    if pen.day(until) != period:
        period = f"{period} {words['to']} {pen.day(until)}"
    facts = [
        (words["procedure"], str(_readings(record.started).get("title") or record.title or record.playbook)),
        (words["unit"], str(office.get("name") or "")),
        (words["period"], period),
        (words["run"], record.run),
        (words["by"], str(record.started.get("by") or "")),
        (words["made"], pen.time(until)),
        (words["result"], pen.status(record.status if record.ended else None)),
    ]
    return [(name, value) for name, value in facts if value]


def _latest(record: Record, activities: Sequence[Activity]) -> datetime:
    times = [time for activity in activities for _, target in activity.targets() for time in moments(target)]
    return max([*times, *(answer.at for answer in record.answers), record.ended or record.began])


def _finding(problem: OpenProblem, activities: Sequence[Activity], pen: Pen) -> Finding:
    words = pen.words
    parts = [
        (words["severity"], pen.severity(problem.severity)),
        (words["key"], problem.key),
        (words["since"], pen.time(problem.first_seen)),
        (words["condition"], shorten(problem.message, LONGEST_CONDITION)),
        (words["criterion"], _criterion(problem, activities, pen)),
        *((words[name], "") for name in ("cause", "effect", "advice")),
    ]
    return Finding(problem.target or words["unit"], parts)


def _criterion(problem: OpenProblem, activities: Sequence[Activity], pen: Pen) -> str:
    """The SOP's norm for the activity that found the problem; "" where this run does not know it."""
    found = next((a for a in activities if a.form.get("id") == problem.step), None)
    if found is None or not found.outputs:
        return ""
    return pen.words["criterion_of"].format(number=found.number, output="; ".join(found.outputs))


def _signatures(
    activities: Sequence[Activity],
    roles: Json,
    people: Mapping[str, Person],
    office: Json,
    pen: Pen,
    until: datetime,
) -> list[Signature]:
    """The posts that act alone in some step, in the SOP's order: the first prepares, the last acknowledges."""
    alone = [activity.actors[0] for activity in activities if len(activity.actors) == 1]
    names = list(dict.fromkeys(alone))[:MOST_SIGNATURES]
    headings = _headings(len(names), pen.words)
    place = str(office.get("city") or "…………………")
    date = f"{place}, {pen.day(until)}"
    blocks = [
        _signature(name, heading, roles, people.get(name), until, date if index == 0 else "")
        for index, (name, heading) in enumerate(zip(names, headings, strict=True))
    ]
    return blocks[::-1]  # who prepared the paper signs at the right, as in official letters


def _signature(role: str, heading: str, roles: Json, person: Person | None, until: datetime, date: str) -> Signature:
    post = str(roles.get(role, role))
    if person is None:
        return Signature(date, heading, post, "", "")
    holding = person.holding(role, until.date())
    if holding and holding.deputy:
        post = f"{holding.deputy}. {post}"
    return Signature(date, heading, post, person.name, person.nip)


def _headings(count: int, words: Words) -> list[str]:
    if count < 2:
        return [words["prepared"]] * count
    return [words["prepared"], *[words["checked"]] * (count - 2), words["acknowledged"]]
