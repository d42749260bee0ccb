"""The journal: durable, ordered, shared between processes, and honest about what is wrong with its file."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from runner.contract import Outcome, Status
from runner.errors import RecordError, Refused
from runner.events import Event
from runner.record import marks, occurrences, period, reader, unfinished
from runner.record.journal import DuplicateClaim, Journal, new_run_id
from runner.record.locks import Locks
from tests.event_factory import START, RunFactory

ROOT = Path(__file__).parent.parent


@pytest.fixture
def records(tmp_path: Path) -> Path:
    return tmp_path / "records"


@pytest.fixture
def journal(records: Path) -> Iterator[Journal]:
    with Journal.open(records) as journal:
        yield journal


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users reach too: root, who may write everywhere, has to become one of them."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def run_python(code: str, *arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False, **options)  # type: ignore[call-overload,no-any-return]  # options pass through


def test_gives_back_what_was_appended(journal: Journal) -> None:
    one, other = RunFactory("one").whole(), RunFactory("other").whole(Outcome(Status.CHANGED, {"n": [1, "é\udc80"]}))
    journal.append(one[:3])
    journal.append(other)
    journal.append(one[3:])
    assert list(journal.events("one")) == one
    assert list(journal.events("other")) == other
    assert list(journal.events("none")) == []
    assert journal.verify() == []


def test_is_private(journal: Journal, records: Path) -> None:
    journal.append(RunFactory().whole())
    assert stat.S_IMODE(records.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in records.iterdir()} == {0o600}


def test_an_empty_batch_changes_nothing(journal: Journal) -> None:
    before = journal.head()
    journal.append([])
    assert journal.head() == before == "0" * 64


@pytest.mark.parametrize("kind", ["claim", "finish"])
def test_a_key_is_claimed_and_finished_once(journal: Journal, kind: str) -> None:
    run = RunFactory()
    journal.append(run.whole())
    head = journal.head()
    again = getattr(run, kind)()
    with pytest.raises(DuplicateClaim, match=r"check/1/probe/site/1 already"):
        journal.append([run.claim("another"), again])
    assert journal.head() == head


def test_what_is_there_already_is_named_among_many(journal: Journal) -> None:
    run = RunFactory()
    journal.append([run.claim()])
    head, others = journal.head(), [run.claim(f"task{number}") for number in range(150)]
    with pytest.raises(DuplicateClaim, match=r"check/1/task70/site/1 already"):
        journal.append([*others, run.claim("task70")])
    assert journal.head() == head
    journal.append(others)
    assert len(list(journal.events(run.run))) == 151


def test_what_another_has_written_meanwhile_is_linked_to(journal: Journal, records: Path) -> None:
    mine, other = RunFactory(), RunFactory("other")
    journal.append([mine.started()])
    journal.append([mine.claim()])
    with Journal.open(records) as another:
        another.append([other.started()])
        journal.append([mine.finish()])
        another.append([other.claim(), other.finish()])
        with pytest.raises(DuplicateClaim):
            journal.append([mine.claim("next"), mine.claim()])
        journal.append([mine.claim("next")])
        assert [journal.verify(), another.verify()] == [[], []]
    assert [len(list(journal.events(run.run))) for run in (mine, other)] == [4, 3]


def test_a_run_starts_once(journal: Journal) -> None:
    journal.append([RunFactory().started()])
    with pytest.raises(DuplicateClaim):
        journal.append([RunFactory().started()])


def test_each_part_of_a_key_counts(journal: Journal) -> None:
    run = RunFactory()
    first = run.claim()
    others = [
        replace(first, **{name: value})
        for name, value in [("step", "b"), ("attempt", 2), ("task", "b"), ("target", None), ("item", "0"), ("tries", 2)]
    ]
    journal.append([first, *others])
    for event in [first, *others]:
        with pytest.raises(DuplicateClaim):
            journal.append([event])


def test_a_run_without_claims_of_others_may_repeat_answers(journal: Journal) -> None:
    run = RunFactory()
    journal.append([run.answered(), run.answered(), run.resumed(), run.resumed()])
    assert len(list(journal.events(run.run))) == 4


def test_values_that_are_not_json_are_never_recorded(journal: Journal) -> None:
    with pytest.raises(ValueError, match="JSON"):
        journal.append([RunFactory().finish(outcome=Outcome(Status.OK, {"ratio": float("nan")}))])
    assert journal.head() == "0" * 64


def test_the_table_refuses_changes(journal: Journal) -> None:
    journal.append(RunFactory().whole())
    with sqlite3.connect(journal.path) as connection:
        for statement in ("UPDATE events SET status = 'ok'", "DELETE FROM events"):
            with pytest.raises(sqlite3.IntegrityError, match="only grows"):
                connection.execute(statement)
    connection.close()


APPEND = """
import sys
from pathlib import Path
from typing import Any
from runner.record.journal import Journal
from tests.event_factory import RunFactory
records, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
run, journal = RunFactory(name), Journal.open(Path(records))
journal.append([run.started()])
for number in range(1, count + 1):
    journal.append([run.claim(tries=number), run.finish(tries=number)])
    print(number, flush=True)
"""


@pytest.mark.promise("Power cut", "many processes append at once", "one chain, whole")
def test_many_processes_append_to_one_chain(records: Path) -> None:
    names = [f"run{number}" for number in range(4)]
    commands = [[sys.executable, "-c", APPEND, str(records), name, "25"] for name in names]
    processes = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) for command in commands]
    assert [process.wait(60) for process in processes] == [0, 0, 0, 0]
    journal = Journal.open(records)
    assert [len(list(journal.events(name))) for name in names] == [51] * 4
    assert journal.verify() == []


def test_one_of_many_processes_gets_a_claim(records: Path) -> None:
    code = """
import sys
from pathlib import Path
from typing import Any
from runner.record.journal import DuplicateClaim, Journal
from tests.event_factory import RunFactory
journal = Journal.open(Path(sys.argv[1]))
sys.stdin.readline()
try:
    journal.append([RunFactory().claim()])
    print("mine")
except DuplicateClaim:
    print("taken")
"""
    command = [sys.executable, "-c", code, str(records)]
    pipe = subprocess.PIPE
    processes = [subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) for _ in range(4)]
    said = [process.communicate("go\n", timeout=60)[0].strip() for process in processes]
    assert sorted(said) == ["mine", "taken", "taken", "taken"]


@pytest.mark.promise("Power cut", "kill -9 of a process that appends", "what was acknowledged is there")
def test_what_was_acknowledged_survives_kill_9(records: Path) -> None:
    for attempt in range(20):
        command = [sys.executable, "-c", APPEND, str(records), f"run{attempt}", "100000"]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            said = [child.stdout.readline() for _ in range(1 + attempt % 7)]
            time.sleep(0.0007 * attempt)  # anywhere in the next append
            child.kill()
            said += child.stdout.readlines()
        acknowledged = [int(line) for line in said if line.endswith("\n")]
        events = list(Journal.open(records).events(f"run{attempt}"))
        assert child.returncode == -signal.SIGKILL
        assert len(events) in (2 * len(acknowledged) + 1, 2 * len(acknowledged) + 3)
    assert Journal.open(records).verify() == []
    assert len(Journal.open(records).runs(100)) == 20


def test_readers_do_not_hold_up_an_append(journal: Journal) -> None:
    run = RunFactory()
    journal.append(run.whole())
    reader = journal.events(run.run)
    next(reader)
    journal.append([run.resumed()])
    assert len(list(reader)) == 5
    assert len(list(journal.events(run.run))) == 7


def test_threads_may_share_a_journal(journal: Journal) -> None:
    def work(number: int) -> None:
        run = RunFactory(f"run{number}")
        for event in run.whole():
            journal.append([event])
        assert len(list(journal.events(run.run))) == 6

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert journal.verify() == []
    assert len(journal.runs(10)) == 4


def test_goes_on_after_close(journal: Journal) -> None:
    run = RunFactory()
    journal.append([run.started()])
    journal.close()
    journal.close()
    journal.append([run.ended()])
    assert len(list(journal.events(run.run))) == 2


def test_the_log_is_folded_in_on_close(journal: Journal, records: Path) -> None:
    journal.append(RunFactory().whole())
    journal.close()
    assert [file.name for file in records.iterdir()] == ["journal.sqlite"]


@pytest.mark.promise("Power cut", "a forked child writes", "refused")
def test_a_forked_child_is_refused(records: Path) -> None:
    code = """
import os, sys
from pathlib import Path
from typing import Any
from runner.errors import RecordError
from runner.record.journal import Journal
from tests.event_factory import RunFactory
journal = Journal.open(Path(sys.argv[1]))
journal.append([RunFactory().started()])
if os.fork() == 0:
    try:
        journal.append([RunFactory().ended()])
    except RecordError as error:
        print(error, flush=True)
    journal.close()
    os._exit(0)
os.wait()
journal.append([RunFactory().ended()])
"""
    done = run_python(code, records)
    assert "opened by another process" in done.stdout
    assert done.returncode == 0, done.stderr
    assert len(list(Journal.open(records).events(RunFactory().run))) == 2


def test_without_create_a_missing_journal_is_told(records: Path) -> None:
    with pytest.raises(Refused, match=r"journal\.sqlite: there is no journal.*--records"):
        Journal.open(records, create=False)
    assert not records.exists()


def test_a_file_in_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordError, match=r"file.*Not a directory|file.*exists"):
        Journal.open(tmp_path / "file" / "records")
    with pytest.raises(RecordError, match="name another folder"):
        Journal.open(tmp_path / "file")


@pytest.mark.parametrize("content", [b"", b"not a database, but long enough to look like one " * 40])
@pytest.mark.promise("Disk", "something else in place of the journal", "told, left as it is")
def test_something_else_in_place_of_the_journal_is_told(records: Path, content: bytes) -> None:
    records.mkdir()
    (records / "journal.sqlite").write_bytes(content)
    with pytest.raises(RecordError, match="not a record of sop"):
        Journal.open(records)
    assert (records / "journal.sqlite").read_bytes() == content


@pytest.mark.promise("Upgrade", "a journal of a newer program", "refused with words, nothing is written")
def test_a_newer_format_is_told(journal: Journal, records: Path) -> None:
    journal.append(RunFactory().whole())
    journal.close()
    connection = sqlite3.connect(journal.path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(RecordError, match=r"written by a newer sop.*upgrade"):
        Journal.open(records)
    with pytest.raises(RecordError, match="written by a newer sop"):
        journal.append(RunFactory("other").whole())


@pytest.mark.promise("Limits", "another process holds the journal for ever", "told within the limit")
def test_a_wait_for_another_process_ends(records: Path) -> None:
    journal = Journal.open(records, seconds=0.1)
    handle = os.open(records, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    with pytest.raises(RecordError, match=r"locked by another process for more than 0\.1 s"):
        journal.append(RunFactory().whole())
    os.close(handle)
    journal.append(RunFactory().whole())
    journal.close()


def test_a_wait_for_another_program_ends(records: Path) -> None:
    journal = Journal.open(records, seconds=0.1)
    other = sqlite3.connect(journal.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(RecordError, match="locked by another process for too long"):
        journal.append(RunFactory().whole())
    other.close()
    journal.append(RunFactory().whole())
    journal.close()


def test_a_file_that_vanishes_is_told(journal: Journal) -> None:
    run = RunFactory()
    journal.append([run.started()])
    content = journal.path.read_bytes()
    journal.path.unlink()
    with pytest.raises(RecordError, match="No such file"):
        journal.append([run.ended()])
    journal.path.write_bytes(content)
    with pytest.raises(RecordError, match="replaced by another file"):
        journal.append([run.ended()])


@pytest.mark.promise("Disk", "permission to write the records is lost", "told; they can still be read")
def test_a_folder_that_cannot_be_written_is_told_and_read(open_folder: Path) -> None:
    records = open_folder / "records"
    with Journal.open(records) as journal:
        journal.append(RunFactory().whole())
    code = """
import os, sys
from pathlib import Path
from typing import Any
from runner.errors import RecordError
from runner.record import proof
from runner.record.journal import Journal
from tests.event_factory import RunFactory
if os.getuid() == 0:
    os.setuid(65534)
os.chdir(sys.argv[1])
records = Path("records")
journal = Journal.open(records)
print(len(list(journal.events(RunFactory().run))), journal.verify(), journal.runs()[0].status)
for act in (lambda: journal.append(RunFactory("other").whole()), lambda: Journal.open(Path("new"))):
    try:
        act()
    except RecordError as error:
        print(error)
"""
    for path, mode in ((journal.path, 0o444), (records, 0o555), (open_folder, 0o555)):
        path.chmod(mode)
    try:
        done = run_python(code, open_folder)
    finally:
        for path in (open_folder, records):
            path.chmod(0o755)
    first, *errors = done.stdout.splitlines()
    assert first == "6 [] ok", done.stderr
    assert len(errors) == 2
    assert re.match(r"records/journal.sqlite: cannot be written .*--records", errors[0])
    assert re.match(r"new: Permission denied\. make it writable", errors[1])


def test_the_runs_are_listed_newest_first(journal: Journal) -> None:
    def started(name: str, hour: int, playbook: str = "care") -> RunFactory:
        return RunFactory(name, playbook, START + timedelta(hours=hour))

    for event in started("done", 0).whole():
        journal.append([event])
    failed = started("failed", 1)
    journal.append([failed.started(), failed.ended(Status.FAILED, 2)])
    resumed = started("resumed", 2)
    journal.append([resumed.started(), resumed.ended(Status.WAITING, 3), resumed.resumed()])
    other = started("other", 3, "renewal")
    journal.append([other.started(title="Perpanjangan")])

    runs = [(each.run, each.playbook, each.status, each.exit_code) for each in journal.runs()]
    assert runs == [
        ("other", "renewal", "interrupted", None),
        ("resumed", "care", "interrupted", None),
        ("failed", "care", "failed", 2),
        ("done", "care", "ok", 0),
    ]
    assert [each.run for each in journal.runs(2, "care")] == ["resumed", "failed"]
    assert journal.runs(1)[0].title == "Perpanjangan"
    assert journal.runs()[3].started == START + timedelta(seconds=1)
    assert journal.runs()[3].ended == START + timedelta(seconds=6)
    assert journal.runs(10, "unknown") == ()


def test_a_run_is_running_while_its_process_lives(journal: Journal, records: Path) -> None:
    run = RunFactory("one")
    journal.append([run.started()])
    with Locks(records).acquire("one", "care", [("check", "site")], "budi"):
        assert journal.runs()[0].status == "running"
    assert journal.runs()[0].status == "interrupted"


def test_the_latest_outcome_is_the_last_that_ended_well(journal: Journal) -> None:
    def task(run: str, outcome: Outcome, playbook: str = "care", **place: object) -> None:
        factory = RunFactory(run, playbook)
        journal.append([factory.started(), factory.finish(outcome=outcome, **place)])  # type: ignore[arg-type]  # place

    task("r1", Outcome(Status.OK, {"n": 1}))
    task("r2", Outcome(Status.CHANGED, {"n": 2}))
    task("r3", Outcome(Status.FAILED, {"n": 3}))
    task("r4", Outcome(Status.OK, {"n": 4}), playbook="other")
    task("r5", Outcome(Status.OK, {"n": 5}), target=None)
    task("r6", Outcome(Status.OK, {"n": 6}), item="0")
    latest = journal.latest_outcome("care", "check", "probe", "site")
    assert latest is not None
    assert (latest.outputs, latest.run, latest.at) == ({"n": 2}, "r2", START + timedelta(seconds=2))
    before = journal.latest_outcome("care", "check", "probe", "site", other_than="r2")
    once = journal.latest_outcome("care", "check", "probe", None)
    item = journal.latest_outcome("care", "check", "probe", "site", item="0")
    assert [each and each.outputs["n"] for each in (before, once, item)] == [1, 5, 6]
    assert journal.latest_outcome("care", "check", "unknown", "site") is None


def test_what_an_action_gave_last_is_found_by_a_value_of_its_output(journal: Journal) -> None:
    def scan(run: str, series: str, number: int, **more: Any) -> None:
        factory = RunFactory(run, more.pop("playbook", "care"))
        done = factory.finish(
            outcome=Outcome(more.pop("status", Status.OK), {"n": number, "got": {"of": series}}), **more
        )
        event = replace(done, data={**done.data, "action": "logs.scan"})
        journal.append([factory.started(), event])

    scan("r1", "a", 1)
    scan("r2", "a", 2, step="other", task="scan")
    scan("r3", "b", 3)
    scan("r4", "a", 4, status=Status.FAILED)
    scan("r5", "a", 5, target="elsewhere")
    scan("r6", "a", 6, playbook="another")
    found = [journal.latest_with("care", "site", "logs.scan", "got", of=series) for series in ("a", "b", "c")]
    assert [each and each["n"] for each in found] == [2, 3, None]
    assert journal.latest_with("care", "site", "logs.fetch", "got", of="a") is None


def test_the_outcomes_of_an_action_on_a_target_are_known_to_every_playbook(journal: Journal) -> None:
    def drill(run: str, playbook: str, status: Status, target: str | None = "site") -> None:
        factory = RunFactory(run, playbook)
        done = factory.finish(outcome=Outcome(status, {"n": run}), target=target)
        journal.append([factory.started(), replace(done, data={**done.data, "action": "backup.drill"})])

    drill("r1", "care", Status.OK)
    drill("r2", "another", Status.FAILED)
    drill("r3", "care", Status.OK, target="elsewhere")
    found = journal.outcomes("backup.drill", "site")
    assert [(each["run"], each["status"], each["outputs"]) for each in found] == [
        ("r1", "ok", {"n": "r1"}),
        ("r2", "failed", {"n": "r2"}),
    ]
    assert all(set(each) == {"run", "at", "status", "outputs", "evidence"} for each in found)
    assert journal.outcomes("backup.prune", "site") == []


def test_who_signed_a_document_in_this_run_counts_until_it_is_returned(journal: Journal) -> None:
    def answer(run: str, label: str, subject: str) -> None:
        factory = RunFactory(run)
        event = factory.answered()
        journal.append([replace(event, data={**event.data, "label": label, "subject": subject})])

    for run in ("r1", "r2"):
        journal.append([RunFactory(run).started()])
    answer("r1", "signed", "a" * 64)
    found = journal.signed("r1", "a" * 64)
    assert found
    assert (found["role"], found["person"]) == ("sekretaris", "siti")
    assert journal.signed("r2", "a" * 64) is None
    assert journal.signed("r1", "b" * 64) is None
    answer("r1", "returned", "a" * 64)
    assert journal.signed("r1", "a" * 64) is None


def test_the_latest_step_is_the_last_that_ended_well(journal: Journal) -> None:
    for number, status in enumerate([Status.OK, Status.FAILED, Status.SKIPPED]):
        run = RunFactory(f"r{number}")
        journal.append([run.started(), run.step_finished(status=status, outputs={"n": number})])
    latest = journal.latest_step("care", "check", "site")
    assert latest is not None
    assert (latest.outputs, latest.run) == ({"n": 0}, "r0")
    assert journal.latest_step("care", "check", "site", other_than="r0") is None
    assert journal.latest_step("care", "check", None) is None


def test_a_run_is_found_by_its_beginning(journal: Journal) -> None:
    with pytest.raises(Refused, match="there is no run yet"):
        journal.find_run("last")
    for name in ("20261122-0930-aaaaa", "20261122-0931-bbbbb", "20261123-0700-ccccc"):
        journal.append([RunFactory(name).started()])
    assert journal.find_run("last") == "20261123-0700-ccccc"
    assert journal.find_run("20261123") == "20261123-0700-ccccc"
    assert journal.find_run("bbbbb") == "20261122-0931-bbbbb"
    with pytest.raises(Refused, match="beginning of 2 runs: 20261122-0930-aaaaa, 20261122-0931-bbbbb"):
        journal.find_run("20261122")
    with pytest.raises(Refused, match=r"did you mean.*20261123-0700-ccccc"):
        journal.find_run("20261123-0700-cccc0")
    for text in ("", "%", "20261122-093_"):
        with pytest.raises(Refused):
            journal.find_run(text)


def test_run_ids_sort_and_do_not_repeat() -> None:
    now = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
    ids = {new_run_id(now) for _ in range(100)}
    assert len(ids) == 100
    assert all(re.fullmatch(r"20261122-0930-[2-9bcdfghjkmnpqrstvwxz]{5}", each) for each in ids)
    assert max(ids) < new_run_id(now + timedelta(minutes=1))


@pytest.mark.parametrize(
    ("query", "values"),
    [
        (reader._STARTS, 2),
        (reader._TURN, 1),
        (reader._LATEST_TASK, 6),
        (reader._LATEST_STEP, 4),
        (reader._RUNS, 0),
        (reader._BETWEEN, 3),
        (period._BOUNDS, 4),
        (period._EVENTS, 8),
        (period._SIGHTINGS, 8),
        (marks._MARKS, 0),
        (occurrences._PLACES, 1),
        (occurrences._REPORTS, 4),
        (occurrences._CLEAN, 8),
        (occurrences._TRIES, 5),
        (occurrences._KEYS, 4),
        (unfinished._UNFINISHED, 0),
        (unfinished._ASKING, 0),
        (unfinished._ANSWERED, 0),
        (unfinished._RESUMED, 0),
    ],
)
def test_no_query_reads_the_whole_table(journal: Journal, query: str, values: int) -> None:
    with journal.reading() as connection:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}", [None] * values)]
    assert not [line for line in plan if re.search(r"SCAN events(?! USING)", line)], plan


def test_events_are_unaltered_by_the_way_through_json(journal: Journal) -> None:
    event = RunFactory().finish(outcome=Outcome(Status.OK, {"deep": {"list": [1, 2.5, None, True, "ü"]}}))
    journal.append([event])
    (back,) = journal.events(event.run)
    assert back == event
    assert isinstance(back, Event)
