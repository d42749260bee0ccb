"""`sop verify`: whether the record is whole."""

from __future__ import annotations

from pathlib import Path

import click

from runner.commands.options import format_option, records_option
from runner.errors import RecordError
from runner.record.journal import Journal
from runner.screen import print_json, show


@click.command("verify")
@click.argument("run", default="")
@click.option("--head", default=None, help="The hash printed on a report: its record must still be there.")
@records_option()
@format_option()
def command(run: str, head: str | None, records: Path, form: str) -> int:
    """Recompute the hash chain and check the evidence (of RUN, if given); exit 7 and say what was altered."""
    journal = Journal.open(records, create=False)
    faults = journal.verify(journal.find_run(run) if run else None, head)
    if form == "json":
        print_json({"whole": not faults, "head": journal.head(), "faults": [str(fault) for fault in faults]})
    else:
        for fault in faults:
            show(str(fault))
        if not faults:
            show(f"the record is whole. head of the chain: {journal.head()}")
    return RecordError.exit_code if faults else 0
