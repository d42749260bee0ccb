"""A month of every kind of rotation, crashes between any two steps, unfinished lines and days without a run, in any
order: each line is counted exactly once, or the outcome says that lines are missing."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from runner.errors import Failed
from tests.actions.log_rotation import PACKERS, Office, Server

packers = st.sampled_from(["", *PACKERS])
counts = st.integers(1, 6)
paddings = st.sampled_from([0, 0, 0, 300])


class Month(RuleBasedStateMachine):
    """What may happen to a log and to the runs that read it."""

    @initialize(lines=st.integers(0, 5))
    def begin(self, lines: int) -> None:
        self.place = tempfile.TemporaryDirectory(prefix="sop-month-")
        self.server = Server(Path(self.place.name) / "log")
        self.office = Office(Path(self.place.name) / "office", str(self.server.log))
        self.interrupted: list[dict[str, Any]] = []
        self.server.write(lines)

    @rule(count=counts, padding=paddings)
    def visitors_come(self, count: int, padding: int) -> None:
        self.server.write(count, padding=padding)

    @rule()
    def a_line_is_begun(self) -> None:
        self.server.write_half()

    @precondition(lambda self: not self.server.unfinished)
    @rule(pack=packers, delay=st.booleans())
    def the_log_is_renamed(self, pack: str, delay: bool) -> None:
        self.server.rename(pack=pack, delay=delay)

    @precondition(lambda self: not self.server.unfinished)
    @rule(pack=packers)
    def the_log_is_copied_and_emptied(self, pack: str) -> None:
        self.server.copy_and_truncate(pack=pack)

    @precondition(lambda self: not self.server.unfinished)
    @rule(pack=packers)
    def the_log_gets_a_date(self, pack: str) -> None:
        self.server.by_date(pack=pack)

    @precondition(lambda self: not self.server.unfinished)
    @rule(count=counts)
    def the_server_still_writes_into_the_renamed_log(self, count: int) -> None:
        self.server.rename()
        self.server.write(count, into=self.server.log.with_name("access.log.1"))

    @rule()
    def a_run_does_all(self) -> None:
        assert not self.office.work().outputs["gap"]

    @rule(cap=st.sampled_from([65536, 70000]))
    def a_run_takes_only_a_little(self, cap: int) -> None:
        assert not self.office.work(size_limit=cap).outputs["gap"]

    @rule()
    def the_machine_dies_while_fetching(self) -> None:
        self.office.fetch(recorded=False)

    @rule()
    def the_machine_dies_before_the_scan(self) -> None:
        self.interrupted.append(dict(self.office.fetch().outputs["increment"]))

    @rule()
    def the_machine_dies_while_scanning(self) -> None:
        increment = self.office.fetch().outputs["increment"]
        self.office.scan(increment, recorded=False)
        self.interrupted.append(dict(increment))

    @precondition(lambda self: self.interrupted)
    @rule()
    def an_interrupted_run_is_resumed(self) -> None:
        increment = self.interrupted.pop()
        if not any(
            out["increment"]["id"] == increment["id"] for name, out in self.office.record if name == "logs.scan"
        ):
            try:
                self.office.scan(increment)
            except Failed as error:
                assert "newer run" in str(error)  # noqa: PT017 - either ending is right

    @invariant()
    def nothing_is_counted_twice_or_made_up(self) -> None:
        assert not self.office.counted - Counter(self.server.written)

    def teardown(self) -> None:
        if hasattr(self, "office"):
            while self.office.work().outputs["left"]:
                pass
            assert self.office.counted == Counter(self.server.written)
            self.place.cleanup()


Month.TestCase.settings = settings(
    max_examples=6,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.timeout(300)
class TestMonth(Month.TestCase):  # type: ignore[misc]  # hypothesis makes the class when it is asked for
    """The month, as pytest finds it."""


@pytest.mark.heavy
@pytest.mark.timeout(900)
def test_many_months() -> None:
    run_state_machine_as_test(Month, settings=settings(Month.TestCase.settings, max_examples=100))
