"""YAML text with the place of every key and value.

The only booleans are `true` and `false`, the only nulls `null`, `~` and nothing; keys and everything else that
is not a plain number stay text, so `No: 1`, `16:30`, `ya` and dates mean what is written. A norm written as
`waktu: -` is the text "-". Duplicate keys, merge keys, tags, deep nesting and alias bombs are mistakes.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import yaml

from runner.errors import Mistake, Refused
from runner.slips import explain_slip, find_expression, quote, quote_bare_dash, split_lines

LARGEST_FILE = 32 * 1024 * 1024
DEEPEST_NESTING = 64
MOST_ALIASED_NODES = 100_000
MOST_DASHES = 100

Position = tuple[int, int]
Where = Sequence[str | int]

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})\Z")
_FLOAT = re.compile(r"[-+]?([0-9]+\.[0-9]+)([eE][-+]?[0-9]{1,3})?\Z")
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None, "~": None, "": None}


class Map(dict[str, Any]):
    """A mapping that knows where its keys and values stand (offsets into the text)."""

    __slots__ = ("places", "start")

    def __init__(self, start: int) -> None:
        super().__init__()
        self.start = start
        self.places: dict[str, tuple[int, int]] = {}


class Items(list[Any]):
    """A list that knows where its items stand."""

    __slots__ = ("places", "start")

    def __init__(self, start: int) -> None:
        super().__init__()
        self.start = start
        self.places: list[int] = []


class Source:
    """A YAML document: `file` as shown to the user, its `original` text, and its `data` of plain values.

    `text` is the original but for bare dashes put in quotes; places point into it.
    """

    def __init__(self, file: str, text: str, original: str | None = None) -> None:
        self.file = file
        self.text = text
        self.original = text if original is None else original
        self._lines = [0, *accumulate(len(line) for line in split_lines(text))]
        self.data: Any = None

    def position(self, offset: int) -> Position:
        """Given an offset into the text, return (line, column), both from 1."""
        line = bisect_right(self._lines, offset) - 1
        return line + 1, offset - self._lines[line] + 1

    def offset(self, path: Where, *, key: bool = False) -> int:
        """Given a path of keys and indexes, return where its value (or key) begins; of a missing one, its parent."""
        node, offset = self.data, getattr(self.data, "start", 0)
        for depth, part in enumerate(path):
            last = depth == len(path) - 1
            if isinstance(node, Map) and part in node:
                offset = node.places[str(part)][0 if key and last else 1]
                node = node[str(part)]
            elif isinstance(node, Items) and isinstance(part, int) and part < len(node):
                offset = node.places[part]
                node = node[part]
            else:
                break
        return offset

    def mistake(self, path: Where, message: str, cure: str = "", *, key: bool = False, find: str = "") -> Mistake:
        """Return a mistake at the path's value (or key); with `find`, at that text inside the value where it stands."""
        offset = self.offset(path, key=key)
        if find:
            found = self.text.find(find, offset, offset + 65536)
            offset = offset if found < 0 else found
        return Mistake(self.file, *self.position(offset), message, cure)


def load_source(path: Path, name: str = "", *, collect: list[Mistake] | None = None) -> Source:
    """Given a YAML file, return its Source; `name` is how messages call it. Raise Refused if it cannot be read.

    Mistakes that leave the rest readable (a duplicate key) are added to `collect` where it is given.
    """
    file = name or str(path)
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise Refused(Mistake(file, 0, 0, f"the file is larger than {LARGEST_FILE} bytes", "split it"))
        text = path.read_bytes().decode("utf-8-sig")  # read_text would turn CRLF into LF
    except UnicodeDecodeError as error:
        raise Refused(Mistake(file, 0, 0, f"not UTF-8 at byte {error.start}", "save it as UTF-8")) from None
    except (OSError, ValueError) as error:  # ValueError: no file can be called that
        reason = getattr(error, "strerror", "") or str(error)
        raise Refused(Mistake(file, 0, 0, f"cannot be read: {reason}", "check the path")) from None
    return parse_source(text, file, collect=collect)


def parse_source(text: str, file: str, tags: Collection[str] = (), *, collect: list[Mistake] | None = None) -> Source:
    """Given YAML text, return its Source; values with one of `tags` are read as text. Raise Refused for mistakes.

    Mistakes that leave the rest readable (a duplicate key) are added to `collect` where it is given.
    """
    source = Source(file, text)
    mistakes: list[Mistake] = []
    for _ in range(MOST_DASHES):
        try:
            source.data = _Composer(source, mistakes, tags).compose()
            break
        except yaml.YAMLError as error:
            line, mistake = _explain(source, error)
            repaired = quote_bare_dash(source.text, line)
            if repaired is None:
                raise Refused(mistake) from None
            source, mistakes = Source(file, repaired, text), []
        except ValueError as error:  # libyaml: a lone surrogate or NUL
            raise Refused(Mistake(file, 1, 1, f"not YAML: {error}", "save it as UTF-8 text")) from None
    else:
        raise Refused(Mistake(file, 0, 0, f"more than {MOST_DASHES} bare dashes", 'write "-" in quotes'))
    if mistakes and collect is None:
        raise Refused(*mistakes)
    if collect is not None:
        collect += mistakes
    return source


def _explain(source: Source, error: yaml.YAMLError) -> tuple[int, Mistake]:
    slip = explain_slip(error, source.text)
    return slip.line, Mistake(source.file, *slip.place, f"not valid YAML: {slip.words}", slip.cure)


class _Composer:
    """Builds values from the parser's events, without recursion."""

    def __init__(self, source: Source, mistakes: list[Mistake], tags: Collection[str]) -> None:
        self._source = source
        self._mistakes = mistakes
        self._tags = tags
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._open: list[_Frame] = []
        self._nodes = 0
        self._aliased = 0
        self._root: Any = None
        self._documents = 0

    def compose(self) -> Any:
        for event in yaml.parse(self._source.text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            kind = type(event)
            if kind is yaml.ScalarEvent:
                self._add(self._scalar(event), event)
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                self._start(event, kind)
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                self._end()
            elif kind is yaml.AliasEvent:
                self._alias(event)
            elif kind is yaml.DocumentStartEvent:
                self._documents += 1
                if self._documents > 1:
                    self._stop(event, "a second document begins here", "keep one document in a file")
        return self._root

    def _scalar(self, event: Any) -> Any:
        if event.tag is not None and event.tag != "!":
            self._check_tag(event)
            return event.value
        if not event.implicit[0]:
            return event.value
        return _plain(event.value)

    def _check_tag(self, event: Any) -> None:
        if event.tag != "tag:yaml.org,2002:str" and event.tag not in self._tags:
            self._note(event, f"the tag '{event.tag}' has no meaning here", "leave it out")

    def _start(self, event: Any, kind: type) -> None:
        if event.tag is not None:
            self._check_tag(event)
        if len(self._open) >= DEEPEST_NESTING:
            self._stop(event, f"nested more than {DEEPEST_NESTING} levels deep", "flatten it")
        container = Map(event.start_mark.index) if kind is yaml.MappingStartEvent else Items(event.start_mark.index)
        frame = _Frame(container, event.anchor, self._nodes)
        self._add(container, event)
        self._open.append(frame)

    def _end(self) -> None:
        frame = self._open.pop()
        if frame.expression and self._open:
            self._take_as_text(self._open[-1], frame.expression)
        if frame.anchor:
            self._anchors[frame.anchor] = frame.container, self._nodes - frame.nodes_before

    def _alias(self, event: Any) -> None:
        if event.anchor not in self._anchors:
            self._stop(event, f"the alias '*{event.anchor}' stands before the end of its anchor", "write the value out")
        value, size = self._anchors[event.anchor]
        self._nodes += size
        self._aliased += size
        if self._aliased > MOST_ALIASED_NODES:
            self._stop(event, "aliases blow this file up", "write the values out")
        self._add(value, event)

    def _add(self, value: Any, event: Any) -> None:
        self._nodes += 1
        start = event.start_mark.index
        if type(event) is yaml.ScalarEvent and event.anchor:
            self._anchors[event.anchor] = value, 1
        if not self._open:
            self._root = value
            return
        frame = self._open[-1]
        container = frame.container
        if isinstance(container, Items):
            container.append(value)
            container.places.append(start)
        elif frame.key is None:
            frame.key, frame.key_start = self._key(event, value, container), start
        else:
            container[frame.key] = value
            container.places[frame.key] = (frame.key_start, start)
            frame.key = None

    def _key(self, event: Any, value: Any, container: Map) -> str:
        if type(event) is not yaml.ScalarEvent:
            self._note_no_key(event)
            return ""
        key = str(event.value)
        if key in container:
            first = self._source.position(container.places[key][0])[0]
            cure = "keep one of them" if key != "id" else "keep one of them; what begins a new step or task is '- id:'"
            self._note(event, f"the key '{key}' stands twice (first in line {first})", cure)
        elif key == "<<" and event.implicit[0]:
            self._note(event, "merge keys are not supported", "write the keys out, or put them under vars")
        return key

    def _note_no_key(self, event: Any) -> None:
        start = event.start_mark.index - 1
        expression = self._open[-1].expression = find_expression(self._source.text, start)
        if not expression:
            self._note(event, "a key must be plain text", "write the key as one word")
            return
        place, cure = self._source.position(start), f"write {quote(expression)}"
        self._mistakes.append(Mistake(self._source.file, *place, "{{ }} stands here without quotes", cure))

    def _take_as_text(self, parent: _Frame, expression: str) -> None:
        """Read a value without quotes as it was meant, so that only this is a mistake."""
        if isinstance(parent.container, Items):
            parent.container[-1] = expression
        elif parent.key is None and parent.container:
            parent.container[next(reversed(parent.container))] = expression

    def _note(self, event: Any, message: str, cure: str) -> None:
        position = self._source.position(event.start_mark.index)
        self._mistakes.append(Mistake(self._source.file, *position, message, cure))

    def _stop(self, event: Any, message: str, cure: str) -> None:
        self._note(event, message, cure)
        raise Refused(*self._mistakes)


class _Frame:
    """A mapping or list that is being filled."""

    __slots__ = ("anchor", "container", "expression", "key", "key_start", "nodes_before")

    def __init__(self, container: Map | Items, anchor: str | None, nodes_before: int) -> None:
        self.container = container
        self.anchor = anchor
        self.nodes_before = nodes_before
        self.key: str | None = None
        self.key_start = 0
        self.expression = ""  # where this is no mapping but {{ … }} without quotes


def _plain(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in "-+.0123456789":
        if _INTEGER.match(text):
            return int(text)
        if _FLOAT.match(text):
            return float(text)
    return text
