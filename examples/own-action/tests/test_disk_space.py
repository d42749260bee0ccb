"""The parser on a real answer, and the whole through `sop run`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from runner.cli import run
from runner.own.loading import load_module

HERE = Path(__file__).parent


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The working folder, as its owner alone may write it."""
    copied = Path(shutil.copytree(HERE.parent, tmp_path / "sop"))
    for path in (copied, *copied.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return copied


def test_reads_what_df_prints(folder: Path) -> None:
    module = load_module(folder / "actions" / "disk_space.py")
    assert module.parse_df((HERE / "df.txt").read_text()) == [
        {"place": "/", "size_kib": 41152736, "used_percent": 66},
        {"place": "/var/www/berkas putusan", "size_kib": 103080888, "used_percent": 96},
    ]


def test_runs_in_a_playbook(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(folder)
    assert run(["check"]) == 0
    capsys.readouterr()
    assert run(["run", "playbooks/ruang-disk.yml", "--format", "json"]) == 0
    [step] = json.loads(capsys.readouterr().out)["steps"]
    assert 0 < step["targets"][0]["outputs"]["fullest"] <= 100
