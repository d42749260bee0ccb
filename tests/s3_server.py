"""S3-compatible storage on 127.0.0.1: moto's server, in a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.processes import await_ready

KEYS = {"access_key": "pn-contoh", "secret_key": "rahasia-s3"}
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+(?=\s)")


@contextmanager
def s3_server() -> Iterator[str]:
    """Run the server and yield its address; about three seconds."""
    words = [sys.executable, "-u", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with tempfile.TemporaryDirectory(prefix="s3-") as folder:
        log = Path(folder) / "log"
        with log.open("wb") as said:
            process = subprocess.Popen(words, stdout=said, stderr=said)
        try:
            await_ready(process, log, lambda: bool(_ADDRESS.search(log.read_text())))
            match = _ADDRESS.search(log.read_text())
            assert match
            yield match[0]
        finally:
            process.kill()
            process.wait()
