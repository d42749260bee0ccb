"""A site's baseline over runs: a change stays a problem until a named person accepts it, on the command line."""

from __future__ import annotations

import json
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


def test_a_named_person_s_consent_changes_the_baseline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    sign_in(monkeypatch, "siti")
    changed = HOME.replace("<title>Pengadilan Negeri Contoh", "<title>PN Contoh Kelas II")
    pages: dict[str, Reply | str | None] = {}

    def answer(visit: Visit) -> Reply | str | None:
        return site(pages)(visit)

    def look() -> dict[str, Any]:
        run(["run", "playbook.yml", "-i", "inventory.yml", "--format", "json"])
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    with visitor_server(answer) as url:
        person = {"name": "Petugas A", "login": "siti", "roles": [{"role": "admin", "from": "2020-01-01"}]}
        inventory = {"websites": {"pn": {"url": url}}, "people": {"petugas_a": person}}
        Path("inventory.yml").write_text(json.dumps(inventory))
        Path("playbook.yml").write_text(PLAYBOOK)
        assert look()["problems"] == []
        pages["/"] = changed
        (problem,) = look()["problems"]
        assert problem["key"].startswith("website.changed.title.")
        assert [each["key"] for each in look()["problems"]] == [problem["key"]]
        accept = ["problems", "accept", problem["key"], "--reason", "judul baru", "-i", "inventory.yml"]
        assert run(accept) == 0
        capsys.readouterr()
        document = look()
    assert document["problems"] == []
    outputs = document["steps"][0]["targets"][0]["tasks"][0]["outputs"]
    assert outputs["verdict"] == "clean"
    assert [(each["kind"], each["person"]) for each in outputs["consents"]] == [("title", "Petugas A: judul baru")]
