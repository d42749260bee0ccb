"""Evidence with personal data: kept apart, with the reason, who keeps it and until when; then `evidence.purge`.

An action names such files in its output `restricted`. They lie in the record's evidence like all others, for the eyes
of those who may read the record (0400), and leave it on the day after `until`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from runner.contract import Call, Evidence
from runner.errors import Failed

DAYS = 90  # a quarter: attacks are often noticed weeks later, and no report looks back further
_FORM = re.compile(r"([1-9]\d{0,3}) hari")

RESTRICTED: Mapping[str, Any] = {
    "type": "array",
    "items": {"type": "object", "required": ["name", "sha256", "size", "until", "reason", "keeper"]},
    "description": "Kept files that hold personal data: why, who keeps them, and the last day before they are deleted",
    "examples": [
        [
            {
                "name": "hits.restricted.jsonl",
                "sha256": "9f" * 32,
                "size": 4096,
                "until": "2027-02-20",
                "reason": "keamanan sistem",
                "keeper": "admin",
            }
        ]
    ],
}


def restrict(call: Call, kept: Evidence, reason: str) -> dict[str, Any]:
    """Given a kept file with personal data and why it is kept, return what the output `restricted` says of it.

    Raise Failed where the office's setting cannot be read.
    """
    setting = call.office.get("personal_data") or {}
    until = _last_day(call, str(setting.get("keep") or f"{DAYS} hari"))
    return {
        "name": kept.name,
        "sha256": kept.sha256,
        "size": kept.size,
        "until": until,
        "reason": reason,
        "keeper": str(setting.get("keeper") or "admin"),
    }


def _last_day(call: Call, keep: str) -> str:
    days = _FORM.fullmatch(keep)
    if not days:
        raise Failed(f"office.personal_data.keep: '{keep}' is no number of days. write it as '{DAYS} hari'")
    return (call.office_time.date() + timedelta(days=int(days[1]))).isoformat()
