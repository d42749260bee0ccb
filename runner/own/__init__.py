"""Own actions: those of a working folder's `actions/`, and those of installed packages, beside the built-in ones.

A file is looked at when a playbook names its action: what is half written there stops nobody else's run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from runner.actions import ACTIONS
from runner.contract import Action
from runner.errors import Mistake, Refused
from runner.own.loading import OwnFile, load_action
from runner.own.packages import Packaged, find_packaged, load_packaged

FOLDER = Path("actions")
BUILT_IN = "sop"
_NAMED = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)+")
_NO_ACTIONS = re.compile(r"test_.*|_.*|conftest")


class Own(NamedTuple):
    """An action that is not built in, where it comes from, and its file where it has one of the working folder."""

    action: Action
    origin: str
    file: OwnFile | None = None


class KnownActions(Mapping[str, Action]):
    """All actions by name, each loaded when it is asked for. Asking raises Refused where one cannot be accepted.

    `declared` are actions of which only the declaration is wanted; they stand for those of the same name.
    """

    def __init__(self, folder: Path, declared: Iterable[Action] = ()) -> None:
        self._folder = folder
        self._paths = {_name_of(path): path for path in _python_files(folder) if _NAMED.fullmatch(path.stem)}
        self._loaded = {action.name: Own(action, "") for action in declared}

    def __getitem__(self, name: str) -> Action:
        if name in ACTIONS and name not in self._paths:
            return ACTIONS[name]
        if name not in self._loaded:
            self._loaded[name] = self._load_own(name) if name in self._paths else self._load_packaged(name)
        return self._loaded[name].action

    def __iter__(self) -> Iterator[str]:
        return iter({**dict.fromkeys(ACTIONS), **self._paths, **self._loaded, **self._packaged})

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        return any(name in known for known in (self._paths, ACTIONS, self._loaded)) or name in self._packaged

    @property
    def loaded(self) -> tuple[Own, ...]:
        """What was loaded and is not built in."""
        return tuple(self._loaded.values())

    def origin(self, name: str) -> str:
        """Where an action comes from: "sop", a file, or a package."""
        if name in self._paths:
            return str(self._paths[name])
        return BUILT_IN if name in ACTIONS else self._packaged[name].origin

    def mistakes(self, names: Iterable[str]) -> list[Mistake]:
        """Load the actions of those names; return what is wrong with those that are not built in."""
        found: list[Mistake] = []
        for name in sorted(set(names)):
            try:
                self.get(name)
            except Refused as refused:
                found += refused.mistakes
        return found

    def all_mistakes(self) -> list[Mistake]:
        """Load all actions that are not built in; return what is wrong with them, and with their files' names."""
        nameless = [path for path in _python_files(self._folder) if not _NAMED.fullmatch(path.stem)]
        cure = "name it by family and act, as office_space.py for office.space; begin what is no action with '_'"
        named = [Mistake(str(path), 0, 0, "its name gives no action", cure) for path in nameless]
        taken = [self._packaged[name].taken() for name in self._packaged if name in ACTIONS]
        return [*named, *taken, *self.mistakes({*self._paths, *self._packaged})]

    def _load_own(self, name: str) -> Own:
        path = self._paths[name]
        if name in ACTIONS or name in self._packaged:
            owner = "sop itself" if name in ACTIONS else self._packaged[name].origin
            message = f"there is an action '{name}' already, of {owner}"
            raise Refused(Mistake(str(path), 0, 0, message, "give the file another name"))
        action, file = load_action(path, name)
        return Own(action, str(path), file)

    def _load_packaged(self, name: str) -> Own:
        return Own(load_packaged(self._packaged[name]), self._packaged[name].origin)

    @cached_property
    def _packaged(self) -> Mapping[str, Packaged]:
        return find_packaged()


def _python_files(folder: Path) -> Sequence[Path]:
    try:
        return sorted(path for path in folder.glob("*.py") if not _NO_ACTIONS.fullmatch(path.stem))
    except OSError:
        return ()


def _name_of(path: Path) -> str:
    return path.stem.replace("_", ".", 1)
