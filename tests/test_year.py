"""The year of records that benchmarks/year.py makes, in small: a whole journal with all that a year has."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from runner.record.journal import Journal
from runner.record.problems import State, problems
from runner.record.unfinished import unfinished

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "year.py"
RUNS = 260


@pytest.fixture(scope="module")
def year() -> ModuleType:
    spec = importlib.util.spec_from_file_location("year", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_year_in_small_is_whole_and_has_what_is_measured(year: ModuleType, tmp_path: Path) -> None:
    year.make(tmp_path, RUNS)
    journal = Journal.open(tmp_path, create=False)
    assert journal.verify() == []
    with journal.reading() as connection:
        count = "SELECT count(*) FROM events WHERE kind = ?"
        found = [connection.execute(count, (kind,)).fetchone()[0] for kind in ("run_started", "task_finished")]
    assert found[0] == RUNS
    assert found[1] == pytest.approx(20 * RUNS, rel=0.01)
    assert len(list(unfinished(journal))) == 2, "those that took something up still wait"
    assert {problem.state for problem in problems(journal)} >= {State.SOLVED, State.HANDLED}
