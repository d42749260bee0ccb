"""A copy on its way here: stored compressed, while its plain content is looked at in passing."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Generic, TypeVar

from runner.actions.backup.content import PIECE, Readable
from runner.actions.backup.memory import keep_freed_memory
from runner.actions.backup.storage import PartFile
from runner.actions.backup.unlocking import open_stored
from runner.actions.backup.verdict import incomplete
from runner.actions.backup.zstd import ZstdError, ZstdFile, build_compressor
from runner.contract import Command, Connection, Result
from runner.durations import Deadline
from runner.errors import RunnerError, TimeUp

Content = TypeVar("Content")

PACKER = "zstd"
PACKER_FAILED = 90
# The exit code of the first program is handed round the packer by descriptor 3: dash knows no pipefail.
_PACK = """exec 4>&1
status=$({{ {{ {feed}"$@" 3>&- 4>&-; echo $? >&3; }} | zstd -q -3 -c 3>&- >&4; }} 3>&1)
packed=$?
[ "${{status:-1}}" = 0 ] || exit "${{status:-1}}"
[ "$packed" = 0 ] || exit {failed}"""
_TOOLS = r"""for tool do
    command -v "$tool" >/dev/null 2>&1 || continue
    printf '%s\t%s\n' "$tool" "$("$tool" --version 2>/dev/null </dev/null | head -n 1)"
done
exit 0"""


def find_tools(connection: Connection, deadline: Deadline, names: Sequence[str]) -> dict[str, str]:
    """Given names of programs, return those that the server has, each with the first line of its --version."""
    result = connection.run(Command(line=_TOOLS, parameters=tuple(names)), deadline)
    lines = result.stdout.decode("utf-8", "replace").splitlines()
    return dict(line.split("\t", 1) for line in lines if "\t" in line)


def build_command(
    argv: Sequence[str], tools: Mapping[str, str] | None = None, *, stdin: bytes = b"", run_as: str = ""
) -> Command:
    """Given a program that writes a copy to stdout, return the command that sends it: packed on the server where that
    has zstd among its `tools`.

    Its exit code is the program's own. With `stdin` the program finds it as a pipe, so that /dev/stdin can be opened.
    """
    feed = "cat | " if stdin else ""
    line = _PACK.format(feed=feed, failed=PACKER_FAILED) if PACKER in (tools or ()) else f'{feed}"$@"'
    return Command(line=line, parameters=tuple(argv), stdin=stdin, run_as=run_as)


def receive(
    connection: Connection,
    command: Command,
    deadline: Deadline,
    file: PartFile,
    inspect: Callable[[Readable], Content],
    *,
    packed: bool,
) -> tuple[Result, Content]:
    """Given a command of `build_command`, store what it sends in `file`, packed; return how it ended and what it held.

    Raise NotAccepted when it does not decompress, Failed when it cannot be stored.
    """
    keep_freed_memory()
    packer = None if packed else build_compressor()
    with Watch(inspect, packed=packed) as watch:

        def take(data: bytes) -> None:
            file.write(data if packer is None else packer.compress(data))
            watch.write(data)

        result = pour(connection, command, deadline, take)
        if packer is not None:
            file.write(packer.flush())
        return result, watch.content()


def pour(connection: Connection, command: Command, deadline: Deadline, take: Callable[[bytes], None]) -> Result:
    """Hand a command's stdout to `take`, and return how it ended. Raise what `take` raised, whatever became of it."""
    errors: list[RunnerError] = []

    def sink(data: bytes) -> None:
        try:
            take(data)
        except RunnerError as error:
            errors.append(error)
            raise

    try:
        return connection.stream(command, deadline, sink)
    finally:
        if errors:
            raise errors[0]


def pack(plain: Readable, file: PartFile, deadline: Deadline) -> int:
    """Given plain content, store it packed; return its size in bytes. Raise Failed or TimeUp."""
    packer, timed, size = build_compressor(), Timed(plain, deadline), 0
    while piece := timed.read(PIECE):
        file.write(packer.compress(piece))
        size += len(piece)
    file.write(packer.flush())
    return size


@contextmanager
def unpacked(path: Path, compression: str, deadline: Deadline, keys: Sequence[Any] = ()) -> Iterator[Readable]:
    """Given a stored file, and the keys to it where it is encrypted, give its plain content. Raise NotAccepted where it
    does not decompress, TimeUp."""
    with open_stored(path, keys) as file, gzip.open(file) if compression == "gzip" else ZstdFile(file) as plain:
        try:
            yield Timed(plain, deadline)
        except (gzip.BadGzipFile, EOFError, zlib.error, ZstdError) as error:
            raise _damaged(path.name) from error


class Timed:
    """Passes a stream on until its time is up."""

    def __init__(self, stream: Readable, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes. Raise TimeUp."""
        if self._deadline.passed:
            raise TimeUp("reading the stored files took longer than the task's limit")
        return self._stream.read(size)


class Watch(Generic[Content]):
    """Looks at a stream that is written to it, in a thread of its own; it is unpacked for that where it is packed."""

    def __init__(self, inspect: Callable[[Readable], Content], *, packed: bool) -> None:
        read_end, write_end = os.pipe()
        reader, self._writer = os.fdopen(read_end, "rb"), os.fdopen(write_end, "wb")
        self._pool = ThreadPoolExecutor(max_workers=1)
        self._content = self._pool.submit(_look, inspect, reader, packed=packed)

    def write(self, data: bytes) -> None:
        """Show the next bytes."""
        self._writer.write(data)

    def content(self) -> Content:
        """Return what the stream held, now that it is over. Raise NotAccepted when it did not decompress."""
        self._writer.close()
        try:
            return self._content.result()
        except (ZstdError, EOFError) as error:
            raise _damaged("the stream") from error

    def __enter__(self) -> Watch[Content]:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._writer.close()
        self._pool.shutdown()


def _look(inspect: Callable[[Readable], Content], reader: BinaryIO, *, packed: bool) -> Content:
    """Inspect what is read, and read the rest in any case: who writes must never wait for ever."""
    with reader:
        try:
            if not packed:
                return inspect(reader)
            with ZstdFile(reader) as plain:
                return inspect(plain)
        finally:
            with suppress(ValueError):
                while reader.read(PIECE):
                    pass


def _damaged(name: str) -> Exception:
    return incomplete(
        f"Berkas backup rusak: {name} tidak dapat diurai.", f"{name}: does not decompress. make the backup again"
    )
