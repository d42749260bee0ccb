"""What a person says of a problem: under the own name, with a reason, recorded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path

from runner.calendar import Calendar
from runner.commands.clock import take_clock
from runner.commands.options import find_inventories
from runner.contract import Evidence
from runner.errors import refuse
from runner.inventory import load_inventory
from runner.people.accounts import account
from runner.people.attaching import attach
from runner.people.requests import LONGEST_NOTE, clean_note
from runner.people.signers import Post, Signer, otherwise
from runner.record.evidence import EvidenceStore
from runner.record.journal import Journal
from runner.record.marks import Mark, State
from runner.record.problems import KnownProblem


def mark_problem(
    journal: Journal,
    problem: KnownProblem,
    state: State,
    reason: str,
    last_day: date | None,
    *,
    files: tuple[Path, ...] = (),
    paper: Path | None = None,
    person: str = "",
    inventories: tuple[Path, ...] = (),
) -> Mark:
    """Record that the person of this login, or who signed the paper, accepts a problem (up to its present severity), or
    opens it again.

    Raise Refused where nobody is proved, the reason is missing or the day has passed.
    """
    text = check_reason(reason)
    inventory = load_inventory(find_inventories(inventories))
    login, now = account(), take_clock().now()
    local = now.astimezone(Calendar.from_office(inventory.office).office.zone)
    until = _end_of(last_day, local) if last_day else None
    store = EvidenceStore(journal.records)
    scan = attach(store, [paper], "--paper") if paper else ()
    signer = _signer(Post(inventory, "", local.date()), login, person, scan)
    mark = Mark(
        key=problem.key,
        target=problem.target,
        state=state,
        run=problem.run,
        at=now,
        person=signer.name,
        login=login,
        reason=inventory.redactor().mask(text),
        until=until,
        severity=problem.severity,
        method=signer.method,
        evidence=(*attach(store, files), *scan),
    )
    journal.append([mark.event()])
    return mark


def check_reason(reason: str) -> str:
    """Given `--reason`, return it as it is recorded. Raise Refused where it is missing, or too long."""
    text = clean_note(reason)
    if not text:
        raise refuse("--reason", "it is missing; it goes into the record", "--reason '…'")
    if len(text) > LONGEST_NOTE:
        raise refuse("--reason", f"{len(text)} characters, at most {LONGEST_NOTE} are kept", "write it shorter")
    return text


def _signer(post: Post, login: str, person: str, scan: Sequence[Evidence]) -> Signer:
    """Who says it. Raise Refused where neither the login nor a paper proves it."""
    with otherwise("record a signed --paper, with --person"):
        return post.by_paper(scan[0].sha256, person, login) if scan else post.by_login(login, person)


def parse_last_day(text: str) -> date | None:
    """Given `--until`, return the day; None for "". Raise Refused where it is none."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise refuse("--until", f"'{text}' is no day", "write it as 2026-12-31") from None


def _end_of(day: date, now: datetime) -> datetime:
    """The end of a day by the office's clock."""
    if day < now.date():
        raise refuse("--until", f"{day} has passed", "name a day to come")
    return datetime.combine(day + timedelta(days=1), time(), now.tzinfo)
