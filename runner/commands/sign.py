"""`sop sign`: a person answers what a run waits for, hands it to a third party, or takes it back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from runner.commands.clock import take_clock
from runner.commands.options import inventory_option, records_option
from runner.commands.signing import Desk, Words, open_desk
from runner.errors import Failed, Mistake, Refused, refuse
from runner.people.answers import record_once
from runner.people.hands import build_handed, build_taken_back
from runner.people.requests import Place
from runner.people.signers import otherwise
from runner.record.document import OpenRequest
from runner.screen import show
from runner.screen.summary import command_line
from runner.screen.tables import deviating

_FILE = click.Path(path_type=Path)


@click.command("sign")
@click.argument("run")
@click.argument("step")
@click.option("--answer", help="The label to answer with, as asked.")
@click.option(
    "--return-to", "to", default="", metavar="STEP", help="Return it for correction to this or an earlier step."
)
@click.option("--note", default="", help="A remark, the reason, or what was done: in quotes, it goes into the record.")
@click.option("--evidence", "files", multiple=True, type=_FILE, help="A file that shows it; may be repeated.")
@click.option("--task", default="", help="The task, where a step asks for several.")
@click.option("--target", default=None, help="The target, where several ask.")
@click.option("--role", default="", help="The role to answer in, where several must and you hold more than one.")
@click.option("--ssh", "key", metavar="KEYFILE|agent", help="Sign with this SSH key, or one that an agent has.")
@click.option("--to-sign", type=_FILE, metavar="FILE", help="Write the statement, to be signed by SSH elsewhere.")
@click.option("--signature", type=_FILE, metavar="FILE.sig", help="Record a signature of FILE, made elsewhere.")
@click.option("--paper", type=_FILE, help="The scan of a signed paper.")
@click.option("--person", default="", help="Who signs: with --paper or --to-sign.")
@click.option("--hand-to", "party", metavar="NAME", help="It is with a third party from now on; --note says why.")
@click.option("--take-back", is_flag=True, help="It is back from the third party.")
@inventory_option()
@records_option()
def command(run: str, step: str, party: str | None, take_back: bool, records: Path, **asked: Any) -> int:
    """Answer, for STEP of RUN, what waits for you: sign, decide, report what was done, or return it for correction.

    Without --ssh, --signature or --paper, the login under which this runs is the signature. -i names the inventory
    whose people count, where they changed since the run began.
    """
    words = Words(**{name: asked[name] for name in Words._fields})
    _check_words(words, handing=party is not None or take_back)
    try:
        place = Place(step, asked["task"], asked["target"], asked["role"])
        desk = open_desk(records, run, place, words.person, asked["inventories"])
        _act(desk, words, party, records, handing=party is not None or take_back)
    except Failed as error:  # a file or key that cannot be used: nothing was done
        raise Refused(Mistake("sop sign", 0, 0, str(error))) from error
    return 0


def _act(desk: Desk, words: Words, party: str | None, records: Path, *, handing: bool) -> None:
    """Do what was typed: answer, hand over, take back, or write what is to be signed elsewhere."""
    if handing:
        _hand(desk, words, party)
    elif words.to_sign:
        desk.write_statement(words)
        _tell_to_sign(desk, words.to_sign, records)
    else:
        event = desk.answer(words)
        record_once(desk.journal, event, desk.request)
        lines = [f"deviation: {deviating(each)}" for each in event.data["deviations"]]
        following = f"go on with: {command_line(['resume', desk.whole.run], records)}"
        show("\n".join([f"{_who(event.data)}: {event.data['label']}, recorded. {following}", *lines]))


def _check_words(words: Words, *, handing: bool) -> None:
    """Raise Refused for options that exclude each other."""
    ways = [name for name in ("key", "signature", "paper", "to_sign") if getattr(words, name) is not None]
    if len(ways) > 1:
        names = " and ".join("--ssh" if name == "key" else "--" + name.replace("_", "-") for name in ways)
        raise refuse(names, "an answer is signed in one way", "leave the others out")
    if handing and (ways or words.answer is not None or words.to or words.files):
        raise refuse("--hand-to, --take-back", "handing over is no answer", "leave out what answers")


def _hand(desk: Desk, words: Words, party: str | None) -> None:
    now = take_clock().now()
    run, request = desk.record.run, desk.request
    with otherwise("do it under your own login"):
        signer = desk.by_login(words.person)
    note, party = desk.inventory.redactor().mask([words.note, party])
    if party is None:
        event = build_taken_back(run, request, signer, note, now)
    else:
        event = build_handed(run, request, signer, party, note, now)
    record_once(desk.journal, event, request)
    show(f"{signer.name}: taken back, recorded" if party is None else f"{signer.name}: it is with {party}, recorded")


def _tell_to_sign(desk: Desk, file: Path, records: Path) -> None:
    again = command_line(["sign", desk.record.run, *_place(desk.request), "--signature", f"{file}.sig"], records)
    show(f"written: {file}\nsign it:   ssh-keygen -Y sign -f KEYFILE -n sop-answer {file}\nthen here: {again}")


def _place(request: OpenRequest) -> list[str]:
    target = ["--target", request.key.target] if request.key.target else []
    role = ["--role", request.request.role] if request.request.role else []
    return [request.key.step, "--task", request.key.task, *target, *role]


def _who(data: Mapping[str, Any]) -> str:
    return f"{data['acting']}. {data['person']}" if data["acting"] else str(data["person"])
