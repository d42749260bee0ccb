"""A worker's end: takes acts over a connection to the journal's machine, does them, and tells their outcomes.

It holds one connection to each server for as long as it is there. When the journal's machine is gone or silent, it
ends what still runs and goes home; it begins nothing that it was not just handed.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any, cast

from runner.connections import Connections, open_connections
from runner.contract import OUTPUT_LIMIT, Connection, Evidence, Outcome, Status
from runner.engine.acts import perform
from runner.engine.executors import Threads, Value
from runner.engine.rows import perform_row
from runner.errors import Failed
from runner.events import Key, outcome_to_json
from runner.inventory import Target
from runner.notices import Notifier
from runner.recorder import Recorder
from runner.workers.channel import BEAT, Broken, Channel, Content, Gatherer, Message, pack
from runner.workers.parcels import Parcel, fingerprint, unpack_act
from runner.workers.roster import Ticket

GIVES_UP_AFTER = 20.0
CONNECT_LIMIT = 10.0
STOPPED = "it was sent home"


def serve(
    ticket: Ticket,
    seats: int,
    tls: ssl.SSLContext | None = None,
    leaving: Callable[[], bool] = lambda: False,
    *,
    far: bool = True,
) -> str:
    """Do acts until the journal's machine sends this station home; return why it ended.

    `seats` is how many acts it should get at a time; once `leaving` holds, it gets no further ones. One that is not
    `far` is of the same sop.
    """
    hello = {**_hello(ticket), "seats": seats, "sop": fingerprint() if far else ""}
    try:
        return asyncio.run(_serve(ticket, hello, tls, leaving))
    except (Broken, OSError, TimeoutError) as error:
        return f"{ticket.host}:{ticket.port}: {error or type(error).__name__}"


def knock(ticket: Ticket, tls: ssl.SSLContext | None = None) -> str:
    """Let the journal's machine count how often, and whether, this call is done; return what went wrong."""
    try:
        asyncio.run(_knock(ticket, tls))
    except (Broken, OSError, TimeoutError) as error:
        return f"{ticket.host}:{ticket.port}: {error or type(error).__name__}"
    return ""


async def _knock(ticket: Ticket, tls: ssl.SSLContext | None) -> None:
    channel = await _connect(ticket, tls)
    try:
        await channel.send({**_hello(ticket), "knock": True})
        await channel.receive(CONNECT_LIMIT)
    finally:
        channel.close()


async def _serve(
    ticket: Ticket, hello: Mapping[str, Any], tls: ssl.SSLContext | None, leaving: Callable[[], bool]
) -> str:
    channel = await _connect(ticket, tls)
    station = _Station(channel, leaving)
    beats = asyncio.create_task(channel.beat(BEAT))
    try:
        await channel.send(hello)
        return await station.work()
    finally:
        beats.cancel()
        station.close()
        await asyncio.sleep(0)  # what threads had handed to this loop becomes tasks, which end with it


async def _connect(ticket: Ticket, tls: ssl.SSLContext | None) -> Channel:
    async with asyncio.timeout(CONNECT_LIMIT):
        return Channel(*await asyncio.open_connection(ticket.host, ticket.port, ssl=tls))


def _hello(ticket: Ticket) -> dict[str, Any]:
    return {"token": ticket.token, "call": ticket.call, "name": f"{socket.gethostname()}:{os.getpid()}"}


class _Station:
    """What is done here just now. Acts run in threads; all else in the thread of the event loop."""

    def __init__(self, channel: Channel, leaving: Callable[[], bool]) -> None:
        self._channel = channel
        self._leaving = leaving
        self._loop = asyncio.get_running_loop()
        self._told = Gatherer(self._loop, channel.put)
        self._closing = threading.Lock()
        self._closed = False
        self._numbers = count(1)
        self._answers: dict[int, asyncio.Future[Message]] = {}
        self._threads = Threads()
        self.connections: Connections = open_connections()
        self.directory = Path(tempfile.mkdtemp(prefix="sop-"))

    async def work(self) -> str:
        """Do what the journal's machine hands out until it says that there is no more."""
        told = False
        while True:
            message = await self._channel.receive(GIVES_UP_AFTER)
            head = message.head
            if "do" in head:
                self._threads.submit(self._perform, head["do"], head["acts"])
            elif "answer" in head and head["answer"] in self._answers:
                self._answers.pop(head["answer"]).set_result(message)
            elif "refused" in head:
                return str(head["refused"])
            elif "stop" in head:
                return STOPPED
            if not told and self._leaving():
                told = True
                await self._channel.send({"leaving": True})

    def close(self) -> None:
        """End everything that still runs."""
        with self._closing:
            self._closed = True
        for answer in self._answers.values():
            answer.cancel()
        self.connections.close()
        self._channel.close()
        self._threads.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _perform(self, number: int, packed: Sequence[Mapping[str, Any]]) -> None:
        with suppress(Broken, CancelledError):  # then nobody waits for it any more
            try:
                parcels = [unpack_act(data) for data in packed]
                acts = [parcel.act for parcel in parcels]
                services = _Services(self, number, parcels)
                if len(acts) > 1:
                    perform_row(acts, services, lambda act, outcome: self._post(number, outcome, last=False))
                    self.send({"job": number, "outcomes": [], "last": True})
                else:
                    self._post(number, perform(acts[0], services), last=True)
            except Broken:
                raise
            except Exception as error:  # noqa: BLE001  # whatever it is, the journal's machine waits for an outcome
                fault = f"a fault on the worker: {type(error).__name__}: {error}"
                self._post(number, Outcome(Status.FAILED, message=fault), last=True)

    def _post(self, number: int, outcome: Outcome, *, last: bool) -> None:
        try:
            self.send({"job": number, "outcomes": [outcome_to_json(outcome)], "last": last})
        except ValueError as error:
            failed = Outcome(Status.FAILED, evidence=outcome.evidence, message=f"its outputs cannot be sent: {error}")
            self.send({"job": number, "outcomes": [outcome_to_json(failed)], "last": last})

    def send(self, head: Mapping[str, Any]) -> None:
        """Say something to the journal's machine. Raise Broken where this station has gone home."""
        message = pack(head)
        with self._closing:
            if self._closed:
                raise Broken("this station has gone home")
            self._told.post(message)

    def _wait(self, coroutine: Coroutine[Any, Any, Value]) -> Value:
        """Let the event loop do something, from another thread. Raise Broken, or CancelledError, where it has ended."""
        with self._closing:
            if self._closed:
                coroutine.close()
                raise Broken("this station has gone home")
            waiting = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        return waiting.result()

    def ask(
        self, job: int, what: str, arguments: Sequence[Any], *, place: int = 0, content: Content | None = None
    ) -> Any:
        """Ask the journal's machine on behalf of the act at that place of a job; return JSON values, or bytes.

        Raise Failed.
        """
        asking = self._ask({"job": job, "place": place, "what": what, "arguments": arguments}, content)
        try:
            message = self._wait(asking)
        except (Broken, CancelledError) as error:
            raise Failed(f"the journal's machine is gone: {error}") from error
        if "failed" in message.head:
            raise Failed(str(message.head["failed"]))
        if message.content is None:
            return message.head["value"]
        with message.content as file:
            return file.read()

    async def _ask(self, head: Mapping[str, Any], content: Content | None) -> Message:
        number = next(self._numbers)
        answer: asyncio.Future[Message] = self._loop.create_future()
        self._answers[number] = answer
        await self._channel.send({"ask": number, **head}, content)
        return await answer


class _Recorder:
    """What an act may ask of the record, from here: each question goes to the journal's machine, which knows which of
    them it answers."""

    def __init__(self, station: _Station, job: int, place: int, latest: Sequence[Any]) -> None:
        self._station = station
        self._job = job
        self._place = place
        self._latest = latest

    def latest(self) -> Any:
        """What came out the last time: it came along, or is asked for."""
        return self._latest[0] if self._latest else self._station.ask(self._job, "latest", (), place=self._place)

    def __getattr__(self, question: str) -> Callable[..., Any]:
        return lambda *arguments: self._station.ask(self._job, question, arguments, place=self._place)


class _Services:
    """What acts need of the world, on a worker. Nothing is masked here: an outcome is, before it is recorded."""

    def __init__(self, station: _Station, job: int, parcels: Sequence[Parcel]) -> None:
        self.directory = station.directory
        self._station = station
        self._job = job
        self._parcels = parcels
        self._places = {parcel.act.key: place for place, parcel in enumerate(parcels)}

    def connect(self, server: Target | None) -> Connection:
        """The connection to a server. Raise Failed for this machine, which is not the one that was meant."""
        if server is None:
            raise Failed("this target has no server")
        return self._station.connections.get(server)

    def keep(self, name: str, content: bytes | Path, media_type: str) -> Evidence:
        """Send bytes or a file to the journal's machine, which keeps it as evidence."""
        if isinstance(content, Path) and not content.is_file():
            raise Failed(f"evidence '{name}': {content}: not a plain file. keep a file, or a folder's archive")
        if isinstance(content, bytes) and len(content) > OUTPUT_LIMIT:
            raise Failed(f"evidence '{name}': {len(content)} bytes at once. keep it as a file")
        try:
            return Evidence(**self._station.ask(self._job, "keep", (name, media_type), content=content))
        except OSError as error:
            raise Failed(f"evidence '{name}': {content!r:.80}: {error.strerror}. check the path") from error

    def recorder(self, key: Key) -> Recorder:
        """What the task may ask of the record."""
        place = self._places[key]
        return cast(Recorder, _Recorder(self._station, self._job, place, self._parcels[place].latest))

    def notifier(self, key: Key) -> Notifier:
        """Messages to people go out from the journal's machine."""
        raise Failed("a worker writes to nobody")

    def tell(self, key: Key, text: str) -> None:
        """How far it is, a worker says to nobody."""

    def rest(self, key: Key, seconds: float) -> None:
        """Wait that long; the journal's machine, which hands out what may be done meanwhile, is told."""
        told = {"rests": self._job, "place": self._places[key]}
        self._station.send({**told, "begins": True})
        time.sleep(seconds)
        self._station.send({**told, "begins": False})

    def secret(self, name: str) -> str:
        """Secrets come with the act, where it needs them."""
        raise Failed("a worker looks up no secrets")

    def mask(self, value: Any) -> Any:
        """The value as it is."""
        return value

    def now(self) -> datetime:
        """When the act was handed out, by the clock of the journal's machine."""
        return self._parcels[0].now
