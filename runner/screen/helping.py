"""What click says by itself, in the language of screens: the help of commands, and wrong usage."""

from __future__ import annotations

from collections.abc import Iterable

import click

from runner.languages import label, translate

STATES = ("Options", "Commands")  # its headings
CLICK_SAYS = (
    "Show this message and exit.",
    "Show the version and exit.",
    "No such option '{0}'",  # since 8.4
    "No such option: {0}",
    "No such option: {0} Did you mean {1}?",
    "No such option: {0} (Possible options: {1})",
    "No such command {0}",
    "Missing argument '{0}'",
    "Missing option '{0}'",
    "Missing command",
    "Option {0} requires an argument",
    "Option {0} does not take a value",
    "Got unexpected extra argument ({0})",
    "Got unexpected extra arguments ({0})",
    "Invalid value for {0}: {1}",
    "{0} is not one of {1}",
    "Did you mean {0}?",
    "Did you mean one of: {0}?",  # since 8.4
    "(Possible options: {0})",
    "Argument {0} takes {1} values",
    "Could not open file {0}: {1}",
    "{0} {1} is not readable",
    "{0} is not a valid integer",
    "{0} is not a valid integer range",
    "{0} is not in the range {1}",
    "File {0} does not exist",
    "Directory {0} does not exist",
    "Directory {0} is a file",
    "File {0} is a directory",
)


class Formatter(click.HelpFormatter):
    """Writes help as click does, translated before it is wrapped."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, args, f"{label('Usage')}: ")

    def write_heading(self, heading: str) -> None:
        super().write_heading(label(heading))

    def write_text(self, text: str) -> None:
        paragraphs = (" ".join(paragraph.split()) for paragraph in text.split("\n\n"))
        super().write_text("\n\n".join(map(translate, paragraphs)))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        super().write_dl([(first, _told(second)) for first, second in rows], col_max, col_spacing)


def _told(text: str) -> str:
    """What is said of an option, but for what click adds in brackets: its range or default."""
    before, bracket, added = text.partition("  [")
    return translate(before) + bracket + added


def speak() -> None:
    """Let click's help speak the language of screens from now on."""
    click.Context.formatter_class = Formatter
