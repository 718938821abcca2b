"""A purchase becomes a message: recorded deliveries in, emails out, and everything between them is the real thing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib import wiring
from chalicelib.commerce.change import Change
from chalicelib.commerce.event import Event
from chalicelib.commerce.intake import ContactRef
from chalicelib.commerce.order import Order, OrderStatus
from chalicelib.commerce.product import Product
from chalicelib.commerce.snapshot import Version
from chalicelib.commerce.store import Platform, QuietHours, Store
from chalicelib.contacts.book import ContactPatch
from chalicelib.contacts.consent import Channel, Consent, ConsentChange, ConsentStatus
from chalicelib.contacts.contact import Contact
from chalicelib.contacts.erased import AddressHashes
from chalicelib.handlers.journey_steps import journey_step
from chalicelib.journeys.enrolment import Enrolment, EnrolmentStatus
from chalicelib.journeys.gallery import gallery
from chalicelib.journeys.ports import ProviderBusy
from chalicelib.messages.links import SignedLinks
from chalicelib.messages.message import MessageStatus
from chalicelib.settings import Settings
from chalicelib.storage.table import Table
from chalicelib.store_adapters import adapter_for
from chalicelib.store_adapters.base import Delivery
from tests.conftest import RECORDED, HandClock
from tests.journeys.world import RecordingChannel, journey, mail, pause
from tests.virtual_workflows import VirtualWorkflows

PAID_AT = datetime(2026, 11, 21, 21, 15, 57, tzinfo=UTC)
RESTOCK = journey(
    {"id": "used-up", "type": "wait", "lifetime": {"minus_days": 5, "default_days": 30}},
    mail("restock"),
    pause("five-days", days=5),
    mail("last-word"),
    goal={"purchased": {"product": "trigger", "since": "entry"}},
    reentry={"mode": "once_at_a_time"},
)


class Shop:
    """One store in a wiring that is production's, but for the table server, the clock, workflows and the channel."""

    def __init__(self, table: Table, clock: HandClock) -> None:
        self.clock = clock
        self.channel = RecordingChannel()
        self.workflows = VirtualWorkflows(clock, lambda task: journey_step(task, None))
        self.wiring: Any = wiring.Wiring(Settings.from_environment({"AGALA_STEP_FUNCTION_ARN": "arn:step"}))
        self.wiring.table, self.wiring.clock, self.wiring.workflows = table, clock, self.workflows
        self.wiring.email_pace = None
        self.wiring.email_channel, self.wiring.links = self.channel, SignedLinks("https://agala.example", [b"key"])
        self.wiring.objects, self.wiring.address_hashes = None, AddressHashes(lambda: "key of addresses")
        store = Store(
            id="shop",
            platform=Platform.WOOCOMMERCE,
            name="Mugs",
            url="https://mugs.example",
            country="FR",
            currency="EUR",
            timezone="Europe/Paris",
            locale="en",
            created_at=clock.now() - timedelta(days=1),
        )
        self.store: Store = self.wiring.stores.save(store)

    def parsed(self, name: str) -> list[Change]:
        """What the adapter makes of a recorded delivery."""
        head, _, body = (RECORDED / "woocommerce" / name).read_bytes().partition(b"\r\n\r\n")
        lines = (line.partition(": ") for line in head.decode().splitlines()[1:])
        headers = {key.lower(): value for key, _, value in lines}
        delivery = Delivery(self.store.id, "woocommerce", headers, body, self.clock.now())
        return adapter_for("woocommerce").parse(delivery, self.store)

    def deliver(self, name: str) -> None:
        """A recorded delivery, through adapter and intake."""
        self.tell(*self.parsed(name))

    def tell(self, *changes: Change) -> None:
        for change in changes:
            self.wiring.intake.apply(self.store, change, None, self.clock.now())

    def order(self, order_id: str, **changes: Any) -> Order:
        """An order like the recorded one, told as paid now."""
        recorded = next(c for c in self.parsed("order.updated.http") if isinstance(c, Order))
        now = self.clock.now()
        about = {"external_id": order_id, "number": order_id, "placed_at": now, "paid_at": now}
        order = recorded.model_copy(update={**about, "version": Version(modified_at=now), **changes})
        self.tell(order)
        return order

    def activate(self, journey_id: str, definition: dict[str, Any]) -> None:
        self.wiring.lifecycle.save_draft(self.store, journey_id, definition)
        self.wiring.lifecycle.activate(self.store, journey_id)

    def contact(self) -> Contact:
        found = self.wiring.contacts.find(self.store.id, "email", "zoe@example.test")
        assert isinstance(found, Contact)
        return found

    def subscribe(self) -> None:
        consent = Consent(status=ConsentStatus.SUBSCRIBED, source="api", at=self.clock.now())
        change = ConsentChange(channel=Channel.EMAIL, consent=consent)
        self.wiring.contact_book.change_consent(self.store.id, self.contact().id, [change])

    def enrolments(self) -> list[Enrolment]:
        found: list[Enrolment] = self.wiring.enrolments.of_contact(self.store.id, self.contact().id)
        return found

    def steps_sent(self) -> list[str | None]:
        return [email.step for email in self.channel.taken]


@pytest.fixture
def shop(table: Table) -> Iterator[Shop]:
    made = Shop(table, HandClock(PAID_AT + timedelta(minutes=1)))
    wiring.use(made.wiring)
    yield made
    wiring.use(None)


def template(name: str) -> dict[str, Any]:
    return next(one.definition for one in gallery() if one.id == name)


def test_a_first_order_is_thanked_at_once_and_helped_three_days_later(shop: Shop) -> None:
    shop.activate("thank-you-new", template("thank-you-new"))
    for name in ("order.created.http", "customer.created.http", "order.updated.http", "order.updated.http"):
        shop.deliver(name)
    shop.subscribe()
    shop.workflows.live(seconds=5)
    assert shop.steps_sent() == ["thank-you"]
    (first,) = shop.channel.taken
    assert first.to == "zoe@example.test"
    assert "Zoé" in first.subject
    assert "Café crème mug" in first.html
    (enrolment,) = shop.enrolments()
    assert (enrolment.status, enrolment.at_step) == (EnrolmentStatus.RUNNING, "three-days")
    assert enrolment.due_at == PAID_AT + timedelta(minutes=1, days=3)
    shop.workflows.live(days=3, seconds=-10)
    assert len(shop.channel.taken) == 1
    shop.workflows.live(seconds=10)
    assert shop.steps_sent() == ["thank-you", "get-the-most"]
    (enrolment,) = shop.enrolments()
    assert (enrolment.status, enrolment.reason) == (EnrolmentStatus.COMPLETED, "completed")
    shop.deliver("order.updated.http")
    shop.workflows.live(days=30)
    assert len(shop.channel.taken) == 2


def test_without_consent_the_marketing_mail_is_explained_and_not_sent(shop: Shop) -> None:
    shop.activate("thank-you-new", template("thank-you-new"))
    shop.deliver("order.updated.http")
    shop.workflows.live(days=4)
    assert shop.steps_sent() == ["thank-you"]
    messages = shop.wiring.messages.of_contact(shop.store.id, shop.contact().id)
    assert [(m.step, m.status, m.reason) for m in messages] == [
        ("thank-you", MessageStatus.SENT, None),
        ("get-the-most", MessageStatus.NOT_SENT, "no_consent"),
    ]


def test_a_consumable_is_reminded_of_before_it_is_used_up_unless_it_was_bought_again(shop: Shop) -> None:
    shop.activate("restock", RESTOCK)
    mug = next(c for c in shop.parsed("product.updated.http") if isinstance(c, Product))
    shop.tell(mug.model_copy(update={"lifetime_days": 20}))
    shop.deliver("order.updated.http")
    (enrolment,) = shop.enrolments()
    assert enrolment.due_at == PAID_AT + timedelta(days=15)
    shop.workflows.live(days=15)
    assert shop.steps_sent() == ["restock"]
    shop.order("16")
    assert [(e.entry_key, e.status) for e in shop.enrolments()] == [
        ("r1", EnrolmentStatus.GOAL_MET),
        ("r2", EnrolmentStatus.RUNNING),
    ]
    shop.workflows.live(days=14)
    assert shop.steps_sent() == ["restock"]
    shop.workflows.live(days=8)
    assert shop.steps_sent() == ["restock", "restock", "last-word"]


def test_buying_again_what_came_beside_the_consumable_does_not_end_its_reminders(shop: Shop) -> None:
    shop.activate("replenishment", template("replenishment"))
    mug = next(c for c in shop.parsed("product.updated.http") if isinstance(c, Product))
    shop.tell(mug.model_copy(update={"lifetime_days": 20}))
    shop.tell(mug.model_copy(update={"external_id": "99", "name": "Cookies", "sku": None}))
    recorded = next(c for c in shop.parsed("order.updated.http") if isinstance(c, Order))
    tea = recorded.items[0]
    cookies = tea.model_copy(update={"product_id": "99", "variation_id": None, "name": "Cookies"})
    shop.order("15", items=(cookies, tea))
    shop.subscribe()
    shop.workflows.live(days=2)
    shop.order("16", items=(cookies,))
    assert [e.status for e in shop.enrolments()] == [EnrolmentStatus.RUNNING]
    shop.workflows.live(days=14)
    assert shop.steps_sent() == ["time-to-restock"]
    assert "Café crème mug" in shop.channel.taken[0].html and "Cookies" not in shop.channel.taken[0].html
    shop.order("17", items=(tea,))
    first, second = shop.enrolments()
    assert (first.status, second.status) == (EnrolmentStatus.GOAL_MET, EnrolmentStatus.RUNNING)


def test_a_pause_holds_and_a_resume_goes_on_where_it_was(shop: Shop) -> None:
    shop.activate("two", journey(mail("one"), pause(days=3), mail("two"), pause("more", days=3), mail("three")))
    shop.deliver("order.updated.http")
    shop.workflows.live(days=1)
    shop.wiring.lifecycle.pause(shop.store, "two")
    shop.workflows.live(days=10)
    assert shop.steps_sent() == ["one"]
    assert [(e.status, e.at_step) for e in shop.enrolments()] == [(EnrolmentStatus.HELD, "two")]
    shop.wiring.lifecycle.resume(shop.store, "two")
    shop.workflows.live(seconds=1)
    assert shop.steps_sent() == ["one", "two"]
    shop.workflows.live(days=3)
    assert shop.steps_sent() == ["one", "two", "three"]
    assert [e.status for e in shop.enrolments()] == [EnrolmentStatus.COMPLETED]


def test_a_pause_that_is_over_before_anybody_woke_changes_nothing(shop: Shop) -> None:
    shop.activate("two", journey(mail("one"), pause(days=3), mail("two")))
    shop.deliver("order.updated.http")
    shop.workflows.live(days=1)
    shop.wiring.lifecycle.pause(shop.store, "two")
    shop.workflows.live(days=1)
    shop.wiring.lifecycle.resume(shop.store, "two")
    shop.workflows.live(days=1)
    assert shop.steps_sent() == ["one", "two"]


def test_a_cancelled_order_is_not_followed_up(shop: Shop) -> None:
    shop.activate("two", journey(mail("one"), pause(days=3), mail("two")))
    shop.deliver("order.updated.http")
    shop.workflows.live(days=1)
    shop.order("15", status=OrderStatus.CANCELLED, paid_at=PAID_AT, placed_at=PAID_AT)
    assert [(e.status, e.reason) for e in shop.enrolments()] == [(EnrolmentStatus.EXITED, "order_cancelled")]
    shop.workflows.live(days=10)
    assert shop.steps_sent() == ["one"]


def test_a_new_version_leaves_people_on_theirs(shop: Shop) -> None:
    shop.activate("two", journey(mail("one"), pause(days=3), mail("two")))
    shop.deliver("order.updated.http")
    shop.workflows.live(days=1)
    shop.activate("two", journey(mail("other")))
    shop.workflows.live(days=2)
    assert shop.steps_sent() == ["one", "two"]


def test_a_list_joined_on_the_way_starts_the_journey_that_waits_for_it(shop: Shop) -> None:
    shop.activate("joining", journey({"id": "join", "type": "add_to_list", "list": "mugs"}))
    shop.activate(
        "joined", journey(mail("welcome"), trigger={"type": "list_joined", "list": "mugs"}, reentry={"mode": "once"})
    )
    shop.deliver("order.updated.http")
    shop.workflows.live(minutes=1)
    assert shop.contact().lists == ("mugs",)
    assert shop.steps_sent() == ["welcome"]


def test_in_a_busy_hour_of_the_provider_the_message_goes_later_and_once(shop: Shop) -> None:
    shop.activate("one", journey(mail("one")))
    refusals = iter(range(5))

    def busy(email: object) -> None:
        if next(refusals, None) is not None:
            raise ProviderBusy("Throttling")

    shop.channel.before = busy
    shop.deliver("order.updated.http")
    shop.workflows.live(days=1)
    assert shop.steps_sent() == ["one"]
    assert [e.status for e in shop.enrolments()] == [EnrolmentStatus.COMPLETED]


def test_in_quiet_hours_a_marketing_message_waits_for_the_morning_of_the_store(shop: Shop) -> None:
    hours = QuietHours.model_validate({"from": "21:00", "to": "09:00"})
    settings = shop.store.settings.model_copy(update={"quiet_hours": {Channel.EMAIL: hours}})
    shop.store = shop.wiring.stores.save(shop.store.model_copy(update={"settings": settings}))
    shop.activate("one", journey(mail("one", kind="marketing")))
    shop.deliver("customer.created.http")
    shop.subscribe()
    shop.deliver("order.updated.http")
    shop.workflows.live(hours=1)
    morning = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)  # 9:00 in Paris
    (enrolment,) = shop.enrolments()
    assert (enrolment.at_step, enrolment.due_at) == ("one", morning)
    assert "quiet_hours" in (enrolment.history[-1].detail or "")
    assert shop.steps_sent() == []
    shop.workflows.live(days=1)
    assert shop.steps_sent() == ["one"]
    (enrolment,) = shop.enrolments()
    assert (enrolment.status, enrolment.ended_at) == (EnrolmentStatus.COMPLETED, morning)


def test_an_answer_lost_on_its_way_back_sends_once(shop: Shop) -> None:
    """The task ran, and the workflow service did not hear of it: the very same task comes again."""
    lost = iter(range(2))

    def unheard(task: Any) -> Any:
        answer = journey_step(task, None)
        if next(lost, None) is not None:
            raise type("TryLater", (Exception,), {})
        return answer

    shop.workflows._task = unheard
    shop.activate("two", journey(mail("one"), pause(days=3), mail("two")))
    shop.deliver("order.updated.http")
    shop.workflows.live(days=4)
    assert shop.steps_sent() == ["one", "two"]


def test_orders_told_newest_first_end_as_if_told_in_order(shop: Shop) -> None:
    shop.activate("thank-you-new", template("thank-you-new"))
    shop.clock.advance(minutes=30)
    shop.order("16")
    assert [e.event["properties"]["order_id"] for e in shop.enrolments()] == ["16"]
    shop.deliver("order.updated.http")
    assert [(e.entry_key, e.event["properties"]["order_id"]) for e in shop.enrolments()] == [("once", "15")]
    shop.workflows.live(minutes=1)
    assert shop.steps_sent() == ["thank-you"]
    assert "15" in shop.channel.taken[0].html


@pytest.mark.parametrize("tell", [0, 1, 2])
def test_an_event_sent_over_the_api_starts_a_journey(shop: Shop, tell: int) -> None:
    trigger = {"type": "api_event", "name": "warranty.registered"}
    shop.activate("warranty", journey(mail("hello"), trigger=trigger, reentry={"mode": "every_time"}))
    shop.deliver("customer.created.http")
    event = Event(id="e1", type="warranty.registered", occurred_at=shop.clock.now())
    for _ in range(tell):
        shop.wiring.intake.record_event(shop.store, ContactRef(email="zoe@example.test"), event)
    shop.workflows.live(minutes=1)
    assert shop.steps_sent() == ["hello"] * min(tell, 1)


def test_a_field_that_changes_from_one_value_to_another_starts_the_journey_that_asks_for_it(shop: Shop) -> None:
    trigger = {"type": "field_changed", "field": "size", "from": "s", "to": "m"}
    shop.activate("grown", journey(mail("grown"), trigger=trigger, reentry={"mode": "every_time"}))
    shop.deliver("customer.created.http")
    book, contact = shop.wiring.contact_book, shop.contact()
    told = []
    for size in ("m", "s", "s", "m"):
        shop.clock.advance(minutes=1)
        book.patch(shop.store, contact.id, ContactPatch(fields={"size": size}))
    shop.clock.advance(minutes=1)
    told += book.set_field(shop.store.id, contact.id, "size", None, cause="step-1")
    told += book.set_field(shop.store.id, contact.id, "size", "l", cause="step-1")  # the same cause: nothing more
    shop.workflows.live(minutes=1)
    assert shop.steps_sent() == ["grown"]
    changes = [e for e in shop.wiring.timeline.of_contact(shop.store.id, contact.id) if e.type == "field_changed"]
    seen = [(e.properties.get("from"), e.properties.get("to")) for e in reversed(changes)]
    assert seen == [(None, "m"), ("m", "s"), ("s", "m"), ("m", None)]
    assert told == [changes[0], changes[0]]
    assert changes[0].properties["field"] == "size"
