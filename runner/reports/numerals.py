"""Numbers in Indonesian words, as dates stand in a berita acara."""

from __future__ import annotations

from datetime import date

from runner.messages import MONTHS, WEEKDAYS

_UNITS = ("nol", "satu", "dua", "tiga", "empat", "lima", "enam", "tujuh", "delapan", "sembilan", "sepuluh", "sebelas")
_STEPS = ((1000, "ribu", "seribu"), (100, "ratus", "seratus"), (10, "puluh", ""))


def spell_number(number: int) -> str:
    """Given a whole number from 0 to 999,999, return it in words: "dua ribu dua puluh enam"."""
    if number < 12:
        return _UNITS[number]
    if number < 20:
        return f"{_UNITS[number - 10]} belas"
    for size, name, one in _STEPS:
        count, rest = divmod(number, size)
        if count:
            words = one if count == 1 and one else f"{spell_number(count)} {name}"
            return f"{words} {spell_number(rest)}" if rest else words
    raise AssertionError("BUG: every number from 20 on has a step")


def spell_date(day: date) -> str:
    """Given a day, return it as a berita acara begins: "Selasa, tanggal dua puluh empat, bulan Maret, tahun …"."""
    month = MONTHS[day.month - 1].id
    weekday = WEEKDAYS[day.weekday()].id
    return f"{weekday}, tanggal {spell_number(day.day)}, bulan {month}, tahun {spell_number(day.year)}"
