"""`problem.alternatives`: ways to solve each problem in hand, from what the office knows and what helped before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from textwrap import fill
from typing import Any

from runner.actions.documents.kept import as_output, declare_document
from runner.contract import Action, Call, Effect, Outcome, Preview, Reach, Repeat, Status
from runner.messages import readable, render_moment, say

WIDTH = 96
MOST_PROBLEMS = 200
LONGEST_SUMMARY = 2000
NOTHING_KNOWN = "Belum ada alternatif yang dicatat; tambahkan dalam berkas pengetahuan (kunci knowledge)."
_HEADINGS = {
    "causes": "Kemungkinan sebab",
    "checks": "Yang perlu diperiksa",
    "remedies": "Alternatif pemecahan",
    "call": "Yang dapat dihubungi",
}


def run(call: Call) -> Outcome:
    """Gather the alternatives for the problems that this run has in hand, and keep them as evidence."""
    problems = call.record.problems()
    alternatives = [_alternatives(problem) for problem in problems[:MOST_PROBLEMS]]
    now = call.office_time
    text = "\n".join(map(_folded, _lines(alternatives, len(problems), now))) + "\n"
    kept = call.keep("alternatif-pemecahan.txt", text.encode(), "text/plain")
    outputs = {
        "count": len(problems),
        "alternatives": alternatives,
        "summary": _summary(alternatives, len(problems)),
        "document": as_output(kept),
    }
    unknown = sum(not each["known"] for each in alternatives)
    message = f"{unknown} of {len(problems)} problems have no known alternative" if unknown else ""
    return Outcome(Status.OK, outputs=outputs, evidence=(kept,), message=message)


def preview(call: Call) -> Preview:
    """Say what would be gathered."""
    return Preview("the alternatives for the problems in hand would be gathered", changes=False)


def _alternatives(problem: Mapping[str, Any]) -> dict[str, Any]:
    advice, solutions = problem["advice"], problem["solutions"]
    gathered = {name: _together(each[name] for each in advice) for name in _HEADINGS}
    before = [
        {
            "run": solution["run"],
            "solved_at": solution["solved_at"],
            "remarks": [f"{remark['person']}: {remark['note']}" for remark in solution["remarks"]],
            "changes": solution["changes"],
        }
        for solution in solutions
    ]
    return {
        **{name: problem[name] for name in ("key", "target", "severity", "message")},
        "title": next((each["title"] for each in advice if each["title"]), ""),
        **gathered,
        "before": before,
        "known": bool(before or any(gathered.values())),
    }


def _together(lists: Iterator[Sequence[str]]) -> list[str]:
    return list(dict.fromkeys(text for each in lists for text in each))


def _summary(alternatives: Sequence[Mapping[str, Any]], count: int) -> str:
    """One line a problem: the remedy to try first, as much as fits into a question."""
    lines = []
    for number, each in enumerate(alternatives, 1):
        first = next(iter([*_remarks(each), *each["remedies"], *each["call"]]), "belum ada alternatif yang dicatat")
        lines.append(f"{number}. {each['title'] or each['key']}{_on(each)}: {first}")
    text = "\n".join(lines)
    if len(text) > LONGEST_SUMMARY:
        text = text[: LONGEST_SUMMARY - 1] + "…"
    return text if count <= len(alternatives) else f"{text}\n… dan {count - len(alternatives)} masalah lain"


def _remarks(alternative: Mapping[str, Any]) -> list[str]:
    return [remark for solution in alternative["before"] for remark in solution["remarks"]]


def _on(alternative: Mapping[str, Any]) -> str:
    return f" ({alternative['target']})" if alternative["target"] else ""


def _lines(alternatives: Sequence[Mapping[str, Any]], count: int, now: datetime) -> Iterator[str]:
    yield from ("ALTERNATIF PEMECAHAN MASALAH", f"Disusun {render_moment(now, 'id')} untuk {count} masalah.")
    for number, each in enumerate(alternatives, 1):
        yield from ("", f"{number}. {each['title'] or each['key']}{_on(each)}")
        yield f"   Tingkat: {say('severity.' + each['severity'], 'id')}. Kode: {each['key']}"
        yield f"   Kondisi: {_flat(each['message'])}"
        if not each["known"]:
            yield f"   {NOTHING_KNOWN}"
        for name, heading in _HEADINGS.items():
            if each[name]:
                yield f"   {heading}:"
                yield from (f"     - {_flat(text)}" for text in each[name])
        for solution in each["before"]:
            day = render_moment(datetime.fromisoformat(solution["solved_at"]).astimezone(now.tzinfo), "id")
            yield f"   Terakhir terselesaikan {day} (pelaksanaan {solution['run']}):"
            yield from (f"     - {_flat(remark)}" for remark in solution["remarks"])
            if solution["changes"]:
                yield f"     - dikerjakan oleh: {', '.join(solution['changes'])}"
    if count > len(alternatives):
        yield from ("", f"… dan {count - len(alternatives)} masalah lain; lihat: sop problems")


def _folded(line: str) -> str:
    """A line of the document, folded where it is too wide to print; what follows stands under its text."""
    indent = " " * (len(line) - len(line.lstrip(" -")))
    return fill(line, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _flat(text: str) -> str:
    return " ".join(readable(text, " ").split())


_TEXTS: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
ACTION = Action(
    name="problem.alternatives",
    description="Gathers, for each problem that the run has in hand, what the office knows of it (likely causes, "
    "checks, remedies, whom to call: `knowledge` in the inventory) and what solved it the last times.",
    inputs={},
    outputs={
        "count": {"type": "integer", "description": "how many problems the run has in hand", "examples": [2]},
        "alternatives": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "key": {"type": "string", "description": "the problem's key", "examples": ["website.unavailable"]},
                    "target": {"type": ["string", "null"], "description": "where it is", "examples": ["pn_tais"]},
                    "severity": {"type": "string", "description": "how bad it is", "examples": ["critical"]},
                    "message": {"type": "string", "description": "what is wrong", "examples": ["tidak dapat diakses"]},
                    "title": {"type": "string", "description": "the fault in words", "examples": ["Situs tidak aktif"]},
                    "causes": {**_TEXTS, "description": "likely causes", "examples": [["Layanan web berhenti"]]},
                    "checks": {**_TEXTS, "description": "what to look at", "examples": [["Buka dari jaringan lain"]]},
                    "remedies": {**_TEXTS, "description": "ways to solve it", "examples": [["Hidupkan kembali"]]},
                    "call": {**_TEXTS, "description": "whom to call", "examples": [["penyedia hosting"]]},
                    "before": {
                        "type": "array",
                        "items": {"type": "object"},
                        "description": "what solved it before: run, solved_at, remarks, changes",
                        "examples": [[{"run": "20261003-0800-k7f2c", "remarks": ["Budi: layanan dihidupkan"]}]],
                    },
                    "known": {"type": "boolean", "description": "whether any alternative is known", "examples": [True]},
                },
                "description": "a problem and its alternatives",
                "examples": [{"key": "website.unavailable", "remedies": ["Hidupkan kembali layanan web"]}],
            },
            "description": f"a problem each, the worst first, at most {MOST_PROBLEMS}",
            "examples": [[{"key": "website.unavailable", "remedies": ["Hidupkan kembali layanan web"]}]],
        },
        "summary": {
            "type": "string",
            "description": "a line a problem with what to try first, to put into a question",
            "examples": ["1. Situs tidak dapat diakses (pn_tais): Hidupkan kembali layanan web"],
        },
        "document": declare_document("the kept document", "alternatif-pemecahan.txt"),
    },
    effect=Effect.CHANGE,
    repeat=Repeat.SAFE,
    reach=Reach.CONTROLLER,
    limit="2m",
    run=run,
    preview=preview,
    targets=("",),
    example="""\
- id: alternatives
  action: problem.alternatives
""",
)
