"""When a backup is not accepted, and how that is said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from runner.contract import Call, Outcome, Problem, Severity, Status
from runner.errors import Failed
from runner.messages import Words, readable

INCOMPLETE = "incomplete"
SHRUNK = "shrunk"
SPOILT = "spoilt"
LARGEST_SHRINK = 0.2
LONGEST_COMPLAINT = 600


class NotAccepted(Failed):
    """What was received is not a backup; nothing of it is kept. `condition` says so in Indonesian."""

    def __init__(self, key: str, words: Words) -> None:
        self.key = key
        self.condition = words.id
        super().__init__(words.en)


def incomplete(indonesian: str, english: str) -> NotAccepted:
    """Given why a backup is not whole, in both languages, return the error to raise."""
    return NotAccepted(INCOMPLETE, Words(indonesian, english))


def spoilt_bytes(path: Path) -> NotAccepted:
    """Given a file that does not hold what was written, return the error to raise."""
    return spoilt_file(path, "isinya bukan lagi yang dahulu ditulis", "its bytes are not those that were written")


def spoilt_file(path: Path, indonesian: str, english: str) -> NotAccepted:
    """Given what is wrong with a file of a backup, in both languages, return the error to raise."""
    return incomplete(
        f"Berkas backup {path.name} tidak dapat dipakai: {indonesian}.",
        f"{path}: {english}. make the backup again, and check the disk",
    )


def judged(name: str, run: Callable[[Call], Outcome]) -> Callable[[Call], Outcome]:
    """Given an action's name and run, return a run whose failures also carry a problem: no backup is one.

    Its key is the action's, so that a database and files that both fail are two problems.
    """

    def run_judged(call: Call) -> Outcome:
        try:
            return run(call)
        except NotAccepted as error:
            return _refusal(f"{name}.{error.key}", error.condition, str(error))
        except Failed as error:
            return _refusal(f"{name}.{INCOMPLETE}", f"Backup tidak berhasil dibuat: {error}", str(error))

    return run_judged


def reading(name: str, run: Callable[[Call], Outcome]) -> Callable[[Call], Outcome]:
    """Given the name and run of an action that reads sets, return a run that makes a spoilt one a problem as well."""

    def run_reading(call: Call) -> Outcome:
        try:
            return run(call)
        except NotAccepted as error:
            return _refusal(f"{name}.{SPOILT}", error.condition, str(error))

    return run_reading


def check_size(call: Call, source: str, **sizes: int) -> None:
    """Given what was received now, hold each size against the last good backup of the same source.

    Raise NotAccepted when one shrank by more than a fifth, unless the task says `accept_smaller`.
    """
    latest: Mapping[str, Any] = call.record.latest() or {}
    part = latest.get("part")
    if not call.inputs["accept_smaller"] and isinstance(part, Mapping) and part.get("source") == source:
        check_shrink(source, part, sizes)


def check_shrink(source: str, earlier: Mapping[str, Any], sizes: Mapping[str, int]) -> None:
    """Hold sizes against those of an earlier backup. Raise NotAccepted when one shrank by more than a fifth."""
    for name, now in sizes.items():
        before = earlier.get(name)
        if isinstance(before, int) and now < before * (1 - LARGEST_SHRINK):
            raise NotAccepted(SHRUNK, _shrunk(source, name, before, now))


def complaint(stderr: bytes) -> str:
    """Given what a tool wrote on stderr, return its last lines as one line of text."""
    lines = [line.strip() for line in stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    text = "; ".join(lines)[-LONGEST_COMPLAINT:] or "it gave no reason"
    return readable(text, "�")


def database_complaint(stderr: bytes) -> str:
    """Like `complaint`, of a client of a database: its errors only, for the statements that it shows with them hold
    people's data."""
    errors = [line for line in stderr.splitlines() if b"ERROR" in line[:200]]
    return complaint(b"\n".join(errors)) if errors else complaint(stderr)


def _refusal(key: str, condition: str, message: str) -> Outcome:
    return Outcome(Status.FAILED, problems=(Problem(key, Severity.CRITICAL, condition),), message=message)


_NAMES = {
    "content_bytes": Words("ukuran isi (bita)", "bytes of content"),
    "entries": Words("jumlah berkas dan folder", "number of files and folders"),
    "table_count": Words("jumlah tabel", "number of tables"),
}


def _shrunk(source: str, name: str, before: int, now: int) -> Words:
    return Words(
        f"Sumber {source} menyusut lebih dari seperlima: {_NAMES[name].id} {before} menjadi {now}. "
        "Backup ini tidak diterima; periksa sumbernya.",
        f"{source}: shrank by more than a fifth: {_NAMES[name].en} {before} before, {now} now. look at the source; "
        "where this is right, run the task once with accept_smaller: true",
    )
