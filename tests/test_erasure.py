"""An erased person is gone from every place we keep anything, and nothing goes on that was about them."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.commerce.change import ErasureAsked
from chalicelib.commerce.coupon import Coupon, coupon_code
from chalicelib.commerce.event import Event
from chalicelib.commerce.intake import ContactRef
from chalicelib.commerce.store import Platform, StoreSettings
from chalicelib.contacts.book import ContactInput
from chalicelib.contacts.consent import Channel, Consent, ConsentChange, ConsentStatus
from chalicelib.messages.followed import Sighting
from chalicelib.messages.message import MessageStatus
from chalicelib.messages.replies import Reply
from chalicelib.messages.reports import Report
from chalicelib.store_adapters.envelope import by_object
from local.demo.carts import Cart
from local.demo.shop import GREEN, Shopper
from local.demo.woocommerce import CustomerAccount, Purchase, delivery
from tests.any_order import Listening, Told, listening
from tests.conftest import HandClock
from tests.journeys.world import RecordingWebhooks, journey, mail, pause
from tests.memory_client import MemoryTables
from tests.recorded import SECRET, signature
from tests.test_any_order import HEBREW, NOW

PLANTED = Shopper(77, "Quillfeather", "Zubrowka")
TOKEN = "0123456789abcdef"
EMAIL, PHONE = "quillfeather.zubrowka@plant.example", "+972505550177"
CHOICES = [{"value": "yes", "label": "Yes"}, {"value": "no", "label": "No"}]
WORDS = ("quillfeather", "zubrowka", "plant.example", "505550177", "050-555-0177", "0505550177")


@pytest.fixture
def shop(tables: MemoryTables) -> Iterator[Listening]:
    with listening(tables, HandClock(NOW), HEBREW) as listener:
        yield listener


def cart(minutes_ago: float, token: str = TOKEN) -> Told:
    """A call of the plugin whose restore link, as a shop's may, names the person."""
    basket = Cart(token, PLANTED, ((GREEN, 1),), "https://tea.example", EMAIL, PHONE, consent=("email", "sms"))
    call = basket.call("checkout", NOW - timedelta(minutes=minutes_ago))
    return {"X-Agala-Signature": "-"}, call.body.replace(
        b"agala-restore=", b"email=quillfeather.zubrowka&agala-restore="
    )


def told(topic: str, content: Any) -> Told:
    made = delivery(SECRET, topic, content, NOW)
    return made.headers, made.body


def purchase(number: int, guest: bool = False) -> Purchase:
    placed = NOW - timedelta(hours=2)
    return Purchase(number, PLANTED, ((GREEN, 1),), placed, "subscribed", guest=guest, email=EMAIL)


def plant(shop: Listening) -> str:
    """Orders, an account, a parked text, messages, events and enrolments of one person; their contact's id."""
    thanks = mail("thanks")
    thanks["kind"] = "marketing"
    thanks["content"]["en"]["subject"] = "{{ contact.first_name }}, thank you"
    shop.activate(
        {
            "thanks": journey(thanks, pause(days=3), mail("more")),
            "asked": journey(pause(days=2), mail("later"), trigger={"type": "api_event", "name": "asked"}),
            "left": journey(pause(days=1), mail("come-back"), trigger={"type": "cart_abandoned"}),
            "checkout": journey(pause(hours=9), mail("go-on"), trigger={"type": "checkout_started"}),
        }
    )
    paid = NOW - timedelta(hours=1)
    order = told("order.updated", purchase(901).told("processing", NOW, paid=paid))
    shop.hear(
        [
            order,
            order,
            cart(100, "left-" + TOKEN),
            cart(5),
            told("order.updated", purchase(902, guest=True).told("failed", NOW)),
            told("customer.updated", CustomerAccount(PLANTED, paid, EMAIL).told(NOW)),
            told("order.updated", {"id": "no order", "billing": {"email": EMAIL.upper(), "phone": "(050) 555-01 77"}}),
        ]
    )
    asked = Event(id="asked-1", type="asked", occurred_at=NOW, properties={"by": EMAIL})
    shop.parts.intake.record_event(shop.store, ContactRef(email=EMAIL), asked)
    shop.parts.contact_book.upsert(shop.store, ContactInput(email=EMAIL, fields={"nickname": "Quillfeather"}))
    shop.workflows.live(hours=1)
    shop.hear([cart(-55, "fresh-" + TOKEN)])
    contact = shop.parts.contacts.find("shop", "email", EMAIL)
    assert contact is not None
    return str(contact.id)


def traces(shop: Listening) -> list[str]:
    """Every planted word that any item, message of the queue or object still holds, packed or not."""
    kept: list[Any] = [*shop.items(), *shop.queue.messages, *shop.bucket.kept.items()]
    texts = [_unpacked(one).lower() for one in kept]
    return [word for word in WORDS if any(word in text for text in texts)]


def _unpacked(value: Any) -> str:
    if isinstance(value, bytes):
        if value[:2] == b"\x1f\x8b":
            value = zlib.decompress(value, wbits=31)
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, dict):
        return " ".join(f"{name} {_unpacked(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return " ".join(map(_unpacked, value))
    return str(value)


@pytest.mark.parametrize("asked_by", ["api", "store"])
def test_nothing_of_an_erased_person_is_left(shop: Listening, asked_by: str) -> None:
    contact_id = plant(shop)
    assert set(traces(shop)) >= {"quillfeather", "zubrowka", "plant.example", "505550177"}
    running = [name for name, one in shop.workflows.executions.items() if not one.standing.ended]
    watching = [name for name in running if name.startswith("cart-")]
    assert (len(running), len(watching)) == (6, 1)
    assert [item["sk"][:2] for item in shop.items() if "words" in str(item)] == ["F#", "M#"]
    if asked_by == "api":
        shop.parts.contact_book.erase("shop", contact_id)
    else:
        shop.parts.intake.apply(shop.store, ErasureAsked(str(PLANTED.customer_id), EMAIL, PHONE), None, NOW)
    assert traces(shop) == []
    assert [item["sk"] for item in shop.items() if "words" in item or item["sk"] == "F#RECENT"] == []
    assert shop.workflows.executions.keys() & running == set(watching), "who watches a cart finds out for themselves"
    ended = {e.status.value for e in shop.parts.enrolments.of_contact("shop", contact_id)}
    assert ended == {"stopped"}
    sent = len(shop.channel.taken)
    shop.workflows.live(days=10)
    assert (sent, len(shop.channel.taken)) == (1, 1)


def test_what_was_on_its_way_when_they_were_erased_leaves_nothing(shop: Listening) -> None:
    shop.parts.contact_book.erase("shop", plant(shop))
    late = told("order.updated", purchase(903).told("processing", NOW, paid=NOW))
    shop.hear([late, late])
    assert traces(shop) == []


def test_an_erased_persons_carts_are_goods_of_nobody(shop: Listening) -> None:
    contact_id = plant(shop)
    assert {one["token"] for one in shop.parts.contact_book.export("shop", contact_id)["carts"]} == {
        TOKEN,
        "left-" + TOKEN,
        "fresh-" + TOKEN,
    }
    shop.parts.contact_book.erase("shop", contact_id)
    shop.hear([cart(4), cart(3)])
    for token in (TOKEN, "left-" + TOKEN):
        kept = shop.parts.carts.get("shop", token)
        assert kept.contact_id is None
        assert kept.latest.restore_url is None
        assert [item.product_id for item in kept.latest.items] == [str(GREEN.id)]
    assert traces(shop) == []
    shop.workflows.live(days=3)
    assert len(shop.channel.taken) == 1
    assert not [one for one in shop.workflows.executions.values() if not one.standing.ended]


def test_an_event_told_again_after_the_erasure_is_let_go(shop: Listening) -> None:
    shop.parts.contact_book.erase("shop", plant(shop))
    again = Event(id="asked-1", type="asked", occurred_at=NOW, properties={"by": EMAIL})
    assert shop.parts.intake.record_event(shop.store, ContactRef(email=EMAIL), again).contact_ids == ()
    assert traces(shop) == []


def test_a_text_too_big_for_the_queue_leaves_the_bucket_once_it_is_kept(shop: Listening) -> None:
    """A repeat too: nothing would point to its copy."""
    content = purchase(904).told("processing", NOW, paid=NOW)
    sent: list[dict[str, Any]] = []

    def send(message: dict[str, Any], message_id: str, /) -> None:
        smaller, key, packed = by_object(message)
        shop.bucket.put(key, packed)
        sent.append(smaller)

    take, shop.queue.send = shop.queue.send, send  # type: ignore[method-assign]
    shop.hear([told("order.updated", content)] * 2)
    shop.queue.send = take  # type: ignore[method-assign]
    assert len(shop.bucket.kept) == 2
    shop.queue.messages = [*sent, sent[0]]  # the queue may bring one twice
    shop.hear([])
    assert shop.bucket.kept == {}
    assert gzip.decompress(shop.parts.table.get(f"DELIVERY#shop#{sent[0]['delivery_id']}", "DELIVERY")["raw"])


def test_a_whole_shop_is_erased_and_its_journeys_stop(shop: Listening) -> None:
    plant(shop)
    nameless = {**purchase(905).told("processing", NOW, paid=NOW), "customer_id": 0}
    nameless["billing"] = {"first_name": PLANTED.first_name, "last_name": PLANTED.last_name, "email": "", "phone": ""}
    shop.hear([told("order.updated", json.loads(json.dumps(nameless)))])
    shop.store = shop.parts.stores.save(shop.store.model_copy(update={"platform": Platform.SHOPIFY}))
    body = b'{"shop_id": 1, "shop_domain": "tea.example"}'
    signed = {"X-Shopify-Topic": "shop/redact", "X-Shopify-Hmac-Sha256": signature(body)}
    shop.hear([(signed, body)])
    assert traces(shop) == []
    assert shop.parts.contacts.list("shop") == []
    assert {one.status.value for one in shop.parts.journeys.of_store("shop")} == {"stopped"}
    shop.workflows.live(days=10)
    assert len(shop.channel.taken) == 1


def test_what_journeys_gathered_watched_gave_and_waited_for_goes_too(shop: Listening) -> None:
    views = {"type": "product_viewed", "quiet_hours": 1}
    answered = {"type": "survey_answered"}
    gift = {
        "id": "gift",
        "type": "create_coupon",
        "enabled": True,
        "benefit": "percent",
        "value": 10,
        "expiry": {"days": 5},
    }
    alert = {
        "id": "look",
        "type": "alert_manager",
        "channels": ["email"],
        "text": {"en": "Look"},
        "fields": ["nickname"],
    }
    awaits = {"id": "answer", "type": "wait", "until_event": {"event": answered, "at_most": {"days": 9}}}
    call = {"id": "call", "type": "call_webhook", "url": "https://crm.example/in", "fields": ["nickname"]}
    shop.parts.coupon = lambda store, cause, terms, customer_id: Coupon(coupon_code(cause), "1")
    shop.parts.webhook_calls = RecordingWebhooks()
    manager = {"name": "Noa", "email": "noa@tea.example"}
    settings = shop.store.settings.model_validate({**shop.store.settings.model_dump(), "manager": manager})
    shop.store = shop.parts.stores.save(shop.store.model_copy(update={"settings": settings}))
    shop.activate(
        {
            "views": journey(mail("seen"), trigger=views),
            "asks": journey(gift, alert, call, awaits, mail("later"), trigger={"type": "api_event", "name": "asked"}),
        }
    )
    born = {"nickname": "Quillfeather", "birthday": "1990-05-04"}
    given = ContactInput(email=EMAIL, phone=PHONE, first_name="Quillfeather", last_name="Zubrowka", fields=born)
    contact_id = shop.parts.contact_book.upsert(shop.store, given).id
    told = {
        "asked": {"by": EMAIL},
        "product_viewed": {"product_id": "1", "categories": ["7"], "name": "for Zubrowka", "note": EMAIL},
        "wish_list_changed": {"added": ["2"], "removed": []},
        "watch_requested": {"category": "7"},
        "segment_entered": {"segment": "friends of Zubrowka"},
        "form_answered": {"form": "hello", "answers": {"name": "Quillfeather"}},
        "linked_record_changed": {"kind": "pet", "id": "zubrowka-1", "fields": {"owner": "Quillfeather"}},
        "contact_replied": {"channel": "email", "text": "I am Zubrowka"},
    }
    for type_, properties in told.items():
        event = Event(id=f"{type_}-1", type=type_, occurred_at=NOW, properties=properties)
        shop.parts.intake.record_event(shop.store, ContactRef(id=contact_id), event)
    shop.workflows.live(hours=0.5)
    (passing,) = shop.parts.enrolments.of_contact("shop", contact_id)
    assert passing.parked is not None
    assert [passage.detail for passage in passing.history if passage.what == "step"] == [None, "alerted", None]
    kinds = {str(item["sk"])[0] for item in shop.items() if contact_id in str(item["pk"])}
    assert kinds >= set("FGMNTW")
    assert set(traces(shop)) >= {"quillfeather", "zubrowka", "plant.example", "505550177"}
    shop.parts.contact_book.erase("shop", contact_id)
    assert traces(shop) == []
    payloads = [one.standing for one in shop.workflows.executions.values()]
    assert not [word for word in WORDS if word in str(payloads).lower()]
    sent = len(shop.channel.taken)
    shop.workflows.live(days=12)
    assert len(shop.channel.taken) == sent
    assert traces(shop) == []
    kept = [item for item in shop.items() if contact_id in str(item.get("pk"))]
    assert {str(item["sk"])[0] for item in kept} <= {"N", "M"}


@pytest.mark.parametrize("merged", [False, True])
def test_what_messages_said_led_to_heard_and_earned_goes_too(shop: Listening, merged: bool) -> None:
    """Links and who followed them, answers, smart links, replies, wishes, the list of addresses, earned orders: of
    somebody who was two contacts, too."""
    parts, manner = shop.parts, {"set_fields": {"likes": "Zubrowka"}, "name": "zubrowka"}
    settings = {"double_opt_in": ["sms"], "sender": {"sms": "+972505550199"}, "quiet_hours": {}}
    whole = {**shop.store.settings.model_dump(mode="json", by_alias=True), **settings}
    fresh = shop.store.model_copy(update={"settings": StoreSettings.model_validate(whole)})
    shop.store = parts.stores.save(fresh)
    words = json.loads(json.dumps(mail("asks", "marketing")))
    where = "https://tea.example/?who={{ contact.last_name }}&mail={{ contact.email }}"
    words["content"]["en"]["blocks"] = [
        {"type": "button", "text": "{{ contact.first_name }}", "url": where, "smart": manner},
        {"type": "survey", "survey": "s", "question": "q", "text": "Zubrowka?", "field": "answer", "choices": CHOICES},
    ]
    text = {"id": "text", "type": "send_sms", "text": {"en": "{{ contact.first_name }} " + where}}
    asked = {"type": "api_event", "name": "asked"}
    shop.activate({"asks": journey(words, text, pause(days=3), mail("later"), trigger=asked)})
    yes = Consent(
        status=ConsentStatus.SUBSCRIBED, source="form", at=NOW - timedelta(days=40), text="I, Zubrowka, agree"
    )
    given = ContactInput(
        email=EMAIL, phone=PHONE, first_name="Quillfeather", last_name="Zubrowka", consent=dict.fromkeys(Channel, yes)
    )
    contact_id = parts.contact_book.upsert(shop.store, given).id
    parts.intake.record_event(shop.store, ContactRef(id=contact_id), Event(id="a-1", type="asked", occurred_at=NOW))
    wish = yes.model_copy(update={"at": NOW - timedelta(minutes=1)})
    parts.contact_book.change_consent("shop", contact_id, [ConsentChange(channel=Channel.WHATSAPP, consent=wish)])
    shop.workflows.live(hours=12)
    sent = parts.messages.of_contact("shop", contact_id)
    assert {(one.step, one.status.value) for one in sent} >= {("asks", "sent"), ("text", "sent")}
    for one in sent:
        for number in range(3 if one.links else 0):
            seen = Sighting(at=shop.clock.now(), number=str(number), agent="", network=f"n{number}")
            shop.clock.advance(minutes=1)
            parts.followed.see(one.links, seen)
            parts.activity.take(one.links, str(number), seen.at)
    parts.reports.take(
        Report("shop", sent[0].id, MessageStatus.FAILED, shop.clock.now(), detail=f"550 {EMAIL} is gone")
    )
    parts.replies.take(Reply(Channel.SMS, "r-1", PHONE, "I am Zubrowka", NOW, numbers=("+972505550199",)))
    parts.suppression_list.add("shop", Channel.SMS, PHONE, "imported", "api", NOW)
    paid = shop.clock.now()
    shop.hear(
        [
            told(
                "order.updated",
                Purchase(931, PLANTED, ((GREEN, 1),), paid, "", email=EMAIL).told("processing", paid, paid=paid),
            )
        ]
    )
    assert parts.attributions.get("shop", "931").contact_id is not None
    if merged:
        parts.contact_book.upsert(shop.store, ContactInput(external_id="older"))
        parts.contact_book.upsert(shop.store, ContactInput(external_id="older", email=EMAIL))
        contact_id = parts.contacts.find("shop", "email", EMAIL).id
    kinds = {str(item["pk"]).partition("#")[0] for item in shop.items()}
    assert kinds >= {"LINKS", "SUPPRESSED", "ATTRIBUTION"}
    export = str(parts.contact_book.export("shop", contact_id)).lower()
    assert {word for word in WORDS[:3] if word in export} == set(WORDS[:3])
    parts.contact_book.erase("shop", contact_id)
    assert [word for word in traces(shop) if word != "zubrowka"] == []
    left = [item for item in shop.items() if "zubrowka" in _unpacked(item).lower()]
    assert {str(item["pk"]).partition("#")[0] for item in left} <= {"J", "JOURNEY"}, "the owner's own words stay"
    assert "LINKS" not in {str(item["pk"]).partition("#")[0] for item in shop.items()}
    earned = parts.attributions.get("shop", "931")
    assert earned is None or (earned.contact_id, earned.message_id) == (None, None)
    for one in sent:  # whoever clicks, reports or writes later finds nobody
        if one.links:
            parts.activity.take(one.links, "0", shop.clock.now())
        parts.reports.take(Report("shop", one.id, MessageStatus.BOUNCED, shop.clock.now(), detail="General"))
    parts.replies.take(Reply(Channel.SMS, "r-2", PHONE, "stop, says Zubrowka", NOW, numbers=("+972505550199",)))
    assert [word for word in traces(shop) if word != "zubrowka"] == []
    taken = len(shop.channel.taken)
    shop.workflows.live(days=12)
    assert len(shop.channel.taken) == taken
