"""The same ten shell commands on twenty SSH servers: sop, pyinfra, Ansible, and Ansible's `raw`.

    python benchmarks/commands.py [ROUNDS]

The servers are twenty OpenSSH servers on 127.0.0.1, each with a host key of its own that every program holds against
what it was told. All take twenty targets at a time and open their connections anew in each run. sop keeps its journal.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from measuring import ROOT, Rival, compare, fresh, program, render_table, version_of

sys.path.insert(0, str(ROOT))
from tests.sshd import SshServer, ssh_server

SERVERS = 20
COMMANDS = (
    "uname -sr",
    "id -un",
    "hostname",
    "date -u +%Y-%m-%d",
    "df -P / | tail -n 1",
    "ls / | wc -l",
    "cat /proc/loadavg",
    "test -d /etc && echo there",
    "printf '%s\\n' one two three | sort",
    "head -c 4096 /dev/zero | wc -c",
)
GOALS = {"pyinfra": "≤ 1/2 of wall and CPU", "Ansible, pipelining": "≤ 1/20 of wall"}


@contextmanager
def servers(folder: Path, number: int) -> Iterator[Sequence[SshServer]]:
    """Run that many SSH servers; the first one's key opens all of them."""
    with ExitStack() as stack:
        running = [
            stack.enter_context(ssh_server(folder / f"server{index:02d}", f"server{index:02d}"))
            for index in range(number)
        ]
        for server in running:
            (server.directory / "authorized_keys").write_bytes(running[0].identity.with_suffix(".pub").read_bytes())
        yield running


def build_sop(folder: Path, running: Sequence[SshServer], commands: Sequence[str]) -> Rival:
    """sop, with a record that begins empty in each run."""
    hosts = {
        server.name: {**server.settings, "identity": str(running[0].identity), "host_key": server.host_key()}
        for server in running
    }
    tasks = [
        {"id": f"task{number}", "action": "command.run", "with": {"command": command}}
        for number, command in enumerate(commands)
    ]
    playbook = {
        "procedure": {"title": "Ten commands"},
        "steps": [{"id": "commands", "activity": "Ten commands", "targets": "servers", "tasks": tasks}],
    }
    folder.mkdir()
    (folder / "inventory.yml").write_text(json.dumps({"servers": hosts}))
    (folder / "playbook.yml").write_text(json.dumps(playbook))
    argv = [program("sop"), "run", "playbook.yml", "-i", "inventory.yml", "-f", str(len(running))]

    def check(said: str) -> None:
        with sqlite3.connect(folder / "records" / "journal.sqlite") as journal:
            query = "SELECT count(*) FROM events WHERE kind = 'task_finished' AND status = 'changed'"
            assert journal.execute(query).fetchone() == (len(running) * len(commands),), said

    return Rival("sop", argv, folder, prepare=lambda: fresh(folder / "records"), check=check)


def build_pyinfra(folder: Path, running: Sequence[SshServer], commands: Sequence[str]) -> Rival:
    """pyinfra, one operation for each command."""
    hosts = [
        (
            f"{server.name}",
            {
                "ssh_hostname": server.address,
                "ssh_port": server.port,
                "ssh_user": server.user,
                "ssh_key": str(running[0].identity),
                "ssh_known_hosts_file": str(known_hosts(folder.parent, running)),
                "ssh_strict_host_key_checking": "yes",
            },
        )
        for server in running
    ]
    operations = [f"server.shell(name='task {n}', commands=[{command!r}])" for n, command in enumerate(commands)]
    folder.mkdir()
    (folder / "inventory.py").write_text(f"hosts = {hosts!r}\n")
    (folder / "deploy.py").write_text("\n".join(["from pyinfra.operations import server", *operations, ""]))
    argv = [program("pyinfra", "pyinfra"), "-y", "--parallel", str(len(running)), "inventory.py", "deploy.py"]

    def check(said: str) -> None:
        assert said.count("Success") >= len(running) * len(commands), said

    return Rival("pyinfra", argv, folder, check=check)


def build_ansible(name: str, module: str, folder: Path, running: Sequence[SshServer], commands: Sequence[str]) -> Rival:
    """Ansible, with pipelining on and its own way of keeping connections (ControlPersist)."""
    hosts = [
        f"{server.name} ansible_host={server.address} ansible_port={server.port} ansible_user={server.user} "
        f"ansible_ssh_private_key_file={running[0].identity} ansible_python_interpreter={program('python', 'ansible')} "
        f"ansible_ssh_common_args='-o UserKnownHostsFile={known_hosts(folder.parent, running)}'"
        for server in running
    ]
    tasks = [{"name": f"task {number}", module: command} for number, command in enumerate(commands)]
    settings = f"[defaults]\nforks = {len(running)}\nhost_key_checking = True\n"
    settings += f"[ssh_connection]\npipelining = True\ncontrol_path_dir = {folder}/sockets\n"
    folder.mkdir()
    (folder / "hosts.ini").write_text("\n".join(hosts) + "\n")
    (folder / "playbook.yml").write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
    (folder / "ansible.cfg").write_text(settings)

    def check(said: str) -> None:
        assert said.count(f"ok={len(commands)} ") == len(running), said

    return Rival(
        name,
        [program("ansible-playbook", "ansible"), "-i", "hosts.ini", "playbook.yml"],
        folder,
        environment={"ANSIBLE_CONFIG": str(folder / "ansible.cfg"), "ANSIBLE_HOME": str(folder / "home")},
        prepare=lambda: fresh(folder / "sockets"),
        check=check,
    )


def known_hosts(folder: Path, running: Sequence[SshServer]) -> Path:
    """One known_hosts file for all servers."""
    path = folder / "known_hosts"
    path.write_text("".join(server.known_hosts.read_text() for server in running))
    return path


def main(arguments: list[str]) -> None:
    """Print what each program took, as a table."""
    rounds = int(arguments[0]) if arguments else 3
    chosen = arguments[1:] or ["sop", "pyinfra", "ansible", "raw"]
    with tempfile.TemporaryDirectory(prefix="sop-bench-") as name, servers(Path(name), SERVERS) as running:
        folder = Path(name)
        rivals = {
            "sop": lambda: build_sop(folder / "sop", running, COMMANDS),
            "pyinfra": lambda: build_pyinfra(folder / "pyinfra", running, COMMANDS),
            "ansible": lambda: build_ansible("Ansible, pipelining", "shell", folder / "ansible", running, COMMANDS),
            "raw": lambda: build_ansible("Ansible, `raw`", "raw", folder / "raw", running, COMMANDS),
        }
        costs = compare([rivals[each]() for each in chosen], rounds=rounds)
    print(f"## Ten commands on {SERVERS} SSH servers\n")
    print(f"Medians of {rounds} rounds, {version_of('pyinfra', 'pyinfra')}, {version_of('ansible', 'ansible-core')}.\n")
    print(render_table(costs, goals=GOALS))


if __name__ == "__main__":
    main(sys.argv[1:])
