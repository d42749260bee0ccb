"""In which language people are told something.

The code says everything in English, and so does the journal; only what actions find stands there in Indonesian, for the
reports. Where a text meets a person, `translate` finds the message it was made from in the catalogue, and puts it into
the person's language. English alone costs nothing: no catalogue is read.
"""

from __future__ import annotations

import os
import re
from functools import cache

from runner.languages.catalogue import load_catalogue
from runner.languages.matching import Matcher
from runner.messages import MONTHS, WEEKDAYS, Language, say

__all__ = ["chosen_language", "label", "labels", "language", "translate"]

SETTING = "SOP_LANG"
ANSWERS = {"signed": "ditandatangani", "returned": "dikembalikan"}
STATUSES = ("failed", "timed_out", "unreachable", "waiting", "interrupted", "skipped", "changed")
# One of these words stands in whatever actions say in Indonesian: without one, no catalogue is asked.
_FINDINGS = """
    alamat basis belum berkas berubah bukan cakram daftar dan dari dengan diduga gagal habis halaman hanya hari jawaban
    jenis kanal kepada kode kondisi kosong kurang lagi lain lalu lambat memuat menurut mohon nama nomor oleh pada
    pemecahan pencari pengamanan peramban perangkat perlu permintaan putar rusak salinan sambungan sampai satu sebab
    sebelum semula sendiri sertifikat sesudah situs surat tangan tanggal tanpa tautan teks temuan terakhir terbukti
    terdaftar terima terindikasi terlalu termuda tiap tidak untuk verifikasi versi yang
"""
FINDING = re.compile(rf"\b({'|'.join(_FINDINGS.split())})\b", re.IGNORECASE)
DATE = re.compile(
    rf"(?:({'|'.join(day.id for day in WEEKDAYS)}), )?(\d{{1,2}}) ({'|'.join(month.id for month in MONTHS)}) (\d{{4}})"
)
SIZE = re.compile(r"(?<![\w.])(\d+)\.(\d)(?= (?:[kMGTP]B)\b)")  # "1.5 MB", which is written "1,5 MB" in Indonesian
SYSTEMS = ("LC_ALL", "LC_MESSAGES", "LANG")


def chosen_language() -> Language | None:
    """The language that SOP_LANG asks for; None where it asks for none that there is."""
    said = os.environ.get(SETTING, "").strip().lower()[:2]
    return "id" if said == "id" else "en" if said == "en" else None


def language() -> Language:
    """The language of screens: as SOP_LANG says, else the system's where that is Indonesian, else English."""
    system = next((value for name in SYSTEMS if (value := os.environ.get(name))), "")
    return chosen_language() or ("id" if system.lower().split("_")[0].split(".")[0] == "id" else "en")


def translate(text: str, to: Language | None = None) -> str:
    """Given what the code says, maybe of several lines and put together of several messages, return it in the
    language of screens, or in `to`. What the catalogue does not know stays as it is."""
    spoken = to or language()
    if spoken == "en" and not FINDING.search(text):
        return text
    if spoken == "en":
        text = DATE.sub(_date, text)
    told = "\n".join(map(_matcher(spoken).translate, text.split("\n")))
    return SIZE.sub(r"\1,\2", told) if spoken == "id" else told


def label(text: str) -> str:
    """Given a word, or a heading, of the screens, return it in their language."""
    spoken = language()
    return text if spoken == "en" else _matcher(spoken).translations.get(text, text)


def labels(*texts: str) -> list[str]:
    """Given words of the screens, return them in their language."""
    return [label(text) for text in texts]


@cache
def _matcher(spoken: Language) -> Matcher:
    names = {status: say(f"status.{status}", spoken) for status in STATUSES} | ANSWERS if spoken == "id" else {}
    return Matcher(load_catalogue(spoken), names)


def _date(found: re.Match[str]) -> str:
    """A date in English; without a comma, which would seem to end what it stands in."""
    day = next((f"{day.en} " for day in WEEKDAYS if day.id == found[1]), "")
    month = next(month.en for month in MONTHS if month.id == found[3])
    return f"{day}{found[2]} {month} {found[4]}"
