"""Our interpreter against moto's: random journeys, random outcomes of their tasks, the same way at the same times.

Neither waits: moto's waits, time-outs and retry pauses are put on the run's own clock, its jitter is taken out, and its
Lambda calls are answered in this process. Whole seconds only, since moto cuts timestamps to seconds.
"""

from __future__ import annotations

import itertools
import json
import logging
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from moto import mock_aws
from moto.awslambda.models import LambdaFunction
from moto.stepfunctions.parser.asl.component.common.retry import jitter_strategy_decl, retrier_decl
from moto.stepfunctions.parser.asl.component.state.exec.execute_state import ExecutionState
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_callback import (
    StateTaskServiceCallback,
)
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.timestamp import Timestamp
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackEndpoint, CallbackOutcome
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication

from chalicelib.clock import parse_rfc3339, rfc3339
from chalicelib.commerce.machines import CART_WATCH
from chalicelib.commerce.machines import machine as fixed_machine
from chalicelib.journeys.compile import compile_journey, compile_resume
from chalicelib.journeys.definition import Definition
from chalicelib.journeys.gallery import Template, gallery
from chalicelib.journeys.plan import plan
from chalicelib.journeys.walk import TaskError, run_virtual
from tests.journeys.sample_journeys import ARN, SAMPLES, journeys

START = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)
INPUT = {
    "store_id": "s1",
    "enrolment_id": "c1-e1",
    "generation": 0,
    "until": "2026-11-25T06:30:00.000Z",
    "seconds": 86_400,
}
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)  # a run of moto's takes half a second: no shrinking
TROUBLES = (
    "NotNow",
    "ProviderBusy",
    "TryLater",
    "Held",
    "Ended",
    "Lambda.ServiceException",
    "Lambda.Unknown",
    "KeyError",
)


@dataclass
class ScriptedSteps:
    """The step function's stand-in: what it answers follows from the seed and how often it was asked."""

    seed: int
    troubles: dict[int, str] | None = None
    """Which calls fail, and how; None: dice decide."""
    calls: list[tuple[datetime, Any]] = field(default_factory=list)
    comes: dict[str, datetime] = field(default_factory=dict)
    """When the event comes that a token waits for, where it comes in time."""

    def run(self, payload: dict[str, Any], at: datetime) -> dict[str, Any]:
        dice = random.Random(f"{self.seed}/{len(self.calls)}")
        token = payload.get("token", "") if "seconds" in payload else ""  # a cart has a token of its own
        self.calls.append((at, {name: value for name, value in payload.items() if name != "token"}))
        later = rfc3339(at + timedelta(seconds=dice.randint(-90_000, 900_000)))
        by_chance = dice.choice(TROUBLES) if dice.random() < 0.4 else None
        error = by_chance if self.troubles is None else self.troubles.get(len(self.calls) - 1)
        if error:
            raise TaskError(error, json.dumps({"errorMessage": later, "errorType": error}, separators=(",", ":")))
        if token and (after := dice.randint(0, 2 * payload["seconds"])) < payload["seconds"]:
            self.comes[token] = at + timedelta(seconds=after)
        ways = sorted(payload["next"]) if isinstance(payload.get("next"), dict) else ["then"]
        return {"until": later, "seconds": dice.randint(1, 900_000), "go": dice.choice(ways)}


class MotoRunner:
    """moto's Step Functions with one run at a time, on that run's clock."""

    def __init__(self) -> None:
        self.now = START
        self.script = ScriptedSteps(0)
        self.ended = threading.Event()
        self.machines = boto3.client("stepfunctions", region_name="eu-west-1")
        role = boto3.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        self.role = role
        boto3.client("lambda", region_name="eu-west-1").create_function(
            FunctionName="agala-journey-steps", Runtime="python3.12", Role=role, Handler="h", Code={"ZipFile": b"-"}
        )

    def run(self, machine: dict[str, Any], payload: dict[str, Any], script: ScriptedSteps, name: str) -> dict[str, Any]:
        self.now, self.script = START, script
        self.ended.clear()
        arn = self.machines.create_state_machine(name=name, definition=json.dumps(machine), roleArn=self.role)
        started = self.machines.start_execution(
            stateMachineArn=arn["stateMachineArn"], name=name, input=json.dumps(payload)
        )
        assert self.ended.wait(20), "moto's execution did not end"
        return self.machines.describe_execution(executionArn=started["executionArn"])

    def invoke(self, event: dict[str, Any]) -> tuple[str, bool, str]:
        try:
            answer = self.script.run(event, self.now)
        except TaskError as error:
            return error.cause, True, ""
        return json.dumps(answer), False, ""

    def has_come(self, token: str, seconds: int) -> bool:
        """Whether the event comes before the time-out; the run's clock moves on to whichever is first."""
        comes = self.script.comes.get(token)
        self.now = comes or self.now + timedelta(seconds=seconds)
        if comes:
            self.machines.send_task_success(taskToken=token, output="{}")
        return comes is not None


@pytest.fixture(scope="module")
def moto_runner() -> Iterator[MotoRunner]:
    patch = pytest.MonkeyPatch()
    logging.getLogger("moto.stepfunctions").setLevel(logging.CRITICAL)  # it tells every failure at great length
    patch.setenv("TZ", "UTC")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        patch.setenv(name, "testing")
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        runner = MotoRunner()

        def pass_time(_wait: Any, env: Any, wait_seconds: float) -> None:
            runner.now += timedelta(seconds=max(0, wait_seconds))

        def seconds_left(wait: Timestamp, env: Any) -> float:
            wait.string.eval(env=env)
            return (parse_rfc3339(env.stack.pop()) - runner.now).total_seconds()

        class Pauses:
            @staticmethod
            def sleep(seconds: float) -> None:
                runner.now += timedelta(seconds=seconds)

        class NoDice:
            @staticmethod
            def uniform(_low: float, high: float) -> float:
                return high

        def wait_for_token(timeout_seconds: int, endpoint: CallbackEndpoint) -> CallbackOutcome | None:
            return endpoint.get_outcome() if runner.has_come(endpoint.callback_id, timeout_seconds) else None

        terminated, enter_state = BaseExecutionWorkerCommunication.terminated, ExecutionState._eval_state

        def tell(communication: BaseExecutionWorkerCommunication) -> None:
            terminated(communication)
            runner.ended.set()

        def enter_afresh(state: ExecutionState, env: Any) -> None:
            # The specification counts retries within one visit to a state; moto goes on counting at the next visit.
            for key in [key for key in env.heap if key.startswith(("MaxAttemptsDecl-", "BackoffRateDecl-"))]:
                del env.heap[key]
            enter_state(state, env)

        patch.setattr(WaitFunction, "_wait_interval", pass_time)
        patch.setattr(Timestamp, "_get_wait_seconds", seconds_left)
        patch.setattr(StateTaskServiceCallback, "_wait_for_task_token_timeout", staticmethod(wait_for_token))
        patch.setattr(retrier_decl, "time", Pauses)
        patch.setattr(jitter_strategy_decl, "random", NoDice)
        patch.setattr(LambdaFunction, "_invoke_lambda", lambda _function, event=None: runner.invoke(event))
        patch.setattr(BaseExecutionWorkerCommunication, "terminated", tell)
        patch.setattr(ExecutionState, "_eval_state", enter_afresh)
        yield runner
    patch.undo()


def both_ways(
    runner: MotoRunner, machine: dict[str, Any], payload: dict[str, Any], script: ScriptedSteps, name: str
) -> None:
    ours, theirs = replace(script, calls=[], comes={}), replace(script, calls=[], comes={})
    trace = run_virtual(
        machine, payload, START, lambda _resource, asked, at: ours.run(asked, at), answered=ours.comes.get
    )
    answer = runner.run(machine, payload, theirs, name)

    assert ours.calls == theirs.calls
    assert trace.last.kind.upper() == answer["status"]
    assert trace.ended_at == runner.now
    if trace.last.kind == "failed":
        assert trace.last.error == answer["error"]
    else:
        assert trace.last.output == json.loads(answer["output"])


_names = (f"run-{number}" for number in itertools.count())


@settings(max_examples=35, deadline=None, phases=PHASES)
@given(definition=journeys(), seed=st.integers(0, 10**6))
def test_both_interpreters_take_a_contact_the_same_way(
    moto_runner: MotoRunner, definition: Definition, seed: int
) -> None:
    both_ways(moto_runner, compile_journey(definition, ARN), INPUT, ScriptedSteps(seed), next(_names))


@settings(max_examples=20, deadline=None, phases=PHASES)
@given(definition=journeys(), seed=st.integers(0, 10**6), data=st.data())
def test_both_interpreters_resume_a_contact_at_any_step_the_same_way(
    moto_runner: MotoRunner, definition: Definition, seed: int, data: st.DataObject
) -> None:
    steps = sorted(plan(definition).steps)
    enter = data.draw(st.sampled_from([*steps, "no-such-step"]))
    both_ways(moto_runner, compile_resume(definition, ARN), INPUT | {"enter": enter}, ScriptedSteps(seed), next(_names))


@pytest.mark.parametrize("error", TROUBLES)
@pytest.mark.parametrize("name", SAMPLES)
def test_each_trouble_is_met_the_same_way(moto_runner: MotoRunner, name: str, error: str) -> None:
    """Twice in a row at the second task, so that pauses grow."""
    machine = compile_journey(Definition.parse(SAMPLES[name]), ARN)
    both_ways(moto_runner, machine, INPUT, ScriptedSteps(1, {1: error, 2: error}), next(_names))


@pytest.mark.parametrize(
    ("error", "calls"), [("ProviderBusy", 13), ("TryLater", 13), ("Lambda.ServiceException", 11), ("Lambda.Unknown", 4)]
)
def test_who_ran_out_of_retries_rests_for_an_hour_and_tries_again(
    moto_runner: MotoRunner, error: str, calls: int
) -> None:
    machine = compile_journey(Definition.parse(SAMPLES["thank-you"]), ARN)
    script = ScriptedSteps(1, dict.fromkeys(range(calls), error))
    both_ways(moto_runner, machine, INPUT, script, next(_names))
    ours = replace(script, calls=[])
    trace = run_virtual(machine, INPUT, START, lambda _resource, asked, at: ours.run(asked, at))
    assert trace.last.kind == "succeeded"
    assert ours.calls[calls][0] - ours.calls[calls - 1][0] == timedelta(hours=1)
    assert ours.calls[calls][1] == ours.calls[0][1]


def test_the_referee_sees_a_difference(moto_runner: MotoRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    definition = Definition.parse(SAMPLES["thank-you"])
    monkeypatch.setattr("chalicelib.journeys.walk._wait_end", lambda _state, _standing, now: now)
    with pytest.raises(AssertionError):
        both_ways(moto_runner, compile_journey(definition, ARN), INPUT, ScriptedSteps(1, {}), next(_names))


_OFTEN = ("cart-abandonment", "cart-why-reply", "lead-nurture", "refer-a-friend", "replenishment", "upsell", "welcome")


@pytest.mark.parametrize(
    ("template", "seed"),
    [(one, seed) for one in gallery() for seed in (range(4) if one.id in _OFTEN else (1, 2))],
    ids=lambda value: getattr(value, "id", value),
)
def test_every_ready_journey_runs_the_same_way_on_both(moto_runner: MotoRunner, template: Template, seed: int) -> None:
    machine = compile_journey(Definition.parse(template.definition), ARN)
    both_ways(moto_runner, machine, INPUT, ScriptedSteps(seed, {} if seed < 2 else None), next(_names))


CART = {"store_id": "s1", "token": "0123456789abcdef", "generation": 1, "until": "2026-11-21T23:00:00.000Z"}


@pytest.mark.parametrize("seed", range(6))
def test_the_watch_of_a_cart_goes_the_same_way_on_both(moto_runner: MotoRunner, seed: int) -> None:
    both_ways(
        moto_runner, fixed_machine(CART_WATCH, ARN), CART, ScriptedSteps(seed, {} if seed == 0 else None), next(_names)
    )


@pytest.mark.parametrize("error", TROUBLES)
def test_each_trouble_of_a_cart_watch_is_met_the_same_way(moto_runner: MotoRunner, error: str) -> None:
    script = ScriptedSteps(1, dict.fromkeys(range(14), error))
    both_ways(moto_runner, fixed_machine(CART_WATCH, ARN), CART, script, next(_names))
    trace = run_virtual(fixed_machine(CART_WATCH, ARN), CART, START, lambda _resource, asked, at: script.run(asked, at))
    assert trace.last.kind == "succeeded"
