"""The task of every journey's state machine. Its errors keep their class names: the machine catches them by name."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from chalicelib import wiring

blueprint = Blueprint(__name__)


@blueprint.lambda_function(name="journey_step")
def journey_step(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """`event` is the task's Parameters: {store_id, enrolment_id, generation} and {steps, next}, see `Steps.run`, or
    {park, token, seconds}, see `Steps.park`."""
    steps = wiring.get().steps
    whose = event["store_id"], event["enrolment_id"], event["generation"]
    if "park" in event:
        return steps.park(*whose, event["park"], event["token"], event["seconds"])
    return steps.run(*whose, event["steps"], event["next"])
