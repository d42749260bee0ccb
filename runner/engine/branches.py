"""Several ways at once: what an order names is gone through, each as soon as all that it waits for is done."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeVar

from runner.contract import Outcome
from runner.engine.acts import Act
from runner.engine.course import Ask, Include, Move, Strand, Turn
from runner.playbook.order import Order

Value = TypeVar("Value")
Settled = tuple[Ask, Outcome]
Several = Generator[Sequence[Ask], Settled, Value]


class Way(NamedTuple):
    """Where it goes on from what was done: back to another of the same order (`back`), out of all of it at once
    (`leaves`), nowhere before a person has answered (`waits`), or else to what follows."""

    back: str = ""
    leaves: Move | None = None
    waits: bool = False


class Guide(Protocol):
    """What branches need of those who know what is done in them."""

    def begin(self, name: str) -> Several[Way]:
        """Do what is called that."""

    def turn(self, name: str, way: Way) -> Turn | None:
        """What to wait for before that way is gone; None for nothing."""

    def go_back(self, name: str, way: Way) -> frozenset[str]:
        """Take in that it goes back from there; return those that are done again."""

    def lose(self, name: str, ask: Ask, outcome: Outcome) -> None:
        """Take in the outcome of what was still done in a branch that is not gone on with."""


def singly(strand: Strand[Value]) -> Several[Value]:
    """Given what asks one thing at a time, return the same as a branch among others."""
    try:
        ask = next(strand)
        while True:
            _, outcome = yield (ask,)
            ask = strand.send(outcome)
    except StopIteration as end:
        value: Value = end.value
        return value


@dataclass(slots=True)
class _Branch:
    """One in progress, and what it waits for; `left` once it is not gone on with."""

    name: str
    flow: Several[Way]
    asks: dict[int, Ask] = field(default_factory=dict)
    left: bool = False

    @property
    def in_flight(self) -> bool:
        return any(isinstance(ask, Act | Include) for ask in self.asks.values())


class Branches:
    """Goes through what is not `done` of an order. A branch that waits for a person holds up only what comes after."""

    def __init__(self, order: Order, guide: Guide, done: Collection[str] = ()) -> None:
        self._order = order
        self._guide = guide
        self._after = order.after
        self._done = {name for name in order.before if name in done}
        self._lacking = {name: sum(each not in self._done for each in before) for name, before in order.before.items()}
        self._ready = [name for name, lacking in self._lacking.items() if not lacking and name not in self._done]
        self._running: dict[str, _Branch] = {}
        self._owners: dict[int, _Branch] = {}
        self._waiting: set[str] = set()
        self._turns: dict[int, tuple[Turn, str]] = {}
        self._back: dict[str, tuple[Way, bool]] = {}
        self._leaves: Move | None = None

    def go(self) -> Several[Way]:
        """Go through all of it; return whether that leaves it at once, or waits for a person."""
        asks = [*self._go_on()]
        while self._running or self._turns:
            settled = yield asks
            asks = [*self._settle(settled), *self._go_on()]
        return Way(leaves=self._leaves, waits=bool(self._waiting) and not self._leaves)

    def _go_on(self) -> Iterator[Ask]:
        """Go back where that is due, then begin what can be begun, until nothing more can."""
        while (self._back and self._follow_back()) or self._ready:
            held = self._held() if self._back else ()
            ready, self._ready = self._ready, []
            for name in ready if not self._leaves else ():
                if name in held:
                    continue  # it is done again, once what goes back is followed
                branch = self._running[name] = _Branch(name, self._guide.begin(name))
                yield from self._advance(branch, None)

    def _settle(self, settled: Settled) -> Iterator[Ask]:
        ask, outcome = settled
        if id(ask) in self._turns:
            _, name = self._turns.pop(id(ask))
            self._grant(name)
            return
        branch = self._owners.pop(id(ask), None)
        if branch is None:
            return
        del branch.asks[id(ask)]
        if not branch.left:
            yield from self._advance(branch, settled)
        else:
            self._guide.lose(branch.name, ask, outcome)
            self._drop(branch)

    def _advance(self, branch: _Branch, settled: Settled | None) -> Iterator[Ask]:
        try:
            asks = next(branch.flow) if settled is None else branch.flow.send(settled)
        except StopIteration as end:
            del self._running[branch.name]
            yield from self._end(branch.name, end.value)
            return
        for ask in asks:
            branch.asks[id(ask)] = ask
            self._owners[id(ask)] = branch
        yield from asks

    def _end(self, name: str, way: Way) -> Iterator[Ask]:
        if way.waits:
            self._waiting.add(name)
        elif not way.back and not way.leaves:
            self._finish(name)
        else:
            self._back[name] = way, False
            turn = self._guide.turn(name, way)
            if turn:
                self._turns[id(turn)] = turn, name
                yield turn
            else:
                self._grant(name)

    def _finish(self, name: str) -> None:
        self._done.add(name)
        for each in self._after[name]:
            self._lacking[each] -= 1
            if not self._lacking[each]:
                self._ready.append(each)

    def _grant(self, name: str) -> None:
        """It goes back from there, or leaves: what is in flight in the branches concerned ends, nothing new begins."""
        if name in self._back:
            way, _ = self._back[name]
            self._back[name] = way, True
            for each in self._concerned(way):
                if each in self._running:
                    self._running[each].left = True
                    self._drop(self._running[each])

    def _concerned(self, way: Way) -> frozenset[str]:
        return frozenset(self._order.before) if way.leaves else self._order.follows(way.back) | {way.back}

    def _held(self) -> frozenset[str]:
        """What is not begun any more, because something is about to go back before it."""
        return frozenset().union(*(self._concerned(way) for way, granted in self._back.values() if granted))

    def _drop(self, branch: _Branch) -> None:
        """Leave a branch, unless something of it is still in flight."""
        if not branch.in_flight:
            for number in branch.asks:
                del self._owners[number]
            branch.flow.close()
            del self._running[branch.name]

    def _follow_back(self) -> bool:
        """Follow the first way back whose branches are at rest; return whether there was one."""
        for name, (way, granted) in self._back.items():
            if granted and self._running.keys().isdisjoint(self._concerned(way)):
                self._go_back(name, way)
                return True
        return False

    def _go_back(self, name: str, way: Way) -> None:
        if way.leaves:
            self._leaves = way.leaves
            self._back.clear()
            self._turns.clear()
            return
        del self._back[name]
        again = self._guide.go_back(name, way)
        self._back = {source: back for source, back in self._back.items() if source not in again}
        self._turns = {number: turn for number, turn in self._turns.items() if turn[1] not in again}
        self._waiting -= again
        self._done -= again
        before = self._order.before
        self._ready = [each for each in self._ready if each not in again]
        for each in (each for each in before if each in again):
            self._lacking[each] = sum(other not in self._done for other in before[each])
            if not self._lacking[each]:
                self._ready.append(each)
        if name not in again:
            self._finish(name)
