"""How much is found of what attackers send, and how little of what honest visitors do: on sets of our own, by class,
beside SigmaHQ's rules alone (the table is in docs/logs.md), and in the log of a real WordPress behind a real nginx."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest

from runner.actions.logs.detector import Detector
from runner.actions.logs.layouts import Entry
from runner.actions.logs.pack import Pack, load_detector
from runner.actions.logs.scanning import Scan, Terms

HERE = Path(__file__).parents[1] / "cases/logs"
CASES = json.loads((HERE / "requests.json").read_text("utf-8"))
HONEST = "honest"
# Who came to the WordPress of wordpress.log, each from an address of its own, and what must be told of him. Nothing may
# be told of the administrator (.11), the visitor with odd searches (.12) and the editor who forgot his password (.13).
ATTACKERS = {
    "203.0.113.1": {"sql_condition", "sql_union", "web_susp_useragents"},  # sqlmap
    "203.0.113.21": {"login_guessing"},  # thirty passwords, then the right one
    "203.0.113.22": {"login_guessing"},
    "203.0.113.24": {"secret_file", "shell_name", "path_traversal", "remote_file", "code_injection"},
    "203.0.113.26": {"upload_then_execute"},
    "203.0.113.27": {"login_guessing"},  # by xmlrpc.php
}
INTRUDERS = {"203.0.113.21", "203.0.113.26"}


@pytest.fixture(name="rules", scope="module")
def _rules(tmp_path_factory: pytest.TempPathFactory) -> tuple[Pack, Detector]:
    return load_detector(cache=tmp_path_factory.getbasetemp() / "cache" / "sop")


def met(rules: tuple[Pack, Detector], request: str) -> set[str]:
    """The rules of medium level or above that a request meets, by name."""
    entry = Entry(b"", b"", f"GET {request} HTTP/1.1".encode(), b"404", b"1", b"-", b"Mozilla/5.0 (X11; Linux x86_64)")
    found = rules[1].judge(entry)
    return {
        each.rule.name for each in found if each.rule.level not in ("low", "informational") and not each.rule.counts
    }


def hidden(request: str, how: str) -> str:
    """A request as an attacker would hide it: twice encoded, in mixed case, with comments for blanks."""
    path, mark, query = request.partition("?")
    if how == "twice":
        return path + mark + quote(quote(query, safe="=&"), safe="=&")
    if how == "case":
        return path + mark + "".join(c.upper() if n % 2 else c for n, c in enumerate(query))
    return path + mark + query.replace("+", "/**/")


@pytest.mark.parametrize("kind", sorted(set(CASES) - {HONEST}))
def test_attacks_are_found(rules: tuple[Pack, Detector], kind: str) -> None:
    missed = [request for request in CASES[kind] if not met(rules, request)]
    assert missed == []


@pytest.mark.parametrize("how", ["twice", "case", "comments"])
@pytest.mark.parametrize("kind", ["sql", "script", "traversal", "command", "code"])
def test_attacks_are_found_behind_an_encoding(rules: tuple[Pack, Detector], kind: str, how: str) -> None:
    requests = [request for request in CASES[kind] if "?" in request and (how != "comments" or kind == "sql")]
    missed = [hidden(request, how) for request in requests if not met(rules, hidden(request, how))]
    assert missed == []


def test_honest_requests_are_left_alone(rules: tuple[Pack, Detector]) -> None:
    wrong = {request: found for request in CASES[HONEST] if (found := met(rules, request))}
    assert wrong == {}


def test_public_rules_alone_find_less(rules: tuple[Pack, Detector]) -> None:
    pack = rules[0]
    attacks = [request for kind in CASES if kind != HONEST for request in CASES[kind]]
    by_public = [any(pack.origins[name] == "sigmahq" for name in met(rules, request)) for request in attacks]
    assert sum(by_public) < len(attacks) * 0.9


def test_a_real_wordpress_names_its_attackers_and_nobody_else(rules: tuple[Pack, Detector]) -> None:
    scan = Scan(*rules, Terms(datetime(2026, 11, 23, tzinfo=UTC), UTC))
    scan.feed((HERE / "wordpress.log").read_bytes())
    scan.end()
    scan.finish()
    told = defaultdict(set)
    for hit in scan.hits:
        rule = rules[0].find(hit["rule"])
        if rule and rule.level not in ("low", "informational"):
            told[hit["address"]].add(rule.name)
    assert (scan.lines, scan.not_understood) == (303, 0)
    assert set(told) == set(ATTACKERS)
    assert {address for address, expected in ATTACKERS.items() if not expected <= told[address]} == set()
    assert {hit["address"] for hit in scan.hits if hit["likely_success"]} == INTRUDERS
