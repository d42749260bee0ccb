"""`{{ … }}`: find references with their places, fill them with values.

Expressions are Jinja2's, in its sandbox, without statements (`{% %}`), functions or dynamic lookups, so that
every reference is known before a run. A lone `{{ … }}` keeps its value's type; inside text it becomes text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

import jinja2
from jinja2 import nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

ROOTS = ("tasks", "steps", "vars", "target", "item", "office", "run")
FILTERS = frozenset(
    {"abs", "capitalize", "count", "d", "default", "dictsort", "first", "float", "int", "items", "join", "last"}
    | {"length", "list", "lower", "map", "max", "min", "reject", "rejectattr", "replace", "round", "select"}
    | {"selectattr", "sort", "string", "sum", "title", "tojson", "trim", "truncate", "unique", "upper", "urlencode"}
)
LONGEST_EXPRESSION = 4_000
LONGEST_VALUE = 16 * 1024 * 1024
LARGEST_NUMBER = 10**30

_FORM = "write {{ name.of.value }}"
_STATEMENT = re.compile(r"\{%-?\s*[a-z]+")
_UNUSED = ("\x00%", "%\x00", "\x00#", "#\x00")


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
    """One `{{ … }}`, compiled. `fragment` is its text as written, braces included."""

    fragment: str
    references: tuple[Reference, ...]
    compiled: Any = field(repr=False, compare=False)

    def value(self, scope: Mapping[str, Any]) -> Any:
        """Given the values of the roots, return the expression's. Raise Missing, or ExpressionError when it fails."""
        try:
            value = self.compiled(**scope)
        except jinja2.UndefinedError as error:
            raise Missing(str(error)) from None
        except (SecurityError, ArithmeticError, TypeError, ValueError, AttributeError, LookupError) as error:
            raise ExpressionError(f"it fails: {error}", "look at the values it is given", self.fragment) from None
        if isinstance(value, jinja2.Undefined):
            raise Missing(f"{self.fragment} has no value")
        return list(value) if isinstance(value, Iterator) else value


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


class _Absent(jinja2.StrictUndefined):
    """What is not there; nor is anything in it, so that `a.b.c | default(…)` holds however much of it is missing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __getitem__(self, key: Any) -> Any:
        return self


class _Environment(ImmutableSandboxedEnvironment):
    """Jinja2's sandbox that takes a key before any method and bounds what numbers and texts can grow to."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Mapping):
            if attribute in obj:
                return obj[attribute]
            return self.undefined(obj=obj, name=attribute)
        return super().getattr(obj, attribute)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        numbers = isinstance(left, int | float) and isinstance(right, int | float)
        if not numbers or (operator == "**" and (abs(right) > 64 or abs(left) > 1_000_000)):
            raise ExpressionError(f"'{operator}' works on small numbers only", "write the value out")
        result = super().call_binop(context, operator, left, right)
        if abs(result) > LARGEST_NUMBER:
            raise ExpressionError("the number grows too large", "write the value out")
        return result


@cache
def _environment() -> _Environment:
    block_start, block_end, comment_start, comment_end = _UNUSED
    environment = _Environment(
        block_start_string=block_start,
        block_end_string=block_end,
        comment_start_string=comment_start,
        comment_end_string=comment_end,
        undefined=_Absent,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.globals.clear()
    for name in set(environment.filters) - FILTERS:
        del environment.filters[name]
    return environment


@cache
def parse_template(text: str) -> Template:
    """Given text, return its Template. Raise ExpressionError where an expression cannot be accepted."""
    statement = _STATEMENT.search(text)
    if statement:
        raise ExpressionError("'{%' is not part of the language", "use when, for_each or {{ … }}", statement[0])
    if "{{" not in text:
        return Template((text,))
    return Template(tuple(_parts(text)))


def _parts(text: str) -> Iterator[str | Expression]:
    buffer, inside, begin = "", False, 0
    try:
        for _, kind, value in _environment().lex(text):
            if kind == "variable_begin":
                if buffer:
                    yield buffer
                buffer, inside, begin = value, True, len(value)
            elif kind == "variable_end":
                yield _parse_expression(buffer + value, buffer[begin:])
                buffer, inside = "", False
            else:
                buffer += value
    except jinja2.TemplateSyntaxError as error:
        fragment = buffer if inside else text[text.find("{{") :]
        raise ExpressionError(f"not an expression: {error.message}", _FORM, fragment[:200]) from None
    if inside:
        raise ExpressionError("'{{' is not closed", "close it with '}}'", buffer[:200])
    if buffer:
        yield buffer


def _parse_expression(fragment: str, body: str) -> Expression:
    if len(fragment) > LONGEST_EXPRESSION:
        raise ExpressionError("the expression is too long", "split it into two tasks", fragment[:40])
    try:
        tree = _environment().parse("{{" + body + "}}")
        output = tree.body[0] if tree.body else None
        if len(tree.body) != 1 or not isinstance(output, nodes.Output) or len(output.nodes) != 1:
            raise ExpressionError("nothing stands in it", _FORM, fragment)
        node = output.nodes[0]
        references = tuple(dict.fromkeys(_References(fragment).of(node)))
        if isinstance(node, nodes.TemplateData):
            raise ExpressionError("nothing stands in it", _FORM, fragment)
        compiled = _environment().compile_expression(body, undefined_to_none=False)
    except jinja2.TemplateError as error:
        raise ExpressionError(*_explain(error), fragment) from None
    except RecursionError:
        raise ExpressionError("it is nested too deeply", "split it into two tasks", fragment[:40]) from None
    if len(references) == 1 and isinstance(node, nodes.Getattr | nodes.Getitem | nodes.Name):
        only = references[0]
        references = (Reference(only.root, only.path, only.optional, whole=True),)
    return Expression(fragment, references, compiled)


def _explain(error: jinja2.TemplateError) -> tuple[str, str]:
    message = error.message or "not an expression"
    if "No filter named" in message:
        return message.rstrip("."), "filters are: " + ", ".join(sorted(FILTERS))
    return f"not an expression: {message}", _FORM


def _is_from_end(index: nodes.Expr) -> bool:
    """Whether an index counts from the end: `[-1]`."""
    return isinstance(index, nodes.Neg) and isinstance(index.node, nodes.Const) and isinstance(index.node.value, int)


class _References:
    """Collects the references of one expression's tree; refuses what could hide one."""

    def __init__(self, fragment: str) -> None:
        self._fragment = fragment

    def of(self, node: nodes.Node, *, optional: bool = False) -> Iterator[Reference]:
        if isinstance(node, nodes.Name | nodes.Getattr | nodes.Getitem):
            yield from self._chain(node, optional)
        elif isinstance(node, nodes.Call):
            yield from self._call(node, optional)
        elif isinstance(node, nodes.Filter) and node.name in ("default", "d") and node.node is not None:
            yield from self.of(node.node, optional=True)
            for argument in (*node.args, *node.kwargs):
                yield from self.of(argument, optional=optional)
        elif isinstance(node, nodes.Test) and node.name in ("defined", "undefined"):
            yield from self.of(node.node, optional=True)
        else:
            for child in node.iter_child_nodes():
                yield from self.of(child, optional=optional)

    def _chain(self, node: nodes.Expr, optional: bool) -> Iterator[Reference]:
        path: list[str | int] = []
        while not isinstance(node, nodes.Name):
            if isinstance(node, nodes.Getattr):
                path.append(node.attr)
                node = node.node
            elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
                path.append(node.arg.value)
                node = node.node
            elif isinstance(node, nodes.Getitem) and _is_from_end(node.arg):
                path.append(-node.arg.node.value)  # type: ignore[attr-defined]  # looked at one line above
                node = node.node
            elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Slice):
                path.clear()
                node = node.node
            elif isinstance(node, nodes.Getitem):
                raise ExpressionError(
                    "a name that is computed cannot be checked before the run", "write it as text", self._fragment
                )
            else:
                yield from self.of(node, optional=optional)
                return
        if node.name == "secret":
            raise ExpressionError("'secret' is asked with its name", "write secret('name')", self._fragment)
        yield Reference(node.name, tuple(reversed(path)), optional)

    def _call(self, node: nodes.Call, optional: bool) -> Iterator[Reference]:
        function = node.node
        if isinstance(function, nodes.Name) and function.name == "secret":
            argument = node.args[0] if len(node.args) == 1 else None
            if not isinstance(argument, nodes.Const) or not isinstance(argument.value, str):
                raise ExpressionError("'secret' takes one name as text", "write secret('name')", self._fragment)
            yield Reference("secret", (argument.value,), optional)
            return
        if not isinstance(function, nodes.Getattr):
            raise ExpressionError("there are no functions but secret('name')", "use a filter", self._fragment)
        for child in (function.node, *node.args, *node.kwargs):
            yield from self.of(child, optional=optional)
