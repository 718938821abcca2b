"""The task of the state machine that does errands (`journeys/errand.asl.json`), which catches errors by name."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from chalicelib import wiring
from chalicelib.clock import rfc3339
from chalicelib.errors import AgalaError, TaskFailed, told
from chalicelib.journeys.ports import NotNow

blueprint = Blueprint(__name__)


@blueprint.lambda_function(name="errands")
def errands(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """`event` is {store_id, errand_id}. Raises `NotNow` with the time of the next slice."""
    try:
        again = wiring.get().errands.work(event["store_id"], event["errand_id"])
    except AgalaError:
        raise
    except Exception as mistake:  # noqa: BLE001  its text may quote a person's data
        raise TaskFailed(told(mistake)) from None
    if again is not None:
        raise NotNow(rfc3339(again))
    return {}
