"""What the JSON Schemas of the record's documents are made of: every key with a description and an example."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def one(type_: str | list[str], description: str, example: Any, **more: Any) -> Schema:
    """Given a value's JSON type, what it is, an example and more of its schema, return the schema."""
    return {"type": type_, "description": description, "examples": [example], **more}


def thing(
    description: str,
    keys: Mapping[str, Schema],
    *,
    missing: bool = False,
    sometimes: Mapping[str, Schema] = MappingProxyType({}),
) -> Schema:
    """Given what an object is and the schemas of its keys, all required but those that it has only `sometimes`, return
    its schema; `missing`: or null."""
    return {
        "type": ["object", "null"] if missing else "object",
        "description": description,
        "properties": {**keys, **sometimes},
        "required": list(keys),
        "additionalProperties": False,
        "examples": [{name: schema["examples"][0] for name, schema in keys.items()}],
    }


def many(description: str, items: Schema) -> Schema:
    """Given what a list is and the schema of its items, return its schema."""
    return {"type": "array", "description": description, "items": items, "examples": [[items["examples"][0]]]}


def moment(description: str, example: str, *, missing: bool = False) -> Schema:
    """Given what a time tells and an example, return its schema; `missing`: or null."""
    return one(["string", "null"] if missing else "string", description, example, format="date-time")


EVIDENCE = thing(
    "A kept file.",
    {
        "name": one("string", "Its name, for people.", "access-summary.json"),
        "sha256": one(
            "string", "SHA-256 of its content, in hex; also where it lies.", "9f" * 32, pattern="^[0-9a-f]+$"
        ),
        "size": one("integer", "Its size in bytes.", 4096, minimum=0),
        "media_type": one("string", "What kind of file it is.", "application/json"),
    },
)
