"""Understanding WHOIS: the text of any registry to a finding."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from runner.actions.domain.days import parse_day
from runner.actions.domain.fields import Field, parse_fields
from runner.actions.domain.findings import Cause, Finding, unknown
from runner.actions.domain.keys import (
    CREATED,
    DELEGATION_KEY,
    DNSSEC,
    EXPIRY,
    LATE_EXPIRY,
    NAME,
    REGISTRAR,
    SERVERS,
    STATUS,
)
from runner.actions.domain.statuses import KNOWN, parse_status
from runner.actions.domain.wordings import (
    decode,
    is_absent,
    is_closed,
    is_throttled,
    is_throttled_alone,
    parse_wait,
    plain_lines,
    seems_throttled,
)
from runner.actions.web.text import clean_text

LARGEST = 1024 * 1024
LONGEST_NAME = 200
MOST_NAMES = 30

_SIGNED = re.compile(r"\s*(?:signed|yes|y|active|true|enabled|on|1)", re.IGNORECASE)
_UNSIGNED = re.compile(r"\s*(?:un-?signed|no\b|n\b|none|inactive|false|disabled|off|0\b|not)", re.IGNORECASE)
_HOST = re.compile(
    r"(?<![\w@.-])((?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9])\.?(?![\w@-])", re.I
)
_HIDDEN = re.compile(
    r"redacted|not disclosed|data protected|withheld|statutory masking|non-public|hidden upon|gdpr masked", re.I
)
_ACTIVE_UNTIL = re.compile(r"\((\d{4}/\d{2}/\d{2})\)")
_STATE = re.compile(r"regist|activ|connect|delega|\bok\b|hold|suspend|expire|delet|reserv|verif|publish", re.I)
_DRESS = re.compile(r"\s*(?:\[Tag = |\( ?https?://).*")
_MONTH_FIRST = re.compile(r"\s*\d{1,2}/(?:1[3-9]|2\d|3[01])/\d{4}")
_WEB_PAGE = re.compile(r"\s*(?:HTTP/\d|<!doctype|<html|<\?xml|<head|<body)", re.IGNORECASE)
_ITEM = ("", "name")  # what stands before an item of a list
_FREE = frozenset({"free", "available", "not registered", "no object found", "not found", "invalid", "220 available"})


def understand_whois(raw: bytes | str, domain: str = "") -> Finding:
    """Given a registry's whole answer, and the domain that was asked for, return what it surely says.

    An answer that is throttled, refused, about another domain or in a form that nothing is known of tells nothing.
    """
    if len(raw) > LARGEST:
        return unknown(Cause.SIZE, f"jawaban WHOIS lebih besar daripada {LARGEST} byte")
    text = decode(raw)
    lines = plain_lines(text.replace("\x00", ""))
    if not lines:
        return unknown(Cause.UNREADABLE, "jawaban WHOIS kosong")
    if _WEB_PAGE.match(text):
        return unknown(
            Cause.THROTTLED if seems_throttled(lines) else Cause.UNREADABLE, "halaman web, bukan jawaban WHOIS"
        )
    facts = _collect(_own_part(parse_fields(text), domain))
    return _weigh(facts, lines, domain, text)


def _weigh(facts: Finding, lines: list[str], domain: str, text: str) -> Finding:
    named = any(status in KNOWN for status in facts.statuses)
    evidence = bool(facts.created or facts.name_servers or facts.registrar or facts.expires or named)
    if is_throttled(lines) and (not facts.expires or is_throttled_alone(text)):
        return unknown(Cause.THROTTLED, "server WHOIS membatasi permintaan", parse_wait(lines))
    if is_absent(lines):
        if facts.expires or (evidence and facts.created):
            return unknown(Cause.CONTRADICTORY, "jawaban WHOIS bertentangan dengan dirinya sendiri")
        return Finding(False)
    if evidence and not _is_about(text, domain):
        return unknown(Cause.UNREADABLE, f"jawaban WHOIS bukan tentang {domain}")
    if evidence:
        return facts
    if seems_throttled(lines):
        return unknown(Cause.THROTTLED, "server WHOIS membatasi permintaan", parse_wait(lines))
    if is_closed(lines):
        return unknown(Cause.REFUSED, f"server WHOIS tidak memberi data: {clean_text(lines[0], 120)}")
    return unknown(Cause.UNREADABLE, "bentuk jawaban WHOIS tidak dikenal")


def _is_about(text: str, domain: str) -> bool:
    """Some registries write the name in Unicode only, so any name that could be it will do."""
    return not domain or domain in text.lower() or "xn--" in domain


def _own_part(fields: list[Field], domain: str) -> list[Field]:
    """Where an answer tells of several names, return the part about the one that was asked for."""
    starts = [place for place, field in enumerate(fields) if NAME.match(field.key) and "." in field.value]
    names = [fields[place].value.lower().split()[0].rstrip(".") for place in starts]
    if domain not in names:
        return fields
    place = names.index(domain)
    others = any(_names_another(field, domain) for field in fields[: starts[place]])
    end = next((starts[later] for later in range(place + 1, len(starts)) if names[later] != domain), len(fields))
    return fields[starts[place] if others else 0 : end]


def _names_another(field: Field, domain: str) -> bool:
    named = field.value.lower().rstrip(".") not in ("", domain)
    return field.key == "server name" or (named and bool(NAME.match(field.key)))


def _collect(fields: list[Field]) -> Finding:
    states = [field.value for field in fields if _is_state(field)]
    turned = any(_MONTH_FIRST.match(field.value) for field in fields)
    expires = _first_day(fields, EXPIRY, turned) or _first_day(fields, LATE_EXPIRY, turned) or _state_day(states)
    return Finding(
        registered=True,
        expires=expires,
        created=_first_day(fields, CREATED, turned),
        registrar=_find_registrar(fields),
        statuses=_clean_statuses(states),
        name_servers=_find_servers(fields),
        dnssec=_find_dnssec(fields),
    )


def _first_day(fields: Iterable[Field], form: re.Pattern[str], turned: bool) -> date | None:
    days = (parse_day(field.value, month_first=turned) for field in fields if form.match(field.key or field.section))
    return next((day for day in days if day), None)


def _state_day(states: list[str]) -> date | None:
    """JPRS writes the last day behind the state: Connected (2027/03/31)."""
    return next((parse_day(match[1]) for match in map(_ACTIVE_UNTIL.search, states) if match), None)


def _is_state(field: Field) -> bool:
    """A contact's state is a place; a domain's is one of a few words. Flags are listed beside keys."""
    if field.section == "flags":
        return not field.key and parse_status(field.value) in KNOWN
    return (
        bool(STATUS.match(field.key))
        and bool(field.value)
        and (field.key != "state" or bool(_STATE.search(field.value)))
    )


def _clean_statuses(states: list[str]) -> tuple[str, ...]:
    split = [part for state in states for part in (state.split(",") if "," in state else [state])]
    found = (parse_status(state) for state in split if state.strip().lower() not in _FREE)
    return tuple(dict.fromkeys(name for name in found if name))[:MOST_NAMES]


def _find_registrar(fields: list[Field]) -> str:
    for field in fields:
        own = REGISTRAR.match(field.key)
        inside = REGISTRAR.match(field.section) and field.key in ("", "name", "organization", "organisation", "org")
        if (own or inside) and field.value and not _HIDDEN.search(field.value):
            return clean_text(_DRESS.sub("", field.value), LONGEST_NAME)
    return ""


def _find_servers(fields: list[Field]) -> tuple[str, ...]:
    found: list[str] = []
    names = {field.value.lower() for field in fields if NAME.match(field.key)}
    for field in fields:
        if SERVERS.match(field.key) and not (field.key == "dns" and field.value.lower() in names):
            found += _HOST.findall(field.value)
        elif SERVERS.match(field.section) and (field.key in _ITEM or _HOST.match(field.key)):
            found += _HOST.findall(field.key if field.key not in _ITEM else field.value)[:1]
    return tuple(dict.fromkeys(name.lower() for name in found))[:MOST_NAMES]


def _find_dnssec(fields: list[Field]) -> bool | None:
    if any(DELEGATION_KEY.match(field.key) and field.value and not _UNSIGNED.match(field.value) for field in fields):
        return True
    for field in fields:
        if DNSSEC.match(field.key or field.section) and field.value:
            return False if _UNSIGNED.match(field.value) else True if _SIGNED.match(field.value) else None
    return None
