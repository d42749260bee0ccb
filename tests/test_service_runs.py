"""Step 4 of the SOP over real runs: a reminder goes out once, and the next run knows from the journal that it did."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runner.demo import build_demo
from runner.record.journal import Journal
from tests.post_servers import Reply, post_server

ROOT = Path(__file__).parents[1]


def run(folder: Path, channels: Sequence[str] = ("hook",)) -> dict[str, Any]:
    """Run step 4 in a working folder; return the run's document."""
    command = [sys.executable, "-m", "runner", "run", "playbooks/pemeliharaan-website.yml", "--only", "renew"]
    more = ["-e", json.dumps({"channels": [*channels]}), "--format", "json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([*command, *more], cwd=folder, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 10, done.stdout + done.stderr
    return dict(json.loads(done.stdout))


def outputs(document: dict[str, Any], action: str) -> dict[str, dict[str, Any]]:
    """The outputs of an action's tasks, by target."""
    steps = [step for step in document["steps"] if step["id"] == "renew"]
    return {
        target["target"]: task["outputs"]
        for target in steps[0]["targets"]
        for task in target["tasks"]
        if task["action"] == action and task["outputs"]
    }


def test_a_reminder_goes_out_once_and_papers_are_kept(tmp_path: Path) -> None:
    demo = build_demo(tmp_path / "court", datetime.now(UTC))
    with post_server(lambda number: Reply(204, "")) as hook:
        channel = {"channels": {"hook": {"kind": "webhook", "url": hook.url}}}
        demo.inventory.with_name("channels.yml").write_text(json.dumps(channel))
        first, second = run(demo.folder), run(demo.folder)
    assert [post.document["text"].count("pn-contoh.example") for post in hook.posts] == [1]
    told, silent = outputs(first, "service.due")["domain"], outputs(second, "service.due")["domain"]
    assert (told["remind"], told["rung"], told["recipients"]) == (True, 14, ["petugas_a", "kasubbag"])
    assert (silent["remind"], silent["reminded"], silent["skipped"]) == (False, [14], [90, 60, 30])
    (paper,) = outputs(second, "service.renewed")["connection"]["papers"]
    assert (paper["kind"], paper["name"]) == ("invoice", "invoice-0003.txt")
    journal = Journal.open(demo.folder / "records", create=False)
    assert journal.verify() == []


def test_the_step_says_in_words_that_a_service_has_lapsed(tmp_path: Path) -> None:
    demo = build_demo(tmp_path / "court", datetime.now(UTC))
    lapsed = {"services": {"lapsed": {"kind": "hosting", "expires": "2026-11-01"}, "undated": {"kind": "connection"}}}
    demo.inventory.with_name("more.yml").write_text(json.dumps(lapsed))
    document = json.dumps(run(demo.folder, channels=[]))
    assert '"telah berakhir pada 2026-11-01"' in document
    assert '"tanggal berakhir belum dicatat"' in document
