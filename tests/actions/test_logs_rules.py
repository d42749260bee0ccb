"""The rules: each does what its lines say, what is looked for in one pass finds all that holds, and a cache only saves
time."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.actions.logs import matcher, pack
from runner.actions.logs.columns import cut_columns
from runner.actions.logs.condition import build_check
from runner.actions.logs.detector import Detector, read_fields
from runner.actions.logs.forms import flatten
from runner.actions.logs.layouts import COMBINED, Entry
from runner.actions.logs.pack import HOME, RuleFile, build_pack, find_files, load_detector
from runner.actions.logs.patterns import compiled
from runner.actions.logs.sigma import Correlation, Rule
from runner.actions.logs.trial import check_rule
from runner.errors import Refused

FILES = find_files()
PACK = build_pack(FILES)
DETECTOR = Detector(PACK.looked_for())
RULE = """\
title: Uji
id: 00000000-0000-4000-8000-000000000001
logsource: {category: webserver}
detection:
    selection:
        cs-uri-query|contains: rahasia
    condition: selection
level: high
"""


def rule_file(text: str, path: str = "uji.yml") -> RuleFile:
    return RuleFile(path, "here", text)


def entry(
    request: str = "GET / HTTP/1.1", *, status: str = "200", referer: str = "-", agent: str = "Mozilla/5.0"
) -> Entry:
    texts = [text.encode("latin-1") for text in (request, status, "1", referer, agent)]
    return Entry(b"203.0.113.9", b"22/Nov/2026:09:00:00 +0700", *texts)


def names(line: Entry, detector: Detector = DETECTOR) -> set[str]:
    return {met.rule.name for met in detector.judge(line)}


@pytest.mark.parametrize("name", sorted(rule.name for rule in PACK))
def test_a_rule_meets_what_its_lines_say(name: str) -> None:
    rule = PACK.find(name)
    assert rule is not None
    assert list(check_rule(rule, PACK, DETECTOR)) == []


def test_only_rules_that_need_what_no_log_has_are_blind() -> None:
    blind = {rule.name for rule in PACK.rules.values() if rule.blind}
    assert len(blind) == 3
    assert all(PACK.origins[name] == "sigmahq" for name in blind)


def test_all_public_webserver_rules_are_there_with_licence_and_authors() -> None:
    files = list((HOME / "sigmahq").glob("*.yml"))
    assert len(files) == 86
    assert all(re.search(r"^author: \S", path.read_text("utf-8"), re.MULTILINE) for path in files)
    assert "Detection Rule License (DRL) 1.1" in (HOME / "sigmahq/LICENSE").read_text("utf-8")


def test_no_rule_is_held_against_every_line() -> None:
    found = dict(zip((rule.name for rule in PACK.looked_for()), DETECTOR.anchors, strict=True))
    assert {name for name, anchors in found.items() if not anchors} == {"every_request"}


# Pieces of lines: of the rules' own texts, of encodings, and of what is usual.
_LITERALS = sorted(
    {
        text.decode("latin-1")
        for rule in PACK.looked_for()
        for text in re.findall(
            rb"[ -~]{3,40}",
            b" ".join(anchor.pattern.replace(b"\\", b"") for anchor in DETECTOR.anchors[PACK.looked_for().index(rule)]),
        )
        for text in text.split(b"|")
        if text
    }
)
_PIECES = st.one_of(
    st.sampled_from(_LITERALS),
    st.sampled_from(
        ["%2e", "%252e", "%u002f", "%c0%af", "\\x27", "/**/", "/*!50000", "*/", "+", "%20", "%0a", "=", "&", "?", "/"]
    ),
    st.sampled_from(
        ["union", "select", "from", "' or '1'='1", "../", "/etc/passwd", "<script>", "${jndi:ldap://", ";id;", "%"]
    ),
    st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters='"\\\n'), max_size=6),
    st.sampled_from(["PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==", "JyBPUiAnMSc9JzEgVU5JT04gU0VMRUNU"]),
    st.sampled_from(["§", "\t", "\x0b", "\x00", " like ", ";", "https://", "/images/", ".php"]),
    st.sampled_from(["%01", "] ", "++", "%c0%bc"]),
)
_TEXTS = st.lists(_PIECES, max_size=6).map(lambda pieces: "".join(pieces).replace('"', "%22").rstrip("\\"))


def written(text: str) -> str:
    """The text with quotes (§) as a log writes them."""
    return re.sub(r"\\*§", r'\\"', text)


def encoded(text: str, how: int) -> str:
    """The text with some of its characters in hex, once or twice."""
    once = "".join(
        f"%{ord(char):02x}" if (n + how) % 3 == 0 and ord(char) < 256 else char for n, char in enumerate(text)
    )
    return once if how % 2 else once.replace("%", "%25")


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(_TEXTS, _TEXTS, _TEXTS, st.sampled_from(["200", "404", "302", "500"]), st.integers(0, 9)),
        min_size=1,
        max_size=6,
    )
)
def test_looking_for_anchors_finds_all_that_holds(lines: list[tuple[str, str, str, str, int]]) -> None:
    entries = [
        entry(
            written(f"{'POST' if how % 2 else 'GET'} /{encoded(target, how) if how > 4 else target} HTTP/1.1"),
            status=status,
            referer=written(referer),
            agent=written(agent),
        )
        for target, referer, agent, status, how in lines
    ]
    block = b"".join(
        b'%s - - [%s] "%s" %s %s "%s" "%s"\n' % (e.address, e.moment, e.request, e.status, e.size, e.referer, e.agent)
        for e in entries
    )
    columns, unknown = cut_columns(block)
    assert unknown == []
    assert sorted(DETECTOR.find(block, COMBINED), key=repr) == sorted(DETECTOR.find_in(columns), key=repr)
    found = {line[2:]: {each.rule.name for each in met} for line, met in DETECTOR.find(block, COMBINED)}
    for number in range(len(columns.requests)):
        line = columns.entry(number)
        expected = {
            rule.name for rule in PACK.looked_for() if build_check(rule.condition)(read_fields(line))
        } - DETECTOR.every
        assert found.get(line[2:], set()) == expected


def test_re2_and_hyperscan_find_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    assert matcher.describe_engine().startswith("hyperscan")
    lines = [example for rule in PACK.looked_for() for example in (*rule.match, *rule.clean)]
    entries = [entry(line.split('"')[0]) for line in lines]
    block = b"".join(
        b'%s - - [%s] "%s" 200 1 "-" "%s"\n'
        % (e.address, e.moment, e.request, line.encode("latin-1", "replace").replace(b'"', b""))
        for e, line in zip(entries, lines, strict=True)
    )
    columns, _ = cut_columns(block)
    expected = list(DETECTOR.find(block, COMBINED)), list(DETECTOR.find_in(columns))
    assert expected[0]
    monkeypatch.setattr(matcher, "_hyperscan", lambda: None)
    assert matcher.describe_engine() == "re2"
    other = Detector(PACK.looked_for())
    assert (list(other.find(block, COMBINED)), list(other.find_in(columns))) == expected


def test_a_cache_is_used_and_one_that_is_damaged_costs_only_time(tmp_path: Path) -> None:
    first, _ = load_detector(cache=tmp_path)
    (place,) = tmp_path.iterdir()
    again, detector = load_detector(cache=tmp_path)
    assert dict(again.rules) == dict(first.rules)
    assert dict(again.correlations) == dict(first.correlations)
    assert "sql_union" in names(entry("GET /?id=1+union+select+1 HTTP/1.1"), detector)
    whole = place.read_bytes()
    for damaged in (
        b"",
        whole[:1000],
        whole.replace(b"union", b"onion"),
        b"\x00" * 100,
        _resealed(b"{}"),
        _resealed(b"[1]"),
    ):
        place.write_bytes(damaged)
        pack_, detector = load_detector(cache=tmp_path)
        assert dict(pack_.rules) == dict(first.rules)
        assert "sql_union" in names(entry("GET /?id=1+union+select+1 HTTP/1.1"), detector)
        assert place.read_bytes() == whole


def _resealed(body: bytes) -> bytes:
    import hashlib

    return hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found, _ = load_detector(cache=tmp_path / "file" / "cache")
    assert found.rules


def test_only_the_newest_caches_are_kept(tmp_path: Path) -> None:
    for number in range(9):
        (tmp_path / f"rules-{number}.json").write_text("old")
    load_detector(cache=tmp_path)
    assert len(list(tmp_path.glob("rules-*.json"))) == pack.KEPT_CACHES


def test_a_court_adds_rules_of_its_own_and_replaces_ours(tmp_path: Path) -> None:
    (tmp_path / "uji.yml").write_text(RULE)
    ours = PACK.rules["secret_file"]
    (tmp_path / "ganti.yml").write_text(
        RULE.replace("00000000-0000-4000-8000-000000000001", ours.id).replace("rahasia", "/sangat")
    )
    found, detector = load_detector([tmp_path], cache=tmp_path / "cache")
    assert names(entry("GET /?q=RAHASIA HTTP/1.1"), detector) == {"uji"}
    assert "secret_file" not in found.rules
    assert names(entry("GET /.env HTTP/1.1"), detector) == set()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (RULE.replace("webserver", "process_creation"), "not for access logs"),
        (RULE.replace("cs-uri-query", "CommandLine"), "no field 'CommandLine'"),
        (RULE.replace("cs-uri-query", "c-ip"), "no field 'c-ip'"),
        (RULE.replace("condition: selection", "condition: selektion"), "no Sigma rule"),
        (RULE.replace("detection:", "deteksi:"), "no Sigma rule"),
        (RULE.replace("|contains: rahasia", "|re: '(?=x)y'"), "is not a pattern"),
        (RULE.replace("|contains: rahasia", r"|re: '(a)\1'"), "is not a pattern"),
        (RULE.replace("|contains: rahasia", "|re: '" + "a" * 20000 + "'"), "longer than"),
        ("- satu\n- dua\n", "no mapping"),
        ("a: &x [*x]\n", "uji.yml"),
        (RULE + "level: low\n", "level"),
        (RULE.replace("id: 0", "name: sql_union\nid: 0"), "the name 'sql_union'"),
    ],
)
def test_a_rule_with_a_mistake_is_refused_with_its_file(wrong: str, words: str) -> None:
    with pytest.raises(Refused) as caught:
        build_pack([*FILES, rule_file(wrong)])
    assert words in str(caught.value)
    assert "uji.yml" in str(caught.value)


def test_a_correlation_must_count_a_rule_that_is_there() -> None:
    counted = "{type: event_count, rules: [hilang], group-by: [c-ip], timespan: 1m, condition: {gte: 3}}"
    text = f"title: x\ncorrelation: {counted}\n"
    with pytest.raises(Refused, match="no rule 'hilang'"):
        build_pack([*FILES, rule_file(text)])


def test_a_catastrophic_pattern_takes_no_longer_than_its_text(tmp_path: Path) -> None:
    import time

    (tmp_path / "uji.yml").write_text(RULE.replace("|contains: rahasia", "|re: '^(a+)+$|(x+x+)+y|(.*.*.*)*z=1$'"))
    _, detector = load_detector([tmp_path], cache=tmp_path / "cache")
    started = time.process_time()
    names(entry("GET /" + "a" * 30_000 + "!" + "x" * 30_000 + " HTTP/1.1"), detector)
    assert time.process_time() - started < 3


def test_what_a_status_denies_is_only_lowered_to_an_attempt() -> None:
    text = RULE.replace(
        "condition: selection", "filter:\n        sc-status: 404\n    condition: selection and not filter"
    )
    found = build_pack([rule_file(text)])
    assert names(entry("GET /rahasia HTTP/1.1", status="404"), Detector(found.looked_for())) == {"uji"}


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("GET /?id=%2531%2527%2520or%25201%253D1 HTTP/1.1", "sql_condition"),
        ("GET /?id=1%20/*!50000UNION*/%20/**/SELECT/**/user() HTTP/1.1", "sql_union"),
        ("GET /..%c0%af..%c0%afwindows/win.ini HTTP/1.1", "path_traversal"),
        ("GET /?f=%u002e%u002e%u002f%u002e%u002e%u002fetc/passwd HTTP/1.1", "path_traversal"),
        ("GET /?q=PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg== HTTP/1.1", "script_injection"),
        ("GET /?q=\\x3cscript\\x3ealert(1) HTTP/1.1", "script_injection"),
        ("GET /?Q=%3CScRiPt%3Ealert(1)%3C/sCrIpT%3E HTTP/1.1", "script_injection"),
        ("GET /?q=%uff1cscript%uff1ealert(1) HTTP/1.1", "script_injection"),
    ],
)
def test_what_hides_behind_an_encoding_is_found(line: str, rule: str) -> None:
    assert rule in names(entry(line))


def test_every_rule_can_be_told_by_json(tmp_path: Path) -> None:
    load_detector(cache=tmp_path)
    (place,) = tmp_path.iterdir()
    document = json.loads(place.read_bytes().partition(b"\n")[2])
    assert len(document["rules"]) + len(document["correlations"]) == len(list(PACK))
    assert {type(rule) for rule in PACK} == {Rule, Correlation}
    assert compiled.cache_info().misses > 0


@given(
    st.binary(max_size=40).map(lambda text: text.replace(b"\n", b""))
    | st.text("aZ+ /*!5\t\0%", max_size=40).map(str.encode)
)
def test_flat_text_has_no_case_no_comments_and_single_blanks(text: bytes) -> None:
    opened = re.sub(rb'/\*!?\d{0,6}([^*"\n]{0,200})\*/', rb" \1 ", text)
    assert flatten(text) == re.sub(rb"[+ \t\r\x0b\x0c\x00]+", b" ", opened).lower()
