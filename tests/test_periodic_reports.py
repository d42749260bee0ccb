"""Laporan Pengelolaan IT, Tabel 7 and letters: what the journal holds, no more and no less, twice the same bytes."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import docx
import pytest

from runner.cli import run
from runner.errors import Refused
from runner.events import Event, Kind
from runner.inventory import parse_inventory
from runner.inventory.documents import Document
from runner.record.journal import Journal, open_journal
from runner.record.problems import find_problem, problems
from runner.reports.making import (
    make_incident,
    make_minutes,
    make_nota_dinas,
    make_surat,
    office_of,
    tell_term,
)
from runner.reports.numerals import spell_number
from runner.reports.paper.layout import choose_layout
from runner.reports.paper.model import Paper
from runner.reports.paper.page import render_html
from runner.reports.periodic.it import build_it
from runner.reports.periodic.tabel7 import build_tabel7
from runner.reports.periodic.terms import parse_term
from tests.months import HANDLING, INVENTORY, SUM, Month, at
from tests.pages import read_page, words

OFFICE = office_of(parse_inventory([Document("kantor.yml", INVENTORY)]))


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("month") / "records"
    Month(folder).write().close()
    return folder


@pytest.fixture(scope="module")
def journal(records: Path) -> Journal:
    found = open_journal(records)
    assert found
    return found


def read(paper: Paper) -> str:
    """All text of a paper, as its page has it."""
    page = render_html(paper, choose_layout({}, None, landscape=paper.landscape))
    return words(read_page(page[page.index("<body>") :]).text)


@pytest.fixture(scope="module")
def october(journal: Journal) -> str:
    return read(build_it(tell_term(journal, parse_term("2026-10"), OFFICE)))


def between(text: str, start: str, end: str) -> str:
    return text[text.index(start) : text.index(end)]


def test_availability_counts_unknown_apart(october: str) -> None:
    assert "Website PN Contoh 31 28 2 1 93,33% 31 Oktober 2026 berumur 0 hari masih baru" in october


def test_a_day_counts_once_however_often_its_log_was_read(october: str) -> None:
    assert "Website PN Contoh 31 27.100 111 93 bersih: 30 ada percobaan: 1" in october


def test_backups_stand_with_their_sums_and_no_restore_test_is_invented(october: str) -> None:
    assert october.count("95,0 MB") == 31
    assert f"{31:064x}" in october
    assert "Uji pulih terakhir: belum ada yang tercatat." in october


def test_the_last_restore_test_before_the_end_is_told(tmp_path: Path) -> None:
    month = Month(tmp_path / "records")
    for day in (3, 20):
        month.journal.append(month.drill(at(day, 10)))
    found = month.write()
    month.journal.append(month.drill(at(31, 10) + timedelta(days=9)))
    text = read(build_it(tell_term(found, parse_term("2026-10"), OFFICE)))
    said = "Uji pulih terakhir atas Website PN Contoh: Selasa, 20 Oktober 2026 pukul 10.02 WIB, "
    proof = "WEB-PN-CONTOH-2026-10-20-013000-P terbukti dapat dipulihkan (berkas terbukti; website tidak dapat diuji)"
    assert said + proof in text


def test_each_activity_stands_with_its_norm_and_how_it_went(october: str) -> None:
    row = between(october, "Melakukan backup seluruh sistem", "Memonitoring secara berkala aktivitas")
    assert "1 hari 31 kali pada 1 sasaran" in row
    assert "Pertama: 1 Oktober 2026, 01.30–01.32 WIB" in row
    assert "Terakhir: 31 Oktober 2026, 01.30–01.32 WIB" in row
    assert "Bukti: 31 berkas [B-1 – B-31]" in row
    assert "30 tepat waktu 1 terlambat" in row
    assert "Batas waktu kegiatan 1, 2, 3, 4, 5, 7: Jatuh tempo pada jam tutup kantor di hari kerja ke-1" in october


def test_working_time_is_that_of_the_office(october: str) -> None:
    row = between(october, "Memonitoring secara berkala status", "Melakukan backup seluruh sistem")
    assert "Waktu kerja terpakai: 0 detik – 2 menit (median 2 menit)" in row
    assert "di luar jam kerja" in october[october.index("Lampiran 1.") : october.index("Lampiran 2.")]


def test_a_problem_is_a_finding_with_its_norm_and_blanks(october: str) -> None:
    finding = october[october.index("Kode website.unavailable") : october.index("E. Penyelesaian")]
    assert "Kondisi Website tidak dapat diakses: tidak ada jawaban." in finding
    assert "Kriteria Mutu baku SOP, kegiatan 1: Akses website yang terpantau" in finding
    assert "Keadaan Selesai Terlihat 2 kali" in finding
    assert "Sebab Akibat Rekomendasi Kemungkinan sebab * Layanan web berhenti" in finding
    assert "Alternatif pemecahan * Hidupkan kembali layanan web" in finding


def test_people_s_acts_and_third_parties_waits_stand_apart(october: str) -> None:
    assert "6 Oktober 2026 15.00 WIB 7 Petugas C Sekretaris ditetapkan Pindah ke server baru." in october
    assert "Penyedia Hosting 6 Oktober 2026 11.00 WIB 6 Oktober 2026 14.00 WIB 2 jam (waktu kerja) tiket 7" in october


def test_a_cancelled_run_stands_with_its_reason_and_name(tmp_path: Path) -> None:
    month = Month(tmp_path / "records")
    began = at(2, 10)
    said = {"person": "a", "login": "petugas", "reason": "Salah sasaran"}
    end = {"status": "cancelled", "exit_code": 130}
    month.journal.append([month.begun("r", began), Event(Kind.CANCELLED, "r", began, data=said)])
    month.journal.append([Event(Kind.RUN_ENDED, "r", began, data=end)])
    text = read(build_it(tell_term(month.journal, parse_term("2026-10"), OFFICE)))
    assert "2 Oktober 2026 10.00 WIB r Petugas A Salah sasaran" in text
    assert "r 2 Oktober 2026 10.00 WIB 2 Oktober 2026 10.00 WIB dibatalkan" in text


def test_deviations_and_the_conclusion_agree(october: str) -> None:
    assert "terlambat; batas waktunya Jumat, 9 Oktober 2026 pukul 16.30 WIB" in october
    assert "126 pelaksanaan kegiatan tercatat; dari 126 yang dinilai, 125 tepat waktu dan 1 terlambat." in october
    assert "1 penyimpangan dari mutu baku tercatat." in october


def test_annexes_have_every_file_with_its_hash(october: str) -> None:
    annex = october[october.index("Lampiran 2.") :]
    assert annex.count(SUM) == 31
    assert "kantor.yml" in annex


def test_blanks_stay_blank(october: str) -> None:
    assert "Nomor: …………" in october
    assert "Nomor SOP: …………" in october
    assert "Contoh, ……" in october


def test_the_page_bears_the_head_of_the_chain(october: str, journal: Journal) -> None:
    number, digest = journal.tip()
    assert f"{number}:{digest}" in october


def test_a_day_holds_only_that_day(journal: Journal) -> None:
    text = read(build_it(tell_term(journal, parse_term("2026-10-05"), OFFICE)))
    assert "Website PN Contoh 1 0 1 0 0,00%" in text
    assert "95,0 MB" in text
    assert "6 Oktober 2026, 08" not in text


def test_an_empty_period_says_so(journal: Journal) -> None:
    text = read(build_it(tell_term(journal, parse_term("2025"), OFFICE)))
    assert text.count("yang tercatat dalam periode ini") >= 5
    assert "Tidak ada permasalahan yang tercatat" in text


def test_tabel_7_fills_itself_in(journal: Journal) -> None:
    text = read(build_tabel7(tell_term(journal, parse_term("2026-S2"), OFFICE)))
    assert "Penilaian terhadap penerapan Catatan hasil penilaian Tindakan yang harus diambil Paraf penilai" in text
    assert "√ 31 pelaksanaan, 31 dari 31 tepat waktu" in text
    late = "√ 31 pelaksanaan, 30 dari 31 tepat waktu 1 terlambat Telusuri sebab keterlambatan"
    assert late in text
    assert "Tidak ada pelaksanaan yang tercatat Pastikan kegiatan memang tidak diperlukan" in text


def test_the_memo_forwards_the_report_and_leaves_number_and_date(journal: Journal) -> None:
    text = read(make_nota_dinas(journal, HANDLING, OFFICE, sender="", receiver=""))
    assert "Kepada : Yth. Sekretaris" in text
    assert "Dari : Kasubbag PTIP" in text
    assert "Nomor: ………" in text
    assert "Tanggal : ………" in text
    assert "Petugas B NIP 198701022010121001" in text
    assert "website.unavailable" in text


def test_the_letter_goes_to_whom_the_run_was_handed(journal: Journal) -> None:
    text = read(make_surat(journal, HANDLING, OFFICE, sender="", party=""))
    assert "Yth. Penyedia Hosting" in text
    assert "Yth. CV Lain" in read(make_surat(journal, HANDLING, OFFICE, sender="kasubbag", party="CV Lain"))


def test_a_role_that_the_procedure_does_not_have_is_refused(journal: Journal) -> None:
    with pytest.raises(Refused, match="did you mean 'kasubbag'"):
        make_surat(journal, HANDLING, OFFICE, sender="kasubag", party="")


def test_minutes_of_a_backup_spell_the_day(journal: Journal) -> None:
    text = read(make_minutes(journal, "20261009-1830-bac", OFFICE))
    assert "Sabtu, tanggal sepuluh, bulan Oktober, tahun dua ribu dua puluh enam" in text
    assert "WEB-PN-CONTOH-2026-10-10-013000-P" in text
    with pytest.raises(Refused, match="sealed no backup"):
        make_minutes(journal, HANDLING, OFFICE)


@pytest.mark.parametrize(
    ("outputs", "words"),
    [
        (
            {"medium": "disk", "label": "BACKUP-1", "place": "/media/disk", "images": []},
            "Hardisk BACKUP-1 (/media/disk): SET-P; disalin dan dibaca kembali; "
            "dibaca lagi paling lambat 1 November 2028",
        ),
        (
            {"medium": "disc", "label": "D-01 D-02", "place": "/discs", "images": [{}, {}]},
            "Cakram D-01 D-02 (/discs): SET-P; 2 citra cakram dibuat dan dibaca kembali; "
            "dibaca lagi paling lambat 1 November 2028",
        ),
    ],
)
def test_minutes_of_a_backup_name_its_media(tmp_path: Path, outputs: dict[str, Any], words: str) -> None:
    month = Month(tmp_path / "records")
    events = month.copied(at(31, 10), sets=["SET-P"], recheck_due="2028-11-01", **outputs)
    month.journal.append(events)
    month.journal.close()
    found = open_journal(tmp_path / "records")
    assert found
    assert words in read(make_minutes(found, events[0].run, OFFICE))


def test_an_incident_shows_both_clocks_through_the_weekend(journal: Journal) -> None:
    problem = find_problem(problems(journal), "website.unavailable", None)
    text = read(make_incident(journal, problem, OFFICE))
    assert "Ditemukan Senin, 5 Oktober 2026 pukul 08.02 WIB" in text
    assert "1 x 24 jam Selasa, 6 Oktober 2026 pukul 08.02 WIB" in text
    assert "3 x 24 jam Kamis, 8 Oktober 2026 pukul 08.02 WIB" in text
    for part in ("a. Kontak pelapor", "b. Deskripsi insiden", "c. Kronologi", "d. Dampak"):
        assert part in text


def test_an_unknown_problem_is_refused_with_the_nearest(journal: Journal) -> None:
    with pytest.raises(Refused, match=r"did you mean 'website\.unavailable'"):
        find_problem(problems(journal), "website.unavailabel", None)


@pytest.mark.parametrize(
    ("text", "first", "last", "name"),
    [
        ("2026-10-05", "2026-10-05", "2026-10-05", "Senin, 5 Oktober 2026"),
        ("2026-02", "2026-02-01", "2026-02-28", "Bulan Februari 2026"),
        ("2026-Q4", "2026-10-01", "2026-12-31", "Triwulan IV Tahun 2026"),
        ("2026-s1", "2026-01-01", "2026-06-30", "Semester I Tahun 2026"),
        ("2024", "2024-01-01", "2024-12-31", "Tahun 2024"),
    ],
)
def test_periods(text: str, first: str, last: str, name: str) -> None:
    term = parse_term(text)
    assert (term.first.isoformat(), term.last.isoformat(), term.name) == (first, last, name)


@pytest.mark.parametrize("text", ["", "2026-13", "2026-02-30", "2026-Q5", "0000", "okt 2026", "2026-10-05T00", "٢٠٢٦"])
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="write a day 2026-10-05"):
        parse_term(text)


@pytest.mark.parametrize(
    ("number", "words_"),
    [
        (0, "nol"),
        (11, "sebelas"),
        (19, "sembilan belas"),
        (24, "dua puluh empat"),
        (100, "seratus"),
        (1011, "seribu sebelas"),
        (2026, "dua ribu dua puluh enam"),
        (110_500, "seratus sepuluh ribu lima ratus"),
    ],
)
def test_numbers_in_words(number: int, words_: str) -> None:
    assert spell_number(number) == words_


def report(records: Path, folder: Path, *words_: str) -> int:
    return run(["report", *words_, "--records", str(records), "-o", str(folder)])


def test_the_same_journal_gives_the_same_bytes_in_each_form(records: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert report(records, tmp_path / name, "tabel7", "2026-S2", "--pdf", "--docx", "--paper", "f4") == 0
        assert report(records, tmp_path / name, "situation", HANDLING, "--docx") == 0
    files = {path.name: path.read_bytes() for path in (tmp_path / "a").iterdir()}
    assert len(files) == 5
    assert {path.name: path.read_bytes() for path in (tmp_path / "b").iterdir()} == files


def test_letterhead_and_people_come_from_the_record(
    records: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(records, tmp_path, "it", "2026-10", "--docx", "--format", "json") == 0
    told = json.loads(capsys.readouterr().out)
    document = docx.Document(told["files"]["docx"])
    assert document.paragraphs[1].text == "PENGADILAN NEGERI CONTOH"
    assert document.core_properties.identifier == told["head"]
    assert run(["verify", "--records", str(records), "--head", told["head"]]) == 0


def test_an_inventory_that_is_gone_from_the_record_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Month(tmp_path / "records").write().close()
    for path in (tmp_path / "records" / "evidence").rglob("*"):
        if path.is_file():
            path.write_bytes(b"office: {name: Lain}")
    assert report(tmp_path / "records", tmp_path, "it", "2026-10") == 7
    assert "was altered" in capsys.readouterr().err
    (tmp_path / "kini.yml").write_text("office: {name: Kantor Kini}")
    assert report(tmp_path / "records", tmp_path, "it", "2026-10", "-i", str(tmp_path / "kini.yml")) == 0
    assert "Kantor Kini" in (tmp_path / "laporan-pengelolaan-it-2026-10.html").read_text()


def test_text_from_outside_stays_text(tmp_path: Path) -> None:
    def page(message: str) -> str:
        found = Month(tmp_path / str(len(message)), message).write()
        paper = build_it(tell_term(found, parse_term("2026-10"), OFFICE))
        return render_html(paper, choose_layout({}, None, landscape=False))

    hostile = '<script>alert(1)</script>"><img src=x>\u202e{{ 7*7 }}'
    assert read_page(page(hostile)).tags == read_page(page("biasa")).tags


def test_the_inventory_says_which_paper_is_usual(records: Path, tmp_path: Path) -> None:
    (tmp_path / "kini.yml").write_text("office: {name: Kantor, paper: {size: F4, margins: {left: 25}}}")
    inventory = str(tmp_path / "kini.yml")
    assert report(records, tmp_path, "surat", HANDLING, "-i", inventory, "--docx") == 0
    section = docx.Document(str(tmp_path / "surat-pihak-ketiga.docx")).sections[0]
    assert (round(section.page_height.mm), round(section.left_margin.mm)) == (330, 25)
