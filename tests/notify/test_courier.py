"""The courier: who is written to, what stands in a letter, how long it is tried."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.durations import Deadline
from runner.errors import Failed
from runner.notices import Delivery, Notice
from runner.notify import courier
from runner.notify.courier import Courier
from runner.notify.letters import LONGEST_BODY, SHIPPED, clean_body, shipped
from runner.redactor import Redactor
from tests.lab import build_inventory
from tests.mail_servers import Mailbox, mail_server
from tests.post_servers import Reply, post_server
from tests.web_servers import closed_port, raw_server, silent

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=ZoneInfo("Asia/Jakarta"))
SECRETS = {"hook": "rahasia-jaringan-7", "bot": "123456:AAbbCC-dd_ee"}
PEOPLE = """
office: {name: Pengadilan Negeri Contoh}
people:
  budi: {name: Budi Santoso, email: budi@pn-contoh.example, telegram: "777", roles: [{role: admin, from: "2026-01-02"}]}
  sari:
    name: Sari, S.H.
    position: Kasubbag
    email: sari@pn-contoh.example
    roles: [{role: kasubbag}, {role: admin, as: Plh}]
  lama: {name: Lama, email: lama@pn-contoh.example, roles: [{role: sekretaris, until: "2026-01-01"}]}
  tono: {name: Tono}
secrets: {hook: {env: HOOK}, bot: {env: BOT}}
"""
SAY = {"subject": "Uji", "text": "Isi pesan."}


def make(*channels: str, folder: Path = Path("/nonexistent"), claim: str = "run/step") -> Courier:
    inventory = build_inventory(PEOPLE + "channels:\n" + "".join(f"  {channel}\n" for channel in channels))
    return Courier(inventory, SECRETS.__getitem__, Redactor(SECRETS).mask, claim, NOW, folder)


def smtp(port: int) -> str:
    return f"mail: {{kind: smtp, host: 127.0.0.1, port: {port}, security: none, from: it@pn-contoh.example}}"


def webhook(url: str) -> str:
    return f'ruang: {{kind: webhook, url: "{url}", headers: {{Authorization: {{secret: hook}}}}}}'


def telegram(url: str, chat: str = "") -> str:
    return f'bot: {{kind: telegram, token: {{secret: bot}}, url: "{url}"{chat and f", chat: {chat!r}"}}}'


def notice(*to: str, template: str = "pemberitahuan", values: Mapping[str, Any] = SAY, **more: Any) -> Notice:
    return Notice(to, template, values, **more)


def carry(made: Courier, asked: Notice, seconds: float = 10.0) -> Sequence[Delivery]:
    return made.send(made.write(asked), Deadline.after(seconds))


MAIL = smtp(9)
OTHERS = (webhook("http://127.0.0.1:9"), telegram("http://127.0.0.1:9", "-100"))


def test_people_and_roles_become_letters_once_each() -> None:
    letters = make(MAIL).write(notice("admin", "budi", "tono"))
    assert [(each.recipient, each.address, each.fault) for each in letters] == [
        ("budi", "budi@pn-contoh.example", ""),
        ("sari", "sari@pn-contoh.example", ""),
        ("tono", "", "penerima tidak memiliki alamat surel"),
    ]


def test_a_room_gets_one_letter_for_all() -> None:
    letters = make(*OTHERS).write(notice("admin"))
    assert [(each.channel, each.recipient, each.names) for each in letters] == [
        ("ruang", "", ("Budi Santoso", "Sari, S.H.")),
        ("bot", "", ("Budi Santoso", "Sari, S.H.")),
    ]
    assert "Yth. Budi Santoso, Sari, S.H.\n" in letters[0].text


def test_only_the_channels_that_are_named_are_used() -> None:
    assert {each.channel for each in make(MAIL, *OTHERS).write(notice("budi", channels=("bot", "mail")))} == {
        "bot",
        "mail",
    }


@pytest.mark.parametrize("name", ["orang@luar.example", "Budi", "", "x" * 1000])
def test_nobody_outside_the_inventory_is_written_to(name: str) -> None:
    with pytest.raises(Failed, match="no person or role of the inventory"):
        make(MAIL).write(notice(name))


def test_an_office_that_nobody_holds_is_told() -> None:
    made = make(MAIL)
    (delivery,) = carry(made, notice("sekretaris"))
    assert (delivery.status, delivery.attempts) == ("failed", 0)
    assert delivery.answer == "jabatan penerima sedang tidak ada pemangkunya"


def test_an_office_that_nobody_holds_is_told_beside_the_others() -> None:
    with mail_server() as box:
        told = carry(make(smtp(box.port)), notice("sekretaris", "budi"))
    assert [(each.recipient, each.status) for each in told] == [("budi", "sent"), ("sekretaris", "failed")]
    assert [address for address, _ in box.taken] == ["budi@pn-contoh.example"]


def test_an_unknown_channel_is_refused() -> None:
    with pytest.raises(Failed, match=r"there is no channel 'mial'\. did you mean 'mail'"):
        make(MAIL).write(notice("budi", channels=("mial",)))


def test_a_letter_is_filled_and_dated() -> None:
    (letter,) = make(MAIL).write(notice("budi"))
    assert letter.subject == "Uji"
    assert letter.text.startswith("Yth. Budi Santoso\n\nDengan hormat,\n\nIsi pesan.\n")
    assert "Pengadilan Negeri Contoh\n" in letter.text
    assert "Senin, 23 November 2026" in letter.text


def test_an_id_is_of_the_task_channel_and_person() -> None:
    def ids(claim: str) -> list[str]:
        return [each.id for each in make(MAIL, *OTHERS, claim=claim).write(notice("admin"))]

    assert ids("a") == ids("a")
    assert len({*ids("a"), *ids("b")}) == 8


@pytest.mark.promise("Secrets", "a secret in a notification", "masked")
def test_no_secret_leaves_in_a_letter() -> None:
    values = {"subject": f"x {SECRETS['hook']}", "text": f"token {SECRETS['bot']} selesai"}
    (letter,) = make(MAIL).write(notice("budi", values=values))
    assert letter.subject == "x [masked:hook]"
    assert "token [masked:bot] selesai" in letter.text


def test_hostile_values_stay_text() -> None:
    values = {"subject": "a\r\nBcc: x@y\u202e" + "z" * 1000, "text": "{{ values.subject }}\x1b[2J\x00" + "y" * 100_000}
    (letter,) = make(MAIL).write(notice("budi", values=values))
    assert letter.subject.startswith("a Bcc: x@y zzz")
    assert len(letter.subject) == 150
    assert "{{ values.subject }}[2Jyyy" in letter.text
    assert len(letter.text) <= LONGEST_BODY
    assert letter.text.endswith("tercatat pada laporan pelaksanaan.]\n")


@given(st.text())
def test_a_body_is_clean_and_bounded(text: str) -> None:
    clean = clean_body(text, 200)
    assert len(clean) <= 200
    clean.encode()
    assert not any(ord(sign) < 32 and sign not in "\n\t" for sign in clean)


@pytest.mark.parametrize("name", shipped())
def test_shipped_templates_are_formal_and_complete(name: str) -> None:
    values = {
        **SAY,
        "service": "nama domain pn-contoh.example",
        "expires": "31 Desember 2026",
        "days_left": 30,
        "problems": [{"message": "Satu."}, {"message": "Dua."}],
        **dict.fromkeys(("procedure", "run", "activity", "question", "position", "persons"), "Laporan."),
        "since": "Senin, 23 November 2026 pukul 09.00 WIB",
        "due": "pukul 11.00 WIB",
        "time": "1 jam",
    }
    (letter,) = make(MAIL).write(notice("sari", template=name, values=values))
    assert letter.text.startswith("Yth. Sari, S.H.\n\nDengan hormat,\n")
    assert "{{" not in letter.text + letter.subject
    assert max(map(len, letter.text.splitlines())) < 110


def test_a_day_stands_in_a_letter_as_officials_write_it() -> None:
    values = {"service": "hosting 2026-12-31", "expires": "2026-12-31", "days_left": 38}
    (letter,) = make(MAIL).write(notice("sari", template="masa-berlaku", values=values))
    assert letter.subject == "Masa berlaku hosting 2026-12-31 berakhir pada 31 Desember 2026"


def test_the_offices_own_template_wins(tmp_path: Path) -> None:
    (tmp_path / "pemberitahuan.txt").write_text(
        "Perihal: {{ values.subject }} kita\n\nHalo {{ recipient.position }}.\n"
    )
    (letter,) = make(MAIL, folder=tmp_path).write(notice("sari"))
    assert (letter.subject, letter.text) == ("Uji kita", "Halo Kasubbag.\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Halo\n", "the first line is not the subject"),
        ("Perihal:\n\nHalo\n", "the first line is not the subject"),
        ("Perihal: a\n\n{{ values.nothing }}\n", "give it under values:"),
        ("Perihal: a\n\n{{ values.subject\n", "not an expression|not closed"),
        ("Perihal: a\n\n{% for x in y %}\n", "not part of the language"),
        ("Perihal: a\n\n{{ values.subject.__class__ }}\n", "give it under values:|fails"),
        ("Perihal: a\n\n" + "x" * 70_000, "larger than"),
    ],
)
def test_a_template_with_a_fault_is_refused_with_its_place(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "own.txt").write_text(text)
    with pytest.raises(Failed, match=expected) as caught:
        make(MAIL, folder=tmp_path).write(notice("budi", template="own"))
    assert str(tmp_path / "own.txt") in str(caught.value)


@pytest.mark.parametrize("name", ["../secret", "a/b", "", "A", "none"])
def test_a_template_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(Failed, match="template"):
        make(MAIL).write(notice("budi", template=name))
    assert (SHIPPED / "pemberitahuan.txt").is_file()


def test_all_channels_are_sent_over_and_each_is_told() -> None:
    with (
        mail_server() as box,
        post_server(lambda n: Reply(200, "ok")) as room,
        post_server(lambda n: Reply(200, {"ok": True, "result": {"message_id": 5}})) as api,
    ):
        made = make(smtp(box.port), webhook(room.url), telegram(api.url))
        told = carry(made, notice("budi"))
    assert [(each.channel, each.recipient, each.status, each.attempts) for each in told] == [
        ("mail", "budi", "sent", 1),
        ("ruang", "", "sent", 1),
        ("bot", "budi", "sent", 1),
    ]
    assert told[0].id == box.taken[0][1]["Message-ID"]
    assert told[2].id == "5"
    assert room.posts[0].headers["Authorization"] == SECRETS["hook"]
    assert api.posts[0].document["chat_id"] == "777"


def test_greylisting_is_tried_again_until_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier, "FIRST_PAUSE", 0.05)
    box = Mailbox()
    box.rcpt = lambda address: "450 4.2.0 Greylisted" if len(box.asked) < 6 else None
    with mail_server(box):
        (delivery,) = carry(make(smtp(box.port)), notice("budi"))
    assert (delivery.status, delivery.attempts, len(box.taken)) == ("sent", 6, 1)


def test_greylisting_that_lasts_is_told_as_deferred_before_the_limit() -> None:
    with mail_server(Mailbox(rcpt=lambda address: "451 4.7.1 later")) as box:
        begin = time.monotonic()
        (delivery,) = carry(make(smtp(box.port)), notice("budi"), seconds=2.5)
    assert time.monotonic() - begin < 2.5
    assert (delivery.status, delivery.attempts, delivery.answer) == ("deferred", 2, "451 4.7.1 later")


def test_a_wait_that_the_server_names_is_kept() -> None:
    late = Reply(429, {"ok": False, "description": "slow", "parameters": {"retry_after": 2}})
    times: list[float] = []

    def answer(n: int) -> Reply:
        times.append(time.monotonic())
        return late if n == 1 else Reply(200, {"ok": True, "result": {}})

    with post_server(answer) as api:
        (delivery,) = carry(make(telegram(api.url)), notice("budi"))
    assert (delivery.status, delivery.attempts) == ("sent", 2)
    assert times[1] - times[0] >= 2


def test_a_wait_beyond_the_limit_is_not_waited_for() -> None:
    with post_server(lambda n: Reply(429, "", {"Retry-After": "3600"})) as room:
        begin = time.monotonic()
        (delivery,) = carry(make(webhook(room.url)), notice("budi"))
    assert time.monotonic() - begin < 1
    assert (delivery.status, delivery.attempts) == ("deferred", 1)


@pytest.mark.promise(
    "Cron's world", "mail that cannot be sent: its server fails", "given up after a few tries, and recorded"
)
def test_a_server_that_fails_is_given_up_after_a_few_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier, "FIRST_PAUSE", 0.01)
    with post_server(lambda n: Reply(500, "aduh")) as room:
        (delivery,) = carry(make(webhook(room.url)), notice("budi"))
    assert (delivery.status, delivery.attempts) == ("failed", 4)
    assert delivery.answer.endswith("aduh")
    assert {post.headers["Idempotency-Key"] for post in room.posts} == {delivery.id or room.posts[0].document["id"]}


@pytest.mark.promise(
    "Cron's world", "mail that cannot be sent: the channel is dead", "the other channels are used all the same"
)
def test_one_dead_channel_holds_up_no_other() -> None:
    with raw_server(silent) as dead, mail_server() as box:
        made = make(webhook(dead), smtp(box.port), telegram(f"http://127.0.0.1:{closed_port()}"))
        begin = time.monotonic()
        told = {each.channel: each for each in carry(made, notice("admin"), seconds=4)}
    assert time.monotonic() - begin < 4.5
    assert told["mail"].status == "sent"
    assert told["ruang"].status == told["bot"].status == "failed"
    assert len(box.taken) == 2


def test_a_telegram_message_that_may_have_arrived_is_not_sent_twice() -> None:
    with raw_server(silent) as dead:
        (delivery,) = carry(make(telegram(dead)), notice("budi"), seconds=1)
    assert (delivery.status, delivery.attempts) == ("unknown", 1)


def test_mail_that_may_have_arrived_is_tried_again_and_then_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier, "FIRST_PAUSE", 0.01)

    def talk(plug: socket.socket, stopping: threading.Event) -> None:
        for reply in (b"220 uji\r\n", b"250 uji\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n"):
            plug.sendall(reply)
            plug.recv(65536)

    with raw_server(talk) as url:
        (delivery,) = carry(make(smtp(int(url.rpartition(":")[2]))), notice("budi"))
    assert (delivery.status, delivery.attempts, delivery.answer) == ("unknown", 4, "sambungan diputus oleh server")


def test_without_time_nothing_is_sent_and_that_is_told() -> None:
    with mail_server() as box:
        (delivery,) = carry(make(smtp(box.port)), notice("budi"), seconds=0)
    assert (delivery.status, delivery.attempts, delivery.answer) == (
        *("failed", 0),
        "waktu habis sebelum pesan dapat dikirim",
    )
    assert box.asked == []


@pytest.mark.promise("Secrets", "a server's answer repeats a secret", "masked")
def test_an_answer_that_repeats_a_secret_is_masked() -> None:
    with post_server(lambda n: Reply(401, f"bad token {SECRETS['hook']}")) as room:
        (delivery,) = carry(make(webhook(room.url)), notice("budi"))
    assert SECRETS["hook"] not in delivery.answer
    assert "[masked:hook]" in delivery.answer
