"""paramiko, loaded without what it does not need: a third of what loading it takes.

It can do without invoke: only `Match exec` in an ssh_config needs it. `None` in `sys.modules` is Python's word for "not
here". And it asks importlib.metadata, with all of email and zipfile behind it, for nothing but its own version.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from types import ModuleType
from typing import Any

_METADATA = "importlib.metadata"


class _Metadata(ModuleType):
    """Stands in for importlib.metadata while paramiko loads; whoever asks for more, in whatever thread, gets it."""

    def version(self, name: str) -> str:
        """Return a distribution's version."""
        return (_own_version() if name == "paramiko" else "") or str(_load_metadata().version(name))

    def __getattr__(self, name: str) -> Any:
        return getattr(_load_metadata(), name)


def _own_version() -> str:
    """paramiko's version, as the folder beside it is named; "" where that does not tell."""
    spec = find_spec("paramiko")
    place = Path(spec.origin).parent.parent if spec and spec.origin else Path()
    found = [*place.glob("paramiko-*.dist-info")]
    return found[0].stem.partition("-")[2] if len(found) == 1 else ""


def _load_metadata() -> ModuleType:
    """The real importlib.metadata."""
    if isinstance(sys.modules.get(_METADATA), _Metadata):
        spec = PathFinder.find_spec(_METADATA, importlib.__path__)
        assert spec
        assert spec.loader
        sys.modules[_METADATA] = module = module_from_spec(spec)
        spec.loader.exec_module(module)
    return importlib.import_module(_METADATA)


@contextmanager
def _in_place(name: str, stand_in: ModuleType | None) -> Iterator[None]:
    """Have something else stand for a module that is not loaded."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = stand_in  # type: ignore[assignment]  # None is documented, but unknown to the types
    try:
        yield
    finally:
        if sys.modules.get(name) is stand_in:
            del sys.modules[name]


with _in_place("invoke", None), _in_place(_METADATA, _Metadata(_METADATA)):
    import paramiko
    import paramiko.config
    from paramiko import auth_handler, auth_strategy

__all__ = ["allow_match_exec", "auth_handler", "auth_strategy", "paramiko"]


def allow_match_exec() -> None:
    """Load what `Match exec` in an ssh_config needs."""
    paramiko.config.invoke = importlib.import_module("invoke")  # type: ignore[attr-defined]  # it looks there
