"""A way to files on a server that has no GNU tools, such as BusyBox's: find, stat, xargs and tar of POSIX's kind.

They tell times in whole seconds, and do not say what changed while it was read: the folder is listed again at the end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from runner.actions.backup.ledger import Ledger
from runner.actions.backup.listing import FILE, OTHER, TYPES, Listed, Owner
from runner.actions.backup.members import MemberReader
from runner.actions.backup.packing import Packer
from runner.actions.backup.stream import pour
from runner.actions.backup.ways import ENTER, GONE, Reach, batches, check_entered, cut_off, lines_of, refused
from runner.contract import Command
from runner.errors import Failed

TOOLS = ("find", "stat", "xargs", "tar")
TRIES = 3
# Both lists are of the same names, so they are in the same order; what goes between them makes their lengths differ.
_LIST = (
    ENTER
    + """exec env LC_ALL=C find . -exec sh -c '
printf "%s\\0" "$@"; printf "\\0"; stat -c "%f %u %g %h %d %i %s %Y %Z %U %G" "$@"; printf "\\0\\0"' sh {} +"""
)
_SEND = """cd -- "$1" || exit 92
exec env LC_ALL=C xargs -0 tar -c -f - --no-recursion"""
_VANISHED = re.compile(r"tar: .+: (?:No such file or directory|Not a directory)")
_DELAYED = re.compile(r"tar: error exit delayed from previous errors|xargs: .*exited with status \d+.*")
_SHORT = re.compile(r"tar: short read from (?P<name>.+)")
_FORMATS = {0x8000: b"f", 0x4000: b"d", 0xA000: b"l"}


class PlainWay:
    """Plain find, stat, xargs and tar over a connection; see ways.Way."""

    note = "the server has no GNU find and tar: times are in whole seconds, sparse files are stored with their zeros"

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    def list_files(self, take: Callable[[Iterable[Listed]], None]) -> None:
        """Hand over all that the folder holds."""
        take(self._list())

    def find_owners(self) -> Iterable[Owner]:
        """They were listed by name."""
        return ()

    def fetch_files(self, ledger: Ledger, packer: Packer) -> list[bytes]:
        """Have everything come that is wanted; return what is not as it was listed."""
        for batch in batches(ledger):
            self._fetch(batch, packer)
        packer.flush()
        return ledger.differing(self._list())

    def _list(self) -> Iterator[Listed]:
        for _ in range(TRIES):
            found = self._try_listing()
            if found is not None:
                return iter(found)
        raise Failed(f"{self._reach.root}: files come and go while it is listed. try at a quieter time")

    def _try_listing(self) -> list[Listed] | None:
        """The entries; None where some went meanwhile."""
        reach, pieces = self._reach, list[bytes]()
        command = Command(line=_LIST, parameters=(reach.root,), run_as=reach.run_as)
        result = pour(reach.connection, command, reach.deadline, pieces.append)
        check_entered(reach.root, result)
        wrong = [line for line in lines_of(result.stderr) if not GONE.fullmatch(line)]
        if result.exit_code and (wrong or result.exit_code not in (1, 123)):
            raise refused(reach.root, "find", result, wrong)
        return parse_listing(b"".join(pieces))

    def _fetch(self, batch: Mapping[bytes, Listed], packer: Packer) -> None:
        reach, reader = self._reach, MemberReader(packer, several=True, whole=packer.whole)
        packer.expect(batch)
        names = b"".join(b"./" + path + b"\0" for path in batch)
        command = Command(line=_SEND, parameters=(reach.root,), stdin=names, run_as=reach.run_as, bulk=True)
        result = pour(reach.connection, command, reach.deadline, reader.feed)
        lines = lines_of(result.stderr)
        gone = sum(1 for line in lines if _VANISHED.fullmatch(line))
        known = (_VANISHED, _DELAYED, _SHORT)
        wrong = [line for line in lines if not any(pattern.fullmatch(line) for pattern in known)]
        if result.exit_code and (wrong or result.exit_code not in ((1, 123) if lines else ())):
            raise refused(reach.root, "tar", result, wrong)
        if not reader.ended or len(batch) - len(packer.arrived) > gone:
            raise cut_off(reach.root)


def parse_listing(content: bytes) -> list[Listed] | None:
    """Given what the server sent, return the entries; None where a name and its facts cannot be told together."""
    entries: list[Listed] = []
    for group in content.split(b"\n\0\0")[:-1]:
        names, _, facts = group.partition(b"\0\0")
        paths, lines = names.split(b"\0"), facts.split(b"\n")
        if len(paths) != len(lines):
            return None
        entries += map(_parse, paths, lines)
    return entries


def _parse(path: bytes, line: bytes) -> Listed:
    mode_text, uid, gid, names, device, inode, size, mtime, ctime, owner, group = line.decode("utf-8", "replace").split(
        " ", 10
    )
    mode = int(mode_text, 16)
    type_ = TYPES.get(_FORMATS.get(mode & 0xF000, b""), OTHER)
    several = type_ == FILE and names != "1"
    return Listed(
        path.removeprefix(b"./"),
        type_,
        int(size) if type_ == FILE else 0,
        int(mtime) * 10**9,
        int(ctime) * 10**9,
        mode & 0o7777,
        int(uid),
        int(gid),
        owner,
        group,
        b"",
        f"{device}:{inode}" if several else "",
    )
