"""The dashboard: what the record tells of each site, of people's turns, of what lapses, and of the month."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from runner.cli import run
from runner.contract import Outcome, Problem, Severity, Status
from runner.errors import RecordError
from runner.events import Kind
from runner.record.period import StepEnd
from runner.reports.dashboard import FOLDER, INDEX, Gathered, file_name, gather, render_dashboard
from runner.reports.dashboard.compliance import Tally, judge
from runner.reports.dashboard.slots import find_slots, last_slot
from runner.reports.dashboard.writing import write_pages
from tests.clocks import FixedClock
from tests.logins import sign_in
from tests.offices import HOURS, WIB, OfficeRecord, at, fine, renewals, usual_days, wrong
from tests.pages import read_page, words

MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)
NOW = at(TUESDAY, 14)
QUARTER = 900.0
DOWN = "Situs tidak dapat dibuka."


def text_of(pages: dict[str, bytes], path: str = INDEX) -> str:
    return words(read_page(pages[path].decode()).text)


def states(gathered: Gathered) -> dict[str, str]:
    return {site.name: str(site.state) for site in gathered.sites}


@pytest.fixture
def office(tmp_path: Path) -> OfficeRecord:
    return OfficeRecord(tmp_path / "office", sites=5)


def test_sites_stand_by_what_is_wrong_and_by_what_is_not_known_the_worst_first(office: OfficeRecord) -> None:
    usual_days(
        office,
        MONDAY,
        TUESDAY,
        {
            ("watch", "pn_002"): lambda day: wrong("watch", day, Severity.CRITICAL, DOWN),
            ("watch", "pn_003"): lambda day: wrong("watch", day, Severity.MINOR, "Lambat."),
            ("backup", "pn_004"): lambda day: {"database": Outcome(Status.UNREACHABLE, message="no route")},
            ("visitors", "pn_005"): lambda day: None if day == TUESDAY else fine("visitors", day),
        },
    )
    office.write()
    gathered = gather(office.journal, NOW)
    assert states(gathered) == {
        "pn_002": "critical",
        "pn_004": "unknown",
        "pn_005": "unknown",
        "pn_003": "minor",
        "pn_001": "ok",
    }
    assert list(states(gathered)) == ["pn_002", "pn_004", "pn_005", "pn_003", "pn_001"]
    why = {site.name: site.unknown for site in gathered.sites}
    assert why["pn_004"] == ("Langkah 2 (database) tidak dapat diselesaikan.",)
    assert why["pn_005"] == ("Langkah 3 belum dilaksanakan lagi: data lama.",)
    assert why["pn_001"] == ()


def test_faults_of_a_site_s_server_and_services_are_its_own_the_worst_first(office: OfficeRecord) -> None:
    usual_days(
        office, TUESDAY, TUESDAY, {("watch", "pn_001"): lambda day: wrong("watch", day, Severity.MINOR, "Lambat.")}
    )
    due = Outcome(Status.OK, problems=(Problem("service.due", Severity.CRITICAL, "Domain berakhir."),))
    office.step(at(TUESDAY, 9), "renew", {"domain": {"due": due}})
    office.write()
    gathered = gather(office.journal, NOW)
    assert states(gathered) == {"pn_001": "critical", **dict.fromkeys(["pn_002", "pn_003", "pn_004", "pn_005"], "ok")}
    assert [problem.message for problem in gathered.sites[0].problems] == ["Domain berakhir.", "Lambat."]
    assert "✖ Kritis pn-contoh.example Domain berakhir. service.due" in text_of(render_dashboard(gathered, QUARTER))


def test_a_site_that_nobody_ever_looked_at_is_not_fine(office: OfficeRecord) -> None:
    office.step(at(TUESDAY, 8), "watch", {"pn_001": fine("watch", TUESDAY)})
    office.write()
    gathered = gather(office.journal, NOW)
    assert states(gathered)["pn_003"] == "unknown"
    assert "Belum pernah diperiksa." in text_of(render_dashboard(gathered, QUARTER))


@pytest.mark.parametrize(
    ("seen", "now", "state"),
    [
        (at(MONDAY, 8), at(TUESDAY, 8, 59), "ok"),  # Tuesday's look at 8.00 may take an hour
        (at(MONDAY, 8), at(TUESDAY, 9, 1), "unknown"),
        (at(TUESDAY, 8), at(TUESDAY, 23), "ok"),
        (at(TUESDAY, 8), at(TUESDAY, 8) + timedelta(days=30), "unknown"),
    ],
)
def test_what_the_schedule_asked_for_and_did_not_get_is_old(
    office: OfficeRecord, seen: datetime, now: datetime, state: str
) -> None:
    office.step(seen, "watch", {"pn_001": fine("watch", seen.date())})
    office.write()
    assert states(gather(office.journal, now))["pn_001"] == state


def test_the_same_record_at_the_same_time_gives_the_same_bytes(office: OfficeRecord) -> None:
    usual_days(office, MONDAY, TUESDAY, {("watch", "pn_002"): lambda day: wrong("watch", day, Severity.MAJOR, DOWN)})
    renewals(office, TUESDAY)
    office.ask(at(TUESDAY, 10), at(TUESDAY, 10, 5), "kasubbag", "forward", "pass_on", "Teruskan?", "working_time")
    office.write()
    first, second = (render_dashboard(gather(office.journal, NOW), QUARTER) for _ in range(2))
    assert first == second
    assert set(first) == {INDEX, *(f"{FOLDER}/{name}.html" for name in office.names)}
    later = render_dashboard(gather(office.journal, NOW + timedelta(minutes=1)), QUARTER)
    assert later[INDEX] != first[INDEX]


def test_says_whose_turn_it_is_and_how_much_working_time_is_left(office: OfficeRecord) -> None:
    # Now is Tuesday 14.00. Until Wednesday 16.30: Tuesday 14.00-16.30 is 2.30, Wednesday 8-12 and 13-16.30 is 7.30.
    office.ask(
        at(TUESDAY, 9), at(date(2026, 11, 25), 16, 30), "admin", "report", "submit", "Ajukan?", "days_by_close: 1"
    )
    # Overdue since 10.05: 10.05-12.00 is 1.55, 13.00-14.00 is 1.00.
    office.ask(at(TUESDAY, 10), at(TUESDAY, 10, 5), "kasubbag", "forward", "pass_on", "Teruskan?", "working_time")
    # A statutory clock: 3 x 24 hours from Monday 15.00 leave 2 days and 1 hour, nights too.
    office.ask(at(MONDAY, 15), at(date(2026, 11, 26), 15), "sekretaris", "solution", "measures", "Lapor?", "clock: 3")
    office.write()
    waiting = gather(office.journal, NOW).waiting
    assert [(each.people, each.left) for each in waiting] == [
        (("Sari Dewi, S.H. (Plh)",), -(2 * 60 + 55) * 60.0),
        (("Budi Santoso, S.Kom.",), 10 * 3600.0),
        (("Tono Wirawan",), 49 * 3600.0),
    ]
    told = text_of(render_dashboard(gather(office.journal, NOW), QUARTER))
    assert "Sari Dewi, S.H. (Plh) Kasubbag. Perencanaan, IT dan Pelaporan" in told
    assert "terlambat 2 jam 55 menit jam kerja; batas 24 Nov 2026 10.05" in told
    assert "sisa 10 jam jam kerja; batas 25 Nov 2026 16.30" in told
    assert "sisa 49 jam dihitung terus-menerus; batas 26 Nov 2026 15.00" in told


def test_nobody_is_waited_for_in_a_run_that_was_cancelled(
    office: OfficeRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(monkeypatch, "budi")
    run_id = office.ask(at(TUESDAY, 9), at(TUESDAY, 12), "admin", "report", "submit", "Ajukan?", "working_time")
    office.write()
    assert len(gather(office.journal, NOW).waiting) == 1
    cancelled = ["cancel", run_id, "--reason", "salah situs", "--records", str(office.records)]
    assert run(cancelled, clock=FixedClock(NOW)) == 0
    assert gather(office.journal, NOW).waiting == ()


def test_says_who_has_a_problem_in_hand(office: OfficeRecord) -> None:
    usual_days(office, TUESDAY, TUESDAY, {("watch", "pn_002"): lambda day: wrong("watch", day, Severity.MAJOR, DOWN)})
    office.write()
    assert "belum ada" in text_of(render_dashboard(gather(office.journal, NOW), QUARTER))
    asked = office.ask(
        at(TUESDAY, 10), at(TUESDAY, 12), "sekretaris", "solution", "measures", "Tetapkan.", "working_time"
    )
    mark = {
        "key": "website.unavailable",
        "target": "pn_002",
        "state": "handled",
        "person": "",
        "login": "",
        "reason": "",
    }
    place = {"target": "pn_002"}
    office.say(Kind.PROBLEM_MARKED, asked, at(TUESDAY, 10), place, **mark, until=None, severity=None, evidence=[])
    office.write()
    page = text_of(render_dashboard(gather(office.journal, NOW), QUARTER), f"{FOLDER}/pn_002.html")
    assert f"{DOWN} website.unavailable 5 jam lalu 24 Nov 2026 08.01 Tono Wirawan Sekretaris" in page


def test_counts_down_to_what_lapses_from_the_day_itself(office: OfficeRecord) -> None:
    usual_days(office, MONDAY, MONDAY)
    renewals(office, MONDAY)
    office.write()
    found = [
        (each.what, each.name, each.site, each.days, each.level) for each in gather(office.journal, NOW).countdowns
    ]
    assert found[0] == ("nama domain", "pn-contoh.example", "pn_001", 16, "major")  # 24 November to 10 December
    assert ("sertifikat", "Website PN Contoh 002", "pn_002", 52, "ok") in found  # to 15 January
    assert found[-1] == ("hosting", "Paket Hosting", "pn_001", 218, "ok")
    later = gather(office.journal, at(date(2026, 12, 12), 9)).countdowns[0]
    assert (later.days, later.level) == (-2, "critical")


def test_a_last_day_that_nobody_has_seen_is_unknown_and_stands_first(office: OfficeRecord) -> None:
    office.step(at(TUESDAY, 8), "watch", {"pn_002": fine("watch", TUESDAY)})
    office.write()
    gathered = gather(office.journal, NOW)
    assert {each.level for each in gathered.countdowns[:-1]} == {"unknown"}
    assert gathered.countdowns[-1].site == "pn_002"


def test_counts_the_month_against_schedule_and_norm_as_counted_by_hand(office: OfficeRecord) -> None:
    # The playbook first ran on 31 October; now is Friday 6 November, 14.00. `watch` is due daily at 8.00: six times.
    # pn_001: 1st not at all, 2nd on time, 3rd late, 4th failed and mended at noon, 5th not at all, 6th on time.
    monday = date(2026, 11, 2)
    for number in range(5):
        day = monday + timedelta(days=number)
        bad = {"available": Outcome(Status.FAILED, message="x")}
        if number != 3:
            outcomes = {"pn_001": bad if number == 2 else fine("watch", day)}
            office.step(at(day, 8), "watch", outcomes, late=["pn_001"] if number == 1 else [])
        if number == 2:
            office.step(at(day, 12), "watch", {"pn_001": fine("watch", day)})
    office.step(at(date(2026, 10, 31), 1, 30), "backup", {"pn_001": fine("backup", monday)})
    office.write()
    gathered = gather(office.journal, at(date(2026, 11, 6), 14))
    tallies = gathered.tallies
    name = "pemeliharaan-website"
    assert tallies[name, "watch", "pn_001"] == Tally(on_time=3, late=1, failed=0, missed=2)
    assert tallies[name, "watch", "pn_002"] == Tally(missed=6)
    assert tallies[name, "backup", "pn_001"] == Tally(
        missed=6
    )  # at 1.30 on each of the six days; October's belongs to another month
    assert tallies[name, "watch", "pn_001"].percent == 50
    assert (name, "solved", "pn_001") not in tallies, "what problems start has no schedule"
    page = text_of(render_dashboard(gathered, QUARTER), f"{FOLDER}/pn_001.html")
    assert "setiap hari, pada awal jam kerja 3 1 0 2 50 % 3 dari 6 tepat waktu" in page


def test_a_moment_of_the_schedule_that_has_just_passed_is_not_missed_yet(office: OfficeRecord) -> None:
    office.step(at(MONDAY, 8), "watch", {"pn_001": fine("watch", MONDAY)})
    office.write()
    place = ("pemeliharaan-website", "watch", "pn_001")
    assert gather(office.journal, at(TUESDAY, 8, 59)).tallies[place] == Tally(on_time=1)
    assert gather(office.journal, at(TUESDAY, 9)).tallies[place] == Tally(on_time=1, missed=1)


@pytest.mark.parametrize(
    ("crons", "times"),
    [
        (["0 8 * * *"], ["11-23 08:00", "11-24 08:00"]),
        (["0 9 * * 1-5", "0 9 23 * *"], ["11-23 09:00", "11-24 09:00"]),
        (["30 1 * * 1"], ["11-23 01:30"]),
        (["@daily"], ["11-23 00:00", "11-24 00:00"]),
        (["0 0 30 2 *"], []),
        (["99 99 * * *"], []),
    ],
)
def test_schedules_are_read_as_crontab_has_them_by_the_office_s_clock(
    crons: Sequence[str], times: Sequence[str]
) -> None:
    found = find_slots(crons, at(MONDAY, 0), NOW, WIB)
    assert [f"{moment:%m-%d %H:%M}" for moment in found] == times
    assert (last_slot(crons, NOW.astimezone(UTC), WIB) is None) == (not times)


def test_texts_from_outside_stay_text(tmp_path: Path) -> None:
    attack = "<script>alert(1)</script><img src=x onerror=alert(2)>\u202e\"'&"
    office = OfficeRecord(tmp_path / "office", sites=2, titles={"pn_002": "<script>alert(3)</script> & \u2066Rekan"})
    bad = wrong("watch", TUESDAY, Severity.CRITICAL, attack, key="<b>key</b>")
    office.step(at(TUESDAY, 8), "watch", {"pn_001": bad, "pn_002": bad})
    office.ask(at(TUESDAY, 9), at(TUESDAY, 12), "admin", "report", "submit", attack, "working_time")
    office.write()
    pages = render_dashboard(gather(office.journal, NOW), QUARTER)
    for path, content in pages.items():
        read = read_page(content.decode())
        tags = [tag[0] for tag in read.tags]
        assert tags.count("script") == 1, path
        assert not {"img", "b", "link", "iframe"} & set(tags)
        assert not any(name.startswith("on") for tag in read.tags for name in tag[1:])
        assert "\u202e" not in content.decode()
        assert not [value for name, value in read.values if name in ("href", "src") and ":" in value]
    assert "<script>alert(1)</script>" in text_of(pages)


@pytest.mark.parametrize(
    "name", ["pn_tais", "pn-tais.go.id", "../../etc/passwd", "a/b", "", ".hidden", "CON\0", "x" * 300]
)
def test_every_site_s_page_has_a_name_that_leads_nowhere_else(name: str) -> None:
    made = file_name(name)
    assert "/" not in made
    assert "\0" not in made
    assert not made.startswith(".")
    assert len(made) < 130
    assert made.endswith(".html")
    assert made != file_name(name + "x")


def test_what_the_record_lacks_is_said(office: OfficeRecord) -> None:
    usual_days(office, TUESDAY, TUESDAY)
    office.write()
    for file in (office.records / "evidence").rglob("*"):
        if file.is_file():
            file.unlink()
    told = text_of(render_dashboard(gather(office.journal, NOW), QUARTER))
    assert "Berkas 'inventory.yml' hilang dari bukti catatan." in told
    assert "Belum ada situs dalam catatan." in told


def test_an_empty_record_makes_a_page_that_says_so(tmp_path: Path) -> None:
    from runner.record.journal import Journal

    pages = render_dashboard(gather(Journal.open(tmp_path), NOW), QUARTER)
    assert list(pages) == [INDEX]
    assert "Data terakhir dalam catatan: belum pernah" in text_of(pages)


def test_nobody_ever_reads_half_a_page(tmp_path: Path) -> None:
    folder, stop, broken = tmp_path / "papan", threading.Event(), []
    versions = [b"<html>" + bytes([65 + n]) * 200_000 + b"</html>" for n in range(2)]
    write_pages(folder, {INDEX: versions[0]})

    def read() -> None:
        while not stop.is_set():
            if (folder / INDEX).read_bytes() not in versions:
                broken.append(1)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(200):
        write_pages(folder, {INDEX: versions[number % 2]})
    stop.set()
    reader.join()
    assert broken == []
    assert [path.name for path in folder.iterdir()] == [INDEX]
    assert (folder / INDEX).stat().st_mode & 0o777 == 0o644


def test_pages_of_sites_that_are_gone_go_and_what_is_not_ours_stays(office: OfficeRecord, tmp_path: Path) -> None:
    usual_days(office, TUESDAY, TUESDAY)
    office.write()
    pages, folder = render_dashboard(gather(office.journal, NOW), QUARTER), tmp_path / "papan"
    write_pages(folder, pages)
    (folder / FOLDER / "catatan.html").write_text("<html>our own notes</html>")
    fewer = {path: content for path, content in pages.items() if "pn_005" not in path}
    write_pages(folder, fewer)
    left = {path.name for path in (folder / FOLDER).iterdir()}
    assert left == {"pn_001.html", "pn_002.html", "pn_003.html", "pn_004.html", "catatan.html"}


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordError, match="name another folder with --out"):
        write_pages(tmp_path / "file", {INDEX: b"x"})


def test_the_command_writes_the_pages_and_tells_programs_how_many(
    office: OfficeRecord, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    usual_days(office, TUESDAY, TUESDAY, {("watch", "pn_002"): lambda day: wrong("watch", day, Severity.MAJOR, DOWN)})
    office.write()
    out = tmp_path / "papan"
    asked = ["dashboard", "--out", str(out), "--records", str(office.records)]
    assert run([*asked, "--format", "json"], clock=FixedClock(NOW)) == 0
    told = json.loads(capfd.readouterr().out)
    assert told == {
        "page": str(out / INDEX),
        "pages": 6,
        "sites": {"critical": 0, "major": 1, "unknown": 0, "minor": 0, "ok": 4},
    }
    assert "Dibuat Selasa, 24 November 2026 pukul 14.00 WIB" in words(read_page((out / INDEX).read_text()).text)
    assert run([*asked, "--every", "soon"]) == 5
    assert "--every: 'soon' is not a time limit" in capfd.readouterr().err
    assert run(["dashboard", "--out", str(out), "--records", str(tmp_path / "none")]) == 5


def test_900_sites_are_made_quickly_and_the_fine_ones_stand_folded(tmp_path: Path) -> None:
    office = OfficeRecord(tmp_path / "office", sites=900)
    for step in ("watch", "backup"):
        outcomes = {name: fine(step, TUESDAY) for name in office.names}
        if step == "watch":
            outcomes["pn_450"] = wrong(step, TUESDAY, Severity.CRITICAL, DOWN)
        office.step(at(TUESDAY, *HOURS[step]), step, outcomes)
    office.write()
    begun = time.perf_counter()
    pages = render_dashboard(gather(office.journal, NOW), QUARTER)
    assert time.perf_counter() - begun < 20  # about 2 s on an idle core
    assert len(pages) == 901
    index = pages[INDEX].decode()
    assert index.index("pn_450") < index.index("<details>") < index.index("pn_001")
    assert "Baik: 899 situs" in text_of(pages)


@pytest.mark.parametrize(
    ("cron", "now", "slot"),
    [
        ("0 8 * * *", at(TUESDAY, 8, 59), at(MONDAY, 8)),
        ("0 8 * * *", at(TUESDAY, 9), at(TUESDAY, 8)),
        ("*/5 * * * *", at(TUESDAY, 9, 3), at(TUESDAY, 8, 50)),  # ten minutes for what is asked for every five
        ("*/5 * * * *", at(TUESDAY, 9, 5), at(TUESDAY, 8, 55)),
        ("*/30 * * * *", at(TUESDAY, 9, 29), at(TUESDAY, 8, 30)),
        ("0 0 1 1 *", at(TUESDAY, 9), at(date(2026, 1, 1), 0)),
    ],
)
def test_what_is_asked_for_often_is_old_soon(cron: str, now: datetime, slot: datetime) -> None:
    assert last_slot([cron], now, WIB) == slot


def test_a_month_of_looks_every_five_minutes_is_counted_quickly() -> None:
    slots = find_slots(["*/5 * * * *"], at(date(2026, 11, 1), 0), NOW, WIB)
    ends = [StepEnd(slot + timedelta(minutes=1), "p", "s", "t", Status.OK, False) for slot in slots if slot.minute]
    begun = time.perf_counter()
    tally = judge(ends, slots, NOW)
    assert time.perf_counter() - begun < 1
    assert tally == Tally(on_time=len(ends), missed=23 * 24 + 14)  # each full hour, up to an hour before now
