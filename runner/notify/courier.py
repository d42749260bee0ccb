"""The courier: writes letters to people of the inventory, and carries them until they are taken or time is up."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from random import SystemRandom
from typing import Any

from runner.actions.web.text import clean_text
from runner.durations import Deadline
from runner.errors import Failed, did_you_mean
from runner.inventory import Inventory
from runner.inventory.people import Person
from runner.messages import render_date, render_day
from runner.notices import Delivery, Letter, Notice
from runner.notify.answers import Answer, Status, Way, hindered, refused
from runner.notify.letters import LONGEST_NAME, Form, fill_form, load_form
from runner.notify.smtp import WAY as SMTP
from runner.notify.telegram import WAY as TELEGRAM
from runner.notify.webhook import WAY as WEBHOOK

CHANNELS: Mapping[str, Way] = {"smtp": SMTP, "webhook": WEBHOOK, "telegram": TELEGRAM}

MOST_LETTERS = 100
LONGEST_TRY = 30.0  # seconds
MOST_TRIES = 4  # where the server did not ask for later
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
VACANT = "jabatan penerima sedang tidak ada pemangkunya"
RESERVE = 2.0  # seconds kept back, so that the outcome is told before the task's limit


@dataclass(frozen=True, slots=True)
class Courier:
    """Knows the inventory, its secrets and what must be masked. `claim` names the task in its run, `now` is the
    office's time, `templates` the folder of its own templates.
    """

    inventory: Inventory
    secret: Callable[[str], str]
    mask: Callable[[Any], Any]
    claim: str
    now: datetime
    templates: Path = Path("templates")

    def write(self, notice: Notice) -> tuple[Letter, ...]:
        """Given a notice, return its letters. Raise Failed for a recipient, channel or template that is not there."""
        held = {name: self._holders(name) for name in notice.to}
        people = tuple(dict.fromkeys(person for holders in held.values() for person in holders))
        channels = self._channels(notice.channels)
        form = load_form(notice.template, self.templates)
        letters = [
            self._letter(form, notice.values, channel, recipients)
            for channel in channels
            for recipients in self._split(channel, people)
        ]
        letters += [self._returned(letters[0], name) for name in held if people and not held[name]]
        if len(letters) > MOST_LETTERS:
            raise Failed(f"that makes {len(letters)} letters, at most {MOST_LETTERS} are sent. name fewer recipients")
        return tuple(letters)

    def send(self, letters: Sequence[Letter], deadline: Deadline) -> tuple[Delivery, ...]:
        """Send letters and return what became of each, in their order, before the deadline."""
        before = deadline.tightened(max(0.0, deadline.remaining() - min(RESERVE, 0.1 * deadline.remaining())))
        parcels = [_Parcel(letter) for letter in letters]
        waiting = [parcel for parcel in parcels if parcel.answer is None]
        while waiting:
            parcel = min(waiting, key=lambda each: each.due)
            if parcel.due >= before.at:
                break
            time.sleep(max(0.0, parcel.due - time.monotonic()))
            untried = sum(each.tries == 0 for each in waiting)
            share = before.tightened(min(LONGEST_TRY, before.remaining() / max(1, untried)))
            parcel.take(self._try(parcel.letter, share))
            waiting = [each for each in waiting if each.again]
        return tuple(parcel.delivery() for parcel in parcels)

    def _holders(self, name: str) -> Sequence[Person]:
        inventory = self.inventory
        if name in inventory.roles:
            return inventory.holders(name, self.now.date())
        if name in inventory.people:
            return (inventory.people[name],)
        cure = did_you_mean(name, [*inventory.people, *inventory.roles]) or "add them under people: in the inventory"
        raise Failed(f"{name[:80]!r} is no person or role of the inventory, and nobody else is written to. {cure}")

    def _channels(self, names: Sequence[str]) -> tuple[str, ...]:
        known = self.inventory.channels
        for name in names:
            if name not in known:
                raise Failed(f"there is no channel {name[:80]!r}. {did_you_mean(name, known)}")
        if not known:
            raise Failed("there is no channel. define one under channels: in the inventory")
        return tuple(dict.fromkeys(names)) or tuple(known)

    def _split(self, channel: str, people: tuple[Person, ...]) -> Iterator[tuple[Person, ...]]:
        settings = self.inventory.channels[channel]
        if not people or not CHANNELS[settings["kind"]].personal(settings):
            yield people
        else:
            yield from ((person,) for person in people)

    def _letter(self, form: Form, values: Mapping[str, Any], channel: str, people: Sequence[Person]) -> Letter:
        settings = self.inventory.channels[channel]
        key = CHANNELS[settings["kind"]].address if CHANNELS[settings["kind"]].personal(settings) else ""
        address = getattr(people[0], key) if key and people else ""
        names = tuple(clean_text(person.name, LONGEST_NAME) for person in people)
        recipient = people[0].id if key and people else ""
        subject, text = fill_form(form, self._scope(values, people, names))
        identity = _identify(self.claim, channel, recipient, subject)
        fault = "" if people else VACANT
        if key and people and not address:
            fault = "penerima tidak memiliki " + ("alamat surel" if key == "email" else "id Telegram")
        return Letter(channel, recipient, names, address, self.mask(subject), self.mask(text), identity, fault)

    def _returned(self, letter: Letter, role: str) -> Letter:
        """The letter to a role that nobody holds, while others get theirs."""
        return replace(letter, recipient=role, names=(role,), address="", id=_identify(letter.id, role), fault=VACANT)

    def _scope(self, values: Mapping[str, Any], people: Sequence[Person], names: Sequence[str]) -> dict[str, Any]:
        position = people[0].position if len(people) == 1 else ""
        return {
            "values": {name: _for_people(value) for name, value in self.mask(values).items()},
            "office": self.inventory.office,
            "recipient": {"name": ", ".join(names), "position": position},
            "date": render_date(self.now.date(), "id"),
        }

    def _try(self, letter: Letter, deadline: Deadline) -> Answer:
        settings = self.inventory.channels[letter.channel]
        try:
            answer = CHANNELS[settings["kind"]].send(self._filled(settings), letter, deadline)
        except Failed as error:
            return refused(str(error))
        except Exception as error:  # noqa: BLE001  # a fault in one channel must not keep the others from sending
            return Answer(Status.UNKNOWN, f"gangguan pada kanal: {type(error).__name__}")
        return replace(answer, words=self.mask(answer.words))

    def _filled(self, value: Any) -> Any:
        """Settings in which each reference to a secret is its value."""
        if isinstance(value, Mapping):
            if value.keys() == {"secret"}:
                return self.secret(str(value["secret"]))
            return {key: self._filled(part) for key, part in value.items()}
        return value


def _for_people(value: Any) -> Any:
    """A day as outputs have it (2026-12-31) as a letter writes it; any other value as it is."""
    try:
        day = date.fromisoformat(value) if isinstance(value, str) and len(value) == len("2026-12-31") else None
    except ValueError:
        return value
    return render_day(day, "id") if day else value


def _identify(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


class _Parcel:
    """A letter on its way."""

    def __init__(self, letter: Letter) -> None:
        self.letter = letter
        self.tries = 0
        self.due = time.monotonic()
        self.answer = refused(letter.fault) if letter.fault else None
        self.again = not letter.fault
        self._hindered = 0
        self._unsure = ""

    def take(self, answer: Answer) -> None:
        """Note what one try brought, and when the next one is due, if any."""
        self.answer = answer
        self.tries += 1
        self._hindered += answer.status is not Status.DEFERRED
        self.again = not answer.final and self._hindered < MOST_TRIES
        if answer.status is Status.UNKNOWN:
            self._unsure = answer.words
        pause = min(FIRST_PAUSE * 2 ** min(self.tries - 1, 10), LONGEST_PAUSE) * SystemRandom().uniform(0.9, 1.1)
        self.due = time.monotonic() + max(pause, answer.wait)

    def delivery(self) -> Delivery:
        """What became of it; what once may have arrived stays unknown unless a later try was taken."""
        answer = self.answer or hindered("waktu habis sebelum pesan dapat dikirim")
        status, words = answer.status, answer.words
        if self._unsure and status not in (Status.SENT, Status.UNKNOWN):
            status, words = Status.UNKNOWN, f"{self._unsure}; kemudian: {words}"
        return Delivery(self.letter.channel, self.letter.recipient, str(status), self.tries, words, answer.id)
