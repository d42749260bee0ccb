"""Looks for processes of this machine, as tests of process groups need it, and keeps servers running."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

NOBODY = 65534


def find_marked(text: str) -> list[int]:
    """Return the processes whose command line holds `text`, zombies and this one left out."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and _holds(int(name), text)]


def await_end(text: str, seconds: float = 5) -> None:
    """Wait until no process has `text` in its command line. Raise AssertionError when some stay."""
    end = time.monotonic() + seconds
    while found := find_marked(text):
        assert time.monotonic() < end, f"still running: {found}"
        time.sleep(0.02)


def await_start(text: str, seconds: float = 5) -> int:
    """Wait for a process with `text` in its command line and return its id."""
    end = time.monotonic() + seconds
    while not (found := find_marked(text)):
        assert time.monotonic() < end, f"never started: {text}"
        time.sleep(0.02)
    return found[0]


def await_content(files: Sequence[Path], seconds: float = 5) -> None:
    """Wait until something stands in each of these files."""
    end = time.monotonic() + seconds
    while not all(file.exists() and file.stat().st_size for file in files):
        assert time.monotonic() < end, f"never written: {[file.name for file in files]}"
        time.sleep(0.02)


def _holds(pid: int, text: str) -> bool:
    if pid == os.getpid():
        return False
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
    except OSError:
        return False
    return text.encode() in words


# The shell holds the program as its child and ends it when this end of its stdin closes, however the tests end.
_KEEPER = 'signal=$1; shift; "$@" </dev/null & read -r nothing; kill -"$signal" "$!"; wait "$!"'


@contextmanager
def kept_running(
    words: Sequence[str],
    log: Path,
    *,
    signal: str = "TERM",
    environment: Mapping[str, str] | None = None,
    files: Sequence[int] = (),
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server as the plain account until the block ends; `files` are descriptors that it inherits."""
    with log.open("ab") as said:
        keeper = subprocess.Popen(
            ["/bin/sh", "-c", _KEEPER, "sh", signal, *plainly(words)],
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=said,
            env={**os.environ, **(environment or {})},
            pass_fds=files,
        )
    try:
        yield keeper
    finally:
        assert keeper.stdin is not None
        keeper.stdin.close()
        keeper.wait(60)


def plainly(words: Sequence[str]) -> list[str]:
    """Words that run a program as a plain account: root's own go by setpriv, others are plain already."""
    become = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if os.geteuid() == 0 else []
    return [*become, *words]


def give_away(folder: Path) -> None:
    """Hand a folder with all in it to the plain account."""
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", str(folder)], check=True)


def await_ready(keeper: subprocess.Popen[bytes], log: Path, ready: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until a kept server is `ready`. Raise AssertionError with its log when it ends, or never is."""
    until = time.monotonic() + seconds
    while not ready():
        assert keeper.poll() is None, log.read_text()
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.02)


def peak_memory() -> int:
    """MiB that this process had in memory at most since its program began; `ru_maxrss` begins with its parent's."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024
