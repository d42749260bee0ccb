"""The minutes of a drill, in Indonesian: what was restored where, what that proved, and what it could not prove."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runner.actions.backup.sets import BackupSet
from runner.contract import Call
from runner.messages import render_moment, render_number

RESULTS = {"proved": "terbukti", "failed": "GAGAL", "not_checked": "tidak dapat diuji"}
_WHAT = {"files": "Berkas", "site": "Website"}


def render_drill(call: Call, found: BackupSet, outputs: Mapping[str, Any]) -> bytes:
    """Given what a drill found, return its minutes."""
    verdict = "TERBUKTI DAPAT DIPULIHKAN" if outputs["proved"] else "BELUM TERBUKTI DAPAT DIPULIHKAN"
    target = str((call.target or {}).get("name", ""))
    lines = [
        "CATATAN UJI PULIH",
        f"{call.office.get('name', '')}, {target}".strip(", "),
        render_moment(call.office_time, "id"),
        "",
        f"Perangkat backup : {found.name}",
        f"SHA-256 manifes  : {found.manifest_sha256}",
        f"Hasil            : {verdict}",
        f"Lama pemulihan   : {render_span(outputs['rto_seconds'])}",
        f"Umur data        : {render_span(outputs['rpo_seconds'])} (perubahan sesudahnya tidak ada dalam backup ini)",
        "",
        "Perangkat dipulihkan ke folder dan basis data sementara dengan nama tersendiri, tanpa menyentuh website yang",
        "sedang berjalan; surat elektronik, tugas terjadwal, dan sambungan keluar dimatikan. Lalu dibandingkan:",
        "",
    ]
    for check in outputs["checks"]:
        what = _WHAT.get(check["what"], f"Basis data {check['what']}")
        lines.append(f"- {what}: {RESULTS[check['result']]}. {check['detail']}")
    return ("\n".join(lines) + "\n").encode()


def render_span(seconds: float) -> str:
    """Given seconds, return them in Indonesian in the largest unit that they fill twice, rounded down: "7 jam"."""
    for size, unit in ((86400, "hari"), (3600, "jam"), (60, "menit")):
        if seconds >= 2 * size:
            return f"{render_number(seconds // size, 'id')} {unit}"
    return f"{render_number(round(seconds), 'id')} detik"
