"""Text on a terminal: what is safe to show, how many columns it takes, and tables that fit."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import click

from runner.languages import label, language, translate
from runner.messages import MESSAGES, render_deviation, say

COLOURS = {
    "failed": "red",
    "timed_out": "red",
    "interrupted": "red",
    "unreachable": "red",
    "critical": "red",
    "waiting": "yellow",
    "changed": "yellow",
    "major": "yellow",
    "ok": "green",
    "skipped": "cyan",
}
SHORTER = ("changed", "interrupted")  # words of their own on screens: those of reports are long
WHOLE = re.compile(r"(\x1b\[\d+m)[^\x1b]*(\x1b\[0m)")
KINDS = ("status", "severity", "state", "reason")
GAP = 2  # columns that tabulate leaves between two
NARROWEST = 4
MOST_NAMES = 3
NOTE = "    "


def printable(text: object) -> str:
    """Given text from anywhere, return it without anything that a terminal would obey; only line ends stay."""
    return "".join(c if c.isprintable() or c == "\n" else _escape(c) for c in str(text))


def one_line(text: object) -> str:
    """Given text from anywhere, return it printable and on one line."""
    return " | ".join(line.strip() for line in printable(text).split("\n") if line.strip())


def coloured(word: str) -> str:
    """Given a status or severity, return its word in its colour; the word alone says it all."""
    return click.style(named(word), fg=COLOURS.get(str(word)))


def named(word: str) -> str:
    """Given a status, a severity or the state of a problem, return its word in the language of screens."""
    if word in SHORTER:
        return label(str(word))
    key = next((key for kind in KINDS if (key := f"{kind}.{word}") in MESSAGES), None)
    return say(key, "id") if key and language() == "id" else str(word)


def deviating(deviation: str) -> str:
    """Given a deviation as recorded, return it as English screens show it, or in Indonesian words."""
    zone = datetime.now().astimezone().tzinfo
    return render_deviation(deviation, zone) if zone and language() == "id" else deviation


def may_colour() -> bool:
    """Whether colours are wanted where there is a terminal: NO_COLOR and a dumb terminal say no."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"


def width_of(text: str) -> int:
    """Given printable text without line ends, maybe coloured, return how many columns of a terminal it takes."""
    text = click.unstyle(text) if "\x1b" in text else text
    return len(text) if text.isascii() else sum(map(_columns, text))


def cut(text: str, width: int) -> str:
    """Given printable text, return what fits into that many columns, with "…" where something was cut off."""
    if width_of(text) <= width:
        return text
    kept, used = "", 1
    for character in text:
        used += _columns(character)
        if used > width:
            break
        kept += character
    return (kept + "…")[: max(0, width)]


def wrap(text: str, width: int, *, indent: str = "") -> list[str]:
    """Given printable text, return its lines, none wider than `width`; those after the first begin with `indent`.

    A coloured word keeps its colour, unless it is wider than a line. A `width` below 2 is taken as 2.
    """
    indent = indent if width_of(indent) + 2 <= width else ""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line, empty = indent if lines else "", True
        for word in paragraph.split(" "):
            if not empty and width_of(line) + 1 + width_of(word) > width:
                lines.append(line)
                line, empty = indent, True
            line = line + word if empty else f"{line} {word}"
            empty = False
            if width_of(line) > max(2, width):
                *heads, line = _break(click.unstyle(line), width, indent)
                lines += heads
        lines.append(line)
    return lines


def tell(text: str, width: int, *, indent: str = "") -> list[str]:
    """Given what the code says, printable, return its lines in the language of screens, wrapped."""
    return wrap(translate(text), width, indent=indent)


def render_table(
    headers: Sequence[str],
    rows: Iterable[Sequence[str]],
    width: int,
    notes: Sequence[str] | None = None,
    *,
    whole: int = 0,
) -> str:
    """Given printable cells, return a table at most `width` columns wide; the widest columns are wrapped. The headers
    are put into the language of screens.

    The first `whole` columns are not wrapped where the others can give. `notes` holds a text for each row, "" for
    none, which stands under it over the whole width.
    """
    headers = [label(header) for header in headers]
    cells = [[str(cell) for cell in row] for row in rows]
    natural = [max(map(_natural, column)) for column in zip(headers, *cells, strict=True)]
    available = width - GAP * (len(headers) - 1) - sum(natural[:whole])
    if available < NARROWEST * (len(headers) - whole):
        whole, available = 0, available + sum(natural[:whole])
    widths = [*natural[:whole], *_fit(natural[whole:], available)]
    rule = ["-" * width for width in widths]
    wrapped = [["\n".join(_wrap_cell(*pair)) for pair in zip(row, widths, strict=True)] for row in (headers, *cells)]
    from tabulate import tabulate  # costs a tenth of a start, and most runs print no table

    table = tabulate([wrapped[0], rule, *wrapped[1:]], tablefmt="plain", disable_numparse=True)
    lines = [line.rstrip() for line in table.split("\n")]
    return "\n".join(lines if notes is None else _with_notes(lines, wrapped, notes, width))


def name_some(names: Sequence[str], most: int = MOST_NAMES) -> str:
    """Given names, return them as text, of many the first ones: "web1, web2 and 18 more"."""
    if len(names) <= most:
        return ", ".join(names)
    shown = names[: most - 1]
    return translate(f"{', '.join(shown)} and {len(names) - len(shown)} more")


def _with_notes(lines: list[str], cells: list[list[str]], notes: Sequence[str], width: int) -> Iterator[str]:
    """The lines of a table, the note of each row under it."""
    position = 0
    for row, note in zip([cells[0], [], *cells[1:]], ["", "", *notes], strict=True):
        height = max((cell.count("\n") + 1 for cell in row), default=1)
        yield from lines[position : position + height]
        position += height
        yield from wrap(NOTE + note, width, indent=NOTE) if note else ()


def _wrap_cell(cell: str, width: int) -> list[str]:
    if _natural(cell) <= width:
        return [cell]
    lines = wrap(click.unstyle(cell), width)
    coloured_whole = WHOLE.fullmatch(cell)
    return [f"{coloured_whole[1]}{line}{coloured_whole[2]}" for line in lines] if coloured_whole else lines


def _natural(cell: str) -> int:
    return max(width_of(click.unstyle(line)) for line in cell.split("\n"))


def _fit(natural: Sequence[int], available: int) -> list[int]:
    """Widths that sum up to no more than is available: the widest columns give, down to the same width."""
    widest = max(natural)
    while widest > NARROWEST and sum(min(each, widest) for each in natural) > available:
        widest -= 1
    return [min(each, widest) for each in natural]


def _break(text: str, width: int, indent: str) -> Iterator[str]:
    """The lines of a text that is wider than one, in time in proportion to its length."""
    start, lead = 0, ""
    while True:
        near = lead + text[start : start + 4 * width + 8]  # more than a line, whatever the letters' widths
        if start + 4 * width + 8 >= len(text) and width_of(near) <= max(2, width):
            yield near
            return
        head = _head(near, width)
        yield head
        start += len(head) - len(lead)
        lead = indent


def _head(line: str, width: int) -> str:
    """As much of a line as fits, to a hyphen or slash in its second half if there is one; one character at least, so
    that wrapping comes to an end."""
    used = 0
    for position, character in enumerate(line):
        used += _columns(character)
        if used > width and position:
            joint = max(line.rfind(each, 0, position) for each in "-/_") + 1
            return line[: joint if joint > position / 2 else position]
    return line


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
