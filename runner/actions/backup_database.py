"""backup.database: copies a database of the target's server to this machine, and accepts only a whole copy."""

from __future__ import annotations

import shutil
import time

from runner.actions.backup import sqlite
from runner.actions.backup.databases import build_dumper, copy_server, copy_sqlite, find_programs
from runner.actions.backup.login_inputs import LOGIN
from runner.actions.backup.logins import ENGINES, find_login
from runner.actions.backup.part import ACCEPT_SMALLER, DESTINATION, PART, check_folder, make_folder, part_folder
from runner.actions.backup.verdict import judged
from runner.contract import Action, Call, Effect, Outcome, Preview, Reach, Repeat, Status
from runner.messages import render_size


def run(call: Call) -> Outcome:
    """Copy the database, check the copy, keep it. Raise Failed where it cannot be reached."""
    started = time.monotonic()
    make_folder(part_folder(call))
    connection = call.connect()
    login = find_login(call, connection)
    copy = copy_sqlite if login.engine == "sqlite" else copy_server
    part = copy(call, connection, login)
    outputs = {
        "part": part,
        "tables": part["table_count"],
        "bytes": part["bytes"],
        "content_bytes": part["content_bytes"],
        "duration": round(time.monotonic() - started, 3),
    }
    size = render_size(part["bytes"], "en") + (" of growth" if "delta_of" in part else "")
    return Outcome(Status.CHANGED, outputs, message=f"{part['source']}: {_tables(part['table_count'])}, {size} stored")


def preview(call: Call) -> Preview:
    """Say what would be copied, how much, and where to, having tried the access. Raise Failed where it is refused."""
    connection, folder = call.connect(), part_folder(call)
    free = render_size(shutil.disk_usage(check_folder(folder)).free, "en")
    where = f"to {folder} ({free} free)"
    login = find_login(call, connection)
    if login.engine == "sqlite":
        size = sqlite.find(connection, login.database.name, call.deadline, call.run_as).size
        return Preview(f"would copy {login.source} ({render_size(size, 'en')}) {where}")
    dumper = build_dumper(login, find_programs(call, connection))
    survey = dumper.survey(login.database, call.deadline)
    about = render_size(survey.size, "en")
    return Preview(
        f"would dump {login.source} ({_tables(len(survey.tables))}, about {about}, by {dumper.program}) {where}"
    )


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
            "description": "Kind of database; without it what `config` says, else the target's `database.engine`",
            "enum": list(ENGINES),
            "optional": True,
            "examples": ["mariadb"],
        },
        "name": {
            "description": "Name of the database; for sqlite the path of its file on the server",
            "type": "string",
            "minLength": 1,
            "optional": True,
            "examples": ["joomla", "/srv/site/data.sqlite"],
        },
        "config": {
            "description": "Instead of a name: path, on the server, of WordPress's wp-config.php or Joomla's "
            "configuration.php. It is read, never executed, and says name, account and host",
            "type": "string",
            "minLength": 1,
            "optional": True,
            "examples": ["{{ target.root }}/configuration.php"],
        },
        **{name: schema for name, schema in LOGIN.items() if name != "config"},
        "destination": DESTINATION,
        "increments": {
            "description": "How many dumps after a whole one are stored as what differs from it, where that is less "
            "than a third of it; then comes a whole one again. 0: each is a whole one",
            "type": "integer",
            "minimum": 0,
            "maximum": 366,
            "default": 6,
            "examples": [6, 0],
        },
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
    one_of=("name", "config"),
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
