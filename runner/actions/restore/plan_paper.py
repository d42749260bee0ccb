"""The paper of a restore's plan, in Indonesian: what the person who signs it must know, and the code of its order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from runner.actions.backup.sets import BackupSet
from runner.actions.restore.comparing import Difference, Names
from runner.actions.restore.orders import CODE, Order
from runner.contract import Call
from runner.languages import translate
from runner.messages import render_moment, render_number

REASONS = {"routine": "berkala", "after_repair": "pasca-perbaikan", "before_restore": "sebelum pemulihan"}


def render_paper(
    call: Call,
    order: Order,
    chosen: BackupSet,
    proof: Mapping[str, Any] | None,
    difference: Difference | None,
    tables: Mapping[str, Sequence[str]] | None,
    notes: Sequence[str],
    kept: Sequence[str],
    to_make: Sequence[str],
) -> bytes:
    """Given an order, how the set differs from what is live (None where nothing of that kind is restored), what the way
    there cannot do, where what is live now will be kept, and databases that the restore will make, return the paper."""
    lines = ["RENCANA PEMULIHAN", f"{call.office.get('name', '')}, {order.target}".lstrip(", ")]
    lines += [f"Disusun {_moment(call, call.now)}", ""]
    lines += _source(call, chosen, proof)
    lines += _files(order, difference) if difference else []
    lines += _database(order, tables) if tables else []
    if notes:
        lines += ["", "Yang tidak dapat dilakukan lewat jalur ini", *(f"  {translate(note, 'id')}" for note in notes)]
    lines += ["", "Yang terjadi bila rencana ini disetujui", *_what_happens(kept)]
    lines += _preparations(to_make) if to_make else []
    lines += _lists(difference) if difference else []
    return ("\n".join([*lines, "", CODE + order.code]) + "\n").encode()


def _source(call: Call, chosen: BackupSet, proof: Mapping[str, Any] | None) -> list[str]:
    proved = _moment(call, datetime.fromisoformat(proof["at"])) if proof else "belum pernah diuji pulih"
    return [
        f"Perangkat backup          : {chosen.name} ({REASONS[chosen.reason]})",
        f"Disegel                   : {_moment(call, chosen.sealed)}",
        f"Terbukti dapat dipulihkan : {proved}",
        "Keutuhan                  : semua berkas perangkat ini sesuai dengan SHA256SUMS",
        "",
    ]


def _files(order: Order, difference: Difference) -> list[str]:
    whole = "seluruh isinya diganti" if not order.paths else "hanya yang berikut ini: " + ", ".join(order.paths)
    aside = "disisihkan, karena tidak ada dalam backup" if not order.paths else "tidak disentuh"
    return [
        f"Berkas dalam folder {order.root}: {whole}",
        f"  {_count(difference.same)} tetap sama",
        f"  {_count(difference.other.count)} akan ditimpa",
        f"  {_count(difference.missing.count)} sekarang tidak ada dan akan kembali",
        f"  {_count(difference.only_live.count)} hanya ada sekarang: {aside}",
    ]


def _database(order: Order, tables: Mapping[str, Sequence[str]]) -> list[str]:
    whole = "seluruh isinya diganti" if not order.tables else "hanya tabel " + ", ".join(order.tables)
    aside = "disisihkan" if not order.tables else "tidak disentuh"
    return [
        f"Basis data {order.database}: {whole}",
        f"  {_count(len(tables['replaced']))} tabel akan diganti",
        f"  {_count(len(tables['missing']))} tabel sekarang tidak ada dan akan kembali",
        f"  {_count(len(tables['only_live']))} tabel hanya ada sekarang: {aside}",
    ]


def _what_happens(kept: Sequence[str]) -> list[str]:
    return [
        "  1. Keadaan sekarang dibackup lebih dahulu sebagai perangkat penyelamat.",
        "  2. Isi perangkat backup diperiksa, lalu disiapkan di samping yang lama.",
        "  3. Setelah lengkap, barulah ditukar. Bila terputus, keadaan lama tetap ada dan pemulihan dapat dilanjutkan.",
        f"  4. Keadaan lama tidak dihapus, tetapi disisihkan di server: {', '.join(kept)}."
        if kept
        else "  4. Keadaan lama tetap ada dalam perangkat penyelamat.",
    ]


def _preparations(to_make: Sequence[str]) -> list[str]:
    return [
        "",
        "Bila akun basis data tidak boleh membuat basis data (hosting bersama)",
        "  Sebelum rencana ini ditandatangani, buat lewat panel hosting dua basis data kosong, dan beri akun itu semua",
        f"  hak atasnya: {' dan '.join(to_make)}.",
    ]


def _lists(difference: Difference) -> Iterator[str]:
    titles = {
        "Berkas yang akan ditimpa": difference.other,
        "Berkas yang akan kembali": difference.missing,
        "Berkas yang hanya ada sekarang": difference.only_live,
    }
    for title, names in titles.items():
        if names.count:
            yield from ("", f"{title}:", *(f"  {name}" for name in names.first), *_more(names))


def _more(names: Names) -> list[str]:
    rest = names.count - len(names.first)
    return [f"  … dan {_count(rest)} lagi"] if rest else []


def _count(number: int) -> str:
    return render_number(number, "id").rjust(7)


def _moment(call: Call, moment: datetime) -> str:
    return render_moment(moment.astimezone(call.zone), "id")
