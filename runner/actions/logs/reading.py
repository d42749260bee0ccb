"""A server's log over its connection: its files, and their last bytes as a stream. Nothing is written there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from runner.contract import Command, Connection
from runner.durations import Deadline

MOST_FILES = 200

_OTHER_PACKERS = (".xz", ".zst", ".bz2")

# With IFS empty, an unquoted parameter is expanded as a glob and nothing else.
_LIST = """\
IFS=
for pattern do
  for file in $pattern; do
    if [ ! -e "$file" ]; then printf 'missing 0 %s\\n' "$file"
    elif [ -d "$file" ] || [ ! -r "$file" ]; then printf 'closed 0 %s\\n' "$file"
    else printf 'file %s %s\\n' "$(wc -c < "$file" | tr -d ' ')" "$file"
    fi
  done
done
"""
_TAIL = 'tail -c "$2" -- "$1" | head -c "$2"'
_UNPACK = 'gzip -dc -- "$1" | head -c "$2"'


@dataclass(frozen=True, slots=True)
class LogFile:
    """A file of the log: its path, its size in bytes as it lies there, "file", "missing" or "closed" (unreadable)."""

    path: str
    size: int
    state: str

    @property
    def packed(self) -> bool:
        """Whether it is compressed."""
        return self.path.endswith(".gz")


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of a file: bytes handed on, and whether that was all of it."""

    file: LogFile
    size: int
    complete: bool


def find_files(
    connection: Connection, patterns: Sequence[str], deadline: Deadline, *, rotated: bool, run_as: str = ""
) -> list[LogFile]:
    """Given paths or globs of a log, return its files; `rotated` adds the older ones beside them."""
    wanted = [*patterns, *(f"{path}{tail}" for path in patterns for tail in (".[0-9]*", "-[0-9]*") if rotated)]
    result = connection.run(Command(line=_LIST, parameters=tuple(wanted), run_as=run_as), deadline)
    files = parse_files(result.stdout.decode("utf-8", "surrogateescape"))
    optional = set(wanted) - set(patterns)
    return [file for file in files if file.path not in optional]


def parse_files(listing: str) -> list[LogFile]:
    """Given the listing's text, return the files, each once. Lines of no known form (odd names) are left out."""
    found: dict[str, LogFile] = {}
    for line in listing.splitlines()[:MOST_FILES]:
        state, _, rest = line.partition(" ")
        size, _, path = rest.partition(" ")
        if state in ("file", "missing", "closed") and size.isdigit() and path:
            found.setdefault(path, LogFile(path, int(size), "closed" if path.endswith(_OTHER_PACKERS) else state))
    return list(found.values())


def read_end(
    connection: Connection,
    file: LogFile,
    limit: int,
    deadline: Deadline,
    sink: Callable[[bytes], None],
    *,
    run_as: str = "",
) -> Read:
    """Given a file, hand its last `limit` bytes (of a packed one the first unpacked) to `sink`, beginning at a line."""
    counted = _Counted(sink, begins_inside=not file.packed and file.size > limit)
    line = _UNPACK if file.packed else _TAIL
    command = Command(line=line, parameters=(file.path, str(limit)), run_as=run_as)
    result = connection.stream(command, deadline, counted.take)
    whole = counted.size < limit if file.packed else file.size <= limit
    return Read(file, counted.size, whole and result.exit_code == 0 and not result.stderr)


class _Counted:
    """Counts the bytes that pass, and drops the piece of a line at the beginning where the cut went through one."""

    def __init__(self, sink: Callable[[bytes], None], *, begins_inside: bool) -> None:
        self._sink = sink
        self._inside = begins_inside
        self.size = 0

    def take(self, piece: bytes) -> None:
        self.size += len(piece)
        if self._inside:
            _, newline, piece = piece.partition(b"\n")
            self._inside = not newline
        if piece:
            self._sink(piece)
