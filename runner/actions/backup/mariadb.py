"""MariaDB and MySQL over a connection: what a database holds, and its dump.

Everything that says how to log in goes to the client as an option file on its standard input: nothing of it stands
on a command line or in an environment.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from runner.actions.backup.content import END_OF_DUMP, Readable, SqlContent, inspect_sql
from runner.actions.backup.dumps import (
    Database,
    Survey,
    Table,
    Tools,
    broken_notes,
    check_setting,
    empty,
    parse_rows,
    parse_text,
    shorten,
    split_names,
)
from runner.actions.backup.stream import build_command
from runner.contract import Command
from runner.durations import Deadline

CLIENTS = ("mariadb", "mysql")
DUMPERS = ("mariadb-dump", "mysqldump")
_PACKAGE = "mariadb-client"
_CURES = {
    "1044": "give this user the rights to the database",
    "1045": "check `user` and `password`",
    "1049": "check the database's `name`",
    "2002": "does it run there? check `socket`, or `host` and `port`",
    "2003": "does it run there? check `host` and `port`",
    "2005": "check `host`",
}
_LONGEST_SETTING = 1000  # an option file's line has at most 4096 bytes
_TRANSACTIONAL = {"InnoDB", "ROCKSDB", "TokuDB"}
_FLAGS = (
    "--single-transaction",
    "--quick",
    "--routines",
    "--triggers",
    "--events",
    "--hex-blob",
    "--no-tablespaces",
    "--default-character-set=utf8mb4",
    "--max-allowed-packet=1G",
)
# mysqldump 8 asks older servers for what they do not have, and its GTID line stops a restore beside the original
_ORACLE_FLAGS = ("--loose-column-statistics=0", "--loose-set-gtid-purged=OFF")
_SURVEY = """SELECT 'version', HEX(VERSION()), '', 0, 0, '' UNION ALL
SELECT table_type, HEX(table_name), COALESCE(engine, ''), COALESCE(table_rows, 0), COALESCE(data_length, 0),
 COALESCE((SELECT HEX(view_definition) FROM information_schema.views v
  WHERE v.table_schema = t.table_schema AND v.table_name = t.table_name), '')
FROM information_schema.tables t WHERE table_schema = DATABASE()"""


@dataclass(frozen=True, slots=True)
class MariaDB:
    """A server's programs for MariaDB and MySQL."""

    tools: Tools
    format: str = "sql"
    end_mark: bytes = END_OF_DUMP

    @property
    def program(self) -> str:
        """The program that dumps. Raise Failed where the server has none."""
        return self.tools.first(DUMPERS, _PACKAGE)

    def inspect(self, stream: Readable) -> SqlContent:
        """Given a dump, return its content."""
        return inspect_sql(stream)

    def survey(self, database: Database, deadline: Deadline) -> Survey:
        """Return what the database holds. Raise Failed when it cannot be asked, NotAccepted when it has no table."""
        rows = self._query(database, _SURVEY, deadline)
        tables = [Table(parse_text(row[1]), row[2], int(row[3]), int(row[4])) for row in rows if _is_table(row[0])]
        views = {parse_text(row[1]): parse_text(row[5]) for row in rows if row[0] == "VIEW"}
        if not tables:
            raise empty(database.name, "tidak berisi satu tabel pun", "it has no tables")
        version = next(parse_text(row[1]) for row in rows if row[0] == "version")
        broken = self._broken(database, list(views), deadline)
        works = tuple(view for view in views if view not in broken)
        return Survey(version, tuple(tables), works, {view: views[view] for view in broken})

    def filled(self, database: Database, names: Sequence[str], deadline: Deadline) -> set[str]:
        """Given names of tables, return those that hold a row now."""
        found: set[str] = set()
        for asked in split_names(names):
            answers = self._query(database, f"SELECT {', '.join(map(_exists, asked))}", deadline)[0]
            found |= {name for name, answer in zip(asked, answers, strict=True) if answer == "1"}
        return found

    def dump_command(self, database: Database, survey: Survey) -> Command:
        """Return the command that sends the dump."""
        program = self.program
        flags = _FLAGS if "MariaDB" in self.tools.versions[program] else (*_FLAGS, *_ORACLE_FLAGS)
        left_out = [f"--ignore-table={database.name}.{view}" for view in survey.broken]
        words = (program, _defaults(database), *flags, *left_out, "--", database.name)
        return build_command(words, self.tools.versions, stdin=render_options(database), run_as=self.tools.run_as)

    def cure(self, fault: str) -> str:
        """What to do about a client's complaint, by MariaDB's number in it."""
        number = re.search(r"ERROR (\d+)|\((\d{4})\)", fault)
        return _CURES.get(number[1] or number[2] if number else "", "")

    def notes(self, survey: Survey) -> list[str]:
        """What a reader of the dump has to know."""
        loose = [table.name for table in survey.tables if table.engine not in _TRANSACTIONAL]
        said = f"not in the common snapshot, their engine has no transactions: {shorten(loose)}"
        return [*([said] if loose else []), *broken_notes(survey)]

    def _broken(self, database: Database, views: Sequence[str], deadline: Deadline) -> list[str]:
        """Those views that no longer work: a table or their definer is gone."""
        found: set[str] = set()
        for asked in split_names(views):
            rows = self._query(database, f"CHECK TABLE {', '.join(map(_quote, asked))}", deadline)
            found |= {row[0].removeprefix(f"{database.name}.") for row in rows if row[2].lower() == "error"}
        return [view for view in views if view in found]

    def _query(self, database: Database, sql: str, deadline: Deadline) -> list[list[str]]:
        client = self.tools.first(CLIENTS, _PACKAGE)
        words = (client, _defaults(database), "--batch", "--skip-column-names", "--execute", sql, "--")
        stdin = render_options(database)
        command = build_command((*words, database.name), stdin=stdin, run_as=self.tools.run_as)
        result = self.tools.connection.run(command, deadline)
        return parse_rows(result, database.name, self)


def render_options(database: Database) -> bytes:
    """Given a database, return the option file that logs in to it. Raise Failed for a value no option file can hold."""
    lines = ["[client]", "default-character-set=utf8mb4"]
    settings = {"user": database.user, "password": database.password, "host": database.host, "socket": database.socket}
    for name, value in settings.items():
        check_setting(name, value, _LONGEST_SETTING)
        if value:
            escaped = value.replace("\\", "\\\\").replace('"', '\\"')
            lines.append(f'{name}="{escaped}"')
    if database.port:
        lines.append(f"port={database.port}")
    return ("\n".join(lines) + "\n").encode()


def _defaults(database: Database) -> str:
    """With a user of its own, no option file of the account may override it; without one, the account's files count."""
    return "--defaults-file=/dev/stdin" if database.user else "--defaults-extra-file=/dev/stdin"


def _exists(table: str) -> str:
    return f"EXISTS(SELECT 1 FROM {_quote(table)})"  # noqa: S608 - quoted as an identifier


def _quote(name: str) -> str:
    escaped = name.replace("`", "``")
    return f"`{escaped}`"


def _is_table(kind: str) -> bool:
    return kind in ("BASE TABLE", "SYSTEM VERSIONED")
