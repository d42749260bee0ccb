"""What a configuration file of PHP says, read as text: nothing of it is ever executed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from runner.errors import Failed

_TOKENS = re.compile(
    r"(?P<comment>//[^\n]*|\#[^\n]*|/\*(?:.*?\*/|.*))"
    r"|'(?P<single>(?:[^'\\]|\\.|\\\Z)*)(?:'|\Z)"
    r'|"(?P<double>(?:[^"\\]|\\.|\\\Z)*)(?:"|\Z)'
    r"|(?P<word>\$?[A-Za-z_][A-Za-z0-9_]*|[0-9][0-9.]*)"
    r"|(?P<sign>[^\s])",
    re.DOTALL,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "v": "\v", "e": "\x1b", "f": "\f", "\\": "\\", "$": "$", '"': '"'}
_ESCAPED = re.compile(r"\\([ntrvef\\$\"]|[0-7]{1,3}|x[0-9A-Fa-f]{1,2}|u\{[0-9A-Fa-f]{1,6}\})")
_MODIFIERS = {"public", "var", "protected", "private"}
COMPUTED = None


class _Token(NamedTuple):
    """A word, a sign or a text of the file; `kind` is the group that matched."""

    kind: str
    text: str


def parse_constants(text: str) -> Mapping[str, str | None]:
    """Given a PHP file, return what its `define('NAME', 'value')` say; None where a value is computed.

    The first one counts, as in PHP.
    """
    tokens = list(_tokens(text))
    found: dict[str, str | None] = {}
    for at, token in enumerate(tokens):
        if token.kind == "word" and token.text.lower() == "define" and _signs(tokens, at + 1) == "(":
            name, comma = tokens[at + 2 : at + 3], _signs(tokens, at + 3)
            if name and name[0].kind in ("single", "double") and comma == ",":
                found.setdefault(_text_of(name[0]) or "", _value(tokens, at + 4, ")"))
    return found


def parse_properties(text: str) -> Mapping[str, str | None]:
    """Given a PHP file with a class, return what its `public $name = 'value';` say; None where a value is computed."""
    tokens = list(_tokens(text))
    found: dict[str, str | None] = {}
    for at, token in enumerate(tokens):
        if token.kind == "word" and token.text.lower() in _MODIFIERS:
            name = next((each for each in tokens[at + 1 : at + 3] if each.text.startswith("$")), None)
            start = tokens.index(name, at) + 1 if name else at
            if name and _signs(tokens, start) == "=":
                found.setdefault(name.text[1:], _value(tokens, start + 1, ";"))
    return found


def pick(values: Mapping[str, str | None], name: str, path: str) -> str:
    """Return a value, "" where it is not there. Raise Failed where the file computes it."""
    value = values.get(name, "")
    if value is COMPUTED:
        raise Failed(f"{path}: {name} is computed there, and nothing of the file is executed. write it under `with`")
    return value


def _tokens(text: str) -> Iterator[_Token]:
    for match in _TOKENS.finditer(text):
        if match.lastgroup and match.lastgroup != "comment":
            yield _Token(match.lastgroup, match[match.lastgroup])


def _signs(tokens: list[_Token], at: int) -> str:
    return tokens[at].text if at < len(tokens) and tokens[at].kind == "sign" else ""


def _value(tokens: list[_Token], at: int, end: str) -> str | None:
    """The one text or number that stands before the end sign; None for anything else."""
    if at >= len(tokens) or _signs(tokens, at + 1) != end:
        return COMPUTED
    return _text_of(tokens[at])


def _text_of(token: _Token) -> str | None:
    if token.kind == "single":
        return re.sub(r"\\([\\'])", r"\1", token.text)
    if token.kind == "double":
        plain = re.sub(r"\\.", "", token.text, flags=re.DOTALL)
        return COMPUTED if re.search(r"\$[A-Za-z_{]|\{\$", plain) else _ESCAPED.sub(_unescape, token.text)
    return token.text if token.kind == "word" and token.text[:1].isdigit() else COMPUTED


def _unescape(match: re.Match[str]) -> str:
    code = match[1]
    if code in _ESCAPES:
        return _ESCAPES[code]
    if code[0] == "u":
        number = int(code[2:-1], 16)
        return chr(number) if number < 0x110000 else match[0]
    return chr(int(code[1:], 16) if code[0] == "x" else int(code, 8) & 0xFF)
