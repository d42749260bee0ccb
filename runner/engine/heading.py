"""What a run says of itself at its start."""

from __future__ import annotations

from typing import Any

from runner.plan import Plan, PlannedStep
from runner.posts import name_either


def describe(plan: Plan) -> dict[str, Any]:
    """Given a plan, return what a run says of itself at its start: the procedure and its steps, as written."""
    procedure = plan.playbook.procedure
    return {
        **_identity(plan),
        "procedure": {**procedure, **_name_roles(plan)},
        "outside": sorted(plan.playbook.outside),
        "readings": dict(plan.playbook.supplement.get("readings", {})),
        "escalation": list(plan.playbook.supplement.get("escalation", ())),
        "steps": [_describe_step(step) for step in plan.steps],
        "targets": list(dict.fromkeys(t.name for step in plan.steps if step.selected for t in step.targets if t)),
    }


def _name_roles(plan: Plan) -> dict[str, dict[str, str]]:
    """How roles are called, also those of which any one may act; nothing where nobody is named."""
    names = dict(plan.playbook.procedure.get("roles", {}))
    acting = (role for step in plan.steps for role in (*step.actors, *step.deciders, *_asked(step)))
    names |= {role: name_either(role, names) for role in acting}
    return {"roles": names} if names else {}


def _asked(planned: PlannedStep) -> tuple[str, ...]:
    return tuple(role for task in planned.tasks for role in task.roles)


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
