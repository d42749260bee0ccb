"""The services' dates as an iCalendar file (RFC 5545), for the office's calendar."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date, timedelta

from icalendar import Alarm, Calendar, Event

from runner.inventory.register import move
from runner.messages import render_date, render_money
from runner.reports.facts import Fact, Facts
from runner.reports.values import clean

ALARMS = (30, 14, 7, 1)
PRODUCT = "-//sop-runner//layanan//ID"


def render_agenda(facts: Facts) -> bytes:
    """Given the services, return a calendar: when each ends, must be arranged, needs notice, its invoice is due.

    Each entry keeps its UID as long as its day stays, so that importing the file again doubles nothing.
    """
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", f"Layanan {facts.office.get('name') or ''}".strip())
    for fact in facts.services:
        for kind, day, title in _days(fact):
            calendar.add_component(_event(fact, kind, day, title, facts))
    return bytes(calendar.to_ical())


def _days(fact: Fact) -> Iterator[tuple[str, date, str]]:
    """What of a service stands in the calendar: a word for its UID, the day, the title."""
    service, standing = fact.service, fact.standing
    if fact.expires is None or standing is None:
        return
    yield "expires", fact.expires, f"Berakhir: {service.label}"
    if standing.deadline != fact.expires:
        yield "deadline", standing.deadline, f"Tahun anggaran berakhir; perpanjang {service.label} sebelum ini"
    if service.notice:
        yield "notice", move(fact.expires, service.notice, -1), f"Batas pemberitahuan: {service.label}"
    invoice = service.renewal.papers.get("invoice") if service.renewal else None
    if invoice and invoice.due and service.renewal and "payment" not in service.renewal.papers:
        yield "invoice", invoice.due, f"Jatuh tempo invoice {invoice.number}: {service.label}"


def _event(fact: Fact, kind: str, day: date, title: str, facts: Facts) -> Event:
    event = Event()
    place = f"{facts.office.get('name') or ''}|{fact.service.name}|{kind}|{day}"
    event.add("uid", f"{hashlib.sha256(place.encode()).hexdigest()[:32]}@sop-runner")
    event.add("dtstamp", facts.now)
    event.add("dtstart", day)
    event.add("dtend", day + timedelta(days=1))
    event.add("summary", clean(title))
    event.add("description", clean(_describe(fact)))
    event.add("transp", "TRANSPARENT")
    event.add("categories", ["Layanan"])
    for days in ALARMS if kind in ("expires", "deadline") else ():
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", clean(title))
        alarm.add("trigger", timedelta(days=-days))
        event.add_component(alarm)
    return event


def _describe(fact: Fact) -> str:
    service = fact.service
    amount, currency = service.next_cost
    lines = [
        f"Penyedia: {service.provider}" if service.provider else "",
        f"Nomor pelanggan: {service.customer}" if service.customer else "",
        f"Berlaku sampai: {render_date(fact.expires, 'id')}" if fact.expires else "",
        f"Biaya: {render_money(amount, currency)}" if amount is not None else "",
        f"Mata anggaran: {service.mak}" if service.mak else "",
        f"Penanggung jawab: {', '.join(person.name for person in fact.people)}" if fact.people else "",
    ]
    return "\n".join(line for line in lines if line)
