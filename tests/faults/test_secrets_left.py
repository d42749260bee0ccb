"""A secret planted in a whole run, and searched for all that is left: files, screen, processes, cores."""

from __future__ import annotations

import base64
import json
import os
import resource
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from runner.cli import run as sop
from tests.mail_servers import mail_server

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
SECRET = "kata-sandi/Rahasia 'n\" & \\ 40%é"
PLAYBOOK = """
procedure: {title: T, roles: {admin: Admin}}
steps:
  - id: one
    activity: a
    targets: s
    outputs: [{id: out, text: O, value: "{{ tasks.say.stdout }}"}]
    on_failure: continue
    tasks:
      - id: say
        action: command.run
        effect: read
        with:
          command: |
            printf '%s\\n' "$KEY"; printf %s "$KEY" | base64 -w0; echo; printf %s "$KEY" | od -An -tx1
            head -c 65530 /dev/zero | tr '\\0' x; printf '%s\\n' "$KEY"; cat encoded
            touch begun; test -e quick || sleep 2; printf '%s\\n' "$KEY" >&2
          env: {KEY: "{{ secret('key') }}"}
      - {id: fail, action: command.run, effect: read, with: {command: "cat >&2; exit 1", stdin: "{{ secret('key') }}"}}
  - id: tell
    activity: b
    on_failure: continue
    tasks:
      - {id: mail, action: notify.send, with: {to: [admin], channels: [mail],
         values: {subject: "Hasil {{ steps.one.each.out[0].value }}", text: "{{ steps.one.each.out[0].value }}"}}}
      - {id: report, action: report.situation}
"""


def forms() -> dict[str, bytes]:
    """The secret as it might be left."""
    plain = SECRET.encode()
    return {
        "as it is": plain,
        "as base64": base64.b64encode(plain).rstrip(b"="),
        "as URL": quote(SECRET, safe="").encode(),
        "as hex": plain.hex().encode(),
        "as JSON": json.dumps(SECRET)[1:-1].encode(),
        "as JSON in UTF-8": json.dumps(SECRET, ensure_ascii=False)[1:-1].encode(),
    }


def look_for(found: dict[str, bytes]) -> list[str]:
    """Where the secret stands, in any form."""
    return [f"{place}: {form}" for place, data in found.items() for form, text in forms().items() if text in data]


class Left:
    """An office in which a run was made, and all that was seen of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        (folder / "p.yml").write_text(PLAYBOOK)
        (folder / "encoded").write_bytes(b"\n".join(forms().values()) + b"\n")
        with mail_server() as box:
            inventory = {
                "office": {"name": "PN Contoh", "timezone": "Asia/Jakarta"},
                "servers": {"s": {"connection": "local"}},
                "people": {"a": {"name": "Siti", "email": "siti@pn-contoh.example", "roles": [{"role": "admin"}]}},
                "channels": {"mail": {"kind": "smtp", "host": "127.0.0.1", "port": box.port, "security": "none",
                                      "from": "it@pn-contoh.example"}},
                "secrets": {"key": {"env": "SOP_TEST_KEY"}},
            }  # fmt: skip
            (folder / "inventory.yml").write_text(json.dumps(inventory))
            process = self.begin("run", "p.yml", "-vv")
            self.lines = b"".join(watch_command_lines(process, folder / "begun"))
            self.screen = b"".join(process.communicate(timeout=100))
            assert process.returncode == 2, self.screen.decode()[-2000:]
        self.mail = b"".join(box.raw)

    def begin(self, *words: str) -> subprocess.Popen[bytes]:
        """Start `sop` here, with the secret in its environment."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "SOP_TEST_KEY": SECRET}
        return subprocess.Popen(
            [sys.executable, "-m", "runner", *words],
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def says(self, *words: str) -> bytes:
        """What a command prints."""
        return b"".join(self.begin(*words).communicate(timeout=100))

    def files(self, *folders: str) -> dict[str, bytes]:
        """The bytes of all files below these folders; the database's pages too."""
        found = {str(path): path.read_bytes() for name in folders for path in (self.folder / name).rglob("*")
                 if path.is_file()}  # fmt: skip
        assert found
        return found


def watch_command_lines(process: subprocess.Popen[bytes], begun: Path) -> Iterator[bytes]:
    """The command lines of all processes, looked at until some time after the command began."""
    after = 0
    while process.poll() is None and after < 20:
        after += begun.exists()
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                yield path.read_bytes()
            except OSError:  # it has ended
                continue
        time.sleep(0.02)  # between two looks
    assert begun.exists()


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Left:
    return Left(tmp_path_factory.mktemp("left") / "office")


PLACES: dict[str, Callable[[Left], dict[str, bytes]]] = {
    "the journal and its log": lambda left: {k: v for k, v in left.files("records").items() if "journal" in k},
    "evidence": lambda left: left.files("records/evidence"),
    "the screen": lambda left: {"run -vv": left.screen, "show": left.says("show", "last")},
    "JSON": lambda left: {each: left.says(*each.split(), "--format", "json") for each in ("show last", "problems")},
    "reports": lambda left: {"said": left.says("report", "situation", "last", "--docx"), **left.files("laporan")},
    "the dashboard": lambda left: {"said": left.says("dashboard", "--out", "layar"), **left.files("layar")},
    "an auditor's file": lambda left: {
        "said": left.says("export", "--out", "a.zip"), "unpacked": unpacked(left.folder / "a.zip")
    },
    "letters": lambda left: {"mail": left.mail},
    "the list of processes": lambda left: {"command lines": left.lines},
}  # fmt: skip


def unpacked(path: Path) -> bytes:
    """All that is in a zip file."""
    with zipfile.ZipFile(path) as archive:
        return b"".join(map(archive.read, archive.namelist()))


@pytest.mark.promise("Secrets", "a planted secret in {place}", "in none of six forms")
@pytest.mark.parametrize("place", PLACES)
def test_a_planted_secret_is_nowhere(left: Left, place: str) -> None:
    found = PLACES[place](left)
    assert b"".join(found.values()), "there is something to look at"
    assert look_for(found) == []


def test_the_search_finds_what_is_there(left: Left) -> None:
    assert {each.rpartition("/")[2].partition(":")[0] for each in look_for(left.files("."))} == {"encoded"}
    assert len(look_for({"": (left.folder / "encoded").read_bytes()})) == len(forms())
    assert b"[masked:key]" in left.says("show", "last")
    assert left.mail
    assert b"sleep" in left.lines


@pytest.mark.promise("Secrets", "a bug in the middle of a run", "its report names the error, not the secret")
def test_a_bug_s_report_tells_no_secret(
    left: Left, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def stumble(*_: object) -> None:
        raise RuntimeError(f"cannot log in with {SECRET} or {base64.b64encode(SECRET.encode()).decode()}")

    for name in ("p.yml", "inventory.yml", "encoded"):
        (tmp_path / name).write_bytes((left.folder / name).read_bytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOP_TEST_KEY", SECRET)
    monkeypatch.setattr("runner.commands.execute.Engine", stumble)
    assert sop(["run", "p.yml"]) == 1
    said = capfd.readouterr()
    [report] = tmp_path.glob("sop-bug-*.md")
    assert "cannot log in with [masked:key]" in report.read_text()
    assert "in stumble" in report.read_text()
    assert look_for({"said": (said.out + said.err).encode(), "report": report.read_bytes()}) == []


@pytest.mark.promise("Secrets", "the program crashes while it holds secrets", "no core file is written")
def test_a_crash_leaves_no_core_file(left: Left) -> None:
    (left.folder / "begun").unlink()
    limits = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (limits[1], limits[1]))  # as much as may be
    try:
        process = left.begin("run", "p.yml", "--records", "others")
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, limits)
    deadline = time.monotonic() + 60
    while not (left.folder / "begun").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    [limit] = [each for each in Path(f"/proc/{process.pid}/limits").read_text().splitlines() if "core file" in each]
    assert limit.split()[4] == "0"
    process.send_signal(signal.SIGABRT)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGABRT
    assert list(left.folder.glob("core*")) == []
