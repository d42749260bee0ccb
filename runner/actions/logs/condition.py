"""What a rule asks of a line: a tree of texts that must or must not stand in its fields."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from runner.actions.logs.patterns import build_search

MANY = 8
Forms = tuple[bytes, ...]
Fields = Callable[[str], Forms]
Check = Callable[[Fields], bool]


class Match(NamedTuple):
    """One of the literals, in lower case, stands in a form of the field, and `pattern` is found in that form, too.

    No literals: nothing is sure but the pattern. No pattern: a literal is enough.
    """

    field: str
    literals: tuple[bytes, ...] = ()
    pattern: bytes = b""


class Absent(NamedTuple):
    """The field is empty."""

    field: str


class Not(NamedTuple):
    """The part does not hold."""

    part: Condition


class All(NamedTuple):
    """Every part holds."""

    parts: tuple[Condition, ...]


class Any(NamedTuple):
    """One part at least holds."""

    parts: tuple[Condition, ...]


Condition = Match | Absent | Not | All | Any
NOTHING = All(())  # what `simplify` takes out


def build_check(condition: Condition) -> Check:
    """Given a condition, return what says of a line's fields whether it holds."""
    match condition:
        case Match():
            return _build_match(condition)
        case Absent(field):
            return lambda fields: all(form in (b"", b"-") for form in fields(field))
        case Not(part):
            check = build_check(part)
            return lambda fields: not check(fields)
        case All(parts):
            return _build_each([build_check(part) for part in parts], all_of=True)
        case Any(parts):
            return _build_each([build_check(part) for part in parts], all_of=False)


def _build_each(checks: Sequence[Check], *, all_of: bool) -> Check:
    """All of them hold, or one at least does."""

    def check(fields: Fields) -> bool:
        for each in checks:
            if each(fields) != all_of:
                return not all_of
        return all_of

    return check


def _build_match(match: Match) -> Check:
    name, literals, pattern = match.field, match.literals, match.pattern
    if pattern and pattern == _any_between(rb"\A", literals, rb"\z"):  # these need no engine
        return lambda fields: any(form in literals for form in fields(name))
    if pattern and pattern == _any_between(b"", literals, rb"\z"):
        return lambda fields: any(form.endswith(literals) for form in fields(name))

    # Compiled when a line asks for it. Of many texts, an engine knows sooner than Python that none is there.
    many = len(literals) > MANY and all(map(bytes.isascii, literals))
    texts = b"|".join(map(re.escape, literals)) if many else b""

    def check(fields: Fields) -> bool:
        for form in fields(name):
            held = build_search(texts)(form) if texts else not literals or any(map(form.__contains__, literals))
            if held and (not pattern or build_search(pattern)(form)):
                return True
        return False

    return check


def _any_between(front: bytes, literals: Sequence[bytes], back: bytes) -> bytes:
    """The pattern of plain texts at the beginning or the end of a field, as `simplify` joins them; b"" for others."""
    if not all(map(bytes.isascii, literals)):  # which only an engine knows in either case
        return b""
    each = [front + re.escape(literal) + back for literal in literals]
    return each[0] if len(each) == 1 else b"|".join(b"(?:%s)" % one for one in each)


def fields_of(condition: Condition) -> frozenset[str]:
    """The fields that it asks for."""
    match condition:
        case Match(field, _, _) | Absent(field):
            return frozenset([field])
        case Not(part):
            return fields_of(part)
        case All(parts) | Any(parts):
            return frozenset().union(*map(fields_of, parts))


def is_blind(condition: Condition, known: frozenset[str]) -> bool:
    """Whether it can never hold, since it needs a field that is not known."""
    match condition:
        case Match(field, _, _):
            return field not in known
        case All(parts):
            return any(is_blind(part, known) for part in parts)
        case Any(parts):
            return all(is_blind(part, known) for part in parts)
    return False


def simplify(condition: Condition) -> Condition | None:
    """Given a condition with parts that were taken out (NOTHING), return what is left of it, texts that are looked
    for in the same field together; None for nothing."""
    match condition:
        case All(parts):
            return _gather(All, [left for part in parts if (left := simplify(part))])
        case Any(parts):
            return _gather(Any, _together([left for part in parts if (left := simplify(part))]))
        case Not(part):
            left = simplify(part)
            return None if left is None else Not(left)
    return condition


def _gather(kind: type[All | Any], parts: Sequence[Condition]) -> Condition | None:
    return parts[0] if len(parts) == 1 else kind(tuple(parts)) if parts else None


def _together(parts: Iterable[Condition]) -> list[Condition]:
    """Join what is looked for in the same field. A pattern with literals holds one of them wherever it is found, so
    that patterns can be joined, too."""
    plain: dict[str, list[bytes]] = {}
    patterns: dict[str, list[Match]] = {}
    rest: list[Condition] = []
    for part in parts:
        if isinstance(part, Match) and not part.pattern and part.literals:
            plain.setdefault(part.field, []).extend(part.literals)
        elif isinstance(part, Match) and part.literals:
            patterns.setdefault(part.field, []).append(part)
        else:
            rest.append(part)
    joined = [_joined(field, matches) for field, matches in patterns.items()]
    return [*(Match(field, tuple(dict.fromkeys(texts))) for field, texts in plain.items()), *joined, *rest]


def _joined(field: str, matches: Sequence[Match]) -> Match:
    if len(matches) == 1:
        return matches[0]
    literals = dict.fromkeys(literal for match in matches for literal in match.literals)
    return Match(field, tuple(literals), b"|".join(b"(?:%s)" % match.pattern for match in matches))
