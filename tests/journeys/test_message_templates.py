"""The templates with SMS live through every branch on the virtual clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.commerce.event import Event
from chalicelib.commerce.order import OrderStatus
from chalicelib.contacts.consent import Channel, Consent, ConsentStatus
from chalicelib.contacts.ports import Writing
from chalicelib.ids import message_id
from chalicelib.journeys.enrolment import EnrolmentStatus
from chalicelib.journeys.gallery import gallery
from chalicelib.messages.message import Message, MessageStatus
from chalicelib.messages.reports import Report, apply_report
from chalicelib.storage.table import Table
from tests.conftest import HandClock
from tests.journeys.world import World
from tests.messages.shop import ContactBookDouble
from tests.virtual_workflows import VirtualWorkflows

NOON = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)  # noon in Paris, on a Monday
PHONE = "+33639980101"


class Life(World):
    """A world whose executions run; the contact has a phone and wants emails and SMS."""

    def __init__(self, table: Table, clock: HandClock) -> None:
        self.virtual = VirtualWorkflows(clock, self._task)
        super().__init__(table, clock, self.virtual)
        self.know(phone=PHONE, subscribed=(Channel.EMAIL, Channel.SMS))

    def _task(self, task: Any) -> Any:
        return self.steps.run(
            task["store_id"], task["enrolment_id"], task["generation"], task["steps"], task.get("next")
        )

    def know(self, phone: str | None, subscribed: tuple[Channel, ...]) -> None:
        contact = self.contacts.get(self.store.id, self.contact)
        assert contact is not None
        consent = Consent(status=ConsentStatus.SUBSCRIBED, source="checkout", at=self.clock.now())
        changed = contact.model_copy(update={"phone": phone, "consent": dict.fromkeys(subscribed, consent)})
        self.contacts.write(self.store.id, [Writing(contact.id, contact=changed)])

    def start(self, template: str) -> None:
        self.activate(next(one.definition for one in gallery() if one.id == template))

    def live(self, **length: float) -> None:
        self.virtual.live(**length)

    def sent(self) -> list[str]:
        return [message.step for message in self.channel.taken]

    def message(self, step: str) -> Message:
        found = self.messages.get(self.store.id, message_id(self.only().id, step))
        assert found is not None
        return found

    def report(self, step: str, status: MessageStatus) -> None:
        name = message_id(self.only().id, step)
        apply_report(Report(self.store.id, name, status, self.clock.now()), self.messages, ContactBookDouble())

    def ended(self) -> tuple[EnrolmentStatus, str | None]:
        enrolment = self.only()
        return enrolment.status, enrolment.reason


@pytest.fixture
def life(table: Table) -> Iterator[Life]:
    yield Life(table, HandClock(NOON))


class TestPaymentFailed:
    @pytest.fixture(autouse=True)
    def failed(self, life: Life) -> None:
        life.start("payment-failed")
        told = life.order("7", OrderStatus.FAILED)
        properties = told.properties | {"payment_url": "https://tea.example/pay/7?key=k"}
        event = Event(
            id=f"payment_failed:{life.store.id}:7",
            type="payment_failed",
            occurred_at=life.clock.now(),
            properties=properties,
        )
        life.tell(event)

    def test_an_email_at_once_and_an_sms_a_day_later(self, life: Life) -> None:
        life.live(minutes=1)
        assert life.sent() == ["pay-again"]
        assert "https://tea.example/pay/7?key=k" in life.channel.taken[0].text
        life.live(days=1)
        assert life.sent() == ["pay-again", "still-unpaid"]
        sms = life.channel.taken[1]
        assert sms.to == PHONE
        assert "https://tea.example/pay/7?key=k" in sms.text and "https://agala.example/u/u2." in sms.text
        assert life.ended() == (EnrolmentStatus.COMPLETED, "completed")

    @pytest.mark.parametrize("status", [OrderStatus.PAID, OrderStatus.COMPLETED])
    def test_paying_the_same_order_meets_the_goal(self, life: Life, status: OrderStatus) -> None:
        life.live(hours=3)
        life.order("7", status)
        life.live(days=2)
        assert life.sent() == ["pay-again"]
        assert life.ended() == (EnrolmentStatus.GOAL_MET, "goal_met")

    def test_the_goal_is_heard_of_at_once(self, life: Life) -> None:
        life.live(hours=3)
        life.buy("7")
        assert life.ended() == (EnrolmentStatus.GOAL_MET, "goal_met")

    def test_another_order_meets_it_too(self, life: Life) -> None:
        life.live(hours=3)
        life.buy("8")
        assert life.ended() == (EnrolmentStatus.GOAL_MET, "goal_met")

    def test_a_cancelled_order_ends_it(self, life: Life) -> None:
        life.live(hours=3)
        life.order("7", OrderStatus.CANCELLED)
        life.live(days=2)
        assert life.sent() == ["pay-again"]
        assert life.ended() == (EnrolmentStatus.EXITED, "order_cancelled")

    def test_who_never_agreed_hears_of_the_order_and_no_more(self, life: Life) -> None:
        life.know(phone=PHONE, subscribed=())
        life.live(days=2)
        assert life.sent() == ["pay-again"]
        assert (life.message("still-unpaid").channel, life.message("still-unpaid").reason) == (
            Channel.SMS,
            "no_consent",
        )

    def test_the_sms_waits_for_the_morning(self, life: Life) -> None:
        life.clock.advance(hours=10, minutes=30)  # 22:30 in Paris
        life.live(days=1, hours=10)
        assert life.sent() == ["pay-again"]
        life.live(minutes=45)
        assert life.sent() == ["pay-again", "still-unpaid"]
        assert life.message("still-unpaid").at == datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
