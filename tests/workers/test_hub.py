"""The hub with stations of this process and others: the fence, who gets what, and what becomes of lost acts."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from runner.actions import ACTIONS
from runner.contract import Action, Call, Effect, Evidence, Outcome, Reach, Repeat, Status
from runner.engine.acts import Act, perform
from runner.engine.executors import Threads
from runner.engine.rows import perform_row
from runner.errors import RecordError, Refused
from runner.events import Key
from runner.inventory import Target
from runner.workers import hub as hubs
from runner.workers import parcels, station
from runner.workers.fence import check_fence
from runner.workers.hub import Hub
from runner.workers.roster import Place, Ticket

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
EVIDENCE = b"bukti" * 700_000
Submit = Callable[..., Future[Any]]


class World:
    """The world of the journal's machine: it notes what was kept, and knows one earlier outcome."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, str]] = []
        self.full = False

    def now(self) -> datetime:
        """Always the same."""
        return NOW

    def access(self, server: Target) -> Target:
        """A server as it is."""
        return server

    def recorder(self, key: Key) -> World:
        """This world's record."""
        return self

    def latest(self) -> dict[str, Any]:
        """What came out before."""
        return {"before": 1}

    def secret_key(self, name: str) -> bytes:
        """A key made of its name."""
        return name.encode()

    def keep(self, name: str, content: bytes | BinaryIO, media_type: str) -> Evidence:
        """Note the content by its hash."""
        if self.full:
            raise RecordError("the disk is full. make room")
        data = content if isinstance(content, bytes) else content.read()
        sha256 = hashlib.sha256(data).hexdigest()
        self.kept.append((name, sha256))
        return Evidence(name, sha256, len(data), media_type)


class Doing:
    """An action whose acts wait for the test: what was begun, and when they may end."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.places: dict[str, set[int]] = {}
        self.go_on = threading.Event()
        self.changed = threading.Condition()
        self.then: Callable[[Call], Outcome] = lambda call: Outcome(Status.OK, outputs={"out": call.inputs["in"]})

    def run(self, call: Call) -> Outcome:
        """Begin, wait, and do what the test says."""
        assert call.target is not None
        with self.changed:
            self.begun.append(call.target["name"])
            self.changed.notify_all()
        assert self.go_on.wait(30)
        return self.then(call)

    def await_begun(self, number: int) -> None:
        """Wait until so many acts have begun."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.begun) >= number, 30)


@pytest.fixture
def doing(monkeypatch: pytest.MonkeyPatch) -> Doing:
    """The action `test.wait`, which workers know too."""
    waiting = Doing()
    schema = {"type": "string", "description": "d", "examples": ["e"]}
    file = {**schema, "optional": True, "names": "file"}
    action = Action(
        "test.wait",
        "d",
        inputs={"in": schema, "file": file},
        outputs={"out": schema},
        effect=Effect.CHANGE,
        repeat=Repeat.NEVER,
        reach=Reach.CONTROLLER,
        limit="1m",
        run=waiting.run,
    )
    monkeypatch.setattr(parcels, "ACTIONS", {**ACTIONS, "test.wait": action})
    monkeypatch.setattr(parcels, "PORTABLE", {*parcels.PORTABLE, "test.wait"})
    return waiting


@pytest.fixture
def hub() -> Iterator[Hub]:
    running = Hub(Place("127.0.0.1"))
    running.open()
    yield running
    running.close()


def act(target: str, tries: int = 1, given: str = "a") -> Act:
    """An act on a website."""
    return Act(
        key=Key("s", 1, "t", target, "", tries),
        action=vars(parcels)["ACTIONS"]["test.wait"],
        inputs={"in": given},
        target=Target(target, "website", {"url": "http://127.0.0.1/"}),
        server=None,
        limit=60,
        effect=Effect.CHANGE,
        office={},
    )


@contextmanager
def stations(hub: Hub, *calls: str, seats: int = 2) -> Iterator[dict[str, Future[str]]]:
    """Stations in threads of this process; when the block ends, they are sent home with the hub."""
    threads = Threads()
    taken = {call: threads.submit(station.serve, hub.ticket(call), seats) for call in calls}
    assert hub.wait(lambda: all(hub.has(call) for call in calls), 30)
    yield taken


def lose(hub: Hub, call: str) -> None:
    """Cut the connection of a station."""
    hub._loop.call_soon_threadsafe(hub._roster.stations[call].channel.close)


def test_an_act_comes_back_with_its_outcome(hub: Hub, doing: Doing) -> None:
    doing.go_on.set()
    with stations(hub, "one"):
        done = hub.submit(perform, act("a", given="x"), World()).result(30)
    assert done == Outcome(Status.OK, outputs={"out": "x"})


def test_a_target_keeps_to_its_station_and_targets_are_shared_out(hub: Hub, doing: Doing) -> None:
    places: dict[str, set[Path]] = {}

    def note(call: Call) -> Outcome:
        assert call.target is not None
        places.setdefault(call.target["name"], set()).add(call.directory)  # each station has its own
        return Outcome(Status.OK)

    doing.then = note
    doing.go_on.set()
    with stations(hub, "one", "two"):
        for _ in range(3):
            for future in [hub.submit(perform, act(name), World()) for name in "abcdefgh"]:
                future.result(30)
    assert all(len(found) == 1 for found in places.values())
    used = [next(iter(found)) for found in places.values()]
    assert {used.count(each) for each in set(used)} == {4}


def test_a_lost_station_leaves_its_acts_interrupted_and_others_go_on_elsewhere(hub: Hub, doing: Doing) -> None:
    with stations(hub, "one", "two"):
        first = hub.submit(perform, act("a"), World())
        doing.await_begun(1)
        (busy,) = [call for call, each in hub._roster.stations.items() if each.jobs]
        lose(hub, busy)
        lost = first.result(30)
        doing.go_on.set()
        again = hub.submit(perform, act("a", tries=2), World()).result(30)
    assert lost.status is Status.INTERRUPTED
    assert "was lost while this was being done" in lost.message
    assert again.status is Status.OK
    assert doing.begun == ["a", "a"]  # the first, which nobody knows the end of, and the try that was asked for


def row(hub: Hub, *tries: int, heard: threading.Event | None = None) -> tuple[Future[Any], list[tuple[int, Status]]]:
    """Acts of one target sent ahead in a row; their future, and what is reported of them: try and status."""
    told: list[tuple[int, Status]] = []

    def report(each: Act, outcome: Outcome) -> None:
        told.append((each.key.tries, outcome.status))
        if heard:
            heard.set()

    return hub.submit(perform_row, [act("a", number) for number in tries], World(), report), told


def test_acts_in_a_row_are_told_one_by_one(hub: Hub, doing: Doing) -> None:
    doing.go_on.set()
    with stations(hub, "one"):
        future, told = row(hub, 1, 2, 3)
        assert future.result(30) is None
    assert told == [(1, Status.OK), (2, Status.OK), (3, Status.OK)]


def test_a_row_ends_where_an_act_does_not_go_well(hub: Hub, doing: Doing) -> None:
    doing.then = lambda call: Outcome(Status.FAILED if len(doing.begun) == 2 else Status.OK)
    doing.go_on.set()
    with stations(hub, "one"):
        future, told = row(hub, 1, 2, 3)
        assert future.result(30) is None
    assert told == [(1, Status.OK), (2, Status.FAILED)]
    assert len(doing.begun) == 2


def test_of_a_row_that_is_lost_all_is_interrupted_that_was_not_told(hub: Hub, doing: Doing) -> None:
    first, heard = threading.Event(), threading.Event()

    def then(call: Call) -> Outcome:
        if len(doing.begun) > 1:
            assert first.wait(30)
        return Outcome(Status.OK)

    doing.then = then
    doing.go_on.set()
    with stations(hub, "one"):
        future, told = row(hub, 1, 2, 3, heard=heard)
        doing.await_begun(2)
        assert heard.wait(30)
        lose(hub, "one")
        assert future.result(30) is None
        first.set()
    assert told == [(1, Status.OK), (2, Status.INTERRUPTED), (3, Status.INTERRUPTED)]
    assert len(doing.begun) == 2


def test_an_act_that_loses_three_workers_is_not_handed_to_a_fourth(hub: Hub, doing: Doing) -> None:
    found = []
    for tries in range(1, 5):
        with stations(hub, f"call {tries}"):
            future = hub.submit(perform, act("a", tries), World())
            if tries < 4:
                doing.await_begun(tries)
                lose(hub, f"call {tries}")
            found.append(future.result(30).status)
    doing.go_on.set()
    assert found == [Status.INTERRUPTED] * 3 + [Status.FAILED]
    assert len(doing.begun) == 3


def test_without_any_worker_an_act_is_not_begun(hub: Hub, doing: Doing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "PATIENCE", 0.05)
    done = hub.submit(perform, act("a"), World()).result(30)
    assert done.status is Status.UNREACHABLE
    assert "it was not begun" in done.message
    assert doing.begun == []


def test_what_waits_for_a_worker_begins_when_one_comes(hub: Hub, doing: Doing) -> None:
    doing.go_on.set()
    waiting = hub.submit(perform, act("a"), World())
    with stations(hub, "one"):
        assert waiting.result(30).status is Status.OK


def test_evidence_and_the_record_are_where_the_journal_is(hub: Hub, doing: Doing) -> None:
    world = World()

    def look(call: Call) -> Outcome:
        (call.directory / "large").write_bytes(EVIDENCE)
        kept = call.keep("large", call.directory / "large", "text/plain"), call.keep("small", b"x", "text/plain")
        outputs = {
            "latest": call.record.latest(),
            "key": call.record.secret_key("k").decode(),
            "at": call.now.isoformat(),
        }
        return Outcome(Status.OK, outputs=outputs, evidence=kept)

    doing.then = look
    doing.go_on.set()
    with stations(hub, "one"):
        done = hub.submit(perform, act("a"), world).result(30)
    assert done.outputs == {"latest": {"before": 1}, "key": "k", "at": NOW.isoformat()}
    assert [each.sha256 for each in done.evidence] == [hashlib.sha256(data).hexdigest() for data in (EVIDENCE, b"x")]
    assert world.kept == [(each.name, each.sha256) for each in done.evidence]


@pytest.mark.parametrize(
    "asking",
    [
        lambda call: call.record.report("situation"),
        lambda call: call.record.delete_expired(NOW.date()),
        lambda call: call.notifier(),
        lambda call: call.connect(),
        lambda call: call.keep("pipe", Path("/dev/null"), "text/plain"),
    ],
)
def test_what_belongs_to_the_journals_machine_is_not_done_on_a_worker(
    hub: Hub, doing: Doing, asking: Callable[[Call], Any]
) -> None:
    doing.then = asking
    doing.go_on.set()
    with stations(hub, "one"):
        assert hub.submit(perform, act("a"), World()).result(30).status is Status.FAILED


def test_a_record_that_cannot_be_written_ends_the_run(hub: Hub, doing: Doing) -> None:
    world = World()
    world.full = True
    doing.then = lambda call: Outcome(Status.OK, evidence=(call.keep("a", b"x", "text/plain"),))
    doing.go_on.set()
    with stations(hub, "one"), pytest.raises(RecordError, match="the disk is full"):
        hub.submit(perform, act("a"), world).result(30)


def test_outputs_that_cannot_travel_fail_their_task_only(
    hub: Hub, doing: Doing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.workers.channel.LARGEST_HEAD", 2000)
    doing.then = lambda call: Outcome(Status.OK, outputs={"out": "x" * 3000})
    doing.go_on.set()
    with stations(hub, "one"):
        done = hub.submit(perform, act("a"), World()).result(30)
        assert (done.status, "cannot be sent" in done.message) == (Status.FAILED, True)
        sent = hub.submit(perform, act("a", given="x" * 3000), World()).result(30)
        assert (sent.status, "cannot be sent" in sent.message) == (Status.FAILED, True)
        doing.then = lambda call: Outcome(Status.OK)
        assert hub.submit(perform, act("b"), World()).result(30).status is Status.OK


@pytest.mark.parametrize(
    ("change", "travels"),
    [
        ({}, True),
        ({"target": None}, False),
        ({"action": ACTIONS["backup.files"]}, False),
        ({"action": ACTIONS["person.sign"]}, False),
        ({"action": ACTIONS["command.run"]._replace(name="disk.space")}, False),  # one of the office's own
        ({"inputs": {"file": "here.json"}}, False),
        ({"server": Target("here", "server", {"connection": "local"})}, False),
        ({"server": Target("there", "server", {"address": "192.0.2.1"})}, True),
    ],
)
def test_only_what_needs_nothing_of_this_machine_travels(doing: Doing, change: dict[str, Any], travels: bool) -> None:
    assert parcels.travels(act("a")._replace(**change)) is travels


def test_a_worker_on_this_machine_has_its_files(doing: Doing) -> None:
    assert parcels.travels(act("a")._replace(inputs={"file": "here.json"}), far=False)
    assert not parcels.travels(act("a")._replace(action=ACTIONS["backup.files"]), far=False)


def test_all_that_may_travel_is_there() -> None:
    assert set(ACTIONS) >= parcels.PORTABLE


def test_an_act_is_the_same_after_its_journey(doing: Doing) -> None:
    run = ACTIONS["command.run"]
    server = Target("web1", "server", {"address": "192.0.2.1", "password": "kata sandi"})
    sent = act("a")._replace(
        action=run, inputs={"command": ("echo $1", ("x; y",)), "stdin": "s"}, server=server, run_as="www", mode="probe"
    )
    got = parcels.unpack_act(parcels.pack_act(sent, server, World()))  # type: ignore[arg-type]  # a server as it is
    assert got == (sent, NOW, [])


def test_what_compares_takes_what_came_out_the_last_time_along(doing: Doing) -> None:
    sent = act("a")._replace(action=ACTIONS["website.available"], inputs={})
    got = parcels.unpack_act(parcels.pack_act(sent, None, World()))  # type: ignore[arg-type]  # the test's own world
    assert got.latest == [{"before": 1}]


def test_who_has_no_ticket_is_not_let_in(hub: Hub) -> None:
    ticket = hub.ticket("one")
    false = Ticket(ticket.host, ticket.port, "one", "0" * 64)
    assert "127.0.0.1" in station.serve(false, 1)
    assert hub.room() == 0
    assert ticket.token not in repr(ticket)


def test_another_version_of_sop_is_not_let_in(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(station, "fingerprint", lambda: "another")
    assert "another version of sop" in station.serve(hub.ticket("one"), 1)
    assert "another version of sop" in hub.refusals["one"]


def test_a_call_that_runs_twice_takes_one_station_on(hub: Hub) -> None:
    with stations(hub, "one", seats=3):
        assert "the same call runs twice" in station.serve(hub.ticket("one"), 3)
        assert hub.room() == 3


def test_a_station_that_leaves_ends_what_it_does_and_gets_nothing_more(hub: Hub, doing: Doing) -> None:
    leaving = threading.Event()
    threads = Threads()
    home = threads.submit(station.serve, hub.ticket("one"), 2, None, leaving.is_set)
    assert hub.wait(lambda: hub.has("one"), 30)
    first = hub.submit(perform, act("a"), World())
    doing.await_begun(1)
    leaving.set()
    assert _await(lambda: hub.room() == 0)  # told with its next beat
    doing.go_on.set()
    assert first.result(30).status is Status.OK
    assert home.result(30) == station.STOPPED


def _await(holds: Callable[[], bool]) -> bool:
    waiting = threading.Event()
    return any(holds() or waiting.wait(0.05) for _ in range(600))


def fence_of(hub: Hub, submit: Submit) -> None:
    """Check the fence with an executor that does calls in its own way."""
    check_fence(hub, lambda ticket: submit(station.knock, ticket))


def test_threads_keep_the_fence(hub: Hub) -> None:
    fence_of(hub, Threads().submit)
    assert hub.knocks["knock"] == 2


def test_an_executor_that_repeats_calls_is_refused(hub: Hub) -> None:
    threads = Threads()

    def twice(function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        return threads.submit(lambda: (function(*arguments), function(*arguments))[1])

    with pytest.raises(Refused, match="it does a call more than once"):
        fence_of(hub, twice)


def test_an_executor_that_keeps_answers_is_refused(hub: Hub) -> None:
    threads = Threads()
    known: dict[Any, Future[Any]] = {}

    def once(*call: Any) -> Future[Any]:
        if call not in known:
            known[call] = threads.submit(*call)
        return known[call]

    with pytest.raises(Refused, match="it does an equal call only once"):
        fence_of(hub, once)


def test_an_executor_whose_workers_cannot_come_here_is_refused(hub: Hub) -> None:
    def elsewhere(function: Callable[..., Any], ticket: Ticket) -> Future[Any]:
        return Threads().submit(function, Ticket(ticket.host, 9, ticket.call, ticket.token))

    with pytest.raises(Refused, match="a worker does not reach this machine"):
        fence_of(hub, elsewhere)


def test_an_executor_that_fails_its_calls_is_refused(hub: Hub) -> None:
    def fail(ticket: Ticket) -> str:
        raise ModuleNotFoundError("No module named 'runner'")

    with pytest.raises(Refused, match="No module named 'runner'"):
        check_fence(hub, lambda ticket: Threads().submit(fail, ticket))
