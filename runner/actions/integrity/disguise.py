"""Words in disguise: look-alike letters, digits for letters, invisible signs in a word, letters that stand apart."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

# Signs that cannot be seen inside a word, and letters that look like Latin ones (NFKC leaves these as they are).
_INVISIBLE = dict.fromkeys(
    [0xAD, 0x34F, 0x61C, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF]
)
_LOOKALIKES = str.maketrans(
    "\u0430\u0432\u0435\u0451\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0443\u0445\u0456\u0458\u0455\u04cf\u0501\u04bb\u0261\u0446"
    "\u03b1\u03b2\u03b5\u03b7\u03b9\u03ba\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7\u03c9\u0251\u0269\u026a\u029f\u0274\u0280\ua731"
    "\u1d00\u0299\u1d04\u1d05\u1d07\u0262\u029c\u1d0a\u1d0b\u1d0d\u1d0f\u1d18\u1d1b\u1d1c\u1d20\u1d21\u028f\u1d22\u0131",
    "abeekmhopctyxijsldhguabenikvoptuxwaiilnrsabcdeghjkmoptuvwyzi",
)
_LEET = ("0134578@$!|", ("oleastbasll", "oieastbasii"))  # 1, ! and | stand for l or for i
_TABLES = tuple(str.maketrans(_LEET[0], letters) for letters in _LEET[1])
_TOKEN = re.compile(r"\S+")
_EDGE = ".,:;()[]{}\"'*?\u2022\u00bb\u00ab\u2013\u2014-_/"
_NUMBERED = re.compile(r"(.*?[a-z])(\d{2,4}d?|[2-5]d)?\Z")  # slot88, toto4d: a number behind a name is no disguise
_CAPITAL_I = re.compile(r"(?<=[a-z])I(?=[a-z])")
_FEWEST_APART = 4

Span = tuple[int, int]


def fold(text: str) -> str:
    """Given a text, return it in plain lower-case letters: without marks, invisible signs and look-alikes."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKC", text.translate(_INVISIBLE)).lower()
    if not plain.isascii():
        plain = "".join(c for c in unicodedata.normalize("NFD", plain) if not unicodedata.combining(c))
    return plain.translate(_LOOKALIKES)


def is_disguised(text: str, words: str) -> bool:
    """Given a text and words that its folded form holds, return whether the text itself does not hold them so."""
    return not text.isascii() and " ".join(words.split()) not in " ".join(text.lower().split())


def decodings(text: str) -> Iterator[tuple[str, Sequence[Span]]]:
    """Given a text, yield its readings without disguise, each with the places of the words that were disguised.

    Nothing is yielded for a text in which no word looks disguised.
    """
    tokens = _joined(_TOKEN.findall(text))
    for table in _TABLES:
        at, places, words = 0, list[Span](), list[str]()
        for token, apart in tokens:
            word, changed = _decode(token, table)
            if apart or changed:
                places.append((at, at + len(word)))
            words.append(word)
            at += len(word) + 1
        if not places:
            return
        yield " ".join(words), places


def touches(match: re.Match[str], places: Sequence[Span]) -> bool:
    """Given a match and places, return whether it lies over one of them."""
    return any(match.start() < end and begin < match.end() for begin, end in places)


def _joined(tokens: list[str]) -> list[tuple[str, bool]]:
    """Tokens, those that are single letters in a row joined; each with whether it was joined so."""
    found: list[tuple[str, bool]] = []
    row: list[str] = []
    for token in [*tokens, ""]:
        bare = fold(token).strip(_EDGE)
        if len(bare) == 1 and bare.isalnum():
            row.append(bare)
            continue
        if len(row) >= _FEWEST_APART:
            found.append(("".join(row), True))
        else:
            found.extend((each, False) for each in row)
        row = []
        if token:
            found.append((token, False))
    return found


def _decode(token: str, table: dict[int, int]) -> tuple[str, bool]:
    """A word without its disguise, and whether it wore one."""
    folded = fold(token)
    changed = not token.isascii() and folded != token.lower() and _mixes(token)
    if not any(c in _LEET[0] for c in folded) and not _CAPITAL_I.search(token):
        return folded, changed
    bare = folded.strip(_EDGE)
    match = _NUMBERED.match(bare)
    name, number = (match[1], match[2] or "") if match else (bare, "")
    if not any(c.isalpha() for c in name):
        return folded, changed
    if _CAPITAL_I.search(token):
        name = fold(_CAPITAL_I.sub("l", token)).strip(_EDGE).removesuffix(number)
    plain = name.translate(table)
    return plain + number, changed or plain != folded.strip(_EDGE).removesuffix(number)


def _mixes(token: str) -> bool:
    """Whether a word holds what people do not write: invisible signs, or letters that are none of its alphabet."""
    if any(ord(c) in _INVISIBLE and c != "\u00ad" for c in token.strip("\u200b\u200e\u200f\ufeff")):
        return True
    plain = any(c.isascii() and c.isalpha() for c in token)
    odd = [c for c in token if not c.isascii() and c.isalpha() and not unicodedata.name(c, "").startswith("LATIN")]
    styled = any(unicodedata.normalize("NFKC", c).isascii() for c in token if not c.isascii())
    return styled or bool(odd and plain) or any(unicodedata.name(c, "").startswith("LATIN LETTER SMALL") for c in token)
