"""What a scan says: outputs, the log of activity for the file, problems. Addresses are masked, queries left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any

from runner.actions.logs.counts import Counts, Finding
from runner.actions.logs.reading import Read
from runner.contract import Problem, Severity
from runner.messages import render_date, render_number

MOST_SHOWN = 20
LEAST_UNDERSTOOD = 0.5
_RANK = tuple(Severity)


def build_outputs(counts: Counts, reads: Sequence[Read], unknown: str, zone: tzinfo) -> dict[str, Any]:
    """Given counts, what was read, and why nothing can be said ("" when it can), return the outputs as declared."""
    found = sorted(counts.findings.values(), key=lambda finding: (-finding.successes, -finding.attempts))
    successes = sum(finding.successes for finding in found)
    attempts = sum(finding.attempts for finding in found)
    verdict = "likely_intrusion" if successes else "attempts" if attempts else "unknown" if unknown else "clean"
    return {
        "verdict": verdict,
        "summary": render_summary(counts, attempts, successes, unknown, zone),
        "lines": counts.lines,
        "not_understood": counts.not_understood,
        "older": counts.older,
        "complete": bool(reads) and all(read.complete for read in reads),
        "first": _iso(counts.first),
        "last": _iso(counts.last),
        "requests": counts.requests,
        "addresses": counts.addresses,
        "transferred": counts.bytes,
        "statuses": dict(sorted(counts.statuses.items())),
        "days": dict(sorted(counts.days.items())),
        "top_pages": _top(counts.pages, "path"),
        "top_networks": _top(counts.networks, "network"),
        "attempts": attempts,
        "likely_successes": successes,
        "suspicious": [_finding(finding) for finding in found],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule.name,
        "title": finding.rule.title,
        "severity": str(finding.rule.severity),
        "attempts": finding.attempts,
        "answered": finding.answered,
        "likely_successes": finding.successes,
        "addresses": len(finding.sources),
        "top_sources": _sources(finding.sources),
        "first": _iso(finding.first),
        "last": _iso(finding.last),
        "examples": list(finding.examples),
    }


def _sources(counter: Counter[str]) -> list[dict[str, Any]]:
    """The masked network of an address, and the token that tells it from others of that network."""
    rows = _top(counter, "source")
    return [{**dict(zip(("network", "token"), row.pop("source").split(), strict=False)), **row} for row in rows]


def _top(counter: Counter[str], name: str) -> list[dict[str, Any]]:
    ordered = sorted(counter.items(), key=lambda pair: (-pair[1], pair[0]))
    return [{name: key, "requests": number} for key, number in ordered[:MOST_SHOWN]]


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def why_unknown(counts: Counts, reads: Sequence[Read]) -> str:
    """Given counts and what was read, return why nothing can be said about visitors; "" when it can."""
    if not any(read.file.state == "file" for read in reads):
        return f"log tidak ada atau tidak dapat dibaca ({', '.join(read.file.path for read in reads)})"
    if counts.lines == 0:
        return "log kosong"
    if counts.not_understood > counts.lines * LEAST_UNDERSTOOD:
        return f"{counts.not_understood} dari {counts.lines} baris log tidak dikenali bentuknya"
    if counts.requests == 0:
        return "tidak ada baris log dalam jangka waktu yang diperiksa"
    return ""


def render_summary(counts: Counts, attempts: int, successes: int, unknown: str, zone: tzinfo) -> str:
    """Given counts, return one or two sentences for the report."""
    if unknown or counts.first is None or counts.last is None:
        return f"Aktivitas pengunjung tidak dapat dipastikan: {unknown}."
    first, last = (render_date(day.astimezone(zone).date(), "id") for day in (counts.first, counts.last))
    span = first if first == last else f"{first} sampai dengan {last}"
    requests, addresses = (render_number(n, "id") for n in (counts.requests, counts.addresses))
    return f"{requests} permintaan dari {addresses} alamat, {span}. {_verdict_words(attempts, successes)}"


def _verdict_words(attempts: int, successes: int) -> str:
    if successes:
        return f"{render_number(attempts, 'id')} permintaan mencurigakan, {successes} di antaranya diduga berhasil."
    if attempts:
        return f"{render_number(attempts, 'id')} permintaan mencurigakan, tidak ada yang tampak berhasil."
    return "Tidak ditemukan permintaan yang mencurigakan."


def find_problems(counts: Counts, unknown: str) -> tuple[Problem, ...]:
    """Given counts and why nothing can be said, return the problems."""
    found = sorted(counts.findings.values(), key=lambda finding: -finding.attempts)
    problems = []
    if unknown:
        message = f"Aktivitas pengunjung tidak dapat dipastikan: {unknown}."
        problems.append(Problem("visitors.log_unknown", Severity.MAJOR, message))
    if found:
        number = sum(finding.attempts for finding in found)
        words = f"{number} permintaan mencurigakan: {_list(found, 'attempts')}."
        problems.append(Problem("visitors.attack_attempts", _worst(found), words))
    worked = [finding for finding in found if finding.successes]
    if worked:
        words = f"Diduga ada serangan yang berhasil: {_list(worked, 'successes')}."
        problems.append(Problem("visitors.likely_intrusion", Severity.CRITICAL, words))
    return tuple(problems)


def _worst(found: Sequence[Finding]) -> Severity:
    """An attempt is everyday life on the web; it weighs more where some were answered with a page."""
    answered = [finding.rule.severity for finding in found if finding.answered]
    worst = max(answered, key=_RANK.index, default=Severity.MINOR)
    return min(worst, Severity.MAJOR, key=_RANK.index)


def _list(found: Sequence[Finding], number: str) -> str:
    return ", ".join(f"{finding.rule.title} ({getattr(finding, number)})" for finding in found)
