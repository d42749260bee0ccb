"""The manual page sop(1) and the page of commands, built from what `--help` says.

`python -m runner.manual FILE` writes the one that the file's name asks for.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click

from runner import __version__
from runner.cli import COMMANDS, group

MADE = "<!-- made by `make reference` from the help of each command; edit that -->"
ABOUT = """
sop carries out written standard operating procedures on websites and servers, and keeps the proof that it was done.
A playbook (YAML) holds an approved SOP word for word and says how each of its steps is carried out. sop checks it
before anything runs, makes a dry run, runs it over one site or many, waits for the people who must sign, and records
every output in a hash-chained journal, from which the report is made.
"""
FILES = {
    "playbooks/*.yml": "the procedures; sop check and sop schedule read all of them",
    "inventory/, inventory.yml": "office, websites, servers, services and people; another with -i",
    "actions/*.py": "actions of your own",
    "records/journal.sqlite": "the append-only record of all runs; another folder with --records",
    "records/evidence/": "kept files, named by their SHA-256",
}
ENVIRONMENT = {
    "SOP_LANG": "id or en: the language of screens, errors and help; without it, the system's",
    "NO_COLOR": "no colours, where it is set",
    "PAGER": "what long output is shown with on a terminal",
    "COLUMNS": "how wide output is, where there is no terminal to ask",
}
EXIT_CODES = {
    0: "done, nothing wrong",
    1: "a bug in sop; a report was written",
    2: "a task failed or ran out of time",
    3: "waits for a person",
    4: "a target was unreachable, nothing failed",
    5: "refused: playbook, inventory, request or usage; nothing ran",
    6: "another run holds the lock",
    7: "the record cannot be written, or was altered",
    10: "all ran, and problems were found",
    130: "interrupted (Ctrl-C, SIGTERM)",
}
FIRST_COUNTS = "Where several hold, the first of 1, 7, 130, 2, 4, 10, 3 counts."


class Told(NamedTuple):
    """What `--help` says of one command: its words, usage, paragraphs, and options with their meaning."""

    words: str
    usage: str
    paragraphs: tuple[str, ...]
    options: tuple[tuple[str, str], ...]


def read_help() -> Iterator[Told]:
    """Yield what `--help` says of every command, in their order; of a group only through its commands."""
    root = click.Context(group, info_name="sop")
    for name in sorted(COMMANDS):
        command = group.get_command(root, name)
        assert command is not None
        context = click.Context(command, info_name=name, parent=root)
        if isinstance(command, click.Group):
            for each in sorted(command.commands):
                yield _read(click.Context(command.commands[each], info_name=each, parent=context))
        else:
            yield _read(context)


def render_man() -> str:
    """Return the manual page, in roff's man macros."""
    return "\n".join(_man()) + "\n"


def render_page() -> str:
    """Return the page of commands, in Markdown."""
    return "\n".join(_page()) + "\n"


def _read(context: click.Context) -> Told:
    command = context.command
    paragraphs = [" ".join(part.split()) for part in (command.help or "").split("\n\n")]
    records = [param.get_help_record(context) for param in command.get_params(context)]
    told = [(names, " ".join(words.split())) for names, words in filter(None, records) if "--help" not in names]
    options = [(names, words) for names, words in told if words]  # arguments are told in the paragraphs
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    return Told(context.command_path, usage, tuple(filter(None, paragraphs)), tuple(options))


def _man() -> Iterator[str]:
    yield from (r".\" made by `make reference`", f'.TH SOP 1 "" "sop {__version__}" "User Commands"')
    yield from (".SH NAME", r"sop \- carry out written standard operating procedures, and keep the proof")
    yield from (".SH SYNOPSIS", ".B sop", r"\fICOMMAND\fR [\fIOPTIONS\fR] [\fIARGUMENTS\fR]")
    yield from (".SH DESCRIPTION", _roff(" ".join(ABOUT.split())), ".SH COMMANDS")
    for told in read_help():
        yield from (f".SS {_roff(told.usage)}", *_joined(map(_roff, told.paragraphs)))
        yield from _terms(dict(told.options))
    yield from (".SH EXIT STATUS", *_terms({str(code): words for code, words in EXIT_CODES.items()}))
    yield from (".PP", FIRST_COUNTS, ".SH ENVIRONMENT", *_terms(ENVIRONMENT), ".SH FILES", *_terms(FILES))
    yield from (".SH SEE ALSO", ".BR ssh (1),", ".BR crontab (5),", ".BR ansible-playbook (1)")


def _joined(paragraphs: Iterator[str]) -> Iterator[str]:
    for number, text in enumerate(paragraphs):
        yield from (".PP", text) if number else (text,)


def _terms(terms: dict[str, str]) -> Iterator[str]:
    for name, words in terms.items():
        yield from (".TP", rf"\fB{_roff(name)}\fR", _roff(words))


def _roff(text: str) -> str:
    """Text with what roff would read as its own written so that it does not."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{escaped}" if escaped[:1] in (".", "'") else escaped


def _page() -> Iterator[str]:
    yield from ("# Commands", "", MADE, "", "`sop --help` lists them, `sop COMMAND --help` says the same as here.")
    for told in read_help():
        yield from ("", f"## {told.words}", "", "```", told.usage, "```")
        for text in told.paragraphs:
            yield from ("", _plain(text))
        if told.options:
            yield from ("", "| option | meaning |", "|---|---|")
            yield from (f"| `{names.replace('|', chr(92) + '|')}` | {_plain(words)} |" for names, words in told.options)


def _plain(text: str) -> str:
    """Text in which nothing is read as Markdown."""
    return re.sub(r"([|*_<\[\]])", r"\\\1", text)


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(render_man() if path.suffix == ".1" else render_page(), encoding="utf-8")
