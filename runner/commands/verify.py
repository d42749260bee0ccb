"""`sop verify`: whether the record is whole."""

from __future__ import annotations

from pathlib import Path

import click

from runner.commands.options import format_option, records_option
from runner.errors import RecordError
from runner.record.deletions import load_deletions
from runner.record.journal import Journal
from runner.screen import print_json, show


@click.command("verify")
@click.argument("run", default="")
@click.option("--head", default=None, help="The hash printed on a report, or NUMBER:HASH: it must still be there.")
@records_option()
@format_option()
def command(run: str, head: str | None, records: Path, form: str) -> int:
    """Recompute the hash chain and check the evidence (of RUN, if given); exit 7 and say what was altered."""
    journal = Journal.open(records, create=False)
    faults = journal.verify(journal.find_run(run) if run else None, head)
    with journal.reading() as connection:
        deletions = sorted(load_deletions(connection).values(), key=lambda each: (each.at, each.name))
    if form == "json":
        record, sha256 = journal.tip()
        told = [str(fault) for fault in faults]
        print_json(
            {
                "whole": not faults,
                "head": sha256,
                "record": record,
                "faults": told,
                "deleted": list(map(str, deletions)),
            }
        )
    else:
        for deletion in deletions:
            show(str(deletion))
        for fault in faults:
            show(str(fault))
        if not faults:
            record, sha256 = journal.tip()
            show(f"the record is whole. head of the chain: {sha256} (--head {record}:{sha256[:12]})")
    return RecordError.exit_code if faults else 0
