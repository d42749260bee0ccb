"""Errors that people can act on.

RunnerError
├── Refused       5  mistakes in a playbook, an inventory or a request; nothing ran
├── Locked        6  another run holds a step on a target
├── RecordError   7  the record cannot be written, or was altered
├── Failed           an act did not succeed       (the engine makes it an outcome)
├── Unreachable      a target gave no connection  (the engine makes it an outcome)
└── TimeUp           a limit has passed           (the engine makes it an outcome)
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

MEANT = ("did you mean '{}'?", "did you mean '{}' or '{}'?", "did you mean '{}' or '{}' or '{}'?")


@dataclass(frozen=True, order=True, slots=True)
class Mistake:
    """Something wrong in a playbook, an inventory or a request, with its place and cure.

    `file` is a path as the user gave it or the name of an option (`--limit`);
    `line` and `column` count from 1, and are 0 where there is no text to point into.
    """

    file: str
    line: int
    column: int
    message: str
    cure: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {self.message}. {self.cure}".rstrip()


class RunnerError(Exception):
    """Root of all errors that the user can act on."""

    exit_code = 5


class Refused(RunnerError):
    """A playbook, an inventory or a request has mistakes; nothing ran."""

    exit_code = 5

    def __init__(self, *mistakes: Mistake) -> None:
        self.mistakes = tuple(sorted(set(mistakes)))
        super().__init__("\n".join(map(str, self.mistakes)))


class Locked(RunnerError):
    """Another run holds a step on a target."""

    exit_code = 6


class RecordError(RunnerError):
    """The record cannot be written, or was altered."""

    exit_code = 7


class Failed(RunnerError):
    """An act did not succeed; the message says why and what to do."""

    exit_code = 2


class Unreachable(RunnerError):
    """A target gave no connection; the message says why."""

    exit_code = 4


class TimeUp(RunnerError):
    """A limit has passed. `survivors` names processes that could not be ended."""

    exit_code = 2

    def __init__(self, message: str, survivors: tuple[str, ...] = ()) -> None:
        self.survivors = survivors
        super().__init__(message)


def refuse(file: str, message: str, cure: str = "") -> Refused:
    """Given what is wrong with a request (an option, a name), return the error to raise."""
    return Refused(Mistake(file, 0, 0, message, cure))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Given a word that is not known, return a cure that names the nearest ones, or all of a few."""
    names = sorted(set(known))
    near = difflib.get_close_matches(word, names, n=3, cutoff=0.6)
    if near:
        return MEANT[len(near) - 1].format(*near)
    if names and len(names) <= 12:
        return f"write one of: {', '.join(names)}"
    return ""
