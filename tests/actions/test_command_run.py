"""`command.run`: what becomes of streams, exit codes and effects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runner.actions.command_run import ACTION, LONGEST_OUTPUT
from runner.contract import Effect, Outcome, Status
from runner.errors import TimeUp
from tests.calls import assert_fits, make_call, read_evidence


def do(tmp_path: Path, line: str = "", **inputs: Any) -> Outcome:
    if line:
        inputs["command"] = (line, tuple(inputs.pop("parameters", ())))
    call = make_call(ACTION, inputs, directory=tmp_path)
    return ACTION.run(call)


def test_streams_and_exit_code(tmp_path: Path) -> None:
    outcome = do(tmp_path, "echo out; echo err >&2")
    assert outcome.status is Status.CHANGED
    assert outcome.outputs == {"stdout": "out\n", "stderr": "err\n", "exit_code": 0}
    assert_fits(ACTION, outcome.outputs)


def test_failure_says_what_stderr_said(tmp_path: Path) -> None:
    outcome = do(tmp_path, "echo half; echo 'no such disk' >&2; exit 7")
    assert outcome.status is Status.FAILED
    assert outcome.message == "exit code 7: no such disk"
    assert outcome.outputs["stdout"] == "half\n"


def test_values_arrive_as_parameters(tmp_path: Path) -> None:
    assert do(tmp_path, 'printf %s "${1}"', parameters=["a; b"]).outputs["stdout"] == "a; b"


def test_argv_has_no_shell(tmp_path: Path) -> None:
    assert do(tmp_path, argv=["printf", "%s", "$HOME;*"]).outputs["stdout"] == "$HOME;*"


def test_stdin_directory_and_environment(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    outcome = do(tmp_path, "cat; pwd; echo $WORD", stdin="in\n", cwd=str(tmp_path / "there"), env={"WORD": 7})
    assert outcome.outputs["stdout"] == f"in\n{tmp_path / 'there'}\n7\n"


def test_long_output_is_kept_whole_as_evidence(tmp_path: Path) -> None:
    call = make_call(
        ACTION, {"command": (f"head -c {LONGEST_OUTPUT + 9} /dev/zero | tr '\\0' x", ())}, directory=tmp_path
    )
    outcome = ACTION.run(call)
    assert len(outcome.outputs["stdout"]) == LONGEST_OUTPUT
    assert read_evidence(call, outcome.evidence[0]) == b"x" * (LONGEST_OUTPUT + 9)


def test_binary_output_is_kept_exactly(tmp_path: Path) -> None:
    outcome = do(tmp_path, r"printf '\377\000\001'")
    assert outcome.outputs["stdout"] == "\ufffd\x00\x01"
    assert [(e.name, e.size) for e in outcome.evidence] == [("stdout", 3)]


def test_reading_is_ok_not_changed(tmp_path: Path) -> None:
    call = make_call(ACTION, {"command": ("true", ())}, directory=tmp_path, effect=Effect.READ)
    assert ACTION.run(call).status is Status.OK


def test_a_limit_ends_it(tmp_path: Path) -> None:
    call = make_call(ACTION, {"command": ("sleep 60", ())}, directory=tmp_path, limit=0.2)
    with pytest.raises(TimeUp):
        ACTION.run(call)


def test_dry_run_cannot_know() -> None:
    assert ACTION.preview(make_call(ACTION, {"command": ("true", ())}, directory=Path("/"))) is None
