"""The rules that a log is held against: SigmaHQ's, ours and the court's, and their compiled form in a cache.

The cache costs nothing but time: where it is damaged, old or cannot be written, the rules are compiled again.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.actions.logs import condition as tree
from runner.actions.logs.anchors import Anchor
from runner.actions.logs.detector import Detector
from runner.actions.logs.matcher import describe_engine
from runner.actions.logs.sigma import Correlation, Rule, parse_rule
from runner.errors import Mistake, Refused
from runner.files import write_whole
from runner.source import parse_source

HOME = Path(__file__).with_name("rules")
MOST_RULES = 2000
LARGEST_FILE = 100_000
KEPT_CACHES = 4
# Once decoded, "order by " and "=select " begin honest searches, too, and "=${" links whose template nobody filled in;
# our own rules ask for more and miss nothing.
LOWERED = {"web_sql_injection_in_access_logs": "low", "web_ssti_in_access_logs": "low"}


@dataclass(frozen=True, slots=True)
class Pack:
    """Rules and correlations, each by its name, and whose they are ("sigmahq", "own", or a folder's path)."""

    rules: Mapping[str, Rule]
    correlations: Mapping[str, Correlation]
    origins: Mapping[str, str]

    def __iter__(self) -> Iterator[Rule | Correlation]:
        yield from self.rules.values()
        yield from self.correlations.values()

    def looked_for(self) -> tuple[Rule, ...]:
        """The rules that a line's text decides."""
        return tuple(rule for rule in self.rules.values() if not rule.lookup)

    def find(self, name: str) -> Rule | Correlation | None:
        """The rule of that name or id; None where there is none."""
        known: dict[str, Rule | Correlation] = {**self.rules, **self.correlations}
        return known.get(name) or next((each for each in known.values() if each.id == name), None)


@dataclass(frozen=True, slots=True)
class RuleFile:
    """A rule's file: its path as shown, whose it is, and its text."""

    path: str
    origin: str
    text: str


def find_files(folders: Sequence[Path] = ()) -> list[RuleFile]:
    """Given the court's own folders of rules, return all files of rules: the product's, then theirs. Raise Refused."""
    found = []
    for origin, folder in [
        ("sigmahq", HOME / "sigmahq"),
        ("own", HOME / "own"),
        *((str(each), each) for each in folders),
    ]:
        if not folder.is_dir():
            raise Refused(Mistake(str(folder), 0, 0, "there is no such folder of rules", "check the path"))
        for path in sorted([*folder.glob("**/*.yml"), *folder.glob("**/*.yaml")]):
            shown = path.name if origin in ("sigmahq", "own") else str(path)
            found.append(RuleFile(shown, origin, _read(path)))
    if len(found) > MOST_RULES:
        raise Refused(Mistake(str(folders[-1]), 0, 0, f"more than {MOST_RULES} rules", "name a folder of rules only"))
    return found


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise Refused(Mistake(str(path), 0, 0, f"larger than {LARGEST_FILE} bytes", "write several rules"))
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refused(Mistake(str(path), 0, 0, "not UTF-8", "save it as UTF-8")) from None
    except OSError as error:
        raise Refused(Mistake(str(path), 0, 0, f"cannot be read: {error.strerror}", "check its rights")) from None


def load_detector(folders: Sequence[Path] = (), *, cache: Path | None = None) -> tuple[Pack, Detector]:
    """Given the court's own folders of rules, return the rules and what looks for them, from the cache where it has
    them (`cache`: its folder; without it the user's). Raise Refused with every mistake in a rule."""
    files = find_files(folders)
    cache = cache or cache_folder()
    place = cache / f"rules-{_key(files)}.json"
    known = _load(place)
    if known is not None:
        with suppress(Exception):  # whatever is wrong with a cache, the rules themselves are at hand
            pack = _pack_of(known)
            return pack, Detector(pack.looked_for(), *_anchors_of(known))
    pack = build_pack(files)
    detector = Detector(pack.looked_for())
    with suppress(OSError):
        _save(place, _document(pack, detector))
    return pack, detector


def build_pack(files: Sequence[RuleFile]) -> Pack:
    """Given files of rules, return them; a later rule takes the place of an earlier one with its id. Raise Refused
    with every mistake."""
    mistakes: list[Mistake] = []
    found: dict[str, tuple[Rule | Correlation, RuleFile]] = {}
    tests = _sigmahq_tests()
    for file in files:
        try:
            rule = parse_rule(parse_source(file.text, file.path).data, Path(file.path).stem)
        except Refused as refused:
            mistakes += refused.mistakes
        except ValueError as error:
            message, _, cure = str(error).rpartition(". ")
            mistakes.append(Mistake(file.path, 0, 0, message or str(error), cure if message else ""))
        else:
            if file.origin == "sigmahq":  # their titles are English: in a report they stand as names
                level = LOWERED.get(rule.name, rule.level)
                rule = rule._replace(words=f"aturan Sigma “{rule.title}”", level=level)
            if file.origin == "sigmahq" and (lines := tests.get(rule.id)):
                rule = rule._replace(match=tuple(lines["match"]), clean=tuple(lines["clean"]))
            found[rule.id or rule.name] = rule, file
    mistakes += _check_names(found.values())
    if mistakes:
        raise Refused(*mistakes)
    rules = {rule.name: rule for rule, _ in found.values() if isinstance(rule, Rule)}
    correlations = {rule.name: rule for rule, _ in found.values() if isinstance(rule, Correlation)}
    return Pack(rules, correlations, {rule.name: file.origin for rule, file in found.values()})


def _check_names(found: Sequence[Any] | Any) -> Iterator[Mistake]:
    """Names must differ, and what a correlation counts must be there."""
    owners: dict[str, str] = {}
    pairs = list(found)
    for rule, file in pairs:
        if rule.name in owners:
            yield Mistake(file.path, 0, 0, f"the name '{rule.name}' is {owners[rule.name]}'s", "write another name:")
        owners.setdefault(rule.name, file.path)
    ids = {rule.id: rule.name for rule, _ in pairs}
    for rule, file in pairs:
        if isinstance(rule, Correlation):
            for name in (*rule.rules, *filter(None, (rule.success, rule.unless))):
                if name not in owners and name not in ids:
                    yield Mistake(file.path, 0, 0, f"there is no rule '{name}'", "name a rule by its name: or id:")


def _sigmahq_tests() -> Mapping[str, Any]:
    """Lines that SigmaHQ's rules must and must not meet, by the rule's id: their files stay as they are."""
    text = (HOME / "sigmahq-lines.json").read_text(encoding="utf-8")
    known: Mapping[str, Any] = json.loads(text)
    return known


def cache_folder() -> Path:
    """Where compiled rules are kept."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(home) / "sop"


def _key(files: Sequence[RuleFile]) -> str:
    """A hash of all that the compiled form depends on: the rules, this code, and the engine."""
    digest = hashlib.sha256(describe_engine().encode())
    for name in ("anchors.py", "condition.py", "detector.py", "matcher.py", "pack.py", "sifting.py", "sigma.py"):
        digest.update(Path(__file__).with_name(name).read_bytes())
    digest.update((HOME / "sigmahq-lines.json").read_bytes())
    for file in files:
        digest.update(json.dumps([file.path, file.origin, file.text]).encode())
    return digest.hexdigest()[:32]


def _load(place: Path) -> Any:
    """A cache's document; None where it is not there or not whole."""
    try:
        digest, _, body = place.read_bytes().partition(b"\n")
        return json.loads(body) if hashlib.sha256(body).hexdigest().encode() == digest else None
    except (OSError, ValueError, RecursionError):
        return None


def _save(place: Path, document: Any) -> None:
    """Write a cache whole or not at all, and let old ones go."""
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    body = json.dumps(document).encode()
    write_whole(place, hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
    caches = sorted(place.parent.glob("rules-*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in caches[KEPT_CACHES:]:
        old.unlink(missing_ok=True)


def _document(pack: Pack, detector: Detector) -> dict[str, Any]:
    return {
        "rules": [[*rule._replace(condition=None)[:], pack.origins[rule.name]] for rule in pack.rules.values()],  # type: ignore[arg-type]  # written apart
        "conditions": [_packed(rule.condition) for rule in pack.rules.values()],
        "correlations": [[*rule, pack.origins[rule.name]] for rule in pack.correlations.values()],
        "anchors": [[_plain(anchor) for anchor in sorted(found)] for found in detector.anchors],
        "dumps": [base64.b64encode(dump).decode() for dump in detector.dump()],
    }


def _pack_of(document: Any) -> Pack:
    rules, origins = {}, {}
    for values, condition in zip(document["rules"], document["conditions"], strict=True):
        rule = Rule(*map(_tupled, values[:-1]))._replace(condition=_unpacked(condition))
        rules[rule.name], origins[rule.name] = rule, values[-1]
    correlations = {}
    for values in document["correlations"]:
        found = Correlation(*map(_tupled, values[:-1]))
        correlations[found.name], origins[found.name] = found, values[-1]
    return Pack(rules, correlations, origins)


def _anchors_of(document: Any) -> tuple[list[frozenset[Anchor]], list[bytes]]:
    each = [frozenset(map(_anchor, found)) for found in document["anchors"]]
    return each, [base64.b64decode(dump) for dump in document["dumps"]]


def _plain(anchor: Anchor) -> list[Any]:
    texts, then = ([text.decode("latin-1") for text in each] for each in (anchor.texts, anchor.then))
    return [anchor.field, texts, then, anchor.begins]


def _anchor(values: Any) -> Anchor:
    field, *both, begins = values
    texts, then = (tuple(text.encode("latin-1") for text in each) for each in both)
    return Anchor(field, texts, then, begins)


def _tupled(value: Any) -> Any:
    return tuple(map(_tupled, value)) if isinstance(value, list) else value


def _packed(condition: tree.Condition) -> list[Any]:
    match condition:
        case tree.Match(field, literals, pattern):
            return ["match", field, [each.decode("latin-1") for each in literals], pattern.decode("latin-1")]
        case tree.Absent(field):
            return ["absent", field]
        case tree.Not(part):
            return ["not", _packed(part)]
        case tree.All(parts):
            return ["all", *map(_packed, parts)]
        case tree.Any(parts):
            return ["any", *map(_packed, parts)]


def _unpacked(values: Any) -> tree.Condition:
    kind, *rest = values
    if kind == "match":
        field, literals, pattern = rest
        return tree.Match(field, tuple(each.encode("latin-1") for each in literals), pattern.encode("latin-1"))
    if kind == "absent":
        return tree.Absent(rest[0])
    if kind == "not":
        return tree.Not(_unpacked(rest[0]))
    parts = tuple(map(_unpacked, rest))
    return tree.All(parts) if kind == "all" else tree.Any(parts)
