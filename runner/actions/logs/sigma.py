"""Reads rules in Sigma: SigmaHQ's as they are, and ours, which differ only in a few keys of their own.

Sigma leaves open what its fields mean for an access log. Here `cs-uri-query` is the whole target with its path (most
public rules look for paths in it), keywords look at the whole line, nothing depends on upper case, and a filter on the
status does not hide an attempt: it only says that it was refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from runner.actions.logs import condition as tree
from runner.actions.logs.patterns import check_pattern
from runner.contract import Severity

FIELDS = {
    "cs-uri-query": "target",
    "cs-uri": "target",
    "c-uri": "target",
    "c-uri-query": "target",
    "cs-uri-stem": "path",
    "c-uri-stem": "path",
    "cs-method": "method",
    "sc-status": "status",
    "cs-user-agent": "agent",
    "c-useragent": "agent",
    "cs-referer": "referer",
    "cs-username": "user",
    "cs-host": "host",
    "cs-content-type": "content-type",
}
GROUPS = {"c-ip": "address", "c-subnet": "subnet"}  # what only correlations ask for
LINE = "line"
KNOWN = frozenset(("target", "path", "method", "status", "agent", "referer", LINE))
KINDS = ("event_count", "value_count", "temporal", "temporal_ordered")
SEVERITIES = {
    "informational": Severity.MINOR,
    "low": Severity.MINOR,
    "medium": Severity.MAJOR,
    "high": Severity.MAJOR,
    "critical": Severity.CRITICAL,
}


class Rule(NamedTuple):
    """One rule. `proof` names the field ("target", "path") in which it must hold so that an answer with a success
    status means that it likely worked ("" where no answer proves it); `words` are its title in Indonesian, `match` and
    `clean` lines that it must and must not meet. A rule that `counts` says nothing alone: a correlation counts it.
    `lookup` names what else must be looked up ("engines": the address is not of the ranges of the engine claimed)."""

    id: str
    name: str
    title: str
    words: str
    level: str
    condition: tree.Condition
    proof: str = ""
    tags: tuple[str, ...] = ()
    author: str = ""
    match: tuple[Any, ...] = ()
    clean: tuple[Any, ...] = ()
    counts: bool = False
    lookup: str = ""

    @property
    def severity(self) -> Severity:
        """How bad it is, in the product's words."""
        return SEVERITIES[self.level]

    @property
    def blind(self) -> bool:
        """Whether it needs what no access log has: a host, a user, a content type."""
        return tree.is_blind(self.condition, KNOWN)


class Correlation(NamedTuple):
    """Lines that are suspicious in numbers or in order: of `rules`, by the same `group`, within so many seconds.

    `kind` is Sigma's type; for value_count different values of `field` count. An entry that also meets the rule
    `success` likely worked, once there are enough. What the correlation `unless` told does not count.
    """

    id: str
    name: str
    title: str
    words: str
    level: str
    kind: str
    rules: tuple[str, ...]
    group: tuple[str, ...]
    seconds: int
    least: int
    field: str = ""
    success: str = ""
    unless: str = ""
    tags: tuple[str, ...] = ()
    author: str = ""
    match: tuple[Any, ...] = ()
    clean: tuple[Any, ...] = ()

    @property
    def severity(self) -> Severity:
        """How bad it is, in the product's words."""
        return SEVERITIES[self.level]


def parse_rule(data: Any, name: str) -> Rule | Correlation:
    """Given a rule as read from its file, and the name of one that brings none, return it. Raise ValueError with what
    is wrong, and what to write."""
    from sigma.correlations import SigmaCorrelationRule
    from sigma.exceptions import SigmaError
    from sigma.rule import SigmaRule

    if not isinstance(data, dict):
        raise ValueError("it is no mapping. see docs/logs.md")
    _check_patterns(data.get("detection"))
    try:
        if "correlation" in data:
            return _correlation(SigmaCorrelationRule.from_dict(data), name)
        return _rule(SigmaRule.from_dict(data), name)
    except (SigmaError, AttributeError, TypeError, KeyError, IndexError) as error:  # pySigma trusts a rule's types
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise ValueError(f"it is no Sigma rule: {reason}. see docs/logs.md") from None


def _check_patterns(node: Any) -> None:
    """Raise ValueError for a pattern of a rule that cannot be: pySigma would tell it on stderr, too."""
    if isinstance(node, list):
        for each in node:
            _check_patterns(each)
    elif isinstance(node, dict):
        for key, value in node.items():
            if "|re" in key:
                for pattern in value if isinstance(value, list) else [value]:
                    check_pattern(str(pattern).encode())
            else:
                _check_patterns(value)


def _own(found: Any) -> Mapping[str, Any]:
    own = (found.custom_attributes or {}).get("sop") or {}
    if not isinstance(own, Mapping):
        raise ValueError("sop: is no mapping. see docs/logs.md")
    return own


def _common(found: Any, name: str) -> dict[str, Any]:
    own = _own(found)
    level = str(found.level).lower() if found.level else "medium"
    return {
        "id": str(found.id or ""),
        "name": str(found.name or own.get("name") or name),
        "title": str(found.title),
        "words": str(own.get("title", found.title)),
        "level": level if level in SEVERITIES else "medium",
        "tags": tuple(str(tag) for tag in found.tags),
        "author": str(found.author or ""),
        "match": _lines(own, "match"),
        "clean": _lines(own, "clean"),
    }


def _lines(own: Mapping[str, Any], name: str) -> tuple[Any, ...]:
    """Examples: each is a line, or several."""
    return tuple(each if isinstance(each, str) else tuple(map(str, each)) for each in own.get(name) or ())


def _rule(found: Any, name: str) -> Rule:
    category = found.logsource.category if found.logsource else None
    if category != "webserver":
        raise ValueError(f"it is for '{category}', not for access logs. write logsource: {{category: webserver}}")
    parsed = [one.parsed for one in found.detection.parsed_condition]
    asked = tree.simplify(tree.Any(tuple(_condition(one) for one in parsed)))
    if asked is None:
        raise ValueError("it asks for nothing but a status. add what must stand in the line")
    own = _own(found)
    return Rule(
        **_common(found, name),
        condition=asked,
        proof=str(own.get("proof", "")),
        counts=bool(own.get("counts")),
        lookup=str(own.get("lookup", "")),
    )


def _correlation(found: Any, name: str) -> Correlation:
    kind, condition = str(found.type), found.condition
    if kind not in KINDS:
        raise ValueError(f"a correlation of type '{kind}' is not known. write one of {', '.join(KINDS)}")
    op = getattr(getattr(condition, "op", None), "name", "GTE")
    if op not in ("GTE", "GT"):
        raise ValueError("a correlation counts upwards. write condition: {gte: number}")
    field = FIELDS.get(str(getattr(condition, "fieldref", None) or ""), "")
    if kind == "value_count" and not field:
        raise ValueError("a value_count counts values of a field. write condition: {gte: number, field: cs-uri-stem}")
    return Correlation(
        **_common(found, name),
        kind=kind,
        rules=tuple(str(each.reference) for each in found.rules),
        group=tuple(GROUPS.get(each) or _field(each) for each in found.group_by or ()),
        seconds=int(found.timespan.seconds),
        least=int(getattr(condition, "count", 0) or 0) + (op == "GT"),
        field=field,
        success=str(_own(found).get("success", "")),
        unless=str(_own(found).get("unless", "")),
    )


def _condition(node: Any, *, denied: bool = False) -> tree.Condition:
    """Given pySigma's tree, return ours; NOTHING for what a filter says of the status."""
    from sigma import conditions, types

    parts = [each for each in getattr(node, "args", ()) if not isinstance(each, str)]
    if isinstance(node, conditions.ConditionNOT):
        return tree.Not(_condition(parts[0], denied=not denied))
    if isinstance(node, conditions.ConditionAND):
        return tree.All(tuple(_condition(part, denied=denied) for part in parts))
    if isinstance(node, conditions.ConditionOR):
        return tree.Any(tuple(_condition(part, denied=denied) for part in parts))
    field = _field(getattr(node, "field", None))
    if field == "status" and denied:
        return tree.NOTHING
    if isinstance(node.value, types.SigmaNull):
        return tree.Absent(field)
    return _match(field, node.value)


def _field(name: str | None) -> str:
    if name is None:
        return LINE
    if name not in FIELDS:
        raise ValueError(f"an access log has no field '{name}'. write one of: {', '.join(FIELDS)}")
    return FIELDS[name]


def _match(field: str, value: Any) -> tree.Match:
    from sigma import types

    if isinstance(value, types.SigmaRegularExpression):
        return tree.Match(field, pattern=str(value.regexp).encode())
    if isinstance(value, types.SigmaString):
        return _wildcards(field, value)
    if isinstance(value, types.SigmaNumber):
        literal = str(value.number).encode()
        return tree.Match(field, (literal,), b"" if field == LINE else rb"\A%s\z" % literal)
    raise ValueError(f"'{value}' is a kind of value that an access log cannot be asked for. write text or |re")


def _wildcards(field: str, value: Any) -> tree.Match:
    """A text with * and ?; in a field it is the whole text, in the line it stands anywhere."""
    from sigma.types import SpecialChars

    pieces: list[bytes | None] = []
    pattern = b""
    for piece in value.s:
        if isinstance(piece, str):
            text = piece.lower().encode()
            pieces.append(text)
            pattern += re.escape(text)
        else:
            pieces.append(None)
            pattern += b".*" if piece == SpecialChars.WILDCARD_MULTI else b"."
    ends = b"" if field == LINE else rb"\A", b"" if field == LINE else rb"\z"
    pattern = _unbound(ends[0] + pattern + ends[1])
    texts = [piece for piece in pieces if piece is not None]
    literals = (max(texts, key=len),) if texts else ()
    return tree.Match(field, literals, b"" if literals and pattern == re.escape(literals[0]) else pattern)


def _unbound(pattern: bytes) -> bytes:
    r"""Take `\A.*` and `.*\z` away: a search needs neither."""
    if pattern.startswith(rb"\A.*"):
        pattern = pattern[4:]
    if pattern.endswith(rb".*\z"):
        pattern = pattern[:-4]
    return b"" if pattern in (rb"\z", rb"\A") else pattern
