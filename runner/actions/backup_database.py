"""backup.database: copies a database of the target's server to this machine, and accepts only a whole copy."""

from __future__ import annotations

import shutil
import time

from runner.actions.backup import sqlite
from runner.actions.backup.databases import build_client, copy_mariadb, copy_sqlite, find_database, source_of
from runner.actions.backup.mariadb import DUMPERS
from runner.actions.backup.part import ACCEPT_SMALLER, DESTINATION, PART, check_folder, make_folder, part_folder
from runner.actions.backup.verdict import judged
from runner.contract import Action, Call, Effect, Outcome, Preview, Reach, Repeat, Status
from runner.messages import render_size


def run(call: Call) -> Outcome:
    """Copy the database, check the copy, keep it. Raise Failed where it cannot be reached."""
    started = time.monotonic()
    make_folder(part_folder(call))
    copy = copy_sqlite if call.inputs["engine"] == "sqlite" else copy_mariadb
    part = copy(call, call.connect())
    outputs = {
        "part": part,
        "tables": part["table_count"],
        "bytes": part["bytes"],
        "content_bytes": part["content_bytes"],
        "duration": round(time.monotonic() - started, 3),
    }
    size = render_size(part["bytes"], "en")
    return Outcome(Status.CHANGED, outputs, message=f"{part['source']}: {_tables(part['table_count'])}, {size} stored")


def preview(call: Call) -> Preview:
    """Say what would be copied, how much, and where to, having tried the access. Raise Failed where it is refused."""
    connection, folder = call.connect(), part_folder(call)
    free = render_size(shutil.disk_usage(check_folder(folder)).free, "en")
    where = f"to {folder} ({free} free)"
    if call.inputs["engine"] == "sqlite":
        size = sqlite.measure(connection, call.inputs["name"], call.deadline, call.run_as)
        return Preview(f"would copy {source_of(call)} ({render_size(size, 'en')}) {where}")
    client = build_client(call, connection)
    client.tool(DUMPERS)
    survey = client.survey(find_database(call), call.deadline)
    about = render_size(survey.size, "en")
    return Preview(f"would dump {source_of(call)} ({_tables(len(survey.tables))}, about {about}) {where}")


_CONTENT_BYTES = {
    "type": "integer",
    "description": "Size of the copy once decompressed, in bytes",
    "examples": [314000000],
}


def _tables(count: int) -> str:
    return "1 table" if count == 1 else f"{count} tables"


ACTION = Action(
    name="backup.database",
    description="Copies a database of the target's server to this machine while it is in use. Kept only when the dump "
    "ended well, has its end mark and every table, and did not shrink by more than a fifth.",
    inputs={
        "engine": {
            "description": "Kind of database",
            "enum": ["mariadb", "mysql", "sqlite"],
            "examples": ["mariadb"],
        },
        "name": {
            "description": "Name of the database; for sqlite the path of its file on the server",
            "type": "string",
            "minLength": 1,
            "examples": ["joomla", "/srv/site/data.sqlite"],
        },
        "user": {
            "description": "Account of the database; without it the target's `database.user`, else what the server "
            "account's own option files say",
            "type": "string",
            "optional": True,
            "examples": ["backup"],
        },
        "password": {
            "description": "Its password; without it the target's `database.password`",
            "type": "string",
            "optional": True,
            "secret": True,
            "examples": ["{{ secret('db') }}"],
        },
        "host": {
            "description": "Host of the database as seen from the server; without it the target's `database.host`, "
            "else the server itself",
            "type": "string",
            "optional": True,
            "examples": ["localhost"],
        },
        "port": {
            "description": "Port of the database on that host; without it the target's `database.port`",
            "type": "integer",
            "minimum": 1,
            "maximum": 65535,
            "optional": True,
            "examples": [3306],
        },
        "socket": {
            "description": "Socket file of the database on the server; without it the target's `database.socket`",
            "type": "string",
            "optional": True,
            "examples": ["/run/mysqld/mysqld.sock"],
        },
        "destination": DESTINATION,
        "accept_smaller": ACCEPT_SMALLER,
    },
    outputs={
        "part": PART,
        "tables": {"type": "integer", "description": "How many tables were copied", "examples": [42]},
        "bytes": {"type": "integer", "description": "Size as stored, in bytes", "examples": [95000000]},
        "content_bytes": _CONTENT_BYTES,
        "duration": {"type": "number", "description": "How long it took, in seconds", "examples": [4.9]},
    },
    effect=Effect.CHANGE,
    repeat=Repeat.SAFE,
    reach=Reach.SERVER,
    limit="2h",
    run=judged("backup.database", run),
    preview=preview,
    targets=("website", "server", ""),
    example="""\
- id: database
  action: backup.database
  with:
    engine: "{{ target.database.engine }}"
    name: "{{ target.database.name }}"
    user: "{{ target.database.user }}"
    password: "{{ secret('db') }}"
""",
)
