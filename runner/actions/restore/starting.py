"""Starts a restored site on this machine for a moment and asks it for a page, as `php -S` can.

The site's programs are strangers here: they may reach their own folder only, start nothing, send no mail and open no
connection but to the database of the drill. Their own configuration is not executed with the live database's name.
"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from runner.actions.backup.dumps import Database
from runner.actions.backup.php import parse_constants
from runner.actions.restore.throwaway import NoServer, kept_server, plainly
from runner.durations import Deadline
from runner.errors import Failed

LARGEST_PAGE = 4 * 1024 * 1024
_PATIENCE = 30.0
_HOPS = 5
_BROKEN = re.compile(rb"Error establishing a database connection|Fatal error|Could not connect to database", re.I)
_TITLE = re.compile(rb"<title[^>]*>(.*?)</title>", re.I | re.S)
_DISABLED = (
    "exec,shell_exec,system,passthru,proc_open,popen,pcntl_exec,pcntl_fork,dl,mail,fsockopen,pfsockopen,"
    "stream_socket_client,stream_socket_server,socket_create,curl_exec,curl_multi_exec,ftp_connect,ftp_ssl_connect,"
    "link,symlink,putenv"
)
_WORDPRESS = {"DISABLE_WP_CRON": "true", "WP_HTTP_BLOCK_EXTERNAL": "true", "AUTOMATIC_UPDATER_DISABLED": "true"}
_JOOMLA = {"mailonline": "0", "live_site": "", "force_ssl": "0", "caching": "0", "session_handler": "filesystem"}


class Page(NamedTuple):
    """What a site answered: status, title, and why it is not what it should be ("" where it is)."""

    status: int
    title: str
    fault: str


def visit_restored(
    scratch: Path, database: Database | None, path: str, marker: str, work: Path, deadline: Deadline
) -> Page:
    """Given a restored folder and its database, start the site, and return the page at `path`. Raise NoServer where it
    cannot be started here, Failed where it does not start."""
    php = shutil.which("php")
    if not php:
        raise NoServer("PHP is not installed here: apt-get install php-cli php-mysql php-pgsql")
    if not any((scratch / name).exists() for name in ("index.php", "index.html")):
        raise NoServer("there is neither index.php nor index.html at the top of it")
    port = _free_port()
    prepend = work / "prepend.php"
    prepend.write_text(_prepare(scratch, database, port), encoding="utf-8")
    with _served(php, scratch, prepend, port, work, deadline):
        return _ask(port, path, marker, deadline)


def _prepare(scratch: Path, database: Database | None, port: int) -> str:
    """Point the site at the drill's database; return PHP that runs before its own: the first definition counts."""
    url = f"http://127.0.0.1:{port}"
    constants = {"WP_HOME": _php(url), "WP_SITEURL": _php(url), **_WORDPRESS}
    if database:
        host = f"localhost:{database.socket}" if database.socket else f"{database.host}:{database.port or 3306}"
        values = {"DB_NAME": database.name, "DB_USER": database.user, "DB_PASSWORD": database.password, "DB_HOST": host}
        constants |= {name: _php(value) for name, value in values.items()}
        _point_joomla(scratch / "configuration.php", database, host)
    named = parse_constants(_text(scratch / "wp-config.php"))
    lines = [f"define('{name}', {value});" for name, value in constants.items() if named or name in _WORDPRESS]
    return "<?php\n" + "\n".join(lines) + "\n"


def _point_joomla(path: Path, database: Database, host: str) -> None:
    text = _text(path)
    if "class JConfig" not in text:
        return
    told = {**_JOOMLA, "host": host, "user": database.user, "password": database.password, "db": database.name}
    for name, value in told.items():
        new = f"public ${name} = {_php(value)};"
        text = re.sub(rf"public\s+\${name}\s*=\s*[^;\n]*;", lambda _, new=new: new, text)  # type: ignore[misc]  # bound now
    path.chmod(0o600)
    path.write_text(text, encoding="utf-8")


@contextmanager
def _served(php: str, scratch: Path, prepend: Path, port: int, work: Path, deadline: Deadline) -> Iterator[None]:
    become = plainly(scratch)
    if become:
        for folder in (scratch.parent, work):
            folder.chmod(0o711)
        prepend.chmod(0o644)
        if subprocess.run([*become, "test", "-r", str(scratch)], check=False).returncode != 0:  # noqa: S603 - words
            raise NoServer(f"a plain account may not enter {scratch.parent.parent}: name another `scratch`")
    settings: Mapping[str, str] = {
        "auto_prepend_file": str(prepend),
        "disable_functions": _DISABLED,
        "open_basedir": f"{scratch}:{prepend}:/usr/share",
        "allow_url_fopen": "0",
        "allow_url_include": "0",
        "sendmail_path": "/bin/false",
        "display_errors": "0",
        "max_execution_time": "20",
        "memory_limit": "256M",
        "session.save_path": str(scratch),
        "sys_temp_dir": str(scratch),
        "upload_tmp_dir": str(scratch),
    }
    flags = [word for name, value in settings.items() for word in ("-d", f"{name}={value}")]
    words = [*become, php, *flags, "-S", f"127.0.0.1:{port}", "-t", str(scratch)]
    with kept_server(words, work, "TERM", lambda: _listens(port), deadline):
        yield


def _ask(port: int, path: str, marker: str, deadline: Deadline) -> Page:
    for _ in range(_HOPS):
        status, where, body = _get(port, path, deadline)
        if status not in (301, 302, 303, 307, 308):
            break
        parts = urlsplit(urljoin(f"http://127.0.0.1:{port}{path}", where))
        if parts.port != port:
            return Page(status, "", f"it leads elsewhere: {where[:100]}")
        path = parts.path + (f"?{parts.query}" if parts.query else "")
    match = _TITLE.search(body)
    title = " ".join(match[1].decode("utf-8", "replace").split())[:200] if match else ""
    if status != 200:
        return Page(status, title, f"it answers {status}")
    if broken := _BROKEN.search(body):
        return Page(status, title, broken[0].decode())
    if marker and marker.encode() not in body:
        return Page(status, title, f"its page lacks '{marker}'")
    return Page(status, title, "" if body.strip() else "its page is empty")


def _get(port: int, path: str, deadline: Deadline) -> tuple[int, str, bytes]:
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=min(_PATIENCE, deadline.remaining()))
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Location", ""), answer.read(LARGEST_PAGE)
    except (OSError, http.client.HTTPException) as error:
        raise Failed(f"the restored site gives no answer: {error}") from None
    finally:
        connection.close()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def _php(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
