"""`sop actions`: what kinds of act there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from runner.actions import ACTIONS
from runner.commands.options import format_option
from runner.contract import Action
from runner.errors import did_you_mean, refuse
from runner.screen import print_json, show_paged, width
from runner.screen.tables import render_table, wrap


@click.command("actions")
@click.argument("name", default="")
@format_option()
def command(name: str, form: str) -> int:
    """List the actions; of NAME show inputs, outputs, effect and an example."""
    if name and name not in ACTIONS:
        raise refuse("NAME", f"there is no action '{name}'", did_you_mean(name, ACTIONS))
    chosen = [ACTIONS[name]] if name else [ACTIONS[each] for each in sorted(ACTIONS)]
    if form == "json":
        print_json({"actions": [describe_action(action) for action in chosen]})
    elif name:
        lines = [each for line in render_action(chosen[0]) for each in wrap(line, width(), indent=_indent(line))]
        show_paged("\n".join(lines))
    else:
        rows = [[action.name, str(action.effect), action.description] for action in chosen]
        show_paged(render_table(["action", "effect", "what it does"], rows, width()))
    return 0


def describe_action(action: Action) -> dict[str, Any]:
    """Given an action, return its declaration as JSON values."""
    return {
        "name": action.name,
        "description": action.description,
        "effect": str(action.effect),
        "repeat": str(action.repeat),
        "reach": str(action.reach),
        "limit": action.limit,
        "targets": [kind or "once" for kind in action.targets],
        "inputs": dict(action.inputs),
        "outputs": dict(action.outputs),
        "example": action.example,
    }


def render_action(action: Action) -> Iterator[str]:
    """Given an action, yield its reference, line by line."""
    yield f"{action.name}: {action.description}"
    yield ""
    yield f"effect {action.effect}, repeat {action.repeat}, runs on the {action.reach}, limit {action.limit}"
    yield "targets: " + ", ".join(kind + "s" if kind else "a step that runs once" for kind in action.targets)
    yield f"dry run: {_dry_run(action)}"
    yield from _fields("inputs", action.inputs, action.required())
    yield from _fields("outputs", action.outputs, tuple(action.outputs))
    yield from ("", "example", *("  " + line for line in action.example.rstrip().split("\n")))


def _indent(line: str) -> str:
    """What a wrapped line goes on with: four columns more than it began with."""
    return " " * (len(line) - len(line.lstrip()) + 4)


def _dry_run(action: Action) -> str:
    if action.effect == "read" and not action.person:
        return "done as in a run: it only reads"
    known = action.preview.__name__ != "_no_preview" and action.name != "command.run"
    return "previewed" if known else "not checked, save where a task says effect: read"


def _fields(title: str, fields: Mapping[str, Mapping[str, Any]], required: tuple[str, ...]) -> Iterator[str]:
    yield from ("", title)
    for name, schema in fields.items():
        kind = schema.get("type", "any")
        words = " or ".join(kind) if isinstance(kind, list) else kind
        mark = "" if name in required else f", default {schema['default']!r}" if "default" in schema else ", optional"
        yield f"  {name} ({words}{mark}): {schema['description']}"
