"""Parser expressions: values out of what a command printed."""

from __future__ import annotations

import time

import pytest

from runner.expressions import ExpressionError, Missing, parse_template

DF = "Filesystem Size Use% Mounted on\n/dev/vda1 40G 63% /\n/dev/vdb1 99G 96% /var/www\n"


def fill(expression: str, text: str) -> object:
    return parse_template("{{ " + expression + " }}").fill({"item": text})


@pytest.mark.parametrize(
    ("expression", "text", "value"),
    [
        (r"item | regex_search('(\d+)%') | int", DF, 63),
        (r"item | regex_search('\d+%')", DF, "63%"),
        (r"item | regex_search('(\d+)G +(\d+)%')", DF, ["40", "63"]),
        (
            r"item | regex_findall('(?P<used>\d+)% (?P<place>.+)')",
            DF,
            [{"used": "63", "place": "/"}, {"used": "96", "place": "/var/www"}],
        ),
        (r"item | regex_findall('(\d+)%') | map('int') | max", DF, 96),
        (r"item | regex_findall('nothing')", DF, []),
        (r"item | regex_search('nothing') | default('-')", DF, "-"),
        (r"item | regex_search('(?i)FILESYSTEM')", DF, "Filesystem"),
        (r"item | regex_search('é(.)')", "éà", "à"),
        ("(item | from_json).load[0]", '{"load": [0.5, 1]}', 0.5),
        (r"item | regex_search('\\bFile')", DF, "File"),
        (r"item | replace('\\', '/')", r"C:\x", "C:/x"),
        ("item.splitlines()[1].split()[2]", DF, "63%"),
    ],
)
def test_reads(expression: str, text: str, value: object) -> None:
    assert fill(expression, text) == value


def test_what_matches_nothing_is_not_there() -> None:
    with pytest.raises(Missing, match="has no value"):
        fill("item | regex_search('nothing')", DF)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "NaN,"])
def test_what_is_not_json_is_told(text: str) -> None:
    with pytest.raises(ExpressionError, match=r"this is not JSON|nested too deeply"):
        fill("item | from_json", text)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("item | regex_search('(')", "'(' is not a pattern: missing )"),
        (r"item | regex_search('(a)\\1')", "is not a pattern: invalid escape sequence"),
        ("item | regex_search('(?=a)')", "is not a pattern: invalid perl operator"),
        (r"item | regex_search('\bFile')", "the pattern of 'regex_search' holds a control character"),
        ("item | regex_search(item)", "'regex_search' takes one pattern, written as text"),
        ("item | regex_findall", "'regex_findall' takes one pattern, written as text"),
        ("item | regex_search('" + "a" * 1001 + "')", "a pattern has at most 1000 characters"),
    ],
)
def test_a_wrong_pattern_is_refused_before_the_run(expression: str, message: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        parse_template("{{ " + expression + " }}")
    assert message in str(refused.value)
    assert refused.value.cure


def test_no_pattern_takes_longer_than_its_text() -> None:
    began = time.process_time()
    fill("item | regex_findall('(a*)*b')", "a" * 50_000)
    assert time.process_time() - began < 5


def test_a_value_without_text_is_told() -> None:
    with pytest.raises(ExpressionError, match="there is no text to read in a int"):
        parse_template("{{ item | regex_search('a') }}").fill({"item": 5})
