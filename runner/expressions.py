"""`{{ … }}`: find references with their places, fill them with values.

Expressions are Jinja2's, in its sandbox, without statements (`{% %}`), functions or dynamic lookups, so that
every reference is known before a run. A lone `{{ … }}` keeps its value's type; inside text it becomes text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from runner.templates import Expression, ExpressionError, Missing, Reference, Template, render_text

__all__ = [
    "ROOTS",
    "Expression",
    "ExpressionError",
    "Missing",
    "Reference",
    "Template",
    "parse_template",
    "render_text",
]

ROOTS = ("tasks", "steps", "vars", "target", "item", "office", "run")
_STATEMENT = re.compile(r"\{%-?\s*[a-z]+")
_NAME = r"[A-Za-z_][A-Za-z0-9_]{0,99}"
_PLAIN = re.compile(rf"\{{\{{ *({'|'.join(ROOTS)})((?:\.{_NAME}){{1,9}}) *\}}\}}")


@cache
def parse_template(text: str) -> Template:
    """Given text, return its Template. Raise ExpressionError where an expression cannot be accepted."""
    statement = _STATEMENT.search(text)
    if statement:
        raise ExpressionError("'{%' is not part of the language", "use when, for_each or {{ … }}", statement[0])
    if "{{" not in text:
        return Template((text,))
    plain = _PLAIN.fullmatch(text)
    return Template((_build_plain(*plain.group(0, 1, 2)),)) if plain else _parse(text)


def _parse(text: str) -> Template:
    from runner.sandbox import find_parts

    return Template(tuple(find_parts(text)))


def _build_plain(fragment: str, root: str, dotted: str) -> Expression:
    """A reference alone, which is looked up without Jinja: that is asked only for what is wrong with it."""
    path = tuple(dotted[1:].split("."))

    def value(scope: Mapping[str, Any]) -> Any:
        found: Any = scope.get(root)
        for name in path:
            if not isinstance(found, Mapping) or name not in found:
                expression = _parse(fragment).lone
                assert expression is not None
                return expression.value(scope)
            found = found[name]
        return found

    return Expression(fragment, (Reference(root, path, whole=True),), value)
