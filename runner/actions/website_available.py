"""website.available: can the court's website be used right now, and how fast does it answer?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.actions.web.inputs import SHARED, own_hosts, site_url, visit_deadline
from runner.contract import Action, Call, Effect, Evidence, Outcome, Problem, Reach, Repeat, Severity, Status

if TYPE_CHECKING:  # the web helpers are loaded when a site is visited, not at every start
    from runner.actions.web.availability import Verdict
    from runner.actions.web.fetch import Answer
    from runner.actions.web.visit import Visit


def run(call: Call) -> Outcome:
    """Visit the site and judge it. A site that is down is a problem of an act that went well."""
    from runner.actions.web import availability, fetch

    url = site_url(call)
    inputs = call.inputs
    demand = availability.Demand(
        hosts=own_hosts(call, url),
        statuses=inputs["statuses"],
        must_contain=inputs["must_contain"],
        must_not_contain=inputs["must_not_contain"],
        redirects=inputs["redirects"],
        references=inputs["references"],
    )
    fetcher = fetch.Fetcher(limit=inputs["size_limit"], ca_file=inputs.get("ca_file") or "")
    visited, verdict = availability.ask(url, demand, visit_deadline(call), fetcher, call.deadline)
    return Outcome(
        Status.OK,
        outputs=build_outputs(call, visited, verdict),
        evidence=_keep(call, visited),
        problems=find_problems(verdict, url),
        message=verdict.fault.message if verdict.fault else "",
    )


def build_outputs(call: Call, visited: Visit, verdict: Verdict) -> dict[str, Any]:
    """Given a visit and its judgement, return the outputs as declared."""
    from runner.actions.web.availability import sum_timings

    last = visited.last
    certificate = next((a.certificate for a in reversed(visited.answers) if a.certificate), None)
    return {
        "available": verdict.available,
        "cause": str(verdict.fault.cause) if verdict.fault else "",
        "reason": verdict.fault.message if verdict.fault else "",
        "http_status": last.status,
        "final_url": last.url,
        "redirects": [answer.url for answer in visited.answers[1:]],
        "address": last.address,
        "response_seconds": visited.seconds if last.status is not None else None,
        "timings": sum_timings(visited),
        "certificate_expires": certificate.expires.date().isoformat() if certificate else None,
        "certificate_days_left": (certificate.expires - call.now).days if certificate else None,
        "title": verdict.page.title if verdict.page else "",
        "page": str(verdict.kind) if verdict.kind else "",
        "size": len(last.body),
        "server": _server(last),
    }


def _server(answer: Answer) -> str:
    from runner.actions.web.text import clean_text

    return clean_text(answer.header("Server"), 100)


def _keep(call: Call, visited: Visit) -> tuple[Evidence, ...]:
    from runner.actions.web.availability import render_evidence

    if all(answer.status is None for answer in visited.answers):
        return ()
    return (call.keep("response.http", render_evidence(visited), "message/http"),)


def find_problems(verdict: Verdict, url: str) -> tuple[Problem, ...]:
    """Given a judgement, return the problem it tells of, if any."""
    if verdict.available:
        return ()
    words = verdict.fault.message if verdict.fault else ""
    if verdict.available is None:
        message = f"Ketersediaan {url} tidak dapat dipastikan: {words}."
        return (Problem("website.unknown", Severity.MAJOR, message),)
    return (Problem("website.unavailable", Severity.CRITICAL, f"{url} tidak dapat diakses: {words}."),)


CAUSES = (
    *("name", "connect", "tls", "time", "broken", "size", "redirect", "elsewhere", "status", "content", "page"),
    "own_network",
)
PAGES = ("site", "empty", "payment", "suspended", "expired", "default", "listing", "maintenance", "error")

_SECONDS = {"type": ["number", "null"], "minimum": 0}
_TEXTS = {"type": "array", "items": {"type": "string", "minLength": 1}}

ACTION = Action(
    name="website.available",
    description="Visits the website as a visitor does, and judges name, connection, TLS, redirects, status and page",
    inputs={
        **SHARED,
        "statuses": {
            "type": "array",
            "items": {"type": "integer", "minimum": 100, "maximum": 599},
            "description": "The HTTP statuses that count as available",
            "examples": [[200, 403]],
            "default": [200],
        },
        "must_contain": {
            **_TEXTS,
            "description": "Texts that must stand on the page",
            "examples": [["Pengadilan Negeri Tais"]],
            "default": [],
        },
        "must_not_contain": {
            **_TEXTS,
            "description": "Texts that must not stand on the page",
            "examples": [["Fatal error"]],
            "default": [],
        },
        "redirects": {
            "type": "integer",
            "minimum": 0,
            "maximum": 20,
            "description": "How many redirects are followed, inside the court's own hosts",
            "examples": [5],
            "default": 5,
        },
        "references": {
            "type": "array",
            "items": {"type": "string", "pattern": r"^.+:[0-9]{1,5}$"},
            "description": "host:port of others; when none of them can be reached either, it is our own network",
            "examples": [["mahkamahagung.go.id:443"]],
            "default": [],
        },
    },
    outputs={
        "available": {
            "type": ["boolean", "null"],
            "description": "Whether the site can be used; null when it cannot be told",
            "examples": [True],
        },
        "cause": {
            "enum": ["", *CAUSES],
            "description": "Where it failed; empty when it did not",
            "examples": ["tls"],
        },
        "reason": {
            "type": "string",
            "description": "Why it is not available, in words",
            "examples": ["sertifikat sudah kedaluwarsa"],
        },
        "http_status": {"type": ["integer", "null"], "description": "The last HTTP status", "examples": [200]},
        "final_url": {
            "type": "string",
            "description": "The address at the end of the redirects",
            "examples": ["https://pn-tais.go.id/"],
        },
        "redirects": {
            "type": "array",
            "items": {"type": "string"},
            "description": "The addresses redirected to",
            "examples": [[]],
        },
        "address": {
            "type": "string",
            "description": "The IP address that answered",
            "examples": ["203.0.113.10"],
        },
        "response_seconds": {
            **_SECONDS,
            "description": "The whole visit",
            "unit": "seconds",
            "examples": [0.412],
        },
        "timings": {
            "type": "object",
            "additionalProperties": _SECONDS,
            "description": "Time by phase over all redirects; null for a phase that was not reached",
            "unit": "seconds",
            "examples": [{"lookup": 0.01, "connect": 0.02, "tls": 0.05, "first_byte": 0.3, "body": 0.032}],
        },
        "certificate_expires": {
            "type": ["string", "null"],
            "description": "The last day of the certificate, also of one that is not trusted",
            "unit": "date",
            "examples": ["2027-02-01"],
        },
        "certificate_days_left": {
            "type": ["integer", "null"],
            "description": "Whole days until the certificate expires; negative afterwards",
            "unit": "days",
            "examples": [71],
        },
        "title": {
            "type": "string",
            "description": "The page's title, as text from outside",
            "examples": ["Pengadilan Negeri Tais"],
        },
        "page": {
            "enum": ["", *PAGES],
            "description": "What kind of page came; only `site` is the court's. Empty when none with status 200 came",
            "examples": ["site"],
        },
        "size": {"type": "integer", "description": "The size of the page", "unit": "bytes", "examples": [48211]},
        "server": {"type": "string", "description": "What the server calls itself", "examples": ["nginx"]},
    },
    effect=Effect.READ,
    repeat=Repeat.SAFE,
    reach=Reach.CONTROLLER,
    limit="1m",
    run=run,
    targets=("website", ""),
    example="""\
- id: available
  action: website.available
  with: {must_contain: ["Pengadilan Negeri Tais"], within: 15s}
""",
)
