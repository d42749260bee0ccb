"""The ways to files on a server, from the best to the plainest; what each of them offers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple, Protocol

from runner.actions.backup.known import Known
from runner.actions.backup.ledger import Ledger
from runner.actions.backup.listing import Listed, Owner
from runner.actions.backup.packing import Packer
from runner.actions.backup.verdict import complaint, incomplete
from runner.contract import Connection, Result
from runner.durations import Deadline

MOST_NAMED = 10
LONGEST_NAMES = 256 * 1024  # sent in one go: less than what SSH holds ready, so that tar may begin to answer meanwhile
MOST_AT_ONCE = 5000
# The beginning of a command that works in the folder $1.
ENTER = """[ -d "$1" ] || { echo missing >&2; exit 91; }
cd -- "$1" 2>/dev/null && [ -r . ] || { echo closed >&2; exit 92; }
"""
GONE = re.compile(r"\S*(?:find|stat): .+: No such file or directory")
_SAID = {
    91: ("tidak ada di server", "there is no such folder on the server"),
    92: ("tidak dapat dibuka", "the account may not open or list it"),
}


class Reach(NamedTuple):
    """Where files are: a connection, the folder, until when, and as whom; what is known of them is asked for when it
    is needed."""

    connection: Connection
    root: str
    deadline: Deadline
    run_as: str
    known: Callable[[], Known] = Known


class Way(Protocol):
    """One way to the files of a folder. `note` says what it cannot tell, where it is not the best one."""

    @property
    def note(self) -> str:
        """What the reader of the set has to know."""

    def list_files(self, take: Callable[[Iterable[Listed]], None]) -> None:
        """Hand over all that the folder holds, but for what is known already, where the way can tell. Raise NotAccepted
        where it cannot be listed whole, Failed."""

    def find_owners(self) -> Iterable[Owner]:
        """Who the owners and groups are that were listed as numbers only. Raise Failed."""

    def fetch_files(self, ledger: Ledger, packer: Packer) -> list[bytes]:
        """Have everything come that the ledger wants; return what changed while it was read. What vanished does not
        come. Raise NotAccepted where something cannot be read, Failed."""


def batches(ledger: Ledger) -> Iterator[Mapping[bytes, Listed]]:
    """Give what is wanted, in batches that keep the names of one file together."""
    batch: dict[bytes, Listed] = {}
    size = 0
    for group in _groups(ledger):
        length = sum(len(listed.path) + 1 for listed in group)
        if batch and size + length > LONGEST_NAMES:
            yield batch
            batch, size = {}, 0
        batch |= {listed.path: listed for listed in group}
        size += length
    if batch:
        yield batch


def wanted(ledger: Ledger) -> Iterator[Listed]:
    """Give what is wanted, one by one."""
    number = 0
    while rows := ledger.wanted(number, MOST_AT_ONCE):
        yield from (listed for _, listed in rows)
        number = rows[-1][0]


def check_entered(root: str, result: Result) -> None:
    """Given how a command with ENTER ended, raise NotAccepted where the folder could not be entered."""
    if result.exit_code in _SAID:
        indonesian, english = _SAID[result.exit_code]
        raise incomplete(f"Folder {root} {indonesian}.", f"{root}: {english}. check the root")


def lines_of(stderr: bytes) -> list[str]:
    """Given what a tool wrote on stderr, return its lines, undecodable bytes kept."""
    return [line for line in stderr.decode("utf-8", "surrogateescape").splitlines() if line.strip()]


def refused(root: str, tool: str, result: Result, wrong: Sequence[str]) -> Exception:
    """Given how a tool failed and its complaints, return the error to raise."""
    shown = [line.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for line in wrong]
    reason = "; ".join(shown[:MOST_NAMED]) + (f" (+{len(shown) - MOST_NAMED})" if len(shown) > MOST_NAMED else "")
    return not_read(root, f"{tool} ended with exit code {result.exit_code}: {reason or complaint(result.stderr)}")


def not_read(root: str, reason: str) -> Exception:
    """Given why something cannot be read, return the error to raise."""
    return incomplete(
        f"Backup berkas {root} tidak lengkap ({reason}).",
        f"{root}: {reason}. nothing was kept: exclude what the account may not read, or name one that may by run_as",
    )


def cut_off(root: str) -> Exception:
    """Return the error to raise where a stream has ended too early."""
    return incomplete(
        f"Backup berkas {root} tidak lengkap: arsip terputus.",
        f"{root}: the archive ends too early. run the task again: it goes on where it was",
    )


def _groups(ledger: Ledger) -> Iterator[Sequence[Listed]]:
    for inode, group in groupby(wanted(ledger), lambda listed: listed.inode):
        if inode:
            yield list(group)
        else:
            yield from ([listed] for listed in group)
