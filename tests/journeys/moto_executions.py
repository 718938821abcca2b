"""moto's Step Functions interpreter in the place of ours: executions that wait on a rehearsal's virtual clock.

Each runs in a thread of moto's, and only one at a time: it has the turn until it waits, then whoever drives has it. Its
Lambda calls are answered in this process. A state machine is parsed once, however many executions it has.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from moto.stepfunctions.parser.api import StateMachineType
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_callback import (
    StateTaskServiceCallback,
)
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.timestamp import Timestamp
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackOutcomeSuccess, CallbackOutcomeTimedOut
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.evaluation_details import AWSExecutionDetails
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventHistoryContext
from moto.stepfunctions.parser.asl.eval.states import ContextObjectData, ExecutionData, StateMachineData
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser

from chalicelib.clock import Clock, parse_rfc3339
from chalicelib.journeys.walk import lambda_failure

PATIENCE = 20  # real seconds
ACCOUNT = "123456789012"


class _Gone(Exception):
    """Nobody waits for this execution any more."""


@dataclass
class _Run:
    name: str
    machine: str
    payload: Any
    due: datetime | None
    env: Any = None
    turn: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    ended: bool = False
    stopped: bool = False
    counted: int = 0
    token: str | None = None


class MotoExecutions:
    """As `journeys.executions.Executions`."""

    present: MotoExecutions | None = None
    """The one whose turn it is: what moto calls back finds it here."""

    def __init__(self, clock: Clock, call: Callable[[str, Any], Any]) -> None:
        self._clock, self._call = clock, call
        self._programs: dict[str, Any] = {}
        self._runs: dict[str, _Run] = {}
        self._back = threading.Semaphore(0)
        self._answers: dict[str, str] = {}
        self.transitions = 0

    def publish(self, name: str, definition: dict[str, Any]) -> str:
        self._programs[name] = AmazonStateLanguageParser.parse(json.dumps(definition))[0]
        return name

    def clear(self) -> None:
        for run in self._runs.values():
            if not run.ended and run.env is not None:
                run.stopped = run.ended = True
                run.turn.release()
        self._runs = {}

    def start(self, machine: str, execution: str, payload: dict[str, Any]) -> None:
        if execution not in self._runs:
            self._runs[execution] = _Run(execution, machine, payload, self._clock.now())

    def stop(self, machine: str, execution: str, reason: str) -> None:
        run = self._runs.get(execution)
        if run is not None and not run.ended and not run.stopped:
            run.stopped, run.due = True, None
            if run.env is None:
                self.transitions += (
                    1  # the service begins at once: the first state is entered before anybody can stop it
                )
            else:
                run.env.set_stop(stop_date=self._clock.now(), cause=reason, error=None)

    def runs(self, machine: str, execution: str) -> bool:
        run = self._runs.get(execution)
        return run is not None and not run.ended and not run.stopped

    def answer(self, token: str, output: Mapping[str, Any]) -> None:
        self._answers[token] = json.dumps(dict(output))
        for run in self._runs.values():
            if run.token == token and not run.ended and not run.stopped:
                run.due = self._clock.now()

    def due(self) -> datetime | None:
        return min(((run.due, run.name) for run in self._runs.values() if run.due), default=(None, ""))[0]

    def go_on(self) -> None:
        _, name = min((run.due, run.name) for run in self._runs.values() if run.due)
        run = self._runs[name]
        run.due = None
        MotoExecutions.present = self
        if run.env is None:
            run.env = self._environment(run)
            threading.Thread(target=self._execute, args=(run,), daemon=True).start()
        else:
            run.turn.release()
        assert self._back.acquire(timeout=PATIENCE), "moto's execution neither waits nor ends"
        entered = sum(event["type"].endswith("StateEntered") for event in run.env.event_manager.get_event_history())
        self.transitions += entered - run.counted
        run.counted = entered

    def _execute(self, run: _Run) -> None:
        self._programs[run.machine].eval(run.env)
        if not run.ended:
            run.ended = True
            self._back.release()

    def _environment(self, run: _Run) -> Environment:
        arn = f"arn:aws:states:eu-west-1:{ACCOUNT}:execution:{run.machine}:{run.name}"
        return Environment(
            aws_execution_details=AWSExecutionDetails(account=ACCOUNT, region="eu-west-1", role_arn="role"),
            execution_type=StateMachineType.STANDARD,
            context=ContextObjectData(
                Execution=ExecutionData(
                    Id=arn, Input=run.payload, Name=run.name, RoleArn="role", StartTime="2026-11-21T22:00:00Z"
                ),
                StateMachine=StateMachineData(Id=arn, Name=run.machine),
            ),
            event_history_context=EventHistoryContext.of_program_start(),
            cloud_watch_logging_session=None,
            activity_store={},
        )

    # What moto asks

    def pause(self, env: Any, seconds: float) -> None:
        run = self._run_of(env)
        if seconds > 0:
            self._rest(run, self._clock.now() + timedelta(seconds=seconds))

    def wait_for(self, env: Any, token: str, seconds: float) -> str | None:
        """What the token's holder answers; None if that takes too long."""
        run = self._run_of(env)
        run.token = token
        now = self._clock.now()
        self._rest(run, now if token in self._answers else now + timedelta(seconds=seconds))
        run.token = None
        return self._answers.pop(token, None)

    def _rest(self, run: _Run, until: datetime) -> None:
        run.due = until
        self._back.release()
        run.turn.acquire()
        if run.stopped:
            raise _Gone

    def invoke(self, parameters: dict[str, Any]) -> dict[str, Any]:
        payload = json.loads(parameters["Payload"])
        try:
            return {"StatusCode": 200, "Payload": json.loads(json.dumps(self._call("", payload)))}
        except Exception as exception:  # noqa: BLE001 - whatever a task raises is that task's failure
            error, cause = lambda_failure(exception)
            told = json.loads(cause) if cause else {"errorType": error, "errorMessage": ""}
            return {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": told}

    def seconds_until(self, text: str) -> float:
        return (parse_rfc3339(text) - self._clock.now()).total_seconds()

    def _run_of(self, env: Any) -> _Run:
        return self._runs[env.states.context_object.context_object_data["Execution"]["Name"]]


def _the_one() -> MotoExecutions:
    assert MotoExecutions.present is not None
    return MotoExecutions.present


@contextmanager
def moto_on_virtual_clocks() -> Iterator[None]:
    """moto's waits and Lambda calls come to the `MotoExecutions` whose turn it is."""

    def seconds_left(wait: Timestamp, env: Any) -> float:
        wait.string.eval(env=env)
        return _the_one().seconds_until(env.stack.pop())

    def invoke(parameters: dict[str, Any], region: str, state_credentials: Any) -> dict[str, Any]:
        return _the_one().invoke(parameters)

    def wait_for(_state: Any, env: Any, timeout_seconds: int, callback_endpoint: Any, heartbeat_endpoint: Any) -> Any:
        token = callback_endpoint.callback_id
        answer = _the_one().wait_for(env, token, timeout_seconds)
        return CallbackOutcomeSuccess(token, answer) if answer is not None else CallbackOutcomeTimedOut(token)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StateTaskServiceCallback, "_eval_wait_for_task_token", wait_for)
        patch.setattr(
            WaitFunction, "_wait_interval", lambda _wait, env, wait_seconds: _the_one().pause(env, wait_seconds)
        )
        patch.setattr(Timestamp, "_get_wait_seconds", seconds_left)
        patch.setattr(lambda_eval_utils, "_invoke_lambda_function", invoke)
        yield
