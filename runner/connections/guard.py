"""Ends this machine's commands when this process dies, even by kill -9."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from runner.connections.commands import SHELL, TERM_GRACE

_WATCH = """
running=
while read -r word what; do
  case $word in
    watch) running="$running $what" ;;
    release) left=; for one in $running; do [ "$one" = "$what" ] || left="$left $one"; done; running=$left ;;
  esac
done
end() {
  for one in $running; do
    case $one in
      *=*) for f in $(grep -lszF -e "$one" /proc/[0-9]*/environ); do f=${f#/proc/}; kill -"$1" -"${f%/*}"; done ;;
      *) kill -"$1" -"$one" ;;
    esac
  done
}
[ -z "$running" ] || { end TERM; sleep GRACE; end KILL; }
"""


class Guard:
    """A small shell that knows the running process groups, and outlives this process for as long as it ends them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shell = subprocess.Popen(  # noqa: S603 - constant words
            [SHELL, "-c", _WATCH.replace("GRACE", str(int(TERM_GRACE)))],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,
        )

    @contextmanager
    def watching(self, what: int | str) -> Iterator[None]:
        """End this process group if this process dies meanwhile; given the mark of a command that is only about to
        begin, the group that it leads."""
        self._tell(f"watch {what}\n")
        try:
            yield
        finally:
            self._tell(f"release {what}\n")

    def close(self) -> None:
        """Dismiss the guard; groups that are still watched are ended."""
        with self._lock:
            if self._shell.stdin:
                self._shell.stdin.close()
        self._shell.wait(TERM_GRACE + 3)

    def _tell(self, words: str) -> None:
        with self._lock:
            if self._shell.stdin and not self._shell.stdin.closed:
                try:
                    self._shell.stdin.write(words.encode())
                except BrokenPipeError:
                    return
