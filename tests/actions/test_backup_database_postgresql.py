"""backup.database against a real PostgreSQL."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.actions import backup_seal
from runner.actions.backup.dumps import Database
from runner.actions.backup.pgsql import inspect_pgsql
from runner.actions.backup.postgresql import render_service
from runner.actions.backup_database import ACTION
from runner.errors import Failed
from tests.actions.backups import (
    PathWithout,
    Spoiling,
    assert_refused,
    backup_call,
    files_in,
    processes_seen,
    run_well,
    unpack,
)
from tests.postgresql import ADMIN, PASSWORD, USER, PostgreSQL

REGISTER = (Path(__file__).parents[1] / "cases" / "wordpress" / "perkara.sql").read_text()
TABLES = ["Buku Tamu", "arsip.lama", "baris baru", "bohong", "induk", "kosong", "perkara"]
MORE = r"""
CREATE TABLE "baris
baru" (a int);
CREATE TABLE bohong (a text);
INSERT INTO bohong VALUES ('-- Name: palsu; Type: TABLE; Schema: public; Owner: x'), (E'\\.'), (''),
 ('-- PostgreSQL database dump complete'), ('COPY public.palsu (a) FROM stdin;');
CREATE TABLE induk (a int) PARTITION BY RANGE (a);
CREATE MATERIALIZED VIEW jumlah AS SELECT count(*) FROM perkara;
CREATE FUNCTION salin() RETURNS text LANGUAGE sql AS $$
COPY public.palsu (a) FROM stdin;
$$;
"""
MORE = MORE.replace("LANGUAGE sql AS $$\nCOPY", "LANGUAGE plpgsql AS $$\nbegin return '\nCOPY").replace(
    "stdin;\n$$", "stdin;\n'; end $$"
)


@pytest.fixture(scope="session")
def database(postgresql: PostgreSQL) -> Iterator[str]:
    with postgresql.database() as name:
        postgresql.sql(REGISTER + MORE, name)
        yield name


def login(postgresql: PostgreSQL, name: str, **more: Any) -> dict[str, Any]:
    return {
        "engine": "postgresql",
        "name": name,
        "user": USER,
        "password": PASSWORD,
        "host": str(postgresql.folder),
        **more,
    }


def fingerprint(postgresql: PostgreSQL, name: str) -> str:
    """All rows of all tables, and the definitions of views and functions."""
    listed = "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('public', 'arsip')"
    tables = sorted(postgresql.sql(f"SELECT replace(q, E'\\n', '<br>') FROM ({listed}) AS t(q)", name).splitlines())
    rows = [postgresql.sql(f"SELECT t::text FROM {t} t ORDER BY 1".replace("<br>", "\n"), name) for t in tables]
    views = "SELECT definition FROM pg_views WHERE schemaname = 'public' UNION ALL SELECT definition FROM pg_matviews"
    functions = "SELECT prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1"
    return "\n".join([*tables, *rows, postgresql.sql(views, name), postgresql.sql(functions, name)])


def test_restores_to_the_same_rows_with_plain_tools(postgresql: PostgreSQL, database: str, tmp_path: Path) -> None:
    outputs = run_well(ACTION, backup_call(ACTION, login(postgresql, database), tmp_path))
    part = outputs["part"]
    assert part["tables"] == TABLES
    assert part["views"] == ["jumlah", "putusan"]
    assert (part["format"], part["source"]) == ("pgsql", f"postgresql:{database}")
    assert part["path"].endswith(".pg.sql.zst")
    dump = unpack(part)
    assert len(dump) == outputs["content_bytes"]
    sealed = run_well(backup_seal.ACTION, backup_call(backup_seal.ACTION, {"parts": [part]}, tmp_path))
    assert "psql" in (Path(sealed["set"]) / "PULIHKAN.txt").read_text()
    with postgresql.database() as restored:
        done = postgresql.feed(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", restored], dump)
        assert done.returncode == 0, done.stderr
        assert fingerprint(postgresql, restored) == fingerprint(postgresql, database)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"password": "wrong"}, ("password authentication failed", ". check `user` and `password`")),
        ({"name": "no_such"}, ("does not exist", ". check the database's `name`")),
        ({"host": "/nowhere"}, ("No such file", ". does it run there? check `host`")),
        ({"password": "ends with a space "}, ("ends with a space", ". change it")),
    ],
)
def test_says_why_the_server_refuses(
    postgresql: PostgreSQL, database: str, tmp_path: Path, wrong: dict[str, str], words: tuple[str, str]
) -> None:
    call = backup_call(ACTION, {**login(postgresql, database), **wrong}, tmp_path)
    outcome = ACTION.run(call)
    assert_refused(outcome, "backup.database.incomplete", *words)
    assert PASSWORD not in outcome.message
    assert files_in(tmp_path / "backups") == []
    with pytest.raises(Failed, match=re.escape(words[1])):
        ACTION.preview(call)


def test_refuses_an_empty_database(postgresql: PostgreSQL, tmp_path: Path) -> None:
    with postgresql.database() as name:
        call = backup_call(ACTION, login(postgresql, name), tmp_path)
        assert_refused(ACTION.run(call), "backup.database.incomplete", "it has no tables")
        postgresql.sql("CREATE TABLE t (a INT); CREATE VIEW v AS SELECT * FROM t", name)
        assert_refused(ACTION.run(call), "backup.database.incomplete", "none of its tables has a row")
        run_well(ACTION, call._replace(inputs={**call.inputs, "accept_smaller": True}))
        postgresql.sql("INSERT INTO t VALUES (1)", name)
        assert f"{name} (1 table, about " in ACTION.preview(call).message
        run_well(ACTION, call)


def test_refuses_a_dump_of_another_version(
    postgresql: PostgreSQL, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = PathWithout(tmp_path, "pg_dump")
    complaint = "pg_dump: error: aborting because of server version mismatch"
    (path.folder / "pg_dump").write_text(f"#!/bin/sh\necho '{complaint}' >&2\nexit 1\n")
    (path.folder / "pg_dump").chmod(0o755)
    monkeypatch.setenv("PATH", str(path))
    outcome = ACTION.run(backup_call(ACTION, login(postgresql, database), tmp_path))
    assert_refused(outcome, "backup.database.incomplete", "mismatch", "install a postgresql-client")


def test_keeps_nothing_of_a_dump_that_was_killed_and_shows_no_password(
    postgresql: PostgreSQL, database: str, tmp_path: Path
) -> None:
    """The dump waits at a table that another session holds; then its connection is ended by the server."""
    with Holding(postgresql, database) as holding:
        outcomes: list[Any] = []
        call = backup_call(ACTION, login(postgresql, database), tmp_path)
        thread = threading.Thread(target=lambda: outcomes.append(ACTION.run(call)))
        thread.start()
        number = holding.waiting("pg_dump")
        seen = processes_seen()
        assert any(b"pg_dump\0" in text for text in seen)
        assert not any(b"s3cret" in text for text in seen)
        postgresql.sql(f"SELECT pg_terminate_backend({number})")
        thread.join()
    assert_refused(outcomes[0], "backup.database.incomplete", "the dump ended with exit code")
    assert files_in(tmp_path / "backups") == []


class Holding:
    """A session that keeps the table `induk` for itself until the block ends."""

    def __init__(self, postgresql: PostgreSQL, database: str) -> None:
        self.server, self.database = postgresql, database
        lock = "SET application_name = 'holder'; BEGIN; LOCK induk; SELECT pg_sleep(60)"
        self.thread = threading.Thread(target=lambda: postgresql.sql(lock, database, check=False))

    def __enter__(self) -> Holding:
        self.thread.start()
        self._find("application_name = 'holder' AND wait_event = 'PgSleep'")
        return self

    def __exit__(self, *error: object) -> None:
        self.server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'holder'")
        self.thread.join()

    def waiting(self, program: str) -> str:
        """Number of the session of that program that waits for the lock."""
        return self._find(f"application_name = '{program}' AND wait_event_type = 'Lock'")

    def _find(self, where: str) -> str:
        """Wait until there is such a session: at most ten seconds, in the server itself."""
        asked = f"SELECT pid FROM pg_stat_activity WHERE datname = '{self.database}' AND {where}"
        for _ in range(500):
            if found := self.server.sql(asked).split():
                return found[0]
            self.server.sql("SELECT pg_sleep(0.02)")
        raise AssertionError(self.server.sql("SELECT * FROM pg_stat_activity"))


@pytest.mark.parametrize(
    ("alter", "words"),
    [
        (lambda data: data[: len(data) // 2], "lacks its end mark"),
        (lambda data: data.replace(b"Name: perkara; Type: TABLE;", b"Name: x; Type: TABLE;"), "rows: perkara"),
        (lambda data: re.sub(rb"(COPY arsip.lama .*;\n)(.*\n)*?(\\\.\n)", rb"\1\3", data), "rows: arsip.lama"),
        (lambda data: data.replace(b"Name: putusan; Type: VIEW", b"Name: x; Type: VIEW"), "rows: putusan"),
    ],
)
def test_refuses_a_dump_that_lacks_something(
    postgresql: PostgreSQL,
    database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    alter: Callable[[bytes], bytes],
    words: str,
) -> None:
    call = backup_call(ACTION, login(postgresql, database), tmp_path, connect=lambda: Spoiling(alter))
    monkeypatch.setenv("PATH", str(PathWithout(tmp_path, "zstd")))
    assert_refused(ACTION.run(call), "backup.database.incomplete", words)
    assert files_in(tmp_path / "backups") == []


def test_accepts_a_table_that_the_catalogue_only_thinks_full(
    postgresql: PostgreSQL, database: str, tmp_path: Path
) -> None:
    postgresql.sql("CREATE TABLE sisa AS SELECT 1 AS a; DELETE FROM sisa", database)  # its pages stay until a vacuum
    try:
        assert "sisa" in run_well(ACTION, backup_call(ACTION, login(postgresql, database), tmp_path))["part"]["tables"]
    finally:
        postgresql.sql("DROP TABLE sisa", database)


def test_uses_an_account_without_password_where_the_server_lets_it(
    postgresql: PostgreSQL, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSFILE", str(postgresql.folder / "pgpass"))
    settings = {"engine": "postgresql", "name": database, "user": ADMIN, "socket": str(postgresql.folder)}
    run_well(ACTION, backup_call(ACTION, settings, tmp_path))


def test_says_what_the_server_lacks(postgresql: PostgreSQL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    call = backup_call(ACTION, login(postgresql, "x"), tmp_path)
    monkeypatch.setenv("PATH", str(PathWithout(tmp_path, "psql")))
    assert_refused(ACTION.run(call), "backup.database.incomplete", "neither psql", "install postgresql-client")


@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_writes_any_value_as_one_line_or_refuses_it(password: str) -> None:
    try:
        text = render_service(Database("x", user="u", password=password)).decode()
    except Failed:
        assert not password.isprintable() or password != password.strip()
        return
    assert text.split("\n") == ["[sop]", "dbname=x", "user=u", *([f"password={password}"] if password else []), ""]


@given(st.integers(1, 400))
def test_reads_a_dump_the_same_in_pieces_of_any_size(size: int) -> None:
    dump = (
        b"--\n-- Name: t; Type: TABLE; Schema: public; Owner: a\n--\n\nCREATE TABLE public.t (\n    a text\n);\n"
        b"--\n-- Data for Name: t; Type: TABLE DATA; Schema: public; Owner: a\n--\n\nCOPY public.t (a) FROM stdin;\n"
        b"-- Name: fake; Type: TABLE; Schema: public; Owner: a\n\\.\n\n"
        b"--\n-- Data for Name: u; Type: TABLE DATA; Schema: s; Owner: a\n--\n\nCOPY s.u (a) FROM stdin;\n\\.\n\n"
        b"--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict abc\n\n"
    )
    content = inspect_pgsql(_Slowly(dump, size))
    assert (content.size, content.complete) == (len(dump), True)
    assert (content.tables, content.filled) == ({"t"}, {"t"})
    assert not inspect_pgsql(_Slowly(dump[:-60], size)).complete


class _Slowly(io.BytesIO):
    """Gives at most `most` bytes at a time."""

    def __init__(self, data: bytes, most: int) -> None:
        super().__init__(data)
        self.most = most

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(self.most)
