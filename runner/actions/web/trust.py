"""The judgement of a chain of certificates: trusted or why not, how long it holds, what is weak, what changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from runner.actions.web.chain import Shown
from runner.actions.web.faults import Cause
from runner.actions.web.x509 import ReadCertificate
from runner.contract import Problem, Severity
from runner.messages import render_number

UNTRUSTED, EXPIRED, EXPIRING = "certificate.untrusted", "certificate.expired", "certificate.expiring"
WEAK, CHAIN, CHANGED, UNKNOWN = (
    "certificate.weak",
    "certificate.chain",
    "certificate.issuer_changed",
    "certificate.unknown",
)
OLD_PROTOCOLS = frozenset({"SSLv2", "SSLv3", "TLSv1", "TLSv1.1"})

_CAUSES = {9: "not_yet_valid", 10: "expired", 18: "self_signed", 19: "unknown_issuer", 23: "revoked", 62: "wrong_name"}
_CAUSES |= {64: "wrong_name", 66: "weak", 67: "weak", 68: "weak"}
_WATCHED = ("fingerprint", "issuer", "key_type", "key_bits", "signature", "protocol")


class Notice(NamedTuple):
    """When the end of a certificate is told: in the last `share` of its lifetime, at most `days` before, and more
    gravely from each of `hard` days on."""

    share: float
    days: int
    hard: Sequence[int]


class Verdict(NamedTuple):
    """Whether a chain is trusted and, if not, the cause as a word and the reason in words."""

    trusted: bool
    cause: str = ""
    reason: str = ""


def judge_trust(shown: Shown, chain: Sequence[ReadCertificate]) -> Verdict:
    """Given what a server shows and its certificates as read, return whether it is trusted and why not."""
    if shown.fault is None:
        return Verdict(True)
    words, last = shown.fault.message, chain[-1]
    if shown.fault.cause is not Cause.TLS:
        return Verdict(False, "other", words)
    if shown.code in (20, 21):
        if last.names_its_issuer and not last.self_signed:
            return Verdict(
                False,
                "incomplete",
                f"rantai sertifikat tidak lengkap: server tidak mengirim sertifikat penerbit {last.issuer!r}",
            )
        return Verdict(False, "unknown_issuer", f"penerbit sertifikat tidak dikenal: {last.issuer!r}")
    if shown.code:
        return Verdict(False, _CAUSES.get(shown.code, "other"), words)
    if shown.protocol in OLD_PROTOCOLS:  # which libraries refuse in ways that do not tell
        words = f"server hanya menawarkan versi TLS yang usang ({shown.protocol})"
    return Verdict(False, "protocol", words)


def first_to_end(chain: Sequence[ReadCertificate]) -> ReadCertificate:
    """Given a chain, return the certificate that ends first."""
    return min(chain, key=lambda certificate: certificate.ends)


def notice_severity(certificate: ReadCertificate, now: datetime, notice: Notice) -> Severity | None:
    """Given the certificate that ends first, return how grave its nearing end is; None while there is time.

    A hard limit that is longer than half the lifetime does not hold: it would never be silent.
    """
    left = certificate.ends - now
    hard = [days for days in sorted(notice.hard) if timedelta(days=2 * days) <= certificate.lifetime]
    passed = [place for place, days in enumerate(hard) if left <= timedelta(days=days)]
    if passed:
        return Severity.MAJOR if passed[0] == len(notice.hard) - 1 else Severity.CRITICAL
    early = min(certificate.lifetime * notice.share, timedelta(days=notice.days))
    return Severity.MINOR if left <= early else None


def find_changes(before: Mapping[str, Any] | None, now: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Given the outputs of the last time and of now, return what differs: certificate, issuer, key, signature,
    protocol."""
    if not before or not before.get("fingerprint"):
        return []
    pairs = ((name, before.get(name), now[name]) for name in _WATCHED)
    return [{"field": name, "before": old, "after": new} for name, old, new in pairs if old != new]


def find_disorder(sent: Sequence[ReadCertificate]) -> str:
    """Given the certificates as sent, return what is out of order in them, in words; "" when nothing is."""
    for place, (certificate, issuer) in enumerate(pairwise(sent)):
        if not certificate.follows(issuer):
            return f"sertifikat ke-{place + 2} yang dikirim server bukan penerbit sertifikat sebelumnya"
    return ""


def find_problems(
    host: str, outputs: Mapping[str, Any], weaknesses: Sequence[str], severity: Severity | None
) -> Iterator[Problem]:
    """Given the outputs of a check, what is weak, and how near the end is, yield every problem."""
    days = outputs["days_left"]
    if outputs["cause"] == "expired" or days < 0:
        message = f"Sertifikat {host} sudah kedaluwarsa sejak {-days} hari lalu ({outputs['expiring']})."
        yield Problem(EXPIRED, Severity.CRITICAL, message)
    elif severity:
        left = render_number(days, "id")
        message = f"Sertifikat {host} berakhir {left} hari lagi, pada {outputs['expires']} ({outputs['expiring']})."
        yield Problem(EXPIRING, severity, message)
    if not outputs["trusted"] and outputs["cause"] != "expired":
        yield Problem(UNTRUSTED, Severity.CRITICAL, f"Sertifikat {host} tidak dipercaya: {outputs['reason']}.")
    if weaknesses:
        yield Problem(WEAK, Severity.MAJOR, f"Pengamanan {host} lemah: {'; '.join(weaknesses)}.")
    if outputs["disorder"]:
        yield Problem(CHAIN, Severity.MINOR, f"Rantai sertifikat {host} tidak tertib: {outputs['disorder']}.")
    for change in outputs["changes"]:
        if change["field"] == "issuer":
            message = f"Penerbit sertifikat {host} berganti dari {change['before']!r} menjadi {change['after']!r}."
            yield Problem(CHANGED, Severity.MINOR, message)
