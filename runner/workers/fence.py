"""Whether calls handed to an executor are done as often as they are made, and reach this machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from runner.errors import refuse
from runner.workers.hub import Hub
from runner.workers.roster import Ticket

KNOCK_LIMIT = 30.0
_CALL = "knock"


class Calling(Protocol):
    """The future of a call, of whatever executor."""

    def result(self, timeout: float) -> Any:
        """What the call gave. Raise what it raised, or an error where it takes longer than `timeout` seconds."""


def check_fence(hub: Hub, submit: Callable[[Ticket], Calling]) -> None:
    """Given how an executor is handed a call of `knock`, make two equal ones and count what arrives here.

    Raise Refused unless each was done once: an executor that gives an old answer instead, does a call again by itself,
    or has its workers where this machine cannot be reached, is none to do acts with.
    """
    ticket = hub.ticket(_CALL)
    before = hub.knocks[_CALL]
    calls = [submit(ticket), submit(ticket)]
    try:
        faults = [str(call.result(timeout=KNOCK_LIMIT)) for call in calls]
    except Exception as error:
        what = f"{type(error).__name__}: {error}".rstrip(": ")
        raise refuse(
            "--executor", f"a worker cannot do a call: {what}", "install the same sop on every worker"
        ) from error
    counted = hub.knocks[_CALL] - before
    if any(faults):
        why = f"a worker does not reach this machine: {next(filter(None, faults))}"
        raise refuse("--executor", why, "open the way, or name an address of this machine by ?here=HOST:PORT")
    if counted < len(calls):
        raise refuse("--executor", "it does an equal call only once", "use an executor that keeps no answers")
    if counted > len(calls):
        raise refuse("--executor", "it does a call more than once", "use an executor that repeats nothing")
