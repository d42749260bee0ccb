"""Officials at one machine, at a time that moves only when told to: they run, sign and look."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from runner.cli import run as sop
from runner.events import Event, Kind
from runner.record.journal import Journal
from tests.clocks import FixedClock
from tests.logins import sign_in

MONDAY = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # 09.00 in Jakarta


class Office:
    """A court at a time: signs in, runs and signs; `says` is what the last command said."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.clock = FixedClock(MONDAY)
        self.says = ""
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def do(self, login: str, *words: str) -> int:
        sign_in(self._monkeypatch, login)
        code = sop(list(words), clock=self.clock)
        told = self._capsys.readouterr()
        self.says = told.out + told.err
        return code

    def sign(self, login: str, step: str, *words: str) -> int:
        return self.do(login, "sign", "last", step, *words)

    def events(self) -> list[Event]:
        journal = Journal.open(Path("records"), create=False)
        return list(journal.events(journal.find_run("last")))

    def answers(self) -> list[Any]:
        return [event.data for event in self.events() if event.kind is Kind.ANSWERED]

    def document(self, *words: str, code: int = 0) -> Any:
        """What a command prints for programs."""
        assert self.do("cron", *words, "--format", "json") == code, self.says
        return json.loads(self.says)
