"""`sop report`: documents from the journal and the inventory."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from runner.commands.clock import take_clock
from runner.commands.options import find_inventories, format_option, inventory_option, records_option
from runner.commands.papers import folder_option, paper_options, take_desk, write
from runner.record.journal import open_journal
from runner.screen import print_json


@click.group("report")
def command() -> None:
    """Make reports for people, from the journal and the inventory."""


@command.command("situation", short_help="laporan situasi kondisi: one run, with the problems that were there")
@click.argument("run")
@paper_options
def situation(run: str, **asked: Any) -> int:
    """Laporan situasi kondisi of a RUN (`last`, its id, or the beginning of it)."""
    from runner.reports.making import make_situation

    return take_desk(asked).deliver_run(make_situation, run)


@command.command("it", short_help="Laporan Pengelolaan IT: a day, month, quarter, half-year or year")
@click.argument("period")
@paper_options
def it(period: str, **asked: Any) -> int:
    """Laporan Pengelolaan IT of a PERIOD: 2026-10-05, 2026-10, 2026-Q3, 2026-S1 or 2026."""
    from runner.reports.making import make_it

    return take_desk(asked).deliver_term(make_it, period)


@command.command("tabel7", short_help="Tabel 7: the half-yearly monitoring form, filled in")
@click.argument("period")
@paper_options
def tabel7(period: str, **asked: Any) -> int:
    """Tabel 7, the monitoring form of a half-year PERIOD: 2026-S1 or 2026-S2."""
    from runner.reports.making import make_tabel7

    return take_desk(asked).deliver_term(make_tabel7, period)


@command.command(
    "pemantauan", short_help="the websites' history: availability, outages, response times, what ends when"
)
@click.argument("period")
@paper_options
def pemantauan(period: str, **asked: Any) -> int:
    """The websites' history over a PERIOD in pictures: availability by day, outages, response times, countdowns."""
    from runner.reports.making import make_history

    return take_desk(asked).deliver_term(make_history, period)


@command.command("pengunjung", short_help="log aktivitas pengunjung: visits, trend, findings, what could not be told")
@click.argument("period")
@paper_options
def pengunjung(period: str, **asked: Any) -> int:
    """Log aktivitas pengunjung of a PERIOD: visits, hours, pages, trend against earlier weeks, findings, coverage."""
    from runner.reports.making import make_visits

    return take_desk(asked).deliver_term(make_visits, period)


@command.command("nota-dinas", short_help="nota dinas that forwards a run's report, as a draft")
@click.argument("run")
@click.option("--from", "sender", default="", help="The role that sends it. Default: who checks the report.")
@click.option("--to", "receiver", default="", help="The role that gets it. Default: who acknowledges the report.")
@paper_options
def nota_dinas(run: str, sender: str, receiver: str, **asked: Any) -> int:
    """Nota dinas that forwards the situation report of a RUN, as a draft."""
    from runner.reports.making import make_nota_dinas

    return take_desk(asked).deliver_run(partial(make_nota_dinas, sender=sender, receiver=receiver), run)


@command.command("berita-acara", short_help="berita acara of a run's backups")
@click.argument("run")
@paper_options
def berita_acara(run: str, **asked: Any) -> int:
    """Berita acara of the backups that a RUN made, with sizes, checksums and the last restore test."""
    from runner.reports.making import make_minutes

    return take_desk(asked).deliver_run(make_minutes, run)


@command.command("insiden", short_help="laporan insiden siber after BSSN 1/2024 Art. 15, as a draft")
@click.argument("problem")
@click.option("--target", default=None, help="The target, where several have the problem.")
@paper_options
def insiden(problem: str, target: str | None, **asked: Any) -> int:
    """Draft of the incident report (BSSN 1/2024 Art. 15) of a PROBLEM, by its key as `sop problems` shows it."""
    from runner.record.problems import find_problem, problems
    from runner.reports.making import make_incident

    desk = take_desk(asked)
    journal = desk.journal()
    found = find_problem(problems(journal), problem, target)
    office = desk.office_at(journal, found.run)
    return desk.deliver(make_incident(journal, found, office), office)


@command.command("surat", short_help="letter to a third party about a run's problems, as a draft")
@click.argument("run")
@click.option("--from", "sender", default="", help="The role that signs it. Default: who acknowledges the report.")
@click.option(
    "--to", "party", default="", help="The third party. Default: whom the run was handed to, else left blank."
)
@paper_options
def surat(run: str, sender: str, party: str, **asked: Any) -> int:
    """Letter to a third party about the problems of a RUN, as a draft."""
    from runner.reports.making import make_surat

    return take_desk(asked).deliver_run(partial(make_surat, sender=sender, party=party), run)


@command.command("services", short_help="services: dates, money and responsibility")
@inventory_option()
@records_option()
@folder_option()
@click.option("--pdf", is_flag=True, help="Also as PDF; needs sop-runner[pdf].")
@click.option("--docx", is_flag=True, help="The memo also as DOCX, to edit; needs sop-runner[docx].")
@format_option()
def services(inventories: tuple[Path, ...], records: Path, folder: Path, pdf: bool, docx: bool, form: str) -> int:
    """Dates, money and responsibility of all services: a page, a calendar, a cash view, and the memo as a draft."""
    from runner.inventory import load_inventory
    from runner.reports.bundle import list_facts, render_all
    from runner.reports.facts import gather_facts

    now = take_clock().now()
    facts = gather_facts(load_inventory(find_inventories(inventories)), open_journal(records), now)
    files = render_all(facts, pdf=pdf, docx=docx)
    written = {name: str(write(folder, name, content)) for name, content in files.items()}
    if form == "json":
        print_json({"services": list_facts(facts), "files": written})
    else:
        for path in written.values():
            click.echo(path)
    return 0
