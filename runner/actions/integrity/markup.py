"""What stands on a page, and how: its links with what hides them, its head, scripts and frames. Text from outside.

One pass over the tokens, whatever the markup; what is counted has bounds, what is beyond them is told by `whole`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from runner.actions.integrity.parts import Link, Markup, Piece
from runner.actions.integrity.styles import HARD, Colour, Sheet, alike, colours, covers, hiding, is_tiny
from runner.actions.web.text import LONGEST_PARSED
from runner.actions.web.tokens import RAW, Token, tokens

MOST_LINKS = 20_000
MOST_PIECES = 2_000
LONGEST_PIECE = 2_000
LONGEST_SCRIPT = 200_000
LONGEST_TEXT = 1_000_000
DEEPEST = 1_000
MOST_TAGS = 150_000

_EMPTY_TAGS = "area base br col embed hr img input link meta param source track wbr"
_EMPTY = frozenset(_EMPTY_TAGS.split())
_BLOCKS = "address article div dl footer form h1 h2 h3 header hr main nav ol p section table ul"
_UNSEEN = {"noscript": "noscript", "template": "template", "marquee": ""}
# What a script hides by name as soon as it runs; what it does on a click cannot be told apart, and is no sign alone.
_HIDES = re.compile(
    r"(?:getElementById\(\s{0,5}[\"']|\$\(\s{0,5}[\"']#)([\w-]{1,100})[\"']\s{0,5}\)\s{0,5}\.\s{0,5}"
    r"(?:style\s{0,5}\.\s{0,5}(?:display|visibility)\s{0,5}=\s{0,5}[\"'](?:none|hidden)|hide\(\s{0,5}\))"
)
# A start tag on the left ends an open element on the right that people leave unclosed.
_ENDS = {
    **dict.fromkeys(("li",), ("li",)),
    **dict.fromkeys(("td", "th"), ("td", "th")),
    **dict.fromkeys(("tr",), ("td", "th", "tr")),
    **dict.fromkeys(("dt", "dd"), ("dt", "dd")),
    **dict.fromkeys(("option",), ("option",)),
    **dict.fromkeys(_BLOCKS.split(), ("p",)),
}


def read_markup(source: str, stylesheets: str = "") -> Markup:
    """Given HTML, however broken, and the text of its stylesheets, return what stands on it.

    Of a page longer than 2 MiB the beginning and the end are read: what is planted stands there.
    """
    whole = len(source) <= LONGEST_PARSED
    if not whole:
        half = LONGEST_PARSED // 2
        source = source[:half] + "\n<!-- … -->\n" + source[-half:]
    reader = _Reader(source)
    reader.sheet.add(stylesheets)
    raw = ""
    for token in tokens(source):
        if token.kind == "text" and raw == "style":
            reader.sheet.add(token.text)
        elif token.kind == "text" and raw == "script":
            reader.sheet.add("".join(f"#{match[1]}{{display:none}}" for match in _HIDES.finditer(token.text)))
        raw = token.text if token.kind == "start" else ""
    tags = 0
    for token in tokens(source, comments=True):
        reader.read(token)
        tags += token.kind != "text"
        if tags > MOST_TAGS:
            whole = False
            break
    return reader.finish(whole)


@dataclass(slots=True)
class _Element:
    name: str
    hidden: str
    block: int
    tiny: bool
    ink: Colour | None
    ground: Colour | None


class _Reader:
    """Reads tokens with a stack of open elements; each knows what hides it."""

    def __init__(self, source: str) -> None:
        self.sheet = Sheet()
        self._markup = Markup(source)
        self._open: list[_Element] = [_Element("", "", 0, False, None, None)]
        self._names: Counter[str] = Counter()
        self._raw: Token | None = None
        self._anchor: tuple[str, int, _Element] | None = None
        self._words: list[str] = []
        self._heading: tuple[str, int] | None = None
        self._heading_words: list[str] = []
        self._seen: list[str] = []
        self._unseen: list[str] = []
        self._length = 0

    def finish(self, whole: bool) -> Markup:
        self._end_anchor()
        self._end_heading()
        markup = self._markup
        markup.whole, markup.text, markup.hidden_text = whole, "".join(self._seen), "".join(self._unseen)
        return markup

    def read(self, token: Token) -> None:
        if token.kind == "text":
            self._text(token)
        elif token.kind == "start":
            self._start(token)
        elif token.kind == "end":
            self._end(token.text)
        else:
            self._piece("comment", token.text, token.at)

    def _text(self, token: Token) -> None:
        raw, self._raw = self._raw, None
        if raw is not None:
            return self._raw_text(raw, token)
        top = self._open[-1]
        text = token.text
        if self._anchor and len(self._words) < MOST_PIECES:
            self._words.append(text)
        if self._heading and len(self._heading_words) < MOST_PIECES:
            self._heading_words.append(text)
        if self._length < LONGEST_TEXT:
            self._length += len(text)
            if not self._hides(top):
                self._seen.append(text)
            elif not self._anchor:
                self._unseen.append(text)
        return None

    def _raw_text(self, raw: Token, token: Token) -> None:
        if raw.text == "title":
            if not self._names["svg"]:
                self._piece("title", token.text, raw.at)
        elif raw.text == "script" and not raw.attributes.get("src"):
            kind = raw.attributes.get("type", "").strip().lower()
            self._piece("json" if kind == "application/ld+json" else "script", token.text, token.at)
        elif raw.text in ("textarea", "noembed", "noframes", "xmp"):
            self._unseen.append(token.text[:LONGEST_PIECE])

    def _start(self, token: Token) -> None:
        name, attributes = token.text, token.attributes
        for ended in _ENDS.get(name, ()):
            if self._open[-1].name == ended:
                self._end(ended)
        if name in RAW:
            self._raw = token
        self._note(token)
        if name not in _EMPTY and name not in RAW:
            element = self._element(token)
            if name == "a":
                self._end_anchor()
                self._anchor = attributes.get("href", ""), token.at, element
            elif name in ("h1", "h2", "h3"):
                self._end_heading()
                self._heading = name, token.at
            if len(self._open) < DEEPEST:
                self._open.append(element)
                self._names[name] += 1
        for words in (self._seen, self._words, self._heading_words):
            words.append(" ")

    def _element(self, token: Token) -> _Element:
        """The element that a tag opens, with what it takes over from the one around it."""
        parent, attributes = self._open[-1], token.attributes
        hidden, block, tiny, ink, ground = parent.hidden, parent.block, parent.tiny, parent.ink, parent.ground
        style = self.sheet.style_of(token.text, attributes) if attributes or self.sheet.rules else {}
        own = _UNSEEN.get(token.text, "") or ("hidden" if "hidden" in attributes else "")
        if style:
            own = own or hiding(style)
            small = is_tiny(style)
            tiny = tiny if small is None else small
            new_ink, new_ground = colours(style)
            ink, ground = new_ink or ink, new_ground or (None if "background" in style else ground)
        if own and (not hidden or (own in HARD and hidden not in HARD)):
            hidden, block = own, token.at
        if (
            token.text == "marquee"
            and not hidden
            and any(attributes.get(s, "9") in ("0", "1") for s in ("width", "height"))
        ):
            hidden, block = "zero", token.at
        return _Element(token.text, hidden, block or token.at, tiny, ink, ground)

    def _hides(self, element: _Element) -> str:
        return element.hidden or ("tiny" if element.tiny else "colour" if alike(element.ink, element.ground) else "")

    def _end(self, name: str) -> None:
        if name == "a":
            self._end_anchor()
        elif name in ("h1", "h2", "h3"):
            self._end_heading()
        self._seen.append(" ")
        if self._names[name] <= 0:
            return
        while len(self._open) > 1:
            closed = self._open.pop().name
            self._names[closed] -= 1
            if closed == name:
                return

    def _end_anchor(self) -> None:
        anchor, self._anchor = self._anchor, None
        words, self._words = self._words, []
        if anchor and anchor[0].strip() and len(self._markup.links) < MOST_LINKS:
            href, at, element = anchor
            text = " ".join("".join(words)[:LONGEST_PIECE].split())
            hidden = self._hides(element)
            self._markup.links.append(Link(href.strip(), text, at, hidden, element.block if hidden else 0))

    def _end_heading(self) -> None:
        heading, self._heading = self._heading, None
        words, self._heading_words = self._heading_words, []
        if heading:
            self._piece(heading[0], " ".join("".join(words)[:LONGEST_PIECE].split()), heading[1])

    def _piece(self, kind: str, text: str, at: int, hidden: str = "") -> None:
        if text.strip() and len(self._markup.pieces) < MOST_PIECES:
            self._markup.pieces.append(Piece(kind, text[:LONGEST_SCRIPT], at, hidden))

    def _note(self, token: Token) -> None:
        """Note what a tag says by itself."""
        name, given, markup = token.text, token.attributes, self._markup
        if name == "html":
            markup.language = markup.language or given.get("lang", "").strip().lower()[:35]
            markup.amp = markup.amp or "amp" in given or "\u26a1" in given
        elif name == "base":
            markup.base = markup.base or given.get("href", "").strip()
        elif name == "meta":
            self._note_meta(token)
        elif name == "link":
            self._note_link(token)
        elif name == "script" and given.get("src"):
            self._piece("script source", given["src"].strip(), token.at)
        elif name in ("iframe", "frame", "embed", "object"):
            self._note_frame(token)
        elif name == "img":
            self._note_image(given, token.at)

    def _note_meta(self, token: Token) -> None:
        given = token.attributes
        refresh = given.get("http-equiv", "").lower() == "refresh"
        key = (
            "refresh"
            if refresh
            else (given.get("property") or given.get("name") or given.get("itemprop") or "").lower()
        )
        if key:
            self._piece(f"meta {key[:60]}", given.get("content", "").strip()[:LONGEST_PIECE], token.at)

    def _note_link(self, token: Token) -> None:
        given = token.attributes
        for relation in given.get("rel", "").lower().split()[:5]:
            if relation == "stylesheet":
                self._markup.sheets.append(given.get("href", "").strip())
            self._piece(f"link {relation[:30]}", given.get("href", "").strip()[:LONGEST_PIECE], token.at)

    def _note_frame(self, token: Token) -> None:
        given = token.attributes
        element = self._element(token)
        small = any(given.get(side, "").strip().rstrip("px") in ("0", "1") for side in ("width", "height"))
        hidden = "zero" if small else self._hides(element) or ("over" if covers(given.get("style", "")) else "")
        self._piece("frame", (given.get("src") or given.get("data") or "").strip(), token.at, hidden)

    def _note_image(self, given: Mapping[str, str], at: int) -> None:
        alt = given.get("alt", "").strip()
        if self._anchor:
            self._words.append(f" {alt} ")
        self._piece("alt", alt[:LONGEST_PIECE], at)
