"""Which symbols of a row stand side by side, and which below one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runner.form.chart import Edge, Node

Level = tuple[Node, ...]


def stack_rows(nodes: Sequence[Node], edges: Sequence[Edge]) -> Mapping[int, tuple[Level, ...]]:
    """Given all symbols and arrows, return each row's levels from top to bottom."""
    rows: dict[int, list[Node]] = {}
    for node in nodes:
        rows.setdefault(node.row, []).append(node)
    return {row: _stack(members, edges) for row, members in rows.items()}


def find_runs(lanes: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Given lanes in order, return them as runs of neighbours: (first, last)."""
    runs: list[tuple[int, int]] = []
    for lane in lanes:
        if runs and runs[-1][1] == lane - 1:
            runs[-1] = (runs[-1][0], lane)
        else:
            runs.append((lane, lane))
    return tuple(runs)


def _stack(nodes: Sequence[Node], edges: Sequence[Edge]) -> tuple[Level, ...]:
    """A symbol stands beside the one before it where the way between their lanes is free, else below."""
    level_of: dict[str, int] = {}
    taken: list[set[int]] = []
    for node in nodes:
        before = [each for each in nodes if each.id in level_of and _leads(edges, each.id, node.id)]
        level = max((_level_after(each, node, level_of, taken) for each in before), default=0)
        span = set(range(node.lanes[0], node.lanes[-1] + 1))
        while level < len(taken) and taken[level] & span:
            level += 1
        taken += [set() for _ in range(level + 1 - len(taken))]
        taken[level] |= span
        level_of[node.id] = level
    return tuple(tuple(node for node in nodes if level_of[node.id] == level) for level in range(len(taken)))


def _leads(edges: Sequence[Edge], source: str, target: str) -> bool:
    return any(edge.source == source and edge.target == target for edge in edges)


def _level_after(before: Node, node: Node, level_of: Mapping[str, int], taken: Sequence[set[int]]) -> int:
    level = level_of[before.id]
    low, high = min(before.lanes[-1], node.lanes[-1]), max(before.lanes[0], node.lanes[0])
    apart = before.lanes[-1] < node.lanes[0] or node.lanes[-1] < before.lanes[0]
    free = apart and not taken[level] & set(range(low + 1, high))
    return level if free else level + 1
