"""logs.fetch: brings what is new of a website's access log, each line once, wherever rotation has put it.

It changes nothing anywhere: how far the log was read is known by the record of the scan. So a dry run fetches too, and
the next run brings the same lines.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from runner.actions.logs.fetch_keys import INPUTS, OUTPUTS
from runner.actions.logs.paths import log_paths
from runner.contract import Action, Call, Effect, Outcome, Problem, Reach, Repeat, Severity, Status
from runner.messages import readable, render_moment, render_number, render_size

if TYPE_CHECKING:  # what unpacks and cuts is loaded when a log is fetched, not at every start
    from runner.actions.logs.fetching import Fetched
    from runner.actions.logs.succession import Past

NAME = "increment.restricted.log.gz"
MOST_NAMED = 50
UNREADABLE = ("missing", "closed")


def run(call: Call) -> Outcome:
    """Fetch the new lines and keep them. A place that is lost is a problem, and the outcome says since when."""
    from runner.actions.logs.fetching import fetch
    from runner.actions.logs.restricted import restrict

    paths = log_paths(call)
    past = _past(call, paths[0])
    fetched = fetch(call, paths, past.place, past.since)
    kept = call.keep(NAME, fetched.path, "application/gzip")
    fetched.path.unlink()
    increment = build_increment(call, paths[0], past, fetched, kept.sha256)
    summary = render_summary(call, fetched)
    outputs = {
        "increment": increment,
        "summary": summary,
        **{name: increment[name] for name in ("lines", "bytes", "left", "gap")},
        "first": increment["from"],
        "last": increment["to"],
        "wire": fetched.wire,
        "files": [
            {"path": readable(each.path), "state": each.state, "size": each.size}
            for each in fetched.pieces[:MOST_NAMED]
        ],
        "place": _render_place(fetched),
        "restricted": [restrict(call, kept, "keamanan sistem: baris log akses untuk pemindaian")],
    }
    return Outcome(Status.OK, outputs, (kept,), tuple(find_problems(call, past, fetched, increment)), summary)


def _past(call: Call, series: str) -> Past:
    from runner.actions.logs.succession import find_past

    return find_past(call, series, int(call.now.timestamp() - call.seconds("since")))


def _render_place(fetched: Fetched) -> list[dict[str, Any]]:
    from runner.actions.logs.place import render_place

    return [{**each, "path": readable(each["path"])} for each in render_place(fetched.place)]


def build_increment(call: Call, series: str, past: Past, fetched: Fetched, sha256: str) -> dict[str, Any]:
    """Given what was fetched and kept, return the increment as declared: the same one, if it is fetched again."""
    from runner.actions.logs.place import digest

    found = fetched.increment
    offsets = sorted(f"{each.head} {each.offset}" for each in found.known)
    return {
        "id": digest("\n".join([past.id, series, sha256, *offsets]).encode("utf-8", "surrogateescape")),
        "after": past.id,
        "series": series,
        "since": past.since,
        "sha256": sha256,
        "format": call.inputs["format"],
        "files": found.files,
        "from": _iso(found.first),
        "to": _iso(found.last),
        "bytes": found.size,
        "lines": found.lines,
        "left": found.left,
        "gap": find_gap(past, fetched),
    }


def find_gap(past: Past, fetched: Fetched) -> dict[str, str | None] | None:
    """Given what was fetched, return from when to when nothing is known; None where nothing is missing."""
    end = _iso(fetched.increment.first)
    if past.lost:
        return {"from": past.last, "to": end}
    if not fetched.gaps:
        return None
    begins = [gap.begin for gap in fetched.gaps if gap.begin]
    return {"from": min(begins, default=past.last), "to": end}


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None


def render_summary(call: Call, fetched: Fetched) -> str:
    """Given what was fetched, return one sentence for the report."""
    found = fetched.increment
    if not found.lines:
        return "Tidak ada baris log baru."
    last = f", sampai dengan {_told(call, _iso(found.last))}" if found.last else ""
    return f"{render_number(found.lines, 'id')} baris baru dari {found.files} berkas log{last}."


def _told(call: Call, moment: str | None) -> str:
    if moment is None:
        return "waktu yang tidak diketahui"
    return render_moment(datetime.fromisoformat(moment).astimezone(call.zone), "id")


def find_problems(call: Call, past: Past, fetched: Fetched, increment: dict[str, Any]) -> Iterable[Problem]:
    """Yield what is wrong: lines that nobody saw, a log that says nothing, and what is still to come."""
    gap = increment["gap"]
    if gap:
        span_ = f"antara {_told(call, gap['from'])} dan {_told(call, gap['to'])}"
        words = f"Tempat baca terakhir dalam log tidak ditemukan lagi: aktivitas pengunjung {span_} tidak diketahui."
        yield Problem("visitors.log_gap", Severity.MAJOR, words)
    if why := why_unknown(call, fetched):
        yield Problem("visitors.log_unknown", Severity.MAJOR, f"Aktivitas pengunjung tidak dapat dipastikan: {why}.")
    if increment["left"]:
        size = render_size(increment["left"], "id")
        words = (
            f"Log bertambah lebih banyak daripada yang diambil sekali jalan: {size} diambil pada kesempatan berikutnya."
        )
        yield Problem("visitors.log_behind", Severity.MINOR, words)


def why_unknown(call: Call, fetched: Fetched) -> str:
    """Given what was fetched, return why the log says nothing, or not all; "" when it does."""
    there = [each for each in fetched.pieces if each.state not in UNREADABLE]
    away = ", ".join(readable(each.path) for each in fetched.pieces if each.state in UNREADABLE)
    if not there:
        return f"log tidak ada atau tidak dapat dibaca ({away})"
    if not any(each.size for each in there):
        return "log kosong"
    newest = datetime.fromtimestamp(max(each.time for each in there), UTC)
    if newest.timestamp() and (call.now - newest).total_seconds() > call.seconds("stale_after"):
        return f"log tidak bertambah sejak {_told(call, newest.isoformat())}"
    return f"sebagian log tidak dapat dibaca ({away})" if away else ""


ACTION = Action(
    name="logs.fetch",
    description="Brings what is new of the website's access log to this machine, each line once, through every "
    "rotation; goes on behind what logs.scan has read.",
    inputs=INPUTS,
    outputs=OUTPUTS,
    effect=Effect.READ,
    repeat=Repeat.SAFE,
    reach=Reach.SERVER,
    limit="15m",
    run=run,
    targets=("website", "server", ""),
    example="""\
- id: fetch
  action: logs.fetch
  with: {since: 7 hari}
""",
)
