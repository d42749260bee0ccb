"""`person.sign` and `person.do`: they only ask; what is signed is bound by its hash."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import ModuleType

import pytest

from runner.actions import person_do, person_sign
from runner.contract import Request, Status
from tests.calls import make_call

SHA = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def test_signing_waits_for_the_role(tmp_path: Path) -> None:
    inputs = {"role": "kasubbag", "question": "Mohon.", "document": {"sha256": SHA, "name": "laporan.html"}}
    outcome = person_sign.ACTION.run(make_call(person_sign.ACTION, inputs, directory=tmp_path))
    assert outcome.status is Status.WAITING
    assert outcome.request == Request("kasubbag", "Mohon.", ("signed", "returned"), SHA)


@pytest.mark.parametrize(
    ("document", "text"),
    [("teks", "teks"), (["b", {"a": 1}], '["b", {"a": 1}]'), ({"b": 1, "a": "é"}, '{"a": "é", "b": 1}')],
)
def test_other_documents_are_bound_by_their_text(tmp_path: Path, document: object, text: str) -> None:
    inputs = {"role": "kasubbag", "question": "Mohon.", "document": document}
    outcome = person_sign.ACTION.run(make_call(person_sign.ACTION, inputs, directory=tmp_path))
    assert outcome.request is not None
    assert outcome.request.subject == hashlib.sha256(text.encode()).hexdigest()


def test_work_waits_with_its_labels(tmp_path: Path) -> None:
    inputs = {"role": "admin", "question": "Perbaiki.", "answers": ["mandiri", "pihak ketiga"]}
    outcome = person_do.ACTION.run(make_call(person_do.ACTION, inputs, directory=tmp_path))
    assert outcome.request == Request("admin", "Perbaiki.", ("mandiri", "pihak ketiga"))


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (person_sign, "kasubbag would be asked to sign: Mohon."),
        (person_do, "kasubbag would be asked to do it: Mohon."),
    ],
)
def test_dry_run_says_who_would_be_asked(tmp_path: Path, module: ModuleType, message: str) -> None:
    call = make_call(module.ACTION, {"role": "kasubbag", "question": "Mohon."}, directory=tmp_path)
    assert module.ACTION.preview(call).message == message
