"""What runs by itself: moments, the crontab's block, what is due, what is missed; the last test with the real cron."""

from __future__ import annotations

import itertools
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from runner.cli import run
from runner.crons import check_cron
from runner.errors import Refused
from runner.playbook.timing import Scheduled
from runner.schedule.crontab import has_block, render_block, replace_block
from runner.schedule.entries import Entry, delay_of
from runner.schedule.folder import Installed, ScheduleFolder, Tried
from runner.schedule.log import KEPT, Log
from runner.schedule.schemas import COMING_SCHEMA, SCHEDULE_SCHEMA
from runner.schedule.standing import Begun, Standing
from runner.schedule.units import render_units
from tests.clocks import FixedClock

INVENTORY = "office: {name: Pengadilan Negeri Contoh, timezone: Asia/Jakarta}\nservers: {here: {connection: local}}\n"
PLAYBOOK = """\
procedure: {{title: Pemeriksaan}}
steps:
  - id: mark
    activity: Mencatat
    tasks:
      - {{id: note, action: command.run, with: {{command: 'env >> env.txt; pwd >> env.txt'}}}}
  - id: slow
    activity: Lama
    tasks:
      - {{id: wait, action: command.run, with: {{argv: [sleep, "{seconds}"]}}}}
supplement:
  schedule: [{entries}]
"""
SUNDAY = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)  # 08.00 WIB


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder whose name is hard on shells and on cron, with a crontab program that has a spool of its own."""
    folder, programs, spool = tmp_path / "kantor 10% it's", tmp_path / "programs", tmp_path / "spool"
    for each in (folder / "playbooks", programs, spool):
        each.mkdir(parents=True)
    (folder / "inventory.yml").write_text(INVENTORY)
    busybox = shutil.which("busybox")
    assert busybox, "busybox is missing. run: apt-get install busybox-static"
    program = programs / "crontab"
    program.write_text(f'#!/bin/sh\nexec {busybox} crontab -c {shlex.quote(str(spool))} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.chdir(folder)
    write_schedule("{steps: [mark], cron: '* * * * *'}")
    return folder


def write_schedule(*entries: str, seconds: int = 0) -> None:
    """The playbook of the working folder, with these entries."""
    Path("playbooks/periksa.yml").write_text(PLAYBOOK.format(entries=", ".join(entries), seconds=seconds))


def crontab(*words: str, text: str = "") -> str:
    """What the machine's program crontab says."""
    return subprocess.run(["crontab", *words], input=text, capture_output=True, text=True, check=True).stdout


def installed_since(ago: timedelta) -> ScheduleFolder:
    """Install, as if that long ago."""
    assert run(["schedule", "install"]) == 0
    kept = ScheduleFolder(Path("records"))
    found = kept.load()
    assert found
    kept.save(Installed(found.folder, (datetime.now(UTC) - ago).isoformat(), alone=found.alone))
    return kept


def entry(cron: str, *, jitter: int = 0, made_up: bool = True) -> Entry:
    """A step at that moment by the clock of Jakarta."""
    from zoneinfo import ZoneInfo

    scheduled = Scheduled(("mark",), cron, jitter, made_up, "")
    return Entry(Path("periksa.yml"), scheduled, ZoneInfo("Asia/Jakarta"), timedelta(seconds=jitter))


@pytest.mark.parametrize(
    ("cron", "said"),
    [
        ("99 * * * *", "'99' in '99 * * * *' is no minute. write 0-59"),
        ("0 24 * * *", "'24' in '0 24 * * *' is no hour. write 0-23"),
        ("0 8 0 * *", "'0' in '0 8 0 * *' is no day of the month. write 1-31"),
        ("0 8 * 13 *", "'13' in '0 8 * 13 *' is no month. write 1-12"),
        ("0 8 * * 9", "'9' in '0 8 * * 9' is no day of the week. write 0-7"),
        ("*/0 * * * *", "'*/0' in '*/0 * * * *' is no minute"),
        ("0 0 30 2 *", "'0 0 30 2 *' never comes: no month has that day. write another day or month"),
    ],
)
def test_a_moment_that_is_none_is_refused_with_its_place(
    office: Path, capsys: pytest.CaptureFixture[str], cron: str, said: str
) -> None:
    write_schedule(f"{{steps: [mark], cron: '{cron}'}}")
    assert run(["check"]) == 5
    assert f"playbooks/periksa.yml:12:36: {said}" in capsys.readouterr().err


def test_steps_and_delays_that_are_none_are_refused(office: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_schedule("{steps: [marks], cron: '@daily', jitter: 2h}")
    assert run(["check"]) == 5
    told = capsys.readouterr().err
    assert "there is no step 'marks'. did you mean 'mark'?" in told
    assert "'2h' is more than an hour. write at most 1h" in told


@pytest.mark.parametrize("cron", ["0 8 * * MON-FRI", "*/5 * * * *", "0 0 29 2 *", "@daily", "0 0 1,15 * 7"])
def test_moments_of_crontab_are_taken(cron: str) -> None:
    assert check_cron(cron) is None


@given(
    st.lists(st.text(st.characters(blacklist_characters="\n", blacklist_categories=["Cs"]))),
    st.text(st.characters(blacklist_categories=["Cc", "Cs"]), min_size=1, max_size=60),
)
def test_what_was_put_into_a_crontab_comes_out_byte_for_byte(lines: list[str], folder: str) -> None:
    before = "".join(f"{line}\n" for line in lines)
    try:
        block = render_block(f"/{folder}", ["sop"], [("LANG", "C")])
        during = replace_block(before, f"/{folder}", block)
    except Refused:
        return
    assert replace_block(during, f"/{folder}", block) == during, "a second time changes nothing"
    assert has_block(during, f"/{folder}")
    assert replace_block(during, f"/{folder}", "") == before


def test_the_line_says_to_the_shell_what_was_meant(tmp_path: Path) -> None:
    folder = tmp_path / "a b%c'd\"e$HOME`x`"
    folder.mkdir()
    words = ["/bin/sh", "-c", 'pwd; printf "%s\\n" "$LANG"']
    line = render_block(str(folder), words, [("LANG", "id_ID.UTF-8")]).splitlines()[1]
    command = line.removeprefix("* * * * * ").replace("\\%", "%")  # as cron does
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=True, env={})
    assert done.stdout == f"{folder}\nid_ID.UTF-8\n"


@pytest.mark.parametrize("before", ["MAILTO=it\n5 4 * * *\techo 'pagi' %x\n", "# hanya catatan\n", None])
def test_remove_leaves_the_crontab_as_it_was(office: Path, capsys: pytest.CaptureFixture[str], before: str) -> None:
    if before is not None:
        crontab("-", text=before)
    assert run(["schedule", "install"]) == 0
    once = crontab("-l")
    assert run(["schedule", "install"]) == 0
    assert crontab("-l") == once, "installed twice is installed once"
    assert once.startswith(before or "# BEGIN sop")
    assert once.count("# BEGIN sop") == 1
    assert run(["schedule", "remove"]) == 0
    after = subprocess.run(["crontab", "-l"], capture_output=True, text=True, check=False)
    assert after.stdout == (before or "")
    assert (after.returncode == 0) is (before is not None)
    assert run(["schedule", "remove"]) == 0
    assert "it is not installed" in capsys.readouterr().out


def test_lines_that_are_added_later_stay(office: Path) -> None:
    assert run(["schedule", "install"]) == 0
    crontab("-", text=f"1 1 * * * a\n{crontab('-l')}2 2 * * * b\n")
    assert run(["schedule", "remove"]) == 0
    assert crontab("-l") == "1 1 * * * a\n2 2 * * * b\n"


def test_marks_that_were_cut_apart_are_refused_with_the_cure(office: Path, capsys: pytest.CaptureFixture[str]) -> None:
    crontab("-", text=f"# BEGIN sop {office}\n")
    assert run(["schedule", "install"]) == 5
    assert "do not stand as a pair. put them right with crontab -e" in capsys.readouterr().err


@pytest.mark.promise("Files", "others may write {case} that root's cron runs", "refused at installing and each minute")
@pytest.mark.parametrize(
    "path",
    [
        pytest.param("playbooks/periksa.yml", id="a playbook"),
        pytest.param("playbooks/lain.yml", id="a playbook beside it"),
        pytest.param("playbooks", id="the folder of a playbook"),
        pytest.param("inventory.yml", id="the inventory"),
        pytest.param("group_vars/all.yml", id="the inventory's variables"),
    ],
)
def test_root_runs_nothing_that_others_may_write(
    office: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root's files are asked for")
    Path("playbooks/lain.yml").write_text("procedure: {title: Lain}\nsteps: []\n")
    Path("group_vars").mkdir()
    Path("group_vars/all.yml").write_text("x: 1\n")
    assert run(["schedule", "install", "playbooks/periksa.yml"]) == 0
    Path(path).chmod(0o777)
    capsys.readouterr()
    for words in (["install", "playbooks/periksa.yml"], ["begin"]):
        assert run(["schedule", *words]) == 5
        told = capsys.readouterr().err
        assert f"{path}: others may write there" in told
        assert "type: chmod go-w " in told
    assert not Path("env.txt").exists()
    monkeypatch.setattr("os.geteuid", lambda: os.stat(office).st_uid + 1)  # anybody else: their own affair
    assert run(["schedule", "install", "playbooks/periksa.yml"]) == 0


def test_a_secret_of_this_terminal_is_warned_of(office: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("inventory.yml").write_text(INVENTORY + "secrets: {db: {env: DB_PASSWORD}}\n")
    assert run(["schedule", "install"]) == 0
    assert "the secret 'db' comes from DB_PASSWORD, which scheduled runs do not have" in capsys.readouterr().out


def test_each_office_has_its_own_delay_and_always_the_same() -> None:
    delays = [delay_of(f"Pengadilan Negeri {n}", 1800) for n in range(900)]
    assert delays == [delay_of(f"Pengadilan Negeri {n}", 1800) for n in range(900)]
    assert len({int(delay.total_seconds()) // 60 for delay in delays}) == 30, "spread over every minute"
    assert max(delays) < timedelta(minutes=30)


@pytest.mark.parametrize(
    ("made_up", "minutes", "due"), [(True, 0, True), (True, 600, True), (False, 9, True), (False, 11, False)]
)
@pytest.mark.promise(
    "Cron's world", "a machine that slept through its dates", "made up for once, or left out, as written"
)
def test_a_missed_moment_is_made_up_for_or_left_out_as_written(made_up: bool, minutes: int, due: bool) -> None:
    slot = SUNDAY
    standing = Standing(entry("0 8 * * *", made_up=made_up), None, slot, None)
    assert standing.due(slot + timedelta(minutes=minutes), None) is due
    assert standing.late(slot + timedelta(minutes=minutes)) is (minutes > 15)


def test_a_moment_that_gave_no_run_is_tried_again_after_an_hour() -> None:
    standing = Standing(entry("0 8 * * *"), None, SUNDAY, None)
    tried = Tried(SUNDAY, SUNDAY)
    assert not standing.due(SUNDAY + timedelta(minutes=59), tried)
    assert standing.due(SUNDAY + timedelta(minutes=60), tried)


def test_a_run_since_the_moment_is_enough() -> None:
    begun = Begun("r", SUNDAY + timedelta(minutes=1), frozenset({"mark"}))
    standing = Standing(entry("0 8 * * *"), begun, SUNDAY, None)
    assert not standing.due(SUNDAY + timedelta(hours=1), None)
    assert not standing.late(SUNDAY + timedelta(hours=1))


def test_moments_are_the_office_s_and_the_delay_comes_after() -> None:
    found = entry("0 8 * * 1-5", jitter=90)
    assert found.next(SUNDAY) == datetime(2026, 11, 23, 1, 1, 30, tzinfo=UTC)
    assert found.last(SUNDAY) == datetime(2026, 11, 20, 1, 0, tzinfo=UTC)


def test_next_lists_the_coming_runs_in_order(office: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_schedule("{steps: [slow], cron: '0 9 * * 1'}", "{steps: [mark], cron: '30 8 * * *'}")
    assert run(["schedule", "next", "-n", "3"], clock=FixedClock(SUNDAY)) == 0
    lines = capsys.readouterr().out.splitlines()[2:]
    assert [line.split() for line in lines] == [
        ["Sun", "2026-11-22", "08:30", "mark", "periksa"],
        ["Mon", "2026-11-23", "08:30", "mark", "periksa"],
        ["Mon", "2026-11-23", "09:00", "slow", "periksa"],
    ]


def test_what_is_due_is_begun_once_and_its_output_logged(office: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_schedule("{steps: [mark], cron: '0 0 1 * *'}")
    installed_since(timedelta(days=40))
    assert run(["schedule", "show"]) == 10, "a month was missed"
    assert "no run of mark (periksa) since it was installed" in capsys.readouterr().out
    assert run(["schedule", "begin"]) == 0
    assert run(["schedule", "begin"]) == 0
    log = Path("records/schedule/log").read_text()
    assert log.count("mark: begins: sop run") == 1
    assert re.search(r"^20\d\d-\d\d-\d\dT\S+\+07:00 mark: ends, exit code 0$", log, re.MULTILINE)
    assert run(["schedule", "show"]) == 0
    assert capsys.readouterr().err == "", "nothing that cron would mail"


@pytest.mark.promise("Cron's world", "a run that overtakes the next", "not begun again")
def test_what_is_still_running_is_not_begun_again(office: Path) -> None:
    kept = installed_since(timedelta(minutes=5))
    [key] = [found.key for found in [entry("* * * * *")]]
    held = kept.take(key)
    assert held
    assert run(["schedule", "begin"]) == 0
    held.close()
    assert not Path("records/journal.sqlite").exists()
    assert run(["schedule", "begin"]) == 0
    assert Path("records/journal.sqlite").exists(), "made up for when it has ended"


def test_a_run_that_fails_is_told_to_cron(office: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = Path("playbooks/periksa.yml").read_text().replace("env >> env.txt; pwd >> env.txt", "exit 4")
    Path("playbooks/periksa.yml").write_text(text)
    installed_since(timedelta(minutes=5))
    capsys.readouterr()
    assert run(["schedule", "begin"]) == 2
    assert "mark: exit code 2. see: records/schedule/log" in capsys.readouterr().err


def test_what_problems_start_is_begun_by_the_schedule_only_where_one_is_open(
    office: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_schedule("{steps: [mark], cron: '* * * * *'}")
    playbook = Path("playbooks/periksa.yml")
    playbook.write_text(playbook.read_text() + "  after: {problems: [mark]}\n")
    installed_since(timedelta(minutes=5))
    assert run(["schedule", "begin"]) == 0
    assert not Path("env.txt").exists()
    capsys.readouterr()
    assert run(["run", str(playbook), "--only", "mark"]) == 0, "somebody asks for it by name"
    assert Path("env.txt").exists()


def test_a_playbook_with_a_mistake_is_told_once_an_hour(office: Path, capsys: pytest.CaptureFixture[str]) -> None:
    installed_since(timedelta(minutes=5))
    write_schedule("{steps: [mark], cron: '61 * * * *'}")
    capsys.readouterr()
    assert run(["schedule", "begin"]) == 5
    assert "'61' in '61 * * * *' is no minute" in capsys.readouterr().err
    assert run(["schedule", "begin"]) == 5
    assert capsys.readouterr().err == ""


@pytest.mark.promise("Cron's world", "cron does not call any more", "seen by sop status")
def test_a_cron_that_does_not_call_any_more_is_seen(office: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_schedule("{steps: [mark], cron: '0 0 1 1 *'}")
    kept = installed_since(timedelta(hours=1))
    assert run(["schedule", "show", "--format", "json"]) == 10
    found: dict[str, Any] = json.loads(capsys.readouterr().out.partition("\n{")[2].join(["{", ""]))
    assert found["silent"] is True
    assert run(["status"]) == 0
    assert "cron has never called. see: sop schedule show" in capsys.readouterr().out
    kept.note_call()
    assert run(["schedule", "show"]) == 0
    assert run(["status"]) == 0
    assert "called. see" not in capsys.readouterr().out


def test_programs_get_what_the_schemas_say(office: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_schedule("{steps: [mark], cron: '* * * * *', jitter: 5m}", "{steps: [slow], cron: '@yearly', missed: skip}")
    installed_since(timedelta(hours=1))
    assert run(["run", "playbooks/periksa.yml", "--only", "mark"]) == 0
    for words, schema in ((["show"], SCHEDULE_SCHEMA), (["next", "-n", "3"], COMING_SCHEMA)):
        capsys.readouterr()
        run(["schedule", *words, "--format", "json"])
        found = json.loads(capsys.readouterr().out)
        Draft202012Validator(schema, format_checker=FormatChecker()).validate(found)
        assert len(found.get("entries") or found["next"]) >= 2


def test_tick_and_pages_come_every_few_minutes(office: Path) -> None:
    assert run(["run", "playbooks/periksa.yml", "--only", "mark"]) == 0
    write_schedule("{steps: [slow], cron: '0 0 1 1 *'}")
    assert run(["schedule", "install", "--dashboard", "layar besar"]) == 0
    now = datetime.now(UTC)
    for minute, jobs in ((14, []), (20, ["tick"]), (30, ["dashboard", "tick"])):
        log = Path("records/schedule/log")
        log.unlink(missing_ok=True)
        assert run(["schedule", "begin"], clock=FixedClock(now.replace(minute=minute))) == 0
        ended = log.read_text().splitlines() if log.exists() else []
        assert sorted(line.split()[1] for line in ended if line.endswith("ends, exit code 0")) == [
            f"{j}:" for j in jobs
        ]
    assert Path("layar besar/index.html").exists()


def test_what_was_begun_apart_goes_on_alone(office: Path) -> None:
    write_schedule("{steps: [slow], cron: '* * * * *'}", seconds=2)
    installed_since(timedelta(minutes=5))
    words = [sys.executable, "-m", "runner", "schedule", "begin", "--apart"]
    done = subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    log = Path("records/schedule/log")
    assert not log.exists() or "ends" not in log.read_text()
    assert done.returncode == 0
    wait_for(lambda: log.exists() and "slow: ends, exit code 0" in log.read_text(), 30)


def test_the_log_turns_and_keeps_a_few(tmp_path: Path) -> None:
    log = Log(tmp_path, lambda: SUNDAY, largest=200)
    for number in range(60):
        log.write("mark", f"{number:03} {'x' * 40}")
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["log", *(f"log.{n}" for n in range(1, KEPT))]
    assert all(path.stat().st_size <= 200 for path in tmp_path.iterdir())
    assert "059" in (tmp_path / "log").read_text()


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("this machine has no systemd-analyze to verify units with")
    folder = tmp_path / 'kantor 10% "x"'
    folder.mkdir()
    units = render_units(str(folder), [sys.executable, "-m", "runner", "$HOME 5%"], [("LANG", "C.UTF-8")])
    for name, text in units.items():
        (tmp_path / name).write_text(text)
    paths = [str(tmp_path / name) for name in units]
    done = subprocess.run([program, "verify", *paths], capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if "/sop-" in line or line.startswith("sop-")]
    assert ours == []


def test_without_a_manager_the_units_are_written_and_the_rest_is_said(
    office: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(office / "config"))
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(office))
    assert run(["schedule", "install", "--systemd"]) == 0
    assert "to start it: systemctl --user daemon-reload" in capsys.readouterr().out
    assert len(list(Path("config/systemd/user").iterdir())) == 2
    assert run(["schedule", "remove"]) == 0
    assert list(Path("config/systemd/user").iterdir()) == []


# The machine's own cron, in a mount namespace of its own: nobody else's crontab is seen or changed.
PRIVATE = """\
set -e
mount --make-rprivate /
mount -t tmpfs none /var/spool/cron
mkdir /var/spool/cron/crontabs; chgrp crontab /var/spool/cron/crontabs; chmod 1730 /var/spool/cron/crontabs
mkdir "$1/empty"; : >"$1/tab"; : >"$1/pid"
mount --bind "$1/empty" /etc/cron.d; mount --bind "$1/tab" /etc/crontab
touch /run/crond.pid; mount --bind "$1/pid" /run/crond.pid
printf 'MAILTO=""\\n5 4 1 1 * echo "100%% \\\\%%"\\n' | crontab -
crontab -l >"$1/before"
"$2" -m runner schedule install
crontab -l >"$1/during"
cron -f & cron=$!
trap 'kill $cron' EXIT
read -r end
trap - EXIT; kill $cron
"$2" -m runner schedule remove
crontab -l >"$1/after"
"""


@pytest.mark.heavy
@pytest.mark.promise("Cron's world", "three minutes of the real cron", "right environment, no overlap, right log")
def test_the_real_cron_runs_a_schedule_for_three_minutes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may give cron a spool of its own (unshare --mount)")
    assert shutil.which("cron"), "cron is missing. run: apt-get install cron"
    folder = tmp_path / "kantor 10% it's"
    (folder / "playbooks").mkdir(parents=True)
    (folder / "inventory.yml").write_text(INVENTORY)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("LANG", "C.UTF-8")
    entries = ("{steps: [mark], cron: '* * * * *'}", "{steps: [slow], cron: '* * * * *'}")
    write_schedule(*entries, seconds=75)
    words = ["unshare", "--mount", "sh", "-c", PRIVATE, "sh", str(tmp_path), sys.executable]
    log = folder / "records/schedule/log"
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        wait_for(lambda: log.exists() and log.read_text().count("mark: ends, exit code 0") >= 3, 260)
        wait_for(lambda: log.read_text().count("slow: ends, exit code 0") >= 2, 200)
        assert run(["schedule", "show"]) == 0, capsys.readouterr().out
        process.communicate("end\n", timeout=60)
    assert process.returncode == 0
    assert (tmp_path / "before").read_bytes() == (tmp_path / "after").read_bytes()
    assert (tmp_path / "during").read_bytes().startswith((tmp_path / "before").read_bytes())
    environment = dict(line.split("=", 1) for line in (folder / "env.txt").read_text().splitlines() if "=" in line)
    assert environment["PATH"].split(":")[0] == str(Path(sys.executable).parent)
    assert (environment["LANG"], environment["HOME"]) == ("C.UTF-8", os.environ["HOME"])
    assert str(folder) in (folder / "env.txt").read_text().splitlines(), "it ran in the working folder"
    lines = [line.split(" ", 1)[1] for line in log.read_text().splitlines()]
    slow = ["begins" in line for line in lines if line.startswith(("slow: begins", "slow: ends"))]
    assert all(now != before for before, now in itertools.pairwise(slow)), "never twice at a time"
    minutes = [line[:16] for line in log.read_text().splitlines() if "mark: begins" in line]
    assert len(minutes) == len(set(minutes)) >= 3, "once a minute"
    first, last = (datetime.fromisoformat(minutes[at]) for at in (0, -1))
    assert last - first == timedelta(minutes=len(minutes) - 1), "each minute, also while the other one runs"


def wait_for(there: Callable[[], bool], seconds: float) -> None:
    """Wait for something to be there."""
    end = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.5)
