"""tls.certificate: the certificates that a site shows: trusted or why not, until when, how strong, what changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from runner.actions.web.certificate_keys import INPUTS, OUTPUTS
from runner.actions.web.inputs import build_resolver_of, site_url, visit_deadline
from runner.contract import Action, Call, Effect, Outcome, Problem, Reach, Repeat, Severity, Status

if TYPE_CHECKING:  # the web helpers are loaded when a site is visited, not at every start
    from runner.actions.web.chain import Shown
    from runner.actions.web.x509 import ReadCertificate

HTTPS = 443
UNSEEN: Mapping[str, Any] = {
    **dict.fromkeys(("trusted", "expires", "days_left", "lifetime_days", "expires_at")),
    **dict.fromkeys(("expiring", "subject", "issuer", "serial", "key_type", "signature", "protocol"), ""),
    **dict.fromkeys(("cipher", "disorder"), ""),
    "names": [],
    "names_count": 0,
    "address": "",
    "addresses": 0,
    "key_bits": 0,
    "chain": [],
    "changes": [],
}


def run(call: Call) -> Outcome:
    """Look at the certificates and judge them. What cannot be seen is a problem of its own."""
    from runner.actions.web.chain import read_chains
    from runner.actions.web.faults import Cause, VisitError
    from runner.actions.web.lookup import look_up
    from runner.actions.web.x509 import ReadCertificate

    host, port = find_endpoint(call)
    deadline, place = visit_deadline(call), f"{host}:{port}" if port != HTTPS else host
    try:
        places = look_up(host, port, deadline, build_resolver_of(call))
        seen = read_chains(places, host, deadline, call.inputs.get("ca_file") or "")
        address, shown = worst(seen)
        differ = len({each.sent[:1] for _, each in seen}) > 1
        outputs, problems = judge(call, f"{place} ({address})" if differ else place, shown)
        outputs |= {"address": address, "addresses": len(seen)}
    except VisitError as error:
        if urlsplit(site_url(call)).scheme == "http" and error.fault.cause in (Cause.CONNECT, Cause.TLS):
            return without_tls(place, error.fault.message)
        return unseen(call, place, error.fault.message)
    except ValueError as error:
        return unseen(call, place, f"sertifikat tidak dapat dibaca: {str(error)[:200]}")
    kept = b"".join(ReadCertificate(each).pem() for each in shown.sent)
    changed = bool(outputs["changes"]) or call.record.latest() is None
    evidence = (call.keep("rantai.pem", kept, "application/x-pem-file"),) if changed else ()
    return Outcome(Status.OK, outputs=outputs, problems=problems, evidence=evidence, message=outputs["reason"])


def worst(seen: Sequence[tuple[str, Shown]]) -> tuple[str, Shown]:
    """Given what each address shows, return the one to judge: not trusted before trusted, then the first to end.

    Raise ValueError for a broken certificate.
    """
    from runner.actions.web.trust import first_to_end
    from runner.actions.web.x509 import ReadCertificate

    def rank(each: tuple[str, Shown]) -> tuple[bool, datetime]:
        shown = each[1]
        return shown.fault is None, first_to_end([ReadCertificate(der) for der in shown.verified or shown.sent]).ends

    return min(seen, key=rank) if len(seen) > 1 else seen[0]


def find_endpoint(call: Call) -> tuple[str, int]:
    """Given a call, return host and port of the site; of one on http, where https would be."""
    parts = urlsplit(site_url(call))
    return parts.hostname or "", (parts.port if parts.scheme == "https" and parts.port else HTTPS)


def unseen(call: Call, place: str, reason: str) -> Outcome:
    """The outcome of a check that saw no certificate: unknown, and what was known of it goes on to the next time."""
    earlier = call.record.latest() or {}
    outputs = {**UNSEEN, "cause": "unseen", "reason": reason, "fingerprint": earlier.get("fingerprint", "")}
    outputs |= {name: earlier[name] for name in ("issuer", "key_type", "key_bits", "signature") if earlier.get(name)}
    message = f"Sertifikat {place} tidak dapat diperiksa: {reason}."
    problem = Problem("certificate.unknown", Severity.MAJOR, message)
    return Outcome(Status.OK, outputs=outputs, problems=(problem,), message=reason)


def without_tls(place: str, reason: str) -> Outcome:
    """The outcome for a site on http that nothing protects: there is no certificate to judge, and no doubt about it.

    That a site must have one is an obligation, which website.content scores.
    """
    words = f"tidak berlaku: situs disajikan tanpa TLS ({place}: {reason})"
    return Outcome(Status.OK, outputs={**UNSEEN, "cause": "no_tls", "reason": words, "fingerprint": ""}, message=words)


def judge(call: Call, place: str, shown: Shown) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """Given what was shown at a place, return outputs and problems. Raise ValueError for a broken certificate."""
    from runner.actions.web import trust
    from runner.actions.web.x509 import ReadCertificate

    sent = [ReadCertificate(each) for each in shown.sent]
    chain = [ReadCertificate(each) for each in shown.verified] or sent
    ending, inputs = trust.first_to_end(chain), call.inputs
    notice = trust.Notice(inputs["notice_share"], inputs["notice"], inputs["hard"])
    outputs = {**trust.judge_trust(shown, chain)._asdict(), **describe(call, shown, chain, ending)}
    outputs["disorder"] = trust.find_disorder(sent)
    outputs["changes"] = trust.find_changes(call.record.latest(), outputs)
    weak = [f"{each.subject or each.serial} {each.weakness}" for each in chain if each.weakness]
    weak += [f"server hanya berbicara {shown.protocol}"] if shown.protocol in trust.OLD_PROTOCOLS else []
    severity = trust.notice_severity(ending, call.now, notice)
    return outputs, tuple(trust.find_problems(place, outputs, weak, severity))


def describe(call: Call, shown: Shown, chain: Sequence[ReadCertificate], ending: ReadCertificate) -> dict[str, Any]:
    """Given what was shown, its chain and the certificate of it that ends first, return what it says as outputs."""
    from runner.actions.web.x509 import MOST_NAMES

    leaf, names = chain[0], chain[0].names
    kind, bits = leaf.key
    return {
        "expires": ending.ends.date().isoformat(),
        "expires_at": ending.ends.isoformat(),
        "days_left": (ending.ends - call.now).days,
        "lifetime_days": round(ending.lifetime.total_seconds() / 86400, 1),
        "expiring": ending.subject or ending.serial,
        "subject": leaf.subject,
        "names": names[:MOST_NAMES],
        "names_count": len(names),
        "issuer": leaf.issuer,
        "serial": leaf.serial,
        "fingerprint": leaf.fingerprint,
        "key_type": kind,
        "key_bits": bits,
        "signature": leaf.signature,
        "protocol": shown.protocol,
        "cipher": shown.cipher,
        "chain": [
            {"subject": each.subject, "issuer": each.issuer, "expires": each.ends.date().isoformat()} for each in chain
        ],
    }


ACTION = Action(
    name="tls.certificate",
    description="Looks at the site's certificates: trusted or why not, their earliest end, strength, changes.",
    inputs=INPUTS,
    outputs=OUTPUTS,
    effect=Effect.READ,
    repeat=Repeat.SAFE,
    reach=Reach.CONTROLLER,
    limit="1m",
    run=run,
    targets=("website", ""),
    example="""\
- id: certificate
  action: tls.certificate
  with: {notice: 30, hard: [7, 3, 1]}
""",
)
