"""`sop tick`: goes on with what can go on, and tells of what is overdue, once."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from runner.contract import Outcome, Status
from runner.durations import Deadline
from runner.events import Kind
from runner.people.going_on import BY_TICK, MOST_CRASHES, read_course
from runner.people.schemas import TICK_SCHEMA
from runner.record import build_record
from tests.event_factory import RunFactory
from tests.officials import Office
from tests.post_servers import PostServer, Reply, post_server

PLAYBOOK = """
procedure: {title: SOP Contoh, roles: {admin: Admin, kasubbag: Kasubbag}}
steps:
  - {id: report, activity: Melaporkan situasi., actor: admin, time_limit: 2 jam,
     tasks: [{id: work, action: person.do, with: {question: Buat laporan.}}]}
  - {id: after, activity: b, tasks: [{id: say, action: command.run, effect: read, with: {command: "%s"}}]}
supplement:
  escalation:
    - {before: 30 menit}
    - {overdue: 1 jam, to: kasubbag}
    - {overdue: 1 hari, to: [kasubbag, ketua]}
"""
INVENTORY = """
office: {name: PN Contoh, timezone: Asia/Jakarta, hours: {monday-friday: {open: 08:00-16:00, break: 12:00-13:00}}}
people:
  siti: {name: Siti, login: siti, roles: [{role: admin}]}
  budi: {name: Budi, login: budi, roles: [{role: kasubbag}]}
  ani: {name: Ani, login: ani, roles: [{role: ketua}]}
"""


class Court(Office):
    """An office with a chat room to which it tells."""

    server: PostServer

    def tick(self, *, code: int = 3) -> Any:
        """One tick; its document."""
        found = self.document("tick", code=code)
        Draft202012Validator(TICK_SCHEMA, format_checker=FormatChecker()).validate(found)
        return found

    def told(self) -> list[str]:
        """The recipients and first lines of what the room was told."""
        return [json.dumps(post.document, ensure_ascii=False) for post in self.server.posts]

    def escalated(self) -> list[tuple[int, str, bool]]:
        return [(each.rung, each.role, each.reached) for each in build_record(self.events()).escalations]


STATUS = {"code": 200}


@pytest.fixture
def court(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Court]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(STATUS, "code", 200)
    with post_server(lambda number: Reply(STATUS["code"])) as server:
        room = f'channels: {{room: {{kind: webhook, url: "{server.url}/hook"}}}}\n'
        Path("inventory.yml").write_text(INVENTORY + room)
        Path("p.yml").write_text(PLAYBOOK % "echo done")
        court = Court(monkeypatch, capsys)
        court.server = server
        assert court.do("cron", "run", "p.yml") == 3
        yield court
    assert court.do("cron", "verify") == 0, court.says


def advance(court: Court, hours: float) -> None:
    court.clock.advance(hours * 3600)


def test_each_rung_is_told_once_and_at_its_time(court: Court) -> None:
    assert court.tick()["escalated"] == []  # 09.00; due at 11.00
    advance(court, 1.45)
    assert court.tick()["escalated"] == []
    advance(court, 0.1)  # 10.33: less than half an hour is left
    [rung] = court.tick()["escalated"]
    assert (rung["rung"], rung["roles"], rung["reached"]) == (1, ["admin"], True)
    assert court.tick()["escalated"] == []
    assert "Pengingat: Melaporkan situasi." in court.told()[0]
    advance(court, 1.4)  # 11.57
    assert court.tick()["escalated"] == []
    advance(court, 0.1)  # 12.03: an hour after it was due
    assert [each["rung"] for each in court.tick()["escalated"]] == [2]
    assert "Melewati batas waktu" in court.told()[1]
    assert "Admin (Siti)" in court.told()[1]
    advance(court, 24 + 3.9)  # 15.57 on Tuesday
    assert court.tick()["escalated"] == []
    advance(court, 0.1)  # 16.03: the close of the next working day
    assert [each["roles"] for each in court.tick()["escalated"]] == [["kasubbag", "ketua"]]
    assert court.escalated() == [(1, "admin", True), (2, "kasubbag", True), (3, "kasubbag, ketua", True)]
    assert len(court.told()) == 3
    [first, second, third] = build_record(court.events()).escalations
    assert [each.due.isoformat(timespec="minutes") for each in (second, third)] == [
        "2026-11-23T12:00+07:00",
        "2026-11-24T16:00+07:00",
    ]
    assert first.told[0]["channel"] == "room"
    assert court.document("status")["waiting"][0]["escalated"][1]["persons"] == ["Budi"]
    assert court.do("cron", "show", "last") == 0
    assert "report escalated to kasubbag: Budi told" in court.says


def test_nothing_is_approved_however_long_it_waits(court: Court) -> None:
    advance(court, 24 * 200)
    for _ in range(3):
        assert court.tick()["resumed"] == []
    assert court.answers() == []
    assert court.document("status")["waiting"][0]["status"] == "waiting"


def test_a_reminder_that_came_too_late_is_left_out(court: Court) -> None:
    advance(court, 3.5)
    assert [each["rung"] for each in court.tick()["escalated"]] == [2]


def test_what_no_channel_takes_is_recorded_and_told_again(court: Court) -> None:
    STATUS["code"] = 403
    advance(court, 3.5)
    [failed] = court.tick(code=2)["escalated"]
    assert failed["reached"] is False
    assert failed["failures"][0].startswith("room: ")
    for _ in range(11):
        advance(court, 5 / 60)
        assert court.tick()["escalated"] == [], "it was tried less than an hour ago"
    advance(court, 5 / 60)
    assert court.do("cron", "tick") == 2
    assert "rung 2 is reached, and kasubbag could not be told: room:" in court.says
    STATUS["code"] = 200
    advance(court, 1)
    assert [each["reached"] for each in court.tick()["escalated"]] == [True]
    assert court.tick()["escalated"] == []
    assert court.escalated() == [(2, "kasubbag", False), (2, "kasubbag", False), (2, "kasubbag", True)]


def test_without_any_channel_it_is_recorded_once(court: Court) -> None:
    Path("none.yml").write_text(INVENTORY)
    advance(court, 3.5)
    assert court.do("cron", "tick", "-i", "none.yml") == 2
    assert "there is no channel" in court.says
    assert court.do("cron", "tick", "-i", "none.yml") == 3
    assert court.says == ""
    assert court.escalated() == [(2, "kasubbag", False)]
    advance(court, 1)
    assert [each["reached"] for each in court.tick()["escalated"]] == [True]  # since there is one now


def test_what_was_answered_goes_on(court: Court) -> None:
    assert court.tick()["resumed"] == []
    assert court.sign("siti", "report") == 0
    [run] = court.tick(code=0)["resumed"]
    assert (run["status"], run["exit_code"]) == ("ok", 0)
    assert court.tick(code=0) == {**court.tick(code=0), "resumed": [], "left": [], "escalated": []}
    assert [e.data["reason"] for e in court.events() if e.kind is Kind.RUN_RESUMED] == [BY_TICK]


def test_a_quiet_tick_says_nothing(court: Court) -> None:
    assert court.do("cron", "tick") == 3
    assert court.says == ""
    assert court.sign("siti", "report") == 0
    assert court.do("cron", "tick") == 0
    assert court.says == ""


def test_a_run_that_failed_then_is_told(court: Court) -> None:
    Path("p.yml").write_text(PLAYBOOK % "exit 3")
    court.clock.advance(60)
    assert court.do("cron", "run", "p.yml") == 3
    assert court.sign("siti", "report") == 0
    assert court.do("cron", "tick") == 2
    assert "went on: failed, exit code 2" in court.says


def test_a_run_that_was_answered_goes_on_though_something_else_in_it_failed(court: Court) -> None:
    assert court.sign("siti", "report") == 0
    assert court.do("cron", "tick") == 0
    fails = "tasks: [{id: x, action: command.run, with: {command: exit 3}}]"
    aside = f"steps:\n  - {{id: aside, activity: a, on_failure: continue, {fails}}}\n"
    Path("p.yml").write_text((PLAYBOOK % "echo done").replace("steps:\n", aside))
    court.clock.advance(60)
    assert court.do("cron", "run", "p.yml") == 2
    assert court.document("tick", code=3)["resumed"] == [], "nobody has answered"
    assert court.sign("siti", "report") == 0
    assert len(court.tick(code=2)["resumed"]) == 1
    assert {step.id: str(step.status) for step in build_record(court.events()).steps}["after"] == "ok"
    assert court.tick(code=0)["resumed"] == []


def test_one_run_that_cannot_go_on_holds_up_no_other(court: Court) -> None:
    first = court.events()[0].run
    court.clock.advance(60)
    assert court.do("cron", "run", "p.yml") == 3
    second = court.events()[0].run
    for run in (first, second):
        assert court.do("siti", "sign", run, "report") == 0
    [kept] = [source for source in build_record(court.events()).started["sources"] if source["kind"] == "playbook"]
    file = Path("records/evidence") / kept["kept"][:2] / kept["kept"][2:]
    content = file.read_bytes()
    file.chmod(0o600)
    file.write_bytes(b"altered")
    assert court.do("cron", "tick") == 7  # the record itself was altered: nothing goes on over that
    file.write_bytes(content)
    assert {each["run"] for each in court.tick(code=0)["resumed"]} == {first, second}


def test_two_ticks_at_once_do_everything_once(court: Court) -> None:
    assert court.sign("siti", "report") == 0
    court.clock.advance(60)
    assert court.do("cron", "run", "p.yml") == 3
    words = [sys.executable, "-c", "from runner.cli import main; main()", "tick"]
    ticks = [subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    for tick in ticks:
        out, err = tick.communicate(timeout=60)
        assert (out, err) == (b"", b"")
        assert tick.returncode == 3
    runs = court.document("history")["runs"]
    assert sorted(run["status"] for run in runs) == ["ok", "waiting"]
    told = {len([e for e in court.events() if e.kind is Kind.RUN_RESUMED])}
    assert told == {0}


def test_a_tick_tells_while_another_one_tells(court: Court) -> None:
    from runner.record.folder import alone

    advance(court, 3.5)
    assert court.tick()["escalated"] != []
    lock = Path("records/.telling")
    seen: list[bool] = []

    def look() -> None:
        with alone(lock) as mine:
            seen.append(mine)

    with alone(lock) as mine:
        assert mine
        thread = threading.Thread(target=look)
        thread.start()
        thread.join(10)
        advance(court, 100)
        assert court.tick()["escalated"] == []  # left to the other one
    assert seen == [False]
    assert [each["rung"] for each in court.tick()["escalated"]] == [3]


# What a run's events tell


def test_a_crash_in_what_may_be_repeated_goes_on() -> None:
    run = RunFactory()
    assert read_course([run.started(), run.claim()]).forbidden == ()
    never = run.claim()
    never.data.update({"repeat": "never", "effect": "change"})  # type: ignore[attr-defined]  # a dict in this factory
    assert [key.task for key in read_course([run.started(), never]).forbidden] == ["probe"]
    done = run.finish(outcome=Outcome(Status.CHANGED))
    assert read_course([run.started(), never, done]).forbidden == ()
    never.data.update({"effect": "read"})  # type: ignore[attr-defined]  # as above
    assert read_course([run.started(), never]).forbidden == ()


def test_crashes_in_a_row_are_counted() -> None:
    run = RunFactory()
    again = [run.event(Kind.RUN_RESUMED, data={"by": "cron", "reason": BY_TICK}) for _ in range(MOST_CRASHES)]
    assert read_course([run.started(), *again]).crashes == MOST_CRASHES
    assert read_course([run.started(), *again[:2], run.ended(), again[2]]).crashes == 0
    assert read_course([run.started(), *again, run.resumed()]).crashes == 0


@pytest.mark.parametrize(
    ("rung", "mistake"),
    [
        ("{overdue: sejam, to: kasubbag}", "'sejam' is not a time norm"),
        ("{before: 1 hari}", "'1 hari' is not working time. write for example 30 menit or 3 jam"),
        ("{overdue: 1-2 jam}", "is no one time"),
        ("{overdue: segera}", "is no one time"),
        ("{overdue: 1 jam, to: kasubag}", "there is no role 'kasubag'. did you mean 'kasubbag'?"),
        ("{overdue: 1 jam, channels: [romo]}", "there is no channel 'romo'. did you mean 'room'?"),
        ("{to: kasubbag}", "overdue"),
        ("{overdue: 1 jam, before: 1 jam}", "before"),
    ],
)
def test_mistakes_in_a_ladder_are_told_at_their_place(court: Court, rung: str, mistake: str) -> None:
    text = (PLAYBOOK % "true").split("  escalation:")[0] + f"  escalation:\n    - {rung}\n"
    Path("q.yml").write_text(text)
    assert court.do("cron", "check", "q.yml") == 5
    assert mistake in court.says
    assert court.says.startswith("q.yml:")


CRASHING = """
procedure: {title: T}
steps: [{id: one, activity: a, tasks: [{id: act, action: command.run, %s with: {command: %s}}]}]
"""


def crash(court: Court, effect: str) -> str:
    """Begin a run whose command waits, and kill it; return its id."""
    wait = "touch begun; test -e again || sleep 60"
    Path("p.yml").write_text(CRASHING % (effect, json.dumps(f"cd {Path.cwd()} && {wait}")))
    code = "from runner.cli import main; main(['run', 'p.yml'])"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = Deadline.after(30)
    while not Path("begun").exists():
        assert not deadline.passed
        time.sleep(0.02)
    process.kill()
    process.wait(20)
    Path("again").touch()
    return next(run["run"] for run in court.document("history")["runs"] if run["status"] == "interrupted")


def test_a_run_that_was_killed_while_it_read_goes_on(court: Court) -> None:
    run = crash(court, "effect: read,")
    assert court.tick()["resumed"] == [{"run": run, "status": "ok", "exit_code": 0}]
    assert court.tick()["resumed"] == []


@pytest.mark.promise("Power cut", "killed in an act that may not be repeated", "a person decides")
def test_a_run_that_was_killed_in_what_may_not_be_repeated_is_left_to_a_person(court: Court) -> None:
    run = crash(court, "")
    [left] = court.tick()["left"]
    assert left["run"] == run
    assert left["why"].startswith("it was cut off in 'one.act', which is not repeated unseen")
    assert court.do("cron", "tick") == 3
    assert f"sop resume {run}" in court.says
