"""Our own interpreter of the compiled subset of the Amazon States Language: pure, resumable, on whatever clock.

A `Standing` is where an execution stands between two things that take time, as JSON data: keep it, and the
execution can go on after a restart. `begin` walks to the first such place; `time_came`, `task_succeeded` and
`task_failed` walk on from one. The driver runs tasks and waits; `run_virtual` is a driver that does not wait.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from chalicelib.clock import parse_rfc3339
from chalicelib.journeys.walk_data import Json, StatesError, fill, holds, look, moment, put

Machine = Mapping[str, Any]
Jitter = Callable[[float], float]
Kind = Literal["task", "waiting", "token", "succeeded", "failed"]

TOKEN_SUFFIX = ".waitForTaskToken"  # noqa: S105 - the name of an integration pattern, no secret
_INVOKE = ":states:::lambda:invoke"
_LONGEST = 99_999_999  # seconds
_MOST_STEPS_WITHOUT_REST = 1000


@dataclass(frozen=True)
class Standing:
    """Where an execution stands. `kind` says what is next:

    `task`: call `resource` with `payload`; `waiting`: nothing until `until` (a wait, or a pause before a retry);
    `token`: a task token's holder is to answer, at the latest at `until` if there is one (`deadline`, while the task
    that hands it over is called); `succeeded` with
    `output`; `failed` with `error` and `cause`. `until` and `entered_at` are RFC 3339, UTC, whole microseconds.
    `transitions` counts as Step Functions bills: each state entered and each retry.
    """

    kind: Kind
    execution: dict[str, Json]
    state: str
    entered_at: str
    input: Json
    resource: str | None = None
    payload: Json = None
    token: str | None = None
    deadline: str | None = None
    until: str | None = None
    retries: dict[str, int] = field(default_factory=dict)
    output: Json = None
    error: str | None = None
    cause: str | None = None
    transitions: int = 0

    @property
    def ended(self) -> bool:
        return self.kind in ("succeeded", "failed")

    @property
    def due(self) -> datetime | None:
        return parse_rfc3339(self.until) if self.until else None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Standing:
        return cls(**data)


class TaskError(Exception):
    """A task's failure by name, as Step Functions would see it."""

    def __init__(self, error: str, cause: str = "") -> None:
        super().__init__(error)
        self.error = error
        self.cause = cause


def lambda_failure(exception: BaseException) -> tuple[str, str]:
    """Error and cause as Step Functions gets them from a Python Lambda that raised this."""
    if isinstance(exception, TaskError):
        return exception.error, exception.cause
    name = type(exception).__name__
    return name, json.dumps({"errorMessage": str(exception), "errorType": name}, separators=(",", ":"))


def begin(machine: Machine, payload: Json, now: datetime, name: str = "") -> Standing:
    """Start an execution; `name` is what `$$.Execution.Name` shows."""
    execution = {"Name": name, "Input": payload, "StartTime": _text(now)}
    fresh = Standing("waiting", execution, machine["StartAt"], _text(now), payload)
    return _enter(machine, fresh, machine["StartAt"], payload, now)


def time_came(machine: Machine, standing: Standing, now: datetime) -> Standing:
    """Go on from `waiting` or `token` if its time has come; otherwise the same standing."""
    due = standing.due
    if standing.kind not in ("waiting", "token") or due is None or now < due:
        return standing
    if standing.kind == "token":
        return task_failed(machine, standing, "States.Timeout", "", now)
    state = machine["States"][standing.state]
    if state["Type"] == "Task":  # the pause before a retry is over
        return _count(_stand_at_task(machine, standing, state, now))
    return _walk_on(machine, standing, standing.input, now)


def task_succeeded(machine: Machine, standing: Standing, result: Json, now: datetime) -> Standing:
    """The task answered (or its token's holder did). A task with a token that was handed over now waits for it."""
    if standing.kind == "task" and standing.token:
        return replace(standing, kind="token", until=standing.deadline)
    state = machine["States"][standing.state]
    context = _context(standing)
    try:
        if "ResultSelector" in state:
            result = fill(state["ResultSelector"], result, context)
        output = put(state.get("ResultPath", "$"), result, standing.input)
        output = _out(state, output, context)
    except StatesError as error:
        return task_failed(machine, standing, error.error, error.cause, now)
    return _walk_on(machine, standing, output, now)


def task_failed(
    machine: Machine, standing: Standing, error: str, cause: str, now: datetime, jitter: Jitter = lambda delay: delay
) -> Standing:
    """The task failed by this name: pause and retry, go where a Catch leads, or fail.

    `jitter` shortens the pause of a retrier with JitterStrategy FULL: give `lambda d: random.uniform(0, d)`.
    """
    state = machine["States"][standing.state]
    for index, retrier in enumerate(state.get("Retry", ())):
        if not _matches(error, retrier["ErrorEquals"]):
            continue
        tried = standing.retries.get(str(index), 0)
        if tried >= retrier.get("MaxAttempts", 3):
            break
        until = _text(now + timedelta(seconds=_pause(retrier, tried, jitter)))
        retries = standing.retries | {str(index): tried + 1}
        return replace(standing, kind="waiting", until=until, retries=retries, resource=None, payload=None, token=None)
    for catcher in state.get("Catch", ()):
        if _matches(error, catcher["ErrorEquals"]):
            caught = put(catcher.get("ResultPath", "$"), {"Error": error, "Cause": cause}, standing.input)
            return _enter(machine, standing, catcher["Next"], caught, now)
    return _failed(standing, error, cause)


def advance(
    machine: Machine,
    standing: Standing,
    now: datetime,
    call: Callable[[str, Json], Json],
    stopped: Callable[[], bool] = lambda: False,
) -> Standing:
    """Go as far as it goes without waiting: `call(resource, payload)` runs tasks, what it raises is their failure.

    `stopped` is asked after each task: an execution that its own task has stopped enters no further state.
    """
    while True:
        if standing.kind == "task":
            try:
                result = call(standing.resource or "", standing.payload)
            except Exception as exception:  # noqa: BLE001 - whatever a task raises is that task's failure
                after = task_failed(machine, standing, *lambda_failure(exception), now)
            else:
                after = task_succeeded(machine, standing, result, now)
            if stopped():
                return standing
            standing = after
            continue
        after = time_came(machine, standing, now)
        if after is standing:
            return standing
        standing = after


@dataclass
class Trace:
    """A whole run: each call as (time, resource, payload), the states entered, and where it ended."""

    calls: list[tuple[datetime, str, Json]]
    states: list[str]
    last: Standing
    ended_at: datetime


def run_virtual(
    machine: Machine,
    payload: Json,
    start: datetime,
    call: Callable[[str, Json, datetime], Json],
    jitter: Jitter = lambda delay: delay,
    answered: Callable[[str], datetime | None] = lambda token: None,
) -> Trace:
    """Run to the end on a clock that jumps over waits. `call(resource, payload, at)`; `answered(token)`: when the
    token's holder answers it, if ever. A token that is never answered and has no deadline leaves the run standing
    there (`last.kind` is `token`).
    """
    now = start
    standing = begin(machine, payload, now)
    trace = Trace([], [], standing, now)
    while True:
        trace.states.append(standing.state)
        trace.last, trace.ended_at = standing, now
        comes = answered(standing.token or "") if standing.kind == "token" else None
        if standing.ended or (standing.kind == "token" and standing.due is None and comes is None):
            return trace
        if standing.kind == "task":
            trace.calls.append((now, standing.resource or "", standing.payload))
            try:
                result = call(standing.resource or "", standing.payload, now)
            except Exception as exception:  # noqa: BLE001 - whatever a task raises is that task's failure
                standing = task_failed(machine, standing, *lambda_failure(exception), now, jitter)
            else:
                standing = task_succeeded(machine, standing, result, now)
        elif comes is not None and (standing.due is None or comes < standing.due):
            now = max(now, comes)
            standing = task_succeeded(machine, standing, {}, now)
        else:
            now = max(now, standing.due or now)
            standing = time_came(machine, standing, now)


# Walking


def _walk_on(machine: Machine, standing: Standing, output: Json, now: datetime) -> Standing:
    state = machine["States"][standing.state]
    if state.get("End"):
        return replace(_ended(standing, "succeeded"), output=output)
    return _enter(machine, standing, state["Next"], output, now)


def _enter(machine: Machine, standing: Standing, name: str, data: Json, now: datetime) -> Standing:
    """Enter states one after another until one takes time."""
    for _ in range(_MOST_STEPS_WITHOUT_REST):
        state = machine["States"][name]
        standing = _count(
            Standing(
                "waiting", standing.execution, name, _text(now), data, retries={}, transitions=standing.transitions
            )
        )
        try:
            match state["Type"]:
                case "Task":
                    return _stand_at_task(machine, standing, state, now)
                case "Wait":
                    until = _wait_end(state, standing, now)
                    data = _passed_through(state, standing)
                    if until > now:
                        return replace(standing, until=_text(until), input=data)
                case "Pass":
                    data = _passed(state, standing)
                case "Choice":
                    name, data = _chosen(state, standing)
                    continue
                case "Succeed":
                    return replace(_ended(standing, "succeeded"), output=_passed_through(state, standing))
                case "Fail":
                    return _failed(standing, state.get("Error", ""), state.get("Cause", ""))
                case unknown:
                    return _failed(standing, "States.Runtime", f"states of type {unknown} are not supported")
        except StatesError as error:
            return _failed(standing, error.error, error.cause)
        if state.get("End"):
            return replace(_ended(standing, "succeeded"), output=data)
        name = state["Next"]
    return _failed(standing, "States.Runtime", "the machine goes round without ever waiting")


def _stand_at_task(machine: Machine, standing: Standing, state: Mapping[str, Any], now: datetime) -> Standing:
    resource: str = state["Resource"]
    token = token_name(standing) if resource.endswith(TOKEN_SUFFIX) else None
    at_task = replace(standing, kind="task", resource=resource, token=token, deadline=None, until=None)
    context = _context(at_task)
    try:
        payload = _in(state, standing.input, context)
        if token is not None:
            at_task = replace(at_task, deadline=_deadline(state, standing, now))
        if "Parameters" in state:
            payload = fill(state["Parameters"], payload, context)
        if resource.removesuffix(TOKEN_SUFFIX).endswith(_INVOKE):
            return replace(at_task, resource=payload["FunctionName"], payload=payload["Payload"])
    except StatesError as error:
        return task_failed(machine, at_task, error.error, error.cause, now)
    return replace(at_task, payload=payload)


def token_name(standing: Standing) -> str:
    """The execution's name is before the first colon."""
    return f"{standing.execution['Name']}:{standing.state}:{standing.transitions}"


def _deadline(state: Mapping[str, Any], standing: Standing, now: datetime) -> str | None:
    """When a token that is handed over now is no longer waited for: each attempt has its own time-out."""
    if "TimeoutSecondsPath" in state:
        seconds = look(state["TimeoutSecondsPath"], standing.input, _context(standing))
        if isinstance(seconds, bool) or not isinstance(seconds, int) or not 1 <= seconds <= _LONGEST:
            raise StatesError("States.Runtime", f"a time-out's seconds are a whole number from 1 to {_LONGEST}")
    else:
        seconds = state.get("TimeoutSeconds")
    return _text(now + timedelta(seconds=seconds)) if seconds else None


def _wait_end(state: Mapping[str, Any], standing: Standing, now: datetime) -> datetime:
    """Raises StatesError where the wait's end is no time."""
    context = _context(standing)
    if "Seconds" in state or "SecondsPath" in state:
        seconds = state["Seconds"] if "Seconds" in state else look(state["SecondsPath"], standing.input, context)
        if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 <= seconds <= _LONGEST:
            raise StatesError("States.Runtime", f"a wait's seconds are a whole number from 0 to {_LONGEST}")
        return now + timedelta(seconds=seconds)
    text = state["Timestamp"] if "Timestamp" in state else look(state["TimestampPath"], standing.input, context)
    until = moment(text)
    if until is None:
        raise StatesError("States.Runtime", "a wait's end is an RFC 3339 time")
    return until


def _passed(state: Mapping[str, Any], standing: Standing) -> Json:
    context = _context(standing)
    data = _in(state, standing.input, context)
    result = fill(state["Parameters"], data, context) if "Parameters" in state else data
    result = state.get("Result", result)
    return _out(state, put(state.get("ResultPath", "$"), result, standing.input), context)


def _passed_through(state: Mapping[str, Any], standing: Standing) -> Json:
    context = _context(standing)
    return _out(state, _in(state, standing.input, context), context)


def _chosen(state: Mapping[str, Any], standing: Standing) -> tuple[str, Json]:
    context = _context(standing)
    data = _in(state, standing.input, context)
    for rule in state["Choices"]:
        if holds(rule, data, context):
            return rule["Next"], _out(state, data, context)
    if "Default" not in state:
        raise StatesError("States.NoChoiceMatched", "no choice matched and there is no default")
    return state["Default"], _out(state, data, context)


def _in(state: Mapping[str, Any], data: Json, context: Json) -> Json:
    return _filtered(state, "InputPath", data, context)


def _out(state: Mapping[str, Any], data: Json, context: Json) -> Json:
    return _filtered(state, "OutputPath", data, context)


def _filtered(state: Mapping[str, Any], which: str, data: Json, context: Json) -> Json:
    if which not in state:
        return data
    return {} if state[which] is None else look(state[which], data, context)


def _context(standing: Standing) -> dict[str, Json]:
    """The context object, as much of it as tells one execution from another."""
    return {
        "Execution": standing.execution,
        "State": {"Name": standing.state, "EnteredTime": standing.entered_at},
        "Task": {"Token": standing.token},
    }


def _matches(error: str, names: list[str]) -> bool:
    if error in names:
        return True
    if error in ("States.Runtime", "States.DataLimitExceeded"):
        return False
    return "States.ALL" in names or ("States.TaskFailed" in names and error != "States.Timeout")


def _pause(retrier: Mapping[str, Any], tried: int, jitter: Jitter) -> float:
    delay = float(retrier.get("IntervalSeconds", 1)) * float(retrier.get("BackoffRate", 2.0)) ** tried
    delay = min(delay, float(retrier.get("MaxDelaySeconds", delay)))
    return jitter(delay) if retrier.get("JitterStrategy") == "FULL" else delay


def _count(standing: Standing) -> Standing:
    return replace(standing, transitions=standing.transitions + 1)


def _ended(standing: Standing, kind: Kind) -> Standing:
    return replace(standing, kind=kind, resource=None, payload=None, token=None, until=None)


def _failed(standing: Standing, error: str, cause: str) -> Standing:
    return replace(_ended(standing, "failed"), error=error, cause=cause)


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
