"""The templates with SMS live through every branch on the virtual clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.commerce.cart import CartActivity, CartItem, CartRecord, CartStep
from chalicelib.commerce.cart_events import abandoned_events, standing_events
from chalicelib.commerce.event import Event
from chalicelib.commerce.money import Money
from chalicelib.commerce.order import OrderStatus
from chalicelib.contacts.consent import Channel, Consent, ConsentStatus
from chalicelib.contacts.person import Person
from chalicelib.contacts.ports import Writing
from chalicelib.ids import message_id
from chalicelib.journeys.enrolment import EnrolmentStatus
from chalicelib.journeys.gallery import gallery
from chalicelib.messages.message import Message, MessageStatus
from chalicelib.messages.ports import SendRejected, Sms
from chalicelib.messages.reports import Report, apply_report
from chalicelib.storage.carts import Carts
from chalicelib.storage.table import Table
from tests.conftest import HandClock
from tests.journeys.world import World
from tests.messages.readers import as_written
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
        assert "https://tea.example/pay/7?key=k" in as_written(life.table, life.channel.taken[0].text)
        life.live(days=1)
        assert life.sent() == ["pay-again", "still-unpaid"]
        sms = life.channel.taken[1]
        assert sms.to == PHONE
        assert (
            "https://tea.example/pay/7?key=k" in as_written(life.table, sms.text)
            and "https://agala.example/l/" in sms.text
        )
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


LINK = "https://tea.example/?agala_cart=k1"


class Cart:
    """The contact's cart: its record as it stands, and the events of it that journeys hear."""

    def __init__(self, life: Life) -> None:
        self.life, self.carts = life, Carts(life.table)
        self.tell(CartStep.UPDATED, "Green tea")

    def tell(self, step: CartStep, *names: str, **record: Any) -> None:
        store, now = self.life.store.id, self.life.clock.now()
        euro = Money(amount=1250, currency="EUR")
        items = tuple(CartItem(product_id=name, name=name, quantity=2, price=euro) for name in names)
        activity = CartActivity(
            id=f"{now.isoformat()}-{step}",
            token="t1",
            step=step,
            person=Person(),
            items=items,
            lines=len(items),
            total=Money(amount=2500 * len(items), currency="EUR"),
            restore_url=LINK,
            occurred_at=now,
        )
        known = self.carts.get(store, "t1") or CartRecord(store_id=store, token="t1", contact_id=self.life.contact)
        self.carts.write(known.model_copy(update={"latest": activity, "named_at": now, **record}))

    @property
    def record(self) -> CartRecord:
        found = self.carts.get(self.life.store.id, "t1")
        assert found is not None
        return found

    def left(self) -> None:
        """It counts as left now."""
        record, now = self.record, self.life.clock.now()
        assert record.latest is not None
        changes = {"abandoned_at": (now,), "left_as": record.latest.place(), "left_generation": 1}
        self.carts.write(record.model_copy(update=changes))
        self.life.tell(*abandoned_events(self.record))

    def checkout(self) -> None:
        self.carts.write(self.record.model_copy(update={"checkout_at": self.life.clock.now()}))
        (event,) = standing_events(self.record)
        self.life.tell(event)

    def bought(self) -> None:
        self.carts.write(self.record.model_copy(update={"bought_at": self.life.clock.now(), "order_id": "9"}))


@pytest.fixture
def cart(life: Life) -> Cart:
    return Cart(life)


class TestCartAbandonment:
    @pytest.fixture(autouse=True)
    def begun(self, life: Life, cart: Cart) -> None:
        life.start("cart-abandonment")
        cart.left()

    def test_an_sms_that_arrives_and_help_a_day_later(self, life: Life) -> None:
        life.live(minutes=1)
        assert life.sent() == ["cart-sms"]
        sms = life.channel.taken[0]
        assert (
            sms.to == PHONE
            and LINK in as_written(life.table, sms.text)
            and sms.text.startswith("Tea\nHi, your cart is saved:")
        )
        life.report("cart-sms", MessageStatus.DELIVERED)
        life.live(hours=24, minutes=58)
        assert life.sent() == ["cart-sms"]
        life.live(minutes=2)
        assert life.sent() == ["cart-sms", "questions"]
        life.live(days=2)
        assert life.sent() == ["cart-sms", "questions"], "the incentive is off"
        assert life.ended() == (EnrolmentStatus.COMPLETED, "completed")

    @pytest.mark.parametrize("status", [None, MessageStatus.FAILED, MessageStatus.BOUNCED])
    def test_an_sms_that_was_not_delivered_within_an_hour_becomes_an_email(
        self, life: Life, status: MessageStatus | None
    ) -> None:
        life.live(minutes=30)
        if status:
            life.report("cart-sms", status)
        life.live(minutes=29)
        assert life.sent() == ["cart-sms"]
        life.live(minutes=2)
        assert life.sent() == ["cart-sms", "cart-email"]
        email = life.channel.taken[1]
        assert "Green tea" in email.html and LINK in as_written(life.table, email.text)
        life.live(days=1)
        assert life.sent() == ["cart-sms", "cart-email", "questions"]

    def test_a_refused_sms_becomes_an_email_at_once(self, life: Life) -> None:
        def refuse(message: Any) -> None:
            if isinstance(message, Sms):
                raise SendRejected("ConflictException/DESTINATION_PHONE_NUMBER_OPTED_OUT")

        life.channel.before = refuse
        life.live(minutes=1)
        assert life.sent() == ["cart-email"]
        assert (life.message("cart-sms").status, life.message("cart-sms").reason) == (MessageStatus.FAILED, "rejected")

    @pytest.mark.parametrize(
        ("phone", "subscribed", "reason"),
        [
            (None, (Channel.EMAIL, Channel.SMS), "no_phone"),
            (PHONE, (Channel.EMAIL,), "no_consent"),
        ],
    )
    def test_without_phone_or_consent_the_email_comes_at_once(
        self, life: Life, phone: str | None, subscribed: tuple[Channel, ...], reason: str
    ) -> None:
        life.know(phone=phone, subscribed=subscribed)
        life.live(minutes=1)
        assert life.sent() == ["cart-email"]
        assert (life.message("cart-sms").status, life.message("cart-sms").reason) == (MessageStatus.NOT_SENT, reason)
        life.live(days=1)
        assert life.sent() == ["cart-email", "questions"]

    def test_who_can_be_reached_nowhere_gets_nothing_and_it_is_told_why(self, life: Life) -> None:
        life.know(phone=None, subscribed=())
        life.live(days=3)
        assert life.sent() == []
        reasons = [life.message(step).reason for step in ("cart-sms", "cart-email", "questions")]
        assert reasons == ["no_phone", "no_consent", "no_consent"]

    def test_a_cart_that_changed_is_shown_as_it_is_now(self, life: Life, cart: Cart) -> None:
        life.live(minutes=30)
        cart.tell(CartStep.UPDATED, "Green tea", "Black tea")
        life.live(minutes=31)
        assert "Black tea" in life.channel.taken[1].html

    def test_nobody_who_bought_is_written_to_again(self, life: Life, cart: Cart) -> None:
        life.live(minutes=10)
        cart.bought()
        life.live(days=3)
        assert life.sent() == ["cart-sms"]
        assert life.ended() == (EnrolmentStatus.GOAL_MET, "goal_met")

    def test_any_order_is_the_goal(self, life: Life) -> None:
        life.live(minutes=10)
        life.buy("77")
        life.live(days=3)
        assert life.sent() == ["cart-sms"]
        assert life.ended() == (EnrolmentStatus.GOAL_MET, "goal_met")

    def test_an_emptied_cart_is_left_alone(self, life: Life, cart: Cart) -> None:
        life.live(minutes=10)
        cart.tell(CartStep.EMPTIED)
        life.live(days=3)
        assert life.sent() == ["cart-sms"]
        assert life.ended() == (EnrolmentStatus.EXITED, "cart_emptied")

    def test_a_cart_is_written_about_once(self, life: Life, cart: Cart) -> None:
        life.live(days=3)
        cart.tell(CartStep.UPDATED, "Green tea")
        cart.left()
        life.live(days=3)
        assert life.sent() == ["cart-sms", "cart-email", "questions"]


def test_at_night_the_sms_waits_for_the_morning(life: Life, cart: Cart) -> None:
    life.clock.advance(hours=11)  # 23:00 in Paris
    life.start("cart-abandonment")
    cart.left()
    life.live(hours=9, minutes=59)
    assert life.sent() == []
    life.live(minutes=2)
    assert life.sent() == ["cart-sms"]


class TestCartAbandonmentEmailFirst:
    @pytest.fixture(autouse=True)
    def begun(self, life: Life, cart: Cart) -> None:
        life.start("cart-abandonment-email-first")
        cart.left()

    @pytest.mark.parametrize("status", [None, MessageStatus.DELIVERED, MessageStatus.OPENED])
    def test_who_does_not_click_gets_an_sms_and_a_last_email(self, life: Life, status: MessageStatus | None) -> None:
        life.live(minutes=1)
        assert life.sent() == ["cart-email"]
        if status:
            life.report("cart-email", status)
        life.live(days=1)
        assert life.sent() == ["cart-email", "cart-sms"]
        life.live(days=2)
        assert life.sent() == ["cart-email", "cart-sms", "last-reminder"]
        assert life.ended() == (EnrolmentStatus.COMPLETED, "completed")

    def test_who_clicked_gets_no_sms(self, life: Life) -> None:
        life.live(minutes=1)
        life.report("cart-email", MessageStatus.CLICKED)
        life.live(days=4)
        assert life.sent() == ["cart-email", "last-reminder"]

    def test_without_a_phone_the_last_email_still_comes(self, life: Life) -> None:
        life.know(phone=None, subscribed=(Channel.EMAIL, Channel.SMS))
        life.live(days=4)
        assert life.sent() == ["cart-email", "last-reminder"]
        assert life.message("cart-sms").reason == "no_phone"

    def test_an_order_ends_it(self, life: Life, cart: Cart) -> None:
        life.live(hours=1)
        cart.bought()
        life.live(days=4)
        assert life.sent() == ["cart-email"]
        assert life.ended() == (EnrolmentStatus.GOAL_MET, "goal_met")


class TestCheckoutAbandonment:
    @pytest.fixture(autouse=True)
    def begun(self, life: Life, cart: Cart) -> None:
        life.start("checkout-abandonment")
        cart.checkout()

    def test_half_an_hour_later_as_for_a_left_cart(self, life: Life) -> None:
        life.live(minutes=29)
        assert life.sent() == []
        life.live(minutes=2)
        assert life.sent() == ["cart-sms"]
        life.live(hours=1)
        assert life.sent() == ["cart-sms", "cart-email"]
        assert LINK in as_written(life.table, life.channel.taken[0].text) and LINK in as_written(
            life.table, life.channel.taken[1].text
        )
        life.live(days=1)
        assert life.sent() == ["cart-sms", "cart-email", "questions"]

    def test_who_orders_within_the_half_hour_hears_nothing(self, life: Life, cart: Cart) -> None:
        life.live(minutes=10)
        cart.bought()
        life.live(days=2)
        assert life.sent() == []
        assert life.ended() == (EnrolmentStatus.GOAL_MET, "goal_met")

    def test_without_a_phone_the_email_comes_after_the_half_hour(self, life: Life) -> None:
        life.know(phone=None, subscribed=(Channel.EMAIL,))
        life.live(minutes=31)
        assert life.sent() == ["cart-email"]

    def test_the_same_cart_counting_as_left_begins_no_second_journey(self, life: Life, cart: Cart) -> None:
        life.activate(next(one.definition for one in gallery() if one.id == "cart-abandonment"), "second")
        life.live(hours=1)
        cart.left()
        assert life.only().journey == "j"


def test_a_failure_told_after_the_payment_begins_nothing(life: Life) -> None:
    """Deliveries come in any order: the goal is looked at on entry, and no execution is started for nothing."""
    life.start("payment-failed")
    told = life.order("7", OrderStatus.PAID)
    event = told.model_copy(update={"id": f"payment_failed:{life.store.id}:7", "type": "payment_failed"})
    life.tell(event)
    assert life.ended() == (EnrolmentStatus.GOAL_MET, "goal_met")
    assert life.virtual.executions == {}
    life.live(days=2)
    assert life.sent() == []
