"""Runs rival programs in turn and compares what they cost: wall time, and CPU seconds of the whole process tree."""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
PEERS = Path(__file__).resolve().parent / ".peers"
LONGEST_RUN = 3600.0  # seconds
_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of <linux/prctl.h>


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run took: seconds on the clock, seconds of CPU (user and system) and the largest process in MiB."""

    wall: float
    cpu: float
    memory: float


@dataclass(frozen=True, slots=True)
class Rival:
    """A program to measure: its name for people and the words that start it. `prepare` is done before each run,
    `check` gets what the run printed and raises AssertionError where it did not do its work."""

    name: str
    argv: Sequence[str]
    folder: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[], None] = lambda: None
    check: Callable[[str], None] = lambda said: None


def program(name: str, peer: str = "") -> str:
    """Given a program's name, return its path in a peer's environment, or in that of ours as users install it."""
    place = PEERS / (peer or "sop") / "bin" / name
    if not place.exists():
        raise SystemExit(f"{name} is not installed. run benchmarks/run, or `make bench`")
    return str(place)


def compare(rivals: Sequence[Rival], *, rounds: int, warm: bool = True) -> dict[str, list[Cost]]:
    """Run every rival once to warm up, then all of them in turn, `rounds` times; return their costs by name.

    The order turns by one each round, so that nobody always runs after the same one.
    """
    for rival in rivals if warm else ():
        measure(rival)
    costs: dict[str, list[Cost]] = {rival.name: [] for rival in rivals}
    for turn in range(rounds):
        for place in range(len(rivals)):
            rival = rivals[(turn + place) % len(rivals)]
            costs[rival.name].append(measure(rival))
    return costs


def measure(rival: Rival) -> Cost:
    """Run a rival once, in a process of its own that also waits for whatever it leaves behind."""
    rival.prepare()
    with tempfile.TemporaryFile("w+") as said:
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            _measure_and_exit(rival, said.fileno(), write)
        os.close(write)
        with os.fdopen(read) as answer:
            numbers = [float(word) for word in answer.read().split()]
        os.waitpid(child, 0)
        said.seek(0)
        text = said.read()
    code, wall, cpu, memory = numbers
    if code:
        raise SystemExit(f"{rival.name} ended with exit code {code:.0f}:\n{text[-4000:]}")
    rival.check(text)
    return Cost(wall, cpu, memory)


def _measure_and_exit(rival: Rival, said: int, answer: int) -> None:
    """Run the rival, then end and count what it left running (the ssh that ControlPersist keeps)."""
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    started = time.monotonic()
    environment = {**os.environ, **rival.environment}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # installed programs are compiled; so is what is measured here
    process = subprocess.Popen(
        rival.argv, cwd=rival.folder, env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=said
    )
    alarm = threading.Timer(LONGEST_RUN, process.kill)  # a wait with a limit of its own would only look now and then
    alarm.start()
    code = process.wait()
    wall = time.monotonic() - started
    alarm.cancel()
    _end_leftovers()
    used = getrusage(RUSAGE_CHILDREN)
    os.write(answer, f"{code} {wall} {used.ru_utime + used.ru_stime} {used.ru_maxrss / 1024}".encode())
    os._exit(0)


def _end_leftovers() -> None:
    """End the processes that came to us when their parents ended, and wait for them: their CPU is counted then."""
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    while left := children.read_text().split():
        for process in map(int, left):
            os.kill(process, signal.SIGTERM)
            os.waitpid(process, 0)


def render_table(costs: Mapping[str, Sequence[Cost]], *, goals: Mapping[str, str]) -> str:
    """Given costs by name, ours first, return a Markdown table of medians and of ours as a share of each rival's.

    Names that begin with "sop" are ours. `goals` says, by rival, what share is aimed at.
    """
    ours = next(iter(costs.values()))
    headers = ["", "wall s", "(least – most)", "CPU s", "MiB", "sop's wall", "sop's CPU", "goal"]
    rows = [_row(name, ours, found, goals.get(name, "")) for name, found in costs.items()]
    lines = [headers, ["---"] + ["---:"] * (len(headers) - 2) + ["---"], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _row(name: str, ours: Sequence[Cost], found: Sequence[Cost], goal: str) -> list[str]:
    walls = [cost.wall for cost in found]
    wall, cpu = median(walls), median(cost.cpu for cost in found)
    shares = ["", ""]
    if not name.startswith("sop"):
        shares = [render_share(median(c.wall for c in ours) / wall), render_share(median(c.cpu for c in ours) / cpu)]
    size = max(cost.memory for cost in found)
    return [name, f"{wall:.3f}", f"{min(walls):.3f} – {max(walls):.3f}", f"{cpu:.3f}", f"{size:.0f}", *shares, goal]


def render_share(share: float) -> str:
    """Given ours divided by theirs, return it as people say it: "1/4.2", or "1.3 ×" where ours is the larger."""
    return f"1/{1 / share:.1f}" if share < 1 else f"{share:.2f} ×"


def render_machine() -> str:
    """What the figures depend on: cores, system, Python, OpenSSH."""
    ssh = subprocess.run(["ssh", "-V"], capture_output=True, text=True, check=False).stderr.split(",")[0]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    facts = (
        f"{os.cpu_count()} cores, {memory:.0f} GiB",
        f"{platform.system()} {platform.release().split('-')[0]} {platform.machine()}",
        f"Python {platform.python_version()}",
        ssh.strip(),
        f"load average {os.getloadavg()[1]:.1f} at the start",
    )
    return "; ".join(facts)


def version_of(peer: str, package: str) -> str:
    """Given a peer's environment and a package, return "package version"."""
    code = f"import importlib.metadata as m; print(m.version({package!r}))"
    argv = [program("python", peer), "-c", code]
    return f"{package} {subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()}"


def fresh(folder: Path) -> None:
    """Remove a folder and make it anew."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


if __name__ == "__main__":
    print(f"# Results\n\nMeasured on: {render_machine()}.\n")
