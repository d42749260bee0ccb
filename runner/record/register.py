"""The register as the JSON document that `sop problems --format json` prints, and its JSON Schema."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from runner.contract import Severity
from runner.record.problems import KnownProblem, Past, State
from runner.record.schema_parts import DIALECT, EVIDENCE, Schema, many, moment, one, thing


def register_document(problems: Iterable[KnownProblem]) -> dict[str, Any]:
    """Given problems, return them as `sop problems --format json` prints them; its form is REGISTER_SCHEMA."""
    return {"problems": [problem_document(problem) for problem in problems]}


def problem_document(problem: KnownProblem) -> dict[str, Any]:
    """Given a problem, return it as plain JSON values."""
    holder, accepted = problem.holder, problem.accepted
    return {
        "key": problem.key,
        "target": problem.target,
        "severity": str(problem.severity),
        "state": str(problem.state),
        "message": problem.message,
        "first_seen": problem.first_seen.isoformat(),
        "last_seen": problem.last_seen.isoformat(),
        "times": problem.times,
        "playbook": problem.playbook,
        "step": problem.step,
        "task": problem.task,
        "run": problem.run,
        "evidence": [each._asdict() for each in problem.evidence],
        "holder": holder
        and {"run": holder.run, "since": holder.since.isoformat(), "step": holder.step, "roles": list(holder.roles)},
        "accepted": accepted
        and {
            "person": accepted.person,
            "reason": accepted.reason,
            "at": accepted.at.isoformat(),
            "until": _text(accepted.until),
        },
        "solved_at": _text(problem.solved_at),
        "solved_by": problem.solved_by,
        "gone_in": problem.gone_in,
        "earlier": [_past(past) for past in problem.earlier],
    }


def _past(past: Past) -> dict[str, Any]:
    return {
        "first_seen": past.first_seen.isoformat(),
        "last_seen": past.last_seen.isoformat(),
        "times": past.times,
        "solved_at": past.solved_at.isoformat(),
        "solved_by": past.solved_by,
        "gone_in": past.gone_in,
    }


def _text(moment_: datetime | None) -> str | None:
    return moment_.isoformat() if moment_ else None


_SPAN = {
    "first_seen": moment("When it was first seen, UTC.", "2026-11-20T01:00:12+00:00"),
    "last_seen": moment("When it was last seen, UTC.", "2026-11-22T01:00:09+00:00"),
    "times": one("integer", "How many outcomes reported it.", 3, minimum=1),
}
_SOLVED = {
    "solved_by": one("string", "The run that had it in hand before it was gone; empty where it went by itself.", ""),
    "gone_in": one("string", "The run that saw it no more; empty while it is there.", "20261123-0800-h4c2m"),
}
_GONE = "2026-11-23T01:00:10+00:00"

PROBLEM_SCHEMA: Schema = thing(
    "A fault, over all runs: the same key on the same target is one problem.",
    {
        "key": one("string", "Its stable name: the same fault has the same key in every run.", "website.unavailable"),
        "target": one(["string", "null"], "The target that has it; null when none is meant.", "pn_tais"),
        "severity": one("string", "How bad it is.", "critical", enum=[str(each) for each in Severity]),
        "state": one("string", "Where it stands.", "handled", enum=[str(each) for each in State]),
        "message": one("string", "What is wrong, in words.", "https://pn-tais.go.id tidak dapat diakses."),
        **_SPAN,
        "playbook": one("string", "The playbook whose run last saw it.", "pemeliharaan-website"),
        "step": one("string", "The step that last saw it.", "watch"),
        "task": one("string", "The task that last saw it.", "available"),
        "run": one("string", "The run that last saw it.", "20261122-0800-k7f2c"),
        "evidence": many("The files of the outcome that last saw it.", EVIDENCE),
        "holder": thing(
            "The run that has it in hand; null unless it is handled.",
            {
                "run": one("string", "The run that took it up.", "20261122-0800-k7f2c"),
                "since": moment("Since when, UTC.", "2026-11-22T01:00:30+00:00"),
                "step": one("string", "The step that it is in.", "forward"),
                "roles": many("The roles that it waits for, if any.", one("string", "A role.", "kasubbag")),
            },
            missing=True,
        ),
        "accepted": thing(
            "By whom it was accepted, and why; null unless it is.",
            {
                "person": one("string", "Who accepted it.", "Siti Aminah, S.H."),
                "reason": one("string", "Why.", "Situs dipindahkan ke penyedia lain."),
                "at": moment("When, UTC.", "2026-11-22T03:00:00+00:00"),
                "until": moment("Until when, UTC; null: while it lasts.", "2026-12-01T00:00:00+00:00", missing=True),
            },
            missing=True,
        ),
        "solved_at": moment("When it was seen no more, UTC; null while it is there.", _GONE, missing=True),
        **_SOLVED,
        "earlier": many(
            "Its past occurrences, the latest first.",
            thing(
                "A time that it was there before.",
                {**_SPAN, "solved_at": moment("When it was seen no more, UTC.", _GONE), **_SOLVED},
            ),
        ),
    },
)

REGISTER_SCHEMA: Schema = {
    "$schema": DIALECT,
    "title": "The register of problems of sop",
    **thing(
        "The problems that were asked for.", {"problems": many("The worst first, then the oldest.", PROBLEM_SCHEMA)}
    ),
}
