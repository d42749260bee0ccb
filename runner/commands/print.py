"""`sop print`: the SOP as its form."""

from __future__ import annotations

from pathlib import Path

import click

from runner.errors import Mistake, Refused
from runner.playbook.reading import load_playbook


@click.command("print")
@click.argument("playbook", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="File to write; else the screen.")
def command(playbook: Path, output: Path | None) -> int:
    """Give PLAYBOOK's procedure back as the official form (HTML), word for word."""
    from runner.reports.form import render_form

    mistakes: list[Mistake] = []
    loaded = load_playbook(playbook, mistakes)
    if loaded is None or mistakes:
        raise Refused(*mistakes)
    text = render_form(loaded.source.data)
    if output is None:
        click.echo(text)
    else:
        output.write_text(text, encoding="utf-8")
        click.echo(f"{output}: written. open it in a browser, and print it in landscape")
    return 0
