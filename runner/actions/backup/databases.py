"""A call's database, copied by what its kind needs: from asking what it holds to the part that is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from secrets import token_hex
from typing import Any

from runner.actions.backup import mariadb, postgresql, sqlite
from runner.actions.backup.content import Readable, SqlContent
from runner.actions.backup.dumps import Dumper, Survey, Tools, check_dump, check_missing, empty, find_missing
from runner.actions.backup.growth import shorten_dump
from runner.actions.backup.logins import Login
from runner.actions.backup.part import build_part, part_path, slug
from runner.actions.backup.plain import Hashed
from runner.actions.backup.storage import PartFile
from runner.actions.backup.stream import PACKER, find_tools, pack, receive
from runner.actions.backup.verdict import check_size
from runner.contract import Call, Connection

_ENDINGS = {"sql": "sql", "pgsql": "pg.sql"}


def copy_server(call: Call, connection: Connection, login: Login) -> dict[str, Any]:
    """Dump a database of a server, check the dump, and return the part. Raise NotAccepted or Failed."""
    tools, database = find_programs(call, connection), login.database
    dumper = build_dumper(login, tools)
    survey = dumper.survey(database, call.deadline)
    inspect = _hashing(dumper)
    with PartFile(part_path(call, f"database-{slug(database.name)}", f"{_ENDINGS[dumper.format]}.zst")) as file:
        command = dumper.dump_command(database, survey)
        packed = PACKER in tools.versions
        result, (content, sha256) = receive(connection, command, call.deadline, file, inspect, packed=packed)
        check_dump(result, content, database.name, dumper)
        _check_filled(call, database.name, bool(content.filled))
        missing = find_missing(content, survey)
        if missing:
            _check_again(call, dumper, login, missing, content)
        check_size(call, login.source, content_bytes=content.size, table_count=len(content.tables))
        stored = file.keep()
    part = build_part(
        call,
        stored,
        kind="database",
        format=dumper.format,
        compression="zstd",
        source=login.source,
        content_bytes=content.size,
        content_sha256=sha256,
        table_count=len(content.tables),
        tables=sorted(content.tables),
        views=sorted(content.views),
        tools=_used(dumper, tools, survey),
        notes=dumper.notes(survey),
    )
    return shorten_dump(call, part)


def _hashing(dumper: Dumper) -> Callable[[Readable], tuple[SqlContent, str]]:
    """What inspects a dump and gives the SHA-256 of its content as well."""

    def inspect(stream: Readable) -> tuple[SqlContent, str]:
        hashed = Hashed(stream)
        return dumper.inspect(hashed), hashed.sha256

    return inspect


def _check_again(call: Call, dumper: Dumper, login: Login, missing: Sequence[str], content: SqlContent) -> None:
    """What the dump lacks may have been dropped or emptied while it ran; ask the server, then judge."""
    after = dumper.survey(login.database, call.deadline)
    asked = [table.name for table in after.tables if table.name in missing]
    filled = dumper.filled(login.database, asked, call.deadline)
    check_missing(missing, after, filled, content, login.database.name)


def copy_sqlite(call: Call, connection: Connection, login: Login) -> dict[str, Any]:
    """Copy the database file, check the copy, and return the part. Raise NotAccepted or Failed."""
    name, copy = login.database.name, call.directory / f"copy-{token_hex(8)}.sqlite"
    copy.unlink(missing_ok=True)
    try:
        tools, notes = _fetch_sqlite(call, connection, name, copy)
        tables = sqlite.check_copy(copy, name, call.deadline)
        _check_filled(call, name, any(tables.values()))
        with (
            PartFile(part_path(call, f"database-{slug(Path(name).stem)}", "sqlite.zst")) as file,
            copy.open("rb") as plain,
        ):
            hashed = Hashed(plain)
            size = pack(hashed, file, call.deadline)
            check_size(call, login.source, content_bytes=size, table_count=len(tables))
            stored = file.keep()
    finally:
        copy.unlink(missing_ok=True)
    part = build_part(
        call,
        stored,
        kind="database",
        format="sqlite",
        compression="zstd",
        source=login.source,
        content_bytes=size,
        content_sha256=hashed.sha256,
        table_count=len(tables),
        tables=sorted(tables),
        views=[],
        tools=tools,
        notes=notes,
    )
    return shorten_dump(call, part)


def _check_filled(call: Call, name: str, filled: bool) -> None:
    """Raise NotAccepted where no table has a row, unless the task says `accept_smaller`."""
    if not filled and not call.inputs["accept_smaller"]:
        raise empty(name, "tidak berisi satu baris pun", "none of its tables has a row")


def _fetch_sqlite(call: Call, connection: Connection, name: str, copy: Path) -> tuple[dict[str, str], list[str]]:
    found = sqlite.find(connection, name, call.deadline, call.run_as)
    if not call.run_as and sqlite.is_here(connection, call):
        sqlite.fetch_here(name, copy, call.deadline)
        return {"sqlite": sqlite.VERSION}, []
    program, version = sqlite.fetch(connection, name, found, copy, call.deadline, call.run_as)
    return {program: version}, ["copied through a temporary file on the server"] if found.wal else []


def find_programs(call: Call, connection: Connection) -> Tools:
    """Return the programs of the server that talk to databases."""
    names = (*mariadb.CLIENTS, *mariadb.DUMPERS, *postgresql.CLIENTS, *postgresql.DUMPERS, PACKER)
    return Tools(connection, find_tools(connection, call.deadline, names), call.run_as)


def build_dumper(login: Login, tools: Tools) -> Dumper:
    """Given a login and a server's programs, return what dumps that kind of database."""
    return postgresql.PostgreSQL(tools) if login.engine == "postgresql" else mariadb.MariaDB(tools)


def _used(dumper: Dumper, tools: Tools, survey: Survey) -> dict[str, str]:
    names = {dumper.program, PACKER} & set(tools.versions)
    return {**{name: tools.versions[name] for name in sorted(names)}, "server": survey.version}
