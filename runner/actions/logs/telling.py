"""Rules in words, for those who edit them."""

from __future__ import annotations

from collections.abc import Iterator

from runner.actions.logs.condition import Absent, All, Any, Condition, Match, Not
from runner.actions.logs.sigma import Correlation, Rule

MOST_TEXTS = 12
_KINDS = {
    "event_count": "at least {least} lines",
    "value_count": "at least {least} different values of {field}",
    "temporal": "a line of each, in any order",
    "temporal_ordered": "a line of each, in this order",
}


def tell_rule(rule: Rule | Correlation) -> Iterator[str]:
    """Given a rule, yield what it asks for, line by line."""
    if isinstance(rule, Correlation):
        yield f"counts {', '.join(rule.rules)}"
        by = " and ".join(rule.group) if rule.group else "all visitors together"
        asked = _KINDS[rule.kind].format(least=rule.least, field=rule.field)
        yield f"asks for {asked}, within {rule.seconds} seconds, by {by}"
        if rule.success:
            yield f"a line of {rule.success} after that likely worked"
        if rule.unless:
            yield f"leaves out what {rule.unless} has told"
        return
    yield from _tell(rule.condition, 0)
    if rule.proof:
        yield f"a success status likely means that it worked, where this stands in the {rule.proof}"
    if rule.counts:
        yield "says nothing alone: it is counted by correlations"
    if rule.blind:
        yield "can never hold: it asks for a host, a user or a content type, which no access log has here"


def _tell(condition: Condition, depth: int) -> Iterator[str]:
    space = "    " * depth
    match condition:
        case Match(field, literals, pattern):
            shown = [text.decode("latin-1") for text in literals[:MOST_TEXTS]]
            more = f" … and {len(literals) - MOST_TEXTS} more" if len(literals) > MOST_TEXTS else ""
            if literals:
                yield f"{space}{field} holds {' | '.join(map(repr, shown))}{more}"
            if pattern:
                yield f"{space}{field} has the form {pattern.decode('latin-1')}"
            if not literals and not pattern:
                yield f"{space}any {field}"
        case Absent(field):
            yield f"{space}{field} is empty"
        case Not(part):
            yield f"{space}not:"
            yield from _tell(part, depth + 1)
        case All(parts):
            yield f"{space}all of:"
            for part in parts:
                yield from _tell(part, depth + 1)
        case Any(parts):
            yield f"{space}one of:"
            for part in parts:
                yield from _tell(part, depth + 1)
