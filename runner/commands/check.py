"""`sop check`: look for mistakes in playbooks and inventory; nothing is run and nothing is connected to."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from runner.binding import Documents, bind
from runner.commands.clock import take_clock
from runner.commands.options import find_inventories, inventory_option, parse_extra
from runner.errors import Mistake, Refused, refuse
from runner.own import FOLDER, KnownActions
from runner.plan import Selection
from runner.screen import show, width
from runner.screen.tables import tell
from runner.source import Source


@click.command("check")
@click.argument("playbooks", nargs=-1, type=click.Path(path_type=Path, readable=False))
@inventory_option()
@click.option("-e", "--extra", multiple=True, help="Variable NAME=VALUE, or @FILE.")
def command(playbooks: tuple[Path, ...], inventories: tuple[Path, ...], extra: tuple[str, ...]) -> int:
    """Look for mistakes in playbooks (all of playbooks/ without a name), inventory and actions/.

    Tells what is weak in a form, too.
    """
    from runner.form.lints import check_form, check_numbers

    files = playbooks or tuple(sorted(Path("playbooks").glob("*.yml")))
    if not files:
        raise refuse("PLAYBOOK", "there is no playbooks/*.yml here", "name a playbook")
    selection = Selection(extra=parse_extra(extra))
    found: list[Mistake] = KnownActions(FOLDER).all_mistakes()
    sound: list[Source] = []
    for file in files:
        try:
            bound = bind(Documents(file, find_inventories(inventories)), selection, now=take_clock().now())
        except Refused as refused:
            found += refused.mistakes
        else:
            sound.append(bound.plan.playbook.source)
            for note in (*bound.plan.inventory.notes, *check_form(sound[-1])):
                _show_note(note)
            steps = len(bound.plan.steps)
            show(f"{file}: no mistakes, {steps} step{'s' if steps > 1 else ''}")
    for note in check_numbers(sound):
        _show_note(note)
    if found:
        raise Refused(*found)
    return 0


def _show_note(note: object) -> None:
    """Tell what is weak; on a terminal between words, elsewhere each on a line of its own."""
    text = f"note: {note}"
    show("\n".join(tell(text, width(), indent="  ")) if sys.stderr.isatty() else text, err=True)
