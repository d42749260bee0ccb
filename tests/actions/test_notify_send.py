"""notify.send as a task: its outcome, its problem, its preview; and in whole plans and runs."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from runner.actions import ACTIONS
from runner.actions.notify_send import ACTION
from runner.cli import run as sop
from runner.contract import Call, Outcome, Repeat, Severity, Status
from runner.errors import Failed, Refused
from runner.notify.courier import Courier
from runner.plan import Plan
from runner.plan.planning import build_plan
from runner.playbook.reading import load_playbook
from tests.calls import assert_fits, make_call, read_evidence
from tests.lab import build_inventory
from tests.mail_servers import Mailbox, mail_server
from tests.post_servers import Reply, post_server
from tests.web_servers import closed_port

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=ZoneInfo("Asia/Jakarta"))
INVENTORY = """
people:
  budi: {{name: Budi Santoso, email: budi@pn-contoh.example, roles: [{{role: admin}}]}}
  lama: {{name: Lama, roles: [{{role: sekretaris, until: "2026-01-01"}}]}}
websites: {{w1: {{url: "http://127.0.0.1:9"}}}}
secrets: {{hook: {{env: NOTIFY_HOOK}}, mail: {{env: NOTIFY_MAIL}}}}
channels:
  mail: {{kind: smtp, host: 127.0.0.1, port: {port}, security: none, from: it@pn-contoh.example}}
  ruang: {{kind: webhook, url: {{secret: hook}}}}
"""
SAY = {"subject": "Backup selesai", "text": "Backup website telah selesai."}


def call(tmp_path: Path, port: int, limit: float = 20.0, **inputs: Any) -> Call:
    inventory = build_inventory(INVENTORY.format(port=port))
    made = Courier(inventory, {"hook": "ftp://x"}.__getitem__, lambda value: value, "run/step", NOW)
    given = {"to": ["admin"], "channels": ["mail"], "values": SAY, **inputs}
    return make_call(ACTION, given, directory=tmp_path, notifier=lambda: made, limit=limit)


def send(tmp_path: Path, port: int, **inputs: Any) -> tuple[Call, Outcome]:
    made = call(tmp_path, port, **inputs)
    outcome = ACTION.run(made)
    assert_fits(ACTION, outcome.outputs)
    return made, outcome


def test_tells_what_was_delivered_and_keeps_it(tmp_path: Path) -> None:
    with mail_server() as box:
        made, outcome = send(tmp_path, box.port)
    assert (outcome.status, outcome.problems) == (Status.OK, ())
    (delivered,) = outcome.outputs["delivered"]
    assert delivered["answer"] == "250 2.0.0 Ok: queued as 4F2C"
    assert delivered["id"] == box.taken[0][1]["Message-ID"]
    kept = read_evidence(made, outcome.evidence[0]).decode()
    assert "Kepada: Budi Santoso\n" in kept
    assert "Perihal: Backup selesai\n" in kept


def test_a_channel_that_fails_is_a_minor_problem_never_a_failed_task(tmp_path: Path) -> None:
    with mail_server() as box:
        _, outcome = send(tmp_path, box.port, channels=[])
    assert outcome.status is Status.OK
    assert [each["channel"] for each in outcome.outputs["delivered"]] == ["mail"]
    assert [each["channel"] for each in outcome.outputs["failed"]] == ["ruang"]
    (problem,) = outcome.problems
    assert (problem.key, problem.severity) == ("notify.failed", Severity.MINOR)
    assert problem.message == (
        "Pemberitahuan “Backup selesai” melalui kanal ruang kepada Budi Santoso tidak terkirim: "
        "alamat tidak memakai https, sehingga pesan tidak dikirim"
    )


def test_what_was_deferred_is_a_problem_too(tmp_path: Path) -> None:
    with mail_server(Mailbox(rcpt=lambda address: "450 4.2.0 Greylisted")) as box:
        outcome = ACTION.run(call(tmp_path, box.port, limit=1.5))
    assert outcome.outputs["failed"][0]["status"] == "deferred"
    assert "ditunda oleh server dan belum terkirim: 450 4.2.0 Greylisted" in outcome.problems[0].message


def test_previews_to_whom_what_would_be_sent(tmp_path: Path) -> None:
    preview = ACTION.preview(call(tmp_path, closed_port(), to=["admin", "lama"]))
    assert preview is not None
    assert preview.message == (
        "'Backup selesai' would be sent to Budi Santoso over mail; "
        "Lama over mail (it cannot be: penerima tidak memiliki alamat surel)"
    )


def test_one_name_may_stand_alone(tmp_path: Path) -> None:
    with mail_server() as box:
        assert send(tmp_path, box.port, to="budi")[1].outputs["delivered"]


def test_a_free_address_fails_the_task(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="no person or role"):
        ACTION.run(call(tmp_path, 9, to=["orang@luar.example"]))


def test_is_never_repeated_unseen() -> None:
    assert ACTION.repeat is Repeat.NEVER


def plan(task: str, inventory: str = INVENTORY.format(port=9)) -> Plan:
    text = f"""
procedure: {{title: T, roles: {{admin: Admin}}}}
steps:
  - id: tell
    activity: a
    tasks:
      - id: mail
        action: notify.send
        with: {task}
"""
    mistakes: list[Any] = []
    playbook = load_playbook(Path("p.yml"), mistakes, {"p.yml": text})
    assert playbook is not None
    return build_plan(playbook, build_inventory(inventory), ACTIONS, today=date(2026, 11, 23), mistakes=mistakes)


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ("{to: [orang@luar.example]}", "is no person or role of the inventory, and nobody else is written to"),
        ("{to: [budy]}", "did you mean 'budi'"),
        ("{to: sekretaris}", "nobody holds the role 'sekretaris' on 2026-11-23"),
        ("{to: budi, channels: [mial]}", "p.yml:9:36: there is no channel 'mial'. did you mean 'mail'?"),
        ("{to: budi, template: ../x}", "does not have the right form"),
        ("{channels: [mail]}", "needs the input 'to'"),
    ],
)
def test_names_are_checked_before_the_run(task: str, expected: str) -> None:
    with pytest.raises(Refused) as caught:
        plan(task)
    assert expected in "\n".join(map(str, caught.value.mistakes))


def test_without_channels_nothing_can_be_sent() -> None:
    with pytest.raises(Refused, match="there is no channel to write over"):
        plan("{to: budi}", "people: {budi: {name: B}}")


@pytest.mark.parametrize(
    ("task", "secrets"),
    [
        ("{to: budi, channels: [mail]}", set()),
        ("{to: budi, channels: [mail, ruang]}", {"hook"}),
        ("{to: budi}", {"hook"}),
        ("{to: budi, channels: ['{{ vars.x }}']}", {"hook"}),
    ],
)
def test_the_plan_asks_for_the_secrets_of_its_channels_only(task: str, secrets: set[str]) -> None:
    assert plan(task, INVENTORY.format(port=9) + "vars: {x: mail}\n").secrets == secrets


RUN = """
procedure: {title: T, roles: {admin: Admin}}
steps:
  - id: tell
    activity: a
    targets: websites
    tasks:
      - id: all
        action: notify.send
        with:
          to: "{{ target.responsible }}"
          values: {subject: "Situs {{ target.name }}", text: "kunci: kunci-rahasia-7"}
"""


def test_a_run_sends_records_and_leaks_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOOK", "kunci-rahasia-7")
    Path("p.yml").write_text(RUN)
    with mail_server() as box, post_server(lambda n: Reply(401, "wrong: kunci-rahasia-7")) as room:
        Path("inv.yml").write_text(
            f"""
people: {{budi: {{name: Budi, email: budi@pn-contoh.example, roles: [{{role: admin}}]}}}}
websites: {{w1: {{url: "http://127.0.0.1:9", responsible: budi}}}}
secrets: {{hook: {{env: HOOK}}}}
channels:
  mail: {{kind: smtp, host: 127.0.0.1, port: {box.port}, security: none, from: it@pn-contoh.example}}
  ruang: {{kind: webhook, url: "{room.url}", headers: {{X-Token: {{secret: hook}}}}}}
"""
        )
        assert sop(["plan", "p.yml", "-i", "inv.yml"]) == 0
        assert (box.asked, room.posts) == ([], [])
        assert sop(["run", "p.yml", "-i", "inv.yml"]) == 10
    assert box.taken[0][1]["Subject"] == "Situs w1"
    assert "kunci: [masked:hook]" in box.taken[0][1].get_content()
    assert room.posts[0].headers["X-Token"] == "kunci-rahasia-7"
    kept = b"".join(path.read_bytes() for path in Path("records").rglob("*") if path.is_file())
    assert b"kunci-rahasia-7" not in kept
    assert b"401 Unauthorized wrong: [masked:hook]" in kept
