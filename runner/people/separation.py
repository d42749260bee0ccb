"""Who performs, who checks and who approves should be different people; where one is several, that is a deviation."""

from __future__ import annotations

from runner.inventory import Inventory
from runner.people.accounts import person_of
from runner.record.document import Record

_BY_PEOPLE = "person."


def find_same_person(record: Record, inventory: Inventory, name: str, role: str) -> tuple[str, ...]:
    """Given who is about to answer as which role, return the deviation where the same person acted in another one.

    Whoever began the run performed its machine's steps, in the role that the form names for them.
    """
    others = [answer.role for answer in record.answers if answer.person == name and answer.role]
    starter = person_of(inventory, str(record.started.get("by", "")))
    performed = _performed(record)
    if starter and starter.name == name and performed and role not in performed:
        others.insert(0, performed[0])
    roles = list(dict.fromkeys([*others, role]))
    titles = record.started.get("procedure", {}).get("roles", {})
    named = ", ".join(str(titles.get(each, each)) for each in roles)
    return (f"same_person: {name} ({named})",) if role and len(roles) > 1 else ()


def find_same_paper(record: Record, step: str, scan: str) -> tuple[str, ...]:
    """Given the step that is about to be answered and the SHA-256 of its paper's scan ("" without one), return the
    deviation where that scan proved the answer of another step before."""
    earlier = [each.key.step for each in record.answers if scan and each.signature.get("scan") == scan]
    other = next((name for name in earlier if name != step), "")
    return (f"same_paper: {other}",) if other else ()


def _performed(record: Record) -> list[str]:
    """The roles that the form names for the steps that the machine carried out."""
    done = {step.id for step in record.steps if any(not task.action.startswith(_BY_PEOPLE) for _, task in step.tasks)}
    return [role for step in record.started.get("steps") or () if step["id"] in done for role in step.get("actors", ())]
