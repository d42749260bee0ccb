"""A real terminal (tmux) to type into and to look at."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

LONGEST_WAIT = 20.0
PROMPT = "ready$ "


class Terminal:
    """A terminal of `width` x `height` with a shell in it, in which `sop` is on the path."""

    def __init__(self, folder: Path, socket: str, environment: Mapping[str, str], width: int, height: int) -> None:
        self._socket = socket
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        words = [f"{name}={value}" for name, value in {"PATH": path, "PS1": PROMPT, **environment}.items()]
        shell = ["env", *words, "sh"]
        self._tmux("new-session", "-d", "-x", str(width), "-y", str(height), "-c", str(folder), *shell)
        self.wait_for(lambda screen: PROMPT.strip() in screen)

    def type(self, text: str) -> None:
        """Type a line and press Enter."""
        self._tmux("send-keys", "-l", text)
        self._tmux("send-keys", "Enter")

    def press(self, key: str) -> None:
        """Press one key, by tmux's name for it."""
        self._tmux("send-keys", key)

    def resize(self, width: int, height: int) -> None:
        """Make the window that large."""
        self._tmux("resize-window", "-x", str(width), "-y", str(height))

    def screen(self, *, history: bool = False) -> str:
        """What is to be seen; with `history` also what has scrolled away."""
        return self._tmux("capture-pane", "-p", *(["-S", "-"] if history else [])).rstrip()

    def picture(self) -> str:
        """What is to be seen, with its colours as ANSI sequences."""
        return self._tmux("capture-pane", "-p", "-e").rstrip() + "\n"

    def forget(self) -> None:
        """Forget what has scrolled away."""
        self._tmux("clear-history")

    def wait_for(self, seen: Callable[[str], bool]) -> str:
        """Return the screen as soon as it shows what is waited for. Raise AssertionError when it never does."""
        end = time.monotonic() + LONGEST_WAIT
        while not seen(screen := self.screen()):
            assert time.monotonic() < end, f"never seen; the screen was:\n{screen}"
            time.sleep(0.05)
        return screen

    def cursor(self) -> tuple[str, str]:
        """The cursor's column, and "1" where it can be seen."""
        column, shown = self._tmux("display-message", "-p", "#{cursor_x} #{cursor_flag}").split()
        return column, shown

    def run_beside(self, command: str) -> None:
        """Run a shell command outside the terminal; `#{pane_pid}` in it is the terminal's shell."""
        self._tmux("run-shell", command)

    def end(self) -> None:
        """End the terminal and what runs in it."""
        subprocess.run([_tmux(), "-S", self._socket, "kill-server"], check=False, capture_output=True)

    def _tmux(self, *words: str) -> str:
        command = [_tmux(), "-f", "/dev/null", "-S", self._socket, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=LONGEST_WAIT).stdout


@contextmanager
def terminal(folder: Path, *, width: int = 80, height: int = 24, **environment: str) -> Iterator[Terminal]:
    """A terminal in a folder; it is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="sop-tmux-") as sockets:  # short: a socket's path has a limit
        opened = Terminal(folder, f"{sockets}/s", environment, width, height)
        try:
            yield opened
        finally:
            opened.end()


def _tmux() -> str:
    found = shutil.which("tmux")
    assert found, "tmux is missing. install it: apt-get install tmux"
    return found
