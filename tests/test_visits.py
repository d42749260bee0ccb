"""Log aktivitas pengunjung: what is counted, never twice, and what the paper says of what it does not know."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.cli import run as sop
from runner.contract import Outcome, Status
from runner.events import Event, Kind, outcome_to_json
from runner.record.journal import Journal
from runner.reports.paper.model import Block, Chart, Heading, Line, Table, flatten
from runner.reports.pen import take_pen
from runner.reports.periodic.terms import parse_term
from runner.reports.visits import Scan, Visits, choose_apart, gather_visits
from runner.reports.visits_page import build_visits
from tests.event_factory import RunFactory

WIB = ZoneInfo("Asia/Jakarta")
PEN = take_pen({"timezone": "WIB"})
TERM = parse_term("2026-11")
PERIOD = TERM.period(WIB)
MIDNIGHT = datetime(2026, 11, 1, tzinfo=WIB)
NAMES = {"pn_contoh": "Website Pengadilan Negeri Contoh"}.get


def event(at: datetime, outputs: dict[str, Any], target: str = "pn_contoh", status: Status = Status.OK) -> Event:
    data = {"action": "logs.scan", "item": None, **outcome_to_json(Outcome(status, outputs=outputs))}
    return Event(Kind.TASK_FINISHED, "run", at.astimezone(UTC), step="s", task="t", target=target, tries=1, data=data)


def a_scan(day: int, span: int = 24, **more: Any) -> Event:
    """A scan at 07.00 of the hours before it, 100 requests an hour."""
    at = MIDNIGHT + timedelta(days=day - 1, hours=7)
    first = at - timedelta(hours=span)
    days: dict[str, int] = {}
    for hour in range(span):
        name = (first + timedelta(hours=hour)).date().isoformat()
        days[name] = days.get(name, 0) + 100
    outputs = {
        "verdict": "clean",
        "lines": span * 101,
        "not_understood": span,
        "complete": True,
        "first": first.astimezone(UTC).isoformat(),
        "last": (at - timedelta(seconds=1)).astimezone(UTC).isoformat(),
        "requests": span * 100,
        "addresses": 300 + day,
        "transferred": span * 1_000_000,
        "statuses": {"200": span * 90, "404": span * 10},
        "days": days,
        "visits": span * 8,
        "bot_visits": span * 2,
        "bot_requests": span * 30,
        "hours": {f"{hour:02d}": 100 * (6 <= hour < 18) for hour in range(24)},
        "top_pages": [{"path": "/", "requests": 40}, {"path": "/berita/putusan", "requests": 12}],
        "missing_pages": [{"path": "/hilang", "requests": 3}],
        "top_referers": [{"host": "www.google.com", "requests": 20}],
        "top_bots": [{"name": "Googlebot", "requests": 15}],
        "suspicious": [],
    }
    return event(at, {**outputs, **more})


FINDING = {
    "rule": "sql_injection",
    "title": "penyisipan perintah SQL",
    "severity": "major",
    "attempts": 40,
    "likely_successes": 1,
    "first": "2026-11-12T02:00:00+00:00",
    "last": "2026-11-12T02:20:00+00:00",
    "top_sources": [{"network": "203.0.113.0/24", "token": "64d781942d", "requests": 38}],
    "examples": ["/index.php?id=0' union select 0,0--"],
}
KEPT = {"name": "hits.restricted.jsonl", "sha256": "9f" * 32, "size": 9, "until": "2027-02-10", "keeper": "admin"}


def a_month() -> Iterator[Event]:
    """Eight weeks before and the month itself; an attack on the 12th, no scan from the 19th to the 21st."""
    drawn = random.Random(7)
    for day in range(-55, 31):
        if day in (19, 20, 21):
            continue
        outputs: dict[str, Any] = {"verdict": "likely_intrusion", "suspicious": [FINDING], "restricted": [KEPT]}
        more = outputs if day == 12 else {"verdict": "unknown", "complete": False} if day == 25 else {}
        scan = a_scan(day, **more)
        days = {name: round(number * drawn.uniform(0.7, 1.4)) for name, number in scan.data["outputs"]["days"].items()}
        yield a_scan(day, **more, days=days)


def build(events: Sequence[Event] = ()) -> list[Block]:
    found = gather_visits(events or list(a_month()), PERIOD)
    return list(flatten(build_visits(found, TERM, lambda name: NAMES(name) or name, PEN)))


def words(blocks: Sequence[Block]) -> str:
    lines = [block.text for block in blocks if isinstance(block, (Line, Heading))]
    cells = [line.text for b in blocks if isinstance(b, Table) for row in b.rows for cell in row for line in cell]
    return "\n".join([*lines, *cells])


def site(found: Visits) -> Any:
    return found.sites["pn_contoh"]


def test_scans_that_follow_each_other_are_added() -> None:
    found = site(gather_visits([a_scan(2), a_scan(3), a_scan(4)], PERIOD))
    assert (found.counted, found.sums["requests"], found.sums["visits"], found.lines) == (3, 7200, 576, 7272)
    assert (found.addresses, found.not_understood, found.hours[7], found.statuses["404"]) == (304, 72, 300, 720)
    assert found.days[date(2026, 11, 2)] == 2400
    assert found.lists["top_pages"]["/"] == 120


def test_scans_that_see_the_same_lines_are_counted_once() -> None:
    hourly = [a_scan(3, 24 + 24 * part) for part in range(4)]
    found = site(gather_visits([a_scan(2), *hourly, a_scan(3)], PERIOD))
    assert found.counted == 1
    assert (found.scans, found.sums["requests"]) == (6, 9600)
    assert found.days[date(2026, 11, 2)] == 2400


def test_what_was_fetched_counts_once_by_its_increment() -> None:
    one, two = {"id": "a", "gap": None}, {"id": "b", "gap": {"from": 0, "to": 9, "why": "rotated"}}
    scans = [a_scan(3, increment=one), a_scan(3, increment=one), a_scan(3, increment=two), a_scan(4, increment=None)]
    found = site(gather_visits(scans, PERIOD))
    assert (found.scans, found.counted, found.sums["requests"], found.gaps) == (4, 2, 4800, 1)
    assert "1 kali sebagian log hilang sebelum sempat diambil" in words(build(scans))


def test_the_day_of_the_office_counts_and_the_scan_after_the_period_completes_its_last_day() -> None:
    found = gather_visits([a_scan(30), a_scan(31)], PERIOD)
    assert site(found).days[date(2026, 11, 30)] == 2400
    assert (site(found).scans, found.as_of) == (1, MIDNIGHT + timedelta(days=29, hours=7))


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 20), st.integers(0, 50)), max_size=9))
def test_the_choice_never_overlaps_and_no_other_counts_more_lines(spans: list[tuple[int, int, int]]) -> None:
    scans = [
        Scan(MIDNIGHT, MIDNIGHT + timedelta(days=f), MIDNIGHT + timedelta(days=f + n), {"lines": k})
        for f, n, k in spans
    ]
    chosen = choose_apart(scans)
    assert _apart(chosen)
    best = max(
        (_weight(some) for size in range(len(scans) + 1) for some in combinations(scans, size) if _apart(some)),
        default=0,
    )
    assert _weight(chosen) == best


def _apart(scans: Sequence[Scan]) -> bool:
    ordered = sorted(scans, key=lambda scan: (scan.last, scan.first))
    return all(one.last <= two.first + timedelta(minutes=10) for one, two in pairwise(ordered))  # type: ignore[operator]  # made with both


def _weight(scans: Sequence[Scan]) -> int:
    return sum(max(1, scan.lines) for scan in scans)


@pytest.mark.parametrize("value", [None, "x", [], {}, -1, 1.5, True, [{"path": None}], [1], {"x": "y"}])
def test_outputs_of_another_shape_are_blanks(value: Any) -> None:
    names = a_scan(3).data["outputs"]
    for name in names:
        found = gather_visits([a_scan(3, **{name: value}), a_scan(5, suspicious=[{"rule": 1, name: value}])], PERIOD)
        assert list(build_visits(found, TERM, str, PEN))


def test_a_scan_of_before_shows_what_it_has() -> None:
    at = MIDNIGHT + timedelta(days=3)
    found = gather_visits([event(at, {"verdict": "clean", "days": {"2026-11-03": 70}})], PERIOD)
    assert site(found).days == {date(2026, 11, 3): 70}
    assert site(found).sums["visits"] is None
    assert "–" in words(build([event(at, {"verdict": "clean", "days": {"2026-11-03": 70}})]))


def test_every_paper_says_lines_examined_not_understood_and_gaps() -> None:
    text = words(build())
    assert "65.448 baris log diperiksa, 648 di antaranya tidak dikenali bentuknya." in text
    assert "40 temuan mencurigakan; 1 diduga berhasil dan harus diperiksa." in text
    assert "Sebagian log tidak terbaca atau tidak dapat dipastikan" in text
    assert "tidak ada permintaan yang tercatat pada tanggal 19, 20." in text
    assert "203.0.113.0/24 [64d781942d]: 38" in text
    assert "1 berkas baris asli disimpan terpisah untuk keamanan sistem, paling lama sampai 10 Februari 2027" in text


def test_nothing_suspicious_is_said_with_the_lines_examined_and_only_then() -> None:
    assert "Tidak ditemukan permintaan yang mencurigakan; 2.424 baris diperiksa." in words(build([a_scan(3)]))
    empty = a_scan(3, verdict="unknown", lines=0, requests=0, first=None, last=None, days={}, statuses={}, hours={})
    text = words(build([empty]))
    assert "Aktivitas pengunjung tidak diketahui." in text
    assert "Tidak ditemukan" not in text


def test_no_scan_is_no_good_news() -> None:
    (line,) = build_visits(gather_visits([], PERIOD), TERM, str, PEN)
    assert isinstance(line, Line)
    assert "tidak diketahui" in line.text
    failed = event(MIDNIGHT, {}, status=Status.FAILED)
    assert gather_visits([failed], PERIOD).sites == {}


def test_the_trend_shows_the_weeks_before() -> None:
    weeks = next(b for b in build() if isinstance(b, Chart) and "minggu" in b.title)
    assert (len(weeks.labels), weeks.labels[0]) == (14, "31/8")
    assert weeks.series[0].values[1] is not None
    assert any(change in words(build()) for change in ("naik ", "turun "))


def test_many_sites_fit_on_one_paper() -> None:
    events = [event(e.at, dict(e.data["outputs"]), f"site{n:03d}") for n in range(300) for e in (a_scan(3), a_scan(4))]
    blocks = build(events)
    assert sum(len(block.rows) for block in blocks if isinstance(block, Table)) < 1100
    assert "site299" in words(blocks)


def test_the_command_makes_the_same_page_from_the_same_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("inventory.yml").write_text(
        "office: {name: Pengadilan Negeri Contoh, timezone: Asia/Jakarta}\n"
        'websites: {pn_contoh: {title: Website PN Contoh, url: "https://pn-contoh.example"}}\n'
    )
    with Journal.open(tmp_path / "records") as journal:
        for number, scan in enumerate(a_month()):
            run = RunFactory(f"{scan.at:%Y%m%d-%H%M}-aaaa{number % 9}", start=scan.at)
            events = run.whole(Outcome(Status.OK, dict(scan.data["outputs"])))
            done = events[3]
            events[3] = replace(done, target="pn_contoh", data={**done.data, "action": "logs.scan"})
            journal.append(events)
        head = journal.printed_head()
    more = ["-i", "inventory.yml", "--docx"]
    for folder in ("satu", "dua"):
        assert sop(["report", "pengunjung", "2026-11", "-o", folder, *more]) == 0
    assert "Traceback" not in capsys.readouterr().err
    names = sorted(path.name for path in Path("satu").iterdir())
    assert "pengunjung-2026-11.html" in names
    for name in names:
        assert (Path("satu") / name).read_bytes() == (Path("dua") / name).read_bytes()
    page = Path("satu/pengunjung-2026-11.html").read_text()
    assert head in page
    assert page.count("<svg") == 3
    assert "LOG AKTIVITAS PENGUNJUNG" in page
