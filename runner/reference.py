"""The reference pages in docs/, built from the same declarations as the schemas.

`python -m runner.reference FOLDER` writes them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from runner.actions import ACTIONS
from runner.contract import Action
from runner.inventory.nouns import INVENTORY_SCHEMA
from runner.playbook.keywords import PLAYBOOK

MADE = "<!-- made by `make reference` from the declarations in runner/; edit those -->"
DEEPEST = 12

Schema = Mapping[str, Any]


def build_pages() -> dict[str, str]:
    """Return the reference pages by file name, as Markdown."""
    return {
        "actions.md": "\n".join(_actions()) + "\n",
        "playbook-keys.md": "\n".join(_keys("Keys of a playbook", PLAYBOOK)) + "\n",
        "inventory-keys.md": "\n".join(_keys("Keys of an inventory", INVENTORY_SCHEMA)) + "\n",
    }


def _actions() -> Iterator[str]:
    yield from ("# Actions", "", MADE, "")
    yield from ("| action | effect | what it does |", "|---|---|---|")
    for name in sorted(ACTIONS):
        action = ACTIONS[name]
        yield f"| [{name}](#{name.replace('.', '')}) | {action.effect} | {_cell(action.description)} |"
    for name in sorted(ACTIONS):
        yield from _action(ACTIONS[name])


def _action(action: Action) -> Iterator[str]:
    yield from ("", f"## {action.name}", "", action.description, "")
    kinds = ", ".join(f"{kind}s" if kind else "a step that runs once" for kind in action.targets)
    reach = f"works on the {action.reach}, default limit {action.limit}"
    yield f"Effect `{action.effect}`, repeat `{action.repeat}`, {reach}."
    yield f"Targets: {kinds}."
    for title, fields in (("input", action.inputs), ("output", action.outputs)):
        if fields:
            yield from ("", f"| {title} | type | meaning | example |", "|---|---|---|---|")
        for name, schema in fields.items():
            mark = "" if title == "output" or name in action.required() else _default(schema)
            meaning = _cell(schema["description"]) + mark
            yield f"| `{name}` | {_type(schema)} | {meaning} | {_example(schema)} |"
    yield from ("", "```yaml", action.example.rstrip(), "```")


def _keys(title: str, schema: Schema) -> Iterator[str]:
    yield from (f"# {title}", "", MADE, "", "| key | type | meaning | example |", "|---|---|---|---|")
    for path, part in _walk(schema, ""):
        yield f"| `{path}` | {_type(part)} | {_cell(part['description'])} | {_example(part)} |"


def _walk(schema: Schema, path: str) -> Iterator[tuple[str, Schema]]:
    """Every key below a schema, with its path: `steps[].tasks[].id`."""
    if path.count(".") > DEEPEST:
        return
    for name, part in schema.get("properties", {}).items():
        yield f"{path}{name}", part
        yield from _walk(part, f"{path}{name}.")
    for keyword, mark in (("items", "[]."), ("additionalProperties", "NAME.")):
        if isinstance(schema.get(keyword), Mapping):
            below = f"{path[:-1]}{mark}" if keyword == "items" else f"{path}{mark}"
            yield from _walk(schema[keyword], below)
    for part in (*schema.get("oneOf", ()), *(case.get("then", {}) for case in schema.get("allOf", ()))):
        yield from _walk(part, path)


def _default(schema: Schema) -> str:
    return f" (default {_code(schema['default'])})" if "default" in schema else " (optional)"


def _type(schema: Schema) -> str:
    if "enum" in schema:
        return " or ".join(_code(value) for value in schema["enum"])
    if "type" in schema:
        written = schema["type"]
        return " or ".join(written) if isinstance(written, list) else str(written)
    parts = [_type(part) for part in (*schema.get("oneOf", ()), *schema.get("anyOf", ()))]
    return " or ".join(dict.fromkeys(parts)) or "any"


def _example(schema: Schema) -> str:
    examples = schema.get("examples") or ()
    return _code(examples[0]) if examples else ""


def _code(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"`{_cell(text)}`" if text else "(empty)"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main(folder: Path) -> None:
    """Write the pages into a folder."""
    for name, text in build_pages().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
