"""Ends this machine's commands when this process dies, even by kill -9."""

from __future__ import annotations

import subprocess
import threading

from runner.connections.commands import SHELL, TERM_GRACE

_WATCH = """
groups=
while read -r word group; do
  case $word in
    watch) groups="$groups $group" ;;
    release) left=; for one in $groups; do [ "$one" = "$group" ] || left="$left $one"; done; groups=$left ;;
  esac
done
[ -n "$groups" ] || exit 0
for group in $groups; do kill -TERM -"$group"; done
sleep GRACE
for group in $groups; do kill -KILL -"$group"; done
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

    def watch(self, group: int) -> None:
        """End this process group if this process dies."""
        self._tell(f"watch {group}\n")

    def release(self, group: int) -> None:
        """The process group's command has ended."""
        self._tell(f"release {group}\n")

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
