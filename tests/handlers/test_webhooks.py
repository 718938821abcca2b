from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from chalice.app import Chalice
from chalice.test import Client
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import wiring
from chalicelib.errors import TryLater
from chalicelib.handlers.webhooks import LARGEST_BODY, receive, webhook_door
from chalicelib.store_adapters.envelope import decode
from tests.recorded import NAMES, SECRET, load, signature

NOW = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)


class FakeQueue:
    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.out = False

    def send(self, message: dict[str, Any], message_id: str, /) -> None:
        if self.out:
            raise TryLater("the queue is out")
        assert message["delivery_id"] == message_id
        self.messages.append(json.loads(json.dumps(message)))


class FakeSecrets:
    def __init__(self) -> None:
        self.known = {"shop": SECRET}
        self.fresh: dict[str, str] = {}

    def webhook_secret(self, store_id: str, newer_than: float = 60) -> str | None:
        return self.fresh.get(store_id) if newer_than < 60 and self.fresh else self.known.get(store_id)


class FakeDoor:
    def __init__(self) -> None:
        self.secrets = FakeSecrets()
        self.queue = FakeQueue()
        self.clock = SimpleNamespace(now=lambda: NOW)


@pytest.fixture
def door() -> Iterator[FakeDoor]:
    made = FakeDoor()
    used: Any = made
    wiring.use(used)
    yield made
    wiring.use(None)


@pytest.fixture(scope="module")
def app() -> Chalice:
    """The one app: a blueprint can be registered only once in a process."""
    from app import app

    return app


@pytest.mark.parametrize("name", [name for name in NAMES if name != "ping"])
def test_a_recorded_delivery_is_queued_just_as_it_came(door: FakeDoor, name: str) -> None:
    headers, body = load(name)
    status, answer = receive("woocommerce", "shop", headers, body, door)
    (arrival,) = map(decode, door.queue.messages)
    assert (status, answer["id"]) == (200, arrival.delivery_id)
    assert (arrival.store_id, arrival.platform, arrival.body, arrival.received_at) == ("shop", "woocommerce", body, NOW)
    assert arrival.headers["x-wc-webhook-topic"] == name


def test_a_repeat_has_the_same_repeat_key_and_an_id_of_its_own(door: FakeDoor) -> None:
    headers, body = load("order.created")
    for _ in range(2):
        assert receive("woocommerce", "shop", headers, body, door)[0] == 200
    first, second = map(decode, door.queue.messages)
    assert first.repeat_key == second.repeat_key
    assert first.delivery_id != second.delivery_id


def test_the_ping_is_answered_200_and_does_nothing(door: FakeDoor) -> None:
    headers, body = load("ping")
    assert receive("woocommerce", "shop", headers, body, door)[0] == 200
    assert receive("shopify", "shop", headers, body, door)[0] == 401
    assert receive("woocommerce", "nobody", headers, body, door)[0] == 404
    assert not door.queue.messages


@pytest.mark.parametrize("wrong", [None, "", "x", "AAAA", "חתימה", "\x00", signature(b"another body")])
def test_without_the_right_signature_nothing_is_kept(door: FakeDoor, wrong: str | None) -> None:
    headers, body = load("order.created")
    del headers["X-WC-Webhook-Signature"]
    if wrong is not None:
        headers["x-wc-webhook-signature"] = wrong
    assert receive("woocommerce", "shop", headers, body, door)[0] == 401
    assert not door.queue.messages


@pytest.mark.parametrize(
    ("platform", "store_id"),
    [("woocommerce", "nobody"), ("magento", "shop"), ("", ""), ("woocommerce", "../signing-key"), ("shopify", "חנות")],
)
def test_no_such_store(door: FakeDoor, platform: str, store_id: str) -> None:
    headers, body = load("order.created")
    door.secrets.known["../signing-key"] = SECRET
    assert receive(platform, store_id, headers, body, door)[0] == 404


def test_a_body_over_one_mebibyte_is_too_long_signed_or_not(door: FakeDoor) -> None:
    body = b"x" * (LARGEST_BODY + 1)
    assert receive("woocommerce", "shop", {"X-WC-Webhook-Signature": signature(body)}, body, door)[0] == 413
    assert receive("woocommerce", "shop", {}, body, door)[0] == 413
    fits = body[:-1]
    assert receive("woocommerce", "shop", {"X-WC-Webhook-Signature": signature(fits)}, fits, door)[0] == 200


def test_a_queue_that_is_out_asks_for_a_repeat(door: FakeDoor) -> None:
    door.queue.out = True
    headers, body = load("order.created")
    status, answer = receive("woocommerce", "shop", headers, body, door)
    assert (status, answer["status"]) == (503, 503)


def test_a_mistake_of_ours_asks_for_a_repeat_and_logs_nothing_of_the_body(
    door: FakeDoor, caplog: pytest.LogCaptureFixture
) -> None:
    headers, body = load("order.created")
    door.queue.send = lambda *_: (_ for _ in ()).throw(ValueError("dana@shop.example"))  # type: ignore[method-assign]
    assert receive("woocommerce", "shop", headers, body, door)[0] == 503
    assert "ValueError at test_webhooks.py" in caplog.text
    assert "dana@" not in caplog.text


def test_a_secret_changed_a_moment_ago_is_honoured(door: FakeDoor) -> None:
    door.secrets.known["shop"], door.secrets.fresh["shop"] = "the old one", SECRET
    headers, body = load("order.created")
    assert receive("woocommerce", "shop", headers, body, door)[0] == 200


@given(st.binary(max_size=300))
def test_any_signed_body_is_answered_200(body: bytes) -> None:
    assert receive("woocommerce", "shop", {"x-wc-webhook-signature": signature(body)}, body, FakeDoor())[0] == 200


@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded", "text/odd", None])
def test_the_route_takes_any_content_type(door: FakeDoor, app: Chalice, content_type: str | None) -> None:
    headers, body = load("order.created")
    headers = {name: value for name, value in headers.items() if name.startswith("X-WC-")}
    if content_type:
        headers["Content-Type"] = content_type
    with Client(app) as client:
        answer = client.http.post("/webhooks/woocommerce/shop", headers=headers, body=body)
        refused = client.http.post("/webhooks/woocommerce/shop", headers=headers, body=body + b" ")
    assert answer.status_code == 200, answer.body
    assert (refused.status_code, refused.headers["Content-Type"]) == (401, "application/problem+json")
    assert decode(door.queue.messages[0]).body == body


@pytest.mark.parametrize("encoded", [True, False])
def test_the_doors_own_lambda_takes_text_and_base64(door: FakeDoor, encoded: bool) -> None:
    body = '{"id":1,"name":"תה 😀"}'.encode()
    event = {
        "pathParameters": {"platform": "woocommerce", "store_id": "shop"},
        "headers": {"X-WC-Webhook-Signature": signature(body), "X-WC-Webhook-Topic": "order.updated"},
        "body": base64.b64encode(body).decode() if encoded else body.decode(),
        "isBase64Encoded": encoded,
    }
    answer = webhook_door(event, None)
    assert answer["statusCode"] == 200
    assert decode(door.queue.messages[0]).body == body
    door.queue.out = True
    busy = webhook_door(event, None)
    assert (busy["statusCode"], busy["headers"]["Content-Type"]) == (503, "application/problem+json")


def test_an_event_without_anything_is_answered(door: FakeDoor) -> None:
    assert webhook_door({"headers": None, "pathParameters": None, "body": None}, None)["statusCode"] == 404


def test_the_door_loads_neither_pydantic_nor_a_record() -> None:
    script = (
        "import sys; import chalicelib.handlers.webhooks, chalicelib.storage.queue, chalicelib.storage.secrets;"
        "bad = {'pydantic', 'boto3', 'ulid', 'chalicelib.commerce.order'} & sys.modules.keys();"
        "sys.exit(str(bad) if bad else 0)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
