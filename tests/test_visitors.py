"""Visitors from the log to the person who decides: playbooks/pengunjung.yml on a site of this machine."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runner.cli import run as sop
from tests.clocks import FixedClock
from tests.officials import Office

PLAYBOOK = Path(__file__).parents[1] / "playbooks" / "pengunjung.yml"
INVENTORY = """\
office: {{name: Pengadilan Negeri Contoh, timezone: Asia/Jakarta, networks: 203.0.113.9}}
websites: {{pn_contoh: {{url: "http://127.0.0.1:9", server: here, access_log: {log}}}}}
servers: {{here: {{connection: local}}}}
people: {{siti: {{name: Siti Contoh, login: siti, roles: [{{role: admin, from: 2020-01-01}}]}}}}
"""
USUAL = '198.51.100.1 - - [23/Nov/2026:09:00:00 +0700] "GET / HTTP/1.1" 200 5 "-" "x"\n'


def attack(address: str, times: int) -> str:
    moment = datetime.now(UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
    return (
        f'{address} - - [{moment}] "GET /?id=1%27%20or%201=1--&nik=1706010101900001 HTTP/1.1" 404 5 "-" "x"\n' * times
    )


def test_a_block_list_waits_for_a_person_and_names_nobody_in_the_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    log = tmp_path / "access.log"
    log.write_text(attack("203.0.113.7", 12) + attack("203.0.113.9", 12) + attack("203.0.113.8", 2))
    Path("inventory.yml").write_text(INVENTORY.format(log=log))
    assert sop(["run", str(PLAYBOOK), "--format", "json"]) == 10
    told = capsys.readouterr().out
    block = json.loads(told)["steps"][1]["targets"][0]
    listed, waiting = block["tasks"]
    assert (listed["status"], waiting["status"]) == ("ok", "waiting")
    assert (listed["outputs"]["count"], listed["outputs"]["left_out"]) == (1, {"few": 1, "own": 1})
    assert sop(["show", "last", "block", "--save", "out"]) == 0
    saved = {path.name: path for path in (tmp_path / "out" / "block").iterdir()}
    raw = saved["blokir.nginx.restricted.conf"]
    assert "deny 203.0.113.7;" in raw.read_text()
    assert stat.S_IMODE(raw.stat().st_mode) == 0o600
    assert sop(["status"]) == 0
    shown = told + capsys.readouterr().out + saved["usulan-blokir.txt"].read_text()
    assert "203.0.113.7" not in shown
    assert "1706010101900001" not in shown
    recorded = b"".join(path.read_bytes() for path in Path("records").glob("journal.sqlite*"))
    assert b"pn_contoh" in recorded
    keys = [path.read_bytes() for path in Path("records/keys").iterdir()]
    for private in (b"203.0.113.7", b"1706010101900001", *keys, *(key.hex().encode() for key in keys)):
        assert private not in recorded
    assert sop(["verify"]) == 0


def test_only_a_list_that_changed_asks_for_a_signature_and_a_returned_one_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    log = tmp_path / "access.log"
    office = Office(monkeypatch, capsys)
    Path("inventory.yml").write_text(INVENTORY.format(log=log))
    asked = []
    for day, visitors in enumerate((["203.0.113.7"], [], ["203.0.113.8"], [])):
        office.clock = FixedClock(datetime.now(UTC) + timedelta(days=day))
        with log.open("a") as lines:
            lines.write("".join(attack(address, 12) for address in visitors) + USUAL)
        office.do("cron", "run", str(PLAYBOOK), "--only", "scan,block", "--scheduled")
        asked.append(len(office.document("status")["waiting"]))
        if asked[-1]:
            assert office.sign("siti", "block", "--answer", "returned" if day == 0 else "signed", "--note", "x") == 0, (
                office.says
            )
            office.do("cron", "tick")
        assert office.document("status")["waiting"] == [], "nothing is asked twice"
    assert asked == [1, 0, 1, 0]
