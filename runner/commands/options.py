"""Options that commands share, and how their texts are read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from runner.errors import Refused, refuse

Decorator = Callable[[Callable[..., int]], Callable[..., int]]

INVENTORIES = ("inventory", "inventory.yml")


def inventory_option() -> Decorator:
    """`-i`: inventory files and folders."""
    return click.option(
        "-i",
        "--inventory",
        "inventories",
        multiple=True,
        type=click.Path(path_type=Path, readable=False),
        help="Inventory file or folder; may be repeated. Default: inventory/ or inventory.yml.",
    )


def records_option() -> Decorator:
    """`--records`: where the journal and evidence lie."""
    return click.option(
        "--records",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path("records"),
        help="Folder of the journal and evidence. Default: records/.",
    )


def format_option() -> Decorator:
    """`--format`: words for people, or JSON."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(["text", "json"]),
        default="text",
        help="Words for people, or one JSON document.",
    )


def selection_options(function: Callable[..., int]) -> Callable[..., int]:
    """What is run, on what, with which variables."""
    for option in reversed(
        (
            inventory_option(),
            click.option("-l", "--limit", default="", help="Only these targets: a pattern, as Ansible's."),
            click.option("--only", default="", help="Only these steps: ids with commas between."),
            click.option("--from", "start", default="", help="From this step on."),
            click.option("-e", "--extra", multiple=True, help="Variable NAME=VALUE, or @FILE; wins over all others."),
            click.option("-f", "--forks", type=click.IntRange(1, 500), default=20, help="Targets at a time (20)."),
            records_option(),
            format_option(),
            click.option("--list-steps", is_flag=True, help="Name the steps, and do nothing."),
            click.option("--list-targets", is_flag=True, help="Name the targets, and do nothing."),
            click.option("-v", "--verbose", count=True, help="Say more: each task as it ends; -vv its outputs too."),
        )
    ):
        function = option(function)
    return function


def executor_option() -> Decorator:
    """`--executor`: who does the tasks."""
    return click.option(
        "--executor",
        default="threads",
        metavar="WHERE",
        help="Who does tasks on targets: threads (the usual), processes:N of this machine, or a Dask cluster: "
        "dask://HOST:PORT, tls://HOST:PORT.",
    )


def find_inventories(given: tuple[Path, ...]) -> tuple[Path, ...]:
    """Given `-i`, return it, or the working folder's inventory. Raise Refused where there is none."""
    if given:
        return given
    for name in INVENTORIES:
        if Path(name).exists():
            return (Path(name),)
    raise refuse("--inventory", "there is no inventory/ or inventory.yml here", "name one with -i")


def parse_names(text: str) -> tuple[str, ...]:
    """Given ids with commas between, return them."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def parse_extra(given: tuple[str, ...]) -> dict[str, Any]:
    """Given `-e` texts, return the variables. A number, true, false or [a list] is read as YAML reads it, other values
    are texts. Raise Refused if unreadable."""
    from runner.source import load_source, parse_source  # commands that only read the record need no YAML

    variables: dict[str, Any] = {}
    for text in given:
        name, separator, value = text.partition("=")
        if text.startswith("@"):
            data = load_source(Path(text[1:])).data
        elif text.lstrip().startswith("{"):
            data = parse_source(text, "--extra").data
        elif separator and name.strip().isidentifier():
            data = {name.strip(): _value(value)}
        else:
            raise refuse("--extra", f"'{text}' is not NAME=VALUE", "write -e name=value or -e @file.yml")
        if not isinstance(data, dict):
            raise refuse("--extra", f"'{text}' holds no variables", "write name: value on each line")
        variables |= data
    return variables


def _value(text: str) -> Any:
    from runner.source import parse_source

    is_list = text.startswith("[") and text.endswith("]")
    if not text.strip() or (not is_list and any(character in text for character in "\n:#{}[]&*!|>'\"%@`,")):
        return text
    try:
        (value,) = parse_source(f"- {text}", "--extra").data
    except (Refused, ValueError):
        return text
    return text if isinstance(value, dict) or isinstance(value, list) is not is_list else value
