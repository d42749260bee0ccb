"""How a server writes its access log: the usual forms, and its own format line. Visitors write the text in between."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from ipaddress import ip_address
from typing import Any, NamedTuple

LEAST_UNDERSTOOD = 0.5
SAMPLE = 200
LONGEST_SIZE = 18  # digits
NAMES = ("combined", "common", "vhost", "json")

_QUOTED = rb'"([^"\\]*(?:\\.[^"\\]*)*)"'
_USUAL = re.compile(
    rb'"?(\S+) (\S+) ([^\[]{0,500})\[([^\]]{20,30})\] '
    + _QUOTED
    + rb" (\d{3}) (\d+|-)(?: "
    + _QUOTED
    + b" "
    + _QUOTED
    + b")?"
)
_WORDS = {
    "address": ("remote_addr", "client_ip", "clientip", "remote_ip", "ClientHost", "ip", "client"),
    "moment": ("time_local", "time_iso8601", "time", "timestamp", "@timestamp", "ts", "StartUTC", "datetime"),
    "method": ("request_method", "method", "RequestMethod", "verb"),
    "target": ("request_uri", "uri", "url", "RequestPath", "path"),
    "status": ("status", "response", "DownstreamStatus", "status_code"),
    "size": ("body_bytes_sent", "bytes_sent", "bytes", "size", "DownstreamContentSize", "response_size"),
    "referer": ("http_referer", "referer", "referrer", "request_Referer", "Referer"),
    "agent": ("http_user_agent", "user_agent", "agent", "request_User-Agent", "User-Agent"),
}
# What a format line of Apache (LiteSpeed, cPanel) or nginx calls what we read; anything else is passed over.
_VARIABLES = {
    "address": ("%h", "%a", "%{c}a", "$remote_addr", "$realip_remote_addr"),
    "moment": ("%t", "$time_local", "$time_iso8601"),
    "request": ("%r", "$request"),
    "method": ("%m", "$request_method"),
    "target": ("%U%q", "%U", "$request_uri", "$uri"),
    "status": ("%>s", "%s", "$status"),
    "size": ("%b", "%B", "%O", "$body_bytes_sent", "$bytes_sent"),
    "referer": ("%{Referer}i", "%{referer}i", "$http_referer"),
    "agent": ("%{User-Agent}i", "%{User-agent}i", "%{user-agent}i", "$http_user_agent"),
}
_NAMED = {variable: name for name, variables in _VARIABLES.items() for variable in variables}
_WORD_END = re.compile(rb",?\s")
_VARIABLE = re.compile(r"%U%q|%[<>!,\d]*(?:\{[^}]*\})?\^?[A-Za-z]{1,3}|\$\{?\w+\}?")


class Entry(NamedTuple):
    """One line's texts. `moment` is "22/Nov/2026:09:00:00 +0700" whatever the log wrote, `size` digits, 0 for none."""

    address: bytes
    moment: bytes
    request: bytes
    status: bytes
    size: bytes
    referer: bytes
    agent: bytes


class Layout(NamedTuple):
    """A log's form. `quotes` stand in each line where blocks are cut at them, 0 where lines are read one at a time;
    the address is the word number `at`. `pattern` reads a line of a server's own format ("" for the usual ones)."""

    name: str
    quotes: int = 0
    at: int = 0
    pattern: bytes = b""


COMBINED = Layout("combined", 6)
COMMON = Layout("common")
VHOST = Layout("vhost", 6, 1)
JSON = Layout("json")


def parse_layout(text: str) -> Layout:
    """Given a form's name or a server's format line, return it. Raise ValueError with what is wrong."""
    named = {layout.name: layout for layout in (COMBINED, COMMON, VHOST, JSON)}
    if text in named:
        return named[text]
    if "%" not in text and "$" not in text:
        raise ValueError(
            f"'{text[:60]}' is no form of a log. write one of {', '.join(NAMES)}, or the server's format line"
        )
    plain = text.replace('\\"', '"')
    groups: list[str] = []
    pattern, last = "", 0
    for match in _VARIABLE.finditer(plain):
        pattern += re.escape(plain[last : match.start()]) + _piece(plain, match, groups)
        last = match.end()
    missing = {"address", "moment", "status"} - set(groups)
    if missing or not {"request", "target"} & set(groups):
        raise ValueError(
            f"'{text[:60]}' names no {', '.join(sorted(missing)) or 'request'}. add it to the server's format"
        )
    return Layout(text, pattern=(pattern + re.escape(plain[last:].rstrip())).encode())


def _piece(text: str, match: re.Match[str], groups: list[str]) -> str:
    """The pattern of one variable of a format line."""
    name = _NAMED.get(match[0].replace("${", "$").rstrip("}") if match[0][0] == "$" else match[0], "")
    if match[0] == "%t":
        body = r"\[(?P<moment>[^\]]{20,30})\]"
        groups.append(name)
        return body if "moment" not in groups[:-1] else r"\[[^\]]{20,30}\]"
    quoted = text[match.start() - 1 : match.start()] == '"'
    body = r'[^"\\]*(?:\\.[^"\\]*)*' if quoted else r"[^\]]{20,30}" if name == "moment" else r"\S*"
    if match[0] in ("%u", "$remote_user"):
        body = r"[^\[\"]{0,200}?"
    if name and name not in groups:
        groups.append(name)
        return f"(?P<{name}>{body})"
    return body


def guess_layout(lines: Sequence[bytes]) -> Layout | None:
    """Given some lines of a log, return the form that most of them have; None where none is known."""
    lines = [line for line in lines if line.strip()][:SAMPLE]
    found = [layout for line in lines if (layout := _layout_of(line))]
    if not found or len(found) < len(lines) * LEAST_UNDERSTOOD:
        return None
    return max(dict.fromkeys(found), key=found.count)


def _layout_of(line: bytes) -> Layout | None:
    if line.startswith(b"{"):
        return JSON if _read_json(line) else None
    match = _USUAL.match(line)
    if match is None:
        return None
    vhost = _is_vhost(match)
    quotes = line.count(b'"')
    name = "common" if match[8] is None else "vhost" if vhost else "combined"
    quick = name != "common" and not line.startswith(b'"') and quotes % 2 == 0
    return Layout(name, quotes if quick else 0, int(vhost))


def read_line(line: bytes, layout: Layout) -> Entry | None:
    """Given a line without its end, return its texts; None when it has another form."""
    if layout.pattern:
        match = _compiled(layout.pattern).match(line)
        return _from_groups(match.groupdict()) if match else None
    if line.startswith(b"{"):
        return _read_json(line)
    match = _USUAL.match(line)
    if match is None:
        return None
    first, second, _, moment, request, status, size, referer, agent = match.groups()
    address = second if _is_vhost(match) else first
    return _entry(
        address, moment, request, status, size, b"-" if referer is None else referer, b"-" if agent is None else agent
    )


def _is_vhost(match: re.Match[bytes]) -> bool:
    return match[3].strip() != b"" and is_address(match[2].decode("ascii", "replace"))


@lru_cache(maxsize=64)
def _compiled(pattern: bytes) -> re.Pattern[bytes]:
    return re.compile(pattern, re.DOTALL)


def _from_groups(found: Mapping[str, bytes | None]) -> Entry | None:
    method, target = found.get("method") or b"GET", found.get("target") or b""
    request = found.get("request") or method + b" " + target
    texts = [found.get(name) or b"-" for name in ("status", "size", "referer", "agent")]
    return _entry(found.get("address") or b"-", found.get("moment") or b"", request, *texts)


def _entry(
    address: bytes, moment: bytes, request: bytes, status: bytes, size: bytes, referer: bytes, agent: bytes
) -> Entry | None:
    at = moment if parse_moment(moment) else _from_iso(moment.decode("ascii", "replace"))
    if at is None or not (len(status) == 3 and status.isdigit()):
        return None
    known = size.isdigit() and len(size) <= LONGEST_SIZE
    return Entry(_WORD_END.split(address, 1)[0], at, request, status, size if known else b"0", referer, agent)


def _read_json(line: bytes) -> Entry | None:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, dict):
        return None
    inner = values.get("request")
    if isinstance(inner, dict):  # Caddy
        headers = inner.get("headers")
        heads = (
            {key: each[0] for key, each in headers.items() if isinstance(each, list) and each}
            if isinstance(headers, dict)
            else {}
        )
        values = {**values, **inner, **heads}
    found = {name: _text(values, words) for name, words in _WORDS.items()}
    if isinstance(inner, str):
        found["request"] = _bytes(inner)
    if not found["address"] or not found["moment"] or not (found.get("request") or found["target"]):
        return None
    return _from_groups(found)


def _text(values: Mapping[str, Any], words: Iterable[str]) -> bytes | None:
    for word in words:
        value = values.get(word)
        if isinstance(value, float) and word in ("ts", "time", "timestamp") and 0 < value < 1e11:
            return datetime.fromtimestamp(value, UTC).isoformat().encode()
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            return _bytes(str(value))
    return None


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace").replace(b"\n", b" ")


_MINUTE = re.compile(rb"(\d{2})/([A-Z][a-z]{2})/(\d{4}):(\d{2}):(\d{2}): ([+-]\d{2})(\d{2})\Z")
_SECONDS = {b"%02d" % number: timedelta(seconds=number) for number in range(60)}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NUMBERS = {name.encode(): number for number, name in enumerate(_MONTHS, 1)}


def parse_moment(text: bytes) -> datetime | None:
    """Given "22/Nov/2026:09:00:00 +0700", return the moment in UTC; None when it is not one."""
    start, second = _parse_minute(text[:18] + text[20:]), text[18:20]
    return start + _SECONDS[second] if start and second in _SECONDS else None


@lru_cache(maxsize=8192)
def _parse_minute(text: bytes) -> datetime | None:
    """Given a moment without its seconds, return when its minute begins, in UTC."""
    match = _MINUTE.match(text)
    if match is None or match[2] not in _NUMBERS:
        return None
    day, month, year, hour, minute, hours, minutes = match.groups()
    try:
        text_ = b"%s-%02d-%sT%s:%s:00%s:%s" % (year, _NUMBERS[month], day, hour, minute, hours, minutes)
        return datetime.fromisoformat(text_.decode()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _from_iso(text: str) -> bytes | None:
    """A moment as ISO 8601 writes it, as Apache does; None when it is not one."""
    try:
        at = datetime.fromisoformat(text)
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return f"{at.day:02d}/{_MONTHS[at.month - 1]}/{at.year:04d}:{at:%H:%M:%S} {at:%z}"[:26].encode()
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=65536)
def is_address(text: str) -> bool:
    """Given text, return whether it is an IP address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
