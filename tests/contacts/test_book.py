from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib.commerce.event import Event
from chalicelib.commerce.intake import ContactRef
from chalicelib.contacts.book import ContactInput, ContactPatch
from chalicelib.contacts.consent import Channel, Consent, ConsentChange, ConsentStatus
from chalicelib.contacts.contact import Contact
from chalicelib.contacts.identity import normalise_email, normalise_phone
from chalicelib.contacts.person import Person
from chalicelib.errors import BadInput, NotFound
from chalicelib.ids import digest, enrolment_id, message_id
from chalicelib.journeys.enrolment import Enrolment, EnrolmentStatus
from chalicelib.journeys.ports import Wanted
from chalicelib.messages.message import Message, MessageKind, MessageStatus
from chalicelib.storage.decisions import Decisions
from chalicelib.storage.journeys import Enrolments
from chalicelib.storage.messages import Messages
from chalicelib.storage.table import Table
from tests.commerce.shop import DAN, NOA, START, STORE, S, Shop, chose, customer, day, order
from tests.conftest import HandClock


@pytest.fixture
def shop(table: Table, clock: HandClock) -> Shop:
    return Shop(table, clock)


def enrolled(shop: Shop, contact: Contact, key: str = "once") -> Enrolment:
    enrolment = Enrolment(
        id=enrolment_id(contact.id, "shop", "welcome", key),
        store_id="shop",
        journey="welcome",
        contact_id=contact.id,
        version=1,
        entry_key=key,
        event={"id": "x"},
        entered_at=day(0),
    )
    assert Enrolments(shop.table).create(enrolment)
    return enrolment


def written_to(shop: Shop, enrolment: Enrolment) -> Message:
    message = Message(
        id=message_id(enrolment.id, "mail-1"),
        store_id="shop",
        contact_id=enrolment.contact_id,
        enrolment_id=enrolment.id,
        channel=Channel.EMAIL,
        kind=MessageKind.MARKETING,
        to="noa@mail.test",
        subject="Noa!",
        status=MessageStatus.SENT,
        created_at=day(0),
        at=day(0),
    )
    assert Messages(shop.table).claim(message)
    return message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  Noa@Mail.Test ", "noa@mail.test"),
        ("noa@bücher.example", "noa@bücher.example"),
        ("noa@xn--bcher-kva.example", "noa@bücher.example"),
        ("ｎｏａ@mail.test", "noa@mail.test"),
        ("noa", None),
        ("noa@", None),
        ("", None),
        ("a" * 300 + "@mail.test", None),
    ],
)
def test_emails_have_one_form(text: str, expected: str | None) -> None:
    assert normalise_email(text) == expected


@pytest.mark.parametrize(
    ("text", "country", "expected"),
    [
        ("050-555-0101", "IL", "+972505550101"),
        ("+33 6 39 98 00 01", "IL", "+33639980001"),
        ("07700 900123", "GB", "+447700900123"),
        ("12", "IL", None),
        ("not a phone", "IL", None),
        ("\x00", "IL", None),
    ],
)
def test_phones_are_e164_by_the_country(text: str, country: str, expected: str | None) -> None:
    assert normalise_phone(text, country) == expected


def test_upsert_makes_then_finds_then_merges(shop: Shop) -> None:
    by_email = shop.book.upsert(STORE, ContactInput(email="a@mail.test", lists=("vip",), fields={"size": 3}))
    by_phone = shop.book.upsert(STORE, ContactInput(phone="0505550199", tags=("walk-in",)))
    assert by_email.id != by_phone.id
    both = shop.book.upsert(STORE, ContactInput(email="A@mail.test", phone="+972505550199", first_name="Ana"))
    assert both.id == min(by_email.id, by_phone.id)
    assert (both.lists, both.tags, both.fields, both.first_name) == (("vip",), ("walk-in",), {"size": 3}, "Ana")
    assert shop.contacts.get("shop", max(by_email.id, by_phone.id)) == both
    assert [contact.id for contact in shop.contacts.list("shop")] == [both.id]
    assert [event.type for _, event in shop.heard.events[:3]] == ["contact_created", "field_changed", "list_joined"]


def test_upsert_names_the_bad_field(shop: Shop) -> None:
    with pytest.raises(BadInput) as raised:
        shop.book.upsert(STORE, ContactInput(email="nobody", phone="1"))
    assert [mistake.field for mistake in raised.value.mistakes] == ["email", "phone"]
    assert "nobody" not in str(raised.value)
    with pytest.raises(BadInput):
        shop.book.upsert(STORE, ContactInput(first_name="Ana"))


def test_patch_changes_only_what_is_given(shop: Shop) -> None:
    made = shop.book.upsert(STORE, ContactInput(email="a@mail.test", first_name="Ana", last_name="Bo", lists=("vip",)))
    given = ContactPatch.model_validate(
        {"last_name": None, "lists": ["new"], "fields": {"x": 1}, "email": "b@mail.test"}
    )
    changed = shop.book.patch(STORE, made.id, given)
    assert (changed.first_name, changed.last_name, changed.lists, changed.fields) == ("Ana", None, ("new",), {"x": 1})
    assert shop.contacts.find("shop", "email", "b@mail.test") == changed
    other = shop.book.upsert(STORE, ContactInput(email="c@mail.test"))
    with pytest.raises(BadInput):
        shop.book.patch(STORE, other.id, ContactPatch(email="b@mail.test"))
    with pytest.raises(NotFound):
        shop.book.patch(STORE, "nobody", ContactPatch(first_name="x"))


def test_the_latest_choice_wins_and_a_tie_refuses(shop: Shop) -> None:
    made = shop.book.upsert(STORE, ContactInput(email="a@mail.test"))

    def after(status: ConsentStatus, at: float) -> ConsentStatus:
        change = ConsentChange(channel=Channel.EMAIL, consent=Consent(status=status, source="link", at=day(at)))
        return shop.book.change_consent("shop", made.id, [change]).consent_for(Channel.EMAIL).status

    assert after(ConsentStatus.SUBSCRIBED, 5) == "subscribed"
    assert after(ConsentStatus.UNSUBSCRIBED, 4) == "subscribed"
    assert after(ConsentStatus.UNSUBSCRIBED, 5) == "unsubscribed"
    assert after(ConsentStatus.SUBSCRIBED, 5) == "unsubscribed"
    assert after(ConsentStatus.SUBSCRIBED, 6) == "subscribed"


def test_journeys_hear_that_a_channels_status_became_another_whoever_told_it(shop: Shop, clock: HandClock) -> None:
    def heard() -> list[tuple[str, str, str]]:
        told = [event for _, event in shop.heard.events if event.type in ("subscribed", "unsubscribed")]
        shop.heard.events.clear()
        return [(event.type, event.properties["channel"], event.properties["source"]) for event in told]

    yes, no = (Consent(status=status, source="form") for status in (ConsentStatus.SUBSCRIBED, "unsubscribed"))
    made = shop.book.upsert(STORE, ContactInput(email="noa@mail.test", consent={Channel.EMAIL: yes}))
    assert heard() == [("subscribed", "email", "form")]
    clock.advance(minutes=1)
    shop.book.upsert(STORE, ContactInput(email="noa@mail.test", consent={Channel.EMAIL: yes}))
    assert heard() == []
    clock.advance(minutes=1)
    shop.book.patch(STORE, made.id, ContactPatch(consent={Channel.EMAIL: no, Channel.SMS: yes}))
    assert heard() == [("unsubscribed", "email", "form"), ("subscribed", "sms", "form")]
    refusal = ConsentChange(channel=Channel.SMS, consent=no.model_copy(update={"source": "link", "at": clock.now()}))
    shop.book.change_consent("shop", made.id, [refusal])
    assert heard() == [("unsubscribed", "sms", "link")]
    shop.book.change_consent("shop", made.id, [refusal])  # again, after a crash perhaps
    assert heard() == [("unsubscribed", "sms", "link")]
    clock.advance(minutes=1)
    told = [chose(ConsentStatus.SUBSCRIBED, (clock.now() - START) / timedelta(days=1))]
    for _ in range(2):
        shop.tell(order("1", 0, S.PAID, NOA, consent=tuple(told)))
    assert heard() == [("subscribed", "email", "checkout")] * 2
    events = [event for event in shop.timeline.of_contact("shop", made.id) if event.type.endswith("subscribed")]
    assert len({event.id for event in events}) == len(events) == 4, "those that were told us, each once"


def test_a_step_that_is_repeated_joins_the_list_once_and_finds_its_event(shop: Shop, clock: HandClock) -> None:
    made = shop.book.upsert(STORE, ContactInput(email="a@mail.test"))
    first = shop.book.add_to_list("shop", made.id, "vip", cause="step-1")
    clock.advance(minutes=1)
    assert shop.book.add_to_list("shop", made.id, "vip", cause="step-1") == first
    assert shop.book.add_to_list("shop", made.id, "vip", cause="step-2") == []
    assert [e.type for e in shop.book.remove_from_list("shop", made.id, "vip")] == ["list_left"]
    assert [e.type for e in shop.timeline.of_contact("shop", made.id)] == [
        "list_left",
        "list_joined",
        "contact_created",
    ]
    assert [e.type for e in shop.book.set_field("shop", made.id, "size", 4)] == ["field_changed"]
    assert [e.type for e in shop.book.add_tag("shop", made.id, "new")] == ["tag_added"]


def test_an_event_sent_twice_counts_once(shop: Shop) -> None:
    event = Event(id="quiz-1", type="quiz", occurred_at=day(1), properties={"n": 1})
    first = shop.intake.record_event(STORE, ContactRef(email="a@mail.test"), event)
    again = shop.intake.record_event(
        STORE, ContactRef(email="a@mail.test"), event.model_copy(update={"properties": {}})
    )
    assert first.contact_ids == again.contact_ids
    assert again.events[-1][1] == event
    found = shop.timeline.of_contact("shop", first.contact_ids[0])
    assert [e.id for e in found if e.type == "quiz"] == ["quiz-1"]
    with pytest.raises(NotFound):
        shop.intake.record_event(STORE, ContactRef(id="nobody"), event.model_copy(update={"id": "quiz-2"}))


def test_a_family_phone_makes_no_one_person_of_two(shop: Shop) -> None:
    her = order("1", 0, S.PAID, Person(email="her@mail.test", phone="0505550101"), paid=0)
    him = order("2", 1, S.PAID, Person(email="him@mail.test", phone="0505550101"), paid=1)
    shop.tell(her, him)
    assert len(shop.contacts.list("shop")) == 2
    assert shop.contacts.find("shop", "phone", "+972505550101") is None


def test_two_accounts_never_become_one_by_an_address(shop: Shop) -> None:
    shop.tell(
        customer("1", 0, Person(email="a@mail.test"), 0),
        customer("2", 0, Person(email="b@mail.test"), 0),
        order("9", 1, S.PAID, Person(email="b@mail.test", customer_id="1"), paid=1),
    )
    first, second = (shop.contacts.find("shop", "customer", number) for number in "12")
    assert first and second
    assert (first.orders_count, first.emails, second.emails) == (1, ("a@mail.test",), ("b@mail.test",))


def test_a_merge_carries_enrolments_and_messages_and_old_ids_find_them(shop: Shop) -> None:
    shop.tell(order("1", 0, S.PAID, NOA, paid=0), order("2", 1, S.PAID, DAN, placed=1, paid=1))
    noa, dan = (
        shop.contacts.find("shop", "email", "noa@mail.test"),
        shop.contacts.find("shop", "email", "dan@mail.test"),
    )
    assert noa and dan
    kept, doubled, only = enrolled(shop, noa), enrolled(shop, dan), enrolled(shop, dan, "order-2")
    message = written_to(shop, only)
    shop.resolver.merge(STORE, noa, dan)
    decisions = Decisions(shop.table)
    wanted = Wanted(enrolment=only.id, messages=[message.id], subjects=["product:1"])
    found = decisions.read("shop", dan.id, wanted)
    assert found.contact is not None and found.enrolment is not None
    assert (found.contact.id, found.contact.orders_count, found.enrolment.contact_id) == (noa.id, 2, noa.id)
    assert found.messages[message.id].contact_id == noa.id
    assert found.purchases["product:1"].orders == 2
    assert decisions.read("shop", dan.id, Wanted(enrolment=doubled.id)).enrolment is None
    assert decisions.read("shop", noa.id, Wanted(enrolment=kept.id)).enrolment == kept
    statuses = {e.id: (e.status, e.reason) for e in Enrolments(shop.table).of_contact("shop", noa.id)}
    assert statuses[doubled.id] == (EnrolmentStatus.STOPPED, "merged")
    assert [e.properties["nth"] for e in shop.timeline.of_contact("shop", noa.id) if e.type == "order_paid"] == [2, 1]


def test_an_interrupted_merge_is_finished_by_the_next_telling(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.tell(order("1", 0, S.PAID, NOA, paid=0), order("2", 1, S.PAID, DAN, placed=1, paid=1))
    noa, dan = (
        shop.contacts.find("shop", "email", "noa@mail.test"),
        shop.contacts.find("shop", "email", "dan@mail.test"),
    )
    assert noa and dan
    with monkeypatch.context() as crash, pytest.raises(RuntimeError):
        crash.setattr(type(shop.contacts), "move", lambda *_: (_ for _ in ()).throw(RuntimeError("killed")))
        shop.resolver.merge(STORE, noa, dan)
    shop.tell(order("2", 2, S.COMPLETED, DAN, placed=1, paid=1))
    after = shop.contacts.get("shop", dan.id)
    assert after is not None
    assert (after.id, after.orders_count, after.merging) == (noa.id, 2, ())


def test_erasure_stops_enrolments_empties_messages_and_is_remembered(shop: Shop, clock: HandClock) -> None:
    shop.tell(order("1", 0, S.PENDING, NOA))
    contact = shop.contacts.find("shop", "email", "noa@mail.test")
    assert contact is not None
    enrolment = enrolled(shop, contact)
    message = written_to(shop, enrolment)
    assert shop.book.export("shop", contact.id)["messages"][0]["to"] == "noa@mail.test"
    shop.book.erase("shop", contact.id)
    stopped = Enrolments(shop.table).get("shop", enrolment.id)
    bare = Messages(shop.table).get("shop", message.id)
    assert stopped is not None and bare is not None
    assert (stopped.status, stopped.reason, stopped.event) == (EnrolmentStatus.STOPPED, "erased", {})
    assert (bare.to, bare.subject, bare.status) == (None, None, MessageStatus.SENT)
    shop.tell(order("1", 3, S.PAID, NOA, paid=3))  # the erased order stays nobody's
    record = shop.orders.get("shop", "1")
    assert record is not None and record.order is not None
    assert (record.contact_id, record.order.person, record.order.status) == (None, Person(), S.PAID)
    clock.advance(days=60)
    later = (clock.now() - day(0)) / timedelta(days=1)
    shop.tell(order("2", later, S.PAID, NOA, placed=later, paid=later))
    back = shop.contacts.find("shop", "email", "noa@mail.test")
    assert back is not None and back.id != contact.id
    assert shop.suppressions.holds("shop", Channel.EMAIL, "noa@mail.test") == "erased"


def test_a_call_that_was_cut_off_before_journeys_heard_tells_them_when_it_is_repeated(
    shop: Shop, clock: HandClock
) -> None:
    given = ContactInput(email="noa@mail.test", lists=("club",), tags=("vip",), fields={"size": "M"})
    heard, shop.book._listener = shop.book._listener, lambda: _cut_off()
    for _ in range(2):
        with pytest.raises(Cut):
            shop.book.upsert(STORE, given)
    shop.book._listener = heard
    clock.advance(minutes=5)
    contact = shop.book.upsert(STORE, given)
    assert {event.type for _, event in shop.heard.events} == {
        "contact_created", "list_joined", "tag_added", "field_changed",
    }  # fmt: skip
    shop.heard.events.clear()
    clock.advance(hours=2)
    shop.book.patch(STORE, contact.id, ContactPatch(lists=("club",)))
    assert shop.heard.events == []  # nobody repeats a call after hours


class Cut(Exception):
    """A crash."""


def _cut_off() -> Shop:
    raise Cut


def test_whoever_was_erased_before_hashes_had_a_key_is_remembered_too(shop: Shop, clock: HandClock) -> None:
    old = digest("erased", "shop", "email", "noa@mail.test")
    shop.contacts.remember_erased("shop", [old], clock.now())
    shop.tell(order("1", 0, S.PENDING, NOA))
    assert shop.contacts.find("shop", "email", "noa@mail.test") is None
    clock.advance(days=60)
    later = (clock.now() - day(0)) / timedelta(days=1)
    shop.tell(order("2", later, S.PAID, NOA, placed=later, paid=later))
    assert shop.suppressions.holds("shop", Channel.EMAIL, "noa@mail.test") == "erased"


def test_a_mailbox_that_complained_stays_closed_after_its_erasure(shop: Shop, clock: HandClock) -> None:
    contact = shop.book.upsert(STORE, ContactInput(email="noa@mail.test", phone="+972505550177"))
    shop.book.suppress("shop", contact.id, Channel.EMAIL, "complained")
    shop.book.erase("shop", contact.id)
    held = [shop.suppressions.holds("shop", Channel.EMAIL, "noa@mail.test")]
    held += [shop.suppressions.holds("shop", channel, "+972505550177") for channel in (Channel.SMS, Channel.WHATSAPP)]
    assert held == ["complained", "erased", "erased"]
