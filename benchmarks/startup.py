"""How long the shortest command takes: `sop --version` beside Python importing click, and the rivals' --version.

python benchmarks/startup.py [ROUNDS]
"""

from __future__ import annotations

import sys

from measuring import Rival, compare, program, render_table, version_of

CLICK = "python -c 'import click'"
GOALS = {CLICK: "≤ 1.5 ×"}


def build_rivals() -> list[Rival]:
    """The shortest command of each program."""
    return [
        Rival("sop --version", [program("sop"), "--version"]),
        Rival(CLICK, [program("python"), "-c", "import click"]),
        Rival("pyinfra --version", [program("pyinfra", "pyinfra"), "--version"]),
        Rival("ansible-playbook --version", [program("ansible-playbook", "ansible"), "--version"]),
    ]


def main(arguments: list[str]) -> None:
    """Print what each program took, as a table."""
    rounds = int(arguments[0]) if arguments else 41
    rivals = build_rivals()
    print("## Starting\n")
    print(f"Medians of {rounds} rounds, {version_of('pyinfra', 'pyinfra')}, {version_of('ansible', 'ansible-core')}.\n")
    print(render_table(compare(rivals, rounds=rounds), goals=GOALS))


if __name__ == "__main__":
    main(sys.argv[1:])
