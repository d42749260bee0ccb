"""`sop export`: the record for an auditor, as one file that is checked without `sop`."""

from __future__ import annotations

from pathlib import Path

import click

from runner.commands.options import format_option, records_option
from runner.errors import RecordError, refuse
from runner.record.evidence import EvidenceStore
from runner.record.exporting import Choice, export
from runner.record.journal import Journal
from runner.screen import print_json, show

MOST_FAULTS = 20


@click.command("export")
@click.argument("runs", nargs=-1)
@click.option("--period", default="", help="A day 2026-10-05, month 2026-10, quarter 2026-Q3, half-year or year.")
@click.option(
    "-o", "--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The zip file to write."
)
@records_option()
@format_option()
def command(runs: tuple[str, ...], period: str, out: Path, records: Path, form: str) -> int:
    """Write the record and its evidence (of RUNS, of a period, or all) into one file that verifies without sop.

    Exit 7 where a record was altered or evidence vanished: the file is written all the same, and says so.
    """
    if runs and period:
        raise refuse("--period", "runs are named too", "ask for runs or for a period")
    journal = Journal.open(records, create=False)
    found = export(journal, EvidenceStore(records), _choose(journal, runs, period), out)
    if form == "json":
        document = {"file": str(out), "records": found.records, "files": found.files, "head": found.head[1]}
        print_json({**document, "faults": [_say(*fault) for fault in found.faults]})
    else:
        for fault in found.faults[:MOST_FAULTS]:
            show(_say(*fault), err=True)
        if len(found.faults) > MOST_FAULTS:
            show(f"… and {len(found.faults) - MOST_FAULTS} more: sop verify", err=True)
        show(f"{out}: {found.records} records, {found.files} files of evidence. head of the chain: {found.head[1]}")
    return RecordError.exit_code if found.faults else 0


def _choose(journal: Journal, runs: tuple[str, ...], period: str) -> Choice:
    if runs:
        names = tuple(dict.fromkeys(journal.find_run(run) for run in runs))
        return Choice(names, words=", ".join(names))
    if not period:
        return Choice()
    from runner.commands.offices import Offices
    from runner.record import build_record
    from runner.record.period import records_in
    from runner.reports.periodic.terms import parse_term

    term = parse_term(period)
    latest = journal.runs(1)
    if not latest:
        raise refuse("--period", "the journal has no run", "export it once something was run")
    office = Offices(journal.records, ()).of(build_record(journal.events(latest[0].run)))
    first, last = records_in(journal, term.period(office.calendar.office.zone))
    if not last:
        raise refuse("--period", f"nothing was recorded in {period}", "see 'sop history'")
    return Choice(first=first, last=last, words=term.name)


def _say(record: int, message: str) -> str:
    return f"record {record}: {message}" if record else message
