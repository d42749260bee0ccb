"""Whether an action declares itself whole: what `sop actions`, the schemas and the plan build upon."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from runner.contract import Action, Effect, Reach, Repeat
from runner.durations import parse_limit
from runner.errors import Refused, did_you_mean
from runner.shapes import check_schema, check_value
from runner.source import parse_source

KINDS = ("website", "server", "service", "")
_FIELD = re.compile(r"[a-z][a-z0-9_]*")
_WORDS: Mapping[str, type[Effect] | type[Repeat] | type[Reach]] = {"effect": Effect, "repeat": Repeat, "reach": Reach}


class Wrong(NamedTuple):
    """What is wrong with a declaration; `subject` is the field or name that it is about."""

    subject: str
    message: str
    cure: str


def check_declaration(action: Any, name: str) -> Iterator[Wrong]:
    """Given what a file calls ACTION and the name it should have, yield all that is wrong with it."""
    if not isinstance(action, Action):
        yield Wrong("ACTION", "ACTION is not an Action", "write ACTION = Action(name=…), of runner.contract")
        return
    wrong = [*_check_plain(action, name), *_check_fields(action)]
    yield from wrong
    if not wrong:
        yield from _check_example(action)


def check_own(action: Any, name: str) -> Iterator[Wrong]:
    """Like `check_declaration`, for one that is not built in: what people do stays with those that are."""
    yield from check_declaration(action, name)
    if isinstance(action, Action) and action.person:
        yield Wrong("person", "people act through person.do and person.sign", "delete person=, and use those")


def _check_plain(action: Action, name: str) -> Iterator[Wrong]:
    if action.name != name:
        yield Wrong("name", f"it is called '{action.name}', its file is for '{name}'", f'write name="{name}"')
    if not isinstance(action.description, str) or not action.description.strip():
        yield Wrong("description", "it has no description", "say in one sentence what it does")
    for field, words in _WORDS.items():
        if not isinstance(getattr(action, field), words):
            choice = " or ".join(f"{words.__name__}.{word.name}" for word in words)
            yield Wrong(field, f"{field} is not a {words.__name__}", f"write {choice}")
    if not isinstance(action.limit, str) or not _is_limit(action.limit):
        yield Wrong("limit", f"{action.limit!r} is no time limit", 'write one such as "30s", "5m" or "2h"')
    for field in ("run", "preview"):
        if not callable(getattr(action, field)):
            yield Wrong(field, f"{field} is not a function", f"write {field}={field}, a function of the call")
    if action.repeat == Repeat.PROBE and not callable(action.probe):
        yield Wrong("repeat", "repeat is PROBE, and there is no probe", "add probe=…, or write Repeat.NEVER")
    for kind in set(action.targets) - set(KINDS):
        cure = did_you_mean(str(kind), KINDS[:-1]) or "write website, server, service, or '' for a step that runs once"
        yield Wrong("targets", f"there are no targets of the kind {kind!r}", cure)
    for each in set(action.one_of) - set(action.inputs):
        yield Wrong("one_of", f"one_of names '{each}', which is no input", did_you_mean(str(each), action.inputs))


def _is_limit(text: str) -> bool:
    try:
        return parse_limit(text) > 0
    except ValueError:
        return False


def _check_fields(action: Action) -> Iterator[Wrong]:
    for title, fields in (("input", action.inputs), ("output", action.outputs)):
        for name, schema in fields.items():
            if not _FIELD.fullmatch(name):
                yield Wrong(name, f"'{name}' is no name for an {title}", "use a-z, 0-9 and _, a letter first")
            if not isinstance(schema, Mapping):
                yield Wrong(name, f"the {title} '{name}' has no schema", 'write {"type": …, "description": …}')
                continue
            yield from (Wrong(name, f"the {title} '{name}' {said}", cure) for said, cure in _check_field(dict(schema)))


def _check_field(schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if not schema.get("description"):
        yield "has no description", 'add "description": what it is, with its unit'
    if not isinstance(schema.get("examples"), list) or not schema["examples"]:
        yield "has no example", 'add "examples": [one value as it comes]'
        return
    if fault := check_schema(schema):
        yield f"has a schema that is none: {fault}", "see json-schema.org, draft 2020-12"
        return
    whole = {key: value for key, value in schema.items() if key != "required"}  # an example may be shortened
    for value in (*schema["examples"], *([schema["default"]] if "default" in schema else ())):
        if "{{" not in json.dumps(value) and (faults := check_value(value, whole)):
            yield f"has a value that its own schema refuses: {faults[0].message}", faults[0].cure or "mend either"


def _check_example(action: Action) -> Iterator[Wrong]:
    if not action.example.strip():
        yield Wrong("ACTION", "it has no example", "add example=…, a task as a playbook has it")
        return
    try:
        data = parse_source(action.example, "example").data
    except Refused as refused:
        yield Wrong("example", f"its example cannot be read: {refused.mistakes[0].message}", refused.mistakes[0].cure)
        return
    if not isinstance(data, list) or len(data) != 1 or not isinstance(data[0], dict):
        yield Wrong("example", "its example is not one task", "write - id: …, action: … and with: …")
        return
    given = set(data[0].get("with") or {})
    if data[0].get("action") != action.name:
        yield Wrong("example", "its example names another action", f"write action: {action.name}")
    for name in sorted(given - set(action.inputs)):
        yield Wrong("example", f"its example gives '{name}', which is no input", did_you_mean(name, action.inputs))
    for name in sorted(set(action.required()) - given):
        yield Wrong("example", f"its example lacks the input '{name}'", f"add {name}: under with:")
