"""What people mistype in YAML, and what to write instead; messages are those of libyaml."""

from __future__ import annotations

import re

NO_COLON = "could not find expected ':'"

_BARE_BRACES = re.compile(r"""[:-]\s+[^'"#|>\s][^'"#]*\{\{|[:-]\s+\{\{""")
_BARE_DASH = re.compile(r"^((?:\s*-)*\s*[^\s#'\"\[{][^#]*?:\s+)-\s*(#.*)?$")


def cure_of(problem: str, line: str) -> str:
    """Given why a text is not YAML and the line where that was noticed, return what to do."""
    if "\t" in line:
        return "indent with spaces, not tabs"
    if _BARE_BRACES.search(line):
        return 'put the whole value in quotes, such as "{{ vars.x }} days"'
    if problem == NO_COLON:
        return "write the key with a colon and a space after it, such as 'server: web1'"
    begin = "is the colon of the line before missing? " if problem.startswith("mapping values") else ""
    return f"{begin}check the indentation, and quote values that contain ': ' or begin with a special character"


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
