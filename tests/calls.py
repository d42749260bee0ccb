"""Calls for the tests of actions: real commands on this machine, evidence in a folder, a fixed clock.

call = make_call(ACTION, {"path": str(log)}, directory=tmp_path, target={"name": "pn_tais", "kind": "website"})
outcome = ACTION.run(call)
text = read_evidence(call, outcome.evidence[0])
"""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from runner.contract import Action, Call, Command, Connection, Effect, Evidence, Result
from runner.durations import Deadline
from runner.errors import Failed, TimeUp
from runner.notices import Notifier

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)  # Sunday, 09.00 WIB
OFFICE = {"name": "Pengadilan Negeri Contoh", "timezone": "Asia/Jakarta"}


@dataclass(frozen=True, slots=True)
class LocalConnection:
    """Runs each command as its own process group on this machine, and ends the group when time is up."""

    def open(self, deadline: Deadline) -> None:
        """This machine is always there."""

    def run(self, command: Command, deadline: Deadline) -> Result:
        """Run the command to its end. Raise TimeUp or Failed as the contract says."""
        words = command.argv or ("sh", "-c", command.line, "sh", *command.parameters)
        process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=command.directory or None,
            env={**os.environ, **command.environment},
            start_new_session=True,
        )
        try:
            stdout, stderr = process.communicate(command.stdin, timeout=deadline.remaining())
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise TimeUp("the command took longer than its limit") from None
        if max(len(stdout), len(stderr)) > command.output_limit:
            raise Failed(f"the output is larger than {command.output_limit} bytes")
        code = process.returncode
        return Result(code if code >= 0 else 128 - code, stdout, stderr)

    def read(self, path: str, deadline: Deadline, *, limit: int = 50 * 1024 * 1024) -> bytes:
        """Return a file's bytes. Raise Failed when it is missing or too large."""
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise Failed(f"{path}: cannot be read: {error.strerror}") from None
        if len(data) > limit:
            raise Failed(f"{path}: larger than {limit} bytes")
        return data

    def write(self, path: str, data: bytes, deadline: Deadline, *, mode: int = 0o600) -> None:
        """Write a file whole."""
        part = Path(path + ".part")
        part.write_bytes(data)
        part.chmod(mode)
        part.rename(path)

    def stream(self, command: Command, deadline: Deadline, sink: Callable[[bytes], None]) -> Result:
        """Hand stdout to `sink` in pieces of an odd size, so that lines are cut anywhere."""
        result = self.run(command, deadline)
        for start in range(0, len(result.stdout), 4093):
            sink(result.stdout[start : start + 4093])
        return Result(result.exit_code, b"", result.stderr)

    def close(self) -> None:
        """Nothing outlives a command here."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What the record knows: outputs of an earlier run (None: the first time), reports by kind."""

    earlier: Mapping[str, Any] | None = None
    reports: Mapping[str, bytes] = field(default_factory=dict)
    held: Sequence[Mapping[str, Any]] = ()
    accepts: Sequence[Mapping[str, Any]] = ()
    kept: Path = Path("/nowhere")
    past: Sequence[tuple[str, Mapping[str, Any]]] = ()
    signatures: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def latest(self) -> Mapping[str, Any] | None:
        """Outputs of the earlier run."""
        return self.earlier

    def report(self, kind: str) -> bytes:
        """The report of that kind."""
        return self.reports[kind]

    def problems(self) -> Sequence[Mapping[str, Any]]:
        """The problems in hand."""
        return self.held

    def accepted(self) -> Sequence[Mapping[str, Any]]:
        """What people accepted."""
        return self.accepts

    def secret_key(self, name: str) -> bytes:
        """A key of that name."""
        return hashlib.sha256(name.encode()).digest()

    def evidence(self, sha256: str) -> bytes:
        """What the call kept."""
        path = self.kept / sha256
        if not path.is_file():
            raise Failed(f"evidence {sha256}: cannot be read")
        return path.read_bytes()

    def expired(self, today: date) -> Sequence[Mapping[str, Any]]:
        """Nothing is over."""
        return ()

    def delete_expired(self, today: date) -> Sequence[Mapping[str, Any]]:
        """Nothing is deleted."""
        return ()

    def latest_with(self, action: str, output: str, key: str, value: str) -> Mapping[str, Any] | None:
        """The latest of the `past` with that value."""
        fitting = (
            out for name, out in reversed(self.past) if name == action and (out.get(output) or {}).get(key) == value
        )
        return next(fitting, None)

    def outcomes(self, action: str) -> Sequence[Mapping[str, Any]]:
        """Those of the `past` of that action: whole events where they are, else good ones with these outputs."""
        return [
            out
            if "outputs" in out
            else {"run": "r", "at": NOW.isoformat(), "status": "ok", "outputs": out, "evidence": []}
            for name, out in self.past
            if name == action
        ]

    def signed(self, sha256: str) -> Mapping[str, Any] | None:
        """Who signed it, as the test says."""
        return self.signatures.get(sha256)


def nobody_to_write_to() -> Notifier:
    """For actions that write to nobody."""
    raise AssertionError("this call has no notifier")


def make_call(
    action: Action,
    inputs: Mapping[str, Any] | None = None,
    *,
    directory: Path,
    target: Mapping[str, Any] | None = None,
    connect: Callable[[], Connection] = LocalConnection,
    limit: float = 20.0,
    now: datetime = NOW,
    earlier: Mapping[str, Any] | None = None,
    reports: Mapping[str, bytes] | None = None,
    problems: Sequence[Mapping[str, Any]] = (),
    accepted: Sequence[Mapping[str, Any]] = (),
    past: Sequence[tuple[str, Mapping[str, Any]]] = (),
    signatures: Mapping[str, Mapping[str, Any]] | None = None,
    office: Mapping[str, Any] | None = None,
    run_as: str = "",
    effect: Effect | None = None,
    notifier: Callable[[], Notifier] = nobody_to_write_to,
) -> Call:
    """Given an action and its inputs, return a call as the engine makes it: defaults filled, `limit` in seconds."""
    unknown = set(inputs or {}) - set(action.inputs)
    missing = set(action.required()) - set(inputs or {})
    assert not unknown, f"{action.name} has no input {sorted(unknown)}"
    assert not missing, f"{action.name} needs the input {sorted(missing)}"
    defaults = {name: schema["default"] for name, schema in action.inputs.items() if "default" in schema}
    private = directory / "private"
    private.mkdir(exist_ok=True)
    return Call(
        target=target,
        inputs={**defaults, **(inputs or {})},
        deadline=Deadline.after(limit),
        now=now,
        connect=connect,
        keep=keeper(directory / "evidence"),
        record=Memory(earlier, reports or {}, problems, accepted, directory / "evidence", past, signatures or {}),
        office=OFFICE if office is None else office,
        directory=private,
        notifier=notifier,
        run_as=run_as,
        effect=action.effect if effect is None else effect,
    )


def keeper(folder: Path) -> Callable[[str, bytes | Path, str], Evidence]:
    """Given a folder, return a `keep` that stores evidence there by its hash."""

    def keep(name: str, content: bytes | Path, media_type: str) -> Evidence:
        data = content if isinstance(content, bytes) else content.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        folder.mkdir(exist_ok=True)
        (folder / digest).write_bytes(data)
        return Evidence(name, digest, len(data), media_type)

    return keep


def read_evidence(call: Call, evidence: Evidence) -> bytes:
    """Given a call of `make_call` and evidence it kept, return the kept bytes."""
    return (call.directory.parent / "evidence" / evidence.sha256).read_bytes()


def assert_fits(action: Action, outputs: Mapping[str, Any]) -> None:
    """Assert that outputs are exactly those the action declares, each of its declared type."""
    from jsonschema import Draft202012Validator

    assert set(outputs) == set(action.outputs)
    for name, schema in action.outputs.items():
        Draft202012Validator(dict(schema)).validate(outputs[name])
