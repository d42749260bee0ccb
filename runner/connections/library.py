"""paramiko, loaded without invoke.

paramiko can do without it: only `Match exec` in an ssh_config needs it. Loading it, with the asyncio, unittest and
second YAML that it brings, takes as long as paramiko itself. `None` in `sys.modules` is Python's word for "not here".
"""

from __future__ import annotations

import importlib
import sys

_HIDDEN = "invoke" not in sys.modules
if _HIDDEN:
    sys.modules["invoke"] = None  # type: ignore[assignment]  # documented, but unknown to the types
try:
    import paramiko
    import paramiko.config
    from paramiko import auth_handler, auth_strategy
finally:
    if _HIDDEN:
        del sys.modules["invoke"]

__all__ = ["allow_match_exec", "auth_handler", "auth_strategy", "paramiko"]


def allow_match_exec() -> None:
    """Load what `Match exec` in an ssh_config needs."""
    paramiko.config.invoke = importlib.import_module("invoke")  # type: ignore[attr-defined]  # it looks there
