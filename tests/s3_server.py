"""S3-compatible storage on 127.0.0.1: moto's server, in a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

KEYS = {"access_key": "pn-contoh", "secret_key": "rahasia-s3"}


@contextmanager
def s3_server() -> Iterator[str]:
    """Run the server and yield its address; about three seconds."""
    words = [sys.executable, "-u", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        said = ""
        while not (match := re.search(r"http://127\.0\.0\.1:\d+", said)):
            line = process.stderr.readline()
            assert line, f"moto's server does not start: {said}"
            said += line
        yield match[0]
    finally:
        process.kill()
        process.communicate()
