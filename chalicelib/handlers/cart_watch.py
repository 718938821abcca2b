"""The task of the state machine that watches carts (`commerce/cart-watch.asl.json`), which catches errors by name."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from chalicelib import wiring
from chalicelib.clock import parse_rfc3339, rfc3339
from chalicelib.errors import AgalaError, TaskFailed, told
from chalicelib.journeys.ports import NotNow

blueprint = Blueprint(__name__)


@blueprint.lambda_function(name="cart_watch")
def cart_watch(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """`event` is {store_id, token, generation, until}. Raises `NotNow` with the time to look again."""
    until = parse_rfc3339(event["until"])
    try:
        again = wiring.get().cart_watch.look(event["store_id"], event["token"], event["generation"], until)
    except AgalaError:
        raise
    except Exception as mistake:  # noqa: BLE001  its text may quote a person's data
        raise TaskFailed(told(mistake)) from None
    if again is not None:
        raise NotNow(rfc3339(again))
    return {}
