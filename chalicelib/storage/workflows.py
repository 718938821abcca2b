"""Workflows on AWS Step Functions (Standard)."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import TryLater

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

_LONGEST_NAME = 80
# Quotas of the service and failures of its own: nothing was done, repeating is safe.
_BUSY = frozenset(
    {
        "ThrottlingException",
        "TooManyRequestsException",
        "ExecutionLimitExceeded",
        "ServiceUnavailable",
        "InternalFailure",
        "InternalServerError",
        "StateMachineDeleting",
    }
)


class StepFunctionsWorkflows:
    """The `journeys.ports.Workflows` of production. `role_arn` is what state machines run as."""

    def __init__(self, client: SFNClient, role_arn: str) -> None:
        self._client = client
        self._role_arn = role_arn

    def publish(self, name: str, definition: dict[str, Any]) -> str:
        """The state machine's ARN. Its name carries a digest of the definition, so that one name never means two.

        CreateStateMachine is idempotent for the same name and definition (Step Functions API reference).
        """
        text = json.dumps(definition, ensure_ascii=False, separators=(",", ":"))
        answer = self._call(
            "create_state_machine",
            name=machine_name(name, text),
            definition=text,
            roleArn=self._role_arn,
            type="STANDARD",
        )
        return str(answer["stateMachineArn"])

    def start(self, machine: str, execution: str, payload: dict[str, Any]) -> None:
        """Raises `TryLater` when the service is busy or out of reach."""
        self._call(
            "start_execution",
            stateMachineArn=machine,
            name=execution,
            input=json.dumps(payload),
            fine=("ExecutionAlreadyExists",),
        )

    def stop(self, machine: str, execution: str, reason: str) -> None:
        """Raises `TryLater` when the service is busy or out of reach."""
        arn = f"{machine.replace(':stateMachine:', ':execution:')}:{execution}"
        self._call("stop_execution", executionArn=arn, cause=reason, fine=("ExecutionDoesNotExist",))

    def answer(self, token: str, output: Mapping[str, Any]) -> None:
        """Raises `TryLater` when the service is busy or out of reach.

        A token is gone when its task timed out, was answered or its execution stopped (API reference, SendTaskSuccess).
        """
        gone = ("TaskDoesNotExist", "TaskTimedOut", "InvalidToken")
        self._call("send_task_success", taskToken=token, output=json.dumps(dict(output)), fine=gone)

    def _call(self, operation: str, fine: Collection[str] = (), **request: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self._client, operation)(**request)
        except ClientError as problem:
            code = problem.response["Error"]["Code"]
            if code in fine:
                return {}
            if code in _BUSY:
                raise TryLater("Step Functions is busy") from problem
            raise
        except BotoCoreError as problem:
            raise TryLater("Step Functions does not answer") from problem
        return answer


def machine_name(name: str, definition: str) -> str:
    """At most 80 letters, digits and dashes, the same for the same name and definition.

    `agala-` is what the functions' policies know our state machines by.
    """
    hashed = hashlib.sha256(f"{name}\x1f{definition}".encode()).hexdigest()[:16]
    readable = re.sub(r"[^A-Za-z0-9]+", "-", f"agala-{name}")
    return f"{readable[: _LONGEST_NAME - len(hashed) - 1]}-{hashed}"
