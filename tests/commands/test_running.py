"""The command line: exit codes, selections, formats; `sop` in this process, on this machine."""

from __future__ import annotations

import base64
import json
import re
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from jsonschema import Draft202012Validator

from runner.cli import run as sop
from runner.record.journal import Journal
from runner.record.record_schema import RECORD_SCHEMA
from tests.logins import sign_in

SECRET = "kata/sandi & 'rahasia'"
INVENTORY = """
office: {name: PN Contoh, timezone: Asia/Jakarta}
servers:
  web1: {connection: local, vars: {code: 0}}
  web2: {connection: local, vars: {code: 0}}
  away: {address: 127.0.0.1, port: 9, user: nobody}
groups: {near: {members: [web1, web2]}}
people:
  siti: {name: Siti, login: siti, roles: [{role: admin, from: 2020-01-01}]}
  budi: {name: Budi, login: somebody-else, roles: [{role: kasubbag, from: 2020-01-01}]}
secrets: {key: {env: SOP_TEST_KEY}}
vars: {word: hello}
"""
PLAYBOOK = """
procedure: {title: T, roles: {admin: Admin, kasubbag: Kasubbag}}
steps:
  - id: one
    activity: a
    targets: near
    outputs: [{id: out, text: O, value: "{{ tasks.say.stdout | trim }}"}]
    tasks:
      - {id: say, action: command.run, effect: read, with: {command: "echo {{ vars.word }}; exit {{ vars.code }}"}}
      - {id: touch, action: command.run, with: {command: "echo x >> touched-{{ target.name }}", cwd: "{{ run.id }}"}}
  - id: two
    activity: b
    tasks: [{id: all, action: command.run, effect: read, with: {argv: [echo, "{{ steps.one.each.out | tojson }}"]}}]
"""
PERSON = """
procedure: {title: T, roles: {admin: Admin, kasubbag: Kasubbag}}
steps:
  - {id: ask, activity: a, tasks: [{id: sign, action: person.sign, actor: %s, with: {question: Mohon}}]}
  - {id: after, activity: b, tasks: [{id: say, action: command.run, effect: read, with: {command: "echo done"}}]}
"""
CANCEL = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from runner.events import Event, Kind
from runner.record.journal import Journal
with Journal.open(Path(sys.argv[1])) as journal:
    said = {"person": "Siti", "login": "siti", "reason": "r"}
    journal.append([Event(Kind.CANCELLED, journal.find_run("last"), datetime.now(UTC), data=said)])
"""


@pytest.fixture(autouse=True)
def _office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOP_TEST_KEY", SECRET)
    sign_in(monkeypatch, "siti")
    Path("inventory.yml").write_text(INVENTORY)
    Path("p.yml").write_text(PLAYBOOK.replace(', cwd: "{{ run.id }}"', f', cwd: "{tmp_path}"'))


def write(text: str) -> None:
    """Put another playbook in place."""
    Path("p.yml").write_text(text)


def task(command: str, more: str = "") -> str:
    """A playbook of one task."""
    return f"""
procedure: {{title: T}}
steps:
  - id: one
    activity: a
    targets: near
    tasks: [{{id: a, action: command.run, {more} with: {{command: {json.dumps(command)}}}}}]
"""


def document(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> Any:
    """Run `sop` with --format json; return the one document it printed."""
    capsys.readouterr()
    assert sop([*words, "--format", "json"]) == code
    return json.loads(capsys.readouterr().out)


def test_a_run_ends_with_0_and_one_json_document_of_the_published_form(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "run", "p.yml")
    Draft202012Validator(RECORD_SCHEMA).validate(found)
    assert (found["status"], found["exit_code"]) == ("changed", 0)
    assert [step["status"] for step in found["steps"]] == ["changed", "ok"]
    assert Path("touched-web1").read_text() == "x\n"
    history = document(capsys, "history")
    assert [(run["run"], run["status"]) for run in history["runs"]] == [(found["run"], "changed")]
    again = document(capsys, "show", "last")
    assert again == found


def test_what_others_record_of_a_run_meanwhile_stands_in_its_document(capsys: pytest.CaptureFixture[str]) -> None:
    Path("cancel.py").write_text(CANCEL)
    write(task(f"{sys.executable} {Path('cancel.py').absolute()} {Path('records').absolute()}").replace("near", "web1"))
    found = document(capsys, "run", "p.yml")
    assert found["cancelled"]["reason"] == "r"
    assert found == document(capsys, "show", "last")


def test_a_dry_run_prints_the_same_form_and_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["plan", "p.yml"], ["run", "p.yml", "-C"], ["run", "p.yml", "--check"]):
        found = document(capsys, *words)
        Draft202012Validator(RECORD_SCHEMA).validate(found)
        tasks = {task["id"]: task["reason"] or task["status"] for task in found["steps"][0]["targets"][0]["tasks"]}
        assert tasks == {"say": "ok", "touch": "not_checked"}
    assert sorted(path.name for path in Path().iterdir()) == ["inventory.yml", "p.yml"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (task("exit 3"), 2),
        (task("sleep 5", "time_limit: 1s,"), 2),
        (PERSON % "admin", 3),
        (task("true").replace("targets: near", "targets: away"), 4),
        (task("{{ vars.nothing }}"), 5),
        ("[", 5),
    ],
)
def test_exit_codes(text: str, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    write(text)
    assert sop(["run", "p.yml"]) == code
    capsys.readouterr()


def test_the_worst_of_several_counts(capsys: pytest.CaptureFixture[str]) -> None:
    write(task("test {{ target.name }} != web1").replace("targets: near", "targets: servers"))
    found = document(capsys, "run", "p.yml", code=2)
    assert [target["status"] for target in found["steps"][0]["targets"]] == ["failed", "changed", "unreachable"]


def test_problems_found_exit_10(capsys: pytest.CaptureFixture[str]) -> None:
    write("""
procedure: {title: T}
steps: [{id: one, activity: a, targets: websites, tasks: [{id: a, action: website.available}]}]
""")
    Path("inventory.yml").write_text(INVENTORY + 'websites: {site: {url: "http://127.0.0.1:9"}}\n')
    found = document(capsys, "run", "p.yml", code=10)
    assert [problem["target"] for problem in found["problems"]] == ["site"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["run", "p.yml", "--limit", "wbe1"],
            "--limit: 'wbe1' selects nothing: there is no such target or group. did you",
        ),
        (["run", "p.yml", "--only", "oen"], "--only: there is no step 'oen'. did you mean 'one'?"),
        (["run", "p.yml", "--from", "tow"], "--from: there is no step 'tow'. did you mean 'two'?"),
        (["run", "p.yml", "-e", "word"], "--extra: 'word' is not NAME=VALUE. write -e name=value or -e @file.yml"),
        (["run", "p.yml", "-e", "@none.yml"], "none.yml: cannot be read: No such file or directory. check the path"),
        (["run", "none.yml"], "none.yml: cannot be read: No such file or directory. check the path"),
        (["run", "p.yml", "-i", "none.yml"], "none.yml: cannot be read: there is no such file. check the path"),
        (["rnu", "p.yml"], "there is no command 'rnu'. did you mean 'run'?"),
        (["run", "p.yml", "--forks", "0"], "'--forks'"),
        (["run", "p.yml", "--frks", "1"], "--frks"),
        (["run"], "PLAYBOOK"),
        (["actions", "comand.run"], "there is no action 'comand.run'. did you mean 'command.run'?"),
    ],
)
def test_a_typo_is_answered_and_exits_5(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert sop(words) == 5
    assert message in capsys.readouterr().err
    assert not Path("records").exists()


def test_runs_that_are_not_there_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert sop(["show", "last"]) == 5  # there is no journal at all
    document(capsys, "run", "p.yml")
    for words in (["show", "20200101"], ["resume", "20200101"], ["sign", "20200101", "one"], ["verify", "20200101"]):
        assert sop(words) == 5
        assert "no run is called '20200101'" in capsys.readouterr().err


def test_variables_come_from_words_and_files(capsys: pytest.CaptureFixture[str]) -> None:
    Path("v.yml").write_text("word: from a file\ncode: 0\n")
    found = document(capsys, "run", "p.yml", "-e", "@v.yml", "-e", "word=from; words", "--only", "one", "-l", "web1")
    [target] = found["steps"][0]["targets"]
    assert target["outputs"] == {"out": "from; words"}
    for word, value in (
        ("[a, b]", "a b"),
        ("[a", "[a"),
        ("-", "-"),
        ("- a", "- a"),
        ("--- a", "--- a"),
        ("a: b", "a: b"),
        ("ya", "ya"),
        ("007", "007"),
    ):
        found = document(capsys, "run", "p.yml", "-e", f"word={word}", "--only", "one", "-l", "web1")
        assert found["steps"][0]["targets"][0]["outputs"] == {"out": value}


def test_steps_and_targets_can_be_listed_without_running(capsys: pytest.CaptureFixture[str]) -> None:
    assert sop(["run", "p.yml", "--list-steps", "--list-targets"]) == 0
    assert capsys.readouterr().out.splitlines() == ["one: web1, web2", "two"]
    assert sop(["plan", "p.yml", "--list-targets", "-l", "web2"]) == 0
    assert capsys.readouterr().out.splitlines() == ["web2"]
    assert not Path("records").exists()


def test_a_person_signs_and_the_run_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    write(PERSON % "admin")
    run = document(capsys, "run", "p.yml", code=3)["run"]
    assert run in json.dumps(document(capsys, "status"))
    assert sop(["sign", "last", "aks"]) == 5
    assert "did you mean 'ask'?" in capsys.readouterr().err
    assert sop(["sign", "last", "ask", "--answer", "sined"]) == 5
    assert "write one of: signed, returned" in capsys.readouterr().err
    assert sop(["sign", "last", "ask"]) == 5  # looking is not signing
    assert "an answer is needed to: Mohon. write one of: signed, returned" in capsys.readouterr().err
    assert sop(["sign", "last", "ask", "--answer", "signed", "--note", "sudah dibaca"]) == 0
    assert sop(["sign", "last", "ask"]) == 5  # it was answered
    assert "nothing waits for a person" in capsys.readouterr().err
    found = document(capsys, "resume", "last")
    assert [step["status"] for step in found["steps"]] == ["ok", "ok"]
    assert found["steps"][0]["targets"][0]["tasks"][0]["outputs"]["note"] == "sudah dibaca"
    assert sop(["resume", "last"]) == 5
    assert "this run has ended: ok" in capsys.readouterr().err
    assert document(capsys, "status")["waiting"] == []


def test_nobody_signs_for_another(capsys: pytest.CaptureFixture[str]) -> None:
    write(PERSON % "kasubbag")
    document(capsys, "run", "p.yml", code=3)
    assert sop(["sign", "last", "ask", "--answer", "signed"]) == 5
    assert "role 'kasubbag': Siti does not hold it. 'kasubbag' is held by: Budi" in capsys.readouterr().err
    Path("scan.pdf").write_bytes(b"%PDF a signed paper")
    assert sop(["sign", "last", "ask", "--answer", "signed", "--paper", "scan.pdf"]) == 5
    assert (
        "--person: it is missing; it says who signed the paper. 'kasubbag' is held by: Budi" in capsys.readouterr().err
    )
    assert sop(["sign", "last", "ask", "--answer", "signed", "--paper", "scan.pdf", "--person", "budi"]) == 0
    capsys.readouterr()
    document(capsys, "resume", "last")
    assert sop(["show", "last"]) == 0
    assert re.search(r"Budi: signed.* paper [0-9a-f]{64}", capsys.readouterr().out, re.DOTALL)


def test_a_request_of_an_included_playbook_is_signed_and_resumed_with_its_parent(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("child.yml").write_text(PERSON % "admin")
    write("procedure: {title: P}\nsteps: [{id: call, activity: a, include: child.yml}]\n")
    found = document(capsys, "run", "p.yml", code=3)
    assert found["steps"][0]["status"] == "waiting"
    run, child = found["run"], f"{found['run']}.call.1"
    assert child in json.dumps(document(capsys, "status"))
    assert sop(["status"]) == 0
    told = capsys.readouterr().out
    assert f"then: sop resume {run}\n" in told
    assert f"sop resume {child}" not in told
    assert "can go on" not in told
    assert sop(["resume", child]) == 5
    assert f"sop resume {run}" in capsys.readouterr().err
    assert sop(["sign", child, "ask", "--answer", "signed"]) == 0
    assert f"sop resume {run}" in capsys.readouterr().out
    assert document(capsys, "resume", run)["status"] == "ok"
    assert document(capsys, "verify")["whole"] is True


def test_a_resumed_run_keeps_to_the_bytes_and_variables_it_began_with(capsys: pytest.CaptureFixture[str]) -> None:
    write(PERSON.replace("echo done", "echo {{ vars.word }}") % "admin")
    document(capsys, "run", "p.yml", "-e", "word=given", code=3)
    write("procedure: {title: other}\nsteps: [{id: ask, activity: a}]\n")
    Path("inventory.yml").write_text(INVENTORY.replace("word: hello", "word: changed"))
    assert sop(["sign", "last", "ask", "--answer", "signed"]) == 0
    found = document(capsys, "resume", "last")
    assert found["steps"][1]["targets"][0]["tasks"][0]["outputs"]["stdout"] == "given\n"


def test_another_inventory_may_change_only_how_to_connect(capsys: pytest.CaptureFixture[str]) -> None:
    write(PERSON % "admin")
    document(capsys, "run", "p.yml", code=3)
    assert sop(["sign", "last", "ask", "--answer", "signed"]) == 0
    Path("other.yml").write_text(INVENTORY.replace("code: 0", "code: 1"))
    assert sop(["resume", "last", "-i", "other.yml"]) == 5
    assert "'web1' is not as it was when the run began" in capsys.readouterr().err
    for old, new, told in (
        ("word: hello", "word: other", "'vars' are not"),
        ("members: [web1, web2]}", "members: [web1, web2], vars: {word: other}}", "'web2' is not"),
        ("members: [web1, web2]", "members: [web1]", "'web2' is not"),
        ("  away:", "  new: {connection: local}\n  away:", "'new' was not there"),
        ("role: admin", "role: kasubbag", "'people' is not"),
        (
            "vars: {word",
            "channels: {hook: {kind: webhook, url: 'http://127.0.0.1:9/'}}\nvars: {word",
            "'channels' is not",
        ),
        ("name: PN Contoh", "name: PN Lain", "'office' is not"),
    ):
        assert old in INVENTORY
        Path("other.yml").write_text(INVENTORY.replace(old, new))
        assert sop(["resume", "last", "-i", "other.yml"]) == 5
        assert told in capsys.readouterr().err
    elsewhere = INVENTORY.replace("port: 9", "port: 10, jump: somebody@127.0.0.1:11")
    Path("other.yml").write_text(elsewhere.replace("SOP_TEST_KEY", "SOP_OTHER_KEY"))
    document(capsys, "resume", "last", "-i", "other.yml")


@pytest.mark.parametrize("name", ["p.yml", "inventory.yml"])
def test_a_run_never_goes_on_with_a_playbook_or_inventory_altered_in_the_record(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(PERSON % "admin")
    run = document(capsys, "run", "p.yml", code=3)["run"]
    with Journal.open(Path("records")) as journal:
        sources = next(journal.events(run)).data["sources"]
    kept = next(source["kept"] for source in sources if source["file"] == name)
    [path] = Path("records/evidence").rglob(f"*{kept[2:]}")
    path.chmod(0o600)
    path.write_text(path.read_text().replace("Siti", "Sari").replace("echo done", "echo other"))
    [fault] = document(capsys, "verify", code=7)["faults"]
    assert f"evidence '{name}' was altered" in fault
    assert sop(["resume", run]) == 7
    assert f"'{name}' was altered" in capsys.readouterr().err


def test_an_altered_record_is_named_and_exits_7(capsys: pytest.CaptureFixture[str]) -> None:
    document(capsys, "run", "p.yml")
    assert document(capsys, "verify")["whole"] is True
    with closing(sqlite3.connect("records/journal.sqlite")) as connection:
        trigger = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'never_updated'").fetchone()[0]
        row = connection.execute(
            "SELECT seq FROM events WHERE kind = 'task_finished' AND status = 'changed'"
        ).fetchone()
        connection.execute("DROP TRIGGER never_updated")
        connection.execute("UPDATE events SET body = replace(body, 'changed', 'skipped') WHERE seq = ?", row)
        connection.execute(trigger)
        connection.commit()
    [fault, *_] = document(capsys, "verify", code=7)["faults"]
    assert f"record {row[0]}" in fault
    assert sop(["verify"]) == 7
    assert f"record {row[0]}" in capsys.readouterr().out


def test_a_record_that_cannot_be_written_exits_7(capsys: pytest.CaptureFixture[str]) -> None:
    Path("records").write_text("in the way")
    assert sop(["run", "p.yml"]) in (5, 7)
    assert not Path("touched-web1").exists()
    capsys.readouterr()


SECRETIVE = """
procedure: {title: T}
steps:
  - id: one
    activity: a
    targets: web1
    outputs: [{id: out, text: O, value: "{{ tasks.say.stdout }}"}]
    tasks:
      - id: say
        action: command.run
        with:
          command: |
            printf 'plain %s\\n' "$KEY"; printf %s "$KEY" | base64
            printf '%s\\n' URL; echo error "$KEY" >&2; head -c 70000 /dev/zero | tr '\\0' x; echo "$KEY"
          env: {KEY: "{{ secret('key') }}"}
      - {id: fail, action: command.run, with: {command: "cat; exit 1", stdin: "{{ secret('key') }}"}}
"""


@pytest.mark.promise(
    "Secrets",
    "a secret in a command, its output, an error and evidence",
    "nowhere in journal, evidence, screen, reports",
)
def test_a_secret_stands_nowhere_afterwards(capfd: pytest.CaptureFixture[str]) -> None:
    encoded = base64.b64encode(SECRET.encode()).decode()
    write(SECRETIVE.replace("URL", f"'{quote(SECRET, safe='')}'".replace("'", "")))
    assert sop(["run", "p.yml", "-vv"]) == 2
    assert sop(["show", "last"]) == 0
    assert sop(["show", "last", "--format", "json"]) == 0
    shown = capfd.readouterr()
    kept = b"".join(path.read_bytes() for path in Path("records").rglob("*") if path.is_file())
    journal = Journal.open(Path("records"), create=False)
    said = json.dumps([event.to_json() for event in journal.events(journal.find_run("last"))], ensure_ascii=False)
    for form in (SECRET, json.dumps(SECRET)[1:-1], encoded, quote(SECRET, safe=""), quote(SECRET)):
        assert form not in shown.out + shown.err + said
        assert form.encode() not in kept
    assert "[masked:key]" in said


@pytest.mark.promise(
    "Secrets", "a command prints secrets of the inventory that nothing in the run uses", "masked like the others"
)
def test_a_secret_that_nothing_asked_for_is_masked_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A local command has the environment of `sop`, and may print a file that a secret lies in."""
    monkeypatch.setenv("UNUSED", "from-the-environment")
    stored = tmp_path / "stored"
    stored.write_text("from-a-file\n")
    stored.chmod(0o600)
    secrets = f"{{unused: {{env: UNUSED}}, stored: {{file: {stored}}}, gone: {{env: GONE}}}}"
    Path("inventory.yml").write_text(INVENTORY.replace("{key: {env: SOP_TEST_KEY}}", secrets))
    write(task(f"echo $UNUSED; cat {stored}", "effect: read,"))
    for command in ("plan", "run"):
        [step] = document(capsys, command, "p.yml")["steps"]
        assert step["targets"][0]["tasks"][0]["outputs"]["stdout"] == "[masked:unused]\n[masked:stored]\n"
    assert not any(b"from-" in path.read_bytes() for path in Path("records").rglob("*") if path.is_file())


def test_a_secret_that_is_not_set_is_refused_before_anything_is_made(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SOP_TEST_KEY")
    write(SECRETIVE)
    for words in (["run", "p.yml"], ["plan", "p.yml"]):
        assert sop(words) == 5
        assert re.match(r"inventory\.yml:\d+:\d+: .*SOP_TEST_KEY is not set", capsys.readouterr().err)
    assert not Path("records").exists()


HOSTILE = "x; touch pwned $(touch pwned) `touch pwned` ' \" \n && touch pwned #"


def test_a_hostile_value_is_a_word_in_every_place_of_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    write("""
procedure: {title: T}
steps:
  - id: one
    activity: a
    targets: web1
    tasks:
      - id: a
        action: command.run
        with: {command: "printf %s {{ vars.bad }}; x={{ vars.bad }}; : > /dev/null; (printf %s pre{{ vars.bad }}post)"}
      - {id: b, action: command.run, with: {argv: [printf, "%s", "{{ vars.bad }}"]}}
      - {id: c, action: command.run, with: {command: "printf %s $BAD; cat", env: {BAD: "{{ vars.bad }}"},
         stdin: "{{ vars.bad }}"}}
      - {id: d, action: command.run, for_each: ["{{ vars.bad }}"], with: {command: "printf %s {{ item }}"}}
      - {id: e, action: command.run, with: {command: "printf %s {{ tasks.b.stdout }} {{ [vars.bad, 'y'] }}"}}
""")
    found = document(capsys, "run", "p.yml", "-e", json.dumps({"bad": HOSTILE}))
    stdout = {task["id"]: task["outputs"]["stdout"] for task in found["steps"][0]["targets"][0]["tasks"]}
    assert stdout["a"] == HOSTILE + "pre" + HOSTILE + "post"
    assert stdout["b"] == stdout["d"] == HOSTILE
    assert stdout["e"] == HOSTILE + HOSTILE + "y"
    assert not Path("pwned").exists()
    assert not Path.home().joinpath("pwned").exists()


def test_what_comes_from_outside_does_not_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    write(task("printf '\\033[31mred\\007'; printf '\\033]0;title\\007' >&2; exit 1"))
    assert sop(["run", "p.yml", "-vv"]) == 2
    assert sop(["show", "last"]) == 0
    shown = capsys.readouterr()
    assert "\x1b]" not in shown.out + shown.err
    assert "\x07" not in shown.out + shown.err
    assert "\x1b[31mred" not in shown.out + shown.err


def test_check_looks_at_all_playbooks_without_running_any(capsys: pytest.CaptureFixture[str]) -> None:
    Path("playbooks").mkdir()
    Path("p.yml").rename("playbooks/good.yml")
    assert sop(["check"]) == 0
    Path("playbooks/bad.yml").write_text("procedure: {title: T}\nsteps: [{id: one, activity: a, targets: nowhere}]\n")
    assert sop(["check"]) == 5
    assert "playbooks/bad.yml:2:41: " in capsys.readouterr().err
    assert not Path("records").exists()


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("bogus", "there is no command 'bogus'. see: sop --help\n"),
        ("shwo", "there is no command 'shwo'. did you mean 'show'?"),
    ],
)
def test_an_unknown_command_is_told_in_one_sentence(word: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert sop([word]) == 5
    assert capsys.readouterr().err.startswith(told)
