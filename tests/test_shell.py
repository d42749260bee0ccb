"""Shell lines: no value ever becomes shell text (law 8)."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.expressions import ExpressionError
from runner.shell import parse_shell_line

HOSTILE = "x; touch pwned $(touch pwned) `touch pwned` ' \" \n && touch pwned #"

ACCEPTED = [
    "printf '%s' {{ vars.x }}",
    "cat >/dev/null <<E\nplain\nE\nprintf '%s' {{ vars.x }}",
    'a="$(printf %s {{ vars.x }})"; printf %s "$a"',
    "( printf '%s' {{ vars.x }} )",
    "if true; then printf '%s' {{ vars.x }}; fi",
    "x={{ vars.x }}; printf '%s' \"$x\"",
    "printf '%s' a\\'{{ vars.x }} | sed \"s/^a'//\"",
    "printf %s {{ vars.x }} # it's a comment",
    "y=${z:-none}; printf %s {{ vars.x }}",
    "echo $((1 + (2))) >/dev/null; printf %s {{ vars.x }}",
]
REFUSED = [
    ("echo '{{ vars.x }}'", "quotes"),
    ('echo "a {{ vars.x }}"', "quotes"),
    ("echo \"$(echo '{{ vars.x }}')\"", "quotes"),
    ("echo `echo {{ vars.x }}`", "backticks"),
    ("echo $(( {{ vars.x }} + 1 ))", "computed"),
    ("echo $(( (1 + {{ vars.x }}) ))", "computed"),
    ("echo ${a:-{{ vars.x }}}", "${ }"),
    ("cat <<E\n{{ vars.x }}\nE", "here-document"),
    ("cat <<-'E' | wc\n\t{{ vars.x }}\n\tE", "here-document"),
    ("eval {{ vars.x }}", "code"),
    ("true; eval echo {{ vars.x }}", "code"),
    ("sh -c {{ vars.x }}", "code"),
    ("sudo /bin/bash -ec {{ vars.x }}", "code"),
    ("if true; then eval {{ vars.x }}; fi", "code"),
    ("trap {{ vars.x }} EXIT", "code"),
    ("[[ {{ vars.x }} -eq 1 ]]", "code"),
    ("true # {{ vars.x }}", "comment"),
]


def run(line: str, value: object, folder: Path) -> subprocess.CompletedProcess[bytes]:
    text, parameters = parse_shell_line(line).fill({"vars": {"x": value}})
    return subprocess.run(["sh", "-c", text, "sop", *parameters], capture_output=True, cwd=folder, check=False)


@pytest.mark.parametrize("line", ACCEPTED)
@pytest.mark.promise("Text from outside", "a hostile value at each place of a shell line", "one word, or refused")
def test_hostile_value_stays_one_word(line: str, tmp_path: Path) -> None:
    assert run(line, HOSTILE, tmp_path).stdout.decode() == HOSTILE
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("line", "word"), REFUSED)
def test_refuses_a_value_that_becomes_text(line: str, word: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_shell_line(line)
    assert word in str(caught.value)
    assert caught.value.fragment == "{{ vars.x }}"
    assert caught.value.cure


def test_a_list_becomes_words(tmp_path: Path) -> None:
    assert run("printf '<%s>' {{ vars.x }}", ["a b", "*", ""], tmp_path).stdout == b"<a b><*><>"


def test_a_mapping_is_refused() -> None:
    with pytest.raises(ExpressionError, match="mapping"):
        parse_shell_line("echo {{ vars.x }}").fill({"vars": {"x": {}}})


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=40))
def test_any_value_arrives_as_written(value: str) -> None:
    assert run("printf '%s' {{ vars.x }}", value, Path("/")).stdout.decode() == value


@given(st.text(alphabet="'\"`$(){}\\#<\n; aE-", max_size=30))
def test_no_line_breaks_the_scanner(text: str) -> None:
    with suppress(ExpressionError):
        parse_shell_line(text + " {{ vars.x }}")
