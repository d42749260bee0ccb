"""What a style hides, and how; from style attributes, `<style>` blocks and stylesheets, in time linear in their length.

Menus, dialogs and texts for screen readers are hidden too. So each way of hiding has a name, and only some of them
(`HARD`) have no use on an honest page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

LONGEST_SHEET = 512 * 1024
LONGEST_STYLE = 4000
MOST_RULES = 20_000
MOST_ALIKE = 50  # rules that are looked at for one class: more would make reading quadratic

HARD = frozenset({"offscreen", "tiny"})

_LENGTH = re.compile(r"(-?\d{0,9}\.?\d{0,9})(px|em|rem|pt|%|vw|vh|ex|ch)?")
_COMPOUND = re.compile(r"(?:[a-z][a-z0-9]{0,20})?(?:[.#][\w-]{1,100}){0,8}\Z", re.IGNORECASE)
_PART = re.compile(r"[.#]?[\w-]+")
_CLIPPED = re.compile(r"rect\(\s*[01](?:px)?[\s,]|inset\(\s*(?:50|100)%")
_MOVED = re.compile(r"translate(?:x|y|3d)?\(\s*-(\d{3,})")
_TRANSPARENT = re.compile(r"transparent\Z|(?:rgba|hsla)\([^)]{0,60}[,/]\s*(?:0|0?\.0\d?|0%)\s*\)")
_RGB = re.compile(r"rgba?\(\s*(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})")
_FAR = {"px": -300.0, "pt": -300.0, "em": -30.0, "rem": -30.0, "ex": -60.0, "ch": -60.0, "": -300.0}
_FAR_SHARE = -100.0
_PLACES = ("left", "right", "top", "bottom", "margin-left", "margin-top", "margin")
_NAMED = {"white": (255, 255, 255), "black": (0, 0, 0), "red": (255, 0, 0), "blue": (0, 0, 255)}
_NEAR = 12

Style = Mapping[str, str]
Colour = tuple[int, int, int]


def parse_style(text: str) -> dict[str, str]:
    """Given declarations, return their values by property, in lower case; of one that is given twice, the last."""
    found: dict[str, str] = {}
    for declaration in text[:LONGEST_STYLE].lower().split(";"):
        name, colon, value = declaration.partition(":")
        if colon:
            found[name.strip()] = value.replace("!important", "").strip()
    return found


def hiding(style: Style) -> str:
    """Given a style, return how it hides what it applies to: the name of the way, "" when it does not."""
    ways = (
        ("display", style.get("display") == "none"),
        ("visibility", style.get("visibility") in ("hidden", "collapse")),
        ("opacity", _at_most(style.get("opacity"), 0.05)),
        ("offscreen", _is_far(style)),
        ("zero", _is_zero(style, "height", "width")),
        ("collapsed", _is_zero(style, "max-height", "max-width")),
        ("clipped", bool(_CLIPPED.search(style.get("clip", "") + style.get("clip-path", "")))),
        ("indent", _is_beyond(style.get("text-indent", ""))),
        ("colour", bool(_TRANSPARENT.match(style.get("color", "")))),
    )
    return next((name for name, holds in ways if holds), "")


def covers(text: str) -> bool:
    """Given the style of a frame, return whether it lies over the whole page."""
    style = parse_style(text)
    fixed = style.get("position") in ("fixed", "absolute")
    full = ("100%", "100vw", "100vh")
    return fixed and style.get("width") in full and style.get("height", style.get("min-height")) in full


def is_tiny(style: Style) -> bool | None:
    """Given a style, return whether its letters are too small to be read; None when it sets no size."""
    size = style.get("font-size")
    if size is None:
        return None
    number, unit = _length(size)
    if number is None:
        return False
    return number <= {"%": 10.0, "em": 0.1, "rem": 0.1}.get(unit, 2.0)


def colours(style: Style) -> tuple[Colour | None, Colour | None]:
    """Given a style, return the colour of its letters and of its ground, where it sets them plainly."""
    ground = style.get("background-color") or style.get("background", "")
    return _colour(style.get("color", "")), None if "url(" in ground else _colour(ground)


def alike(one: Colour | None, other: Colour | None) -> bool:
    """Given two colours, return whether an eye cannot tell them apart."""
    return one is not None and other is not None and all(abs(a - b) <= _NEAR for a, b in zip(one, other, strict=True))


def _colour(text: str) -> Colour | None:
    word = text.split(" ", 1)[0] if not text.startswith("rgb") else text
    if word.startswith("#"):
        digits = word[1:]
        digits = "".join(d * 2 for d in digits[:3]) if len(digits) in (3, 4) else digits[:6]
        try:
            return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)
        except ValueError:
            return None
    if match := _RGB.match(word):
        return int(match[1]), int(match[2]), int(match[3])
    return _NAMED.get(word)


def _length(text: str) -> tuple[float | None, str]:
    match = _LENGTH.match(text)
    try:
        return (float(match[1]), match[2] or "") if match else (None, "")
    except ValueError:
        return None, ""


def _at_most(text: str | None, most: float) -> bool:
    number, _ = _length(text) if text else (None, "")
    return number is not None and number <= most


def _is_beyond(text: str) -> bool:
    number, unit = _length(text)
    return number is not None and number <= _FAR.get(unit, _FAR_SHARE)


def _is_far(style: Style) -> bool:
    if style.get("position") in ("absolute", "fixed", "relative") or "margin-left" in style or "margin-top" in style:
        return any(_is_beyond(style.get(name, "")) for name in _PLACES)
    return bool(_MOVED.search(style.get("transform", "")))


def _is_zero(style: Style, *sides: str) -> bool:
    if "hidden" not in style.get("overflow", "") + style.get("overflow-y", "") + style.get("overflow-x", ""):
        return False
    return any(_at_most(style.get(name), 1.0) for name in sides)


@dataclass(slots=True)
class Sheet:
    """The rules of stylesheets that name one element by its tag, classes and id; found by one of these."""

    rules: dict[str, dict[frozenset[str], dict[str, str]]] = field(default_factory=dict)
    count: int = 0

    def add(self, text: str) -> None:
        """Given a stylesheet, add its rules. What stands under a condition (print, a width) is left out."""
        for selectors, block in _blocks(text[:LONGEST_SHEET]):
            style = parse_style(block)
            for selector in selectors.split(",") if style else ():
                self._add(selector.strip(), style)

    def _add(self, selector: str, style: dict[str, str]) -> None:
        last = re.split(r"[\s>+~]+", selector[-300:])[-1]
        parts = _PART.findall(last) if last and _COMPOUND.match(last) else []
        alone = last == selector
        if self.count >= MOST_RULES or not parts or (not alone and not any(p[0] in ".#" for p in parts)):
            return
        self.count += 1
        names = frozenset(part if part[0] in ".#" else part.lower() for part in parts)
        fewest = min(names, key=lambda part: len(self.rules.get(part, ())))
        bucket = self.rules.setdefault(fewest, {})
        if names in bucket or len(bucket) < MOST_ALIKE:
            bucket.setdefault(names, {}).update(style)

    def style_of(self, name: str, attributes: Mapping[str, str]) -> dict[str, str]:
        """Given an element, return its style: by the sheets, then by its own attribute."""
        own = attributes.get("style", "")
        found: dict[str, str] = {}
        if self.rules:
            parts = list(_parts_of(name, attributes))
            known = set(parts)
            for part in parts:
                for names, style in self.rules.get(part, {}).items():
                    if names <= known:
                        found.update(style)
        if own:
            found.update(parse_style(own))
        return found


def _parts_of(name: str, attributes: Mapping[str, str]) -> Iterable[str]:
    yield name
    yield from (f".{each}" for each in attributes.get("class", "").split()[:40])
    if identity := attributes.get("id"):
        yield f"#{identity}"


def _blocks(text: str) -> Iterable[tuple[str, str]]:
    """The (selectors, declarations) of a stylesheet outside conditions."""
    at, conditions = 0, 0
    text = _without_comments(text)
    while (opening := text.find("{", at)) >= 0:
        head = text[at:opening]
        closed = head.count("}")
        conditions = max(0, conditions - closed)
        head = head.rpartition("}")[2].rpartition(";")[2].strip()
        if head.startswith("@"):
            plain = head.startswith(("@media screen", "@media all", "@layer", "@supports")) and "(" not in head
            at, conditions = opening + 1, conditions + (0 if plain else 1)
            if head.startswith(("@font-face", "@page")):
                at, conditions = _end(text, opening), conditions - 1
            continue
        end = _end(text, opening)
        if not conditions:
            yield head, text[opening + 1 : end - 1]
        at = end


def _end(text: str, opening: int) -> int:
    closing = text.find("}", opening)
    return len(text) if closing < 0 else closing + 1


def _without_comments(text: str) -> str:
    kept: list[str] = []
    at = 0
    while (opening := text.find("/*", at)) >= 0:
        kept.append(text[at:opening])
        closing = text.find("*/", opening + 2)
        at = len(text) if closing < 0 else closing + 2
    return "".join([*kept, text[at:]])
