"""website.integrity: does the website show what its owner put there, to everybody alike?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from runner.actions.integrity.keys import INPUTS, OUTPUTS
from runner.actions.web.inputs import build_fetcher, own_hosts, site_url, visit_deadline
from runner.contract import Action, Call, Effect, Evidence, Outcome, Reach, Repeat, Status
from runner.errors import Failed

if TYPE_CHECKING:  # the helpers are loaded when a site is looked at, not at every start
    from runner.actions.integrity.files import Files
    from runner.actions.integrity.survey import Report


def run(call: Call) -> Outcome:
    """Look at the site from outside and at its files from inside. What is found is a problem, no failure."""
    from runner.actions.integrity.baseline import STRANGERS, begin, find_changes, take_over, widen
    from runner.actions.integrity.findings import kept
    from runner.actions.integrity.outside import Outside
    from runner.actions.integrity.survey import survey
    from runner.actions.integrity.verdict import find_problems, judge, summarize

    url = site_url(call)
    earlier = call.record.latest() or {}
    baseline, consents = take_over(earlier, call.record.accepted()) if earlier.get("baseline") else ({}, [])
    outside = Outside(url, own_hosts(call, url), visit_deadline(call), build_fetcher(call))
    report = survey(outside, _wanted(call, baseline))
    files = look_inside(call)
    report.state["verifications"] = sorted({*report.state["verifications"], *files.verifications})
    findings = kept([*report.findings, *files.findings])
    unseen = [*report.unseen, *files.unseen]
    changes = find_changes(baseline, report.state) if baseline else []
    burst = any(finding.rule == "sitemap_burst" for finding in findings)
    known = widen(baseline, report.state, burst=burst) if baseline else begin(report.state) if report.pages else {}
    verdict = judge(findings, changes, unseen)
    summary = summarize(verdict, findings, changes, unseen)
    outputs = {
        "verdict": verdict,
        "summary": summary,
        "findings": [{**finding._asdict(), "weight": str(finding.weight)} for finding in findings],
        "rules": list(dict.fromkeys(finding.rule for finding in findings)),
        "pages": report.pages,
        "unseen": unseen,
        "requests": report.requests,
        "addresses": report.addresses,
        "baseline": known or None,
        "changes": [change.as_json() for change in changes],
        "consents": consents,
        "files": files.told,
    }
    problems = find_problems(url, findings, changes, unseen, known.get(STRANGERS, ()))
    return Outcome(
        Status.OK, outputs=outputs, evidence=_keep(call, outputs, report), problems=problems, message=summary
    )


def _wanted(call: Call, baseline: Mapping[str, Any]) -> Any:
    from runner.actions.integrity.survey import Wanted
    from runner.actions.web.own_probe import build_mark, key_of

    inputs = call.inputs
    return Wanted(
        pages=inputs["pages"],
        sample=inputs["sample"],
        sitemaps=inputs["sitemaps"],
        burst=inputs["burst"],
        before=baseline.get("addresses"),
        marks=baseline.get("verifications") or (),
        day=call.now.date().isoformat(),
        mark=build_mark(key_of(call), call.now.date()),
    )


def look_inside(call: Call) -> Files:
    """Given a call, look at the site's files where that was asked for and can be done.

    Raise Failed where `files: yes` names nothing to look at, and for checksums that cannot be read.
    """
    from runner.actions.integrity.checksums import load_checksums
    from runner.actions.integrity.files import Files, look_at_files

    target, wanted = call.target or {}, call.inputs["files"]
    root = target.get("root")
    if wanted == "no" or (wanted == "auto" and not (root and target.get("server"))):
        return Files()
    if not root:
        raise Failed(f"{target.get('name', 'this task')}: no root is known. write root in the inventory, or files: no")
    path = call.inputs.get("checksums")
    return look_at_files(call, str(root), call.inputs["uploads"], load_checksums(path) if path else None)


def _keep(call: Call, outputs: Mapping[str, Any], report: Report) -> tuple[Evidence, ...]:
    """Keep the findings, and the source of pages that show something strong, as text that no browser runs."""
    text = json.dumps(outputs, ensure_ascii=True, indent=1)
    found = [call.keep("integrity.json", text.encode(), "application/json")]
    for number, (name, source) in enumerate(report.sources.items(), 1):
        content = f"{name}\n\n{source}".encode("utf-8", "replace")
        found.append(call.keep(f"page-{number}.html.txt", content, "text/plain"))
    return tuple(found)


ACTION = Action(
    name="website.integrity",
    description="Looks for what does not belong on the website: hidden links, cloaking, doorways, changed files.",
    inputs=INPUTS,
    outputs=OUTPUTS,
    effect=Effect.READ,
    repeat=Repeat.SAFE,
    reach=Reach.CONTROLLER,
    limit="5m",
    run=run,
    targets=("website", ""),
    example="""\
- id: integrity
  action: website.integrity
  with: {pages: [/berita], sample: 3}
""",
)
