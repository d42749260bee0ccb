"""A paper as DOCX, for offices that edit in Word: real styles, headings, repeated table heads, page numbers.

The one door of python-docx. Same paper, same bytes: nothing in the file comes from the clock.
"""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from typing import Any

from runner.errors import refuse
from runner.reports.paper.layout import Layout
from runner.reports.paper.model import Paper, foot_of
from runner.reports.values import clean

EXTRA = "sop-runner[docx]"
EARLIEST = datetime(1980, 1, 1, tzinfo=UTC)  # the first time that a zip archive can hold


def render_docx(paper: Paper, layout: Layout) -> bytes:
    """Given a paper and its sheet, return the document. Raise Refused where python-docx is not installed."""
    docx = load_docx()
    from runner.reports.paper.word_blocks import Writer
    from runner.reports.paper.word_styles import set_layout, set_styles

    document = docx.Document()
    set_styles(document)
    set_layout(document, layout, foot_of(paper))
    _describe(document, paper)
    Writer(document, layout).write(paper)
    stream = io.BytesIO()
    document.save(stream)
    return _pack(stream, paper.as_of)


def load_docx() -> Any:
    """Return the library. Raise Refused, with the cure, where it is not installed."""
    try:
        import docx
    except ImportError:
        raise refuse("--docx", "python-docx is not installed", f"run: pip install '{EXTRA}'") from None
    return docx


def _describe(document: Any, paper: Paper) -> None:
    told = document.core_properties
    told.title = clean(f"{paper.title} {paper.subtitle}".strip())[:255]
    told.author = clean(paper.letterhead.lines[-1])[:255] if paper.letterhead.lines else ""
    told.last_modified_by = told.author
    told.comments = ""
    told.identifier = paper.head
    told.language = "id-ID"
    told.created = told.modified = paper.as_of.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    told.revision = 1
    related = document.part.package.rels
    for name in [name for name, each in related.items() if each.reltype.endswith("/thumbnail")]:
        del related[name]  # the template's picture shows another document


def _pack(stream: io.BytesIO, as_of: datetime) -> bytes:
    """The archive again, with the paper's time instead of the clock's."""
    moment = max(as_of.astimezone(UTC), EARLIEST).timetuple()[:6]
    packed = io.BytesIO()
    with zipfile.ZipFile(stream) as old, zipfile.ZipFile(packed, "w") as new:
        for name in old.namelist():
            entry = zipfile.ZipInfo(name, moment)
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            new.writestr(entry, old.read(name), zipfile.ZIP_DEFLATED, 6)
    return packed.getvalue()
