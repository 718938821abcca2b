"""Step Functions as `Workflows`, on moto (which stands in for AWS)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from moto import mock_aws

from chalicelib.errors import TryLater
from chalicelib.storage.workflows import StepFunctionsWorkflows, machine_name

ROLE = "arn:aws:iam::123456789012:role/agala-journeys"
WAITING = {"StartAt": "w", "States": {"w": {"Type": "Wait", "Seconds": 1000, "End": True}}}
PAYLOAD = {"store_id": "s", "enrolment_id": "c-1", "generation": 0}


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield boto3.client("stepfunctions", region_name="eu-west-1")


@pytest.fixture
def workflows(client: Any) -> StepFunctionsWorkflows:
    return StepFunctionsWorkflows(client, ROLE)


def test_publishing_again_finds_the_same_machine(workflows: StepFunctionsWorkflows, client: Any) -> None:
    machine = workflows.publish("st_1-thank-you-1", WAITING)
    assert workflows.publish("st_1-thank-you-1", WAITING) == machine
    (listed,) = client.list_state_machines()["stateMachines"]
    kept = client.describe_state_machine(stateMachineArn=listed["stateMachineArn"])
    assert (json.loads(kept["definition"]), kept["roleArn"], kept["type"]) == (WAITING, ROLE, "STANDARD")


def test_another_definition_under_the_same_name_is_another_machine(workflows: StepFunctionsWorkflows) -> None:
    changed = {**WAITING, "Comment": "changed"}
    assert workflows.publish("st-j-1", WAITING) != workflows.publish("st-j-1", changed)


def test_names_are_short_and_plain_and_never_the_same_for_two() -> None:
    long = "st-" + "x" * 100
    names = [machine_name(f"{long}-{n}", "{}") for n in range(3)] + [machine_name("a b/ש.c", "{}")]
    assert len(set(names)) == 4
    assert all(len(name) <= 80 and name.isascii() and name.replace("-", "").isalnum() for name in names)


def test_a_second_start_of_the_same_name_does_nothing(workflows: StepFunctionsWorkflows, client: Any) -> None:
    machine = workflows.publish("st-j-1", WAITING)
    workflows.start(machine, "c-1-g0", PAYLOAD)
    workflows.start(machine, "c-1-g0", {**PAYLOAD, "until": "2026-11-21T22:00:00.000Z"})
    (execution,) = client.list_executions(stateMachineArn=machine)["executions"]
    assert execution["name"] == "c-1-g0"
    described = client.describe_execution(executionArn=execution["executionArn"])
    assert json.loads(described["input"]) == PAYLOAD


def test_stop_ends_it_and_what_never_was_is_no_mistake(workflows: StepFunctionsWorkflows, client: Any) -> None:
    machine = workflows.publish("st-j-1", WAITING)
    workflows.start(machine, "c-1-g0", PAYLOAD)
    workflows.stop(machine, "c-1-g0", "goal_met")
    workflows.stop(machine, "c-1-g0", "goal_met")
    workflows.stop(machine, "c-2-g0", "goal_met")
    (execution,) = client.list_executions(stateMachineArn=machine)["executions"]
    assert execution["status"] == "ABORTED"


PARKING = {
    "StartAt": "park",
    "States": {
        "park": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Parameters": {"QueueUrl.$": "$.queue", "MessageBody.$": "$$.Task.Token"},
            "End": True,
        }
    },
}


def test_a_token_is_answered_once_and_one_that_nobody_waits_with_is_no_mistake(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        states, queues = (boto3.client(name, region_name="eu-west-1") for name in ("stepfunctions", "sqs"))
        workflows, queue = StepFunctionsWorkflows(states, ROLE), queues.create_queue(QueueName="tokens")["QueueUrl"]
        machine = workflows.publish("parking", PARKING)
        workflows.start(machine, "c-1-g0", {"queue": queue})
        (message,) = eventually(lambda: queues.receive_message(QueueUrl=queue).get("Messages"))
        workflows.answer(message["Body"], {"came": True})
        (execution,) = eventually(
            lambda: states.list_executions(stateMachineArn=machine, statusFilter="SUCCEEDED")["executions"]
        )
        described = states.describe_execution(executionArn=execution["executionArn"])
        assert json.loads(described["output"]) == {"came": True}
        workflows.answer(message["Body"], {})
        workflows.answer("no-such-token", {})


def eventually(look: Callable[[], Any]) -> Any:
    ends = time.monotonic() + 10
    while not (found := look()) and time.monotonic() < ends:
        time.sleep(0.01)
    return found


@pytest.mark.parametrize("code", ["TaskDoesNotExist", "TaskTimedOut", "InvalidToken"])
def test_what_aws_says_of_a_token_that_is_gone_is_fine(code: str) -> None:
    StepFunctionsWorkflows(OutOfService(refusal(code)), ROLE).answer("t", {})  # type: ignore[arg-type]


class OutOfService:
    """A client whose every call fails so."""

    def __init__(self, problem: Exception) -> None:
        self._problem = problem

    def __getattr__(self, operation: str) -> Any:
        def call(**request: Any) -> Any:
            raise self._problem

        return call


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}}, "operation")


@pytest.mark.parametrize(
    "problem",
    [
        refusal("ThrottlingException"),
        refusal("ExecutionLimitExceeded"),
        EndpointConnectionError(endpoint_url="https://states.example"),
    ],
)
def test_a_busy_service_is_tried_later(problem: Exception) -> None:
    workflows = StepFunctionsWorkflows(OutOfService(problem), ROLE)  # type: ignore[arg-type]
    for call in (
        lambda: workflows.publish("n", WAITING),
        lambda: workflows.start("m", "e", PAYLOAD),
        lambda: workflows.stop("m", "e", "r"),
        lambda: workflows.answer("t", {}),
    ):
        with pytest.raises(TryLater):
            call()


def test_a_refusal_for_good_is_raised() -> None:
    workflows = StepFunctionsWorkflows(OutOfService(refusal("InvalidDefinition")), ROLE)  # type: ignore[arg-type]
    with pytest.raises(ClientError):
        workflows.publish("n", WAITING)
