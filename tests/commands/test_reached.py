"""Which servers a run reaches at once."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from runner.binding import Documents, bind
from runner.commands.reached import first_servers
from runner.plan import Selection

READ = {"id": "a", "action": "command.run", "with": {"command": "id"}}
HERE = {"id": "a", "action": "website.available"}


@pytest.mark.parametrize(
    ("step", "forks", "names"),
    [
        ({"tasks": [READ]}, 20, {"web1", "web2"}),
        ({"tasks": [READ]}, 1, {"web1"}),
        ({"tasks": [READ], "when": "{{ target.name == 'web1' }}"}, 20, set()),
        ({"tasks": [READ | {"when": "{{ target.name == 'web1' }}"}]}, 20, set()),
        ({"tasks": [HERE], "targets": "websites"}, 20, set()),
        ({"tasks": [READ], "targets": "websites"}, 20, {"web1"}),
        ({"tasks": [READ], "targets": "behind"}, 20, set()),
    ],
)
def test_a_first_task_reaches_its_servers(tmp_path: Path, step: dict[str, Any], forks: int, names: set[str]) -> None:
    servers = {name: {"address": "192.0.2.1"} for name in ("web1", "web2")}
    servers |= {"behind": {"address": "192.0.2.9", "jump": "web1"}}
    sites = {"site": {"url": "https://example.org", "server": "web1"}}
    whole = {"id": "s", "activity": "s", "targets": "servers", **step}
    (tmp_path / "i.yml").write_text(json.dumps({"servers": servers, "websites": sites}))
    (tmp_path / "p.yml").write_text(json.dumps({"procedure": {"title": "T"}, "steps": [whole]}))
    documents = Documents(tmp_path / "p.yml", (tmp_path / "i.yml",))
    plan = bind(documents, Selection(), now=datetime(2026, 11, 23, tzinfo=UTC)).plan
    assert {server.name for server in first_servers(plan, forks)} == names
