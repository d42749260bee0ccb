"""What `sop sign` works on: the request, who may answer it, and the ways in which they prove who they are."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from runner.calendar import Calendar
from runner.commands.clock import take_clock
from runner.commands.resume import bound_as_begun
from runner.contract import Evidence
from runner.errors import did_you_mean, refuse
from runner.events import Event
from runner.inventory import Inventory, load_inventory
from runner.people.accounts import account, person_of
from runner.people.answers import (
    Head,
    add_signature,
    attached,
    build_answer,
    check_head,
    check_stated,
    head_of,
    read_bounded,
    read_statement,
    state,
)
from runner.people.attaching import attach
from runner.people.requests import Act, Place, check_subject, choose_act, find_request
from runner.people.separation import find_same_paper, find_same_person
from runner.people.signers import Post, Signer, keys_of
from runner.plan import Plan
from runner.posts import split_roles
from runner.record import build_record
from runner.record.document import OpenRequest, Record
from runner.record.evidence import EvidenceStore
from runner.record.journal import Journal
from runner.record.statements import render_statement
from runner.record.unfinished import beginning_of
from runner.redactor import Redactor
from runner.signatures import PublicKey, agent_keys, key_of, sign, sign_by_agent, signer_of

AGENT = "agent"


class Words(NamedTuple):
    """What was typed: answer, note, step to return to, files, the way to sign, and who is said to sign."""

    answer: str | None = None
    note: str = ""
    to: str = ""
    files: tuple[Path, ...] = ()
    key: str | None = None
    to_sign: Path | None = None
    signature: Path | None = None
    paper: Path | None = None
    person: str = ""


class Desk(NamedTuple):
    """A request on the table: its run's record and that of the run it belongs to, its plan, and who counts.

    `counted` keeps the inventory, where another one than the run's says who counts.
    """

    journal: Journal
    store: EvidenceStore
    record: Record
    whole: Record
    plan: Plan
    inventory: Inventory
    request: OpenRequest
    today: date
    counted: tuple[Evidence, ...] = ()

    @property
    def post(self) -> Post:
        """The role that must answer, today."""
        role = self.request.request.role
        return Post(self.inventory, role, self.today, self.plan.playbook.is_outside(role))

    def by_login(self, person: str = "") -> Signer:
        """Who answers under the login of this process. Raise Refused where that proves nobody, or the wrong one."""
        return self.post.by_login(account(), person) if self.post.role else self.post.anyone(account())

    def answer(self, words: Words) -> Event:
        """Given what was typed, return the answer, checked and signed. Raise Refused where it may not be taken."""
        if words.signature:
            return self._signed_elsewhere(words)
        act = self._act(words)
        if words.key is not None:
            return self._signed_here(words, act)
        return self._complete(self._by_paper(words, words.paper, act) if words.paper else self._plain(words, act))

    def write_statement(self, words: Words) -> None:
        """Write, into the file that was named, what is to be signed by SSH elsewhere. Raise Refused if it is there."""
        assert words.to_sign is not None
        event = self._stated(self._named(words.person), self._act(words))
        try:
            with words.to_sign.open("xb") as file:
                file.write(render_statement(event))
        except OSError as error:
            raise refuse(str(words.to_sign), f"cannot be written: {error.strerror}", "name a new file") from None

    def _act(self, words: Words) -> Act:
        check_subject(self.record, self.store, self.request)
        note = self.inventory.redactor().mask(words.note)
        act = choose_act(self.plan, self.request, words.answer, note, words.to)
        return act._replace(evidence=attach(self.store, words.files))

    def _plain(self, words: Words, act: Act) -> Event:
        return self._build(self.by_login(words.person), act)

    def _by_paper(self, words: Words, paper: Path, act: Act) -> Event:
        post = self.post if self.post.role else None
        [scan] = attach(self.store, [paper], "--paper")
        login = account()
        signer = post.by_paper(scan.sha256, words.person, login) if post else self.post.anyone(login)
        return self._build(signer, act._replace(evidence=(*act.evidence, scan)))

    def _signed_here(self, words: Words, act: Act) -> Event:
        key, file = self._choose_key(str(words.key), words.person)
        event = self._stated(self.post.by_key(key, words.person), act)
        statement = render_statement(event)
        signature = sign(file, statement) if file else sign_by_agent(key, statement)
        return add_signature(self._complete(event), signature, self.store)

    def _choose_key(self, named: str, person: str) -> tuple[PublicKey, Path | None]:
        """The key to sign with, and its file unless an agent has it."""
        if named != AGENT:
            file = Path(named).expanduser()
            return key_of(file), file
        known = {key for each in self.inventory.people.values() for key in keys_of(each)}
        held = {
            key
            for each in self.inventory.holders(self.post.role, self.today)
            if person in ("", each.id, each.name)
            for key in keys_of(each)
        }
        keys = agent_keys()
        wanted = [key for key in keys if key in held] or [key for key in keys if key in known] or list(keys)
        return wanted[0], None

    def _signed_elsewhere(self, words: Words) -> Event:
        assert words.signature is not None
        if words.signature.suffix != ".sig":
            raise refuse("--signature", f"'{words.signature}' does not end in .sig", "name FILE.sig beside FILE")
        signature = read_bounded(words.signature)
        found = read_statement(words.signature.with_suffix(""))
        event = self._from_statement(words, found, signer_of(signature))
        check_stated(found, event)
        check_head(self.journal, self.journal.asked_at(self.record.run, self.request.key), head_of(found))
        return add_signature(self._complete(event), signature, self.store)

    def _from_statement(self, words: Words, found: dict[str, Any], key: PublicKey) -> Event:
        """The answer that a statement tells of, made again for the request that waits."""
        label, note, to = (str(found.get(name) or "") for name in ("label", "note", "to"))
        if words.answer not in (None, label):
            raise refuse("--answer", f"'{words.answer}' was typed, and '{label}' was signed", "leave --answer out")
        check_subject(self.record, self.store, self.request)
        note = self.inventory.redactor().mask(note)
        act = choose_act(self.plan, self.request, None if to else label, note, to)
        files = attached(found)
        if fault := next(filter(None, map(self.store.verify, files)), None):
            raise refuse("--signature", fault, "make a new statement with --to-sign --evidence, and sign that")
        event = self._build(self.post.by_key(key, words.person), act._replace(evidence=files))
        return state(event, self.request.request.question, head_of(found))

    def _named(self, person: str) -> Signer:
        """Who will sign a statement elsewhere: who was named, or the only holder of the role who has a key."""
        holders = [each for each in self.inventory.holders(self.post.role, self.today) if each.ssh_keys]
        found = [each for each in holders if person in ("", each.id, each.name)]
        if len(found) != 1:
            known = [each.id for each in holders]
            message = f"'{person}' has no key in the inventory, or not this role" if person else "it is missing"
            raise refuse("--person", message, did_you_mean(person, known) or "add the public key as ssh_key")
        return self.post.by_key(keys_of(found[0])[0], person)

    def _build(self, signer: Signer, act: Act) -> Event:
        return build_answer(self.record.run, self.request, signer, act, take_clock().now())

    def _stated(self, signer: Signer, act: Act) -> Event:
        event = self._build(signer, act)
        record, sha256 = self.journal.tip()
        return state(event, self.request.request.question, Head(record, sha256, event.at.isoformat(timespec="seconds")))

    def _complete(self, event: Event) -> Event:
        """The answer with its deviations, and with the inventory where another one counts."""
        data = event.data
        scan = str(data["signature"].get("scan", ""))
        found = [
            *find_same_person(self.record, self.inventory, data["person"], data["role"]),
            *find_same_paper(self.record, event.step, scan),
        ]
        counted = {"inventory": [each._asdict() for each in self.counted]} if self.counted else {}
        return replace(event, data={**data, **counted, "deviations": found})


def open_desk(records: Path, run: str, place: Place, person: str, inventories: tuple[Path, ...]) -> Desk:
    """Given what was typed, return the request that waits there, and what it needs. Raise Refused where none does."""
    journal = Journal.open(records, create=False)
    record = build_record(journal.events(journal.find_run(run)))
    whole = beginning_of(journal, record)
    plan = plan_of(bound_as_begun(journal, whole, looking=True).plan, whole.run, record.run)
    inventory = load_inventory(inventories) if inventories else plan.inventory
    store = EvidenceStore(records)
    zone = Calendar.from_office(inventory.office).office.zone
    today = take_clock().now().astimezone(zone).date()
    request = find_request(
        record, place, lambda role: not _roles_of(inventory, person, today).isdisjoint(split_roles(role))
    )
    counted = keep_inventory(store, inventory) if inventories else ()
    return Desk(journal, store, record, whole, plan, inventory, request, today, counted)


def _roles_of(inventory: Inventory, person: str, today: date) -> set[str]:
    """The roles held today by who was named, else by the one whose login this is."""
    owner = person_of(inventory, account())
    found = [each for each in inventory.people.values() if person in (each.id, each.name)] if person else [owner]
    return {holding.role for each in found if each for holding in each.roles if holding.covers(today)}


def keep_inventory(store: EvidenceStore, inventory: Inventory) -> tuple[Evidence, ...]:
    """Given an inventory, keep its files, without the secrets that stand in them, and return them."""
    mask = Redactor(inventory.plain).mask
    texts = {source.file: mask(source.original.encode()) for source in inventory.sources}
    return tuple(store.keep(Path(file).name, text, "text/yaml") for file, text in texts.items())


def plan_of(plan: Plan, whole: str, run: str) -> Plan:
    """Given a run's plan and the id of a run that it includes (RUN.STEP.ATTEMPT, maybe deeper), return that one's."""
    for step in run.removeprefix(whole).split(".")[1::2]:
        plan = next(each.child for each in plan.steps if each.id == step and each.child)
    return plan
