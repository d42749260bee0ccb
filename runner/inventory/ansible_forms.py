"""The forms inside an Ansible inventory: values, ranges, host lines. After Ansible's public documentation.

value       a Python literal, else text: `80` is a number, `True` a truth value, `true` and `0755` are text
range       web[01:20]  web[a:f]  web[1:9:2]  (both ends belong to it)
host line   name[:port] key=value key="two words"   # comment
"""

from __future__ import annotations

import ast
import re
import shlex
import warnings
from collections.abc import Iterator
from ipaddress import ip_address
from itertools import product
from typing import Any

MOST_HOSTS = 100_000
LONGEST_LITERAL = 100_000

_RANGE = re.compile(r"\[([0-9]{1,9}|[a-zA-Z]):([0-9]{1,9}|[a-zA-Z])(?::([0-9]{1,9}))?\]")
_NAME = re.compile(r"[^\s\-!&~@,*?\[\]'\"{}=][^\s,*?\[\]'\"{}=]{0,252}\Z")
_WITH_PORT = re.compile(
    r"(?:\[(?P<bracketed>[^\[\]]+)\]|(?P<plain>[^:\[\]]*(?:\[[^\]]*\][^:\[\]]*)*)):(?P<port>[0-9]{1,5})\Z"
)
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})\Z")
_DOTTED = re.compile(r"[0-9]+(\.[0-9]+){2,}\Z")  # an address or a version, as text: most values are one
_SIGNS = frozenset("-+.0123456789'\"([{")
_WORDS = {"True": True, "False": False, "None": None}


def parse_value(text: str) -> Any:
    """Given a value as written in INI, return the Python literal it is, or the text itself."""
    if text in _WORDS:
        return _WORDS[text]
    if text[:1] not in _SIGNS or len(text) > LONGEST_LITERAL or _DOTTED.match(text):
        return text
    if _INTEGER.match(text):
        return int(text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a backslash in quotes is no fault of the reader
            value = ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):  # TypeError: {{}}, a set of a dict
        return text
    return _plain(value, text)


def _plain(value: Any, text: str) -> Any:
    """Keep what JSON knows; anything else (bytes, sets, complex numbers) stays text."""
    if isinstance(value, tuple):
        value = list(value)
    if isinstance(value, list):
        return [_plain(each, str(each)) for each in value]
    if isinstance(value, dict):
        return {str(key): _plain(each, str(each)) for key, each in value.items()}
    known = value is None or isinstance(value, (str, bool, int, float))
    return value if known else text


def parse_host_line(line: str) -> tuple[list[str], int | None, list[tuple[str, Any]]]:
    """Given a host line, return the names it stands for, the port and the variables. Raise ValueError if it is none."""
    words = line.split() if not _needs_shell_words(line) else shlex.split(line, comments=True)
    pairs = []
    for word in words[1:]:
        key, sign, value = word.partition("=")
        if not sign or not key:
            raise ValueError(f"'{word}' is not key=value")
        pairs.append((key, parse_value(value)))
    names, port = parse_host(words[0])
    return names, port, pairs


def _needs_shell_words(line: str) -> bool:
    return any(sign in line for sign in "\"'\\#")


def parse_host(text: str) -> tuple[list[str], int | None]:
    """Given `name`, `name:port` or a range of names, return the names and the port. Raise ValueError if it is none."""
    if _is_address(text):
        return [text], None
    found = _WITH_PORT.match(text)
    name = (found["bracketed"] or found["plain"]) if found else text
    port = int(found["port"]) if found else None
    names = [name] if "[" not in name else list(_expand(name))
    for each in names if len(names) == 1 else names[:1]:
        if not _NAME.match(each):
            raise ValueError(f"'{text}' is not the name of a host")
    return names, port


def _is_address(text: str) -> bool:
    if ":" not in text:
        return False
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _expand(text: str) -> Iterator[str]:
    pieces = _RANGE.split(text)
    fixed, ranges = pieces[0::4], []
    for first, last, step in zip(pieces[1::4], pieces[2::4], pieces[3::4], strict=True):
        ranges.append(_steps(first, last, int(step or 1)))
    total = 1
    for each in ranges:
        total *= len(each)
    if total > MOST_HOSTS:
        raise ValueError(f"'{text}' stands for more than {MOST_HOSTS} hosts")
    for chosen in product(*ranges):
        yield fixed[0] + "".join(map("".join, zip(chosen, fixed[1:], strict=True)))


def _steps(first: str, last: str, step: int) -> list[str]:
    if step < 1 or first.isdigit() != last.isdigit():
        raise ValueError(f"'[{first}:{last}]' is not a range")
    if not first.isdigit():
        return [chr(code) for code in range(ord(first), ord(last) + 1, step)]
    if (int(last) - int(first)) // step >= MOST_HOSTS:
        raise ValueError(f"'[{first}:{last}]' stands for more than {MOST_HOSTS} hosts")
    width = len(first) if first.startswith("0") else 0
    return [str(number).zfill(width) for number in range(int(first), int(last) + 1, step)]
