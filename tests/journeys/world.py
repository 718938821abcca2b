"""A small store on a real (embedded) table, with workflows that only remember what they were asked."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from chalicelib.clock import rfc3339
from chalicelib.commerce.coupon import Coupon, CouponTerms, coupon_code
from chalicelib.commerce.event import Event
from chalicelib.commerce.machines import ERRAND, machine
from chalicelib.commerce.money import Money
from chalicelib.commerce.order import LineItem, Order, OrderStatus
from chalicelib.commerce.ports import OrderRecord, ProductRecord
from chalicelib.commerce.product import Category, Product
from chalicelib.commerce.snapshot import Version
from chalicelib.commerce.store import Platform, Store
from chalicelib.contacts.caused import CausedChanges
from chalicelib.contacts.consent import Channel, Consent, ConsentStatus
from chalicelib.contacts.contact import Contact
from chalicelib.contacts.person import Person
from chalicelib.contacts.ports import Writing
from chalicelib.contacts.purchases import contact_order, fold, ranks, totals
from chalicelib.errors import TryLater
from chalicelib.ids import new_id
from chalicelib.journeys import multitude
from chalicelib.journeys.consequences import Consequences
from chalicelib.journeys.enrol import Enroller
from chalicelib.journeys.enrolment import Enrolment
from chalicelib.journeys.errands import Errands, Work
from chalicelib.journeys.gatherer import GATHER
from chalicelib.journeys.interventions import Interventions
from chalicelib.journeys.lifecycle import Lifecycle
from chalicelib.journeys.other_journeys import OtherJourneys
from chalicelib.journeys.ports import Outside, Workflows
from chalicelib.journeys.steps import Steps
from chalicelib.messages.email import EmailComposer
from chalicelib.messages.links import SignedLinks
from chalicelib.messages.making import Medium
from chalicelib.messages.ports import Email, NobodySuppressed, Sms, WhatsApp
from chalicelib.messages.send import Sender
from chalicelib.messages.sms import SmsComposer
from chalicelib.messages.tracking import Tracker
from chalicelib.messages.whatsapp import WhatsAppComposer
from chalicelib.settings import Settings
from chalicelib.storage.contacts import Contacts
from chalicelib.storage.coupons import Coupons
from chalicelib.storage.decisions import Decisions
from chalicelib.storage.errands import ErrandRecords
from chalicelib.storage.followed import FollowedLinks
from chalicelib.storage.gatherings import Gatherings
from chalicelib.storage.journeys import Enrolments, Journeys
from chalicelib.storage.messages import Messages
from chalicelib.storage.orders import Orders
from chalicelib.storage.products import Products
from chalicelib.storage.recents import Recents
from chalicelib.storage.shelves import Storefront
from chalicelib.storage.stores import Stores
from chalicelib.storage.table import Table
from chalicelib.storage.timeline import Timeline
from tests.conftest import HandClock

CONTENT = {"en": {"subject": "Hello", "blocks": [{"type": "text", "text": "Good things, order {{ order.number }}."}]}}
SETTINGS = Settings.from_environment({"AGALA_STEP_FUNCTION_ARN": "arn:aws:lambda:eu-west-1:123456789012:function:step"})
BOUGHT_AGAIN = {"purchased": {"product": "trigger", "since": "entry"}}


def journey(*steps: dict[str, Any], **changes: Any) -> dict[str, Any]:
    defined = {"name": {"en": "A test"}, "trigger": {"type": "order_paid"}, "reentry": {"mode": "per_order"}}
    return {**defined, "steps": list(steps), **changes}


def mail(step_id: str = "mail", kind: str = "transactional") -> dict[str, Any]:
    return {"id": step_id, "type": "send_email", "kind": kind, "content": CONTENT}


def pause(step_id: str = "pause", **length: int) -> dict[str, Any]:
    return {"id": step_id, "type": "wait", "for": length or {"days": 3}}


class RecordingWorkflows:
    """A `Workflows` that starts nothing. `fail` names operations that are out."""

    def __init__(self) -> None:
        self.published: dict[str, dict[str, Any]] = {}
        self.started: dict[str, tuple[str, dict[str, Any]]] = {}
        self.stopped: list[str] = []
        self.answered: list[str] = []
        self.fail: set[str] = set()

    def publish(self, name: str, definition: dict[str, Any]) -> str:
        self._maybe_fail("publish")
        self.published[name] = definition
        return name

    def start(self, machine: str, execution: str, payload: dict[str, Any]) -> None:
        self._maybe_fail("start")
        self.started.setdefault(execution, (machine, payload))

    def stop(self, machine: str, execution: str, reason: str) -> None:
        self._maybe_fail("stop")
        self.stopped.append(execution)

    def runs(self, machine: str, execution: str) -> bool:
        self._maybe_fail("runs")
        return execution in self.started and execution not in self.stopped

    def answer(self, token: str, output: Mapping[str, Any]) -> None:
        self._maybe_fail("answer")
        self.answered.append(token)

    def _maybe_fail(self, operation: str) -> None:
        if operation in self.fail:
            raise TryLater(operation)


class RecordingChannel:
    """Keeps what it is given, and knows which messages it has. `before` may raise, or move the world."""

    def __init__(self) -> None:
        self.taken: list[Any] = []
        self.before: Callable[[Any], None] = lambda message: None
        self.after: Callable[[Any], None] = lambda message: None

    def send(self, message: Email | Sms | WhatsApp, /) -> str:
        self.before(message)
        self.taken.append(message)
        self.after(message)
        return f"provider-{message.message_id}"

    def was_taken(self, message_id: str) -> str | bool | None:
        return f"provider-{message_id}" if any(email.message_id == message_id for email in self.taken) else False


class RecordingShop:
    """A shop's coupons by their cause, each made once. `before` and `after` may raise, or move the world."""

    def __init__(self) -> None:
        self.made: dict[str, tuple[CouponTerms, str | None]] = {}
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[], None] = lambda: None

    def __call__(self, store: Store, cause: str, terms: CouponTerms, customer_id: str | None) -> Coupon:
        self.before()
        self.made.setdefault(cause, (terms, customer_id))
        self.after()
        return Coupon(coupon_code(cause), "1")


class RecordingWebhooks:
    """Answers with `status`, and keeps what it was told. `before` may raise, or move the world."""

    def __init__(self) -> None:
        self.status = 200
        self.told: list[tuple[str, str, dict[str, Any]]] = []
        self.before: Callable[[], None] = lambda: None

    def call(self, store_id: str, url: str, identifier: str, body: Mapping[str, Any]) -> int:
        self.before()
        self.told.append((url, identifier, dict(body)))
        return self.status


class World:
    """One store, one contact, and everything that journeys need."""

    def __init__(self, table: Table, clock: HandClock, workflows: Workflows | None = None) -> None:
        self.clock = clock
        self.table = table
        self.stores, self.journeys, self.enrolments = Stores(table), Journeys(table), Enrolments(table)
        self.contacts, self.orders, self.products = Contacts(table), Orders(table), Products(table)
        self.timeline, self.messages, self.decisions = Timeline(table), Messages(table), Decisions(table)
        self.recorded = RecordingWorkflows()
        self.workflows = workflows or self.recorded
        self.channel = RecordingChannel()
        self.store = self.stores.save(
            Store(
                id=f"st-{uuid.uuid4().hex[:8]}",
                platform=Platform.WOOCOMMERCE,
                name="Tea",
                url="https://tea.example",
                country="FR",
                currency="EUR",
                timezone="Europe/Paris",
                locale="en",
                created_at=clock.now(),
            )
        )
        self.contact = self.add_contact("dana@shopper.example")
        self.told: dict[str, Order] = {}
        self.book = CausedChanges(self.contacts, clock, self.stores)
        self.gatherings, self.coupons = Gatherings(table), Coupons(table)
        self.enroller = Enroller(
            self.journeys,
            self.enrolments,
            self.decisions,
            self.orders,
            self.products,
            self.timeline,
            self.gatherings,
            Consequences(self.contacts, self.orders, self.coupons, self.book, self.timeline),
            self.book,
            lambda: self.errands,
            self.workflows,
            clock,
        )
        enroller = self.enroller
        self.interventions = Interventions(enroller.published, enroller.changes, enroller.launcher, clock)
        self.errands = Errands(ErrandRecords(table), self.stores, self.work, lambda: self.workflows, ERRAND, clock)
        if workflows is not None:  # which runs them
            workflows.publish(ERRAND, machine(ERRAND, "arn:errands"))
        self.lifecycle = Lifecycle(self.journeys, self.errands, self.workflows, SETTINGS, clock)
        links = SignedLinks("https://agala.example", [b"key"])
        media: dict[Channel, Medium[Any, Any]] = {
            Channel.EMAIL: Medium(EmailComposer("shop@agala.example"), self.channel),
            Channel.SMS: Medium(SmsComposer(None), self.channel),
            Channel.WHATSAPP: Medium(WhatsAppComposer("phone-number-id-1"), self.channel),
        }
        self.shop, self.webhooks = RecordingShop(), RecordingWebhooks()
        self.others = OtherJourneys(self.journeys, self.enrolments, self.decisions, self.enroller, clock)
        recents, front, tracker = Recents(table), Storefront(table), Tracker(links, FollowedLinks(table))
        self.sender = Sender(
            self.messages, recents, NobodySuppressed(), links, front, tracker, clock, lambda channel, _: media[channel]
        )
        self.steps = self.new_steps()

    def work(self, kind: str) -> Work:
        acts = multitude.Acts(self.interventions, self.enroller.launcher, self.journeys, self.clock)
        return self.enroller.gatherer if kind == GATHER else multitude.work_of(kind, self.enrolments, acts, self.clock)

    def new_steps(self) -> Steps:
        return Steps(
            self.decisions,
            self.journeys,
            self.enrolments,
            self.products,
            self.timeline,
            self.book,
            self.enroller,
            self.sender,
            self.workflows,
            Outside(self.shop, Coupons(self.table), lambda: self.webhooks, self.others),
            self.clock,
        )

    def add_contact(self, email: str) -> str:
        now = self.clock.now()
        consent = Consent(status=ConsentStatus.SUBSCRIBED, source="checkout", at=now)
        contact = Contact(
            id=new_id(now),
            store_id=self.store.id,
            email=email,
            consent={Channel.EMAIL: consent},
            total_spent=Money(amount=0, currency="EUR"),
            created_at=now,
        )
        self.contacts.write(self.store.id, [Writing(contact.id, contact=contact)])
        return contact.id

    def activate(self, data: dict[str, Any], journey_id: str = "j") -> None:
        self.lifecycle.save_draft(self.store, journey_id, data)
        self.lifecycle.activate(self.store, journey_id)

    def sell(self, lifetime_days: int | None, product_id: str = "11") -> None:
        product = Product(
            external_id=product_id,
            version=Version(modified_at=self.clock.now()),
            name="Tea",
            lifetime_days=lifetime_days,
        )
        self.products.save(ProductRecord(store_id=self.store.id, external_id=product_id, product=product))

    def catalogue(self, product_id: str, *categories: str) -> None:
        product = Product(
            external_id=product_id,
            version=Version(modified_at=self.clock.now()),
            name="Tea",
            categories=tuple(Category(id=category, name=category) for category in categories),
        )
        self.products.save(ProductRecord(store_id=self.store.id, external_id=product_id, product=product))

    def note(self, type_: str, **properties: Any) -> Event:
        """The contact does something on the site. Nobody is notified."""
        now = self.clock.now()
        event = Event(id=f"{type_}:{rfc3339(now)}", type=type_, occurred_at=now, properties=properties)
        self.book.note(self.store.id, self.contact, event)
        return event

    def order(
        self,
        order_id: str,
        status: OrderStatus = OrderStatus.PAID,
        ago: timedelta = timedelta(0),
        product_id: str = "11",
    ) -> Event:
        """The store tells an order: its record, the contact's facts and the event are kept. Nobody is notified."""
        told = self.told.get(order_id)
        paid_at = told.paid_at if told else self.clock.now() - ago
        price = Money(amount=2000, currency="EUR")
        order = Order(
            external_id=order_id,
            number=order_id,
            status=status,
            version=Version(modified_at=self.clock.now()),
            total=price,
            refunded=price if status is OrderStatus.REFUNDED else Money(amount=0, currency="EUR"),
            items=(LineItem(product_id=product_id, name="Tea", quantity=1, total=price),),
            person=Person(),
            placed_at=paid_at,
            paid_at=paid_at,
        )
        self.told[order_id] = order
        rows = [row for told_order in self.told.values() if (row := contact_order(told_order))]
        contact = self.contacts.get(self.store.id, self.contact)
        assert contact is not None
        placed_at = max(told_order.placed_at for told_order in self.told.values())
        contact = contact.model_copy(update={**dict(totals(rows, "EUR")), "last_placed_at": placed_at})
        places = ranks(rows)
        events = [self._event(told_order, places[name]) for name, told_order in self.told.items()]
        mine = tuple(row for row in rows if row.order_id == order_id)
        writing = Writing(contact.id, contact=contact, orders=mine, purchases=fold(rows), events=tuple(events))
        record = self.orders.get(self.store.id, order_id) or OrderRecord(store_id=self.store.id, external_id=order_id)
        self.orders.write(record.model_copy(update={"order": order, "contact_id": contact.id}), [writing])
        return next(event for event in events if event.properties["order_id"] == order_id)

    def _event(self, order: Order, nth: int) -> Event:
        assert order.paid_at is not None
        item = order.items[0]
        return Event(
            id=f"order_paid:{self.store.id}:{order.external_id}",
            type="order_paid",
            occurred_at=order.paid_at,
            properties={
                "order_id": order.external_id,
                "number": order.number,
                "total": order.total.model_dump(),
                "items": [{"product_id": item.product_id, "name": item.name, "quantity": 1, "categories": []}],
                "nth": nth,
            },
        )

    def tell(self, *events: Event) -> None:
        self.enroller.on_events(self.store, self.contact, list(events))

    def buy(self, order_id: str, **how: Any) -> Event:
        event = self.order(order_id, **how)
        self.tell(event)
        return event

    def errands_begun(self) -> list[dict[str, Any]]:
        return [payload for machine, payload in self.recorded.started.values() if machine == ERRAND]

    def run_errands(self) -> None:
        """What is due of every errand that was sent for, as its execution does it."""
        for payload in self.errands_begun():
            while (again := self.errands.work(self.store.id, payload["errand_id"])) and again <= self.clock.now():
                continue

    def enrolled(self) -> list[Enrolment]:
        return self.enrolments.of_contact(self.store.id, self.contact)

    def only(self) -> Enrolment:
        (enrolment,) = self.enrolled()
        return enrolment

    def run(self, enrolment: Enrolment, steps: list[str], following: Any = None) -> dict[str, Any]:
        return self.steps.run(self.store.id, enrolment.id, enrolment.generation, steps, following)


def minutes(count: int) -> timedelta:
    return timedelta(minutes=count)


def at(event: Event, moment: datetime) -> Event:
    return event.model_copy(update={"occurred_at": moment})
