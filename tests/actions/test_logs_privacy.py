"""What leaves an access log names nobody: whatever stands in its lines, however it is written there."""

from __future__ import annotations

import json
import stat
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.actions.logs.privacy import (
    mask_address,
    public_agent,
    public_host,
    public_path,
    public_target,
    redact,
    token_of,
)
from runner.actions.logs_scan import ACTION
from runner.contract import Outcome
from runner.errors import Failed, RecordError
from runner.events import outcome_to_json
from runner.record.keys import load_key
from tests.calls import NOW, make_call, read_evidence

KEY = b"k" * 32
NAMES = ("budisantoso", "siti-rahmawati", "Joko Widagdo", "nurhalimah")
PLACES = (
    "/perkara/penggugat/{}/lihat",
    "/putusan-tergugat-{}",
    "/list?nama={}",
    "/?q={}&page=1' or 1=1--",
    "/.env?x={}",
    "/{}-bin-{}/union select",
    "/users/{}",
    "/~{}/etc/passwd",
    "http://{}:{}@luar.example/x.php",
    "/wp-login.php?log={}&pwd={}",
)
NUMBERS = ("1706010101900001", "19700101 199503 1 001", "+62 812-3456-7890", "081234567890", "17.0601.010190.0001")
NUMBER_PLACES = ("/{}", "/cari/{}.html", "/a?x={}", "/images/{}.php", "/..%2f..%2fetc/passwd?{}", "/berkas_{}_akhir")
SECRETS = ("Rahasia#2026!", "k4tas4ndiKu", "s3sam0")
SECRET_PLACES = (
    "/login?password={}",
    "/reset/{}",
    "/api/token={}",
    "/x;jsessionid={}",
    "/masuk/sandi/{}",
    "/?union select {}",
)
TOKENS = (
    "9f86d081884c7d659a2feaa0c55ad015",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcDEF123",
    "AbC123dEf456GhI789_jkl",
)
TOKEN_PLACES = ("/unduh/{}", "/a/{}.pdf", "/images/{}.php", "/?t={}")
MAILS = ("budi.santoso@example.go.id", "o'brien@example.com")
SHOWN = {"Joko", "Widagdo", "budi", "santoso", "brien", "Rahasia"}
FORMS = (str, quote, lambda text: quote(quote(text, safe=""), safe=""), lambda text: quote(text, safe=""))

AGENTS = ("Mozilla/5.0 ({0})", "{0}Bot/1.0", "{0} (+mailto:{0})", "Mozilla/5.0 (compatible; {0}bot/2.1; +{0})")

PLANTED = st.one_of(
    st.tuples(st.sampled_from(PLACES), st.sampled_from(NAMES)),
    st.tuples(st.sampled_from(NUMBER_PLACES), st.sampled_from(NUMBERS)),
    st.tuples(st.sampled_from(SECRET_PLACES), st.sampled_from(SECRETS)),
    st.tuples(st.sampled_from(TOKEN_PLACES), st.sampled_from(TOKENS)),
    st.tuples(st.sampled_from(TOKEN_PLACES), st.sampled_from(MAILS)),
)


def scan(folder: Path, log: str) -> tuple[Outcome, str]:
    """The outcome of a scan, and all of it that is not restricted, as text."""
    path = folder / "access.log"
    path.write_text(log, encoding="utf-8", errors="surrogateescape")
    target = {"name": "pn_contoh", "kind": "website", "access_log": str(path)}
    call = make_call(ACTION, directory=folder, target=target)
    outcome = ACTION.run(call)
    public = [read_evidence(call, each).decode() for each in outcome.evidence if "restricted" not in each.name]
    return outcome, json.dumps(outcome_to_json(outcome), ensure_ascii=False) + "".join(public)


def line(target: str, address: str, referer: str = "-", agent: str = "Mozilla/5.0") -> str:
    moment = (NOW - timedelta(hours=1)).strftime("%d/%b/%Y:%H:%M:%S +0000")
    return f'{address} - budi [{moment}] "GET {target} HTTP/1.1" 200 5 "{referer}" "{agent}"\n'


def bare(text: str) -> str:
    """Letters and digits alone, so that a blank or a dash between does not hide what leaks."""
    return "".join(filter(str.isalnum, text)).casefold()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80, deadline=None)
@given(
    planted=st.lists(st.tuples(PLANTED, st.sampled_from(FORMS)), min_size=1, max_size=8),
    address=st.ip_addresses(network="203.0.113.0/24") | st.ip_addresses(network="2001:db8:aaaa::/48"),
)
@pytest.mark.promise(
    "The record's life", "personal data in the lines of a log", "in no output, problem or report of the scan"
)
def test_nothing_that_was_planted_leaves_a_scan(tmp_path: Path, planted: list, address: object) -> None:  # type: ignore[type-arg]  # of strategies
    written = [(place.replace("{}", form(text)), text) for (place, text), form in planted]
    referers = [f"https://luar.example/{quote(text)}?nama={quote(text)}" for _, text in written]
    agents = [AGENTS[n % len(AGENTS)].format(text.replace('"', "")) for n, (_, text) in enumerate(written)]
    log = "".join(
        line(target.replace(" ", "%20"), str(address), referer, agent)
        for (target, _), referer, agent in zip(written, referers, agents, strict=True)
    )
    _, told = scan(tmp_path, log)
    for _, text in written:
        assert bare(text) not in bare(told)
        assert not any(word in text and word in told for word in SHOWN)
    assert str(address) not in told.replace(mask_address(str(address)), "")


@pytest.mark.parametrize("place", PLACES + NUMBER_PLACES + SECRET_PLACES)
def test_what_is_shown_of_a_target_is_still_of_use(place: str) -> None:
    shown = public_target(place.replace("{}", "x"))
    assert shown.isprintable()
    assert len(shown) <= 281


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("/berita/2026/11/putusan-gugatan-sederhana", "/berita/2026/11/putusan-gugatan-sederhana"),
        ("/index.php?id=1%27%20union%20select%201,2--", "/index.php?id=0' union select 0,0--"),
        ("/cgi-bin/..%252f..%252fetc/passwd", "/cgi-bin/../../etc/passwd"),
        ("/?q=Budi+Santoso+perkara+cerai", "/?q=…+…+…+…"),
        ("/profil/sejarah-pengadilan", "/profil/sejarah-pengadilan"),
        ("/pengumuman-lelang-2026-tahap-2", "/pengumuman-lelang-2026-tahap-2"),
        ("/wp-content/uploads/2026/11/shell.php", "/wp-content/uploads/2026/11/shell.php"),
    ],
)
def test_honest_words_and_attacks_stay_readable(target: str, shown: str) -> None:
    assert public_target(target) == shown


@given(st.text(max_size=300))
def test_any_text_can_be_shown(text: str) -> None:
    for shown in (public_path(text), public_target(text), redact(text), public_host(f"https://{text}")):
        assert len(shown) <= max(300, len(text) * 20)
    assert public_target(text).replace("…", "").replace("·", "").isprintable()


@pytest.mark.parametrize(
    ("referer", "host"),
    [
        ("https://www.google.com/search?q=budi+santoso", "www.google.com"),
        ("http://budi:sandi@luar.example:8080/a", "luar.example"),
        ("https://203.0.113.77/x", "203.0.113.0/24"),
        ("android-app://com.example", ""),
        ("-", ""),
        ("https://081234567890.example.net/", "….example.net"),
    ],
)
def test_of_a_referer_only_the_host_is_shown(referer: str, host: str) -> None:
    assert public_host(referer) == host


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "Googlebot"),
        ("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", "bingbot"),
        ("curl/8.5.0", "curl"),
        ("Mozilla/5.0 zgrab/0.x", "zgrab"),
        ("budisantosoBot/1.0 (+mailto:budi@example.com)", "lainnya"),
        ("", "lainnya"),
    ],
)
def test_of_an_agent_only_the_name_of_a_known_program_is_shown(agent: str, name: str) -> None:
    assert public_agent(agent) == name


def test_a_token_tells_visitors_apart_and_not_who_they_are() -> None:
    assert token_of(KEY, "203.0.113.7") == token_of(KEY, "::ffff:203.0.113.7")
    assert token_of(KEY, "203.0.113.7") != token_of(KEY, "203.0.113.8")
    assert token_of(KEY, "203.0.113.7") != token_of(b"o" * 32, "203.0.113.7")
    assert len(token_of(KEY, "203.0.113.7")) == 10


def test_findings_name_a_masked_network_and_a_token(tmp_path: Path) -> None:
    log = line("/.env", "203.0.113.7") * 3 + line("/.env", "203.0.113.8")
    outcome, _ = scan(tmp_path, log)
    (row,) = outcome.outputs["suspicious"]
    assert [(source["network"], source["requests"]) for source in row["top_sources"]] == [
        ("203.0.113.0/24", 3),
        ("203.0.113.0/24", 1),
    ]
    assert len({source["token"] for source in row["top_sources"]}) == 2


@pytest.mark.promise("The record's life", "raw lines that must be kept", "kept apart, with reason, keeper and last day")
def test_raw_lines_are_kept_apart_with_reason_keeper_and_end(tmp_path: Path) -> None:
    outcome, told = scan(tmp_path, line("/.env", "203.0.113.7"))
    (kept,) = outcome.outputs["restricted"]
    assert kept["sha256"] in {each.sha256 for each in outcome.evidence}
    assert (kept["until"], kept["keeper"]) == ("2027-02-20", "admin")
    assert "keamanan" in kept["reason"]
    assert "203.0.113.7" not in told


def test_the_office_says_how_long_raw_lines_are_kept(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text(line("/.env", "203.0.113.7"))
    target = {"name": "pn_contoh", "kind": "website", "access_log": str(log)}
    office = {"timezone": "Asia/Jakarta", "personal_data": {"keep": "30 hari", "keeper": "kasubbag"}}
    outcome = ACTION.run(make_call(ACTION, directory=tmp_path, target=target, office=office))
    assert (outcome.outputs["restricted"][0]["until"], outcome.outputs["restricted"][0]["keeper"]) == (
        "2026-12-22",
        "kasubbag",
    )
    office["personal_data"] = {"keep": "lama"}
    with pytest.raises(Failed, match=r"personal_data\.keep"):
        ACTION.run(make_call(ACTION, directory=tmp_path, target=target, office=office))


def test_a_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    key = load_key(tmp_path / "records", "pn_contoh")
    assert load_key(tmp_path / "records", "pn_contoh") == key
    assert load_key(tmp_path / "records", "pn_lain") != key
    files = list((tmp_path / "records" / "keys").iterdir())
    assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o600, 0o600]
    files[0].chmod(0o644)
    files[1].chmod(0o644)
    with pytest.raises(RecordError, match="chmod 600"):
        load_key(tmp_path / "records", "pn_contoh")


def test_a_key_that_was_cut_off_is_not_used(tmp_path: Path) -> None:
    load_key(tmp_path / "records", "pn_contoh")
    (file,) = (tmp_path / "records" / "keys").iterdir()
    file.write_bytes(b"short")
    with pytest.raises(RecordError, match="no key"):
        load_key(tmp_path / "records", "pn_contoh")
