"""notify.send: tell people of the inventory something, over mail, webhook or Telegram."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from runner.contract import Action, Call, Effect, Outcome, Preview, Problem, Reach, Repeat, Severity, Status
from runner.notices import Delivery, Letter, Notice

LONGEST_PROBLEM = 1000
_WORDS = {
    "deferred": "ditunda oleh server dan belum terkirim",
    "failed": "tidak terkirim",
    "unknown": "tidak dapat dipastikan terkirim",
}


def run(call: Call) -> Outcome:
    """Write the letters, keep them, send them. What a channel does never fails the task; it is a problem."""
    notifier = call.notifier()
    letters = notifier.write(build_notice(call))
    kept = call.keep("pemberitahuan.txt", render_letters(letters).encode(), "text/plain")
    deliveries = notifier.send(letters, call.deadline)
    delivered = [asdict(each) for each in deliveries if each.status == "sent"]
    failed = [asdict(each) for each in deliveries if each.status != "sent"]
    outputs = {"subject": letters[0].subject, "delivered": delivered, "failed": failed}
    return Outcome(Status.OK, outputs=outputs, evidence=(kept,), problems=find_problems(letters, deliveries))


def preview(call: Call) -> Preview:
    """Say to whom what would be sent, over which channels."""
    letters = call.notifier().write(build_notice(call))
    goals = "; ".join(f"{', '.join(each.names) or '–'} over {each.channel}{_lacking(each)}" for each in letters)
    return Preview(f"'{letters[0].subject}' would be sent to {goals}", changes=False)


def build_notice(call: Call) -> Notice:
    """Given a call, return what it asks to be said."""
    to, inputs = call.inputs["to"], call.inputs
    names = (to,) if isinstance(to, str) else tuple(to)
    return Notice(names, inputs["template"], inputs["values"], tuple(inputs["channels"]))


def render_letters(letters: Sequence[Letter]) -> str:
    """Given letters, return them as one text, to be kept."""
    return "\n".join(
        f"Kanal: {each.channel}\nKepada: {', '.join(each.names)}\nID: {each.id}\nPerihal: {each.subject}\n\n{each.text}"
        for each in letters
    )


def find_problems(letters: Sequence[Letter], deliveries: Sequence[Delivery]) -> tuple[Problem, ...]:
    """Given letters and what became of them, return the problem that tells which did not surely arrive."""
    unsent = [(letter, each) for letter, each in zip(letters, deliveries, strict=True) if each.status != "sent"]
    if not unsent:
        return ()
    places = "; ".join(_describe(letter, each) for letter, each in unsent)
    message = f"Pemberitahuan “{unsent[0][0].subject}” {places}"
    shown = message if len(message) <= LONGEST_PROBLEM else message[: LONGEST_PROBLEM - 1] + "…"
    return (Problem("notify.failed", Severity.MINOR, shown),)


def _describe(letter: Letter, delivery: Delivery) -> str:
    names = ", ".join(letter.names) or "penerima"
    return f"melalui kanal {delivery.channel} kepada {names} {_WORDS[delivery.status]}: {delivery.answer}"


def _lacking(letter: Letter) -> str:
    return f" (it cannot be: {letter.fault})" if letter.fault else ""


_NAMES = {"type": "string", "minLength": 1, "maxLength": 128}
_DELIVERIES = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "channel": {"type": "string", "description": "the channel's name", "examples": ["mail"]},
            "recipient": {
                "type": "string",
                "description": "the person's short name; empty where the channel leads to all of them together",
                "examples": ["budi"],
            },
            "status": {
                "enum": ["sent", "deferred", "failed", "unknown"],
                "description": "sent: the server took it; deferred: it asked for later; unknown: it may have arrived",
                "examples": ["sent"],
            },
            "attempts": {"type": "integer", "description": "how often it was tried", "examples": [1]},
            "answer": {
                "type": "string",
                "description": "what the server said, or what hindered",
                "examples": ["250 OK"],
            },
            "id": {
                "type": "string",
                "description": "what it can be found by there",
                "examples": ["<3fd1…@example.go.id>"],
            },
        },
        "additionalProperties": False,
    },
}
_EXAMPLE = {
    "channel": "mail",
    "recipient": "budi",
    "status": "sent",
    "attempts": 1,
    "answer": "250 OK",
    "id": "<3fd1…>",
}

ACTION = Action(
    name="notify.send",
    description="Tells people of the inventory something, over its channels; a channel that fails is a problem found.",
    inputs={
        "to": {
            "anyOf": [_NAMES, {"type": "array", "items": _NAMES, "minItems": 1, "maxItems": 50}],
            "names": "recipient",
            "description": "People or roles of the inventory; of a role, everybody who holds it today",
            "examples": [["kasubbag", "budi"]],
        },
        "channels": {
            "type": "array",
            "items": _NAMES,
            "maxItems": 20,
            "names": "channel",
            "description": "Channels of the inventory; without them, all",
            "examples": [["mail"]],
            "default": [],
        },
        "template": {
            "type": "string",
            "pattern": "^[a-z0-9][a-z0-9_-]{0,63}$",
            "description": "The text: templates/NAME.txt in the working folder, else one that is shipped",
            "examples": ["pemberitahuan", "permasalahan", "masa-berlaku"],
            "default": "pemberitahuan",
        },
        "values": {
            "type": "object",
            "description": "What the template reads as {{ values.x }}; 'pemberitahuan' reads subject and text",
            "examples": [{"subject": "Backup selesai", "text": "Backup website telah selesai."}],
            "default": {},
        },
    },
    outputs={
        "subject": {"type": "string", "description": "The subject as sent", "examples": ["Backup selesai"]},
        "delivered": {**_DELIVERIES, "description": "Messages that their servers took", "examples": [[_EXAMPLE]]},
        "failed": {**_DELIVERIES, "description": "Messages that did not surely arrive", "examples": [[]]},
    },
    effect=Effect.OUTSIDE,
    # No mail server, webhook or bot API can be asked whether it took a message, so there is nothing to probe; and a
    # reminder that came twice is worth a person's look. The second one carries the same id.
    repeat=Repeat.NEVER,
    reach=Reach.CONTROLLER,
    limit="10m",
    run=run,
    preview=preview,
    example="""\
- id: tell
  action: notify.send
  with:
    to: [kasubbag]
    channels: [mail]
    values: {subject: Backup selesai, text: "Backup website telah selesai pada {{ run.date }}."}
""",
)
