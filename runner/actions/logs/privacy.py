"""What may leave an access log: masked addresses with a token, and text without what identifies people or opens doors.

A path keeps its words, except those after a word that announces a person or a secret. Of a query only words of a fixed
list are kept, since visitors type names, numbers and passwords into it. Undang-Undang 27/2022: an address in a log can
identify a person, together with the time and the page.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from runner.actions.logs.forms import ROUNDS, decode_once
from runner.actions.logs.vocabulary import KNOWN, PROGRAMS

LONGEST_PATH = 120
LONGEST_QUERY = 160
LONGEST_READ = 2000
TOKEN_DIGITS = 10
OTHER = "lainnya"
OCTETS = frozenset(map(str, range(256)))

_STILL_ENCODED = re.compile(r"%(?:u[0-9A-Fa-f]{4}|[0-9A-Fa-f]{2})")
_LOGIN = re.compile(r"://[^/]*@")
_AUTHORITY = re.compile(r"^[a-zA-Z][a-zA-Z0-9+.-]{0,20}://[^/]*")
_ADDRESS = re.compile(
    r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])|(?<![\w:])(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}(?![\w:])"
)
_E_MAIL = re.compile(r"[^\s/@=?&;,<>()\"]{0,64}@[^\s/@=?&;,<>()\"]{1,100}")
_NUMBER = re.compile(r"\d(?:[ .,_+()\u2010-\u2015-]{0,3}\d){8,}")
_LONG_WORD = re.compile(r"[A-Za-z0-9_-]{16,}")
_SIGNED = re.compile(r"eyJ[\w.-]{8,}")
_UNIQUE = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_UNPRINTABLE = re.compile(r"[^\x20-\x7e\u00a1-\u00ac\u00ae-\u024f…]+")
_PERSON_OR_SECRET = re.compile(  # of text in lower case: in either case a search takes five times as long
    r"(?<![a-z0-9])(penggugat|tergugat|pemohon|termohon|terdakwa|terlapor|pelapor|saksi|korban|ahli[-_ ]?waris"
    r"|para[-_ ]?pihak|nama|name|alm|almarhum|almarhumah|sdr|sdri|users?|author|akun|account|nik|nip|kk|ktp|npwp"
    r"|e?-?mail|telp|telepon|telephone|phone|hp|wa|whatsapp|tokens?|otp|pin|reset|key|kunci|session|sesi|sid|sso"
    r"|pass|passwd|password|pwd|sandi|secret|rahasia|auth|jwt|api[-_]?key)(?:[-_ /=:.+~]+|(?=\d))"
)
_CHILD_OF = re.compile(r"(?i)[^/]*[\w.]+[-_ +.](?:bin|binti|vs|versus|melawan|lawan)[-_ +.]\w[^/]*")
_CHILD_WORD = re.compile(r"(?i)[-_ +.](?:bin|binti|vs|versus|melawan|lawan)[-_ +.]")
_HOME = re.compile(r"/~[^/]*")
_VALUE = re.compile(r"=[^/]*")
_HOST = re.compile(r"(?i)https?://(?:[^/?#]*@)?([a-z0-9.-]{1,100})(?::\d{1,5})?(?:[/?#]|\Z)")
_PIECE = re.compile(r"[a-z]+|\d+|.", re.DOTALL)
_NAMES = {name.casefold(): name for name in PROGRAMS}
_PROGRAM = re.compile(
    rf"(?i)(?<![a-z])(?:{'|'.join(map(re.escape, sorted(PROGRAMS, key=len, reverse=True)))})(?![a-z])"
)
_DOTS = re.compile(r"…(?:[\s…]*…)+")


@lru_cache(maxsize=65536)
def mask_address(text: str) -> str:
    """Given an IP address, return its /24 or /48; of anything else "?"."""
    *front, last = text.split(".")
    if len(front) == 3 and OCTETS.issuperset(front) and last in OCTETS:  # as nearly all of them: a tenth of the time
        return ".".join(front) + ".0/24"
    address = parse_address(text)
    if address is None:
        return "?"
    return str(ip_network((address, 24 if isinstance(address, IPv4Address) else 48), strict=False))


def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """Given text, return the address in it (an IPv4 one where it is mapped into IPv6); None of anything else."""
    try:
        address = ip_address(text.partition("%")[0].strip())
    except ValueError:
        return None
    mapped = None if isinstance(address, IPv4Address) else address.ipv4_mapped
    return mapped or address


@lru_cache(maxsize=65536)
def token_of(key: bytes, address: str) -> str:
    """Given a site's key and an address, return its token: the same for the same address, and nobody without the key
    can tell of which one."""
    known = parse_address(address)
    text = str(known) if known else address
    return hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:TOKEN_DIGITS]


@lru_cache(maxsize=16384)
def public_path(path: str) -> str:
    """Given a request's path, return it as it may stand in a report: no query, no person, nothing unprintable."""
    return _shorten(_public(_decode(path)), LONGEST_PATH)


@lru_cache(maxsize=16384)
def public_target(target: str) -> str:
    """Given a request's target, return it as it may stand beside a finding: the path as `public_path` gives it, of the
    query the words of the fixed list; each number is 0, everything else "…"."""
    path, asked, query = _decode(target).partition("?")
    shown = _shorten(_public(path), LONGEST_PATH)
    return shown + (asked and "?" + _shorten(_skeleton(query), LONGEST_QUERY))


@lru_cache(maxsize=16384)
def public_host(referer: str) -> str:
    """Given a referer, return the host that it names, without login and path; "" where it names none."""
    found = _HOST.match(referer[:LONGEST_READ])
    return redact(found[1].lower().strip(".")) if found else ""


@lru_cache(maxsize=16384)
def public_agent(agent: str) -> str:
    """Given an agent, return the name of the known program that it says it is; "lainnya" of any other."""
    found = _PROGRAM.search(agent[:LONGEST_READ])
    return _NAMES[found[0].casefold()] if found else OTHER


def redact(text: str) -> str:
    """Given text from outside, return it without addresses, e-mail addresses, long numbers, tokens and logins."""
    if text.count(".") >= 3 or text.count(":") >= 2:
        text = _ADDRESS.sub(lambda found: mask_address(found[0]) if parse_address(found[0]) else found[0], text)
    if "@" in text:
        text = _E_MAIL.sub("…", _LOGIN.sub("://…@", text))
    text = _NUMBER.sub("…", _UNIQUE.sub("…", _SIGNED.sub("…", text)))
    return _LONG_WORD.sub(lambda found: "…" if _is_token(found[0]) else found[0], text)


def _decode(text: str) -> str:
    """Text with all its layers of URL encoding gone; what has more of them than an honest one, without the rest."""
    text = text[:LONGEST_READ]
    if text.isascii() and "%" not in text and "\\x" not in text:
        return text
    now, before = text.encode("utf-8", "replace"), b""
    for _ in range(ROUNDS):
        before, now = now, decode_once(now)
        if now == before:
            break
    plain = now.decode("utf-8", "replace")
    still = _STILL_ENCODED.search(plain) if now != before else None
    return plain[: still.start()] + "…" if still else plain


def _public(decoded: str) -> str:
    plain = _AUTHORITY.sub("…", decoded)
    plain = re.split(r"[?;#&]", plain, maxsplit=1)[0]
    plain = _VALUE.sub("=…", _HOME.sub("/~…", plain))
    if _CHILD_WORD.search(plain):  # found in a tenth of the time
        plain = _CHILD_OF.sub("…", plain)
    plain = redact(_without_person(plain))
    return plain if plain.isascii() and plain.isprintable() else _UNPRINTABLE.sub("·", plain)


def _without_person(text: str) -> str:
    """Text up to the first word that announces a person or a secret."""
    lower = text.lower()
    found = _PERSON_OR_SECRET.search(lower)
    return (text if len(text) == len(lower) else lower)[: found.end(1)] + "…" if found else text


def _skeleton(query: str) -> str:
    pieces = (_known(found[0]) for found in _PIECE.finditer(query.lower()))
    return _DOTS.sub("…", "".join(pieces))


def _known(piece: str) -> str:
    if piece[0].isdigit():
        return "0"
    if piece.isascii() and piece.isalpha():
        return piece if piece in KNOWN else "…"
    return piece if " " <= piece <= "~" else "…"


def _is_token(word: str) -> bool:
    """Whether a long word is none that people write: letters and digits mixed, in one piece or in all their kinds."""
    for part in word.replace("_", "-").split("-"):
        if len(part) >= 32 or (len(part) >= 16 and not part.isalpha() and not part.isdigit()):
            return True
    return word.lower() != word != word.upper() and any(map(str.isdigit, word))


def _shorten(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
