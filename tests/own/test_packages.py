"""Actions of installed packages, by entry points."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.cli import run as sop
from runner.own import KnownActions
from tests.own.folders import ACTION, WORD, make_folder


@pytest.fixture(autouse=True)
def _office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder whose playbook names an action that only a package can have."""
    monkeypatch.chdir(tmp_path)
    make_folder(tmp_path, asks=False)
    WORD.unlink()


def install(folder: Path, package: str, entry: str, monkeypatch: pytest.MonkeyPatch, text: str = ACTION) -> None:
    """Lay a package out as pip does, and let Python find it."""
    module = entry.split("=")[1].split(":")[0].strip()
    info = folder / f"{package.replace('-', '_')}-1.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(f"[sop.actions]\n{entry}\n")
    (folder / f"{module}.py").write_text(text)
    monkeypatch.syspath_prepend(folder)


def test_an_installed_action_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path / "site", "sop-kata", "office.word = kata_one:ACTION", monkeypatch)
    assert KnownActions(Path("actions")).origin("office.word") == "package sop-kata 1.2"
    assert sop(["check"]) == 0
    assert sop(["run", "playbooks/kata.yml"]) == 0


def test_two_packages_with_one_name_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install(tmp_path / "one", "sop-kata", "office.word = kata_two:ACTION", monkeypatch)
    install(tmp_path / "two", "sop-lain", "office.word = kata_three:ACTION", monkeypatch)
    assert sop(["run", "playbooks/kata.yml"]) == 5
    assert "'office.word' is offered by" in capsys.readouterr().err


def test_a_package_that_does_not_load_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install(tmp_path / "site", "sop-kata", "office.word = kata_four:ACTION", monkeypatch, "raise ValueError('x')")
    assert sop(["run", "playbooks/kata.yml"]) == 5
    told = capsys.readouterr().err
    assert "package sop-kata: kata_four:ACTION: it does not load: ValueError: x. mend or uninstall it" in told


def test_a_built_in_name_stays_sop_s_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install(tmp_path / "site", "sop-kata", "command.run = kata_five:ACTION", monkeypatch)
    assert KnownActions(Path("actions")).origin("command.run") == "sop"
    assert sop(["check"]) == 5
    assert "there is an action 'command.run' already, of sop itself. rename it there" in capsys.readouterr().err
