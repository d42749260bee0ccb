"""What the reports of `sop report` share: options, the office as the record knows it, the files that are written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any, Literal

import click

from runner.commands.options import Decorator, format_option, inventory_option, records_option
from runner.errors import RecordError, refuse
from runner.record.journal import Journal
from runner.reports.office import Office
from runner.reports.paper.model import Paper
from runner.reports.periodic.terms import Term
from runner.screen import print_json

FOLDER = Path("laporan")


def folder_option() -> Decorator:
    """`-o`: where the files go."""
    return click.option(
        "-o",
        "--output",
        "folder",
        type=click.Path(path_type=Path, file_okay=False),
        default=FOLDER,
        help="Folder for the files. Default: laporan/.",
    )


def paper_options(function: Callable[..., int]) -> Callable[..., int]:
    """Where the records lie, whose letterhead, which forms, on which sheet."""
    for option in reversed(
        (
            inventory_option(),
            records_option(),
            folder_option(),
            click.option("--pdf", is_flag=True, help="Also as PDF; needs sop-runner[pdf]."),
            click.option("--docx", is_flag=True, help="Also as DOCX, to edit; needs sop-runner[docx]."),
            click.option(
                "--paper",
                "size",
                type=click.Choice(["A4", "F4"], case_sensitive=False),
                help="Default: office.paper, A4.",
            ),
            format_option(),
        )
    ):
        function = option(function)
    return function


@dataclass(frozen=True, slots=True)
class Desk:
    """What a report is made with: the journal, and what was asked for on the command line."""

    records: Path
    inventories: tuple[Path, ...]
    folder: Path
    pdf: bool
    docx: bool
    size: Literal["A4", "F4"] | None
    form: str

    def journal(self) -> Journal:
        """The journal. Raise Refused where there is none."""
        return Journal.open(self.records, create=False)

    def office_at(self, journal: Journal, run: str) -> Office:
        """Given a run, return the office as it was then, or as the inventory of `-i` says."""
        from runner.inventory import load_inventory
        from runner.record.evidence import EvidenceStore
        from runner.record.sources import load_kept_inventory
        from runner.reports.making import office_of

        if self.inventories:
            return office_of(load_inventory(self.inventories))
        first = next(iter(journal.events(run)), None)
        if first is None or not first.data.get("sources"):
            raise refuse("--inventory", "the record keeps no inventory to take the letterhead from", "name one with -i")
        return office_of(load_kept_inventory(first.data, EvidenceStore(self.records)))

    def office_of_term(self, journal: Journal, term: Term) -> Office:
        """Given a period, return the office as its last run knew it; without a run, as the latest of all did."""
        from runner.record.period import Period, runs_in

        first, end = (datetime.combine(day, time(), UTC) for day in (term.first, term.end))
        runs = runs_in(journal, Period(first, end)) or journal.runs(limit=1)
        return self.office_at(journal, runs[-1].run if runs else "")

    def deliver_run(self, make: Callable[[Journal, str, Office], Paper], text: str) -> int:
        """Given what a run is called, deliver the paper that is made of it. Raise Refused for none."""
        journal = self.journal()
        run = journal.find_run(text)
        office = self.office_at(journal, run)
        return self.deliver(make(journal, run, office), office)

    def deliver_term(self, make: Callable[[Journal, Term, Office], Paper], period: str) -> int:
        """Given a period's text, deliver the paper that is made of it. Raise Refused."""
        from runner.reports.periodic.terms import parse_term

        term, journal = parse_term(period), self.journal()
        office = self.office_of_term(journal, term)
        return self.deliver(make(journal, term, office), office)

    def deliver(self, paper: Paper, office: Office) -> int:
        """Write the paper in the forms asked for, and say where. Raise Refused where a form's library is missing."""
        from runner.reports.paper.layout import choose_layout
        from runner.reports.paper.page import render_html
        from runner.reports.paper.word import render_docx
        from runner.reports.pdf import render_pdf

        layout = choose_layout(office.settings, self.size, landscape=paper.landscape)
        page = render_html(paper, layout)
        files = {"html": page.encode()}
        if self.pdf:
            files["pdf"] = render_pdf(page)
        if self.docx:
            files["docx"] = render_docx(paper, layout)
        written = {form: str(write(self.folder, f"{paper.name}.{form}", data)) for form, data in files.items()}
        if self.form == "json":
            print_json({"report": paper.name, "as_of": paper.as_of.isoformat(), "head": paper.head, "files": written})
        else:
            for path in written.values():
                click.echo(path)
        return 0


def take_desk(asked: dict[str, Any]) -> Desk:
    """Given the values of `paper_options`, return the desk."""
    size = asked.pop("size")
    return Desk(**asked, size=size.upper() if size else None)


def write(folder: Path, name: str, content: bytes) -> Path:
    """Write a file into a folder, which is made. Raise RecordError where it cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    except OSError as error:
        raise RecordError(
            f"{folder / name}: cannot be written: {error.strerror}. name another folder with -o"
        ) from None
    return folder / name
