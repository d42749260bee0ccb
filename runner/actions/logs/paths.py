"""Which files of a server a task means by its log."""

from __future__ import annotations

from runner.contract import Call
from runner.errors import Failed


def log_paths(call: Call) -> tuple[str, ...]:
    """Given a call, return the paths or globs of the log. Raise Failed when there are none."""
    given = call.inputs.get("path") or (call.target or {}).get("access_log")
    paths = (given,) if isinstance(given, str) else tuple(given or ())
    if not paths:
        name = (call.target or {}).get("name", "this task")
        raise Failed(
            f"{name}: no access log is known. write access_log in the inventory, or give the task an input path"
        )
    if any(not path.startswith(("/", "~/")) for path in paths):
        raise Failed(f"{', '.join(paths)}: a log is named by its whole path. begin it with / or ~/")
    return paths
