from __future__ import annotations

from typing import Any

import pytest

from tests.api.client import Caller

VISIT = {
    "id": "visit-1",
    "type": "showroom_visited",
    "contact": {"email": "dana@shopper.example"},
    "occurred_at": "2026-11-21T20:00:00Z",
    "properties": {"city": "חיפה", "minutes": 12.5},
}


@pytest.fixture
def path(store: dict[str, Any]) -> str:
    return f"/v1/stores/{store['id']}"


def test_an_event_makes_its_contact_and_stands_in_the_timeline(call: Caller, path: str) -> None:
    taken = call("POST", f"{path}/events", VISIT)
    assert taken.status == 202
    contact_id = taken.json["contact_id"]
    assert call("GET", f"{path}/contacts?email=dana@shopper.example").json["items"][0]["id"] == contact_id
    timeline = call("GET", f"{path}/contacts/{contact_id}/timeline").json["items"]
    visit = next(entry for entry in timeline if entry["type"] == "showroom_visited")
    assert visit["occurred_at"] == "2026-11-21T20:00:00.000Z"
    assert visit["properties"] == VISIT["properties"]


def test_the_same_id_twice_counts_once(call: Caller, path: str) -> None:
    first = call("POST", f"{path}/events", VISIT)
    again = call("POST", f"{path}/events", VISIT | {"properties": {"city": "other"}})
    assert (first.status, again.status) == (202, 202)
    assert first.json == again.json
    timeline = call("GET", f"{path}/contacts/{first.json['contact_id']}/timeline").json["items"]
    visits = [entry for entry in timeline if entry["type"] == "showroom_visited"]
    assert [visit["properties"] for visit in visits] == [VISIT["properties"]]


@pytest.mark.parametrize("contact", [{"phone": "+972505550101"}, {"email": "Dana@shopper.example"}])
def test_an_event_finds_a_known_contact(call: Caller, path: str, contact: dict[str, str]) -> None:
    known = call("POST", f"{path}/contacts", {"email": "dana@shopper.example", "phone": "050-555-0101"}).json
    taken = call("POST", f"{path}/events", VISIT | {"contact": contact})
    assert taken.json["contact_id"] == known["id"]
    by_id = call("POST", f"{path}/events", VISIT | {"id": "visit-2", "contact": {"id": known["id"]}})
    assert by_id.json["contact_id"] == known["id"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"id": ""}, "id"),
        ({"id": "x" * 201}, "id"),
        ({"id": "a\u0000"}, "id"),
        ({"id": "order_paid:x:1"}, "id"),
        ({"type": "Visit!"}, "type"),
        ({"type": "order_paid"}, "type"),
        ({"type": "message_opened"}, "type"),
        ({"type": "threshold_reached"}, "type"),
        ({"type": "unsubscribed"}, "type"),
        ({"id": "gathered:x"}, "id"),
        ({"id": "message_opened:x"}, "id"),
        ({"id": "started:x:y"}, "id"),
        ({"contact": {}}, "contact"),
        ({"contact": {"email": "dana@shopper.example", "name": "x"}}, "contact.name"),
        ({"contact": {"id": "nobody"}}, "contact.id"),
        ({"occurred_at": "yesterday"}, "occurred_at"),
        ({"occurred_at": "2026-11-21"}, "occurred_at"),
        ({"occurred_at": "2026-11-21T20:00:00"}, "occurred_at"),
        ({"occurred_at": "2026-11-22T20:00:00Z"}, "occurred_at"),
        ({"occurred_at": "2026-02-30T20:00:00Z"}, "occurred_at"),
        ({"occurred_at": 5}, "occurred_at"),
        ({"properties": []}, "properties"),
        ({"properties": {"x": "y" * 40_000}}, "properties"),
        ({"properties": {"x": "\ud800"}}, "properties.x"),
        ({"type": "product_viewed"}, "properties.product_id"),
        ({"type": "product_viewed", "properties": {"product_id": 12}}, "properties.product_id"),
        ({"type": "wish_list_changed", "properties": {"added": "12"}}, "properties.added"),
        ({"type": "watch_requested", "properties": {"cancelled": True}}, "properties"),
        ({"type": "topic_interest", "properties": {"topic": "tea", "score": 101}}, "properties.score"),
        ({"type": "survey_answered", "properties": {"survey": "why", "answers": {"q": {}}}}, "properties.answers"),
        (
            {"type": "linked_record_changed", "properties": {"kind": "pet", "id": "1", "fields": {"x": "y" * 1100}}},
            "properties.fields",
        ),
    ],
)
def test_a_bad_event_is_refused_by_field(call: Caller, path: str, change: dict[str, Any], field: str) -> None:
    refused = call("POST", f"{path}/events", VISIT | change)
    assert refused.status == 422
    assert refused.fields == [field]


def test_an_event_named_like_an_orders_may_hold_anything(call: Caller, path: str) -> None:
    for held in (["x"], {"x": 1}, 5, None):
        told = VISIT | {"id": f"order-{held}", "type": "order_shipped", "properties": {"order_id": held}}
        assert call("POST", f"{path}/events", told).status == 202


def test_an_event_of_nobody_is_refused(call: Caller, path: str) -> None:
    assert call("POST", f"{path}/events", VISIT | {"contact": {"id": "0" * 26}}).status == 404
    assert call("POST", f"{path}/events", VISIT | {"contact": {"email": "nonsense"}}).status == 422


def test_what_a_contact_did_is_shown_as_it_stands(call: Caller, path: str) -> None:
    def tell(event_id: str, type_: str, **properties: Any) -> str:
        told = call("POST", f"{path}/events", VISIT | {"id": event_id, "type": type_, "properties": properties})
        assert told.status == 202
        return str(told.json["contact_id"])

    tell("1", "product_viewed", product_id="12", categories=["7"], seconds=20, in_stock=False, name="Tea")
    tell("2", "wish_list_changed", added=["12"])
    tell("3", "watch_requested", category="7")
    tell("4", "segment_entered", segment="vip")
    tell("5", "survey_answered", survey="why", answers={"reason": "price", "stars": 4})
    tell("6", "topic_interest", topic="tea", score=62.5)
    contact_id = tell("7", "linked_record_changed", kind="pet", id="rex", fields={"species": "dog"})
    at = VISIT["occurred_at"].replace("Z", ".000Z")
    assert call("GET", f"{path}/contacts/{contact_id}/engagement").json == {
        "views": [{"at": at, "product_id": "12", "categories": ["7"], "seconds": 20, "out_of_stock": True}],
        "wish_list": ["12"],
        "asked": ["category:7"],
        "segments": ["vip"],
        "topics": {"tea": 62.5},
        "answers": {"why": {"reason": "price", "stars": 4}},
        "linked": [{"kind": "pet", "id": "rex", "fields": {"species": "dog"}, "at": at}],
        "last": {"visit": at, "open": None, "click": None},
    }
    assert call("GET", f"{path}/contacts/{'0' * 26}/engagement").status == 404
