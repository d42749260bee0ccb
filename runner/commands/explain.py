"""`sop explain`: what a playbook will do, in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

import click

from runner.binding import Documents, bind
from runner.calendar import Calendar
from runner.commands.clock import take_clock
from runner.commands.options import find_inventories, inventory_option, parse_extra, parse_names
from runner.inventory import Inventory
from runner.languages import chosen_language
from runner.messages import Language, render_moment
from runner.plan import Selection
from runner.schedule.entries import load_entries
from runner.screen import show_paged, width
from runner.screen.explaining import Telling, explain_plan


@click.command("explain")
@click.argument("playbook", type=click.Path(path_type=Path, readable=False))
@inventory_option()
@click.option("-l", "--limit", default="", help="Only these targets: a pattern, as Ansible's.")
@click.option("--only", default="", help="Only these steps: ids with commas between.")
@click.option("-e", "--extra", multiple=True, help="Variable NAME=VALUE, or @FILE; wins over all others.")
@click.option("--language", type=click.Choice(("id", "en")), help="Default: SOP_LANG, else id.")
def command(
    playbook: Path,
    inventories: tuple[Path, ...],
    limit: str,
    only: str,
    extra: tuple[str, ...],
    language: Language | None,
) -> int:
    """Tell in sentences what PLAYBOOK will do, when, and by whom. Nothing is run, and nothing is connected to."""
    now = take_clock().now()
    files = find_inventories(inventories)
    plan = bind(Documents(playbook, files), Selection(limit, parse_names(only), "", parse_extra(extra)), now=now).plan
    today = now.astimezone(Calendar.from_office(plan.inventory.office).office.zone).date()
    spoken = language or chosen_language() or "id"
    times = _times(playbook, files, now, spoken)
    telling = Telling(spoken, lambda role: _holders(plan.inventory, role, today), times)
    show_paged(explain_plan(plan, telling, width()))
    return 0


def _holders(inventory: Inventory, role: str, today: date) -> Sequence[str]:
    return [person.name for person in inventory.holders(role, today)]


def _times(playbook: Path, inventories: tuple[Path, ...], now: datetime, language: Language) -> dict[str, str]:
    """When each step of the playbook's schedule runs by itself."""
    told = {}
    for entry in load_entries([playbook], inventories, Path.cwd()):
        following = entry.next(now)
        then = {"id": "berikutnya", "en": "next"}[language]
        moment = f"; {then} {render_moment(following, language)}" if following else ""
        words = f"{entry.scheduled.note} ({entry.scheduled.cron}){moment}".strip()
        told.update(dict.fromkeys(entry.scheduled.steps, words))
    return told
