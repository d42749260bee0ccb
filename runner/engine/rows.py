"""Reading tasks in a row: their commands are sent ahead over one connection, so that a link is waited for only once.

Only what reads is sent ahead: a change waits until the outcome before it is on the disk. A command begins only where
the one before ended with 0, so a task that fails stops those behind it, as it does one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

from runner.contract import Command, Connection, Effect, Outcome, Reach, Status
from runner.durations import Deadline
from runner.engine.acts import LONGEST_CONNECT, Act, Services, build_call, perform
from runner.errors import Failed, TimeUp, Unreachable
from runner.inputs import Compiled
from runner.plan import PlannedStep, PlannedTask

MOST = 32
_LASTING = frozenset({"vars", "target", "item", "office", "secret"})  # what no other task changes

Report = Callable[[Act, Outcome], None]


def behind(planned: PlannedStep, task: PlannedTask) -> Iterator[PlannedTask]:
    """Given a task of a step, yield those that come next, one behind the other, as far as they may be sent ahead."""
    if not _reads(task):
        return  # before anything is looked up: most tasks change something
    order = planned.order
    tasks = {each.id: each for each in planned.tasks}
    after = order.after
    while _reads(task) and not task.task.decision and len(after[task.id]) == 1:
        (name,) = after[task.id]
        task = tasks[name]
        if order.before[name] != (order.before[name][0],) or not _reads(task) or not _waits_for_nothing(task):
            return
        yield task


def _reads(task: PlannedTask) -> bool:
    return task.action.ahead is not None and task.effect is Effect.READ and task.for_each is None


def _waits_for_nothing(task: PlannedTask) -> bool:
    return task.when is None and not task.roles and all(map(_is_lasting, task.inputs.values()))


def _is_lasting(compiled: Compiled) -> bool:
    return all(reference.root in _LASTING for _, each in compiled.expressions for reference in each.references)


def perform_row(acts: Sequence[Act], services: Services, report: Report) -> None:
    """Do acts of one server one after the other and report each outcome, up to the first that is not well. Raise
    RecordError when evidence cannot be kept."""
    with ExitStack() as stack:
        try:
            over = _send_ahead(acts, services, stack)
        except Unreachable as error:
            report(acts[0], Outcome(Status.UNREACHABLE, message=str(error)))
            return
        for act in acts:
            outcome = perform(act, services, over)
            report(act, outcome)
            if outcome.status is not Status.OK:
                return


def _send_ahead(acts: Sequence[Act], services: Services, stack: ExitStack) -> Connection | None:
    """Send what can be sent ahead; None where that cannot be done: the first act meets the same, and says it. Raise
    Unreachable."""
    if acts[0].action.reach is not Reach.SERVER:
        return None
    try:
        connection = services.connect(acts[0].server)
        connection.open(Deadline.after(LONGEST_CONNECT))
        commands = [*_commands(acts, services, connection)]
        limits = [act.limit for act, _ in zip(acts, commands, strict=False)]
        return stack.enter_context(connection.ahead(commands, limits, Deadline.after(acts[0].limit)))
    except (TimeUp, Failed):
        return None


def _commands(acts: Sequence[Act], services: Services, connection: Connection) -> Iterator[Command]:
    for act in acts:
        call = build_call(act, services, Deadline.after(act.limit), connection)
        command = act.action.ahead(call) if act.action.ahead else None
        if command is None:
            return
        yield command
