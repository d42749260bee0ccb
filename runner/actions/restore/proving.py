"""What a drill proves: that files and databases of a set, restored for the purpose, are what was backed up."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from runner.actions.backup import sqlite
from runner.actions.backup.databases import build_dumper, find_programs
from runner.actions.backup.dumps import Database, Tools
from runner.actions.backup.listing import FILE, FOLDER, HARDLINK, LINK
from runner.actions.backup.logins import Login
from runner.actions.backup.pace import Progress
from runner.actions.backup.roster import Roster
from runner.actions.backup.rows import Rows, read_roles, read_rows
from runner.actions.backup.set_files import Entry, entries_of, refused, shown
from runner.actions.backup.set_reading import read_entries
from runner.actions.backup.sets import BackupSet
from runner.actions.backup.stream import Watch, pour
from runner.actions.backup.verify import hash_file
from runner.actions.restore.loading import build_into, dump_of, load_beside
from runner.actions.restore.sending import working
from runner.actions.restore.throwaway import throwaway_mariadb, throwaway_postgresql
from runner.actions.restore.unpacking import Place, Unpacker
from runner.contract import Call, Connection
from runner.durations import Deadline
from runner.errors import Failed

PREFIX = "sop_uji_"
MOST_NAMED = 10
_ROLE = "DO $sop$ BEGIN CREATE ROLE {0}; EXCEPTION WHEN duplicate_object THEN NULL; END $sop$;\n"
_KINDS = {stat.S_IFREG: FILE, stat.S_IFDIR: FOLDER, stat.S_IFLNK: LINK}
_TIME = 10**9


class Proof(NamedTuple):
    """What was restored and found equal: how many files or tables, and bytes or rows; `lacking` names what was not."""

    number: int
    amount: int
    lacking: tuple[str, ...] = ()


class Restored(NamedTuple):
    """A database that was restored for the drill: its login, and the proof."""

    login: Login
    proof: Proof


def prove_files(
    chain: Mapping[str, BackupSet], chosen: BackupSet, scratch: Path, connection: Connection, call: Call
) -> Proof:
    """Restore all files of a set into an empty folder of this machine, then read them from there and hold each against
    the set's list: kind, rights, time, link and content. Raise NotAccepted, Failed."""
    roster = Roster(call.directory, entries_of(chosen))
    try:
        if through := roster.find_through():
            raise refused(chosen, through, "would be reached through a link or a file")
        _, files, size = roster.totals()
        _check_room(scratch, size)
        with Unpacker(Place(connection, str(scratch), call.deadline), Progress(call.tell, size).add) as unpacker:
            read_entries(chain, roster, unpacker, call.deadline)
            unpacker.finish()
        roster.forget_seen()
        lacking = list(_compare(roster, scratch, call.deadline))
        lacking += [f"{shown(entry.path)}: not there" for entry in roster.unseen(MOST_NAMED)]
        return Proof(files, size, tuple(lacking[:MOST_NAMED]))
    finally:
        roster.close()


@contextmanager
def restored_database(
    found: BackupSet, part: Mapping[str, Any], scratch: Path, connection: Connection, call: Call
) -> Iterator[Restored]:
    """Give a database of a set, restored under a name of its own beside nothing live, and how it compares; it is gone
    afterwards. Raise NoServer where there is no server to try it on, NotAccepted, Failed."""
    if part["format"] == "sqlite":
        yield _restored_file(found, part, scratch, call)
        return
    name = PREFIX + secrets.token_hex(6)
    with _server(str(part["format"]), call) as server:
        database = Database(name, server.user, server.password, server.host, server.port, server.socket)
        login = Login("postgresql" if part["format"] == "pgsql" else "mariadb", database)
        tools = find_programs(call._replace(run_as=""), connection)
        with working(tools, name, call.deadline) as work:
            into = build_into(login, work)
            try:
                load_beside(into, name, found, part, call.deadline, _make_roles(found, part, call.deadline))
                before = _rows_kept(found, part, call.deadline)
                yield Restored(login, _hold(part, before, _rows_restored(login, connection, call)))
            finally:
                into.drop(name)


def _restored_file(found: BackupSet, part: Mapping[str, Any], scratch: Path, call: Call) -> Restored:
    path = scratch / f"{PREFIX}{secrets.token_hex(6)}.sqlite"
    digest = hashlib.sha256()
    with dump_of(found, part, call.deadline) as dump, path.open("xb") as file:
        while piece := dump.read(1024 * 1024):
            digest.update(piece)
            file.write(piece)
    tables = sqlite.check_copy(path, str(part["source"]), call.deadline)
    lacking = [f"{table}: not there" for table in part["tables"] if table not in tables]
    return Restored(Login("sqlite", Database(str(path))), Proof(len(tables), sum(tables.values()), tuple(lacking)))


@contextmanager
def _server(form: str, call: Call) -> Iterator[Database]:
    """The server that the task names for drills, else one of this drill's own."""
    given = {key: call.inputs[key] for key in ("user", "password", "host", "port", "socket") if key in call.inputs}
    if given:
        yield Database("", **given)
        return
    folder = Path(tempfile.mkdtemp(prefix="sop-"))  # short: a socket's path has at most 107 bytes
    try:
        start = throwaway_postgresql if form == "pgsql" else throwaway_mariadb
        with start(folder, call.deadline) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _make_roles(found: BackupSet, part: Mapping[str, Any], deadline: Deadline) -> bytes:
    """Statements that make the roles that a dump of PostgreSQL names: a new server has none of them."""
    if part["format"] != "pgsql":
        return b""
    with dump_of(found, part, deadline) as dump:
        roles = sorted(read_roles(dump))
    return "".join(_ROLE.format(role) for role in roles).encode()


def _rows_kept(found: BackupSet, part: Mapping[str, Any], deadline: Deadline) -> dict[str, Rows]:
    with dump_of(found, part, deadline) as dump:
        return read_rows(dump, str(part["format"]))


def _rows_restored(login: Login, connection: Connection, call: Call) -> dict[str, Rows]:
    """The rows of the restored database, by a dump of it."""
    tools = find_programs(call._replace(run_as=""), connection)
    plain = {name: version for name, version in tools.versions.items() if name != "zstd"}
    dumper = build_dumper(login, Tools(connection, plain))
    survey = dumper.survey(login.database, call.deadline)
    with Watch(lambda stream: read_rows(stream, dumper.format), packed=False) as watch:
        result = pour(connection, dumper.dump_command(login.database, survey), call.deadline, watch.write)
        rows = watch.content()
    if result.exit_code != 0:
        raise Failed(f"{login.source}: what was restored cannot be read again: {result.stderr.decode()[-300:]}")
    return rows


def _hold(part: Mapping[str, Any], kept: Mapping[str, Rows], restored: Mapping[str, Rows]) -> Proof:
    """Every table has the same rows, and there is no other."""
    names = sorted(set(kept) | set(restored))
    lacking = [
        f"{name}: its rows are not those of the backup" for name in names if kept.get(name) != restored.get(name)
    ]
    rows = sum(table.lines for table in restored.values())
    return Proof(len(part["tables"]), rows, tuple(lacking[:MOST_NAMED]))


def _check_room(scratch: Path, size: int) -> None:
    free, need = shutil.disk_usage(scratch).free, size + size // 20
    if free < need:
        raise Failed(
            f"{scratch}: {free} bytes are free, and {need} are needed to try the backup. name another `scratch`"
        )


def _compare(roster: Roster, scratch: Path, deadline: Deadline) -> Iterator[str]:
    """What of the restored tree is not as its list says."""
    root = os.fsencode(scratch)
    for folder, names, files in os.walk(root):
        for name in [b"", *names, *files] if folder == root else [*names, *files]:
            path = os.path.join(folder, name)
            relative = os.path.relpath(path, root)
            entry = roster.get(relative)
            if entry is None:
                yield f"{shown(relative)}: not in the backup"
                continue
            roster.mark_seen([relative])
            why = _why_other(entry, os.path.join(root, b""), path, deadline)
            if why:
                yield f"{shown(relative)}: {why}"


def _why_other(entry: Entry, root: bytes, path: bytes, deadline: Deadline) -> str:
    status = os.lstat(path)
    kind = _KINDS.get(stat.S_IFMT(status.st_mode), "")
    if entry.type == HARDLINK:
        return "" if os.path.samefile(root + entry.link, path) else "it is no link to its other name"
    if kind != entry.type:
        return f"it is a {kind or 'device'}, not a {entry.type}"
    if kind == LINK:
        return "" if os.readlink(path) == entry.link else "it leads elsewhere"
    if (status.st_mode ^ entry.mode) & 0o777:
        return "it has other rights"
    if kind == FOLDER:
        return ""
    if status.st_mtime_ns // _TIME != entry.mtime_ns // _TIME or status.st_size != entry.size:
        return "it has another size or time"
    return "" if hash_file(Path(os.fsdecode(path)), deadline) == entry.sha256 else "it has other content"
