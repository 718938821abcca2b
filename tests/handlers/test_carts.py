from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib import wiring
from chalicelib.commerce.cart import CartActivity, CartStep
from chalicelib.commerce.store import Platform, Store
from chalicelib.contacts.consent import Channel, ConsentStatus
from chalicelib.errors import TryLater
from chalicelib.handlers.carts import carts_door
from chalicelib.store_adapters import adapter_for
from chalicelib.store_adapters.base import Delivery
from chalicelib.store_adapters.envelope import decode
from tests.api.client import Answered, Caller

NOW = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)
REAL_NOW = 1_800_000_000.0
STORE_ID = "0" * 26
SECRET = "a-secret-of-the-tests"
STORE = Store(
    id=STORE_ID,
    platform=Platform.WOOCOMMERCE,
    name="Tea",
    url="https://tea.example",
    country="IL",
    currency="ILS",
    timezone="Asia/Jerusalem",
    locale="he",
    created_at=NOW,
)


def money(amount: int, currency: str = "ILS") -> dict[str, Any]:
    return {"amount": amount, "currency": currency}


def line(**changes: Any) -> dict[str, Any]:
    usual = {"product_id": "101", "name": "תה ירוק", "quantity": 2, "price": money(5900)}
    return {**usual, "image": "https://tea.example/tea.jpg", "url": "https://tea.example/tea", **changes}


def cart(**changes: Any) -> dict[str, Any]:
    return {
        "id": "call-1",
        "token": "c0ffee",
        "event": "updated",
        "email": "shopper01@tea.example",
        "items": [line()],
        "total": money(11800),
        "restore_url": "https://tea.example/?agala-restore=c0ffee.1.abc",
        "occurred_at": "2026-11-21T21:59:00Z",
        **changes,
    }


class FakeQueue:
    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.out = False

    def send(self, message: dict[str, Any], message_id: str, /) -> None:
        if self.out:
            raise TryLater("the queue is out")
        self.messages.append(json.loads(json.dumps(message)))


class FakeDoor:
    def __init__(self) -> None:
        self.queue = FakeQueue()
        self.clock = SimpleNamespace(now=lambda: NOW)
        self.settings = SimpleNamespace(public_url="https://agala.example")
        self.known = {STORE_ID: SECRET}
        self.secrets = SimpleNamespace(webhook_secret=lambda store_id, newer_than=60: self.known.get(store_id))

    def unix_time(self) -> float:
        return REAL_NOW

    @property
    def calls(self) -> list[CartActivity]:
        """What was queued, as ingest reads it."""
        return [read(decode(message)) for message in self.queue.messages]


def read(arrival: Any) -> CartActivity:
    told = Delivery(arrival.store_id, arrival.platform, arrival.headers, arrival.body, arrival.received_at)
    (change,) = adapter_for("plugin").parse(told, STORE)
    assert isinstance(change, CartActivity)
    return change


@pytest.fixture
def door() -> Iterator[FakeDoor]:
    made = FakeDoor()
    used: Any = made
    wiring.use(used)
    yield made
    wiring.use(None)


def signed(body: bytes, secret: str = SECRET, at: float = REAL_NOW) -> dict[str, str]:
    timestamp = str(int(at))
    signature = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {"X-Agala-Timestamp": timestamp, "X-Agala-Signature": signature}


def tell(given: Any, headers: dict[str, str] | None = None, store_id: str = STORE_ID) -> Answered:
    body = given if isinstance(given, bytes) else json.dumps(given).encode()
    sent = signed(body) if headers is None else headers
    return Caller(None)("POST", f"/v1/stores/{store_id}/carts", body=body, headers=sent)


def test_a_signed_call_is_queued_just_as_it_came(door: FakeDoor) -> None:
    body = json.dumps(cart(), ensure_ascii=False).encode()
    answer = tell(body)
    (arrival,) = map(decode, door.queue.messages)
    assert (answer.status, answer.json) == (202, {"status": "queued", "id": arrival.delivery_id})
    assert (arrival.body, arrival.platform, arrival.headers["x-agala-topic"]) == (body, "plugin", "cart.updated")
    (told,) = door.calls
    assert (told.token, told.step, told.lines, told.total.amount) == ("c0ffee", CartStep.UPDATED, 1, 11800)
    assert told.person.email == "shopper01@tea.example"


def test_the_same_id_twice_is_one_and_the_same(door: FakeDoor) -> None:
    tell(cart())
    tell(cart(total=money(1)))
    tell(cart(id="call-2"))
    first, second, third = (decode(message).repeat_key for message in door.queue.messages)
    assert first == second != third


@pytest.mark.parametrize("age", [301, -301, 86_400])
def test_a_stale_call_is_refused_and_nothing_is_kept(door: FakeDoor, age: float) -> None:
    body = json.dumps(cart()).encode()
    assert tell(body, signed(body, at=REAL_NOW - age)).status == 401
    assert not door.queue.messages


@pytest.mark.parametrize("missing", ["X-Agala-Timestamp", "X-Agala-Signature"])
def test_a_tampered_call_is_refused_and_nothing_is_kept(door: FakeDoor, missing: str) -> None:
    body = json.dumps(cart()).encode()
    good = signed(body)
    assert tell(body + b" ", good).status == 401
    assert tell(body, signed(body, secret="another")).status == 401
    assert tell(body, {name: value for name, value in good.items() if name != missing}).status == 401
    assert not door.queue.messages


def test_nothing_is_read_before_the_signature_is_right(door: FakeDoor) -> None:
    assert tell(b"no json", {}).status == 401
    assert tell(b"no json").status == 400


def test_a_store_that_we_do_not_know(door: FakeDoor) -> None:
    assert tell(cart(), store_id="1" * 26).status == 404
    assert tell(cart(), store_id="nobody").status == 404


def test_a_body_over_one_mebibyte(door: FakeDoor) -> None:
    assert tell(b" " * (1024 * 1024 + 1)).status == 413


def test_a_queue_that_is_out_asks_for_a_repeat(door: FakeDoor) -> None:
    door.queue.out = True
    assert tell(cart()).status == 503


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"items": [line(quantity=-1)]}, "items[0].quantity"),
        ({"items": [line(quantity=0)]}, "items[0].quantity"),
        ({"items": [line(price=money(-5))]}, "items[0].price.amount"),
        ({"items": [line(price={"amount": 1.5, "currency": "ILS"})]}, "items[0].price.amount"),
        ({"items": [line(price=money(5, "shekel"))]}, "items[0].price.currency"),
        ({"items": [line()] * 1001}, "items"),
        ({"event": "stolen"}, "event"),
        ({"token": "a/b"}, "token"),
        ({"id": ""}, "id"),
        ({"occurred_at": "yesterday"}, "occurred_at"),
        ({"occurred_at": "2026-11-21T21:59:00"}, "occurred_at"),
        ({"restore_url": "javascript:alert(1)"}, "restore_url"),
        ({"email": "x" * 400}, "email"),
        ({"consent": {"email": {"status": "maybe", "at": "2026-11-21T21:59:00Z"}}}, "consent.email.status"),
        ({"consent": {"fax": None}}, "consent.fax"),
    ],
)
def test_what_makes_no_sense_is_named_and_not_kept(door: FakeDoor, wrong: dict[str, Any], field: str) -> None:
    answer = tell(cart(**wrong))
    assert (answer.status, answer.fields) == (422, [field])
    assert not door.queue.messages


def test_a_cart_of_two_currencies_or_without_a_total_is_refused(door: FakeDoor) -> None:
    assert tell(cart(items=[line(price=money(5, "USD"))])).status == 422
    assert tell(cart(total=None)).status == 422
    assert tell(cart(event="emptied", items=[], total=None)).status == 202


def test_another_currency_than_the_stores_is_kept_as_it_is(door: FakeDoor) -> None:
    assert tell(cart(items=[line(price=money(5, "JPY"))], total=money(10, "JPY"))).status == 202
    assert door.calls[0].total.model_dump() == money(10, "JPY")


def test_a_huge_cart_is_kept_in_part_and_counted_whole(door: FakeDoor) -> None:
    name = "<script>alert(1)</script>" + "ש" * 20_000
    lines = [line(name=name)] + [line(product_id=str(n)) for n in range(499)]
    assert tell(cart(items=lines)).status == 202
    (told,) = door.calls
    assert (len(told.items), told.lines) == (100, 500)
    assert len(told.items[0].name) == 200
    assert len(json.dumps(told.model_dump(mode="json"))) < 100_000


def test_links_that_cannot_be_shown_safely_are_left_out(door: FakeDoor) -> None:
    odd = ["javascript:alert(1)", 'https://a.example/"onerror=', "ftp://x", "https://a.example/" + "x" * 2000]
    tell(cart(items=[line(image=link, url=link) for link in odd]))
    assert {(item.image, item.url) for item in door.calls[0].items} == {(None, None)}


def test_ids_as_numbers_and_wordpress_zeros(door: FakeDoor) -> None:
    tell(cart(customer_id=0, order_id=17, items=[line(product_id=101, variation_id=0, categories=[21, "22"])]))
    (told,) = door.calls
    assert (told.person.customer_id, told.order_id) == (None, "17")
    assert (told.items[0].product_id, told.items[0].variation_id) == ("101", None)
    assert told.items[0].categories == ("21", "22")


def test_a_choice_is_kept_with_its_text_and_time_and_silence_is_no_choice(door: FakeDoor) -> None:
    choice = {"status": "subscribed", "text": "כן, כתבו לי", "at": "2026-11-21T21:58:00Z"}
    tell(cart(consent={"email": choice, "sms": None, "whatsapp": {"status": "never_asked", "at": choice["at"]}}))
    (change,) = door.calls[0].consent
    assert (change.channel, change.consent.status) == (Channel.EMAIL, ConsentStatus.SUBSCRIBED)
    assert (change.consent.text, change.consent.at) == (choice["text"], NOW - timedelta(minutes=2))


def test_nothing_happens_after_we_heard_of_it(door: FakeDoor) -> None:
    tell(cart(occurred_at="2027-01-01T00:00:00+02:00"))
    assert door.calls[0].occurred_at == NOW


def test_what_a_later_plugin_adds_is_passed_over(door: FakeDoor) -> None:
    assert tell(cart(mood="good", items=[line(gift=True)])).status == 202


@settings(max_examples=50)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*cart(), "x"]), inner, max_size=6),
        max_leaves=12,
    )
)
def test_any_json_gets_a_clear_answer(body: Any) -> None:
    made: Any = FakeDoor()
    wiring.use(made)
    try:
        assert tell(body).status in (202, 400, 422)
        whole = cart(**body) if isinstance(body, dict) else cart(items=body)
        assert tell(whole).status in (202, 400, 422)
        assert len(made.calls) == len(made.queue.messages)
    finally:
        wiring.use(None)


@pytest.mark.parametrize("encoded", [True, False])
def test_the_doors_own_lambda_takes_text_and_base64(door: FakeDoor, encoded: bool) -> None:
    body = json.dumps(cart(), ensure_ascii=False).encode()
    event = {
        "pathParameters": {"store_id": STORE_ID},
        "headers": signed(body),
        "body": base64.b64encode(body).decode() if encoded else body.decode(),
        "isBase64Encoded": encoded,
    }
    assert carts_door(event, None)["statusCode"] == 202
    assert decode(door.queue.messages[0]).body == body
    assert carts_door({**event, "headers": None}, None)["statusCode"] == 401
    assert carts_door({**event, "body": "%%%"}, None)["statusCode"] in (400, 401)
    assert carts_door({"pathParameters": None}, None)["statusCode"] == 404
