"""The best way to files on a server: GNU find lists them, and GNU tar sends those that are named on its stdin."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from runner.actions.backup.ledger import Ledger
from runner.actions.backup.listing import FIND, NAMES, Listed, Lister, Owner, parse_owners
from runner.actions.backup.members import MemberReader
from runner.actions.backup.packing import Packer
from runner.actions.backup.stream import pour
from runner.actions.backup.ways import ENTER, GONE, Reach, batches, check_entered, cut_off, lines_of, refused
from runner.contract import Command

_LIST = ENTER + 'exec env LC_ALL=C find . -printf "$2"'
_NAME = 'cd -- "$1" || exit 92; exec env LC_ALL=C xargs -0 sh -c \'find "$@" -maxdepth 0 -printf "$0"\' "$2"'
_SEND = 'cd -- "$1" || exit 92; shift; exec env LC_ALL=C tar -c -f - "$@" --null --no-recursion -T -'
_FLAGS = ("--format=posix", "--pax-option=delete=atime,delete=ctime", "--blocking-factor=128")
_CHANGED = re.compile(r"\S*tar: (?P<name>.+?): (?:file changed as we read it|File shrank by \d+ bytes?; padding .*)")
_VANISHED = re.compile(
    r"\S*tar: .+?: (?:File removed before we read it|Cannot (?:stat|open): (?:No such file|Not a directory).*)"
)
_EXITING = re.compile(r"\S*tar: Exiting with failure status due to previous errors")
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_ESCAPED = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}


class GnuWay:
    """GNU find and tar over a connection; see ways.Way."""

    note = ""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._examples: Iterable[bytes] = ()

    def list_files(self, take: Callable[[Iterable[Listed]], None]) -> None:
        """Hand over all that the folder holds, but for what is known already."""
        reach = self._reach
        lister = Lister(take, reach.known)
        command = Command(line=_LIST, parameters=(reach.root, FIND), run_as=reach.run_as)
        result = pour(reach.connection, command, reach.deadline, lister.feed)
        check_entered(reach.root, result)
        wrong = [line for line in lines_of(result.stderr) if not GONE.fullmatch(line)]
        if result.exit_code and (wrong or result.exit_code != 1):
            raise refused(reach.root, "find", result, wrong)
        lister.finish()
        self._examples = lister.examples.values()

    def find_owners(self) -> Iterable[Owner]:
        """Ask for the names of all owners and groups that were listed, of one entry each."""
        reach, pieces = self._reach, list[bytes]()
        examples = b"".join(b"./" + path + b"\0" for path in self._examples)
        command = Command(line=_NAME, parameters=(reach.root, NAMES), stdin=examples, run_as=reach.run_as)
        pour(reach.connection, command, reach.deadline, pieces.append)  # what has gone meanwhile is left out
        return parse_owners(b"".join(pieces))

    def fetch_files(self, ledger: Ledger, packer: Packer) -> list[bytes]:
        """Have everything come that is wanted; return what changed meanwhile."""
        changed: list[bytes] = []
        for batch in batches(ledger):
            changed += self._fetch(batch, packer, ("--sparse",))
        for listed in packer.too_sparse:
            changed += self._fetch({listed.path: listed}, packer, ())
        packer.too_sparse = []
        packer.flush()
        return changed

    def _fetch(self, batch: Mapping[bytes, Listed], packer: Packer, flags: Sequence[str]) -> list[bytes]:
        reach, reader = self._reach, MemberReader(packer, whole=packer.whole)
        packer.expect(batch)
        names = b"".join(_word(path) + b"\0" for path in batch)
        command = Command(
            line=_SEND, parameters=(reach.root, *_FLAGS, *flags), stdin=names, run_as=reach.run_as, bulk=True
        )
        result = pour(reach.connection, command, reach.deadline, reader.feed)
        lines = lines_of(result.stderr)
        changed = [match["name"] for line in lines if (match := _CHANGED.fullmatch(line))]
        gone = sum(1 for line in lines if _VANISHED.fullmatch(line))
        known = (_CHANGED, _VANISHED, _EXITING)
        wrong = [line for line in lines if not any(pattern.fullmatch(line) for pattern in known)]
        if result.exit_code and (wrong or result.exit_code not in ((1, 2) if changed or gone else ())):
            raise refused(reach.root, "tar", result, wrong)
        if not reader.ended or len(batch) - len(packer.arrived) > gone:
            raise cut_off(reach.root)
        return [_unescape(name) for name in changed]


def _word(path: bytes) -> bytes:
    """A path as tar's list of names takes it: older ones read a leading dash as an option."""
    return b"./" + path if path.startswith(b"-") else path


def _unescape(name: str) -> bytes:
    text = name.encode("utf-8", "surrogateescape")
    return _ESCAPE.sub(_byte, text).removeprefix(b"./").rstrip(b"/") or b"."


def _byte(match: re.Match[bytes]) -> bytes:
    code = match[1]
    return bytes([int(code, 8)]) if len(code) == 3 else _ESCAPED.get(code, code)
