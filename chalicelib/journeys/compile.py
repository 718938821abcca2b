"""A journey as Amazon States Language: one task for neighbouring actions, waits as waits, branches and splits as
choices.

State names are step ids. Beside them: `<branch>?` chooses the way that the task before it found; `<task> not now`
and `<task> later` wait out what may not be done yet; `<task> again` is an hour's rest when all retries are used up, for
nobody is given up because a provider or AWS was out; `<wait> when` begins a wait where no task stands before it;
`<wait> resumed` goes on to the same end in the resume machine. A wait for an event is a task that parks there with a
task token, for at most so many seconds. Capitals mark the rest: Over, Done (a journey without any step that has an
effect), Enter, Lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.journeys.actions import MAY_HAVE_TO_WAIT, Branch, Split, Step, Wait
from chalicelib.journeys.definition import Definition
from chalicelib.journeys.plan import Plan, Way, plan, ways_of

OVER = "Over"
DONE = "Done"
ENTER = "Enter"
LOST = "Lost"

# AWS's own advice for Lambda tasks (Step Functions developer guide, "Handle transient Lambda service exceptions").
_TRANSIENT = [
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.TooManyRequestsException",
]
# A function that ran out of time or memory, or could not begin (Step Functions developer guide, same page; Lambda
# developer guide, "Runtime API" for the names that newer runtimes report). A step asked again does nothing twice.
_TIMEOUT = "States.Timeout"
_CRASHED = ["Lambda.Unknown", _TIMEOUT, "Sandbox.Timedout", "Runtime.ExitError", "Runtime.ImportModuleError"]
_PARKING_CRASHED = [name for name in _CRASHED if name != _TIMEOUT]  # there it says that the event did not come
_BUSY = ["ProviderBusy", "TryLater"]
_REST = 3600  # seconds
_LONGEST_COMMENT = 200


def _retry(errors: list[str], seconds: int, attempts: int, longest: int) -> dict[str, Any]:
    return {
        "ErrorEquals": errors,
        "IntervalSeconds": seconds,
        "BackoffRate": 2.0,
        "MaxAttempts": attempts,
        "MaxDelaySeconds": longest,
        "JitterStrategy": "FULL",
    }


_RETRY = [_retry(_TRANSIENT, 2, 10, 300), _retry(_CRASHED, 60, 3, 300), _retry(_BUSY, 30, 12, 3600)]
_PARKING_RETRY = [_RETRY[0], _retry(_PARKING_CRASHED, 60, 3, 300), _RETRY[2]]


def compile_journey(definition: Definition, step_function_arn: str) -> dict[str, Any]:
    """The state machine that a contact enters. Input: {store_id, enrolment_id, generation} and, where the journey
    begins with a computed wait, `until`, or with one for an event, `seconds`.
    """
    machine = _Machine(definition, step_function_arn)
    if machine.plan.first is None:
        machine.states[DONE] = machine.task_state([], None) | {"End": True}
        machine.add_troubles(DONE)
        return machine.finished(DONE)
    first = machine.plan.steps[machine.plan.first]
    if isinstance(first, Wait) and first.computed:
        machine.add_wait(first.id, first, "$")
        return machine.finished(first.id)
    machine.add(first.id)
    return machine.finished(first.id)


def compile_resume(definition: Definition, step_function_arn: str) -> dict[str, Any]:
    """The same journey, entered at the step that `enter` in the input names; a wait goes on to `until` (RFC 3339),
    one for an event for so many `seconds`."""
    machine = _Machine(definition, step_function_arn)
    choices = []
    for step in machine.plan.steps.values():
        entry = step.id
        if isinstance(step, Wait):
            entry = f"{step.id} resumed"
            machine.add_wait(entry, step, "$")
        else:
            machine.add(step.id)
        choices.append({"Variable": "$.enter", "StringEquals": step.id, "Next": entry})
    machine.states[LOST] = {"Type": "Fail", "Error": "UnknownStep", "Cause": "The journey has no such step to enter at"}
    if not choices:
        return machine.finished(LOST)
    enter = {ENTER: {"Type": "Choice", "Choices": choices, "Default": LOST}}
    machine.states = enter | machine.states
    return machine.finished(ENTER)


def tasks(definition: Definition) -> dict[str, list[str]]:
    """Each task state of the journey's machine with the steps it runs, in order (none: it only works out a wait)."""
    states = compile_journey(definition, "-")["States"]
    asked = {name: state["Parameters"] for name, state in states.items() if state["Type"] == "Task"}
    return {name: parameters["steps"] for name, parameters in asked.items() if "steps" in parameters}


class _Machine:
    """States in the making: adding one adds all that it leads to."""

    def __init__(self, definition: Definition, arn: str) -> None:
        self.definition = definition
        self.plan: Plan = plan(definition)
        self.arn = arn
        self.states: dict[str, dict[str, Any]] = {}

    def finished(self, start: str) -> dict[str, Any]:
        in_order = sorted(self.states.items(), key=lambda item: _rank(item[0]))
        comment = _words(self.definition.name)[:_LONGEST_COMMENT]
        return {"Comment": comment, "StartAt": start, "States": dict(in_order)}

    def add(self, step_id: str, after_wait: bool = False) -> str:
        """The state that does this step, made if need be; returns its name."""
        step = self.plan.steps[step_id]
        if not isinstance(step, Wait):
            self.add_task(step_id)
            return step_id
        if after_wait:  # the record must say where the contact stands, and since when
            self.states.setdefault(f"{step_id} when", self.task_state([], step_id) | {"Next": step_id})
            self.add_troubles(f"{step_id} when")
        if step.duration is not None and not step.computed:
            self.add_wait(step_id, step, None)
        else:
            self.add_wait(step_id, step, "$.last")
        return f"{step_id} when" if after_wait else step_id

    def add_wait(self, name: str, step: Wait, told: str | None) -> None:
        """`told`: where in the data its length is; None: it is the step's own `for`."""
        if name in self.states:
            return
        if step.until_event is not None:
            self.add_parking(name, step, f"{told}.seconds")
            return
        state = self.states[name] = {"Type": "Wait", **_comment([step])}
        if told is not None or step.duration is None:
            state["TimestampPath"] = f"{told}.until"
        else:
            state["Seconds"] = int(step.duration.length.total_seconds())
        following = self.plan.next_of(step.id)
        state |= _onward(self.add(following, after_wait=True) if following else None)

    def add_parking(self, name: str, step: Wait, seconds: str) -> None:
        """A task whose token is answered when the event comes; that it did not come in time is no failure."""
        state = self.states[name] = {
            "Type": "Task",
            **_comment([step]),
            "Resource": f"arn:{_partition(self.arn)}:states:::lambda:invoke.waitForTaskToken",
            "Parameters": {
                "FunctionName": self.arn,
                "Payload": {
                    "store_id.$": "$.store_id",
                    "enrolment_id.$": "$.enrolment_id",
                    "generation.$": "$.generation",
                    "park": step.id,
                    "token.$": "$$.Task.Token",
                    "seconds.$": seconds,
                },
            },
            "TimeoutSecondsPath": seconds,
            "ResultPath": None,
            "Retry": _PARKING_RETRY,
        }
        following = self.plan.next_of(step.id)
        onward = self.add(following, after_wait=True) if following else self.add_way(None)
        timed_out = {"ErrorEquals": [_TIMEOUT], "ResultPath": "$.timed_out", "Next": onward}
        state |= {"Catch": [timed_out, *self.ends_and_rest(name, _PARKING_CRASHED)], "Next": onward}

    def add_task(self, step_id: str) -> None:
        if step_id in self.states:
            return
        group = self.plan.group(step_id)
        last = self.plan.steps[group[-1]]
        if isinstance(last, Branch | Split):
            ways = {way: self.plan.next_of(last.id, way) for way in ways_of(last)}
            self.states[step_id] = self.task_state(group, ways)
            self.add_troubles(step_id)
            following = self.add_choice(last.id, ways)
        else:
            after = self.plan.next_of(last.id)
            self.states[step_id] = self.task_state(group, after)
            self.add_troubles(step_id)
            following = self.add(after) if after else None
        self.states[step_id] |= _onward(following)

    def add_choice(self, parting: str, ways: Mapping[Way, str | None]) -> str | None:
        """The choice after a branch or split; where all ways lead to the same state, no choice is needed."""
        *others, default = dict.fromkeys(ways.values())  # each once, in their order
        if not others:
            return self.add(default) if default else None
        name = f"{parting}?"
        if name not in self.states:
            choice = self.states[name] = {"Type": "Choice"}
            rules = [
                {"Variable": "$.last.go", "StringEquals": way, "Next": self.add_way(target)}
                for way, target in ways.items()
                if target != default
            ]
            choice |= {"Choices": rules, "Default": self.add_way(default)}
        return name

    def add_way(self, step_id: str | None) -> str:
        if step_id:
            return self.add(step_id)
        self.states.setdefault(OVER, {"Type": "Succeed"})
        return OVER

    def task_state(self, group: list[str], following: str | dict[Way, str | None] | None) -> dict[str, Any]:
        """A task without its way on. It answers {until? or seconds?: of the computed wait that follows, go?: a way}."""
        return {
            "Type": "Task",
            **_comment([self.plan.steps[step] for step in group]),
            "Resource": self.arn,
            "Parameters": {
                "store_id.$": "$.store_id",
                "enrolment_id.$": "$.enrolment_id",
                "generation.$": "$.generation",
                "steps": group,
                "next": following,
            },
            "ResultPath": "$.last",
            "Retry": _RETRY,
        }

    def ends_and_rest(self, task: str, crashed: list[str]) -> list[dict[str, Any]]:
        """The catchers that every task has."""
        self.states.setdefault(OVER, {"Type": "Succeed"})
        over = {"ErrorEquals": ["Held", "Ended"], "ResultPath": "$.over", "Next": OVER}
        again = f"{task} again"
        tired = {"ErrorEquals": [*_BUSY, *_TRANSIENT, *crashed], "ResultPath": "$.again", "Next": again}
        self.states[again] = {"Type": "Wait", "Seconds": _REST, "Next": task}
        return [over, tired]

    def add_troubles(self, task: str) -> None:
        """What the named errors of this task lead to. Only some steps may have to wait for their time."""
        self.states[task]["Catch"] = self.ends_and_rest(task, _CRASHED)
        if not any(self.plan.steps[step].type in MAY_HAVE_TO_WAIT for step in self.states[task]["Parameters"]["steps"]):
            return
        not_now, later = f"{task} not now", f"{task} later"
        caught = {"ErrorEquals": ["NotNow"], "ResultPath": "$.not_now", "Next": not_now}
        self.states[task]["Catch"].insert(0, caught)
        self.states[not_now] = {
            "Type": "Pass",
            "Parameters": {"cause.$": "States.StringToJson($.not_now.Cause)"},
            "ResultPath": "$.not_now",
            "Next": later,
        }
        self.states[later] = {"Type": "Wait", "TimestampPath": "$.not_now.cause.errorMessage", "Next": task}


def _rank(state: str) -> int:
    """The journey's own way first, then what waits for its time, the ends last."""
    if state in (OVER, LOST):
        return 2
    return 1 if state.endswith((" not now", " later", " again")) else 0


def _partition(arn: str) -> str:
    """`aws`, `aws-cn`, …: of the function that does the steps."""
    return arn.split(":")[1] if arn.startswith("arn:") else "aws"


def _onward(following: str | None) -> dict[str, Any]:
    return {"Next": following} if following else {"End": True}


def _comment(steps: list[Step]) -> dict[str, str]:
    titles = [_words(step.title) for step in steps if step.title]
    return {"Comment": ", ".join(titles)[:_LONGEST_COMMENT]} if titles else {}


def _words(text: dict[str, str]) -> str:
    return " / ".join(text.values())
