"""The problems that a domain's outputs tell of, in words for people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from runner.contract import Problem, Severity
from runner.messages import render_date

WEEK, MONTH = 7, 30

_FIELDS = {
    "registered": "terdaftar atau tidaknya",
    "expires": "tanggal berakhir",
    "created": "tanggal pendaftaran",
    "statuses": "status",
    "name_servers": "server nama",
    "dnssec": "DNSSEC",
    "addresses": "alamat IP",
    "mail_servers": "server surat elektronik",
}
_LOST_STAGES = {
    "not_registered": "domain.not_registered",
    "pending_delete": "domain.lost",
    "redemption": "domain.redemption",
    "on_hold": "domain.on_hold",
    "expired": "domain.expired",
}


def find_problems(outputs: Mapping[str, Any], today: date, *, notice: int, recent_hours: float) -> tuple[Problem, ...]:
    """Given outputs, today, from how many days before its end a domain is a problem, and how old may stand in,
    return the problems they tell of."""
    name = outputs["domain"]
    found = [
        *_find_unknown(outputs, today, notice, recent_hours),
        *_find_stage(outputs, name),
        *_find_end(outputs["expires"], outputs["stage"], today, notice, name, ""),
        *_find_disagreement(outputs, name),
        *_find_changes(outputs, name),
    ]
    return tuple(found)


def _find_unknown(outputs: Mapping[str, Any], today: date, notice: int, recent_hours: float) -> list[Problem]:
    if outputs["stage"] == "undated":
        message = f"Tanggal berakhir domain {outputs['domain']} tidak ditunjukkan registri; periksa pada registrar."
        return [Problem("domain.unknown", Severity.MINOR, message)]
    if outputs["stage"] != "unknown":
        return []
    name, age, known = outputs["domain"], outputs["age_hours"], outputs["last_known"] or {}
    message = f"Keadaan domain {name} tidak dapat dipastikan: {outputs['reason']}."
    recent = age is not None and age <= recent_hours
    if age is not None:
        message += f" Data terakhir berumur {_render_age(age)}: {_render_known(known)}."
    unknown = Problem("domain.unknown", Severity.MINOR if recent else Severity.MAJOR, message)
    told = f" (menurut data {_render_age(age)} lalu)" if age is not None else ""
    return [unknown, *(_find_end(known.get("expires"), "active", today, notice, name, told) if recent else [])]


def _render_age(hours: float) -> str:
    return f"{hours:.0f} jam" if hours < 48 else f"{hours / 24:.0f} hari"


def _render_known(known: Mapping[str, Any]) -> str:
    if known.get("registered") is False:
        return "tidak terdaftar"
    day = _parse_day(known.get("expires"))
    return f"terdaftar, berakhir {render_date(day, 'id')}" if day else "terdaftar"


def _find_stage(outputs: Mapping[str, Any], name: str) -> list[Problem]:
    key = _LOST_STAGES.get(outputs["stage"])
    if key is None:
        return []
    day = _parse_day(outputs["expires"])
    when = f" (tanggal berakhir {render_date(day, 'id')})" if day else ""
    return [Problem(key, Severity.CRITICAL, f"Domain {name}{when}: {outputs['consequence']}")]


def _find_end(expires: object, stage: str, today: date, notice: int, name: str, told: str) -> list[Problem]:
    day = _parse_day(expires)
    if day is None or stage not in ("active", "on_hold") or (day - today).days > notice:
        return []
    left = (day - today).days
    severity = Severity.CRITICAL if left <= WEEK else Severity.MAJOR if left <= MONTH else Severity.MINOR
    words = f"{left} hari lagi" if left > 0 else "hari ini" if left == 0 else f"{-left} hari lalu"
    message = f"Domain {name} berakhir pada {render_date(day, 'id')}, {words}{told}; perpanjangan perlu diurus."
    return [Problem("domain.expiring", severity, message)]


def _find_disagreement(outputs: Mapping[str, Any], name: str) -> list[Problem]:
    if not outputs["disagreement"]:
        return []
    grave = any(entry["field"] in ("registered", "expires") for entry in outputs["disagreement"])
    parts = "; ".join(
        f"{_FIELDS[entry['field']]}: RDAP {_render(entry['rdap'])}, WHOIS {_render(entry['whois'])}"
        for entry in outputs["disagreement"]
    )
    message = f"RDAP dan WHOIS berbeda tentang domain {name}: {parts}."
    return [Problem("domain.disagreement", Severity.MAJOR if grave else Severity.MINOR, message)]


def _find_changes(outputs: Mapping[str, Any], name: str) -> list[Problem]:
    if not outputs["changed"]:
        return []
    grave = any(entry["field"] != "addresses" for entry in outputs["changed"])
    parts = "; ".join(
        f"{_FIELDS[entry['field']]} dari {_render(entry['before'])} menjadi {_render(entry['after'])}"
        for entry in outputs["changed"]
    )
    message = f"Domain {name} berubah sejak pemeriksaan sebelumnya: {parts}. Pastikan perubahan itu disengaja."
    return [Problem("domain.changed", Severity.MAJOR if grave else Severity.MINOR, message)]


def _render(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "tidak ada"
    return {True: "ya", False: "tidak"}[value] if isinstance(value, bool) else str(value)


def _parse_day(value: object) -> date | None:
    try:
        return datetime.fromisoformat(value).date() if isinstance(value, str) else None
    except ValueError:
        return None
