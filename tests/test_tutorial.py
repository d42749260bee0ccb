"""Every command of the tutorial and the READMEs runs, and prints what the page shows."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.shown_pages import ROOT, level, run_page


@pytest.mark.parametrize(("page", "commands"), [("docs/tutorial.md", 16), ("README.md", 4)])
def test_every_command_prints_what_the_page_shows(page: str, commands: int, tmp_path: Path) -> None:
    seen = list(run_page(ROOT / page, tmp_path))
    assert len(seen) == commands
    printed = [(each.command, level(each.printed)) for each in seen]
    assert printed == [(each.command, level(each.shown)) for each in seen], "or renew the page: make pages"


def test_the_indonesian_readme_shows_the_same_run() -> None:
    pages = [(ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.id.md")]
    english, indonesian = (
        re.findall(r"^```(?:yaml|console)\n.*?^```", page, re.DOTALL | re.MULTILINE) for page in pages
    )
    assert len(indonesian) == 3
    assert list(map(level, english[:3])) == list(map(level, indonesian))


@pytest.mark.heavy
def test_the_pages_are_built_strictly(tmp_path: Path) -> None:
    words = ["--fail-on-warning", "--keep-going", "--nitpicky", "--quiet", "--builder", "html"]
    command = [sys.executable, "-m", "sphinx", *words, str(ROOT / "docs"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "<h1>" in (tmp_path / "tutorial.html").read_text(encoding="utf-8")
