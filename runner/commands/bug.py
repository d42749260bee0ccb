"""A bug in `sop`: a report that can be sent as it is."""

from __future__ import annotations

import platform
import sys
import tempfile
import traceback
from pathlib import Path

from runner import __version__


def report_bug(error: Exception) -> str:
    """Given an unexpected error, write a report beside the records and return what to tell the user."""
    trace = "".join(traceback.format_exception(error))
    body = (
        f"# sop {__version__}: {type(error).__name__}\n\n"
        f"Python {sys.version.split()[0]}, {platform.platform()}\n\n"
        f"```\n{trace}```\n"
    )
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="sop-bug-", suffix=".md", dir=Path.cwd(), delete=False, encoding="utf-8"
        ) as file:
            file.write(body)
        where = f"{Path(file.name).name}: a report was written here. send it to the maintainers"
    except OSError:
        where = body
    return f"sop: a bug: {type(error).__name__}: {error}\n{where}"
