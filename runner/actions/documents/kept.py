"""A kept document as an action's output: what it is, and how it is declared."""

from __future__ import annotations

from runner.contract import Evidence, JsonSchema


def as_output(kept: Evidence) -> dict[str, object]:
    """Given kept evidence, return what later tasks read of it: its name, its SHA-256 and its size in bytes."""
    return {"name": kept.name, "sha256": kept.sha256, "size": kept.size}


def declare_document(description: str, name: str, *, or_null: bool = False) -> JsonSchema:
    """Given what a document is and an example of its name, return the schema of the output."""
    return {
        "type": ["object", "null"] if or_null else "object",
        "properties": {
            "name": {"type": "string", "description": "file name", "examples": [name]},
            "sha256": {"type": "string", "description": "SHA-256, hexadecimal", "examples": ["9f86d0…"]},
            "size": {"type": "integer", "description": "bytes", "examples": [2211]},
        },
        "additionalProperties": False,
        "description": description,
        "examples": [{"name": name, "sha256": "9f86d0…", "size": 2211}],
    }
