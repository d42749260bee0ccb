"""`sop demo`: the whole SOP on an embedded court website, the people's acts played by demo officials."""

from __future__ import annotations

import os
import shutil
import sys
from datetime import datetime
from pathlib import Path

import click

from runner.binding import Bound, Documents, bind
from runner.commands.clock import take_clock
from runner.commands.execute import Options, carry_out
from runner.commands.resume import bound_as_begun
from runner.contract import Status
from runner.demo.build import Act, Demo, build_demo
from runner.demo.server import serve
from runner.errors import refuse
from runner.people.answers import build_answer
from runner.people.requests import Act as Answer
from runner.people.signers import Signer
from runner.plan import Selection
from runner.record.document import Record
from runner.record.evidence import EvidenceStore
from runner.record.journal import Journal
from runner.screen import show, width
from runner.screen.summary import render_summary
from runner.screen.tables import wrap
from runner.screen.watching import Screen

RECORDS = Path("records")
REPORT = "laporan-situasi.html"
MARK = "DEMO.txt"
FORKS = 4
PLAYED_WELL = (0, 10)


@click.command("demo")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path("demo"))
@click.option("-v", "--verbose", count=True, help="Say more.")
def command(folder: Path, verbose: int) -> int:
    """Make a demo court in FOLDER (demo/) and run its whole SOP: no server, no root, nothing left running."""
    demo = _fresh(folder)
    before = Path.cwd()
    os.chdir(demo.folder)
    try:
        with serve(demo.folder) as address:
            show(f"a demo court's website answers at {address}\nnobody named in it is real")
            record = _play(demo, verbose)
        report = _copy_report(record)
        show("\n" + render_summary(record, folder / RECORDS, width()))
    finally:
        os.chdir(before)
    show(_what_next(folder, report, record.began))
    return 0 if record.exit_code in PLAYED_WELL else record.exit_code


def _fresh(folder: Path) -> Demo:
    """Make the demo; an earlier demo in the same folder is replaced, anything else is left alone."""
    if (folder / MARK).is_file():
        shutil.rmtree(folder)
    elif folder.exists() and any(folder.iterdir()):
        raise refuse(str(folder), "the folder has something else in it", "name another one")
    demo = build_demo(folder, take_clock().now())
    (folder / MARK).write_text("Made by 'sop demo', which replaces this folder when it is called again.\n")
    return demo


def _bind(demo: Demo) -> Bound:
    documents = Documents(demo.playbook.relative_to(demo.folder), (Path("inventory"),))
    return bind(documents, Selection(), now=take_clock().now())


def _play(demo: Demo, verbose: int) -> Record:
    """Run the SOP; whenever it waits, the next demo official acts."""
    bound = _bind(demo)
    screen = Screen.for_run(bound.plan, form="text", verbose=verbose)
    said = {"limit": "", "only": [], "from": "", "variables": {}}
    with screen:
        record = carry_out(
            bound, Options(RECORDS, FORKS, said), screen.listen, stopping=screen.say_stopping, tell=screen.tell
        )
    for act in demo.acts:
        if record.status is not Status.WAITING:
            break
        _act(record, act, bound)
        again = bound_as_begun(Journal.open(RECORDS, create=False), record)
        options = Options(RECORDS, FORKS, {}, resume=record.run, reason="demo")
        with screen:
            record = carry_out(again, options, screen.listen, stopping=screen.say_stopping, tell=screen.tell)
    return record


def _act(record: Record, act: Act, bound: Bound) -> None:
    person = bound.plan.inventory.people[act.person].name
    request = next(each for each in record.requests if each.key.step == act.step)
    said = f"  {person} ({act.role}): {act.label}. {act.note}".rstrip()
    show("\n".join(wrap(said, width(), indent="    ")))
    with Journal.open(RECORDS, create=False) as journal:
        signer = Signer(person, act.role, "demo", {"kind": "demo"})
        journal.append([build_answer(record.run, request, signer, Answer(act.label, act.note), take_clock().now())])


def _copy_report(record: Record) -> str:
    """Put the report that was signed where it is easily found; return its name, "" where there is none."""
    for evidence in (evidence for step in record.steps for evidence in step.evidence):
        if evidence.name == REPORT:
            shutil.copyfile(EvidenceStore(RECORDS).path(evidence.sha256), REPORT)
            return REPORT
    return ""


def _what_next(folder: Path, report: str, month: datetime) -> str:
    program = _program()
    lines = ["", f"the report:    {folder / report}"] if report else [""]
    lines += [
        f"the evidence:  {folder / RECORDS / 'evidence'}",
        f"the backups:   {folder / 'backups'}",
        "",
        "try next:",
        f"  {program} show last --records {folder / RECORDS}",
        f"  {program} verify --records {folder / RECORDS}",
        f"  {program} report it {month:%Y-%m} --records {folder / RECORDS} -o {folder}",
        f"  {program} report berita-acara last --records {folder / RECORDS} -o {folder}",
        f"  {program} report pengunjung {month:%Y-%m} --records {folder / RECORDS} -o {folder}",
        f"  {program} report services -i {folder / 'inventory'} --records {folder / RECORDS} -o {folder}",
        f"  {program} print playbooks/pemeliharaan-website.yml -o form.html",
    ]
    return "\n".join(lines)


def _program() -> str:
    """How this program is called from here."""
    called = Path(sys.argv[0])
    found = shutil.which("sop")
    if called.name != "sop" or (found and Path(found).resolve() == called.resolve()):
        return "sop"
    return os.path.relpath(called) if called.is_relative_to(Path.cwd()) else str(called)
