"""The inputs and outputs of tls.certificate, declared as data."""

from __future__ import annotations

from collections.abc import Mapping

from runner.actions.web.inputs import RESOLVING, SHARED
from runner.contract import JsonSchema

CAUSES = (
    *("", "expired", "not_yet_valid", "self_signed", "unknown_issuer", "incomplete", "wrong_name", "revoked", "weak"),
    *("protocol", "other", "unseen", "no_tls"),
)
_DATE = {"type": ["string", "null"], "pattern": r"^\d{4}-\d{2}-\d{2}$", "unit": "date"}
_TEXT = {"type": "string"}
_ROWS = {"type": "array", "items": {"type": "object"}}

INPUTS: Mapping[str, JsonSchema] = {
    **{name: SHARED[name] for name in ("url", "within", "ca_file")},
    **RESOLVING,
    "notice_share": {
        "type": "number",
        "exclusiveMinimum": 0,
        "maximum": 1,
        "description": "The last share of a certificate's lifetime, in which its end counts as a problem",
        "examples": [0.33],
        "default": 0.33,
    },
    "notice": {
        "type": "integer",
        "minimum": 1,
        "maximum": 400,
        "description": "At most so many days before its end, however long it lives",
        "unit": "days",
        "examples": [30],
        "default": 30,
    },
    "hard": {
        "type": "array",
        "items": {"type": "integer", "minimum": 0, "maximum": 90},
        "minItems": 1,
        "maxItems": 5,
        "description": "From so many days before its end on it is grave: the first major, the further ones critical",
        "unit": "days",
        "examples": [[7, 3, 1]],
        "default": [7, 3, 1],
    },
}

OUTPUTS: Mapping[str, JsonSchema] = {
    "trusted": {
        "type": ["boolean", "null"],
        "description": "Whether a browser trusts it for this name; null when none was seen",
        "examples": [True],
    },
    "cause": {"enum": [*CAUSES], "description": "Why it is not trusted, as a word", "examples": ["expired"]},
    "reason": {**_TEXT, "description": "The same in words", "examples": ["sertifikat sudah kedaluwarsa"]},
    "expires": {**_DATE, "description": "The day on which the first of the chain ends", "examples": ["2027-02-01"]},
    "expires_at": {
        "type": ["string", "null"],
        "description": "The moment of it",
        "unit": "moment",
        "examples": ["2027-02-01T07:00:00+00:00"],
    },
    "days_left": {
        "type": ["integer", "null"],
        "description": "Whole days until then; negative afterwards",
        "unit": "days",
        "examples": [71],
    },
    "lifetime_days": {
        "type": ["number", "null"],
        "description": "How long the one that ends first holds altogether",
        "unit": "days",
        "examples": [90],
    },
    "expiring": {**_TEXT, "description": "Whose certificate ends first", "examples": ["pn-tais.go.id"]},
    "subject": {**_TEXT, "description": "Whose the site's certificate is", "examples": ["pn-tais.go.id"]},
    "names": {
        "type": "array",
        "items": _TEXT,
        "description": "The names it is for, the first fifty of them",
        "examples": [["pn-tais.go.id", "www.pn-tais.go.id"]],
    },
    "names_count": {"type": "integer", "description": "How many names it is for", "examples": [2]},
    "issuer": {**_TEXT, "description": "Who issued it", "examples": ["Let's Encrypt: R11"]},
    "serial": {**_TEXT, "description": "Its serial number in hex", "examples": ["4f9c1a"]},
    "fingerprint": {
        **_TEXT,
        "description": "Its SHA-256 in hex; of an earlier check when none was seen",
        "examples": ["9f86d0…"],
    },
    "key_type": {**_TEXT, "description": "The kind of its key", "examples": ["EC"]},
    "key_bits": {"type": "integer", "description": "The size of its key", "unit": "bits", "examples": [256]},
    "signature": {**_TEXT, "description": "The hash that its issuer signed", "examples": ["sha256"]},
    "protocol": {**_TEXT, "description": "The protocol that was spoken", "examples": ["TLSv1.3"]},
    "cipher": {**_TEXT, "description": "The cipher that was used", "examples": ["TLS_AES_256_GCM_SHA384"]},
    "chain": {
        **_ROWS,
        "description": "The chain from the site's certificate up, as trusted, else as sent",
        "examples": [[{"subject": "pn-tais.go.id", "issuer": "Let's Encrypt: R11", "expires": "2027-02-01"}]],
    },
    "address": {**_TEXT, "description": "The address judged: the worst of all", "examples": ["203.0.113.10"]},
    "addresses": {"type": "integer", "description": "How many addresses showed a certificate", "examples": [2]},
    "disorder": {**_TEXT, "description": "What is out of order in the chain as sent, in words", "examples": [""]},
    "changes": {
        **_ROWS,
        "description": "What is not as the last time",
        "examples": [[{"field": "issuer", "before": "Let's Encrypt: R10", "after": "Let's Encrypt: R11"}]],
    },
}
