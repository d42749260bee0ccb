"""How the forms of offices abbreviate time norms: "30'", "1 hr kerja", "14 HK", "± 10 mnt", "satu jam"."""

from __future__ import annotations

import re

_NUMBERS = ("satu", "dua", "tiga", "empat", "lima", "enam", "tujuh", "delapan", "sembilan", "sepuluh")
_SHORT = {
    "hk": "hari kerja",
    "hr": "hari",
    "hri": "hari",
    "jm": "jam",
    "mnt": "menit",
    "mgg": "minggu",
    "bln": "bulan",
    "thn": "tahun",
}
_QUOTES = str.maketrans("’‘′´`ʼ“”″", "''''''\"\"\"")
# Words before and after an amount that do not change what it means.
_BEFORE = r"^(?:\+/?- ?|\+ ?|kurang lebih |lebih kurang |sekitar |kira-kira )(?=\d|½|setengah)"
_AFTER = r"(?: ?\((?:maks(?:imal|imum)?\.?|maximal|jika [^\d()]+|apabila [^\d()]+|bila [^\d()]+)\)| ?\*+)$"


def expand_words(plain: str) -> str:
    """Given a norm in plain words (small letters, single spaces), return it without the abbreviations of forms."""
    text = plain.translate(_QUOTES)
    text = re.sub(r"(?<=[\d)]) ?'(?!')", " menit", text)
    text = re.sub(r"(?<=[\d)]) ?(?:\"|'')", " detik", text)
    text = re.sub(_BEFORE, "", text)
    text = re.sub(_AFTER, "", text)
    text = re.sub(r"^\(([^()]+)\)$", r"\1", text).replace(" (kerja)", " kerja")
    text = re.sub(rf"(?<=[\d) ])({'|'.join(_SHORT)})\b\.?", lambda found: _SHORT[found[1]], text)
    return re.sub(rf"\b({'|'.join(_NUMBERS)})(?= [^\W\d])(?!\))", _number, text) if "(" not in text else text


def _number(found: re.Match[str]) -> str:
    return str(_NUMBERS.index(found[1]) + 1)
