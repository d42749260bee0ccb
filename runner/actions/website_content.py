"""website.content: which of a court site's obligations are kept, as far as a machine can tell?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.actions.web.inputs import RESOLVING, SHARED, build_fetcher, own_hosts, site_url, visit_deadline
from runner.contract import Action, Call, Effect, Outcome, Problem, Reach, Repeat, Severity, Status

if TYPE_CHECKING:  # the helpers are loaded when a site is looked at, not at every start
    from runner.actions.content.crawl import Crawl
    from runner.actions.content.rules import Rule
    from runner.actions.content.scoring import Score

HIGHEST = 2


def run(call: Call) -> Outcome:
    """Read the site's pages and score each rule. What a machine cannot tell has no points, and is no zero."""
    from runner.actions.content.crawl import Crawler
    from runner.actions.content.rules import SHIPPED, load_rules, wanted_words

    url = site_url(call)
    inputs = call.inputs
    rules = load_rules(Path(inputs["rules"]) if inputs.get("rules") else SHIPPED)
    crawler = Crawler(
        hosts=own_hosts(call, url),
        fetcher=build_fetcher(call),
        deadline=visit_deadline(call),
        budget=inputs["budget"],
        pause=inputs["pause"],
        words=wanted_words(rules),
    )
    crawl = crawler.crawl(url)
    scores = [(rule, score_rule(rule, rules, crawl, inputs["values"], call.office_time.year)) for rule in rules]
    outputs = build_outputs(scores, crawl)
    text = json.dumps(outputs, ensure_ascii=False, indent=1)
    kept = call.keep("scorecard.json", text.encode(), "application/json")
    problems = tuple(find_problems(url, scores, "" if crawl.pages else "; ".join(crawl.faults[:1])))
    return Outcome(Status.OK, outputs=outputs, evidence=(kept,), problems=problems, message=outputs["summary"])


def score_rule(rule: Rule, rules: Sequence[Rule], crawl: Crawl, values: Mapping[str, Any], year: int) -> Score:
    """Given a rule, all rules, the crawl, the values of other tasks and the year it is, return the rule's score."""
    from runner.actions.content.own import score_own
    from runner.actions.content.scoring import Score, score_given, score_words

    if rule.not_applicable:
        return Score(None, rule.not_applicable, applies=False)
    if rule.kind == "given":
        return score_given(rule.asks, values)
    if rule.kind == "own":
        return score_own(rule.asks, crawl, rules)
    return score_words(rule, crawl, year)


def build_outputs(scores: Sequence[tuple[Rule, Score]], crawl: Crawl) -> dict[str, Any]:
    """Given all scores and the crawl, return the outputs as declared."""
    known = [score.points for _, score in scores if score.points is not None and score.applies]
    open_ = sum(score.points is None and score.applies for _, score in scores)
    points, highest = sum(known), HIGHEST * len(known)
    percent = round(100 * points / highest, 1) if highest else None
    shown = f"{percent:.1f}".replace(".", ",") if percent is not None else "-"
    rows = [
        {
            "id": rule.id,
            "title": rule.title,
            "points": score.points,
            "applies": score.applies,
            "evidence": score.evidence,
            "basis": rule.basis,
            "owner": rule.owner,
        }
        for rule, score in scores
    ]
    return {
        "points": points,
        "highest": highest,
        "percent": percent,
        "unknown": open_,
        "scores": rows,
        "pages": [page.url for page in crawl.pages],
        "complete": not (crawl.left or crawl.faults or crawl.forbidden) and bool(crawl.pages),
        "faults": crawl.faults[:20],
        "summary": f"{points} dari {highest} angka ({shown} persen); {open_} dari {len(rows)} butir belum diketahui.",
    }


def find_problems(url: str, scores: Sequence[tuple[Rule, Score]], unseen: str = "") -> list[Problem]:
    """Given all scores, and why there was no page at all, return the problems: one for each rule that is not kept at
    all, one for all that is unknown."""
    found = [
        Problem(
            f"website.content.{rule.id}", Severity.MINOR, f"{rule.id} {rule.title}: {score.evidence} ({rule.basis})."
        )
        for rule, score in scores
        if score.points == 0
    ]
    missing = [rule.id for rule, score in scores if score.points is None and score.applies]
    if missing:
        why = unseen or ", ".join(missing)
        words = f"Kewajiban isi {url} {'tidak dapat dinilai' if unseen else 'belum dapat dinilai seluruhnya'}: {why}."
        found.append(Problem("website.content_unknown", Severity.MINOR, words))
    return found


_COUNT = {"type": "integer", "minimum": 0}
_TEXTS = {"type": "array", "items": {"type": "string"}}

ACTION = Action(
    name="website.content",
    description="Scores what a court's website must show: 2 whole, 1 partly, 0 not, by rules that staff can edit.",
    inputs={
        **SHARED,
        **RESOLVING,
        "within": {**SHARED["within"], "description": "How long all visits together may take", "default": "5 menit"},
        "rules": {
            "type": "string",
            "description": "The file of rules, a copy of the one that is shipped; without it that one",
            "examples": ["kewajiban.yml"],
            "optional": True,
            "names": "file",
        },
        "values": {
            "type": "object",
            "description": "What other tasks have found, by the name under which a rule asks for it",
            "examples": [{"updated": "{{ tasks.updated.updated }}", "integrity": "{{ tasks.integrity.verdict }}"}],
            "default": {},
        },
        "budget": {
            **_COUNT,
            "minimum": 1,
            "maximum": 500,
            "description": "How many pages are read at most",
            "unit": "pages",
            "examples": [60],
            "default": 60,
        },
        "pause": {
            "type": "number",
            "minimum": 0,
            "maximum": 60,
            "description": "How long to wait between two pages; robots.txt may ask for up to ten seconds",
            "unit": "seconds",
            "examples": [1],
            "default": 1,
        },
    },
    outputs={
        "points": {**_COUNT, "description": "The points of all rules whose score is known", "examples": [71]},
        "highest": {**_COUNT, "description": "The most that these rules could have", "examples": [86]},
        "percent": {
            "type": ["number", "null"],
            "description": "The points as a share of the highest; null when nothing is known",
            "unit": "percent",
            "examples": [82.6],
        },
        "unknown": {**_COUNT, "description": "Rules that a machine could not score", "unit": "rules", "examples": [9]},
        "scores": {
            "type": "array",
            "items": {"type": "object"},
            "description": "Each rule with its points (null: not known), whether it applies, evidence and basis",
            "examples": [
                [
                    {
                        "id": "W02",
                        "title": "Struktur organisasi",
                        "points": 2,
                        "applies": True,
                        "evidence": "https://pn-tais.go.id/struktur-organisasi",
                        "basis": "SK KMA 2-144/KMA/SK/VIII/2022",
                        "owner": "",
                    }
                ]
            ],
        },
        "pages": {**_TEXTS, "description": "The pages that were read", "examples": [["https://pn-tais.go.id/"]]},
        "complete": {"type": "boolean", "description": "Whether every page found was read", "examples": [False]},
        "faults": {**_TEXTS, "description": "What could not be read, and why", "examples": [[]]},
        "summary": {
            "type": "string",
            "description": "The result in one sentence",
            "examples": ["71 dari 86 angka (82,6 persen); 9 dari 59 butir belum diketahui."],
        },
    },
    effect=Effect.READ,
    repeat=Repeat.SAFE,
    reach=Reach.CONTROLLER,
    limit="15m",
    run=run,
    targets=("website", ""),
    example="""\
- id: content
  action: website.content
  with: {rules: kewajiban.yml, values: {integrity: "{{ vars.integrity }}"}, budget: 60}
""",
)
