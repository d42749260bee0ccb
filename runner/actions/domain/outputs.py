"""What domain.status puts out: declared as data, and built."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from runner.actions.domain import memory
from runner.actions.domain.findings import Finding
from runner.actions.domain.inquiry import Answers, find_disagreements, plain
from runner.actions.domain.statuses import STAGES, judge
from runner.contract import Call


def build_outputs(
    call: Call, domain: str, answers: Answers, finding: Finding, *, today: date, until: datetime | None
) -> dict[str, Any]:
    """Given what was asked and found, today at the office, and until when nobody may be asked, return the outputs."""
    before = memory.recall(call.record.latest(), domain)
    stage = {None: STAGES["unknown"], False: STAGES["not_registered"]}.get(finding.registered)
    standing = stage or judge(domain, finding.statuses, finding.expires, today)
    facts = _facts(answers, finding)
    again = until or memory.ask_again(finding, domain, call.now)
    return {
        "domain": domain,
        **facts,
        "days_left": (finding.expires - today).days if finding.expires else None,
        "stage": standing.stage,
        "price": standing.price,
        "consequence": standing.consequence,
        "source": answers.source if finding.registered is not None else "",
        "cause": str(finding.cause or ""),
        "reason": finding.reason,
        "faults": [f"{r.source} {r.server}: {r.finding.reason}" for r in answers.replies if r.finding.reason],
        "disagreement": find_disagreements(answers.replies),
        "changed": memory.find_changes(before, facts),
        "age_hours": 0.0 if finding.registered is not None else memory.age_hours(before, call.now),
        "last_known": memory.remember(before, facts, call.now),
        "retry_after": again.astimezone(UTC).isoformat(timespec="seconds") if again else None,
    }


def _facts(answers: Answers, finding: Finding) -> dict[str, Any]:
    names = ("registered", "expires", "created", "registrar", "statuses", "name_servers", "dnssec")
    records = answers.records
    return {
        **{name: plain(getattr(finding, name)) for name in names},
        "addresses": plain(records.addresses),
        "mail_servers": plain(records.mail_servers),
    }
