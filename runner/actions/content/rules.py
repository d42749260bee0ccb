"""The rules: a YAML file that staff can edit, its schema, and the rules read from it with every mistake's place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.errors import Failed, Refused
from runner.shapes import check_shape
from runner.source import load_source

SHIPPED = Path(__file__).with_name("rules.yml")
OWN_CHECKS = (
    *("language", "alt", "headings", "labels", "viewport", "contrast", "skip_link", "secure", "headers"),
    *("mixed_content", "version_hidden", "placeholder_text", "dead_links", "slides", "depth", "speed"),
)

_WORDS = {
    "type": "array",
    "items": {"type": "string", "minLength": 2},
    "minItems": 1,
    "maxItems": 40,
}


def _text(description: str, example: str) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "description": description, "examples": [example]}


def _words(description: str, *example: str) -> dict[str, Any]:
    return {**_WORDS, "description": description, "examples": [list(example)]}


_GROUPS = {
    "type": "array",
    "items": _WORDS,
    "minItems": 1,
    "maxItems": 20,
    "description": "Groups of words; of each group one must be there. All: 2, some: 1, none: 0",
    "examples": [[["tugas"], ["fungsi"], ["yurisdiksi", "wilayah hukum"]]],
}
_PAGE = {
    "type": "object",
    "description": "A page that is found by the words of its link, title or address",
    "properties": {
        "words": _words("Words of the link, title or address by which the page is known", "tugas pokok", "yurisdiksi"),
        "contains": {**_GROUPS, "description": "Groups of words; of each group one must stand on that page"},
        "length": {
            "type": "integer",
            "minimum": 0,
            "maximum": 100_000,
            "description": "How long its text must be; a shorter page counts as half",
            "unit": "characters",
            "examples": [300],
        },
    },
    "required": ["words"],
    "additionalProperties": False,
    "examples": [{"words": ["visi misi"], "contains": [["visi"], ["misi"]]}],
}
_FILE = {
    "type": "object",
    "description": "A document that is linked, by the words and the year of its link",
    "properties": {
        "words": _words("Words of the link's text or address", "lkjip", "lakip"),
        "years": {
            "type": "integer",
            "minimum": 0,
            "maximum": 50,
            "description": "How many years back its year may lie; an older one, or none, counts as half",
            "examples": [1],
        },
    },
    "required": ["words"],
    "additionalProperties": False,
    "examples": [{"words": ["lkjip", "lakip"], "years": 1}],
}
_GIVEN = {
    "type": "object",
    "description": "A value that another task has found, given to the action under this name",
    "properties": {
        "name": _text("The name under `values`", "certificate_days"),
        "is": {"description": "What it must be", "examples": [True, "clean"]},
        "partly": {"description": "What counts as half", "examples": ["review"]},
        "at_least": {"type": "number", "description": "The least that it must be", "examples": [30]},
        "at_most": {"type": "number", "description": "The most that it may be", "examples": [5]},
        "half": {"type": "number", "description": "From where on it counts as half", "examples": [7]},
    },
    "required": ["name"],
    "additionalProperties": False,
    "examples": [{"name": "certificate_days", "at_least": 14, "half": 3}],
}
_OWN = {
    "type": "object",
    "description": "A check of the pages themselves",
    "properties": {
        "name": {"enum": list(OWN_CHECKS), "description": "Which one", "examples": ["alt"]},
        "most": {"type": "number", "description": "The most that it allows, where it counts", "examples": [5]},
    },
    "required": ["name"],
    "additionalProperties": False,
    "examples": [{"name": "slides", "most": 5}],
}
_RULE = {
    "type": "object",
    "properties": {
        "id": {
            "type": "string",
            "pattern": "^[A-Z][A-Z0-9_.-]{0,19}$",
            "description": "What the rule is called in the scorecard; each once",
            "examples": ["W01"],
        },
        "title": _text("What the rule asks for", "Tugas, fungsi, dan yurisdiksi pengadilan"),
        "basis": _text("What it rests on", "SK KMA 2-144/KMA/SK/VIII/2022"),
        "owner": _text("Who keeps it up", "Subbagian PTIP"),
        "not_applicable": _text(
            "Why this court need not keep it; the rule is then not scored", "tidak ada perkara niaga"
        ),
        "page": _PAGE,
        "links": {**_GROUPS, "description": "Groups of words or hosts; of each group one must stand in a link"},
        "file": _FILE,
        "given": _GIVEN,
        "own": _OWN,
    },
    "required": ["id", "title", "basis"],
    "oneOf": [{"required": [kind]} for kind in ("page", "links", "file", "given", "own")],
    "additionalProperties": False,
    "description": "One rule, with exactly one of page, links, file, given and own",
}
SCHEMA: dict[str, Any] = {
    "title": "sop content rules",
    "type": "object",
    "properties": {
        "rules": {
            "type": "array",
            "items": _RULE,
            "minItems": 1,
            "maxItems": 300,
            "description": "The rules, in the order of the scorecard",
            "examples": [[{"id": "W09", "title": "Jadwal sidang", "basis": "SK KMA", "links": [["sipp"]]}]],
        }
    },
    "required": ["rules"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its identity and basis, its `kind` ("page", "links", "file", "given", "own") and what that kind asks."""

    id: str
    title: str
    basis: str
    owner: str
    not_applicable: str
    kind: str
    asks: Any


def load_rules(path: Path = SHIPPED) -> list[Rule]:
    """Given a file of rules, return them. Raise Failed with all mistakes, each with its place and cure."""
    try:
        source = load_source(path)
        mistakes = check_shape(source, SCHEMA)
        if not mistakes:
            mistakes = [
                source.mistake(
                    ("rules", index, "id"), f"the id '{each['id']}' stands there twice", "give each rule its own"
                )
                for index, each in enumerate(source.data["rules"])
                if each["id"] in {other["id"] for other in source.data["rules"][:index]}
            ]
    except Refused as error:
        raise Failed(str(error)) from None
    if mistakes:
        raise Failed("\n".join(map(str, mistakes)))
    return [_build(each) for each in source.data["rules"]]


def _build(given: Mapping[str, Any]) -> Rule:
    kind = next(name for name in ("page", "links", "file", "given", "own") if name in given)
    return Rule(
        id=given["id"],
        title=given["title"],
        basis=given["basis"],
        owner=given.get("owner", ""),
        not_applicable=given.get("not_applicable", ""),
        kind=kind,
        asks=given[kind],
    )


def wanted_words(rules: Sequence[Rule]) -> list[str]:
    """Given rules, return the words of the links that lead to what they ask for."""
    found: dict[str, None] = {}
    for rule in rules:
        if rule.kind in ("page", "file"):
            found.update(dict.fromkeys(word.lower() for word in rule.asks["words"]))
    return list(found)
