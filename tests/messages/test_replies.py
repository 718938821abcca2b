from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from chalicelib.contacts.book import ContactInput
from chalicelib.contacts.consent import Channel, Consent, ConsentStatus
from chalicelib.contacts.erased import AddressHashes
from chalicelib.messages.numbers import SenderNumbers
from chalicelib.messages.replies import Replies, Reply, wish_of
from chalicelib.messages.whatsapp import session_open
from chalicelib.storage.suppressions import Suppressions as RealSuppressions
from tests.any_order import Listening, listening
from tests.conftest import HandClock
from tests.memory_client import MemoryTables
from tests.test_any_order import HEBREW, NOW

DANA, OURS = "+972505550101", "+972505550199"
AT = NOW - timedelta(minutes=5)


class Suppressions:
    def __init__(self) -> None:
        self.kept: dict[tuple[str, Channel, str], Any] = {}

    def get(self, store_id: str, channel: Channel, address: str) -> Any:
        return self.kept.get((store_id, channel, address))

    def add(self, store_id: str, channel: Channel, address: str, reason: str, source: str, at: datetime) -> None:
        self.kept[store_id, channel, address] = SimpleNamespace(reason=reason, source=source, at=at, lifted_at=None)

    def remove(self, store_id: str, channel: Channel, address: str, reason: str, at: datetime) -> None:
        del self.kept[store_id, channel, address]


class Gateways:
    def __init__(self, *stores: str) -> None:
        self.stores = stores

    def has(self, store_id: str, channel: Channel) -> bool:
        return store_id in self.stores


class Numbers:
    """Two shops on one number, a third with another, a fourth with its own gateway."""

    def __init__(self, shop: Listening) -> None:
        self.shop, self.suppressions = shop, Suppressions()
        stores, first = shop.parts.stores, shop.store
        for name, sms in (("shop", OURS), ("second", None), ("third", "+972505550198"), ("fourth", OURS)):
            known = stores.get(name) or first.model_copy(update={"id": name, "rev": 0})
            sender = known.settings.sender.model_copy(update={"sms": sms})
            settings = known.settings.model_copy(update={"sender": sender})
            stores.save(known.model_copy(update={"settings": settings}))
        self.numbers = SenderNumbers(stores, Gateways("fourth"), OURS, "n1")

    @property
    def replies(self) -> Replies:
        parts = self.shop.parts
        return Replies(self.numbers, parts.contacts, parts.contact_book, parts.listener, self.suppressions)

    def person(self, store: str = "shop", **more: Any) -> str:
        given = ContactInput(phone=DANA, consent={Channel.SMS: SUBSCRIBED}, **more)
        found = self.shop.parts.stores.get(store)
        assert found is not None
        return str(self.shop.parts.contact_book.upsert(found, given).id)

    def contact(self, contact_id: str, store: str = "shop") -> Any:
        return self.shop.parts.contacts.get(store, contact_id)


SUBSCRIBED = Consent(status=ConsentStatus.SUBSCRIBED, source="checkout", at=NOW - timedelta(days=1))


def reply(text: str = "הסר", **changes: Any) -> Reply:
    known: dict[str, Any] = {
        "channel": Channel.SMS,
        "id": "in-1",
        "sender": DANA,
        "text": text,
        "at": AT,
        "numbers": (OURS,),
    }
    return Reply(**(known | changes))


@pytest.fixture
def here(tables: MemoryTables) -> Iterator[Numbers]:
    with listening(tables, HandClock(NOW), HEBREW) as shop:  # type: ignore[arg-type]
        yield Numbers(shop)


@pytest.mark.parametrize(
    "text",
    [
        "הסר",
        " הסר!",
        "״הסר״",
        "\u200fהסר\u200f.",
        "הָסֵר",
        "STOP",
        "Stop.",
        "unsubscribe",
        "ביטול",
        "opt-out",
        "🛑 stop 🛑",
    ],
)
def test_a_word_of_leaving_is_known_however_it_is_written(text: str) -> None:
    assert wish_of(text) is ConsentStatus.UNSUBSCRIBED


@pytest.mark.parametrize("text", ["", "לא להסיר", "please do not stop", "stop it, I love it", "תודה", "ended", "👍"])
def test_other_words_ask_for_nothing(text: str) -> None:
    assert wish_of(text) is None


def test_stop_ends_sms_in_every_store_of_the_number_and_keeps_the_words(here: Numbers) -> None:
    people = {store: here.person(store) for store in ("shop", "second", "third", "fourth")}
    for _ in range(2):
        assert here.replies.take(reply(" STOP! ")) == 2
    for store, who in people.items():
        consent = here.contact(who, store).consent_for(Channel.SMS)
        if store in ("shop", "second"):
            assert (consent.status, consent.source, consent.at, consent.text) == (
                ConsentStatus.UNSUBSCRIBED,
                "reply",
                AT,
                " STOP! ",
            )
        else:
            assert consent == SUBSCRIBED
    told = [event for event in here.shop.parts.timeline.of_contact("shop", people["shop"]) if "replied" in event.type]
    assert [event.properties for event in told] == [{"channel": "sms", "text": " STOP! "}], "once, however often told"
    assert here.suppressions.kept == {}


def test_who_left_comes_back_with_a_word_of_their_own_and_no_other_way(here: Numbers) -> None:
    who = here.person()
    here.replies.take(reply("stop"))
    here.replies.take(reply("I want to buy", id="in-2", at=AT + timedelta(minutes=1)))
    assert here.contact(who).consent_for(Channel.SMS).status is ConsentStatus.UNSUBSCRIBED
    here.replies.take(reply("START", id="in-3", at=AT + timedelta(minutes=2)))
    here.replies.take(reply("stop"))  # told again, late
    consent = here.contact(who).consent_for(Channel.SMS)
    assert (consent.status, consent.source, consent.text) == (ConsentStatus.SUBSCRIBED, "reply", "START")


def test_a_word_from_the_phone_itself_is_asked_about_no_more(here: Numbers) -> None:
    """Where the store asks twice: START is the answer already."""
    store = here.shop.parts.stores.get("shop")
    settings = store.settings.model_copy(update={"double_opt_in": (Channel.SMS,)})
    here.shop.parts.stores.save(store.model_copy(update={"settings": settings}))
    who = here.person()
    here.replies.take(reply("stop"))
    here.replies.take(reply("start", id="in-2", at=AT + timedelta(minutes=1)))
    consent = here.contact(who).consent_for(Channel.SMS)
    assert (consent.status, consent.confirmed_at) == (ConsentStatus.SUBSCRIBED, AT + timedelta(minutes=1))


def test_a_phone_that_nobody_has_is_remembered_until_its_owner_says_start(here: Numbers) -> None:
    assert here.replies.take(reply("stop")) == 0
    held = here.suppressions.kept
    assert set(held) == {("shop", Channel.SMS, DANA), ("second", Channel.SMS, DANA)}
    assert held["shop", Channel.SMS, DANA].source == "reply"
    held["second", Channel.SMS, DANA].source = "owner"
    here.replies.take(reply("hello", id="in-2"))
    assert len(held) == 2
    here.replies.take(reply("start", id="in-3"))
    assert set(held) == {("second", Channel.SMS, DANA)}, "the owner's list is the owner's"


def test_of_a_phone_that_nobody_has_the_newest_word_counts_in_whatever_order_it_comes(here: Numbers) -> None:
    """Providers tell late and twice: an old START lets nobody in who left since, an old STOP holds nobody back."""
    kept: Any = RealSuppressions(here.shop.parts.table, AddressHashes(lambda: "key"))
    here.suppressions = kept
    stop, start = reply("stop", at=AT), reply("start", id="in-2", at=AT - timedelta(minutes=5))
    here.replies.take(stop)
    here.replies.take(start)
    assert kept.holds("shop", Channel.SMS, DANA) == "unsubscribed"
    later = reply("start", id="in-3", at=AT + timedelta(minutes=5))
    for one in (later, stop, stop):
        here.replies.take(one)
    assert kept.holds("shop", Channel.SMS, DANA) is None
    here.replies.take(reply("stop", id="in-4", at=AT + timedelta(minutes=9)))
    assert kept.holds("shop", Channel.SMS, DANA) == "unsubscribed"


@pytest.mark.parametrize("sender", ["972505550101", "0505550101", "050-555-0101", "+972 50 555 0101"])
def test_a_phone_is_known_however_the_provider_writes_it(here: Numbers, sender: str) -> None:
    here.person()
    assert here.replies.take(reply("hi", sender=sender, store_id="shop", numbers=())) == 1


def test_a_gateways_reply_is_its_own_stores_only(here: Numbers) -> None:
    people = {store: here.person(store) for store in ("shop", "fourth")}
    assert here.replies.take(reply(store_id="fourth")) == 1
    assert here.contact(people["shop"]).consent_for(Channel.SMS) == SUBSCRIBED
    assert here.replies.take(reply(store_id="gone")) == 0
    assert here.replies.take(reply(numbers=("12345",))) == 0
    assert here.replies.take(reply(sender="not a phone")) == 0


def test_a_whatsapp_reply_opens_the_day_also_after_a_merge_and_never_closes_it(here: Numbers) -> None:
    stays = here.shop.parts.contact_book.upsert(here.shop.store, ContactInput(email="dana@shopper.example"))
    here.shop.clock.advance(seconds=1)
    who = here.person()
    for minutes, identifier in ((10, "b"), (0, "a")):
        told = reply("hi", channel=Channel.WHATSAPP, id=identifier, at=AT + timedelta(minutes=minutes), numbers=("n1",))
        here.replies.take(told)
    last = AT + timedelta(minutes=10)
    assert here.contact(who).replied == {Channel.WHATSAPP: last}
    both = ContactInput(phone=DANA, email="dana@shopper.example")
    merged = here.shop.parts.contact_book.upsert(here.shop.store, both)
    assert (merged.id, merged.replied) == (stays.id, {Channel.WHATSAPP: last})
    assert session_open(merged, last + timedelta(hours=23)) and not session_open(merged, last + timedelta(hours=24))


def test_a_reply_that_was_cut_off_is_told_by_its_repeat(here: Numbers, monkeypatch: pytest.MonkeyPatch) -> None:
    who = here.person()
    book = here.shop.parts.contact_book
    for name in ("heard", "change_consent", "note"):
        with monkeypatch.context() as patched, pytest.raises(ConnectionError):
            done = getattr(book, name)

            def dies(*given: Any, done: Any = done) -> None:
                done(*given)
                raise ConnectionError

            patched.setattr(book, name, dies)
            here.replies.take(reply())
    assert here.replies.take(reply()) == 1
    types = [event.type for event in here.shop.parts.timeline.of_contact("shop", who)]
    assert types.count("contact_replied") == types.count("unsubscribed") == 1
