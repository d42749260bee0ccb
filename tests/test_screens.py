"""What people see, at 80 and 160 columns, with and without colours, in both languages."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from runner.cli import run as sop
from runner.screen.tables import width_of

PLAYBOOK = """\
procedure:
  title: S.O.P. Pemeriksaan harian server pengadilan
  unit: Pengadilan Negeri Contoh
  roles: {kasubbag: Kasubbag PTIP}
steps:
  - id: space
    activity: Memeriksa ruang penyimpanan pada setiap server, satu per satu, oleh subbagian teknologi informasi
    time_limit: 3 jam
    targets: servers
    outputs:
      - {id: used, text: Ruang terpakai, value: "{{ tasks.size.stdout }}"}
    tasks:
      - id: size
        action: command.run
        effect: read
        with: {command: "printf 12"}
  - id: clean
    activity: Membersihkan berkas sementara
    time_limit: 1 jam
    targets: servers
    on_failure: continue
    tasks:
      - id: remove
        action: command.run
        with: {command: "exit {{ vars.code }}"}
  - id: approve
    activity: Hasil pemeriksaan disetujui
    actor: kasubbag
    tasks:
      - id: sign
        action: person.sign
        with: {question: Mohon hasil pemeriksaan ini disetujui, document: "{{ steps.space.each.used }}"}
vars: {code: 0}
supplement:
  schedule: [{steps: [space], cron: "0 8 * * 1-5", note: setiap hari kerja}]
"""
INVENTORY = """\
office: {name: Pengadilan Negeri Contoh, timezone: Asia/Jakarta}
servers:
  web1: {connection: local}
  web2: {connection: local, vars: {code: 3}}
  web3: {address: 127.0.0.1, port: 1, user: nobody}
people: {budi: {name: Budi Santoso, login: budi, roles: [{role: kasubbag, from: 2026-01-02}]}}
"""
WRONG = PLAYBOOK.replace("activity: Membersihkan", "aktivitas: Membersihkan").replace("actor: kasubbag", "actor: ketua")

# Each screen, and the lines that are not wrapped, so that they can be copied: commands, outputs, what programs print.
SCREENS = {
    "plan": ["plan", "harian.yml"],
    "check": ["check", "harian.yml"],
    "check wrong": ["check", "wrong.yml"],
    "status": ["status"],
    "history": ["history"],
    "show": ["show", "last"],
    "problems": ["problems"],
    "actions": ["actions"],
    "action": ["actions", "person.sign"],
    "explain": ["explain", "harian.yml"],
    "schedule show": ["schedule", "show", "harian.yml"],
    "schedule next": ["schedule", "next", "harian.yml"],
    "inventory list": ["inventory", "list"],
    "help": ["--help"],
    "help of run": ["run", "--help"],
    "init": ["init", "baru", "--no-probe"],
    "typing errors": ["histori"],
}
COPIED = re.compile(
    r"^ *(sop |stdout|manifest|sha256|[\w ]+: (\{|\[)|(with|action|actor|- id): )|--help$|^(\w+: )?\S+\.yml:\d+|^--?\w+"
)
MARKS = {
    "id": "the is not of an and did which be must cannot has have was it this that what with waits step steps targets",
    "en": "yang tidak dan ini itu untuk dengan dari kegiatan objek pelaksanaan sudah belum menunggu bila",
}
OWN_WORDS = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`|\{[^}]*\}|\bsop [a-z -]+|--[a-z-]+|\b[a-z_]+:")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder in which a run failed on one server, did not reach another, and waits for a person."""
    folder = tmp_path_factory.mktemp("kantor")
    (folder / "harian.yml").write_text(PLAYBOOK)
    (folder / "wrong.yml").write_text(WRONG)
    (folder / "inventory.yml").write_text(INVENTORY)
    words = [sys.executable, "-m", "runner", "run", "harian.yml"]
    settings = {**os.environ, "HOME": str(folder), "SOP_LANG": "en"}
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, timeout=60, env=settings)
    assert done.returncode == 2, done.stderr
    return folder


@pytest.mark.parametrize("columns", [80, 160])
@pytest.mark.parametrize("spoken", ["en", "id"])
@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_fits_and_speaks_one_language(
    name: str,
    spoken: str,
    columns: int,
    office: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(office)
    monkeypatch.setenv("SOP_LANG", spoken)
    monkeypatch.setenv("COLUMNS", str(columns))
    sop([*SCREENS[name]])
    said = capsys.readouterr()
    lines = (said.out + said.err).splitlines()
    assert lines
    for line in lines:
        assert width_of(line) <= columns or COPIED.search(line), line
        words = set(re.findall(r"[a-z]+", OWN_WORDS.sub("", line.lower())))
        assert not words & set(MARKS[spoken].split()) or _is_data(line), line


def _is_data(line: str) -> bool:
    """What the playbook and the inventory say is in their own language."""
    data = PLAYBOOK + INVENTORY
    return any(part in data for part in (line.strip(), *line.strip().split(": ")[1:]))


@pytest.mark.parametrize("settings", [{"TERM": "xterm-256color"}, {"TERM": "xterm-256color", "NO_COLOR": "1"}])
@pytest.mark.parametrize("spoken", ["en", "id"])
def test_colours_are_those_that_dark_and_light_terminals_name(
    spoken: str, settings: dict[str, str], office: Path
) -> None:
    """Red, green, yellow and cyan as the terminal has them, no black, white, or background; nothing by colour alone."""
    environment = {**os.environ, "SOP_LANG": spoken, "PAGER": "cat", **settings}
    plain = {"en": ["failed", "unreachable", "waiting"], "id": ["gagal", "tidak terjangkau", "menunggu"]}
    shown = _on_a_terminal(["show", "last"], office, environment)
    used = set(re.findall(r"\x1b\[([0-9;]*)m", shown))
    assert used == (set() if "NO_COLOR" in settings else {"31", "32", "33", "36", "0"})
    assert [word for word in plain[spoken] if word not in shown] == []


def _on_a_terminal(words: list[str], folder: Path, environment: dict[str, str], columns: int = 80) -> str:
    """What a command shows on a terminal of its own."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 500, columns, 0, 0))
    command = [sys.executable, "-m", "runner", *words]
    with subprocess.Popen(command, cwd=folder, stdin=its, stdout=its, stderr=its, env=environment) as process:
        os.close(its)
        shown = b""
        while piece := _read(ours):
            shown += piece
        process.wait(30)
    os.close(ours)
    return shown.decode()


def _read(stream: int) -> bytes:
    try:
        return os.read(stream, 65536)
    except OSError:  # the other side is closed
        return b""
