"""service.renewed: is the renewal done, by its papers and by what can be seen outside?

Closes only when both agree. Work and waiting are measured apart, in working time: work is what the register's `work`
(or the input) says somebody spent on it; waiting runs from the day after the payment (without one, the request) until
the new last day was first seen. What was not written down is not known, and is not guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from runner.actions.services.fields import RENEWED_INPUTS, RENEWED_OUTPUTS
from runner.actions.services.filing import Filed, file_papers
from runner.actions.services.observing import observe
from runner.calendar import Calendar
from runner.contract import Action, Call, Effect, Outcome, Problem, Reach, Repeat, Severity, Status
from runner.durations import parse_norm
from runner.errors import Failed
from runner.inventory.register import Period, Service, parse_service, read_day
from runner.messages import render_day

TOLERANCE = timedelta(days=1)  # registries count in UTC, and some registers write the first unpaid day


def run(call: Call) -> Outcome:
    """Hold the papers and the observation of a renewal against each other, and say what is missing."""
    calendar = Calendar.from_office(call.office)
    today = call.office_time.date()
    service, earlier = parse_service(call.target or {}), call.record.latest() or {}
    period = find_period(service, earlier)
    if period is None or period.expires is None:
        return Outcome(Status.OK, outputs=_nothing(service))
    seen, fault = observe(call, service)
    seen = seen or _seen_by_hand(service)
    filed, missing = file_papers(call, period, call.inputs["papers"], today)
    agrees = seen is not None and seen >= period.expires - TOLERANCE
    if not agrees:
        missing.append(_not_seen(seen, period.expires, fault))
    effective = _first_seen(earlier, period.expires, call.now, agrees=agrees)
    work = measure_work(call.inputs.get("work") or period.work, calendar)
    outputs = {
        "renewed": not missing,
        "stage": "renewed" if not missing else "waiting" if "payment" in period.papers else "arranging",
        "expected": period.expires.isoformat(),
        "observed": seen.isoformat() if seen else None,
        "missing": missing,
        "papers": [_describe(each) for each in filed],
        "work_seconds": work,
        "waiting_seconds": measure_waiting(period, effective or call.now, calendar),
        "within_norm": _within(work, call.inputs["norm"]),
        "effective": effective.isoformat() if effective else None,
        "running": _iso(service.running.expires),
    }
    evidence = tuple(each.evidence for each in filed if each.evidence)
    return Outcome(Status.OK, outputs=outputs, evidence=evidence, problems=tuple(_problems(service, period, missing)))


def find_period(service: Service, earlier: Mapping[str, Any]) -> Period | None:
    """Given a service and the outputs of the earlier run, return the period that is being renewed; None if none is.

    That is `renewal`; or the running period, when it was moved on since and has not been shown to be renewed.
    """
    running, renewal = service.running, service.renewal
    if renewal and renewal.expires and not (running.expires and renewal.expires <= running.expires):
        return renewal
    before, expected = read_day(earlier.get("running")), read_day(earlier.get("expected"))
    moved_on = bool(before and running.expires and running.expires > before)
    followed = bool(expected and expected == running.expires)
    done = followed and bool(earlier.get("renewed"))
    return running if (moved_on or followed) and not done else None


def _nothing(service: Service) -> dict[str, Any]:
    return {
        "renewed": False,
        "stage": "none",
        **dict.fromkeys(("expected", "observed", "work_seconds", "waiting_seconds", "within_norm", "effective")),
        "missing": [],
        "papers": [],
        "running": _iso(service.running.expires),
    }


def _seen_by_hand(service: Service) -> date | None:
    """What somebody saw at the provider, of a service that no action can look at."""
    return None if service.kind in ("domain", "certificate") else service.observed


def _not_seen(seen: date | None, expected: date, fault: str) -> str:
    wanted = render_day(expected, "id")
    if seen is None:
        return f"masa berlaku baru (sampai {wanted}) belum terlihat{': ' if fault else ''}{fault}"
    return f"yang terlihat berlaku sampai {render_day(seen, 'id')}, bukan {wanted}"


def _first_seen(earlier: Mapping[str, Any], expected: date, now: datetime, *, agrees: bool) -> datetime | None:
    """When the new last day was first seen; of an earlier run, where that saw the same."""
    if not agrees:
        return None
    told = earlier.get("effective")
    return datetime.fromisoformat(told) if told and read_day(earlier.get("expected")) == expected else now


def measure_work(spans: Sequence[Any], calendar: Calendar) -> float | None:
    """Given spans of work, as pairs or {from, until}, by the office's clock, return their working time in seconds."""
    pairs = [(each["from"], each["until"]) if isinstance(each, Mapping) else each for each in spans]
    if not pairs:
        return None
    return sum(max(0.0, calendar.working_seconds(*(_moment(text, calendar) for text in pair))) for pair in pairs)


def _moment(text: str, calendar: Calendar) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise Failed(f"work: {text!r} is no time. write it as 2026-11-30 09:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=calendar.office.zone)


def measure_waiting(period: Period, until: datetime, calendar: Calendar) -> float | None:
    """Given a period and when waiting ended, return the working time from the day after payment or request."""
    payment = period.papers.get("payment")
    asked = payment.day if payment and payment.day else period.requested
    if asked is None:
        return None
    start = datetime.combine(asked + timedelta(days=1), time(), tzinfo=calendar.office.zone)
    return max(0.0, calendar.working_seconds(start, until))


def _within(work: float | None, norm: str) -> bool | None:
    try:
        late = parse_norm(norm).late
    except ValueError as error:
        raise Failed(f"norm: {error}") from None
    return None if work is None or late is None else work <= late.nominal


def _problems(service: Service, period: Period, missing: Sequence[str]) -> Iterator[Problem]:
    if missing:
        message = f"Perpanjangan {service.label} belum lengkap: {'; '.join(missing)}."
        yield Problem("service.renewal_incomplete", Severity.MAJOR if _paid(period) else Severity.MINOR, message)


def _paid(period: Period) -> bool:
    return "payment" in period.papers


def _describe(filed: Filed) -> dict[str, Any]:
    kept = filed.evidence
    return {
        "kind": filed.paper.kind,
        "number": filed.paper.number,
        "name": kept.name if kept else "",
        "sha256": kept.sha256 if kept else "",
        "size": kept.size if kept else 0,
    }


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


ACTION = Action(
    name="service.renewed",
    description=(
        "Says whether a renewal is done: only when its papers (kept by their hash) and the new last day as seen "
        "outside agree; otherwise what is missing. Work and waiting for the provider are measured apart."
    ),
    inputs=RENEWED_INPUTS,
    outputs=RENEWED_OUTPUTS,
    effect=Effect.READ,
    repeat=Repeat.SAFE,
    reach=Reach.CONTROLLER,
    limit="2m",
    run=run,
    targets=("service",),
    example="""\
- id: renewed
  action: service.renewed
  with: {observed: "{{ tasks.domain.expires | default('') }}"}
""",
)
