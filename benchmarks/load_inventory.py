"""How long an inventory of many hosts takes to load, in CPU seconds, and how large its process becomes.

    python benchmarks/load_inventory.py [HOSTS] [-- ANSIBLE_INVENTORY]

The inventory is made in a temporary folder, in Ansible's INI form, in its YAML form, and in ours: every host in one of
a hundred groups, those in ten groups around them, two variables each. With the path of an `ansible-inventory` the
same INI file is given to it as well.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

_LOAD = """
import sys, time
from pathlib import Path
started = time.process_time()
from runner.inventory import load_inventory
imported = time.process_time()
inventory = load_inventory([Path(sys.argv[1])])
loaded = time.process_time()
chosen = inventory.select("region1:&group?1:!host001*")
print(f"{len(inventory.targets)} targets: import {imported - started:.2f}, load {loaded - imported:.2f}, "
      f"select {time.process_time() - loaded:.3f} s CPU")
"""


def ini_lines(hosts: int) -> Iterator[str]:
    """Lines of the inventory in Ansible's INI form."""
    for group in range(100):
        yield f"[group{group:02d}]"
        for host in range(group, hosts, 100):
            yield f"host{host:05d} ansible_host=10.{host >> 16}.{host >> 8 & 255}.{host & 255} http_port=80"
    for region in range(10):
        yield f"[region{region}:children]"
        yield from (f"group{group:02d}" for group in range(region, 100, 10))
    yield from ("[all:vars]", "ansible_user=deploy")


def yaml_lines(hosts: int) -> Iterator[str]:
    """Lines of the inventory in Ansible's YAML form."""
    yield from ("all:", "  vars: {ansible_user: deploy}", "  children:")
    for region in range(10):
        yield from (f"    region{region}:", "      children:")
        for group in range(region, 100, 10):
            yield from (f"        group{group:02d}:", "          hosts:")
            for host in range(group, hosts, 100):
                address = f"10.{host >> 16}.{host >> 8 & 255}.{host & 255}"
                yield f"            host{host:05d}: {{ansible_host: {address}, http_port: 80}}"


def our_lines(hosts: int) -> Iterator[str]:
    """Lines of the inventory in our form."""
    yield "servers:"
    for host in range(hosts):
        address = f"10.{host >> 16}.{host >> 8 & 255}.{host & 255}"
        yield f"  host{host:05d}: {{address: {address}, user: deploy, vars: {{http_port: 80}}}}"
    yield "groups:"
    for group in range(100):
        members = ", ".join(f"host{host:05d}" for host in range(group, hosts, 100))
        yield f"  group{group:02d}: {{members: [{members}]}}"
    for region in range(10):
        children = ", ".join(f"group{group:02d}" for group in range(region, 100, 10))
        yield f"  region{region}: {{children: [{children}]}}"


def main(arguments: list[str]) -> None:
    """Measure all three forms, each in a process of its own."""
    hosts = int(arguments[0]) if arguments and arguments[0] != "--" else 10_000
    other = arguments[arguments.index("--") + 1] if "--" in arguments else ""
    with tempfile.TemporaryDirectory() as folder:
        for name, lines in (("hosts.ini", ini_lines), ("hosts.yml", yaml_lines), ("ours.yml", our_lines)):
            path = Path(folder, name)
            path.write_text("\n".join(lines(hosts)) + "\n", encoding="utf-8")
            print(f"{name}: ", end="", flush=True)
            subprocess.run([sys.executable, "-c", _LOAD, str(path)], check=True)
        largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        print(f"largest process: {largest // 1024} MiB")
        if other:
            measure_other([other, "-i", str(Path(folder, "hosts.ini")), "--list"])


def measure_other(argv: list[str]) -> None:
    """Print what another program takes for the same inventory."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{argv[0]}: {used:.2f} s CPU, {time.monotonic() - started:.2f} s wall")


if __name__ == "__main__":
    main(sys.argv[1:])
