"""Expressions in Jinja2's sandbox: what may stand in one, what it refers to, what it gives.

Loaded when the first `{{` is met: importing Jinja2 takes as long as planning a small playbook.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from runner.errors import did_you_mean
from runner.parsing import compile_pattern, find_in_text, parse_json, search_text
from runner.templates import Expression, ExpressionError, Missing, Reference

FILTERS = frozenset(
    {"abs", "capitalize", "count", "d", "default", "dictsort", "first", "float", "int", "items", "join", "last"}
    | {"length", "list", "lower", "map", "max", "min", "reject", "rejectattr", "replace", "round", "select"}
    | {"selectattr", "sort", "string", "sum", "title", "tojson", "trim", "truncate", "unique", "upper", "urlencode"}
)
PARSERS = frozenset({"from_json", "regex_findall", "regex_search"})  # called as in Ansible
LONGEST_EXPRESSION = 4_000
LARGEST_NUMBER = 10**30

_FORM = "write {{ name.of.value }}"
_NO_FILTER = re.compile(r"No filter named '(.*)'")
_PLAIN_BACKSLASH = re.compile(r"\\(\\|(?![abfnrtvxuUN0-7'\"\n]))")  # one that escapes nothing, as in '\d'; or a pair
_UNUSED = ("\x00%", "%\x00", "\x00#", "#\x00")


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
    environment.filters |= {"from_json": parse_json, "regex_findall": find_in_text, "regex_search": _search}
    return environment


@jinja2.pass_environment
def _search(environment: jinja2.Environment, text: Any, pattern: str) -> Any:
    """What a pattern finds first; where it finds nothing, the value is not there."""
    found = search_text(text, pattern)
    return environment.undefined(f"nothing there matches '{pattern}'") if found is None else found


def find_parts(text: str) -> Iterator[str | Expression]:
    """Given text, return what stands between its expressions, and those, in order. Raise ExpressionError."""
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
    body = _PLAIN_BACKSLASH.sub(r"\\\\", body)  # Python is to refuse such escapes one day
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
    return Expression(fragment, references, _evaluation(fragment, compiled))


def _evaluation(fragment: str, compiled: Callable[..., Any]) -> Callable[[Mapping[str, Any]], Any]:
    def value(scope: Mapping[str, Any]) -> Any:
        try:
            found = compiled(**scope)
        except jinja2.UndefinedError as error:
            raise Missing(str(error)) from None
        except (SecurityError, ArithmeticError, TypeError, ValueError, AttributeError, LookupError) as error:
            raise ExpressionError(f"it fails: {error}", "look at the values it is given", fragment) from None
        if isinstance(found, jinja2.Undefined):
            raise Missing(f"{fragment} has no value")
        return list(found) if isinstance(found, Iterator) else found

    return value


def _explain(error: jinja2.TemplateError) -> tuple[str, str]:
    message = error.message or "not an expression"
    if unknown := _NO_FILTER.match(message):
        known = sorted(FILTERS | PARSERS)
        cure = did_you_mean(unknown[1], known) or "filters are: " + ", ".join(known)
        return f"there is no filter '{unknown[1]}'", cure
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
        elif isinstance(node, nodes.Filter) and node.name.startswith("regex_") and node.node is not None:
            self._check_pattern(node)
            yield from self.of(node.node, optional=optional)
        elif isinstance(node, nodes.Test) and node.name in ("defined", "undefined"):
            yield from self.of(node.node, optional=True)
        else:
            for child in node.iter_child_nodes():
                yield from self.of(child, optional=optional)

    def _check_pattern(self, node: nodes.Filter) -> None:
        """Raise ExpressionError where a pattern could not be checked before the run, or is none."""
        pattern = node.args[0] if len(node.args) == 1 and not node.kwargs else None
        if not isinstance(pattern, nodes.Const) or not isinstance(pattern.value, str):
            message = f"'{node.name}' takes one pattern, written as text"
            raise ExpressionError(message, f"write | {node.name}('…')", self._fragment)
        if any(ord(character) < 32 for character in pattern.value):
            message = f"the pattern of '{node.name}' holds a control character"
            raise ExpressionError(message, r"double the backslash: '\\b', '\\t'", self._fragment)
        try:
            compile_pattern(pattern.value)
        except ValueError as error:
            message, _, cure = str(error).rpartition(". ")
            raise ExpressionError(message, cure, self._fragment) from None

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
