"""What we hold, read over the API: orders, products, timeline, enrolments, messages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.commerce.event import Event
from chalicelib.commerce.money import Money
from chalicelib.commerce.order import LineItem, Order, OrderStatus
from chalicelib.commerce.ports import CollectionRecord, OrderRecord, ProductRecord
from chalicelib.commerce.product import Category, Product
from chalicelib.commerce.product_intake import with_product
from chalicelib.commerce.snapshot import Version
from chalicelib.contacts.consent import Channel
from chalicelib.contacts.contact import Contact
from chalicelib.contacts.person import Person
from chalicelib.contacts.ports import Writing
from chalicelib.ids import enrolment_id, message_id
from chalicelib.journeys.enrolment import Enrolment, EnrolmentStatus, Passage
from chalicelib.journeys.journey import Journey
from chalicelib.messages.message import HistoryEntry, Message, MessageKind, MessageStatus
from tests.api.client import Caller
from tests.api.conftest import ApiWiring

NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
DANA = "01m7z00000000000000000dana"


def shekels(amount: int) -> Money:
    return Money(amount=amount, currency="ILS")


@pytest.fixture
def dana(wired: ApiWiring, store: dict[str, Any]) -> str:
    """A contact with five events, two passes through journeys and a message of each."""
    sid = store["id"]
    contact = Contact(id=DANA, store_id=sid, email="dana@shopper.example", total_spent=shekels(0), created_at=NOON)
    happened = tuple(
        Event(id=f"page:{n}", type="page_viewed", occurred_at=NOON + timedelta(hours=n), properties={"n": n})
        for n in range(5)
    )
    wired.contacts.write(sid, [Writing(DANA, contact=contact, events=happened)])
    for number, journey in enumerate(("hello", "goodbye")):
        entered = NOON + timedelta(minutes=10 + number)
        wired.journeys.save(Journey(id=journey, store_id=sid, created_at=NOON, updated_at=NOON))
        enrolment = Enrolment(
            id=enrolment_id(DANA, sid, journey, "once"),
            store_id=sid,
            journey=journey,
            contact_id=DANA,
            version=1,
            entry_key="once",
            at_step="mail-1",
            entered_at=entered,
            history=(Passage(at=entered, what="entered"),),
        )
        wired.enrolments.create(enrolment)
        claim = Message(
            id=message_id(enrolment.id, "mail-1"),
            store_id=sid,
            contact_id=DANA,
            enrolment_id=enrolment.id,
            journey=journey,
            step="mail-1",
            channel=Channel.EMAIL,
            kind=MessageKind.MARKETING,
            status=MessageStatus.NOT_SENT,
            reason="no_consent",
            created_at=entered + timedelta(minutes=5),
            at=entered + timedelta(minutes=5),
            history=(HistoryEntry(at=entered + timedelta(minutes=5), status="not_sent", detail="no_consent"),),
        )
        wired.messages.claim(claim)
    return DANA


def test_an_order_shows_what_the_store_told_last(call: Caller, wired: ApiWiring, store: dict[str, Any]) -> None:
    line = LineItem(product_id="12", name="תה", quantity=2, total=shekels(5000), categories=("7",))
    order = Order(
        external_id="15",
        number="15",
        status=OrderStatus.PAID,
        version=Version(modified_at=NOON),
        total=shekels(5000),
        refunded=shekels(1000),
        items=(line,),
        person=Person(email="dana@shopper.example"),
        placed_at=NOON,
        paid_at=NOON,
    )
    wired.orders.write(OrderRecord(store_id=store["id"], external_id="15", order=order, delivered_at=NOON), [])
    seen = call("GET", f"/v1/stores/{store['id']}/orders/15")
    assert seen.status == 200
    assert seen.json["status"] == "paid"
    assert seen.json["total"] == {"amount": 5000, "currency": "ILS"}
    assert seen.json["refunded"] == {"amount": 1000, "currency": "ILS"}
    assert seen.json["items"][0]["product_id"] == "12"
    assert seen.json["placed_at"] == seen.json["delivered_at"] == "2026-11-01T12:00:00.000Z"
    assert "dana" not in seen.text


def test_a_huge_id_and_the_shoppers_own_currency_are_shown_exactly(
    call: Caller, wired: ApiWiring, store: dict[str, Any]
) -> None:
    number = str(2**63 + 1)
    line = LineItem(product_id=number, variation_id=number, name="תה", quantity=1, total=shekels(20000))
    order = Order(
        external_id=number,
        number="1001",
        status=OrderStatus.PAID,
        version=Version(modified_at=NOON),
        total=shekels(20000),
        presentment_total=Money(amount=55, currency="JPY"),
        refunded=shekels(0),
        items=(line,),
        person=Person(),
        placed_at=NOON,
    )
    wired.orders.write(OrderRecord(store_id=store["id"], external_id=number, order=order), [])
    seen = call("GET", f"/v1/stores/{store['id']}/orders/{number}").json
    assert (seen["external_id"], seen["items"][0]["product_id"], seen["items"][0]["variation_id"]) == (number,) * 3
    assert (seen["total"], seen["presentment_total"]) == (
        {"amount": 20000, "currency": "ILS"},
        {"amount": 55, "currency": "JPY"},
    )


def test_a_product_shows_its_collections_by_their_newest_names(
    call: Caller, wired: ApiWiring, store: dict[str, Any]
) -> None:
    product = Product(
        external_id="12",
        version=Version(modified_at=NOON),
        name="תה",
        categories=(Category(id="type:tea", name="Tea"),),
    )
    collections = tuple(Category(id=number, name=f"as it was {number}") for number in ("501", "502", "503"))
    wired.products.save(ProductRecord(store_id=store["id"], external_id="12", product=product, collections=collections))
    wired.products.save_collection(
        CollectionRecord(store_id=store["id"], external_id="502", name="Winter", named_by="1")
    )
    wired.products.save_collection(CollectionRecord(store_id=store["id"], external_id="503", deleted=True))
    seen = call("GET", f"/v1/stores/{store['id']}/products/12").json
    assert seen["categories"] == [
        {"id": "type:tea", "name": "Tea"},
        {"id": "501", "name": "as it was 501"},
        {"id": "502", "name": "Winter"},
    ]


def test_a_product_shows_since_when_it_is_back(call: Caller, wired: ApiWiring, store: dict[str, Any]) -> None:
    record = ProductRecord(store_id=store["id"], external_id="12")
    for minute, there in enumerate((True, False, True, True)):
        version = Version(modified_at=NOON + timedelta(minutes=minute))
        told = Product(external_id="12", version=version, name="תה", in_stock=there)
        record = with_product(record, told)
        wired.products.save(record)
        seen = call("GET", f"/v1/stores/{store['id']}/products/12").json
        assert seen["back_in_stock_at"] == (None if minute < 2 else "2026-11-01T12:02:00.000Z")
        record = wired.products.get(store["id"], "12") or record


def test_a_product_shows_price_stock_categories_picture_and_address(
    call: Caller, wired: ApiWiring, store: dict[str, Any]
) -> None:
    product = Product(
        external_id="12",
        version=Version(modified_at=NOON),
        name="תה",
        price=shekels(2500),
        in_stock=False,
        categories=(Category(id="7", name="Teas"),),
        image="https://shop.example/tea.png",
        url="https://shop.example/tea",
    )
    wired.products.save(ProductRecord(store_id=store["id"], external_id="12", product=product))
    seen = call("GET", f"/v1/stores/{store['id']}/products/12").json
    assert seen["price"] == {"amount": 2500, "currency": "ILS"}
    assert seen["in_stock"] is False
    assert seen["categories"] == [{"id": "7", "name": "Teas"}]
    assert (seen["image"], seen["url"]) == (product.image, product.url)


@pytest.mark.parametrize("identifier", ["99", "%F0%9F%98%80", "%00", "%ED%A0%80", "a" * 129, "%D7%90", "1%202"])
def test_what_the_store_never_told_is_not_found(call: Caller, store: dict[str, Any], identifier: str) -> None:
    for kind in ("orders", "products"):
        assert call("GET", f"/v1/stores/{store['id']}/{kind}/{identifier}").status == 404


def test_a_timeline_has_events_journeys_and_messages_newest_first(
    call: Caller, store: dict[str, Any], dana: str
) -> None:
    path = f"/v1/stores/{store['id']}/contacts/{dana}/timeline"
    whole = call("GET", path).json
    assert [entry["type"] for entry in whole["items"]] == [
        "page_viewed",
        "page_viewed",
        "page_viewed",
        "page_viewed",
        "message_not_sent",
        "message_not_sent",
        "journey_entered",
        "journey_entered",
        "page_viewed",
    ]
    assert whole["next"] is None
    paged: list[Any] = []
    following = "?limit=2"
    while following:
        page = call("GET", path + following).json
        assert len(page["items"]) <= 2
        paged += page["items"]
        assert len(paged) <= len(whole["items"])
        following = page["next"] and f"?limit=2&cursor={page['next']}"
    assert paged == whole["items"]


def test_enrolments_are_listed_by_journey_and_by_contact(
    call: Caller, wired: ApiWiring, store: dict[str, Any], dana: str
) -> None:
    sid = store["id"]
    of_contact = call("GET", f"/v1/stores/{sid}/contacts/{dana}/enrolments").json["items"]
    assert [enrolment["journey"] for enrolment in of_contact] == ["hello", "goodbye"]
    of_journey = call("GET", f"/v1/stores/{sid}/journeys/goodbye/enrolments").json["items"]
    assert of_journey == of_contact[1:]
    assert of_journey[0]["status"] == "running"
    assert of_journey[0]["at_step"] == "mail-1"
    ended = wired.enrolments.of_contact(sid, dana)[0].model_copy(
        update={"status": EnrolmentStatus.GOAL_MET, "ended_at": NOON + timedelta(days=1), "reason": "goal"}
    )
    wired.enrolments.save(ended)
    seen = call("GET", f"/v1/stores/{sid}/journeys/hello/enrolments").json["items"][0]
    assert (seen["status"], seen["ended_at"], seen["reason"]) == ("goal_met", "2026-11-02T12:00:00.000Z", "goal")
    newest = call("GET", f"/v1/stores/{sid}/contacts/{dana}/timeline").json["items"][0]
    assert (newest["type"], newest["properties"]["status"]) == ("journey_ended", "goal_met")


def test_messages_are_listed_with_their_reason_and_by_contact_and_journey(
    call: Caller, store: dict[str, Any], dana: str
) -> None:
    path = f"/v1/stores/{store['id']}/messages"
    everything = call("GET", path).json["items"]
    assert [message["journey"] for message in everything] == ["hello", "goodbye"]
    assert everything[0]["status"] == "not_sent"
    assert everything[0]["reason"] == "no_consent"
    assert everything[0]["history"][0]["status"] == "not_sent"
    assert call("GET", f"{path}?contact_id={dana}").json["items"] == everything
    assert call("GET", f"{path}?journey=goodbye").json["items"] == everything[1:]
    assert call("GET", f"{path}?contact_id={dana}&journey=hello").json["items"] == everything[:1]
    assert call("GET", f"{path}?contact_id={'0' * 26}").json == {"items": [], "next": None}
    first = call("GET", f"{path}?limit=1").json
    assert call("GET", f"{path}?limit=1&cursor={first['next']}").json["items"] == everything[1:]
    assert call("GET", f"{path}?contact_id=nobody").fields == ["contact_id"]
    assert call("GET", f"{path}?journey=No!").fields == ["journey"]


def test_records_of_nobody_are_not_found(call: Caller, store: dict[str, Any]) -> None:
    nobody = f"/v1/stores/{store['id']}/contacts/{'0' * 26}"
    assert call("GET", f"{nobody}/timeline").status == 404
    assert call("GET", f"{nobody}/enrolments").status == 404
    assert call("GET", f"/v1/stores/{store['id']}/journeys/none/enrolments").status == 404


def test_the_gallery_lists_ready_journeys_in_both_languages(call: Caller) -> None:
    templates = call("GET", "/v1/journey-templates").json["items"]
    assert {"thank-you-new", "replenishment", "repeat-purchase"} <= {template["id"] for template in templates}
    for template in templates:
        assert {"he", "en"} <= set(template["name"])
        assert template["touches"] >= 0
        assert template["definition"]["steps"]


def test_the_gallery_page_by_page_is_the_whole_gallery(call: Caller) -> None:
    ids: list[str] = []
    cursor = ""
    while cursor is not None:  # every page size parts other neighbours, such as x-y-z from x-y
        answer = call("GET", f"/v1/journey-templates?limit=1{cursor and f'&cursor={cursor}'}").json
        ids += [template["id"] for template in answer["items"]]
        cursor = answer["next"]
    assert ids == [template["id"] for template in call("GET", "/v1/journey-templates").json["items"]]
    assert ids == sorted(set(ids))


def test_the_ready_emails_are_listed_page_by_page_and_fit_a_journey_as_they_are(
    call: Caller, store: dict[str, Any]
) -> None:
    first = call("GET", "/v1/message-templates?limit=14").json
    rest = call("GET", f"/v1/message-templates?cursor={first['next']}").json
    templates = [*first["items"], *rest["items"]]
    assert (len(templates), rest["next"]) == (15, None)
    for template in templates:
        assert all({"he", "en"} == set(template[part]) for part in ("name", "description", "use", "content"))
    steps = [
        {"id": one["id"], "type": "send_email", "title": one["name"], "content": one["content"]} for one in templates
    ]
    definition = {
        "name": {"en": "All"},
        "trigger": {"type": "order_paid"},
        "reentry": {"mode": "once"},
        "steps": steps,
    }
    assert call("PUT", f"/v1/stores/{store['id']}/journeys/all", definition).status == 200
