"""Values of a playbook that may hold expressions: compiled once, filled at each task."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from runner.expressions import Expression, ExpressionError, Template, parse_template
from runner.shell import ShellLine, parse_shell_line

Where = tuple[str | int, ...]
Note = Callable[[Where, str, str, str], None]  # where, message, cure, fragment


class Compiled(NamedTuple):
    """A value whose texts are parsed: plain values, Templates and ShellLines in lists and mappings."""

    value: Any
    expressions: tuple[tuple[Where, Expression], ...] = ()

    def fill(self, scope: Mapping[str, Any]) -> Any:
        """Given the values of the roots, return the value; a shell line becomes (line, parameters).

        Raise Missing or ExpressionError.
        """
        return _fill(self.value, scope) if self.expressions else _plain(self.value)

    @property
    def lone(self) -> Expression | None:
        """The expression, where the value is nothing else."""
        return self.value.lone if isinstance(self.value, Template) else None


def compile_value(value: Any, where: Where, note: Note, *, shell: bool = False) -> Compiled:
    """Given a value as written and its place, return it compiled; what cannot be accepted is noted."""
    expressions: list[tuple[Where, Expression]] = []

    def visit(part: Any, at: Where) -> Any:
        if isinstance(part, str):
            return text(part, at)
        if isinstance(part, dict):
            return {key: visit(item, (*at, key)) for key, item in part.items()}
        if isinstance(part, list):
            return [visit(item, (*at, index)) for index, item in enumerate(part)]
        return part

    def text(part: str, at: Where) -> Any:
        try:
            template = parse_template(part)
            expressions.extend((at, expression) for expression in template.expressions)
            if shell:
                return parse_shell_line(part)
        except ExpressionError as error:
            note(at, str(error), error.cure, error.fragment)
            return part
        return template if template.expressions else part

    compiled = visit(value, where)
    return Compiled(compiled, tuple(expressions))


def _fill(value: Any, scope: Mapping[str, Any]) -> Any:
    if isinstance(value, Template | ShellLine):
        return value.fill(scope)
    if isinstance(value, dict):
        return {key: _fill(item, scope) for key, item in value.items()}
    return [_fill(item, scope) for item in value] if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    return value.fill({}) if isinstance(value, Template | ShellLine) else value


def resolve(value: Any, path: tuple[str | int, ...]) -> tuple[bool, Any]:
    """Given a value and a path into it, return whether it leads somewhere, and where to."""
    for part in path:
        if not isinstance(value, Mapping | list | tuple):
            return False, None
        node: Any = value
        try:
            value = node[part]
        except (KeyError, IndexError, TypeError):
            return False, None
    return True, value


def iterate_texts(value: Any, where: Where = ()) -> Iterator[tuple[Where, str]]:
    """Given a value, yield the place and text of every text in it."""
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from iterate_texts(part, (*where, key))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from iterate_texts(part, (*where, index))
