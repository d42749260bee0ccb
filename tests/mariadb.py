"""A real MariaDB server for tests: its own data and socket in a temporary folder, no network, ended by its owner.

with running_mariadb() as server:
    with server.database() as name:
        server.sql("CREATE TABLE t (a INT)", name)
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# The shell holds the server as its child and ends it when this end of its stdin closes, however the tests end.
_KEEPER = '"$@" </dev/null & read -r nothing; kill -KILL "$!"; wait "$!"'
START_LIMIT = 30.0
USER, PASSWORD = "backup", "s3cret \"quote\" 'tick' back\\slash # hash; é"
_SMALL = ("--innodb-log-file-size=4M", "--innodb-buffer-pool-size=16M", "--innodb-flush-method=nosync")


@dataclass(frozen=True, slots=True)
class MariaDB:
    """A running server; root has no password on its socket, USER has PASSWORD and all rights."""

    folder: Path

    @property
    def socket(self) -> str:
        """Path of its socket."""
        return str(self.folder / "s")

    def sql(self, text: str, database: str = "", *, check: bool = True) -> str:
        """Run statements as root; return the rows, columns apart by tabs."""
        words = ["mariadb", "--no-defaults", "--default-character-set=utf8mb4", "--binary-mode", "-NB", "-uroot"]
        result = self.feed([*words, "-S", self.socket, *([database] if database else [])], text.encode())
        assert result.returncode == 0 or not check, result.stderr.decode()
        return result.stdout.decode()

    def feed(self, words: list[str], data: bytes) -> subprocess.CompletedProcess[bytes]:
        """Run a client with that standard input."""
        return subprocess.run(words, input=data, capture_output=True, timeout=60, check=False)

    @contextmanager
    def database(self) -> Iterator[str]:
        """A database of its own name, dropped at the end."""
        name = "t_" + secrets.token_hex(4)
        self.sql(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        try:
            yield name
        finally:
            self.sql(f"DROP DATABASE {name}")


@contextmanager
def running_mariadb() -> Iterator[MariaDB]:
    """Start a server and end it; about two seconds. Fail with what to install where there is none."""
    server, install = _find("mariadbd"), _find("mariadb-install-db")
    folder = Path(tempfile.mkdtemp(prefix="db-"))  # short: a socket's path has at most 107 bytes
    user = ["--user=root"] if os.geteuid() == 0 else []
    data = [f"--datadir={folder / 'data'}", *user, *_SMALL]
    try:
        installed = subprocess.run(
            [install, "--no-defaults", *data, "--auth-root-authentication-method=normal", "--skip-test-db"],
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert installed.returncode == 0, installed.stdout.decode() + installed.stderr.decode()
        with _serving([server, "--no-defaults", *data], folder) as running:
            quoted = PASSWORD.replace("\\", "\\\\").replace("'", "''")
            running.sql(f"CREATE USER {USER}@localhost IDENTIFIED BY '{quoted}'; GRANT ALL ON *.* TO {USER}@localhost")
            yield running
    finally:
        shutil.rmtree(folder)


def _find(program: str) -> str:
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
    found = shutil.which(program, path=path)
    assert found, f"{program} is needed for this test: apt-get install mariadb-server"
    return found


@contextmanager
def _serving(words: list[str], folder: Path) -> Iterator[MariaDB]:
    running = MariaDB(folder)
    (folder / "tmp").mkdir()  # of its own: a server that starts deletes the temporary tables of those that share one
    words += [f"--socket={running.socket}", "--skip-networking", "--innodb-flush-log-at-trx-commit=0"]
    words += [f"--tmpdir={folder / 'tmp'}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(["sh", "-c", _KEEPER, "sh", *words], stdin=subprocess.PIPE, stdout=log, stderr=log)
    try:
        _await(running, process)
        yield running
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(START_LIMIT)


def _await(running: MariaDB, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_LIMIT
    while not os.path.exists(running.socket):
        log = (running.folder / "log").read_text()
        assert process.poll() is None, log
        assert time.monotonic() < until, log
        time.sleep(0.02)
    assert running.sql("SELECT 1") == "1\n"
