"""References to secrets, and where their values come from; masking stands here too, so that this is the one door.

A secret comes from the environment, a file that only its owner can read, a keyring, or the first line that a command
prints. The command runs without a shell; what it writes to stderr is not shown, as that might hold the secret.
"""

from __future__ import annotations

import importlib.util
import os
import re
import selectors
import signal
import stat
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from runner.durations import Deadline
from runner.errors import Failed
from runner.redactor import Redactor, was_masked

__all__ = ["Redactor", "SecretReference", "resolve_secret", "was_masked"]

COMMAND_LIMIT = 10.0
LARGEST_SECRET = 16 * 1024

Source = Literal["env", "file", "keyring", "command"]

_FORMS = "write {env: NAME}, {file: PATH}, {keyring: SERVICE/USER} or {command: [PROGRAM, ARGUMENT, …]}"


@dataclass(frozen=True, slots=True)
class SecretReference:
    """Where a secret comes from; `place` is a name, a path, "service/user", or a command word by word."""

    source: Source
    place: tuple[str, ...]

    @classmethod
    def parse(cls, value: object) -> SecretReference:
        """Given a reference as the inventory writes it, return it. Raise ValueError, with a cure, if it is none."""
        if not isinstance(value, Mapping) or len(value) != 1:
            raise ValueError(f"a secret is given by one reference, never as its value. {_FORMS}")
        source, place = next(iter(value.items()))
        if source not in _PLACES:
            raise ValueError(f"{str(source)[:40]!r} is no place for a secret. {_FORMS}")
        words = place if source == "command" and isinstance(place, list) else [place]
        if not words or not all(isinstance(word, str) and "\0" not in word for word in words) or not words[0]:
            raise ValueError(f"what '{source}' names is missing or not text. {_FORMS}")
        pattern, cure = _PLACES[source]
        if not re.fullmatch(pattern, words[0], re.DOTALL) or (source == "command" and not isinstance(place, list)):
            raise ValueError(f"'{source}' does not name a place. {cure}")
        return cls(cast(Source, source), tuple(words))


_PLACES = {
    "env": (r"[A-Za-z_][A-Za-z0-9_]*", "write the name of an environment variable: {env: DB_PASSWORD}"),
    "file": (r".+", "write the path of a file: {file: ~/.config/sop/db}"),
    "keyring": (r".*[^/]/[^/]+", "write service and user: {keyring: sop/db}"),
    "command": (r".+", "write the program and its arguments as a list: {command: [pass, show, db]}"),
}


def resolve_secret(name: str, reference: SecretReference) -> str:
    """Given a secret's name and reference, return its value. Raise Failed, with a cure, if there is none."""
    fetch = {"env": _from_environment, "file": _from_file, "keyring": _from_keyring, "command": _from_command}
    try:
        value = fetch[reference.source](reference.place)
    except UnicodeDecodeError:
        raise Failed(f"secret '{name}': not UTF-8 text. store it as text") from None
    except _NoSecretError as error:
        raise Failed(f"secret '{name}': {error}") from None
    if not value.strip():
        raise Failed(f"secret '{name}': {reference.source} {reference.place[0]!r} holds nothing. store a value there")
    return value


class _NoSecretError(Exception):
    """Why a secret could not be fetched, and what to do."""


def _from_environment(place: Sequence[str]) -> str:
    if place[0] not in os.environ:
        raise _NoSecretError(f"the environment variable {place[0]} is not set. set it before the run")
    return _text(os.fsencode(os.environ[place[0]]))


def _from_file(place: Sequence[str]) -> str:
    path = Path(place[0]).expanduser()
    try:
        # Without O_NONBLOCK a named pipe would hold the run.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError as error:
        raise _NoSecretError(f"the file {path} cannot be read: {error.strerror}. check its path and owner") from None
    try:
        _check_private(path, os.fstat(descriptor))
        content = os.read(descriptor, LARGEST_SECRET + 3)
    finally:
        os.close(descriptor)
    return _text(content.removesuffix(b"\n").removesuffix(b"\r"))


def _check_private(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise _NoSecretError(f"{path} is not a file. keep the secret in a plain file")
    if status.st_uid != os.geteuid():
        raise _NoSecretError(f"the file {path} belongs to another user. run: chown {os.geteuid()} {path}")
    if stat.S_IMODE(status.st_mode) not in (0o600, 0o400):
        mode = stat.S_IMODE(status.st_mode)
        raise _NoSecretError(f"the file {path} has mode {mode:04o}, so others may use it. run: chmod 600 {path}")


def _from_keyring(place: Sequence[str]) -> str:
    if importlib.util.find_spec("keyring") is None:
        raise _NoSecretError("the package 'keyring' is not installed. run: pip install keyring")
    service, _, user = place[0].rpartition("/")
    # In a process of its own, because a locked keyring may ask on a screen that nobody watches.
    argv = [sys.executable, "-P", "-m", "keyring", "get", service, user]
    return _first_line(argv, f"'keyring get {service} {user}'")


def _from_command(place: Sequence[str]) -> str:
    return _first_line(place, repr(place[0]))


def _first_line(argv: Sequence[str], called: str) -> str:
    try:
        process = subprocess.Popen(  # noqa: S603 - the command is the inventory's own, and runs without a shell
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise _NoSecretError(f"the command {called} cannot start: {error.strerror}. check its path") from None
    deadline = Deadline.after(COMMAND_LIMIT)
    try:
        output = _read_all(process, deadline)
        code = process.wait(deadline.remaining())
    except subprocess.TimeoutExpired:
        raise _NoSecretError(
            f"the command {called} took longer than {COMMAND_LIMIT:.0f} s. it must not ask anything"
        ) from None
    finally:
        _end(process)
    if code != 0:
        raise _NoSecretError(f"the command {called} ended with exit code {code}. run it yourself to see why")
    return _text(output.partition(b"\n")[0].removesuffix(b"\r"))


def _read_all(process: subprocess.Popen[bytes], deadline: Deadline) -> bytes:
    assert process.stdout is not None
    data = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while selector.select(deadline.remaining()):
            piece = os.read(process.stdout.fileno(), LARGEST_SECRET)
            data += piece
            if not piece:
                return data
            if len(data) > 4 * LARGEST_SECRET:
                raise _NoSecretError(f"it prints more than {4 * LARGEST_SECRET} bytes. let it print the secret only")
    raise subprocess.TimeoutExpired(process.args, COMMAND_LIMIT)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.stdout is not None:
        process.stdout.close()
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _text(content: bytes) -> str:
    if len(content) > LARGEST_SECRET:
        raise _NoSecretError(f"it is longer than {LARGEST_SECRET} bytes. keep only the secret there")
    return content.decode()
