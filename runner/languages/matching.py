"""Finding the message that a text was made from, and making it again in another language.

A message is a template with holes, "{0}: no such step": a text that fits it is made again from the template's
translation and what stood in the holes, which may be messages themselves. What no template fits is taken apart at its
colons and full stops. Of all ways the one that explains the most letters is taken.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

HOLE = re.compile(r"\{\d+\}")
WORD = re.compile(r"[A-Za-z]+")
LAST = re.compile(r": \{\d+\}$")
QUOTES = ("'", '"', "“", "”", "`")
JOINTS = (": ", ". ", "; ", " (", "? ")
LISTS = ("or", "and")
QUOTED = re.compile(r"['\"“`].*['\"”`]|[^ ]+")
ENDS = ".:?)…"
START = re.compile(r"(?=[ ,;])")  # where the second of two holes side by side may begin
LONGEST_PAIR = 300
LONGEST = 4000
DEEPEST = 8
FEWEST_SIGNS = 3  # a template of fewer, without quotes, fits too much: its holes must hold plain names
MOST_REMEMBERED = 20_000

Told = tuple[str, int]  # a text in the other language, and how many of its letters some message explains


class Template(NamedTuple):
    """A message with holes: what stands between them, its translation, and how many letters it has."""

    parts: tuple[str, ...]
    translation: str
    letters: int

    def match(self, text: str) -> list[str] | None:
        """What stands in the holes; None where the text was not made from this. In time in proportion to the text."""
        first, *middle, last = self.parts
        end = len(text) - len(last)
        if not text.startswith(first) or not text.endswith(last) or end < len(first):
            return None
        held, position = [], len(first)
        for part in middle:
            if (found := text.find(part, position, end)) < 0:
                return None
            held.append(text[position:found])
            position = found + len(part)
        return [*held, text[position:end]]

    def quotes(self, hole: int) -> bool:
        """Whether that hole stands in quotes: what is in it is somebody's own word."""
        return self.parts[hole].endswith(QUOTES) and self.parts[hole + 1].startswith(QUOTES)

    def fill(self, held: Iterable[str]) -> str:
        """The translation with its holes filled."""
        values = list(held)
        return HOLE.sub(lambda hole: values[int(hole[0][1:-1])], self.translation)


class Matcher:
    """Given translations by their messages, translates texts that were made from them. `names` are single words that
    are translated where they fill a hole; all others there are somebody's own."""

    def __init__(self, translations: dict[str, str], names: Mapping[str, str] | None = None) -> None:
        self.translations = _without_ends(translations) | translations
        self._names = names or {}
        self._index: dict[str, list[Template]] = {}
        self._known: dict[tuple[str, int], Told] = {}
        translations = self.translations
        templates = {message: _words_between_holes(message) for message in translations if HOLE.search(message)}
        frequency = Counter(word for words in templates.values() for word in words)
        for message, words in templates.items():
            if words:
                template = Template(tuple(HOLE.split(message)), translations[message], _letters(HOLE.sub("", message)))
                self._index.setdefault(min(words, key=lambda word: (frequency[word], word)), []).append(template)

    def translate(self, text: str) -> str:
        """One line in the other language; as it is where nothing is known of it."""
        if len(text) > LONGEST:
            return text
        if len(self._known) > MOST_REMEMBERED:
            self._known.clear()
        return self._best(text, 0)[0]

    def _best(self, text: str, depth: int) -> Told:
        bare = text.strip()
        if " " not in bare or depth == DEEPEST:
            return (self._names[bare], len(bare)) if bare in self._names and depth else (text, 0)
        if (text, depth) not in self._known:
            told, explained = self._find(bare, depth)
            self._known[text, depth] = text.replace(bare, told, 1) if explained else text, explained
        return self._known[text, depth]

    def _find(self, text: str, depth: int) -> Told:
        if (exact := self.translations.get(text)) is not None:
            return exact, _letters(text)
        if (exact := self.translations.get(text[0].upper() + text[1:])) is not None:
            return exact[0].lower() + exact[1:], _letters(text)
        return max(self._ways(text, depth), key=lambda told: told[1], default=(text, 0))

    def _ways(self, text: str, depth: int) -> Iterator[Told]:
        """All ways to take a text apart. Of equal ones the first is meant: a template whose holes hold the least, then
        a split, then a template that holds a whole sentence in a hole."""
        found = ((template, template.match(text)) for template in self._candidates(text))
        fitting = [(template, held) for template, held in found if held is not None and _fits(template, held)]
        fitting.sort(key=lambda each: (sum(value.count(": ") for value in each[1]), len(each[1])))
        whole = [(template, held) for template, held in fitting if not any(". " in value for value in held)]
        yield from (self._filled(template, held, depth) for template, held in whole)
        yield from self._parts(text, depth)
        yield from (self._filled(template, held, depth) for template, held in fitting if (template, held) not in whole)

    def _filled(self, template: Template, held: Sequence[str], depth: int) -> Told:
        told = [self._value(template, hole, value, depth + 1) for hole, value in enumerate(held)]
        return template.fill(value for value, _ in told), template.letters + sum(n for _, n in told)

    def _parts(self, text: str, depth: int) -> Iterator[Told]:
        for joint in JOINTS:
            before, found, after = text.partition(joint)
            if found:
                (left, much), (right, more) = self._best(before, depth + 1), self._best(after, depth + 1)
                yield f"{left}{joint}{right}", much + more
        for joint in LISTS:
            if len(items := text.split(f" {joint} ")) > 1:
                yield self._list(items, joint, depth)
        if text[-1] in ENDS:
            before, explained = self._best(text[:-1], depth + 1)
            yield before + text[-1], explained

    def _value(self, template: Template, hole: int, value: str, depth: int) -> Told:
        """What stands in a hole; where the hole before it ends is not known if nothing stands between them."""
        if template.quotes(hole):
            return value, 0
        if hole == 0 or template.parts[hole] or len(value) > LONGEST_PAIR:
            return self._best(value, depth)
        starts = [0, *(found.start() for found in START.finditer(value))]
        ways = ((value[:start], self._best(value[start:], depth)) for start in starts)
        return max(((before + told, n) for before, (told, n) in ways), key=lambda told: told[1])

    def _list(self, items: Sequence[str], joint: str, depth: int) -> Told:
        """A list of names in quotes, and of messages: "'a' or 'b'", "a text or a list"."""
        told = [self._item(item, depth + 1) for item in items]
        if all(QUOTED.fullmatch(item) or n == _letters(item) for item, (_, n) in zip(items, told, strict=True)):
            letters = len(joint) * (len(items) - 1) + sum(n for _, n in told)
            return f" {self.translations.get(joint, joint)} ".join(text for text, _ in told), letters
        return f" {joint} ".join(items), 0

    def _item(self, item: str, depth: int) -> Told:
        known = self.translations.get(item)
        return (known, _letters(item)) if known else self._best(item, depth)

    def _candidates(self, text: str) -> Iterator[Template]:
        for word in set(WORD.findall(text)):
            yield from self._index.get(word, ())


def _without_ends(translations: Mapping[str, str]) -> dict[str, str]:
    """Messages that end with what may be empty, "exit code {0}: {1}", as they then are: "exit code {0}"."""
    found = ((message, told, LAST.search(message)) for message, told in translations.items())
    ends = ((message, told, last[0]) for message, told, last in found if last)
    return {message.removesuffix(end): told.removesuffix(end) for message, told, end in ends if told.endswith(end)}


def _fits(template: Template, held: Iterable[str]) -> bool:
    named = any(map(template.quotes, range(len(template.parts) - 1)))
    signs = sum(len(part.replace(" ", "")) for part in template.parts)
    return named or signs >= FEWEST_SIGNS or not any(" " in value.strip() for value in held)


def _words_between_holes(message: str) -> set[str]:
    """The whole words of a template: where it can be, not those that what stands in a hole may make longer."""
    whole = WORD.findall(re.sub(r"[A-Za-z]*\{\d+\}[A-Za-z]*", " ", message))
    return set(whole or WORD.findall(HOLE.sub(" ", message)))


def _letters(text: str) -> int:
    return sum(character.isalpha() for character in text)
