"""The memo (nota dinas) that asks for the money of renewals, as a draft."""

from __future__ import annotations

from collections.abc import Mapping

from runner.inventory.people import Person
from runner.messages import render_money
from runner.reports.cash import Entry, find_entries
from runner.reports.facts import Facts, needs_money
from runner.reports.office import build_letterhead
from runner.reports.pages import render_page
from runner.reports.services import add_up, full_title, is_next, plain_day


def render_memo(facts: Facts) -> str:
    """Given what is known, return the memo (nota dinas) that asks for the money, as a draft; "" where none is needed.

    Its number and date are left blank: the office's registry gives them.
    """
    entries = [entry for entry in find_entries(facts) if needs_money(entry.fact, facts.today) and is_next(entry)]
    if not entries:
        return ""
    sender, receiver = (facts.holders.get(role) for role in ("kasubbag", "sekretaris"))
    return render_page(
        "memo.html",
        styles="memo.css",
        letterhead=build_letterhead(facts.office),
        city=str(facts.office.get("city") or ""),
        sender=_post(sender, "Kepala Subbagian Perencanaan, Teknologi Informasi, dan Pelaporan"),
        receiver=_post(receiver, "Sekretaris"),
        signer=sender.name if sender else "",
        number=sender.nip if sender else "",
        rows=[_ask(entry) for entry in sorted(entries, key=lambda entry: (entry.month, entry.ends))],
        totals=add_up(entries),
        moment=plain_day(facts.today),
        year=str(facts.today.year),
    )


def _ask(entry: Entry) -> Mapping[str, str]:
    service = entry.fact.service
    return {
        "title": full_title(entry.fact),
        "provider": service.provider or "–",
        "expires": plain_day(entry.ends),
        "deadline": plain_day(entry.fact.standing.deadline) if entry.fact.standing else "–",
        "line": entry.line,
        "amount": render_money(entry.amount, entry.currency, "id"),
        "basis": entry.basis,
    }


def _post(person: Person | None, otherwise: str) -> str:
    return person.position if person and person.position else otherwise
