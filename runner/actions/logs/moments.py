"""When a line of a log was written, whatever its form: the first moment that stands in it."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_MOMENT = re.compile(
    rb"(?P<usual>\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})"
    rb"|(?P<iso>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)"
)
_LONGEST = 4096


def moment_of(line: bytes) -> datetime | None:
    """Given a line, return the first moment in it, in UTC; None where there is none. One without zone is UTC."""
    match = _MOMENT.search(line[:_LONGEST])
    if match is None:
        return None
    text = match[0].decode("ascii")
    try:
        found = datetime.strptime(text, "%d/%b/%Y:%H:%M:%S %z") if match["usual"] else datetime.fromisoformat(text)
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


def first_moment(text: bytes) -> datetime | None:
    """Given lines, return the moment of the first that has one, of the first few."""
    return next((at for line in text[: 16 * _LONGEST].splitlines()[:20] if (at := moment_of(line))), None)


def last_moment(text: bytes) -> datetime | None:
    """Given lines, return the moment of the last that has one, of the last few."""
    return next((at for line in reversed(text[-16 * _LONGEST :].splitlines()[-20:]) if (at := moment_of(line))), None)
