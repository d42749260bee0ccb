"""The marker `promise`, and the table of docs/reliability.md that is made of it.

@pytest.mark.promise("disk", "the disk is full at {moment}", "a clear error; the record is intact")

Words in braces are a parametrized test's parameters, by their ids; a test with many cases gives a row for each.
`pytest --reliability FILE` writes the table with each test's result. Tests that are collected but not run (by -k, -m,
--collect-only) keep the result that the file has of them, so that a part of them can be run anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
_BORDER = re.compile(r"(?<!\\) \| ")
HEAD = """\
# What happens when things break, and when somebody attacks

Made from the tests by `make reliability`: each row is a test, or a case of one, and how it ended when it was
last run. What is defended, and what is not, stands in `SECURITY.md`.
"""


class Cell(NamedTuple):
    """A row: the part of the table, the fault, what is promised, and the test that shows it."""

    part: str
    fault: str
    promise: str
    test: str


class Reliability:
    """Gathers the marked tests of a session and their results."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._earlier = load_results(file)
        self._cells: dict[str, list[Cell]] = {}
        self._results: dict[str, str] = {}

    @pytest.hookimpl(tryfirst=True)  # before -k and -m leave some out
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            if cells := list(_cells(item)):
                self._cells[item.nodeid] = cells

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.outcome != "passed":
            self._results[report.nodeid] = report.outcome

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        if exitstatus in (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR):
            return  # not all tests were seen
        rows = [
            (cell, self._results.get(node) or self._earlier.get(cell, ""))
            for node, cells in self._cells.items()
            for cell in cells
        ]
        self._file.write_text(render_table(rows), encoding="utf-8")


def load_results(file: Path) -> Mapping[Cell, str]:
    """The results that an earlier page has."""
    found, part = {}, ""
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        if line.startswith("## "):
            part = line.removeprefix("## ")
        elif line.startswith("| ") and "::" in line:
            fault, promise, test, result = _BORDER.split(line.removeprefix("| ").removesuffix(" |"))
            found[Cell(part, fault, promise, test.strip("`"))] = result
    return found


def render_table(rows: list[tuple[Cell, str]]) -> str:
    """Given cells and their results, return the page: a table for each part."""
    parts: dict[str, dict[tuple[str, ...], set[str]]] = {}
    for cell, result in rows:
        parts.setdefault(cell.part, {}).setdefault(tuple(cell[1:]), set()).add(result)
    text = [HEAD]
    for part in sorted(parts):
        text += [f"\n## {part}\n", "| fault | what is promised | test | result |", "|---|---|---|---|"]
        for (fault, promise, test), results in sorted(parts[part].items()):
            result = ", ".join(sorted(each or "not run" for each in results))
            text.append(f"| {fault} | {promise} | `{test}` | {result} |")
    return "\n".join(text) + "\n"


def _cells(item: pytest.Item) -> Iterator[Cell]:
    path = Path(item.path).relative_to(ROOT)
    test = f"{path}::{getattr(item, 'originalname', item.name)}"
    words = _parameters(item)
    for mark in item.iter_markers("promise"):
        part, fault, promise = (text.format_map(words) for text in mark.args)
        yield Cell(part, fault.replace("|", "\\|"), promise.replace("|", "\\|"), test)


def _parameters(item: pytest.Item) -> Mapping[str, str]:
    """A case's parameters by name, each as its id says it."""
    case = getattr(item, "callspec", None)
    if case is None:
        return {}
    values = {name: str(value) for name, value in case.params.items()}
    return {**values, "case": case.id}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--reliability", metavar="FILE", help="write the table of promises into this file")


def pytest_configure(config: pytest.Config) -> None:
    if file := config.getoption("--reliability"):
        config.pluginmanager.register(Reliability(Path(file)))
