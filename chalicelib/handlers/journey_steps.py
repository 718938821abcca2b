"""The task of every journey's state machine. Its errors keep their class names: the machine catches them by name."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from chalicelib import wiring

blueprint = Blueprint(__name__)


@blueprint.lambda_function(name="journey_step")
def journey_step(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """`event` is the task's Parameters: {store_id, enrolment_id, generation, steps, next}; see `Steps.run`."""
    return wiring.get().steps.run(
        event["store_id"], event["enrolment_id"], event["generation"], event["steps"], event["next"]
    )
