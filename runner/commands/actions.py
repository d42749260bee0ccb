"""`sop actions`: what kinds of act there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from runner.commands.options import format_option
from runner.contract import Action
from runner.errors import Refused, did_you_mean, refuse
from runner.languages import label, labels, translate
from runner.own import BUILT_IN, FOLDER, KnownActions
from runner.own.declared import action_to_json
from runner.screen import print_json, show, show_paged, width
from runner.screen.tables import render_table, wrap

TARGETS = {"website": "websites", "server": "servers", "service": "services", "": "a step that runs once"}


@click.command("actions")
@click.argument("name", default="")
@click.option("--schemas", type=click.Path(path_type=Path, file_okay=False), help="Write the editors' schemas there.")
@format_option()
def command(name: str, schemas: Path | None, form: str) -> int:
    """List the actions, your own of actions/ too; of NAME show inputs, outputs, effect and an example."""
    known = KnownActions(FOLDER)
    if name and name not in known:
        raise refuse("NAME", f"there is no action '{name}'", did_you_mean(name, known))
    if mistakes := known.mistakes([name]) if name else known.all_mistakes():
        raise Refused(*mistakes)
    if schemas:
        return _write_schemas(known, schemas)
    chosen = {each: known[each] for each in ([name] if name else sorted(known))}
    if form == "json":
        print_json({"actions": [{"origin": known.origin(each), **action_to_json(chosen[each])} for each in chosen]})
    elif name:
        lines = render_action(chosen[name], known.origin(name))
        show_paged("\n".join(each for line in lines for each in wrap(line, width(), indent=_indent(line))))
    else:
        rows = [
            [each, label(action.effect), translate(_told(action, known.origin(each)))]
            for each, action in chosen.items()
        ]
        show_paged(render_table(["action", "effect", "what it does"], rows, width()))
    return 0


def _told(action: Action, origin: str) -> str:
    return action.description if origin == BUILT_IN else f"{action.description} ({origin})"


def _write_schemas(known: KnownActions, folder: Path) -> int:
    from runner.schema import build_schemas, write_schemas

    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_schemas(folder, build_schemas(known))
    except OSError as error:
        raise refuse(str(error.filename or folder), error.strerror or str(error), "name another folder") from None
    show(f"{folder}: written, with {len(known)} actions")
    return 0


def render_action(action: Action, origin: str = BUILT_IN) -> Iterator[str]:
    """Given an action and where it comes from, yield its reference, line by line."""
    yield f"{action.name}: {translate(action.description)}"
    yield from () if origin == BUILT_IN else ("", translate(f"from {origin}"))
    yield ""
    effect, repeat, reach = labels(action.effect, action.repeat, action.reach)
    yield translate(f"effect {effect}, repeat {repeat}, runs on the {reach}, limit {action.limit}")
    yield translate(f"targets: {', '.join(label(TARGETS[kind]) for kind in action.targets)}")
    yield translate(f"dry run: {_dry_run(action)}")
    yield from _fields(label("inputs"), action.inputs, action.required())
    yield from _fields(label("outputs"), action.outputs, tuple(action.outputs))
    yield from ("", label("example"), *("  " + line for line in action.example.rstrip().split("\n")))


def _indent(line: str) -> str:
    """What a wrapped line goes on with: four columns more than it began with."""
    return " " * (len(line) - len(line.lstrip()) + 4)


def _dry_run(action: Action) -> str:
    if action.effect == "read" and not action.person:
        return "done as in a run: it only reads"
    known = action.preview.__name__ != "_no_preview" and action.name != "command.run"
    return label("previewed") if known else "not checked, save where a task says effect: read"


def _fields(title: str, fields: Mapping[str, Mapping[str, Any]], required: tuple[str, ...]) -> Iterator[str]:
    yield from ("", title)
    for name, schema in fields.items():
        kind = schema.get("type", "any")
        words = f" {label('or')} ".join(map(label, kind)) if isinstance(kind, list) else label(kind)
        mark = (
            ""
            if name in required
            else f", default {schema['default']!r}"
            if "default" in schema
            else label(", optional")
        )
        yield f"  {name} ({words}{translate(mark)}): {translate(schema['description'])}"
