"""Laporan Pengelolaan IT: the report that the maintenance SOP names, of a day, a month, a quarter or a year."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from runner.calendar import Calendar
from runner.events import Event
from runner.record.problems import KnownProblem
from runner.reports.activities import build_rules
from runner.reports.findings import Criterion
from runner.reports.history import sum_tallies
from runner.reports.office import BLANK, Office, build_letterhead, build_signatures, lone_actors
from runner.reports.paper.model import Block, Bullets, Heading, Line, Look, Pairs, Paper, Signatures, Together
from runner.reports.pen import Pen, take_pen
from runner.reports.periodic.annexes import build_annexes
from runner.reports.periodic.backups import build_backups, find_sets
from runner.reports.periodic.deeds import Names, build_deeds, build_deviations, count_deviations
from runner.reports.periodic.gathering import Gathered, Procedure
from runner.reports.periodic.realised import Done, build_realisation, count_late, pair_done
from runner.reports.periodic.renewals import build_services
from runner.reports.periodic.sites import build_sites, find_sites, say_share
from runner.reports.periodic.terms import Term
from runner.reports.periodic.troubles import build_troubles, count_states
from runner.reports.periodic.visitors import build_visitors, find_logs
from runner.reports.situation import DRAFT, read_roles, read_title

NAME = "laporan-pengelolaan-it"
WORKING_TIME = (
    "Waktu kerja dihitung menurut jam kerja, hari libur, dan cuti bersama kantor; malam dan istirahat tidak dihitung."
)


@dataclass(frozen=True, slots=True)
class Told:
    """All that a period's report is made from; `drill` is the last restore test before its end."""

    term: Term
    found: Gathered
    problems: Sequence[KnownProblem]
    drill: Event | None
    office: Office
    calendar: Calendar
    head: str

    @property
    def pen(self) -> Pen:
        """How values are written."""
        return take_pen(self.office.settings)

    @property
    def as_of(self) -> datetime:
        """The time of the last record that the report tells of; of an empty period its beginning."""
        zone = self.pen.zone
        return (self.found.as_of or self.term.period(zone).since).astimezone(zone)

    @property
    def until(self) -> date:
        """The last day on record."""
        return self.as_of.date()

    def procedures(self) -> list[tuple[Procedure, list[Done]]]:
        """The procedures that were carried out, each with its activities; the marks of evidence run through all."""
        ordered = sorted(self.found.procedures.values(), key=lambda each: each.playbook)
        order = {each.playbook: place for place, each in enumerate(ordered)}
        steps = {
            (each.playbook, form["id"]): place
            for each in ordered
            for place, form in enumerate(each.started.get("steps") or ())
        }
        kept = self.found.evidence
        places = sorted(
            range(len(kept)),
            key=lambda n: (order.get(kept[n].playbook, 0), steps.get((kept[n].playbook, kept[n].step), 999), n),
        )
        marks = {place: f"B-{number}" for number, place in enumerate(places, 1)}
        return [(each, pair_done(each, self.found, marks)) for each in ordered]


def build_it(told: Told) -> Paper:
    """Given all that is known of a period, return the report."""
    return Paper(
        name=f"{NAME}-{told.term.text.lower()}",
        title="LAPORAN PENGELOLAAN IT",
        subtitle=told.term.name,
        letterhead=build_letterhead(told.office.settings),
        blocks=list(_blocks(told)),
        as_of=told.as_of,
        head=told.head,
    )


def criterion_of(procedures: Sequence[tuple[Procedure, Sequence[Done]]]) -> Criterion:
    """Given procedures, return what tells the norm that a problem offends: the outputs of the step that found it."""
    norms = {
        (procedure.playbook, each.activity.id): f"Mutu baku SOP, kegiatan {each.activity.number}: "
        + "; ".join(each.activity.outputs)
        for procedure, done in procedures
        for each in done
        if each.activity.outputs
    }
    return lambda problem: norms.get((problem.playbook, problem.step), "")


def _blocks(told: Told) -> Iterator[Block]:
    procedures, pen, found = told.procedures(), told.pen, told.found
    names = Names(
        {(p.playbook, each.activity.id): each.activity.number for p, done in procedures for each in done},
        {(p.playbook, role): text for p, _ in procedures for role, text in read_roles(p.started).items()},
    )
    yield Pairs(_facts(told, procedures))
    yield from _introduction(told, procedures)
    yield Heading("B. Kegiatan yang Dilaksanakan")
    yield from _activities(told, procedures)
    yield Heading("C. Hasil yang Dicapai")
    yield from _results(told)
    yield Heading("D. Permasalahan")
    criterion = criterion_of(procedures)
    yield from build_troubles(told.problems, criterion, told.office, told.term, told.until, pen)
    yield Heading("E. Penyelesaian Masalah dan Keputusan")
    yield from build_deeds(found, names, told.office, told.calendar, pen)
    yield Heading("F. Penyimpangan dari Mutu Baku")
    yield from build_deviations(found, names, told.office, pen)
    yield from _conclusion(told, procedures)
    yield from build_annexes(procedures, found, told.office, told.calendar, pen)


def _facts(told: Told, procedures: Sequence[tuple[Procedure, Sequence[Done]]]) -> list[tuple[str, str]]:
    pen, term = told.pen, told.term
    days = pen.day(term.first) if term.first == term.last else f"{pen.day(term.first)} s.d. {pen.day(term.last)}"
    facts = [
        ("Satuan kerja", str(told.office.settings.get("name") or "")),
        ("Unit", str(told.office.settings.get("unit") or "")),
        ("Periode", days),
        ("Prosedur", "\n".join(read_title(procedure.started) for procedure, _ in procedures)),
        ("Jumlah pelaksanaan", pen.number(len(told.found.runs))),
        ("Keadaan catatan per", pen.time(told.as_of)),
    ]
    return [(name, value) for name, value in facts if value]


def _introduction(told: Told, procedures: Sequence[tuple[Procedure, Sequence[Done]]]) -> Iterator[Block]:
    yield Heading("A. Pendahuluan")
    yield Heading("1. Umum", 2)
    titles = ", ".join(read_title(procedure.started) for procedure, _ in procedures) or BLANK
    yield Line(f"Laporan ini memuat pelaksanaan {titles} menurut catatan pelaksanaan ({told.term.name}).")
    yield Heading("2. Maksud dan tujuan", 2)
    yield Line(
        "Membandingkan realisasi kegiatan dengan mutu baku SOP, serta melaporkan hasil, permasalahan, dan penyimpangan."
    )
    yield Heading("3. Ruang lingkup", 2)
    yield Line(
        "Kegiatan, bukti, dan keputusan yang tercatat dalam periode laporan. Yang tidak tercatat tidak dilaporkan."
    )
    yield Heading("4. Dasar", 2)
    for procedure, _ in procedures:
        identity = procedure.started.get("procedure") or {}
        basis = [str(each) for each in identity.get("legal_basis") or ()]
        if basis:
            yield Bullets(basis, numbered=True)
        yield Line(f"{read_title(procedure.started)}, Nomor SOP: {identity.get('number') or BLANK}")
    if not procedures:
        yield Line(BLANK)


def _activities(told: Told, procedures: Sequence[tuple[Procedure, Sequence[Done]]]) -> Iterator[Block]:
    if not procedures:
        yield Line("Tidak ada pelaksanaan yang tercatat dalam periode ini.")
    for procedure, done in procedures:
        if len(procedures) > 1:
            yield Heading(read_title(procedure.started), 2)
        yield build_realisation(procedure, done, told.office, told.calendar, told.pen)
        yield from build_rules((one.activity.number, each.counted) for one in done for each in one.executions)
    yield Line(WORKING_TIME, Look.NOTE)


def _results(told: Told) -> Iterator[Block]:
    pen, found, office = told.pen, told.found, told.office
    yield Heading("1. Ketersediaan akses dan pembaruan konten", 2)
    yield from build_sites(find_sites(found, pen), told.term, told.until, office, pen)
    yield Heading("2. Backup", 2)
    yield from build_backups(found, told.drill, office, pen)
    yield Heading("3. Aktivitas pengunjung", 2)
    yield from build_visitors(find_logs(found, told.term), told.term, told.until, office, pen)
    yield Heading("4. Langganan koneksi, hosting, dan nama domain", 2)
    yield from build_services(found, office, pen)


def _conclusion(told: Told, procedures: Sequence[tuple[Procedure, Sequence[Done]]]) -> Iterator[Block]:
    yield Heading("G. Kesimpulan dan Saran")
    yield Bullets(list(_sentences(told, procedures)))
    yield Line("Saran:")
    for _ in range(3):
        yield Line(BLANK * 2)
    steps = [each.activity.actors for _, done in procedures for each in done]
    roles = {key: text for procedure, _ in procedures for key, text in read_roles(procedure.started).items()}
    signing = {role: roles.get(role, role) for role in lone_actors(steps)}
    places = build_signatures(signing, told.office, told.term.last, f"{told.office.city}, ……………………")
    yield Together(
        [
            Heading("H. Penutup"),
            Line("Demikian laporan ini dibuat untuk dipergunakan sebagaimana mestinya."),
            Signatures(places),
        ]
    )
    yield Line(DRAFT, Look.NOTE)


def _sentences(told: Told, procedures: Sequence[tuple[Procedure, Sequence[Done]]]) -> Iterator[str]:
    """What the record shows, in one sentence a subject; nothing that it does not show."""
    pen, found = told.pen, told.found
    executions = [each for _, done in procedures for one in done for each in one.executions]
    judged, late = count_late(executions)
    done, timely = (
        pen.number(len(executions)),
        f"{pen.number(judged - late)} tepat waktu dan {pen.number(late)} terlambat",
    )
    yield f"{done} pelaksanaan kegiatan tercatat; dari {pen.number(judged)} yang dinilai, {timely}."
    sites = find_sites(found, pen)
    if sites:
        total = sum_tallies(site.all for site in sites.values())
        yield f"Ketersediaan akses {pen.number(len(sites))} website: {say_share(total, pen)}."
    yield f"{pen.number(len(find_sets(found)))} perangkat backup dibuat dan diperiksa keutuhannya."
    yield count_states(told.problems, pen) if told.problems else "Tidak ada permasalahan yang tercatat."
    yield f"{pen.number(count_deviations(found))} penyimpangan dari mutu baku tercatat."
