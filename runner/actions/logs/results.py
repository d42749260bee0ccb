"""What a scan says: outputs, the log of activity for the file, problems. Addresses are masked, queries left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from heapq import nsmallest
from typing import Any

from runner.actions.logs.findings import MOST_HABITS, Finding
from runner.actions.logs.privacy import mask_address, token_of
from runner.actions.logs.reading import Read
from runner.actions.logs.scanning import Scan, Terms
from runner.contract import Problem, Severity
from runner.messages import render_date, render_number

MOST_SHOWN = 20
LEAST_UNDERSTOOD = 0.5
MOST_DAYS = 91
_RANK = tuple(Severity)


def build_outputs(
    scan: Scan, reads: Sequence[Read], unknown: str, terms: Terms, earlier: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Given a scan, what was read, why nothing can be said ("" when it can), and the outputs of the scan before, return
    the outputs as declared."""
    found = order_findings(scan)
    successes = sum(finding.successes for finding in found)
    attempts = sum(finding.attempts for finding in found)
    verdict = "likely_intrusion" if successes else "attempts" if attempts else "unknown" if unknown else "clean"
    return {
        "verdict": verdict,
        "summary": render_summary(scan, attempts, successes, unknown, terms),
        "lines": scan.lines,
        "not_understood": scan.not_understood,
        "older": scan.older,
        "own_checks": scan.own_checks,
        "complete": bool(reads) and all(read.complete for read in reads),
        "formats": dict(sorted(scan.layouts.items())),
        **build_statistics(scan),
        "attempts": attempts,
        "likely_successes": successes,
        "suspicious": [_finding(finding, terms.key) for finding in found],
        "usual": _learn(found, earlier),
        **build_trend(scan.statistics.days, earlier, anew=terms.fresh),
    }


def build_trend(days: Mapping[str, int], earlier: Mapping[str, Any] | None, *, anew: bool) -> dict[str, Any]:
    """Given requests by day and the outputs of the scan before, return them by day and week as far as they are known.

    A log that is read anew holds days that were counted before: the fuller count stays. Of what was fetched each line
    came once: it adds.
    """
    known = dict((earlier or {}).get("daily") or {})
    for day, number in days.items():
        known[day] = max(number, known.get(day, 0)) if anew else number + known.get(day, 0)
    daily = dict(sorted(known.items())[-MOST_DAYS:])
    weeks: Counter[str] = Counter()
    for day, number in daily.items():
        year, week, _ = date.fromisoformat(day).isocalendar()
        weeks[f"{year}-W{week:02d}"] += number
    return {"daily": daily, "trend": dict(sorted(weeks.items()))}


def _learn(found: Sequence[Finding], earlier: Mapping[str, Any] | None) -> dict[str, list[str]]:
    """What is usual here: what was before, and what was answered to several networks now."""
    usual = {name: list(paths) for name, paths in ((earlier or {}).get("usual") or {}).items()}
    for finding in found:
        if paths := finding.usual_paths():
            usual[finding.rule.name] = sorted({*usual.get(finding.rule.name, ()), *paths})[:MOST_HABITS]
    return usual


def build_statistics(scan: Scan) -> dict[str, Any]:
    """Given a scan, return who visited."""
    counted = scan.statistics
    return {
        "first": _iso(counted.first),
        "last": _iso(counted.last),
        "requests": counted.requests,
        "addresses": counted.addresses,
        "visits": counted.visits,
        "bot_visits": counted.bot_visits,
        "bot_requests": counted.bot_requests,
        "transferred": counted.bytes,
        "statuses": {status.decode(): number for status, number in sorted(counted.statuses.items())},
        "days": dict(sorted(counted.days.items())),
        "hours": dict(sorted(counted.hours.items())),
        "top_pages": top_rows(counted.pages(), "path"),
        "missing_pages": top_rows(counted.missing(), "path"),
        "top_networks": top_rows(counted.networks(), "network"),
        "top_referers": top_rows(counted.referers(), "host"),
        "top_bots": top_rows(counted.bots(), "name"),
        "engines": scan.engines.rows(),
    }


def order_findings(scan: Scan) -> list[Finding]:
    """Given a scan, return its findings: those with likely successes first, then the busiest."""
    return sorted(
        scan.findings.values(), key=lambda finding: (-finding.successes, -finding.attempts, finding.rule.name)
    )


def _finding(finding: Finding, key: bytes) -> dict[str, Any]:
    return {
        "rule": finding.rule.name,
        "title": finding.rule.words,
        "severity": str(finding.severity),
        "attempts": finding.attempts,
        "answered": finding.answered,
        "likely_successes": finding.successes,
        "usual": finding.usual,
        "addresses": len(finding.sources),
        "top_sources": _sources(finding.sources, key),
        "first": _iso(finding.first),
        "last": _iso(finding.last),
        "examples": list(finding.examples),
    }


def _sources(counter: Counter[bytes], key: bytes) -> list[dict[str, Any]]:
    """The masked networks of the busiest addresses, and the tokens that tell them from others of these networks."""
    found: Counter[tuple[str, str]] = Counter()
    for address, number in counter.most_common(2 * MOST_SHOWN):
        text = address.decode("utf-8", "replace")
        found[mask_address(text), token_of(key, text)] += number
    ordered = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_SHOWN]
    return [{"network": network, "token": token, "requests": number} for (network, token), number in ordered]


def top_rows(counter: Counter[str], name: str) -> list[dict[str, Any]]:
    """Given counts, return the highest as rows."""
    ordered = nsmallest(MOST_SHOWN, counter.items(), key=lambda pair: (-pair[1], pair[0]))
    return [{name: key, "requests": number} for key, number in ordered]


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def why_unknown(scan: Scan, reads: Sequence[Read], terms: Terms, stale: timedelta | None = None) -> str:
    """Given a scan, what was read, and after what time without a line a log is `stale`, return why nothing can be said
    about visitors; "" when it can."""
    if not any(read.file.state == "file" for read in reads):
        return f"log tidak ada atau tidak dapat dibaca ({', '.join(read.file.path for read in reads)})"
    if scan.lines == 0:
        return "log kosong"
    if scan.not_understood > scan.lines * LEAST_UNDERSTOOD:
        return f"{scan.not_understood} dari {scan.lines} baris log tidak dikenali bentuknya"
    last = scan.statistics.last
    if last is None:
        return "tidak ada baris log dalam jangka waktu yang diperiksa"
    if stale and terms.now - last > stale:
        return f"baris terakhir log bertanggal {render_date(last.astimezone(terms.zone).date(), 'id')}"
    return ""


def render_summary(scan: Scan, attempts: int, successes: int, unknown: str, terms: Terms) -> str:
    """Given a scan, return one or two sentences for the report."""
    counted = scan.statistics
    if unknown or counted.first is None or counted.last is None:
        return f"Aktivitas pengunjung tidak dapat dipastikan: {unknown}."
    first, last = (render_date(day.astimezone(terms.zone).date(), "id") for day in (counted.first, counted.last))
    span = first if first == last else f"{first} sampai dengan {last}"
    requests, addresses = (render_number(n, "id") for n in (counted.requests, counted.addresses))
    return f"{requests} permintaan dari {addresses} alamat, {span}. {_verdict_words(attempts, successes)}"


def _verdict_words(attempts: int, successes: int) -> str:
    if successes:
        return f"{render_number(attempts, 'id')} temuan mencurigakan, {successes} di antaranya diduga berhasil."
    if attempts:
        return f"{render_number(attempts, 'id')} temuan mencurigakan, tidak ada yang tampak berhasil."
    return "Tidak ditemukan permintaan yang mencurigakan."


def find_problems(scan: Scan, unknown: str) -> tuple[Problem, ...]:
    """Given a scan and why nothing can be said, return the problems."""
    found = sorted(scan.findings.values(), key=lambda finding: (-finding.attempts, finding.rule.name))
    problems = []
    if unknown:
        message = f"Aktivitas pengunjung tidak dapat dipastikan: {unknown}."
        problems.append(Problem("visitors.log_unknown", Severity.MAJOR, message))
    if found:
        number = sum(finding.attempts for finding in found)
        words = f"{number} temuan mencurigakan dalam log: {_list(found, 'attempts')}."
        problems.append(Problem("visitors.attack_attempts", _worst(found), words))
    worked = [finding for finding in found if finding.successes]
    if worked:
        words = f"Diduga ada serangan yang berhasil: {_list(worked, 'successes')}."
        problems.append(Problem("visitors.likely_intrusion", Severity.CRITICAL, words))
    return tuple(problems)


def _worst(found: Sequence[Finding]) -> Severity:
    """An attempt is everyday life on the web; it weighs more where some were answered with a page."""
    answered = [finding.severity for finding in found if finding.answered]
    worst = max(answered, key=_RANK.index, default=Severity.MINOR)
    return min(worst, Severity.MAJOR, key=_RANK.index)


def _list(found: Sequence[Finding], number: str) -> str:
    return ", ".join(f"{finding.rule.words} ({getattr(finding, number)})" for finding in found)


def recall_usual(outputs: Mapping[str, Any] | None, given: Mapping[str, Sequence[str]]) -> dict[str, frozenset[str]]:
    """Given the outputs of the scan before and what the playbook calls usual, return the usual paths by rule."""
    earlier = (outputs or {}).get("usual") or {}
    names = {*earlier, *given}
    return {name: frozenset([*earlier.get(name, ()), *given.get(name, ())]) for name in names}
