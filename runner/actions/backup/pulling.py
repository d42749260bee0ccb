"""The first way to files on a server: GNU find lists them, and GNU tar sends those that are named on its stdin."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from runner.actions.backup.ledger import Ledger
from runner.actions.backup.listing import FIND, Listed, Lister
from runner.actions.backup.members import MemberReader
from runner.actions.backup.packing import Packer
from runner.actions.backup.stream import pour
from runner.actions.backup.verdict import complaint, incomplete
from runner.contract import Command, Connection, Result
from runner.durations import Deadline

MOST_NAMED = 10
LONGEST_NAMES = 256 * 1024  # sent in one go: less than what SSH holds ready, so that tar may begin to answer meanwhile
MOST_AT_ONCE = 5000
_ENTER = """[ -d "$1" ] || { echo missing >&2; exit 91; }
cd -- "$1" 2>/dev/null && [ -r . ] || { echo closed >&2; exit 92; }
"""
_LIST = _ENTER + 'exec env LC_ALL=C find . -printf "$2"'
_SEND = 'cd -- "$1" || exit 92; shift; exec env LC_ALL=C tar -c -f - "$@" --null --no-recursion -T -'
_FLAGS = ("--format=posix", "--pax-option=delete=atime,delete=ctime")
_CHANGED = re.compile(r"\S*tar: (?P<name>.+?): (?:file changed as we read it|File shrank by \d+ bytes?; padding .*)")
_GONE = re.compile(r"\S*tar: .+?: (?:File removed before we read it|Cannot stat: (?:No such file|Not a directory).*)")
_EXITING = re.compile(r"\S*tar: Exiting with failure status due to previous errors")
_FIND_GONE = re.compile(r"\S*find: .+: No such file or directory")
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_ESCAPED = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}
_SAID = {
    91: ("tidak ada di server", "there is no such folder on the server"),
    92: ("tidak dapat dibuka", "the account may not open or list it"),
}


class Reach(NamedTuple):
    """Where files are: a connection, the folder, until when, and as whom."""

    connection: Connection
    root: str
    deadline: Deadline
    run_as: str


def list_files(reach: Reach, take: Callable[[Iterator[Listed]], None]) -> None:
    """Hand over all that the folder holds. Raise NotAccepted where it cannot be listed whole, Failed."""
    lister = Lister(take)
    command = Command(line=_LIST, parameters=(reach.root, FIND), run_as=reach.run_as)
    result = pour(reach.connection, command, reach.deadline, lister.feed)
    if result.exit_code in _SAID:
        indonesian, english = _SAID[result.exit_code]
        raise incomplete(f"Folder {reach.root} {indonesian}.", f"{reach.root}: {english}. check the root")
    wrong = [line for line in _lines(result) if not _FIND_GONE.fullmatch(line)]
    if wrong or result.exit_code not in (0, 1):
        raise _refused(reach.root, "find", result, wrong)
    lister.finish()


def fetch_files(reach: Reach, ledger: Ledger, packer: Packer) -> list[bytes]:
    """Have everything come that the ledger wants; return what changed while it was read. What vanished does not come.

    Raise NotAccepted where something cannot be read, Failed.
    """
    changed: list[bytes] = []
    for batch in _batches(ledger):
        changed += _fetch(reach, batch, packer, ("--sparse",))
    for listed in packer.too_sparse:
        changed += _fetch(reach, {listed.path: listed}, packer, ())
    packer.too_sparse = []
    packer.flush()
    return changed


def _batches(ledger: Ledger) -> Iterator[Mapping[bytes, Listed]]:
    """What is wanted, in batches that keep the names of one file together."""
    batch: dict[bytes, Listed] = {}
    size = 0
    for group in _groups(ledger):
        if batch and size + sum(len(listed.path) + 1 for listed in group) > LONGEST_NAMES:
            yield batch
            batch, size = {}, 0
        batch |= {listed.path: listed for listed in group}
        size += sum(len(listed.path) + 1 for listed in group)
    if batch:
        yield batch


def _groups(ledger: Ledger) -> Iterator[Sequence[Listed]]:
    for inode, group in groupby(_wanted(ledger), lambda listed: listed.inode):
        if inode:
            yield list(group)
        else:
            yield from ([listed] for listed in group)


def _wanted(ledger: Ledger) -> Iterator[Listed]:
    number = 0
    while rows := ledger.wanted(number, MOST_AT_ONCE):
        yield from (listed for _, listed in rows)
        number = rows[-1][0]


def _fetch(reach: Reach, batch: Mapping[bytes, Listed], packer: Packer, flags: Sequence[str]) -> list[bytes]:
    """Have one batch come, and return what of it changed meanwhile."""
    packer.expect(batch)
    reader = MemberReader(packer)
    names = b"".join(_word(path) + b"\0" for path in batch)
    command = Command(line=_SEND, parameters=(reach.root, *_FLAGS, *flags), stdin=names, run_as=reach.run_as)
    result = pour(reach.connection, command, reach.deadline, reader.feed)
    lines = _lines(result)
    changed = [match["name"] for line in lines if (match := _CHANGED.fullmatch(line))]
    gone = sum(1 for line in lines if _GONE.fullmatch(line))
    known = (_CHANGED, _GONE, _EXITING)
    wrong = [line for line in lines if not any(pattern.fullmatch(line) for pattern in known)]
    if wrong or result.exit_code not in ((0, 1, 2) if changed or gone else (0,)):
        raise _refused(reach.root, "tar", result, wrong)
    if not reader.ended or len(batch) - len(packer.arrived) > gone:
        raise incomplete(
            f"Backup berkas {reach.root} tidak lengkap: arsip terputus.",
            f"{reach.root}: the archive ends too early. run the task again: it goes on where it was",
        )
    return [_unescape(name) for name in changed]


def _word(path: bytes) -> bytes:
    """A path as tar's list of names takes it: older ones read a leading dash as an option."""
    return b"./" + path if path.startswith(b"-") else path


def _lines(result: Result) -> list[str]:
    return [line for line in result.stderr.decode("utf-8", "surrogateescape").splitlines() if line.strip()]


def _unescape(name: str) -> bytes:
    text = name.encode("utf-8", "surrogateescape")
    return _ESCAPE.sub(_byte, text).removeprefix(b"./").rstrip(b"/") or b"."


def _byte(match: re.Match[bytes]) -> bytes:
    code = match[1]
    return bytes([int(code, 8)]) if len(code) == 3 else _ESCAPED.get(code, code)


def _refused(root: str, tool: str, result: Result, wrong: Iterable[str]) -> Exception:
    shown = [line.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for line in wrong]
    reason = "; ".join(shown[:MOST_NAMED]) + (f" (+{len(shown) - MOST_NAMED})" if len(shown) > MOST_NAMED else "")
    reason = reason or complaint(result.stderr)
    return incomplete(
        f"Backup berkas {root} tidak lengkap: {tool} berhenti dengan kode {result.exit_code} ({reason}).",
        f"{root}: {tool} ended with exit code {result.exit_code}: {reason}. nothing was kept: exclude what the "
        "account may not read, or name one that may by run_as",
    )
