"""Whatever stands in a text from outside, each parser of it ends with a result or its documented errors.

`make fuzz` searches for a minute (SOP_FUZZ_SECONDS); otherwise the same few mutants are read each time. What was found
once stays in tests/cases/fuzz/PARSER and is always read.
"""

from __future__ import annotations

import os
import time

import pytest
from hypothesis import given, settings

from tests.fuzzing.mutants import mutants
from tests.fuzzing.parsers import KEPT, PARSERS, examples, kept

SECONDS = float(os.environ.get("SOP_FUZZ_SECONDS", "0")) / len(PARSERS)
NAMED = [pytest.param(name, id=PARSERS[name].what) for name in PARSERS]


@pytest.mark.promise("Fuzzing", "{case}: changed examples", "a result, or the errors that it documents")
@pytest.mark.parametrize("name", NAMED)
def test_changed_examples_are_read_or_refused(name: str) -> None:
    @settings(max_examples=40)
    @given(mutants(list(examples(name))))
    def search(data: bytes) -> None:
        PARSERS[name].read(data)

    end = time.monotonic() + SECONDS
    search()
    while time.monotonic() < end:
        search()


@pytest.mark.promise("Fuzzing", "{case}: the corpus that guided searches left", "read as before")
@pytest.mark.parametrize("name", NAMED)
def test_the_kept_corpus_is_read_or_refused(name: str) -> None:
    for path in kept(name):
        PARSERS[name].read(path.read_bytes())


def test_each_kept_corpus_has_its_parser() -> None:
    assert {path.name for path in KEPT.iterdir()} == set(PARSERS)


def test_every_parser_has_examples() -> None:
    assert [name for name in PARSERS if not list(examples(name))] == []
