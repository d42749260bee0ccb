"""backup.restore: brings back what a signed plan orders, in whole or not at all; what was live is kept aside."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from typing import Any

from runner.actions.backup.checking import check_stored
from runner.actions.backup.ftps_inputs import FTPS
from runner.actions.backup.login_inputs import LOGIN
from runner.actions.backup.logins import Login
from runner.actions.backup.pace import Progress
from runner.actions.backup.part import DESTINATION, make_folder, part_folder
from runner.actions.backup.roster import Roster
from runner.actions.backup.set_files import refused
from runner.actions.backup.set_reading import read_entries
from runner.actions.backup.sets import BackupSet, Shelf, spoilt
from runner.actions.backup.shelf import SET, open_shelf
from runner.actions.backup.storage import locked
from runner.actions.backup.unlocking import KEY
from runner.actions.backup.verdict import reading
from runner.actions.restore.loading import NEW, OLD, Into, derived_name, load_beside, opened
from runner.actions.restore.orders import PLAN, Order, check_signed
from runner.actions.restore.rescue import check_rescue
from runner.actions.restore.selecting import choose_database, is_meant, select
from runner.actions.restore.site import Site, State, makeable, told
from runner.actions.restore.ways_there import check_database_way, opened_site
from runner.contract import Action, Call, Effect, Outcome, Preview, Reach, Repeat, Status
from runner.errors import Failed
from runner.messages import render_size

_SPARE = 64 * 1024 * 1024


def run(call: Call) -> Outcome:
    """Do what the signed plan orders. Raise Failed where nobody signed it or another run works on the target's sets,
    NotAccepted for a set that is spoilt."""
    order, signed = check_signed(call, call.inputs["plan"])
    folder = part_folder(call)
    make_folder(folder)
    with locked(folder, "backup.restore"):
        return _restore(call, order, signed["person"])


def _restore(call: Call, order: Order, signed_by: str) -> Outcome:
    started = time.monotonic()
    chain = _open_chain(call, order)
    found = chain[order.set]
    outputs: dict[str, Any] = {"set": found.name, "manifest_sha256": found.manifest_sha256, "kept": []}
    outputs |= {"files": 0, "bytes": 0, "tables": 0, "signed_by": signed_by, "rescue": None}
    outputs["notes"] = []
    part = _part(found, order)
    with ExitStack() as stack:
        site = stack.enter_context(opened_site(call, order.root, order.id)) if order.root is not None else None
        if part:
            check_database_way(call, call.connect(), found, part)
        into, login = stack.enter_context(opened(call, call.connect(), part, order.id)) if part else (None, None)
        live = bool(into and login and into.tables(login.database.name))
        begun = bool(into and login and into.tables(derived_name(login.database.name, OLD, order.id)))
        untouched = site is None or site.state is State.BEGIN
        if untouched and not begun:
            rescue = check_rescue(call, order, files=site is not None and site.filled, database=live)
            outputs["rescue"] = rescue.name if rescue else None
        if part and into and login:
            outputs |= _load(call, order, found, part, into, login)
        if site:
            try:
                outputs |= _restore_files(call, order, chain, site)
            except Failed:
                _drop(order, into, login)
                raise
        if part and into and login:
            outputs["kept"] = [*outputs["kept"], *_swap(order, into, login, site)]
            outputs["notes"] = [*outputs["notes"], *into.remarks]
    outputs["duration"] = round(time.monotonic() - started, 3)
    return Outcome(Status.CHANGED, outputs, message=_summary(order, outputs))


def preview(call: Call) -> Preview:
    """Say what would be restored, and that it waits for a signature."""
    order = Order.from_json(call.inputs["plan"]["order"])
    return Preview(f"after a signature, would restore {_what(order)} of {order.set}; a rescue set comes first")


def _open_chain(call: Call, order: Order) -> Mapping[str, BackupSet]:
    """The set of an order with all it needs, every stored file of which is as it was sealed."""
    shelf = open_shelf(call)
    found = _find(shelf, order)
    chain = shelf.chain(found)
    for fault in check_stored(chain.values(), call.deadline):
        raise spoilt(found.folder, f"{fault.name} {fault.indonesian}", f"{fault.name}: {fault.english}")
    return chain


def _find(shelf: Shelf, order: Order) -> BackupSet:
    found = shelf.get(order.set)
    if found.manifest_sha256 != order.manifest_sha256:
        words = "bukan lagi yang dahulu disetujui", "it is not the set that was signed for: its manifest was altered"
        raise spoilt(found.folder, *words)
    return found


def _part(found: BackupSet, order: Order) -> Mapping[str, Any] | None:
    return choose_database(found, order.database) if order.database else None


def _load(
    call: Call, order: Order, found: BackupSet, part: Mapping[str, Any], into: Into, login: Login
) -> dict[str, Any]:
    """Load the database beside the live one; nothing live is touched yet."""
    into.check_closed(login.database.name, order.tables)
    load_beside(into, derived_name(login.database.name, NEW, order.id), found, part, call.deadline)
    return {"tables": len(order.tables or part["tables"])}


def _drop(order: Order, into: Into | None, login: Login | None) -> None:
    """Remove the database that was loaded, where that can be done: the live ones need the room."""
    if into and login:
        with suppress(Failed):
            into.drop(derived_name(login.database.name, NEW, order.id))


def _swap(order: Order, into: Into, login: Login, site: Site | None) -> list[str]:
    """Bring the database into place; where that is refused, the folder of before comes back too."""
    name = login.database.name
    old = derived_name(name, OLD, order.id)
    try:
        into.swap(derived_name(name, NEW, order.id), old, order.tables)
    except Failed:
        if site and not order.paths and not into.tables(old):
            site.swap_back()
        raise
    return [old] if into.tables(old) else []


def _restore_files(call: Call, order: Order, chain: Mapping[str, BackupSet], site: Site) -> dict[str, Any]:
    left_out: list[str] = []
    roster = Roster(call.directory, makeable(site, select(chain[order.set], order.paths), left_out))
    try:
        if through := roster.find_through():
            raise refused(chain[order.set], through, "would be reached through a link or a file")
        _, files, size = roster.totals()
        if site.state is State.BEGIN:
            _stage(call, site, chain, roster, size)
        if site.state is not State.DONE:
            _bring_in(site, order, roster)
    finally:
        roster.close()
    kept = [site.old] if site.filled or site.state is not State.BEGIN else []
    return {"files": files, "bytes": size, "kept": kept, "notes": told(site, left_out)}


def _stage(call: Call, site: Site, chain: Mapping[str, BackupSet], roster: Roster, size: int) -> None:
    """Unpack beside the live folder; each content was held against its hash before that is called whole."""
    need = size + size // 50 + _SPARE
    if site.free is not None and site.free < need:
        raise Failed(
            f"{site.root}: beside it {render_size(site.free, 'en')} are free, {render_size(need, 'en')} are needed. "
            "make room there; nothing was changed"
        )
    try:
        with site.unpacking(Progress(call.tell, size).add) as receiver:
            read_entries(chain, roster, receiver, call.deadline)
            receiver.finish()
    except Failed:
        site.clear_stage()
        raise
    site.make_whole()


def _bring_in(site: Site, order: Order, roster: Roster) -> None:
    if order.paths:
        site.put(entry for entry in roster if entry.path != b"." and is_meant(order.paths, entry.path))
    else:
        site.swap()


def _what(order: Order) -> str:
    files = (", ".join(order.paths) or "all files") + f" into {order.root}" if order.root else ""
    tables = (", ".join(order.tables) or "all tables") + f" into {order.database}" if order.database else ""
    return " and ".join(filter(None, (files, tables)))


def _summary(order: Order, outputs: Mapping[str, Any]) -> str:
    counted = f"{outputs['files']} files, {render_size(outputs['bytes'], 'en')}, and {outputs['tables']} tables"
    kept = f"; what was there is kept as {', '.join(outputs['kept'])}" if outputs["kept"] else ""
    return "; ".join([f"restored {counted} of {order.set}{kept}", *outputs["notes"]])


ACTION = Action(
    name="backup.restore",
    description="Brings back what a plan of backup.compare orders, after a person has signed it: unpacked beside what "
    "is live, every hash checked, then swapped in. A rescue set must have been sealed first; what was live is kept.",
    inputs={
        "plan": {**PLAN, "description": "The plan of backup.compare, whose paper a person has signed in this run"},
        "rescue": {
            "description": "Folder of the rescue set, as backup.seal gave it: sealed today with reason before_restore. "
            "Needed unless nothing is live",
            "type": "string",
            "optional": True,
            "examples": ["{{ tasks.rescue.set }}"],
        },
        "set": SET,
        **LOGIN,
        **FTPS,
        **KEY,
        "destination": DESTINATION,
    },
    outputs={
        "set": {"type": "string", "description": "The set", "examples": ["WEB-PN-TAIS-2026-11-22-013000-P"]},
        "manifest_sha256": {"type": "string", "description": "Its manifest's SHA-256", "examples": ["9f86d0…"]},
        "files": {"type": "integer", "description": "How many files and links were restored", "examples": [30162]},
        "bytes": {"type": "integer", "description": "Their size in bytes", "examples": [922000000]},
        "tables": {"type": "integer", "description": "How many tables were restored", "examples": [42]},
        "kept": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Where on the server lies what was live before: a folder, a database",
            "examples": [["/var/www/html.lama-3f2a91c07d15", "joomla_lama_3f2a91c07d15"]],
        },
        "notes": {
            "type": "array",
            "items": {"type": "string"},
            "description": "What the way there could not set or make, where it is not a shell's, and what was left out",
            "examples": [["restored over SFTP: times are in whole seconds"]],
        },
        "rescue": {
            "type": ["string", "null"],
            "description": "The rescue set; null where nothing was live",
            "examples": ["WEB-PN-TAIS-2026-11-22-140000-P"],
        },
        "signed_by": {"type": "string", "description": "Who signed the plan", "examples": ["kasubbag_demo"]},
        "duration": {"type": "number", "description": "How long it took, in seconds", "examples": [41.5]},
    },
    effect=Effect.CHANGE,
    repeat=Repeat.SAFE,
    reach=Reach.SERVER,
    limit="4h",
    run=reading("backup.restore", run),
    preview=preview,
    targets=("website", "server", ""),
    example="""\
- id: restore
  action: backup.restore
  with: {plan: "{{ steps.choose.plan }}", rescue: "{{ steps.rescue.set }}"}
""",
)
