"""A draft of the report of a cyber incident: what Peraturan BSSN Nomor 1 Tahun 2024 Pasal 15 asks for, and its clocks.

Pasal 15: the contact of who reports, a description, the chronology, the impact; where vital information infrastructure
is hit, within 1 x 24 hours of the discovery. Undang-Undang Nomor 27 Tahun 2022 Pasal 46: where personal data was not
protected, written notice within 3 x 24 hours. Both clocks run through nights and holidays.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from runner.record.problems import KnownProblem
from runner.reports.findings import LONGEST_CONDITION, TO_FILL, describe_state, list_advice
from runner.reports.office import ACKNOWLEDGED, BLANK, PREPARED, Office, build_letterhead
from runner.reports.paper.model import (
    Block,
    Column,
    Heading,
    Line,
    Look,
    Pairs,
    Paper,
    Sheet,
    Signatures,
    Table,
    Together,
    cell,
)
from runner.reports.pen import Pen, take_pen
from runner.reports.values import shorten

BSSN, PERSONAL = timedelta(hours=24), timedelta(hours=72)
DRAFT = (
    "Konsep yang disusun dari catatan pelaksanaan. Verifikasi, pengisian bagian kosong, dan pengiriman adalah "
    "keputusan pejabat yang berwenang."
)
COLUMNS = (Column("Waktu", 55), Column("Peristiwa menurut catatan", 105))
KEPT = (Column("Berkas", 60), Column("Ukuran", 22, "right"), Column("SHA-256", 78))


def build_incident(
    problem: KnownProblem, office: Office, head: str, *, as_of: datetime, posts: dict[str, str]
) -> Paper:
    """Given a problem, the office, the time of the last record and the posts that sign (role: how it is called; who
    prepares, who acknowledges), return the draft."""
    pen = take_pen(office.settings)
    return Paper(
        name="konsep-laporan-insiden",
        title="LAPORAN INSIDEN SIBER",
        subtitle="Konsep menurut Peraturan BSSN Nomor 1 Tahun 2024 Pasal 15",
        letterhead=build_letterhead(office.settings),
        blocks=list(_blocks(problem, office, pen, pen.local(as_of), posts)),
        as_of=pen.local(as_of),
        head=head,
    )


def _blocks(problem: KnownProblem, office: Office, pen: Pen, as_of: datetime, posts: dict[str, str]) -> Iterator[Block]:
    found = problem.first_seen
    yield Pairs([("Kode permasalahan", problem.key), ("Sasaran", office.title_of(problem.target))])
    yield Heading("Batas waktu (berjalan terus, termasuk malam dan hari libur)")
    yield Sheet(
        [
            ("Ditemukan", cell(pen.time(found))),
            ("1 x 24 jam", cell(pen.time(found + BSSN), "bila mengenai infrastruktur informasi vital (Pasal 15)")),
            (
                "3 x 24 jam",
                cell(
                    pen.time(found + PERSONAL), "bila data pribadi gagal dilindungi (UU Nomor 27 Tahun 2022 Pasal 46)"
                ),
            ),
            ("Verifikasi", cell("□ insiden   □ kesalahan konfigurasi   □ bukan insiden")),
            ("Diverifikasi oleh", ()),
        ]
    )
    yield Heading("a. Kontak pelapor")
    yield Sheet(_contact(office, posts, as_of))
    yield Heading("b. Deskripsi insiden")
    yield Sheet(
        [
            ("Keadaan yang terlihat", cell(shorten(problem.message, LONGEST_CONDITION))),
            ("Tingkat", cell(pen.severity(problem.severity))),
            ("Keadaan sekarang", cell(*describe_state(problem, pen))),
            ("Aset dan sistem terdampak", cell(office.title_of(problem.target)) if problem.target else ()),
            ("Kerentanan yang dimanfaatkan", ()),
            *list_advice(problem, office.knowledge),
        ]
    )
    yield Line(TO_FILL, Look.NOTE)
    yield Heading("c. Kronologi")
    yield Table(COLUMNS, [(cell(pen.time(at)), cell(what)) for at, what in sorted(_chronology(problem))])
    yield Heading("d. Dampak")
    yield Sheet(
        [("Dampak terhadap layanan", ()), ("Data pribadi yang terdampak", ()), ("Penanganan dan pemulihan", ())]
    )
    yield Heading("e. Bukti yang disimpan")
    yield from _evidence(problem, pen)
    yield _signing(office, posts, as_of)
    yield Line(DRAFT, Look.NOTE)


def _contact(office: Office, posts: dict[str, str], as_of: datetime) -> list[tuple[str, tuple[Line, ...]]]:
    person = office.holder(next(iter(posts), ""), as_of.date())
    settings = office.settings
    told = [
        ("Instansi", str(settings.get("name") or "")),
        ("Nama", person.name if person else ""),
        ("Jabatan", (person.position if person else "") or next(iter(posts.values()), "")),
        ("Telepon", (person.phone if person else "") or str(settings.get("phone") or "")),
        ("Pos-el", (person.email if person else "") or str(settings.get("email") or "")),
    ]
    return [(name, cell(text) if text else ()) for name, text in told]


def _chronology(problem: KnownProblem) -> Iterator[tuple[datetime, str]]:
    yield problem.first_seen, "Pertama kali terlihat"
    if problem.times > 1:
        yield problem.last_seen, f"Terakhir terlihat, dalam pelaksanaan {problem.run}"
    if problem.holder:
        yield problem.holder.since, f"Mulai ditangani, dalam pelaksanaan {problem.holder.run}"
    if problem.accepted:
        yield problem.accepted.at, f"Diterima oleh {problem.accepted.person}: {problem.accepted.reason}"
    if problem.solved_at:
        yield problem.solved_at, "Tidak terlihat lagi"
    for past in problem.earlier:
        yield past.first_seen, "Kejadian sebelumnya: pertama kali terlihat"
        yield past.solved_at, "Kejadian sebelumnya: tidak terlihat lagi"


def _evidence(problem: KnownProblem, pen: Pen) -> Iterator[Block]:
    if not problem.evidence:
        yield Line(f"Tidak ada bukti yang tercatat. {BLANK}")
        return
    rows = [
        (cell(each.name), cell(pen.size(each.size)), cell(Line(each.sha256, Look.CODE))) for each in problem.evidence
    ]
    yield Table(KEPT, rows)


def _signing(office: Office, posts: dict[str, str], as_of: datetime) -> Together:
    ends = [*posts][:1] + [*posts][1:][-1:]
    places = [
        office.sign(role, posts[role], heading, as_of.date(), f"{office.city}, ……………………" if not number else "")
        for number, (role, heading) in enumerate(zip(ends, (PREPARED, ACKNOWLEDGED), strict=False))
    ]
    return Together([Signatures(places[::-1])])
