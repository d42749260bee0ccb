"""Berita Acara Backup: the official record of a run's backups, with sizes, checksums and the last restore test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import PurePath

from runner.errors import refuse
from runner.events import Event
from runner.record.document import Record
from runner.reports.activities import pair_activities
from runner.reports.numerals import spell_date
from runner.reports.office import ACKNOWLEDGED, BLANK, Office, build_letterhead
from runner.reports.paper.model import Block, Bullets, Heading, Line, Look, Pairs, Paper, Signatures, Together
from runner.reports.pen import Pen, take_pen
from runner.reports.periodic.backups import build_sets, parts_of, read_manifest, say_drill
from runner.reports.situation import DRAFT, find_end, read_roles, read_title

MADE = "Yang membuat,"
MEDIUM_WORDS = {"disk": "Hardisk", "host": "Komputer lain", "s3": "Penyimpanan S3", "disc": "Cakram"}


def build_minutes(
    record: Record,
    sets: list[Event],
    media: list[Event],
    drill: Event | None,
    office: Office,
    head: str,
    *,
    posts: list[str],
) -> Paper:
    """Given a run, its sealed backups, their copies on media, the last restore test, the office and the posts that sign
    (who made it, who acknowledges), return the berita acara. Raise Refused where the run sealed no backup."""
    if not sets:
        raise refuse(
            "RUN", f"run {record.run} sealed no backup", "name a run whose backup ended well; see 'sop history'"
        )
    pen, until = take_pen(office.settings), find_end(record, pair_activities(record))
    return Paper(
        name="berita-acara-backup",
        title="BERITA ACARA BACKUP",
        subtitle="",
        letterhead=build_letterhead(office.settings),
        blocks=list(_blocks(record, sets, media, drill, office, pen, posts)),
        as_of=pen.local(until),
        head=head,
    )


def _blocks(
    record: Record,
    sets: list[Event],
    media: list[Event],
    drill: Event | None,
    office: Office,
    pen: Pen,
    posts: list[str],
) -> Iterator[Block]:
    roles, made = read_roles(record.started), pen.local(sets[-1].at)
    maker = office.holder(posts[0], made.date()) if posts else None
    yield Line(f"Pada hari ini, {spell_date(made.date())}, yang bertanda tangan di bawah ini:", Look.BODY)
    yield Pairs(
        [
            ("Nama", maker.name if maker else BLANK),
            ("NIP", maker.nip if maker and maker.nip else BLANK),
            ("Jabatan", (maker.position if maker else "") or (roles.get(posts[0], BLANK) if posts else BLANK)),
        ]
    )
    name = office.settings.get("name") or BLANK
    yield Line(
        f"menerangkan bahwa pada {name} telah dibuat backup menurut {read_title(record.started)}, pelaksanaan nomor "
        f"{record.run}, dan keutuhannya telah diperiksa dengan membaca kembali setiap bagian:",
        Look.BODY,
    )
    yield from build_sets(sets, office, pen)
    yield Heading("Media dan tempat penyimpanan", 2)
    copies = [_copy(event, pen) for event in media] or ["Salinan di media lain: belum ada."]
    yield Bullets([_place(event, pen) for event in sets] + copies)
    yield Heading("Uji pulih", 2)
    yield Line(say_drill(drill, office, pen))
    yield Line("Cara memulihkan tertulis dalam berkas PULIHKAN.txt di dalam setiap perangkat backup.")
    closing = Line("Demikian berita acara ini dibuat dengan sebenarnya.", Look.BODY)
    yield Together([closing, _signing(posts, roles, office, made)])
    yield Line(DRAFT, Look.NOTE)


def _place(event: Event, pen: Pen) -> str:
    outputs = event.outputs
    folder = PurePath(str(outputs.get("set") or ""))
    taken = read_manifest(event).get("begun")
    since = f"; keadaan data per {pen.value(taken)}" if taken else ""
    return f"{folder.parent} / {folder.name}: {len(parts_of(event))} bagian{since}"


def _copy(event: Event, pen: Pen) -> str:
    """A copy on a medium: what it is called, what is on it, and until when it is to be read again."""
    outputs = event.outputs
    medium, due = str(outputs.get("medium")), date.fromisoformat(str(outputs["recheck_due"]))
    copied = ", ".join(map(str, outputs.get("sets") or ()))
    images = len(outputs.get("images") or ())
    done = f"{images} citra cakram dibuat dan dibaca kembali" if images else "disalin dan dibaca kembali"
    name = f"{MEDIUM_WORDS.get(medium, medium)} {outputs.get('label')}"
    return f"{name} ({outputs.get('place')}): {copied}; {done}; dibaca lagi paling lambat {pen.day(due)}"


def _signing(posts: list[str], roles: Mapping[str, str], office: Office, made: datetime) -> Signatures:
    headings = (MADE, ACKNOWLEDGED)
    places = [
        office.sign(role, roles.get(role, role), heading, made.date(), f"{office.city}, {BLANK[:20]}" if not n else "")
        for n, (role, heading) in enumerate(zip(posts[:2], headings, strict=False))
    ]
    return Signatures(places[::-1])
