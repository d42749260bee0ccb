"""`sop init`: a working folder of one's own, from six answers."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from runner.commands.clock import take_clock
from runner.errors import Mistake, Refused
from runner.screen import show, width
from runner.screen.tables import tell
from runner.start.answers import HOLDERS_EXAMPLE, QUESTIONS, Answers, Question


@click.command("init")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--court", help="The court: Pengadilan Negeri Tais.")
@click.option("--site", help="Its website: https://pn-tais.go.id.")
@click.option("--cms", help="What that is built with: joomla, wordpress, …; else what its first page tells.")
@click.option("--server", help="How its server is reached: user@address[:port] over SSH, or local.")
@click.option("--database", help="mariadb:NAME:USER (mysql, postgresql), sqlite:/PATH, or none.")
@click.option("--holders", help=f"Who holds the roles: {HOLDERS_EXAMPLE}.")
@click.option("--no-probe", is_flag=True, help="Look at neither site nor server.")
def command(folder: Path, no_probe: bool, **given: str | None) -> int:
    """Make a working folder: playbooks, inventory, people, calendar, services, editor settings.

    Asks for what no option gives. Looks at the site and the server, and says what it could not see.
    """
    from runner.start.writing import PLAYBOOK, build_files, check_folder, write_files

    check_folder(folder)
    read = _read_given(given)
    _refuse_silence(read, cms_is_seen=not no_probe)
    site = {name: read.get(name) or _ask(QUESTIONS[name]) for name in ("court", "site")}
    cms = read.get("cms") or _find_cms(site["site"], no_probe=no_probe)
    server = read.get("server") or _ask(QUESTIONS["server"])
    database = read["database"] if "database" in read else _ask(QUESTIONS["database"])
    holders = read.get("holders") or _ask(QUESTIONS["holders"])
    answers = Answers(site["court"], site["site"], cms, server, database, holders)
    log = () if no_probe else _find_log(answers)
    write_files(folder, build_files(answers, log, take_clock().now().date()))
    show(f"{folder}: written")
    _check(folder / PLAYBOOK, folder / "inventory")
    _say_next(folder, PLAYBOOK, answers)
    return 0


def _read_given(given: Mapping[str, str | None]) -> dict[str, Any]:
    """The options that were given, read. Raise Refused with all that are wrong."""
    read: dict[str, Any] = {}
    mistakes = []
    for name, text in given.items():
        if text is None:
            continue
        try:
            read[name] = QUESTIONS[name].read(text)
        except ValueError as error:
            message, _, cure = str(error).partition(". ")
            mistakes.append(Mistake(QUESTIONS[name].option, 0, 0, message, cure))
    if mistakes:
        raise Refused(*mistakes)
    return read


def _refuse_silence(read: Mapping[str, Any], *, cms_is_seen: bool) -> None:
    """Raise Refused where nobody is here to be asked for what is missing."""
    missing = [q for name, q in QUESTIONS.items() if name not in read and not (name == "cms" and cms_is_seen)]
    if missing and not sys.stdin.isatty():
        absent = "it is missing, and nobody is here to be asked"
        raise Refused(
            *(Mistake(q.option, 0, 0, absent, f"write for example {shlex.quote(q.example)}") for q in missing)
        )


def _ask(question: Question, suggested: str = "") -> Any:
    """Ask until the answer can be read."""
    hint = f"as found: {suggested} (Enter takes it)" if suggested else f"for example: {question.example}"
    show("\n".join(["", *tell(question.words, width()), *tell(hint, width())]))
    while True:
        text = click.prompt(">", suggested or None, prompt_suffix=" ", show_default=False)
        try:
            return question.read(text)
        except ValueError as error:
            show("\n".join(tell(str(error), width())))


def _find_cms(site: str, *, no_probe: bool) -> str:
    from runner.start.probing import probe_site

    seen = "" if no_probe else _told(probe_site(site))
    if sys.stdin.isatty():
        return str(_ask(QUESTIONS["cms"], seen))
    return seen or "other"


def _told(found: Any) -> str:
    for line in found.told:
        show(f"  {line}")
    return str(found.cms)


def _find_log(answers: Answers) -> tuple[str, ...]:
    from runner.start.probing import probe_server

    found = probe_server(answers.server, answers.site)
    for line in found.told:
        show(f"  {line}")
    return found.access_log


def _check(playbook: Path, inventory: Path) -> None:
    """Hold what was written against all rules, as sop check does. Raise Refused."""
    from runner.binding import Documents, bind
    from runner.plan import Selection

    bound = bind(Documents(playbook, (inventory,)), Selection(), now=take_clock().now())
    show(f"{playbook}: no mistakes, {len(bound.plan.steps)} steps")


def _say_next(folder: Path, playbook: str, answers: Answers) -> None:
    show("the SOP's text is that of Pengadilan Negeri Tais: write your own court's there.")
    show("what comes next:")
    show(f"  cd {shlex.quote(str(folder))}")
    if answers.database and "password" in answers.database:
        show("  mkdir -p ~/.config/sop && (umask 077; nano ~/.config/sop/database)  # password")
    if answers.server.get("connection") != "local":
        show("  sop inventory trust web1            # compare the fingerprint")
    show(f"  sop plan {playbook}")
