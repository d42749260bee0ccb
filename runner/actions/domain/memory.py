"""What earlier runs knew of a domain: to compare with, to stand in for an answer that did not come, to be patient."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from runner.actions.domain.findings import Cause, Finding

HOUR = 3600.0
FIRST_WAIT = {Cause.THROTTLED: HOUR, Cause.REFUSED: HOUR}
OTHER_WAIT = HOUR / 4
SHORTEST_WAIT, LONGEST_WAIT = HOUR / 60, 48 * HOUR
JITTER = 0.25

_WATCHED = ("name_servers", "dnssec", "addresses", "mail_servers")


def recall(earlier: Mapping[str, Any] | None, domain: str) -> Mapping[str, Any]:
    """Given the outputs of an earlier run, return what was last known of this domain; {} where nothing was."""
    known = (earlier or {}).get("last_known")
    same = (earlier or {}).get("domain") == domain
    return known if same and isinstance(known, Mapping) and parse_moment(known.get("observed")) else {}


def parse_moment(text: object) -> datetime | None:
    """Given a moment of an earlier run, return it; None where it is none, or has no zone."""
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return moment if moment and moment.tzinfo else None


def find_changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Given what was known and what is, return what differs: name servers, DNSSEC, addresses, mail servers.

    A mail server or address that is gone counts; a list of name servers that a registry leaves out does not.
    """
    changes: list[dict[str, Any]] = []
    for name in _WATCHED:
        old, new = before.get(name), now.get(name)
        if old is None or new is None or (name == "name_servers" and not (old and new)):
            continue
        if (sorted(old) != sorted(new)) if isinstance(old, list) and isinstance(new, list) else old != new:
            changes.append({"field": name, "before": old, "after": new})
    return changes


def remember(before: Mapping[str, Any], now: Mapping[str, Any], moment: datetime) -> dict[str, Any] | None:
    """Given what was known and what is, return what the next run shall know; None where nothing ever was."""
    kept = ("registered", "expires", "statuses", *_WATCHED)
    if now["registered"] is None:
        return (
            {**before, **{k: now[k] for k in ("addresses", "mail_servers") if now[k] is not None}} if before else None
        )
    fresh = {name: now[name] for name in kept if now[name] is not None and now[name] != ""}
    carried = {name: before.get(name) for name in ("dnssec", "addresses", "mail_servers")}
    return {**dict.fromkeys(kept), **carried, **fresh, "observed": moment.astimezone(UTC).isoformat(timespec="seconds")}


def age_hours(before: Mapping[str, Any], now: datetime) -> float | None:
    """Given what was known, return how old it is in hours; None where nothing was."""
    moment = parse_moment(before.get("observed"))
    return round(max(0.0, (now - moment).total_seconds()) / HOUR, 1) if moment else None


def ask_again(finding: Finding, domain: str, now: datetime) -> datetime | None:
    """Given a finding, return when to ask again: as the server said, or after a while, and up to a quarter later.

    The quarter spreads the questions of many domains; for one domain and moment it is always the same. None where
    something is known.
    """
    if finding.registered is not None:
        return None
    wait = finding.wait or FIRST_WAIT.get(finding.cause or Cause.UNREADABLE, OTHER_WAIT)
    spread = random.Random(f"{domain} {now.isoformat()}").uniform(0, JITTER)  # noqa: S311  # no secret: it only spreads
    return now + timedelta(seconds=min(max(wait, SHORTEST_WAIT), LONGEST_WAIT) * (1 + spread))


def told_to_wait(earlier: Mapping[str, Any] | None, domain: str, now: datetime) -> datetime | None:
    """Given the outputs of an earlier run, return until when a registry wants to be left alone, if that is not over."""
    if not earlier or earlier.get("domain") != domain or earlier.get("cause") != Cause.THROTTLED:
        return None
    moment = parse_moment(earlier.get("retry_after"))
    return moment if moment and moment > now else None
