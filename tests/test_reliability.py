"""docs/reliability.md is the tests' own table of promises: no row without a test, none left out, none that failed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reliability.md"


def rows(page: str) -> set[tuple[str, ...]]:
    """The rows of all tables, without the results."""
    return {tuple(re.split(r"(?<!\\\\) \| ", line)[:3]) for line in page.split("\n") if line.startswith("| ")}


@pytest.mark.heavy
@pytest.mark.timeout(600)
def test_the_page_has_a_row_for_each_promise_of_the_tests(tmp_path: Path) -> None:
    made = tmp_path / "made.md"
    command = [sys.executable, "-m", "pytest", "-q", "--collect-only", "-m", "promise", "--reliability", str(made)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    assert rows(PAGE.read_text(encoding="utf-8")) == rows(made.read_text(encoding="utf-8")), "run make reliability"


def test_no_result_on_the_page_is_that_of_a_test_that_failed() -> None:
    results = [line.rsplit(" | ", 1)[1] for line in PAGE.read_text(encoding="utf-8").split("\n") if ".py::" in line]
    assert set(results) <= {"passed |", "not run |"}
    assert results.count("passed |") > 60
