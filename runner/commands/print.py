"""`sop print`: the SOP as its form."""

from __future__ import annotations

from pathlib import Path

import click

from runner.errors import Mistake, RecordError, Refused, refuse
from runner.playbook import Playbook
from runner.playbook.reading import load_playbook
from runner.screen import show

FORMATS = ("html", "pdf", "svg")


@click.command("print")
@click.argument("playbook", type=click.Path(path_type=Path, readable=False))
@click.option(
    "-o",
    "--out",
    "--output",
    "output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write, its ending tells the format; else HTML and SVG go to the screen.",
)
@click.option(
    "--format", "form", type=click.Choice(FORMATS), help="html, pdf (needs sop-runner[pdf]) or svg (the flow)."
)
@click.option("--paper", type=click.Choice(("a4", "f4"), case_sensitive=False), default="a4", help="Default: a4.")
def command(playbook: Path, output: Path | None, form: str | None, paper: str) -> int:
    """Give PLAYBOOK's procedure back as the official form, word for word; tell what is weak in it."""
    from runner.form.lints import check_form

    mistakes: list[Mistake] = []
    loaded = load_playbook(playbook, mistakes)
    if loaded is None or mistakes:
        raise Refused(*mistakes)
    form = form or _find_format(output)
    for weakness in check_form(loaded.source):
        show(f"note: {weakness}", err=True)
    content = _render(loaded, form, paper.lower())
    if output is not None:
        _write(output, content)
        show(f"{output}: written. {'print it' if form == 'pdf' else 'open it in a browser, and print it'} in landscape")
    elif form == "pdf":
        raise refuse("--format pdf", "a PDF does not go to the screen", "name a file with -o")
    else:
        click.echo(content.decode())
    return 0


def _find_format(output: Path | None) -> str:
    ending = output.suffix.lower().lstrip(".") if output else ""
    if ending in ("", "htm"):
        return "html"
    if ending not in FORMATS:
        raise refuse("--out", f"'{ending}' is no format of this form", "end the name in .html, .pdf or .svg")
    return ending


def _render(playbook: Playbook, form: str, paper: str) -> bytes:
    from runner.form.document import render_flow, render_form

    if form == "svg":
        return render_flow(playbook.source.data, paper=paper).encode()
    page = render_form(playbook.source.data, paper=paper)
    if form == "html":
        return page.encode()
    from runner.reports.pdf import render_pdf

    return render_pdf(page)


def _write(output: Path, content: bytes) -> None:
    try:
        output.write_bytes(content)
    except OSError as error:
        raise RecordError(f"{output}: cannot be written: {error.strerror}. name another file with -o") from None
