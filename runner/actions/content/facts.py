"""What a page shows, as far as rules about content and access ask for it. Text from outside, read in one pass."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urldefrag, urljoin

from runner.actions.integrity.styles import Sheet, colours
from runner.actions.web.text import LONGEST_PARSED
from runner.actions.web.tokens import RAW, Reader

MOST = 5_000
LONGEST_LINK = 300
LEAST_CONTRAST = 4.5

_FIELDS = frozenset({"input", "select", "textarea"})
_SILENT = frozenset({"hidden", "submit", "button", "image", "reset"})
_SLIDE = re.compile(
    r"(?:^|\s)(?:carousel-item|swiper-slide|slick-slide|slide|sp-slide|n2-ss-slide|rev-slide|slider-item)(?:\s|\Z)"
)
_LOADED = {"img": "src", "script": "src", "iframe": "src", "audio": "src", "video": "src", "source": "src"}
# An alternative text that tells nothing: a file's name, a word for any picture, a date.
_EMPTY_ALT = re.compile(
    r"(?:dokumentasi|gambar|foto|image|img|banner|logo|slide|picture|untitled)?[\s_\-\d./:]*(?:\.(?:jpe?g|png|gif|webp))?\Z"
    r"|dokumentasi\b.{0,40}\d{4}\Z|\S+\.(?:jpe?g|png|gif|webp)\Z",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Facts:
    """A page: what it says, and counts of what it has. `links` are (absolute address, text)."""

    url: str
    depth: int = 0
    title: str = ""
    text: str = ""
    language: str = ""
    generator: str = ""
    viewport: bool = False
    skip_link: bool = False
    links: list[tuple[str, str]] = field(default_factory=list)
    frames: list[str] = field(default_factory=list)
    insecure: list[str] = field(default_factory=list)
    headings: list[int] = field(default_factory=list)
    pictures: int = 0
    untold_pictures: list[str] = field(default_factory=list)
    fields: int = 0
    unlabelled: int = 0
    slides: int = 0
    faint: list[str] = field(default_factory=list)


def read_facts(markup: str, url: str, depth: int = 0) -> Facts:
    """Given HTML, its address and how many clicks it is from the front page, return what it shows."""
    reader = _Reader(url, depth)
    reader.read(markup[:LONGEST_PARSED])
    return reader.finish()


class _Reader(Reader):
    def __init__(self, url: str, depth: int) -> None:
        self._facts = Facts(url, depth)
        self._base = url
        self._raw = ""
        self._anchor: str | None = None
        self._words: list[str] = []
        self._texts: list[str] = []
        self._labelled: set[str] = set()
        self._waiting: list[str] = []
        self._in_label = 0

    def finish(self) -> Facts:
        self._end("a")
        facts = self._facts
        facts.text = " ".join("".join(self._texts).split())
        facts.unlabelled += sum(1 for each in self._waiting if each not in self._labelled)
        return facts

    def _text(self, text: str) -> None:
        raw, self._raw = self._raw, ""
        if raw == "title":
            self._facts.title = self._facts.title or " ".join(text.split())[:300]
        elif not raw:
            self._texts.append(text)
            if self._anchor is not None:
                self._words.append(text)

    def _end(self, name: str) -> None:
        self._texts.append(" ")
        self._in_label = max(0, self._in_label - (name == "label"))
        if name == "a" and self._anchor is not None:
            href, self._anchor = self._anchor, None
            text = " ".join("".join(self._words).split())[:LONGEST_LINK]
            self._words = []
            self._add_link(href, text)

    def _add_link(self, href: str, text: str) -> None:
        facts = self._facts
        if href.startswith("#"):
            facts.skip_link = facts.skip_link or (
                len(facts.links) < 3 and bool(re.search(r"isi|konten|content|lewati|langsung", text, re.I))
            )
        elif href and len(facts.links) < MOST:
            try:
                facts.links.append((urldefrag(urljoin(self._base, href))[0], text))
            except ValueError:
                return

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        facts = self._facts
        self._texts.append(" ")
        self._raw = name if name in RAW else ""
        if name == "a":
            self._end("a")
            self._anchor = attributes.get("href", "").strip()
        elif name == "html":
            facts.language = attributes.get("lang", "").strip().lower()
        elif name == "base":
            self._base = urljoin(self._base, attributes.get("href", "").strip()) or self._base
        elif name == "meta":
            self._note_meta(attributes)
        elif name in ("h1", "h2", "h3", "h4", "h5", "h6"):
            facts.headings.append(int(name[1]))
        elif name == "img":
            self._note_picture(attributes)
        elif name == "label":
            self._in_label += 1
            self._labelled.add(attributes.get("for", ""))
        elif name in _FIELDS:
            self._note_field(name, attributes)
        elif name == "iframe":
            facts.frames.append(attributes.get("src", "").strip()[:2000])
        self._note_looks(name, attributes)

    def _note_meta(self, given: Mapping[str, str]) -> None:
        name = given.get("name", "").lower()
        if name == "viewport":
            self._facts.viewport = "user-scalable=no" not in given.get("content", "").replace(" ", "")
        elif name == "generator":
            self._facts.generator = self._facts.generator or given.get("content", "").strip()[:100]

    def _note_picture(self, given: Mapping[str, str]) -> None:
        facts = self._facts
        facts.pictures += 1
        decorative = given.get("alt") == "" and given.get("role") in ("presentation", "none")
        if not decorative and _EMPTY_ALT.match(given.get("alt", "").strip()):
            facts.untold_pictures.append(given.get("src", "")[:200])
        if self._anchor is not None:
            self._words.append(f" {given.get('alt', '')} ")

    def _note_field(self, name: str, given: Mapping[str, str]) -> None:
        if name == "input" and given.get("type", "text").lower() in _SILENT:
            return
        self._facts.fields += 1
        told = self._in_label or given.get("aria-label") or given.get("aria-labelledby") or given.get("title")
        if not told and given.get("id"):
            self._waiting.append(given["id"])
        elif not told:
            self._facts.unlabelled += 1

    def _note_looks(self, name: str, given: Mapping[str, str]) -> None:
        facts = self._facts
        if _SLIDE.search(given.get("class", "")[:500]):
            facts.slides += 1
        loaded = given.get(_LOADED.get(name, ""), "").strip()
        if name == "link" and "stylesheet" in given.get("rel", "").lower():
            loaded = given.get("href", "").strip()
        if loaded.startswith("http://") and len(facts.insecure) < MOST:
            facts.insecure.append(loaded[:200])
        if "style" in given and len(facts.faint) < MOST:
            ink, ground = colours(Sheet().style_of(name, given))
            if ink and ground and contrast(ink, ground) < LEAST_CONTRAST:
                facts.faint.append(given["style"][:100])


def contrast(one: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    """Given two colours, return their contrast, from 1 to 21. https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio"""
    bright, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def _luminance(colour: tuple[int, int, int]) -> float:
    parts = [part / 255 for part in colour]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
