"""service.due: how long until a domain, hosting, connection, certificate or licence lapses?"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from runner.contract import Action, Call, Effect, Outcome, Problem, Reach, Repeat, Severity, Status
from runner.messages import render_date

TIMEZONE = "Asia/Jakarta"
LADDER = (90, 60, 30, 14, 7, 1)
KINDS = {
    "domain": "nama domain",
    "hosting": "hosting",
    "connection": "koneksi internet",
    "certificate": "sertifikat",
    "licence": "lisensi",
}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")


@dataclass(frozen=True, slots=True)
class Due:
    """Where a service stands: days left (negative: since it lapsed), the rung reached, the stage it is in."""

    days_left: int
    rung: int | None
    stage: str


def run(call: Call) -> Outcome:
    """Hold the service's last day against today. A date that cannot be read is a problem of its own."""
    settings = call.target or {}
    kind = str(call.inputs.get("kind") or settings.get("service") or "")
    registered = call.inputs.get("expires") or settings.get("expires")
    today = call.now.astimezone(ZoneInfo(call.office.get("timezone") or TIMEZONE)).date()
    observed, fault = ask(call, kind, settings)
    expires = observed or parse_day(registered)
    due = judge(expires, today, call.inputs["ladder"]) if expires else None
    outputs = {
        "expires": expires.isoformat() if expires else None,
        "days_left": due.days_left if due else None,
        "rung": due.rung if due else None,
        "stage": due.stage if due else "unknown",
        "source": "observed" if observed else "register" if expires else "",
        "fault": fault or ("" if expires else explain(registered)),
    }
    problems = find_problems(outputs, due, name_service(kind, settings))
    return Outcome(Status.OK, outputs=outputs, problems=problems)


def ask(call: Call, kind: str, settings: Mapping[str, Any]) -> tuple[date | None, str]:
    """Given a certificate's service, return the last day that it shows now, and what hindered; of others nothing."""
    address = call.inputs.get("address") or settings.get("address")
    if kind != "certificate" or not address:
        return None, ""
    from runner.actions.web.certificates import VisitError, observe_certificate, parse_endpoint

    try:
        host, port = parse_endpoint(address)
        certificate = observe_certificate(host, port, call.deadline.tightened(0.8 * call.deadline.remaining()))
    except VisitError as error:
        return None, error.fault.message
    except ValueError as error:
        return None, str(error)
    return certificate.expires.astimezone(ZoneInfo(call.office.get("timezone") or TIMEZONE)).date(), ""


def parse_day(value: object) -> date | None:
    """Given a day as written (YYYY-MM-DD, or "31 Desember 2026"), return it; None when it is not surely one."""
    if not isinstance(value, str):
        return None
    text = value.strip()
    if _DAY.match(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            return None
    from runner.actions.web.dates import find_dates

    found = list(find_dates(text)) if len(text) <= 60 else []
    return found[0] if len(found) == 1 else None


def explain(registered: object) -> str:
    """Given what stands in the register, return why it gives no day."""
    if registered in (None, ""):
        return "tanggal berakhir belum dicatat"
    return f"tanggal berakhir {str(registered)[:60]!r} tidak dapat dibaca"


def judge(expires: date, today: date, ladder: Sequence[int]) -> Due:
    """Given the last day and the rungs in days, return where the service stands; it runs to the end of that day."""
    left = (expires - today).days
    reached = [rung for rung in ladder if left <= rung]
    stage = "expired" if left < 0 else "due" if reached else "later"
    return Due(left, min(reached) if reached and left >= 0 else None, stage)


def name_service(kind: str, settings: Mapping[str, Any]) -> str:
    """Given a service, return how a report calls it."""
    title = settings.get("title") or settings.get("name") or ""
    return f"{KINDS.get(kind, 'layanan')} {title}".strip()


def find_problems(outputs: Mapping[str, Any], due: Due | None, name: str) -> tuple[Problem, ...]:
    """Given outputs and where the service stands, return the problems they tell of."""
    unknown: tuple[Problem, ...] = ()
    if outputs["fault"]:
        message = f"Masa berlaku {name} tidak dapat dipastikan: {outputs['fault']}."
        unknown = (Problem("service.unknown", Severity.MAJOR, message),)
    return (*unknown, *(_find_due(due, outputs["expires"], name) if due else ()))


def _find_due(due: Due, expires: str, name: str) -> tuple[Problem, ...]:
    day = render_date(date.fromisoformat(expires), "id")
    if due.stage == "expired":
        message = f"Masa berlaku {name} telah berakhir pada {day}, {-due.days_left} hari lalu."
        return (Problem("service.expired", Severity.CRITICAL, message),)
    if due.rung is None:
        return ()
    left = f"{due.days_left} hari lagi" if due.days_left else "hari ini"
    message = f"Masa berlaku {name} berakhir pada {day}, {left}; perpanjangan perlu diurus."
    return (Problem("service.due", rung_severity(due.rung), message),)


def rung_severity(rung: int) -> Severity:
    """Given the rung reached, return how bad it is: a week counts as critical, a month as major."""
    if rung <= 7:
        return Severity.CRITICAL
    return Severity.MAJOR if rung <= 30 else Severity.MINOR


ACTION = Action(
    name="service.due",
    description="Holds the day on which a service lapses against today, and says which reminder is due",
    inputs={
        "expires": {
            "type": "string",
            "description": "The last day it is paid for; without it the target's `expires`",
            "unit": "date",
            "examples": ["2026-12-31"],
            "optional": True,
        },
        "kind": {
            "enum": list(KINDS),
            "description": "What it is; without it the target's kind. A certificate is looked at where it is shown",
            "examples": ["domain"],
            "optional": True,
        },
        "address": {
            "type": "string",
            "description": "Where a certificate is shown, host:port; without it the target's `address`",
            "examples": ["pn-tais.go.id:443"],
            "optional": True,
        },
        "ladder": {
            "type": "array",
            "items": {"type": "integer", "minimum": 0, "maximum": 3650},
            "minItems": 1,
            "description": "How long before the end to remind",
            "unit": "days",
            "examples": [[90, 60, 30, 14, 7, 1]],
            "default": list(LADDER),
        },
    },
    outputs={
        "expires": {
            "type": ["string", "null"],
            "description": "The last day of the service; null when it is not known",
            "unit": "date",
            "examples": ["2026-12-31"],
        },
        "days_left": {
            "type": ["integer", "null"],
            "description": "Days until then; negative when it has lapsed",
            "unit": "days",
            "examples": [39],
        },
        "rung": {
            "type": ["integer", "null"],
            "description": "The rung of the ladder that is reached; null before the first, and when it has lapsed",
            "unit": "days",
            "examples": [60],
        },
        "stage": {
            "enum": ["later", "due", "expired", "unknown"],
            "description": "later: before the first rung; due: to be renewed; expired; unknown: no readable date",
            "examples": ["due"],
        },
        "source": {
            "enum": ["", "register", "observed"],
            "description": "Whether the date is that of the register or was seen outside",
            "examples": ["register"],
        },
        "fault": {
            "type": "string",
            "description": "Why there is no date, or why it could not be seen outside",
            "examples": [""],
        },
    },
    effect=Effect.READ,
    repeat=Repeat.SAFE,
    reach=Reach.CONTROLLER,
    limit="1m",
    run=run,
    targets=("service",),
    example="""\
- id: due
  action: service.due
  with: {ladder: [90, 60, 30, 14, 7, 1]}
""",
)
