"""What does not fit a schema: as jsonschema says it, and as people are told."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

LONGEST_SHOWN = 60
_MEANT = re.compile(r"^(?:did you mean '|write )(\w+)(?:'\?|:)")


class Failure(Protocol):
    """What is read of a jsonschema ValidationError."""

    schema_path: Sequence[str | int]
    validator: Any
    validator_value: Any
    instance: Any
    schema: Any
    context: Any
    parent: Any

    @property
    def absolute_path(self) -> Sequence[str | int]:
        """Keys and indexes from the root of the value."""

    @property
    def absolute_schema_path(self) -> Sequence[str | int]:
        """Keys and indexes from the root of the schema."""


class Fault(NamedTuple):
    """One thing that does not fit: its path, whether the key (not the value) is meant, what is wrong, what to do."""

    path: tuple[str | int, ...]
    message: str
    cure: str = ""
    key: bool = False


def render_value(value: Any) -> str:
    """Given a value, return it short and on one line, with nothing a terminal would obey."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return f"'{text}'" if isinstance(value, str) else text


def without_consequences(faults: Sequence[Fault]) -> list[Fault]:
    """Given faults, leave out that a key is missing where an unknown one beside it is what was meant."""
    meant = {(*fault.path[:-1], name) for fault in faults if fault.key for name in _MEANT.findall(fault.cure)}
    return [fault for fault in faults if not (fault.message.endswith("' is missing") and fault.path in meant)]
