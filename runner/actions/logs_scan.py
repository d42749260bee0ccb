"""logs.scan: who visited the website, and which requests are suspicious?"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from secrets import token_bytes
from typing import TYPE_CHECKING, Any

from runner.actions.logs.declared import INPUTS, OUTPUTS
from runner.actions.logs.paths import log_paths
from runner.actions.logs.restricted import restrict
from runner.contract import Action, Call, Effect, Evidence, Outcome, Reach, Repeat, Status
from runner.errors import Failed

if TYPE_CHECKING:  # the rules are compiled when a log is scanned, not at every start
    from runner.actions.logs.reading import Read
    from runner.actions.logs.scanning import Scan, Terms

QUIET = "tidak ada baris baru sejak pemindaian terakhir"
REASON = "keamanan sistem: baris log yang mencurigakan"


def run(call: Call) -> Outcome:
    """Read an increment, or the end of the log, and count it. A log that says nothing is a problem, never "nothing
    suspicious"."""
    from runner.actions.logs import results, succession
    from runner.actions.logs.pack import load_detector
    from runner.actions.logs.scanning import Scan

    succession.check(call)
    terms = read_terms(call)
    increment = call.inputs.get("increment")
    scan = Scan(*load_detector([Path(folder) for folder in call.inputs["rules"]]), terms)
    reads = read_increment(call, increment, scan) if increment else ask(call, log_paths(call), scan)
    scan.finish()
    quiet = bool(increment) and not scan.lines  # fetched, and nothing new: what a log lacks, logs.fetch has told
    stale = None if increment else _span(call, "stale_after")
    unknown = QUIET if quiet else results.why_unknown(scan, reads, terms, stale)
    found = results.build_outputs(scan, reads, unknown, terms, call.record.latest())
    outputs = {**found, "increment": increment}
    kept = keep(call, outputs, scan, reads)
    restricted = [restrict(call, each, REASON) for each in kept if "restricted" in each.name]
    return Outcome(
        Status.OK,
        outputs={**outputs, "restricted": restricted},
        evidence=kept,
        problems=() if quiet else results.find_problems(scan, unknown),
        message=outputs["summary"],
    )


def read_terms(call: Call) -> Terms:
    """Given a call, return how its log is judged. Raise Failed for an input that says nothing."""
    from runner.actions.logs.engines import load_ranges
    from runner.actions.logs.layouts import parse_layout
    from runner.actions.logs.ranges import office_networks
    from runner.actions.logs.results import recall_usual
    from runner.actions.logs.scanning import Terms
    from runner.actions.web.own_probe import key_of

    inputs = call.inputs
    form = inputs.get("format") or (inputs.get("increment") or {}).get("format") or ""
    since = _span(call, "since")
    try:
        return Terms(
            now=call.now,
            zone=call.zone,
            since=call.now - since if since else None,
            least={"login_guessing": inputs["login_attempts"], "not_found_burst": inputs["missing_pages"]},
            usual=recall_usual(call.record.latest(), inputs["usual"]),
            ranges=load_ranges(Path(inputs["engines"])) if inputs.get("engines") else {},
            own=office_networks(call.office, "networks"),
            layout=parse_layout(form) if form else None,
            fresh=not inputs.get("increment"),
            key=call.record.secret_key(f"visitors of {(call.target or {}).get('name', '')}") or token_bytes(32),
            probes=key_of(call),
        )
    except ValueError as error:
        raise Failed(str(error)) from None


def _span(call: Call, name: str) -> timedelta | None:
    return timedelta(seconds=call.seconds(name)) if call.inputs.get(name) else None


def ask(call: Call, paths: Sequence[str], scan: Scan) -> list[Read]:
    """Given the log's paths, read its files, at most `size_limit` bytes in all, and scan them."""
    from runner.actions.logs.reading import Read, find_files, read_end

    connection, run_as = call.connect(), call.run_as
    files = find_files(connection, paths, call.deadline, rotated=call.inputs["rotated"], run_as=run_as)
    left = int(call.inputs["size_limit"])
    reads: list[Read] = []
    for file in files:
        if file.state != "file" or left <= 0:
            reads.append(Read(file, 0, False))
        else:
            read = read_end(connection, file, left, call.deadline, scan.feed, run_as=run_as)
            scan.end()
            reads.append(read)
            left -= read.size
    return reads


def read_increment(call: Call, increment: Mapping[str, Any], scan: Scan) -> list[Read]:
    """Given what logs.fetch has brought, scan its lines. Raise Failed where it is not kept any more."""
    from runner.actions.logs.reading import LogFile, Read

    size = 0
    with gzip.open(io.BytesIO(call.record.evidence(increment["sha256"]))) as lines:
        while piece := lines.read(1 << 20):
            size += len(piece)
            scan.feed(piece)
    scan.end()
    return [Read(LogFile(increment["series"], size, "file"), size, not (increment["gap"] or increment["left"]))]


def keep(call: Call, outputs: dict[str, Any], scan: Scan, reads: Sequence[Read]) -> tuple[Evidence, ...]:
    """Keep the log of activity without personal data, and apart from it the suspicious lines as they are."""
    files = [{"path": read.file.path, "bytes": read.size, "complete": read.complete} for read in reads]
    text = json.dumps({**outputs, "files": files}, ensure_ascii=True, indent=1)
    kept = [call.keep("visitors.json", text.encode(), "application/json")]
    if scan.hits:
        lines = [json.dumps(hit, ensure_ascii=True) for hit in scan.hits]
        if scan.hits_left_out:
            lines.append(json.dumps({"left_out": scan.hits_left_out}))
        kept.append(call.keep("hits.restricted.jsonl", ("\n".join(lines) + "\n").encode(), "application/x-ndjson"))
    return tuple(kept)


ACTION = Action(
    name="logs.scan",
    description="Reads the end of the website's access log, counts its visitors and names suspicious requests.",
    inputs=INPUTS,
    outputs=OUTPUTS,
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
