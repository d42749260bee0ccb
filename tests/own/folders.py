"""A working folder with an action of its own, `office.word`, for the tests."""

from __future__ import annotations

from pathlib import Path

INVENTORY = """\
office: {name: PN Contoh, timezone: Asia/Jakarta}
servers: {here: {connection: local}}
people: {siti: {name: Siti, login: siti, roles: [{role: admin, from: 2020-01-01}]}}
"""
PLAYBOOK = """\
procedure: {title: T, roles: {admin: Admin}}
steps:
  - {id: ask, activity: a, tasks: [{id: sign, action: person.sign, actor: admin, with: {question: Mohon}}]}
  - id: say
    activity: b
    outputs: [{id: told, text: Kata, value: "{{ tasks.word.told }}"}]
    tasks: [{id: word, action: office.word, with: {word: halo}}]
"""
ACTION = """\
from pathlib import Path

from runner.contract import Action, Effect, Outcome, Reach, Repeat, Status

Path("loaded").write_text("yes")


def run(call):
    return Outcome(Status.OK, outputs={"told": call.inputs["word"] * 2})


ACTION = Action(
    name="office.word",
    description="Says a word twice.",
    inputs={"word": {"type": "string", "description": "the word", "examples": ["halo"]}},
    outputs={"told": {"type": "string", "description": "the word, twice", "examples": ["halohalo"]}},
    effect=Effect.READ,
    repeat=Repeat.SAFE,
    reach=Reach.CONTROLLER,
    limit="10s",
    run=run,
    example="- {id: word, action: office.word, with: {word: halo}}",
)
"""
WORD = Path("actions/office_word.py")


def make_folder(folder: Path, *, asks: bool = True) -> None:
    """Write the working folder; with `asks` its playbook waits for a signature before the own action."""
    (folder / "playbooks").mkdir()
    (folder / "actions").mkdir(mode=0o755)
    (folder / "inventory.yml").write_text(INVENTORY)
    lines = PLAYBOOK.splitlines(keepends=True)
    (folder / "playbooks/kata.yml").write_text("".join(line for line in lines if asks or "id: ask" not in line))
    write_action(folder / WORD, ACTION)


def write_action(path: Path, text: str) -> None:
    """Write a file that only its owner may change, whatever the umask."""
    path.write_text(text)
    path.chmod(0o644)
