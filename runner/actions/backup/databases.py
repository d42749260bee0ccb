"""A call's database, copied by what its kind needs: from asking what it holds to the part that is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from runner.actions.backup import sqlite
from runner.actions.backup.content import SqlContent, inspect_sql
from runner.actions.backup.mariadb import (
    CLIENTS,
    DUMPERS,
    Client,
    Database,
    check_dump,
    check_missing,
    find_missing,
    notes_of,
)
from runner.actions.backup.part import EXTENSIONS, build_part, part_path, slug
from runner.actions.backup.storage import PartFile
from runner.actions.backup.stream import choose_compression, find_tools, pack, receive
from runner.actions.backup.verdict import check_size
from runner.contract import Call, Connection
from runner.errors import Failed

SETTINGS = ("user", "password", "host", "port", "socket")


def copy_mariadb(call: Call, connection: Connection) -> dict[str, Any]:
    """Dump the database, check the dump, and return the part. Raise NotAccepted or Failed."""
    client, database = build_client(call, connection), find_database(call)
    survey = client.survey(database, call.deadline)
    compression = choose_compression(client.tools)
    path = part_path(call, f"database-{slug(database.name)}", f"sql.{EXTENSIONS[compression]}")
    with PartFile(path) as file:
        command = client.dump_command(database, compression)
        result, content = receive(connection, command, call.deadline, file, compression, inspect_sql)
        check_dump(result, content, database)
        missing = find_missing(content, survey)
        if missing:
            _check_again(call, client, database, missing, content)
        check_size(call, source_of(call), content_bytes=content.size, table_count=len(content.tables))
        stored = file.keep()
    return build_part(
        call,
        stored,
        kind="database",
        format="sql",
        compression=compression,
        source=source_of(call),
        content_bytes=content.size,
        table_count=len(content.tables),
        tables=sorted(content.tables),
        views=sorted(content.views),
        tools={**_used(client, compression), "server": survey.version},
        notes=notes_of(survey),
    )


def _check_again(call: Call, client: Client, database: Database, missing: Sequence[str], content: SqlContent) -> None:
    """What the dump lacks may have been dropped or emptied while it ran; ask the server, then judge."""
    after = client.survey(database, call.deadline)
    asked = [table.name for table in after.tables if table.name in missing]
    filled = client.filled(database, asked, call.deadline)
    check_missing(missing, after, filled, content, database.name)


def copy_sqlite(call: Call, connection: Connection) -> dict[str, Any]:
    """Copy the database file, check the copy, and return the part. Raise NotAccepted or Failed."""
    name, copy = call.inputs["name"], call.directory / "copy.sqlite"
    sqlite.measure(connection, name, call.deadline, call.run_as)
    copy.unlink(missing_ok=True)
    try:
        tools, notes = _fetch_sqlite(call, connection, copy)
        tables = sqlite.check_copy(copy, name, call.deadline)
        with PartFile(part_path(call, f"database-{slug(Path(name).stem)}", "sqlite.gz")) as file:
            size = pack(copy, file, call.deadline)
            check_size(call, source_of(call), content_bytes=size, table_count=len(tables))
            stored = file.keep()
    finally:
        copy.unlink(missing_ok=True)
    return build_part(
        call,
        stored,
        kind="database",
        format="sqlite",
        compression="gzip",
        source=source_of(call),
        content_bytes=size,
        table_count=len(tables),
        tables=sorted(tables),
        views=[],
        tools=tools,
        notes=notes,
    )


def _fetch_sqlite(call: Call, connection: Connection, copy: Path) -> tuple[dict[str, str], list[str]]:
    name = call.inputs["name"]
    if not call.run_as and sqlite.is_here(connection, call):
        sqlite.fetch_here(name, copy, call.deadline)
        return {"sqlite": sqlite.VERSION}, []
    tools = find_tools(connection, call.deadline, ("sqlite3",))
    if not tools:
        raise Failed("the server has no sqlite3. install it there, or back up the file while the site is closed")
    sqlite.fetch(connection, name, copy, call.deadline, call.run_as)
    return tools, ["copied through a temporary file on the server"]


def build_client(call: Call, connection: Connection) -> Client:
    """Return the programs of the server that talk to the database."""
    tools = find_tools(connection, call.deadline, (*CLIENTS, *DUMPERS, "zstd"))
    return Client(connection, tools, call.run_as)


def _used(client: Client, compression: str) -> dict[str, str]:
    names = {client.tool(DUMPERS), compression} & set(client.tools)
    return {name: client.tools[name] for name in sorted(names)}


def source_of(call: Call) -> str:
    """Return what is copied, as parts name it: "mariadb:joomla"."""
    return f"{call.inputs['engine']}:{call.inputs['name']}"


def find_database(call: Call) -> Database:
    """Return the database with the settings of the task, else of the target's `database`. Raise Failed."""
    settings = {name: value for name in SETTINGS if (value := _setting(call, name)) is not None}
    return Database(call.inputs["name"], **settings)


def _setting(call: Call, name: str) -> Any:
    if name in call.inputs:
        return call.inputs[name]
    database = (call.target or {}).get("database")
    value = database.get(name) if isinstance(database, Mapping) else None
    if isinstance(value, Mapping):
        raise Failed(f"{name}: the inventory only names a secret. write {name}: \"{{{{ secret('…') }}}}\" under with")
    return value
