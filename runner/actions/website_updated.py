"""website.updated: when did the content of the court's website really change last?"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from runner.actions.web.inputs import SHARED, own_hosts, site_url, visit_deadline
from runner.contract import Action, Call, Effect, Outcome, Problem, Reach, Repeat, Severity, Status
from runner.durations import parse_limit
from runner.errors import Failed
from runner.messages import render_date

if TYPE_CHECKING:  # the web helpers are loaded when a site is visited, not at every start
    from runner.actions.web.freshness import Findings

DAY = 86400
TIMEZONE = "Asia/Jakarta"


def run(call: Call) -> Outcome:
    """Look for the newest change and judge its age. What cannot be determined is its own answer."""
    from runner.actions.web import fetch, freshness

    url = site_url(call)
    longest = max_age(call)
    moment = freshness.Moment(call.now, ZoneInfo(call.office.get("timezone") or TIMEZONE))
    fetcher = fetch.Fetcher(limit=call.inputs["size_limit"], ca_file=call.inputs.get("ca_file") or "")
    survey = freshness.Survey(url, own_hosts(call, url), moment, visit_deadline(call), fetcher)
    findings = survey.findings(call.inputs["pages"], call.inputs["feeds"], call.inputs["sitemaps"])
    outputs = build_outputs(findings, today=moment.today, longest=longest)
    return Outcome(Status.OK, outputs=outputs, problems=find_problems(outputs, url, call.inputs["max_age"]))


def max_age(call: Call) -> float:
    """Given a call, return the greatest age in seconds. Raise Failed when it is not a duration."""
    try:
        return parse_limit(call.inputs["max_age"])
    except ValueError as error:
        raise Failed(f"max_age: {error}") from None


def build_outputs(findings: Findings, *, today: date, longest: float) -> dict[str, Any]:
    """Given findings, return the outputs as declared."""
    newest = findings.newest[findings.source] if findings.source else None
    age = (today - newest).days if newest else None
    fresh = {source: _fresh(day, today, longest) for source, day in findings.newest.items() if day}
    return {
        "updated": _fresh(newest, today, longest) if newest else None,
        "newest": newest.isoformat() if newest else None,
        "age_days": age,
        "source": findings.source,
        "sources": {source: day.isoformat() if day else None for source, day in findings.newest.items()},
        "agree": len(set(fresh.values())) == 1 if len(fresh) > 1 else None,
        "visited": list(findings.visited),
        "faults": list(findings.faults),
    }


def _fresh(day: date, today: date, longest: float) -> bool:
    return (today - day).days * DAY <= longest


def find_problems(outputs: dict[str, Any], url: str, longest: str) -> tuple[Problem, ...]:
    """Given outputs, return the problem they tell of, if any."""
    if outputs["updated"]:
        return ()
    if outputs["updated"] is None:
        why = f" ({outputs['faults'][0]})" if outputs["faults"] else ""
        message = f"Pembaruan isi {url} tidak dapat ditentukan{why}."
        return (Problem("website.update_unknown", Severity.MAJOR, message),)
    newest = render_date(date.fromisoformat(outputs["newest"]), "id")
    message = f"Isi {url} terakhir diperbarui {newest}, {outputs['age_days']} hari lalu; batasnya {longest}."
    if outputs["agree"] is False:
        message += " Sumber lain pada situs itu menunjukkan tanggal yang lebih baru."
    return (Problem("website.not_updated", Severity.MAJOR, message),)


_ADDRESSES = {"type": "array", "items": {"type": "string", "minLength": 1}, "maxItems": 20}
_DATE = {"type": ["string", "null"], "pattern": r"^\d{4}-\d{2}-\d{2}$", "unit": "date"}

ACTION = Action(
    name="website.updated",
    description="Finds the newest real change of the website's content and compares its age with what is allowed",
    inputs={
        **SHARED,
        "within": {**SHARED["within"], "default": "1 menit"},
        "max_age": {
            "type": "string",
            "description": "How old the newest content may be",
            "unit": "duration",
            "examples": ["7 hari", "{{ vars.section_age }}"],
            "default": "7 hari",
        },
        "pages": {
            **_ADDRESSES,
            "minItems": 1,
            "description": "The pages to read, relative to the url",
            "examples": [["/", "/berita"]],
            "default": ["/"],
        },
        "feeds": {
            **_ADDRESSES,
            "description": "Feeds to read beside those that the pages name; without any, the usual places are tried",
            "examples": [["/berita?format=feed&type=rss"]],
            "default": [],
        },
        "sitemaps": {
            **_ADDRESSES,
            "description": "Sitemaps, read when no feed tells anything",
            "examples": [["/sitemap.xml"]],
            "default": ["/sitemap.xml"],
        },
    },
    outputs={
        "updated": {
            "type": ["boolean", "null"],
            "description": "Whether the newest content is young enough; null when it cannot be determined",
            "examples": [True],
        },
        "newest": {**_DATE, "description": "The day of the newest change", "examples": ["2026-11-20"]},
        "age_days": {
            "type": ["integer", "null"],
            "description": "Days since the newest change",
            "unit": "days",
            "examples": [2],
        },
        "source": {
            "enum": ["", "feed", "sitemap", "markup", "visible"],
            "description": "What told it: a feed's items, a sitemap, the page's markup, or dates that visitors see",
            "examples": ["feed"],
        },
        "sources": {
            "type": "object",
            "additionalProperties": _DATE,
            "description": "The newest day by source, as far as they were read; the first in this order decides",
            "examples": [{"feed": "2026-11-20", "sitemap": None, "markup": None, "visible": "2026-11-20"}],
        },
        "agree": {
            "type": ["boolean", "null"],
            "description": "Whether the sources come to the same verdict; null when fewer than two say anything",
            "examples": [True],
        },
        "visited": {
            "type": "array",
            "items": {"type": "string"},
            "description": "The addresses visited",
            "examples": [["https://pn-tais.go.id/", "https://pn-tais.go.id/feed/"]],
        },
        "faults": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Which of them could not be read, and why",
            "examples": [["https://pn-tais.go.id/sitemap.xml: status 404"]],
        },
    },
    effect=Effect.READ,
    repeat=Repeat.SAFE,
    reach=Reach.CONTROLLER,
    limit="2m",
    run=run,
    targets=("website", ""),
    example="""\
- id: updated
  action: website.updated
  with: {max_age: 7 hari, pages: [/, /berita]}
""",
)
