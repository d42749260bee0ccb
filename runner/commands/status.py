"""`sop status`: bola di tangan siapa. What goes on, what waits for whom, since when, and how long still."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import click

from runner.commands.clock import take_clock
from runner.commands.offices import Offices, language_of
from runner.commands.options import format_option, inventory_option, records_option
from runner.durations import render_duration
from runner.languages import translate
from runner.messages import Language, render_moment, render_short, say
from runner.people.turns import CAN_GO_ON, RUNNING, Office, Turn, describe_turn, find_turns
from runner.record.document import Record
from runner.record.journal import Journal, open_journal
from runner.record.unfinished import beginning_of, unfinished
from runner.schedule.folder import ScheduleFolder
from runner.screen import print_json, show_paged, width
from runner.screen.summary import advise, command_line
from runner.screen.tables import one_line, printable, render_table, wrap

Held = tuple[Record, Record, Office, list[Turn]]  # a run, the one it belongs to, its office, what is in whose hands
HEADERS = ("turn_run", "turn_step", "turn_whose", "turn_since", "turn_time")
LONGEST_WHOSE = 200


@click.command("status")
@inventory_option()
@records_option()
@format_option()
def command(inventories: tuple[Path, ...], records: Path, form: str) -> int:
    """Show in whose hands each run is: which step, whose, since when, how much working time is left, what to type.

    -i names the inventory whose people and hours count, where they changed since the run began.
    """
    journal, now = open_journal(records), take_clock().now()
    found = list(_found(journal, Offices(records, inventories), now)) if journal else []
    missing = list(_missing(records, now))
    if form == "json":
        waiting = [describe_turn(turn) for *_, turns in found for turn in turns]
        print_json({"at": now.isoformat(), "waiting": waiting, "schedule": missing})
    elif not found:
        show_paged(translate("\n".join([_nothing(journal, records), *missing])))
    else:
        language = language_of(found[0][2])
        told = (_advice(held, records, language) for held in found)
        parts = [
            _head(found[0][2], now, language),
            _table(found, language),
            *filter(None, told),
            translate("\n".join(missing)),
        ]
        show_paged("\n\n".join(filter(None, parts)))
    return 0


def _nothing(journal: Journal | None, records: Path) -> str:
    """That nobody waits; in a folder without a record, that nothing is known of any run."""
    return "nothing goes on and nothing waits" if journal else f"no run yet in {printable(str(records))}"


def _missing(records: Path, now: datetime) -> Iterator[str]:
    """What an installed schedule should have done and did not."""
    if ScheduleFolder(records).is_installed:
        from runner.schedule.watching import find_silence  # reads playbooks, which most calls need not

        yield from find_silence(records, now)


def _found(journal: Journal, offices: Offices, now: datetime) -> Iterator[Held]:
    for record in unfinished(journal):
        whole = beginning_of(journal, record)
        office, running = offices.of(whole), journal.status_of(whole.run) == RUNNING
        turns = list(find_turns(record, whole.run, running=running, office=office, now=now))
        if turns:
            yield record, whole, office, turns


def _head(office: Office, now: datetime, language: Language) -> str:
    moment = render_moment(now.astimezone(office.calendar.office.zone), language)
    return "\n".join(wrap(f"{say('turn_title', language)}: {moment}", width()))


def _table(found: Sequence[Held], language: Language) -> str:
    rows, notes = [], []
    for _, _, office, turns in found:
        for turn in turns:
            rows.append(_row(turn, office, language))
            notes.append("\n".join(_notes(turn, office, language)))
    return render_table([say(name, language) for name in HEADERS], rows, width(), notes, whole=1)


def _row(turn: Turn, office: Office, language: Language) -> list[str]:
    target = f" ({turn.request.key.target})" if turn.request and turn.request.key.target else ""
    step = turn.request.key.step + target if turn.request else ""
    attempt = turn.request.key.attempt if turn.request else 0
    since = render_short(turn.since.astimezone(office.calendar.office.zone), language)
    return [
        turn.record.run,
        printable(step + (f" [{attempt}]" if attempt > 1 else "")),
        one_line(_whose(turn, language))[:LONGEST_WHOSE],
        since,
        _left(turn, language),
    ]


def _whose(turn: Turn, language: Language) -> str:
    if turn.request is None:
        return say("turn_running" if turn.status == RUNNING else "turn_can_go_on", language)
    if not turn.request.request.role:
        return say("turn_anyone", language)
    role, started = turn.request.request.role, turn.record.started
    if role in started.get("outside", ()):
        return say("turn_outsider", language, role=started["procedure"]["roles"][role])
    if not turn.officials:
        return say("turn_nobody", language)
    return ", ".join(map(str, turn.officials))


def _left(turn: Turn, language: Language) -> str:
    if turn.request is None:
        return ""
    if turn.left is None:
        return say("turn_unlimited", language)
    time = render_duration(abs(turn.left), language, days=turn.clock)
    told = say("turn_overdue" if turn.left < 0 else "turn_left", language, time=time)
    return say("turn_clock", language, time=told) if turn.clock else told


def _notes(turn: Turn, office: Office, language: Language) -> Iterator[str]:
    """What a turn is about; third parties, apart; and who was told that it is overdue."""
    yield one_line(f"{turn.activity} ({turn.title})" if turn.title else turn.activity)
    zone = office.calendar.office.zone
    outside = render_duration(turn.outside, language, days=False)
    if turn.hand:
        since = render_short(turn.hand.since.astimezone(zone), language)
        words = {"party": turn.hand.party, "since": since, "time": outside, "note": turn.hand.note}
        yield one_line(say("turn_party", language, **words))
    elif turn.outside:
        yield say("turn_outside", language, time=outside)
    for each in turn.escalations[-3:]:
        persons = ", ".join(each.persons) or each.role
        at = render_short(each.at.astimezone(zone), language)
        yield one_line(say("turn_told" if each.reached else "turn_untold", language, persons=persons, at=at))


def _advice(held: Held, records: Path, language: Language) -> str:
    """What to type about a run: the answers that it waits for, then the run that it is part of, to go on with."""
    record, whole, _, turns = held
    if turns[0].status == RUNNING:
        return f"{record.run} {say('turn_goes_on', language)}: {command_line(['show', record.run], records)}"
    lines: list[str] = []
    for asked in (turn.request for turn in turns if turn.request):
        lines += wrap(f"{asked.key.step}: {one_line(asked.request.question)}", width())
        lines += [*advise(record, asked, records, language), "  " + say("turn_note", language)]
    going_on = turns[0].status == CAN_GO_ON
    then = f"{record.run} {say('turn_can_go_on', language)}" if going_on else say("turn_then", language)
    return "\n".join([*lines, f"{then}: {command_line(['resume', whole.run], records)}"])
