"""The last day of a service: as seen outside, as last seen, as registered; in this order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from runner.contract import Call
from runner.inventory.register import EARLIEST, FURTHEST, Service, read_day

REMEMBERED_DAYS = 30
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?=\Z|T)")


@dataclass(frozen=True, slots=True)
class Sighting:
    """The last day of a service: `source` is "observed", "remembered", "register" or "" (none is known).

    `seen` is the last day as it was seen outside, on the day `seen_on`; `fault` says what hindered.
    """

    expires: date | None
    source: str
    seen: date | None = None
    seen_on: date | None = None
    fault: str = ""


def find_expiry(call: Call, service: Service, registered: object, earlier: Mapping[str, Any], today: date) -> Sighting:
    """Given a service, what the register says and the outputs of the earlier run, return its last day.

    What was seen outside counts; where nothing can be seen now, what was seen in the last thirty days.
    """
    seen, fault = observe(call, service)
    if seen:
        seen = min(max(seen, EARLIEST), FURTHEST)  # "never" is written 9999-12-31
        return Sighting(seen, "observed", seen, today, fault)
    remembered, on = read_day(earlier.get("seen")), read_day(earlier.get("seen_on"))
    if remembered and on and timedelta() <= today - on <= timedelta(days=REMEMBERED_DAYS):
        return Sighting(remembered, "remembered", remembered, on, fault)
    expires = parse_day(registered)
    expires = expires if expires and EARLIEST <= expires <= FURTHEST else None
    return Sighting(expires, "register" if expires else "", fault=fault or ("" if expires else explain(registered)))


def observe(call: Call, service: Service) -> tuple[date | None, str]:
    """Given a call, return the last day that can be seen outside now, and what hindered.

    That is the input `observed`, the certificate at `address`, or what somebody saw at the provider of a service that
    nothing else can see (register `observed`, if it is later than `expires`).
    """
    told = call.inputs.get("observed")
    if told:
        day = parse_day(told)
        return day, "" if day else f"tanggal yang diamati {str(told)[:60]!r} tidak dapat dibaca"
    address = call.inputs.get("address") or (call.target or {}).get("address")
    if service.kind == "certificate" and address:
        return _look_at(call, str(address))
    by_hand, expires = service.observed, service.running.expires
    if service.kind not in ("domain", "certificate") and by_hand and expires and by_hand > expires:
        return by_hand, ""
    return None, ""


def _look_at(call: Call, address: str) -> tuple[date | None, str]:
    from runner.actions.web.certificates import VisitError, observe_certificate, parse_endpoint

    try:
        host, port = parse_endpoint(address)
        certificate = observe_certificate(host, port, call.deadline.tightened(0.8 * call.deadline.remaining()))
    except VisitError as error:
        return None, error.fault.message
    except ValueError as error:
        return None, str(error)
    return certificate.expires.astimezone(call.zone).date(), ""


def parse_day(value: object) -> date | None:
    """Given a day as written (2026-12-31, a time on it, or "31 Desember 2026"), return it; None if not surely one."""
    if not isinstance(value, str):
        return None
    text = value.strip()
    iso = _DAY.match(text)
    if iso:
        try:
            return date.fromisoformat(iso[0])
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
