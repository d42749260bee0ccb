"""The shipped playbook around backups, run on a set: proved, registered, listed, kept."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
INVENTORY = """\
office: {{name: Pengadilan Negeri Contoh, timezone: Asia/Jakarta}}
websites:
  pn_contoh:
    url: "http://127.0.0.1:9/"
    server: here
    root: {folder}/html
    database: {{engine: sqlite, path: {folder}/site.sqlite}}
servers:
  here: {{connection: local}}
"""


PLAYBOOK = """\
procedure: {title: Backup}
steps:
  - id: backup
    activity: Backup
    targets: websites
    tasks:
      - {id: database, action: backup.database, with: {engine: sqlite, name: "{{ target.database.path }}"}}
      - {id: files, action: backup.files, with: {root: "{{ target.root }}"}}
      - {id: set, action: backup.seal, with: {parts: ["{{ tasks.database.part }}", "{{ tasks.files.part }}"]}}
"""


def run(folder: Path, playbook: Path, *words: str) -> dict[str, Any]:
    """Run a playbook; return its record."""
    line = [sys.executable, "-m", "runner", "run", str(playbook), "--format", "json", *words]
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_set_is_proved_registered_listed_and_kept(tmp_path: Path) -> None:
    (tmp_path / "html").mkdir()
    (tmp_path / "html" / "index.html").write_text("<title>Pengadilan</title>")
    with closing(sqlite3.connect(tmp_path / "site.sqlite")) as base:
        base.executescript("CREATE TABLE a (b INT); INSERT INTO a VALUES (1);")
    (tmp_path / "inventory").mkdir()
    (tmp_path / "inventory" / "office.yml").write_text(INVENTORY.format(folder=tmp_path))
    (tmp_path / "backup.yml").write_text(PLAYBOOK)
    assert run(tmp_path, tmp_path / "backup.yml")["status"] == "changed"
    found = run(tmp_path, ROOT / "playbooks" / "uji-pulih-backup.yml")
    tasks = {each["id"]: each for step in found["steps"] for target in step["targets"] for each in target["tasks"]}
    assert {name: each["status"] for name, each in tasks.items()} == {
        "verify": "ok",
        "drill": "ok",
        "copy": "skipped",
        "register": "ok",
        "catalogue": "ok",
        "prune": "ok",
    }
    assert tasks["verify"]["outputs"]["coverage"] == 100.0
    proved = {check["what"].partition(":")[0]: check["result"] for check in tasks["drill"]["outputs"]["checks"]}
    assert (proved["files"], proved["sqlite"]) == ("proved", "proved")
    (listed,) = tasks["catalogue"]["outputs"]["sets"]
    assert listed["set"] == tasks["drill"]["outputs"]["set"] == tasks["catalogue"]["outputs"]["newest_proved"]
    assert listed["verified"]
    assert tasks["prune"]["outputs"]["removed"] == []
