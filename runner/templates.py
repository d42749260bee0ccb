"""What a text with `{{ … }}` in it is: the values that it reads, and what it gives for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

LONGEST_VALUE = 16 * 1024 * 1024


class ExpressionError(ValueError):
    """An expression that cannot be accepted; `fragment` is its text as written."""

    def __init__(self, message: str, cure: str, fragment: str = "") -> None:
        self.cure = cure
        self.fragment = fragment
        super().__init__(message)


class Missing(LookupError):
    """A value that an expression needs is not there."""


class Reference(NamedTuple):
    """One value that an expression reads: `tasks.database.part` is root "tasks" with path ("database", "part").

    `optional` tells that the expression does without it (`| default(…)`, `is defined`); `whole` that the
    expression is nothing but this reference, so that its type is the value's.
    """

    root: str
    path: tuple[str | int, ...]
    optional: bool = False
    whole: bool = False

    def __str__(self) -> str:
        if self.root == "secret":
            return f"secret('{self.path[0]}')"
        return self.root + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.path)


@dataclass(frozen=True, slots=True)
class Expression:
    """One `{{ … }}`, compiled. `fragment` is its text as written, braces included; `value`, given the values of the
    roots, returns the expression's: it raises Missing, or ExpressionError when it fails."""

    fragment: str
    references: tuple[Reference, ...]
    value: Callable[[Mapping[str, Any]], Any] = field(repr=False, compare=False)


class Template(NamedTuple):
    """Text with expressions in it, in order."""

    parts: tuple[str | Expression, ...]

    @property
    def expressions(self) -> tuple[Expression, ...]:
        return tuple(part for part in self.parts if isinstance(part, Expression))

    @property
    def lone(self) -> Expression | None:
        """The expression, where the template is nothing else."""
        only = self.parts[0] if len(self.parts) == 1 else None
        return only if isinstance(only, Expression) else None

    def fill(self, scope: Mapping[str, Any]) -> Any:
        """Given the values of the roots, return the value, or the text. Raise Missing or ExpressionError."""
        if self.lone:
            return self.lone.value(scope)
        text = "".join(p if isinstance(p, str) else render_text(p.value(scope)) for p in self.parts)
        if len(text) > LONGEST_VALUE:
            raise ExpressionError(f"the text grows beyond {LONGEST_VALUE} characters", "shorten it")
        return text


def render_text(value: Any) -> str:
    """Given a value, return it as it stands inside text: true and false as in YAML, nothing for null."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
