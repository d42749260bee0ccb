"""What an editor with a YAML language server shows in a working folder that `sop init` made."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.cli import run
from runner.playbook.reading import load_playbook
from runner.start.snippets import build_snippets
from tests.language_server import LanguageServer, language_server

OPTIONS = ["--court", "PN Contoh", "--site", "pn.example", "--cms", "joomla", "--server", "local", "--no-probe"]
OPTIONS += ["--database", "mariadb:joomla:backup", "--holders", "admin=A, kasubbag=B, sekretaris=C"]
PLAYBOOK = """\
procedure: {title: T}
steps:
  - id: a
    activity: b
    targts: websites
    HERE
    tasks:
      - id: x
        action: backup.database
        with:
          name: joomla
          engine: oracle
          HERE
""".replace("HERE", "")
NEW = "playbooks/baru.yml"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    assert run(["init", "kantor", *OPTIONS]) == 0
    return tmp_path / "kantor"


@pytest.fixture
def editor(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanguageServer]:
    with language_server(folder, tmp_path_factory.mktemp("npm")) as server:
        server.configure(json.loads((folder / ".vscode" / "settings.json").read_text()))
        yield server


@pytest.mark.heavy
def test_an_editor_helps_while_one_types(folder: Path, editor: LanguageServer) -> None:
    sound = [*folder.glob("inventory/*.yml"), *folder.glob("playbooks/*.yml")]
    assert len(sound) == 9
    for path in sound:
        assert editor.diagnose(str(path.relative_to(folder)), path.read_text()) == []
    assert sorted(editor.diagnose(NEW, PLAYBOOK)) == [
        '12: Value is not accepted. Valid values: "mariadb", "mysql", "postgresql", "sqlite".',
        "5: Property targts is not allowed.",
    ]
    keys = editor.complete(NEW, 6, 5)
    assert keys["targets"] == "on which targets: a pattern; without it the step runs once, on this machine"
    assert {"decide", "time_limit", "on_failure"} <= keys.keys()
    assert editor.complete(NEW, 9, 17)["backup.seal"].startswith("change: Makes the parts of a backup one set")
    assert "destination" in editor.complete(NEW, 13, 11)
    assert "the activity, word for word" in editor.hover(NEW, 4, 6)
    assert "change: Copies a database" in editor.hover(NEW, 9, 20)
    assert "* `sqlite`" in editor.hover(NEW, 12, 14)


def test_snippets_are_parts_of_playbooks(folder: Path) -> None:
    kept = json.loads((folder / ".vscode" / "sop.code-snippets").read_text())
    assert kept == json.loads(json.dumps(build_snippets()))
    step = re.sub(r"\$\{\d:([^}]*)\}", r"\1", "\n".join(kept["langkah"]["body"])).replace("$0", "website.available")
    assert "$" not in step
    text = "procedure: {title: T, roles: {admin: A}}\nsteps:\n" + "".join(f"  {line}\n" for line in step.split("\n"))
    assert load_playbook(Path("p.yml"), [], {"p.yml": text}) is not None


def test_a_dollar_in_an_example_is_no_place_to_fill_in() -> None:
    bodies = ["\n".join(each["body"]) for name, each in build_snippets().items() if "." in name]
    assert all("$" not in body.replace("\\$", "") for body in bodies)
