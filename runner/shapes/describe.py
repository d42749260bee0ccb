"""Small pieces of JSON Schema, each with a description and an example."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$"
DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"


def text(description: str, *examples: str, **more: Any) -> Schema:
    """Given a description and examples, return the schema of a text."""
    return {"type": "string", "minLength": 1, "description": description, "examples": [*examples], **more}


def texts(description: str, *examples: Any) -> Schema:
    """Return the schema of one text or a list of them."""
    one = {"type": "string", "minLength": 1}
    both = [one, {"type": "array", "items": one, "minItems": 1, "uniqueItems": True}]
    return {"anyOf": both, "description": description, "examples": [*examples]}


def word(description: str, *words: str) -> Schema:
    """Return the schema of one of a few words; the first is the example."""
    return {"enum": [*words], "description": description, "examples": [words[0]]}


def day(description: str, example: str) -> Schema:
    """Return the schema of a day, written YYYY-MM-DD."""
    return text(description, example, pattern=DAY)


def port(description: str, example: int) -> Schema:
    """Return the schema of a port number."""
    return {"type": "integer", "minimum": 1, "maximum": 65535, "description": description, "examples": [example]}


def amount(description: str, example: float) -> Schema:
    """Return the schema of a number that is not negative."""
    return {"type": "number", "minimum": 0, "description": description, "examples": [example]}


def flag(description: str, example: bool) -> Schema:
    """Return the schema of true or false."""
    return {"type": "boolean", "description": description, "examples": [example]}


def free(description: str, example: Any) -> Schema:
    """Return the schema of a mapping with any keys."""
    return {"type": "object", "description": description, "examples": [example]}


def keys(description: str, properties: Schema, required: tuple[str, ...] = (), **more: Any) -> Schema:
    """Return the schema of a mapping with exactly these keys."""
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": [*required],
        "additionalProperties": False,
        **more,
    }


def named(description: str, noun: Schema, **more: Any) -> Schema:
    """Return the schema of a mapping from names to a noun."""
    names = {"pattern": NAME, "description": "Letters, digits, '_', '.' and '-'", "examples": ["pn_tais"]}
    return {
        "type": ["object", "null"],
        "description": description,
        "propertyNames": names,
        "additionalProperties": noun,
        **more,
    }


VARS = free("Values of your own, read as {{ vars.x }}", {"section_age": "7 hari"})
SECRET_VALUE = keys(
    "A secret by its name under 'secrets'",
    {"secret": text("The name of the secret", "db")},
    ("secret",),
    secret=True,
    examples=[{"secret": "db"}],
)
