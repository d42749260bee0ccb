"""The user's crontab: one block of ours between two marks; all other lines stay as they are, byte for byte."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from runner.errors import Refused, refuse

LIMIT = 20.0  # seconds for the program crontab
LONGEST_LINE = 990  # cron of Debian takes 999 characters of a command
_NONE_YET = ("no crontab for", "No such file or directory")
_INSTALL_CRON = "install cron, or write a timer of systemd: sop schedule install --systemd"


def render_block(folder: str, words: Sequence[str], environment: Sequence[tuple[str, str]]) -> str:
    """Given the working folder, the command and its environment, return the block for the crontab.

    Raise Refused where cron could not take it.
    """
    if any(ord(character) < 32 for text in (folder, *words) for character in text):
        raise refuse("--records", "a path holds a line break or another control character", "rename that folder")
    settings = [f"{name}={value}" for name, value in environment]
    command = f"cd {shlex.quote(folder)} && {shlex.join(['/usr/bin/env', *settings, *words])}"
    line = "* * * * * " + command.replace("%", "\\%")  # a bare % ends the command, see crontab(5)
    if len(line.encode()) > LONGEST_LINE:
        raise refuse("crontab", f"the line for {folder} is longer than cron takes", "use a shorter path")
    return f"{_begin(folder)}\n{line}\n{_end(folder)}\n"


def replace_block(text: str, folder: str, block: str) -> str:
    """Given a crontab, return it with this block in place of the folder's, or at its end. "" takes it away.

    Raise Refused where the marks do not stand as a pair.
    """
    lines = text.splitlines(keepends=True)
    begins = [n for n, line in enumerate(lines) if line.rstrip("\n") == _begin(folder)]
    ends = [n for n, line in enumerate(lines) if line.rstrip("\n") == _end(folder)]
    if not begins and not ends:
        return text + block
    if len(begins) != 1 or len(ends) != 1 or ends[0] < begins[0]:
        found = f"the marks of {folder} do not stand as a pair"
        raise refuse("crontab", found, "put them right with crontab -e: one '# BEGIN sop', below it one '# END sop'")
    return "".join([*lines[: begins[0]], block, *lines[ends[0] + 1 :]])


def has_block(text: str, folder: str) -> bool:
    """Whether a crontab has the folder's block."""
    return _begin(folder) in text.splitlines()


def load_crontab() -> str | None:
    """The user's crontab; None where there is none. Bytes that are not UTF-8 are kept. Raise Refused."""
    done = _crontab(["-l"])
    told = os.fsdecode(done.stderr)
    if done.returncode == 0:
        return done.stdout.decode("utf-8", "surrogateescape")
    if any(words in told for words in _NONE_YET):
        return None
    raise refuse("crontab", told.strip() or "the crontab cannot be read", "see: crontab -l")


def save_crontab(text: str | None) -> None:
    """Put this in place of the user's crontab; None takes it away. Raise Refused where cron does not take it."""
    written = b"" if text is None else text.encode("utf-8", "surrogateescape")
    done = _crontab(["-r"]) if text is None else _crontab(["-"], written)
    if done.returncode != 0:
        raise refuse("crontab", os.fsdecode(done.stderr).strip() or "it was not taken", "see: crontab -e")
    if load_crontab() != text:
        raise refuse("crontab", "another crontab stands there than was written", "see: crontab -l")


def _crontab(words: Sequence[str], written: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    program = shutil.which("crontab")
    if program is None:
        raise refuse("crontab", "this machine has no program crontab", _INSTALL_CRON)
    try:
        environment = {**os.environ, "LC_ALL": "C"}
        return subprocess.run(  # noqa: S603  # the machine's own program, its words are ours
            [program, *words], input=written, capture_output=True, timeout=LIMIT, check=False, env=environment
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _no_answer(error) from error


def _no_answer(error: Exception) -> Refused:
    return refuse("crontab", f"the program crontab gave no answer: {error}", _INSTALL_CRON)


def _begin(folder: str) -> str:
    return f"# BEGIN sop {folder}"


def _end(folder: str) -> str:
    return f"# END sop {folder}"


def path_for_cron(program: Path) -> str:
    """The PATH that scheduled runs have: the program's folder, then the usual ones."""
    usual = ("~/.local/bin", "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
    folders = [str(program.parent), *(os.path.expanduser(each) for each in (*usual, "/opt/homebrew/bin"))]
    there = [folder for folder in folders if Path(folder).is_dir() and ":" not in folder]
    return ":".join(dict.fromkeys(there))
