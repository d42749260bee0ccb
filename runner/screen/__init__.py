"""Printing on a terminal, or wherever stdout and stderr lead: bounded, safe to show, and never in the way of a run."""

from __future__ import annotations

import json
import os
import sys
from typing import Any, TextIO

import click

from runner.errors import RunnerError
from runner.languages import translate
from runner.screen.live import in_foreground
from runner.screen.tables import may_colour, wrap

__all__ = ["print_json", "show", "show_paged", "width", "wrap"]

MOVING, PLAIN, QUIET, SILENT = "moving", "plain", "quiet", "silent"


def manner_of(stream: TextIO | None) -> str:
    """How to tell progress on a stream."""
    try:
        if stream is None or not stream.isatty():
            return QUIET
        if os.environ.get("TERM", "dumb") == "dumb":
            return PLAIN
        os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):
        return QUIET
    return MOVING if in_foreground(stream) else QUIET


def width() -> int:
    """Columns of the terminal that stdout is; COLUMNS, or 80, where it is none."""
    try:
        columns = os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError, AttributeError):
        columns = 0
    said = os.environ.get("COLUMNS", "")
    return columns or (int(said) if said.isascii() and said.isdigit() and int(said) else 80)


def show(text: str, *, err: bool = False) -> None:
    """Print text in the language of screens; where that cannot be, go on without."""
    try:
        _echo(translate(text), err=err)
    except (OSError, ValueError) as error:
        if not err or isinstance(error, BrokenPipeError):  # a log on a full disk may be written to again later
            let_go(sys.stderr if err else sys.stdout)


def show_paged(text: str) -> None:
    """Print text; on a terminal that it does not fit, through the pager (PAGER). Raise RunnerError if it cannot be."""
    if manner_of(sys.stdout) == MOVING and text.count("\n") + 1 >= os.get_terminal_size(sys.stdout.fileno()).lines:
        click.echo_via_pager(text + "\n", color=None if may_colour() else False)
    else:
        _print(text)


def print_json(document: Any) -> None:
    """Print one JSON document: indented for people at a terminal, in one line for programs, which is eight times as
    quick. Raise RunnerError if it cannot be."""
    encoding = str(getattr(sys.stdout, "encoding", "utf-8")).lower()
    indent = None if manner_of(sys.stdout) == QUIET else 2
    _print(json.dumps(document, ensure_ascii=encoding != "utf-8", indent=indent))


def _print(text: str) -> None:
    """Print what was asked for. A reader that has gone (`sop history | head`) has had enough of it."""
    try:
        _echo(text)
    except OSError as error:
        let_go(sys.stdout)
        if not isinstance(error, BrokenPipeError):
            raise RunnerError(f"stdout: cannot be written: {error.strerror}. write it elsewhere") from None


def _echo(text: str, *, err: bool = False) -> None:
    """Print text, with what the stream has no letters for written as escapes, and colours only where wanted."""
    encoding = getattr(sys.stderr if err else sys.stdout, "encoding", None) or "utf-8"
    text = text.encode(encoding, "backslashreplace").decode(encoding)
    click.echo(text, err=err, color=None if may_colour() else False)


def let_go(stream: TextIO | None) -> None:
    """Let what is still buffered go nowhere, so that the interpreter does not fail on it at its end."""
    try:
        if stream is not None:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
    except (OSError, ValueError):
        return
