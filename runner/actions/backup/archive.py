"""Files of a server as a tar archive: whether there is something to pack, the command, and what tar complains of."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runner.actions.backup.entries import TarContent
from runner.actions.backup.stream import build_command
from runner.actions.backup.verdict import complaint, incomplete
from runner.contract import Command, Connection, Result
from runner.durations import Deadline
from runner.errors import Failed

MOST_NAMED = 10
_LOOK = """root=$1
shift
[ -d "$root" ] || { echo missing; exit 0; }
cd -- "$root" && ls -A >/dev/null || { echo closed; exit 0; }
[ "$(ls -A | head -c 1 | wc -c)" -gt 0 ] || { echo empty; exit 0; }
for name do
    [ -e "./$name" ] || [ -L "./$name" ] || { printf 'lacking %s\\n' "$name"; exit 0; }
done
echo ready"""
_SIZE = 'cd -- "$1" && du -sk . 2>/dev/null | cut -f 1'
_GNU_FLAGS = ("--format=posix", "--pax-option=delete=atime,delete=ctime", "--sparse")
_UNSTEADY = re.compile(
    r"^\S*tar: (?P<name>.+?): "
    r"(?:file changed as we read it|File removed before we read it|File shrank by \d+ bytes?; padding with zeros)$"
)
_SAID = {
    "missing": ("tidak ada di server", "there is no such folder on the server"),
    "closed": ("tidak dapat dibuka", "the account may not open or list it"),
    "empty": ("kosong; mungkin disknya tidak terpasang", "it is empty: is its disk mounted?"),
}


@dataclass(frozen=True, slots=True)
class Tree:
    """A folder on a server, the patterns left out, and what must be in it."""

    root: str
    exclude: Sequence[str]
    must_contain: Sequence[str]


def check_tree(connection: Connection, tree: Tree, deadline: Deadline, run_as: str) -> None:
    """Raise NotAccepted unless the folder is there, has something in it, and has what it must contain."""
    command = Command(line=_LOOK, parameters=(tree.root, *tree.must_contain), run_as=run_as)
    result = connection.run(command, deadline)
    said = result.stdout.decode("utf-8", "replace").strip()
    if said == "ready":
        return
    lacks = f"tidak memuat {said[8:]}", f"it does not contain {said[8:]}: is the right disk mounted?"
    indonesian, english = lacks if said.startswith("lacking ") else _SAID.get(said, (complaint(result.stderr),) * 2)
    raise incomplete(f"Folder {tree.root} {indonesian}.", f"{tree.root}: {english}. check the root")


def measure(connection: Connection, tree: Tree, deadline: Deadline, run_as: str) -> int:
    """Return about how many bytes the folder holds, excluded ones counted too. Raise Failed."""
    result = connection.run(Command(line=_SIZE, parameters=(tree.root,), run_as=run_as), deadline)
    if not result.stdout.strip().isdigit():
        raise Failed(f"{tree.root}: its size cannot be told: {complaint(result.stderr)}. check the account's rights")
    return int(result.stdout) * 1024


def tar_command(tree: Tree, tools: Mapping[str, str], compression: str, run_as: str) -> Command:
    """Return the command that sends the folder as an archive. Raise Failed where the server has no tar."""
    if "tar" not in tools:
        raise Failed("the server has no tar. install it there")
    flags = _GNU_FLAGS if is_gnu(tools) else ()
    exclude = [f"--exclude={pattern}" for pattern in tree.exclude]
    words = ("env", "LC_ALL=C", "tar", "-c", "-f", "-", *flags, *exclude, "-C", tree.root, ".")
    return build_command(words, compression, run_as=run_as)


def is_gnu(tools: Mapping[str, str]) -> bool:
    """Return whether the server's tar is GNU's: only then exit code 1 means "some files changed"."""
    return "GNU" in tools["tar"]


def check_archive(result: Result, content: TarContent, tree: Tree, *, gnu: bool) -> list[str]:
    """Given how tar ended and what it sent, return the files that changed or vanished meanwhile, as tar writes them.

    Raise NotAccepted when the archive is not whole or holds nothing.
    """
    complaints = result.stderr.decode("utf-8", "replace").splitlines()
    unsteady = [match["name"] for line in complaints if (match := _UNSTEADY.match(line))]
    if result.exit_code not in ((0, 1) if gnu and unsteady else (0,)):
        reason = _reason(complaints) or complaint(result.stderr)
        raise incomplete(
            f"Backup berkas {tree.root} tidak lengkap: tar berhenti dengan kode {result.exit_code} ({reason}).",
            f"{tree.root}: tar ended with exit code {result.exit_code}: {reason}. nothing was kept: exclude what the "
            "account may not read, or name one that may by run_as",
        )
    if not content.complete:
        raise incomplete(
            f"Backup berkas {tree.root} tidak lengkap: {content.fault}.",
            f"{tree.root}: {content.fault}. nothing was kept",
        )
    if content.entries < 2:
        raise incomplete(
            f"Backup berkas {tree.root} kosong; backup kosong tidak diterima.",
            f"{tree.root}: nothing is left to back up. look at the folder and at exclude",
        )
    return sorted(set(unsteady))


def _reason(complaints: Sequence[str]) -> str:
    """The first complaints that are not about files which only changed."""
    plain = [line for line in complaints if line.strip() and not _UNSTEADY.match(line)]
    causes = [line for line in plain if "Exiting with failure status" not in line]
    shown = "; ".join(causes[:MOST_NAMED])
    return shown + (f" (+{len(causes) - MOST_NAMED})" if len(causes) > MOST_NAMED else "")
