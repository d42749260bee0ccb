"""Patterns of what to leave out of a backup, read as GNU tar reads its --exclude, whatever the server has."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Sequence

Excluded = Callable[[bytes], bool]
ASIDE = ("./.lama-*", "./.pulih-*")  # what a restore keeps in the folder, where it may make nothing beside it


def build_excluded(patterns: Sequence[str]) -> Excluded:
    """Given patterns, return whether a path (bytes, relative to the root, without "./") is left out.

    A pattern stands for a file or a folder with all that is in it; with "./" before it at the top only, otherwise
    anywhere. `*` matches "/" too.
    """
    if not patterns:
        return lambda path: False
    found = re.compile(b"|".join(map(_translate, patterns)), re.DOTALL).match
    return lambda path: found(path) is not None


def _translate(pattern: str) -> bytes:
    top = pattern.startswith("./")
    words = pattern.removeprefix("./").rstrip("/")
    body = fnmatch.translate(words).removesuffix(r"\Z").removesuffix(r"\z")
    start = "" if top else "(?:.*/)?"
    return f"{start}{body}(?:/.*)?\\Z".encode("utf-8", "surrogateescape")
