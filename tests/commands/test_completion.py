"""The Tab key: what is offered, by click's own protocol and by the real shells."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from runner.cli import run as sop
from runner.commands.completion import PLACES, SHELLS, render_script
from tests.terminal import terminal

INVENTORY = """\
office: {name: PN Contoh, timezone: Asia/Jakarta}
servers: {here: {connection: local}, there: {address: 192.0.2.1, user: web}}
groups: {homes: {members: [here]}}
people: {siti: {name: Siti, roles: [{role: admin, from: 2020-01-01}]}}
"""
PLAYBOOK = """\
procedure: {title: T, roles: {admin: Admin}}
steps:
  - id: look
    activity: Melihat
    targets: here
    tasks: [{id: a, action: command.run, effect: read, with: {argv: ["true"]}}]
  - {id: listen, activity: Mendengar, tasks: []}
"""
DAILY = "playbooks/daily.yml"


@pytest.fixture(autouse=True)
def _office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("playbooks").mkdir()
    Path(DAILY).write_text(PLAYBOOK)
    Path("inventory.yml").write_text(INVENTORY)


def environment(**more: str) -> dict[str, str]:
    """What a shell of this user has, with `sop` on its path."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", **more}


def offered(*words: str) -> list[str]:
    """What `sop` offers for the last of the words, which may be empty or begun."""
    asked = {"COMP_WORDS": " ".join(["sop", *words]), "COMP_CWORD": str(len(words)), "_SOP_COMPLETE": "bash_complete"}
    done = subprocess.run(["sop"], env=environment(**asked), capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["hist"], ["history"]),
        (["schedule", ""], ["install", "next", "remove", "show"]),
        (["run", "pl"], [DAILY]),
        (["run", DAILY, "--limit", "h"], ["here", "homes"]),
        (["inventory", "ping", "t"], ["there"]),
        (["run", DAILY, "--only", "l"], ["look", "listen"]),
        (["run", DAILY, "--only", "look,li"], ["look,listen"]),
        (["run", DAILY, "--from", "li"], ["listen"]),
        (["actions", "person."], ["person.sign", "person.do"]),
        (["cancel", "x", "--person", ""], ["siti"]),
        (["run", DAILY, "--format", "j"], ["json"]),
    ],
)
def test_offers_what_is_meant(words: list[str], found: list[str]) -> None:
    assert offered(*words) == found


def test_runs_and_their_steps_are_offered(capsys: pytest.CaptureFixture[str]) -> None:
    assert sop(["run", DAILY]) == 0
    [run] = offered("show", "")
    assert offered("sign", run, "li") == ["listen"]


def test_a_tab_key_never_prints_a_mistake() -> None:
    Path("inventory.yml").write_text("servers: {here: [}")
    Path(DAILY).write_text("steps: 5")
    assert offered("run", DAILY, "--limit", "") == []
    assert offered("run", DAILY, "--only", "") == []
    assert offered("show", "") == []


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_is_put_where_its_shell_looks(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert sop(["completion", shell]) == 0
    printed = capsys.readouterr().out
    assert sop(["completion", shell, "--install"]) == 0
    assert (Path.home() / PLACES[shell]).read_text() == printed == render_script(shell)


def test_the_shell_in_use_is_meant(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("SHELL", "/usr/bin/fish")
    assert sop(["completion"]) == 0
    assert "complete --no-files --command sop" in capsys.readouterr().out
    monkeypatch.setenv("SHELL", "/bin/sh")
    assert sop(["completion"]) == 5
    assert "SHELL: yours is sh. name bash, zsh or fish" in capsys.readouterr().err


def ask(*command: str, more: Mapping[str, str] | None = None) -> list[str]:
    """What a real shell prints."""
    assert shutil.which(command[0]), f"install {command[0]}"
    done = subprocess.run(command, env=environment(**more or {}), capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_bash_completes() -> None:
    Path("sop.bash").write_text(render_script("bash"))
    line = f"source sop.bash; COMP_WORDS=(sop run {DAILY} --only l); COMP_CWORD=4; _sop_completion sop l --only"
    assert ask("bash", "--norc", "-c", line + '; printf "%s\\n" "${COMPREPLY[@]}"') == ["look", "listen"]


def test_fish_completes() -> None:
    Path("sop.fish").write_text(render_script("fish"))
    line = f"source sop.fish; complete --do-complete 'sop run {DAILY} --limit h'"
    assert ask("fish", "--no-config", "-c", line, more={"TERM": "dumb"}) == ["here", "server", "homes", "group"]


def test_zsh_completes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.terminal.LONGEST_WAIT", 90.0)
    assert shutil.which("zsh"), "install zsh"
    assert sop(["completion", "zsh", "--install"]) == 0
    functions = (Path.home() / PLACES["zsh"]).parent
    Path(".zshrc").write_text(f"PS1='zsh> '; fpath=({functions} $fpath); autoload -U compinit; compinit -u -D\n")
    with terminal(tmp_path) as window:
        window.type(f"ZDOTDIR={tmp_path} zsh -i")
        window.wait_for(lambda screen: "zsh>" in screen)
        window.press(f"sop run {DAILY} --from li")
        window.press("Tab")
        window.wait_for(lambda screen: "--from listen" in screen)
