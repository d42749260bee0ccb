"""The shipped playbooks as they are, at the demo's court: cron begins them, officials sign, a report tells of it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from runner.crons import find_moments
from runner.demo.build import build_demo
from runner.demo.server import serve
from runner.events import Event
from runner.record.journal import Journal
from runner.source import load_source
from tests.clocks import FixedClock
from tests.offices import WIB
from tests.officials import Office
from tests.pages import read_page
from tests.pages import words as plain

ROOT = Path(__file__).parents[1] / "playbooks"
MAINTENANCE = ROOT / "pemeliharaan-website.yml"
FRIDAY = datetime(2026, 11, 27, 0, 0, tzinfo=WIB)
PEOPLE = """
people:
  petugas_a: {name: Budi, login: budi, roles: [{role: admin}]}
  petugas_b: {name: Sari, login: sari, roles: [{role: kasubbag}]}
  petugas_c: {name: Tono, login: tono, roles: [{role: sekretaris}]}
  joko: {name: Joko, roles: [{role: third_party}]}
"""
CHAIN = (
    ("budi", "report", "signed"),
    ("sari", "forward", "signed"),
    ("tono", "solution", "ditetapkan"),
    ("tono", "solution", "laksanakan"),
    ("budi", "troubleshoot", "mandiri"),
    ("budi", "troubleshoot", "sudah"),
)


class Court(Office):
    """The demo's court at a time that moves only when told to."""

    def cron(self, playbook: Path, day: datetime) -> None:
        """Begin what the playbook's schedule asks for on a day, at its moments."""
        entries = load_source(playbook).data["supplement"]["schedule"]
        until = day + timedelta(days=1, seconds=-1)
        moments = [(moment, entry["steps"]) for entry in entries for moment in find_moments(entry["cron"], day, until)]
        for moment, steps in sorted(moments, key=lambda each: each[0]):
            self.clock = FixedClock(moment)
            self.do("cron", "run", str(playbook), "--only", ",".join(steps), "--scheduled")

    def goes_through(self, *acts: tuple[str, str, str]) -> None:
        """Each official answers what waits, and cron goes on with it."""
        for login, step, answer in acts:
            self.clock.advance(60)
            [turn] = self.document("status")["waiting"]
            assert turn["step"] == step
            assert self.do(login, "sign", turn["run"], step, "--answer", answer, "--note", "x") == 0, self.says
            self.do("cron", "tick")

    def states(self) -> dict[tuple[str, str | None], str]:
        """The problems that are not solved, and how each stands."""
        found = self.document("problems")["problems"]
        return {(each["key"], each["target"]): each["state"] for each in found if each["state"] != "solved"}

    def all(self) -> list[Event]:
        """All that the journal tells."""
        journal = Journal.open(Path("records"), create=False)
        return [event for run in journal.runs(99) for event in journal.events(run.run)]

    def waiting(self) -> list[str]:
        """The steps that wait for somebody."""
        return [turn["step"] for turn in self.document("status")["waiting"]]


@pytest.fixture
def court(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Court]:
    demo = build_demo(tmp_path / "court", FRIDAY)
    monkeypatch.chdir(demo.folder)
    os.utime("logs/access.log", (FRIDAY.timestamp(), FRIDAY.timestamp()))
    with serve(demo.folder):
        text = re.sub(r"(?ms)^people:.*?(?=^\w|\Z)", PEOPLE.lstrip(), demo.inventory.read_text())
        demo.inventory.write_text(f"{text}  integrity_sample: 0\n  must_contain: [Pengadilan Negeri Contoh]\n")
        yield Court(monkeypatch, capsys)


def test_cron_gives_one_report_for_all_that_was_found_and_none_where_nothing_is_open(court: Court) -> None:
    court.cron(MAINTENANCE, FRIDAY)
    assert court.waiting() == ["report"]
    assert set(court.states().values()) == {"handled"}
    found = {key for key, _ in court.states()}
    assert found >= {"visitors.attack_attempts", "service.due", "backup.media.unnamed"}, "of steps 3, 4 and 2"
    assert court.do("budi", "report", "situation", "last", "-o", "laporan") == 0
    page = plain(read_page(Path("laporan/laporan-situasi.html").read_text()).text)
    assert page.count("Tidak termasuk dalam pelaksanaan ini; terakhir:") == 4
    assert page.count("Belum dilaksanakan") == 4
    assert "dapat diakses; konten terbaru:" in page
    assert "WEB-PN-CONTOH-2026-11-27-013000-P; media: belum disalin" in page

    for day in (1, 2):  # at the weekend nobody is asked for anything more
        court.cron(MAINTENANCE, FRIDAY + timedelta(days=day))
        assert court.waiting() == ["report"]
    court.goes_through(*CHAIN)
    assert court.waiting() == []
    assert len(list(Path("backups").glob("*/*-[PT]"))) == 4, "on three nights, and once more when all was solved"

    for key, target in court.states():
        words = ["--target", target] if target else []
        assert court.do("budi", "problems", "accept", key, *words, "--reason", "diketahui") == 0, court.says
    court.cron(MAINTENANCE, FRIDAY + timedelta(days=3))
    assert court.waiting() == []
    assert court.do("auditor", "verify") == 0, court.says


def test_a_site_that_is_down_and_one_that_shows_another_page_are_in_the_report(court: Court) -> None:
    inventory = Path("inventory/demo.yml")
    text = inventory.read_text()
    other = '  pn_lain: {url: "http://127.0.0.1:9/", server: here, root: /tidak-ada, access_log: /tidak-ada.log}\n'
    text = text.replace("\nservers:", f"{other}\nservers:", 1).replace(
        "must_contain: [Peng", "must_contain: [Mahkamah, Peng"
    )
    inventory.write_text(text)
    court.clock = FixedClock(FRIDAY + timedelta(hours=9))
    assert court.do("cron", "run", str(MAINTENANCE)) == 2, court.says
    assert court.waiting() == ["report"]
    found = court.states()
    assert found["website.unavailable", "pn_lain"] == found["website.unavailable", "pn_contoh"] == "handled"
    assert found["visitors.log_unknown", "pn_lain"] == "handled"
    assert list(Path("backups").glob("WEB-PN-CONTOH/*-P")), "the other site's fault holds up nothing"
    court.goes_through(*CHAIN)
    run = court.document("show", "last")
    ended = {step["id"]: step["status"] for step in run["steps"]}
    assert (ended["backup"], ended["troubleshoot"], ended["solved"]) == ("failed", "ok", "failed")


def test_old_news_is_told_by_the_playbook_of_content(court: Court) -> None:
    court.clock = FixedClock(FRIDAY + timedelta(days=30))
    assert court.do("budi", "run", str(ROOT / "pembaharuan-konten.yml")) == 10, court.says
    assert set(court.states()) == {("website.not_updated", "pn_contoh")}


def test_nothing_is_copied_while_the_other_disk_is_away(court: Court) -> None:
    playbook = ROOT / "salinan-catatan.yml"
    folder = Path(load_source(playbook).data["steps"][0]["tasks"][0]["with"]["folder"])
    assert not folder.exists(), "this machine has such a disk: unmount it"
    assert court.do("cron", "run", str(playbook)) == 2, court.says
    assert "mount the other disk" in court.says
    assert not folder.exists()


def test_raw_lines_go_when_their_time_is_over_save_those_of_an_open_problem(court: Court) -> None:
    purge = str(ROOT / "data-pribadi.yml")
    court.cron(MAINTENANCE, FRIDAY)
    sums = [raw["sha256"] for event in court.all() for raw in event.data.get("outputs", {}).get("restricted", ())]
    raw = [path for each in sums for path in Path("records/evidence").rglob(f"*{each[2:]}*")]
    assert len(raw) >= 2, "the lines that were fetched, and those that the scan found suspicious"
    court.clock = FixedClock(FRIDAY + timedelta(days=60))
    assert court.do("cron", "run", purge) == 0, court.says
    assert all(each.exists() for each in raw)
    court.clock = FixedClock(FRIDAY + timedelta(days=100))
    assert court.do("cron", "run", purge) == 0, court.says
    [done] = court.document("show", "last")["steps"][0]["targets"]
    assert [each["held"] for each in done["tasks"][0]["outputs"]["kept"]] == [
        "a problem that is not solved rests on it"
    ]
    assert len([each for each in raw if each.exists()]) == 1
    assert court.do("auditor", "verify") == 0, court.says
