"""Dumps and scripts on their way into a database of a server: packed, sent in pieces, run by the server's own client.

They pass through a private folder of the server's account, which is removed in the end. How to log in goes to the
client as a file on descriptor 3, so that nothing of it stands on a command line, in an environment or on a disk.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from runner.actions.backup.dumps import Tools
from runner.actions.backup.stream import build_command
from runner.actions.backup.verdict import complaint, database_complaint
from runner.actions.restore import leftovers
from runner.actions.restore.leftovers import ID_GLOB, SWEEP
from runner.actions.restore.unpacking import APPEND, LARGE, Place
from runner.contract import Command, Result
from runner.durations import Deadline
from runner.errors import Failed
from runner.messages import render_size

SCRIPT = "script.gz"
_FASTEST = 1
_MAKE = (
    SWEEP
    + f"""umask 077
minutes=$2
for above in "$HOME" "${{TMPDIR:-/tmp}}" /tmp; do
    folder=$above/.sop-pulih-$1
    for left in "$above"/.sop-pulih-{ID_GLOB}; do
        if [ -d "$left" ] && [ -O "$left" ] && [ "$left" != "$folder" ]; then sweep "$left"; fi
    done
    [ -d "$above" ] && [ -w "$above" ] && mkdir -p -m 700 -- "$folder" && cd -P -- "$folder" && [ -O . ] &&
        df -Pk . | tail -n 1 | {{ read -r _ _ _ free _; echo "$free"; }} && pwd -P && exit
done
exit 1
"""
)
_REMOVE = 'case $1 in */.sop-pulih-*) rm -rf -- "$1";; esac'
# The client reads the script; the login is what this command itself reads.
_RUN = """file=$1/$2
shift 2
gzip -t -- "$file" || exit 65
cat | { exec 3<&0; gzip -dc -- "$file" | "$@"; }
"""


class Work:
    """A private folder on a server that scripts pass through. Use it as `with working(…) as work`."""

    def __init__(self, tools: Tools, place: Place, free: int) -> None:
        self.tools = tools
        self._place = place
        self._free = free

    @property
    def deadline(self) -> Deadline:
        """Until when."""
        return self._place.deadline

    def run(self, words: Sequence[str], login: bytes, script: Iterable[bytes], what: str) -> bytes:
        """Run a client with a script on its stdin, which may be as large as a dump; return what it says. `words` name
        the login's file as /dev/fd/3. Raise Failed, which names `what`, where the client does not end well."""
        self._send(script)
        place = self._place
        parameters = (place.folder, SCRIPT, *words)
        command = Command(line=_RUN, parameters=parameters, stdin=login, run_as=self.tools.run_as)
        result = place.connection.run(command, place.deadline)
        if result.exit_code != 0:
            raise _refused(what, result)
        return result.stdout

    def ask(self, words: Sequence[str], login: bytes, what: str) -> bytes:
        """Run a program that needs no script; `words` name the login's file as /dev/stdin. Return what it says. Raise
        Failed, which names `what`."""
        place = self._place
        command = build_command(words, stdin=login, run_as=self.tools.run_as)
        result = place.connection.run(command, place.deadline)
        if result.exit_code != 0:
            raise _refused(what, result)
        return result.stdout

    def _send(self, script: Iterable[bytes]) -> None:
        at = 0
        for piece in _batches(_pack(script)):
            if at + len(piece) > self._free:
                free = render_size(self._free, "en")
                raise Failed(f"{self._place.folder}: only {free} are free there. make room on the server's disk")
            self._place.do(APPEND, (SCRIPT, str(at)), "the dump", piece)
            at += len(piece)


@contextmanager
def working(tools: Tools, id_: str, deadline: Deadline) -> Iterator[Work]:
    """Given a server's programs and a plan's ID, make a private folder there; remove it in the end. Raise Failed."""
    result = tools.connection.run(
        Command(line=_MAKE, parameters=(id_, str(leftovers.CLAIMED_MINUTES)), run_as=tools.run_as), deadline
    )
    lines = result.stdout.decode("utf-8", "surrogateescape").split("\n", 1)
    if result.exit_code != 0 or not lines[0].isdigit():
        raise Failed(f"the server gives no private folder to work in: {complaint(result.stderr)}. look at its disks")
    folder = lines[1].rstrip("\n")
    try:
        yield Work(tools, Place(tools.connection, folder, deadline, tools.run_as), int(lines[0]) * 1024)
    finally:
        remove = Command(line=_REMOVE, parameters=(folder,), run_as=tools.run_as)
        tools.connection.run(remove, Deadline.after(60))


def _refused(what: str, result: Result) -> Failed:
    return Failed(f"{what}: {database_complaint(result.stderr)}. look at the server's disk, its log and the account")


def _pack(pieces: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(_FASTEST, wbits=31)
    for piece in pieces:
        if data := packer.compress(piece):
            yield data
    yield packer.flush()


def _batches(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of the size that is sent at once."""
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        while len(waiting) >= LARGE:
            yield bytes(waiting[:LARGE])
            del waiting[:LARGE]
    yield bytes(waiting)
