"""`sop rules`: what logs are held against, for the staff who edit it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runner.commands.options import format_option
from runner.errors import did_you_mean, refuse
from runner.languages import label, translate
from runner.screen import print_json, show, show_paged, width
from runner.screen.tables import named, render_table, wrap

if TYPE_CHECKING:  # reading rules is for those who ask for it
    from runner.actions.logs.pack import Pack
    from runner.actions.logs.sigma import Correlation, Rule

FOUND = 10  # as everywhere: all was done, and something is wrong
_FOLDERS = click.option(
    "--rules",
    "folders",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A folder of the court's own; repeatable.",
)


@click.group("rules")
def command() -> None:
    """What logs.scan holds logs against: Sigma rules, SigmaHQ's, ours and the court's own."""


@command.command("list")
@_FOLDERS
@format_option()
def list_rules(folders: tuple[Path, ...], form: str) -> int:
    """List the rules."""
    pack = _load(folders)
    rules = sorted(pack, key=lambda rule: (pack.origins[rule.name] == "sigmahq", rule.name))
    if form == "json":
        print_json({"rules": [describe_rule(rule, pack) for rule in rules]})
        return 0
    rows = [[rule.name, rule.level, pack.origins[rule.name], rule.title] for rule in rules]
    show_paged(render_table(["rule", "level", "from", "what it finds"], rows, width()))
    return 0


@command.command("test")
@click.argument("names", nargs=-1)
@_FOLDERS
@format_option()
def test_rules(names: tuple[str, ...], folders: tuple[Path, ...], form: str) -> int:
    """Hold rules against their own lines.

    Each rule names lines that it must meet, and lines that it must not.
    """
    from runner.actions.logs.pack import load_detector
    from runner.actions.logs.trial import check_rule

    pack, detector = load_detector(list(folders))
    rules = [_find(pack, name) for name in names] or list(pack)
    wrong = [each for rule in rules for each in check_rule(rule, pack, detector)]
    lines = sum(len(rule.match) + len(rule.clean) for rule in rules)
    if form == "json":
        print_json({"rules": len(rules), "lines": lines, "mistakes": [each._asdict() for each in wrong]})
    else:
        for each in wrong:
            show(f"{each.rule}: {each.message}" + (f"\n    {each.line}" if each.line else ""))
        show(f"{len(rules)} rules, {lines} lines: {f'{len(wrong)} wrong' if wrong else 'all as they say'}")
    return FOUND if wrong else 0


@command.command("explain")
@click.argument("what")
@_FOLDERS
@format_option()
def explain(what: str, folders: tuple[Path, ...], form: str) -> int:
    """Tell what a rule asks for, or which rules a line of a log meets.

    Of a line, it also tells how its text was decoded.
    """
    from runner.actions.logs.layouts import COMBINED, read_line

    entry = read_line(what.encode("utf-8", "surrogateescape"), COMBINED)
    if entry is None and ("HTTP/" in what or '"' in what):
        from runner.actions.logs.trial import expand

        entry = read_line(next(expand([what])).rstrip(b"\n"), COMBINED)
    if entry is not None:
        return _explain_line(entry, folders, form)
    pack = _load(folders)
    rule = _find(pack, what)
    if form == "json":
        print_json(describe_rule(rule, pack))
    else:
        show_paged("\n".join(each for line in _told(rule, pack) for each in wrap(line, width(), indent="    ")))
    return 0


def _explain_line(entry: Any, folders: tuple[Path, ...], form: str) -> int:
    from runner.actions.logs.detector import read_fields
    from runner.actions.logs.pack import load_detector

    _, detector = load_detector(list(folders))
    met = detector.judge(entry)
    shown = [text.decode("utf-8", "backslashreplace") for text in read_fields(entry)("target")]
    found = [
        {"rule": m.rule.name, "level": m.rule.level, "title": m.rule.title, "likely_success": m.worked} for m in met
    ]
    if form == "json":
        print_json({"decoded": shown, "rules": found})
        return 0
    show("read as:")
    for text in shown:
        show(f"    {text}")
    if not found:
        show("it meets no rule")
        return 0
    rows = [[m.rule.name, m.rule.level, label("likely success" if m.worked else "attempt"), m.rule.title] for m in met]
    show(render_table(["rule", "level", "kind", "what it finds"], rows, width()))
    return 0


def describe_rule(rule: Rule | Correlation, pack: Pack) -> dict[str, Any]:
    """Given a rule, return what is known of it as JSON values."""
    kind = getattr(rule, "kind", "rule")
    return {
        "name": rule.name,
        "id": rule.id,
        "title": rule.title,
        "words": rule.words,
        "level": rule.level,
        "kind": kind,
        "from": pack.origins[rule.name],
        "author": rule.author,
        "tags": list(rule.tags),
        "blind": bool(getattr(rule, "blind", False)),
        "match": list(rule.match),
        "clean": list(rule.clean),
    }


def _told(rule: Rule | Correlation, pack: Pack) -> Iterator[str]:
    from runner.actions.logs.telling import tell_rule

    yield f"{rule.name}: {rule.title}"
    yield translate(f"in reports: {rule.words}")
    origin, author = pack.origins[rule.name], rule.author or "nobody named"
    yield translate(f"level {rule.level} ({named(rule.severity)}), from {origin}, by {author}")
    yield f"id {rule.id}" + (f", {', '.join(rule.tags)}" if rule.tags else "")
    yield ""
    yield from map(translate, tell_rule(rule))
    for name, title in (("match", "must meet"), ("clean", "must not meet")):
        yield from ("", label(title))
        for example in getattr(rule, name):
            yield "    " + (example if isinstance(example, str) else ", then ".join(example))


def _load(folders: tuple[Path, ...]) -> Pack:
    from runner.actions.logs.pack import load_detector

    return load_detector(list(folders))[0]


def _find(pack: Pack, name: str) -> Rule | Correlation:
    rule = pack.find(name)
    if rule is None:
        raise refuse("NAME", f"there is no rule '{name}'", did_you_mean(name, [each.name for each in pack]))
    return rule
