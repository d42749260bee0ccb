"""The memo (nota dinas) that asks for the money of renewals, as a draft."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runner.inventory.people import Person
from runner.messages import render_day, render_money
from runner.reports.cash import Entry, find_entries
from runner.reports.facts import Facts, needs_money
from runner.reports.letters import DRAFT
from runner.reports.office import BLANK, build_letterhead
from runner.reports.paper.layout import choose_layout
from runner.reports.paper.model import (
    Block,
    Cell,
    Column,
    Line,
    Look,
    Pairs,
    Paper,
    Signature,
    Signatures,
    Table,
    Together,
    cell,
)
from runner.reports.paper.page import render_html
from runner.reports.services import add_up, full_title, is_next

COLUMNS = (
    Column("No", 9, "center"),
    Column("Layanan dan penyedia", 40),
    Column("Berlaku sampai", 25),
    Column("Diurus sebelum", 25),
    Column("Mata anggaran", 33),
    Column("Jumlah", 33, "right"),
)
OPENING = (
    "Dalam rangka menjaga agar website dan koneksi internet tetap tersedia, bersama ini kami sampaikan layanan yang "
    "masa berlakunya perlu segera diperpanjang:"
)
ASKED = (
    "Sehubungan dengan hal tersebut, kami mohon persetujuan dan penyediaan dana dari mata anggaran di atas, sehingga "
    "pembayaran dapat dilakukan sebelum tanggal yang tercantum. Jumlah yang bertanda “perkiraan” dihitung dari harga "
    "dan pajak dalam daftar layanan dan menunggu invoice dari penyedia."
)
THANKS = "Demikian disampaikan. Atas perhatian dan persetujuannya kami ucapkan terima kasih."


def render_memo(facts: Facts) -> str:
    """Given what is known, return the memo as a page; "" where none is needed."""
    paper = build_memo(facts)
    return render_html(paper, choose_layout(facts.office, None, landscape=False)) if paper else ""


def build_memo(facts: Facts) -> Paper | None:
    """Given what is known, return the memo (nota dinas) that asks for the money, as a draft; None where none is needed.

    Its number and date are left blank: the office's registry gives them.
    """
    entries = [entry for entry in find_entries(facts) if needs_money(entry.fact, facts.today) and is_next(entry)]
    if not entries:
        return None
    return Paper(
        name="konsep-nota-dinas",
        title="NOTA DINAS",
        subtitle="",
        letterhead=build_letterhead(facts.office),
        blocks=list(_blocks(facts, sorted(entries, key=lambda entry: (entry.month, entry.ends)))),
        as_of=facts.now.astimezone(facts.calendar.office.zone),
        head=facts.head,
    )


def _blocks(facts: Facts, entries: Sequence[Entry]) -> Iterator[Block]:
    sender, receiver = (facts.holders.get(role) for role in ("kasubbag", "sekretaris"))
    post = _post(sender, "Kepala Subbagian Perencanaan, Teknologi Informasi, dan Pelaporan")
    yield Pairs(
        [
            ("Kepada", f"Yth. {_post(receiver, 'Sekretaris')}"),
            ("Dari", post),
            ("Tanggal", BLANK),
            ("Sifat", BLANK),
            ("Lampiran", f"Daftar layanan, keadaan per {render_day(facts.today, 'id')}"),
            ("Hal", "Permohonan dana perpanjangan layanan koneksi, hosting, dan nama domain"),
        ],
        ruled=True,
    )
    yield Line(OPENING, Look.BODY)
    yield Table(COLUMNS, [*(_ask(*each) for each in enumerate(entries, 1)), *map(_total, add_up(entries))])
    yield Line(ASKED, Look.BODY)
    place = Signature("", "", post, sender.name if sender else "", sender.nip if sender else "")
    yield Together([Line(THANKS, Look.BODY), Signatures([None, place]), Line(DRAFT, Look.NOTE)])


def _ask(number: int, entry: Entry) -> tuple[Cell, ...]:
    service, standing = entry.fact.service, entry.fact.standing
    return (
        cell(str(number)),
        cell(full_title(entry.fact), Line(service.provider or "–", Look.NOTE)),
        cell(render_day(entry.ends, "id")),
        cell(render_day(standing.deadline, "id") if standing else "–"),
        cell(entry.line),
        cell(render_money(entry.amount, entry.currency), Line(entry.basis, Look.NOTE)),
    )


def _total(amount: str) -> tuple[Cell, ...]:
    return (), cell(Line("Jumlah", Look.STRONG)), (), (), (), cell(Line(amount, Look.STRONG))


def _post(person: Person | None, otherwise: str) -> str:
    return person.position if person and person.position else otherwise
