"""Whether a website can be used: visits asked for under a deadline, and the judgement of what they brought."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from runner.actions.web.demands import Demand, Sight, check_answer
from runner.actions.web.faults import Cause, Fault
from runner.actions.web.fetch import PHASES, Fetcher
from runner.actions.web.lookup import any_reachable
from runner.actions.web.visit import Visit, visit
from runner.durations import Deadline

KEPT_BODY = 256 * 1024
LONGEST_REFERENCE = 5.0
THROTTLED = 429

_BEFORE_HTTP = frozenset({Cause.NAME, Cause.CONNECT})


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the site is available (None: cannot be told), why not, and what it showed."""

    available: bool | None
    fault: Fault | None = None
    sight: Sight = field(default_factory=Sight)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One visit and its judgement."""

    visited: Visit
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a site is tried before it counts as unavailable, seconds for each visit, and seconds between them."""

    tries: int = 1
    within: float = 20.0
    pause: float = 0.0


def attempt(
    url: str,
    demand: Demand,
    patience: Patience,
    fetcher: Fetcher,
    deadline: Deadline,
    last: Deadline,
    rest: Callable[[float], None] = time.sleep,
) -> tuple[Attempt, ...]:
    """Given a URL, visit it until a visit goes well, as often as patience and the deadline allow; return all visits,
    those before the last without what they brought of the page.

    Until `last` others may be asked whether it is us; `rest` waits between two visits. Never raises for what the site
    does.
    """
    made: list[Attempt] = []
    for left in range(patience.tries, 0, -1):
        part = deadline.tightened(min(patience.within, deadline.remaining() / left))
        made.append(Attempt(*ask(url, demand, part, fetcher, last)))
        if made[-1].verdict.available is not False or deadline.remaining() <= patience.pause:
            break
        if left > 1:
            made[-1] = replace(made[-1], visited=made[-1].visited.without_bodies())
            rest(patience.pause)
    return tuple(made)


def ask(url: str, demand: Demand, deadline: Deadline, fetcher: Fetcher, last: Deadline) -> tuple[Visit, Verdict]:
    """Given a URL, visit it before the deadline and return the visit and its judgement.

    Until `last` others may be asked whether it is us. Never raises for what the site does.
    """
    visited = visit(url, deadline, fetcher, hosts=demand.hosts, most=demand.redirects)
    verdict = judge(visited, demand)
    fault = verdict.fault
    asks = fault and (fault.cause in _BEFORE_HTTP or (demand.references and fault.cause in (Cause.TIME, Cause.TLS)))
    if fault and asks and _is_us(fault, demand.references, last.tightened(LONGEST_REFERENCE)):
        words = f"jaringan pemeriksa sendiri diduga terganggu ({fault.message})"
        return visited, Verdict(None, Fault(Cause.OWN_NETWORK, words, ours=True))
    return visited, verdict


def _is_us(fault: Fault, references: Sequence[str], deadline: Deadline) -> bool:
    return not any_reachable(references, deadline) if references else fault.ours


def judge(visited: Visit, demand: Demand) -> Verdict:
    """Given a visit, return whether the site is available."""
    answer = visited.last
    if answer.fault:
        return Verdict(False, answer.fault)
    sight, fault = check_answer(answer, demand)
    if answer.status == THROTTLED:
        return Verdict(None, Fault(Cause.STATUS, "server membatasi permintaan pemeriksa (status 429)"), sight)
    return Verdict(fault is None, fault, sight)


def explain(attempts: Sequence[Attempt]) -> str:
    """Given the visits made, return in words why the last one did not go well, other causes of earlier ones beside it;
    "" where it did."""
    fault = attempts[-1].verdict.fault
    if fault is None:
        return ""
    earlier = dict.fromkeys(each.verdict.fault.message for each in attempts[:-1] if each.verdict.fault)
    others = [words for words in earlier if words != fault.message]
    return f"{fault.message} (percobaan sebelumnya: {'; '.join(others)})" if others else fault.message


def sum_timings(visited: Visit) -> dict[str, float | None]:
    """Given a visit, return seconds by phase over all its answers; None for a phase that was never reached."""
    totals: dict[str, float | None] = dict.fromkeys(PHASES)
    for answer in visited.answers:
        for phase, seconds in answer.timings.items():
            totals[phase] = round((totals[phase] or 0.0) + seconds, 6)
    return totals


def judge_phases(visited: Visit, limits: Mapping[str, float]) -> dict[str, str]:
    """Given a visit and the seconds that each phase may take, return each phase's verdict: "ok", "slow", "failed",
    or "not_reached" (a site without TLS reaches none)."""
    timings, failed = sum_timings(visited), visited.last.phase
    verdicts: dict[str, str] = {}
    for phase, seconds in timings.items():
        if phase == failed:
            verdicts[phase] = "failed"
        elif seconds is None:
            verdicts[phase] = "not_reached"
        else:
            verdicts[phase] = "slow" if seconds > limits.get(phase, float("inf")) else "ok"
    return verdicts


def render_evidence(attempts: Sequence[Attempt]) -> bytes:
    """Given visits, return their answers' heads and the first 256 KiB of the last body, for keeping."""
    lines: list[str] = []
    for visited, verdict in ((each.visited, each.verdict) for each in attempts):
        for answer in visited.answers:
            lines += [f"# {answer.url} ({answer.address})", f"HTTP {answer.status} {answer.reason}"]
            lines += [f"{name}: {value}" for name, value in answer.headers]
            lines.append("")
        if verdict.fault:
            lines += [f"# {verdict.fault.message}", ""]
    return "\r\n".join([*lines, ""]).encode("utf-8", "replace") + attempts[-1].visited.last.body[:KEPT_BODY]
