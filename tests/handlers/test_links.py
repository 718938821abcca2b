from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from chalice.test import Client

from app import app
from chalicelib import wiring
from chalicelib.contacts.consent import Channel, ConsentStatus
from chalicelib.errors import NotFound, TryLater
from chalicelib.messages.choices import Choices
from chalicelib.messages.links import SignedLinks
from tests.conftest import HandClock
from tests.messages.shop import CONTACT_ID, ContactBookDouble, MessagesDouble, contact, store

SIGNED = SignedLinks("", [b"key"])
PATH = SIGNED.unsubscribe_url("s1", f"{CONTACT_ID}-digest", Channel.EMAIL)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def parts(clock: HandClock) -> Iterator[Any]:
    shops = {"s1": store()}
    book, messages, contacts = ContactBookDouble(), MessagesDouble(), {CONTACT_ID: contact()}
    found: Any = SimpleNamespace(get=lambda store_id, contact_id: contacts.get(contact_id))
    listed: Any = SimpleNamespace(holds=lambda *asked: None)
    choices = Choices(found, book, messages, listed, clock)  # type: ignore[arg-type]
    known: Any = SimpleNamespace(
        links=SIGNED,
        choices=choices,
        contacts=found,
        people=contacts,
        contact_book=book,
        messages=messages,
        clock=clock,
        stores=shops,
    )
    wiring.use(known)
    yield known
    wiring.use(None)


@pytest.fixture
def client(parts: Any) -> Iterator[Client]:
    with Client(app) as made:
        yield made


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_following_the_link_unsubscribes_nobody(client: Client, parts: Any, method: str) -> None:
    answer = client.http.request(method, PATH)
    assert answer.status_code == 200
    assert parts.contact_book.changes == []


def test_the_page_has_one_button_in_the_contacts_language_else_the_browsers(client: Client, parts: Any) -> None:
    page = client.http.get(PATH).body.decode()
    assert page.count("<button") == 1 and '<form method="post">' in page
    assert '<html lang="he" dir="rtl">' in page and "בית קפה הדר" in page
    parts.people[CONTACT_ID] = contact(locale="en-GB")
    for answer in (client.http.get(PATH), client.http.post(PATH, headers=FORM)):
        assert '<html lang="en" dir="ltr">' in answer.body.decode()
    parts.people[CONTACT_ID] = contact(locale=None)
    english = client.http.get(PATH, headers={"Accept-Language": "fr, en;q=0.8"}).body.decode()
    assert '<html lang="en" dir="ltr">' in english
    assert '<html lang="he" dir="rtl">' in client.http.get(PATH).body.decode()


def test_the_stores_name_is_escaped(client: Client, parts: Any) -> None:
    parts.stores["s1"] = store(name="<script>{x}", locale="en")
    parts.people.clear()
    page = client.http.get(PATH).body.decode()
    assert "<script>" not in page and "&lt;script&gt;{x}" in page
    assert '<html lang="en" dir="ltr">' in page


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (FORM, b"List-Unsubscribe=One-Click"),
        ({"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}, b"List-Unsubscribe=One-Click"),
        ({"Content-Type": "multipart/form-data; boundary=x"}, b"--x--"),
        ({}, b""),
    ],
)
def test_one_post_takes_the_consent_back(client: Client, parts: Any, headers: dict[str, str], body: bytes) -> None:
    answer = client.http.post(PATH, headers=headers, body=body)
    assert answer.status_code == 200
    [(store_id, contact_id, change)] = parts.contact_book.changes
    assert (store_id, contact_id, change.channel) == ("s1", CONTACT_ID, Channel.EMAIL)
    assert change.consent.status is ConsentStatus.UNSUBSCRIBED
    assert (change.consent.source, change.consent.at) == ("unsubscribe_link", parts.clock.now())


def test_a_second_post_ends_the_same_way(client: Client) -> None:
    first, second = (client.http.post(PATH, headers=FORM) for _ in range(2))
    assert (first.status_code, first.body) == (second.status_code, second.body)


def test_a_contact_that_was_erased_meanwhile_is_told_the_same(client: Client, parts: Any) -> None:
    parts.contact_book.trouble = NotFound("no such contact")
    assert client.http.post(PATH, headers=FORM).status_code == 200


@pytest.mark.parametrize(("trouble", "status"), [(ValueError("dana@shop.example"), 500), (TryLater("busy"), 503)])
def test_a_mistake_of_ours_is_answered_and_its_text_is_not_logged(
    client: Client, parts: Any, caplog: pytest.LogCaptureFixture, trouble: Exception, status: int
) -> None:
    parts.contact_book.trouble = trouble
    answer = client.http.post(PATH, headers=FORM)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    assert type(trouble).__name__ in caplog.text
    assert "dana@" not in caplog.text and PATH.rpartition("/")[2] not in caplog.text


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_link_that_is_not_ours_gets_a_404_page(client: Client, parts: Any, method: str) -> None:
    answer = client.http.request(method, PATH[:-1] + "!", headers=FORM | {"Accept-Language": "he-IL,he;q=0.9"})
    assert answer.status_code == 404
    assert "הקישור אינו תקין" in answer.body.decode()
    assert parts.contact_book.changes == []


def test_a_store_that_left_gets_a_404_page(client: Client, parts: Any) -> None:
    parts.stores.clear()
    assert client.http.post(PATH, headers=FORM).status_code == 404


def test_pages_are_kept_by_nobody_and_run_no_script(client: Client) -> None:
    headers = client.http.get(PATH).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    ("channel", "words"), [(Channel.EMAIL, "marketing emails"), (Channel.SMS, "SMS"), (Channel.WHATSAPP, "WhatsApp")]
)
def test_the_pages_say_which_channel_is_left(client: Client, parts: Any, channel: Channel, words: str) -> None:
    parts.stores["s1"] = store(locale="en")
    parts.people[CONTACT_ID] = contact(locale="en")
    path = SIGNED.unsubscribe_url("s1", f"{CONTACT_ID}-digest", channel)
    assert words in client.http.get(path).body.decode()
    assert parts.contact_book.changes == []
    assert words in client.http.post(path, headers=FORM).body.decode()
    [(_, contact_id, change)] = parts.contact_book.changes
    assert (contact_id, change.channel) == (CONTACT_ID, channel)
