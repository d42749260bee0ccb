"""The papers of a renewal: kept as evidence by their hash, and what is missing or wrong about them."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from runner.actions.services.telling import PAPER_NAMES
from runner.contract import Call, Evidence
from runner.inventory.register import Paper, Period
from runner.messages import render_money

LARGEST_FILE = 50 * 1024 * 1024
_MEDIA_TYPES = {".pdf": "application/pdf", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}


@dataclass(frozen=True, slots=True)
class Filed:
    """A paper with its kept file (None where there is none), and what is wrong with it, in Indonesian."""

    paper: Paper
    evidence: Evidence | None
    faults: tuple[str, ...]


def file_papers(call: Call, period: Period, wanted: Sequence[str], today: date) -> tuple[list[Filed], list[str]]:
    """Given a period and the kinds of paper that it needs, keep their files; return them and all that is missing."""
    filed = [_file(call, paper, today) for paper in period.papers.values()]
    missing = [f"{PAPER_NAMES[kind].lower()} belum dicatat" for kind in wanted if kind not in period.papers]
    missing += [fault for each in filed if each.paper.kind in wanted for fault in each.faults]
    return filed, [*missing, *_compare(period, filed)]


def _file(call: Call, paper: Paper, today: date) -> Filed:
    name = PAPER_NAMES[paper.kind].lower()
    faults = [f"{name} bertanggal sesudah hari ini"] if paper.day and paper.day > today else []
    if not paper.file:
        return Filed(paper, None, (*faults, f"berkas {name} belum dicatat"))
    path = Path(paper.file).expanduser()
    hindrance = _hindrance(path)
    if hindrance:
        return Filed(paper, None, (*faults, f"berkas {name} {paper.file!r} {hindrance}"))
    if paper.sha256 and _hash(path) != paper.sha256:
        faults.append(f"berkas {name} {paper.file!r} berbeda dari yang dicatat (SHA-256)")
    media_type = _MEDIA_TYPES.get(path.suffix.lower(), "application/octet-stream")
    return Filed(paper, call.keep(path.name, path, media_type), tuple(faults))


def _hindrance(path: Path) -> str:
    """Why a file cannot be filed; "" if it can."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return "tidak ada"
    if not stat.S_ISREG(found.st_mode):
        return "bukan berkas"
    if not found.st_size:
        return "kosong"
    return "terlalu besar" if found.st_size > LARGEST_FILE else ""


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _compare(period: Period, filed: Sequence[Filed]) -> Iterator[str]:
    """What invoice and payment say against each other."""
    invoice, payment = period.papers.get("invoice"), period.papers.get("payment")
    if invoice and payment and invoice.amount is not None and payment.amount is not None:
        asked = render_money(invoice.amount, invoice.currency)
        paid = render_money(payment.amount, payment.currency)
        if invoice.currency != payment.currency:
            yield f"pembayaran {paid} dan invoice {asked} berbeda mata uang"
        elif payment.amount < invoice.amount:
            yield f"pembayaran {paid} kurang dari invoice {asked}"
    hashes = [each.evidence.sha256 for each in filed if each.evidence]
    if len(hashes) > len(set(hashes)):
        yield "satu berkas dicatat untuk dua surat"
