from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.store_adapters import signatures
from tests.recorded import NAMES, SECRET, load, signature

SIGNED = [name for name in NAMES if name != "ping"]


def lower(name: str) -> tuple[dict[str, str], bytes]:
    headers, body = load(name)
    return {key.lower(): value for key, value in headers.items()}, body


@pytest.mark.parametrize("name", SIGNED)
def test_recorded_signatures_verify_and_only_with_their_own_body_and_secret(name: str) -> None:
    headers, body = lower(name)
    assert signatures.verify("woocommerce", SECRET, headers, body)
    assert not signatures.verify("woocommerce", SECRET, headers, body + b" ")
    assert not signatures.verify("woocommerce", SECRET + "x", headers, body)
    assert not signatures.verify("woocommerce", "", headers, body)
    assert not signatures.is_ping("woocommerce", headers, body)


def test_shopify_signs_the_same_way_under_another_header() -> None:
    body = b'{"id":1}'
    assert signatures.verify("shopify", SECRET, {"x-shopify-hmac-sha256": signature(body)}, body)
    assert not signatures.verify("shopify", SECRET, {"x-wc-webhook-signature": signature(body)}, body)


def test_a_cut_signature_is_wrong_at_every_length() -> None:
    headers, body = lower("order.created")
    whole = headers["x-wc-webhook-signature"]
    for length in range(len(whole)):
        assert not signatures.verify("woocommerce", SECRET, {"x-wc-webhook-signature": whole[:length]}, body)


@given(st.text())
def test_no_garbage_in_the_signature_raises(garbage: str) -> None:
    assert not signatures.verify("woocommerce", SECRET, {"x-wc-webhook-signature": garbage}, b"{}")


def test_the_recorded_ping_is_a_ping_and_nothing_like_it_is() -> None:
    headers, body = lower("ping")
    assert signatures.is_ping("woocommerce", headers, body)
    assert not signatures.is_ping("shopify", headers, body)
    assert not signatures.is_ping("woocommerce", headers, b"webhook_id=11&order=1")
    assert not signatures.is_ping("woocommerce", headers, b"")
    assert not signatures.is_ping("woocommerce", {"content-type": "application/json"}, body)
    assert not signatures.is_ping("woocommerce", {**headers, "x-wc-webhook-signature": "wrong"}, body)


def test_two_orders_of_one_second_share_a_delivery_id_and_are_no_repeat() -> None:
    headers, body = lower("order.created")
    key = signatures.repeat_key("woocommerce", headers, body)
    assert signatures.repeat_key("woocommerce", dict(headers), bytes(body)) == key
    assert signatures.repeat_key("woocommerce", headers, body + b" ") != key
    assert signatures.repeat_key("woocommerce", {**headers, "x-wc-webhook-topic": "order.updated"}, body) != key
    assert signatures.repeat_key("woocommerce", {**headers, "x-wc-webhook-delivery-id": "x"}, body) != key


def test_a_shopify_event_is_one_under_several_webhook_ids() -> None:
    headers = {"x-shopify-event-id": "e1", "x-shopify-topic": "orders/paid", "x-shopify-webhook-id": "w1"}
    key = signatures.repeat_key("shopify", headers, b"{}")
    assert signatures.repeat_key("shopify", {**headers, "x-shopify-webhook-id": "w2"}, b"{ }") == key
    assert signatures.repeat_key("shopify", {**headers, "x-shopify-topic": "orders/updated"}, b"{}") != key
    without = {"x-shopify-topic": "orders/paid"}
    assert signatures.repeat_key("shopify", without, b"1") != signatures.repeat_key("shopify", without, b"2")


def test_only_the_platforms_own_headers_are_kept() -> None:
    headers, _ = lower("order.created")
    kept = signatures.kept_headers("woocommerce", {**headers, "cookie": "c", "x-forwarded-for": "192.0.2.1"})
    assert kept["x-wc-webhook-topic"] == "order.created"
    assert not {"cookie", "x-forwarded-for", "host", "user-agent"} & kept.keys()


def test_what_the_door_loads_is_the_standard_library() -> None:
    script = (
        "import sys; import chalicelib.store_adapters.signatures, chalicelib.store_adapters.envelope;"
        "bad = {'pydantic', 'boto3', 'ulid', 'chalice'} & sys.modules.keys(); sys.exit(str(bad) if bad else 0)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
