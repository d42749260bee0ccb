"""`sop cancel`: a person ends a run for good, with a reason; it is recorded, and the run never goes on."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from runner.calendar import Calendar
from runner.commands.clock import take_clock
from runner.commands.marking import check_reason
from runner.commands.options import inventory_option, records_option
from runner.commands.resume import bound_as_begun, check_may_go_on
from runner.errors import did_you_mean, refuse
from runner.events import Event, Kind
from runner.inventory import Inventory, load_inventory
from runner.people.accounts import account
from runner.people.going_on import family
from runner.people.signers import Post, otherwise
from runner.record import build_record
from runner.record.document import Record
from runner.record.journal import Journal
from runner.record.locks import Locks
from runner.record.unfinished import may_go_on
from runner.screen import show

CANCELLED = "cancelled"
INTERRUPTED = 130


@click.command("cancel")
@click.argument("run")
@click.option("--reason", default="", help="Why; it goes into the record.")
@click.option("--person", default="", help="Who cancels, where it is not this login's person; the login is recorded.")
@inventory_option()
@records_option()
def command(run: str, reason: str, person: str, inventories: tuple[Path, ...], records: Path) -> int:
    """End RUN for good: what it asks is asked no more, and it can never be resumed. What was done stays recorded.

    -i names the inventory whose people count, where they changed since the run began.
    """
    journal = Journal.open(records, create=False)
    record = _unfinished(journal, journal.find_run(run))
    text, now = check_reason(reason), take_clock().now()
    inventory = load_inventory(inventories) if inventories else _inventory_as_begun(journal, record)
    who = _name(inventory, person, now)
    with Locks(records).acquire(record.run, record.playbook, (), account()):
        _unfinished(journal, record.run)
        data = {"person": who, "login": account(), "reason": inventory.redactor().mask(text)}
        runs = (name for name, said in family(record.run, journal.events).items() if may_go_on(build_record(said)))
        journal.append([event for name in runs for event in _events(name, data, now)])
    show(f"{who}: run {record.run} is cancelled, recorded")
    return 0


def _inventory_as_begun(journal: Journal, record: Record) -> Inventory:
    return bound_as_begun(journal, record, looking=True).plan.inventory


def _unfinished(journal: Journal, run: str) -> Record:
    """The record of a run that is not at its end. Raise Refused, with why, otherwise."""
    record = build_record(journal.events(run))
    if parent := record.started.get("parent"):
        raise refuse(run, "it belongs to another run", f"cancel that one: sop cancel {parent}")
    check_may_go_on(record)
    return record


def _name(inventory: Inventory, person: str, now: datetime) -> str:
    """The full name of who cancels: who was named, or the person of this login."""
    if not person:
        day = now.astimezone(Calendar.from_office(inventory.office).office.zone).date()
        with otherwise("name who cancels: --person 'NAME'"):
            return Post(inventory, "", day).by_login(account()).name
    found = next((each for each in inventory.people.values() if person in (each.id, each.name)), None)
    if found is None:
        raise refuse("--person", f"'{person}' is nobody of the inventory", did_you_mean(person, inventory.people))
    return found.name


def _events(run: str, data: dict[str, str], now: datetime) -> tuple[Event, Event]:
    ended = {"status": CANCELLED, "exit_code": INTERRUPTED}
    return Event(Kind.CANCELLED, run, now, data=data), Event(Kind.RUN_ENDED, run, now, data=ended)
