"""How a command's process group is ended over a channel, and who is left is named."""

from __future__ import annotations

from collections.abc import Callable

from runner.connections.commands import MARK, TERM_GRACE, encode, quote
from runner.connections.cutter import Cutter
from runner.connections.scripts import ENDING_CODE
from runner.connections.wire import Wire, WireBroken
from runner.durations import Deadline
from runner.messages import readable

ANSWER_LIMIT = 2.5
UNKNOWN_SURVIVORS = "not known: the server gives no answer"


class AgentLost(Exception):
    """The shell or agent has ended, or gives no sign of life, while a command ran or before it could."""


def render_end(recall: str, mark: str, token: str) -> str:
    """Return shell code that ends the group that `recall` puts into $sop_p, and says who is left."""
    say = f"sop_x=$(sop_left {MARK}={mark}); printf '%s\\n' {quote(token)}\"left $sop_x\"\n"
    return f"{ENDING_CODE}\n{recall}; sop_end; {say}"


def end_over(open_wire: Callable[[Deadline], Wire], code: str, token: str) -> tuple[str, ...]:
    """Have a new channel run the code of `render_end` and return who is left, by name."""
    cutter = Cutter(token.encode())
    deadline = Deadline.after(TERM_GRACE + ANSWER_LIMIT)
    try:
        wire = open_wire(Deadline.after(ANSWER_LIMIT))
        wire.start("sh", Deadline.after(ANSWER_LIMIT))
        wire.send(encode(code), deadline)
        wire.pump_until(lambda: "left" in cutter.said, (cutter.feed, lambda piece: None), deadline)
        wire.close()
    except (TimeoutError, WireBroken):
        return (UNKNOWN_SURVIVORS,)
    return parse_survivors(cutter.said["left"]) if "left" in cutter.said else (UNKNOWN_SURVIVORS,)


def parse_survivors(text: str) -> tuple[str, ...]:
    """Given "pid name" pieces between tabs, return "name (pid N)" for each, once."""
    pairs = [piece.strip().partition(" ") for piece in text.split("\t") if piece.strip()]
    names = {f"{readable(name)} (pid {pid})": None for pid, _, name in pairs}
    return tuple(names)
