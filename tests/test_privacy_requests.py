"""What Shopify asks for people's sake is really done, through the real door, and leaves nothing personal of its own."""

from __future__ import annotations

import gzip
import itertools
import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.commerce import privacy_desk
from chalicelib.commerce.customer import Customer
from chalicelib.commerce.privacy import KEPT, PrivacyRequest, RequestStatus
from chalicelib.commerce.snapshot import Version
from chalicelib.commerce.store import Platform
from chalicelib.contacts.book import ContactInput
from chalicelib.contacts.person import Person
from chalicelib.errors import NotFound, TryLater
from chalicelib.handlers.ingest import ingest
from chalicelib.storage.privacy import PrivacyRequests
from local.demo.shop import GREEN, Shopper
from local.demo.woocommerce import Purchase
from tests.any_order import Listening, listening
from tests.conftest import HandClock
from tests.memory_client import MemoryTables
from tests.recorded import signature
from tests.test_any_order import HEBREW, NOW
from tests.test_erasure import EMAIL, PHONE, PLANTED, WORDS, cart, plant, purchase, told, traces

CUSTOMER = {"id": PLANTED.customer_id, "email": EMAIL, "phone": PHONE}
SHOP = {"shop_id": 1, "shop_domain": "tea.myshopify.com"}
_TEMPLATE = json.loads((Path(__file__).parent.parent / "infra" / "template.json").read_text())
_ALARMED = _TEMPLATE["Resources"]["PrivacyExports"]["Properties"]["FilterPattern"].strip('"')  # of the log's lines
_numbers = itertools.count(1)


@pytest.fixture
def shop(tables: MemoryTables) -> Iterator[Listening]:
    with listening(tables, HandClock(NOW), HEBREW) as listener:
        yield listener


def ask(shop: Listening, topic: str, body: dict[str, Any], event_id: str = "") -> None:
    """Signed, through the door and the queue's reader, as Shopify's app tells it."""
    kept = shop.store
    shop.store = shop.parts.stores.save(shop.store.model_copy(update={"platform": Platform.SHOPIFY}))
    raw = json.dumps({**SHOP, **body}).encode()
    headers = {
        "X-Shopify-Topic": topic,
        "X-Shopify-Hmac-Sha256": signature(raw),
        "X-Shopify-Event-Id": event_id or f"event-{next(_numbers)}",
    }
    shop.hear([(headers, raw)])
    back = {"platform": kept.platform, "rev": shop.store.rev}
    shop.store = shop.parts.stores.save(shop.store.model_copy(update=back))


def data_request(shop: Listening, customer: dict[str, Any] | None = None, number: int = 9999, **more: Any) -> None:
    body = {"customer": customer or CUSTOMER, "orders_requested": [], "data_request": {"id": number}, **more}
    ask(shop, "customers/data_request", body)


def requests(shop: Listening) -> list[PrivacyRequest]:
    found: list[PrivacyRequest] = shop.parts.privacy_requests.list("shop")
    return found


def export(shop: Listening) -> dict[str, Any]:
    """The newest."""
    content: dict[str, Any] = json.loads(shop.parts.privacy_requests.content(requests(shop)[-1]))
    return content


def exports(shop: Listening) -> list[str]:
    return [key for key in shop.bucket.kept if key.startswith("exports/")]


def nameless(shop: Listening, number: int = 905) -> None:
    """An order that tells a name, and nothing that makes a contact of it."""
    body = {**purchase(number).told("processing", NOW, paid=NOW), "customer_id": 0}
    body["billing"] = {"first_name": PLANTED.first_name, "last_name": PLANTED.last_name, "email": "", "phone": ""}
    shop.hear([told("order.updated", json.loads(json.dumps(body)))])


def anonymous_cart(shop: Listening, token: str = "nobodys-0123456789") -> None:
    """A cart of nobody, whose restore link names somebody all the same."""
    headers, body = cart(30, token)
    call = json.loads(body)
    for name in ("email", "phone", "customer_id", "first_name", "consent"):
        call.pop(name, None)
    shop.hear([(headers, json.dumps(call).encode())])
    assert shop.parts.carts.get("shop", token).contact_id is None


def test_a_data_request_keeps_the_whole_export_for_the_owner(shop: Listening, caplog: pytest.LogCaptureFixture) -> None:
    contact_id = plant(shop)
    nameless(shop)
    with caplog.at_level(logging.INFO):
        data_request(shop, orders_requested=[901, 905, 777])
    (request,) = requests(shop)
    assert (request.kind, request.status, request.platform_request) == ("export", "done", "9999")
    assert (request.contact_ids, request.kept_until) == ((contact_id,), shop.clock.now() + KEPT)
    held = export(shop)
    assert held["contacts"] == [shop.parts.contact_book.export("shop", contact_id)]
    assert {order["external_id"] for order in held["contacts"][0]["orders"]} == {"901", "902"}
    assert [order["external_id"] for order in held["orders"]] == ["905"], "nobody's, but theirs by Shopify's word"
    assert PLANTED.last_name in held["deliveries"][0]["body"]
    assert exports(shop) == [f"exports/shop/{request.id}.json.gz"]
    assert _ALARMED in caplog.text
    record = [item for item in shop.items() if str(item["pk"]).startswith("PRIVACY#")]
    mine = [
        one for one in shop.parts.deliveries.list("shop", None, None, 1000) if one.topic == "customers/data_request"
    ]
    assert [(one.status, shop.parts.deliveries.raw("shop", one.id)) for one in mine] == [("applied", None)]
    about = [caplog.text, str(record), str([one.model_dump() for one in mine])]
    assert not [word for word in WORDS for text in about if word in text.lower()]


def test_a_request_that_is_told_again_counts_once(shop: Listening) -> None:
    plant(shop)
    data_request(shop)
    first, kept = requests(shop), dict(shop.bucket.kept)
    shop.clock.advance(days=1)
    data_request(shop)
    assert (requests(shop), shop.bucket.kept) == (first, kept)
    data_request(shop, number=10000)
    assert len(exports(shop)) == 2


def test_of_somebody_unknown_it_is_written_down_that_nothing_is_kept(shop: Listening) -> None:
    plant(shop)
    data_request(shop, {"id": 1, "email": "stranger@shopper.example", "phone": None}, orders_requested=[4])
    (request,) = requests(shop)
    assert (request.status, request.kept_until, request.contact_ids) == ("nothing_kept", None, ())
    assert exports(shop) == []


def test_a_phone_that_is_another_persons_does_not_hand_them_out(shop: Listening) -> None:
    contact_id = plant(shop)
    other = shop.parts.contact_book.upsert(
        shop.store, ContactInput(email="dana@shopper.example", phone="+972505550150")
    )
    data_request(shop, {"id": None, "email": EMAIL, "phone": other.phone})
    assert requests(shop)[-1].contact_ids == (contact_id,)
    assert "dana@shopper.example" not in json.dumps(export(shop))
    data_request(shop, {"id": None, "email": None, "phone": other.phone}, number=5)
    assert [one["contact"]["email"] for one in export(shop)["contacts"]] == ["dana@shopper.example"]


@pytest.mark.parametrize("by", ["api", "platform"])
def test_an_export_goes_with_the_person(shop: Listening, by: str) -> None:
    contact_id = plant(shop)
    data_request(shop)
    shop.clock.advance(minutes=1)
    if by == "api":
        shop.parts.contact_book.erase("shop", contact_id)
    else:
        ask(shop, "customers/redact", {"customer": CUSTOMER, "orders_to_redact": [901]})
    assert exports(shop) == []
    asked = requests(shop)[0]
    assert (asked.status, asked.erased_at, asked.is_kept(NOW)) == ("done", shop.clock.now(), False)
    assert [one.kind for one in requests(shop)] == ["export"] + ["erasure"] * (by == "platform")
    assert traces(shop) == []


def test_an_erasure_that_is_cut_short_has_taken_the_export_first(
    shop: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The profile goes last: without it nobody would ask again."""
    contact_id = plant(shop)
    data_request(shop)

    def cut_short(*_: Any) -> None:
        assert exports(shop) == []
        raise TryLater("the table is busy")

    monkeypatch.setattr(type(shop.parts.contacts), "forget", cut_short)
    with pytest.raises(TryLater):
        shop.parts.contact_book.erase("shop", contact_id)


def test_a_data_request_after_the_erasure_finds_nothing(shop: Listening) -> None:
    contact_id = plant(shop)
    ask(shop, "customers/redact", {"customer": CUSTOMER})
    shop.clock.advance(minutes=1)
    data_request(shop, orders_requested=[901, 902])
    erased, asked = requests(shop)
    assert (erased.kind, erased.status, erased.contact_ids) == ("erasure", "done", (contact_id,))
    assert (asked.status, exports(shop), traces(shop)) == ("nothing_kept", [], [])


def test_an_export_follows_a_merge(shop: Listening) -> None:
    book = shop.parts.contact_book
    guest = book.upsert(shop.store, ContactInput(email=EMAIL))
    shop.clock.advance(minutes=1)
    account = book.upsert(shop.store, ContactInput(external_id="4711", first_name=PLANTED.first_name))
    data_request(shop, {"id": 4711, "email": None, "phone": None})
    assert requests(shop)[0].contact_ids == (account.id,)
    whole = book.upsert(shop.store, ContactInput(email=EMAIL, external_id="4711"))
    assert whole.id == guest.id
    assert "privacy_requests" not in book.export("shop", whole.id)
    book.erase("shop", whole.id)
    assert (exports(shop), traces(shop)) == ([], [])


def test_whoever_is_erased_while_their_export_is_made_leaves_none(
    shop: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    contact_id = plant(shop)
    keep = PrivacyRequests.keep

    def too_late(self: PrivacyRequests, request: PrivacyRequest, content: dict[str, Any]) -> None:
        monkeypatch.undo()
        shop.parts.contact_book.erase("shop", contact_id)
        keep(self, request, content)

    monkeypatch.setattr(PrivacyRequests, "keep", too_late)
    with pytest.raises(AssertionError):
        data_request(shop)  # the queue is to bring it again
    assert (exports(shop), traces(shop)) == ([], [])
    data_request(shop)
    assert [one.status for one in requests(shop)] == ["nothing_kept"]


def test_a_mistake_of_ours_is_seen_until_the_request_is_carried_out(
    shop: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(shop)

    def broken(*_: Any) -> None:
        raise ValueError(EMAIL)

    with monkeypatch.context() as patched:
        patched.setattr(PrivacyRequests, "keep", broken)
        with pytest.raises(AssertionError):
            data_request(shop)
    assert [one.status for one in requests(shop)] == ["failed"]
    data_request(shop)
    assert [one.status for one in requests(shop)] == ["done"]


def test_an_order_that_is_nobodys_is_redacted_with_all_that_told_of_it(shop: Listening) -> None:
    nameless(shop)
    ask(shop, "customers/data_request", {"customer": None, "orders_requested": [905], "data_request": {"id": 1}})
    assert len(exports(shop)) == 1
    assert {"quillfeather", "zubrowka"} <= set(traces(shop))
    shop.clock.advance(minutes=1)
    ask(shop, "customers/redact", {"customer": {"id": 1, "email": None}, "orders_to_redact": [905]})
    assert (traces(shop), exports(shop)) == ([], [])
    assert [one.status for one in requests(shop)] == ["done", "done"]
    record = shop.parts.orders.get("shop", "905")
    assert (record.erased, record.order.items[0].product_id) == (True, str(GREEN.id))
    assert shop.parts.orders.waiting_events("shop", "905") == []
    nameless(shop)
    assert traces(shop) == [], "nor does a late telling bring it back"


def test_an_order_that_is_redacted_before_it_is_told_makes_nobody(shop: Listening) -> None:
    ask(shop, "customers/redact", {"customer": {"id": 1, "email": None}, "orders_to_redact": [901]})
    assert [one.status for one in requests(shop)] == ["nothing_kept"]
    shop.hear([told("order.updated", purchase(901).told("processing", NOW, paid=NOW))])
    assert (traces(shop), shop.parts.contacts.list("shop")) == ([], [])


def test_a_text_that_was_parked_goes_though_its_person_was_never_known(shop: Listening) -> None:
    body = purchase(901).told("processing", NOW, paid=NOW)
    body["status"] = 7
    shop.hear([told("order.updated", body)])
    assert traces(shop) != []
    ask(shop, "customers/redact", {"customer": CUSTOMER, "orders_to_redact": []})
    assert traces(shop) == []


@pytest.mark.parametrize("named", [{"id": PLANTED.customer_id}, {"email": EMAIL}])
def test_a_history_that_was_asked_for_before_the_erasure_makes_nobody(shop: Listening, named: dict[str, Any]) -> None:
    """The shop's file was written while the person was still in it, and is read after they were redacted."""
    person = Person(email=EMAIL, phone=PHONE, customer_id=str(PLANTED.customer_id), first_name=PLANTED.first_name)
    at = shop.clock.now() - timedelta(days=1)
    known = Customer(
        external_id=str(PLANTED.customer_id), version=Version(modified_at=at), person=person, created_at=at
    )
    ask(shop, "customers/redact", {"customer": {"id": None, "email": None, **named}, "orders_to_redact": []})
    assert [one.status for one in requests(shop)] == ["nothing_kept"]
    assert shop.parts.history_intake.apply(shop.store, known, None, shop.clock.now()).erased
    assert (traces(shop), shop.parts.contacts.list("shop")) == ([], [])


def test_an_order_of_somebody_else_is_theirs_no_more(shop: Listening) -> None:
    """Shopify's word of whose an order is stands over ours; the rest of that contact's is left alone."""
    plant(shop)
    first = Shopper(78, "Dana", "Example")

    def paid(number: int, hours: int) -> Any:
        at = NOW - timedelta(hours=hours)
        made = Purchase(number, first, ((GREEN, 1),), at, "subscribed", email="dana@shopper.example")
        return told("order.updated", made.told("processing", NOW, paid=at))

    shop.hear([paid(1001, 5), paid(1002, 4)])
    dana = shop.parts.contacts.find("shop", "email", "dana@shopper.example")
    assert dana.orders_count == 2
    ask(shop, "customers/redact", {"customer": {"id": 1, "email": None}, "orders_to_redact": [1001]})
    left = shop.parts.contacts.get("shop", dana.id)
    assert (left.orders_count, left.total_spent.amount) == (1, dana.total_spent.amount // 2)
    events = {
        event.properties["order_id"]: event
        for event in shop.parts.timeline.of_contact("shop", dana.id)
        if event.type == "order_paid"
    }
    assert {order: event.properties["nth"] for order, event in events.items()} == {"1002": 1}
    texts = [one["body"] for one in shop.parts.contact_book.export("shop", dana.id)["deliveries"]]
    assert [json.loads(text)["id"] for text in texts] == [1002]
    assert shop.parts.contacts.find("shop", "email", EMAIL).orders_count == 1


def test_a_whole_shop_leaves_nobody(shop: Listening) -> None:
    plant(shop)
    nameless(shop)
    anonymous_cart(shop)
    failed = {**purchase(906).told("failed", NOW), "customer_id": 0, "payment_url": f"https://tea.example/?who={EMAIL}"}
    failed["billing"] = {"first_name": PLANTED.first_name}
    shop.hear([told("order.updated", json.loads(json.dumps(failed)))])
    data_request(shop, orders_requested=[905])
    shop.clock.advance(minutes=1)
    assert len(shop.parts.orders.waiting_events("shop", "906")) > 0
    ask(shop, "shop/redact", {})
    assert (traces(shop), exports(shop)) == ([], [])
    assert shop.parts.contacts.list("shop") == []
    assert [item["pk"] for item in shop.items() if str(item["pk"]).startswith("ID#")] == []
    assert shop.parts.orders.waiting_events("shop", "906") == []
    asked, erased = requests(shop)
    assert (asked.erased_at, erased.whole_shop, erased.status) == (shop.clock.now(), True, "done")
    assert shop.parts.orders.get("shop", "901").order.total.amount > 0, "goods and money stay"


def test_a_shop_that_is_larger_than_one_call_goes_on_where_it_ended(
    shop: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(shop)
    monkeypatch.setattr(privacy_desk, "_AT_ONCE", 0.0)
    with pytest.raises(AssertionError):
        ask(shop, "shop/redact", {}, "whole")
    assert [one.status for one in requests(shop)] == ["running"]
    assert shop.parts.contacts.list("shop") != []
    monkeypatch.undo()
    ask(shop, "shop/redact", {}, "another")
    assert traces(shop) == []


def test_an_erasure_that_is_cut_short_remembers_whom_it_was_about(
    shop: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    contact_id = plant(shop)
    body = json.dumps({**SHOP, "customer": CUSTOMER, "orders_to_redact": [901]}).encode()

    def cut_short(*_: Any) -> None:
        raise TryLater("the table is busy")

    shop.store = shop.parts.stores.save(shop.store.model_copy(update={"platform": Platform.SHOPIFY}))
    headers = {"X-Shopify-Topic": "customers/redact", "X-Shopify-Hmac-Sha256": signature(body)}
    sent: list[Any] = []
    monkeypatch.setattr(shop.queue, "send", lambda message, _: sent.append(message))
    shop.hear([(headers, body)])
    record = {"Records": [{"messageId": "1", "body": json.dumps(sent[0])}]}
    with monkeypatch.context() as patched:
        patched.setattr(PrivacyRequests, "forget_order", cut_short)
        assert ingest(record, None)["batchItemFailures"]
    assert [one.status for one in requests(shop)] == ["running"]
    assert ingest(record, None)["batchItemFailures"] == []
    (request,) = requests(shop)
    assert (request.status, request.contact_ids) == (RequestStatus.DONE, (contact_id,))


def test_an_export_is_gzip_and_gone_without_its_object(shop: Listening) -> None:
    plant(shop)
    data_request(shop)
    (key,) = exports(shop)
    assert EMAIL in gzip.decompress(shop.bucket.kept[key]).decode()
    del shop.bucket.kept[key]
    with pytest.raises(NotFound):
        shop.parts.privacy_requests.content(requests(shop)[0])
