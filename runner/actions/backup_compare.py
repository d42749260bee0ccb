"""backup.compare: what a restore would overwrite, bring back and set aside, on a paper that a person can sign."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC
from typing import Any

from runner.actions.backup.checking import check_stored
from runner.actions.backup.excludes import ASIDE, build_excluded
from runner.actions.backup.ftps_inputs import FTPS
from runner.actions.backup.listing import Listed
from runner.actions.backup.login_inputs import LOGIN
from runner.actions.backup.part import DESTINATION
from runner.actions.backup.roster import Roster
from runner.actions.backup.set_files import refused
from runner.actions.backup.sets import BackupSet, spoilt
from runner.actions.backup.shelf import SET, choose, open_shelf, recall
from runner.actions.backup.unlocking import KEY
from runner.actions.backup.verdict import reading
from runner.actions.documents.kept import as_output
from runner.actions.restore.comparing import Difference, compare_tables, hold_against, note_missing
from runner.actions.restore.loading import NEW, OLD, derived_name, opened
from runner.actions.restore.orders import PLAN, Order
from runner.actions.restore.plan_paper import render_paper
from runner.actions.restore.selecting import check_tables, choose_database, is_meant, select, source_root
from runner.actions.restore.site import makeable, told
from runner.actions.restore.ways_there import check_database_way, list_live, opened_site
from runner.contract import Action, Call, Effect, Outcome, Reach, Repeat, Status

NONE = "none"
_COUNT = {"type": "integer", "minimum": 0}
_NAMES = {"type": "array", "items": {"type": "string"}}


def run(call: Call) -> Outcome:
    """Hold the set against what is live, and write the plan. Raise NotAccepted for a set that is spoilt, Failed."""
    shelf = open_shelf(call)
    found = choose(call, shelf)
    for fault in check_stored(shelf.chain(found).values(), call.deadline):
        raise spoilt(found.folder, f"{fault.name} {fault.indonesian}", f"{fault.name}: {fault.english}")
    part = _part(call, found)
    order = _order(call, found, part)
    if part:
        check_database_way(call, call.connect(), found, part)
    difference, notes, folder = _compare_files(call, found, order) if order.root else (None, [], "")
    tables = _compare_tables(call, order, part) if part else None
    kept_as = [place for place in (folder, _kept_database(order)) if place]
    proved = recall(call).proved(found)
    paper = render_paper(call, order, found, proved, difference, tables, notes, kept_as, _to_make(order))
    kept = call.keep(f"rencana-pemulihan-{order.target or 'lokal'}-{order.id}.txt", paper, "text/plain")
    outputs = {
        "plan": {**as_output(kept), "order": order.to_json()},
        "files": difference and _counts(difference),
        "tables": tables,
        "notes": notes,
    }
    return Outcome(Status.OK, outputs, evidence=(kept,), message=_summary(found, order, outputs))


def _part(call: Call, found: BackupSet) -> Mapping[str, Any] | None:
    """The database that is to be restored: the one named; without a name the set's, unless only paths were given."""
    name, tables = str(call.inputs.get("database", "")), call.inputs["tables"]
    if name == NONE or (call.inputs["paths"] and not name and not tables):
        return None
    part = choose_database(found, name, _of_target(call))
    if part is not None:
        check_tables(part, tables)
    return part


def _of_target(call: Call) -> str:
    database = (call.target or {}).get("database")
    return f"{database.get('engine')}:{database.get('name')}" if isinstance(database, Mapping) else ""


def _order(call: Call, found: BackupSet, part: Mapping[str, Any] | None) -> Order:
    paths, tables = tuple(call.inputs["paths"]), tuple(call.inputs["tables"])
    all_files = found.kind != "D" and not tables and call.inputs.get("database") in (None, "", NONE)
    return Order(
        made=call.now.astimezone(UTC).isoformat(timespec="seconds"),
        set=found.name,
        manifest_sha256=found.manifest_sha256,
        target=str((call.target or {}).get("name", "")),
        root=str(call.inputs.get("root") or source_root(found)) if paths or all_files else None,
        paths=paths,
        database=str(part["source"]) if part else None,
        tables=tables,
    )


def _compare_tables(call: Call, order: Order, part: Mapping[str, Any]) -> dict[str, list[str]]:
    with opened(call, call.connect(), part, order.id) as (into, login):
        live = into.tables(login.database.name)
        into.check_closed(login.database.name, order.tables)
    return compare_tables(order.tables or part["tables"], live)


def _kept_database(order: Order) -> str:
    """What the database of now will be called; single tables of PostgreSQL are emptied and filled where they are."""
    engine, _, name = (order.database or "").partition(":")
    if not name or (order.tables and engine == "postgresql"):
        return ""
    return derived_name(name, OLD, order.id)


def _to_make(order: Order) -> list[str]:
    """The databases that the restore will make, which a panel may make as well."""
    engine, _, name = (order.database or "").partition(":")
    return [derived_name(name, what, order.id) for what in (NEW, OLD)] if engine in ("mariadb", "mysql") else []


def _compare_files(call: Call, found: BackupSet, order: Order) -> tuple[Difference, list[str], str]:
    """How the files differ, what the way there cannot do, and where those of now will be kept."""
    difference, left_out = Difference(), list[str]()
    assert order.root
    with opened_site(call, order.root, order.id) as site:
        roster = Roster(call.directory, makeable(site, select(found, order.paths), left_out))
        try:
            if through := roster.find_through():
                raise refused(found, through, "would be reached through a link or a file")
            if site.filled:
                aside = build_excluded(ASIDE)

                def meant(entries: Iterable[Listed]) -> Iterator[Listed]:
                    return (each for each in entries if is_meant(order.paths, each.path) and not aside(each.path))

                list_live(call, site.root, lambda entries: hold_against(roster, difference, meant(entries)))
            note_missing(roster, difference)
        finally:
            roster.close()
        return difference, told(site, left_out), site.old


def _counts(difference: Difference) -> dict[str, int]:
    return {
        "same": difference.same,
        "other": difference.other.count,
        "missing": difference.missing.count,
        "only_live": difference.only_live.count,
    }


def _summary(found: BackupSet, order: Order, outputs: dict[str, Any]) -> str:
    text = f"restoring {found.name}"
    if files := outputs["files"]:
        text += (
            f" would overwrite {files['other']} files in {order.root}, bring back {files['missing']} and leave "
            f"{files['same']} as they are; {files['only_live']} are live only"
        )
    if tables := outputs["tables"]:
        replaced, missing = len(tables["replaced"]), len(tables["missing"])
        text += f"; it would replace {replaced} tables of {order.database} and bring back {missing}"
    return "; ".join([text, *outputs["notes"]])


ACTION = Action(
    name="backup.compare",
    description="Holds a sealed set against what is live, and writes the plan of a restore: what it would overwrite, "
    "bring back and set aside. backup.restore does only what stands in a plan that a person has signed.",
    inputs={
        "set": SET,
        "paths": {
            "description": "Files and folders under the root to bring back; without any the whole folder is replaced",
            "type": "array",
            "items": {"type": "string", "minLength": 1},
            "default": [],
            "maxItems": 1000,
            "examples": [["wp-config.php", "wp-content/uploads/2026"]],
        },
        "root": {
            "description": "The folder on the server; without it the one that was backed up",
            "type": "string",
            "minLength": 1,
            "optional": True,
            "examples": ["/var/www/html"],
        },
        "database": {
            "description": "The database, as the set names it (`mariadb:joomla`) or by its name alone, and no files "
            "unless paths are given; `none` for files only. Without it: the set's files and its one database",
            "type": "string",
            "optional": True,
            "examples": ["mariadb:joomla", NONE],
        },
        "tables": {
            "description": "Tables of it to bring back; without any the whole database is replaced",
            "type": "array",
            "items": {"type": "string", "minLength": 1},
            "default": [],
            "maxItems": 1000,
            "examples": [["wp_posts", "wp_postmeta"]],
        },
        **LOGIN,
        **FTPS,
        **KEY,
        "destination": DESTINATION,
    },
    outputs={
        "plan": PLAN,
        "files": {
            "type": ["object", "null"],
            "description": "How many files and links are the same by size and time, would be overwritten (other), "
            "would come back (missing), are live only; null where no files are restored",
            "properties": {"same": _COUNT, "other": _COUNT, "missing": _COUNT, "only_live": _COUNT},
            "examples": [{"same": 30120, "other": 12, "missing": 30, "only_live": 3}],
        },
        "tables": {
            "type": ["object", "null"],
            "description": "Names of the tables that would be replaced, would come back (missing), are live only; null "
            "where no database is restored",
            "properties": {"replaced": _NAMES, "missing": _NAMES, "only_live": _NAMES},
            "examples": [{"replaced": ["wp_posts"], "missing": [], "only_live": []}],
        },
        "notes": {
            "type": "array",
            "items": {"type": "string"},
            "description": "What the way to the files cannot set or make, where it is not a shell's",
            "examples": [["restored over SFTP: times are in whole seconds"]],
        },
    },
    effect=Effect.READ,
    repeat=Repeat.SAFE,
    reach=Reach.SERVER,
    limit="2h",
    run=reading("backup.compare", run),
    targets=("website", "server", ""),
    example="""\
- id: plan
  action: backup.compare
  with: {paths: [wp-config.php]}
""",
)
