"""Patterns that select targets by name, as in `--limit`.

    web1:db*            both (also written with a comma)         all            every target, in file order
    web:&production     those that are in both                   websites       every target of that kind
    web:!web3           all but web3                             web[0]         the first of a group; [-1] the last
    ~web[12]$           names by a regular expression            web[1:3]       the second to the fourth
    @failed.txt         the patterns in a file, one in a line

First the plain terms are joined, then `&` and `!` are applied; without a plain term one starts from all.
A regular expression must match from the beginning of the name, a glob the whole name; both find targets and groups.
"""

from __future__ import annotations

import fnmatch
import json
import re
import subprocess
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv6Address
from pathlib import Path

from runner.errors import Mistake, Refused, did_you_mean, refuse

LONGEST_PATTERN = 65536
LONGEST_REGEX = 1024
LARGEST_FILE = 1024 * 1024
REGEX_SECONDS = 5.0
MOST_SUGGESTIONS = 20  # comparing with ten thousand names takes time

_PART = re.compile(r"(?P<base>.+)\[(?P<first>-?[0-9]{1,9})(?P<range>:(?P<last>-?[0-9]{0,9}))?\]\Z", re.DOTALL)
_OPEN, _CLOSE = "([{", ")]}"
_MATCHER = (
    "import json, re, sys\npattern, names = json.load(sys.stdin)\nmatch = re.compile(pattern).match\n"
    "json.dump([name for name in names if match(name)], sys.stdout)"
)

Names = Mapping[str, object]
Groups = Mapping[str, Sequence[str]]


def select_names(pattern: str, names: Names, groups: Groups, *, option: str = "--limit") -> list[str]:
    """Given a pattern, targets by name in file order and the groups' members, return the selected names, so ordered.

    Raise Refused for a term that selects nothing, or when nothing is left; `option` is what messages point at.
    """
    terms = _read_terms(pattern, names, option)
    chosen = {"": set[str](), "&": set(names), "!": set[str]()}
    mistakes: list[Mistake] = []
    for sign, term, place in terms:
        known = [*names, *groups] if len(mistakes) < MOST_SUGGESTIONS else []
        try:
            found = set(_find(term, names, groups, place, known))
        except Refused as error:
            mistakes.extend(error.mistakes)
            continue
        chosen[sign] = chosen[sign] & found if sign == "&" else chosen[sign] | found
    if mistakes:
        raise Refused(*mistakes)
    start = chosen[""] if any(sign == "" for sign, _, _ in terms) else set(names)
    left = (start & chosen["&"]) - chosen["!"]
    if not left:
        raise refuse(option, f"'{pattern}' selects nothing", "leave out what excludes everything")
    return [name for name in names if name in left]


def match_names(term: str, names: Iterable[str], *, option: str) -> list[str]:
    """Given a glob or a `~regex`, return the names it matches. Raise Refused for a regex that is wrong or too slow."""
    if term.startswith("~"):
        return _match_regex(term[1:], names, option)
    match = re.compile(fnmatch.translate(term)).match
    return [name for name in names if match(name)]


def is_wild(term: str) -> bool:
    """Say whether a term is a glob or a regular expression rather than a name."""
    return term.startswith("~") or any(sign in term for sign in "*?[")


def _read_terms(pattern: str, names: Names, option: str) -> list[tuple[str, str, str]]:
    """Split a pattern into (sign, term, place), with the terms of its files in place of `@file`."""
    if len(pattern) > LONGEST_PATTERN:
        raise refuse(option, f"the pattern is longer than {LONGEST_PATTERN} characters", "name a group, or use @file")
    terms = []
    for sign, term in split_terms(pattern, names):
        if not term.startswith("@"):
            terms.append((sign, term, option))
        elif sign:
            raise refuse(option, f"'{sign}{term}' cannot be read", f"write the '{sign}' before the lines of the file")
        else:
            terms.extend(_read_file(Path(term[1:]), names))
    if not terms:
        raise refuse(option, "the pattern is empty", "write 'all', or the name of a target or group")
    return terms


def _read_file(path: Path, names: Names) -> Iterator[tuple[str, str, str]]:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise refuse(str(path), f"the file is larger than {LARGEST_FILE} bytes", "name a group instead")
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        raise refuse(str(path), f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    for number, line in enumerate(lines, 1):
        line = line.partition("#")[0].strip()
        for sign, term in split_terms(line, names):
            if term.startswith("@"):
                raise Refused(Mistake(str(path), number, 1, f"'{term}' names a further file", "write its lines here"))
            yield sign, term, f"{path}:{number}"


def split_terms(pattern: str, names: Iterable[str] = ()) -> list[tuple[str, str]]:
    """Given a pattern, return its (sign, term) pairs; known names, IPv6 addresses and brackets hold their colons."""
    whole = [name for name in names if ":" in name or "," in name]
    terms = []
    for part in _cut(pattern, ",", whole):
        terms += [part] if _holds_colons(part, whole) else _cut(part, ":", whole)
    signed = ((term[0], term[1:].strip()) if term[:1] in ("!", "&") else ("", term) for term in terms)
    return [(sign, term) for sign, term in signed if term]


def _holds_colons(term: str, whole: Sequence[str]) -> bool:
    bare = term.lstrip("!&").strip()
    if any(name in bare for name in whole):
        return bare in whole
    try:
        IPv6Address(bare)
    except ValueError:
        return False
    return True


def _cut(text: str, separator: str, whole: Sequence[str]) -> list[str]:
    """Cut at a separator, but not inside brackets, after a backslash, or inside one of the names in `whole`."""
    pieces, start, depth, index = [], 0, 0, 0
    while index < len(text):
        if index == start or text[index - 1] in "!&":
            index += _known_length(text, index, whole)
        character = text[index : index + 1]
        if character == "\\":
            index += 1
        elif character and character in _OPEN:
            depth += 1
        elif character and character in _CLOSE:
            depth = max(0, depth - 1)
        elif character == separator and not depth:
            pieces.append(text[start:index])
            start = index + 1
        index += 1
    return [piece.strip() for piece in [*pieces, text[start:]] if piece.strip()]


def _known_length(text: str, index: int, whole: Sequence[str]) -> int:
    fits = (len(n) for n in whole if text.startswith(n, index) and text[index + len(n) : index + len(n) + 1] in ":,")
    return max(fits, default=0)


def _find(term: str, names: Names, groups: Groups, place: str, known: Sequence[str]) -> Sequence[str]:
    exact = _named(term, names, groups)
    if exact is not None:
        return exact or _nothing(term, [], place, "the group is empty")
    part = None if term.startswith("~") else _PART.match(term)
    if part and (_named(part["base"], names, groups) is not None or is_wild(part["base"])):
        members = set(_find(part["base"], names, groups, place, known))
        ordered = [name for name in names if name in members]
        return _slice(ordered, part) or _nothing(term, [], place, f"'{part['base']}' has {len(ordered)} targets")
    if not is_wild(term):
        return _nothing(term, known, place, "there is no such target or group")
    found = match_names(term, names, option=place)
    for group in match_names(term, groups, option=place):
        found += groups[group]
    return found or _nothing(term, [], place, "no name matches")


def _named(term: str, names: Names, groups: Groups) -> Sequence[str] | None:
    members = groups.get(term)
    if members is None:
        return [term] if term in names else None
    return [*members, term] if term in names else members


def _slice(members: Sequence[str], part: re.Match[str]) -> Sequence[str]:
    first = int(part["first"])
    if not part["range"]:
        return members[first : first + 1] if first != -1 else members[-1:]
    last = int(part["last"]) if part["last"] else -1
    return members[first : last + 1] if last != -1 else members[first:]


def _nothing(term: str, known: Sequence[str], place: str, reason: str) -> Sequence[str]:
    file, _, line = place.rpartition(":")
    cure = did_you_mean(term, known) or "`sop inventory list` shows what there is"
    message = f"'{term}' selects nothing: {reason}"
    raise Refused(Mistake(file, int(line), 1, message, cure) if line.isdigit() else Mistake(place, 0, 0, message, cure))


def _match_regex(pattern: str, names: Iterable[str], option: str) -> list[str]:
    if len(pattern) > LONGEST_REGEX:
        raise refuse(option, f"a regular expression is longer than {LONGEST_REGEX} characters", "name a group instead")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a set that a later Python may read in another way
            match = re.compile(pattern).match
    except (re.error, OverflowError, RecursionError) as error:
        raise refuse(option, f"'~{pattern}' is not a regular expression: {error}", "check brackets and stars") from None
    if sum(pattern.count(sign) for sign in "*+?{") <= 1:
        return [name for name in names if match(name)]
    return _match_bounded(pattern, names, option)


def _match_bounded(pattern: str, names: Iterable[str], option: str) -> list[str]:
    """Match in a process of its own: repeats within repeats can take for ever, and `re` cannot be interrupted."""
    argv = [sys.executable, "-I", "-S", "-c", _MATCHER]
    question = json.dumps([pattern, [*names]])
    try:
        answer = subprocess.run(  # noqa: S603  # a fixed program
            argv, input=question, capture_output=True, text=True, timeout=REGEX_SECONDS, check=True
        )
    except subprocess.TimeoutExpired:
        message = f"'~{pattern}' takes longer than {REGEX_SECONDS:g} seconds"
        raise refuse(option, message, "write it without repeats inside repeats") from None
    except subprocess.CalledProcessError as error:
        raise refuse(option, f"'~{pattern}' cannot be matched: {error.stderr[-200:]}", "write it simpler") from None
    return [str(name) for name in json.loads(answer.stdout)]
