"""WHOIS text to fields: a section, a key, a value. Registries write them in a dozen ways; nothing is guessed here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST_LINE, LONGEST_VALUE = 1000, 500
MOST_LINES = 5000

_COLON = re.compile(r"^(?:\w\.\s)?\s*(?P<key>[^:：\[\]]{1,60}?)[\s.]*[:：](?!//)\s*(?P<value>.*)$")
_BRACKET = re.compile(r"^\s*(?:\w(?:\.\s*|\s))?\[(?P<key>[^\]]{1,40})\]\s*(?P<value>.*)$")
_SENTENCE = re.compile(
    r"^\s*(?:record|domain|domain name)?\s*(?P<key>expires|expired|created|registered|activated|last updated) on\s+"
    r"(?P<value>\S.*)$",
    re.IGNORECASE,
)
_COLUMN = re.compile(r"^(?P<key>[A-Za-z][\w /-]{2,40}?)(?:\t+|\s{3,})(?P<value>\S.*)$")
_HOST_LINE = re.compile(r"^\s*(?:[\w-]+\.)+[a-z][\w-]+\.?(?:\s|$)", re.IGNORECASE)
_HEADERS = re.compile(
    r"(?:registrar|registrant|(?:domain )?name ?servers?(?: information| in the listed order)?|dns servers?"
    r"|domain servers in listed order|signing key|dnssec|keys|(?:important )?dates"
    r"|(?:contact|admin|administrative|technical|tech)(?: details| contacts?))\Z",
    re.IGNORECASE,
)
_SPACES = re.compile(r"[\s._]+")


@dataclass(frozen=True, slots=True)
class Field:
    """One line: `key` in lower case with single spaces ("" for a line that only belongs to its section)."""

    section: str
    key: str
    value: str


def parse_fields(text: str) -> list[Field]:
    """Given WHOIS text, return its fields in order; comments and terms of use bring none that matter."""
    return list(_read(text.splitlines()[:MOST_LINES]))


def _read(lines: list[str]) -> Iterator[Field]:
    section, filled, latest = "", False, ""
    for raw in lines:
        line = raw[:LONGEST_LINE].rstrip()
        if not line.strip():
            section, filled, latest = ("", False, "") if filled else (section, filled, "")
            continue
        if line.lstrip().startswith(("%", "#", ">>>", ";")):
            continue
        key, value = _split(line.lstrip("* "))
        if (key and not value and line.rstrip().endswith((":", "：", "]"))) or (not key and _HEADERS.match(value)):
            section, filled, latest = key or tidy(value), False, ""
            yield Field(section, section, "")
            continue
        filled = True
        latest = key or (latest if raw[:1].isspace() else "")
        yield Field(section, latest, value[:LONGEST_VALUE])


def _split(line: str) -> tuple[str, str]:
    if _HOST_LINE.match(line):
        return "", line.strip()
    for form in (_BRACKET, _SENTENCE, _COLON, _COLUMN):
        match = form.match(line)
        if match:
            return tidy(match["key"]), match["value"].strip()
    return "", line.strip()


def tidy(key: str) -> str:
    """Given a key as written, return it in lower case with single spaces and no dots or underscores."""
    return _SPACES.sub(" ", key).strip(" -:").lower()
