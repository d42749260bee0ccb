"""The forms in which a secret may turn up in text, as regular expressions.

As it is; URL-encoded ("+" for a space, also twice); escaped for JSON, Python, a shell or HTML; inside base64 of either
alphabet, wherever it stands in what was encoded, wrapped or not; and as hexadecimal digits, also those of a dump. Every
letter that is not plain ASCII alphanumeric may be disguised in its own way, as encoders differ in what they leave
alone.

No possessive quantifiers: Python 3.11.0 to 3.11.2, which Debian 12 ships, matches them wrongly (gh-101955, gh-106052).
"""

from __future__ import annotations

import base64
import re

SHORTEST_HIDDEN = 4  # what is shorter is found only as a whole word, else it would blot out half of every text
LONGEST_PIECE = 64

_ARMOUR = "-----(?:BEGIN|END) [^-]*-----"
_WRAP = r"(?:\s|\\[rn])*"
_APART = r"(?:[\s:]|\\[rn])*"  # between the bytes of a dump
_PADDING = r"(?:[\w+/-]?(?:=|%3[dD])+)?"
_BACKSLASH = r"(?:\\(?:u005[cC])?|%(?:25)*5[cC]|&#92;)"
_ESCAPED = f"{_BACKSLASH}*"  # how many depends on how often the text was escaped
_ESCAPES = {"\n": "n", "\t": "t", "\r": "r", "\b": "b", "\f": "f"}
_ENTITIES = {"<": "lt", ">": "gt", '"': "quot", "'": "apos"}
_TWICE = {"%": "%(?:25)+", "&": "&(?:amp;)+"}  # its own escape begins with itself
_BASE64_SIGNS = {"+": [r"\+", "%2[bB]", "-"], "/": ["/", rf"\\(?<!\\\\){_ESCAPED}/", "%2[fF]", "_"]}

Forms = list[str]
Pattern = tuple[str, str]  # the letter it begins with, and a regular expression for the rest


def build_patterns(secret: str) -> list[Pattern]:
    """Given a secret, return patterns that find it in all its forms.

    A secret of several lines is found line by line, a long line piece by piece. Raise ValueError if it is blank or
    not text.
    """
    if not secret.strip():
        raise ValueError("a secret must not be blank")
    if len(secret) < SHORTEST_HIDDEN:
        return [_whole_word(secret)]
    patterns: list[Pattern] = []
    for piece in _pieces(secret):
        patterns += _escaped(piece) + _in_base64(piece.encode()) + _in_hex(piece.encode())
        if "'" in piece:
            patterns += _in_quotes(piece)
    return list(dict.fromkeys(patterns))


def _pieces(secret: str) -> list[str]:
    lines = [line.strip() for line in secret.splitlines()]
    telling = [line for line in lines if len(line) >= SHORTEST_HIDDEN and not re.fullmatch(_ARMOUR, line)]
    pieces: list[str] = []
    for line in telling or [secret]:
        size = -(-len(line) // -(-len(line) // LONGEST_PIECE))
        pieces += re.findall(rf"(?s).{{1,{size}}}(?:(?<=\\)\\+)?", line)  # a run of backslashes stays together
    return [piece for piece in pieces if len(piece) >= SHORTEST_HIDDEN]


def _whole_word(piece: str) -> Pattern:
    return piece[0], rf"(?<!\w{re.escape(piece[0])}){re.escape(piece[1:])}(?!\w)"


def _escaped(piece: str) -> list[Pattern]:
    return _sequence(_tokens(piece))


def _in_quotes(piece: str) -> list[Pattern]:
    """As a shell's single quotes hold it: each of its own quotes ends them, stands escaped, and begins them anew."""
    quote = rf"'(?:\\{_ESCAPED}'|{_ESCAPED}\"'{_ESCAPED}\")'"
    return _sequence([[quote] if "'" in forms[0] else forms for forms in _tokens(piece)])


def _in_base64(code: bytes) -> list[Pattern]:
    """What of the encoded text depends on the secret alone, for each of the three places it may begin at."""
    patterns: list[Pattern] = []
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + code).decode()
        certain = encoded[-(-before * 8 // 6) : (before + len(code)) * 8 // 6]
        tokens = [_BASE64_SIGNS.get(sign, [sign]) for sign in certain]
        patterns += [(first, rest + _PADDING) for first, rest in _sequence(tokens, between=_WRAP)]
    return patterns


def _in_hex(code: bytes) -> list[Pattern]:
    digits = [[digit, digit.upper()] if digit.isalpha() else [digit] for digit in code.hex()]
    return _sequence(digits, between=_APART)


def _tokens(piece: str) -> list[Forms]:
    tokens: list[Forms] = []
    before = ""
    for run in re.findall(r"(?s)\\+|[^\\]", piece):
        forms = _backslashes(len(run)) if run[0] == "\\" else _letter(run)
        # What escapes a letter after backslashes is part of their run; told twice, it would be searched k² times.
        tokens.append([form.removeprefix(_ESCAPED) for form in forms] if before == "\\" else forms)
        before = run[0]
    return tokens


def _sequence(tokens: list[Forms], *, between: str = "") -> list[Pattern]:
    """One pattern for each form of the first token."""
    rest = "".join(between + _either(forms) for forms in tokens[1:])
    return [(letter, more + rest) for letter, more in map(_begin, tokens[0])]


def _either(forms: Forms) -> str:
    if forms[0].startswith(_ESCAPED):
        return _ESCAPED + _either([form.removeprefix(_ESCAPED) for form in forms])
    return forms[0] if len(forms) == 1 else f"(?:{'|'.join(forms)})"


def _begin(form: str) -> Pattern:
    form = form.removeprefix(_ESCAPED)
    return (form[1], form[2:]) if form[0] == "\\" else (form[0], form[1:])


def _backslashes(count: int) -> Forms:
    """A run of them is one token, as escaping doubles it and its end cannot be told from the next letter's escape.

    It begins only where no other stands before, lest a long run be searched again from each of its places.
    """
    more = f"{_BACKSLASH}{{{count - 1},}}"
    return [rf"\\(?<!\\\\)(?:u005[cC])?{more}", rf"%(?<!5[cC]%)(?:25)*5[cC]{more}", f"&(?<!&#92;&)#92;{more}"]


def _letter(letter: str) -> Forms:
    if letter.isascii() and letter.isalnum():
        return [letter]
    forms = [re.escape(letter), *_coded(letter)]
    if letter == " ":
        forms.append(r"\+")
    if letter in _ESCAPES:
        forms.append(_ESCAPES[letter])
    if letter in _ENTITIES:
        forms.append(f"&(?:amp;)*{_ENTITIES[letter]};")
    if letter in _TWICE:
        forms.append(_TWICE[letter])
    return [_ESCAPED + form for form in forms]


def _coded(letter: str) -> Forms:
    """A letter by its number, as URLs, JSON, Python, bash and HTML write it."""
    code, wide, number = letter.encode(), letter.encode("utf-16-be"), ord(letter)
    units = [int.from_bytes(wide[start : start + 2], "big") for start in range(0, len(wide), 2)]
    forms = [
        "".join(f"%(?:25)*{_hex(byte, 2)}" for byte in code),
        _ESCAPED.join(f"u{_hex(unit, 4)}" for unit in units),
        _ESCAPED.join(f"x{_hex(byte, 2)}" for byte in code),
        f"&(?:amp;)*#(?:0*{number}|[xX]0*{_hex(number, 1)});",
    ]
    if not letter.isascii() or not letter.isprintable():
        forms.append(_ESCAPED.join(f"{byte:03o}" for byte in code))
    if 0x80 <= number <= 0xFF:
        forms.append(f"x{_hex(number, 2)}")
    if number > 0xFFFF:
        forms.append(f"U{_hex(number, 8)}")
    return forms


def _hex(number: int, width: int) -> str:
    digits = f"{number:0{width}x}"
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in digits)
