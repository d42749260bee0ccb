"""What is said on the terminal.

Progress goes to stderr, how it ended to stdout.

- Where stderr is a terminal, finished steps scroll by above one line for each target at work.
- Where it is none (cron, a pipe), only what matters is said, each with its time: tasks that went wrong, problems,
  requests to people, deviations, and moves between steps; then one closing line on stdout. Steps that are ok say
  nothing, so that `sop run … >/dev/null` in a crontab sends a mail only when somebody should read it. `-v` tells
  every step and task, and shows the whole summary.
- A screen that cannot write (a closed pipe, a full disk) never ends a run.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import click

from runner.errors import RunnerError
from runner.events import Event
from runner.plan import Plan
from runner.record.document import Record
from runner.screen.board import Board
from runner.screen.lines import Lines
from runner.screen.live import Live, in_foreground
from runner.screen.rehearsal import render_rehearsal
from runner.screen.summary import render_closing, render_summary
from runner.screen.tables import may_colour, printable

__all__ = ["Screen", "print_json", "printable", "show", "show_paged", "width"]

MOST_QUIET_LINES = 200
STOPPING = "stopping: what is being done may end, nothing else begins. Ctrl-C again cuts it off"
MOVING, PLAIN, QUIET, SILENT = "moving", "plain", "quiet", "silent"


class Screen:
    """Listens to a run: moving on a terminal, plain on one that cannot move or with -v, quiet elsewhere, silent
    where JSON was asked for. Use it as a context, so that the terminal is left clean whatever happens."""

    def __init__(self, steps: Mapping[str, Sequence[str | None]], *, manner: str, verbose: int = 0) -> None:
        self._manner = manner
        self._full = manner != QUIET or verbose > 0
        self._lines = Lines(steps=manner in (MOVING, PLAIN), verbose=verbose)
        self._board = Board(steps)
        self._lock = threading.Lock()
        self._live = Live(sys.stderr, self._render) if manner == MOVING else None
        self._left = MOST_QUIET_LINES if manner == QUIET and not verbose else sys.maxsize

    @classmethod
    def for_run(cls, plan: Plan, *, form: str, verbose: int, earlier: Iterable[Event] = ()) -> Screen:
        """The screen that fits the request and the terminal; `earlier` is what a resumed run did before."""
        screen = cls(_steps(plan), manner=SILENT if form == "json" else manner_of(sys.stderr), verbose=verbose)
        for event in earlier:
            screen._board.add(event)
        return screen

    @classmethod
    def for_rehearsal(cls, plan: Plan, *, form: str, verbose: int) -> Screen:
        """The screen of a dry run: what it finds is told at its end, so that before it only what moves is shown."""
        moves = form == "text" and manner_of(sys.stderr) == MOVING
        return cls(_steps(plan), manner=MOVING if moves else QUIET if verbose else SILENT, verbose=verbose)

    def __enter__(self) -> Screen:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.close()
        try:
            sys.stderr.flush()
        except (OSError, ValueError, AttributeError):
            _let_go(sys.stderr)

    def listen(self, events: Sequence[Event]) -> None:
        """Say what happened."""
        if self._manner == SILENT:
            return
        for event in events:
            with self._lock:
                self._board.add(event)
            for line in self._lines.render(event):
                self._say(event, line)
        if self._live:
            self._live.refresh()

    def say_stopping(self) -> None:
        """Say that the run was interrupted, and what that means."""
        if self._live and self._live.moving:
            self._live.scroll(STOPPING)
            self._live.refresh()
        else:
            show(STOPPING, err=True)

    def _say(self, event: Event, line: str) -> None:
        at = event.at.astimezone()
        if self._live and self._live.moving:
            self._live.scroll(f"{at:%H:%M:%S}  {line}")
            return
        self._left -= 1
        if self._left > 0:
            show(f"{at:%Y-%m-%d %H:%M:%S}  {line}", err=True)
        elif self._left == 0:
            show(f"further lines are left out. all of it: sop show {event.run}", err=True)

    def _render(self, width: int, height: int) -> list[str]:
        with self._lock:
            return self._board.render(datetime.now(UTC), width, height)

    def show_record(self, record: Record, records: Path) -> None:
        """Show how a run ended: all of it to who watches, else its closing line."""
        gap = "\n" if self._manner == MOVING else ""
        show(gap + render_summary(record, records, width()) if self._full else render_closing(record, records))

    def show_rehearsal(self, record: Record, *, diff: bool) -> None:
        """Show what a dry run found, with the share of tasks that could be checked."""
        show(render_rehearsal(record, width(), diff=diff))


def _steps(plan: Plan) -> dict[str, list[str | None]]:
    """The targets of each step that was selected."""
    return {step.id: [t.name if t else None for t in step.targets] for step in plan.steps if step.selected}


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
    """Print text; where that cannot be, go on without."""
    try:
        _echo(text, err=err)
    except (OSError, ValueError) as error:
        if not err or isinstance(error, BrokenPipeError):  # a log on a full disk may be written to again later
            _let_go(sys.stderr if err else sys.stdout)


def show_paged(text: str) -> None:
    """Print text; on a terminal that it does not fit, through the pager (PAGER). Raise RunnerError if it cannot be."""
    if manner_of(sys.stdout) == MOVING and text.count("\n") + 1 >= os.get_terminal_size(sys.stdout.fileno()).lines:
        click.echo_via_pager(text + "\n", color=None if may_colour() else False)
    else:
        _print(text)


def print_json(document: Any) -> None:
    """Print one JSON document. Raise RunnerError if it cannot be."""
    encoding = str(getattr(sys.stdout, "encoding", "utf-8")).lower()
    _print(json.dumps(document, ensure_ascii=encoding != "utf-8", indent=2))


def _print(text: str) -> None:
    """Print what was asked for. A reader that has gone (`sop history | head`) has had enough of it."""
    try:
        _echo(text)
    except OSError as error:
        _let_go(sys.stdout)
        if not isinstance(error, BrokenPipeError):
            raise RunnerError(f"stdout: cannot be written: {error.strerror}. write it elsewhere") from None


def _echo(text: str, *, err: bool = False) -> None:
    """Print text, with what the stream has no letters for written as escapes, and colours only where wanted."""
    encoding = getattr(sys.stderr if err else sys.stdout, "encoding", None) or "utf-8"
    text = text.encode(encoding, "backslashreplace").decode(encoding)
    click.echo(text, err=err, color=None if may_colour() else False)


def _let_go(stream: TextIO | None) -> None:
    """Let what is still buffered go nowhere, so that the interpreter does not fail on it at its end."""
    try:
        if stream is not None:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
    except (OSError, ValueError):
        return
