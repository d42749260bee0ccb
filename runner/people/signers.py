"""Who answers, as what, and how that is proved: by a login of one's own, an SSH key of the inventory, or a paper."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

from runner.errors import Refused, refuse
from runner.inventory import Inventory
from runner.inventory.people import Person
from runner.people.accounts import person_of, why_shared
from runner.posts import say_roles, split_roles
from runner.signatures import PublicKey, parse_key

OTHERWISE = "sign by SSH (--ssh KEYFILE), or record a signed --paper"


@contextmanager
def otherwise(cure: str) -> Iterator[None]:
    """Where somebody is refused inside the block because the login proves nobody, name this cure."""
    try:
        yield
    except Refused as refused:
        mistakes = [replace(each, cure=cure) if each.cure == OTHERWISE else each for each in refused.mistakes]
        raise Refused(*mistakes) from None


class Signer(NamedTuple):
    """Who answers: the full name, the role, "Plh" or "Plt" of a deputy and by which letter; the method in words, and
    as data what proves it."""

    name: str
    role: str
    method: str
    proof: Mapping[str, Any]
    acting: str = ""
    decree: str = ""


class Post(NamedTuple):
    """A role on a day, as an inventory has it; an `outside` one is held by nobody here, and others record its acts."""

    inventory: Inventory
    role: str
    day: date
    outside: bool = False

    def by_login(self, login: str, person: str = "") -> Signer:
        """Given the login of this process, return who signs with it. Raise Refused where that proves nobody."""
        proof = {"kind": "login", "login": login}
        if shared := why_shared(self.inventory, login):
            raise refuse("--person", f"{shared}, so it signs for no one", OTHERWISE)
        owner = person_of(self.inventory, login)
        if owner is None:
            raise refuse("login", f"'{login}' belongs to nobody in the inventory{self._holders()}", OTHERWISE)
        return self._recorded(person, owner, proof) if self.outside else self._signer(owner, person, "login", proof)

    def by_key(self, key: PublicKey, person: str = "") -> Signer:
        """Given the key of a signature, return whose it is. Raise Refused where it is nobody's or several people's."""
        owners = [each for each in self.inventory.people.values() if key in keys_of(each)]
        proof = {"kind": "ssh", "key": str(key), "fingerprint": key.fingerprint}
        if not owners:
            cure = f"add it as ssh_key of its owner, and begin with the inventory named: -i{self._holders()}"
            raise refuse("--ssh", f"the key {key.fingerprint} stands at nobody in the inventory", cure)
        if len(owners) > 1:
            names = ", ".join(each.name for each in owners)
            raise refuse("--ssh", f"the key {key.fingerprint} stands at several people: {names}", "give each a key")
        if self.outside:
            return self._recorded(person, owners[0], proof)
        return self._signer(owners[0], person, f"ssh {key.fingerprint}", proof)

    def by_paper(self, scan: str, person: str, login: str) -> Signer:
        """Given the SHA-256 of a paper's scan, who signed it and who records it, return the signer."""
        proof = {"kind": "paper", "scan": scan, "recorded_by": login}
        method = f"paper {scan}, recorded by {login}"
        if not person:
            raise refuse("--person", f"it is missing; it says who signed the paper{self._holders()}")
        if self.outside:
            return Signer(person, self.role, method, proof)
        found = next((each for each in self.inventory.people.values() if person in (each.id, each.name)), None)
        if found is None:
            raise refuse("--person", f"'{person}' does not hold the role '{self._called}'{self._holders()}")
        return self._signer(found, "", method, proof)

    def anyone(self, login: str) -> Signer:
        """Who answers where no role is asked for: the login's owner, or the login."""
        owner = person_of(self.inventory, login)
        return Signer(owner.name if owner else login, "", "login", {"kind": "login", "login": login})

    def _signer(self, person: Person, said: str, method: str, proof: Mapping[str, Any]) -> Signer:
        """The person in this role. Raise Refused where the role is not held on the day."""
        if said and said not in (person.id, person.name):
            raise refuse("--person", f"'{said}' was named, and {person.name} signs", "leave --person out")
        if not self.role:
            return Signer(person.name, "", method, proof)
        holding = person.holding(self.role, self.day)
        if holding is None:
            raise self._not_held(person)
        return Signer(person.name, holding.role, method, proof, holding.deputy, holding.decree)

    def _recorded(self, name: str, insider: Person, proof: Mapping[str, Any]) -> Signer:
        """Someone outside, whose act an insider records; the record says so."""
        if not name:
            raise refuse(
                "--person", f"'{self._called}' is outside the office; it says who acted there", "--person 'NAME'"
            )
        return Signer(name, self.role, f"recorded by {insider.name}", {**proof, "recorded_by": insider.name})

    def _not_held(self, person: Person) -> Refused:
        spans = [each for each in person.roles if each.role in split_roles(self.role)]
        when = " and ".join(f"{each.start or '…'} to {each.end or '…'}" for each in spans)
        why = f"held it from {when}, not on {self.day}" if spans else "does not hold it"
        return refuse(f"role '{self._called}'", f"{person.name} {why}{self._holders()}", OTHERWISE)

    @property
    def _called(self) -> str:
        return say_roles(self.role)

    def _holders(self) -> str:
        people = self.inventory.holders(self.role, self.day)
        names = ", ".join(each.name for each in people).removesuffix(".")  # the full stop of a title ends the sentence
        holders = f"'{self._called}' is held by: {names or 'nobody today'}"
        return f". {holders}"


def keys_of(person: Person) -> tuple[PublicKey, ...]:
    """The keys that a person signs with. Raise Refused where one of them is none."""
    try:
        return tuple(parse_key(text) for text in person.ssh_keys)
    except ValueError as error:
        raise refuse(f"people.{person.id}.ssh_key", str(error)) from None
