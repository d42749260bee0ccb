"""domain.status: what the registry says of the office's domain: until when, in what state, and what changed."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from runner.actions.domain.declared import OUTPUTS
from runner.actions.web.inputs import RESOLVING, SHARED
from runner.contract import Action, Call, Effect, Evidence, Outcome, Reach, Repeat, Status
from runner.errors import Failed
from runner.messages import render_moment

if TYPE_CHECKING:  # the helpers are loaded when a registry is asked, not at every start
    from runner.actions.domain.inquiry import Answers

SHARE = 0.8
HOUR = 3600.0


def run(call: Call) -> Outcome:
    """Ask the registry and judge what it says. What it does not surely say is a problem of its own."""
    from runner.actions.domain.inquiry import conclude
    from runner.actions.domain.memory import told_to_wait
    from runner.actions.domain.outputs import build_outputs
    from runner.actions.domain.verdict import find_problems

    domain = find_domain(call)
    recent = call.seconds("recent")
    until = told_to_wait(call.record.latest(), domain, call.now)
    answers = be_patient(until.astimezone(call.zone)) if until else ask(call, domain)
    today = call.office_time.date()
    outputs = build_outputs(call, domain, answers, conclude(answers.replies), today=today, until=until)
    problems = find_problems(outputs, today, notice=call.inputs["notice"], recent_hours=recent / HOUR)
    return Outcome(Status.OK, outputs=outputs, evidence=_keep(call, answers), problems=problems)


def find_domain(call: Call) -> str:
    """Given a call, return the registered domain it is about. Raise Failed when there is none."""
    from runner.actions.domain.names import parse_domain

    target = call.target or {}
    kind = target.get("service")
    if "domain" not in call.inputs and kind not in (None, "domain"):
        raise Failed(f"{target.get('name')}: is a service of kind {kind}, not a domain. give the task an input domain")
    name = call.inputs.get("domain") or (target.get("title") if kind else target.get("url")) or ""
    try:
        return parse_domain(str(name))
    except ValueError as error:
        place = " as the service's 'name'" if kind and "domain" not in call.inputs else ""
        raise Failed(f"{target.get('name', 'this task')}: {error}. write it{place}, like pn-tais.go.id") from None


def ask(call: Call, domain: str) -> Answers:
    """Given a call, ask all sources; at most 80 % of the task's time is used. Raise Failed for a broken bootstrap."""
    from runner.actions.domain.bootstrap import load_bootstrap
    from runner.actions.domain.inquiry import Places, ask_all

    inputs = call.inputs
    path = inputs.get("bootstrap")
    bootstrap = load_bootstrap(Path(path)) if path else load_bootstrap()
    places = Places(*(inputs.get(name) or "" for name in ("rdap_server", "whois_server", "dns_resolver", "ca_file")))
    within = min(call.seconds("within"), SHARE * call.deadline.remaining())
    return ask_all(domain, bootstrap, places, call.deadline.tightened(within), call.now)


def be_patient(until: datetime) -> Answers:
    """Given until when a registry wants to be left alone, return the answers of a run that asks nobody."""
    from runner.actions.domain.findings import Cause, Reply, unknown
    from runner.actions.domain.inquiry import Answers

    words = f"registri membatasi permintaan; ditanyakan lagi setelah {render_moment(until, 'id')}"
    return Answers((Reply("rdap", "", unknown(Cause.THROTTLED, words)),))


def _keep(call: Call, answers: Answers) -> tuple[Evidence, ...]:
    names = {"rdap": "rdap.json", "whois": "whois.txt"}
    return tuple(call.keep(names[r.source], r.raw, r.media_type) for r in answers.replies if r.raw)


_DURATION = {"type": "string", "unit": "duration"}

ACTION = Action(
    name="domain.status",
    description="Asks the registry (RDAP, WHOIS) and the DNS about a domain: last day, state, name servers, changes.",
    inputs={
        "domain": {
            "type": "string",
            "minLength": 4,
            "description": "The domain; without it the target's name as a service, or its url's domain as a website",
            "examples": ["pn-tais.go.id"],
            "optional": True,
        },
        "notice": {
            "type": "integer",
            "minimum": 0,
            "maximum": 400,
            "description": "From how many days before its last one a domain counts as a problem",
            "unit": "days",
            "examples": [60],
            "default": 60,
        },
        "recent": {
            **_DURATION,
            "description": "How old an earlier answer may be to stand in, with its age told, when none comes now",
            "examples": ["3 hari"],
            "default": "3 hari",
        },
        "within": {
            **_DURATION,
            "description": "How long asking may take altogether; at most 80 % of the task's limit is used",
            "examples": ["40s"],
            "default": "40s",
        },
        "rdap_server": {
            "type": "string",
            "pattern": "^https?://",
            "description": "The RDAP server's base address, where not the one that IANA names",
            "examples": ["https://rdap.pandi.id/rdap/"],
            "optional": True,
        },
        "whois_server": {
            "type": "string",
            "description": "The WHOIS server, host or host:port, where not the registry's",
            "examples": ["whois.id"],
            "optional": True,
        },
        "dns_resolver": RESOLVING["dns_resolver"],
        "bootstrap": {
            "type": "string",
            "description": "A newer copy of IANA's list of RDAP servers than the one that is shipped",
            "examples": ["/etc/sop/rdap-dns.json"],
            "optional": True,
            "names": "file",
        },
        "ca_file": SHARED["ca_file"],
    },
    outputs=OUTPUTS,
    effect=Effect.READ,
    repeat=Repeat.SAFE,
    reach=Reach.CONTROLLER,
    limit="2m",
    run=run,
    targets=("service", "website", ""),
    example="""\
- id: domain
  action: domain.status
  with: {notice: 90}
""",
)
