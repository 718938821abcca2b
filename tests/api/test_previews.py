from __future__ import annotations

from typing import Any

import pytest

from chalicelib.commerce.ports import ProductRecord
from tests.api.client import Caller
from tests.api.conftest import ApiWiring
from tests.journeys.world import RecordingChannel, journey
from tests.messages.shop import product

WORDS = {
    "en": {
        "subject": "Order {{ order.number }} for {{ contact.first_name }}",
        "blocks": [{"type": "text", "text": "See [here](https://tea.shop/x)"}, {"type": "order_items"}],
    }
}


@pytest.fixture
def path(store: dict[str, Any]) -> str:
    return f"/v1/stores/{store['id']}"


@pytest.fixture
def channel(wired: ApiWiring) -> RecordingChannel:
    found: RecordingChannel = wired.email_channel  # type: ignore[assignment]
    return found


def test_a_preview_of_somebody_made_up(call: Caller, path: str) -> None:
    shown = call("POST", f"{path}/previews", {"content": WORDS}).json
    assert shown["subject"].endswith("Order 1001 for Noa")
    assert "A sample product" in shown["html"]
    assert shown["size"] == len(shown["html"].encode())
    sms = call("POST", f"{path}/previews", {"channel": "sms", "text": {"he": "שלום {{ contact.first_name }}"}}).json
    assert "נועה" in sms["text"]
    assert sms["sms_parts"] >= 1


def test_a_preview_with_a_real_contact_in_their_language(call: Caller, path: str) -> None:
    contact = call("POST", f"{path}/contacts", {"email": "gil@shopper.example", "first_name": "Gil"}).json["id"]
    event = {
        "id": "e1",
        "type": "order_cheered",
        "contact": {"id": contact},
        "occurred_at": "2026-11-21T10:00:00Z",
        "properties": {"order_id": "77", "number": "77"},
    }
    assert call("POST", f"{path}/events", event).status in (200, 201, 202)
    asked = {"content": WORDS, "contact_id": contact, "trigger": "order_cheered", "kind": "transactional"}
    assert call("POST", f"{path}/previews", asked).json["subject"] == "Order 77 for Gil"
    assert call("POST", f"{path}/previews", {**asked, "contact_id": "0" * 26}).status == 404


def test_what_is_asked_for_must_be_one_thing_that_is_there(call: Caller, path: str) -> None:
    assert call("POST", f"{path}/previews", {}).status == 422
    assert call("POST", f"{path}/previews", {"content": WORDS, "template": "x"}).status == 422
    assert call("POST", f"{path}/previews", {"template": "none"}).status == 404
    assert call("POST", f"{path}/previews", {"journey": "none", "step": "hi"}).status == 404
    assert call("POST", f"{path}/previews", {"channel": "sms", "text": {"en": "{{ contact.nose }}"}}).status == 422


def test_a_test_goes_to_the_shops_own_people_only(call: Caller, path: str, channel: RecordingChannel) -> None:
    settings = {"sender": {"email": "shop@tea.example"}, "manager": {"email": "boss@tea.example"}}
    assert call("PATCH", path, {"settings": settings}).status == 200
    asked = {"content": WORDS, "to": "somebody@else.example"}
    answer = call("POST", f"{path}/test-messages", asked)
    assert (answer.status, answer.fields) == (422, ["to"])
    assert call("POST", f"{path}/test-messages", {**asked, "to": "boss@tea.example"}).json == {"status": "sent"}
    (email,) = channel.taken
    assert email.to == "boss@tea.example"
    assert "Order 1001" in email.subject
    assert email.subject.startswith("[")
    call("PATCH", path, {"settings": {"sending": "stopped"}})
    assert call("POST", f"{path}/test-messages", {**asked, "to": "boss@tea.example"}).status == 409


def test_the_check_names_what_a_colleague_would_point_at(call: Caller, path: str) -> None:
    words = {
        "en": {
            "subject": "FREE MONEY!!! click here",
            "blocks": [
                {"type": "image", "src": "https://tea.example/a.png", "alt": ""},
                {"type": "text", "text": "Hi {{ contact.first_name }}"},
                {"type": "button", "text": "Go", "url": "http://example.com/x"},
            ],
        }
    }
    mail = {"id": "mail", "type": "send_email", "content": words}
    sms = {"id": "sms", "type": "send_sms", "text": {"en": "long words " * 60}}
    empty = {**words["en"], "preheader": "p", "blocks": [{"type": "text", "text": "{{ event.nothing }}"}]}
    nothing = {"id": "nothing", "type": "send_email", "content": {"en": {**empty, "subject": "Fine"}}}
    assert call("PUT", f"{path}/journeys/hello", journey(mail, sms, nothing)).status == 200
    told = call("GET", f"{path}/journeys/hello/check").json
    assert not told["ready"]
    assert {one["step"] for one in told["items"] if one["level"] == "mistake"} == {"nothing"}
    fields = {(one["step"], one["field"].split(".", 1)[1] if "." in one["field"] else "") for one in told["items"]}
    assert {
        ("mail", "content.en.subject"),
        ("mail", "content.en.preheader"),
        ("mail", "content.en.blocks[0].alt"),
        ("mail", "content.en.blocks[1].text"),
        ("mail", "content.en.blocks[2].url"),
        ("sms", "text.en"),
    } <= fields


def test_a_ready_journey_has_nothing_to_mend(call: Caller, path: str) -> None:
    call("PATCH", path, {"settings": {"sender": {"email": "shop@tea.shop", "address": "1 Tea St"}}})
    templates = call("GET", "/v1/journey-templates?limit=200").json["items"]
    for template in templates[::9]:
        assert call("PUT", f"{path}/journeys/{template['id']}", template["definition"]).status == 200
        told = call("GET", f"{path}/journeys/{template['id']}/check").json
        assert [one for one in told["items"] if one["level"] == "mistake"] == []


def test_links_of_a_test_lead_where_they_lead_and_are_nobodys(
    call: Caller, path: str, channel: RecordingChannel
) -> None:
    call("PATCH", path, {"settings": {"sender": {"email": "shop@tea.example"}}})
    stars = {"type": "rating", "survey": "s", "question": "q", "text": "How was it?"}
    smart = {"type": "button", "text": "Yes", "url": "https://tea.shop/club", "smart": {"name": "club"}}
    words = {"en": {**WORDS["en"], "blocks": [*WORDS["en"]["blocks"], stars, smart]}}
    consent = {"email": {"status": "subscribed", "at": "2026-11-21T08:00:00Z"}}
    contact = call("POST", f"{path}/contacts", {"email": "gil@shopper.example", "consent": consent}).json["id"]
    asked = {"content": words, "contact_id": contact, "to": "shop@tea.example"}
    assert call("POST", f"{path}/test-messages", asked).status == 200
    (email,) = channel.taken
    for where in (email.html, email.text):
        assert "https://tea.shop/x" in where
        assert "https://tea.shop/club" in where
        assert "/l/" not in where
        assert "agala:" not in where
    address = email.headers["List-Unsubscribe"].strip("<>")
    assert call("POST", f"/u/{address.rpartition('/')[2]}", {}).status == 200
    choose = next(word for word in email.text.split() if "/p/" in word)
    shown = call("GET", f"/p/{choose.rpartition('/')[2]}")
    assert shown.status == 200
    assert call("GET", f"{path}/contacts/{contact}").json["consent"]["email"]["status"] == "subscribed"
    sms = {"channel": "sms", "text": {"en": "Here: https://tea.shop/a-long-way-to-go"}}
    assert "/l/" in call("POST", f"{path}/previews", sms).json["text"]


def test_a_ready_email_is_shown_about_what_it_is_for(
    call: Caller, path: str, wired: ApiWiring, store: dict[str, Any]
) -> None:
    told = call("POST", f"{path}/previews", {"template": "cart-reminder", "language": "en"}).json
    assert "A sample product" in told["text"]
    tea = ProductRecord(store_id=store["id"], external_id="12", product=product("12", name="Green tea"))
    wired.products.save(tea)
    told = call("POST", f"{path}/previews", {"template": "restock", "language": "en"}).json
    assert "Green tea" in told["text"]
