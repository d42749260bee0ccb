"""Live progress, on real terminals."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from runner.contract import Outcome, Status
from runner.screen.board import Board
from runner.screen.live import Live
from tests.event_factory import START, RunFactory
from tests.terminal import PROMPT, Terminal, terminal

TARGETS = [f"web{number}" for number in range(1, 31)]
INVENTORY = """\
office: {name: Pengadilan Negeri Contoh, timezone: Asia/Jakarta}
servers:
""" + "".join(f"  web{number}: {{connection: local, vars: {{seconds: {number * 0.4}}}}}\n" for number in range(1, 26))
PLAYBOOK = """\
procedure: {title: S.O.P. Contoh, roles: {admin: Admin}}
steps:
  - id: check
    activity: Memeriksa
    time_limit: 5 menit
    targets: servers
    tasks:
      - id: look
        action: command.run
        effect: read
        with: {command: "sleep {{ vars.seconds }}"}
        time_limit: 1m
"""


def board_of(targets: list[str]) -> tuple[Board, RunFactory]:
    board, factory = Board({"check": targets, "backup": targets}), RunFactory()
    board.add(factory.started())
    return board, factory


def test_board_tells_how_far_a_task_says_it_is() -> None:
    board, factory = board_of(["web1", "web2"])
    for name in ("web1", "web2"):
        board.add(factory.step_started(target=name))
        board.add(factory.claim(target=name))
    claimed = factory.claim(target="web2")
    board.tell(claimed.key, "50.0 MB of 200 MB, 5.0 MB a second, 30 s left")
    shown = board.render(START + timedelta(seconds=10), 120, 10)
    assert [("50.0 MB of 200 MB, 5.0 MB a second, 30 s left" in line) for line in shown] == [False, False, True]
    board.add(factory.finish(target="web2"))
    assert not any("a second" in line for line in board.render(START, 120, 10))


def test_board_tells_where_each_target_is_and_what_is_left() -> None:
    board, factory = board_of(["web1", "web2", "web3", "web4"])
    for name in ("web1", "web2", "web3"):
        board.add(factory.step_started(target=name))
        board.add(factory.claim(target=name))
    board.add(factory.finish(target="web2", outcome=Outcome(Status.FAILED)))
    board.add(factory.step_finished(target="web2", status=Status.FAILED))
    board.add(factory.finish(target="web3"))
    now = START + timedelta(seconds=20)
    assert board.render(now, 80, 20) == [
        "20261122-0930-aaaaa  19 s  2 running, 1 failed, 1 to do of 4 targets",
        "  web1  check.probe  17 s  13 s left of 30 s  step due in 1 d 7 h",
        "  web3  check  14 s  step due in 1 d 7 h",
    ]


def test_board_shows_the_longest_running_and_counts_the_rest() -> None:
    board, factory = board_of(TARGETS)
    for name in reversed(TARGETS):
        board.add(factory.step_started(target=name))
        board.add(factory.claim(target=name))
    lines = board.render(START + timedelta(seconds=90), 40, 6)
    assert [line.split()[0] for line in lines[1:5]] == ["web30", "web29", "web28", "web27"]
    assert lines[5] == "  … and 26 more"
    assert all(len(line) <= 40 for line in lines)


def test_board_cuts_wide_characters_by_the_columns_they_take() -> None:
    board, factory = board_of(["役所役所", "web"])
    board.add(factory.step_started(target="役所役所"))
    board.add(factory.step_started(target="web"))
    wide, narrow = board.render(START, 24, 9)[1:]
    assert wide == "  役所役所  check  0 s …"
    assert narrow == "  web       check  0 s …"


def test_board_says_over_its_limit_and_late() -> None:
    board, factory = board_of(["web1"])
    board.add(factory.step_started(target="web1"))
    board.add(factory.claim(target="web1"))
    row = board.render(START + timedelta(days=3), 120, 9)[1]
    assert row == "  web1  check.probe  3 d  over its limit of 30 s  step late by 1 d 17 h"


def test_board_begins_again_when_a_decision_goes_back() -> None:
    board, factory = board_of(["web1"])
    for step in ("check", "backup"):
        board.add(factory.step_started(step, "web1"))
        board.add(factory.step_finished(step, "web1"))
    assert dict(board.counts()) == {"done": 1}
    board.add(factory.moved("backup", "check", back=True, again=["check", "backup"]))
    assert dict(board.counts()) == {"to do": 1}


def test_board_counts_steps_where_there_are_no_targets() -> None:
    board, factory = Board({"report": [None], "sign": [None]}), RunFactory()
    board.add(factory.started())
    board.add(factory.step_started("report", None))
    board.add(factory.step_finished("report", None))
    assert board.render(START + timedelta(seconds=3), 80, 9) == ["20261122-0930-aaaaa  2 s  1 done, 1 to do of 2 steps"]


@contextmanager
def pseudo_terminal(width: int, height: int) -> Iterator[tuple[int, Path]]:
    main, other = pty.openpty()
    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
    try:
        yield main, Path(os.ttyname(other))
    finally:
        os.close(main)
        os.close(other)


def drain(main: int) -> str:
    os.set_blocking(main, False)
    text = b""
    while True:
        try:
            text += os.read(main, 65536)
        except BlockingIOError:
            return text.decode()


def test_draws_at_most_eight_times_a_second_and_stays_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    sizes = []

    def render(width: int, height: int) -> list[str]:
        sizes.append((width, height))
        return ["x" * width] * height

    with pseudo_terminal(30, 12) as (main, path), path.open("w") as stream:
        live = Live(stream, render)
        live.start()
        end = time.monotonic() + 1
        while time.monotonic() < end:
            live.refresh()
            time.sleep(0.001)
        live.scroll("done")
        live.close()
        written = drain(main)
    assert 4 <= len(sizes) <= 9
    assert set(sizes) == {(29, 9)}
    assert written.endswith("\r\x1b[9Adone\x1b[K\r\n\x1b[J")


def test_a_terminal_that_is_stopped_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    with pseudo_terminal(80, 24) as (main, path), path.open("w") as stream:
        live = Live(stream, lambda width, height: ["x" * width] * height)
        live.start()
        before = time.monotonic()
        for _ in range(200):  # nobody reads: the terminal's buffer is soon full
            live.scroll("y" * 2000)
            live.refresh()
        assert time.monotonic() - before < 1
        live.close()
        assert time.monotonic() - before < 4
        while any(thread.name == "screen" for thread in threading.enumerate()):
            drain(main)
            time.sleep(0.01)


@pytest.mark.parametrize("no_colour", ["", "1"])
def test_no_color_leaves_colours_out(monkeypatch: pytest.MonkeyPatch, no_colour: str) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", no_colour)
    with pseudo_terminal(80, 24) as (main, path), path.open("w") as stream:
        live = Live(stream, lambda width, height: [])
        live.scroll("\x1b[31mfailed\x1b[0m")
        live.start()
        live.close()
        written = drain(main)
    assert ("\x1b[31m" in written) is not bool(no_colour)
    assert "failed" in written


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "inventory.yml").write_text(INVENTORY)
    (tmp_path / "daily.yml").write_text(PLAYBOOK)
    return tmp_path


def running(screen: str) -> list[str]:
    return re.findall(r"^  (web\d+)\s+check\.look  ", screen, re.MULTILINE)


def begin(opened: Terminal, options: str = "") -> str:
    opened.type(f"clear; sop run daily.yml {options}; echo ended=$?")
    return opened.wait_for(lambda screen: len(running(screen)) > 1 and "done" in screen)


def test_a_run_moves_on_a_terminal_and_ends_in_a_summary(folder: Path) -> None:
    with terminal(folder) as opened:
        screen = begin(opened, "-l 'web1:web2:web3:web4'")
        assert re.search(r"^\S+  \d s  [12] done, [23] running of 4 targets$", screen, re.MULTILINE)
        assert re.search(
            r"^  web4  check\.look  \d s  (\d\d s|1 min) left of 1 min  step due in .+$", screen, re.MULTILINE
        )
        ended = opened.wait_for(lambda screen: "ended=0" in screen and screen.endswith(PROMPT.strip()))
        assert opened.cursor() == (str(len(PROMPT)), "1")
    assert running(ended) == []
    assert len(re.findall(r"^\d\d:\d\d:\d\d  check on web\d: ok \(.+ s\)$", ended, re.MULTILINE)) == 4
    assert re.sub(r"\d{8}-\d{4}-\w{5}", "RUN", ended.split("\n\n", 1)[1]) == (
        "step   status  targets  limit    used   deviations\n"
        "-----  ------  -------  -------  -----  ----------\n"
        f"check  ok      4 ok     5 menit  {re.findall(r'menit  (.+ s)', ended)[0]}\n"
        "\n"
        "run RUN: ok, exit code 0 (done, nothing wrong)\n"
        "record in records\n"
        "ended=0\n"
        f"{PROMPT.strip()}"
    )


def test_many_targets_leave_room_and_follow_the_window(folder: Path) -> None:
    with terminal(folder, width=100, height=24) as opened:
        screen = begin(opened, "-f 25")
        assert len(running(screen)) == 16
        assert re.search(r"^  … and \d more$", screen, re.MULTILINE)
        opened.resize(40, 24)
        opened.wait_for(lambda screen: len(running(screen)) == 16 and screen.count("check.look") == 16)
        opened.resize(100, 12)
        opened.wait_for(lambda screen: len(running(screen)) == 7 and "… and" in screen)
        opened.press("C-c")
        opened.wait_for(lambda screen: "Ctrl-C again cuts it off" in screen)
        opened.press("C-c")  # once lets what is in flight end
        ended = opened.wait_for(lambda screen: "ended=130" in screen and screen.endswith(PROMPT.strip()))
        assert opened.cursor() == (str(len(PROMPT)), "1")
    assert "exit code 130 (stopped by Ctrl-C or a signal)" in ended
    assert running(ended) == []


def test_a_dumb_terminal_gets_lines_only(folder: Path) -> None:
    with terminal(folder, TERM="dumb") as opened:
        opened.type("clear; sop run daily.yml -l web1 2>err; sop run daily.yml -l 'web1:web2'; echo ended=$?")
        screen = opened.wait_for(lambda screen: "ended=0" in screen and screen.endswith(PROMPT.strip()))
    assert len(re.findall(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  check on web\d: ok", screen, re.MULTILINE)) == 2
    assert (folder / "err").read_text() == ""


def test_in_the_background_nothing_is_drawn_over_the_shell(folder: Path) -> None:
    with terminal(folder) as opened:
        opened.type("clear; sop run daily.yml -l 'web1:web2' & wait; echo ended=$?")
        screen = opened.wait_for(lambda screen: "ended=0" in screen)
    assert "check.look" not in screen
    assert "exit code 0 (done, nothing wrong)" in screen


def test_what_is_longer_than_the_screen_is_paged(folder: Path) -> None:
    with terminal(folder, PAGER="more") as opened:
        opened.type(
            "clear; sop run daily.yml -f 25 -l 'web1:web2:web3:web4:web5:web6'; clear; sop show last; echo ended=$?"
        )
        opened.wait_for(lambda screen: "--More--" in screen and "begun 2" in screen)
        opened.press("q")
        opened.wait_for(lambda screen: "ended=0" in screen)


@pytest.mark.promise("Signals", "a live view is killed", "the terminal stays usable")
def test_a_killed_run_leaves_the_terminal_usable(folder: Path) -> None:
    with terminal(folder, width=100) as opened:
        begin(opened, "-l 'web1:web24:web25'")
        opened.run_beside("kill -KILL $(pgrep -P #{pane_pid})")
        screen = opened.wait_for(lambda screen: "ended=137" in screen and screen.endswith(PROMPT.strip()))
        assert opened.cursor() == (str(len(PROMPT)), "1")
        assert "Killed" in screen
