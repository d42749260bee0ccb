"""The words for what does not fit a schema: what is wrong, what to do, and where."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from runner.errors import did_you_mean
from runner.shapes.faults import Failure, Fault, render_value
from runner.shapes.plain import has_type

NEEDED = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}
MOST_NAMED = 40
_AMOUNT = re.compile(r"[0-9]+ ?[a-z]+")  # an example such as 2h or 90 hari: a number alone lacks its unit
_YES = frozenset({"ya", "yes", "y", "on", "true", "benar", "1"})
_NO = frozenset({"tidak", "no", "n", "off", "false", "salah", "0"})


def explain(failure: Failure) -> Iterator[Fault]:
    """Given one failure of a schema's keyword, give its faults in words."""
    path = tuple(failure.absolute_path)
    if "propertyNames" in failure.absolute_schema_path and isinstance(failure.instance, str):
        name = failure.instance
        yield Fault((*path, name), f"{render_value(name)} cannot be a name here", _example(failure.schema), key=True)
    elif failure.validator is None:
        yield Fault(path, "this key has no place here", "leave it out", key=True)
    elif failure.validator in _EXPLAINERS:
        yield from _EXPLAINERS[failure.validator](failure, path)
    else:
        yield Fault(path, f"{_shown(failure)} does not fit", _example(failure.schema))


def _shown(failure: Failure) -> str:
    step: Any = failure
    while step is not None:
        if isinstance(step.schema, Mapping) and step.schema.get("secret"):
            return "the value"
        step = step.parent
    return render_value(failure.instance)


def _example(schema: Any) -> str:
    if not isinstance(schema, Mapping):
        return ""
    description = str(schema.get("description", "")).rstrip(".")
    examples = [json.dumps(each, ensure_ascii=False) for each in schema.get("examples", ())[:2]]
    if examples:
        return f"write {' or '.join(examples)}" + (f" ({description})" if description else "")
    return f"write {description[0].lower()}{description[1:]}" if description else ""


def _unknown(failure: Failure, path: tuple[str | int, ...]) -> Iterator[Fault]:
    known = failure.schema.get("properties", {})
    patterns = failure.schema.get("patternProperties", {})
    for key in failure.instance:
        if key in known or any(re.search(pattern, key) for pattern in patterns):
            continue
        names = sorted(name for name, part in known.items() if part is not False)
        cure = did_you_mean(key, names) or f"delete it, or write one of: {', '.join(names[:MOST_NAMED])}"
        if "vars" in known and not cure.startswith("did you mean"):
            cure = f"put values of your own under 'vars', or {cure.removeprefix('delete it, or ')}"
        yield Fault((*path, key), f"unknown key {render_value(key)}", cure, key=True)


def _missing(failure: Failure, path: tuple[str | int, ...]) -> Iterator[Fault]:
    for key in failure.validator_value:
        if key not in failure.instance:
            yield Fault((*path, key), f"the key '{key}' is missing", _write_key(failure.schema, key))


def _write_key(schema: Mapping[str, Any], key: str) -> str:
    part = schema.get("properties", {}).get(key)
    examples = part.get("examples") if isinstance(part, Mapping) else None
    return f"write {key}: {json.dumps(examples[0], ensure_ascii=False)}" if examples else f"add '{key}:'"


def _wrong_type(failure: Failure, path: tuple[str | int, ...]) -> Iterator[Fault]:
    names = failure.validator_value
    names = [names] if isinstance(names, str) else list(names)
    yield _of_types(failure, path, names)


def _of_types(failure: Failure, path: tuple[str | int, ...], names: Sequence[str]) -> Fault:
    needed = " or ".join(NEEDED[name] for name in dict.fromkeys(names))
    value = failure.instance
    if value is None:
        return Fault(path, f"nothing stands here, {needed} is needed", _example(failure.schema), key=True)
    actual = "a truth value" if isinstance(value, bool) else NEEDED[_type_of(value)]
    if isinstance(value, (dict, list)):
        return Fault(path, f"{actual} stands here, {needed} is needed", _example(failure.schema))
    return Fault(path, f"{_shown(failure)} is {actual}, {needed} is needed", _type_cure(failure, names))


def _type_of(value: Any) -> str:
    return next((name for name in NEEDED if has_type(value, name)), "string")


def _type_cure(failure: Failure, names: Sequence[str]) -> str:
    value = failure.instance
    if "boolean" in names and isinstance(value, str):
        word = value.lower()
        return "write true" if word in _YES else "write false" if word in _NO else "write true or false"
    if "string" in names and not isinstance(value, (str, dict, list)):
        example = (failure.schema.get("examples") or [""])[0]
        return _example(failure.schema) if _AMOUNT.fullmatch(str(example)) else "write it in quotes"
    if "array" in names:
        return _example(failure.schema) or "write a list, also for one: [ … ]"
    return _example(failure.schema)


def _not_allowed(failure: Failure, path: tuple[str | int, ...]) -> Iterator[Fault]:
    allowed = [failure.validator_value] if failure.validator == "const" else failure.validator_value
    words = [each if isinstance(each, str) else json.dumps(each) for each in allowed]
    value = failure.instance
    cure = did_you_mean(value if isinstance(value, str) else json.dumps(value, default=str), words)
    yield Fault(path, f"{_shown(failure)} is not allowed here", cure or "write one of: " + ", ".join(words[:12]))


def _wrong_form(failure: Failure, path: tuple[str | int, ...]) -> Iterator[Fault]:
    yield Fault(path, f"{_shown(failure)} does not have the right form", _example(failure.schema))


def _size(failure: Failure, path: tuple[str | int, ...]) -> Iterator[Fault]:
    value, bound = failure.instance, failure.validator_value
    thing = {str: "the text", list: "the list", dict: "the mapping"}[
        next(t for t in (str, list, dict) if _is(value, t))
    ]
    if not value:
        yield Fault(path, f"{thing} is empty", _example(failure.schema))
        return
    count, one = len(value), bound == 1
    entries = f"{count} entry" if count == 1 else f"{count} entries"
    size = entries if not isinstance(value, str) else f"{count} character" if count == 1 else f"{count} characters"
    if str(failure.validator).startswith("min"):
        yield Fault(
            path, f"{thing} has {size}, at least {bound} {'is' if one else 'are'} needed", _example(failure.schema)
        )
    else:
        yield Fault(
            path, f"{thing} has {size}, at most {bound} {'is' if one else 'are'} allowed", _example(failure.schema)
        )


def _is(value: Any, kind: type) -> bool:
    return isinstance(value, kind)


def _amount(failure: Failure, path: tuple[str | int, ...]) -> Iterator[Fault]:
    words = {"minimum": "at least", "maximum": "at most", "exclusiveMinimum": "more than"}
    side = words.get(failure.validator, "less than")
    yield Fault(
        path, f"{_shown(failure)} is out of range, {side} {failure.validator_value} is needed", _example(failure.schema)
    )


def _twice(failure: Failure, path: tuple[str | int, ...]) -> Iterator[Fault]:
    items = failure.instance
    for index, item in enumerate(items):
        if item in items[:index]:
            yield Fault((*path, index), f"{render_value(item)} stands twice in the list", "keep one of them")


def _branches(failure: Failure, path: tuple[str | int, ...]) -> Iterator[Fault]:
    branches: dict[Any, list[Failure]] = {}
    for part in failure.context:
        branch = part.schema_path[0] if part.schema_path else id(part)  # a branch `false` has no path
        branches.setdefault(branch, []).append(part)
    if not branches:
        yield _too_many(failure, path)
        return
    fitting = [parts for parts in branches.values() if not any(_is_root(part, path, "type") for part in parts)]
    if not fitting:
        names = [name for parts in branches.values() for part in parts for name in _types(part, path)]
        yield _of_types(failure, path, names)
        return
    if len(fitting) > 1 and all(_is_root(part, path, "required") for parts in fitting for part in parts):
        yield _one_missing(failure, path, fitting)
        return
    for part in min(fitting, key=lambda parts: _distance(parts, path)):
        yield from explain(part)


def _is_root(part: Failure, path: tuple[str | int, ...], keyword: str) -> bool:
    return part.validator == keyword and tuple(part.absolute_path) == path


def _types(part: Failure, path: tuple[str | int, ...]) -> list[str]:
    if not _is_root(part, path, "type"):
        return []
    return [part.validator_value] if isinstance(part.validator_value, str) else list(part.validator_value)


def _distance(parts: list[Failure], path: tuple[str | int, ...]) -> tuple[int, int, int]:
    """How far a branch is from the value: the word that tells branches apart, then keys, then all the rest."""
    near = [part for part in parts if len(part.absolute_path) <= len(path) + 1]
    words = sum(part.validator in ("const", "enum") for part in near)
    keys = sum(len(list(explain(part))) for part in near if part.validator in ("additionalProperties", "required"))
    return words, keys, len(parts)


def _one_missing(failure: Failure, path: tuple[str | int, ...], fitting: list[list[Failure]]) -> Fault:
    sets = {key for parts in fitting for part in parts for key in part.validator_value if key not in failure.instance}
    names = " or ".join(f"'{key}'" for key in sorted(sets))
    return Fault(path, f"one of the keys {names} is needed", _write_key(failure.schema, min(sets)))


def _too_many(failure: Failure, path: tuple[str | int, ...]) -> Fault:
    keys = {key for part in failure.validator_value if isinstance(part, Mapping) for key in part.get("required", ())}
    both = sorted(key for key in keys if isinstance(failure.instance, Mapping) and key in failure.instance)
    if len(both) > 1:
        names = " and ".join(f"'{key}'" for key in both)
        return Fault((*path, both[1]), f"the keys {names} exclude each other", "keep one of them", key=True)
    return Fault(path, f"{_shown(failure)} can be read in two ways", _example(failure.schema))


def _needs(failure: Failure, path: tuple[str | int, ...]) -> Iterator[Fault]:
    for key, others in failure.validator_value.items():
        for other in others if key in failure.instance else ():
            if other not in failure.instance:
                cure = _write_key(failure.schema, other)
                yield Fault((*path, key), f"'{key}' is of no use without '{other}'", cure, key=True)


_EXPLAINERS: dict[Any, Callable[[Failure, tuple[str | int, ...]], Iterator[Fault]]] = {
    "additionalProperties": _unknown,
    "required": _missing,
    "type": _wrong_type,
    "enum": _not_allowed,
    "const": _not_allowed,
    "pattern": _wrong_form,
    "uniqueItems": _twice,
    "anyOf": _branches,
    "oneOf": _branches,
    "dependentRequired": _needs,
    **dict.fromkeys(("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"), _size),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _amount),
}
