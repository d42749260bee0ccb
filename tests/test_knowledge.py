"""What the office knows of faults: read with the inventory, found by pattern, complete for what our actions report."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from runner.actions import ACTIONS
from runner.errors import Refused
from runner.inventory import load_inventory, parse_inventory
from runner.inventory.documents import Document
from runner.inventory.knowledge import Advice, find_advice

ROOT = Path(__file__).parents[1]
FAMILIES = r"(?:website|certificate|visitors|service|domain|notify)\.[a-z_]+"
NO_KEYS = {"visitors.json"}  # texts of that form that are no problem's key


def knowledge(*texts: str) -> tuple[Advice, ...]:
    """What inventories of those texts know."""
    return parse_inventory([Document(f"k{number}.yml", text) for number, text in enumerate(texts)]).knowledge


def test_files_add_up_and_the_nearest_comes_first() -> None:
    known = knowledge(
        'knowledge: [{fault: "website.*", remedies: umum}, {fault: website.slow, remedies: [cache]}]',
        'knowledge: [{fault: ["x.*", "website.s*"], title: T, causes: [a, b], call: admin}]',
    )
    assert [advice.remedies for advice in find_advice(known, "website.slow", "situs")] == [("cache",), (), ("umum",)]
    assert [advice.causes for advice in find_advice(known, "x.y", None)] == [("a", "b")]
    assert find_advice(known, "other", None) == ()


def test_no_sentence_of_the_shipped_knowledge_is_cut_at_its_commas() -> None:
    for advice in load_inventory([ROOT / "inventory" / "knowledge.yml"]).knowledge:
        for sentence in (*advice.causes, *advice.checks, *advice.remedies):
            assert sentence[0].isupper(), sentence
            assert sentence.count("(") == sentence.count(")"), sentence


def test_advice_may_be_about_some_targets_only() -> None:
    known = knowledge('knowledge: [{fault: "website.*", target: "pn_*", remedies: x}]')
    assert len(find_advice(known, "website.slow", "pn_tais")) == 1
    assert find_advice(known, "website.slow", "pt_tais") == find_advice(known, "website.slow", None) == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("knowledge: [{remedies: x}]", r"k0.yml:1:13: .*'fault' is missing"),
        ("knowledge: [{fault: a, remedy: x}]", r"k0.yml:1:24: .*unknown key 'remedy'.*remedies"),
        ("knowledge: {a: b}", r"k0.yml:1:12: "),
        ("knowledge: [{fault: []}]", r"k0.yml:1:21: "),
        ("knowledge: [{fault: 7}]", r"k0.yml:1:21: "),
    ],
)
def test_mistakes_are_told_with_their_place(text: str, told: str) -> None:
    with pytest.raises(Refused, match=told):
        knowledge(text)


def test_the_shipped_file_knows_every_fault_that_our_actions_report() -> None:
    known = load_inventory([ROOT / "inventory" / "knowledge.yml"]).knowledge
    sources = "".join(path.read_text("utf-8") for path in (ROOT / "runner" / "actions").rglob("*.py"))
    reported = set(re.findall(rf'f?"({FAMILIES})["{{]', sources)) - set(ACTIONS) - NO_KEYS
    reported |= {
        f"{name}.{fault}" for name in ("backup.database", "backup.files") for fault in ("incomplete", "shrunk")
    }
    assert len(reported) > 30
    assert [key for key in sorted(reported) if not find_advice(known, key, None)] == []
    assert [advice.fault for advice in known if not (advice.title and (advice.remedies or advice.checks))] == []
