"""What a run says of itself at its start."""

from __future__ import annotations

from typing import Any

from runner.plan import Plan, PlannedStep


def describe(plan: Plan) -> dict[str, Any]:
    """Given a plan, return what a run says of itself at its start: the procedure and its steps, as written."""
    procedure = plan.playbook.procedure
    return {
        **_identity(plan),
        "procedure": dict(procedure),
        "outside": sorted(plan.playbook.outside),
        "readings": dict(plan.playbook.supplement.get("readings", {})),
        "escalation": list(plan.playbook.supplement.get("escalation", ())),
        "steps": [_describe_step(step) for step in plan.steps],
        "targets": list(dict.fromkeys(t.name for step in plan.steps if step.selected for t in step.targets if t)),
    }


def _identity(plan: Plan) -> dict[str, Any]:
    return {"playbook": plan.playbook.name, "title": plan.playbook.title, "file": plan.playbook.source.file}


def _describe_step(planned: PlannedStep) -> dict[str, Any]:
    step = planned.step
    return {
        "id": step.id,
        "activity": step.activity,
        "actors": list(planned.actors),
        "inputs": [needed.text for needed in step.inputs],
        "time_limit": step.norm.text,
        "outputs": [{"id": output.id, "text": output.text} for output in step.outputs],
        "selected": planned.selected,
        "once": planned.once,
    }
