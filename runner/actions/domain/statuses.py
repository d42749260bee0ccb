"""EPP statuses: one spelling for all registries, and where in its life a domain stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

# How many days after its last one a .id domain can still be restored. Registrars differ by a few.
INDONESIAN_RESTORE = 70

KNOWN = (
    *("ok", "inactive", "addPeriod", "autoRenewPeriod", "renewPeriod", "redemptionPeriod", "transferPeriod"),
    *("pendingCreate", "pendingDelete", "pendingRenew", "pendingRestore", "pendingTransfer", "pendingUpdate"),
    *("clientDeleteProhibited", "clientRenewProhibited", "clientTransferProhibited", "clientUpdateProhibited"),
    *("serverDeleteProhibited", "serverRenewProhibited", "serverTransferProhibited", "serverUpdateProhibited"),
    *("clientHold", "serverHold"),
)
_BY_LETTERS = {name.lower(): name for name in KNOWN} | {"active": "ok", "associated": "ok", "notdelegated": "inactive"}
_ADDRESS = re.compile(r"\s*[(<]?\s*https?://\S*|\s+-.*|^-+$", re.IGNORECASE)

REDEMPTION = frozenset({"redemptionPeriod", "pendingRestore"})
HOLD = frozenset({"clientHold", "serverHold", "inactive"})

# What registries write that speak no EPP, and what it comes to.
_OTHER_WORDS = (
    (re.compile(r"redemption|quarantine", re.IGNORECASE), "redemptionPeriod"),
    (re.compile(r"to be deleted|pending[ -]?(?:removal|deletion)|being deleted", re.IGNORECASE), "pendingDelete"),
    (
        re.compile(r"^(?:expired?\b|renewal required|in grace)|\b/ ?expired|\bexpired$", re.IGNORECASE),
        "autoRenewPeriod",
    ),
    (re.compile(r"^(?!not?\b).*(?:suspend|deactivat|on hold)", re.IGNORECASE), "serverHold"),
)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a domain stands: its stage, what renewing costs now, and the consequence in words for people."""

    stage: str
    price: str
    consequence: str


STAGES = {
    "active": Standing("active", "normal", "Domain aktif; perpanjangan dengan harga normal."),
    "undated": Standing("undated", "", "Domain terdaftar, tetapi tanggal berakhirnya tidak ditunjukkan registri."),
    "on_hold": Standing(
        "on_hold", "", "Domain ditangguhkan dan tidak dapat diakses; tanyakan sebabnya kepada registrar atau registri."
    ),
    "expired": Standing(
        "expired",
        "normal",
        "Masa berlaku telah lewat; selagi masa tenggang masih dapat diperpanjang dengan harga normal, tetapi situs"
        " dapat dimatikan sewaktu-waktu.",
    ),
    "redemption": Standing(
        "redemption",
        "redemption",
        "Domain dalam masa pemulihan (redemption): situs mati, pemulihan hanya melalui registrar dan jauh lebih mahal"
        " daripada harga normal.",
    ),
    "pending_delete": Standing(
        "pending_delete",
        "lost",
        "Domain sedang dihapus dan tidak dapat lagi dipulihkan; siapa pun dapat mendaftarkannya.",
    ),
    "not_registered": Standing(
        "not_registered", "lost", "Domain tidak terdaftar; siapa pun yang berhak dapat mendaftarkannya."
    ),
    "unknown": Standing("unknown", "", "Keadaan domain tidak dapat dipastikan."),
}


def parse_status(text: str) -> str:
    """Given a status as WHOIS or RDAP writes it, return it in EPP's spelling; other words as written."""
    bare = " ".join(_ADDRESS.sub("", text).split()).strip(" .,;")[:80]
    letters = re.sub(r"[^a-z]", "", bare.lower())
    return _BY_LETTERS.get(letters, bare)


def judge(domain: str, statuses: tuple[str, ...], expires: date | None, today: date) -> Standing:
    """Given a registered domain's statuses and last day, return where it stands today."""
    found = frozenset(statuses) | {meant for text in statuses if text not in KNOWN for meant in _translate(text)}
    if found & REDEMPTION:
        return STAGES["redemption"]
    if "pendingDelete" in found:
        return STAGES["redemption" if _restorable(domain, expires, today) else "pending_delete"]
    if (expires and expires < today) or "autoRenewPeriod" in found:
        return STAGES["expired"]
    if found & HOLD:
        return STAGES["on_hold"]
    return STAGES["active" if expires else "undated"]


def _translate(text: str) -> Iterator[str]:
    """A status in words of the registry's own may mean one of EPP's."""
    yield from (meant for words, meant in _OTHER_WORDS if words.search(text))


def _restorable(domain: str, expires: date | None, today: date) -> bool:
    """PANDI shows pendingDelete from the beginning of the restore time on, without redemptionPeriod."""
    return domain.endswith(".id") and expires is not None and (today - expires).days <= INDONESIAN_RESTORE
