"""Where people choose what comes to them: their link is the key, and only its own form's buttons change anything."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from chalice.test import Client

from app import app
from chalicelib.commerce.store import StoreSettings
from chalicelib.contacts.book import ContactInput, ContactPatch
from chalicelib.contacts.consent import Channel, Consent, ConsentStatus
from chalicelib.contacts.contact import Contact
from chalicelib.messages.message import Message, MessageKind, MessageStatus
from tests.any_order import Listening, listening
from tests.conftest import HandClock
from tests.memory_client import MemoryTables
from tests.test_any_order import HEBREW, NOW

EMAIL, PHONE = "dana@shopper.example", "+972505550107"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
TOPICS = {"tea": {"he": "חדש בתה", "en": "New teas"}, "club": {"en": "The <club>"}}


@pytest.fixture
def shop(tables: MemoryTables) -> Iterator[Listening]:
    with listening(tables, HandClock(NOW), HEBREW) as made:
        wants(made, topics=TOPICS)
        yes = Consent(status=ConsentStatus.SUBSCRIBED, source="checkout", at=NOW - timedelta(days=1))
        given = ContactInput(email=EMAIL, phone=PHONE, lists=("tea", "staff"), consent={Channel.EMAIL: yes})
        made.parts.contact_book.upsert(made.store, given)
        made.parts.messages.claim(sent(made, "m1", Channel.EMAIL))
        made.parts.messages.claim(sent(made, "m2", Channel.SMS))
        yield made


@pytest.fixture
def client(shop: Listening) -> Iterator[Client]:
    with Client(app) as made:
        yield made


def wants(shop: Listening, **settings: Any) -> None:
    present = shop.parts.stores.get("shop")
    whole = {**present.settings.model_dump(mode="json", by_alias=True), **settings}
    shop.store = shop.parts.stores.save(present.model_copy(update={"settings": StoreSettings.model_validate(whole)}))


def dana(shop: Listening) -> Contact:
    found: Contact | None = shop.parts.contacts.find("shop", "email", EMAIL)
    assert found is not None
    return found


def sent(shop: Listening, name: str, channel: Channel) -> Message:
    return Message(
        id=f"{dana(shop).id}-{name}",
        store_id="shop",
        contact_id=dana(shop).id,
        channel=channel,
        kind=MessageKind.MARKETING,
        to=EMAIL if channel is Channel.EMAIL else PHONE,
        status=MessageStatus.SENT,
        created_at=NOW,
        at=NOW,
    )


def path(shop: Listening, channel: Channel = Channel.EMAIL) -> str:
    name = "m1" if channel is Channel.EMAIL else "m2"
    url: str = shop.parts.links.preferences_url("shop", f"{dana(shop).id}-{name}", channel)
    return url.removeprefix("https://agala.example")


def form_of(page: str) -> list[tuple[str, str]]:
    """What a browser would send: the hidden fields and the boxes that are checked."""
    fields = []
    for tag in re.findall(r"<input [^>]*>", page):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        assert name and value
        if 'type="hidden"' in tag or " checked" in tag:
            fields.append((name[1], value[1]))
    return fields


def get(client: Client, shop: Listening, **headers: str) -> str:
    return str(client.http.get(path(shop), headers=headers).body.decode())


def press(client: Client, to: str, fields: list[tuple[str, str]], button: str = "save") -> Any:
    return client.http.post(to, headers=FORM, body=urlencode([*fields, ("do", button)]).encode())


def statuses(shop: Listening) -> dict[str, str]:
    return {channel.value: dana(shop).consent_for(channel).status.value for channel in Channel}


def test_the_page_shows_what_counts_now_and_a_get_changes_nothing(client: Client, shop: Listening) -> None:
    before = dana(shop)
    page = get(client, shop)
    assert '<html lang="he" dir="rtl">' in page and "<script" not in page
    assert form_of(page) == [("had", "email"), ("channel", "email"), ("had_topic", "tea"), ("topic", "tea")]
    assert 'value="sms"' in page and "חדש בתה" in page and "The &lt;club&gt;" in page and "staff" not in page
    assert EMAIL not in page and PHONE not in page, "a link that was handed on must not tell the address"
    assert client.http.request("HEAD", path(shop)).status_code == 200
    answer = client.http.get(path(shop))
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert answer.headers["Cache-Control"] == "no-store"
    assert dana(shop) == before


def test_channels_and_topics_are_chosen_with_their_proof(client: Client, shop: Listening) -> None:
    shop.clock.advance(hours=1)
    chosen = [("had", "email"), ("channel", "sms"), ("had_topic", "tea"), ("topic", "club"), ("topic", "staff")]
    for _ in range(2):
        assert press(client, path(shop), chosen).status_code == 200
    contact = dana(shop)
    assert statuses(shop) == {"email": "unsubscribed", "sms": "subscribed", "whatsapp": "never_asked"}
    assert contact.lists == ("club", "staff"), "lists that are no topic are nobody's to choose here"
    sms = contact.consent_for(Channel.SMS)
    assert (sms.source, sms.at, sms.place) == ("preference_page", shop.clock.now(), f"{contact.id}-m1")
    assert "SMS" in (sms.text or "") and sms.confirmed_at is None
    message = shop.parts.messages.get("shop", f"{contact.id}-m1")
    assert [(entry.status, entry.detail) for entry in message.history] == [("unsubscribed", "email")]
    told = shop.parts.contact_book.export("shop", contact.id)["timeline"]
    changed = {e["properties"]["channel"]: e["properties"] for e in told if e["type"] == "consent_changed"}
    assert changed["sms"]["text"] == sms.text and changed["email"]["place"] == f"{contact.id}-m1"
    assert {e["type"] for e in told} >= {"subscribed", "unsubscribed", "list_joined", "list_left"}


def test_only_what_its_reader_changed_counts(client: Client, shop: Listening) -> None:
    """A page that was open for days must not take back what happened meanwhile."""
    fields = form_of(get(client, shop))
    shop.clock.advance(days=3)
    leave = shop.parts.links.unsubscribe_url("shop", f"{dana(shop).id}-m1", Channel.EMAIL)
    client.http.post(leave.removeprefix("https://agala.example"), headers=FORM, body=b"List-Unsubscribe=One-Click")
    assert press(client, path(shop), fields).status_code == 200
    assert statuses(shop)["email"] == "unsubscribed"


def test_one_button_leaves_everything_and_may_be_pressed_twice(client: Client, shop: Listening) -> None:
    pages = [press(client, path(shop), form_of(get(client, shop)), "leave") for _ in range(2)]
    assert [page.status_code for page in pages] == [200, 200]
    assert set(statuses(shop).values()) == {"unsubscribed"}
    message = shop.parts.messages.get("shop", f"{dana(shop).id}-m1")
    assert [entry.detail for entry in message.history] == ["email,sms,whatsapp"]
    assert press(client, path(shop), [("channel", "email")]).status_code == 200
    back = dana(shop).consent_for(Channel.EMAIL)
    assert (back.status, back.source) == (ConsentStatus.UNSUBSCRIBED, "preference_page"), "a tie refuses"
    shop.clock.advance(seconds=1)
    press(client, path(shop), [("channel", "email")])
    assert statuses(shop)["email"] == "subscribed"


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (FORM, b"List-Unsubscribe=One-Click"),
        (FORM, b""),
        (FORM, b"do=save&do=leave"),
        (FORM, b"do=confirm"),
        (FORM, b"\xff\xfe"),
        (FORM, b"do=leave&" + b"x=1&" * 5000),
        (FORM, b"do=leave&" + b"x=1&" * 200),
        ({"Content-Type": "application/json"}, b'{"do": "leave"}'),
        ({"Content-Type": "multipart/form-data; boundary=x"}, b"--x--"),
    ],
)
def test_a_post_that_is_no_button_of_the_page_changes_nothing(
    client: Client, shop: Listening, headers: dict[str, str], body: bytes
) -> None:
    before = dana(shop)
    assert client.http.post(path(shop), headers=headers, body=body).status_code == 400
    assert dana(shop) == before


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_forged_or_edited_link_opens_nobodys_page(client: Client, shop: Listening, method: str) -> None:
    mine = path(shop)
    other = shop.parts.contact_book.upsert(shop.store, ContactInput(email="noa@shopper.example"))
    leave = shop.parts.links.unsubscribe_url("shop", f"{dana(shop).id}-m1", Channel.EMAIL)
    for forged in (
        mine[:-1] + ("A" if mine[-1] != "A" else "B"),
        mine.replace(dana(shop).id, other.id),
        mine.replace(".email.", ".sms."),
        mine.replace("p1.shop", "p1.other"),
        "/p/" + leave.rpartition("/")[2],
        "/p/p" + leave.rpartition("/")[2][1:],
        "/p/x",
    ):
        answer = client.http.request(method, forged, headers=FORM, body=b"do=leave")
        assert answer.status_code == 404, forged
    assert statuses(shop)["email"] == "subscribed"


def test_an_erased_contact_has_no_page(client: Client, shop: Listening) -> None:
    mine = path(shop)
    shop.parts.contact_book.erase("shop", dana(shop).id)
    assert client.http.get(mine).status_code == 404
    assert press(client, mine, [], "leave").status_code == 404


def test_it_speaks_the_contacts_language_else_the_browsers(client: Client, shop: Listening) -> None:
    assert 'dir="ltr"' in get(client, shop, **{"Accept-Language": "fr-FR, en;q=0.8, he;q=0.5"})
    shop.parts.contact_book.upsert(shop.store, ContactInput(email=EMAIL, locale="he_IL"))
    assert 'dir="rtl"' in get(client, shop, **{"Accept-Language": "en"})


def test_a_closed_channel_is_not_offered(client: Client, shop: Listening) -> None:
    shop.parts.contact_book.suppress("shop", dana(shop).id, Channel.EMAIL, "bounced")
    shop.parts.suppression_list.add("shop", Channel.SMS, PHONE, "asked", "api", NOW)
    page = get(client, shop)
    assert re.findall(r'name="channel" value="(\w+)"', page) == ["whatsapp"]
    press(client, path(shop), [("channel", "email"), ("channel", "sms")])
    assert statuses(shop) == {"email": "subscribed", "sms": "never_asked", "whatsapp": "never_asked"}


def test_where_the_store_asks_twice_a_link_proves_only_its_own_address(client: Client, shop: Listening) -> None:
    wants(shop, double_opt_in=["email", "sms"])
    shop.clock.advance(hours=1)
    press(client, path(shop), form_of(get(client, shop)), "leave")
    shop.clock.advance(hours=1)
    page = press(client, path(shop), [("channel", "email"), ("channel", "sms")]).body.decode()
    assert statuses(shop) == {"email": "subscribed", "sms": "pending", "whatsapp": "unsubscribed"}
    assert "לינק" in page or "קישור" in page
    assert dana(shop).consent_for(Channel.EMAIL).confirmed_at == shop.clock.now()
    shop.workflows.live(hours=1)
    assert [message.to for message in shop.channel.taken] == [PHONE]


def test_unsubscribing_is_noted_on_its_message_and_offers_the_page(client: Client, shop: Listening) -> None:
    for channel, name in ((Channel.EMAIL, "m1"), (Channel.SMS, "m2")):
        leave = shop.parts.links.unsubscribe_url("shop", f"{dana(shop).id}-{name}", channel)
        leave = leave.removeprefix("https://agala.example")
        assert f'href="https://agala.example{path(shop, channel)}"' in client.http.get(leave).body.decode()
        for _ in range(2):
            client.http.post(leave, headers=FORM, body=b"List-Unsubscribe=One-Click")
        message = shop.parts.messages.get("shop", f"{dana(shop).id}-{name}")
        assert [(entry.status, entry.detail) for entry in message.history] == [("unsubscribed", channel.value)]
    assert dana(shop).consent_for(Channel.EMAIL).place == f"{dana(shop).id}-m1"


def test_a_link_that_came_to_an_address_of_before_proves_nothing_about_the_one_of_now(
    client: Client, shop: Listening
) -> None:
    """An address that was mistyped and mended since may be somebody else's, who has the link still."""
    wants(shop, double_opt_in=["email"])
    who, to = dana(shop).id, path(shop)
    shop.clock.advance(minutes=1)
    shop.parts.contact_book.patch(shop.store, who, ContactPatch(email="dana.right@shopper.example"))
    shop.clock.advance(hours=1)
    press(client, to, [("had", "email")])
    shop.clock.advance(hours=1)
    press(client, to, [("channel", "email")])
    contact = shop.parts.contacts.get("shop", who)
    assert contact.email == "dana.right@shopper.example"
    assert contact.consent_for(Channel.EMAIL).status is ConsentStatus.PENDING
