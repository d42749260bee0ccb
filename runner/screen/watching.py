"""What is said on the terminal while a run goes on, and how it ended.

Progress goes to stderr, how it ended to stdout.

- Where stderr is a terminal, finished steps scroll by above one line for each target at work.
- Where it is none (cron, a pipe), only what matters is said, each with its time: tasks that went wrong, problems,
  requests to people, deviations, and moves between steps; then one closing line on stdout. Steps that are ok say
  nothing, so that `sop run … >/dev/null` in a crontab sends a mail only when somebody should read it. `-v` tells
  every step and task, and shows the whole summary.
- A screen that cannot write (a closed pipe, a full disk) never ends a run.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType

from runner.events import Event, Key
from runner.languages import translate
from runner.plan import Plan
from runner.record.document import Record
from runner.screen import MOVING, PLAIN, QUIET, SILENT, let_go, manner_of, show, width
from runner.screen.board import Board
from runner.screen.lines import Lines, place_of
from runner.screen.live import Live
from runner.screen.rehearsal import render_rehearsal
from runner.screen.summary import render_closing, render_summary

MOST_QUIET_LINES = 200
BETWEEN_LINES = timedelta(minutes=1)
STOPPING = "stopping: what is being done may end, nothing else begins. Ctrl-C again cuts it off"


class Screen:
    """Listens to a run: moving on a terminal, plain on one that cannot move or with -v, quiet elsewhere, silent
    where JSON was asked for. Use it as a context, so that the terminal is left clean whatever happens."""

    def __init__(self, steps: Mapping[str, Sequence[str | None]], *, manner: str, verbose: int = 0) -> None:
        self._manner = manner
        self._full = manner != QUIET or verbose > 0
        self._lines = Lines(steps=manner in (MOVING, PLAIN), verbose=verbose)
        self._board = Board(steps)
        self._lock = threading.Lock()
        self._told: dict[Key, datetime] = {}
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
            let_go(sys.stderr)

    def listen(self, events: Sequence[Event]) -> None:
        """Say what happened."""
        if self._manner == SILENT:
            return
        for event in events:
            if self._live:
                with self._lock:
                    self._board.add(event)
            if self._left > 0:  # on a bad day, words for what is not shown would take as long as finding it
                for line in self._lines.render(event):
                    self._say(event, line)
        if self._live:
            self._live.refresh()

    def tell(self, key: Key, text: str) -> None:
        """Say how far a task is: where lines move at once, else once a minute; nothing where only what matters is."""
        if self._live:
            with self._lock:
                self._board.tell(key, text)
            self._live.refresh()
        elif self._full and self._manner != SILENT:
            now = datetime.now(UTC)
            with self._lock:
                is_time = now - self._told.setdefault(key, now) >= BETWEEN_LINES
                if is_time:
                    self._told[key] = now
            if is_time:
                show(f"{now.astimezone():%Y-%m-%d %H:%M:%S}  {place_of(key)}: {translate(text)}", err=True)

    def say_stopping(self) -> None:
        """Say that the run was interrupted, and what that means."""
        if self._live and self._live.moving:
            self._live.scroll(translate(STOPPING))
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
        gap = "\n" if self._manner == MOVING else ""
        show(gap + render_rehearsal(record, width(), diff=diff))


def _steps(plan: Plan) -> dict[str, list[str | None]]:
    """The targets of each step that was selected."""
    return {step.id: [t.name if t else None for t in step.targets] for step in plan.steps if step.selected}
