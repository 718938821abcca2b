"""A yes waits for its owner: asked once, on its own channel, whoever told of it; nobody else can give the answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from chalice.test import Client

from app import app
from chalicelib.commerce.store import Sending, StoreSettings
from chalicelib.contacts.book import ContactInput, ContactPatch
from chalicelib.contacts.consent import Channel, Consent, ConsentChange, ConsentStatus
from chalicelib.contacts.contact import Contact
from local.demo.carts import Cart
from local.demo.shop import GREEN, Shopper
from local.demo.woocommerce import CustomerAccount, Purchase, delivery
from tests.any_order import Listening, Told, listening
from tests.conftest import HandClock
from tests.memory_client import MemoryTables
from tests.recorded import SECRET
from tests.test_any_order import HEBREW, NOW

DANA = Shopper(7, "דנה", "לוי")
EMAIL, PHONE = "dana@shopper.example", "+972505550107"
BOTH = {"double_opt_in": ["email", "sms"], "sender": {"sms": "Tea"}}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
LINK = re.compile(r"https://agala\.example(/p/c1\.\S+?)(?=[\s\"<)]|$)")


@pytest.fixture
def shop(tables: MemoryTables) -> Iterator[Listening]:
    with listening(tables, HandClock(NOW), HEBREW) as made:
        wants(made, **BOTH)
        yield made


@pytest.fixture
def client(shop: Listening) -> Iterator[Client]:
    with Client(app) as made:
        yield made


def wants(shop: Listening, **settings: Any) -> None:
    whole = {**shop.store.settings.model_dump(mode="json", by_alias=True), **settings}
    present = shop.parts.stores.get("shop")
    shop.store = shop.parts.stores.save(present.model_copy(update={"settings": StoreSettings.model_validate(whole)}))


def purchase(number: int, hours_ago: float = 1, consent: str = "subscribed") -> Told:
    placed = shop_time(hours_ago)
    made = Purchase(number, DANA, ((GREEN, 1),), placed, consent, email=EMAIL)
    told = delivery(SECRET, "order.updated", made.told("processing", placed, paid=placed), NOW)
    return told.headers, told.body


def shop_time(hours_ago: float) -> Any:
    return (NOW - timedelta(hours=hours_ago)).replace(microsecond=0)


def cart(minutes_ago: float) -> Told:
    basket = Cart("a" * 16, DANA, ((GREEN, 1),), "https://tea.example", EMAIL, PHONE, consent=("email", "sms"))
    call = basket.call("checkout", NOW - timedelta(minutes=minutes_ago))
    return {"X-Agala-Signature": "-"}, call.body


def dana(shop: Listening) -> Contact:
    found: Contact | None = shop.parts.contacts.find("shop", "email", EMAIL)
    assert found is not None
    return found


def status(shop: Listening, channel: Channel = Channel.EMAIL) -> str:
    return dana(shop).consent_for(channel).status.value


def links(shop: Listening) -> list[str]:
    return [LINK.search(message.text)[1] for message in shop.channel.taken if LINK.search(message.text)]  # type: ignore[index]


def press(client: Client, path: str, body: bytes = b"do=confirm") -> Any:
    return client.http.post(path, headers=FORM, body=body)


def test_a_ticked_box_is_asked_about_once_and_counts_once_it_is_confirmed(shop: Listening, client: Client) -> None:
    shop.hear([purchase(1), purchase(1), purchase(1, hours_ago=0.9)])
    assert status(shop) == "pending"
    assert shop.channel.taken == [], "the door only notes it"
    shop.workflows.live(hours=2)
    shop.hear([purchase(1, hours_ago=0.8)])
    shop.workflows.live(hours=1)
    [email] = shop.channel.taken
    assert (email.to, email.kind, email.step, email.journey) == (EMAIL, "transactional", "double_opt_in", None)
    assert 'dir="rtl"' in email.html and "לאישור ההרשמה" in email.html and "List-Unsubscribe" not in email.headers
    [record] = shop.parts.messages.of_contact("shop", dana(shop).id)
    assert (record.status.value, record.step, record.kind.value) == ("sent", "double_opt_in", "transactional")
    [path] = links(shop)
    page = client.http.get(path).body.decode()
    assert page.count("<button") == 1 and "אשמח לקבל עדכונים" in page and 'dir="rtl"' in page
    for method, body in (("HEAD", b""), ("POST", b""), ("POST", b"List-Unsubscribe=One-Click"), ("POST", b"do=save")):
        client.http.request(method, path, headers=FORM, body=body)
    client.http.post(path, headers={"Content-Type": "application/json"}, body=b'{"do": "confirm"}')
    assert status(shop) == "pending", "only the button's own form confirms"
    asked = dana(shop).waiting(Channel.EMAIL)
    answers = [press(client, path) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200] and answers[0].body == answers[1].body
    proof = dana(shop).consent_for(Channel.EMAIL)
    assert asked is not None
    assert (proof.status, proof.source, proof.text) == (ConsentStatus.SUBSCRIBED, "double_opt_in", "אשמח לקבל עדכונים")
    assert (proof.requested_at, proof.requested_from) == (asked.at, "checkout")
    assert proof.at == proof.confirmed_at == shop.clock.now() and proof.place == record.id
    [changed] = [one for one in shop.parts.timeline.of_contact("shop", dana(shop).id) if one.type == "consent_changed"]
    assert changed.properties["text"] == "אשמח לקבל עדכונים" and changed.properties["place"] == record.id
    assert changed.properties["requested_from"] == "checkout"
    shop.hear([purchase(2, hours_ago=-4)])
    assert status(shop) == "subscribed", "who has confirmed is not asked again"
    shop.workflows.live(days=2)
    assert len(shop.channel.taken) == 1


def test_each_channel_is_asked_on_its_own(shop: Listening, client: Client) -> None:
    shop.hear([cart(5)])
    shop.workflows.live(hours=0.2)
    by = {type(message).__name__: message for message in shop.channel.taken}
    assert set(by) == {"Email", "Sms"}
    assert by["Sms"].to == PHONE and "SMS" in by["Sms"].text and by["Sms"].text.startswith("Shop: ")
    press(client, LINK.search(by["Sms"].text)[1])  # type: ignore[index]
    assert (status(shop, Channel.SMS), status(shop)) == ("subscribed", "pending")


@pytest.mark.parametrize("how", ["api", "patch", "account", "page", "journey"])
def test_whoever_tells_of_it_the_answer_is_its_owners(shop: Listening, how: str) -> None:
    book, yes = shop.parts.contact_book, Consent(status=ConsentStatus.SUBSCRIBED, text="Yes")
    made = book.upsert(shop.store, ContactInput(email=EMAIL, phone=PHONE))
    if how == "api":
        book.upsert(shop.store, ContactInput(email=EMAIL, consent={Channel.EMAIL: yes}))
    elif how == "patch":
        book.patch(shop.store, made.id, ContactPatch(consent={Channel.EMAIL: yes}))
    elif how == "account":
        answer = {"status": "subscribed", "text": "Yes", "at": f"{NOW:%Y-%m-%dT%H:%M:%SZ}"}
        meta = [{"id": 2, "key": "_agala_consent", "value": {"email": answer}}]
        told = CustomerAccount(DANA, NOW, EMAIL, meta).told(NOW)
        signed = delivery(SECRET, "customer.updated", told, NOW)
        shop.hear([(signed.headers, signed.body)])
    elif how == "page":
        book.change_consent("shop", made.id, [ConsentChange(channel=Channel.EMAIL, consent=yes)])
    else:
        events = book.set_consent("shop", made.id, Channel.EMAIL, ConsentStatus.SUBSCRIBED, "journey:quiz", "cause")
        shop.parts.listener.on_events(shop.store, made.id, events)
    assert status(shop) == "pending"
    shop.workflows.live(hours=1)
    assert len(shop.channel.taken) == 1


def test_what_was_agreed_before_the_store_came_or_is_proven_is_not_asked_about(shop: Listening) -> None:
    long_ago = Consent(status=ConsentStatus.SUBSCRIBED, at=shop.store.created_at - timedelta(days=1))
    proven = Consent(status=ConsentStatus.SUBSCRIBED, at=NOW, confirmed_at=NOW, text="Yes, by a link in their mail")
    given = {Channel.EMAIL: long_ago, Channel.SMS: proven, Channel.WHATSAPP: Consent(status=ConsentStatus.SUBSCRIBED)}
    shop.parts.contact_book.upsert(shop.store, ContactInput(email=EMAIL, phone=PHONE, consent=given))
    assert {channel: status(shop, channel) for channel in Channel} == dict.fromkeys(Channel, "subscribed")
    shop.workflows.live(days=1)
    assert shop.channel.taken == []


def test_history_asks_nobody(shop: Listening) -> None:
    headers, body = purchase(1, hours_ago=3)
    adapter, applied = shop.parts, shop.parts.history_intake
    shop.parts.__dict__["intake"] = applied
    shop.hear([(headers, body)])
    assert adapter.intake is applied
    shop.workflows.live(days=3)
    assert (status(shop), shop.channel.taken) == ("pending", [])


def test_a_second_wish_within_a_day_asks_nothing_and_a_later_one_does(shop: Listening, client: Client) -> None:
    shop.hear([purchase(1)])
    shop.workflows.live(hours=1)
    shop.hear([purchase(2, hours_ago=-0.9)])
    shop.workflows.live(hours=3)
    assert len(shop.channel.taken) == 1
    [first] = links(shop)
    shop.workflows.live(days=3)
    shop.hear([purchase(3, hours_ago=-75)])
    shop.workflows.live(hours=1)
    assert len(shop.channel.taken) == 2
    assert press(client, first).status_code == 200
    assert status(shop) == "subscribed", "the first message's link is as good"


def test_a_refusal_after_the_wish_stands(shop: Listening, client: Client) -> None:
    shop.hear([purchase(1)])
    shop.workflows.live(hours=1)
    refusal = Consent(status=ConsentStatus.UNSUBSCRIBED, source="api", at=shop.clock.now())
    shop.parts.contact_book.change_consent(
        "shop", dana(shop).id, [ConsentChange(channel=Channel.EMAIL, consent=refusal)]
    )
    assert press(client, links(shop)[0]).status_code == 410
    assert status(shop) == "unsubscribed"


def test_a_link_of_thirty_days_ago_or_of_another_address_confirms_nothing(shop: Listening, client: Client) -> None:
    shop.hear([purchase(1)])
    shop.workflows.live(hours=1)
    [path] = links(shop)
    for forged in (
        path[:-1] + ("A" if path[-1] != "A" else "B"),
        path.replace(".e.", ".s."),
        path.replace("c1.", "u2."),
    ):
        assert press(client, forged).status_code == 404
    shop.parts.contact_book.patch(shop.store, dana(shop).id, ContactPatch(email="dana.new@shopper.example"))
    assert press(client, path).status_code == 410, "whose mailbox it was may not speak for the new one"
    shop.parts.contact_book.patch(shop.store, dana(shop).id, ContactPatch(email=EMAIL))
    shop.clock.advance(days=30)
    assert press(client, path).status_code == 410
    assert status(shop) == "pending"


def test_a_stopped_store_asks_once_it_sends_again(shop: Listening) -> None:
    wants(shop, **BOTH, sending=Sending.STOPPED.value)
    shop.hear([purchase(1)])
    shop.workflows.live(hours=5)
    assert shop.channel.taken == []
    wants(shop, **BOTH, sending=Sending.LIVE.value)
    shop.workflows.live(hours=9)
    assert len(shop.channel.taken) == 1


def test_a_question_whose_execution_is_gone_is_asked_after_the_night(shop: Listening) -> None:
    wants(shop, **BOTH, sending=Sending.STOPPED.value)
    shop.hear([purchase(1)])
    shop.workflows.executions.clear()
    wants(shop, **BOTH, sending=Sending.LIVE.value)
    shop.workflows.live(hours=9)
    assert shop.channel.taken == []
    shop.parts.begin_sweeps(shop.store)
    shop.workflows.live(hours=1)
    assert len(shop.channel.taken) == 1


def test_the_order_in_which_it_is_told_makes_no_difference(tables: MemoryTables) -> None:
    """Wishes, refusals and confirmations in any order end in one record."""
    day = timedelta(days=1)
    at = NOW - 20 * day
    told = [
        Consent(status=ConsentStatus.UNSUBSCRIBED, at=at + 2 * day, source="shop"),
        Consent(status=ConsentStatus.SUBSCRIBED, at=at + 3 * day, source="checkout"),
        Consent(status=ConsentStatus.SUBSCRIBED, at=at + 1 * day, confirmed_at=at + day, source="double_opt_in"),
        Consent(status=ConsentStatus.SUBSCRIBED, at=at + 5 * day, source="form"),
    ]
    ends = set()
    for order in (told, told[::-1], told[2:] + told[:2], [told[i] for i in (1, 3, 0, 2)]):
        with listening(tables, HandClock(NOW), HEBREW) as shop:
            wants(shop, **BOTH)
            for one in order:
                given = ContactInput(email=EMAIL, consent={Channel.EMAIL: one})
                shop.parts.contact_book.upsert(shop.store, given)
            contact = dana(shop)
            ends.add(repr((contact.consent, contact.asked)))
            assert status(shop) == "pending"
    assert len(ends) == 1


def test_an_erased_address_is_closed_to_advertising_until_its_owner_says_yes_anew(shop: Listening) -> None:
    wants(shop, double_opt_in=[])
    held = shop.parts.suppression_list
    shop.hear([purchase(1)])
    shop.parts.contact_book.erase("shop", dana(shop).id)
    assert held.holds("shop", Channel.EMAIL, EMAIL) == "erased"
    shop.clock.advance(hours=1)
    yes = Consent(status=ConsentStatus.SUBSCRIBED)
    shop.parts.contact_book.upsert(shop.store, ContactInput(email=EMAIL, consent={Channel.EMAIL: yes}))
    assert held.holds("shop", Channel.EMAIL, EMAIL) == "erased", "a list that somebody brings in is not the person"
    late = {Channel.EMAIL: Consent(status=ConsentStatus.UNSUBSCRIBED)}
    shop.clock.advance(hours=1)
    shop.parts.contact_book.upsert(shop.store, ContactInput(email=EMAIL, consent=late))
    shop.hear([purchase(2, hours_ago=-3, consent="unsubscribed")])
    assert held.holds("shop", Channel.EMAIL, EMAIL) == "erased"
    shop.clock.advance(hours=4)
    shop.hear([purchase(3, hours_ago=-5)])
    assert held.holds("shop", Channel.EMAIL, EMAIL) is None
    assert dana(shop).suppressed == {}
