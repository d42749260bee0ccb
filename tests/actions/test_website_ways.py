"""website.available over time and by every way to the site: addresses, families, spellings, tries, damping."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from runner.actions.website_available import ACTION
from runner.contract import Outcome, Severity
from runner.errors import Failed
from tests.calls import NOW, assert_fits, make_call
from tests.registry_servers import dns_server
from tests.web_servers import Reply, closed_port, make_authority, page_server, raw_server, resets, says, silent

HOME = "<!doctype html><title>Pengadilan Negeri Contoh</title><main><h1>Selamat datang</h1><p>Berita</p></main>"
SITE = "https://pn-contoh.example/"


def check(
    folder: Path,
    url: str,
    inputs: Mapping[str, Any] | None = None,
    *,
    earlier: Outcome | None = None,
    now: datetime = NOW,
    limit: float = 20.0,
) -> Outcome:
    target = {"name": "pn_contoh", "kind": "website", "url": url}
    given = {"tries": 1, "pause": "0.01s", **(inputs or {})}
    outputs = earlier.outputs if earlier else None
    outcome = ACTION.run(
        make_call(ACTION, given, directory=folder, target=target, earlier=outputs, now=now, limit=limit)
    )
    assert_fits(ACTION, outcome.outputs)
    return outcome


def keys(outcome: Outcome) -> list[tuple[str, Severity]]:
    return [(problem.key, problem.severity) for problem in outcome.problems]


def place(url: str) -> str:
    return url.rpartition("/")[2]


@contextmanager
def fails_first(times: int, then: bytes = b"") -> Iterator[tuple[str, list[str]]]:
    """A server that breaks its first answers, each in another way, and then serves the page."""
    lock, asked = threading.Lock(), list[str]()
    answers = [b"", b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"]

    def talk(plug: socket.socket, stopping: threading.Event) -> None:
        with lock:
            number = len(asked)
            asked.append("")
        page = f"HTTP/1.1 200 OK\r\nContent-Length: {len(HOME)}\r\n\r\n{HOME}".encode()
        says(answers[number % 2] if number < times else page)(plug, stopping)

    with raw_server(talk) as url:
        yield url, asked


def test_a_visit_that_fails_is_made_again(tmp_path: Path) -> None:
    with fails_first(1) as (url, asked):
        outcome = check(tmp_path, url, {"tries": 3})
    assert (outcome.outputs["available"], outcome.problems, len(asked)) == (True, (), 2)
    assert [(each["cause"], each["reason"]) for each in outcome.outputs["tries"]] == [
        ("broken", "sambungan putus atau jawaban rusak (tahap first_byte): RemoteDisconnected")
    ]


def test_the_causes_of_several_visits_are_kept_apart(tmp_path: Path) -> None:
    with fails_first(9) as (url, asked):
        outcome = check(tmp_path, url, {"tries": 4})
    assert len(asked) == 4
    assert [each["cause"] for each in outcome.outputs["tries"]] == ["broken", "status", "broken", "status"]
    assert outcome.outputs["reason"] == (
        "server menjawab dengan status 503 "
        "(percobaan sebelumnya: sambungan putus atau jawaban rusak (tahap first_byte): RemoteDisconnected)"
    )
    assert keys(outcome) == [("website.unavailable", Severity.CRITICAL)]


def test_tries_share_the_time_that_there_is(tmp_path: Path) -> None:
    with raw_server(silent) as url:
        outcome = check(tmp_path, url, {"tries": 3}, limit=0.6)
    assert len(outcome.outputs["tries"]) == 3
    assert outcome.outputs["cause"] == "time"


@pytest.mark.parametrize(
    ("statuses", "status", "available"),
    [
        (["2xx"], 204, True),
        (["200-299", 403], 403, True),
        (["200-299", 403], 404, False),
        (["4xx"], 200, False),
        ([200, "500-503"], 504, False),
    ],
)
def test_statuses_are_numbers_ranges_and_classes(
    tmp_path: Path, statuses: list[Any], status: int, available: bool
) -> None:
    with page_server({"/": Reply("" if status == 204 else HOME, status)}) as url:
        assert check(tmp_path, url, {"statuses": statuses}).outputs["available"] is available


@pytest.mark.parametrize(
    ("inputs", "cause", "words"),
    [
        ({"header_contains": {"X-Frame-Options": "SAMEORIGIN"}}, "", ""),
        ({"header_contains": {"x-frame-options": "deny"}}, "header", "x-frame-options tidak memuat 'deny'"),
        ({"header_contains": {"X-Court": ""}}, "header", "X-Court tidak ada"),
        ({"header_lacks": {"X-Powered-By": "PHP/5"}}, "header", "X-Powered-By memuat 'PHP/5', padahal tidak boleh"),
        ({"header_lacks": {"X-Powered-By": ""}}, "header", "X-Powered-By ada, padahal tidak boleh"),
        ({"header_lacks": {"X-Powered-By": "PHP/8", "X-Court": ""}}, "", ""),
        ({"smallest": len(HOME)}, "", ""),
        ({"smallest": 5000}, "size", f"halaman hanya {len(HOME)} byte, paling sedikit 5000"),
    ],
)
def test_headers_and_the_smallest_size_are_demands(
    tmp_path: Path, inputs: dict[str, Any], cause: str, words: str
) -> None:
    headers = {"X-Frame-Options": "SameOrigin", "X-Powered-By": "PHP/5.6"}
    with page_server({"/": Reply(HOME, headers=headers)}) as url:
        outputs = check(tmp_path, url, inputs).outputs
    assert outputs["cause"] == cause
    assert words in outputs["reason"]


def test_every_phase_has_its_verdict(tmp_path: Path) -> None:
    authority = make_authority(tmp_path)
    slow = {"lookup": 30, "connect": 30, "tls": 30, "first_byte": 1e-9, "body": 30}
    with page_server({"/": HOME}, authority.context()) as url:
        outcome = check(tmp_path, url, {"ca_file": str(authority.ca_file), "slow": slow})
    assert outcome.outputs["phases"] == {
        "lookup": "ok",
        "connect": "ok",
        "tls": "ok",
        "first_byte": "slow",
        "body": "ok",
    }
    assert keys(outcome) == [("website.slow", Severity.MINOR)]
    assert "lambat: menunggu jawaban" in outcome.problems[0].message
    with raw_server(resets) as url:
        broken = check(tmp_path, url)
    assert broken.outputs["phases"] == {
        "lookup": "ok",
        "connect": "ok",
        "tls": "not_reached",
        "first_byte": "ok",
        "body": "failed",
    }


def test_a_name_that_a_dns_server_does_not_answer_for_is_unknown(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        server = f"127.0.0.1:{deaf.getsockname()[1]}"
        outcome = check(tmp_path, "http://pn-contoh.example/", {"dns_resolver": server}, limit=0.6)
    assert (outcome.outputs["available"], outcome.outputs["cause"]) == (None, "own_network")
    assert "pencarian nama pn-contoh.example tidak dijawab" in outcome.outputs["reason"]
    assert outcome.outputs["phases"]["lookup"] == "failed"


def test_a_name_that_the_dns_does_not_know_is_the_site_s_fault(tmp_path: Path) -> None:
    with dns_server({}) as server:
        outcome = check(tmp_path, "http://pn-contoh.example/", {"dns_resolver": server})
    assert (outcome.outputs["cause"], outcome.outputs["reason"]) == (
        "name",
        "nama pn-contoh.example tidak dikenal di DNS",
    )


def test_a_dns_server_s_addresses_are_visited(tmp_path: Path) -> None:
    with page_server({"/": HOME}) as url, dns_server({"A": ["127.0.0.1"]}) as server:
        name = url.replace("127.0.0.1", "pn-contoh.example")
        assert check(tmp_path, name, {"dns_resolver": server}).outputs["available"] is True


def test_a_dead_address_beside_a_living_one_is_a_problem_of_its_own(tmp_path: Path) -> None:
    with page_server({"/": HOME}) as url:
        table = {"pn-contoh.example": [f"127.0.0.2:{closed_port()}", place(url)]}
        outcome = check(tmp_path, "http://pn-contoh.example/", {"resolve": table, "variants": False})
    assert outcome.outputs["available"] is True
    assert keys(outcome) == [("website.address_unavailable:127.0.0.2", Severity.MAJOR)]
    assert {each["address"]: each["way"] for each in outcome.outputs["addresses"]} == {
        "127.0.0.1": "ok",
        "127.0.0.2": "failed",
    }


def test_a_site_that_refuses_over_ipv6_only_is_told_by_family(tmp_path: Path) -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        refused = listener.getsockname()[1]
    with page_server({"/": HOME}) as url:
        table = {"pn-contoh.example": [f"[::1]:{refused}", place(url)]}
        outcome = check(tmp_path, "http://pn-contoh.example/", {"resolve": table, "variants": False})
    assert outcome.outputs["available"] is True
    assert keys(outcome) == [("website.unavailable_over_ipv6", Severity.MAJOR)]
    assert outcome.problems[0].message.endswith("melalui IPv6 (::1): koneksi ditolak oleh server.")


def test_all_addresses_dead_is_one_problem(tmp_path: Path) -> None:
    table = {"pn-contoh.example": [f"127.0.0.{n}:{closed_port()}" for n in (1, 2, 3)]}
    outcome = check(tmp_path, "http://pn-contoh.example/", {"resolve": table})
    assert keys(outcome) == [("website.unavailable", Severity.CRITICAL)]


def sites(folder: Path, plain: Reply, secure: Reply, names: str = "pn-contoh.example") -> Any:
    """Serve a site over http and https; yield what leads its names there."""
    authority = make_authority(folder)

    @contextmanager
    def serve() -> Iterator[dict[str, Any]]:
        with (
            page_server({"/": plain}) as http,
            page_server({"/": secure}, authority.context(name=names)) as https,
        ):
            table = {
                f"{name}:{port}": [place(url)]
                for name in ("pn-contoh.example", "www.pn-contoh.example")
                for port, url in ((80, http), (443, https))
            }
            yield {"resolve": table, "ca_file": str(authority.ca_file)}

    return serve()


def test_every_spelling_of_the_address_is_followed(tmp_path: Path) -> None:
    to_https = Reply(status=301, headers={"Location": SITE})
    with sites(tmp_path, to_https, Reply(HOME)) as inputs:
        outcome = check(tmp_path, SITE, inputs)
    assert outcome.outputs["available"] is True
    found = {each["url"]: (each["way"], each["reason"]) for each in outcome.outputs["variants"]}
    assert found == {
        "http://pn-contoh.example/": ("ok", ""),
        "https://pn-contoh.example/": ("ok", ""),
        "http://www.pn-contoh.example/": ("ok", ""),
        "https://www.pn-contoh.example/": ("failed", "sertifikat bukan untuk nama situs ini"),
    }
    assert keys(outcome) == [("website.variant:https://www.pn-contoh.example/", Severity.MINOR)]


def test_http_that_does_not_lead_to_https_is_told(tmp_path: Path) -> None:
    with sites(tmp_path, Reply(HOME), Reply(HOME)) as inputs:
        outcome = check(tmp_path, SITE, inputs)
    told = [key for key, _ in keys(outcome)]
    assert "website.variant:http://pn-contoh.example/" in told
    ways = {each["url"]: each["way"] for each in outcome.outputs["variants"]}
    assert ways["http://pn-contoh.example/"] == "insecure"


def test_https_that_leads_back_to_http_is_not_available(tmp_path: Path) -> None:
    back = Reply(status=302, headers={"Location": "http://pn-contoh.example/"})
    with sites(tmp_path, Reply(HOME), back) as inputs:
        outcome = check(tmp_path, SITE, inputs)
    assert (outcome.outputs["cause"], keys(outcome)) == ("redirect", [("website.unavailable", Severity.CRITICAL)])
    assert "dari https ke http yang tidak aman" in outcome.outputs["reason"]


def test_a_www_that_nobody_registered_is_not_missed(tmp_path: Path) -> None:
    with page_server({"/": HOME}) as url, dns_server({}) as server:
        inputs = {"resolve": {"pn-contoh.example:80": [place(url)]}, "dns_resolver": server}
        outcome = check(tmp_path, "http://pn-contoh.example/", inputs)
    ways = {each["url"]: each["way"] for each in outcome.outputs["variants"]}
    assert ways["http://www.pn-contoh.example/"] == "not_offered"
    assert [key for key, _ in keys(outcome)] == ["website.variant:https://pn-contoh.example/"]


@pytest.mark.parametrize("table", [{"a.example": ["nowhere"]}, {"a.example": ["nowhere:80"]}])
def test_a_table_of_names_must_lead_to_addresses(tmp_path: Path, table: dict[str, list[str]]) -> None:
    with pytest.raises(Failed, match=r"resolve: .*write for example"):
        check(tmp_path, "http://a.example/", {"resolve": table})


def test_a_site_is_down_after_so_many_checks_and_up_after_so_many(tmp_path: Path) -> None:
    damping = {"down_after": 2, "up_after": 2}
    dead = f"http://127.0.0.1:{closed_port()}"
    told: list[tuple[Any, str, list[str]]] = []
    last: Outcome | None = None
    with page_server({"/": HOME}) as url:
        for number, where in enumerate((url, dead, url, dead, dead, url, url)):
            now = NOW + timedelta(minutes=5 * number)
            last = check(tmp_path, where, damping, earlier=last, now=now)
            told.append((last.outputs["available"], last.outputs["state"], [p.key for p in last.problems]))
    down = ["website.unavailable"]
    assert told == [
        (True, "up", []),
        (False, "up", []),
        (True, "up", []),
        (False, "up", []),
        (False, "down", down),
        (True, "down", down),
        (True, "up", []),
    ]
    assert last
    assert last.outputs["recent"] == "1010011"


def test_what_was_down_stays_so_while_our_own_network_is_out(tmp_path: Path) -> None:
    dead = f"http://127.0.0.1:{closed_port()}"
    with raw_server(silent) as reference:
        first = check(tmp_path, dead, {"references": [place(reference)]})
    unknown = check(tmp_path, dead, {"references": [f"127.0.0.1:{closed_port()}"]}, earlier=first)
    assert (unknown.outputs["available"], unknown.outputs["state"]) == (None, "down")
    assert [key for key, _ in keys(unknown)] == ["website.unavailable", "office.network"]
    with page_server({"/": HOME}) as url:
        well = check(tmp_path, url, earlier=unknown)
    assert (well.problems, well.outputs["state"], well.outputs["recent"]) == ((), "up", "0?1")


def test_a_fault_in_a_maintenance_window_is_no_problem(tmp_path: Path) -> None:
    dead, window = f"http://127.0.0.1:{closed_port()}", "Minggu 11.00-12.00 WITA"
    inside, after = datetime(2026, 11, 22, 3, 30, tzinfo=UTC), datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
    during = check(tmp_path, dead, {"maintenance": [window]}, now=inside)
    assert (during.outputs["available"], during.outputs["maintenance"], during.problems) == (False, window, ())
    assert during.outputs["recent"] == "m"
    later = check(tmp_path, dead, {"maintenance": [window]}, now=after, earlier=during)
    assert (later.outputs["maintenance"], keys(later)) == ("", [("website.unavailable", Severity.CRITICAL)])


def test_a_window_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Failed, match=r"maintenance: .*write for example"):
        check(tmp_path, "http://127.0.0.1/", {"maintenance": ["nanti malam"]})
