"""Values of a playbook compiled where they stand: what they read exists, comes earlier, and has the right type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from runner.errors import Mistake
from runner.expressions import Expression, Template
from runner.inputs import Compiled, compile_value
from runner.plan.references import Context, Known
from runner.plan.types import Fault, check_known, check_types, part_of
from runner.playbook import Where
from runner.source import Source

LONGEST_SHOWN = 60


class Compiler:
    """Compiles the values of one playbook; what cannot be accepted becomes a mistake at its place."""

    def __init__(self, source: Source, known: Known, mistakes: list[Mistake]) -> None:
        self._source = source
        self._known = known
        self._mistakes = mistakes

    def value(self, value: Any, where: Where, context: Context, *, shell: bool = False) -> Compiled:
        """Given a value as written, its place and what it may read, return it compiled."""
        compiled = compile_value(value, where, self._note_fragment, shell=shell)
        for at, expression in compiled.expressions:
            for reference in expression.references:
                for message, cure in self._known.check(reference, context):
                    self._note_fragment(at, message, cure, expression.fragment)
        return compiled

    def input(self, value: Any, schema: Mapping[str, Any], where: Where, context: Context) -> Compiled:
        """Given a value for an input and the input's schema, return it compiled."""
        allowing = replace(context, secret=bool(schema.get("secret")))
        compiled = self.value(value, where, allowing, shell=bool(schema.get("shell")))
        self._check_type(compiled, schema, where, allowing)
        return compiled

    def unknown(self, inputs: Mapping[str, Any], where: Where, context: Context) -> None:
        """Given the inputs of an action that there is none of, look at what they read all the same."""
        self.value(dict(inputs), where, replace(context, secret=True))

    def condition(self, text: str, where: Where, context: Context) -> Compiled | None:
        """Given a `when`, return it compiled; None where there is none. It guards others, not itself."""
        return self._lone(text, "boolean", where, replace(context, guarded=False)) if text else None

    def items(self, value: Any, where: Where, context: Context) -> Compiled | None:
        """Given a `for_each`, return it compiled; None where there is none."""
        if isinstance(value, str):
            return self._lone(value, "array", where, context)
        return None if value is None else self.value(value, where, context)

    def label(self, text: str, where: Where, context: Context) -> Compiled:
        """Given the expression that answers a decision, return it compiled."""
        return self._lone(text, "string", where, context)

    def _lone(self, text: str, kind: str, where: Where, context: Context) -> Compiled:
        before = len(self._mistakes)
        compiled = self.value(text, where, context)
        if compiled.lone:
            self._check_type(compiled, {"type": kind}, where, context)
        elif len(self._mistakes) == before:
            message, cure = _NOT_LONE[kind]
            self._mistakes.append(self._source.mistake(where, message.format(text), cure))
        return compiled

    def _check_type(self, compiled: Compiled, wanted: Mapping[str, Any], where: Where, context: Context) -> None:
        """Check every value that is nothing but one reference, however deep it stands, against the schema there."""
        for at, expression, schema in _lone_expressions(compiled.value, wanted, where):
            fault = self._misfit(expression, schema, context)
            if fault:
                self._note_fragment(at, *fault, expression.fragment)

    def _misfit(self, expression: Expression, wanted: Mapping[str, Any], context: Context) -> Fault | None:
        reference = expression.references[0] if expression.references else None
        if reference is None or not reference.whole or any(self._known.check(reference, context)):
            return None
        checked: Any = self  # which is no value
        for target, value in self._known.values_of(reference, context):
            if value is checked:  # a thousand targets share a variable
                continue
            fault, checked = check_known(value, wanted), value
            if fault:
                return f"for '{target.name}' {fault[0]}" if target else fault[0], fault[1]
        return check_types(self._known.schema_of(reference, context), wanted)

    def _note_fragment(self, where: Where, message: str, cure: str, fragment: str) -> None:
        text = " ".join(fragment.split())
        shown = text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"
        told = f"{shown}: {message}" if shown else message
        self._mistakes.append(self._source.mistake(where, told, cure, find=fragment))


def _lone_expressions(
    value: Any, schema: Mapping[str, Any], where: Where
) -> Iterator[tuple[Where, Expression, Mapping[str, Any]]]:
    """Given a compiled value, its schema and its place, yield the same of every part that is one expression."""
    if isinstance(value, Template):
        if value.lone and not schema.get("secret"):
            yield where, value.lone, schema
    elif isinstance(value, dict | list):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _lone_expressions(part, part_of(schema, key), (*where, key))


_NOT_LONE = {
    "boolean": ("'{}' is not one expression", "write {{ … }} around the whole condition"),
    "array": ("for_each takes a list, or one expression that gives one", "write [a, b] or {{ … }}"),
    "string": ("the value is one expression", "write {{ … }}"),
}
