"""The outputs of domain.status, declared as data."""

from __future__ import annotations

from collections.abc import Mapping

from runner.contract import JsonSchema

_DAY = {"type": ["string", "null"], "pattern": r"^\d{4}-\d{2}-\d{2}$", "unit": "date"}
_MOMENT = {"type": ["string", "null"], "format": "date-time"}
_NAMES = {"type": "array", "items": {"type": "string"}}
_LEARNED = {"type": ["array", "null"], "items": {"type": "string"}}

STAGES = ("active", "undated", "on_hold", "expired", "redemption", "pending_delete", "not_registered", "unknown")
CAUSES = (*("throttled", "refused", "silent", "unreachable", "unreadable", "size", "no_source", "contradictory"),)

OUTPUTS: Mapping[str, JsonSchema] = {
    "domain": {"type": "string", "description": "The registered domain, in ASCII", "examples": ["pn-tais.go.id"]},
    "registered": {
        "type": ["boolean", "null"],
        "description": "Whether it is registered; null when that cannot be told, as when a registry throttles",
        "examples": [True],
    },
    "expires": {**_DAY, "description": "Its last day, as the registry writes it", "examples": ["2027-03-01"]},
    "created": {**_DAY, "description": "The day of its registration", "examples": ["2009-03-01"]},
    "registrar": {
        "type": "string",
        "description": "Who registered it, as text from outside",
        "examples": ["Kementerian Komunikasi dan Digital"],
    },
    "statuses": {
        **_NAMES,
        "description": "Its EPP statuses in EPP's spelling; words of other kinds as the registry writes them",
        "examples": [["clientTransferProhibited"]],
    },
    "name_servers": {
        **_NAMES,
        "description": "Its name servers",
        "examples": [["ns1.contoh.go.id", "ns2.contoh.go.id"]],
    },
    "dnssec": {
        "type": ["boolean", "null"],
        "description": "Whether the delegation is signed; null when the registry does not say",
        "examples": [False],
    },
    "addresses": {
        **_LEARNED,
        "description": "Its A and AAAA records; null when the DNS could not be asked",
        "examples": [["203.0.113.10"]],
    },
    "mail_servers": {
        **_LEARNED,
        "description": "Its MX records; null when the DNS could not be asked",
        "examples": [["mail.pn-tais.go.id"]],
    },
    "days_left": {
        "type": ["integer", "null"],
        "description": "Whole days to the last day; negative afterwards",
        "unit": "days",
        "examples": [99],
    },
    "stage": {"enum": list(STAGES), "description": "Where in its life the domain stands", "examples": ["active"]},
    "price": {
        "enum": ["", "normal", "redemption", "lost"],
        "description": "What keeping it costs now: the normal price, a restore's, or it is lost; empty when unknown",
        "examples": ["normal"],
    },
    "consequence": {
        "type": "string",
        "description": "What the stage means, in words",
        "examples": ["Domain aktif; perpanjangan dengan harga normal."],
    },
    "source": {
        "enum": ["", "rdap", "whois"],
        "description": "Who told it. What RDAP leaves out is taken from WHOIS. Empty when nobody did",
        "examples": ["rdap"],
    },
    "cause": {
        "enum": ["", *CAUSES],
        "description": "Why nothing is known; empty when something is",
        "examples": ["throttled"],
    },
    "reason": {
        "type": "string",
        "description": "The same in words",
        "examples": ["server WHOIS membatasi permintaan"],
    },
    "faults": {
        **_NAMES,
        "description": "Which sources told nothing, and why",
        "examples": [["whois whois.id: jawaban WHOIS tidak selesai dalam batas waktu"]],
    },
    "disagreement": {
        "type": "array",
        "items": {"type": "object", "required": ["field", "rdap", "whois"]},
        "description": "Where RDAP and WHOIS differ: the field, and what either says",
        "examples": [[{"field": "expires", "rdap": "2027-03-01", "whois": "2026-03-01"}]],
    },
    "changed": {
        "type": "array",
        "items": {"type": "object", "required": ["field", "before", "after"]},
        "description": "What differs from the last time it was known: name servers, DNSSEC, addresses, mail servers",
        "examples": [[{"field": "dnssec", "before": True, "after": False}]],
    },
    "age_hours": {
        "type": ["number", "null"],
        "minimum": 0,
        "description": "How old `last_known` is; 0 when it was learned now, null when nothing ever was",
        "unit": "hours",
        "examples": [0],
    },
    "last_known": {
        "type": ["object", "null"],
        "description": "What was last surely known, and when (`observed`)",
        "examples": [{"observed": "2026-11-22T02:00:00+00:00", "registered": True, "expires": "2027-03-01"}],
    },
    "retry_after": {
        **_MOMENT,
        "description": "When to ask again, if nothing is known; before it, a registry that throttled is left alone",
        "examples": ["2026-11-22T03:07:12+00:00"],
    },
}
