"""Pages whose commands are run, and whose outputs are held against what the page shows.

A page has files (`<!-- file: NAME -->` before a block) and blocks ```console, in which `$ ` begins a command; what
follows is its output. `sop` there is the real one, under a login of the page's own and on a clock that goes on a minute
a command. `make pages` puts into the pages what is printed today.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
LOGIN = "budi"
LONGEST_WAIT = 300.0
_PART = re.compile(r"<!-- file: (?P<name>\S+) -->\n```\w+\n(?P<text>.*?)```|```console\n(?P<console>.*?)```", re.DOTALL)
_MARK = "\x1e"
_VARIES = (
    (re.compile(r"\d{8}-\d{4}-[a-z0-9]{5}"), "RUN"),
    (re.compile(r"[0-9a-f]{64}"), "HASH"),
    (re.compile(r"\d+:[0-9a-f]{12}"), "HEAD"),
    (re.compile(r"\b[0-9a-f]{12}\b"), "HASH"),
    (re.compile(r" +\d+%"), " 45%"),
    (re.compile(r"\d+([.,]\d+)? (ms|s)\b"), "1 s"),
    (re.compile(r"/[^\s']*/(?=kantor)"), "/home/budi/"),
)
_SOP = """\
#!{python}
import os, sys
sys.path.insert(0, {root!r})
from datetime import UTC, datetime, timedelta
from pathlib import Path
import runner.people.accounts
from runner.cli import run
from tests.clocks import FixedClock
count = Path({folder!r}, "commands")
past = len(count.read_bytes()) if count.exists() else 0
count.write_bytes(b"." * (past + 1))
runner.people.accounts.login_of = lambda number: {login!r}
sys.exit(run(sys.argv[1:], clock=FixedClock(datetime(2026, 11, 23, 2, past, tzinfo=UTC))))
"""


class Shown(NamedTuple):
    """A command, what the page shows of it, and what it printed."""

    command: str
    shown: str
    printed: str


def run_page(page: Path, folder: Path) -> Iterator[Shown]:
    """Given a page and an empty folder, write its files and run its commands there, one after another."""
    script, commands = _build_script(page.read_text(encoding="utf-8"))
    programs = folder / "programs"
    programs.mkdir()
    text = _SOP.format(python=sys.executable, root=str(ROOT), folder=str(programs), login=LOGIN)
    (programs / "sop").write_text(text)
    (programs / "sop").chmod(0o755)
    home = folder / "home"
    home.mkdir()
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        cwd=home,
        env={
            **{name: os.environ[name] for name in ("LANG", "LC_ALL") if name in os.environ},
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": str(home),
            "LOGNAME": LOGIN,
            "COLUMNS": "80",
            "TZ": "Asia/Jakarta",
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LONGEST_WAIT,
        check=False,
    )
    printed = done.stdout.split(_MARK)[1:]
    assert len(printed) == len(commands), done.stdout
    for (command, shown), text in zip(commands, printed, strict=True):
        yield Shown(command, shown, text)


def renew_page(page: Path, folder: Path) -> None:
    """Given a page and an empty folder, put into the page what its commands print today."""
    seen = run_page(page, folder)

    def renew(part: re.Match[str]) -> str:
        if not part["console"]:
            return part[0]
        pieces = part["console"].split("\n$ ")
        return f"```console\n{''.join(_show(next(seen)) for _ in pieces)}```"

    page.write_text(_PART.sub(renew, page.read_text(encoding="utf-8")), encoding="utf-8")


def _show(each: Shown) -> str:
    printed = re.sub(r"/\S*?/home/", "/home/budi/", each.printed).rstrip()
    return f"$ {each.command}\n{printed}\n" if printed else f"$ {each.command}\n"


def level(text: str) -> str:
    """Given an output, return it without what differs from run to run: ids, hashes, durations, how full a disk is."""
    for pattern, word in _VARIES:
        text = pattern.sub(word, text)
    return "\n".join(re.sub(r"-{2,}", "--", re.sub(r" {2,}", "  ", line.rstrip())) for line in text.strip().split("\n"))


def _build_script(text: str) -> tuple[str, list[tuple[str, str]]]:
    lines: list[str] = []
    commands = []
    for part in _PART.finditer(text):
        if part["name"]:
            lines += [f"cat > {part['name']} <<'PAGE'", part["text"].rstrip("\n"), "PAGE"]
            continue
        for piece in re.split(r"^\$ ", part["console"], flags=re.MULTILINE)[1:]:
            command, shown = _split(piece)
            lines += [f"printf '{_MARK}'", command]
            commands.append((command, shown))
    return "\n".join(lines), commands


def _split(piece: str) -> tuple[str, str]:
    """A command, over several lines where they end in a backslash, and what follows."""
    lines = piece.split("\n")
    end = next(n for n, line in enumerate(lines) if not line.endswith("\\"))
    return "\n".join(lines[: end + 1]), "\n".join(lines[end + 1 :])


if __name__ == "__main__":
    for name in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as empty:
            renew_page(ROOT / name, Path(empty))
