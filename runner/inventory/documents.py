"""The files of an inventory as text, and what each of them is.

Recognised, in this order: a file below `group_vars/` or `host_vars/`; an executable (it begins with `#!` or is a
binary), which is run with `--list` and gives JSON; JSON as such a program prints it; YAML whose groups have only
`hosts`, `children` and `vars` (Ansible); other YAML (ours); all else is Ansible's INI form.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePath
from typing import Any

from runner.errors import Mistake, Refused, refuse
from runner.inventory.scripts import run_inventory_script
from runner.source import LARGEST_FILE, Source, parse_source

MOST_FILES = 10_000
VAULT = "$ANSIBLE_VAULT;"
TAGS = ("!vault", "!unsafe")

_FOLDERS = ("group_vars", "host_vars")
_LEFTOVERS = (".bak", ".cfg", ".md", ".orig", ".pyc", ".pyo", ".retry", ".rst", ".swp", ".txt", "~")
_PROGRAM = (b"#!", b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
_YAML_LINE = re.compile(r"(---|[\w.\"'-][^=\[]*:\s*(#.*)?$|[\w.\"'-]+:\s+\{)")
_GROUP_KEYS = frozenset({"hosts", "children", "vars"})


@dataclass(frozen=True)
class Document:
    """A file of an inventory as it was read (of a program: what it printed)."""

    file: str
    text: str

    @cached_property
    def form(self) -> str:
        """What it is: "ours", "yaml", "ini", "listing", "variables" or "vault". Raise Refused if it cannot be told."""
        if self.text.startswith(VAULT):
            return "vault"
        if self.scope:
            return "variables"
        if self.listing is not None:
            return "listing"
        if not self._is_yaml():
            return "ini"
        return "yaml" if _is_ansible(self.source.data) else "ours"

    @property
    def is_foreign(self) -> bool:
        """Whether it is one of Ansible's; what cannot be told is not."""
        try:
            return self.form != "ours"
        except Refused:
            return False

    @cached_property
    def source(self) -> Source:
        """The YAML. Raise Refused for mistakes in it."""
        return parse_source(self.text, self.file, TAGS)

    @cached_property
    def listing(self) -> Mapping[str, Any] | None:
        """What a program printed, or None."""
        if not self.text.lstrip().startswith("{"):
            return None
        try:
            data = json.loads(self.text)
        except (ValueError, RecursionError):
            return None
        printed = "_meta" in data or any(_is_printed_group(group) for group in data.values())
        return data if printed else None

    @cached_property
    def scope(self) -> tuple[str, str] | None:
        """Of a file below group_vars/ or host_vars/: that folder and the name of the group or host."""
        parts = PurePath(self.file).parts
        for index in range(len(parts) - 2, -1, -1):
            if parts[index] in _FOLDERS:
                name = parts[index + 1]
                last = index + 2 == len(parts)
                return parts[index], re.sub(r"\.(ya?ml|json)\Z", "", name) if last else name
        return None

    def _is_yaml(self) -> bool:
        if PurePath(self.file).suffix in (".yml", ".yaml", ".json"):
            return True
        if PurePath(self.file).suffix == ".ini":
            return False
        lines = (line.strip() for line in self.text.splitlines())
        first = next((line for line in lines if line and line[0] not in "#;"), "")
        return first.startswith("{") or _YAML_LINE.match(first) is not None


def _is_ansible(data: Any) -> bool:
    if not isinstance(data, dict) or not data:
        return False
    if not all(group is None or (isinstance(group, dict) and group.keys() <= _GROUP_KEYS) for group in data.values()):
        return False
    return "all" in data or any(isinstance(group, dict) and (group.keys() & _GROUP_KEYS) for group in data.values())


def _is_printed_group(group: Any) -> bool:
    return isinstance(group, dict) and group.keys() <= _GROUP_KEYS and isinstance(group.get("hosts", ()), list)


def load_documents(paths: Sequence[Path]) -> list[Document]:
    """Given inventory files and folders, return what stands in them; programs are run. Raise Refused if one fails.

    In a folder hidden files and editors' leftovers are passed over; beside a file, group_vars/ and host_vars/
    are read too.
    """
    files: dict[Path, None] = {}
    mistakes: list[Mistake] = []
    for path in paths:
        files |= dict.fromkeys(_walk(path) if path.is_dir() else _with_variables(path))
    if len(files) > MOST_FILES:
        raise refuse("inventory", f"more than {MOST_FILES} files", "name the files instead of the folder")
    documents = []
    for path in files:
        try:
            documents.append(_load_document(path))
        except Refused as error:
            mistakes.extend(error.mistakes)
    if mistakes:
        raise Refused(*mistakes)
    return documents


def _walk(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and not name.endswith(_LEFTOVERS):
                yield Path(parent, name)


def _with_variables(path: Path) -> Iterator[Path]:
    yield path
    for folder in _FOLDERS:
        yield from _walk(path.parent / folder)


def _load_document(path: Path) -> Document:
    try:
        if not path.is_file():
            reason = "it is not a file" if path.exists() else "there is no such file"
            raise refuse(str(path), f"cannot be read: {reason}", "check the path")
        if path.stat().st_size > LARGEST_FILE:
            raise refuse(str(path), f"the file is larger than {LARGEST_FILE} bytes", "split it")
        data = path.read_bytes()
    except OSError as error:
        raise refuse(str(path), f"cannot be read: {error.strerror or error}", "check the path") from None
    if data.startswith(_PROGRAM) and os.access(path, os.X_OK):
        return Document(str(path), run_inventory_script(path))
    try:
        return Document(str(path), data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise refuse(str(path), f"not UTF-8 at byte {error.start}", "save it as UTF-8") from None
