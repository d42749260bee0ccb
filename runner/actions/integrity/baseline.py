"""What a site is known to be, and what changed since: a change stays one until a named person has accepted it.

The baseline of the first run is what was found then; whose code it runs is told until a person has accepted it. Every
later run compares with it, tells each difference as a change with a key of its own, and takes over only those whose
problem a person has accepted in the register.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

PREFIX = "website.changed."
NEW = "website.baseline_new"
BURST = "website.integrity.sitemap_burst"
STRANGERS, ACCEPTED = "strangers", "accepted_by"
MOST_NAMED = 8
MOST_VALUES = 300
MOST_CHANGES = 30
SETS = ("link_hosts", "script_hosts", "frame_hosts", "verifications")
SINGLE = ("title", "language", "robots")

WORDS = {
    "link_hosts": "tautan ke situs baru",
    "script_hosts": "skrip dari situs baru",
    "frame_hosts": "bingkai (iframe) dari situs baru",
    "verifications": "tanda verifikasi mesin pencari baru",
    "title": "judul beranda berubah",
    "language": "bahasa beranda berubah",
    "robots": "isi robots.txt berubah",
}

OUTSIDERS = {  # who may run code on the site, or speak for it; links alone are too many, and rules judge them
    "script_hosts": "skrip dari",
    "frame_hosts": "bingkai dari",
    "verifications": "tanda verifikasi",
}

State = Mapping[str, Any]


class Change(NamedTuple):
    """A difference from the baseline: of what kind, what stands there now ("" for: nothing), and its problem's key."""

    kind: str
    value: str
    before: str = ""

    @property
    def key(self) -> str:
        """The key of its problem: the same for the same change."""
        digest = hashlib.sha256(f"{self.kind}\n{self.value}".encode()).hexdigest()[:10]
        return f"{PREFIX}{self.kind}.{digest}"

    def as_json(self) -> dict[str, str]:
        """The change as it stands in the outputs."""
        return {"key": self.key, "kind": self.kind, "value": self.value, "before": self.before}


def build_state(
    sets: Mapping[str, Iterable[str]], single: Mapping[str, str | None], addresses: int | None
) -> dict[str, Any]:
    """Given what was seen (None: not seen), return the site's state as the outputs hold it."""
    return {
        **{name: sorted(set(sets.get(name, ())))[:MOST_VALUES] for name in SETS},
        **{name: single.get(name) for name in SINGLE},
        "addresses": addresses,
    }


def find_changes(baseline: State, now: State) -> list[Change]:
    """Given the baseline and the state now, return what is new or different. What was not seen is no change."""
    found = [Change(name, value) for name in SETS for value in now[name] if value not in set(baseline.get(name) or ())]
    for name in SINGLE:
        before, value = baseline.get(name), now[name]
        if before is not None and value is not None and before != value:
            found.append(Change(name, value, before))
    return found[:MOST_CHANGES]


def take_over(
    earlier: Mapping[str, Any], accepted: Iterable[Mapping[str, Any]]
) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """Given the outputs of the earlier run and what people have accepted (key, person, reason, until), return the
    baseline that holds now, and the consents by which it differs from the earlier one.

    What was accepted for a time only is put up with, and becomes no part of the baseline.
    """
    baseline = dict(earlier["baseline"])
    names = {each["key"]: f"{each['person']}: {each['reason']}" for each in accepted if not each.get("until")}
    consents: list[dict[str, str]] = []
    if NEW in names and baseline.get(STRANGERS):
        baseline |= {STRANGERS: [], ACCEPTED: names[NEW]}
        consents.append({"key": NEW, "kind": "baseline", "value": "", "before": "", "person": names[NEW]})
    if BURST in names:
        baseline["addresses"] = earlier.get("addresses")
    for change in earlier.get("changes") or ():
        if person := names.get(change["key"]):
            name = change["kind"]
            baseline[name] = sorted({*baseline.get(name, ()), change["value"]}) if name in SETS else change["value"]
            consents.append({**change, "person": person})
    return baseline, consents


def begin(state: State) -> dict[str, Any]:
    """Given a site's state when it is seen first, return the baseline: the state, and in words who runs code there."""
    named = [f"{words} {value}" for name, words in OUTSIDERS.items() for value in state[name]]
    more = [f"dan {len(named) - MOST_NAMED} lagi"] if len(named) > MOST_NAMED else []
    return {**state, STRANGERS: [*named[:MOST_NAMED], *more]}


def widen(baseline: dict[str, Any], now: State, *, burst: bool = False) -> dict[str, Any]:
    """Given a baseline and the state now, return it with what it could not know yet: what had not been seen before, and
    how many addresses there are, where their number grew without a burst."""
    known = {**now, **{name: value for name, value in baseline.items() if value is not None}}
    return known if burst or now["addresses"] is None else {**known, "addresses": now["addresses"]}
