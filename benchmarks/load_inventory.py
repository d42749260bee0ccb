"""Loading an inventory of many servers and planning a playbook over all of them, beside `ansible-inventory --list`.

    python benchmarks/load_inventory.py [ROUNDS [SERVERS]]

The inventory has every server in one of a hundred groups, those in ten groups around them, and two variables each. It
is written in Ansible's INI form, which both programs read, and in our own. The playbook has three tasks, one with
expressions; `sop run --list-targets` loads and plans all of it, then names the targets. `sop check` reads only.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from measuring import Rival, compare, program, render_table, version_of

ROUNDS, SERVERS = 5, 10_000
GOALS = {"ansible-inventory --list": "≤ 1/4"}
PLAYBOOK = """\
procedure: {title: Three tasks}
steps:
  - id: look
    activity: Look at every server
    targets: servers
    tasks:
      - {id: load, action: command.run, effect: read, with: {command: uptime}}
      - {id: port, action: command.run, effect: read, with: {argv: [ss, -ltn, "sport = :{{ vars.http_port }}"]}}
      - id: note
        action: command.run
        with: {command: "logger {{ target.name }} {{ tasks.load.stdout }}"}
"""


def ini_lines(servers: int) -> Iterator[str]:
    """Lines of the inventory in Ansible's INI form."""
    for group in range(100):
        yield f"[group{group:02d}]"
        for host in range(group, servers, 100):
            yield f"host{host:05d} ansible_host={address(host)} http_port=80"
    for region in range(10):
        yield f"[region{region}:children]"
        yield from (f"group{group:02d}" for group in range(region, 100, 10))
    yield from ("[all:vars]", "ansible_user=deploy")


def our_lines(servers: int) -> Iterator[str]:
    """Lines of the inventory in our form."""
    yield "servers:"
    for host in range(servers):
        yield f"  host{host:05d}: {{address: {address(host)}, user: deploy, vars: {{http_port: 80}}}}"
    yield "groups:"
    for group in range(100):
        members = ", ".join(f"host{host:05d}" for host in range(group, servers, 100))
        yield f"  group{group:02d}: {{members: [{members}]}}"
    for region in range(10):
        children = ", ".join(f"group{group:02d}" for group in range(region, 100, 10))
        yield f"  region{region}: {{children: [{children}]}}"


def address(host: int) -> str:
    """The address of the server with that number."""
    return f"10.{host >> 16}.{host >> 8 & 255}.{host & 255}"


def build_rivals(folder: Path, servers: int) -> list[Rival]:
    """Write the files and return the programs that read them."""
    for name, lines in (("hosts.ini", ini_lines), ("ours.yml", our_lines)):
        (folder / name).write_text("\n".join(lines(servers)) + "\n", encoding="utf-8")
    (folder / "playbook.yml").write_text(PLAYBOOK, encoding="utf-8")

    def check(said: str) -> None:
        assert said.count("host0") >= min(servers, 10_000), said[-2000:]

    plan = [program("sop"), "run", "playbook.yml", "--list-targets", "-i"]
    return [
        Rival("sop, the same file, planned", [*plan, "hosts.ini"], folder, check=check),
        Rival("sop, its own form, planned", [*plan, "ours.yml"], folder, check=check),
        Rival("sop check", [program("sop"), "check", "playbook.yml", "-i", "hosts.ini"], folder),
        Rival(
            "ansible-inventory --list",
            [program("ansible-inventory", "ansible"), "-i", "hosts.ini", "--list"],
            folder,
            environment={"ANSIBLE_HOME": str(folder / "home")},
            check=check,
        ),
    ]


def main(arguments: list[str]) -> None:
    """Print what each program took, as a table."""
    rounds, servers = [*map(int, arguments), *(ROUNDS, SERVERS)[len(arguments) :]]
    with tempfile.TemporaryDirectory(prefix="sop-bench-") as folder:
        costs = compare(build_rivals(Path(folder), servers), rounds=rounds)
    print(f"## Loading and planning {servers:,} servers\n")
    print(f"Medians of {rounds} rounds, {version_of('ansible', 'ansible-core')}.\n")
    print(render_table(costs, goals=GOALS))


if __name__ == "__main__":
    main(sys.argv[1:])
