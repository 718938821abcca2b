from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.errors import NotFound
from local.clock import FastClock
from local.lambdas import Lambdas, function_arn
from local.workflows import LocalWorkflows
from tests.local.crashes import ROOT, run_with_kills

START = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
STEP = function_arn("step")
Task = dict[str, Any]


def task(following: str | None, **more: Any) -> Task:
    where: Task = {"Next": following} if following else {"End": True}
    return {"Type": "Task", "Resource": STEP, "ResultPath": "$.last", **where, **more}


def machine(first: Task, **states: Task) -> dict[str, Any]:
    return {"StartAt": "first", "States": {"first": first, **states}}


class Machine:
    """The machine's own clock; store time moves only when this does."""

    def __init__(self) -> None:
        self.seconds = 1_800_000_000.0

    def __call__(self) -> float:
        return self.seconds


class Stage:
    """A runtime of workflows that can be taken down and up again, on a clock that is moved by hand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.machine = Machine()
        self.calls: list[Any] = []
        self.answer: Callable[[Any], Any] = lambda event: {}
        self._lock = threading.Lock()
        self.up()

    def up(self) -> None:
        self.clock = FastClock(self.folder, 1, START, self.machine)
        lambdas = Lambdas()
        lambdas.register("step", self._step)
        self.workflows = LocalWorkflows(self.folder / "workflows.db", self.clock, lambdas)
        self.workflows.run()

    def down(self) -> None:
        self.workflows.close()

    def _step(self, event: Any, context: Any) -> Any:
        with self._lock:
            self.calls.append(event)
        return self.answer(event)

    def pass_time(self, **delta: float) -> None:
        self.machine.seconds += timedelta(**delta).total_seconds()
        self.workflows.wake()
        self.settle()

    def settle(self) -> None:
        assert self.workflows.wait_until_idle(10)

    def status(self, name: str) -> str | None:
        execution = self.workflows.execution(name)
        return execution.status if execution else None


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.down()


def test_it_waits_its_time_and_then_does_its_task(stage: Stage) -> None:
    arn = stage.workflows.publish(
        "journey", machine({"Type": "Wait", "Seconds": 3 * 86400, "Next": "mail"}, mail=task(None))
    )
    stage.workflows.start(arn, "e1", {"id": "שלום"})
    stage.settle()
    assert stage.calls == []
    waiting = stage.workflows.execution("e1")
    assert waiting
    assert waiting.due_at == stage.workflows.next_due() == START + timedelta(days=3)
    stage.pass_time(days=3, seconds=-1)
    assert stage.calls == []
    stage.pass_time(seconds=1)
    assert stage.calls == [{"id": "שלום"}]
    ended = stage.workflows.execution("e1")
    assert ended
    assert (ended.status, ended.ended_at, ended.due_at) == ("succeeded", START + timedelta(days=3), None)


def test_an_execution_starts_once_also_when_it_has_ended(stage: Stage) -> None:
    arn = stage.workflows.publish("journey", machine(task(None)))
    for _ in range(3):
        stage.workflows.start(arn, "e1", {})
        stage.settle()
    assert len(stage.calls) == 1
    assert stage.workflows.counts() == {"succeeded": 1}


def test_a_start_of_an_unknown_machine_is_refused(stage: Stage) -> None:
    with pytest.raises(NotFound):
        stage.workflows.start("arn:nothing", "e1", {})


def test_stopping_ends_the_wait_for_good(stage: Stage) -> None:
    arn = stage.workflows.publish("journey", machine({"Type": "Wait", "Seconds": 60, "Next": "mail"}, mail=task(None)))
    stage.workflows.start(arn, "e1", {})
    stage.workflows.stop(arn, "e1", "goal met")
    stage.workflows.stop(arn, "e1", "again")
    stage.workflows.stop(arn, "never", "was")
    stage.pass_time(minutes=5)
    assert stage.calls == []
    stopped = stage.workflows.execution("e1")
    assert stopped
    assert (stopped.status, stopped.error) == ("stopped", "goal met")
    stage.workflows.start(arn, "e1", {})
    stage.settle()
    assert stage.status("e1") == "stopped"


def test_what_a_task_answers_after_the_stop_is_dropped(stage: Stage) -> None:
    arn = stage.workflows.publish("journey", machine(task("second"), second=task(None)))
    begun, go_on = threading.Event(), threading.Event()

    def answer(event: Any) -> Any:
        begun.set()
        assert go_on.wait(10)

    stage.answer = answer
    stage.workflows.start(arn, "e1", {})
    assert begun.wait(10)
    stage.workflows.stop(arn, "e1", "stopped")
    go_on.set()
    stage.settle()
    assert len(stage.calls) == 1
    assert stage.status("e1") == "stopped"


def test_an_exception_is_known_by_its_class(stage: Stage) -> None:
    class NotNow(Exception):
        pass

    def answer(event: Any) -> Any:
        if len(stage.calls) == 1:
            raise NotNow("2026-11-01T09:00:00Z")

    stage.answer = answer
    caught = machine(
        task(None, Catch=[{"ErrorEquals": ["NotNow"], "ResultPath": "$.not_now", "Next": "read"}]),
        read={
            "Type": "Pass",
            "Parameters": {"cause.$": "States.StringToJson($.not_now.Cause)"},
            "ResultPath": "$.at",
            "Next": "wait",
        },
        wait={"Type": "Wait", "TimestampPath": "$.at.cause.errorMessage", "Next": "first"},
    )
    stage.workflows.start(stage.workflows.publish("journey", caught), "e1", {})
    stage.settle()
    execution = stage.workflows.execution("e1")
    assert execution
    assert execution.due_at == START + timedelta(hours=1)
    stage.pass_time(hours=1)
    assert (len(stage.calls), stage.status("e1")) == (2, "succeeded")


def test_retries_pause_on_store_time_and_then_it_fails(stage: Stage) -> None:
    def answer(event: Any) -> Any:
        raise ConnectionError("no")

    stage.answer = answer
    retried = task(None, Retry=[{"ErrorEquals": ["ConnectionError"], "IntervalSeconds": 60, "MaxAttempts": 2}])
    stage.workflows.start(stage.workflows.publish("journey", machine(retried)), "e1", {})
    stage.settle()
    stage.pass_time(seconds=59)
    assert len(stage.calls) == 1
    stage.pass_time(seconds=1)
    assert len(stage.calls) == 2
    stage.pass_time(seconds=120)
    failed = stage.workflows.execution("e1")
    assert failed
    assert (len(stage.calls), failed.status, failed.error) == (3, "failed", "ConnectionError")


def test_a_task_whose_function_is_not_there_fails_by_lambdas_name(stage: Stage) -> None:
    missing = machine({"Type": "Task", "Resource": function_arn("nobody"), "End": True})
    stage.workflows.start(stage.workflows.publish("journey", missing), "e1", {})
    stage.settle()
    failed = stage.workflows.execution("e1")
    assert failed
    assert failed.error == "Lambda.ResourceNotFoundException"


def test_running_executions_keep_the_definition_they_started_with(stage: Stage) -> None:
    wait: Task = {"Type": "Wait", "Seconds": 60, "Next": "mail"}
    arn = stage.workflows.publish("journey", machine(wait, mail=task(None, Parameters={"version": 1})))
    stage.workflows.start(arn, "e1", {})
    assert stage.workflows.publish("journey", machine(wait, mail=task(None, Parameters={"version": 2}))) == arn
    stage.workflows.start(arn, "e2", {})
    stage.down()
    stage.up()
    stage.pass_time(minutes=1)
    assert sorted(call["version"] for call in stage.calls) == [1, 2]


def test_a_restart_keeps_deadlines_and_does_at_once_what_came_due(stage: Stage) -> None:
    waits = {}
    for n in (60, 3600):
        wait: Task = {"Type": "Wait", "Seconds": n, "Next": "mail"}
        waits[n] = stage.workflows.publish(f"w{n}", machine(wait, mail=task(None)))
    stage.workflows.start(waits[60], "short", {"n": 60})
    stage.workflows.start(waits[3600], "long", {"n": 3600})
    stage.settle()
    stage.down()
    stage.machine.seconds += 600
    stage.up()
    stage.settle()
    assert stage.calls == [{"n": 60}]
    stage.pass_time(seconds=2999)
    assert stage.calls == [{"n": 60}]
    stage.pass_time(seconds=1)
    assert stage.calls == [{"n": 60}, {"n": 3600}]


def parking() -> dict[str, Any]:
    park = {
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Parameters": {"FunctionName": STEP, "Payload": {"token.$": "$$.Task.Token"}},
        "TimeoutSecondsPath": "$.seconds",
        "ResultPath": None,
    }
    late = {"ErrorEquals": ["States.Timeout"], "ResultPath": "$.late", "Next": "mail"}
    return machine(task("mail", **park, Catch=[late]), mail=task(None, Parameters={"late.$": "$.seconds"}))


def test_a_token_is_waited_for_until_it_is_answered_or_its_time_is_over(stage: Stage) -> None:
    arn = stage.workflows.publish("journey", parking())
    for name in ("answered", "late", "stopped"):
        stage.workflows.start(arn, name, {"seconds": 60})
    stage.settle()
    tokens = {call["token"].partition(":")[0]: call["token"] for call in stage.calls}
    stage.calls.clear()
    stage.workflows.answer(tokens["answered"], {})
    stage.workflows.answer(tokens["answered"], {})
    stage.settle()
    assert stage.calls == [{"late": 60}]
    assert stage.status("answered") == "succeeded"
    stage.workflows.stop(arn, "stopped", "goal_met")
    for nobody in (tokens["stopped"], tokens["late"] + "0", "no-such:first:1", ""):
        stage.workflows.answer(nobody, {})
    stage.pass_time(seconds=59)
    assert stage.status("late") == "running"
    stage.pass_time(seconds=1)
    assert (stage.status("late"), len(stage.calls)) == ("succeeded", 2)
    stage.workflows.answer(tokens["late"], {})
    stage.pass_time(hours=1)
    assert (stage.workflows.counts(), len(stage.calls)) == ({"succeeded": 2, "stopped": 1}, 2)


def test_the_task_that_hands_the_token_over_may_answer_it_and_many_answers_at_once_count_once(stage: Stage) -> None:
    go_on = threading.Barrier(2)

    def at_once(event: Any) -> None:
        if "token" in event:
            answers = [threading.Thread(target=stage.workflows.answer, args=(event["token"], {})) for _ in range(3)]
            for answer in answers:
                answer.start()
            if event["token"].startswith("slow"):
                go_on.wait(10)

    stage.answer = at_once
    arn = stage.workflows.publish("journey", parking())
    for name in ("e1", "e2", "slow"):
        stage.workflows.start(arn, name, {"seconds": 60})
    go_on.wait(10)
    stage.settle()
    assert stage.workflows.counts() == {"succeeded": 3}
    assert len(stage.calls) == 6


def test_an_answer_that_was_written_before_the_process_ended_counts_after_it(stage: Stage) -> None:
    stage.workflows.start(stage.workflows.publish("journey", parking()), "e1", {"seconds": 60})
    stage.settle()
    (call,) = stage.calls
    stage.down()
    clock = FastClock(stage.folder, 1, START, stage.machine)
    asleep = LocalWorkflows(stage.folder / "workflows.db", clock, Lambdas())  # takes the answer, and does nothing more
    asleep.answer(call["token"], {})
    asleep.close()
    stage.up()
    stage.settle()
    assert (stage.status("e1"), stage.calls[1:]) == ("succeeded", [{"late": 60}])


def test_a_task_without_an_end_is_done_again_after_a_restart(stage: Stage) -> None:
    go_on = threading.Event()
    begun = threading.Event()

    def answer(event: Any) -> Any:
        begun.set()
        go_on.wait(10)

    stage.answer = answer
    stage.workflows.start(stage.workflows.publish("journey", machine(task(None))), "e1", {})
    assert begun.wait(10)
    stage.workflows.close(0)  # the process would end here, in the middle of the task
    stage.answer = lambda event: {}
    stage.up()
    stage.settle()
    go_on.set()
    assert stage.status("e1") == "succeeded"
    assert len(stage.calls) == 2


def test_many_that_were_stopped_leave_the_heap(stage: Stage) -> None:
    arn = stage.workflows.publish("w", machine({"Type": "Wait", "Seconds": 9_999_999, "End": True}))
    for n in range(2000):
        stage.workflows.start(arn, f"e{n}", {})
    for n in range(1500):
        stage.workflows.stop(arn, f"e{n}", "goal met")
    assert len(stage.workflows._waiting) < 1100
    stage.pass_time(seconds=9_999_999)
    assert stage.workflows.counts() == {"stopped": 1500, "succeeded": 500}


# Memory and speed are measured in a process of their own.
_MANY = """
import json, resource, sys, threading, time
from datetime import UTC, datetime
from pathlib import Path
from local.clock import FastClock
from local.lambdas import Lambdas
from local.workflows import LocalWorkflows

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

folder, count = Path(sys.argv[1]), int(sys.argv[2])
clock = FastClock(folder)
workflows = LocalWorkflows(folder / "workflows.db", clock, Lambdas())
workflows.run()
definition = {"StartAt": "wait", "States": {"wait": {"Type": "Wait", "Seconds": 864000, "End": True}}}
arn = workflows.publish("journey", definition)
def start(first, last):
    for n in range(first, last):
        payload = {"store_id": "s" * 26, "enrolment_id": "e" * 47, "generation": 0}
        workflows.start(arn, f"01kaszzzzzzzzzzzzzzzzzzzzz-{n:020d}-g0", payload)
start(0, 100)
before, threads = resident(), threading.active_count()
began = time.monotonic()
start(100, 100 + count)
seconds = time.monotonic() - began
print(json.dumps({
    "seconds": seconds,
    "bytes_each": (resident() - before) / count,
    "threads": threading.active_count() - threads,
    "running": workflows.counts()["running"],
}))
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="resident memory is read from /proc")
def test_waiting_executions_cost_little_memory_and_no_thread(tmp_path: Path) -> None:
    script = subprocess.run(
        [sys.executable, "-c", _MANY, str(tmp_path), "1000"], capture_output=True, text=True, cwd=ROOT, check=True
    )
    seen = json.loads(script.stdout)
    assert seen["running"] == 1100
    assert seen["bytes_each"] < 6000
    assert seen["threads"] == 0


# 60 executions of task, wait, task, wait, task; every task appends a line; ends when all have.
_SCRIPT = """
import sys, time
from pathlib import Path
from local.clock import FastClock
from local.lambdas import Lambdas, function_arn
from local.workflows import LocalWorkflows

folder = Path(sys.argv[1])

def step(event, context):
    with (folder / "effects").open("a") as file:
        file.write(f"{event['execution']}/{event['step']}\\n")
    time.sleep(0.002)
    return {}

def task(name, following):
    where = {"Next": following} if following else {"End": True}
    return {"Type": "Task", "Resource": function_arn("step"), "ResultPath": "$.last",
            "Parameters": {"execution.$": "$.id", "step": name}, **where}

states = {"a": task("a", "w1"), "w1": {"Type": "Wait", "Seconds": 3600, "Next": "b"},
          "b": task("b", "w2"), "w2": {"Type": "Wait", "Seconds": 7200, "Next": "c"}, "c": task("c", None)}
clock = FastClock(folder, 20000)
lambdas = Lambdas()
lambdas.register("step", step)
workflows = LocalWorkflows(folder / "workflows.db", clock, lambdas)
arn = workflows.publish("journey", {"StartAt": "a", "States": states})
workflows.run()
print("ready", flush=True)
for n in range(60):
    workflows.start(arn, str(n), {"id": n})
ends = time.monotonic() + 40
while workflows.counts().get("succeeded", 0) < 60:
    assert time.monotonic() < ends, workflows.counts()
    time.sleep(0.01)
assert workflows.counts() == {"succeeded": 60}
"""


def test_every_step_is_done_under_kill_9(tmp_path: Path) -> None:
    run_with_kills(_SCRIPT, str(tmp_path), kills=15, seed=2, longest=0.1)
    effects = Counter((tmp_path / "effects").read_text().split())
    assert set(effects) == {f"{n}/{step}" for n in range(60) for step in "abc"}
    # Only a task that was under way at a kill (at most 8 workers) may have been done again.
    assert sum(effects.values()) - 180 <= 15 * 8
