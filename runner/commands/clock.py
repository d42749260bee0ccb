"""The clock that commands go by: this machine's, or the one that whoever calls `sop` from Python hands in.

There is no option and no environment variable for it: what the record says of time comes from the machine.
"""

from __future__ import annotations

import click

from runner.durations import Clock, SystemClock


def take_clock() -> Clock:
    """The clock of the command that is being carried out. Ask in the command's own thread, then hand it on."""
    context = click.get_current_context(silent=True)
    given = context.find_root().obj if context else None
    return given if isinstance(given, Clock) else SystemClock()
