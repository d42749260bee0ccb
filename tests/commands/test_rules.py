from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.cli import run

RULE = """\
title: Halaman uji
id: 00000000-0000-4000-8000-000000000001
logsource: {category: webserver}
detection:
    selection: {cs-uri-query|contains: rahasia}
    condition: selection
level: high
sop:
    match: [GET /rahasia HTTP/1.1, GET /?q=RAHASIA HTTP/1.1]
    clean: [GET / HTTP/1.1, GET /terbuka HTTP/1.1]
"""


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = run(["rules", *words])
    out, err = capsys.readouterr()
    return code, out + err


def test_lists_rules_with_level_origin_and_title(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "uji.yml").write_text(RULE)
    code, text = said(capsys, "list", "--rules", str(tmp_path), "--format", "json")
    rules = {rule["name"]: rule for rule in json.loads(text)["rules"]}
    assert code == 0
    assert (rules["uji"]["from"], rules["uji"]["level"]) == (str(tmp_path), "high")
    assert sum(rule["from"] == "sigmahq" for rule in rules.values()) == 86
    assert all(rule["author"] for rule in rules.values() if rule["from"] == "sigmahq")
    assert "shell_place" in said(capsys, "list")[1]


def test_holds_all_rules_against_their_lines(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "uji.yml").write_text(RULE)
    code, text = said(capsys, "test", "--rules", str(tmp_path), "uji", "login_guessing")
    assert (code, text) == (0, "2 rules, 8 lines: all as they say\n")


def test_says_which_line_a_rule_gets_wrong(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "uji.yml").write_text(RULE.replace("GET /terbuka", "GET /rahasia2"))
    code, text = said(capsys, "test", "--rules", str(tmp_path), "uji")
    assert code == 10
    assert "uji: it meets a line that it must not. mend the rule or the line\n    GET /rahasia2 HTTP/1.1" in text
    (tmp_path / "uji.yml").write_text(
        RULE.replace(", GET / HTTP/1.1", "").replace("clean: [GET / HTTP/1.1, ", "clean: [")
    )
    code, text = said(capsys, "test", "--rules", str(tmp_path), "uji")
    assert (code, "it has 1 lines under clean" in text) == (10, True)


def test_explains_a_rule_and_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = said(capsys, "explain", "login_guessing")
    assert (code, "counts login_try" in text, "within 3600 seconds, by address" in text) == (0, True, True)
    code, text = said(capsys, "explain", "GET /?id=%2531%2527%2520or%25201%253D1 HTTP/1.1")
    assert (code, "/?id=1' or 1=1" in text, "sql_condition" in text) == (0, True, True)
    whole = '203.0.113.9 - - [22/Nov/2026:09:00:00 +0700] "GET /uploads/x.php HTTP/1.1" 200 5 "-" "curl/8"'
    assert "likely success" in said(capsys, "explain", whole)[1]
    assert "it meets no rule" in said(capsys, "explain", "GET /berita HTTP/1.1")[1]


def test_a_wrong_name_or_folder_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, text = said(capsys, "explain", "shel_place")
    assert (code, "did you mean 'shell_place'" in text) == (5, True)
    code, text = said(capsys, "list", "--rules", str(tmp_path / "none"))
    assert (code, "there is no such folder" in text) == (5, True)
    (tmp_path / "salah.yml").write_text(RULE.replace("level: high", "level: [x"))
    code, text = said(capsys, "list", "--rules", str(tmp_path))
    assert (code, "salah.yml:" in text) == (5, True)
