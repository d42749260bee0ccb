"""What the office knows about faults: likely causes, what to check, remedies, and whom to call; staff extend it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from runner.shapes.describe import keys, text, texts

FIELDS = ("causes", "checks", "remedies", "call")

KNOWLEDGE = keys(
    "What is known about a fault, or a family of them",
    {
        "fault": texts("The problem's key, as sop problems shows it; * stands for anything", "website.unavailable"),
        "target": texts("Only on these targets, by name; * stands for anything", "pn_tais"),
        "title": text("The fault in words", "Situs tidak dapat diakses"),
        "causes": texts("Likely causes, the likeliest first", ["Layanan web pada server berhenti"]),
        "checks": texts("What to look at to tell the causes apart", ["Buka situs dari jaringan lain"]),
        "remedies": texts("Ways to solve it, the one to try first at the top", ["Hidupkan kembali layanan web"]),
        "call": texts("Whom to call when that does not help: a role, or a name with its number", ["penyedia hosting"]),
    },
    ("fault",),
)


class Advice(NamedTuple):
    """What is known about a fault; each of the lists may be empty."""

    fault: tuple[str, ...]
    title: str
    causes: tuple[str, ...]
    checks: tuple[str, ...]
    remedies: tuple[str, ...]
    call: tuple[str, ...]
    targets: tuple[str, ...] = ("*",)

    def fits(self, key: str, target: str | None) -> bool:
        """Whether it is about that fault on that target."""
        return self._nearest(key) > 0 and any(fnmatchcase(target or "", pattern) for pattern in self.targets)

    def _nearest(self, key: str) -> int:
        """How near its pattern comes: the more of it is written out, the nearer; 0 where none fits."""
        return max((1 + len(each.replace("*", "")) for each in self.fault if fnmatchcase(key, each)), default=0)


def find_advice(known: Iterable[Advice], key: str, target: str | None) -> tuple[Advice, ...]:
    """Given all that is known, return what is about a fault on a target, the nearest first."""
    fitting = [advice for advice in known if advice.fits(key, target)]
    return tuple(sorted(fitting, key=lambda advice: -advice._nearest(key)))


def parse_knowledge(entries: Iterable[Mapping[str, Any]]) -> Iterator[Advice]:
    """Given checked entries of `knowledge`, return them as advice."""
    for entry in entries:
        lists = {name: _texts(entry.get(name)) for name in FIELDS}
        targets = _texts(entry.get("target")) or ("*",)
        yield Advice(_texts(entry["fault"]), entry.get("title", ""), **lists, targets=targets)


def _texts(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())
