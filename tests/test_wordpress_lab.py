"""The lab itself: a real site that answers, the same each time, and a plain account that reaches it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from runner.connections import Connections
from runner.contract import Command
from runner.durations import Deadline
from tests.connections.conftest import target_of
from tests.wordpress_lab import ODD_NAMES, POSTS, WordPress, wordpress_lab

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def site() -> Iterator[WordPress]:
    with wordpress_lab() as running:
        yield running


def test_every_page_answers_the_same_twice(site: WordPress) -> None:
    pages = site.pages()
    assert {status for status, _ in pages.values()} == {200}
    assert len(pages) > POSTS
    assert "Pengadilan Negeri Contoh" in pages["/"][1]
    assert "200/Pdt.G/2026/PN Cth" in pages["/perkara.php"][1]
    assert site.pages() == pages
    assert "GET /perkara.php HTTP/1.1" in site.access_log.read_text()


def test_a_plain_account_reaches_the_files_and_the_databases(site: WordPress) -> None:
    connections = Connections((site.ssh.known_hosts,))
    try:
        connection, deadline = connections.get(target_of(site.ssh)), Deadline.after(60)
        asked = Command(
            line='id -u; cd "$1" && ls -A0 2>/dev/null || find . -type f -print0', parameters=(uploads(site),)
        )
        uid, _, names = connection.run(asked, deadline).stdout.partition(b"\n")
        assert uid != b"0"
        assert {name.removeprefix(b"./") for name in names.split(b"\0")} >= set(ODD_NAMES)
        query = ("mariadb", f"-u{site.database}", f"-p{site.password}", f"-S{site.mariadb.socket}", "-Ne")
        rows = connection.run(Command(argv=(*query, "SELECT COUNT(*) FROM wp_posts", site.database)), deadline)
        assert int(rows.stdout) >= POSTS, rows.stderr
    finally:
        connections.close()


def uploads(site: WordPress) -> str:
    return os.fspath(site.root / "wp-content/uploads/2026/11")
