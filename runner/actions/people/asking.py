"""Actions that a person does: the run asks whoever holds the role, and waits for the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from runner.contract import (
    ANSWER_OUTPUTS,
    Action,
    Call,
    Effect,
    JsonSchema,
    Outcome,
    Preview,
    Reach,
    Repeat,
    Request,
    Status,
)
from runner.posts import say_roles

ROLE: dict[str, Any] = {
    "type": "string",
    "optional": True,
    "description": "the role that must act; without it the task's or step's actor",
    "examples": ["kasubbag"],
}


def build_asking(
    name: str,
    description: str,
    inputs: Mapping[str, JsonSchema],
    request: Callable[[Call], Request],
    *,
    asked: str,
    example: str,
) -> Action:
    """Given what is asked of a person, return the action; `asked` is what a dry run says of it: "asked to sign"."""

    def run(call: Call) -> Outcome:
        return Outcome(Status.WAITING, request=request(call))

    def preview(call: Call) -> Preview:
        who = say_roles(call.inputs["role"])
        return Preview(f"{who} would be {asked}: {call.inputs['question']}")

    return Action(
        name=name,
        description=description,
        inputs={"role": ROLE, **inputs},
        outputs=ANSWER_OUTPUTS,
        effect=Effect.OUTSIDE,
        repeat=Repeat.SAFE,
        reach=Reach.CONTROLLER,
        limit="1m",
        run=run,
        preview=preview,
        targets=("",),
        person=True,
        example=example,
    )
