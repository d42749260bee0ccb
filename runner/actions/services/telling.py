"""What is told about a service that will lapse: in Indonesian, to whom, how bad it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from runner.actions.services.observing import Sighting
from runner.contract import Problem, Severity
from runner.inventory.ladder import Standing
from runner.inventory.register import Paper, Service
from runner.messages import render_date, render_day

PAPER_NAMES = {"invoice": "Invoice", "payment": "Pembayaran", "handover": "Berita acara serah terima"}


def find_problems(service: Service, sighting: Sighting, standing: Standing | None, today: date) -> tuple[Problem, ...]:
    """Given a service, its last day and where it stands, return the problems they tell of."""
    found: list[Problem] = []
    if sighting.fault:
        message = f"Masa berlaku {service.label} tidak dapat dipastikan: {sighting.fault}."
        found.append(Problem("service.unknown", Severity.MAJOR, message))
    if standing and sighting.expires:
        found += _find_due(service, sighting.expires, standing)
        faults = [*_register_faults(service, sighting, today)]
        if faults:
            message = f"Daftar layanan perlu diperbaiki untuk {service.label}: {'; '.join(faults)}."
            found.append(Problem("service.register", Severity.MINOR, message))
    return tuple(found)


def _find_due(service: Service, expires: date, standing: Standing) -> Iterator[Problem]:
    if standing.stage == "expired":
        yield Problem("service.expired", Severity.CRITICAL, render_message(service, expires, standing))
    elif standing.stage == "due":
        severity = Severity.CRITICAL if standing.paper else rung_severity(standing.rung)
        yield Problem("service.due", severity, render_message(service, expires, standing))


def rung_severity(rung: int | None) -> Severity:
    """Given the rung reached, return how bad it is: a week counts as critical, a month as major."""
    if rung is None or rung > 30:
        return Severity.MINOR
    return Severity.CRITICAL if rung <= 7 else Severity.MAJOR


def render_message(service: Service, expires: date, standing: Standing) -> str:
    """Given a service that is due or has lapsed, return what is told about it."""
    day = render_date(expires, "id")
    if standing.stage == "expired":
        text = f"Masa berlaku {service.label} telah berakhir pada {day}, {-standing.days_left} hari lalu."
    else:
        left = f"{standing.days_left} hari lagi" if standing.days_left else "hari ini"
        text = f"Masa berlaku {service.label} berakhir pada {day}, {left}; perpanjangan perlu diurus."
    return " ".join(part for part in (text, _budget(expires, standing), render_reason(standing, expires)) if part)


def _budget(expires: date, standing: Standing) -> str:
    if standing.deadline == expires or standing.stage == "expired":
        return ""
    return f"Tahun anggaran berakhir lebih dahulu, pada {render_date(standing.deadline, 'id')}."


def render_reason(standing: Standing, expires: date) -> str:
    """Given where a service stands, return why it is silent, or why it was opened again; "" where no paper counts."""
    paper = standing.paper
    if paper is None or paper.day is None:
        return ""
    written = f"{PAPER_NAMES[paper.kind]} {_number(paper)}tanggal {render_day(paper.day, 'id')} tercatat"
    if standing.stage == "arranged" and standing.quiet_until:
        return f"{written}; pengingat ditahan sampai {render_day(standing.quiet_until, 'id')}."
    if paper.kind == "payment":
        known = render_day(expires, "id")
        return f"{written}, tetapi masa berlaku yang diketahui masih {known}; tanyakan kepada penyedia."
    due = f" dan jatuh tempo pada {render_day(paper.due, 'id')}" if paper.due else ""
    return f"{written}{due}, tetapi pembayarannya belum tercatat."


def find_recipients(
    event: str, rung: int | None, rungs: Sequence[int], roles: Sequence[str], responsible: Sequence[str] = ()
) -> list[str]:
    """Given what is told, the rungs and the roles from the nearest to the highest, return who is told.

    The rungs are shared out among the roles: of six rungs and three roles, the first two go to the first role, the
    next two to the first and second, the last two to all. Whatever is not a rung goes to all, an unknown date to the
    first. The people in charge of the service, where it names any, stand for the first role.
    """
    if not event or not roles:
        return []
    count = len(roles)
    if event == "unknown":
        count = 1
    elif event == "rung" and rung is not None:
        count = 1 + sorted(rungs, reverse=True).index(rung) * len(roles) // len(rungs)
    return [*(responsible or roles[:1]), *roles[1:count]]


def _register_faults(service: Service, sighting: Sighting, today: date) -> Iterator[str]:
    """What in the register disagrees with what was seen, or with the calendar."""
    seen, written, renewal = sighting.seen, service.running.expires, service.renewal
    if seen and written and seen != written and service.kind != "certificate":
        yield f"tercatat berlaku sampai {render_day(written, 'id')}, terlihat {render_day(seen, 'id')}"
    if renewal and renewal.expires and sighting.expires and renewal.expires <= sighting.expires:
        yield "'renewal' sudah berlaku; pindahkan ke layanan itu sendiri, dan masa yang lalu ke 'history'"
    for paper in renewal.papers.values() if renewal else ():
        if paper.day and paper.day > today:
            yield f"{PAPER_NAMES[paper.kind].lower()} bertanggal {render_day(paper.day, 'id')}, yang belum tiba"
    if renewal and renewal.expires and renewal.expires < today:
        yield f"'renewal' berakhir pada {render_day(renewal.expires, 'id')}, yang sudah lewat"


def _number(paper: Paper) -> str:
    return f"nomor {paper.number} " if paper.number else ""
