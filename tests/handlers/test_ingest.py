"""What becomes of each delivery: applied, repeated or parked; never lost, never a poisoned batch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from functools import cached_property
from typing import Any

import pytest

from chalicelib import wiring
from chalicelib.commerce.order_intake import OrderIntake
from chalicelib.commerce.store import Store
from chalicelib.contacts.erased import AddressHashes
from chalicelib.errors import TryLater
from chalicelib.handlers.ingest import RECEIVES, ingest, replay
from chalicelib.settings import Settings
from chalicelib.storage.deliveries import Deliveries, DeliveryRecord
from chalicelib.storage.table import Table
from chalicelib.store_adapters import signatures
from chalicelib.store_adapters.envelope import Arrival, arrival_id, by_object, encode
from chalicelib.wiring import Wiring
from tests.commerce.shop import Bucket, Heard
from tests.conftest import HandClock
from tests.recorded import load
from tests.store_adapters.deliveries import store
from tests.virtual_workflows import VirtualWorkflows


class Parts(Wiring):
    """Production's wiring on a test's table, with ears for journeys and a bucket in memory."""

    def __init__(self, table: Table, clock: HandClock) -> None:
        super().__init__(Settings.from_environment({}))
        workflows = VirtualWorkflows(clock, lambda task: {})
        self.__dict__ |= {"table": table, "clock": clock, "objects": Bucket(), "workflows": workflows}
        self.__dict__["address_hashes"] = AddressHashes(lambda: "key of addresses")

    @cached_property
    def heard(self) -> Heard:
        return Heard()

    @property
    def listener(self) -> Heard:
        return self.heard


@pytest.fixture
def parts(table: Table, clock: HandClock) -> Iterator[Parts]:
    built = Parts(table, clock)
    shop: Store = store()
    built.stores.save(shop)
    wiring.use(built)
    yield built
    wiring.use(None)


def arrival(name: str | None, clock: HandClock, body: bytes | None = None, topic: str = "order.updated") -> Arrival:
    headers, kept = load(name) if name else ({"x-wc-webhook-topic": topic}, b"")
    headers = {key.lower(): value for key, value in headers.items()}
    body = kept if body is None else body
    clock.advance(seconds=1)
    key = signatures.repeat_key("woocommerce", headers, body)
    return Arrival("shop", "woocommerce", arrival_id(clock.now()), key, clock.now(), headers, body)


def take(*arrivals: Arrival | dict[str, Any] | str, receives: int = 1) -> list[str]:
    """The messages that are to come again, by their place in the batch."""
    bodies = [a if isinstance(a, str) else json.dumps(encode(a) if isinstance(a, Arrival) else a) for a in arrivals]
    attributes = {"ApproximateReceiveCount": str(receives)}
    records = [{"messageId": str(i), "body": body, "attributes": attributes} for i, body in enumerate(bodies)]
    return [failure["itemIdentifier"] for failure in ingest({"Records": records}, None)["batchItemFailures"]]


def kept(parts: Parts, arrived: Arrival) -> DeliveryRecord:
    record = parts.deliveries.get("shop", arrived.delivery_id)
    assert record is not None
    return record


def test_a_recorded_order_becomes_a_contact_an_order_and_events(parts: Parts, clock: HandClock) -> None:
    came = arrival("order.updated", clock)
    assert take(came) == []
    contact = parts.contacts.find("shop", "email", "zoe@example.test")
    assert contact is not None
    assert (contact.orders_count, contact.total_spent.amount) == (1, 5000)
    assert parts.contacts.find("shop", "phone", "+33600000000") == contact
    record = kept(parts, came)
    assert (record.status, record.contact_ids) == ("applied", (contact.id,))
    assert {e.type for _, e in parts.heard.events} == {"contact_created", "order_placed", "order_paid"}
    assert parts.deliveries.list("shop", "applied") == [record]


def test_the_same_delivery_again_is_a_repeat_and_the_same_message_again_is_not(parts: Parts, clock: HandClock) -> None:
    first, second = arrival("order.updated", clock), arrival("order.updated", clock)
    take(first, first, second)
    assert kept(parts, first).status == "applied"
    assert (kept(parts, second).status, kept(parts, second).repeat_of) == ("repeated", first.delivery_id)


def test_what_was_interrupted_is_processed_again(
    parts: Parts, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    came = arrival("order.updated", clock)
    with monkeypatch.context() as broken:
        broken.setattr(Deliveries, "keep", lambda *_: (_ for _ in ()).throw(TryLater("out")))
        assert take(came) == ["0"]
    heard = len(parts.heard.events)
    assert take(came) == []
    assert kept(parts, came).status == "applied"
    assert len(parts.heard.events) == 2 * heard


@pytest.mark.parametrize("body", [b"", b"\x00", b"[]", b'{"id": 4}', b'{"id": "\\ud83d"', b"[" * 100_000, b"\xff\xfe"])
def test_what_makes_no_sense_is_parked_with_its_text(parts: Parts, clock: HandClock, body: bytes) -> None:
    came = arrival(None, clock, body)
    assert take(came) == []
    record = kept(parts, came)
    assert record.status == "parked"
    assert record.reason
    raw = parts.deliveries.raw("shop", came.delivery_id)
    assert raw is not None
    assert (raw.body, dict(raw.headers)) == (body, dict(came.headers))


def test_our_own_mistake_comes_again_then_parks_and_is_replayed_after_the_fix(
    parts: Parts, clock: HandClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = arrival("order.updated", clock), arrival("product.created", clock)
    with monkeypatch.context() as broken:
        broken.setattr(OrderIntake, "told", lambda _self, _store, order: {}[order.person.email])
        assert take(bad, good) == ["0"]
        assert kept(parts, good).status == "applied"
        assert take(bad, receives=RECEIVES) == []
        assert kept(parts, bad).reason == "internal error: KeyError"
        assert replay("shop", bad.delivery_id).status == "parked"
    assert "zoe" not in caplog.text
    assert "intake.py" in caplog.text
    assert replay("shop", bad.delivery_id).status == "applied"
    assert parts.deliveries.list("shop", "parked") == []
    assert parts.contacts.find("shop", "email", "zoe@example.test") is not None


def test_a_message_that_is_none_of_ours_is_left_for_the_dead_letters(parts: Parts, clock: HandClock) -> None:
    assert take("nonsense", {"store_id": "shop"}, arrival("order.updated", clock), receives=RECEIVES) == ["0", "1"]


def test_a_body_that_travelled_through_the_bucket_is_read_from_there(parts: Parts, clock: HandClock) -> None:
    came = arrival("order.updated", clock)
    message, key, content = by_object(encode(came))
    parts.objects.put(key, content)
    assert take(message) == []
    assert kept(parts, came).status == "applied"


def test_a_delivery_for_a_store_that_is_gone_is_let_go(parts: Parts, clock: HandClock) -> None:
    parts.stores.delete("shop")
    assert take(arrival("order.updated", clock)) == []


def test_raw_deliveries_expire_after_thirty_days(parts: Parts, clock: HandClock) -> None:
    came = arrival("order.updated", clock)
    take(came)
    item = parts.table.get(f"DELIVERY#shop#{came.delivery_id}", "DELIVERY")
    assert item is not None
    assert item["expires_at"] == int((came.received_at + timedelta(days=30)).timestamp())


def test_erasing_a_contact_leaves_nothing_of_it_anywhere(parts: Parts, clock: HandClock) -> None:
    came, parked = arrival("order.updated", clock), arrival(None, clock, b'{"id": 9, "who": "ZOE@example.test"}')
    take(came, parked)
    contact = parts.contacts.find("shop", "email", "zoe@example.test")
    assert contact is not None
    assert "zoe@example.test" in json.dumps(parts.contact_book.export("shop", contact.id))
    parts.contact_book.erase("shop", contact.id)
    assert parts.contacts.get("shop", contact.id) is None
    answer = parts.table._client.scan(TableName=parts.table.name, ConsistentRead=True)
    left = json.dumps(answer["Items"], default=str).lower()
    assert not [word for word in ("zoe", "33600000000", "martin") if word in left]
    assert parts.deliveries.raw("shop", parked.delivery_id) is None
    # An old telling that comes late does not bring the person back, a new one does not make them written to.
    take(arrival("order.created", clock))
    assert parts.contacts.find("shop", "email", "zoe@example.test") is None
