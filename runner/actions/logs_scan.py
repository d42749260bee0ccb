"""logs.scan: who visited the website, and which requests are suspicious?"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from runner.actions.logs.fetch_keys import INCREMENT, PATH
from runner.actions.logs.paths import log_paths
from runner.actions.logs.restricted import RESTRICTED, restrict
from runner.contract import Action, Call, Effect, Evidence, Outcome, Reach, Repeat, Status
from runner.durations import parse_limit
from runner.errors import Failed

if TYPE_CHECKING:  # the rules are compiled when a log is scanned, not at every start
    from runner.actions.logs.counts import Counts
    from runner.actions.logs.reading import Read

TIMEZONE = "Asia/Jakarta"
REASON = "keamanan sistem: baris log yang mencurigakan"


def run(call: Call) -> Outcome:
    """Read an increment, or the end of the log, and count it. A log that says nothing is a problem, never "nothing
    suspicious"."""
    from runner.actions.logs import counts as counting
    from runner.actions.logs import results, succession

    succession.check(call)
    inputs = call.inputs
    zone = ZoneInfo(call.office.get("timezone") or TIMEZONE)
    thresholds = counting.Thresholds(inputs["login_attempts"], inputs["missing_pages"])
    key = call.record.secret_key(f"visitors of {(call.target or {}).get('name', '')}")
    counts = counting.Counts(thresholds, since=since_moment(call), now=call.now, zone=zone, key=key)
    increment = inputs.get("increment")
    reads = read_increment(call, increment, counts) if increment else ask(call, log_paths(call), counts)
    unknown = results.why_unknown(counts, reads)
    outputs = {**results.build_outputs(counts, reads, unknown, zone), "increment": increment}
    kept = keep(call, outputs, counts, reads)
    restricted = [restrict(call, each, REASON) for each in kept if "restricted" in each.name]
    return Outcome(
        Status.OK,
        outputs={**outputs, "restricted": restricted},
        evidence=kept,
        problems=results.find_problems(counts, unknown),
        message=outputs["summary"],
    )


def since_moment(call: Call) -> datetime | None:
    """Given a call, return from when on lines count. Raise Failed when `since` is not a duration."""
    text = call.inputs.get("since")
    if not text:
        return None
    try:
        return call.now - timedelta(seconds=parse_limit(text))
    except ValueError as error:
        raise Failed(f"since: {error}") from None


def ask(call: Call, paths: Sequence[str], counts: Counts) -> list[Read]:
    """Given the log's paths, read its files, at most `size_limit` bytes in all, and count their lines."""
    from runner.actions.logs.lines import LineCutter
    from runner.actions.logs.reading import Read, find_files, read_end

    connection, run_as = call.connect(), call.run_as
    files = find_files(connection, paths, call.deadline, rotated=call.inputs["rotated"], run_as=run_as)
    left = int(call.inputs["size_limit"])
    reads: list[Read] = []
    for file in files:
        if file.state != "file" or left <= 0:
            reads.append(Read(file, 0, False))
        else:
            cutter = LineCutter(counts.take)
            read = read_end(connection, file, left, call.deadline, cutter.feed, run_as=run_as)
            cutter.end()
            reads.append(read)
            left -= read.size
    return reads


def read_increment(call: Call, increment: Mapping[str, Any], counts: Counts) -> list[Read]:
    """Given what logs.fetch has brought, count its lines. Raise Failed where it is not kept any more."""
    from runner.actions.logs.lines import LineCutter
    from runner.actions.logs.reading import LogFile, Read

    cutter, size = LineCutter(counts.take), 0
    with gzip.open(io.BytesIO(call.record.evidence(increment["sha256"]))) as lines:
        while piece := lines.read(1 << 20):
            size += len(piece)
            cutter.feed(piece)
    cutter.end()
    return [Read(LogFile(increment["series"], size, "file"), size, not (increment["gap"] or increment["left"]))]


def keep(call: Call, outputs: dict[str, Any], counts: Counts, reads: Sequence[Read]) -> tuple[Evidence, ...]:
    """Keep the log of activity without personal data, and apart from it the suspicious lines as they are."""
    files = [{"path": read.file.path, "bytes": read.size, "complete": read.complete} for read in reads]
    text = json.dumps({**outputs, "files": files}, ensure_ascii=True, indent=1)
    kept = [call.keep("visitors.json", text.encode(), "application/json")]
    if counts.hits:
        lines = [json.dumps(hit, ensure_ascii=True) for hit in counts.hits]
        if counts.hits_left_out:
            lines.append(json.dumps({"left_out": counts.hits_left_out}))
        kept.append(call.keep("hits.restricted.jsonl", ("\n".join(lines) + "\n").encode(), "application/x-ndjson"))
    return tuple(kept)


def _number(description: str, example: int, **more: Any) -> dict[str, Any]:
    return {"type": "integer", "minimum": 0, "description": description, "examples": [example], **more}


_MOMENT = {"type": ["string", "null"], "unit": "time"}
_NUMBERS = {"type": "object", "additionalProperties": {"type": "integer"}}
_ROWS = {"type": "array", "items": {"type": "object"}}

ACTION = Action(
    name="logs.scan",
    description="Reads the end of the website's access log, counts its visitors and names suspicious requests",
    inputs={
        "increment": {
            **INCREMENT,
            "description": "What logs.fetch has brought, to be read instead of the log's end",
            "optional": True,
        },
        "path": PATH,
        "since": {
            "type": "string",
            "description": "How far back lines count; without it all that is read",
            "unit": "duration",
            "examples": ["1 hari", "24h"],
            "optional": True,
        },
        "size_limit": {
            "type": "integer",
            "minimum": 1,
            "maximum": 10 * 1024**3,
            "description": "How much is read, from the end of the log",
            "unit": "bytes",
            "examples": [33554432],
            "default": 32 * 1024 * 1024,
        },
        "rotated": {
            "type": "boolean",
            "description": "Whether older files beside it (access.log.1, access.log.2.gz) are read, too",
            "examples": [False],
            "default": False,
        },
        "login_attempts": _number(
            "From how many sent logins on an address is guessing", 10, minimum=1, unit="requests", default=10
        ),
        "missing_pages": _number(
            "From how many different missing pages on an address is searching", 30, minimum=1, unit="pages", default=30
        ),
    },
    outputs={
        "increment": {
            **INCREMENT,
            "type": ["object", "null"],
            "description": "The increment that was read: the next fetch goes on behind it",
        },
        "verdict": {
            "enum": ["clean", "attempts", "likely_intrusion", "unknown"],
            "description": "What the log says; unknown when it is missing, empty or not understood",
            "examples": ["attempts"],
        },
        "summary": {
            "type": "string",
            "description": "The result in one or two sentences, for the report",
            "examples": ["1.204 permintaan dari 87 alamat, Minggu, 22 November 2026. …"],
        },
        "lines": _number("Lines examined", 1210, unit="lines"),
        "not_understood": _number("Lines of no known form", 3, unit="lines"),
        "older": _number("Lines older than `since`", 0, unit="lines"),
        "complete": {
            "type": "boolean",
            "description": "Whether all of the log was read, not only its end",
            "examples": [True],
        },
        "first": {**_MOMENT, "description": "The earliest request", "examples": ["2026-11-21T02:00:00+00:00"]},
        "last": {**_MOMENT, "description": "The latest request", "examples": ["2026-11-22T01:59:58+00:00"]},
        "requests": _number("Requests counted", 1204, unit="requests"),
        "addresses": _number("Different addresses", 87, unit="addresses"),
        "transferred": _number("Bytes sent to visitors", 48211034, unit="bytes"),
        "statuses": {**_NUMBERS, "description": "Requests by status", "unit": "requests", "examples": [{"200": 1100}]},
        "days": {**_NUMBERS, "description": "Requests by day", "unit": "requests", "examples": [{"2026-11-22": 1204}]},
        "top_pages": {
            **_ROWS,
            "description": "The most visited pages, without queries",
            "examples": [[{"path": "/", "requests": 310}]],
        },
        "top_networks": {
            **_ROWS,
            "description": "The networks (/24 or /48) with the most requests",
            "examples": [[{"network": "203.0.113.0/24", "requests": 120}]],
        },
        "attempts": _number("Suspicious requests; one that meets two rules counts twice", 15, unit="requests"),
        "likely_successes": _number("Those of them that likely worked", 0, unit="requests"),
        "suspicious": {
            **_ROWS,
            "description": "The suspicious requests by rule; addresses are masked",
            "examples": [[{"rule": "sql_injection", "severity": "major", "attempts": 15, "likely_successes": 0}]],
        },
        "restricted": RESTRICTED,
    },
    effect=Effect.READ,
    repeat=Repeat.SAFE,
    reach=Reach.SERVER,
    limit="10m",
    run=run,
    targets=("website", "server", ""),
    example="""\
- id: scan
  action: logs.scan
  with: {since: 1 hari, rotated: true}
""",
)
