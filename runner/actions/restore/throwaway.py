"""Database servers of one drill's own: private data, a socket that only this account reaches, ended with the drill.

Nothing of them is shared with any other server: no network, no event scheduler, no file outside the given folder.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from runner.actions.backup.dumps import Database
from runner.durations import Deadline
from runner.errors import Failed, TimeUp

_NOBODY = 65534
_START = 60.0
# The shell holds the server as its child, and ends it when this end of its stdin closes, however this process ends.
_KEEPER = """exec 3<&0
signal=$1; shift
"$@" </dev/null 3<&- & server=$!
{ read -r nothing <&3; kill -"$signal" "$server"; } 2>/dev/null &
wait "$server"
"""
_MARIADB = (
    *("--skip-networking", "--event-scheduler=OFF", "--innodb-flush-log-at-trx-commit=0", "--skip-log-bin"),
    *("--innodb-buffer-pool-size=64M", "--max-allowed-packet=1G", "--character-set-server=utf8mb4"),
)
_POSTGRESQL = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "listen_addresses=", "max_connections=10")


class NoServer(Exception):
    """This machine has no such server; the text says what to install."""


@contextmanager
def throwaway_mariadb(folder: Path, deadline: Deadline) -> Iterator[Database]:
    """Given an empty folder with a short path, give the login to a MariaDB that runs in it. Raise NoServer, Failed."""
    server, install = _find("mariadbd", "mysqld"), _find("mariadb-install-db")
    if not server or not install:
        raise NoServer("no MariaDB server is installed here to try it on: apt-get install mariadb-server")
    socket = folder / "s"
    with suppress(NoServer):
        plainly(folder)  # as root the site's programs run as that account, and reach the socket
    data = [f"--datadir={folder / 'data'}", *(["--user=root"] if os.geteuid() == 0 else [])]
    how = ["--no-defaults", *data, "--auth-root-authentication-method=normal", "--skip-test-db"]
    _prepare([install, *how], deadline)
    words = [server, "--no-defaults", *data, f"--socket={socket}", *_MARIADB]
    with kept_server(words, folder, "TERM", socket.exists, deadline):
        yield Database("", user="root", socket=str(socket))


@contextmanager
def throwaway_postgresql(folder: Path, deadline: Deadline) -> Iterator[Database]:
    """Given an empty folder with a short path, give the login to a PostgreSQL running in it. Raise NoServer, Failed."""
    programs = _postgresql_programs()
    become = plainly(folder)
    data = folder / "data"
    how = ["-D", str(data), "-U", "sop", "-A", "trust", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8"]
    _prepare([*become, str(programs / "initdb"), *how], deadline)
    settings = (*_POSTGRESQL, f"unix_socket_directories={folder}")
    flags = [word for each in settings for word in ("-c", each)]
    words = [*become, str(programs / "postgres"), "-D", str(data), *flags]
    ready = [*become, str(programs / "psql"), "-X", "-h", str(folder), "-U", "sop", "-c", "SELECT 1", "postgres"]
    with kept_server(words, folder, "QUIT", lambda: _succeeds(ready), deadline):
        yield Database("", user="sop", socket=str(folder))


def _postgresql_programs() -> Path:
    """The folder of the newest PostgreSQL's programs: Debian keeps them out of the PATH."""
    plain = shutil.which("initdb")
    found = [*Path("/usr/lib/postgresql").glob("*/bin/initdb"), *([Path(plain).resolve()] if plain else [])]
    if not found:
        raise NoServer("no PostgreSQL server is installed here to try it on: apt-get install postgresql")
    return max(found, key=lambda path: (len(path.parts[-3]), path.parts[-3])).parent


def plainly(folder: Path) -> list[str]:
    """Given a folder, return the words that run a program as a plain account that owns it: root's own, else none.
    Raise NoServer where root cannot."""
    if os.geteuid() != 0:
        return []
    if not shutil.which("setpriv"):
        raise NoServer("it does not run as root, and there is no setpriv here: run sop as a plain account")
    for path in (folder, *folder.rglob("*")):
        os.lchown(path, _NOBODY, _NOBODY)
    return ["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"]


def _find(*names: str) -> str | None:
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
    return next((found for name in names if (found := shutil.which(name, path=path))), None)


def _prepare(words: Sequence[str], deadline: Deadline) -> None:
    try:
        done = subprocess.run(words, capture_output=True, timeout=deadline.remaining(), check=False, cwd="/")  # noqa: S603 - words
    except subprocess.TimeoutExpired:
        raise TimeUp("preparing a database server took longer than the task's limit") from None
    if done.returncode != 0:
        said = (done.stderr or done.stdout).decode("utf-8", "replace").strip().splitlines()[-1:]
        raise Failed(f"{Path(words[-1]).name}: a server to try the backup on cannot be prepared: {' '.join(said)}")


@contextmanager
def kept_server(
    words: Sequence[str], folder: Path, signal: str, ready: Callable[[], bool], deadline: Deadline
) -> Iterator[None]:
    """Run a server until the block ends; its log lies in `folder`. Raise Failed where it does not become ready."""
    log = folder / "log"
    with log.open("wb") as said:
        command = ["/bin/sh", "-c", _KEEPER, "sh", signal, *words]
        keeper = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=said, stderr=said, cwd="/")  # noqa: S603 - words
    try:
        end = time.monotonic() + min(_START, deadline.remaining())
        while not ready():
            if keeper.poll() is not None or time.monotonic() > end:
                lines = log.read_text("utf-8", "replace").strip().splitlines()[-1:]
                raise Failed(f"what the backup is tried on does not start: {' '.join(lines)}. see its package")
            time.sleep(0.05)
        yield
    finally:
        assert keeper.stdin
        keeper.stdin.close()
        keeper.wait(_START)


def _succeeds(words: Sequence[str]) -> bool:
    return subprocess.run(words, capture_output=True, timeout=10, check=False, cwd="/").returncode == 0  # noqa: S603 - words
