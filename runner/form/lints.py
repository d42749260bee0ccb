"""What is weak in an SOP's form, by the rules for such forms: told, never refused, and never mended."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from runner.durations import parse_norm
from runner.errors import Mistake
from runner.form.chart import CONNECTOR, DECISION, END, START, Chart, build_chart, find_texts
from runner.form.table import OUTPUTS, TIME, find_norm, list_texts, read_columns
from runner.source import Source, load_source

Json = Mapping[str, Any]
Found = Iterator[tuple[tuple[str | int, ...], str, str]]  # place in the playbook, what is weak, what helps

RULES = Path(__file__).with_name("replaced-rules.yml")
_STANDING = re.compile(r"\b(berkala|periodik|rutin|kontinyu|kontinu|terus[- ]menerus|berkelanjutan)\b", re.IGNORECASE)


_PERIODS = r"(harian|mingguan|bulanan|caturwulan(?:an)?|triwulan(?:an)?|semester(?:an)?|tahunan)"
_STEMS = ("hari", "minggu", "bulan", "caturwulan", "triwulan", "semester", "tahun")
_PERIOD = re.compile(rf"\b{_PERIODS}\b", re.IGNORECASE)
_REPORT = re.compile(rf"\blaporan (?:[\w/]+ )?{_PERIODS}\b", re.IGNORECASE)


class _Form(NamedTuple):
    procedure: Json
    steps: Sequence[Json]
    supplement: Json
    chart: Chart

    def name(self, rows: Sequence[int]) -> str:
        """Activities as people call them: by their numbers, else their places."""
        numbers = [str(self.steps[row].get("number") or row + 1).rstrip(".") for row in rows]
        return f"activity {numbers[0]}" if len(rows) == 1 else f"activities {', '.join(numbers)}"


def check_form(source: Source) -> list[Mistake]:
    """Given a playbook that has no mistakes, return the weaknesses of its form, by place."""
    data = source.data
    form = _Form(data["procedure"], data["steps"], data.get("supplement") or {}, build_chart(data))
    return sorted(source.mistake(place, message, cure) for check in _CHECKS for place, message, cure in check(form))


def check_numbers(sources: Sequence[Source]) -> list[Mistake]:
    """Given several playbooks, return those whose procedure has the number of an earlier one."""
    first: dict[str, str] = {}
    found = []
    for source in sources:
        number = str(source.data["procedure"].get("number") or "").strip()
        if number and first.setdefault(number, source.file) != source.file:
            message = f"the number '{number}' is also that of {first[number]}"
            found.append(source.mistake(("procedure", "number"), message, "each SOP has a number of its own"))
    return found


def _standing(form: _Form) -> Found:
    scheduled = {step for entry in form.supplement.get("schedule") or () for step in entry["steps"]}
    for row, step in enumerate(form.steps):
        duty = _STANDING.search(step["activity"])
        if duty and step["id"] not in scheduled:
            message = f'{form.name([row])} is a standing duty ("{duty[0]}"), and no period is set'
            yield ("steps", row, "activity"), message, "add it to supplement: schedule:"


def _following(form: _Form) -> Found:
    """What open problems start, where a schedule finds problems and never begins it."""
    scheduled = {step for entry in form.supplement.get("schedule") or () for step in entry["steps"]}
    following = (form.supplement.get("after") or {}).get("problems") or ()
    if scheduled and following and not scheduled.intersection(following):
        message = f"problems start '{following[0]}', but no schedule begins it: only a run of all steps does"
        yield (
            ("supplement", "after", "problems"),
            message,
            "add an entry with all of these steps to supplement: schedule:",
        )


def _norms(form: _Form) -> Found:
    if TIME in {column.key for column in read_columns(form.procedure, form.steps)}:
        rows = [row for row, step in enumerate(form.steps) if not find_norm(step.get("time_limit")).strip()]
        if rows:
            yield (
                ("steps", rows[0]),
                f"{form.name(rows)}: no time norm (waktu)",
                "the form leaves it blank; so does the print",
            )


def _wordings(form: _Form) -> Found:
    """Norms that nobody could read without what `means` adds: misspelt, or two in one."""
    for row, step in enumerate(form.steps):
        written = step.get("time_limit")
        if isinstance(written, Mapping) and not _is_norm(written["text"]):
            message = f"{form.name([row])}: the time norm '{written['text']}' cannot be read as written"
            yield ("steps", row, "time_limit", "text"), message, f"'{written['means']}' is the court's reading"


def _is_norm(text: str) -> bool:
    try:
        parse_norm(text)
    except ValueError:
        return False
    return True


def _periods(form: _Form) -> Found:
    """A title that names a period, and activities or outputs that report for another one."""
    wanted = {_period(found[1]): found[1] for found in _PERIOD.finditer(str(form.procedure["title"]))}
    for row, step in enumerate(form.steps):
        texts = [step["activity"], *list_texts(step, "outputs")]
        found = {_period(each[1]): each[0] for text in texts for each in _REPORT.finditer(text)}
        if len(wanted) == 1 and found and wanted.keys().isdisjoint(found):
            said, other = next(iter(wanted.values())), next(iter(found.values()))
            message = f"the title says '{said}', and {form.name([row])} '{other}'"
            yield ("steps", row, "activity"), message, "one of them is wrong"


def _period(word: str) -> str:
    return next(stem for stem in _STEMS if word.casefold().startswith(stem))


def _outputs(form: _Form) -> Found:
    rows = [row for row, step in enumerate(form.steps) if not any(map(str.strip, list_texts(step, "outputs")))]
    if rows and OUTPUTS in {column.key for column in read_columns(form.procedure, form.steps)}:
        yield ("steps", rows[0]), f"{form.name(rows)}: no output", "what it must give cannot be held against anything"


def _performers(form: _Form) -> Found:
    drawn = {node.row for node in form.chart.nodes}
    rows = [row for row in range(len(form.steps)) if row not in drawn]
    if rows:
        added = form.supplement.get("actors") or {}
        known = all(form.steps[row]["id"] in added for row in rows)
        cure = (
            "supplement: actors: names them"
            if known
            else "write actor:, where the form shows it; else supplement: actors:"
        )
        yield ("steps", rows[0]), f"{form.name(rows)}: the form shows no performer", cure


def _lanes(form: _Form) -> Found:
    used = {lane for node in form.chart.nodes for lane in node.lanes}
    for lane, role in enumerate(form.procedure.get("roles") or {}):
        if used and lane not in used:
            yield ("procedure", "roles", role), f"the performer '{role}' has no symbol in the flow", ""


def _ends(form: _Form) -> Found:
    nodes, edges = form.chart
    if not nodes:
        return
    symbols = {node.symbol for node in nodes}
    if START not in symbols:
        yield (
            ("steps", nodes[0].row),
            "no symbol shows where the flow starts",
            "write symbol: start, where the form has it",
        )
    if END not in symbols:
        yield (
            ("steps", nodes[-1].row),
            "no symbol shows where the flow ends",
            "write symbol: end, where the form has it",
        )
    leaving = {edge.source for edge in edges}
    for node in nodes:
        last = END not in symbols and node is nodes[-1]
        goes_on = node.id in leaving or node.symbol in (END, CONNECTOR)
        if not goes_on and not last:
            yield (
                ("steps", node.row),
                f"dead end: no arrow leaves '{node.id}'",
                "draw where it goes on, or that it ends",
            )


def _decisions(form: _Form) -> Found:
    for node in form.chart.nodes:
        labels = [edge.label.strip() for edge in form.chart.edges if edge.source == node.id]
        if node.symbol != DECISION:
            continue
        if len(labels) < 2:
            message = f"the decision '{node.id}' has {'one way' if labels else 'no way'} out"
            yield ("steps", node.row), message, "a decision has two or more"
        elif "" in labels:
            count = labels.count("")
            message = f"the decision '{node.id}' has {count} way{'s' if count > 1 else ''} out without a label"
            yield ("steps", node.row), message, "the performer cannot know when to take which"


def _numbers(form: _Form) -> Found:
    seen: dict[str, int] = {}
    for row, step in enumerate(form.steps):
        number = str(step.get("number") or "").strip().rstrip(".")
        if number and seen.setdefault(number, row) != row:
            yield ("steps", row, "number"), f"the number '{number}' stands twice", "number the activities anew"


def _basis(form: _Form) -> Found:
    for place, text in enumerate(find_texts(form.procedure.get("legal_basis"))):
        words = " ".join(text.split())
        for rule in _replaced_rules():
            if rule.pattern.search(words) and not rule.successor.search(words):
                message = f"outdated legal basis: replaced by {rule.replaced_by} ({rule.source})"
                yield ("procedure", "legal_basis", place), message, "revise the SOP"
                break


class _Rule(NamedTuple):
    pattern: re.Pattern[str]
    successor: re.Pattern[str]
    replaced_by: str
    source: str


@cache
def _replaced_rules() -> tuple[_Rule, ...]:
    return tuple(
        _Rule(_compile(rule["rule"]), _compile(rule["successor"]), rule["replaced_by"], rule["source"])
        for rule in load_source(RULES).data
    )


def _compile(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


_CHECKS: tuple[Callable[[_Form], Found], ...] = (
    _standing,
    _following,
    _norms,
    _wordings,
    _periods,
    _outputs,
    _performers,
    _lanes,
    _ends,
    _decisions,
    _numbers,
    _basis,
)
