"""What providers tell of a message, and what people write back, as the journey that sent it lives through it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.commerce.event import Event
from chalicelib.contacts.book import ContactInput
from chalicelib.contacts.consent import Channel, Consent, ConsentStatus
from chalicelib.ids import contact_of
from chalicelib.messages.message import Message, MessageStatus
from chalicelib.messages.replies import Reply
from chalicelib.messages.reports import DELAYED, Report
from tests.any_order import Listening, listening
from tests.conftest import HandClock
from tests.journeys.world import journey, mail, pause
from tests.memory_client import MemoryTables
from tests.test_any_order import HEBREW, NOW

NOON = NOW.replace(hour=10, minute=0, second=0) + timedelta(days=1)
TRIGGER = {"trigger": {"type": "api_event", "name": "came_back"}, "reentry": {"mode": "once"}}
YES = Consent(status=ConsentStatus.SUBSCRIBED, source="checkout", at=NOW)


def sms(step_id: str) -> dict[str, Any]:
    return {"id": step_id, "type": "send_sms", "kind": "marketing", "text": {"en": "Come and see"}}


def until(event: dict[str, Any]) -> dict[str, Any]:
    return {"id": "wait", "type": "wait", "until_event": {"event": event, "at_most": {"days": 3}}}


class Life:
    """One contact on the way of one journey."""

    def __init__(self, shop: Listening, *steps: dict[str, Any]) -> None:
        self.shop, self.parts = shop, shop.parts
        sender = shop.store.settings.sender.model_copy(update={"sms": "+972505550199"})
        settings = shop.store.settings.model_copy(update={"sender": sender, "duplicate_days": 0})
        shop.store = self.parts.stores.save(shop.store.model_copy(update={"settings": settings}))
        shop.activate({"back": journey(*steps, **TRIGGER)})
        given = ContactInput(
            email="dana@shopper.example", phone="+972505550101", consent={Channel.EMAIL: YES, Channel.SMS: YES}
        )
        self.contact_id = self.parts.contact_book.upsert(shop.store, given).id
        event = Event(id="came_back:1", type="came_back", occurred_at=shop.clock.now())
        self.parts.listener.on_events(shop.store, self.contact_id, [event])
        shop.workflows.live(minutes=1)

    def message(self, step: str) -> Message:
        found = [one for one in self.parts.messages.of_contact("shop", self.contact_id) if one.step == step]
        assert len(found) == 1, step
        return found[0]

    def tell(self, step: str, status: Any, **more: Any) -> None:
        message_id = self.message(step).id
        report = Report("shop", message_id, status, self.shop.clock.now(), contact_of(message_id), **more)
        assert self.parts.reports.take(report) is not None

    def sent(self) -> list[str | None]:
        return [message.step for message in self.shop.channel.taken]


@pytest.fixture
def shop(tables: MemoryTables) -> Iterator[Listening]:
    with listening(tables, HandClock(NOON), HEBREW) as made:  # type: ignore[arg-type]
        yield made


def test_a_bounce_cancels_later_emails_of_the_contact_and_not_the_sms(shop: Listening) -> None:
    life = Life(shop, mail("first"), pause(hours=1), mail("second"), sms("third"))
    life.tell("first", MessageStatus.BOUNCED, detail="Permanent/General")
    shop.workflows.live(hours=2)
    assert life.sent() == ["first", "third"]
    second = life.message("second")
    assert (second.status, second.reason) == (MessageStatus.NOT_SENT, "suppressed")


def test_a_mailbox_that_is_full_cancels_nothing(shop: Listening) -> None:
    life = Life(shop, mail("first"), pause(hours=1), mail("second"))
    life.tell("first", DELAYED, detail="Transient/MailboxFull")
    shop.workflows.live(hours=2)
    assert life.sent() == ["first", "second"]
    assert [entry.status for entry in life.message("first").history] == ["claimed", "sent", "delayed"]


@pytest.mark.parametrize(
    ("status", "event"),
    [
        (MessageStatus.BOUNCED, "message_failed"),
        (MessageStatus.COMPLAINED, "message_complained"),
        (MessageStatus.OPENED, "message_opened"),
    ],
)
def test_a_report_wakes_the_journey_that_waits_for_it(shop: Listening, status: MessageStatus, event: str) -> None:
    tag = {"id": "told", "type": "add_tag", "tag": "told"}
    life = Life(shop, mail("first"), until({"type": event, "step": "first"}), tag)
    shop.workflows.live(hours=1)
    assert life.parts.contacts.get("shop", life.contact_id).tags == ()
    life.tell("first", status)
    shop.workflows.live(minutes=1)
    assert life.parts.contacts.get("shop", life.contact_id).tags == ("told",)


def test_a_reply_wakes_who_waits_for_it_and_stop_cancels_the_next_sms_and_no_email(shop: Listening) -> None:
    life = Life(shop, sms("first"), until({"type": "contact_replied"}), sms("second"), mail("third", "marketing"))
    shop.workflows.live(hours=1)
    assert life.sent() == ["first"]
    assert shop.channel.taken[0].text.endswith("or reply STOP")
    told = Reply(Channel.SMS, "in-1", "+972505550101", "הסר", shop.clock.now(), ("+972505550199",))
    assert life.parts.replies.take(told) == 1
    shop.workflows.live(minutes=1)
    assert life.sent() == ["first", "third"]
    assert life.message("second").reason == "unsubscribed"
