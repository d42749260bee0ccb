"""YAML as people write it in this domain: what stands there is what is meant, and every mistake has its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import Mistake, Refused
from runner.source import DEEPEST_NESTING, load_source, parse_source


def read(text: str) -> Any:
    """The data of YAML text."""
    return parse_source(text, "x.yml").data


def refused(text: str) -> list[str]:
    """The mistakes of YAML text."""
    with pytest.raises(Refused) as error:
        parse_source(text, "x.yml")
    return [str(mistake) for mistake in error.value.mistakes]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("No: 1", {"No": 1}),
        ("no: tidak", {"no": "tidak"}),
        ("ya: on", {"ya": "on"}),
        ("y: Yes", {"y": "Yes"}),
        ("on: off", {"on": "off"}),
        ("true: false", {"true": False}),
        ("a: True", {"a": "True"}),
        ("a: TRUE", {"a": "TRUE"}),
        ("a: Null", {"a": "Null"}),
        ("a: null", {"a": None}),
        ("a: ~", {"a": None}),
        ("a:", {"a": None}),
        ("jam: 16:30", {"jam": "16:30"}),
        ("jam: 1:30:00", {"jam": "1:30:00"}),
        ("16:30: out", {"16:30": "out"}),
        ("tanggal: 2026-11-23", {"tanggal": "2026-11-23"}),
        ("tanggal: 2026-11-23T08:00:00Z", {"tanggal": "2026-11-23T08:00:00Z"}),
        ("a: 1_000", {"a": "1_000"}),
        ("a: 0x1F", {"a": "0x1F"}),
        ("a: 0o17", {"a": "0o17"}),
        ("a: 007", {"a": "007"}),
        ("a: 1e3", {"a": "1e3"}),
        ("a: .5", {"a": ".5"}),
        ("a: .inf", {"a": ".inf"}),
        ("a: 1.50", {"a": 1.5}),
        ("a: -3", {"a": -3}),
        ("a: +3", {"a": 3}),
        ("a: 999999999999999999", {"a": 999999999999999999}),
        ("a: 9999999999999999999", {"a": "9999999999999999999"}),
        ("a: " + "9" * 5000, {"a": "9" * 5000}),
        ('a: "1"', {"a": "1"}),
        ("a: !!str 1", {"a": "1"}),
        ("1: a", {"1": "a"}),
        ("null: a", {"null": "a"}),
        ("a: é — 😀", {"a": "é — 😀"}),
        ("", None),
        ("# only a comment", None),
        ("a: &x [1]\nb: *x", {"a": [1], "b": [1]}),
    ],
)
def test_values_mean_what_is_written(text: str, value: Any) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("waktu: -", {"waktu": "-"}),
        ("waktu: - ", {"waktu": "-"}),
        ("waktu: -   # tidak ada", {"waktu": "-"}),
        ("a:\n  waktu: -\n  b: 1", {"a": {"waktu": "-", "b": 1}}),
        ("- waktu: -\n- waktu: -", [{"waktu": "-"}, {"waktu": "-"}]),
        ("- - waktu: -", [[{"waktu": "-"}]]),
        ("a: 1\nwaktu: -\nb: -\nc: 2", {"a": 1, "waktu": "-", "b": "-", "c": 2}),
        ("waktu baku: -\r\nb: 1\r\n", {"waktu baku": "-", "b": 1}),
        ("a:\n  - 1\n  - 2", {"a": [1, 2]}),
        ("a:\n-\n- 1", {"a": [None, 1]}),
        ("a: |\n  waktu: -\n  x", {"a": "waktu: -\nx"}),
        ('a: "-"', {"a": "-"}),
    ],
)
def test_a_bare_dash_is_the_norm_that_the_form_shows(text: str, value: Any) -> None:
    assert read(text) == value


def test_places_hold_after_a_bare_dash() -> None:
    source = parse_source("waktu: -   # x\nb: {c: 1}\n", "x.yml")
    assert str(source.mistake(("b", "c"), "m")) == "x.yml:2:8: m."


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        ("a: 1\nb: 2\na: 3", ["x.yml:3:1: the key 'a' stands twice (first in line 1). keep one of them"]),
        ("{é: 1, x: 2, é: 3}", ["x.yml:1:14: the key 'é' stands twice (first in line 1). keep one of them"]),
        ("a: !!int 1", ["x.yml:1:4: the tag 'tag:yaml.org,2002:int' has no meaning here. leave it out"]),
        ("a: !vault x", ["x.yml:1:4: the tag '!vault' has no meaning here. leave it out"]),
        ("a: !!python/object:os.system x", None),
        (
            "a: &x {b: 1}\nc:\n  <<: *x",
            ["x.yml:3:3: merge keys are not supported. write the keys out, or put them under vars"],
        ),
        ("? [a]\n: b", ["x.yml:1:3: a key must be plain text. write the key as one word"]),
        ("a: *b", ["x.yml:1:4: the alias '*b' stands before the end of its anchor. write the value out"]),
        ("&a [*a]", ["x.yml:1:5: the alias '*a' stands before the end of its anchor. write the value out"]),
        ("a: 1\n---\nb: 2", ["x.yml:2:1: a second document begins here. keep one document in a file"]),
        ("a:\n\tb: 1", None),
        ("a: 'x", None),
        ("a: b: c", None),
        ("a: @x", None),
    ],
)
def test_what_has_no_meaning_here_is_a_mistake_with_its_place(text: str, mistakes: list[str] | None) -> None:
    found = refused(text)
    assert found == mistakes if mistakes else found[0].startswith("x.yml:")


def test_several_mistakes_are_told_at_once() -> None:
    assert [text.split(":")[1:3] for text in refused("a: 1\na: !x 2\n<<: {}\n")] == [["2", "1"], ["2", "4"], ["3", "1"]]


def test_tabs_get_a_cure() -> None:
    [mistake] = refused("a:\n\tb: 1\n")
    assert mistake.startswith("x.yml:2:1: not valid YAML: ")
    assert mistake.endswith("indent with spaces, not tabs")


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        (
            "a: 1\nb 2\nc: 3\n",
            "x.yml:2:1: not valid YAML: could not find expected ':' for what begins here, noticed in line 3. "
            "write the key with a colon and a space after it, such as 'server: web1'",
        ),
        (
            "a: 1\nb: 'no end\nc: 2\nd: 3\n",
            "x.yml:2:4: not valid YAML: the quote that begins here has no end. close it with the same quote",
        ),
        (
            "a 1\nb: 2\n",
            "x.yml:2:2: not valid YAML: mapping values are not allowed in this context. is the colon of the line "
            "before missing?",
        ),
        (
            "a: {{ b }} days\n",
            "x.yml:1:12: not valid YAML: did not find expected comment or line break. "
            'put the whole value in quotes, such as "{{ vars.x }} days"',
        ),
    ],
)
def test_usual_slips_get_their_cure(text: str, mistake: str) -> None:
    [found] = refused(text)
    if "days" not in text:
        assert found == mistake
    else:  # the words before the cure are libyaml's
        assert found.split(". ", 1)[1] == mistake.split(". ", 1)[1]


@pytest.mark.parametrize(
    ("text", "place", "written"),
    [
        ("a: {{ b }}\n", "1:4", '"{{ b }}"'),
        ("a: {b: {{ c | default('x') }}}\n", "1:8", "\"{{ c | default('x') }}\""),
        ('a: [1, {{ b == "c" }}, {{ d }}]\n', "1:8", "'{{ b == \"c\" }}'"),
        ("a: {{ b == 'c' and d == \"e\" }}\n", "1:4", "'{{ b == ''c'' and d == \"e\" }}'"),
    ],
)
def test_braces_without_quotes_are_told_with_what_to_write(text: str, place: str, written: str) -> None:
    first = refused(text)[0]
    assert first == f"x.yml:{place}: {{{{ }}}} stands here without quotes. write {written}"
    found: list[Mistake] = []
    data = parse_source(text, "x.yml", collect=found).data
    assert json.dumps(read(f"a: {written}\n")["a"]) in json.dumps(data)


@pytest.mark.promise("Fuzzing", "a billion laughs in YAML", "refused in time")
def test_an_alias_bomb_does_not_go_off() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    [mistake] = refused("\n".join(lines))
    assert "aliases blow this file up" in mistake


@pytest.mark.parametrize(("begin", "end"), [("[", "]"), ("{a: ", "}")])
@pytest.mark.promise("Fuzzing", "very deep YAML", "refused with its place")
def test_deep_nesting_is_refused_and_less_is_not(begin: str, end: str) -> None:
    assert "nested more than" in refused(begin * 100_000 + "1" + end * 100_000)[0]
    assert read(begin * DEEPEST_NESTING + "1" + end * DEEPEST_NESTING)


@pytest.mark.parametrize("text", ["a: \x00", "a: \ud800", "a: \x07", "\x00"])
def test_what_is_not_text_is_refused(text: str) -> None:
    assert "not valid YAML" in refused(text)[0] or "not YAML" in refused(text)[0]


def test_a_file_may_have_a_byte_order_mark_and_windows_lines(tmp_path: Path) -> None:
    path = tmp_path / "x.yml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\nb:\r\n  c: \xc3\xa9\r\n  c: 2\r\n")
    with pytest.raises(Refused) as error:
        load_source(path, "x.yml")
    assert str(error.value).startswith("x.yml:4:3: the key 'c' stands twice")


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    (tmp_path / "latin.yml").write_bytes(b"a: \xe9")
    for name, message in (("none.yml", "No such file"), ("latin.yml", "not UTF-8 at byte 3"), (".", "directory")):
        with pytest.raises(Refused) as error:
            load_source(tmp_path / name, name)
        assert message in str(error.value)


def test_mistakes_that_leave_the_rest_readable_can_be_collected() -> None:
    collected: list[Mistake] = []
    source = parse_source("a: 1\na: 2\nb: 3", "x.yml", collect=collected)
    assert [mistake.line for mistake in collected] == [2]
    assert source.data == {"a": 2, "b": 3}


@pytest.mark.parametrize(
    ("path", "key", "find", "place"),
    [
        (("ä", 1), False, "", "3:5"),
        (("ä",), True, "", "1:1"),
        (("ä", 0, "ö"), False, "", "2:14"),
        (("ä", 0, "ö"), True, "", "2:5"),
        (("ä", 0, "ö"), False, "{{ z }}", "2:18"),
        (("ä", 0, "not there"), False, "", "2:5"),
        (("not there",), False, "", "1:1"),
    ],
)
def test_places_are_exact_in_text_of_any_language(
    path: tuple[str | int, ...], key: bool, find: str, place: str
) -> None:
    source = parse_source("ä:\n  - ö:       é 😀 {{ z }}\n  - 'é'\n", "x.yml")
    assert str(source.mistake(path, "m", key=key, find=find)) == f"x.yml:{place}: m."


LETTERS = st.characters(codec="utf-8", categories=["L", "N", "P", "Z", "S"])
NAMES = st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.text(LETTERS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@given(PLAIN)
def test_what_is_written_reads_back_the_same(data: Any) -> None:
    assert read(yaml.safe_dump(data, allow_unicode=True)) == data


@pytest.mark.parametrize("name", ["a\0.yml", "\ud800.yml", "none.yml", "a" * 5000])
def test_what_can_be_no_file_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"cannot be read: .*check the path"):
        load_source(tmp_path / name, "x.yml")
