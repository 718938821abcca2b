"""Shopify's webhooks over Amazon EventBridge: an event becomes the same arrival as the delivery by HTTPS would.

Nobody signs here: only Shopify's event source can write to its event bus (infra/template.json). Which store it is about
says the shop's domain, which ingest looks up; this function, like the webhook door, touches no table.

The event, from Shopify's "Deliver webhooks through Amazon EventBridge": `detail.payload` is the body as JSON,
`detail.metadata` the headers of the delivery.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from chalice.app import Blueprint

from chalicelib import wiring
from chalicelib.errors import AgalaError
from chalicelib.store_adapters import signatures
from chalicelib.store_adapters.envelope import Arrival, arrival_id, encode

if TYPE_CHECKING:
    from chalicelib.clock import Clock
    from chalicelib.storage.queue import Queue

blueprint = Blueprint(__name__)

_log = logging.getLogger("agala")
_PLATFORM = "shopify"


class Unreadable(AgalaError):
    """The event is none of Shopify's webhooks. Names the field and what was expected, never a value."""


class Door(Protocol):
    """What is needed of the wiring."""

    @property
    def queue(self) -> Queue: ...

    @property
    def clock(self) -> Clock: ...


@blueprint.lambda_function(name="shopify_events")
def shopify_events(event: dict[str, Any], context: Any) -> None:
    """A fault is raised: Lambda tries again twice, then the event waits in the queue of lost events."""
    try:
        take(event, wiring.get())
    except AgalaError as problem:
        _log.error("an event of Shopify was not taken: %s", problem, extra={"event_id": str(event.get("id"))})
        raise


def take(event: Mapping[str, Any], door: Door) -> None:
    """Put it on the queue. Raises `Unreadable`, and `TryLater` when the queue is out."""
    detail = event.get("detail")
    payload, metadata = (detail.get("payload"), detail.get("metadata")) if isinstance(detail, dict) else (None, None)
    if not isinstance(payload, dict):
        raise Unreadable("detail.payload: expected an object")
    if not isinstance(metadata, dict):
        raise Unreadable("detail.metadata: expected an object")
    headers = {str(name).lower(): str(value) for name, value in metadata.items()}
    shop = headers.get("x-shopify-shop-domain", "").strip().lower()
    if not shop:
        raise Unreadable("detail.metadata.X-Shopify-Shop-Domain: expected the shop's domain")
    if not signatures.topic(_PLATFORM, headers):
        raise Unreadable("detail.metadata.X-Shopify-Topic: expected a topic")
    body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    received_at = door.clock.now()
    arrival = Arrival(
        store_id="",
        platform=_PLATFORM,
        delivery_id=arrival_id(received_at),
        repeat_key=signatures.repeat_key(_PLATFORM, headers, body),
        received_at=received_at,
        headers=signatures.kept_headers(_PLATFORM, headers),
        body=body,
        shop=shop,
    )
    door.queue.send(encode(arrival), arrival.delivery_id)
