from __future__ import annotations

from typing import Any

import pytest

from tests.api.client import Caller
from tests.api.conftest import SHOP, ApiWiring
from tests.conftest import HandClock

DANA = {"email": "Dana@Shopper.example", "phone": "050-555-0101", "external_id": "7", "first_name": "דנה"}


@pytest.fixture
def path(store: dict[str, Any]) -> str:
    return f"/v1/stores/{store['id']}/contacts"


def test_a_new_contact_is_made_and_shown_whole(call: Caller, path: str) -> None:
    made = call("POST", path, DANA | {"lists": ["news"], "tags": ["vip"], "fields": {"shoe": 38}})
    assert made.status == 201
    contact = made.json
    assert contact["email"] == "dana@shopper.example"
    assert contact["phone"] == "+972505550101"
    assert contact["first_name"] == "דנה"
    assert contact["external_ids"] == ["7"]
    assert (contact["lists"], contact["tags"], contact["fields"]) == (["news"], ["vip"], {"shoe": 38})
    assert (contact["orders_count"], contact["total_spent"]) == (0, {"amount": 0, "currency": "ILS"})
    known = {channel: [value for value in told.values() if value] for channel, told in contact["consent"].items()}
    assert known == {"email": ["never_asked"], "sms": ["never_asked"], "whatsapp": ["never_asked"]}
    assert call("GET", f"{path}/{contact['id']}").json == contact


def test_the_same_person_again_is_changed_not_doubled(call: Caller, path: str) -> None:
    first = call("POST", path, DANA)
    again = call("POST", path, {"email": "DANA@shopper.example", "last_name": "Levi", "lists": ["news"]})
    assert (first.status, again.status) == (201, 200)
    assert again.json["id"] == first.json["id"]
    assert (again.json["first_name"], again.json["last_name"]) == ("דנה", "Levi")
    assert len(call("GET", path).json["items"]) == 1


@pytest.mark.parametrize(
    "query",
    [
        "email=dana@shopper.example",
        "email=DANA%40shopper.example",
        "phone=0505550101",
        "phone=%2B972505550101",
        "external_id=7",
    ],
)
def test_a_contact_is_found_by_each_identity(call: Caller, path: str, query: str) -> None:
    made = call("POST", path, DANA).json
    call("POST", path, {"email": "other@shopper.example"})
    assert call("GET", f"{path}?{query}").json == {"items": [made], "next": None}


def test_nobody_is_found_by_what_nobody_has(call: Caller, path: str) -> None:
    call("POST", path, DANA)
    for query in ("email=nobody@shopper.example", "email=nonsense", "phone=abc", "external_id=8"):
        assert call("GET", f"{path}?{query}").json["items"] == []
    assert call("GET", f"{path}?email=dana@shopper.example&external_id=8").json["items"] == []
    assert call("GET", f"{path}?segment=vip").fields == ["segment"]
    assert call("GET", f"{path}?email=").fields == ["email"]


def test_a_list_is_a_filter_and_pages_go_on(call: Caller, path: str, clock: HandClock) -> None:
    for number in range(7):
        clock.advance(seconds=1)
        lists = ["even"] if number % 2 == 0 else ["odd"]
        call("POST", path, {"email": f"shopper{number}@shopper.example", "lists": lists})
    seen: list[str] = []
    following = f"{path}?list=even&limit=2"
    while following:
        page = call("GET", following).json
        seen += [contact["email"] for contact in page["items"]]
        assert len(seen) <= 5
        following = page["next"] and f"{path}?list=even&limit=2&cursor={page['next']}"
    assert seen == [f"shopper{number}@shopper.example" for number in (0, 2, 4, 6)]


def test_consent_keeps_source_and_time_and_the_latest_wins(call: Caller, path: str, clock: HandClock) -> None:
    given = {"email": {"status": "subscribed", "source": "footer form", "at": "2026-11-20T10:00:00+02:00"}}
    contact = call("POST", path, DANA | {"consent": given}).json
    told = contact["consent"]["email"]
    assert (told["status"], told["source"], told["at"]) == ("subscribed", "footer form", "2026-11-20T08:00:00.000Z")
    older = {"email": {"status": "unsubscribed", "at": "2026-11-19T10:00:00Z"}}
    one = f"{path}/{contact['id']}"
    assert call("PATCH", one, {"consent": older}).json["consent"]["email"]["status"] == "subscribed"
    changed = call("PATCH", one, {"consent": {"email": {"status": "unsubscribed"}}}).json
    assert changed["consent"]["email"]["status"] == "unsubscribed"
    assert changed["consent"]["email"]["source"] == "api"
    ahead = {"email": {"status": "subscribed", "at": "2030-01-01T00:00:00Z"}}
    assert call("PATCH", one, {"consent": ahead}).fields == ["consent.email.at"]


def test_a_change_replaces_lists_and_merges_fields(call: Caller, path: str) -> None:
    contact = call("POST", path, DANA | {"lists": ["a", "b"], "fields": {"shoe": 38, "pet": "cat"}}).json
    changed = call(
        "PATCH",
        f"{path}/{contact['id']}",
        {"lists": ["b", "c"], "fields": {"pet": None, "city": "חיפה"}, "last_name": "Levi", "timezone": "Asia/Tokyo"},
    )
    assert changed.status == 200
    assert changed.json["lists"] == ["b", "c"]
    assert changed.json["fields"] == {"shoe": 38, "city": "חיפה"}
    assert changed.json["last_name"] == "Levi"
    assert (contact["timezone"], changed.json["timezone"]) == (None, "Asia/Tokyo")
    assert call("PATCH", f"{path}/{contact['id']}", {"timezone": None}).json["timezone"] is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"email": "nonsense"}, "email"),
        ({"email": "a@b"}, "email"),
        ({"phone": "12"}, "phone"),
        ({"email": "dana@shopper.example", "mail": 1}, "mail"),
        ({"email": "dana@shopper.example", "consent": {"pigeon": {"status": "subscribed"}}}, "consent.pigeon"),
        ({"email": "dana@shopper.example", "consent": {"email": {"status": "maybe"}}}, "consent.email.status"),
        (
            {"email": "dana@shopper.example", "consent": {"email": {"status": "subscribed", "at": "now"}}},
            "consent.email.at",
        ),
        ({"email": "dana@shopper.example", "lists": "news"}, "lists"),
        ({"email": "dana@shopper.example", "lists": [""]}, "lists[0]"),
        ({"email": "dana@shopper.example", "fields": {"a.b": 1}}, "fields.a.b"),
        ({"email": "dana@shopper.example", "fields": {"a": {"b": 1}}}, "fields.a"),
        ({"email": "d\u0000@shopper.example"}, "email"),
        ({"email": "dana@shopper.example", "first_name": "\ud800"}, "first_name"),
        ({"email": 5}, "email"),
        ({"email": "dana@shopper.example", "timezone": "Asia/Haifa"}, "timezone"),
        ({"email": "dana@shopper.example", "timezone": "../../etc/hosts"}, "timezone"),
    ],
)
def test_a_bad_contact_is_refused_by_field(call: Caller, path: str, body: dict[str, Any], field: str) -> None:
    refused = call("POST", path, body)
    assert refused.status == 422
    assert any(name.startswith(field) for name in refused.fields), refused.fields
    assert call("GET", path).json["items"] == []


def test_somebody_without_any_identity_is_refused(call: Caller, path: str) -> None:
    assert call("POST", path, {"first_name": "Dana"}).status == 422
    assert call("POST", path, {}).status == 422


def test_many_contacts_are_taken_or_refused_one_by_one(call: Caller, path: str) -> None:
    call("POST", path, DANA)
    given = [{"email": "new@shopper.example"}, {"email": "nonsense"}, DANA, {"mail": 1}, 7]
    answer = call("POST", path, {"contacts": given})
    assert answer.status == 200
    items = answer.json["items"]
    assert [item["status"] for item in items] == ["created", "refused", "changed", "refused", "refused"]
    assert items[1]["errors"][0]["field"] == "email"
    assert {"mail"} <= {error["field"] for error in items[3]["errors"]}
    assert len(call("GET", path).json["items"]) == 2
    assert call("POST", path, {"contacts": []}).fields == ["contacts"]
    assert call("POST", path, {"contacts": [{}] * 1001}).fields == ["contacts"]
    assert call("POST", path, {"contacts": given, "email": "x@shopper.example"}).fields == ["email"]


def test_one_person_many_times_among_many_is_one_contact_and_the_last_word_stays(call: Caller, path: str) -> None:
    given = [{"email": f"shopper{number % 5}@Shopper.example", "last_name": f"L{number}"} for number in range(40)]
    given.append({"email": "shopper0@shopper.example", "phone": "+972505550101", "last_name": "M"})
    given.append({"phone": "050-555-0101", "last_name": "N"})
    items = call("POST", path, {"contacts": given}).json["items"]
    assert [item["status"] for item in items] == ["created"] * 5 + ["changed"] * 37
    assert len({item["id"] for item in items}) == 5
    names = {c["email"]: c["last_name"] for c in call("GET", path).json["items"]}
    assert names["shopper0@shopper.example"] == "N"


def test_an_erased_contact_is_nowhere(call: Caller, path: str, wired: ApiWiring) -> None:
    contact = call("POST", path, DANA).json
    assert call("DELETE", f"{path}/{contact['id']}").status == 204
    for rest in ("", "/timeline", "/export", "/enrolments"):
        assert call("GET", f"{path}/{contact['id']}{rest}").status == 404
    assert call("GET", path).json["items"] == []
    assert call("GET", f"{path}?email=dana@shopper.example").json["items"] == []
    assert call("DELETE", f"{path}/{contact['id']}").status == 404


def test_an_export_holds_everything(call: Caller, path: str, store: dict[str, Any]) -> None:
    contact = call("POST", path, DANA).json
    event = {
        "id": "visit-1",
        "type": "showroom_visited",
        "contact": {"id": contact["id"]},
        "properties": {"city": "חיפה"},
    }
    assert call("POST", f"/v1/stores/{store['id']}/events", event).status == 202
    held = call("GET", f"{path}/{contact['id']}/export")
    assert held.status == 200
    assert held.json["contact"]["email"] == "dana@shopper.example"
    assert "showroom_visited" in held.text
    assert "חיפה" in held.text


def test_contacts_of_another_store_stay_there(call: Caller, path: str) -> None:
    contact = call("POST", path, DANA).json
    other = call("POST", "/v1/stores", SHOP).json
    elsewhere = f"/v1/stores/{other['id']}/contacts"
    assert call("GET", f"{elsewhere}/{contact['id']}").status == 404
    assert call("GET", f"{elsewhere}?email=dana@shopper.example").json["items"] == []


def test_a_consent_that_was_confirmed_elsewhere_comes_with_its_proof(call: Caller, path: str, store: Any) -> None:
    call("PATCH", f"/v1/stores/{store['id']}", {"settings": {"double_opt_in": ["email"]}})
    yes = {
        "status": "subscribed",
        "source": "old newsletter",
        "text": "Yes, weekly",
        "place": "https://shop.example/join",
    }
    bare = call("POST", path, DANA | {"consent": {"email": {"status": "subscribed", "confirmed": True}}})
    assert (bare.status, bare.fields) == (422, ["consent.email.confirmed"])
    asked = call("POST", path, DANA | {"consent": {"email": yes}}).json["consent"]["email"]
    assert (asked["status"], asked["text"], asked["place"]) == ("pending", "Yes, weekly", "https://shop.example/join")
    proven = call("POST", path, DANA | {"consent": {"email": yes | {"confirmed": True}}}).json["consent"]["email"]
    assert (proven["status"], proven["confirmed_at"]) == ("subscribed", proven["at"])
