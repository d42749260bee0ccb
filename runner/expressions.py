"""`{{ … }}`: find references with their places, fill them with values.

Expressions are Jinja2's, in its sandbox, without statements (`{% %}`), functions or dynamic lookups, so that
every reference is known before a run. A lone `{{ … }}` keeps its value's type; inside text it becomes text.
"""

from __future__ import annotations

import re
from functools import cache

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


@cache
def parse_template(text: str) -> Template:
    """Given text, return its Template. Raise ExpressionError where an expression cannot be accepted."""
    statement = _STATEMENT.search(text)
    if statement:
        raise ExpressionError("'{%' is not part of the language", "use when, for_each or {{ … }}", statement[0])
    if "{{" not in text:
        return Template((text,))
    from runner.sandbox import find_parts

    return Template(tuple(find_parts(text)))
