"""website.available: can the court's website be used right now, by every way that leads to it, and how fast?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from runner.actions.web.available_keys import DEMANDS, INPUTS, OUTPUTS
from runner.actions.web.inputs import build_fetcher, last_visit, own_hosts, site_url
from runner.contract import Action, Call, Effect, Evidence, Outcome, Reach, Repeat, Status
from runner.errors import Failed

if TYPE_CHECKING:  # the web helpers are loaded when a site is visited, not at every start
    from runner.actions.web.damping import Damping, Watched
    from runner.actions.web.telling import Check

SIGNS = {True: "1", False: "0", None: "?"}


def run(call: Call) -> Outcome:
    """Visit the site and judge it. A site that is down is a problem of an act that went well."""
    from runner.actions.web.damping import Damping, open_problems, recall
    from runner.actions.web.telling import RECENT

    window = find_maintenance(call)
    check = make_check(call)
    earlier = call.record.latest() or {}
    recent = (str(earlier.get("recent") or "") + ("m" if window else SIGNS[check.available]))[-RECENT:]
    damping = Damping(call.inputs["down_after"], call.inputs["up_after"])
    watched = watch(call, check, recall(earlier), damping, window=window, recent=recent)
    return Outcome(
        Status.OK,
        outputs=build_outputs(call, check, watched, window=window, recent=recent),
        evidence=_keep(call, check),
        problems=open_problems(watched, damping),
        message=check.reason,
    )


def make_check(call: Call) -> Check:
    """Given a call, visit the site, and the other ways to it where it answers. Raise Failed for wrong inputs."""
    from runner.actions.web import availability, elsewhere, telling
    from runner.actions.web.demands import Demand

    url, inputs, last = site_url(call), call.inputs, last_visit(call)
    fetcher = build_fetcher(call)
    demand = Demand(own_hosts(call, url), references=inputs["references"], **{name: inputs[name] for name in DEMANDS})
    patience = availability.Patience(inputs["tries"], call.seconds("within"), call.seconds("pause"))
    attempts = availability.attempt(url, demand, patience, fetcher, last, call.deadline, call.rest)
    visited, verdict = attempts[-1].visited, attempts[-1].verdict
    check = telling.Check(url, attempts, availability.explain(attempts))
    first = visited.answers[0]
    if inputs["addresses"] and len(first.places) > 1 and verdict.available is not None:
        check = check._replace(addresses=elsewhere.check_addresses(url, first, fetcher, last))
    if inputs["variants"] and verdict.available:
        spellings = elsewhere.spellings(url)
        check = check._replace(variants=elsewhere.check_variants(spellings, visited, demand, fetcher, last))
    return check


def find_maintenance(call: Call) -> str:
    """Given a call, return the maintenance window that it falls in, "" for none. Raise Failed for what is none."""
    if not call.inputs["maintenance"]:
        return ""
    from runner.actions.web.windows import find_window, parse_window

    try:
        return find_window([parse_window(text, call.zone) for text in call.inputs["maintenance"]], call.now)
    except ValueError as error:
        raise Failed(f"maintenance: {error}") from None


def watch(
    call: Call, check: Check, watched: Mapping[str, Watched], damping: Damping, *, window: str, recent: str
) -> dict[str, Watched]:
    """Given a check and the faults under watch, return those from now on. In a maintenance window none is counted."""
    from runner.actions.web.damping import advance
    from runner.actions.web.telling import DOWN, find_instability, find_problems, judged_faults

    seen = find_problems(check, call.inputs["slow"])
    unstable = find_instability(recent, call.inputs["unstable_after"], check.url)
    if unstable and not (DOWN in watched and watched[DOWN].open):
        seen.append(unstable)
    judged = judged_faults(check, tuple(watched))
    if window:
        seen_now = {problem.key for problem in seen}
        judged = frozenset(watched if judged is None else judged) - seen_now
        seen = []
    return advance(watched, seen, judged=judged, damping=damping, now=call.now)


def build_outputs(
    call: Call, check: Check, watched: Mapping[str, Watched], *, window: str, recent: str
) -> dict[str, Any]:
    """Given a check and what is under watch, return the outputs as declared."""
    from dataclasses import asdict

    from runner.actions.web.damping import keep

    return {
        **describe_visit(call, check),
        **describe_state(watched, recent),
        "addresses": [asdict(each) for each in check.addresses],
        "variants": [asdict(each) | {"redirects": list(each.redirects)} for each in check.variants],
        "maintenance": window,
        "recent": recent,
        "watched": keep(watched),
    }


def describe_state(watched: Mapping[str, Watched], recent: str) -> dict[str, Any]:
    """Given what is under watch and the latest checks, return the site's damped state and since when it is so."""
    from runner.actions.web.telling import DOWN, NETWORK, UNKNOWN

    for key, state in ((DOWN, "down"), (UNKNOWN, "unknown"), (NETWORK, "unknown")):
        if key in watched and watched[key].open:
            return {"state": state, "since": watched[key].since}
    return {"state": "up" if "0" in recent or "1" in recent else "unknown", "since": ""}


def describe_visit(call: Call, check: Check) -> dict[str, Any]:
    """Given a check, return what its last visit brought."""
    from runner.actions.web.availability import judge_phases, sum_timings
    from runner.actions.web.text import clean_text

    visited, verdict = check.attempts[-1].visited, check.attempts[-1].verdict
    last, answers, kind = visited.last, visited.answers, verdict.sight.kind
    certificate = next((a.certificate for a in reversed(answers) if a.certificate), None)
    return {
        "available": verdict.available,
        "cause": str(verdict.fault.cause) if verdict.fault else "",
        "reason": check.reason,
        "http_status": last.status,
        "final_url": last.url,
        "redirects": [answer.url for answer in answers[1:]],
        "chain": [_link(answer) for answer in answers] if len(answers) > 1 else [],
        "address": last.address,
        "response_seconds": visited.seconds if last.status is not None else None,
        "timings": sum_timings(visited),
        "phases": judge_phases(visited, call.inputs["slow"]),
        "tries": [_try(each) for each in check.attempts if each.verdict.fault],
        "certificate_expires": certificate.expires.date().isoformat() if certificate else None,
        "certificate_days_left": (certificate.expires - call.now).days if certificate else None,
        "title": verdict.sight.title,
        "page": str(kind) if kind else "",
        "size": len(last.body),
        "server": clean_text(last.header("Server"), 100),
    }


def _link(answer: Any) -> dict[str, Any]:
    seconds = round(sum(answer.timings.values()), 6)
    return {"url": answer.url, "address": answer.address, "status": answer.status, "seconds": seconds}


def _try(attempt: Any) -> dict[str, Any]:
    fault = attempt.verdict.fault
    return {"cause": str(fault.cause), "reason": fault.message, "seconds": attempt.visited.seconds}


def _keep(call: Call, check: Check) -> tuple[Evidence, ...]:
    from runner.actions.web.availability import render_evidence

    wanted = call.inputs["keep"] == "always" or any(each.verdict.fault for each in check.attempts)
    answered = any(answer.status is not None for each in check.attempts for answer in each.visited.answers)
    if not (wanted and answered):
        return ()
    return (call.keep("response.http", render_evidence(check.attempts), "message/http"),)


ACTION = Action(
    name="website.available",
    description="Visits the website as a visitor does, and judges name, connection, TLS, redirects, status and page.",
    inputs=INPUTS,
    outputs=OUTPUTS,
    effect=Effect.READ,
    repeat=Repeat.SAFE,
    reach=Reach.CONTROLLER,
    limit="1m",
    run=run,
    targets=("website", ""),
    modules=("runner.actions.web.damping", "runner.actions.web.names", "runner.actions.web.telling"),
    example="""\
- id: available
  action: website.available
  with: {must_contain: ["Pengadilan Negeri Tais"], within: 15s, down_after: 3, up_after: 2}
""",
)
