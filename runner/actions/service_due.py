"""service.due: how long until a domain, hosting, connection, certificate or licence lapses, and who is told today?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from runner.actions.services.fields import DUE_INPUTS, DUE_OUTPUTS
from runner.actions.services.observing import Sighting, find_expiry
from runner.actions.services.telling import find_problems, find_recipients, render_message, render_reason
from runner.calendar import Calendar
from runner.contract import Action, Call, Effect, Outcome, Reach, Repeat, Status
from runner.inventory.ladder import Memory, Rule, Standing, judge
from runner.inventory.register import Service, parse_service, read_day


def run(call: Call) -> Outcome:
    """Hold the service's last day against today and say what is to be told. An unreadable date is a problem."""
    calendar = Calendar.from_office(call.office)
    today = call.office_time.date()
    service = _read_service(call)
    earlier = call.record.latest() or {}
    registered = call.inputs.get("expires") or (call.target or {}).get("expires")
    sighting = find_expiry(call, service, registered, earlier, today)
    memory = read_memory(earlier)
    if sighting.expires is None:
        return _unknown(call, service, sighting, memory, today)
    known = replace(memory, announced=tuple(each for each in memory.announced if each != "unknown"))
    standing = judge(service, sighting.expires, today, known, _rule(call, calendar))
    outputs = _outputs(call, service, sighting.expires, sighting, standing)
    return Outcome(Status.OK, outputs=outputs, problems=find_problems(service, sighting, standing, today))


def _read_service(call: Call) -> Service:
    settings = dict(call.target or {})
    if call.inputs.get("kind"):
        settings["service"] = call.inputs["kind"]
    return parse_service(settings)


def _rule(call: Call, calendar: Calendar) -> Rule:
    end = str(call.inputs["budget_year_end"])
    return Rule(
        calendar.is_working_day,
        tuple(call.inputs["ladder"]),
        (int(end[:2]), int(end[3:])) if end else None,
        timedelta(days=call.inputs["settle_days"]),
        timedelta(days=call.inputs["invoice_days"]),
    )


def read_memory(earlier: Mapping[str, Any]) -> Memory:
    """Given the outputs of an earlier run ({}: none), return what was told."""
    return Memory(
        read_day(earlier.get("cycle")),
        tuple(earlier.get("reminded") or ()),
        tuple(earlier.get("skipped") or ()),
        tuple(earlier.get("announced") or ()),
    )


def _outputs(call: Call, service: Service, expires: date, sighting: Sighting, standing: Standing) -> dict[str, Any]:
    event = standing.event.partition(":")[0]
    told = standing.memory.told[-1] if event == "rung" else None
    return {
        "expires": expires.isoformat(),
        "days_left": standing.days_left,
        "deadline": standing.deadline.isoformat(),
        "rung": standing.rung,
        "stage": standing.stage,
        "source": sighting.source,
        "fault": sighting.fault,
        "event": event,
        "remind": bool(event),
        "recipients": find_recipients(event, told, call.inputs["ladder"], call.inputs["roles"], service.responsible),
        "message": render_message(service, expires, standing) if event else "",
        "reason": render_reason(standing, expires),
        **_remember(standing.memory, sighting),
    }


def _unknown(call: Call, service: Service, sighting: Sighting, memory: Memory, today: date) -> Outcome:
    """No date is known: what was told before is kept for the day on which one is."""
    event = "" if "unknown" in memory.announced else "unknown"
    kept = replace(memory, announced=(*memory.announced, event)) if event else memory
    problems = find_problems(service, sighting, None, today)
    outputs = {
        **dict.fromkeys(("expires", "days_left", "deadline", "rung")),
        "stage": "unknown",
        "source": "",
        "fault": sighting.fault,
        "event": event,
        "remind": bool(event),
        "recipients": find_recipients(event, None, call.inputs["ladder"], call.inputs["roles"], service.responsible),
        "message": problems[0].message if event else "",
        "reason": "",
        **_remember(kept, sighting),
    }
    return Outcome(Status.OK, outputs=outputs, problems=problems)


def _remember(memory: Memory, sighting: Sighting) -> dict[str, Any]:
    return {
        "cycle": memory.cycle and memory.cycle.isoformat(),
        "reminded": [*memory.told],
        "skipped": [*memory.skipped],
        "announced": [*memory.announced],
        "seen": sighting.seen and sighting.seen.isoformat(),
        "seen_on": sighting.seen_on and sighting.seen_on.isoformat(),
    }


ACTION = Action(
    name="service.due",
    description=(
        "Holds the day on which a service lapses against today, and says who is reminded of what: each rung of the "
        "ladder once a cycle, caught up after days without a run."
    ),
    inputs=DUE_INPUTS,
    outputs=DUE_OUTPUTS,
    effect=Effect.READ,
    repeat=Repeat.SAFE,
    reach=Reach.CONTROLLER,
    limit="1m",
    run=run,
    targets=("service",),
    example="""\
- id: due
  action: service.due
  with: {ladder: [90, 60, 30, 14, 7, 1], budget_year_end: "12-15"}
""",
)
