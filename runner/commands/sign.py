"""`sop sign`: a person answers what a run waits for."""

from __future__ import annotations

import getpass
from pathlib import Path

import click

from runner.commands.clock import take_clock
from runner.commands.options import records_option
from runner.commands.resume import beginning_of, bound_as_begun
from runner.errors import did_you_mean, refuse
from runner.events import Event, Kind
from runner.inventory import Inventory
from runner.record import build_record
from runner.record.document import OpenRequest, Record
from runner.record.evidence import EvidenceStore
from runner.record.journal import Journal
from runner.screen import show


@click.command("sign")
@click.argument("run")
@click.argument("step")
@click.option("--answer", help="The label to answer with, as asked.")
@click.option("--note", default="", help="A remark, the reason, or what was done: in quotes, it goes into the record.")
@click.option("--task", default="", help="The task, where a step asks for several.")
@click.option("--target", default=None, help="The target, where several ask.")
@click.option("--person", default="", help="With --paper: who signed on paper.")
@click.option(
    "--paper", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="The scan of a signed paper."
)
@records_option()
def command(
    run: str,
    step: str,
    answer: str | None,
    note: str,
    task: str,
    target: str | None,
    person: str,
    paper: Path | None,
    records: Path,
) -> int:
    """Answer, for STEP of RUN, what waits for you: sign, decide, or report what was done."""
    journal = Journal.open(records, create=False)
    name = journal.find_run(run)
    record = build_record(journal.events(name))
    request = find_request(record, step, task, target)
    whole = beginning_of(journal, record)
    inventory = bound_as_begun(journal, whole).plan.inventory
    signer = _signer(inventory, request, person, paper=paper is not None)
    label = _label(request, answer)
    evidence = EvidenceStore(records).keep(paper.name, paper) if paper else None
    method = "login" if evidence is None else f"paper {evidence.sha256}, recorded by {getpass.getuser()}"
    journal.append([answer_event(record, request, signer, label, method, note)])
    show(f"{signer}: {label}, recorded. go on with: sop resume {whole.run}")
    return 0


def find_request(record: Record, step: str, task: str = "", target: str | None = None) -> OpenRequest:
    """Given a record and a step, return the request that waits there. Raise Refused when none or several do."""
    waiting = {request.key.step for request in record.requests}
    found = [r for r in record.requests if r.key.step == step and task in ("", r.key.task)]
    found = [r for r in found if target is None or r.key.target == target]
    if not found:
        cure = did_you_mean(step, waiting) if waiting else "see 'sop status'"
        raise refuse(record.run, f"nothing waits for a person in step '{step}'", cure)
    if len(found) > 1:
        names = ", ".join(f"--task {r.key.task}" + (f" --target {r.key.target}" if r.key.target else "") for r in found)
        raise refuse(record.run, f"step '{step}' waits for several answers", f"add one of: {names}")
    return found[0]


def answer_event(record: Record, request: OpenRequest, person: str, label: str, method: str, note: str) -> Event:
    """A person's answer to a request, as an event."""
    now = take_clock().now()
    key = request.key
    data = {
        "role": request.request.role,
        "person": person,
        "label": label,
        "method": method,
        "note": note,
        "subject": request.request.subject,
        "at": now.isoformat(),
    }
    return Event(Kind.ANSWERED, record.run, now, key.step, key.attempt, key.task, key.target, key.item, key.tries, data)


def _label(request: OpenRequest, answer: str | None) -> str:
    answers = request.request.answers
    if answer is None and answers:
        answer = answers[0] if len(answers) == 1 else None
    if answer is None or (answers and answer not in answers):
        given = f"'{answer}' is none of the answers" if answer else "an answer is needed"
        question = request.request.question.rstrip(".")
        raise refuse("--answer", f"{given} to: {question}", f"write one of: {', '.join(answers)}")
    return answer


def _signer(inventory: Inventory, request: OpenRequest, person: str, *, paper: bool) -> str:
    """Who answers: the person of this login, or the one who signed the paper; must hold the role today."""
    role = request.request.role
    login = getpass.getuser()
    if not role:
        return login
    holders = inventory.holders(role, take_clock().now().date())
    names = ", ".join(holder.name for holder in holders) or "nobody"
    if paper:
        found = next((holder for holder in holders if person in (holder.id, holder.name)), None)
        if found is None and not person:
            raise refuse(
                "--person", "it is missing; it says who signed the paper", f"the role '{role}' is held by: {names}"
            )
        if found is None:
            raise refuse("--person", f"'{person}' does not hold the role '{role}'", f"it is held by: {names}")
        return found.name
    signer = next((holder for holder in holders if holder.login == login), None)
    if signer is None:
        message = f"the login '{login}' belongs to nobody who holds the role '{role}'"
        raise refuse(request.key.step, message, f"it is held by: {names}. sign under that login, or record a --paper")
    return signer.name
