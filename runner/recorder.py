"""What an action may ask of the record: the questions; `recorders` answers them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from runner.durations import Deadline


class Recorder(Protocol):
    """What an action may ask of the record while it runs."""

    def latest(self) -> Mapping[str, Any] | None:
        """Outputs of this task on this target when it last ended well in an earlier run; None the first time."""

    def report(self, kind: str) -> bytes:
        """The HTML document of that kind ("situation") about this run so far and the open problems."""

    def problems(self) -> Sequence[Mapping[str, Any]]:
        """The problems that this run has in hand, as `sop problems --format json` gives them, the worst first; each
        with `advice`, what the inventory knows of it [{title, causes, checks, remedies, call}], and `solutions`, what
        solved it before [{run, solved_at, remarks [{step, role, person, label, note}], changes}]."""

    def accepted(self) -> Sequence[Mapping[str, Any]]:
        """What people have accepted, and not taken back, of the problems that this task reported on this target, in
        order: key, person, reason, at, until, evidence, run (that had seen the problem last when it was accepted), and
        `outputs`, what this task gave in that run. A baseline changes only by this."""

    def secret_key(self, name: str) -> bytes:
        """The secret key of that name, 32 bytes, made once and kept beside the record, never in it; empty in a dry run
        that finds none."""

    def evidence(self, sha256: str) -> bytes:
        """Kept evidence, unaltered. Raise Failed where it is not there, or too large to read at once."""

    def expired(self, today: date) -> Sequence[Mapping[str, Any]]:
        """The evidence with personal data whose last day was before `today`: name, sha256, size, until, reason, keeper,
        run, `held` (why it must stay; "" where it may go), `there` (whether the file still is)."""

    def delete_expired(self, today: date) -> Sequence[Mapping[str, Any]]:
        """Delete what `expired` names and nothing holds; return all that it names, as it was before."""

    def shares_disk(self, folder: Path) -> bool:
        """Whether that folder is, or would come to be, on the disk that the record is on."""

    def back_up(self, folder: Path, deadline: Deadline) -> Mapping[str, Any]:
        """Bring the copy of the record in a folder up to this moment, and check it: record, head, files, new_files,
        deleted. Raise Failed where it is not whole."""

    def latest_with(self, action: str, output: str, key: str, value: str) -> Mapping[str, Any] | None:
        """Outputs of the latest outcome that ended well, in any run of this playbook (this one and a dry run's past
        too), of a task of `action` on this target, whose `output` is an object with `value` under `key`."""

    def outcomes(self, action: str) -> Sequence[Mapping[str, Any]]:
        """How the latest tasks of `action` on this target ended, in any run of any playbook, the oldest first: run, at
        (ISO, UTC), status, outputs, evidence [{name, sha256}]."""

    def signed(self, sha256: str) -> Mapping[str, Any] | None:
        """Who signed the document of that SHA-256 in this run: role, person, at; None where nobody did."""
