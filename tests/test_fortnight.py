"""A simulated fortnight, 13 to 27 March 2026: the nine steps with real problems, five people, Ramadan hours and the
collective leave around Nyepi and Idul Fitri. Every due time, escalation and deviation was computed by hand, below.

The office is open (SK KPT Bengkulu; in Ramadan, until 20 March, SE Sekma 2/2026):

    Ramadan    Mon-Thu 08.00-15.00 (break 12.00-12.30)    Fri 08.00-15.30 (break 11.30-12.30)
    usually    Mon-Thu 08.00-16.30 (break 12.00-13.00)    Fri 07.30-16.30 (break 12.00-13.30)

    Fri 13  Sat  Sun  Mon 16  Tue 17  Wed 18  Thu 19  Fri 20  Sat 21      Sun 22      Mon 23  Tue 24  Wed 25 ...
    open    –    –    open    open    leave   Nyepi   leave   Idul Fitri  Idul Fitri  leave   leave   open, usual hours

The people: Budi (admin), Sari (Kasubbag, on leave from 14 to 24 March), Rina (her deputy, Plh, on 16 and 17 March),
Tono (Sekretaris), and Joko of the provider (third party). The norms are the SOP's own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from runner.calendar import Calendar
from runner.demo.build import build_demo
from runner.demo.server import serve
from runner.inventory import load_inventory
from runner.record import build_record
from runner.record.document import Record
from runner.record.journal import Journal
from runner.record.problems import problems
from tests.clocks import FixedClock
from tests.offices import WIB
from tests.officials import Office
from tests.pages import read_page
from tests.pages import words as plain
from tests.post_servers import Reply, post_server

HOURS = """
  hours:
    monday-thursday: {open: 08:00-16:30, break: 12:00-13:00}
    friday: {open: 07:30-16:30, break: 12:00-13:30}
    periods:
      - {name: SE Sekma 2/2026, from: 2026-02-19, until: 2026-03-20,
         monday-thursday: {open: 08:00-15:00, break: 12:00-12:30}, friday: {open: 08:00-15:30, break: 11:30-12:30}}
"""
PEOPLE = """
people:
  petugas_a: {name: Budi, login: budi, roles: [{role: admin}]}
  petugas_b:
    name: Sari
    login: sari
    roles: [{role: kasubbag, until: 2026-03-13}, {role: kasubbag, from: 2026-03-25}]
  rina:
    name: Rina
    login: rina
    roles: [{role: kasubbag, from: 2026-03-16, until: 2026-03-17, as: Plh, decree: ST-7/2026}]
  petugas_c: {name: Tono, login: tono, roles: [{role: sekretaris}]}
  joko: {name: Joko, roles: [{role: third_party}]}
"""
LADDER = """
supplement:
  escalation:
    - {before: 30 menit}
    - {overdue: 1 jam, to: kasubbag}
    - {overdue: 1 hari, to: [kasubbag, sekretaris]}
"""

# Each step's attempt: when it began, the SOP's norm, and when it was due. Going back begins a new attempt of all steps
# from there on: from `report` on Tue 17 (then all are at their second), from `solution` on Thu 26 (at their third).
DUE = [
    # 1 hari: the close of the next working day. After Fri 13 that is Mon 16, at 15.00 in Ramadan.
    ("watch", 1, "13 14:45", "1 hari", "16 15:00"),
    ("backup", 1, "13 14:45", "1 hari", "16 15:00"),
    ("visitors", 1, "13 14:45", "1 hari", "16 15:00"),
    # 3 jam: Fri 14.45-15.30 is 0.45, so 2.15 more on Mon from 08.00.
    ("renew", 1, "13 14:45", "3 jam", "16 10:15"),
    ("report", 1, "13 14:45", "1 hari", "16 15:00"),
    # 5 menit from Tue 17, 09.20.
    ("forward", 1, "17 09:20", "5 menit", "17 09:25"),
    # Returned on Tue 17 at 09.24. The next working day after it is Wed 25, a usual Wednesday.
    ("report", 2, "17 09:24", "1 hari", "25 16:30"),
    ("forward", 2, "17 14:00", "5 menit", "17 14:05"),
    # 2 jam from Wed 25, 09.10.
    ("solution", 2, "25 09:10", "2 jam", "25 11:10"),
    # 1jam - 3hari: the late bound, three working days after Wed 25: Thu 26, Fri 27, Mon 30.
    ("troubleshoot", 2, "25 10:40", "1jam - 3hari", "30 16:30"),
    # Sent back on Thu 26 at 11.15. 11.15-12.00 is 0.45, 13.00-14.15 is 1.15.
    ("solution", 3, "26 11:15", "2 jam", "26 14:15"),
    # Three working days after Thu 26: Fri 27, Mon 30, Tue 31.
    ("troubleshoot", 3, "26 15:25", "1jam - 3hari", "31 16:30"),
    # 1 jam from Fri 27, 09.05.
    ("solved", 3, "27 09:05", "1 jam", "27 10:05"),
]

# Each rung that was told: step, attempt, task, rung, when the rung was reached, when a tick told it, who was told.
ESCALATED = [
    # Due Mon 16, 15.00. Half an hour before: 14.30. An hour after: the office closes at 15.00, so Tue 17, 09.00.
    ("report", 1, "submit", 1, "16 14:30", "16 14:30", ["Budi"]),
    ("report", 1, "submit", 2, "17 09:00", "17 09:00", ["Plh. Rina"]),
    # Due at 09.25: half an hour before is 08.55, before it was even asked; the first tick tells it.
    ("forward", 1, "pass_on", 1, "17 08:55", "17 09:21", ["Plh. Rina"]),
    # Due Tue 17, 14.05: half an hour before is 13.35. An hour after: 14.05-15.00 is 0.55, so Wed 25, 08.05; by then
    # Rina is no deputy any more, and Sari is back.
    ("forward", 2, "pass_on", 1, "17 13:35", "17 14:01", ["Plh. Rina"]),
    ("forward", 2, "pass_on", 2, "25 08:05", "25 08:05", ["Sari"]),
    # Due Thu 26, 14.15: half an hour before is 13.45, an hour after is 15.15. Tono does the work at 15.20; what he must
    # decide then is of the same step, long due: its rung of 15.15 is told at the next tick.
    ("solution", 3, "measures", 1, "26 13:45", "26 13:45", ["Tono"]),
    ("solution", 3, "measures", 2, "26 15:15", "26 15:15", ["Sari"]),
    ("solution", 3, "decide", 2, "26 15:15", "26 15:21", ["Sari"]),
]

REACTIVE = ("report", "forward", "solution", "troubleshoot", "solved")

# Each deviation: step, attempt, and what is recorded. All else was on time.
DEVIATIONS = [
    ("report", 1, "late: 2026-03-16T15:00+07:00"),  # submitted on Tue 17, 09.20
    ("forward", 2, "late: 2026-03-17T14:05+07:00"),  # forwarded on Wed 25, 09.10
    ("solution", 3, "late: 2026-03-26T14:15+07:00"),  # decided on Thu 26, 15.25
]


class Court(Office):
    """The court of the demo at a time of March 2026: people act, cron ticks."""

    def at(self, moment: str) -> None:
        """Let it be that day and time."""
        self.clock = FixedClock(moment_of(moment))

    def tick(self) -> list[tuple[str, int]]:
        """What cron does: escalate, and go on. Returns the rungs told now."""
        assert self.do("cron", "tick", "--format", "json") in (0, 3, 10), self.says
        return [(each["step"], each["rung"]) for each in json.loads(self.says)["escalated"]]

    def quiet(self, *moments: str) -> None:
        """At these times a tick has nothing to tell."""
        for moment in moments:
            self.at(moment)
            assert self.tick() == [], moment

    def tells(self, moment: str, *rungs: tuple[str, int]) -> None:
        """At that time a tick tells these rungs."""
        self.at(moment)
        assert self.tick() == list(rungs), moment

    def signs(self, moment: str, login: str, step: str, *words: str) -> None:
        """Somebody answers, and cron goes on at once."""
        self.at(moment)
        assert self.sign(login, step, *words) == 0, self.says
        assert self.tick() == [], self.says

    def turn(self) -> tuple[str, str, float]:
        """Whose turn it is: step, person, seconds of working time left."""
        [turn] = self.document("status")["waiting"]
        return turn["step"], turn["officials"][0]["name"], turn["left_seconds"]

    @property
    def journal(self) -> Journal:
        return Journal.open(Path("records"), create=False)

    @property
    def calendar(self) -> Calendar:
        return Calendar.from_office(load_inventory([Path("inventory")]).office)

    @property
    def run(self) -> str:
        """The first run, which goes through all nine steps."""
        return min(self.journal.runs(50), key=lambda run: run.started).run

    def sign(self, login: str, step: str, *words: str) -> int:
        """Somebody answers what waits in it."""
        return self.do(login, "sign", self.run, step, *words)

    def record(self) -> Record:
        return build_record(self.journal.events(self.run))


def moment_of(text: str) -> datetime:
    """Given day and time ("16 14:30"), return that time of March 2026 in the office."""
    return datetime.strptime(f"2026-03-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=WIB)


def told(moment: datetime | None) -> str:
    return f"{moment.astimezone(WIB):%d %H:%M}" if moment else ""


@pytest.fixture
def court(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Court]:
    """The demo's court with its website, its hours and people, and a ladder over a chat room."""
    demo = build_demo(tmp_path / "court", moment_of("13 14:45"))
    inventory = demo.inventory.read_text().replace("  language: id\n", f"  language: id\n{HOURS}", 1)
    demo.playbook.write_text(demo.playbook.read_text().replace("supplement:\n", LADDER.lstrip(), 1))
    monkeypatch.chdir(demo.folder)
    with post_server(lambda number: Reply(200)) as room, serve(demo.folder) as address:
        inventory = re.sub(r'url: "http://127[^"]*"', f'url: "{address}"', inventory)
        channel = f'channels: {{room: {{kind: webhook, url: "{room.url}/hook"}}}}\n'
        demo.inventory.write_text(re.sub(r"(?ms)^people:.*?(?=^\w|\Z)", PEOPLE.lstrip() + channel, inventory))
        yield Court(monkeypatch, capsys)


def play(court: Court) -> None:
    """The fortnight."""
    court.at("13 14:45")  # cron runs the SOP: the domain lapses soon, the log holds attacks
    assert court.do("cron", "run", "playbooks/pemeliharaan-website.yml") == 10, court.says
    assert court.turn() == ("report", "Budi", (45 + 6 * 60 + 30) * 60)  # Fri 14.45-15.30, Mon 8-12 and 12.30-15

    court.at("13 15:00")  # cron's next run finds the same problems, which are in hand: steps 5 to 9 do not begin again
    second = court.document("run", "playbooks/pemeliharaan-website.yml", code=10)
    assert {step["id"]: step["status"] for step in second["steps"] if step["id"] in REACTIVE} == dict.fromkeys(
        REACTIVE, "skipped"
    )
    court.quiet("13 15:29", "14 10:00", "15 23:00", "16 14:29")
    court.tells("16 14:30", ("report", 1))
    court.quiet("16 14:31", "16 15:00", "16 22:00", "17 08:59")
    court.tells("17 09:00", ("report", 2))
    court.at("17 09:10")
    assert court.turn() == ("report", "Budi", -70 * 60)  # Tue 8.00-9.10
    assert court.sign("rina", "report", "--answer", "signed") == 5, "not the right person"
    court.signs("17 09:20", "budi", "report", "--answer", "signed")

    court.tells("17 09:21", ("forward", 1))
    court.signs("17 09:24", "rina", "forward", "--return-to", "report", "--note", "Lampiran log belum ada.")
    court.signs("17 14:00", "budi", "report", "--answer", "signed", "--note", "Dilengkapi.")
    court.tells("17 14:01", ("forward", 1))
    court.quiet("17 15:00", "18 10:00", "19 10:00", "20 10:00", "21 10:00", "23 09:00")
    look_at_the_dashboard(court)
    court.quiet("24 16:00", "25 08:04")
    court.tells("25 08:05", ("forward", 2))
    court.at("25 09:00")
    assert court.turn() == ("forward", "Sari", -(55 + 60) * 60)  # Tue 14.05-15.00, Wed 8.00-9.00
    assert court.sign("rina", "forward", "--answer", "signed") == 5, "a deputy of last week"
    court.signs("25 09:10", "sari", "forward", "--answer", "signed")

    court.signs("25 10:30", "tono", "solution", "--answer", "ditetapkan", "--note", "Perpanjang nama domain.")
    court.signs("25 10:40", "tono", "solution", "--answer", "laksanakan")

    court.at("25 13:30")
    assert court.sign("budi", "troubleshoot", "--hand-to", "Joko", "--note", "tiket 4711") == 0, court.says
    court.quiet("25 16:30", "26 08:30")
    court.at("26 10:00")
    assert court.sign("budi", "troubleshoot", "--take-back", "--note", "belum berhasil") == 0, court.says
    court.signs("26 11:00", "budi", "troubleshoot", "--answer", "melibatkan pihak ketiga", "--note", "Belum selesai.")
    court.signs("26 11:15", "budi", "troubleshoot", "--answer", "belum")

    court.quiet("26 13:44")
    court.tells("26 13:45", ("solution", 1))
    court.quiet("26 14:16", "26 15:14")
    court.tells("26 15:15", ("solution", 2))
    court.at("26 15:20")
    assert court.sign("tono", "solution", "--answer", "ditetapkan", "--note", "Bayar dari pagu lain.") == 0
    assert court.tick() == [], "what went on now is asked now"
    court.tells("26 15:21", ("solution", 2))
    court.signs("26 15:25", "tono", "solution", "--answer", "laksanakan")

    court.signs("27 09:00", "budi", "troubleshoot", "--answer", "mandiri", "--note", "Domain diperpanjang.")
    court.signs("27 09:05", "budi", "troubleshoot", "--answer", "sudah")


def look_at_the_dashboard(court: Court) -> None:
    """On Mon 23 March, in the middle of the leave: overdue since Tuesday is 55 minutes of working time."""
    court.at("23 10:00")
    assert court.do("tono", "dashboard", "--out", "papan") == 0, court.says
    page = plain(read_page(Path("papan/index.html").read_text()).text)
    assert "Dibuat Senin, 23 Maret 2026 pukul 10.00 WIB" in page
    assert "terlambat 55 menit jam kerja; batas 17 Mar 2026 14.05" in page
    assert "belum ada pejabat yang memegang peran ini" in page, "Rina's days are over, and Sari is on leave"
    assert "? Tidak diketahui" in page, "nobody has looked for ten days"
    assert "4 hari lalu 13 Mar" not in page


def test_a_fortnight_goes_as_computed_by_hand(court: Court) -> None:
    play(court)
    record = court.record()
    attempts = [*record.attempts, *record.steps]
    found = [
        (step.id, step.attempt, told(target.started), step.time_limit, told(target.due))
        for step in attempts
        for target in step.targets[:1]
    ]
    assert sorted(found, key=lambda row: (row[2], DUE.index(row) if row in DUE else 99)) == DUE
    escalated = [
        (e.key.step, e.key.attempt, e.key.task, e.rung, told(e.due), told(e.at), list(e.persons))
        for e in record.escalations
    ]
    assert escalated == ESCALATED
    assert all(each.reached for each in record.escalations)
    deviations = [(s.id, s.attempt, d) for s in attempts for t in s.targets for d in t.deviations]
    assert sorted(deviations) == sorted(DEVIATIONS)
    [hand] = record.hands
    assert (hand.party, told(hand.since), told(hand.until)) == ("Joko", "25 13:30", "26 10:00")
    assert court.calendar.working_seconds(hand.since, hand.until or hand.since) == 5 * 3600  # Wed 13.30-16.30, Thu 8-10
    assert record.ended is not None
    assert told(record.ended) == "27 09:05"
    assert {problem.key for problem in problems(court.journal) if problem.holder} == set(), (
        "nobody has anything in hand"
    )
    assert court.do("auditor", "verify") == 0, court.says
