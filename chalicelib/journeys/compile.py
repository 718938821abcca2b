"""A journey as Amazon States Language: one task for neighbouring actions, waits as waits, branches and splits as
choices.

State names are step ids. Beside them: `<branch>?` chooses the way that the task before it found; `<task> not now`
and `<task> later` wait out what may not be done yet; `<task> again` is an hour's rest when all retries are used up, for
nobody is given up because a provider or AWS was out; `<wait> when` works out a wait's end where no task stands
before it; `<wait> resumed` goes on to the same end in the resume machine. Capitals mark the rest: Over, Done (a journey
without any step that has an effect), Enter, Lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.errors import BadInput
from chalicelib.journeys.actions import Branch, Split, Step, Wait
from chalicelib.journeys.definition import SENDING, Definition, check
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
_CRASHED = ["Lambda.Unknown", "States.Timeout", "Sandbox.Timedout", "Runtime.ExitError", "Runtime.ImportModuleError"]
_BUSY = ["ProviderBusy", "TryLater"]
_REST = 3600  # seconds
_RETRY = [
    {
        "ErrorEquals": _TRANSIENT,
        "IntervalSeconds": 2,
        "BackoffRate": 2.0,
        "MaxAttempts": 10,
        "MaxDelaySeconds": 300,
        "JitterStrategy": "FULL",
    },
    {
        "ErrorEquals": _CRASHED,
        "IntervalSeconds": 60,
        "BackoffRate": 2.0,
        "MaxAttempts": 3,
        "MaxDelaySeconds": 300,
        "JitterStrategy": "FULL",
    },
    {
        "ErrorEquals": _BUSY,
        "IntervalSeconds": 30,
        "BackoffRate": 2.0,
        "MaxAttempts": 12,
        "MaxDelaySeconds": 3600,
        "JitterStrategy": "FULL",
    },
]


def compile_journey(definition: Definition, step_function_arn: str) -> dict[str, Any]:
    """The state machine that a contact enters. Input: {store_id, enrolment_id, generation} and, where the journey
    begins with a computed wait, `until`. Raises `BadInput` naming the parts that cannot run yet.
    """
    machine = _Machine(definition, step_function_arn)
    if machine.plan.first is None:
        machine.states[DONE] = machine.task_state([], None) | {"End": True}
        machine.add_troubles(DONE)
        return machine.finished(DONE)
    first = machine.plan.steps[machine.plan.first]
    if isinstance(first, Wait) and first.computed:
        machine.add_wait(first.id, first, {"TimestampPath": "$.until"})
        return machine.finished(first.id)
    machine.add(first.id)
    return machine.finished(first.id)


def compile_resume(definition: Definition, step_function_arn: str) -> dict[str, Any]:
    """The same journey, entered at the step that `enter` in the input names; a wait goes on to `until` (RFC 3339)."""
    machine = _Machine(definition, step_function_arn)
    choices = []
    for step in machine.plan.steps.values():
        entry = step.id
        if isinstance(step, Wait):
            entry = f"{step.id} resumed"
            machine.add_wait(entry, step, {"TimestampPath": "$.until"})
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
    return {name: state["Parameters"]["steps"] for name, state in states.items() if state["Type"] == "Task"}


class _Machine:
    """States in the making: adding one adds all that it leads to."""

    def __init__(self, definition: Definition, arn: str) -> None:
        not_yet = check(definition).not_yet
        if not_yet:
            raise BadInput("parts of the journey cannot run yet", not_yet)
        self.definition = definition
        self.plan: Plan = plan(definition)
        self.arn = arn
        self.states: dict[str, dict[str, Any]] = {}

    def finished(self, start: str) -> dict[str, Any]:
        in_order = sorted(self.states.items(), key=lambda item: _rank(item[0]))
        return {"Comment": _words(self.definition.name), "StartAt": start, "States": dict(in_order)}

    def add(self, step_id: str, after_wait: bool = False) -> str:
        """The state that does this step, made if need be; returns its name."""
        step = self.plan.steps[step_id]
        if not isinstance(step, Wait):
            self.add_task(step_id)
            return step_id
        if step.duration is not None:
            self.add_wait(step_id, step, {"Seconds": int(step.duration.length.total_seconds())})
            return step_id
        if after_wait:
            self.states.setdefault(f"{step_id} when", self.task_state([], step_id) | {"Next": step_id})
            self.add_troubles(f"{step_id} when")
        self.add_wait(step_id, step, {"TimestampPath": "$.last.until"})
        return f"{step_id} when" if after_wait else step_id

    def add_wait(self, name: str, step: Wait, length: dict[str, Any]) -> None:
        if name in self.states:
            return
        state = self.states[name] = {"Type": "Wait", **_comment([step]), **length}
        following = self.plan.next_of(step.id)
        state |= _onward(self.add(following, after_wait=True) if following else None)

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
        """A task without its way on. It answers {until?: end of the computed wait that follows, go?: a way}."""
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

    def add_troubles(self, task: str) -> None:
        """What the named errors of this task lead to. Only a message may have to wait for its time."""
        self.states.setdefault(OVER, {"Type": "Succeed"})
        over = {"ErrorEquals": ["Held", "Ended"], "ResultPath": "$.over", "Next": OVER}
        again = f"{task} again"
        tired = {"ErrorEquals": [*_BUSY, *_TRANSIENT, *_CRASHED], "ResultPath": "$.again", "Next": again}
        self.states[task]["Catch"] = [over, tired]
        self.states[again] = {"Type": "Wait", "Seconds": _REST, "Next": task}
        if not any(self.plan.steps[step].type in SENDING for step in self.states[task]["Parameters"]["steps"]):
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


def _onward(following: str | None) -> dict[str, Any]:
    return {"Next": following} if following else {"End": True}


def _comment(steps: list[Step]) -> dict[str, str]:
    titles = [_words(step.title) for step in steps if step.title]
    return {"Comment": ", ".join(titles)} if titles else {}


def _words(text: dict[str, str]) -> str:
    return " / ".join(text.values())
