"""All documents about the services: for a run's record, and as files."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from runner.inventory import Inventory
from runner.record.reader import JournalReader
from runner.reports.agenda import render_agenda
from runner.reports.cash import find_entries, render_csv
from runner.reports.facts import Facts, gather_facts
from runner.reports.memo import build_memo, render_memo
from runner.reports.paper.layout import choose_layout
from runner.reports.paper.word import render_docx
from runner.reports.pdf import render_pdf
from runner.reports.services import render_services


def render_kind(kind: str, inventory: Inventory, journal: JournalReader | None, now: datetime) -> bytes:
    """Given "services", "services.ics", "services.csv" or "services.memo", return that document, maybe empty."""
    facts = gather_facts(inventory, journal, now)
    if kind == "services.ics":
        return render_agenda(facts)
    if kind == "services.csv":
        return render_csv(find_entries(facts)).encode()
    return (render_memo(facts) if kind == "services.memo" else render_services(facts)).encode()


def render_all(facts: Facts, *, pdf: bool = False, docx: bool = False) -> dict[str, bytes]:
    """Given what is known, return all documents by file name; with `pdf` also the pages as PDF, with `docx` the memo to
    edit. Raise Refused where a form's library is missing."""
    pages = {"daftar-layanan": render_services(facts), "konsep-nota-dinas": render_memo(facts)}
    files = {f"{name}.html": page.encode() for name, page in pages.items() if page}
    for name, page in pages.items() if pdf else ():
        if page:
            files[f"{name}.pdf"] = render_pdf(page)
    memo = build_memo(facts) if docx else None
    if memo:
        files[f"{memo.name}.docx"] = render_docx(memo, choose_layout(facts.office, None, landscape=False))
    files["layanan.ics"] = render_agenda(facts)
    files["kebutuhan-dana.csv"] = render_csv(find_entries(facts)).encode()
    return files


def list_facts(facts: Facts) -> list[dict[str, Any]]:
    """Given what is known, return it as plain values, the most urgent service first."""
    return [
        {
            "name": fact.service.name,
            "kind": fact.service.kind,
            "title": fact.service.title,
            "stage": fact.stage,
            "expires": fact.expires.isoformat() if fact.expires else None,
            "days_left": fact.standing.days_left if fact.standing else None,
            "deadline": fact.standing.deadline.isoformat() if fact.standing else None,
            "source": "observed" if fact.seen else "register",
            "cost": fact.service.next_cost[0],
            "currency": fact.service.next_cost[1],
            "budget": fact.service.mak,
            "responsible": [person.id for person in fact.people],
            "missing": [*(fact.missing or ())],
        }
        for fact in facts.services
    ]
