"""What a task may recall of the register while its run goes on: the problems in hand, and what people accepted."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from runner.events import Key, fault_of
from runner.record.marks import Mark, State, load_marks
from runner.record.problems import unsolved_problems
from runner.record.reader import JournalReader
from runner.record.register import problem_document
from runner.record.solutions import Solution, find_solutions

_SEEN = """
    SELECT body FROM events WHERE run = ?1 AND kind = 'task_finished' AND step = ?2 AND task = ?3 AND target IS ?4
    AND item = ?5 AND playbook = ?6 AND problems IS NOT NULL ORDER BY seq DESC LIMIT 1
"""


def held_problems(journal: JournalReader, run: str, now: datetime) -> list[dict[str, Any]]:
    """Given a run, return the problems that it, or a run that it includes, has in hand, each with its `solutions`."""
    held = [each for each in unsolved_problems(journal, now=now) if each.holder and _is_part(each.holder.run, run)]
    return [
        {**problem_document(each), "solutions": [_document(one) for one in find_solutions(journal, each)]}
        for each in held
    ]


def accepted_problems(journal: JournalReader, playbook: str, key: Key) -> list[dict[str, Any]]:
    """Given a task on a target, return what people have accepted of the problems that it reported, in order."""
    found = []
    with journal.reading() as connection:
        for marks in load_marks(connection).values():
            for mark in _standing(marks):
                given = (mark.run, key.step, key.task, key.target, key.item, playbook)
                same = mark.target == fault_of(mark.key, key.target)[1]
                row = connection.execute(_SEEN, given).fetchone() if same else None
                data: dict[str, Any] = json.loads(row[0])["data"] if row else {"problems": ()}
                if any(problem["key"] == mark.key for problem in data["problems"]):
                    found.append((mark.seq, _accepted(mark, data["outputs"])))
    return [each for _, each in sorted(found, key=lambda pair: pair[0])]


def _standing(marks: list[Mark]) -> list[Mark]:
    """The acceptances of a problem that were not taken back."""
    standing: list[Mark] = []
    for mark in marks:
        if mark.state is State.ACCEPTED:
            standing.append(mark)
        elif mark.state is State.OPEN and standing:
            standing.pop()
    return standing


def _accepted(mark: Mark, outputs: dict[str, Any]) -> dict[str, Any]:
    return {
        "key": mark.key,
        "person": mark.person,
        "reason": mark.reason,
        "at": mark.at.isoformat(),
        "until": mark.until.isoformat() if mark.until else None,
        "evidence": [each._asdict() for each in mark.evidence],
        "run": mark.run,
        "outputs": outputs,
    }


def _is_part(run: str, whole: str) -> bool:
    return run == whole or run.startswith(f"{whole}.")


def _document(solution: Solution) -> dict[str, Any]:
    return {
        "run": solution.run,
        "solved_at": solution.solved_at.isoformat(),
        "remarks": [remark._asdict() for remark in solution.remarks],
        "changes": list(solution.changes),
    }
