"""Lambda for the embedded runtime: the same handlers, called in this process with what Lambda would give them."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from typing import Any

from chalicelib.journeys.walk import TaskError

Handler = Callable[[dict[str, Any], Any], Any]

_TIMEOUT = 60.0  # seconds that a handler may believe it has


class LambdaContext:
    """What handlers (and Powertools) read of Lambda's context object."""

    def __init__(self, function_name: str) -> None:
        self.function_name = function_name
        self.function_version = "$LATEST"
        self.invoked_function_arn = function_arn(function_name)
        self.memory_limit_in_mb = 512
        self.aws_request_id = str(uuid.uuid4())
        self.log_group_name = f"/aws/lambda/{function_name}"
        self.log_stream_name = "local"
        self.identity = None
        self.client_context = None
        self._ends = time.monotonic() + _TIMEOUT

    def get_remaining_time_in_millis(self) -> int:
        return max(0, round((self._ends - time.monotonic()) * 1000))


class Lambdas:
    """Handlers by function name; `invoke` takes the name or the function's ARN."""

    def __init__(self) -> None:
        self._handlers: dict[str, Handler] = {}

    def register(self, function_name: str, handler: Handler) -> str:
        """Returns the function's ARN."""
        self._handlers[function_name] = handler
        return function_arn(function_name)

    def call(self, function_name: str, event: dict[str, Any]) -> Any:
        """The event and the answer go through JSON, as over the wire. The handler's exception comes as it is."""
        answer = self._handlers[function_name](json.loads(json.dumps(event)), LambdaContext(function_name))
        return json.loads(json.dumps(answer))

    def invoke(self, arn: str, event: dict[str, Any]) -> Any:
        """As a state machine does. Raises what the handler raises, `TaskError` for a function that is not there."""
        function_name = arn.rpartition(":function:")[2].split(":", 1)[0]
        if function_name not in self._handlers:
            raise TaskError("Lambda.ResourceNotFoundException", f"Function not found: {arn}")
        return self.call(function_name, event)


def function_arn(function_name: str) -> str:
    return f"arn:aws:lambda:eu-west-1:000000000000:function:{function_name}"
