"""A run's events folded into its record, and the document that programs read."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from runner.contract import Evidence, Outcome, Problem, Reason, Severity, Status
from runner.events import Event, Key, Kind
from runner.record import build_record
from runner.record.document import exit_code
from runner.record.record_schema import RECORD_SCHEMA
from tests.event_factory import RunFactory, found, skipped, waits

VALIDATOR = Draft202012Validator(RECORD_SCHEMA, format_checker=FormatChecker())


def document(events: list[Event]) -> dict[str, Any]:
    """The run's document, after it was held against its schema."""
    made = build_record(events).document()
    VALIDATOR.validate(json.loads(json.dumps(made)))
    return made


def test_a_run_becomes_the_document_of_the_design() -> None:
    run = RunFactory()
    evidence = Evidence("page.html", "ab" * 32, 12, "text/html")
    problem = Problem("tls.expiry", Severity.MAJOR, "expires in 6 days")
    outcome = Outcome(Status.OK, {"code": 200}, (evidence,), (problem,), "slow", deviations=("late by 2 h",))
    events = [
        run.started(["check", "backup"]),
        run.step_started(),
        run.claim(),
        run.finish(outcome=outcome),
        run.step_finished(outputs={"answer": 200}, deviations=["late by 2 h", "without evidence"]),
        run.ended(Status.OK, 10),
    ]
    assert document(events) == {
        "run": "20261122-0930-aaaaa",
        "playbook": "care",
        "status": "ok",
        "exit_code": 10,
        "started": "2026-11-22T02:30:01+00:00",
        "ended": "2026-11-22T02:30:06+00:00",
        "steps": [
            {
                "id": "check",
                "status": "ok",
                "attempt": 1,
                "time_limit": "1 hari",
                "targets": [
                    {
                        "target": "site",
                        "status": "ok",
                        "due": "2026-11-23T09:30:00+00:00",
                        "counted": [
                            {
                                "rule": "clock: 1",
                                "id": "Dihitung terus-menerus, 1 x 24 jam: tidak berhenti pada malam dan hari libur.",
                                "en": "Counted without a pause, 1 x 24 hours: through nights and holidays.",
                            }
                        ],
                        "used_seconds": 2.0,
                        "outputs": {"answer": 200},
                        "deviations": ["late by 2 h", "without evidence"],
                        "tasks": [
                            {
                                "id": "probe",
                                "action": "website.available",
                                "item": None,
                                "try": 1,
                                "status": "ok",
                                "reason": None,
                                "started": "2026-11-22T02:30:03+00:00",
                                "ended": "2026-11-22T02:30:04+00:00",
                                "outputs": {"code": 200},
                                "evidence": [
                                    {"name": "page.html", "sha256": "ab" * 32, "size": 12, "media_type": "text/html"}
                                ],
                                "message": "slow",
                            }
                        ],
                    }
                ],
            },
            {"id": "backup", "status": "skipped", "attempt": 0, "time_limit": None, "targets": []},
        ],
        "problems": [{"key": "tls.expiry", "severity": "major", "target": "site", "message": "expires in 6 days"}],
    }


def test_the_document_has_the_designs_keys_in_its_order() -> None:
    made = document(RunFactory().whole(found("a")))
    step = made["steps"][0]
    target = step["targets"][0]
    assert [" ".join(part) for part in (made, step, target, target["tasks"][0], made["problems"][0])] == [
        "run playbook status exit_code started ended steps problems",
        "id status attempt time_limit targets",
        "target status due counted used_seconds outputs deviations tasks",
        "id action item try status reason started ended outputs evidence message",
        "key severity target message",
    ]


def test_a_claim_that_never_finished_is_interrupted() -> None:
    run = RunFactory()
    record = build_record([run.started(), run.step_started(), run.claim()])
    (target,) = record.steps[0].targets
    assert (target.tasks[0].outcome.status, target.tasks[0].latest.ended) == (Status.INTERRUPTED, None)
    assert (target.status, record.status, record.exit_code, record.ended) == (*[Status.INTERRUPTED] * 2, 130, None)


def test_a_step_that_was_cut_off_between_tasks_is_interrupted() -> None:
    run = RunFactory()
    record = build_record([run.started(), run.step_started(), run.claim(), run.finish()])
    assert record.steps[0].targets[0].tasks[0].outcome.status is Status.OK
    assert record.steps[0].status is Status.INTERRUPTED


def test_a_resumed_run_counts_by_its_last_try() -> None:
    run = RunFactory()
    events = [run.started(), run.step_started(), run.claim(), run.resumed(), run.claim(tries=2), run.finish(tries=2)]
    events += [run.step_finished(), run.ended()]
    record = build_record(events)
    (task,) = record.steps[0].targets[0].tasks
    assert [each.outcome.status for each in task.tries] == [Status.INTERRUPTED, Status.OK]
    assert (task.latest.number, record.status, record.exit_code) == (2, Status.OK, 0)
    document(events)


def test_a_run_that_was_resumed_has_not_ended() -> None:
    run = RunFactory()
    record = build_record([run.started(), run.ended(Status.WAITING, 3), run.resumed()])
    assert (record.ended, record.status) == (None, Status.INTERRUPTED)


def test_the_latest_attempt_is_shown_and_the_earlier_ones_are_kept() -> None:
    run = RunFactory()
    first = Outcome(Status.OK, problems=(Problem("site.down", Severity.CRITICAL, "down"),))
    events = [run.started(), run.step_started(), run.claim(), run.finish(outcome=first), run.step_finished()]
    events += [run.moved("backup", "check", back=True)]
    events += [run.step_started(attempt=2), run.claim(attempt=2), run.finish(attempt=2), run.step_finished(attempt=2)]
    record = build_record([*events, run.ended()])
    assert [(step.id, step.attempt) for step in record.steps] == [("check", 2), ("backup", 0)]
    assert [(step.id, step.attempt) for step in record.attempts] == [("check", 1)]
    assert record.problems == ()
    assert [(move.step, move.to, move.back) for move in record.moves] == [("backup", "check", True)]


def test_each_target_and_item_has_its_own_line() -> None:
    run = RunFactory()
    events = [run.started()]
    for target in ("one", "two"):
        events += [run.step_started(target=target)]
        events += [run.finish(target=target, item=item, item_value=f"page {item}") for item in ("0", "1")]
        events += [run.step_finished(target=target, status=Status.FAILED if target == "two" else Status.OK)]
    made = document([*events, run.ended(Status.FAILED, 2)])
    targets = made["steps"][0]["targets"]
    assert [(target["target"], [task["item"] for task in target["tasks"]]) for target in targets] == [
        ("one", ["page 0", "page 1"]),
        ("two", ["page 0", "page 1"]),
    ]
    assert made["steps"][0]["status"] == "failed"


def test_a_skipped_task_needs_no_claim() -> None:
    run = RunFactory()
    made = document([run.started(), run.finish(outcome=skipped(Reason.BLOCKED)), run.ended()])
    task = made["steps"][0]["targets"][0]["tasks"][0]
    assert (task["status"], task["reason"], task["started"]) == ("skipped", "blocked", task["ended"])


def test_one_fault_that_two_tasks_saw_is_one_problem() -> None:
    run = RunFactory()
    events = [run.started(), *(run.finish(task, outcome=found("site.down")) for task in ("a", "b"))]
    events += [run.finish("c", target="other", outcome=found("site.down", "tls.expiry"))]
    record = build_record([*events, run.ended()])
    assert [(p.key, p.target, p.task) for p in record.problems] == [
        ("site.down", "site", "b"),
        ("site.down", "other", "c"),
        ("tls.expiry", "other", "c"),
    ]


@pytest.mark.parametrize("by_outcome", [True, False])
def test_a_request_waits_until_it_is_answered(by_outcome: bool) -> None:
    run = RunFactory()
    ask = run.finish("sign", target=None, outcome=waits()) if by_outcome else run.requested()
    events = [run.started(), run.step_started(target=None), ask]
    record = build_record(events)
    (request,) = record.requests
    assert request.key == Key("check", 1, "sign", None, "", 1)
    assert (request.request.role, request.request.answers) == ("sekretaris", ("ya", "tidak"))
    assert (request.since, request.due and request.due.isoformat()) == (ask.at, "2026-11-23T09:30:00+00:00")
    assert record.steps[0].status is Status.WAITING
    document(events)

    record = build_record([*events, run.answered()])
    assert record.requests == ()
    assert [(answer.person, answer.label, answer.role) for answer in record.answers] == [("siti", "ya", "sekretaris")]
    assert record.steps[0].status is Status.WAITING


def test_an_answered_task_is_done_when_the_run_went_on() -> None:
    run = RunFactory()
    events = [run.started(), run.step_started(target=None), run.requested(), run.ended(Status.WAITING, 3)]
    assert document(events)["exit_code"] == 3
    events += [
        run.answered(),
        run.resumed(),
        run.finish("sign", target=None),
        run.step_finished(target=None),
        run.ended(),
    ]
    record = build_record(events)
    assert (record.steps[0].status, record.requests, record.exit_code) == (Status.OK, (), 0)


def test_a_person_is_asked_about_what_was_cut_off() -> None:
    run = RunFactory()
    cut_off = Outcome(Status.INTERRUPTED, message="cut off")
    events = [run.started(), run.claim(), run.finish(outcome=cut_off), run.requested("probe", target="site")]
    record = build_record(events)
    assert record.steps[0].targets[0].tasks[0].outcome.status is Status.WAITING
    assert len(record.requests) == 1
    events += [run.answered("probe", target="site"), run.finish(tries=2)]
    (task,) = build_record(events).steps[0].targets[0].tasks
    assert [each.outcome.status for each in task.tries] == [Status.INTERRUPTED, Status.OK]


def test_a_run_without_events_is_none() -> None:
    with pytest.raises(ValueError, match="one event"):
        build_record([])


def test_the_runs_first_data_is_kept() -> None:
    run = RunFactory()
    first = run.started()
    record = build_record([first])
    assert (record.started, record.began, record.title) == (first.data, first.at, "Pemeliharaan")


@pytest.mark.parametrize(
    ("statuses", "problems", "interrupted", "code"),
    [
        ([], 0, False, 0),
        (["ok", "changed", "skipped"], 0, False, 0),
        (["waiting", "ok"], 0, False, 3),
        (["waiting"], 1, False, 10),
        (["unreachable", "waiting"], 1, False, 4),
        (["failed", "unreachable"], 1, False, 2),
        (["timed_out", "unreachable"], 0, False, 2),
        (["failed"], 1, True, 130),
        (["failed", "interrupted"], 0, False, 130),
        ([], 1, False, 10),
    ],
)
def test_the_worst_exit_code_counts(statuses: list[str], problems: int, interrupted: bool, code: int) -> None:
    assert exit_code([Status(each) for each in statuses], [object()] * problems, interrupted) == code


@given(st.lists(st.sampled_from(list(Status))), st.booleans(), st.booleans())
def test_every_exit_code_is_in_the_schema(statuses: list[Status], problems: bool, interrupted: bool) -> None:
    codes = RECORD_SCHEMA["properties"]["exit_code"]["enum"]
    assert exit_code(statuses, [1] * problems, interrupted) in codes


def _keys(schema: dict[str, Any]) -> list[dict[str, Any]]:
    below = [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]
    return [schema, *(each for one in below for each in _keys(one))]


def test_every_key_of_the_schema_is_described_with_a_valid_example() -> None:
    Draft202012Validator.check_schema(RECORD_SCHEMA)
    assert len(_keys(RECORD_SCHEMA)) > 40
    for schema in _keys(RECORD_SCHEMA):
        assert schema["description"].endswith(".")
        for example in schema["examples"]:
            Draft202012Validator(schema, format_checker=FormatChecker()).validate(example)


def test_a_large_run_is_folded_quickly() -> None:
    run = RunFactory()
    events = [run.started()]
    for number in range(2000):
        name = f"site{number}"
        events += [run.step_started(target=name), run.claim(target=name), run.finish(target=name)]
        events += [run.step_finished(target=name)]
    record = build_record([*events, run.ended()])
    assert len(record.steps[0].targets) == 2000


def test_a_run_that_ended_by_itself_waits_in_what_it_includes() -> None:
    run = RunFactory()
    begun = [run.started(), run.step_started(), run.claim()]
    for ending, status in ((Status.WAITING, "waiting"), (Status.INTERRUPTED, "interrupted")):
        step, *_ = document([*begun, run.ended(ending, 3)])["steps"]
        assert (step["status"], step["targets"][0]["tasks"][0]["status"]) == (status, status)
    assert document(begun)["steps"][0]["status"] == "interrupted"


def test_waits_for_a_third_party_end_when_taken_back_or_answered() -> None:
    run = RunFactory()
    place = {"step": "check", "attempt": 1, "task": "sign", "tries": 1}
    handed = {"party": "PT Contoh", "person": "siti", "note": "kabel"}
    events = [
        run.started(),
        run.step_started(target=None),
        run.requested(),
        run.event(Kind.HANDED, data=handed, **place),
        run.event(Kind.TAKEN_BACK, data={"person": "siti", "note": "selesai"}, **place),
        run.event(Kind.HANDED, data=handed, **place),
    ]
    assert [(h.party, h.remark, h.until is None) for h in build_record(events).hands] == [
        ("PT Contoh", "selesai", False),
        ("PT Contoh", "", True),
    ]
    answer = run.answered()
    record = build_record([*events, answer])
    assert record.hands[-1].until == answer.at
    assert not record.requests


def test_escalations_tell_whom_they_reached() -> None:
    run = RunFactory()
    told = [{"channel": "mail", "recipient": "budi", "status": "failed", "answer": "550"}]
    data = {"rung": 1, "role": "kasubbag", "persons": ["Budi"], "due": "2026-11-23T09:30:00+00:00", "told": told}
    events = [run.started(), run.requested()]
    [one] = build_record([*events, run.event(Kind.ESCALATED, step="check", task="sign", data=data)]).escalations
    assert (one.rung, one.role, one.persons, one.reached) == (1, "kasubbag", ("Budi",), False)
    data["told"] = [*told, {**told[0], "status": "sent"}]
    [one] = build_record([*events, run.event(Kind.ESCALATED, step="check", task="sign", data=data)]).escalations
    assert one.reached


def test_an_answer_tells_how_it_was_given() -> None:
    run = RunFactory()
    signed = run.answered()
    evidence = {"name": "foto.jpg", "sha256": "ab" * 32, "size": 3, "media_type": "image/jpeg"}
    more = {"acting": "Plh", "to": "check", "evidence": [evidence], "deviations": ["same_person: Siti"]}
    [answer] = build_record([run.started(), run.requested(), replace(signed, data={**signed.data, **more})]).answers
    assert (answer.acting, answer.to, answer.deviations) == ("Plh", "check", ("same_person: Siti",))
    assert [e.name for e in answer.evidence] == ["foto.jpg"]
