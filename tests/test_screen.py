"""What is said: whole screens, from runs told by events; and a screen that cannot write ends nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.contract import Outcome, Problem, Reason, Request, Severity, Status
from runner.events import Event, Key, Kind
from runner.record import build_record
from runner.record.document import Record
from runner.screen import watching
from runner.screen.rehearsal import render_rehearsal
from runner.screen.summary import render_closing, render_summary
from runner.screen.tables import cut, name_some, one_line, printable, render_table, width_of, wrap
from runner.screen.watching import MOST_QUIET_LINES, Screen
from tests.event_factory import RunFactory, found, skipped

RECORDS = Path("records")


@pytest.fixture(autouse=True)
def in_jakarta(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Jakarta")
    monkeypatch.setenv("TERM", "dumb")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def plain(text: str) -> str:
    return "".join(part.split("m", 1)[-1] if number else part for number, part in enumerate(text.split("\x1b[")))


def task_on(factory: RunFactory, target: str | None, outcome: Outcome, **step: object) -> list[Event]:
    return [
        factory.step_started(target=target),
        factory.claim(target=target),
        factory.finish(target=target, outcome=outcome),
        factory.step_finished(target=target, status=outcome.status, **step),
    ]


def twenty() -> list[Event]:
    """A run over twenty sites: 16 fine, one late, one failed, two unreachable, one with problems; nobody signed yet."""
    factory = RunFactory()
    events = [factory.started(("check", "sign", "backup", "more"))]
    for number in range(1, 17):
        events += task_on(factory, f"web{number}", Outcome(Status.OK))
    late = "late: it was due at 2026-11-23T09:30+07:00"
    events += task_on(factory, "web17", Outcome(Status.OK), deviations=[late], used_seconds=90061.0)
    events += task_on(factory, "web18", Outcome(Status.FAILED, message="web18: the disk is full\nwrite less"))
    for name in ("web19", "web20"):
        events += task_on(factory, name, Outcome(Status.UNREACHABLE, message=f"{name}: no route to host"))
    events += task_on(factory, "web21", found("b", "a", severity=Severity.CRITICAL))
    events += [
        factory.step_started("sign", None),
        factory.requested(step="sign", task="sign"),
        factory.step_finished("more", None, status=Status.SKIPPED, message="no problem is open"),
        factory.ended(Status.FAILED, 2),
    ]
    return events


def summary(events: Sequence[Event], width: int = 80, records: Path = RECORDS) -> str:
    return plain(render_summary(build_record(events), records, width))


def test_summary_of_many_targets() -> None:
    assert summary(twenty()) == (
        """\
step    status     targets                         limit   used     deviations
------  ---------  ------------------------------  ------  -------  ----------
check   failed     18 ok, 1 failed, 2 unreachable  1 hari  1 d 1 h  1
sign    waiting    once                            1 hari
backup  not begun
more    skipped    once

skipped: more: no problem is open
deviation in check: web17: late: it was due at 2026-11-23T09:30+07:00

failed:
  web18: check.probe: the disk is full | write less
unreachable:
  web19, web20: check.probe: no route to host

problems: 2 critical
  critical  web21: b is wrong
  critical  web21: a is wrong

sign waits for sekretaris, due Mon 23 Nov 16:30: Setuju?
  sop sign 20261122-0930-aaaaa sign --answer ya
  sop sign 20261122-0930-aaaaa sign --answer tidak

run 20261122-0930-aaaaa: failed, exit code 2 (a task failed or ran out of time)
record in records. next: sop show 20261122-0930-aaaaa check"""
    )


@pytest.mark.parametrize("width", [20, 33, 60, 80, 132])
def test_summary_fits_its_width(width: int) -> None:
    lines = [line for line in summary(twenty(), width).split("\n") if not line.startswith("  sop ")]
    assert max(map(width_of, lines)) <= max(width, 36)


def test_summary_names_steps_that_were_not_selected() -> None:
    factory = RunFactory()
    steps = [{"id": "check", "activity": "", "selected": True}, {"id": "backup", "activity": "", "selected": False}]
    begun = factory.event(Kind.RUN_STARTED, data={"playbook": "care", "steps": steps})
    assert summary([begun, *task_on(factory, "web1", Outcome(Status.OK)), factory.ended()]).split("\n")[:4] == [
        "step    status        targets  limit   used  deviations",
        "------  ------------  -------  ------  ----  ----------",
        "check   ok            web1     1 hari  2 s",
        "backup  not selected",
    ]


def closing(status: Status, code: int, events: Sequence[Event] = (), records: Path = RECORDS) -> list[str]:
    factory = RunFactory()
    told = [factory.started(), *events, factory.ended(status, code)]
    return plain(render_closing(build_record(told), records)).split("\n")


@pytest.mark.parametrize(
    ("status", "code", "ended", "following"),
    [
        (Status.OK, 0, "ok, exit code 0 (done, nothing wrong)", ""),
        (
            Status.WAITING,
            3,
            "waiting, exit code 3 (it waits for a person)",
            "sop status; once answered: sop resume RUN",
        ),
        (Status.OK, 10, "ok, exit code 10 (all ran, and problems were found)", "sop problems"),
        (Status.INTERRUPTED, 130, "interrupted, exit code 130 (stopped by Ctrl-C or a signal)", "sop resume RUN"),
    ],
)
def test_closing_says_what_the_code_means_and_what_is_next(
    status: Status, code: int, ended: str, following: str
) -> None:
    name = "20261122-0930-aaaaa"
    first, second = closing(status, code)
    assert first == f"run {name}: {ended}"
    assert second == "record in records" + (f". next: {following.replace('RUN', name)}" if following else "")


def test_unreachable_targets_can_be_run_again_by_what_is_typed() -> None:
    factory = RunFactory()
    events = [e for n in ("a b", "web2") for e in task_on(factory, n, Outcome(Status.UNREACHABLE, message="gone"))]
    events = [Event(Kind.RUN_STARTED, factory.run, events[0].at, data={"file": "sop harian.yml", "steps": []}), *events]
    record = build_record([*events, factory.ended(Status.UNREACHABLE, 4)])
    assert render_closing(record, Path("/srv/rec")).endswith(
        "next: when they can be reached: sop run 'sop harian.yml' --limit 'a b:web2' --records /srv/rec"
    )


def test_commands_to_answer_name_task_and_target_where_several_wait() -> None:
    factory = RunFactory()
    events = [factory.started(("check",))]
    for target in ("web1", "web2"):
        events += [factory.step_started(target=target), factory.requested(target=target, task="ask")]
    events += [factory.requested(target="web2", task="look"), factory.ended(Status.WAITING, 3)]
    commands = [line.strip() for line in summary(events, 200, Path("r")).split("\n") if line.startswith("  sop sign")]
    assert commands[::2] == [
        "sop sign 20261122-0930-aaaaa check --task ask --target web1 --answer ya --records r",
        "sop sign 20261122-0930-aaaaa check --task ask --target web2 --answer ya --records r",
        "sop sign 20261122-0930-aaaaa check --task look --target web2 --answer ya --records r",
    ]


def rehearsed() -> Record:
    factory = RunFactory("dry-run")
    events = [factory.started(("check", "backup", "sign"))]
    for number in range(1, 21):
        name = f"web{number:02}"
        read = Outcome(Status.UNREACHABLE, message="no route to host") if number == 9 else Outcome(Status.OK)
        events += task_on(factory, name, read)
        message = "would write motd\n--- motd\n+++ motd\n-old\n+new\x1b[2J"
        for task, outcome in {
            "write": Outcome(Status.SKIPPED, reason=Reason.PREVIEWED, message=message),
            "load": Outcome(Status.SKIPPED, reason=Reason.NOT_CHECKED, message="it can be known only by doing it"),
            "test": Outcome(Status.SKIPPED, reason=Reason.BLOCKED, message="it hangs on 'load'"),
        }.items():
            events.append(factory.finish(task, "backup", name, outcome))
        events.append(factory.step_finished("backup", name, status=Status.SKIPPED))
    events += [factory.finish("ask", "sign", None, skipped(Reason.CONDITION)), factory.ended(Status.UNREACHABLE, 4)]
    return build_record(events)


def test_rehearsal_groups_what_is_equal() -> None:
    assert (
        plain(render_rehearsal(rehearsed(), 80, diff=True))
        == """\
step    task   found                  targets
------  -----  ---------------------  ------------------------
check   probe  executed               web01, web02 and 17 more
check   probe  executed: unreachable  web09
    no route to host
backup  write  previewed              web01, web02 and 18 more
    would write motd
backup  load   not checked            web01, web02 and 18 more
    it can be known only by doing it
backup  test   blocked                web01, web02 and 18 more
    it hangs on 'load'
sign    ask    skipped (condition)

backup.write on web01, web02 and 18 more:
--- motd
+++ motd
-old
+new\\x1b[2J

checked 40 of 81 tasks (49 %); 20 not checked, 20 blocked, 1 unreachable or out
of time. nothing was changed
exit code 4 (a target was unreachable, nothing failed)"""
    )


def listen(events: Sequence[Event], capsys: pytest.CaptureFixture[str], verbose: int = 0) -> list[str]:
    with Screen({}, manner="quiet", verbose=verbose) as screen:
        screen.listen(events)
    told = capsys.readouterr()
    assert told.out == ""
    return told.err.splitlines()


def test_quiet_lines_tell_only_what_matters(capsys: pytest.CaptureFixture[str]) -> None:
    assert listen(twenty(), capsys) == [
        "2026-11-22 09:31:09  check on web17: deviation: late: it was due at 2026-11-23T09:30+07:00",
        "2026-11-22 09:31:13  check.probe on web18: failed: web18: the disk is full | write less",
        "2026-11-22 09:31:17  check.probe on web19: unreachable: web19: no route to host",
        "2026-11-22 09:31:21  check.probe on web20: unreachable: web20: no route to host",
        "2026-11-22 09:31:25  check.probe on web21: problem, critical: b is wrong",
        "2026-11-22 09:31:25  check.probe on web21: problem, critical: a is wrong",
        "2026-11-22 09:31:27  sign.sign: waits for sekretaris: Setuju?",
    ]


@pytest.mark.parametrize(("manner", "lines"), [("plain", 2), ("quiet", 0), ("silent", 0)])
def test_how_far_a_task_is_is_told_calmly(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, manner: str, lines: int
) -> None:
    """Where no lines move: once a minute, and nothing where only what matters is told."""
    key = Key("backup", 1, "files", "pn_tais", "", 1)
    with Screen({}, manner=manner) as screen:
        monkeypatch.setattr(watching, "BETWEEN_LINES", timedelta(0))
        screen.tell(key, "1.0 MB of 4.0 MB, 1.0 MB a second, 3 s left")
        screen.tell(key, "2.0 MB of 4.0 MB, 1.0 MB a second, 2 s left")
        monkeypatch.undo()
        screen.tell(key, "3.0 MB of 4.0 MB, 1.0 MB a second, 1 s left")
    said = capsys.readouterr().err.splitlines()
    assert len(said) == lines
    assert all("backup.files on pn_tais: " in line and line.endswith(" s left") for line in said)


def test_a_retry_that_mended_it_is_no_news(capsys: pytest.CaptureFixture[str]) -> None:
    factory = RunFactory()
    events = [
        factory.step_started(),
        factory.claim(),
        factory.finish(outcome=Outcome(Status.FAILED, message="once")),
        factory.claim(tries=2),
        factory.finish(tries=2),
        factory.step_finished(),
        factory.ended(),
    ]
    assert listen(events, capsys) == []
    assert listen(events, capsys, verbose=1) == [
        "2026-11-22 09:30:03  check.probe on site: failed: once",
        "2026-11-22 09:30:05  check.probe, try 2 on site: ok",
        "2026-11-22 09:30:06  check on site: ok (2 s)",
    ]


def test_what_failed_before_a_cut_is_told_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    factory = RunFactory()
    events = [factory.step_started(), factory.finish(outcome=Outcome(Status.FAILED, message="no")), factory.ended()]
    assert listen(events, capsys) == ["2026-11-22 09:30:03  check.probe on site: failed: no"]


def test_a_log_has_an_end(capsys: pytest.CaptureFixture[str]) -> None:
    factory = RunFactory()
    events = [e for n in range(300) for e in task_on(factory, f"w{n}", Outcome(Status.FAILED))]
    lines = listen(events, capsys)
    assert len(lines) == MOST_QUIET_LINES
    assert lines[-1] == "further lines are left out. all of it: sop show 20261122-0930-aaaaa"


def test_nothing_said_is_obeyed_by_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    factory = RunFactory()
    evil = "\x1b]0;pwned\x07\x1b[2J\r\u202e\x9b31m\u2028\udc80"
    problem = Problem("k", Severity.MAJOR, evil)
    outcome = Outcome(Status.FAILED, {evil: evil}, message=evil, problems=(problem,), deviations=(evil,))
    events = [factory.started(), *task_on(factory, evil, outcome, deviations=[evil], message=evil)]
    events += [
        factory.requested(target=evil),
        factory.moved("check", evil, back=False),
        factory.ended(Status.FAILED, 2),
    ]
    record = build_record(events)
    told = [
        *listen(events, capsys, verbose=2),
        render_summary(record, RECORDS, 80),
        render_rehearsal(record, 80, diff=True),
    ]
    text = plain("\n".join(told))
    assert [character for character in text if not character.isprintable() and character != "\n"] == []


def test_without_a_terminal_there_is_no_thread() -> None:
    before = threading.active_count()
    with Screen({}, manner="quiet"):
        assert threading.active_count() == before


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), st.integers(2, 30))
def test_cut_and_wrapped_text_fits_and_wrapping_loses_nothing(text: str, width: int) -> None:
    shown = printable(text)
    assert width_of(cut(one_line(text), width)) <= width
    lines = wrap(shown, width, indent="  ")
    assert all(width_of(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(shown.split())


def test_a_long_name_is_broken_after_a_hyphen() -> None:
    assert wrap("pemeliharaan-website", 18) == ["pemeliharaan-", "website"]
    assert wrap("a-bcdefghijklmnop", 8) == ["a-bcdefg", "hijklmno", "p"]


@given(st.lists(st.tuples(*[st.text("ab -…本", max_size=40)] * 3), min_size=1, max_size=4), st.integers(30, 90))
def test_tables_fit(rows: list[tuple[str, str, str]], width: int) -> None:
    for line in render_table(["one", "two", "three"], rows, width).split("\n"):
        assert len(line) <= width


def test_names_of_many() -> None:
    assert name_some(["a"]) == "a"
    assert name_some(["a", "b", "c"]) == "a, b, c"
    assert name_some([f"web{n}" for n in range(20)]) == "web0, web1 and 18 more"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with one failed run on record."""
    folder = make_folder(tmp_path_factory.mktemp("recorded"))
    assert sop(folder, "run fails.yml").returncode == 2
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path)


def make_folder(path: Path) -> Path:
    (path / "inventory.yml").write_text("servers: {web1: {connection: local}}\n")
    (path / "fails.yml").write_text(
        "procedure: {title: S.O.P. Contoh}\n"
        "steps:\n"
        "  - id: check\n"
        "    activity: Memeriksa\n"
        "    targets: servers\n"
        "    tasks: [{id: x, action: command.run, with: {argv: ['false']}}]\n"
    )
    return path


def sop(folder: Path, words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Call `sop` with words as a shell reads them."""
    line = f'"{sys.executable}" -m runner {words}'
    around = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), **environment}
    return subprocess.run(
        ["bash", "-c", line], cwd=folder, env=around, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    "redirections",
    [
        "> /dev/full",
        "2> /dev/full",
        "> /dev/full 2>&1",
        ">&- 2>&-",
        "--format json > /dev/full",
        "--format json >&-",
        "> >(true)",
        "-vv 2> >(true)",
    ],
)
def test_a_screen_that_cannot_write_ends_no_run(folder: Path, redirections: str) -> None:
    assert sop(folder, f"run fails.yml {redirections}").returncode == 2


def test_cron_gets_few_words(folder: Path) -> None:
    ended = sop(folder, "run fails.yml")
    assert ended.stderr.split("  ", 1)[1] == "check.x on web1: failed: exit code 1\n"
    assert ended.stdout.startswith("run 20")
    assert ended.stdout.count("\n") == 2
    assert "\x1b" not in ended.stdout + ended.stderr


def test_letters_that_a_screen_lacks_are_escaped(folder: Path) -> None:
    playbook = folder / "fails.yml"
    playbook.write_text(playbook.read_text().replace("'false'", "sh, -c, 'echo é >&2; exit 1'"))
    assert "exit code 1: é" in sop(folder, "run fails.yml").stderr
    assert r"exit code 1: \xe9" in sop(folder, "show last", PYTHONIOENCODING="ascii").stdout


@pytest.mark.parametrize("words", ["history", "show last", "problems --format json", "status", "actions"])
@pytest.mark.promise("Disk", "the disk to which the output goes is full", "told in words, no report about a bug")
def test_full_disks_and_closed_pipes_are_no_bugs(recorded: Path, words: str) -> None:
    gone = sop(recorded, f"{words} > >(true)")
    assert (gone.returncode, gone.stderr) == (0, "")
    full = sop(recorded, f"{words} > /dev/full")
    assert full.returncode in (0, 5)
    assert "bug" not in full.stderr


def test_a_waiting_request_without_labels_has_one_command() -> None:
    factory = RunFactory()
    asked = Outcome(Status.WAITING, request=Request("", "Was it done?"))
    events = [factory.started(("check",)), factory.step_started(target=None), factory.claim(target=None)]
    events += [factory.finish(target=None, outcome=asked), factory.ended(Status.WAITING, 3)]
    assert (
        "check waits for a person, due Mon 23 Nov 16:30: Was it done?\n  sop sign 20261122-0930-aaaaa check\n"
        in summary(events)
    )
