from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.actions.web.damping import Damping, Watched, advance, keep, open_problems, recall
from runner.actions.web.telling import find_instability
from runner.actions.web.windows import find_window, parse_window
from runner.contract import Problem, Severity

WIB = ZoneInfo("Asia/Jakarta")
NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
DOWN = Problem("website.unavailable", Severity.CRITICAL, "mati")


def told(signs: str, damping: Damping) -> str:
    """Feed checks ("1" well, "0" faulty, "?" not judged) and return after which of them the problem is told of."""
    watched: dict[str, Watched] = {}
    answer = ""
    for number, sign in enumerate(signs):
        seen = [DOWN] if sign == "0" else []
        judged = frozenset[str]() if sign == "?" else None
        now = NOW + timedelta(minutes=5 * number)
        watched = advance(recall({"watched": keep(watched)}), seen, judged=judged, damping=damping, now=now)
        answer += "!" if open_problems(watched, damping) else "."
    return answer


@pytest.mark.parametrize(
    ("signs", "expected", "damping"),
    [
        ("1011", ".!..", Damping()),
        ("10101010", "........", Damping(2, 2)),
        ("10011", "..!!.", Damping(2, 2)),
        ("1000101011", "...!!!!!!.", Damping(3, 2)),
        ("10?0??0?1?1", "......!!!!.", Damping(3, 2)),
        ("0?????", "!!!!!!", Damping()),
    ],
)
def test_a_fault_is_told_of_after_so_many_and_over_after_so_many(signs: str, expected: str, damping: Damping) -> None:
    assert told(signs, damping) == expected


@given(st.text("01?", max_size=60), st.integers(1, 4), st.integers(1, 4))
def test_no_fault_opens_or_ends_with_fewer_checks_than_asked_for(signs: str, down: int, up: int) -> None:
    answer = told(signs, Damping(down, up))
    for number in range(1, len(answer)):
        before = signs[: number + 1].replace("?", "")
        if answer[number - 1 : number + 1] == ".!":
            assert before.endswith("0" * down)
        elif answer[number - 1 : number + 1] == "!.":
            assert before.endswith("1" * up)


def test_an_open_fault_keeps_since_when_it_was_seen() -> None:
    damping = Damping(2, 2)
    watched: dict[str, Watched] = {}
    for number, seen in enumerate(([DOWN], [DOWN], [], [DOWN])):
        watched = advance(watched, seen, judged=None, damping=damping, now=NOW + timedelta(minutes=number))
    assert watched["website.unavailable"].since == "2026-11-22T02:00:00+00:00"
    recovering = advance(watched, [], judged=None, damping=damping, now=NOW)
    assert open_problems(recovering, damping)[0].message == "mati Pulih pada 1 dari 2 pemeriksaan berturut-turut."


@pytest.mark.parametrize(
    ("recent", "most", "unstable"),
    [("101010101010", 6, True), ("111000111000", 6, False), ("1?0?1m0101", 5, True), ("1010101", 0, False)],
)
def test_a_site_that_goes_up_and_down_is_unstable(recent: str, most: int, unstable: bool) -> None:
    assert bool(find_instability(recent, most, "https://pn-contoh.example")) is unstable


def at(text: str, zone: str = "Asia/Jakarta") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("window", "inside", "outside"),
    [
        ("setiap hari 01.00-02.00", "2026-11-22 01:30", "2026-11-22 02:00"),
        ("01:00-02:00", "2026-11-25 01:00", "2026-11-25 00:59"),
        ("Sabtu 22.00-02.00 WIB", "2026-11-22 01:59", "2026-11-21 21:59"),  # the 21st is a Saturday
        ("Sabtu 22.00-02.00 WIB", "2026-11-21 22:00", "2026-11-23 01:00"),
        ("Senin-Rabu, Jum'at 12.00-13.00", "2026-11-27 12:10", "2026-11-26 12:10"),
        ("jumat - senin 12.00-13.00", "2026-11-22 12:10", "2026-11-25 12:10"),
        ("Minggu 09.00-10.00 WITA", "2026-11-22 08:30", "2026-11-22 09:30"),  # 08.30 WIB is 09.30 WITA
        ("Minggu 09.00-10.00 WIT", "2026-11-22 07:30", "2026-11-22 08:30"),
        ("2026-11-22 20.00-23.00 WIB", "2026-11-22 22:59", "2026-11-29 22:00"),
        ("22 Nopember 2026 22.00-02.00", "2026-11-23 01:59", "2026-11-24 01:00"),
        ("Minggu, 22 November 2026 20.00 - 24 November 2026 04.00", "2026-11-23 12:00", "2026-11-24 04:00"),
    ],
)
def test_maintenance_windows_are_read_as_announced(window: str, inside: str, outside: str) -> None:
    windows = [parse_window(window, WIB)]
    assert find_window(windows, at(inside)) == window
    assert find_window(windows, at(outside)) == ""


@pytest.mark.parametrize(
    "text",
    [
        *("", "nanti malam", "Sabtu", "Sabtoe 22.00-02.00", "25.00-26.00", "2026-02-30 01.00-02.00"),
        *("2026-11-22 20.00 - 2026-11-21 04.00", "2026-11-22 20.00 - 2027-11-21 04.00", "Senin 01.00 - Rabu 02.00"),
    ],
)
def test_what_is_no_window_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="write for example"):
        parse_window(text, WIB)
