"""`sop dashboard`: static pages for the office's screen."""

from __future__ import annotations

from pathlib import Path

import click

from runner.commands.clock import take_clock
from runner.commands.options import format_option, records_option
from runner.durations import parse_limit
from runner.errors import refuse
from runner.record.journal import Journal
from runner.screen import print_json, show


@click.command("dashboard")
@click.option(
    "-o",
    "--out",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder for the pages, on a file share for example; made if it is not there.",
)
@click.option(
    "--every",
    default="15m",
    show_default=True,
    help="How often cron makes them: the pages reload as often, and say that they are old after twice that.",
)
@records_option()
@format_option()
def command(folder: Path, every: str, records: Path, form: str) -> int:
    """Make pages that show each site's state, open problems, what waits for whom, and what lapses; from the record."""
    from runner.reports.dashboard import gather, render_dashboard
    from runner.reports.dashboard.sites import State
    from runner.reports.dashboard.writing import write_pages

    try:
        seconds = parse_limit(every)
    except ValueError as error:
        raise refuse("--every", str(error).rstrip(".")) from None
    gathered = gather(Journal.open(records, create=False), take_clock().now())
    pages = render_dashboard(gathered, seconds)
    write_pages(folder, pages)
    if form == "json":
        states = {str(state): gathered.count(state) for state in State}
        print_json({"page": str(folder / "index.html"), "pages": len(pages), "sites": states})
    else:
        show(f"{folder / 'index.html'}")
    return 0
