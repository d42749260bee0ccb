"""Programs that run the same ten shell commands on SSH servers: sop, a bare paramiko loop, pyinfra, Ansible, its `raw`.

Every program holds the host keys against what it was told, takes as many targets at a time as the others, opens its
connections anew in each run, and must have done every command. sop keeps its journal.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from fleet import Host, write_known_hosts
from measuring import Rival, fresh, program

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


def build_sop(folder: Path, hosts: Sequence[Host], forks: int, *, reads: bool = False) -> Rival:
    """sop, with a record that begins empty in each run. With `reads`, each task says that it only reads."""
    servers = {
        host.name: {
            "address": host.address,
            "port": host.port,
            "user": host.user,
            "identity": str(host.identity),
            "host_key": host.host_key,
        }
        for host in hosts
    }
    effect = {"effect": "read"} if reads else {}
    tasks = [
        {"id": f"task{number}", "action": "command.run", **effect, "with": {"command": command}}
        for number, command in enumerate(COMMANDS)
    ]
    playbook = {
        "procedure": {"title": "Ten commands"},
        "steps": [{"id": "commands", "activity": "Ten commands", "targets": "servers", "tasks": tasks}],
    }
    fresh(folder)
    (folder / "inventory.yml").write_text(json.dumps({"servers": servers}))
    (folder / "playbook.yml").write_text(json.dumps(playbook))
    argv = [program("sop"), "run", "playbook.yml", "-i", "inventory.yml", "-f", str(forks)]

    def check(said: str) -> None:
        with sqlite3.connect(folder / "records" / "journal.sqlite") as journal:
            query = "SELECT count(*) FROM events WHERE kind = 'task_finished' AND status = ?"
            found = journal.execute(query, ("ok" if reads else "changed",)).fetchone()
        assert found == (len(hosts) * len(COMMANDS),), said

    name = "sop, tasks that only read" if reads else "sop"
    return Rival(name, argv, folder, prepare=lambda: fresh(folder / "records"), check=check)


def build_bare(folder: Path, hosts: Sequence[Host], forks: int) -> Rival:
    """A loop over paramiko that keeps one shell for each target."""
    fresh(folder)
    job = {
        "targets": [{"address": host.address, "port": host.port, "user": host.user} for host in hosts],
        "identity": str(hosts[0].identity),
        "known_hosts": str(write_known_hosts(folder / "known_hosts", hosts)),
        "commands": COMMANDS,
    }
    (folder / "job.json").write_text(json.dumps(job))
    argv = [program("python"), str(Path(__file__).with_name("bare_loop.py")), str(forks), "job.json"]

    def check(said: str) -> None:
        assert f"good: {len(hosts) * len(COMMANDS)}\n" in said, said

    return Rival("bare paramiko loop", argv, folder, check=check)


def build_pyinfra(folder: Path, hosts: Sequence[Host], forks: int) -> Rival:
    """pyinfra, one operation for each command."""
    fresh(folder)
    known_hosts = str(write_known_hosts(folder / "known_hosts", hosts))
    inventory = [
        (
            host.name,
            {
                "ssh_hostname": host.address,
                "ssh_port": host.port,
                "ssh_user": host.user,
                "ssh_key": str(host.identity),
                "ssh_known_hosts_file": known_hosts,
                "ssh_strict_host_key_checking": "yes",
            },
        )
        for host in hosts
    ]
    operations = [f"server.shell(name='task {n}', commands=[{command!r}])" for n, command in enumerate(COMMANDS)]
    (folder / "inventory.py").write_text(f"hosts = {inventory!r}\n")
    (folder / "deploy.py").write_text("\n".join(["from pyinfra.operations import server", *operations, ""]))
    argv = [program("pyinfra", "pyinfra"), "-y", "--parallel", str(forks), "inventory.py", "deploy.py"]

    def check(said: str) -> None:
        assert said.count("Success") >= len(hosts) * len(COMMANDS), said

    return Rival("pyinfra", argv, folder, check=check)


def build_ansible(folder: Path, hosts: Sequence[Host], forks: int, *, module: str = "shell") -> Rival:
    """Ansible, with pipelining on and its own way of keeping connections (ControlPersist)."""
    fresh(folder)
    known_hosts = write_known_hosts(folder / "known_hosts", hosts)
    lines = [
        f"{host.name} ansible_host={host.address} ansible_port={host.port} ansible_user={host.user} "
        f"ansible_ssh_private_key_file={host.identity} ansible_python_interpreter={program('python', 'ansible')} "
        f"ansible_ssh_common_args='-o UserKnownHostsFile={known_hosts}'"
        for host in hosts
    ]
    tasks = [{"name": f"task {number}", module: command} for number, command in enumerate(COMMANDS)]
    settings = f"[defaults]\nforks = {forks}\nhost_key_checking = True\n"
    settings += f"[ssh_connection]\npipelining = True\ncontrol_path_dir = {folder}/sockets\n"
    (folder / "hosts.ini").write_text("\n".join(lines) + "\n")
    (folder / "playbook.yml").write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
    (folder / "ansible.cfg").write_text(settings)

    def check(said: str) -> None:
        assert said.count(f"ok={len(COMMANDS)} ") == len(hosts), said

    return Rival(
        "Ansible, pipelining" if module == "shell" else f"Ansible, `{module}`",
        [program("ansible-playbook", "ansible"), "-i", "hosts.ini", "playbook.yml"],
        folder,
        environment={"ANSIBLE_CONFIG": str(folder / "ansible.cfg"), "ANSIBLE_HOME": str(folder / "home")},
        prepare=lambda: fresh(folder / "sockets"),
        check=check,
    )
