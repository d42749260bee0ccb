"""Persons in an excerpt: their numbers, e-mail addresses and names are masked; the words that tell a seller stay."""

from __future__ import annotations

import re
from itertools import groupby

from runner.actions.integrity.disguise import fold
from runner.actions.integrity.words import ALONE, BRAND, PROMO, TOPIC

MASK = "…"
KEPT_DIGITS = 4

_TELLING = (PROMO, TOPIC, ALONE, BRAND)
_ROLES = re.compile(r"Ter(?:dakwa|pidana|sangka|gugat|mohon)|Penggugat|Pemohon|Saksi|Korban")
_WORD = r"[A-Z][\w'’.-]{0,30}"
_NAME = rf"{_WORD}(?:\s{_WORD}){{0,5}}"
_PHONE = re.compile(r"(?<![\w+])(?:\+?62|0)(?:[ .()-]{0,2}\d){8,13}(?!\w)")
_NUMBER = re.compile(r"(?<!\w)(?:\d{10,20}|\d{8} \d{6} \d \d{3})(?!\w)")  # of identity, of service, of an account
_E_MAIL = re.compile(r"[\w.+-]{1,64}@(?=[\w-]{1,63}\.)")
_ANNOUNCED = re.compile(
    r"(?<!\w)((?i:terdakwa|terpidana|tersangka|terlapor|pelapor|penggugat|tergugat|pemohon|termohon|saksi|korban"
    r"|almarhum(?:ah)?|saudara|saudari|sdri?\.?|bapak|bpk\.?|ibu(?!\sKota\b)|atas\snama|a\.\s?n\.|nama\s?:)(?:\s[IVX]{1,4}\b)?\s?:?\s)"
    rf"(?![IVX]{{1,4}}\b)({_NAME})"
)
_CHILD = re.compile(rf"({_NAME})\s((?i:binti|bin))\s({_NAME})")
_GRADUATE = re.compile(rf"({_NAME})(?=,\s?(?:S\.?H|M\.?H|S\.?E|S\.?T|S\.?Ag|S\.?HI|S\.?Kom|A\.?Md|M\.?Hum|M\.?M)\b)")


def mask_people(text: str) -> str:
    """Given an excerpt on one line, return it without what identifies a person: of a number its first digits stay, of
    an e-mail address its host. A name is known by the word that announces it, by bin or binti, or by a degree."""
    text = _E_MAIL.sub(f"{MASK}@", text)
    for numbers in (_PHONE, _NUMBER):
        text = numbers.sub(lambda found: found[0][:KEPT_DIGITS] + MASK, text)
    text = _CHILD.sub(lambda found: f"{_masked(found[1])} {found[2]} {_masked(found[3])}", text)
    text = _ANNOUNCED.sub(lambda found: found[1] + _masked(found[2]), text)
    return _GRADUATE.sub(lambda found: _masked(found[1]), text)


def _masked(name: str) -> str:
    """A name masked, save words that sell."""
    plain = fold(name)
    told = {word for words in _TELLING for match in words.finditer(plain) for word in match[0].split()}
    kept = (word if fold(word) in told or _ROLES.fullmatch(word) else MASK for word in name.split())
    return " ".join(word for word, _ in groupby(kept))
