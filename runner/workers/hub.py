"""This machine's end of the work that workers do: an executor for the engine, and the fence.

An act never travels through the scheduler of a cluster: it stays here until it is handed to one station, once, over a
connection of our own. What a cluster runs is only the call that takes a station on, so that a call which is done
again, or twice, or never, doubles no act. A station that is lost leaves its acts `interrupted`.
"""

from __future__ import annotations

import asyncio
import secrets
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from io import BytesIO
from itertools import count
from typing import Any, BinaryIO

from runner.contract import Outcome, Status
from runner.engine.acts import Act, perform
from runner.engine.executors import Threads, Value
from runner.engine.rows import perform_row
from runner.errors import Failed, RecordError, refuse
from runner.events import outcome_from_json
from runner.workers.channel import BEAT, Broken, Channel, Content, Gatherer, Message, pack
from runner.workers.parcels import fingerprint, pack_act, travels
from runner.workers.roster import Job, Place, Roster, Station, Ticket

PATIENCE = 60.0  # seconds that an act waits for the first worker, or for a new one when all are lost
LOST_AFTER = 30.0  # later than a station gives up by itself, so that nothing it did still runs then
ADMISSION = 10.0
LONGEST_CLOSE = 5.0
RECALLS = frozenset({"latest", "latest_with", "accepted", "problems", "secret_key", "evidence"})


class Hub:
    """Hands each act to the station that its target keeps to, and answers what stations ask of the record. Stations
    that are not `far` have the files of this machine."""

    def __init__(self, place: Place, tls: ssl.SSLContext | None = None, *, far: bool = True) -> None:
        self._place = place
        self._tls = tls
        self._far = far
        self._token = secrets.token_hex(32)
        self._here = Threads()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="hub", daemon=True)
        self._numbers = count(1)
        self._roster = Roster()
        self._waiting: list[Job] = []
        self._asked = Gatherer(self._loop, self._assign)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._port = 0
        self._joined = threading.Condition()
        self.knocks: Counter[str] = Counter()
        self.refusals: dict[str, str] = {}

    def open(self) -> None:
        """Listen for stations. Raise Refused where that cannot be."""
        self._thread.start()
        try:
            self._port = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(ADMISSION)
        except OSError as error:
            raise refuse(
                "--executor",
                f"cannot listen on {self._place.host}:{self._place.port}: {error.strerror}",
                "name an address of this machine by ?here=HOST:PORT",
            ) from error

    def close(self) -> None:
        """Send all stations home, where they end what still runs, and wait for that a moment."""
        with suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(2 * LONGEST_CLOSE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._here.close()

    def ticket(self, call: str) -> Ticket:
        """The ticket for a call of that name."""
        return Ticket(self._place.known_as or self._place.host, self._port, call, self._token)

    def room(self) -> int:
        """How many acts the stations can do at a time."""
        return self._roster.room()

    def has(self, call: str) -> bool:
        """Whether the station that a call took on is there."""
        return call in self._roster.stations

    def wait(self, until: Callable[[], bool], seconds: float) -> bool:
        """Wait for stations that join, or knock, until that holds; return whether it does."""
        with self._joined:
            return self._joined.wait_for(until, seconds)

    def submit(self, function: Callable[..., Value], /, *arguments: Any) -> Future[Value]:
        """Do an act, or a row of them, on a worker where they may travel, anything else in a thread here."""
        acts: Sequence[Act] = arguments[0] if function is perform_row else arguments[:1]
        if function not in (perform, perform_row) or not all(travels(act, far=self._far) for act in acts):
            return self._here.submit(function, *arguments)
        future: Future[Any] = Future()
        world, report = arguments[1], arguments[2] if function is perform_row else None
        try:
            server = acts[0].server
            access = world.access(server) if server else None
            parcels = [pack_act(act, access, world) for act in acts]
            self._asked.post(Job(acts, world, future, parcels, report))
        except Failed as error:
            Job(acts, world, future, (), report).settle(Outcome(Status.FAILED, message=str(error)))
        return future

    def _assign(self, jobs: Sequence[Job]) -> None:
        """Hand each job to the station of its target, those of a station at once."""
        chosen: dict[Station, list[bytes]] = {}
        for job in jobs:
            why_not = self._roster.why_not(job.acts)
            station = self._roster.home_of(str(job.acts[0].key.target))
            if why_not:
                job.settle(Outcome(Status.FAILED, message=why_not))
            elif station:
                chosen.setdefault(station, []).extend(self._pack(station, job))
            else:
                self._waiting.append(job)
                self._loop.call_later(PATIENCE, self._give_up, job)
        for station, messages in chosen.items():
            station.channel.put(messages)

    def _give_up(self, job: Job) -> None:
        if job in self._waiting:
            self._waiting.remove(job)
            message = f"no worker was there for {PATIENCE:g} s; it was not begun. see that the cluster has workers"
            job.settle(Outcome(Status.UNREACHABLE, message=message))

    def _pack(self, station: Station, job: Job) -> Iterator[bytes]:
        """Note a job as that station's, and yield it as it is sent; nothing where it cannot be."""
        number = next(self._numbers)
        try:
            message = pack({"do": number, "acts": job.parcels})
        except (TypeError, ValueError) as error:
            job.settle(Outcome(Status.FAILED, message=f"its inputs cannot be sent to a worker: {error}"))
            return
        station.jobs[number] = job
        yield message

    async def _listen(self) -> int:
        self._server = await asyncio.start_server(
            self._serve, self._place.host if not self._place.known_as else None, self._place.port, ssl=self._tls
        )
        return int(self._server.sockets[0].getsockname()[1])

    async def _close(self) -> None:
        self._server.close()
        for station in self._roster.stations.values():
            station.leaving = True
            self._begin(self._stop(station))
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=LONGEST_CLOSE)
        left = [*self._tasks]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _stop(self, station: Station) -> None:
        with suppress(Broken):
            await station.channel.send({"stop": True})

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        channel = Channel(reader, writer)
        station: Station | None = None
        why = "this run ended"
        if task := asyncio.current_task():
            self._note(task)
        try:
            station = await self._admit(channel)
            if station:
                await self._attend(station)
        except Broken as error:
            why = str(error)
        finally:
            channel.close()
            if station:
                self._roster.lose(station, why)

    async def _admit(self, channel: Channel) -> Station | None:
        """Let a station in that has a ticket and the same sop; None for another, and for one that only knocks."""
        hello = (await channel.receive(ADMISSION, largest=4096)).head
        if not secrets.compare_digest(str(hello.get("token")).encode(), self._token.encode()):
            raise Broken("it has no ticket")
        call, name = str(hello["call"]), str(hello["name"])
        if hello.get("knock"):
            self.knocks[call] += 1
            await channel.send({"heard": True})
            return None
        why = self._why_not(call, str(hello["sop"]))
        if why:
            self.refusals[call] = f"{name}: {why}"
            await channel.send({"refused": why})
            self._tell_joined()
            return None
        await channel.send({"admitted": True})
        station = self._roster.stations[call] = Station(channel, call, name, max(1, int(hello["seats"])))
        waiting, self._waiting = self._waiting, []
        self._assign(waiting)
        self._tell_joined()
        return station

    def _why_not(self, call: str, sop: str) -> str:
        if self._far and sop != fingerprint():
            return "another version of sop is installed there. install the same one on every worker"
        return "the same call runs twice" if call in self._roster.stations else ""

    def _tell_joined(self) -> None:
        with self._joined:
            self._joined.notify_all()

    async def _attend(self, station: Station) -> None:
        """Take in what a station says until it is gone."""
        beats = asyncio.create_task(station.channel.beat(BEAT))
        try:
            while True:
                self._take(station, await station.channel.receive(LOST_AFTER))
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise Broken(f"it does not speak as agreed: {error!r}") from error
        finally:
            beats.cancel()

    def _take(self, station: Station, message: Message) -> None:
        head = message.head
        if "ask" in head:
            self._begin(self._answer(station, message))
        elif "job" in head:
            job = station.jobs.pop(head["job"]) if head["last"] else station.jobs[head["job"]]
            for outcome in head["outcomes"]:
                job.tell(outcome_from_json(outcome))
            if head["last"]:
                job.end()
        elif "rests" in head:
            self._note_rest(station, head)
        elif "leaving" in head:
            station.leaving = True
        if station.leaving and not station.jobs:
            self._begin(self._stop(station))

    def _note_rest(self, station: Station, head: Mapping[str, Any]) -> None:
        job = station.jobs.get(head["rests"])
        if job:
            key = job.acts[head["place"]].key
            (job.world.rests.begin if head["begins"] else job.world.rests.end)(key)

    async def _answer(self, station: Station, message: Message) -> None:
        head = message.head
        job = station.jobs.get(head["job"])
        if job is None:
            if message.content:
                message.content.close()
            return
        content: Content | None = None
        answer: dict[str, Any] = {"answer": head["ask"]}
        try:
            found = await asyncio.wrap_future(self._here.submit(_ask, job, head, message.content))
            content = found if isinstance(found, bytes) else None
            answer["value"] = None if content is not None else found
        except RecordError as error:
            answer["failed"] = str(error)
            if not job.future.done():
                job.future.set_exception(error)  # a record that cannot be written ends the run
        except Exception as error:  # noqa: BLE001  # the act that asked fails by it, and nothing else
            answer["failed"] = str(error)
        with suppress(Broken):
            await station.channel.send(answer, content)

    def _begin(self, work: Any) -> None:
        self._note(self._loop.create_task(work))

    def _note(self, task: asyncio.Task[Any]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _ask(job: Job, head: Mapping[str, Any], content: BinaryIO | None) -> Any:
    """Given what an act asks, return the answer: JSON values, or bytes. Raise Failed or RecordError."""
    what, arguments = head["what"], head["arguments"]
    if what == "keep":
        name, media_type = arguments
        with content or BytesIO() as file:
            kept = job.world.keep(name, file.getvalue() if isinstance(file, BytesIO) else file, media_type)
        return kept._asdict()
    if what not in RECALLS:
        raise Failed(f"a worker cannot ask for '{what}'")
    return getattr(job.world.recorder(job.acts[head["place"]].key), what)(*arguments)
