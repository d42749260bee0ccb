"""Catalogues of translations: gettext's .po files, read as they are; one for each language beside English."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

CATALOGUES = Path(__file__).parent
HEADER = """\
# Translations of what sop says. {{0}}, {{1}} … stand for values and may change places.
# make messages renews the list, from the code; see docs/languages.md.
msgid ""
msgstr ""
"Project-Id-Version: sop-runner\\n"
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"""
OTHERS_SAY = (
    "No such file or directory",
    "Permission denied",
    "Operation not permitted",
    "Is a directory",
    "Not a directory",
    "File exists",
    "File name too long",
    "No space left on device",
    "Read-only file system",
    "Too many open files",
    "Input/output error",
    "Connection refused",
    "Connection reset by peer",
    "Connection timed out",
    "Network is unreachable",
    "No route to host",
    "Name or service not known",
    "Temporary failure in name resolution",
    "timed out",
    "Broken pipe",
    "mapping values are not allowed in this context",
    "mapping keys are not allowed in this context",
    "block sequence entries are not allowed in this context",
    "block collection entries are not allowed in this context",
    "control characters are not allowed",
    "found a tab character that violates indentation",
    "found a tab character where an indentation space is expected",
    "found character that cannot start any token",
    "found unexpected document indicator",
    "found unknown escape character",
    "found unexpected ':'",
    "could not find expected ':'",
    "could not find expected ':' {0}",
    "did not find expected key",
    "did not find expected key {0}",
    "did not find expected '-' indicator",
    "did not find expected '-' indicator {0}",
    "did not find expected ',' or '{0}'",
    "did not find expected ',' or '{0}' {1}",
    "did not find expected alphabetic or numeric character",
    "did not find expected <document start>",
)  # the system and libyaml: it stands in messages, though it is not ours


class Entry(NamedTuple):
    """A message, its translation ("" where there is none yet), and the file that says it."""

    message: str
    translation: str
    file: str = ""


def load_catalogue(language: str) -> dict[str, str]:
    """Given a language ("id"), return its translations by their messages."""
    text = (CATALOGUES / f"{language}.po").read_text(encoding="utf-8")
    return {entry.message: entry.translation for entry in parse_catalogue(text) if entry.translation}


def parse_catalogue(text: str) -> Iterator[Entry]:
    """Given the text of a .po file, yield its entries; not the header, what is obsolete, or what is marked fuzzy."""
    for block in text.split("\n\n"):
        parts = {"msgid": "", "msgstr": ""}
        part = file = ""
        for line in block.split("\n"):
            if line.startswith("#: "):
                file = line[3:]
            elif line.startswith("#, ") and "fuzzy" in line:
                break
            elif not line.startswith("#") and line:
                head, _, rest = line.partition('"')
                part = head.strip() or part
                parts[part] += json.loads(f'"{rest}') if "\\" in rest else rest.removesuffix('"')
        else:
            if parts["msgid"]:
                yield Entry(parts["msgid"], parts["msgstr"], file)


def render_catalogue(entries: Iterable[Entry], language: str) -> str:
    """Given entries, return them as the text of a .po file."""
    blocks = [HEADER.format(language=language)]
    for entry in entries:
        flag = "#, python-brace-format\n" if "{0}" in entry.message else ""
        blocks.append(f"#: {entry.file}\n{flag}msgid {_quoted(entry.message)}\nmsgstr {_quoted(entry.translation)}\n")
    return "\n".join(blocks)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
