"""A site's baseline over runs: a change stays a problem until a named person accepts it, on the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.cli import run
from tests.actions.integrity_sites import HOME, Visit, site, visitor_server
from tests.logins import sign_in
from tests.web_servers import Reply

PLAYBOOK = """\
procedure: {title: Pemantauan}
steps:
  - id: look
    activity: Memeriksa keutuhan website
    targets: websites
    tasks: [{id: integrity, action: website.integrity, with: {sample: 0}}]
"""


class Office:
    """A folder with an inventory and a playbook for one site, whose pages may change between runs."""

    def __init__(self, url: str, pages: dict[str, Reply | str | None], capsys: pytest.CaptureFixture[str]) -> None:
        self.pages, self._capsys = pages, capsys
        person = {"name": "Petugas A", "login": "siti", "roles": [{"role": "admin", "from": "2020-01-01"}]}
        inventory = {"websites": {"pn": {"url": url}}, "people": {"petugas_a": person}}
        Path("inventory.yml").write_text(json.dumps(inventory))
        Path("playbook.yml").write_text(PLAYBOOK)

    def look(self) -> tuple[list[str], dict[str, Any]]:
        """Run the playbook; return the keys of its problems, and the task's outputs."""
        run(["run", "playbook.yml", "-i", "inventory.yml", "--format", "json"])
        found: dict[str, Any] = json.loads(self._capsys.readouterr().out)
        return [p["key"] for p in found["problems"]], found["steps"][0]["targets"][0]["tasks"][0]["outputs"]

    def accept(self, key: str, reason: str) -> None:
        """Accept a problem as Petugas A."""
        assert run(["problems", "accept", key, "--reason", reason, "-i", "inventory.yml"]) == 0
        self._capsys.readouterr()


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Office]:
    monkeypatch.chdir(tmp_path)
    sign_in(monkeypatch, "siti")
    pages: dict[str, Reply | str | None] = {}

    def answer(visit: Visit) -> Reply | str | None:
        return site(pages)(visit)

    with visitor_server(answer) as url:
        yield Office(url, pages, capsys)


def test_a_named_person_s_consent_changes_the_baseline(office: Office) -> None:
    assert office.look()[0] == []
    office.pages["/"] = HOME.replace("<title>Pengadilan Negeri Contoh", "<title>PN Contoh Kelas II")
    (key,) = office.look()[0]
    assert key.startswith("website.changed.title.")
    assert office.look()[0] == [key]
    office.accept(key, "judul baru")
    keys, outputs = office.look()
    assert (keys, outputs["verdict"]) == ([], "clean")
    assert [(each["kind"], each["person"]) for each in outputs["consents"]] == [("title", "Petugas A: judul baru")]


def test_strangers_of_the_first_baseline_are_told_until_a_person_accepts_it(office: Office) -> None:
    office.pages["/"] = HOME + '<script src="https://hitung.asing.example/x.js"></script>'
    assert office.look()[0] == ["website.baseline_new"]
    keys, outputs = office.look()
    assert (keys, outputs["verdict"]) == (["website.baseline_new"], "clean")
    office.accept("website.baseline_new", "penghitung pengunjung")
    keys, outputs = office.look()
    assert (keys, outputs["baseline"]["accepted_by"]) == ([], "Petugas A: penghitung pengunjung")
    keys, outputs = office.look()
    assert (keys, outputs["consents"]) == ([], [])
