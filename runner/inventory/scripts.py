"""Runs a program that prints an inventory, within limits."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from pathlib import Path
from typing import IO

from runner.errors import Refused, refuse
from runner.messages import readable

SECONDS = 30.0
LARGEST_OUTPUT = 32 * 1024 * 1024
MOST_COMPLAINT = 2000


def run_inventory_script(path: Path, *, seconds: float = SECONDS) -> str:
    """Given an executable, run it with `--list` and return what it printed. Raise Refused if it fails."""
    try:
        process = subprocess.Popen(  # noqa: S603  # the user named this program as the inventory
            [str(path.absolute()), "--list"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise refuse(str(path), f"cannot be run: {error.strerror or error}", "check its first line") from None
    with process:
        try:
            output, complaint = _collect(path, process, time.monotonic() + seconds)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    return _checked(path, process.returncode, output, complaint)


def _collect(path: Path, process: subprocess.Popen[bytes], until: float) -> tuple[bytes, bytes]:
    streams: dict[IO[bytes] | None, bytearray] = {process.stdout: bytearray(), process.stderr: bytearray()}
    with selectors.DefaultSelector() as selector:
        for stream in streams:
            selector.register(stream or 0, selectors.EVENT_READ, streams[stream])
        while selector.get_map():
            ready = selector.select(max(0.0, until - time.monotonic()))
            if not ready:
                raise _slow(path)
            for key, _ in ready:
                chunk = os.read(key.fd, 65536)
                key.data.extend(chunk)
                if not chunk:
                    selector.unregister(key.fileobj)
                if len(key.data) > LARGEST_OUTPUT:
                    raise refuse(str(path), f"it printed more than {LARGEST_OUTPUT} bytes", "let it print less")
    try:
        process.wait(max(0.0, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise _slow(path) from None
    return bytes(streams[process.stdout]), bytes(streams[process.stderr])


def _slow(path: Path) -> Refused:
    return refuse(str(path), "it was not ready in time", f"let it answer --list within {SECONDS:g} seconds")


def _checked(path: Path, code: int, output: bytes, complaint: bytes) -> str:
    said = readable(complaint.decode(errors="replace").strip()[-MOST_COMPLAINT:], " ")
    if code != 0:
        raise refuse(str(path), f"it ended with exit code {code}: {said}", "run it with --list by hand")
    try:
        text = output.decode()
    except UnicodeDecodeError:
        raise refuse(str(path), "what it printed is not UTF-8", "let it print UTF-8") from None
    if not text.lstrip().startswith("{"):
        raise refuse(str(path), f"it printed no JSON object {said}".rstrip(), "run it with --list by hand")
    return text
