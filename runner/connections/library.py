"""paramiko, loaded without what it needs only now and then.

It can do without invoke: only `Match exec` in an ssh_config needs it. Loading it, with the asyncio, unittest and second
YAML that it brings, takes as long as paramiko itself. `None` in `sys.modules` is Python's word for "not here". And it
asks importlib.metadata, which loads all of `email`, for its own version alone: a tenth of what loading it takes. It
names that to servers, and is here called after us.
"""

from __future__ import annotations

import importlib
import sys
from types import SimpleNamespace

_ASIDE = {"invoke": None, "importlib.metadata": SimpleNamespace(version=lambda name: "sop")}
_HIDDEN = {name: aside for name, aside in _ASIDE.items() if name not in sys.modules}
sys.modules.update(_HIDDEN)  # type: ignore[arg-type]  # documented, but unknown to the types
try:
    import paramiko
    import paramiko.config
    from paramiko import auth_handler, auth_strategy
finally:
    for _name in _HIDDEN:
        del sys.modules[_name]

__all__ = ["allow_match_exec", "auth_handler", "auth_strategy", "paramiko"]


def allow_match_exec() -> None:
    """Load what `Match exec` in an ssh_config needs."""
    paramiko.config.invoke = importlib.import_module("invoke")  # type: ignore[attr-defined]  # it looks there
