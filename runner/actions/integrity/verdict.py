"""What all findings come to: clean, to be reviewed, indicated, or not to be determined; and the problems they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from runner.actions.integrity.baseline import NEW, WORDS, Change
from runner.actions.integrity.findings import TITLES, Finding, Weight
from runner.actions.integrity.hosts import defang
from runner.contract import Problem, Severity

CLEAN, REVIEW, INDICATED, UNKNOWN = "clean", "review", "indicated", "unknown"
NAMES = {
    CLEAN: "bersih",
    REVIEW: "perlu ditinjau",
    INDICATED: "terindikasi disusupi",
    UNKNOWN: "tidak dapat dipastikan",
}
PREFIX = "website.integrity."


def judge(findings: Iterable[Finding], changes: Sequence[Change], unseen: Sequence[str]) -> str:
    """Given what was found, what changed and what could not be seen, return the verdict. Unseen is never clean."""
    weights = {finding.weight for finding in findings}
    if Weight.STRONG in weights:
        return INDICATED
    if weights or changes:
        return REVIEW
    return UNKNOWN if unseen else CLEAN


def summarize(verdict: str, findings: Sequence[Finding], changes: Sequence[Change], unseen: Sequence[str]) -> str:
    """Given a verdict and what led to it, return it in one or two sentences."""
    rules = list(dict.fromkeys(TITLES[finding.rule] for finding in findings))
    parts = [NAMES[verdict].capitalize()]
    if rules:
        more = f", dan {len(rules) - 3} tanda lain" if len(rules) > 3 else ""
        parts.append(": " + "; ".join(rules[:3]) + more)
    if changes:
        parts.append(f"{';' if rules else ':'} {len(changes)} perubahan belum disetujui")
    text = "".join(parts) + "."
    return f"{text} Yang tidak dapat diperiksa: {len(unseen)}, antara lain {defang(unseen[0])}." if unseen else text


def find_problems(
    url: str,
    findings: Sequence[Finding],
    changes: Sequence[Change],
    unseen: Sequence[str],
    outsiders: Sequence[str] = (),
) -> tuple[Problem, ...]:
    """Given what was found, return the problems: one by rule, one by change, one for all that was not seen, and one
    for the outsiders of a baseline that nobody has accepted."""
    first: dict[str, Finding] = {}
    for finding in findings:
        first.setdefault(finding.rule, finding)
    problems = [_problem(each) for each in first.values()]
    problems += [Problem(change.key, Severity.MAJOR, _tell_change(url, change)) for change in changes]
    if outsiders:
        words = "; ".join(map(defang, outsiders))
        text = f"Keadaan awal {url} belum disetujui: {words}. Setujui bila semuanya memang dikehendaki."
        problems.append(Problem(NEW, Severity.MINOR, text))
    if unseen:
        words = f"Keutuhan {url} tidak dapat dipastikan seluruhnya: {defang(unseen[0])}."
        problems.append(Problem("website.integrity_unknown", Severity.MAJOR, words))
    return tuple(problems)


def _problem(finding: Finding) -> Problem:
    severity = Severity.CRITICAL if finding.weight is Weight.STRONG else Severity.MAJOR
    place = f"{finding.place}:{finding.line}" if finding.line else finding.place
    title = TITLES[finding.rule].capitalize()
    return Problem(f"{PREFIX}{finding.rule}", severity, f"{title} ({place}): {finding.excerpt}")


def _tell_change(url: str, change: Change) -> str:
    before = f" (semula {defang(change.before)})" if change.before and change.kind != "robots" else ""
    value = "" if change.kind == "robots" else f": {defang(change.value)}"
    return f"{WORDS[change.kind].capitalize()} pada {url}{value}{before}. Setujui bila memang dikehendaki."
