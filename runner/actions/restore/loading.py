"""Restores a database of a set: into a new one beside the live one, held against the set, then into its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from typing import Any, Protocol

from runner.actions.backup.content import PIECE, Readable
from runner.actions.backup.databases import find_programs
from runner.actions.backup.logins import Login, find_login
from runner.actions.backup.plain import plain_content
from runner.actions.backup.sets import BackupSet
from runner.actions.restore.into_mariadb import IntoMariaDB
from runner.actions.restore.into_postgresql import IntoPostgreSQL
from runner.actions.restore.into_sqlite import IntoSQLite
from runner.actions.restore.sending import Work, working
from runner.contract import Call, Connection
from runner.durations import Deadline
from runner.errors import Failed

NEW, OLD = "pulih", "lama"
LONGEST_NAME = 63  # PostgreSQL's; MariaDB's is 64


class Into(Protocol):
    """A kind of database server that takes databases."""

    @property
    def remarks(self) -> list[str]:
        """What a person has to know of what was restored."""

    def tables(self, name: str) -> list[str]:
        """The tables of a database; none where there is no such database."""

    def load(self, new: str, dump: Iterator[bytes]) -> None:
        """Make a database of its own name for the dump, and load it."""

    def drop(self, new: str) -> None:
        """Remove a database that `load` made."""

    def swap(self, new: str, old: str, only: Sequence[str]) -> None:
        """Bring what was loaded into the live database's place; what was there is kept as `old`."""

    def check_closed(self, name: str, only: Sequence[str]) -> None:
        """Raise Failed where these tables cannot be restored without others."""


@contextmanager
def opened(call: Call, connection: Connection, part: Mapping[str, Any], id_: str) -> Iterator[tuple[Into, Login]]:
    """Given a call and a database's part, give what takes it on the server, and the login. Raise Failed."""
    engine, _, name = str(part["source"]).partition(":")
    login = find_login(call._replace(inputs={**call.inputs, "engine": engine, "name": name}), connection)
    if engine == "sqlite":
        yield IntoSQLite(connection, name, call.deadline, call.run_as, part["tables"]), login
        return
    with working(find_programs(call, connection), id_, call.deadline) as work:
        yield build_into(login, work), login


def build_into(login: Login, work: Work) -> Into:
    """Given the login to a database server, return what takes its kind of database."""
    return (IntoPostgreSQL if login.engine == "postgresql" else IntoMariaDB)(work, login.database)


def derived_name(name: str, what: str, id_: str) -> str:
    """Given a database's name or a file's path, what another one is for ("pulih", "lama") and a plan's ID, return what
    that one is called."""
    if "/" in name:
        return f"{name}.{what}-{id_}"
    ending = f"_{what}_{id_}"
    return name.encode()[: LONGEST_NAME - len(ending)].decode("utf-8", "ignore") + ending


def load_beside(
    into: Into, new: str, found: BackupSet, part: Mapping[str, Any], deadline: Deadline, before: bytes = b""
) -> None:
    """Load a set's dump into the new database, after what has to be done there `before`, and hold its tables against
    the set's. Raise Failed, NotAccepted; then what was loaded is removed, where that can be done."""
    try:
        with dump_of(found, part, deadline) as dump:
            into.load(new, chain([before], _pieces(dump)) if before else _pieces(dump))
        lacking = sorted(set(part["tables"]) - set(into.tables(new)))
        if lacking:
            raise Failed(
                f"{part['source']}: after loading it the table '{lacking[0]}' is not there. nothing was changed"
            )
    except Failed:
        with suppress(Failed):
            into.drop(new)
        raise


@contextmanager
def dump_of(found: BackupSet, part: Mapping[str, Any], deadline: Deadline) -> Iterator[Readable]:
    """The plain dump of a set's part. Raise NotAccepted where it cannot be read, TimeUp."""
    with plain_content(found.file(part["file"]), part, found.folder.parent, deadline, found.keys) as plain:
        yield plain


def _pieces(stream: Readable) -> Iterator[bytes]:
    while piece := stream.read(PIECE):
        yield piece
