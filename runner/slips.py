"""What people mistype in YAML, and what to write instead; messages are those of libyaml."""

from __future__ import annotations

import re
from typing import NamedTuple

NO_COLON = "could not find expected ':'"

NOT_CLOSED = "did not find expected ',' or"
ENDLESS = "found unexpected end of stream"  # only while libyaml reads a text in quotes
UNENDING = "the quote that begins here has no end"

_QUOTED = re.compile(r"""\"[^"]*\"|'[^']*'""")
_FLOW = re.compile(r"[{\[][^{}\[\]]*[}\]]")
_TIGHT_DASH = re.compile(r"\s*-[A-Za-z_]")
_HAS_COLON = re.compile(r":(\s|$)")
_BARE_BRACES = re.compile(r"""[:-]\s+[^'"#|>\s][^'"#]*\{\{|[:-]\s+\{\{""")
_BARE_DASH = re.compile(r"^((?:\s*-)*\s*[^\s#'\"\[{][^#]*?:\s+)-\s*(#.*)?$")


class Slip(NamedTuple):
    """Why a text is not YAML: the line where that was noticed, the place (line, column) to look at, words, cure."""

    line: int
    place: tuple[int, int]
    words: str
    cure: str


def explain_slip(error: Exception, text: str) -> Slip:
    """Given what libyaml raised about a text, return what is to be told."""
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "not YAML"
    mark, opened = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    place, noticed = (line, column), ""
    if opened and problem == ENDLESS:
        place, problem = (opened.line + 1, opened.column + 1), UNENDING
    elif opened and (problem == NO_COLON or problem.startswith(NOT_CLOSED)):
        place = (opened.line + 1, opened.column + 1)
        noticed = f" for what begins here, noticed in line {line}" if place[0] != line else ""
    elif opened and problem.startswith("did not find expected"):
        noticed = f" in what begins in line {opened.line + 1}"
    lines = dict(enumerate(split_lines(text), 1))
    cure = cure_of(problem, lines.get(line, ""), lines.get(line - 1, ""))
    return Slip(line, place, f"{problem}{noticed}", cure)


def cure_of(problem: str, line: str, before: str = "") -> str:
    """Given why a text is not YAML, the line where that was noticed and the one before it, return what to do."""
    bare = _QUOTED.sub('""', line)
    if "\t" in line:
        return "indent with spaces, not tabs"
    if _BARE_BRACES.search(bare):
        return 'put the whole value in quotes, such as "{{ vars.x }} days"'
    if problem == UNENDING:
        return "close it with the same quote"
    if problem == NO_COLON:
        return "write the key with a colon and a space after it, such as 'server: web1'"
    if problem.startswith(NOT_CLOSED):
        return "close it, or put a comma there; a value that holds , : { } [ or ] stands in quotes"
    if _TIGHT_DASH.match(line):
        return "write a space after the dash"
    if problem.startswith("mapping values"):
        return _cure_of_colon(line, bare, before)
    return "begin each key in the column of its neighbours, and each entry of a list with '- '"


def _cure_of_colon(line: str, bare: str, before: str) -> str:
    """Why a colon has no place in a line: a second one in it, or a line before that goes on in this one."""
    if _FLOW.sub("", bare).count(": ") > 1:
        return "put what stands after the first colon in quotes"
    if before.strip() and not _HAS_COLON.search(before):
        return "is the colon of the line before missing?"
    if len(line) - len(line.lstrip()) > len(before) - len(before.lstrip()):
        return "begin it in the column of the line before"
    return "put a value that holds ': ' in quotes"


def find_expression(text: str, start: int) -> str:
    """Given a text and an offset, return the {{ … }} that begins there; "" where none does."""
    end = text.find("}}", start)
    return text[start : end + 2] if end >= 0 and text[start : start + 2] == "{{" else ""


def quote(text: str) -> str:
    """Given a text of one line, return it in quotes as YAML reads them."""
    if '"' not in text and "\\" not in text:
        return f'"{text}"'
    return "'" + text.replace("'", "''") + "'"


def quote_bare_dash(text: str, line: int) -> str | None:
    """`time_limit: -` is how the form writes "no norm", and a syntax error in YAML: read it as the text "-"."""
    lines = split_lines(text)
    for number in (line - 1, line - 2):
        if 0 <= number < len(lines):
            bare = lines[number].rstrip("\r\n")
            match = _BARE_DASH.match(bare)
            if match:
                comment = " " + match[2] if match[2] else ""
                lines[number] = f'{match[1]}"-"{comment}{lines[number][len(bare) :]}'
                return "".join(lines)
    return None


def split_lines(text: str) -> list[str]:
    """Given a text, return its lines with their ends, as YAML counts them."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)
