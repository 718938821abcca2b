"""The interpreter of compiled journeys: walks as the States Language says, and can be put down anywhere."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.clock import rfc3339
from chalicelib.journeys.compile import compile_journey, compile_resume
from chalicelib.journeys.definition import Definition
from chalicelib.journeys.ports import NotNow
from chalicelib.journeys.walk import (
    Standing,
    TaskError,
    advance,
    begin,
    lambda_failure,
    run_virtual,
    task_failed,
    task_succeeded,
    time_came,
)
from tests.journeys.sample_journeys import ARN, SAMPLES, branch, journey, journeys, lifetime, mail, pause

START = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)
INPUT = {"store_id": "s1", "enrolment_id": "c1-e1", "generation": 0, "until": "2026-11-25T06:30:00.000Z"}


def machine(*states: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    return {"StartAt": states[0][0], "States": dict(states)}


def task(**more: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": ARN, "End": True, **more}


def end_of(definition: dict[str, Any], payload: Any = None, **results: Any) -> Standing:
    """Run with tasks that answer `result`, or raise what `fails` lists, one after another."""
    fails = list(results.get("fails", ()))

    def call(_resource: str, _payload: Any, _at: datetime) -> Any:
        if fails and (error := fails.pop(0)):
            raise TaskError(error, "{}")
        return results.get("result")

    return run_virtual(definition, payload, START, call).last


def test_a_wait_of_days_takes_two_transitions_and_its_time() -> None:
    states = compile_journey(Definition.parse(journey(pause("w", days=25), mail("m"))), ARN)
    trace = run_virtual(states, INPUT, START, lambda *_: {})
    assert [(at, asked["steps"]) for at, _, asked in trace.calls] == [(START + timedelta(days=25), ["m"])]
    assert (trace.last.kind, trace.last.transitions) == ("succeeded", 2)


def test_a_computed_wait_ends_when_the_task_said() -> None:
    states = compile_journey(Definition.parse(journey(mail("a"), lifetime("w"), mail("b"))), ARN)
    trace = run_virtual(states, INPUT, START, lambda *_: {"until": "2026-12-24T10:00:00.500Z"})
    assert trace.ended_at == datetime(2026, 12, 24, 10, 0, 0, 500_000, tzinfo=UTC)


def test_a_wait_whose_time_has_passed_takes_none() -> None:
    states = compile_journey(Definition.parse(journey(lifetime("w"), mail("b"))), ARN)
    trace = run_virtual(states, INPUT | {"until": "2020-01-01T00:00:00.000Z"}, START, lambda *_: {})
    assert trace.ended_at == START


@pytest.mark.parametrize(("go", "sent"), [("then", "yes"), ("else", "no")])
def test_a_branch_goes_the_way_that_its_task_found(go: str, sent: str) -> None:
    states = compile_journey(Definition.parse(journey(branch("b", [mail("yes")], [mail("no")]))), ARN)
    trace = run_virtual(states, INPUT, START, lambda *_: {"go": go})
    assert [asked["steps"] for _, _, asked in trace.calls] == [["b"], [sent]]


def test_what_may_not_be_sent_now_is_tried_again_at_the_time_it_named() -> None:
    states = compile_journey(Definition.parse(journey(mail("m"))), ARN)
    morning = START + timedelta(hours=11)
    asked_at = []

    def send(_resource: str, _payload: Any, at: datetime) -> dict[str, Any]:
        asked_at.append(at)
        if at < morning:
            raise NotNow(rfc3339(morning))
        return {}

    trace = run_virtual(states, INPUT, START, send)
    assert asked_at == [START, morning]
    assert trace.last.kind == "succeeded"
    assert trace.last.transitions == 4  # task, not now, later, task


@pytest.mark.parametrize("error", ["Held", "Ended"])
def test_an_enrolment_that_is_over_or_held_ends_the_execution_well(error: str) -> None:
    last = end_of(compile_journey(Definition.parse(SAMPLES["thank-you"]), ARN), INPUT, fails=[error])
    assert (last.kind, last.state) == ("succeeded", "Over")


def test_an_error_that_nobody_catches_fails_the_execution() -> None:
    last = end_of(compile_journey(Definition.parse(SAMPLES["thank-you"]), ARN), INPUT, fails=["KeyError"])
    assert (last.kind, last.error, last.state) == ("failed", "KeyError", "thanks")


def test_resuming_enters_at_a_step_and_keeps_a_waits_end() -> None:
    states = compile_resume(Definition.parse(SAMPLES["thank-you"]), ARN)
    trace = run_virtual(states, INPUT | {"enter": "three-days"}, START, lambda *_: {})
    assert [(rfc3339(at), asked["steps"]) for at, _, asked in trace.calls] == [
        ("2026-11-25T06:30:00.000Z", ["get-the-most"])
    ]
    assert end_of(states, INPUT | {"enter": "gone"}).error == "UnknownStep"


# Retry and Catch


def test_retries_wait_longer_each_time_up_to_the_longest() -> None:
    retry = {
        "ErrorEquals": ["Busy"],
        "IntervalSeconds": 10,
        "BackoffRate": 3.0,
        "MaxAttempts": 4,
        "MaxDelaySeconds": 60,
    }
    tried: list[float] = []

    def busy(_resource: str, _payload: Any, at: datetime) -> Any:
        tried.append((at - START).total_seconds())
        raise TaskError("Busy")

    trace = run_virtual(machine(("t", task(Retry=[retry]))), {}, START, busy)
    assert tried == [0, 10, 40, 100, 160]
    assert (trace.last.kind, trace.last.error, trace.last.transitions) == ("failed", "Busy", 5)


def test_each_retrier_counts_for_itself_and_anew_at_each_visit() -> None:
    once = [{"ErrorEquals": [name], "IntervalSeconds": 1, "MaxAttempts": 1} for name in ("A", "B")]
    assert end_of(machine(("t", task(Retry=once))), fails=["A", "B"]).kind == "succeeded"
    assert end_of(machine(("t", task(Retry=once))), fails=["A", "B", "A"]).kind == "failed"
    again = task(Retry=once, Catch=[{"ErrorEquals": ["C"], "Next": "t"}])
    assert end_of(machine(("t", again)), fails=["A", "C", "A"]).kind == "succeeded"


def test_jitter_comes_from_whoever_drives() -> None:
    retry = {"ErrorEquals": ["Busy"], "IntervalSeconds": 10, "MaxAttempts": 1, "JitterStrategy": "FULL"}
    definition = machine(("t", task(Retry=[retry])))
    standing = begin(definition, {}, START)
    paused = task_failed(definition, standing, "Busy", "", START, jitter=lambda longest: longest / 4)
    assert paused.due == START + timedelta(seconds=2.5)


@pytest.mark.parametrize(
    ("error", "names", "caught"),
    [
        ("X", ["X"], True),
        ("X", ["Y"], False),
        ("X", ["States.ALL"], True),
        ("X", ["States.TaskFailed"], True),
        ("States.Timeout", ["States.TaskFailed"], False),
        ("States.Timeout", ["States.ALL"], True),
        ("States.Runtime", ["States.ALL"], False),
    ],
)
def test_names_of_errors(error: str, names: list[str], caught: bool) -> None:
    definition = machine(
        ("t", task(Catch=[{"ErrorEquals": names, "ResultPath": "$.e", "Next": "ok"}])), ("ok", {"Type": "Succeed"})
    )
    last = end_of(definition, {"a": 1}, fails=[error])
    assert last.kind == ("succeeded" if caught else "failed")
    if caught:
        assert last.output == {"a": 1, "e": {"Error": error, "Cause": "{}"}}


def test_a_python_exception_looks_as_lambda_reports_it() -> None:
    error, cause = lambda_failure(NotNow("2026-11-22T09:00:00.000Z"))
    assert (error, json.loads(cause)["errorMessage"]) == ("NotNow", "2026-11-22T09:00:00.000Z")


# Data


def test_parameters_result_selector_and_paths_shape_data() -> None:
    seen = []

    def call(_resource: str, payload: Any, _at: datetime) -> Any:
        seen.append(payload)
        return {"value": 5, "noise": 1}

    shaped = task(
        InputPath="$.inner",
        Parameters={
            "name.$": "$['a b'][1]",
            "said.$": "States.Format('{} of {}', $.n, $$.Execution.Name)",
            "list.$": "States.Array($.n, 'it\\'s', States.JsonToString($.n))",
            "fixed": [{"deep.$": "$.n"}],
            "started.$": "$$.Execution.StartTime",
        },
        ResultSelector={"kept.$": "$.value"},
        ResultPath="$.out.here",
        OutputPath="$.out",
    )
    trace = run_virtual(machine(("t", shaped)), {"inner": {"a b": [0, "x"], "n": 3}}, START, call)
    assert seen == [
        {
            "name": "x",
            "said": "3 of ",
            "list": [3, "it's", "3"],
            "fixed": [{"deep": 3}],
            "started": "2026-11-21T22:00:00.000000Z",
        }
    ]
    assert trace.last.output == {"here": {"kept": 5}}


def test_result_path_null_drops_and_default_replaces() -> None:
    assert end_of(machine(("t", task(ResultPath=None))), {"a": 1}, result=2).output == {"a": 1}
    assert end_of(machine(("t", task())), {"a": 1}, result=2).output == 2
    result = {"Type": "Pass", "Result": 7, "ResultPath": "$.b", "End": True}
    assert end_of(machine(("p", result)), {"a": 1}).output == {"a": 1, "b": 7}


@pytest.mark.parametrize(
    "state",
    [
        task(Parameters={"x.$": "$.nothing"}),
        task(Parameters={"x.$": "$..deep"}),
        task(Parameters={"x.$": "States.StringToJson($.text)"}),
        task(Parameters={"x.$": "States.Unknown(1)"}),
        {"Type": "Wait", "TimestampPath": "$.text", "End": True},
        {"Type": "Wait", "SecondsPath": "$.text", "End": True},
        {"Type": "Choice", "Choices": [{"Variable": "$.text", "StringEquals": "x", "Next": "s"}]},
        {"Type": "Choice", "Choices": [{"Variable": "$.nothing", "StringEquals": "x", "Next": "s"}]},
        {"Type": "Map", "End": True},
    ],
)
def test_what_cannot_be_done_fails_the_execution_and_never_raises(state: dict[str, Any]) -> None:
    assert end_of(machine(("s", state)), {"text": "no json"}).kind == "failed"


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ({"Variable": "$.n", "NumericEquals": 3}, True),
        ({"Variable": "$.n", "NumericLessThan": 3}, False),
        ({"Variable": "$.n", "NumericGreaterThanEquals": 3}, True),
        ({"Variable": "$.n", "NumericLessThanEqualsPath": "$.m"}, True),
        ({"Variable": "$.n", "StringEquals": "3"}, False),
        ({"Variable": "$.b", "BooleanEquals": True}, True),
        ({"Variable": "$.b", "NumericEquals": 1}, False),
        ({"Variable": "$.s", "StringGreaterThan": "a"}, True),
        ({"Variable": "$.t", "TimestampLessThan": "2026-11-22T00:00:00+02:00"}, True),
        ({"Variable": "$.t", "IsTimestamp": True}, True),
        ({"Variable": "$.s", "IsTimestamp": True}, False),
        ({"Variable": "$.z", "IsNull": True}, True),
        ({"Variable": "$.z", "IsPresent": True}, True),
        ({"Variable": "$.nothing", "IsPresent": False}, True),
        ({"Variable": "$.s", "IsString": True}, True),
        ({"Variable": "$.b", "IsNumeric": True}, False),
        ({"Variable": "$.b", "IsBoolean": True}, True),
        ({"And": [{"Variable": "$.b", "BooleanEquals": True}, {"Variable": "$.n", "NumericEquals": 4}]}, False),
        ({"Or": [{"Variable": "$.b", "BooleanEquals": False}, {"Variable": "$.n", "NumericEquals": 3}]}, True),
        ({"Not": {"Variable": "$.b", "BooleanEquals": False}}, True),
    ],
)
def test_choices(rule: dict[str, Any], holds: bool) -> None:
    data = {"n": 3, "m": 4, "b": True, "s": "b", "t": "2026-11-21T00:00:00Z", "z": None}
    choice = {"Type": "Choice", "Choices": [rule | {"Next": "yes"}], "Default": "no"}
    last = end_of(machine(("c", choice), ("yes", {"Type": "Succeed"}), ("no", {"Type": "Fail", "Error": "No"})), data)
    assert last.state == ("yes" if holds else "no")


def test_a_machine_that_never_rests_is_stopped() -> None:
    assert end_of(machine(("p", {"Type": "Pass", "Next": "p"})), {}).error == "States.Runtime"


# Task tokens

PARKED = task(Resource=f"{ARN}.waitForTaskToken", Parameters={"token.$": "$$.Task.Token"}, TimeoutSeconds=3600)


def test_a_token_waits_for_its_holder_or_its_deadline() -> None:
    definition = machine(("t", PARKED))
    standing = begin(definition, {}, START, "run-1")
    assert standing.payload == {"token": standing.token}
    parked = task_succeeded(definition, standing, None, START)
    assert (parked.kind, parked.due) == ("token", START + timedelta(hours=1))
    assert time_came(definition, parked, START + timedelta(minutes=59)) is parked
    assert time_came(definition, parked, START + timedelta(hours=1)).error == "States.Timeout"
    assert task_succeeded(definition, parked, {"came": True}, START).output == {"came": True}
    assert task_failed(definition, parked, "Gone", "", START).error == "Gone"


# Put down and taken up again


@settings(max_examples=40, deadline=None)
@given(definition=journeys(), seed=st.integers(0, 10**6))
def test_an_execution_may_be_put_down_between_any_two_steps(definition: Definition, seed: int) -> None:
    states = compile_journey(definition, ARN)

    def script() -> Any:
        dice = random.Random(seed)

        def call(_resource: str, _payload: Any, at: datetime) -> Any:
            if dice.random() < 0.3:
                raise TaskError(dice.choice(["NotNow", "ProviderBusy", "Ended", "Bad"]), _cause(at))
            return {"go": dice.choice(["then", "else"]), "until": rfc3339(at + timedelta(hours=dice.randint(0, 99)))}

        return call

    trace = run_virtual(states, INPUT, START, script())

    call, now = script(), START
    standing = begin(states, INPUT, now)
    calls = []
    while not standing.ended:
        standing = Standing.from_dict(json.loads(json.dumps(standing.to_dict())))
        now = max(now, standing.due or now)
        if standing.kind == "task":
            calls.append((now, standing.resource, standing.payload))
            try:
                result = call("", standing.payload, now)
            except TaskError as error:
                standing = task_failed(states, standing, error.error, error.cause, now)
            else:
                standing = task_succeeded(states, standing, result, now)
        else:
            assert time_came(states, standing, now - timedelta(microseconds=1)) == standing
            standing = time_came(states, standing, now)
    assert calls == trace.calls
    assert standing == trace.last


def _cause(at: datetime) -> str:
    return json.dumps({"errorMessage": rfc3339(at + timedelta(hours=9))})


def test_advance_goes_as_far_as_it_can_now() -> None:
    states = compile_journey(Definition.parse(SAMPLES["thank-you"]), ARN)
    asked = []
    waiting = advance(states, begin(states, INPUT, START), START, lambda _, payload: asked.append(payload["steps"]))
    assert (asked, waiting.kind, waiting.state) == ([["thanks"]], "waiting", "three-days")
    later = START + timedelta(days=3)
    assert advance(states, waiting, later, lambda _, payload: asked.append(payload["steps"])).ended
    assert asked == [["thanks"], ["get-the-most"]]
