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
    focus = {
        "type": "focus",
        "if": {"field": "first_name", "is": "equals", "value": "Gil"},
        "blocks": [{"type": "text", "text": "Only Gil reads this"}],
        "else": [{"type": "text", "text": "Others read that"}],
    }
    focused = {"content": {"en": {"subject": "x", "blocks": [focus]}}}
    assert "Only Gil" in call("POST", f"{path}/previews", {**focused, "contact_id": contact}).json["text"]
    assert "Others" in call("POST", f"{path}/previews", focused).json["text"]


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
    assert 'href="https://tea.shop/x"' in email.html  # as it will lead; a test is nobody's click
    assert "/l/" not in email.html + email.text
    assert "00000000000000000000000000-" in email.headers["List-Unsubscribe"]
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


def test_a_test_of_somebodys_message_leads_where_it_should_and_never_to_their_choices(
    call: Caller, path: str, channel: RecordingChannel, wired: ApiWiring
) -> None:
    """Whoever tries the unsubscribe button of a test must not unsubscribe the customer; and links of what is kept
    nowhere lead to themselves, or nobody could try them."""
    call("PATCH", path, {"settings": {"manager": {"email": "boss@tea.example", "phone": "+972505550188"}}})
    consent = {"email": {"status": "subscribed", "source": "checkout"}}
    known = {"email": "gil@shopper.example", "first_name": "Gil", "consent": consent}
    contact = call("POST", f"{path}/contacts", known).json["id"]
    smart = {"type": "button", "text": "Like", "url": "https://tea.shop/like", "smart": {"name": "likes"}}
    rating = {"type": "rating", "survey": "s", "question": "q", "text": "How?"}
    words = {"en": {**WORDS["en"], "blocks": [*WORDS["en"]["blocks"], smart, rating]}}
    asked = {"content": words, "contact_id": contact, "to": "boss@tea.example"}
    assert call("POST", f"{path}/test-messages", asked).json == {"status": "sent"}
    (email,) = channel.taken
    assert 'href="https://tea.shop/x"' in email.html and 'href="https://tea.shop/like"' in email.html
    assert "agala:" not in email.html + email.text and "/l/" not in email.html + email.text
    token = email.headers["List-Unsubscribe"].rpartition("/")[2].removesuffix(">")
    link = wired.links.read_unsubscribe(token)
    assert link is not None and link.contact_id == "0" * 26
    assert contact not in email.html + email.text
    wired.choices.leave(link, [link.channel], "unsubscribe_link")
    stands = wired.contacts.get(path.rpartition("/")[2], contact)
    assert stands is not None and stands.consent_for(link.channel).status == "subscribed"
    sms = {"channel": "sms", "text": {"en": "Hi https://tea.shop/x"}, "to": "+972505550188", "contact_id": contact}
    shown = call("POST", f"{path}/previews", {name: value for name, value in sms.items() if name != "to"}).json
    assert "https://tea.shop/x" not in shown["text"] and contact not in shown["text"], "as long as it will be"


def test_addresses_that_are_none_are_named_and_following_ends_in_time(
    call: Caller, path: str, wired: ApiWiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many addresses are slow: the gateway in front of us gives up after 29 seconds."""
    links = "".join(f" [x](https://tea.shop/{number})" for number in range(20))
    words = {"en": {"subject": "Hi", "blocks": [{"type": "text", "text": f"See [here](https://[b){links}"}]}}
    assert (
        call("PUT", f"{path}/journeys/hello", journey({"id": "m", "type": "send_email", "content": words})).status
        == 200
    )
    told = call("GET", f"{path}/journeys/hello/check")
    assert told.status == 200
    assert "this is no address" in {one["message"] for one in told.json["items"]}
    spent = [0.0]

    def slow(address: str, seconds: float) -> bool:
        spent[0] += 2 * seconds
        return False

    monkeypatch.setattr(wired, "is_gone", slow, raising=False)
    monkeypatch.setattr("chalicelib.handlers.api.previews.monotonic", lambda: spent[0])
    assert call("GET", f"{path}/journeys/hello/check?follow=true").status == 200
    assert 0 < spent[0] <= 20


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


def test_a_channel_that_nothing_is_sent_on_says_so(call: Caller, path: str) -> None:
    asked = {"channel": "whatsapp", "text": {"en": "Hello"}}
    for place, more in (("previews", {}), ("test-messages", {"to": "+972505550188"})):
        answer = call("POST", f"{path}/{place}", {**asked, **more})
        assert answer.status == 422 and "WhatsApp number" in answer.text
    step = {"id": "wa", "type": "send_whatsapp", "text": {"en": "Hello"}}
    assert call("PUT", f"{path}/journeys/hello", journey(step)).status == 200
    told = call("GET", f"{path}/journeys/hello/check")
    assert [one["field"] for one in told.json["items"] if one["level"] == "mistake"] == ["steps[0].text.en"]


@pytest.mark.parametrize("until", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00"])
def test_a_countdown_to_the_end_of_time_is_refused_and_not_failed_at(call: Caller, path: str, until: str) -> None:
    words = {"en": {"subject": "s", "blocks": [{"type": "countdown", "until": until}, {"type": "text", "text": "x"}]}}
    answer = call("POST", f"{path}/previews", {"content": words})
    assert (answer.status, "this century" in answer.text) == (422, True)


def test_a_ready_email_is_shown_about_what_it_is_for(
    call: Caller, path: str, wired: ApiWiring, store: dict[str, Any]
) -> None:
    told = call("POST", f"{path}/previews", {"template": "cart-reminder", "language": "en"}).json
    assert "A sample product" in told["text"]
    tea = ProductRecord(store_id=store["id"], external_id="12", product=product("12", name="Green tea"))
    wired.products.save(tea)
    told = call("POST", f"{path}/previews", {"template": "restock", "language": "en"}).json
    assert "Green tea" in told["text"]
