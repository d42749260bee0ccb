"""From a check of a website to the problems it tells of: one for each fault, under a key that stays the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from runner.actions.web.availability import Attempt, judge_phases, sum_timings
from runner.actions.web.elsewhere import AddressCheck, VariantCheck, Way
from runner.actions.web.faults import Cause
from runner.contract import Problem, Severity
from runner.messages import render_number

DOWN, UNKNOWN, UNSTABLE, SLOW = "website.unavailable", "website.unknown", "website.unstable", "website.slow"
NETWORK = "office.network"  # the office's own: one problem, however many websites it hides
ADDRESS, FAMILY, VARIANT = "website.address_unavailable", "website.unavailable_over", "website.variant"
RECENT = 12
CUT_OFF = "Jaringan kantor sendiri diduga terganggu: ketersediaan website tidak dapat dipastikan selama itu."

PHASES = {
    "lookup": "pencarian nama",
    "connect": "penyambungan",
    "tls": "jabat tangan TLS",
    "first_byte": "menunggu jawaban",
    "body": "pengiriman halaman",
}


class Check(NamedTuple):
    """What one check of a website brought: its visits, other addresses and spellings, and how it is called."""

    url: str
    attempts: Sequence[Attempt]
    reason: str
    addresses: Sequence[AddressCheck] = ()
    variants: Sequence[VariantCheck] = ()

    @property
    def available(self) -> bool | None:
        """Whether the site can be used; None when it cannot be told."""
        return self.attempts[-1].verdict.available

    @property
    def cut_off(self) -> bool:
        """Whether it is us: nothing else could be reached either."""
        fault = self.attempts[-1].verdict.fault
        return fault is not None and fault.cause is Cause.OWN_NETWORK


def find_problems(check: Check, limits: Mapping[str, float]) -> list[Problem]:
    """Given a check and the seconds that each phase may take, return every problem that it saw."""
    if check.cut_off:
        return [Problem(NETWORK, Severity.MAJOR, CUT_OFF)]
    if check.available is None:
        message = f"Ketersediaan {check.url} tidak dapat dipastikan: {check.reason}."
        return [Problem(UNKNOWN, Severity.MAJOR, message)]
    found = list(_find_dead_addresses(check))
    if check.available is False:
        return [Problem(DOWN, Severity.CRITICAL, f"{check.url} tidak dapat diakses: {check.reason}."), *found]
    return [*found, *_find_slowness(check, limits), *_find_wrong_variants(check)]


def judged_faults(check: Check, watched: Sequence[str]) -> frozenset[str] | None:
    """Given a check and the faults under watch, return those that it could have seen; None for all of them."""
    if check.available:
        return None
    if check.available is None:
        return frozenset({UNKNOWN} if check.cut_off else {NETWORK})
    seen = (ADDRESS, FAMILY) if check.addresses else ()
    return frozenset({DOWN, UNKNOWN, NETWORK, *(key for key in watched if key.startswith(seen) and seen)})


def _find_dead_addresses(check: Check) -> Iterator[Problem]:
    dead = [each for each in check.addresses if each.way is Way.FAILED]
    if len(dead) == len(check.addresses):
        return
    for family in ("ipv4", "ipv6"):
        own = [each for each in check.addresses if each.family == family]
        gone = [each for each in own if each.way is Way.FAILED]
        name = family.replace("ip", "IP")
        if own and len(gone) == len(own):
            message = f"{check.url} tidak dapat diakses melalui {name} ({gone[0].address}): {gone[0].reason}."
            yield Problem(f"{FAMILY}_{family}", Severity.MAJOR, message)
            continue
        for each in gone:
            message = f"Alamat {each.address} dari {check.url} tidak melayani: {each.reason}."
            yield Problem(f"{ADDRESS}:{each.address}", Severity.MAJOR, message)


def _find_slowness(check: Check, limits: Mapping[str, float]) -> Iterator[Problem]:
    visited = check.attempts[-1].visited
    slow = [phase for phase, verdict in judge_phases(visited, limits).items() if verdict == "slow"]
    if slow:
        timings = sum_timings(visited)
        told = ", ".join(
            f"{PHASES[phase]} {render_number(timings[phase] or 0, 'id', decimals=1)} detik "
            f"(batas {render_number(limits[phase], 'id', decimals=1)})"
            for phase in slow
        )
        yield Problem(SLOW, Severity.MINOR, f"{check.url} lambat: {told}.")


def _find_wrong_variants(check: Check) -> Iterator[Problem]:
    for each in check.variants:
        if each.way not in (Way.OK, Way.NOT_OFFERED):
            yield Problem(f"{VARIANT}:{each.url}", Severity.MINOR, f"Alamat {each.url} tidak beres: {each.reason}.")


def find_instability(recent: str, most: int, url: str) -> Problem | None:
    """Given the latest checks, return the problem of a site that goes up and down at least `most` times; 0: never."""
    known = [sign for sign in recent if sign in "01"]
    changes = sum(one != other for one, other in pairwise(known))
    if not most or changes < most:
        return None
    message = f"{url} naik-turun: {changes} kali berubah dalam {len(recent)} pemeriksaan terakhir."
    return Problem(UNSTABLE, Severity.MAJOR, message)
