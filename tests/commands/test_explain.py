"""`sop explain` tells what a playbook will do, in sentences that stand on an old terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.cli import run
from tests.clocks import FixedClock
from tests.lab import NOW

ROOT = Path(__file__).parents[2]
INVENTORY = """\
office: {name: Kantor Contoh, timezone: Asia/Jakarta}
servers: {a: {connection: local}, b: {connection: local}}
people:
  siti: {name: Siti Contoh, roles: [{role: admin}]}
"""
PLAYBOOK = """\
procedure: {title: S.O.P. C0ntoh, unit: Kantor Contoh, roles: {admin: Admin, kepala: Kepala}}
steps:
  - id: watch
    activity: Memonitor situs
    actor: admin
    time_limit: 1jam - 3hari
    targets: servers
    on_failure: continue
    outputs: [Catatan]
    tasks:
      - {id: load, action: command.run, effect: read, with: {argv: [uptime]}, retry: {count: 2}, run_as: www-data}
      - {id: mend, action: command.run, when: "{{ tasks.load.exit_code != 0 }}", with: {argv: ["true"]}, always: true}
  - id: decide
    activity: Memutuskan
    actor: kepala
    tasks:
      - {id: ask, action: person.do, with: {question: "Periksa {{ run.date }} dahulu."}}
    decide:
      question: Lanjut?
      answers: {ya: end, tidak: {step: watch}, lain: {out: SOP Lain}}
supplement:
  readings: {title: S.O.P. Contoh}
  schedule: [{steps: [watch], cron: "0 8 * * *", note: setiap hari}]
  after: {problems: [decide]}
  outside: [kepala]
"""
INDONESIAN = """\
S.O.P. Contoh, Kantor Contoh
2 kegiatan, 2 objek.

1. Memonitor situs (watch)
   Berjalan sendiri setiap hari (0 8 * * *); berikutnya Selasa, 24 November 2026
   pukul 08.00 WIB.
   Dikerjakan untuk a, b.
   Pelaksana: Admin (Siti Contoh).
   Batas waktu: 1jam - 3hari (1 jam - 3 hari).
   - load: command.run, hanya membaca, paling lama 10 menit, diulang sampai 2
     kali bila gagal, sebagai pengguna www-data
   - mend: command.run, mengubah sesuatu, paling lama 10 menit, hanya bila
     tasks.load.exit_code != 0, juga sesudah kegagalan
   Hasil yang dicatat: Catatan.
   Bila gagal, kegiatan lain tetap berjalan.
   Bila tidak terjangkau, objek itu tidak dilanjutkan.

2. Memutuskan (decide)
   Dimulai hanya bila ada masalah yang masih terbuka.
   Dikerjakan satu kali, di komputer ini.
   Pelaksana: Kepala.
   Batas waktu: -.
   - ask: menunggu Kepala: Periksa … dahulu.
   Bila gagal atau tidak terjangkau, objek itu tidak dilanjutkan.
   Keputusan: Lanjut? (dijawab oleh Kepala) “ya”: selesai; “tidak”: ke kegiatan
   1 (watch); “lain”: lanjut ke SOP “SOP Lain”.

Uji coba dengan `sop plan` menjalankan 1 tugas yang hanya membaca dan meninjau 1
tugas yang mengubah sesuatu tanpa mengubahnya; 1 tugas menunggu orang.
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with one playbook, on a terminal of 80 columns."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    Path("inventory.yml").write_text(INVENTORY)
    Path("playbook.yml").write_text(PLAYBOOK)
    return tmp_path


def explain(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert run(["explain", *words], clock=FixedClock(NOW)) == 0
    return capsys.readouterr().out


def test_a_playbook_is_told_in_indonesian(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(capsys, "playbook.yml") == INDONESIAN


def test_only_what_was_asked_for_is_told_and_the_rest_is_named(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = explain(capsys, "playbook.yml", "--only", "watch", "--limit", "b", "--language", "en")
    assert "It is done for b." in told
    assert "Memutuskan" not in told
    assert "Not selected: decide." in told


@pytest.mark.parametrize("playbook", sorted((ROOT / "playbooks").glob("*.yml")), ids=lambda path: path.stem)
@pytest.mark.parametrize("language", ["id", "en"])
def test_the_shipped_playbooks_are_told_within_80_columns(
    here: Path, capsys: pytest.CaptureFixture[str], playbook: Path, language: str
) -> None:
    told = explain(capsys, str(playbook), "-i", str(ROOT / "inventory"), "--language", language)
    assert max(map(len, told.splitlines())) <= 80
    assert "{{" not in told


def test_a_playbook_with_a_mistake_is_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("playbook.yml").write_text(PLAYBOOK.replace("actor: admin", "actor: amdin"))
    assert run(["explain", "playbook.yml"], clock=FixedClock(NOW)) == 5
    assert "there is no role 'amdin'" in capsys.readouterr().err
