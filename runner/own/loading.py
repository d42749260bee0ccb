"""A file of `actions/`: its bytes are read once, and those are what runs and what the record keeps."""

from __future__ import annotations

import ast
import sys
import traceback
from pathlib import Path
from types import CodeType, ModuleType
from typing import NamedTuple

from runner.contract import Action
from runner.errors import Mistake, Refused
from runner.own.declaration import check_own
from runner.own.writers import check_writers

LARGEST_FILE = 1_000_000


class OwnFile(NamedTuple):
    """A file of own code, as it was when it was loaded. `original` is its text."""

    file: str
    original: str


def load_module(path: Path) -> ModuleType:
    """Given a file of actions/, return its module, for its tests. Raise Refused where others may write it, or it does
    not load."""
    return _load(path)[0]


def load_action(path: Path, name: str) -> tuple[Action, OwnFile]:
    """Given a file and the name of its action, return both. Raise Refused where others may write the file, where it
    does not load, or where its declaration is not whole."""
    module, text = _load(path)
    if not hasattr(module, "ACTION"):
        raise Refused(Mistake(str(path), 0, 0, "it declares no ACTION", "write ACTION = Action(name=…)"))
    wrong = [*check_own(module.ACTION, name)]
    if wrong:
        tree = ast.parse(text.removeprefix("\ufeff"))
        raise Refused(*(Mistake(str(path), *_place(tree, each.subject), each.message, each.cure) for each in wrong))
    action: Action = module.ACTION
    return action, OwnFile(str(path), text)


def _load(path: Path) -> tuple[ModuleType, str]:
    if unsafe := [*check_writers(path)]:
        raise Refused(*unsafe)
    text = _read(path)
    return _run(path, _compile(path, text)), text


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise Refused(Mistake(str(path), 0, 0, f"it is larger than {LARGEST_FILE} bytes", "make it a package"))
        return path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise Refused(Mistake(str(path), 0, 0, f"not UTF-8 at byte {error.start}", "save it as UTF-8")) from None
    except OSError as error:
        raise Refused(Mistake(str(path), 0, 0, error.strerror or str(error), "make it readable")) from None


def _compile(path: Path, text: str) -> CodeType:
    try:
        return compile(text.removeprefix("\ufeff"), str(path), "exec", dont_inherit=True)
    except SyntaxError as error:
        place = error.lineno or 0, error.offset or 1
        raise Refused(Mistake(str(path), *place, f"this is not Python: {error.msg}", "mend this line")) from None
    except ValueError as error:
        raise Refused(Mistake(str(path), 0, 0, f"this is not Python: {error}", "save it as plain text")) from None


def _run(path: Path, code: CodeType) -> ModuleType:
    module = ModuleType(f"sop_actions.{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # dataclasses and pickle look their module up there
    try:
        exec(code, module.__dict__)  # noqa: S102  # the user's own file, which nobody else may write
    except (Exception, SystemExit) as error:  # noqa: BLE001  # whatever it raises is told with its line
        raise Refused(_explain(path, error)) from None
    return module


def _explain(path: Path, error: BaseException) -> Mistake:
    """What stopped a file from loading, at the last of its lines that was under way."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    words = f"it does not load: {type(error).__name__}: {error}"
    cure = "mend this line"
    if isinstance(error, ModuleNotFoundError) and error.name and not error.name.startswith("runner"):
        words, cure = f"it does not load: there is no module '{error.name}'", "install it where sop is installed"
    elif isinstance(error, ImportError):
        words, cure = f"it does not load: {error.msg}", "import what actions use from runner.contract"
    return Mistake(str(path), (lines[-1] or 0) if lines else 0, 1, words, cure)


def _place(tree: ast.Module, subject: str) -> tuple[int, int]:
    """Line and column where a declaration tells of a subject: the keyword or key of that name, else ACTION itself."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == subject:
            return node.lineno, node.col_offset + 1
        if isinstance(node, ast.Constant) and node.value == subject:
            return node.lineno, node.col_offset + 1
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "ACTION" for t in node.targets):
            return node.lineno, node.col_offset + 1
    return 1, 1
