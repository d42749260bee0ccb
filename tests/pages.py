"""Reads pages back: tags, texts and attributes."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Read:
    """What a page holds: its tags with attribute names in order, its visible text, its attributes' values."""

    tags: list[tuple[str, ...]] = field(default_factory=list)
    text: str = ""
    values: list[tuple[str, str]] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.read = Read()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.read.text += " "
        self.read.tags.append((tag, *(name for name, _ in attrs)))
        self.read.values += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        self.read.text += " "
        self.read.tags.append(("/" + tag,))

    def handle_data(self, data: str) -> None:
        self.read.text += data


def read_page(page: str) -> Read:
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return reader.read


def words(text: str) -> str:
    """Text with any white space as one space."""
    return " ".join(text.split())
