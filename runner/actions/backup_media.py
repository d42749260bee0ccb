"""backup.media: copies a sealed set to a disk, another host, S3 storage or images of discs, and reads it back."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from datetime import date
from typing import Any

from runner.actions.backup.copying import check_sets, copy_sets
from runner.actions.backup.discs import check_images, write_images
from runner.actions.backup.disks import find_disk
from runner.actions.backup.media import DISC, DISK, KINDS, WORDS, open_medium
from runner.actions.backup.media_keys import INPUTS, OUTPUTS
from runner.actions.backup.naming import NAMED, say_put_away, say_unnamed, take_named
from runner.actions.backup.sets import BackupSet
from runner.actions.backup.shelf import choose, open_shelf
from runner.actions.backup.verdict import NotAccepted, judged
from runner.contract import Action, Call, Effect, Outcome, Preview, Reach, Repeat, Status
from runner.messages import render_size

MONTHS = 24  # NARA: optical media and disks are read again at least every two years


def run(call: Call) -> Outcome:
    """Copy the set with those it needs, or read the copies again; where no medium is named, ask for one. Raise
    NotAccepted, Failed, Unreachable or TimeUp."""
    call, kind = take_named(call)
    if not kind:
        return say_unnamed()
    try:
        return _copy(call)
    except NotAccepted as error:
        return say_put_away(call, error)


def _copy(call: Call) -> Outcome:
    shelf = open_shelf(call)
    found = choose(call, shelf)
    sets = sorted(shelf.chain(found).values(), key=lambda each: each.place)
    done = _discs(call, found) if DISC in call.inputs else _copies(call, sets)
    outputs = {
        "set": found.name,
        "sets": [found.name] if DISC in call.inputs else [each.name for each in sets],
        "manifest_sha256": found.manifest_sha256,
        "recheck_due": _due(call.office_time.date()).isoformat(),
        **done,
    }
    outputs["summary"] = _say(outputs, checked=call.inputs["check"])
    status = Status.OK if call.inputs["check"] else Status.CHANGED
    return Outcome(status, outputs, message=_summary(outputs, checked=call.inputs["check"]))


def preview(call: Call) -> Preview:
    """Say what would be copied, and where to, having looked for the disk. Raise NotAccepted where it is missing."""
    call, kind = take_named(call)
    if not kind:
        return Preview("would copy nothing and ask for a medium: none is named", changes=False)
    if kind == DISK:
        find_disk(call.inputs[DISK])
    shelf = open_shelf(call)
    what = "the set that a backup before it makes"
    if call.inputs.get("set") or shelf.newest:
        found = choose(call, shelf)
        size = render_size(sum(each.manifest["total_bytes"] for each in shelf.chain(found).values()), "en")
        what = f"{found.name} (about {size})"
    place = call.inputs[kind]
    where = place.get("address") or place["endpoint"] if isinstance(place, Mapping) else place
    act = "would read again" if call.inputs["check"] else "would copy and read back"
    return Preview(f"{act} {what} on {kind} {where}", changes=not call.inputs["check"])


def _copies(call: Call, sets: list[BackupSet]) -> dict[str, Any]:
    medium = open_medium(call)
    with medium.closed:
        copied = (check_sets if call.inputs["check"] else copy_sets)(sets, medium.store, call.deadline, call.tell)
    return {
        "medium": medium.kind,
        "label": medium.label,
        "place": medium.place,
        "files": copied.files,
        "bytes": copied.bytes,
        "reminder": medium.reminder,
        "images": [],
    }


def _discs(call: Call, found: BackupSet) -> dict[str, Any]:
    images = (check_images if call.inputs["check"] else write_images)(call, found)
    return {
        "medium": DISC,
        "label": " ".join(image.label for image in images),
        "place": str(images[0].path.parent),
        "files": sum(len(image.files) for image in images),
        "bytes": sum(image.bytes for image in images),
        "reminder": "Bakar setiap berkas .iso ke satu cakram dengan perintah `burn`, lalu periksa dengan perintah "
        "`check`; tulis label pada cakram dan simpan terpisah dari komputer.",
        "images": [image.told() for image in images],
    }


def _due(day: date) -> date:
    year, month = day.year + MONTHS // 12, day.month
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def _summary(outputs: dict[str, Any], *, checked: bool) -> str:
    done = "read again from" if checked else f"{render_size(outputs['bytes'], 'en')} copied, read back from"
    more = f", {len(outputs['images'])} images to burn" if outputs["images"] else ""
    text = f"{outputs['set']}: {done} {outputs['medium']} {outputs['label']}{more}; read it again by"
    return f"{text} {outputs['recheck_due']}"


def _say(outputs: dict[str, Any], *, checked: bool) -> str:
    """The same for officials."""
    name = f"{WORDS[outputs['medium']]} {outputs['label']}"
    if checked:
        return f"dibaca kembali dari {name}"
    count = len(outputs["images"])
    return (
        f"{count} citra cakram siap dibakar: {outputs['label']}" if count else f"disalin ke {name} dan dibaca kembali"
    )


ACTION = Action(
    name="backup.media",
    description="Copies a sealed set, with those it needs, to a disk (by UUID or label), another host (SFTP), "
    "S3-compatible storage, or as images of CDs or DVDs; whole or not at all, and reads it back from there.",
    inputs=INPUTS,
    outputs=OUTPUTS,
    effect=Effect.CHANGE,
    repeat=Repeat.SAFE,
    reach=Reach.CONTROLLER,
    one_of=(*KINDS, NAMED),
    limit="8h",
    run=judged("backup.media", run),
    preview=preview,
    targets=("website", "server", ""),
    example="""\
- id: medium
  action: backup.media
  with:
    disk: BACKUP-PN-TAIS
""",
)
