"""Asking a registry over RDAP: one request and its redirects, inside the deadline."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from runner.actions.domain.bootstrap import Bootstrap
from runner.actions.domain.findings import Cause, Finding, Reply, unknown
from runner.actions.domain.rdap import LARGEST, MEDIA_TYPE, understand_rdap
from runner.actions.web.faults import Cause as WebCause
from runner.actions.web.faults import Fault
from runner.actions.web.fetch import Answer, Fetcher
from runner.actions.web.visit import REDIRECTS, visit
from runner.durations import Deadline

MOST_REDIRECTS = 3
LONGEST_WAIT = 7 * 86400.0
ACCEPT = f"{MEDIA_TYPE}, application/json;q=0.9, */*;q=0.1"

_CAUSES = {WebCause.TIME: Cause.SILENT, WebCause.SIZE: Cause.SIZE, WebCause.REDIRECT: Cause.REFUSED}


def ask_rdap(domain: str, bootstrap: Bootstrap, deadline: Deadline, *, base: str, ca_file: str, now: datetime) -> Reply:
    """Given a domain, ask its registry's RDAP server, or the one at `base`. Never raises for what the server does.

    A registry may redirect to other registries' hosts only, and never from https to http.
    """
    base = base or bootstrap.base(domain)
    if not base:
        return Reply("rdap", "", unknown(Cause.NO_SOURCE, f"tidak ada server RDAP untuk .{domain.rpartition('.')[2]}"))
    url = base.rstrip("/") + "/domain/" + domain
    fetcher = Fetcher(limit=LARGEST, ca_file=ca_file, accept=ACCEPT)
    hosts = bootstrap.hosts() | {urlsplit(base).hostname or ""}
    answer = visit(url, deadline, fetcher, hosts=hosts, most=MOST_REDIRECTS).last
    return Reply("rdap", base, _understand(answer, url, domain, now), answer.body, MEDIA_TYPE)


def _understand(answer: Answer, url: str, domain: str, now: datetime) -> Finding:
    if answer.fault:
        return _explain(answer.fault)
    if url.startswith("https://") and not answer.url.startswith("https://"):
        return unknown(Cause.REFUSED, "server RDAP mengalihkan ke alamat tanpa TLS")
    if answer.status in REDIRECTS:
        return unknown(Cause.REFUSED, f"server RDAP mengalihkan tanpa tujuan (status {answer.status})")
    wait = parse_retry_after(answer.header("Retry-After"), now)
    media_type = answer.header("Content-Type")
    return understand_rdap(answer.body, domain, status=answer.status or 0, media_type=media_type, wait=wait)


def _explain(fault: Fault) -> Finding:
    return unknown(_CAUSES.get(fault.cause, Cause.UNREACHABLE), f"server RDAP: {fault.message}")


def parse_retry_after(text: str, now: datetime) -> float | None:
    """Given a header Retry-After, in seconds or as a date, return the seconds to wait; None without a good one."""
    text = text.strip()
    if text.isdecimal() and len(text) < 9:
        return min(float(text), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(text)
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now.timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return min(max(0.0, seconds), LONGEST_WAIT)
