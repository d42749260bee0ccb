"""Lines of an access log: common, combined and vhost form. Their text is written by visitors, so nothing is trusted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from ipaddress import ip_address

LONGEST_LINE = 64 * 1024

_QUOTED = r'"([^"\\]*(?:\\.[^"\\]*)*)"'
_LINE = re.compile(
    r"(\S+) (\S+) ([^\[]{0,500})\[([^\]]{20,30})\] "
    + _QUOTED
    + r" (\d{3}) (\d+|-)(?: "
    + _QUOTED
    + " "
    + _QUOTED
    + ")?"
)
_TIME = re.compile(r"(\d{2})/([A-Z][a-z]{2})/(\d{4}):(\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})\Z")
_REQUEST = re.compile(r"([A-Za-z_-]{1,30}) (\S.*?)(?: HTTP/(\d(?:\.\d)?))?\Z", re.DOTALL)
_MONTHS = {name: n for n, name in enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)}  # noqa: SIM905  # a list of twelve words reads worse


@dataclass(frozen=True, slots=True)
class Line:
    """One request. `method` is "" and `target` the raw text where the request is not HTTP; `size` is in bytes."""

    address: str
    time: datetime
    method: str
    target: str
    status: int
    size: int
    referer: str
    agent: str

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]


class LineCutter:
    """Cuts a stream of bytes into lines, empty ones left out; of a longer line than 64 KiB the beginning is kept."""

    def __init__(self, sink: Callable[[bytes], None]) -> None:
        self._sink = sink
        self._rest = b""
        self._skipping = False

    def feed(self, piece: bytes) -> None:
        """Take the next bytes and hand on the lines that end in them."""
        first, *others = piece.split(b"\n")
        if not self._skipping:
            self._rest += first
        if others:
            self.end()
            for line in filter(None, others[:-1]):
                self._sink(line[:LONGEST_LINE])
            self._rest = others[-1]
        if len(self._rest) > LONGEST_LINE:
            self._rest, self._skipping = self._rest[:LONGEST_LINE], True

    def end(self) -> None:
        """Hand on what is left as the last line."""
        if self._rest:
            self._sink(self._rest[:LONGEST_LINE])
        self._rest, self._skipping = b"", False


def parse_line(raw: bytes) -> Line | None:
    """Given a line's bytes, return what it says; None when it is not of a known form."""
    text = raw.decode("utf-8", "backslashreplace")
    match = _LINE.match(text)
    if match is None:
        return None
    first, second, between, moment, request, status, size, referer, agent = match.groups()
    time = parse_time(moment)
    if time is None:
        return None
    vhost = is_address(second) and between.strip() != ""
    method, target = parse_request(request)
    return Line(
        address=second if vhost else first,
        time=time,
        method=method,
        target=target,
        status=int(status),
        size=0 if size == "-" else int(size[:18]),
        referer=referer or "",
        agent=agent or "",
    )


def parse_request(request: str) -> tuple[str, str]:
    """Given the text between the quotes, return method and target, tolerant of spaces in the target."""
    match = _REQUEST.match(request)
    return (match[1].upper(), match[2]) if match else ("", request)


@lru_cache(maxsize=4096)
def parse_time(text: str) -> datetime | None:
    """Given "22/Nov/2026:09:00:00 +0700", return the moment in UTC; None when it is not one."""
    match = _TIME.match(text)
    if match is None or match[2] not in _MONTHS:
        return None
    day, month, year, hour, minute, second, sign, hours, minutes = match.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if sign == "-" else 1)
    try:
        numbers = (int(year), _MONTHS[month], int(day), int(hour), int(minute), int(second))
        return datetime(*numbers, tzinfo=timezone(offset)).astimezone(UTC)
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


def iterate_lines(data: bytes) -> Iterator[Line | None]:
    """Given a whole log, yield its lines as parsed."""
    found: list[bytes] = []
    cutter = LineCutter(found.append)
    cutter.feed(data)
    cutter.end()
    return (parse_line(raw) for raw in found)
