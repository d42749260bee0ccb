"""Who sits at the keyboard: the login that the kernel would tell. The environment cannot say it, so tests do."""

from __future__ import annotations

import pytest


def sign_in(monkeypatch: pytest.MonkeyPatch, login: str) -> None:
    """Let the program believe that it runs under this login."""
    monkeypatch.setattr("runner.people.accounts.login_of", lambda number: login)
