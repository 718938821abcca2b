"""The webhook door: check the signature, put the delivery on the queue, answer 200. Nothing else, and no table.

Once signed a delivery is never answered with a 4xx: WooCommerce switches a webhook off after a few. A store's own door
knows the store by its path; that of the deployment's Shopify app, which serves all its shops, by what the signed body
says: the queue gets the shop's domain, and ingest finds the store. Each is a route of the app and leads, deployed, to
a Lambda of its own (`webhook_door`), so that the busiest day of the year finds the door's own concurrency. Its CPU and
its import time are measured: no pydantic here.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, cast

from chalice.app import Blueprint, Response

from chalicelib import wiring
from chalicelib.errors import TryLater, told
from chalicelib.store_adapters import signatures
from chalicelib.store_adapters.envelope import Arrival, arrival_id, encode

if TYPE_CHECKING:
    from chalicelib.clock import Clock
    from chalicelib.storage.queue import Queue

blueprint = Blueprint(__name__)

_log = logging.getLogger("agala")
LARGEST_BODY = 1024 * 1024  # bytes
APP_DOOR = "/webhooks/shopify"
_STORE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SECRET_KEPT = 60.0  # seconds
_SECRET_AGE = 5.0  # seconds: a signature that fails against an older secret is tried against a fresh one


class KnowsSecrets(Protocol):
    def webhook_secret(self, store_id: str, newer_than: float = ...) -> str | None: ...

    def shopify_app(self, newer_than: float = ...) -> dict[str, Any] | None: ...


class Door(Protocol):
    """What the door needs of the wiring."""

    @property
    def secrets(self) -> KnowsSecrets: ...

    @property
    def queue(self) -> Queue: ...

    @property
    def clock(self) -> Clock: ...


def receive(
    platform: str, store_id: str, headers: Mapping[str, str], body: bytes, door: Door
) -> tuple[int, dict[str, Any]]:
    """The answer's status and JSON. `headers` as they came; `body` the exact bytes.

    404 no such platform or store, 413 over 1 MiB, 401 signature wrong or missing, 503 the queue is out (the platform
    repeats), else 200.
    """
    if not signatures.is_platform(platform) or not _STORE_ID.fullmatch(store_id):
        return _problem(404, "No such store")
    return _receive(platform, store_id, headers, body, door)


def receive_for_app(headers: Mapping[str, str], body: bytes, door: Door) -> tuple[int, dict[str, Any]]:
    """What the deployment's Shopify app is told of any of its shops: the privacy topics, which are set up per app.

    As `receive`; 404 also where there is no app. A signed body that names no shop is answered 200 and not kept.
    """
    return _receive("shopify", "", headers, body, door)


def _receive(
    platform: str, store_id: str, headers: Mapping[str, str], body: bytes, door: Door
) -> tuple[int, dict[str, Any]]:
    if len(body) > LARGEST_BODY:
        return _problem(413, "A delivery is at most 1 MiB")
    lower = {name.lower(): value for name, value in headers.items()}
    try:
        secret = _secret(door, store_id, _SECRET_KEPT)
        if secret is None:
            return _problem(404, "No such store" if store_id else "No Shopify app is set up here")
        if signatures.is_ping(platform, lower, body):
            return 200, {"status": "pong"}
        if not signatures.verify(platform, secret, lower, body):
            newer = _secret(door, store_id, _SECRET_AGE)
            if newer is None or newer == secret or not signatures.verify(platform, newer, lower, body):
                return _problem(401, "The signature is missing or wrong")
        shop = None if store_id else signatures.shop_told(body)
        if not store_id and shop is None:
            _log.warning("a delivery for the Shopify app that names no shop: not kept")
            return 200, {"status": "not kept"}
        received_at = door.clock.now()
        arrival = Arrival(
            store_id=store_id,
            platform=platform,
            delivery_id=arrival_id(received_at),
            repeat_key=signatures.repeat_key(platform, lower, body),
            received_at=received_at,
            headers=signatures.kept_headers(platform, lower),
            body=body,
            shop=shop,
        )
        door.queue.send(encode(arrival), arrival.delivery_id)
    except TryLater:
        return _problem(503, "Not taken now: please repeat")
    except Exception as mistake:  # noqa: BLE001  ours, so the platform repeats; and its text stays out of the log
        _log.error("a delivery was not taken: %s", told(mistake))
        return _problem(503, "Not taken now: please repeat")
    return 200, {"status": "queued", "id": arrival.delivery_id}


def _secret(door: Door, store_id: str, newer_than: float) -> str | None:
    if store_id:
        return door.secrets.webhook_secret(store_id, newer_than)
    app = door.secrets.shopify_app(newer_than)
    return str(app["client_secret"]) if app else None


def _problem(status: int, title: str) -> tuple[int, dict[str, Any]]:
    return status, {"type": "about:blank", "status": status, "title": title, "detail": title}


def _headers_for(status: int) -> dict[str, str | list[str]]:
    headers: dict[str, str | list[str]] = {
        "Content-Type": "application/json" if status == 200 else "application/problem+json"
    }
    if status == 503:
        headers["Retry-After"] = "30"
    return headers


@blueprint.route("/webhooks/{platform}/{store_id}", methods=["POST"], content_types=["*/*"])
def webhook(platform: str, store_id: str) -> Response:
    request = blueprint.current_request
    return _answered(*receive(platform, store_id, request.headers, _bytes(request.raw_body), wiring.get()))


@blueprint.route(APP_DOOR + "/{store_id}", methods=["POST"], content_types=["*/*"])
def shopify_webhook(store_id: str) -> Response:
    """The same door: once the path has a branch `shopify`, an API Gateway may look for the store there only."""
    return cast(Response, webhook("shopify", store_id))


@blueprint.route(APP_DOOR, methods=["POST"], content_types=["*/*"])
def shopify_app_webhook() -> Response:
    request = blueprint.current_request
    return _answered(*receive_for_app(request.headers, _bytes(request.raw_body), wiring.get()))


@blueprint.lambda_function(name="webhook_door")
def webhook_door(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """API Gateway's proxy event, straight: the body comes as text or as base64."""
    path, resource = event.get("pathParameters") or {}, event.get("resource") or ""
    headers = event.get("headers") or {}
    try:
        body = _body(event)
    except (binascii.Error, ValueError):
        status, answer = _problem(401, "The signature is missing or wrong")
    else:
        if resource == APP_DOOR:
            status, answer = receive_for_app(headers, body, wiring.get())
        else:
            platform = "shopify" if resource.startswith(APP_DOOR) else str(path.get("platform"))
            status, answer = receive(platform, str(path.get("store_id")), headers, body, wiring.get())
    return {"statusCode": status, "headers": _headers_for(status), "body": json.dumps(answer)}


def _answered(status: int, answer: dict[str, Any]) -> Response:
    return Response(json.dumps(answer), _headers_for(status), status)


def _bytes(raw: Any) -> bytes:
    return raw if isinstance(raw, bytes) else str(raw).encode("utf-8", "surrogatepass")


def _body(event: Mapping[str, Any]) -> bytes:
    text = event.get("body") or ""
    if event.get("isBase64Encoded"):
        return base64.b64decode(text)
    return str(text).encode("utf-8", "surrogatepass")
