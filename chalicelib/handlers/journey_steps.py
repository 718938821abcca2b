"""The task of every journey's state machine. Its errors keep their class names: the machine catches them by name."""

from __future__ import annotations

from typing import Any

from chalice import Blueprint  # type: ignore[attr-defined]

from chalicelib import wiring

journey_steps = Blueprint(__name__)


@journey_steps.lambda_function(name="journey_step")
def journey_step(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """`event` is the task's Parameters: {store_id, enrolment_id, generation, steps, next}; see `Steps.run`."""
    return wiring.get().steps.run(
        event["store_id"], event["enrolment_id"], event["generation"], event["steps"], event["next"]
    )
