"""What persons answered: as outcomes, several of them as one, and where what is returned goes back to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from runner.contract import FINISHED_WELL, Evidence, Outcome, Status, worst
from runner.engine.progress import Progress
from runner.events import Key

RETURNED = "returned"


def answered(answer: Mapping[str, Any]) -> Outcome:
    """Given a person's answer as recorded, return the outcome of what was asked."""
    outputs = {name: answer[name] for name in ("person", "label", "method", "note", "at")}
    if answer.get("to"):
        outputs["to"] = answer["to"]
    return Outcome(
        Status.OK,
        outputs=outputs,
        evidence=tuple(Evidence(**each) for each in answer.get("evidence") or ()),
        deviations=tuple(answer.get("deviations") or ()),
        message=f"{answer['person']}: {answer['label']}",
    )


def with_role(key: Key, role: str) -> Key:
    """The key of what one of several actors does together."""
    return key._replace(item=f"{key.item}.{role}" if key.item else role)


def join_answers(outcomes: Mapping[Key, Outcome], progress: Progress) -> Outcome:
    """Given what each of several actors did, return the outcome of all: of different answers the one that stands last
    among those to choose from counts, so that one who refuses or returns is enough."""

    def rank(key: Key, label: str) -> int:
        answers = [*progress.requested.get(key, {}).get("answers", ())]
        return answers.index(label) if label in answers else len(answers)

    return join(outcomes, rank)


def join(outcomes: Mapping[Key, Outcome], rank: Callable[[Key, str], Any]) -> Outcome:
    """Given what each of several actors did, return the outcome of all; the answer of the highest rank counts, and
    one who returns it to a step is not overruled, nor are others waited for."""
    returned = next((outcome for outcome in outcomes.values() if outcome.outputs.get("to")), None)
    if returned:
        return returned
    status = worst([outcome.status for outcome in outcomes.values()])
    if any(outcome.status is Status.WAITING for outcome in outcomes.values()):
        status = Status.WAITING
    if status not in FINISHED_WELL:
        return next(outcome for outcome in outcomes.values() if outcome.status is status)
    labels = {key: str(outcome.outputs.get("label", "")) for key, outcome in outcomes.items()}
    counts = max(labels, key=lambda key: rank(key, labels[key]))
    made = [outcome.outputs for outcome in outcomes.values()]
    told = {name: "; ".join(dict.fromkeys(str(each.get(name, "")) for each in made)) for name in ("person", "method")}
    notes = [f"{each.get('person')}: {each['note']}" for each in made if each.get("note")]
    return Outcome(
        status,
        outputs={
            **outcomes[counts].outputs,
            **told,
            "note": "; ".join(notes),
            "at": max(str(each.get("at", "")) for each in made),
        },
        message="; ".join(outcome.message for outcome in outcomes.values()),
    )
