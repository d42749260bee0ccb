"""A court's website to back up, break and restore: Debian's WordPress with MariaDB, an application of its own with
PostgreSQL beside it, nginx, php-fpm, and an SSH login of a plain account. All on this machine, nothing as root.

with wordpress_lab() as site:
    status, page = site.get("/")
    site.mariadb.sql("SELECT count(*) FROM wp_posts", site.database)
"""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
import socket
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.mariadb import MariaDB, running_mariadb
from tests.postgresql import PASSWORD, USER, PostgreSQL, running_postgresql
from tests.processes import await_ready, give_away, kept_running, plainly
from tests.sshd import SshServer, ssh_server

PACKAGE = Path("/usr/share/wordpress")
INSTALL = "apt-get install wordpress wordpress-theme-twentytwentythree php-fpm php-cli php-mysql php-pgsql nginx-light"
CASES = Path(__file__).parent / "cases" / "wordpress"
POSTS = 12
ODD_NAMES = (
    b"putusan 12.pdf",
    b"baris\nbaru.txt",
    b"bukan-utf8-\xff\xfe.txt",
    b"-rf",
    b"--checkpoint-action=exec=sh",
    b"Besar.txt",
    b"besar.txt",
    b"tanda'kutip\"ganda`.txt",
    b"garis\\miring.txt",
    b"dolar$HOME*?.txt",
    "keputusan-é-😀.txt".encode(),
    b" spasi ",
    b".tersembunyi",
    b"titik.",
    b"n" * 250,
)


@dataclass(frozen=True, slots=True)
class WordPress:
    """A running site: `root` is its folder, `database` MariaDB's, `register` PostgreSQL's; `home` is the account's."""

    folder: Path
    url: str
    mariadb: MariaDB
    postgresql: PostgreSQL
    ssh: SshServer
    database: str
    password: str
    register: str

    @property
    def root(self) -> Path:
        """The folder that nginx serves."""
        return self.folder / "site"

    @property
    def access_log(self) -> Path:
        """What nginx writes of each request, in the combined format."""
        return self.folder / "access.log"

    def get(self, path: str) -> tuple[int, str]:
        """Status and text of a page, fetched without following anything outside."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=60) as answer:
                return answer.status, answer.read().decode("utf-8", "replace")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode("utf-8", "replace")

    def pages(self) -> dict[str, tuple[int, str]]:
        """All pages of the site by path: the front page, each post, the register from PostgreSQL."""
        posts = [f"/?p={number}" for number in self._posts()]
        return {path: self.get(path) for path in ("/", "/perkara.php", *posts)}

    def php(self, code: str) -> str:
        """Run PHP with WordPress loaded, as the plain account; return what it prints."""
        words = plainly([_program("php"), "-d", "display_errors=stderr", "-r", _LOAD + code])
        done = subprocess.run(words, cwd=self.root, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _posts(self) -> list[str]:
        return self.mariadb.sql(
            "SELECT ID FROM wp_posts WHERE post_status='publish' AND post_type IN ('post','page') ORDER BY ID",
            self.database,
        ).split()


@contextmanager
def wordpress_lab(posts: int = POSTS) -> Iterator[WordPress]:
    """Install a site with that many posts, serve it, and take all away; about ten seconds."""
    assert PACKAGE.is_dir(), f"WordPress is needed for this test: {INSTALL}"
    folder = Path(tempfile.mkdtemp(prefix="wp-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, os.fsencode(folder))
        folder.chmod(0o711)
        mariadb, postgresql = stack.enter_context(running_mariadb()), stack.enter_context(running_postgresql())
        mariadb.folder.chmod(0o711)
        ssh = stack.enter_context(ssh_server(folder / "ssh", options=_plain_login(folder)))
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        register = stack.enter_context(postgresql.database())
        site = WordPress(folder, url, mariadb, postgresql, ssh, "situs", secrets.token_urlsafe(12) + "'\\", register)
        _lay_out(site)
        stack.enter_context(_served(site, listener))
        _install(site, posts)
        yield site


def _plain_login(folder: Path) -> dict[str, str]:
    """Options of sshd for a login that is a plain account whoever runs the tests; SFTP as hosts offer it."""
    home = folder / "home"
    enter = shlex.join(plainly(["env", f"HOME={home}", f"USER={_account()}", f"LOGNAME={_account()}", "/bin/sh", "-c"]))
    force = {"ForceCommand": f'cd {home} && exec {enter} "${{SSH_ORIGINAL_COMMAND:-exec /bin/sh}}"'}
    return {"Subsystem": "sftp /usr/lib/openssh/sftp-server", **(force if os.geteuid() == 0 else {})}


def _account() -> str:
    return "nobody"


def _lay_out(site: WordPress) -> None:
    """Put all files in place and hand them to the account."""
    (site.folder / "home").mkdir()
    (site.folder / "tmp").mkdir()
    shutil.copytree(PACKAGE, site.root, ignore_dangling_symlinks=True)
    (site.root / "wp-config.php").write_text(_config(site))
    shutil.copy(CASES / "perkara.php", site.root / "perkara.php")
    dsn = f"pgsql:host={site.postgresql.folder};port={site.postgresql.port};dbname={site.register}"
    settings = {"DSN": dsn, "USER": USER, "PASSWORD": PASSWORD}
    lines = [f"define('REGISTER_{name}', {_php(value)});\n" for name, value in settings.items()]
    (site.root / "perkara-config.php").write_text("<?php\n" + "".join(lines))
    _upload(site.root / "wp-content" / "uploads" / "2026" / "11")
    for part in (site.root, site.folder / "home", site.folder / "tmp"):
        give_away(part)
    (site.root / "wp-config.php").chmod(0o640)


def _config(site: WordPress) -> str:
    text = (PACKAGE / "wp-config-sample.php").read_text()
    told = {
        "database_name_here": site.database,
        "username_here": site.database,
        "password_here": site.password,
        "localhost": f"localhost:{site.mariadb.socket}",
    }
    for sample, value in told.items():
        text = text.replace(f"'{sample}'", _php(value))
    more = f"define( 'WP_HOME', '{site.url}' );\ndefine( 'WP_SITEURL', '{site.url}' );\n"
    more += "define( 'WP_HTTP_BLOCK_EXTERNAL', true );\ndefine( 'DISABLE_WP_CRON', true );\n"
    assert "/* That's all" in text
    return text.replace("/* That's all", more + "\n/* That's all")


def _php(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _upload(folder: Path) -> None:
    """Every kind of name and file there is: odd names, two names of one file, a hole, links, an empty folder."""
    folder.mkdir(parents=True)
    for number, name in enumerate(ODD_NAMES):
        Path(os.fsdecode(os.path.join(os.fsencode(folder), name))).write_bytes(b"isi %d\n" % number * 50)
    (folder / "foto.jpg").write_bytes(secrets.token_bytes(200_000))
    os.link(folder / "foto.jpg", folder / "foto-juga.jpg")
    with (folder / "lubang.bin").open("wb") as sparse:
        sparse.truncate(5_000_000)
        sparse.seek(4_000_000)
        sparse.write(b"isi")
    (folder / "terbaru.jpg").symlink_to("foto.jpg")
    (folder / "keluar").symlink_to("/etc/hostname")
    (folder / "putus").symlink_to("tidak-ada")
    (folder / "kosong").mkdir()
    (folder / "nol.txt").touch()


@contextmanager
def _served(site: WordPress, listener: socket.socket) -> Iterator[None]:
    """Run php-fpm and nginx; nginx is handed its listening socket, so that no port is ever guessed."""
    settings = {"folder": str(site.folder), "port": str(listener.getsockname()[1])}
    for name in ("nginx.conf", "php-fpm.conf"):
        text = (CASES / name).read_text()
        for key, value in settings.items():
            text = text.replace(f"@{key}@", value)
        (site.folder / name).write_text(text)
    log = site.folder / "servers.log"
    for name in ("access.log", "error.log"):
        (site.folder / name).touch()
        give_away(site.folder / name)
    run_php = [_program("php-fpm"), "--nodaemonize", "--fpm-config", str(site.folder / "php-fpm.conf")]
    run_nginx = [_program("nginx"), "-p", str(site.folder), "-e", "error.log", "-c", str(site.folder / "nginx.conf")]
    inherit = {"NGINX": f"{listener.fileno()};"}
    with (
        kept_running(run_php, log) as php,
        kept_running(run_nginx, log, environment=inherit, files=[listener.fileno()]) as nginx,
    ):
        await_ready(php, log, (site.folder / "tmp" / "php.sock").exists)
        await_ready(nginx, log, lambda: site.get("/readme.html")[0] == 200)
        yield


def _install(site: WordPress, posts: int) -> None:
    """Fill both databases: WordPress by its own installer, the register by its own tables."""
    quoted = site.password.replace("\\", "\\\\").replace("'", "''")
    site.mariadb.sql(
        f"CREATE DATABASE {site.database} CHARACTER SET utf8mb4;"
        f"CREATE USER {site.database}@localhost IDENTIFIED BY '{quoted}';"
        f"GRANT ALL ON {site.database}.* TO {site.database}@localhost"
    )
    site.postgresql.sql((CASES / "perkara.sql").read_text(), site.register)
    site.php((CASES / "install.php").read_text().removeprefix("<?php\n").replace("@posts@", str(posts)))


_LOAD = """
define('WP_INSTALLING', !file_exists('wp-content/installed'));
$_SERVER['HTTP_HOST'] = '127.0.0.1';
require 'wp-load.php';
"""


def _program(name: str) -> str:
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
    found = shutil.which(name, path=path) or _newest(name)
    assert found, f"{name} is needed for this test: {INSTALL}"
    return found


def _newest(name: str) -> str | None:
    """Debian's php-fpm carries its version in its name."""
    return max((str(path) for path in Path("/usr/sbin").glob(f"{name}[0-9]*")), default=None)
