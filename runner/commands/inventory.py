"""`sop inventory`: what there is, whether it can be reached, and whose host keys are trusted."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from runner.commands.options import find_inventories, format_option, inventory_option
from runner.connections import Connections, Verdict, open_connections, record_host_key
from runner.connections.trust import USUAL_FILES
from runner.durations import Deadline
from runner.engine.executors import Threads
from runner.errors import Failed, RunnerError, refuse
from runner.inventory import Inventory, Target, load_inventory
from runner.languages import label, translate
from runner.screen import print_json, show, show_paged, width
from runner.screen.tables import printable, render_table
from runner.services import find_access

PING_LIMIT = 20.0
UNREACHABLE = 4
HEADERS = ("target", "kind", "server", "groups")


@click.group("inventory")
def command() -> None:
    """What there is: websites, servers, services and people."""


@command.command("list", short_help="websites, servers and services, with their groups")
@click.argument("pattern", default="all")
@inventory_option()
@format_option()
def list_targets(pattern: str, inventories: tuple[Path, ...], form: str) -> int:
    """List the targets that PATTERN selects, with kind, groups and server."""
    inventory = _load(inventories)
    rows = [_row(inventory, target) for target in inventory.select(pattern, option="PATTERN")]
    if form == "json":
        print_json({"targets": rows, "notes": list(inventory.notes)})
    else:
        show_paged(
            render_table(
                HEADERS,
                [[label(cell) if name == "kind" else cell for name, cell in row.items()] for row in rows],
                width(),
            )
        )
        for note in inventory.notes:
            show(f"note: {printable(note)}", err=True)
    return 0


@command.command("graph", short_help="groups and their members")
@inventory_option()
def graph(inventories: tuple[Path, ...]) -> int:
    """Draw groups and their members as a tree."""
    inventory = _load(inventories)
    grouped = {member for group in inventory.groups.values() for member in group.members}
    for name, group in inventory.groups.items():
        show(f"{name}: {', '.join(group.members)}")
    alone = [name for name in inventory.targets if name not in grouped]
    if alone:
        show(f"ungrouped: {', '.join(alone)}")
    return 0


@command.command("ping", short_help="whether the servers answer")
@click.argument("pattern", default="all")
@inventory_option()
def ping(pattern: str, inventories: tuple[Path, ...]) -> int:
    """Connect to the servers behind PATTERN and say which answer; exit 4 when one does not."""
    inventory = _load(inventories)
    servers = list(_servers(inventory, pattern))
    connections = open_connections()
    executor = Threads()
    answers = [(server, executor.submit(_ping, connections, server, inventory)) for server in servers]
    silent = 0
    for server, answer in answers:
        message = answer.result()
        silent += bool(message)
        show(f"{server.name}: {printable(message) if message else 'ok'}")
    connections.close()
    return UNREACHABLE if silent else 0


@command.command("trust", short_help="compare and record the host keys of servers")
@click.argument("pattern")
@inventory_option()
@click.option("--yes", is_flag=True, help="Do not ask: the fingerprints were compared before.")
def trust(pattern: str, inventories: tuple[Path, ...], yes: bool) -> int:
    """Show the fingerprints of the servers behind PATTERN and, once agreed, record their host keys."""
    inventory = _load(inventories)
    connections = open_connections()
    for server in _servers(inventory, pattern):
        if server.settings.get("connection") == "local":
            show(f"{server.name}: this machine, which needs no host key")
            continue
        access = find_access(server, inventory, inventory.resolve)
        key, verdict = connections.fetch_host_key(access, Deadline.after(PING_LIMIT))
        show(f"{server.name}: {key.kind} {key.fingerprint} ({verdict})")
        if verdict is Verdict.REVOKED:
            raise Failed(f"{server.name}: this key was revoked. ask the server's administrator")
        if verdict is Verdict.KNOWN:
            continue
        if yes or _agreed():
            record_host_key(USUAL_FILES[0], key)
            show(f"  recorded in {USUAL_FILES[0]}")
        else:
            show("  not recorded")
    return 0


def _agreed() -> bool:
    try:
        return click.confirm(translate("  is this the fingerprint that the server's administrator gives?"))
    except click.Abort:
        if sys.stdin.isatty():
            raise
        show("")
        raise refuse("--yes", "nobody is here to be asked", "compare the fingerprint, then add --yes") from None


def _load(inventories: tuple[Path, ...]) -> Inventory:
    return load_inventory(find_inventories(inventories))


def _servers(inventory: Inventory, pattern: str) -> Iterator[Target]:
    targets = inventory.select(pattern, option="PATTERN")
    servers = {server.name: server for target in targets if (server := inventory.server_of(target))}
    if not servers:
        raise refuse("PATTERN", f"'{pattern}' selects nothing with a server", "name websites or servers")
    yield from servers.values()


def _ping(connections: Connections, server: Target, inventory: Inventory) -> str:
    """Why a server does not answer; "" when it does."""
    try:
        connections.ping(find_access(server, inventory, inventory.resolve), Deadline.after(PING_LIMIT))
    except RunnerError as error:
        return str(error)
    return ""


def _row(inventory: Inventory, target: Target) -> dict[str, str]:
    server = inventory.server_of(target)
    return {
        "target": target.name,
        "kind": target.kind,
        "server": server.name if server and server is not target else "",
        "groups": ", ".join(target.groups),
    }
