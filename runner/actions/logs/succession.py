"""Increments follow one another: a fetch goes on where the last increment ended that a scan has read to its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runner.actions.logs.place import Known, recall
from runner.contract import Call
from runner.errors import Failed

FETCH, SCAN, OUTPUT = "logs.fetch", "logs.scan", "increment"


@dataclass(frozen=True, slots=True)
class Past:
    """Where a fetch goes on: the `id` of the last increment that was scanned ("" before the first), the place behind
    it, its last moment, and from when on files count the first time (epoch seconds; 0 later). `lost`:
    lines were scanned before, but how far is not known any more."""

    id: str
    place: tuple[Known, ...]
    last: str | None
    since: int
    lost: bool = False


def find_past(call: Call, series: str, since: int) -> Past:
    """Given a log's series and from when on files count the first time, return where to go on."""
    scanned = call.record.latest_with(SCAN, OUTPUT, "series", series)
    if scanned is None:
        earlier = call.record.latest_with(FETCH, OUTPUT, "series", series)
        first = int(earlier["increment"]["since"]) if earlier and not earlier["increment"]["after"] else since
        return Past("", (), None, min(first, since))
    last: Mapping[str, Any] = scanned[OUTPUT]
    fetched = call.record.latest_with(FETCH, OUTPUT, "id", last["id"])
    return Past(last["id"], recall(fetched), last.get("to"), 0 if fetched else since, lost=fetched is None)


def check(call: Call) -> None:
    """Given a scan's call, raise Failed when the lines of its increment were counted by another run meanwhile."""
    increment = call.inputs.get("increment")
    if not increment:
        return
    scanned = call.record.latest_with(SCAN, OUTPUT, "series", increment["series"])
    last = scanned[OUTPUT]["id"] if scanned else ""
    if last not in (increment["id"], increment["after"]):
        raise Failed("these lines of the log were counted by a newer run. nothing is lost: fetch again, then scan")
