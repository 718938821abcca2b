"""The carts door: a shop's plugin tells what happens to a cart. Verified, read, put on the queue: no table.

It has a Lambda, a role and a concurrency of its own (`carts_door`), as the webhook door has.
"""

from __future__ import annotations

from typing import Any, Literal

from chalice.app import Blueprint

from chalicelib.handlers.api.shapes import Answer
from chalicelib.handlers.http import Call, door, proxied
from chalicelib.store_adapters.envelope import Arrival, arrival_id, encode
from chalicelib.store_adapters.plugin import PLATFORM, CartCall, headers_of, repeat_key

carts = Blueprint(__name__)
PATH = "/v1/stores/{store_id}/carts"


class CartTaken(Answer):
    """`id` is the delivery's: `GET …/deliveries` tells what became of it."""

    status: Literal["queued"]
    id: str


@door(
    carts,
    "POST",
    PATH,
    summary="Cart activity from the shop's plugin",
    scope="signed",
    body=CartCall,
    answers=CartTaken,
    status=202,
)
def take_cart(call: Call) -> CartTaken:
    given: CartCall = call.body
    received_at = call.wiring.clock.now()
    arrival = Arrival(
        store_id=call.path["store_id"],
        platform=PLATFORM,
        delivery_id=arrival_id(received_at),
        repeat_key=repeat_key(given.id),
        received_at=received_at,
        headers=headers_of(given),
        body=call.raw,
    )
    call.wiring.queue.send(encode(arrival), arrival.delivery_id)
    return CartTaken(status="queued", id=arrival.delivery_id)


@carts.lambda_function(name="carts_door")
def carts_door(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """API Gateway's proxy event, straight."""
    return proxied(take_cart, event)
