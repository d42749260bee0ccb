"""`sop sign`: who may answer, how it is proved, what is refused; with real keys and ssh-keygen."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from runner.events import Event, Kind
from runner.people.answers import add_signature
from runner.people.attaching import LARGEST_FILE
from runner.people.requests import LONGEST_NOTE
from runner.record import build_record
from runner.record.evidence import EvidenceStore
from runner.record.statements import render_statement
from runner.signatures import sign as make_signature
from tests.officials import Office

RECORDS = Path("records")
PLAYBOOK = """
procedure: {title: T, roles: {admin: Admin Website, kasubbag: Kasubbag PTIP}}
steps:
  - id: report
    activity: a
    actor: admin
    outputs: [{id: said, text: O, value: "{{ tasks.work.note }}"}]
    tasks: [{id: work, action: person.do, with: {question: Kerjakan., answers: [sendiri, bersama]}}]
  - id: forward
    activity: b
    actor: kasubbag
    tasks: [{id: sign, action: person.sign, with: {document: "{{ steps.report.said }}"}}]
"""
INVENTORY = """
office: {{name: PN Contoh, timezone: Asia/Jakarta, shared_logins: [operator]}}
people:
  siti: {{name: Siti, login: siti, ssh_key: "{siti}", roles: [{{role: admin}}]}}
  budi: {{name: Budi, login: budi, ssh_key: "{budi}", roles: [{{role: kasubbag, until: 2026-11-23}}]}}
  plh:  {{name: Rina, login: rina, roles: [{{role: kasubbag, from: 2026-11-24, until: 2026-11-25, as: Plh,
          decree: W8-U6/12}}]}}
  one:  {{name: Satu, login: bersama, roles: [{{role: admin}}]}}
  two:  {{name: Dua, login: bersama, roles: [{{role: admin}}]}}
  desk: {{name: Meja, login: operator, roles: [{{role: admin}}]}}
"""


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the SSH keys of siti and budi, and one of a stranger."""
    folder = tmp_path_factory.mktemp("keys")
    for name in ("siti", "budi", "stranger"):
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", folder / name]
        subprocess.run(words, check=True, timeout=20)
    return folder


@pytest.fixture
def office(tmp_path: Path, keys: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Office:
    """An office whose run waits for Siti."""
    monkeypatch.chdir(tmp_path)
    public = {name: (keys / f"{name}.pub").read_text().strip() for name in ("siti", "budi")}
    Path("inventory.yml").write_text(INVENTORY.format(**public))
    Path("p.yml").write_text(PLAYBOOK)
    office = Office(monkeypatch, capsys)
    assert office.do("cron", "run", "p.yml") == 3
    return office


def forwarding(office: Office) -> Office:
    """The office when it waits for the Kasubbag."""
    assert office.sign("siti", "report", "--answer", "sendiri", "--note", "diganti") == 0, office.says
    assert office.do("siti", "resume", "last") == 3
    return office


@pytest.mark.parametrize(
    ("login", "reason"),
    [
        ("root", "the login 'root' is nobody's own, so it signs for no one. sign by SSH"),
        ("bersama", "the login 'bersama' belongs to several: Satu, Dua, so it signs for no one"),
        ("operator", "the inventory says that several people use the login 'operator'"),
        ("stranger", "login: 'stranger' belongs to nobody in the inventory. 'admin' is held by: Siti"),
        ("budi", "role 'admin': Budi does not hold it. 'admin' is held by: Siti, Satu, Dua, Meja"),
        ("rina", "role 'admin': Rina does not hold it"),
    ],
)
def test_a_shared_or_wrong_account_is_no_signature(office: Office, login: str, reason: str) -> None:
    assert office.sign(login, "report", "--answer", "sendiri", "--note", "x") == 5
    assert reason in office.says
    assert office.answers() == []


def test_the_environment_does_not_say_who_signs(office: Office) -> None:
    environment = {**os.environ, "LOGNAME": "siti", "USER": "siti", "SUDO_USER": "siti"}
    words = [sys.executable, "-m", "runner", "sign", "last", "report", "--answer", "sendiri", "--note", "x"]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 5
    assert "siti" not in done.stderr.replace("Siti", "").lower().split("held by")[0]
    assert office.answers() == []


def test_a_deputy_signs_within_his_days_only_and_is_named_as_one(office: Office) -> None:
    forwarding(office)
    assert office.sign("rina", "forward", "--answer", "signed") == 5
    assert "role 'kasubbag': Rina held it from 2026-11-24 to 2026-11-25, not on 2026-11-23" in office.says
    office.clock.advance(86400)
    assert office.sign("budi", "forward", "--answer", "signed") == 5
    assert "Budi held it from … to 2026-11-23, not on 2026-11-24" in office.says
    assert office.sign("rina", "forward", "--answer", "signed") == 0
    assert "Plh. Rina: signed, recorded" in office.says
    [_, answer] = office.answers()
    assert (answer["person"], answer["acting"], answer["decree"]) == ("Rina", "Plh", "W8-U6/12")


def test_days_of_a_role_are_the_office_s_days(office: Office) -> None:
    forwarding(office)
    office.clock.advance(15.5 * 3600)  # 17:30 UTC: the next day in Jakarta
    assert office.sign("budi", "forward", "--answer", "signed") == 5
    assert "not on 2026-11-24" in office.says
    assert office.sign("rina", "forward", "--answer", "signed") == 0


def test_people_who_changed_since_the_run_began_count_where_the_inventory_is_named(office: Office) -> None:
    forwarding(office)
    text = Path("inventory.yml").read_text()
    Path("new.yml").write_text(text + "  ani: {name: Ani, login: ani, roles: [{role: kasubbag, as: Plt}]}\n")
    assert office.sign("ani", "forward", "--answer", "signed") == 5
    assert office.sign("ani", "forward", "--answer", "signed", "-i", "new.yml") == 0
    assert office.answers()[-1]["acting"] == "Plt"
    assert len(office.answers()[-1]["inventory"]) == 1
    assert office.do("ani", "verify") == 0


@pytest.mark.promise("Secrets", "somebody types a secret into a note", "masked")
def test_secrets_that_somebody_types_are_masked(office: Office, keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSTING", "hunter2-hosting")
    Path("inventory.yml").write_text(Path("inventory.yml").read_text() + "secrets: {hosting: {env: HOSTING}}\n")
    assert office.do("cron", "run", "p.yml") == 3
    typed = "masuk dengan hunter2-hosting"
    assert office.sign("siti", "report", "--hand-to", "PT Hosting", "--note", typed) == 0, office.says
    words = ["--answer", "sendiri", "--note", typed, "--ssh", str(keys / "siti")]
    assert office.sign("siti", "report", *words) == 0, office.says
    assert office.answers()[-1]["note"] == "masuk dengan [masked:hosting]"
    assert office.do("siti", "cancel", "last", "--reason", typed) == 0, office.says
    assert office.do("siti", "verify") == 0
    kept = [path.read_bytes() for path in RECORDS.rglob("*") if path.is_file()]
    assert not [each for each in kept if b"hunter2-hosting" in each]


def test_a_second_signature_says_who_was_first(office: Office) -> None:
    assert office.sign("siti", "report", "--answer", "sendiri", "--note", "a") == 0
    assert office.sign("siti", "report", "--answer", "bersama", "--note", "b") == 5
    assert "Siti answered 'sendiri' on" in office.says
    assert len(office.answers()) == 1


def test_what_comes_after_an_answer_is_signed_once_the_run_has_gone_on(office: Office) -> None:
    assert office.sign("siti", "report", "--answer", "sendiri", "--note", "a") == 0
    assert office.sign("budi", "forward", "--answer", "signed") == 5
    assert "nothing waits for a person in step 'forward' yet: what came before is answered. sop resume" in office.says


def test_after_its_end_a_run_takes_no_signature(office: Office) -> None:
    forwarding(office)
    assert office.sign("budi", "forward", "--answer", "signed") == 0
    assert office.do("budi", "resume", "last") == 0
    assert office.sign("budi", "forward", "--answer", "signed") == 5
    assert "Budi answered 'signed'" in office.says
    assert office.sign("budi", "somewhere", "--answer", "signed") == 5
    assert "this run has ended (ok)" in office.says


def test_a_cancelled_run_takes_no_signature_and_is_in_nobody_s_hands(office: Office, keys: Path) -> None:
    stated(office, "--answer", "sendiri", "--note", "x", "--person", "siti")
    sign_elsewhere(keys, "siti")
    assert office.do("siti", "cancel", "last", "--reason", "salah jadwal") == 0, office.says
    for words in (["--answer", "sendiri", "--note", "x"], ["--signature", "s.txt.sig"], ["--take-back"]):
        assert office.sign("siti", "report", *words) == 5
        assert "Siti cancelled this run on 2026-11-23" in office.says
    assert office.document("status")["waiting"] == []
    assert office.document("tick")["resumed"] == []
    assert office.answers() == []


def test_a_note_that_is_the_step_s_output_is_needed(office: Office) -> None:
    for note in ([], ["--note", "  "]):
        assert office.sign("siti", "report", "--answer", "sendiri", *note) == 5
        assert "--note: it is missing; it is what step 'report' gives" in office.says
    assert office.sign("siti", "report", "--answer", "sendiri", "--note", "x" * (LONGEST_NOTE + 1)) == 5
    assert "put it into a file" in office.says


def test_returning_needs_a_reason_and_an_earlier_step(office: Office) -> None:
    forwarding(office)
    for words, reason in (
        (["--return-to", "report"], "--note: it is missing; a return needs its reason"),
        (["--answer", "returned"], "--note: it is missing; a return needs its reason"),
        (["--return-to", "reprot", "--note", "x"], "there is no step 'reprot'. did you mean 'report'?"),
        (["--return-to", "report", "--answer", "signed", "--note", "x"], "it was returned, and answered 'signed'"),
    ):
        assert office.sign("budi", "forward", *words) == 5
        assert reason in office.says
    assert office.sign("budi", "forward", "--return-to", "report", "--note", "angka salah") == 0
    assert {name: office.answers()[-1][name] for name in ("label", "to", "note")} == {
        "label": "returned",
        "to": "report",
        "note": "angka salah",
    }


def test_what_comes_later_cannot_be_returned_to(office: Office) -> None:
    assert office.sign("siti", "report", "--return-to", "forward", "--note", "x") == 5
    assert "step 'forward' does not come before it. write one of: report" in office.says


def test_files_are_kept_by_their_hash_and_names_do_no_harm(office: Office) -> None:
    names = ["foto.jpg", "<script>alert(1)<_script>.html", "surat\x1b[31m.pdf", "a" * 250 + ".txt"]
    for name in names:
        Path(name).write_bytes(name.encode())
    more = [word for name in names for word in ("--evidence", name)]
    assert office.sign("siti", "report", "--answer", "sendiri", "--note", "lihat foto", *more) == 0
    [answer] = office.answers()
    kept = [each["name"] for each in answer["evidence"]]
    assert kept[:3] == ["foto.jpg", "<script>alert(1)<_script>.html", "surat_[31m.pdf"]
    assert len(kept[3]) <= 200
    assert kept[3].endswith(".txt")
    office.do("siti", "resume", "last")
    assert office.do("siti", "show", "last", "report", "--save", "out") == 0
    assert Path("out/report/foto.jpg").read_bytes() == b"foto.jpg"
    record = build_record(office.events())
    assert [e.name for e in record.steps[0].targets[0].tasks[0].outcome.evidence] == kept


def test_files_that_cannot_be_evidence_are_all_named_and_nothing_is_recorded(office: Office) -> None:
    Path("good.txt").write_text("x")
    Path("link.txt").symlink_to("good.txt")
    Path("folder").mkdir()
    Path("empty.txt").touch()
    os.mkfifo("pipe")
    with Path("film.mp4").open("wb") as film:
        film.truncate(2 * 1024**3)
    names = ["good.txt", "link.txt", "folder", "gone.txt", "empty.txt", "pipe", "film.mp4"]
    more = [word for name in names for word in ("--evidence", name)]
    assert office.sign("siti", "report", "--answer", "sendiri", "--note", "x", *more) == 5
    told = dict(line.split(": ", 1) for line in office.says.splitlines())
    assert sorted(told) == sorted(names[1:])
    assert told["link.txt"].startswith("it is a link")
    assert told["folder"].startswith("it is a folder")
    assert told["gone.txt"].startswith("there is no such file")
    assert told["film.mp4"].startswith("it has 2.1 GB, at most 200 MB are kept")
    assert office.answers() == []
    assert not any(path.read_bytes() == b"x" for path in Path("records/evidence").glob("??/*"))
    assert LARGEST_FILE == 200_000_000


def test_too_many_files_are_refused(office: Office) -> None:
    Path("a").write_text("a")
    assert office.sign("siti", "report", "--answer", "sendiri", "--note", "x", *(["--evidence", "a"] * 21)) == 5
    assert "--evidence: 21 files, at most 20 go with an answer" in office.says


def test_a_paper_needs_its_scan_and_a_name(office: Office) -> None:
    forwarding(office)
    Path("scan.pdf").write_bytes(b"%PDF-1.7 signed")
    Path("empty.pdf").touch()
    assert office.sign("root", "forward", "--answer", "signed", "--paper", "empty.pdf", "--person", "budi") == 5
    assert "it is empty" in office.says
    assert office.sign("root", "forward", "--answer", "signed", "--paper", "scan.pdf", "--person", "siti") == 5
    assert "role 'kasubbag': Siti does not hold it" in office.says
    assert office.sign("root", "forward", "--answer", "signed", "--paper", "scan.pdf", "--person", "budi") == 0
    answer = office.answers()[-1]
    assert answer["signature"]["kind"] == "paper"
    assert answer["signature"]["recorded_by"] == "root"
    assert [each["sha256"] for each in answer["evidence"]] == [answer["signature"]["scan"]]


def test_one_scan_for_the_signatures_of_two_steps_is_a_deviation(office: Office) -> None:
    Path("scan.pdf").write_bytes(b"%PDF-1.7 signed")
    paper = ("--paper", "scan.pdf", "--person")
    assert office.sign("root", "report", "--answer", "sendiri", "--note", "x", *paper, "siti") == 0, office.says
    assert office.do("siti", "resume", "last") == 3
    assert office.sign("root", "forward", "--answer", "signed", *paper, "budi") == 0
    assert [answer["deviations"] for answer in office.answers()] == [[], ["same_paper: report"]]
    assert "deviation: same_paper: report" in office.says


# Signatures by SSH


def test_a_key_of_the_inventory_signs_from_a_shared_account(office: Office, keys: Path) -> None:
    Path("foto.jpg").write_bytes(b"jpg")
    words = ["--answer", "sendiri", "--note", "diganti", "--evidence", "foto.jpg", "--ssh", str(keys / "siti")]
    assert office.sign("root", "report", *words) == 0, office.says
    [answer] = office.answers()
    assert answer["person"] == "Siti"
    assert answer["method"].startswith("ssh SHA256:")
    assert [each["name"] for each in answer["evidence"]] == ["foto.jpg", "report-work.txt", "report-work.txt.sig"]
    assert office.do("root", "verify") == 0, office.says
    office.do("root", "resume", "last")
    office.do("root", "show", "last", "report", "--save", "out")
    stated = json.loads(Path("out/report/report-work.txt").read_text())
    assert {name: stated[name] for name in ("step", "attempt", "task", "question", "person", "label", "note")} == {
        "step": "report",
        "attempt": 1,
        "task": "work",
        "question": "Kerjakan.",
        "person": "Siti",
        "label": "sendiri",
        "note": "diganti",
    }
    allowed = Path("allowed")
    allowed.write_text("siti " + (keys / "siti.pub").read_text())
    verify = ["ssh-keygen", "-Y", "verify", "-f", allowed, "-I", "siti", "-n", "sop-answer"]
    signed = Path("out/report/report-work.txt").read_bytes()
    subprocess.run([*verify, "-s", "out/report/report-work.txt.sig"], input=signed, check=True, timeout=20)


def test_an_agent_signs(office: Office, keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert office.sign("root", "report", "--answer", "sendiri", "--note", "x", "--ssh", "agent") == 5
    assert "no SSH agent answers that has a key" in office.says
    with agent(monkeypatch, keys / "stranger", keys / "siti"):
        assert office.sign("root", "report", "--answer", "sendiri", "--note", "x", "--ssh", "agent") == 0, office.says
    assert office.answers()[0]["person"] == "Siti"
    assert office.do("root", "verify") == 0


class agent:  # noqa: N801  # a context, used as a word
    """An SSH agent with keys."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *files: Path) -> None:
        self._monkeypatch, self._files = monkeypatch, files

    def __enter__(self) -> None:
        socket = Path("agent.sock").absolute()
        self._process = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        self._process.stdout.readline()
        self._monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        for file in self._files:
            subprocess.run(["ssh-add", "-q", file], check=True, timeout=20)

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate(timeout=20)


def test_a_strange_key_and_the_wrong_person_are_refused(office: Office, keys: Path) -> None:
    for name, reason in (
        ("stranger", "stands at nobody in the inventory"),
        ("budi", "role 'admin': Budi does not hold it"),
        ("none", "this key cannot be read"),
    ):
        assert office.sign("siti", "report", "--answer", "sendiri", "--note", "x", "--ssh", str(keys / name)) in (2, 5)
        assert reason in office.says
    assert office.answers() == []


def test_a_public_key_put_beside_another_private_one_signs_nothing(office: Office, keys: Path) -> None:
    shutil.copy(keys / "stranger", "mixed")
    shutil.copy(keys / "siti.pub", "mixed.pub")
    assert office.sign("root", "report", "--answer", "sendiri", "--note", "x", "--ssh", "mixed") in (2, 5)
    assert office.answers() == []


def test_a_key_that_several_have_signs_for_none(office: Office, keys: Path) -> None:
    text = Path("inventory.yml").read_text().replace("login: bersama,", f'ssh_key: "{read(keys, "siti")}",')
    Path("new.yml").write_text(text)
    words = ["--answer", "sendiri", "--note", "x", "--ssh", str(keys / "siti"), "-i", "new.yml"]
    assert office.sign("root", "report", *words) == 5
    assert "stands at several people: Siti, Satu, Dua. give each a key" in office.says


def read(keys: Path, name: str) -> str:
    return (keys / f"{name}.pub").read_text().strip()


def sign_elsewhere(keys: Path, name: str, file: str = "s.txt", namespace: str = "sop-answer") -> None:
    """What an official does on a machine without sop."""
    Path(f"{file}.sig").unlink(missing_ok=True)
    words = ["ssh-keygen", "-q", "-Y", "sign", "-f", keys / name, "-n", namespace, file]
    subprocess.run(words, check=True, timeout=20, stderr=subprocess.DEVNULL)


def stated(office: Office, *words: str, step: str = "report") -> None:
    """Write the statement s.txt anew."""
    Path("s.txt").unlink(missing_ok=True)
    assert office.sign("root", step, "--to-sign", "s.txt", *words) == 0, office.says


def test_a_signature_made_elsewhere_is_recorded_by_anyone(office: Office, keys: Path) -> None:
    Path("foto.jpg").write_bytes(b"jpg")
    stated(office, "--answer", "bersama", "--note", "kabel diganti", "--evidence", "foto.jpg", "--person", "siti")
    assert "sop sign" in office.says
    assert "--signature s.txt.sig" in office.says
    sign_elsewhere(keys, "siti")
    Path("foto.jpg").unlink()
    assert office.sign("root", "report", "--signature", "s.txt.sig") == 0, office.says
    [answer] = office.answers()
    assert (answer["person"], answer["label"], answer["note"]) == ("Siti", "bersama", "kabel diganti")
    assert answer["evidence"][0]["name"] == "foto.jpg"
    assert office.do("root", "verify") == 0, office.says
    assert office.sign("root", "report", "--signature", "s.txt.sig") == 5  # the same once more
    assert "Siti answered 'bersama'" in office.says


def test_a_statement_is_not_written_over_a_file(office: Office) -> None:
    Path("s.txt").write_text("mine")
    assert office.sign("root", "report", "--answer", "sendiri", "--note", "x", "--to-sign", "s.txt") == 5
    assert Path("s.txt").read_text() == "mine"


def changed(name: str, value: object) -> Callable[[dict[str, Any]], None]:
    return lambda statement: statement.__setitem__(name, value)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (changed("run", "20200101-0000-aaaaa"), "'run' is '20200101-0000-aaaaa' there"),
        (changed("attempt", 2), "'attempt' is 2 there, and 1 here"),
        (changed("step", "forward"), "'step' is 'forward' there"),
        (changed("question", "Lain?"), "'question' is 'Lain?' there"),
        (changed("subject", "ab" * 32), "'subject' is"),
        (changed("person", "Budi"), "'person' is 'Budi' there, and 'Siti' here"),
        (changed("label", "entah"), "'entah' is none of the answers"),
        (changed("head", {"record": 1, "sha256": "00" * 32}), "made for another journal, or before this was asked"),
        (changed("head", {"record": 10**30, "sha256": ""}), "made for another journal, or before this was asked"),
        (changed("head", None), "'head' is"),
        (changed("evidence", [{"name": "x"}]), "its list of evidence cannot be read"),
        (changed("form", "something else"), "it is no statement of an answer"),
        (changed("extra", 1), "does not hold"),
    ],
)
def test_a_statement_of_something_else_is_refused(
    office: Office, keys: Path, change: Callable[[dict[str, Any]], None], reason: str
) -> None:
    stated(office, "--answer", "sendiri", "--note", "x", "--person", "siti")
    statement = json.loads(Path("s.txt").read_text())
    change(statement)
    Path("s.txt").write_text(json.dumps(statement, ensure_ascii=False, indent=1) + "\n")
    sign_elsewhere(keys, "siti")
    assert office.sign("root", "report", "--signature", "s.txt.sig") in (2, 5)
    assert reason in office.says
    assert office.answers() == []


def test_a_statement_altered_after_signing_or_signed_for_another_use_is_refused(office: Office, keys: Path) -> None:
    stated(office, "--answer", "sendiri", "--note", "x", "--person", "siti")
    sign_elsewhere(keys, "siti", namespace="git")
    assert office.sign("root", "report", "--signature", "s.txt.sig") == 5
    assert "does not hold" in office.says
    sign_elsewhere(keys, "siti")
    Path("s.txt").write_text(Path("s.txt").read_text().replace('"note": "x"', '"note": "y"'))
    assert office.sign("root", "report", "--signature", "s.txt.sig") == 5
    assert "does not hold" in office.says
    for content in (b"", b"\x00" * 100, b"-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n"):
        Path("s.txt.sig").write_bytes(content)
        assert office.sign("root", "report", "--signature", "s.txt.sig") in (2, 5)
        assert "no SSH signature" in office.says
    assert office.answers() == []


def test_a_signature_of_an_earlier_run_is_refused(office: Office, keys: Path) -> None:
    stated(office, "--answer", "sendiri", "--note", "x", "--person", "siti")
    sign_elsewhere(keys, "siti")
    office.clock.advance(60)
    assert office.do("cron", "run", "p.yml") == 3
    assert office.sign("root", "report", "--signature", "s.txt.sig") == 5
    assert "it was made for another answer: 'run' is" in office.says
    assert office.answers() == []


# What is put before the person, and what happens meanwhile


REPORTING = """
procedure: {title: T, roles: {admin: Admin Website, kasubbag: Kasubbag PTIP}}
steps:
  - id: report
    activity: a
    actor: admin
    outputs: [{id: report, text: O, value: "{{ tasks.make.report }}"}]
    tasks: [{id: make, action: report.situation}]
  - id: forward
    activity: b
    actor: kasubbag
    tasks: [{id: sign, action: person.sign, with: {document: "{{ steps.report.report }}"}}]
"""


def reporting(office: Office, login: str = "cron") -> Event:
    """The office when a report waits to be signed; return the request."""
    Path("p.yml").write_text(REPORTING)
    office.clock.advance(60)
    assert office.do(login, "run", "p.yml") == 3
    return next(event for event in office.events() if event.kind is Kind.REQUESTED)


def test_a_report_that_was_changed_is_not_signed(office: Office) -> None:
    subject = reporting(office).data["subject"]
    file = Path("records/evidence") / subject[:2] / subject[2:]
    content = file.read_bytes()
    file.chmod(0o600)
    for text in (content + b"<p>all is well</p>", None):
        file.write_bytes(text) if text else file.unlink()
        assert office.sign("budi", "forward", "--answer", "signed") == 5
        assert "what is to be signed is not what was reported" in office.says
    assert office.answers() == []
    file.write_bytes(content)
    assert office.sign("budi", "forward", "--answer", "signed") == 0
    assert office.answers()[0]["subject"] == subject


def test_who_began_the_run_and_signs_its_report_is_a_deviation(office: Office) -> None:
    reporting(office, login="budi")
    assert office.sign("budi", "forward", "--answer", "signed") == 0
    assert office.answers()[0]["deviations"] == ["same_person: Budi (Admin Website, Kasubbag PTIP)"]
    assert "deviation: same_person: Budi" in office.says
    assert office.do("budi", "resume", "last") == 0
    record = build_record(office.events())
    assert record.steps[1].targets[0].deviations == ("same_person: Budi (Admin Website, Kasubbag PTIP)",)


def test_a_deputy_who_checks_what_he_did_himself_is_a_deviation(office: Office) -> None:
    forwarding(office)
    text = Path("inventory.yml").read_text()
    Path("new.yml").write_text(text.replace("[{role: admin}]", "[{role: admin}, {role: kasubbag, as: Plh}]", 1))
    assert office.sign("siti", "forward", "--answer", "signed", "-i", "new.yml") == 0
    assert office.answers()[-1]["deviations"] == ["same_person: Siti (Admin Website, Kasubbag PTIP)"]


def test_different_people_are_no_deviation(office: Office) -> None:
    forwarding(office)
    assert office.sign("budi", "forward", "--answer", "signed") == 0
    assert [answer["deviations"] for answer in office.answers()] == [[], []]


def test_a_third_party_s_time_is_told_apart(office: Office) -> None:
    for words, reason in (
        (["--take-back"], "it is with nobody else"),
        (["--hand-to", "PT Contoh"], "--note: it is missing"),
        (["--hand-to", " ", "--note", "x"], "a name of 1 to 200 characters"),
        (["--hand-to", "PT Contoh", "--note", "x", "--answer", "sendiri"], "handing over is no answer"),
    ):
        assert office.sign("siti", "report", *words) == 5
        assert reason in office.says
    assert office.sign("budi", "report", "--hand-to", "PT Contoh", "--note", "tiket 7") == 5
    assert office.sign("siti", "report", "--hand-to", "PT Contoh", "--note", "tiket 7") == 0
    assert office.sign("siti", "report", "--hand-to", "PT Lain", "--note", "tiket 8") == 5
    assert "it is with PT Contoh already" in office.says
    office.clock.advance(3600)
    assert office.sign("siti", "report", "--take-back", "--note", "kabel diganti") == 0
    [hand] = build_record(office.events()).hands
    assert (hand.party, hand.note, hand.remark) == ("PT Contoh", "tiket 7", "kabel diganti")
    assert hand.until is not None
    assert hand.until - hand.since == timedelta(hours=1)
    assert office.sign("siti", "report", "--answer", "bersama", "--note", "oleh PT Contoh") == 0
    assert office.do("siti", "show", "last") == 0
    assert "report with PT Contoh from" in office.says
    assert "tiket 7, handed over by Siti; kabel diganti" in " ".join(office.says.split())


def test_who_cannot_hand_over_is_told_what_helps(office: Office) -> None:
    assert office.sign("root", "report", "--hand-to", "PT Hosting", "--note", "x", "--person", "siti") == 5
    assert "signs for no one. do it under your own login" in office.says


def test_one_way_to_sign_at_a_time(office: Office) -> None:
    Path("scan.pdf").write_bytes(b"x")
    assert office.sign("siti", "report", "--paper", "scan.pdf", "--ssh", "agent") == 5
    assert "--ssh and --paper: an answer is signed in one way" in office.says


def test_what_was_returned_is_a_new_attempt_and_earlier_signatures_are_not_for_it(office: Office, keys: Path) -> None:
    forwarding(office)
    stated(office, "--answer", "signed", "--person", "budi", step="forward")
    sign_elsewhere(keys, "budi")
    assert office.sign("budi", "forward", "--return-to", "report", "--note", "angka salah") == 0
    assert office.do("siti", "resume", "last") == 3, office.says
    [turn] = office.document("status")["waiting"]
    assert (turn["step"], turn["attempt"], turn["officials"][0]["name"]) == ("report", 2, "Siti")
    assert office.sign("root", "forward", "--signature", "s.txt.sig") == 5
    assert "nothing waits for a person in step 'forward'" in office.says
    assert office.sign("siti", "report", "--answer", "sendiri", "--note", "diperbaiki") == 0
    assert office.do("siti", "resume", "last") == 3
    assert office.sign("root", "forward", "--signature", "s.txt.sig") == 5
    assert "it was made for another answer: 'attempt' is 1 there, and 2 here" in office.says
    stated(office, "--answer", "signed", "--person", "budi", step="forward")
    sign_elsewhere(keys, "budi")
    assert office.sign("root", "forward", "--signature", "s.txt.sig") == 0, office.says
    assert office.do("siti", "resume", "last") == 0
    assert office.do("siti", "verify") == 0


JOINT = """
procedure: {title: T, roles: {admin: Admin Website, kasubbag: Kasubbag PTIP}}
steps:
  - id: check
    activity: a
    tasks: [{id: sign, action: person.sign, actor: [admin, kasubbag], with: {question: Periksa bersama.}}]
"""


def test_of_several_who_must_answer_each_answers_for_himself(office: Office, keys: Path) -> None:
    Path("p.yml").write_text(JOINT)
    office.clock.advance(60)
    assert office.do("cron", "run", "p.yml") == 3
    assert [turn["role"] for turn in office.document("status")["waiting"]][:2] == ["admin", "kasubbag"]
    assert office.sign("root", "check", "--answer", "signed", "--ssh", str(keys / "siti")) == 5
    assert "waits for several answers. add one of: --role admin, --role kasubbag" in office.says
    assert office.sign("root", "check", "--answer", "signed", "--ssh", str(keys / "siti"), "--role", "kasubbag") == 5
    assert "role 'kasubbag': Siti does not hold it" in office.says
    assert office.sign("budi", "check", "--answer", "signed") == 0, office.says
    assert office.sign("budi", "check", "--answer", "signed") == 5
    assert office.do("siti", "resume", "last") == 3
    assert office.sign("root", "check", "--answer", "signed", "--ssh", str(keys / "siti")) == 0, office.says
    assert office.do("siti", "resume", "last") == 0
    assert [(answer["person"], answer["role"]) for answer in office.answers()] == [
        ("Budi", "kasubbag"),
        ("Siti", "admin"),
    ]


OUTSIDE = """
procedure: {title: T, roles: {admin: Admin Website, applicant: Pemohon}}
steps:
  - id: ask
    activity: a
    actor: applicant
    tasks: [{id: bring, action: person.do, with: {question: Serahkan permohonan.}}]
supplement: {outside: [applicant]}
"""


def test_the_act_of_somebody_outside_is_recorded_by_an_insider(office: Office) -> None:
    Path("p.yml").write_text(OUTSIDE)
    office.clock.advance(60)
    assert office.do("cron", "run", "p.yml") == 3
    assert office.sign("siti", "ask") == 5
    assert "'applicant' is outside the office; it says who acted there" in office.says
    assert office.sign("root", "ask", "--person", "Pak Pemohon") == 5
    assert office.sign("siti", "ask", "--person", "Pak Pemohon") == 0
    [answer] = office.answers()
    assert (answer["person"], answer["method"]) == ("Pak Pemohon", "recorded by Siti")


# What somebody writes into the journal by hand


def forge(change: Callable[[dict[str, Any]], None]) -> None:
    """Alter the last answer in the journal, and compute the whole chain anew, as one who knows how would."""
    import sqlite3

    from runner.record.chain import GENESIS, link

    connection = sqlite3.connect("records/journal.sqlite")
    connection.execute("DROP TRIGGER never_updated")
    rows = connection.execute("SELECT seq, body, kind FROM events ORDER BY seq").fetchall()
    last = max(seq for seq, _, kind in rows if kind == "answered")
    digest = GENESIS
    for seq, text, _ in rows:
        body = json.loads(text)
        if seq == last:
            change(body["data"])
        text = json.dumps(body, sort_keys=True, separators=(",", ":"))
        digest = link(digest, text)
        connection.execute("UPDATE events SET body = ?, hash = ? WHERE seq = ?", (text, digest, seq))
    raising = "BEGIN SELECT RAISE(ABORT, 'the journal only grows'); END"
    connection.execute(f"CREATE TRIGGER never_updated BEFORE UPDATE ON events {raising}")
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (changed("label", "bersama"), "what was signed is not what was recorded"),
        (changed("person", "Budi"), "what was signed is not what was recorded"),
        (changed("note", "lain"), "what was signed is not what was recorded"),
        (changed("label", "entah"), "the answer 'entah' was none of those to choose from"),
        (changed("subject", "ab" * 32), "the answer is to another document than was put before the person"),
    ],
)
def test_a_rebuilt_chain_does_not_carry_a_forged_signature(
    office: Office, keys: Path, change: Callable[[dict[str, Any]], None], fault: str
) -> None:
    assert office.sign("root", "report", "--answer", "sendiri", "--note", "x", "--ssh", str(keys / "siti")) == 0
    forge(change)
    assert office.do("root", "verify") == 7
    assert fault in office.says


def test_another_key_written_into_the_record_is_named(office: Office, keys: Path) -> None:
    assert office.sign("root", "report", "--answer", "sendiri", "--note", "x", "--ssh", str(keys / "siti")) == 0
    public = " ".join(read(keys, "stranger").split()[:2])
    forge(lambda data: data["signature"].__setitem__("key", public))
    assert office.do("root", "verify") == 7
    assert "the signature does not hold" in office.says


def test_a_forged_answer_signed_with_a_key_that_is_not_the_signer_s_is_named(office: Office, keys: Path) -> None:
    assert office.sign("root", "report", "--answer", "sendiri", "--note", "x", "--ssh", str(keys / "siti")) == 0
    assert office.do("root", "verify") == 0
    event = next(event for event in office.events() if event.kind is Kind.ANSWERED)
    public = " ".join(read(keys, "stranger").split()[:2])
    data = {**event.data, "note": "y", "evidence": [], "signature": {**event.data["signature"], "key": public}}
    stated = replace(event, data=data)
    forged = add_signature(stated, make_signature(keys / "stranger", render_statement(stated)), EvidenceStore(RECORDS))
    forge(lambda data: data.update(forged.data))
    assert office.do("root", "verify") == 7
    assert "is not that of Siti in the inventory that counted" in office.says


def test_a_key_of_an_inventory_that_was_named_holds(office: Office, keys: Path) -> None:
    public = " ".join(read(keys, "stranger").split()[:2])
    ani = f'  ani: {{name: Ani, login: ani, ssh_key: "{public}", roles: [{{role: admin}}]}}\n'
    Path("new.yml").write_text(Path("inventory.yml").read_text() + ani)
    words = ["--answer", "sendiri", "--note", "x", "--ssh", str(keys / "stranger")]
    assert office.sign("ani", "report", *words) == 5
    assert office.sign("ani", "report", *words, "-i", "new.yml") == 0
    assert office.do("ani", "verify") == 0, office.says
    EvidenceStore(RECORDS).path(office.answers()[0]["inventory"][0]["sha256"]).unlink()
    assert office.do("ani", "verify") == 7
    assert "new.yml" in office.says


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, '{"form": "sop answer 1"}', '{"form": "sop answer 1", "label": [1], "head": "x", "evidence": 7}',
     '{"form": "sop answer 1", "label": "sendiri", "note": "x", "head": {"record": true}, "evidence": [[]]}',
     '{"form": "sop answer 1", "label": "sendiri", "note": "x", "evidence": [{"name": 1, "sha256": 2, "size": "3",'
     ' "media_type": 4}]}', '{"form": "sop answer 1", "label": "sendiri", "note": "x", "evidence": [], "head": 5}'],
)  # fmt: skip
def test_any_statement_is_read_or_refused(office: Office, keys: Path, text: str) -> None:
    Path("s.txt").write_text(text)
    sign_elsewhere(keys, "siti")
    assert office.sign("root", "report", "--signature", "s.txt.sig") in (2, 5), office.says
    assert office.answers() == []
