"""People's acts on paper: deputies are named as such, waits for third parties stand apart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from runner.events import Key
from runner.record.document import Answer, Hand
from runner.reports.activities import describe_answer, describe_hand
from runner.reports.office import Office
from runner.reports.pen import Pen

NINE = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
KEY = Key("forward", 1, "sign", None, "", 1)
PEN = Pen(ZoneInfo("Asia/Jakarta"))


def test_a_deputy_is_named_as_one() -> None:
    answer = Answer(KEY, "kasubbag", "Rina", "signed", "login", "", "", NINE, acting="Plh")
    [who, when] = describe_answer(answer, Office({}), PEN)
    assert who.text == "ditandatangani oleh Rina (Plh)"
    assert when.text == "23 November 2026, 09.00 WIB"


def test_a_wait_for_a_third_party_tells_from_when_until_when() -> None:
    hand = Hand(KEY, "PT Contoh", "Siti", "tiket 7", NINE)
    assert [line.text for line in describe_hand(hand, PEN)] == [
        "Pada pihak ketiga PT Contoh: tiket 7",
        "sejak 23 November 2026, 09.00 WIB",
    ]
    back = hand._replace(until=NINE + timedelta(hours=2), remark="kabel diganti")
    assert [line.text for line in describe_hand(back, PEN)][1] == (
        "23 November 2026, 09.00–11.00 WIB (selama 2 jam) – kabel diganti"
    )
