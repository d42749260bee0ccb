"""Which name to ask a registry about: the one that is registered, of whatever people write."""

from __future__ import annotations

import re

LONGEST = 253

# Second levels under which .id registers; and those that do the same in nearly all other countries.
_INDONESIAN = frozenset(["ac", "biz", "co", "desa", "go", "kop", "mil", "my", "net", "or", "ponpes", "sch", "web"])
_ELSEWHERE = {
    *("ac", "co", "com", "edu", "gob", "gouv", "gov", "go", "id", "ind", "info", "ltd", "mil", "ne", "net", "nom"),
    *("or", "org", "plc", "sch"),
}
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\Z")
_DRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_END = re.compile(r"[/?#\\]")
_TWO_FORMS = re.compile("[ßẞς\u200c\u200d]")  # Python's IDNA makes ss of ß: another domain than today's rules


def parse_domain(text: str) -> str:
    """Given a domain, a host or a web address, return the registered domain in ASCII, lower case, without a last dot.

    "www.pn-tais.go.id." gives "pn-tais.go.id". Raise ValueError when there is none in it.
    """
    place = _END.split(_DRESS.sub("", text.strip(), count=1), maxsplit=1)[0]
    host = place.rpartition("@")[2].partition(":")[0].rstrip(".")
    if _TWO_FORMS.search(host):
        raise ValueError(f"{text[:80]!r} has a letter that registries write in two ways. take its form with xn--")
    labels = _ascii(host, text).split(".")
    if not all(_LABEL.match(label) for label in labels) or labels[-1].isdigit():
        raise ValueError(f"{text[:80]!r} is not a domain")
    size = _suffix_size(labels) + 1
    if len(labels) < size:
        raise ValueError(f"{text[:80]!r} is not a registered domain, only what others are registered under")
    return ".".join(labels[-size:])


def _ascii(host: str, text: str) -> str:
    try:
        plain = host.lower() if host.isascii() else host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise ValueError(f"{text[:80]!r} is not a domain") from None
    if not 3 < len(plain) <= LONGEST:
        raise ValueError(f"{text[:80]!r} is not a domain")
    return plain


def _suffix_size(labels: list[str]) -> int:
    """How many labels at the end belong to the registry: go.id two, id one, co.uk two, com one."""
    if len(labels) < 2:
        return 1
    last, second = labels[-1], labels[-2]
    if last == "id":
        return 2 if second in _INDONESIAN else 1
    return 2 if len(last) == 2 and second in _ELSEWHERE and len(labels) > 2 else 1
