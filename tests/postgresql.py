"""A real PostgreSQL server for tests, on a socket of its own, run by a plain account."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.processes import await_ready, give_away, kept_running, plainly

ADMIN, USER, PASSWORD = "admin", "backup", "s3cret:\"quote\" 'tick' back\\slash # hash; é"
_QUICK = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "shared_buffers=16MB", "autovacuum=off")


@dataclass(frozen=True, slots=True)
class PostgreSQL:
    """A running server; both accounts log in by password, USER reads and writes everything."""

    folder: Path
    bin: Path
    port: int = 5432  # of a socket in its own folder: nobody else's

    def sql(self, text: str, database: str = "postgres", *, check: bool = True) -> str:
        """Run statements as the administrator; return the rows, columns apart by tabs."""
        result = self.feed(
            ["psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", database], text.encode()
        )
        assert result.returncode == 0 or not check, result.stderr.decode()
        return result.stdout.decode()

    def feed(self, words: list[str], data: bytes) -> subprocess.CompletedProcess[bytes]:
        """Run a client as the administrator with that standard input."""
        login = {"PGHOST": str(self.folder), "PGPORT": str(self.port), "PGUSER": ADMIN}
        login["PGPASSFILE"] = str(self.folder / "pgpass")  # tests look for passwords in environments
        return subprocess.run(
            words, input=data, capture_output=True, timeout=120, check=False, env={**os.environ, **login}
        )

    @contextmanager
    def database(self) -> Iterator[str]:
        """A database of its own name, dropped at the end."""
        name = "t_" + secrets.token_hex(4)
        self.sql(f"CREATE DATABASE {name} OWNER {USER}")
        try:
            yield name
        finally:
            self.sql(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def running_postgresql() -> Iterator[PostgreSQL]:
    """Start a server and end it; about three seconds. Fail with what to install where there is none."""
    programs = _find_programs()
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # short: a socket's path has at most 107 bytes
    try:
        folder.chmod(0o711)
        (folder / "password").write_text(PASSWORD + "\n")
        give_away(folder)
        escaped = PASSWORD.replace("\\", "\\\\").replace(":", "\\:")
        (folder / "pgpass").write_text(f"*:*:*:{ADMIN}:{escaped}\n")
        (folder / "pgpass").chmod(0o600)
        words = [programs / "initdb", "-D", folder / "data", "-U", ADMIN, "-A", "scram-sha-256", "--no-sync"]
        words += ["--encoding=UTF8", "--locale=C.UTF-8", f"--pwfile={folder / 'password'}"]
        made = subprocess.run(plainly([str(w) for w in words]), capture_output=True, timeout=120, check=False, cwd="/")
        assert made.returncode == 0, made.stdout.decode() + made.stderr.decode()
        settings = (*_QUICK, "listen_addresses=", f"unix_socket_directories={folder}", "unix_socket_permissions=0777")
        start = [str(programs / "postgres"), "-D", str(folder / "data"), *(w for s in settings for w in ("-c", s))]
        running = PostgreSQL(folder, programs)
        with kept_running(start, folder / "log", signal="QUIT") as keeper:
            await_ready(keeper, folder / "log", lambda: running.feed(["psql", "-X", "postgres"], b"").returncode == 0)
            quoted = PASSWORD.replace("'", "''")
            running.sql(f"CREATE USER {USER} SUPERUSER PASSWORD '{quoted}'")
            yield running
    finally:
        shutil.rmtree(folder)


def _find_programs() -> Path:
    """The folder of the newest server: Debian keeps its programs out of the PATH."""
    found = [*Path("/usr/lib/postgresql").glob("*/bin/initdb"), *_on_path()]
    assert found, "PostgreSQL is needed for this test: apt-get install postgresql"
    return max(found, key=lambda path: (len(path.parts[-3]), path.parts[-3])).parent


def _on_path() -> list[Path]:
    plain = shutil.which("initdb")
    return [Path(plain).resolve()] if plain else []
