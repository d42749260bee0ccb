"""A bug in `sop`: a report that can be sent as it is."""

from __future__ import annotations

import platform
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from runner import __version__
from runner.errors import RunnerError


class Bug(Exception):
    """An unexpected error, as it may be told: its kind, what it says, and its traceback, without secrets."""

    def __init__(self, kind: str, says: str, trace: str) -> None:
        super().__init__(f"{kind}: {says}")
        self.kind = kind
        self.trace = trace


@contextmanager
def masked(mask: Callable[[Any], Any]) -> Iterator[None]:
    """Let a bug in the block say nothing that `mask` would hide."""
    try:
        yield
    except (RunnerError, BrokenPipeError):
        raise
    except Exception as error:  # noqa: BLE001  # any bug may quote a secret
        raise _bug_of(error, mask) from None


def _bug_of(error: Exception, mask: Callable[[Any], Any]) -> Bug:
    if isinstance(error, Bug):
        return error
    return Bug(type(error).__name__, mask(str(error)), mask("".join(traceback.format_exception(error))))


def report_bug(error: Exception) -> str:
    """Given an unexpected error, write a report beside the records and return what to tell the user."""
    bug = _bug_of(error, str)
    body = (
        f"# sop {__version__}: {bug.kind}\n\n"
        f"Python {sys.version.split()[0]}, {platform.platform()}\n\n"
        f"```\n{bug.trace}```\n"
    )
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="sop-bug-", suffix=".md", dir=Path.cwd(), delete=False, encoding="utf-8"
        ) as file:
            file.write(body)
        where = f"{Path(file.name).name}: a report was written here. send it to the maintainers"
    except OSError:
        where = body
    return f"sop: a bug: {bug}\n{where}"
