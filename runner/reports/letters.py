"""Drafts of letters about a run: the memo (nota dinas) that forwards its report, and a letter to a third party."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from runner.record.document import Record
from runner.record.problems import KnownProblem
from runner.reports.activities import pair_activities
from runner.reports.findings import LONGEST_CONDITION, NONE
from runner.reports.lists import build_list
from runner.reports.office import BLANK, Office, build_letterhead, lone_actors
from runner.reports.paper.model import Block, Column, Line, Look, Pairs, Paper, Signatures, Together, cell
from runner.reports.pen import Pen, take_pen
from runner.reports.situation import find_end, read_roles, read_title
from runner.reports.values import shorten

DRAFT = "Konsep. Nomor dan tanggal diberikan oleh bagian yang berwenang; berlaku setelah ditandatangani."
ASKED = (
    "Mohon bantuan pemeriksaan dan pemecahannya, serta pemberitahuan tertulis mengenai sebab, tindakan yang diambil, "
    "dan waktu penyelesaiannya."
)
THANKS = "Demikian disampaikan. Atas perhatian dan kerja samanya diucapkan terima kasih."
COLUMNS = (
    Column("No", 9, "center"),
    Column("Sasaran", 28),
    Column("Permasalahan", 82),
    Column("Tingkat", 15),
    Column("Sejak", 26),
)


def posts_of(record: Record) -> list[str]:
    """Given a run's record, return the roles that act alone in a step of its procedure, in its order."""
    return lone_actors([activity.actors for activity in pair_activities(record)])


def build_nota_dinas(
    record: Record, problems: Sequence[KnownProblem], office: Office, head: str, *, sender: str, receiver: str
) -> Paper:
    """Given a run, the open problems and the roles it goes from and to, return the memo that forwards its report."""
    pen, until = take_pen(office.settings), find_end(record, pair_activities(record))
    return Paper(
        name="nota-dinas",
        title="NOTA DINAS",
        subtitle="",
        letterhead=build_letterhead(office.settings),
        blocks=list(_memo(record, problems, office, pen, until, sender, receiver)),
        as_of=pen.local(until),
        head=head,
    )


def build_surat(
    record: Record, problems: Sequence[KnownProblem], office: Office, head: str, *, sender: str, party: str
) -> Paper:
    """Given a run, the open problems, the role that signs and the third party ("": whom the run was handed to last,
    else left blank), return the letter that asks for help."""
    pen, until = take_pen(office.settings), find_end(record, pair_activities(record))
    party = party or (record.hands[-1].party if record.hands else "")
    return Paper(
        name="surat-pihak-ketiga",
        title="",
        subtitle="",
        letterhead=build_letterhead(office.settings),
        blocks=list(_letter(record, problems, office, pen, until, sender, party)),
        as_of=pen.local(until),
        head=head,
        numbered=False,
    )


def list_problems(problems: Sequence[KnownProblem], office: Office, pen: Pen) -> Iterator[Block]:
    """Given problems, give the table of them."""
    rows = [
        (
            cell(str(number)),
            cell(office.title_of(problem.target)),
            cell(shorten(problem.message, LONGEST_CONDITION), Line(problem.key, Look.NOTE)),
            cell(pen.severity(problem.severity)),
            cell(pen.clock(problem.first_seen)),
        )
        for number, problem in enumerate(problems, 1)
    ]
    yield from build_list(COLUMNS, rows, none=NONE)


def _post(role: str, record: Record, office: Office, day: datetime) -> str:
    """How a post is called in a letter: the holder's position, else the role as the procedure calls it."""
    person = office.holder(role, day.date())
    return (person.position if person else "") or read_roles(record.started).get(role, "") or BLANK


def _memo(
    record: Record,
    problems: Sequence[KnownProblem],
    office: Office,
    pen: Pen,
    until: datetime,
    sender: str,
    receiver: str,
) -> Iterator[Block]:
    title, day = read_title(record.started), pen.local(until)
    yield Pairs(
        [
            ("Kepada", f"Yth. {_post(receiver, record, office, day)}"),
            ("Dari", _post(sender, record, office, day)),
            ("Tanggal", BLANK),
            ("Sifat", BLANK),
            ("Lampiran", "Laporan situasi kondisi"),
            ("Hal", f"Penerusan laporan situasi kondisi {title}"),
        ],
        ruled=True,
    )
    yield Line(
        f"Bersama ini diteruskan laporan situasi kondisi atas pelaksanaan {title} nomor {record.run}, "
        f"keadaan per {pen.time(until)}.",
        Look.BODY,
    )
    yield from _attached(record)
    if problems:
        yield Line("Permasalahan yang masih terbuka menurut catatan:", Look.BODY)
    yield from list_problems(problems, office, pen)
    place = office.sign(sender, _post(sender, record, office, day), "", day.date())
    asked = [Line("Mohon arahan dan langkah-langkah pemecahan masalah tersebut.", Look.BODY)] if problems else []
    yield Together([*asked, Line(THANKS, Look.BODY), Signatures([None, place]), Line(DRAFT, Look.NOTE)])


def _letter(
    record: Record,
    problems: Sequence[KnownProblem],
    office: Office,
    pen: Pen,
    until: datetime,
    sender: str,
    party: str,
) -> Iterator[Block]:
    title, day = read_title(record.started), pen.local(until)
    yield Line(f"{office.city}, ……………………", Look.RIGHT)
    yield Pairs(
        [
            ("Nomor", BLANK),
            ("Sifat", BLANK),
            ("Lampiran", BLANK),
            ("Hal", "Permohonan bantuan pemecahan masalah"),
        ]
    )
    yield Line(f"Yth. {party or BLANK}\ndi {BLANK}")
    name = office.settings.get("name") or BLANK
    yield Line(
        f"Dalam pelaksanaan {title} pada {name} tercatat permasalahan yang memerlukan bantuan Saudara, "
        f"keadaan per {pen.time(until)}:",
        Look.BODY,
    )
    yield from list_problems(problems, office, pen)
    place = office.sign(sender, _post(sender, record, office, day), "", day.date())
    yield Together([Line(ASKED, Look.BODY), Line(THANKS, Look.BODY), Signatures([None, place]), Line(DRAFT, Look.NOTE)])


def _attached(record: Record) -> Iterator[Line]:
    """The report that goes with the memo, by the hash under which the record keeps it."""
    tasks = (task for step in record.steps for _, task in step.tasks if task.action == "report.situation")
    for kept in (kept for task in tasks for kept in task.outcome.evidence):
        yield Line(f"{kept.name} – SHA-256 {kept.sha256}", Look.CODE)
