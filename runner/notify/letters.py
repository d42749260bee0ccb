"""Letters from templates: a file whose first line is the subject, filled with values, cleaned and bounded."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.actions.web.text import clean_text
from runner.errors import Failed
from runner.expressions import ExpressionError, Missing, Template, parse_template

SHIPPED = Path(__file__).parent / "templates"
LARGEST_TEMPLATE = 64 * 1024
LONGEST_SUBJECT = 150
LONGEST_BODY = 20_000
LONGEST_NAME = 120
SUBJECT = "Perihal:"
CUT = "\n\n[Pesan dipotong; selengkapnya tercatat pada laporan pelaksanaan.]\n"

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}\Z")
_STEERING = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]+"
)


@dataclass(frozen=True, slots=True)
class Form:
    """A template, parsed; `place` is where a user finds it."""

    place: str
    subject: Template
    body: Template


def load_form(name: str, folder: Path) -> Form:
    """Given a template's name, return the one in `folder`, else the one that is shipped. Raise Failed with a cure."""
    if not _NAME.match(name):
        raise Failed(f"template {name[:80]!r}: not a name. write small letters, digits, '-' and '_'")
    for place in (folder / f"{name}.txt", SHIPPED / f"{name}.txt"):
        if place.is_file():
            return parse_form(_read(place), str(place))
    raise Failed(f"there is no template '{name}'. write {folder / name}.txt, or use one of: {', '.join(shipped())}")


def shipped() -> list[str]:
    """Names of the templates that come with the product."""
    return sorted(path.stem for path in SHIPPED.glob("*.txt"))


def parse_form(text: str, place: str) -> Form:
    """Given a template's text, return it. Raise Failed where it has no subject or an expression is wrong."""
    head, _, body = text.replace("\r\n", "\n").partition("\n")
    if not head.startswith(SUBJECT) or not head.removeprefix(SUBJECT).strip():
        raise Failed(f"{place}: the first line is not the subject. write '{SUBJECT} …' there, then an empty line")
    try:
        return Form(place, parse_template(head.removeprefix(SUBJECT).strip()), parse_template(body.strip("\n") + "\n"))
    except ExpressionError as error:
        raise Failed(f"{place}: {error.fragment}: {error}. {error.cure}") from None


def fill_form(form: Form, scope: Mapping[str, Any]) -> tuple[str, str]:
    """Given a template and the values of its roots, return subject and text. Raise Failed where a value is missing."""
    try:
        subject, body = (str(template.fill(scope)) for template in (form.subject, form.body))
    except Missing as error:
        raise Failed(f"{form.place}: {error}. give it under values:, or add | default('')") from None
    except ExpressionError as error:
        raise Failed(f"{form.place}: {error.fragment}: {error}. {error.cure}") from None
    return clean_text(subject, LONGEST_SUBJECT) or "(tanpa perihal)", clean_body(body)


def clean_body(text: str, longest: int = LONGEST_BODY) -> str:
    """Given text of several lines, return it without what steers a screen, at most `longest` characters of it."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    clean = _STEERING.sub("", lines)
    return clean if len(clean) <= longest else clean[: longest - len(CUT)].rstrip() + CUT


def _read(path: Path) -> str:
    try:
        data = path.read_bytes()[: LARGEST_TEMPLATE + 1]
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise Failed(f"{path}: cannot be read: {error.strerror}. check its owner and mode") from None
    except UnicodeDecodeError:
        raise Failed(f"{path}: not UTF-8 text. save it as UTF-8") from None
    if len(data) > LARGEST_TEMPLATE:
        raise Failed(f"{path}: larger than {LARGEST_TEMPLATE} bytes. shorten it")
    return text
