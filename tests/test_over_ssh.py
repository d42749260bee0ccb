"""Playbooks on a real OpenSSH server, through the command line."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from runner.cli import run
from tests.processes import await_end
from tests.sshd import SshServer, free_port

HOSTILE = "x; touch pwned $(touch pwned2; id) `touch pwned3` ' \" \\ | > pwned4 && *\n-rf"
PLACES = [
    "printf '<%s>' {{ vars.hostile }}",
    "printf '<%s>' a{{ vars.hostile }}b",
    "v={{ vars.hostile }}; printf '<%s>' \"$v\"",
    "for v in {{ vars.hostile }}; do printf '<%s>' \"$v\"; done",
    'printf "<%s>" "$(printf %s {{ vars.hostile }})"',
    "(printf '<%s>' {{ vars.hostile }}) | cat",
    "case {{ vars.hostile }} in x*) printf '<%s>' {{ vars.hostile }};; esac",
    "test -n {{ vars.hostile }} && printf '<%s>' {{ vars.hostile }}",
    "printf '<%s>' {{ [vars.hostile, vars.hostile] }}",
]


@pytest.fixture
def folder(tmp_path: Path, server: SshServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with an inventory of one real server, one where nobody listens, and this machine."""
    work = tmp_path / "work"
    work.mkdir()
    (tmp_path / "remote").mkdir()
    home = Path(os.environ["HOME"])
    (home / ".ssh").mkdir(mode=0o700)
    (home / ".ssh" / "known_hosts").write_text(server.known_hosts.read_text())
    inventory = {
        "office": {"name": "Pengadilan Negeri Contoh"},
        "servers": {
            "web1": dict(server.settings),
            "gone": {**server.settings, "port": free_port()},
            "here": {"connection": "local"},
        },
        "vars": {"hostile": HOSTILE, "remote": str(tmp_path / "remote")},
    }
    (work / "inventory.yml").write_text(json.dumps(inventory))
    monkeypatch.chdir(work)
    return work


def write_playbook(folder: Path, steps: list[dict[str, Any]]) -> str:
    (folder / "playbook.yml").write_text(json.dumps({"procedure": {"title": "T"}, "steps": steps}))
    return "playbook.yml"


def step(name: str, tasks: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {"id": name, "activity": name, "tasks": tasks, **more}


def command(name: str, line: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "action": "command.run", "with": {"command": line}, **more}


def run_json(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    code = run([*words, "--format", "json"])
    return code, json.loads(capsys.readouterr().out)


def tasks_of(document: dict[str, Any], target: str | None = None) -> dict[str, dict[str, Any]]:
    return {
        task["id"] + (f"[{task['item']}]" if task["item"] is not None else ""): task
        for each in document["steps"]
        for at in each["targets"]
        if at["target"] == target or target is None
        for task in at["tasks"]
    }


def test_ten_hung_commands_leave_nothing_behind(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Ten commands that hang on one connection end at their limit, and an eleventh works."""
    mark = f"987{os.getpid()}"
    stubborn = "case {{ item }} in 0|1) trap '' TERM;; esac"  # a trapped TERM is waited for, then comes KILL
    hang = command("hang", f"{stubborn}; sleep {mark}", for_each=list(range(10)), time_limit="1s")
    hang["on_failure"] = "continue"
    playbook = write_playbook(folder, [step("one", [hang, command("after", "echo well")], targets="web1")])
    code, document = run_json(capsys, "run", playbook)
    found = tasks_of(document)
    assert [found[f"hang[{n}]"]["status"] for n in range(10)] == ["timed_out"] * 10
    assert found["after"]["outputs"]["stdout"] == "well\n"
    await_end(f"sleep {mark}")
    assert code == 2


def test_failed_unreachable_and_fine_are_all_visible(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tasks = [
        command("act", 'test {{ target.name }} != web1 || { echo "no luck" >&2; exit 3; }'),
        command("last", "echo never on two of them"),
        {"id": "clean", "action": "command.run", "with": {"command": "echo {{ target.name }}"}, "always": True},
    ]
    summary = step("sum", [command("count", "echo {{ steps.one.each.status | map(attribute='status') }}")])
    playbook = write_playbook(folder, [step("one", tasks, targets="servers"), summary])
    code, document = run_json(capsys, "run", playbook)
    statuses = {
        name: [task["status"] for task in tasks_of(document, name).values()] for name in ("web1", "gone", "here")
    }
    assert statuses == {
        "web1": ["failed", "skipped", "changed"],
        "gone": ["unreachable", "skipped", "unreachable"],
        "here": ["changed", "changed", "changed"],
    }
    assert "no luck" in tasks_of(document, "web1")["act"]["message"]
    assert tasks_of(document)["count"]["outputs"]["stdout"] == "failed unreachable changed\n"
    assert code == 2


def test_unreachable_alone_is_exit_code_four(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    playbook = write_playbook(folder, [step("one", [command("act", "true")], targets="servers")])
    code, document = run_json(capsys, "run", playbook)
    assert (code, document["status"]) == (4, "unreachable")
    assert "gone" in tasks_of(document, "gone")["act"]["message"]


@pytest.mark.parametrize("target", ["web1", "here"])
@pytest.mark.promise("Text from outside", "a hostile value over real SSH", "never executed")
def test_a_hostile_value_never_executes(folder: Path, capsys: pytest.CaptureFixture[str], target: str) -> None:
    tasks = [command(f"place{n}", line) for n, line in enumerate(PLACES)]
    tasks.append({"id": "words", "action": "command.run", "with": {"argv": ["printf", "<%s>", "{{ vars.hostile }}"]}})
    for task in tasks:
        task["with"]["cwd"] = "{{ vars.remote }}"
    playbook = write_playbook(folder, [step("one", tasks, targets=target)])
    code, document = run_json(capsys, "run", playbook)
    outputs = {name: task["outputs"]["stdout"] for name, task in tasks_of(document).items()}
    assert outputs.pop("place1") == f"<a{HOSTILE}b>"
    assert outputs.pop("place8") == f"<{HOSTILE}>" * 2
    assert set(outputs.values()) == {f"<{HOSTILE}>"}
    assert list((folder.parent / "remote").iterdir()) == []
    assert code == 0


def test_a_file_name_read_there_never_executes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What comes back from a target is as little code as what stands in the inventory."""
    remote = folder.parent / "remote"
    (remote / "a; touch pwned $(id)").write_text("")
    tasks = [
        command("list", "ls {{ vars.remote }}", effect="read"),
        command("again", "cd {{ vars.remote }} && ls -- {{ tasks.list.stdout.strip() }}"),
    ]
    code, document = run_json(capsys, "run", write_playbook(folder, [step("one", tasks, targets="web1")]))
    assert tasks_of(document)["again"]["outputs"]["stdout"] == "a; touch pwned $(id)\n"
    assert [path.name for path in remote.iterdir()] == ["a; touch pwned $(id)"]
    assert code == 0


def test_dry_run_changes_nothing(folder: Path, server: SshServer, capsys: pytest.CaptureFixture[str]) -> None:
    """The listing with hashes is equal, no changing command reached the server, and no value is made up."""
    remote = folder.parent / "remote"
    (remote / "data").mkdir()
    (remote / "data" / "file").write_text("kept")
    audit = remote.parent / "audit"
    tasks = [
        command("read", "cat {{ vars.remote }}/data/file", effect="read"),
        command("change", f"echo ran >> {audit}; rm -r {{{{ vars.remote }}}}/data; echo 200"),
        command(
            "decide",
            f"echo ran >> {audit}; touch {{{{ vars.remote }}}}/alarm",
            when="{{ tasks.change.exit_code != 0 }}",
        ),
        command("later", "echo {{ tasks.change.stdout | default('200') }}", effect="read"),
        command("uses", "echo {{ tasks.read.stdout }}", effect="read"),
    ]
    playbook = write_playbook(folder, [step("one", tasks, targets="web1")])
    before = listing(remote)
    code, document = run_json(capsys, "plan", playbook)
    found = {name: (task["status"], task["reason"], task["outputs"]) for name, task in tasks_of(document).items()}
    assert listing(remote) == before
    assert not audit.exists()
    assert found["read"] == ("ok", None, {"stdout": "kept", "stderr": "", "exit_code": 0})
    assert found["change"] == ("skipped", "not_checked", {})
    assert found["decide"] == ("skipped", "blocked", {})
    assert found["later"] == ("skipped", "blocked", {})
    assert found["uses"][2]["stdout"] == "kept\n"
    assert not (folder / "records").exists()
    assert code == 0


def test_trust_shows_the_fingerprint_and_records_the_key(
    folder: Path, server: SshServer, capsys: pytest.CaptureFixture[str]
) -> None:
    known = Path(os.environ["HOME"]) / ".ssh" / "known_hosts"
    known.unlink()
    assert run(["inventory", "ping", "web1"]) == 4
    assert "sop inventory trust" in capsys.readouterr().out
    assert run(["inventory", "trust", "web1", "--yes"]) == 0
    assert "SHA256:" in capsys.readouterr().out
    assert server.host_key() in known.read_text()
    assert run(["inventory", "ping", "web1"]) == 0


def test_another_host_key_is_refused(folder: Path, server: SshServer, capsys: pytest.CaptureFixture[str]) -> None:
    known = Path(os.environ["HOME"]) / ".ssh" / "known_hosts"
    other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHN0aWxsbm90dGhla2V5b2Z0aGlzc2VydmVyISEh"
    known.write_text(f"[127.0.0.1]:{server.port} {other}\n")
    playbook = write_playbook(folder, [step("one", [command("act", "true")], targets="web1")])
    code, document = run_json(capsys, "run", playbook)
    assert code == 4
    assert "key" in tasks_of(document)["act"]["message"]


def listing(folder: Path) -> list[tuple[str, str, float, int]]:
    """Every file below a folder, with its hash, time of change and mode."""
    return sorted(
        (
            str(path.relative_to(folder)),
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
            path.stat().st_mtime,
            path.stat().st_mode,
        )
        for path in folder.rglob("*")
    )
