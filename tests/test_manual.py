"""The manual page and the page of commands are as built; the packages work where nothing else is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from runner.cli import COMMANDS
from runner.manual import EXIT_CODES, render_man, render_page
from tests.pip_settings import pip_settings

ROOT = Path(__file__).parents[1]


def test_the_pages_are_as_built() -> None:
    assert (ROOT / "man/sop.1").read_text(encoding="utf-8") == render_man(), "run: make reference"
    assert (ROOT / "docs/commands.md").read_text(encoding="utf-8") == render_page(), "run: make reference"


def test_every_command_is_told_with_its_options() -> None:
    page = render_page()
    assert [name for name in COMMANDS if f"## sop {name}" not in page] == []
    assert "## sop schedule install" in page
    assert "| `-l, --limit TEXT` | Only these targets: a pattern, as Ansible's. |" in page


def test_exit_codes_are_those_of_the_readme() -> None:
    rows = re.findall(r"^\| (\d+) \| (.*) \|$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert {int(code): words.replace("`", "") for code, words in rows} == EXIT_CODES


def test_roff_reads_nothing_as_its_own() -> None:
    for line in render_man().splitlines():
        assert re.match(r"\.\\\"|\.(TH|SH|SS|PP|TP|B|BR)\b|[^.']", line), line


def test_man_renders_it_at_80_columns() -> None:
    command = ["man", "--warnings", "-l", str(ROOT / "man/sop.1")]
    assert shutil.which("man"), "install man-db"
    settings = {"MANWIDTH": "80", "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, capture_output=True, text=True, env=settings, check=True)
    assert done.stderr == ""
    assert "EXIT STATUS" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.heavy
@pytest.mark.timeout(600)
@pytest.mark.promise("Supply", "the wheel is built again, elsewhere and at another time", "the same bytes")
def test_the_wheel_works_in_an_empty_environment() -> None:
    done = subprocess.run(
        [ROOT / "tests/release-check", "quick", sys.executable],
        env={**os.environ, **pip_settings()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the wheel, built again elsewhere, is the same bytes" in done.stdout
    assert "release-check: the wheel holds" in done.stdout
