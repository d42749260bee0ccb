"""The flow as the paper draws it: symbols in lanes and the arrows between them, read from a playbook's plain data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

Json = Mapping[str, Any]

START, PROCESS, DECISION, CONNECTOR, END = "start", "process", "decision", "connector", "end"


class Node(NamedTuple):
    """A symbol: in which row (from 0) and lanes (from 0) it stands, and the text in it. `either`: one of those acts."""

    id: str
    row: int
    lanes: tuple[int, ...]
    symbol: str
    text: str = ""
    either: bool = False


class Edge(NamedTuple):
    """An arrow between two symbols, with the label on it; `mark` stands on paper for a label that is too long."""

    source: str
    target: str
    label: str = ""
    mark: str = ""

    @property
    def shown(self) -> str:
        return self.mark or self.label


class Chart(NamedTuple):
    """All symbols in the order of the paper, and all arrows."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


class _Act(NamedTuple):
    """What may become a symbol. `before` names the acts of the same step that it follows; none: it begins the step.
    Without lanes it is not drawn, and arrows pass it by."""

    node: Node
    before: tuple[str, ...]
    answers: Mapping[str, Any]
    arrows: Sequence[Json] | None


_Source = tuple[str, str]  # a symbol, and the label of the arrow that leaves it


def build_chart(playbook: Json) -> Chart:
    """Given a playbook's plain data, return its chart.

    A step with an actor is one symbol; tasks with an actor, symbol or decision of their own are symbols instead. An
    arrow follows the order of steps and tasks and their `after` and `decide`; `arrows` says what the paper draws
    where that differs.
    """
    roles = list(playbook["procedure"].get("roles") or {})
    return _Drawing(playbook["steps"], {role: lane for lane, role in enumerate(roles)}).chart()


def find_texts(value: Any) -> list[str]:
    """Given one text, several, any one of several, or none, return them as a list."""
    if value is None:
        return []
    if isinstance(value, Mapping):
        value = value["any_of"]
    return [str(value)] if isinstance(value, str | int) else [str(each) for each in value]


class _Drawing:
    def __init__(self, steps: Sequence[Json], lanes: Mapping[str, int]) -> None:
        self._steps = steps
        self._lanes = lanes
        self._rows = {step["id"]: row for row, step in enumerate(steps)}
        self._acts = [self._acts_of(row, step) for row, step in enumerate(steps)]

    def chart(self) -> Chart:
        nodes: list[Node] = []
        edges: dict[Edge, None] = {}
        for row, acts in enumerate(self._acts):
            for key, act in acts.items():
                if act.node.lanes:
                    nodes.append(act.node)
                    edges |= {Edge(source, act.node.id, label): None for source, label in self._into(row, key)}
                    for edge, ending in self._out_of(row, act):
                        edges[edge] = None
                        nodes += [ending] if ending and ending not in nodes else []
        order = {node.id: place for place, node in enumerate(nodes)}
        return Chart(tuple(nodes), tuple(sorted(edges, key=lambda edge: order[edge.source])))

    def _acts_of(self, row: int, step: Json) -> dict[str, _Act]:
        tasks = step.get("tasks") or ()
        shown = [task for task in tasks if any(task.get(key) for key in ("actor", "symbol", "decide"))]
        if not any(self._task_lanes(step, task) for task in shown):
            on_paper = step.get("actor") or step.get("symbol")
            lanes = self._find_lanes(step.get("actor"), step) if on_paper else ()
            return {"": self._act(row, step, step["id"], (), lanes)}
        acts: dict[str, _Act] = {}
        covered = {lane for task in shown for lane in self._task_lanes(step, task)}
        left = tuple(lane for lane in self._find_lanes(step.get("actor"), {}) if lane not in covered)
        if left:
            acts[""] = _Act(Node(step["id"], row, left, step.get("symbol") or PROCESS), (), {}, None)
        for task in tasks:
            written = task.get("after")
            before = tuple(acts)[-1:] if written is None else tuple(written) or (("",) if left else ())
            lanes = self._task_lanes(step, task) if task in shown else ()
            acts[task["id"]] = self._act(row, task, f"{step['id']}.{task['id']}", before, lanes)
        if step.get("decide"):
            self._end_with_decision(row, step, acts)
        return acts

    def _end_with_decision(self, row: int, step: Json, acts: dict[str, _Act]) -> None:
        """The step's decision: the diamond that its last task is, else one of its own."""
        followed = {name for act in acts.values() for name in act.before}
        last = tuple(name for name in acts if name not in followed)
        lanes = self._find_lanes(step.get("actor"), step)
        drawn = [name for name in last if acts[name].node.lanes and not acts[name].answers]
        if len(drawn) == 1 and (not lanes or acts[drawn[0]].node.symbol == DECISION):
            answers, arrows = step["decide"]["answers"], step.get("arrows", acts[drawn[0]].arrows)
            acts[drawn[0]] = acts[drawn[0]]._replace(answers=answers, arrows=arrows)
        else:
            acts["decide"] = self._act(row, {**step, "symbol": DECISION}, f"{step['id']}.decide", last, lanes)

    def _task_lanes(self, step: Json, task: Json) -> tuple[int, ...]:
        return self._find_lanes(task.get("actor") or step.get("actor"), task)

    def _find_lanes(self, actor: Any, body: Json) -> tuple[int, ...]:
        decides = (body.get("decide") or {}).get("actor")
        return tuple(sorted({self._lanes[role] for role in find_texts(decides or actor) if role in self._lanes}))

    def _act(self, row: int, body: Json, name: str, before: tuple[str, ...], lanes: tuple[int, ...]) -> _Act:
        decide = body.get("decide") or {}
        symbol = body.get("symbol") or (DECISION if decide else PROCESS)
        text = body.get("caption") or (decide.get("question") or "" if symbol == DECISION else "")
        acting = decide.get("actor") or body.get("actor") or self._steps[row].get("actor")
        node = Node(name, row, lanes, symbol, text, isinstance(acting, Mapping))
        return _Act(node, before, decide.get("answers") or {}, body.get("arrows"))

    def _into(self, row: int, key: str) -> Iterator[_Source]:
        """The arrows that lead to an act by the order of things."""
        before = self._acts[row][key].before
        for name in before:
            yield from self._behind(row, name)
        if not before:
            yield from self._into_step(row)

    def _into_step(self, row: int) -> Iterator[_Source]:
        written = self._steps[row].get("after")
        rows = [row - 1] if written is None else [self._rows[name] for name in written if name in self._rows]
        for other in rows:
            if other >= 0:
                yield from self._behind_step(other)

    def _behind_step(self, row: int) -> Iterator[_Source]:
        acts = self._acts[row]
        followed = {name for act in acts.values() for name in act.before}
        for name in acts:
            if name not in followed:
                yield from self._behind(row, name)

    def _behind(self, row: int, key: str) -> Iterator[_Source]:
        """The arrows that leave an act towards what follows it; of one that is not drawn, those that lead to it."""
        act = self._acts[row].get(key)
        if act is None:
            return
        if not act.node.lanes:
            yield from self._into(row, key)
        elif act.arrows is not None:
            yield from ((act.node.id, arrow.get("label") or "") for arrow in act.arrows if arrow["to"] == "next")
        elif act.answers:
            yield from ((act.node.id, label) for label, route in act.answers.items() if route == "next")
        elif act.node.symbol != END:
            yield act.node.id, ""

    def _out_of(self, row: int, act: _Act) -> Iterator[tuple[Edge, Node | None]]:
        """The arrows to named places; those out of the flow with the symbol they lead to."""
        if act.arrows is not None:
            ways = [(arrow.get("label") or "", arrow["to"]) for arrow in act.arrows]
        else:
            ways = [*act.answers.items()]
        for label, route in ways:
            if route in ("end", "out") or (isinstance(route, Mapping) and "out" in route):
                ending = _ending(act.node, route)
                yield Edge(act.node.id, ending.id, label), ending
            elif isinstance(route, Mapping):
                yield from ((Edge(act.node.id, name, label), None) for name in self._entries(row, route))

    def _entries(self, row: int, route: Json) -> Iterator[str]:
        place = self._rows.get(route.get("step", ""), row)
        if "task" in route:
            act = self._acts[place].get(route["task"])
            yield from [act.node.id] if act and act.node.lanes else []
            return
        for name, act in self._acts[place].items():
            if act.node.lanes and self._begins(place, name):
                yield act.node.id

    def _begins(self, row: int, key: str) -> bool:
        """Whether an act is the first drawn one of its step, or one of the first."""
        before = self._acts[row][key].before
        known = [name for name in before if name in self._acts[row]]
        return all(not self._acts[row][name].node.lanes and self._begins(row, name) for name in known)


def _ending(node: Node, route: Any) -> Node:
    if route == "end":
        return Node(f"{node.id}/end", node.row, node.lanes[:1], END)
    text = route["out"] if isinstance(route, Mapping) else ""
    return Node(f"{node.id}/out{'/' if text else ''}{text}", node.row, node.lanes[:1], CONNECTOR, text)
