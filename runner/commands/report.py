"""`sop report`: documents from the journal and the inventory."""

from __future__ import annotations

from pathlib import Path

import click

from runner.commands.clock import take_clock
from runner.commands.options import find_inventories, format_option, inventory_option, records_option
from runner.errors import RecordError
from runner.screen import print_json

FOLDER = Path("laporan")


@click.group("report")
def command() -> None:
    """Make reports for people, from the journal and the inventory."""


@command.command("services", short_help="services: dates, money and responsibility")
@inventory_option()
@records_option()
@click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=FOLDER,
    help="Folder for the files. Default: laporan/.",
)
@click.option("--pdf", is_flag=True, help="Also as PDF; needs sop-runner[pdf].")
@format_option()
def services(inventories: tuple[Path, ...], records: Path, folder: Path, pdf: bool, form: str) -> int:
    """Dates, money and responsibility of all services: a page, a calendar, a cash view, and the memo as a draft."""
    from runner.inventory import load_inventory
    from runner.record.journal import open_journal
    from runner.reports.bundle import list_facts, render_all
    from runner.reports.facts import gather_facts

    facts = gather_facts(load_inventory(find_inventories(inventories)), open_journal(records), take_clock().now())
    files = render_all(facts, pdf=pdf)
    written = {name: str(_write(folder, name, content)) for name, content in files.items()}
    if form == "json":
        print_json({"services": list_facts(facts), "files": written})
    else:
        for path in written.values():
            click.echo(path)
    return 0


def _write(folder: Path, name: str, content: bytes) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    except OSError as error:
        raise RecordError(
            f"{folder / name}: cannot be written: {error.strerror}. name another folder with -o"
        ) from None
    return folder / name
