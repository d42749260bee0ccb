"""Understanding RDAP (RFC 9083): a registry's JSON to a finding. Every member may be missing or of a wrong type."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from runner.actions.domain.days import parse_day
from runner.actions.domain.findings import Cause, Finding, unknown
from runner.actions.domain.statuses import parse_status
from runner.actions.domain.wordings import decode, is_throttled, plain_lines, seems_throttled
from runner.actions.web.text import clean_text

LARGEST = 1024 * 1024
LONGEST_NAME, LONGEST_PAGE = 200, 4000
MOST_NAMES = 30
DEEPEST_ENTITY = 3
TOO_MANY = frozenset({429, 420})
NOT_FOUND = 404
MEDIA_TYPE = "application/rdap+json"

_NO_SERVER = re.compile(
    r"boo[t]?strap|no (?:rdap )?(?:server|service)|not supported|unsupported|unknown tld", re.IGNORECASE
)


def understand_rdap(
    body: bytes | str, domain: str = "", *, status: int = 200, media_type: str = "", wait: float | None = None
) -> Finding:
    """Given an answer's body, HTTP status and media type, and the domain asked for, return what it surely says.

    Only RDAP's own "not found" means not registered: 404 with RDAP's JSON, or with nothing but RDAP's media type. A
    web server's 404 page tells nothing. `wait` is what the header Retry-After says, in seconds.
    """
    if len(body) > LARGEST:
        return unknown(Cause.SIZE, f"jawaban RDAP lebih besar daripada {LARGEST} byte")
    document = _parse(body)
    code = _error_code(document) or status
    if {status, code} & TOO_MANY or (status == 503 and wait is not None) or _says_too_many(document, body, code):
        return unknown(Cause.THROTTLED, f"server RDAP membatasi permintaan (status {code})", wait)
    if code == NOT_FOUND and _is_rdap(document, body, media_type):
        if document and _NO_SERVER.search(" ".join(_error_texts(document))):
            return unknown(Cause.NO_SOURCE, "server RDAP tidak melayani akhiran domain ini")
        return Finding(False)
    if status != 200 or code != 200:
        return unknown(Cause.REFUSED, f"server RDAP menjawab dengan status {code}", wait)
    if document is None:
        return unknown(Cause.UNREADABLE, "jawaban RDAP bukan objek JSON")
    if not _is_domain(document):
        return unknown(Cause.UNREADABLE, "jawaban RDAP bukan tentang sebuah domain")
    if domain and not _is_about(document, domain):
        return unknown(Cause.UNREADABLE, f"jawaban RDAP bukan tentang {domain}")
    return _collect(document)


def _says_too_many(document: dict[str, Any] | None, body: bytes | str, code: int) -> bool:
    """An error under another number may say in words that too much was asked; what is no JSON counts if it is short."""
    if code == 200 and document is not None:
        return not _is_domain(document) and is_throttled(_error_texts(document))
    lines = _error_texts(document) if document else plain_lines(decode(body[:LONGEST_PAGE]))
    return is_throttled(lines) or (code != 200 and seems_throttled(lines))


def _error_texts(document: dict[str, Any]) -> list[str]:
    return [text for name in ("title", "description", "message", "error") for text in _texts(document.get(name))]


def _parse(body: bytes | str) -> dict[str, Any] | None:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _is_rdap(document: dict[str, Any] | None, body: bytes | str, media_type: str) -> bool:
    if document is None:
        return not body.strip() and media_type.partition(";")[0].strip().lower() == MEDIA_TYPE
    return not _is_domain(document) and bool({"errorCode", "rdapConformance", "notices"} & set(document))


def _error_code(document: dict[str, Any] | None) -> int | None:
    code = (document or {}).get("errorCode")
    if isinstance(code, str) and code.isdigit() and len(code) < 6:
        return int(code)
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def _is_domain(document: dict[str, Any]) -> bool:
    kind = document.get("objectClassName")
    named = isinstance(document.get("ldhName"), str) or isinstance(document.get("unicodeName"), str)
    return kind == "domain" if isinstance(kind, str) else named and isinstance(document.get("events"), list)


def _is_about(document: dict[str, Any], domain: str) -> bool:
    names = [name for name in (document.get("ldhName"), document.get("unicodeName")) if isinstance(name, str)]
    return any(_plain(name) == domain for name in names) if names else bool(_objects(document.get("events")))


def _plain(name: str) -> str:
    bare = name.strip().rstrip(".").lower()
    try:
        return bare if bare.isascii() else bare.encode("idna").decode("ascii")
    except UnicodeError:
        return bare


def _collect(document: dict[str, Any]) -> Finding:
    return Finding(
        registered=True,
        expires=_event(document, "expiration") or _event(document, "registrar expiration"),
        created=_event(document, "registration"),
        registrar=_find_registrar(document),
        statuses=tuple(dict.fromkeys(parse_status(text) for text in _texts(document.get("status"))))[:MOST_NAMES],
        name_servers=_find_servers(document),
        dnssec=_find_dnssec(document.get("secureDNS")),
    )


def _event(document: dict[str, Any], action: str) -> date | None:
    for event in _objects(document.get("events")):
        name, moment = event.get("eventAction"), event.get("eventDate")
        if isinstance(name, str) and name.strip().lower() == action and isinstance(moment, str):
            day = parse_day(moment)
            if day:
                return day
    return None


def _find_registrar(document: dict[str, Any]) -> str:
    registrars = [
        e for e in _entities(document, DEEPEST_ENTITY) if "registrar" in map(str.lower, _texts(e.get("roles")))
    ]
    names = [_card_name(entity.get("vcardArray")) for entity in registrars]
    names += [_first_text(entity.get("handle")) for entity in registrars]
    return clean_text(next(filter(None, names), ""), LONGEST_NAME)


def _entities(document: dict[str, Any], depth: int) -> Iterator[dict[str, Any]]:
    for entity in _objects(document.get("entities")):
        yield entity
        if depth > 1:
            yield from _entities(entity, depth - 1)


def _card_name(card: object) -> str:
    """The name in a jCard: ["vcard", [["fn", {}, "text", "PT Contoh"], …]], or else its organization."""
    rows = card[1] if isinstance(card, list) and len(card) > 1 and isinstance(card[1], list) else []
    named = [row for row in rows if isinstance(row, list) and len(row) > 3 and row[0] in ("fn", "org")]
    found = {row[0]: _first_text(row[3]) for row in named}
    return next((found[name] for name in ("fn", "org") if found.get(name, "") not in ("", "individual")), "")


def _first_text(value: object) -> str:
    if isinstance(value, list):
        return next((item for item in value if isinstance(item, str) and item), "")
    return value if isinstance(value, str) else ""


def _find_servers(document: dict[str, Any]) -> tuple[str, ...]:
    names = (
        server.get("ldhName") or server.get("unicodeName")
        for server in _objects(document.get("nameservers") or document.get("nameServers"))
    )
    plain = (_plain(name) for name in names if isinstance(name, str))
    return tuple(dict.fromkeys(clean_text(name, LONGEST_NAME) for name in plain if name))[:MOST_NAMES]


def _find_dnssec(secure: object) -> bool | None:
    if not isinstance(secure, dict):
        return None
    if isinstance(secure.get("delegationSigned"), bool):
        return bool(secure["delegationSigned"])
    return True if secure.get("dsData") or secure.get("keyData") else None


def _objects(value: object) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        return [value]
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
