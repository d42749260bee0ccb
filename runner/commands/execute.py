"""Carrying out a plan: the record, the locks and the signals around the engine."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from runner import __version__
from runner.binding import Bound, declare_own, keep_sources
from runner.commands.bug import masked
from runner.commands.clock import take_clock
from runner.commands.reached import first_servers, servers_of
from runner.connections import open_connections
from runner.engine import Emit, Engine
from runner.engine.executors import Threads
from runner.engine.heading import describe
from runner.engine.progress import build_progress
from runner.engine.scope import StepValue
from runner.engine.terms import Brake, Ending, Request
from runner.errors import refuse
from runner.events import Event, Kind
from runner.inventory import Inventory
from runner.people.accounts import account
from runner.plan import Plan
from runner.record import build_record
from runner.record.digest import build_end
from runner.record.document import Record
from runner.record.evidence import EvidenceStore
from runner.record.journal import Journal, new_run_id, open_journal
from runner.record.locks import Locks
from runner.record.problems import unheld
from runner.services import Secrets, Tell, open_world
from runner.workers import THREADS, Staff, open_staff

DRY_RUN = "dry-run"


@dataclass(frozen=True, slots=True)
class Options:
    """What a run is asked for besides its plan. `said` are the request's words, for the record."""

    records: Path
    forks: int
    said: dict[str, Any]
    explicit: frozenset[str] = frozenset()
    resume: str = ""
    reason: str = ""
    executor: str = THREADS

    def with_executor(self, executor: str) -> Options:
        """The same with another executor than threads, which the record says."""
        said = self.said if executor == THREADS else {**self.said, "executor": executor}
        return replace(self, said=said, executor=executor)


def earlier_values(
    journal: Journal | None, playbook: str, run: str = ""
) -> Callable[[str, str | None], StepValue | None]:
    """What steps that are not selected gave when they last finished, from the journal; its age is said in the note."""

    clock = take_clock()

    def find(step: str, target: str | None) -> StepValue | None:
        from runner.contract import Status

        latest = journal.latest_step(playbook, step, target, other_than=run) if journal else None
        if latest is None:
            return None
        age = clock.now() - latest.at
        return StepValue(Status.OK, latest.outputs, note=f"from run {latest.run}, {_age(age.total_seconds())} ago")

    return find


def _age(seconds: float) -> str:
    from runner.durations import render_duration

    return render_duration(seconds, "en")


def carry_out(
    bound: Bound, options: Options, listen: Emit, *, stopping: Callable[[], None], tell: Tell, whole: bool = True
) -> Record:
    """Given a bound plan, run it (or go on with it), record it, and return its record.

    `stopping` is called, in a thread of its own, when the first Ctrl-C or SIGTERM has come. Without `whole` the record
    holds what a summary tells, and not the tasks that simply went well. `tell` takes how far a task is, from threads.
    """
    plan = bound.plan
    secrets = Secrets(plan.inventory, secrets_of(plan))
    connections = open_connections()
    clock = take_clock()
    run = options.resume or new_run_id(clock.now())
    with ExitStack() as stack:
        stack.enter_context(masked(secrets.redactor.mask))
        at_once = first_servers(plan, options.forks) if options.executor == THREADS and not options.resume else ()
        with connections.expect(servers_of(plan), at_once):
            journal = Journal.open(options.records)
            stack.callback(journal.close)
            _lock(stack, Locks(options.records), run, plan)
            _check_going_on(journal, options.resume)
        stack.enter_context(closing(connections))
        world = open_world(
            plan.inventory,
            connections,
            secrets,
            journal=journal,
            store=EvidenceStore(options.records),
            playbook=plan.playbook.name,
            run=run,
            render=lambda name, kind: render_document(journal, plan.inventory, name, kind, clock.now()),
            clock=clock,
            tell=tell,
        )
        stack.callback(world.close)
        header = _resumed(options) if options.resume else _header(bound, options, world.keep, world.mask)
        asked = open_staff(options.executor, plan, forks=options.forks, confidential=secrets.are_used)
        staff = stack.enter_context(asked)
        request = replace(_build_request(bound, options, journal, run, header, staff), rests=world.rests)

        said: list[Event] | None = [] if whole else None
        with braked(stopping) as brake:
            Engine(plan, _emitting(journal, run, said, listen), staff.executor, world, request, brake).run()
        return build_end(journal, run, said)


def _emitting(journal: Journal, run: str, said: list[Event] | None, listen: Emit) -> Emit:
    """Take events to the journal, and then to who listens; what a run says itself is kept in `said`."""

    def emit(events: Sequence[Event]) -> None:
        journal.append(events)
        if said is not None:
            said.extend(event for event in events if event.run == run)
        listen(events)

    return emit


def _check_going_on(journal: Journal, run: str) -> None:
    """Raise Refused where a run to be resumed was cancelled a moment ago."""
    if run and any(event.kind is Kind.CANCELLED for event in journal.events(run)):
        raise refuse(run, "it was cancelled", "begin a new one, with --from where it should start")


def _build_request(
    bound: Bound, options: Options, journal: Journal, run: str, header: Mapping[str, Any], staff: Staff
) -> Request:
    """What the engine is asked to do, with all that the journal knows of this run and earlier ones."""
    playbook = bound.plan.playbook.name
    return Request(
        run=run,
        header=header,
        calendar=bound.calendar,
        progress=build_progress(journal.events(run)),
        resumed=bool(options.resume),
        forks=options.forks,
        explicit=options.explicit,
        unheld=lambda found: unheld(journal, take_clock().now()),
        alone=Locks(options.records).taking_up,
        earlier=earlier_values(journal, playbook, run),
        child=lambda name: build_progress(journal.events(name)),
        room=staff.room,
        patience=staff.patience,
        ahead=True,
    )


def _lock(stack: ExitStack, locks: Locks, run: str, plan: Plan) -> None:
    """Hold every step of a plan on its targets, and those of the playbooks it includes, until the stack ends."""
    chosen = [step for step in plan.steps if step.selected]
    pairs = [(step.id, target.name if target else None) for step in chosen for target in step.targets]
    stack.enter_context(locks.acquire(run, plan.playbook.name, pairs, account()))
    for step in chosen:
        if step.child:
            _lock(stack, locks, f"{run}.{step.id}", step.child)


def rehearse(bound: Bound, options: Options, listen: Emit, *, stopping: Callable[[], None]) -> tuple[Record, Ending]:
    """Given a bound plan, go through it without changing anything, and return what was found. Records nothing."""
    plan = bound.plan
    secrets = Secrets(plan.inventory, secrets_of(plan))
    journal = open_journal(options.records)
    events: list[Event] = []
    with ExitStack() as stack:
        stack.enter_context(masked(secrets.redactor.mask))
        connections = stack.enter_context(closing(open_connections()))
        world = open_world(
            plan.inventory,
            connections,
            secrets,
            journal=None,
            store=None,
            playbook=plan.playbook.name,
            run=DRY_RUN,
            render=lambda name, kind: b"",
            clock=take_clock(),
            past=journal,
        )
        stack.callback(world.close)
        request = Request(
            run=DRY_RUN,
            header={**describe(plan), "mode": "plan", "by": account(), "version": __version__},
            calendar=bound.calendar,
            forks=options.forks,
            dry=True,
            ahead=True,
            explicit=options.explicit,
            earlier=earlier_values(journal, plan.playbook.name),
            rests=world.rests,
        )

        def emit(said: Sequence[Event]) -> None:
            events.extend(said)
            listen(said)

        with braked(stopping) as brake:
            ending = Engine(plan, emit, Threads(), world, request, brake).run()
        return build_record(events), ending


def secrets_of(plan: Plan) -> frozenset[str]:
    """Names of the secrets that a plan uses: in expressions, and in settings of its targets and their servers."""
    names = set(plan.secrets)
    for step in plan.steps:
        names |= secrets_of(step.child) if step.selected and step.child else set()
    targets = {t for step in plan.steps if step.selected for t in step.targets if t}
    servers = {plan.inventory.server_of(target) for target in targets}
    for target in targets | {server for server in servers if server}:
        names |= set(_referred(target.settings))
    return frozenset(names)


def _referred(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if set(value) == {"secret"} and isinstance(value["secret"], str):
            yield value["secret"]
        for part in value.values():
            yield from _referred(part)
    elif isinstance(value, list):
        for part in value:
            yield from _referred(part)


@contextmanager
def braked(stopping: Callable[[], None]) -> Iterator[Brake]:
    """A brake that Ctrl-C and SIGTERM pull; `stopping` is called at the first of them. A terminal that is closed is a
    screen that is gone: the run goes on without it."""
    brake = Brake()

    def pull(*_: object) -> None:
        if not brake.pulled:  # in a thread: what was interrupted may hold the locks that printing needs
            threading.Thread(target=stopping, name="stopping", daemon=True).start()
        brake.pull()

    before = {number: signal.signal(number, pull) for number in (signal.SIGINT, signal.SIGTERM)}
    if signal.getsignal(signal.SIGHUP) == signal.SIG_DFL:  # not SIG_IGN here: programs that are begun would inherit it
        before[signal.SIGHUP] = signal.signal(signal.SIGHUP, lambda *_: None)
    try:
        yield brake
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _header(bound: Bound, options: Options, keep: Any, mask: Callable[[Any], Any]) -> dict[str, Any]:
    return {
        **describe(bound.plan),
        "mode": "run",
        "by": account(),
        "version": __version__,
        "sources": keep_sources(bound, keep),
        "actions": declare_own(bound),
        "options": mask(options.said),
    }


def _resumed(options: Options) -> dict[str, Any]:
    return {"by": account(), "reason": options.reason, "version": __version__}


def render_document(journal: Journal, inventory: Inventory, run: str, kind: str, now: datetime) -> bytes:
    """Given a run and a kind of document, return it, made from the journal; one of services also from the inventory."""
    if kind.startswith("services"):
        from runner.reports.bundle import render_kind

        return render_kind(kind, inventory, journal, now)
    from runner.reports.making import make_situation, office_of
    from runner.reports.paper.layout import choose_layout
    from runner.reports.paper.page import render_html

    paper = make_situation(journal, run, office_of(inventory))
    return render_html(paper, choose_layout(inventory.office, None, landscape=False)).encode()
