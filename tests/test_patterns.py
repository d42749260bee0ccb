from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import Refused
from runner.inventory.patterns import select_names, split_terms

NAMES = dict.fromkeys(["web1", "web2", "web3", "web10", "db1", "db2", "lone", "2001:db8::5", "fe80::1"])
GROUPS = {
    "all": [*NAMES],
    "web": ["web1", "web2", "web3", "web10"],
    "db": ["db1", "db2"],
    "production": ["web1", "db1"],
    "empty": [],
}


def select(pattern: str) -> str:
    return " ".join(select_names(pattern, NAMES, GROUPS))


def refusal(pattern: str) -> str:
    with pytest.raises(Refused) as caught:
        select(pattern)
    return str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("web1", "web1"),
        ("db2:web1", "web1 db2"),
        ("db2, web1", "web1 db2"),
        ("all", "web1 web2 web3 web10 db1 db2 lone 2001:db8::5 fe80::1"),
        ("web:&production", "web1"),
        ("web:db:&production", "web1 db1"),
        ("web:!web3:!db", "web1 web2 web10"),
        ("!web:!lone", "db1 db2 2001:db8::5 fe80::1"),
        ("&production", "web1 db1"),
        ("web?", "web1 web2 web3"),
        ("web[1-2]", "web1 web2"),
        ("lon[ae]", "lone"),
        ("*1", "web1 db1 fe80::1"),
        ("prod*", "web1 db1"),
        ("~web[12]$", "web1 web2"),
        ("~(?:web|db)1", "web1 web10 db1"),
        ("~web\\d{1,2}$,lone", "web1 web2 web3 web10 lone"),
        ("web[0]", "web1"),
        ("web[-1]", "web10"),
        ("web[1:2]", "web2 web3"),
        ("web[2:]", "web3 web10"),
        ("web[0:1]:!web1", "web2"),
        ("all[-2:]", "2001:db8::5 fe80::1"),
        ("2001:db8::5", "2001:db8::5"),
        ("web1:2001:db8::5", "web1 2001:db8::5"),
        ("2001:db8::5,web1", "web1 2001:db8::5"),
        ("db:!db2:2001:db8::5:fe80::1", "db1 2001:db8::5 fe80::1"),
    ],
)
def test_selects_as_ansible_does(pattern: str, expected: str) -> None:
    assert select(pattern) == expected


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("wbe1", "--limit: 'wbe1' selects nothing: there is no such target or group. did you mean 'web1'"),
        ("web1:prodution", "'prodution' selects nothing: there is no such target or group. did you mean 'production'?"),
        ("all:!lonely", "'lonely' selects nothing: there is no such target or group. did you mean 'lone'?"),
        ("mail*", "'mail*' selects nothing: no name matches"),
        ("web[7]", "'web[7]' selects nothing: 'web' has 4 targets"),
        ("empty", "'empty' selects nothing: the group is empty"),
        ("web:!web", "'web:!web' selects nothing"),
        ("", "the pattern is empty"),
        ("~web(", "'~web(' is not a regular expression"),
        ("@missing.txt", "missing.txt: cannot be read: No such file or directory"),
        ("x" * 70_000, "the pattern is longer than 65536 characters"),
    ],
)
def test_a_term_that_selects_nothing_is_a_mistake(pattern: str, expected: str) -> None:
    assert expected in refusal(pattern)


def test_all_wrong_terms_are_named_at_once() -> None:
    assert refusal("wbe1:dbb").count("\n") == 1


def test_a_file_holds_patterns_and_its_mistakes_have_lines(tmp_path: Path) -> None:
    file = tmp_path / "failed.txt"
    file.write_text("# failed yesterday\nweb1\n\ndb*  # both\n!db2\n")
    assert select(f"@{file}") == "web1 db1"
    assert select(f"@{file}:lone") == "web1 db1 lone"
    file.write_text("web1\nwbe2\n")
    assert f"{file}:2:1: 'wbe2' selects nothing" in refusal(f"@{file}")


def test_a_regular_expression_cannot_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.inventory.patterns.REGEX_SECONDS", 0.5)
    started = time.monotonic()
    with pytest.raises(Refused, match=r"takes longer than 0\.5 seconds"):
        select_names("~(a+)+$", {"a" * 60 + "b": None}, {})
    assert time.monotonic() - started < 3


def test_ten_thousand_names_are_selected_quickly() -> None:
    names = dict.fromkeys(f"host{i}" for i in range(10_000))
    started = time.process_time()
    select_names(":".join([*names][:2000]), names, {"all": [*names]})
    assert time.process_time() - started < 0.5


SIGNED = st.tuples(
    st.sampled_from(["", "&", "!"]), st.sampled_from(["web1", "db2", "lone", *GROUPS, "2001:db8::5", "*2"])
)


@given(terms=st.lists(SIGNED, min_size=1, max_size=5), separator=st.sampled_from([":", ",", " , "]))
def test_agrees_with_plain_sets(terms: list[tuple[str, str]], separator: str) -> None:
    def members(term: str) -> set[str]:
        return {"web2", "db2"} if term == "*2" else set(GROUPS.get(term, [term]))

    plain = [members(term) for sign, term in terms if sign == ""]
    expected = set.union(*plain) if plain else set(NAMES)
    for sign, term in terms:
        if sign:
            expected = expected & members(term) if sign == "&" else expected - members(term)
    pattern = separator.join(sign + term for sign, term in terms)
    if any(term == "empty" for _, term in terms) or not expected:
        assert "selects nothing" in refusal(pattern)
    else:
        assert select(pattern).split() == [name for name in NAMES if name in expected]


@given(st.text(alphabet="ab1:,!&~*?[](){}@|\\+- \n.é", max_size=20).filter(lambda text: "@" not in text))
def test_any_text_selects_or_is_refused(pattern: str) -> None:
    try:
        found = select_names(pattern, NAMES, GROUPS)
    except Refused:
        return
    assert found
    assert set(found) <= set(NAMES)


@given(st.lists(st.sampled_from(["web1", "2001:db8::5", "fe80::1", "db"]), min_size=1, max_size=4))
def test_names_with_colons_stay_whole(terms: list[str]) -> None:
    assert split_terms(":".join(terms), NAMES) == [("", term) for term in terms]
