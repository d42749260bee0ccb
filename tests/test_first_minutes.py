"""The first fifteen minutes in a real terminal: from a clone to the first report of a site of one's own.

What was to be seen after each command is kept as NN.ansi in the test's folder, or in the one that SOP_PICTURES names.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.pip_settings import pip_settings
from tests.terminal import PROMPT, Terminal, terminal
from tests.web_servers import page_server

ROOT = Path(__file__).parents[1]
PLAYBOOK = "playbooks/pemeliharaan-website.yml"
LONGEST_STEP = 1200.0
PAGE = (
    '<html><head><meta name="generator" content="Joomla! - Open Source Content Management"><title>Pengadilan Negeri '
    "Contoh</title></head><body><h1>Pengadilan Negeri Contoh</h1><p>Senin, 16 November 2026</p></body></html>"
)
LINE = '203.0.113.7 - - [22/Nov/2026:09:00:00 +0700] "GET / HTTP/1.1" 200 512 "-" "Mozilla/5.0"\n'


class Recording:
    """Types commands into a terminal, one on an empty screen each, and keeps what was to be seen."""

    def __init__(self, window: Terminal, folder: Path) -> None:
        self._window = window
        self._folder = folder
        self._number = 0
        folder.mkdir(exist_ok=True)

    def type(self, command: str) -> str:
        """Type a command, wait for its end, and return all that it printed."""
        self.begin(command)
        return self.end(command)

    def begin(self, command: str) -> None:
        """Type a command on an empty screen."""
        self._window.type("clear")
        self._window.wait_for(lambda screen: screen.strip() == PROMPT.strip())
        self._window.forget()
        self._window.type(command)

    def answer(self, question: str, text: str) -> None:
        """Wait for a question and answer it."""
        self._window.wait_for(lambda screen: question in screen and screen.rstrip().endswith(">"))
        self._window.type(text)

    def end(self, command: str) -> str:
        """Wait for the prompt after a command."""
        self._window.wait_for(
            lambda screen: (
                screen.rstrip().endswith(f"\n{PROMPT.strip()}") and command[:20] in self._window.screen(history=True)
            )
        )
        self._number += 1
        (self._folder / f"{self._number:02}.ansi").write_text(self._window.picture(), encoding="utf-8")
        printed = self._window.screen(history=True)
        assert "Traceback" not in printed, printed
        assert "sop-bug" not in printed, printed
        return printed


@pytest.mark.heavy
def test_from_clone_to_first_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.terminal.LONGEST_WAIT", LONGEST_STEP)
    home = tmp_path / "home"
    (home / "situs").mkdir(parents=True)
    (home / "situs/index.html").write_text(PAGE)
    (home / "access.log").write_text(LINE * 20)
    pictures = Path(os.environ.get("SOP_PICTURES") or tmp_path / "pictures")
    settings = {"HOME": str(home), "LANG": "C.UTF-8", "TERM": "xterm-256color", **pip_settings()}
    settings["VIRTUAL_ENV_DISABLE_PROMPT"] = "1"
    with page_server({"/": PAGE}) as site, terminal(home, **settings) as window:
        screen = Recording(window, pictures)
        screen.type(f"git clone -q file://{ROOT} sop && cd sop")
        assert "demo/laporan-situasi.html" in screen.type("make demo")
        assert (home / "sop/demo/laporan-situasi.html").read_text(encoding="utf-8").startswith("<!")
        screen.type(". .venv/bin/activate")
        screen.begin("sop init ~/kantor")
        screen.answer("court", "Pengadilan Negeri Contoh")
        screen.answer("website", site)
        screen.answer("Enter takes it", "")
        screen.answer("server", "local")
        screen.answer("database", "none")
        screen.answer("roles", "admin=Budi Santoso, kasubbag=Sari Dewi, sekretaris=Andi Putra")
        assert "no mistakes, 9 steps" in screen.end("sop init")
        screen.type("cd ~/kantor")
        screen.type("sed -i 's|/var/www/html|'$HOME'/situs|' inventory/situs.yml")
        screen.type("sed -i 's|access_log: .*|access_log: '$HOME'/access.log|' inventory/situs.yml")
        assert "no mistakes, 9 steps" in screen.type("sop check")
        assert "nothing was changed" in screen.type(f"sop plan {PLAYBOOK}")
        assert "waits for" in screen.type(f"sop run {PLAYBOOK}")
        assert "sop sign" in screen.type("sop status")
        screen.type("sop show last report --save bukti")
        report = (home / "kantor/bukti/report/laporan-situasi.html").read_text(encoding="utf-8")
        assert "Pengadilan Negeri Contoh" in report
        assert "the record is whole" in screen.type("sop verify")
