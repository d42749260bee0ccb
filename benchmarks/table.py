"""One table of all that is measured beside other programs.

    python benchmarks/table.py [ROUNDS [ROW…]]

ROW is one of: 20, 100, 500 (SSH targets), 50ms, 300ms (links to 20 targets), web, inventory, start, outcomes, logs.
Ansible needs minutes where the others need seconds: it runs three times for 20 targets at hand and else once, as the
table says; "-" behind a row (500-) leaves it out.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import commands
import load_inventory
import logs
import startup
import web_checks
from fleet import fleet
from measuring import Cost, Rival, compare, fresh, program, render_share, version_of

FORKS = 20
OUTCOMES = (1000, 100)  # targets, tasks
LINES = 1_000_000
HEADERS = ["what", "program", "wall s", "least – most", "CPU s", "MiB", "sop's wall", "sop's CPU", "goal", "reached"]
LINEAR, MOST_MEMORY, LEAST_OUTCOMES = 1.1, 200, 5000


@dataclass(frozen=True, slots=True)
class Goal:
    """What ours may take at most, as a share of another program's wall time and CPU; None where only looked at."""

    wall: float | None = None
    cpu: float | None = None


SSH_GOALS = {
    "bare paramiko loop": Goal(1.2, 1.2),
    "pyinfra": Goal(0.5, 0.5),
    "Ansible, pipelining": Goal(0.05, 0.05),
}
OTHER_GOALS = {
    "ansible-inventory --list": Goal(0.25),
    startup.CLICK: Goal(1.5),
    "blackbox_exporter": Goal(1.5),
}


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured: its name for people and each program's costs, ours first."""

    name: str
    costs: Mapping[str, Sequence[Cost]]
    goals: Mapping[str, Goal]


def measure_ssh(targets: int, rounds: int, *, delay: float = 0.0, ansible: bool = True) -> Row:
    """Ten commands on that many SSH targets, at the end of links of that length (seconds there and back)."""
    near = targets == FORKS and not delay
    name = f"{targets} SSH targets × 10 commands" + (f", links of {delay * 1000:g} ms" if delay else "")
    with tempfile.TemporaryDirectory(prefix="sop-bench-") as place, fleet(Path(place), targets, delay=delay) as hosts:
        folder = Path(place)
        quick = [
            commands.build_sop(folder / "sop", hosts, FORKS),
            commands.build_sop(folder / "reads", hosts, FORKS, reads=True),
            commands.build_bare(folder / "bare", hosts, FORKS),
            commands.build_pyinfra(folder / "pyinfra", hosts, FORKS),
        ]
        slow = [commands.build_ansible(folder / "ansible", hosts, FORKS)] if ansible else []
        if near and ansible:
            slow.append(commands.build_ansible(folder / "raw", hosts, FORKS, module="raw"))
        costs = compare(quick, rounds=rounds) | compare(slow, rounds=min(rounds, 3) if near else 1, warm=False)
    return Row(name, costs, SSH_GOALS)


def measure_web(rounds: int) -> Row:
    """A thousand checks of websites over TLS."""
    with tempfile.TemporaryDirectory(prefix="sop-web-") as place:
        folder = Path(place)
        with web_checks.websites(folder) as authorities, web_checks.exporter(folder, authorities):
            rivals = [
                web_checks.build_sop(folder, authorities, web_checks.SITES),
                web_checks.build_sop(folder, authorities, web_checks.SITES, web_checks.PROCESSES),
                web_checks.build_exporter(folder),
            ]
            return Row("1,000 checks of websites over TLS", compare(rivals, rounds=rounds), OTHER_GOALS)


def measure_inventory(rounds: int) -> Row:
    """Loading an inventory of 10,000 servers."""
    with tempfile.TemporaryDirectory(prefix="sop-bench-") as place:
        costs = compare(load_inventory.build_rivals(Path(place), load_inventory.SERVERS), rounds=rounds)
    return Row("10,000 targets loaded and planned", costs, OTHER_GOALS)


def measure_start(rounds: int) -> Row:
    """The shortest command."""
    return Row("starting", compare(startup.build_rivals(), rounds=max(rounds, 21)), OTHER_GOALS)


def measure_outcomes(rounds: int) -> Row:
    """A hundred thousand tasks that do nothing, each claimed and finished on the disk."""
    targets, tasks = OUTCOMES
    with tempfile.TemporaryDirectory(prefix="sop-bench-") as place:
        folder = Path(place)
        words = [program("python"), str(Path(__file__).with_name("no_ops.py")), str(targets), str(tasks), place]
        rival = Rival("sop", words, folder, prepare=lambda: fresh(folder / "records"))
        return Row(f"{targets * tasks:,} outcomes of tasks that do nothing", compare([rival], rounds=rounds), {})


def measure_logs(rounds: int) -> Row:
    """A million lines of an access log."""
    with tempfile.TemporaryDirectory(prefix="sop-bench-") as place:
        log = Path(place) / "access.log"
        logs.write_log(log, LINES)
        rivals = logs.build_rivals(log)
        goals = {rivals[1].name: Goal(cpu=1 / 12), rivals[3].name: Goal(cpu=2)}
        return Row(f"{LINES:,} lines of an access log", compare(rivals, rounds=min(rounds, 3)), goals)


SSH: dict[str, tuple[int, float]] = {
    "20": (20, 0),
    "100": (100, 0),
    "500": (500, 0),
    "50ms": (20, 0.05),
    "300ms": (20, 0.3),
}
OTHERS: dict[str, Callable[[int], Row]] = {
    "web": measure_web,
    "inventory": measure_inventory,
    "start": measure_start,
    "outcomes": measure_outcomes,
    "logs": measure_logs,
}


def measure(name: str, rounds: int) -> Row:
    """Measure the row of that name."""
    plain = name.removesuffix("-")
    if plain in SSH:
        targets, delay = SSH[plain]
        return measure_ssh(targets, rounds, delay=delay, ansible=plain == name)
    return OTHERS[name](rounds)


def render_row(row: Row) -> Iterator[list[str]]:
    """A row's programs, each with its medians, ours as a share of its own, and whether the goal is reached."""
    ours = next(iter(row.costs))
    name = row.name
    for program_name, costs in row.costs.items():
        mine = program_name.startswith("sop")
        ours = program_name if mine and "only read" not in program_name else ours
        wall, cpu = _median(costs)
        goal = row.goals.get(program_name, Goal())
        share = ["", "", "", ""] if mine else _shares(_median(row.costs[ours]), (wall, cpu), goal)
        walls = [cost.wall for cost in costs]
        spread = f"{min(walls):.3g} – {max(walls):.3g} of {len(walls)}" if len(walls) > 1 else "once"
        memory = f"{max(cost.memory for cost in costs):.0f}"
        yield [name, program_name, f"{wall:.3g}", spread, f"{cpu:.3g}", memory, *share]
        name = ""


def _median(costs: Sequence[Cost]) -> tuple[float, float]:
    return median(cost.wall for cost in costs), median(cost.cpu for cost in costs)


def _shares(ours: tuple[float, float], theirs: tuple[float, float], goal: Goal) -> list[str]:
    shares = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    goals = [(share, most) for share, most in zip(shares, (goal.wall, goal.cpu), strict=True) if most]
    said = " and ".join(dict.fromkeys(f"≤ {most:.2g} ×" for _, most in goals))
    of = " of wall" if goal.wall and not goal.cpu else ""
    reached = "" if not goals else "yes" if all(share <= most for share, most in goals) else "no"
    return [render_share(shares[0]), render_share(shares[1]), said + of, reached]


def render_findings(rows: Mapping[str, Row]) -> Iterator[str]:
    """What the rows say together: growth with targets, memory, outcomes on the disk in a second."""
    if "20" in rows and "500" in rows:
        for name in ("sop", "sop, tasks that only read"):
            few, many = (_median(rows[each].costs[name])[0] for each in ("20", "500"))
            yield f"{name}: 500 targets take {many / few / 25:.2f} × what 25 times 20 take (goal ≤ {LINEAR} ×)."
        memory = max(cost.memory for cost in rows["500"].costs["sop"])
        yield f"sop's memory at 500 targets: {memory:.0f} MiB (goal < {MOST_MEMORY})."
    if "outcomes" in rows:
        wall, cpu = _median(rows["outcomes"].costs["sop"])
        number = OUTCOMES[0] * OUTCOMES[1]
        yield (
            f"{number / wall:,.0f} outcomes a second are on the disk (goal ≥ {LEAST_OUTCOMES:,}), start and end of the "
            f"run counted; {cpu / number * 1e6:.0f} µs of CPU each."
        )


def main(arguments: list[str]) -> None:
    """Measure the rows and print the table."""
    rounds = int(arguments[0]) if arguments else 5
    peers = f"{version_of('pyinfra', 'pyinfra')}, {version_of('ansible', 'ansible-core')}"
    print(f"Medians of {rounds} rounds, {FORKS} targets at a time; {peers}.\n")
    _print_lines([HEADERS, ["---"] * 2 + ["---:"] * 6 + ["---"] * 2])
    rows: dict[str, Row] = {}
    for name in arguments[1:] or (*SSH, *OTHERS):
        rows[name.removesuffix("-")] = row = measure(name, rounds)
        _print_lines(render_row(row))
    print("", *render_findings(rows), sep="\n- ")


def _print_lines(lines: Iterable[list[str]]) -> None:
    print("\n".join(f"| {' | '.join(line)} |" for line in lines), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
