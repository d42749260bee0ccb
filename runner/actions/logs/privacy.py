"""What may leave an access log: masked addresses, paths without queries and without what identifies people."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv4Address, ip_address, ip_network

from runner.actions.logs.decode import decode_once

LONGEST_PATH = 120

_E_MAIL = re.compile(r"[\w.+-]{1,64}(?:@|%40)[\w.-]{1,100}")
_NUMBER = re.compile(r"\d{9,}")
_UNPRINTABLE = re.compile(r"[^\x20-\x7e\u00a1-\u00ac\u00ae-\u024f]+")
_PARTY = re.compile(
    r"(?i)((?:penggugat|tergugat|pemohon|termohon|terdakwa|para[-_ ]?pihak|nama|alm)[-_ /=])[^/]{1,100}"
)


@lru_cache(maxsize=65536)
def mask_address(text: str) -> str:
    """Given an IP address, return its /24 or /48; of anything else "?"."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return "?"
    if not isinstance(address, IPv4Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return str(ip_network((address, 24 if isinstance(address, IPv4Address) else 48), strict=False))


@lru_cache(maxsize=16384)
def public_path(path: str) -> str:
    """Given a request's path, return it as it may stand in a report: no query, no person, nothing unprintable."""
    plain = decode_once(path.partition("?")[0].partition(";")[0][:2000])
    plain = _PARTY.sub(r"\1…", _NUMBER.sub("…", _E_MAIL.sub("…", plain)))
    plain = _UNPRINTABLE.sub("·", plain)
    return plain if len(plain) <= LONGEST_PATH else plain[: LONGEST_PATH - 1] + "…"
