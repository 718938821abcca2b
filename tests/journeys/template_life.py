"""One contact's life with one ready journey: production's wiring on a virtual clock, tellings in, messages out."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib import wiring
from chalicelib.commerce.cart import CartActivity, CartItem, CartStep
from chalicelib.commerce.change import OrderDelivered
from chalicelib.commerce.coupon import Coupon, coupon_code
from chalicelib.commerce.event import Event
from chalicelib.commerce.intake import ContactRef
from chalicelib.commerce.machines import CART_WATCH, ERRAND, machine
from chalicelib.commerce.money import Money
from chalicelib.commerce.order import LineItem, Order, OrderStatus, Refund
from chalicelib.commerce.product import Category, Product
from chalicelib.commerce.snapshot import Version
from chalicelib.commerce.store import Platform, Store, StoreSettings
from chalicelib.contacts.book import ContactInput, ContactPatch
from chalicelib.contacts.consent import Channel, Consent, ConsentStatus
from chalicelib.contacts.contact import Contact
from chalicelib.contacts.erased import AddressHashes
from chalicelib.contacts.person import Person
from chalicelib.contacts.ports import Writing
from chalicelib.handlers.cart_watch import cart_watch
from chalicelib.handlers.errands import errands
from chalicelib.handlers.journey_steps import journey_step
from chalicelib.ids import message_id
from chalicelib.journeys.enrolment import Enrolment
from chalicelib.journeys.gallery import gallery
from chalicelib.messages.links import SignedLinks
from chalicelib.messages.message import MessageStatus
from chalicelib.messages.ports import Sms
from chalicelib.messages.reports import Report, apply_report
from chalicelib.settings import Settings
from chalicelib.storage.table import Table
from tests.conftest import HandClock
from tests.journeys.world import RecordingChannel
from tests.virtual_workflows import VirtualWorkflows

NOON = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)
"""Noon in the shop, on a Monday: every life begins then."""
EMAIL, PHONE = "dana@shopper.example", "+33639980101"
TEA, CUP, BOOK = "11", "22", "33"
"""Products of the shop: a tea of category 7 that lasts thirty days, a cup of category 8, and a book without one."""
_WARES = {
    TEA: Product(
        external_id=TEA,
        version=Version(modified_at=NOON),
        name="Green tea",
        categories=(Category(id="7", name="Teas"),),
        lifetime_days=30,
        url="https://tea.example/p/11",
        price=Money(amount=2000, currency="EUR"),
    ),
    CUP: Product(
        external_id=CUP,
        version=Version(modified_at=NOON),
        name="Cup",
        categories=(Category(id="8", name="Cups"),),
        url="https://tea.example/p/22",
        price=Money(amount=1500, currency="EUR"),
    ),
    BOOK: Product(external_id=BOOK, version=Version(modified_at=NOON), name="A book of tea"),
}

Doing = Callable[["Life"], None]


@dataclass(frozen=True)
class Scene:
    """`does`: what happens, each after so long (`2d01:30`). `sent`: what is to come of it, `<when> <step> <channel>`,
    in order. `ends`: the last pass's status and reason, None while it is on the way or where nobody entered. `before`:
    how the contact was known before the journey was switched on. `choose`: what the owner filled in, by its place.
    `lists`, `fields`: how the profile is in the end. `says`: words that are to be read in the messages.
    """

    title: str
    does: tuple[tuple[str, Doing], ...]
    sent: tuple[str, ...]
    ends: str | None = "completed completed"
    before: tuple[Doing, ...] = ()
    choose: Mapping[str, Any] = field(default_factory=dict)
    lists: tuple[str, ...] | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    lives: str = "200d"
    says: tuple[str, ...] = ()


class Life:
    def __init__(self, table: Table, locale: str) -> None:
        self.clock = HandClock(NOON)
        self.channel = RecordingChannel()
        self.channel.before = lambda _message: self.sent_at.append(self.clock.now())
        self.sent_at: list[datetime] = []
        self.workflows = VirtualWorkflows(
            self.clock,
            lambda task: journey_step(task, None),
            {"arn:watch": lambda task: cart_watch(task, None), "arn:errand": lambda task: errands(task, None)},
        )
        self.workflows.publish(CART_WATCH, machine(CART_WATCH, "arn:watch"))
        self.workflows.publish(ERRAND, machine(ERRAND, "arn:errand"))
        self.parts: Any = wiring.Wiring(
            Settings.from_environment(
                {
                    "AGALA_STEP_FUNCTION_ARN": "arn:step",
                    "AGALA_CART_WATCH_MACHINE_ARN": CART_WATCH,
                    "AGALA_ERRAND_MACHINE_ARN": ERRAND,
                }
            )
        )
        parts = self.parts
        parts.table, parts.clock, parts.workflows, parts.objects = table, self.clock, self.workflows, None
        parts.email_channel = parts.sms_channel = self.channel
        parts.email_pace = None
        parts.links = SignedLinks("https://agala.example", [b"key"])
        parts.address_hashes = AddressHashes(lambda: "key of addresses")
        parts.coupon = lambda _store, cause, _terms, _customer: Coupon(code=coupon_code(cause), external_id="c1")
        settings = {
            "sender": {"email": "shop@tea.example", "address": "1 Tea Lane"},
            "talk_to_us_url": "https://tea.example/talk",
            "manager": {"email": "boss@tea.example", "phone": "+33639980199"},
        }
        self.store: Store = parts.stores.save(
            Store(
                id=f"st-{uuid.uuid4().hex[:8]}",
                platform=Platform.WOOCOMMERCE,
                name="Tea",
                url="https://tea.example",
                country="FR",
                currency="EUR",
                timezone="Europe/Paris",
                locale="en",
                created_at=NOON - timedelta(days=400),
                settings=StoreSettings.model_validate(settings),
            )
        )
        agreed = Consent(status=ConsentStatus.SUBSCRIBED, source="checkout", at=NOON)
        given = ContactInput(
            email=EMAIL,
            phone=PHONE,
            first_name="Dana",
            locale=locale,
            consent={Channel.EMAIL: agreed, Channel.SMS: agreed},
        )
        self.contact: str = parts.contact_book.upsert(self.store, given).id
        self.bought: dict[str, Order] = {}
        self.told = 0

    # The owner

    def switch_on(self, template_id: str, choose: Mapping[str, Any]) -> None:
        definition = deepcopy(next(one.definition for one in gallery() if one.id == template_id))
        for place, value in choose.items():
            _put(definition, place, value)
        self.parts.lifecycle.save_draft(self.store, template_id, definition)
        self.parts.lifecycle.activate(self.store, template_id)

    def sells(self) -> None:
        for product in _WARES.values():
            _apply(self, product)

    @property
    def profile(self) -> Contact:
        found: Contact = self.parts.contacts.get(self.store.id, self.contact)
        return found

    # Time

    def until(self, when: str) -> None:
        self.workflows.live(seconds=(NOON + length(when) - self.clock.now()).total_seconds())

    # What came of it

    def sent(self) -> list[str]:
        found = []
        for message, at in zip(self.channel.taken, self.sent_at, strict=True):
            channel = "sms" if isinstance(message, Sms) else "email"
            found.append(f"{spoken(at - NOON)} {message.step} {channel}")
        return found

    def enrolments(self) -> list[Enrolment]:
        found: list[Enrolment] = self.parts.enrolments.of_contact(self.store.id, self.contact)
        return found

    def ended(self) -> str | None:
        last = self.enrolments()[-1:]
        return f"{last[0].status.value} {last[0].reason}" if last and last[0].reason else None

    def reached(self) -> set[str]:
        """Every step that some pass stood on or did."""
        return {passage.step for one in self.enrolments() for passage in one.history if passage.step}


def length(when: str) -> timedelta:
    """Of `2d01:30`, `2d` or `01:30`."""
    found = re.fullmatch(r"(?:(\d+)d)?(?:(\d\d):(\d\d))?", when)
    assert found, when
    days, hours, minutes = (int(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes)


def spoken(length: timedelta) -> str:
    minutes = round(length.total_seconds() / 60)
    days, rest = divmod(minutes, 1440)
    hour = f"{rest // 60:02}:{rest % 60:02}" if rest else ""
    return (f"{days}d" if days or not hour else "") + hour


def _put(definition: dict[str, Any], place: str, value: Any) -> None:
    """At `steps[1].then[0].value`."""
    *path, last = [int(part) if part.isdigit() else part for part in re.findall(r"\w+", place)]
    node: Any = definition
    for part in path:
        node = node[part]
    node[last] = value


# What a contact, the shop and providers do


def buys(product: str, order_id: str = "1", units: int = 1, **told: Any) -> Doing:
    """Places it and pays."""

    def doing(life: Life) -> None:
        now = life.clock.now()
        price = Money(amount=2000 * units, currency="EUR")
        categories = tuple(one.id for one in _WARES[product].categories)
        order = Order(
            external_id=order_id,
            number=order_id,
            status=OrderStatus.PAID,
            version=Version(modified_at=now),
            total=price,
            refunded=Money(amount=0, currency="EUR"),
            items=(
                LineItem(
                    product_id=product,
                    name=_WARES[product].name,
                    quantity=units,
                    total=price,
                    categories=categories,
                ),
            ),
            person=Person(email=EMAIL),
            placed_at=now,
            paid_at=now,
        ).model_copy(update=told)
        life.bought[order_id] = order
        _apply(life, order)

    return doing


def order_becomes(status: OrderStatus, order_id: str = "1") -> Doing:
    def doing(life: Life) -> None:
        now, order = life.clock.now(), life.bought[order_id]
        changes: dict[str, Any] = {"status": status, "version": Version(modified_at=now)}
        if status is OrderStatus.PAID:
            changes["paid_at"] = now
        if status is OrderStatus.COMPLETED:
            changes["completed_at"] = now
        if status is OrderStatus.REFUNDED:
            changes |= {"refunded": order.total, "refunds": (Refund(external_id="r1", amount=order.total, at=now),)}
        life.bought[order_id] = order.model_copy(update=changes)
        _apply(life, life.bought[order_id])

    return doing


def pays_in_vain(product: str, order_id: str = "1") -> Doing:
    return buys(product, order_id, status=OrderStatus.FAILED, paid_at=None)


def is_delivered(order_id: str = "1") -> Doing:
    return lambda life: _apply(life, OrderDelivered(order_id, life.clock.now()))


def puts_into_cart(product: str, step: CartStep = CartStep.UPDATED) -> Doing:
    """Counts as left an hour later."""

    def doing(life: Life) -> None:
        now = life.clock.now()
        price = Money(amount=2000, currency="EUR")
        categories = tuple(one.id for one in _WARES[product].categories)
        item = CartItem(product_id=product, name=_WARES[product].name, quantity=1, price=price, categories=categories)
        life.told += 1
        activity = CartActivity(
            id=f"cart-{life.told}",
            token="t1",
            step=step,
            person=Person(email=EMAIL, phone=PHONE),
            items=() if step is CartStep.EMPTIED else (item,),
            lines=0 if step is CartStep.EMPTIED else 1,
            total=price,
            restore_url="https://tea.example/?agala_cart=k1",
            occurred_at=now,
        )
        _apply(life, activity)

    return doing


def happens(event_type: str, **properties: Any) -> Doing:
    """Sent over the API."""

    def doing(life: Life) -> None:
        life.told += 1
        event = Event(id=f"event-{life.told}", type=event_type, occurred_at=life.clock.now(), properties=properties)
        life.parts.intake.record_event(life.store, ContactRef(id=life.contact), event)

    return doing


def comes(event_type: str, **properties: Any) -> Doing:
    """Found by ourselves for this contact: by the calendar, or as a watcher of a product."""

    def doing(life: Life) -> None:
        now = life.clock.now()
        life.told += 1
        event = Event(id=f"{event_type}:{life.told}", type=event_type, occurred_at=now, properties=properties)
        life.parts.listener.on_events(life.store, life.contact, [event])

    return doing


def joins(*lists: str) -> Doing:
    return lambda life: _patch(life, lists=(*life.profile.lists, *lists))


def leaves(name: str) -> Doing:
    return lambda life: _patch(life, lists=tuple(one for one in life.profile.lists if one != name))


def has(**fields: Any) -> Doing:
    return lambda life: _patch(life, fields=fields)


def refuses(channel: Channel) -> Doing:
    """Unsubscribes."""

    def doing(life: Life) -> None:
        refusal = Consent(status=ConsentStatus.UNSUBSCRIBED, source="api", at=life.clock.now())
        _patch(life, consent={channel: refusal})

    return doing


def known(**changes: Any) -> Doing:
    """What the profile says of the past: where the contact was first met, and when."""

    def doing(life: Life) -> None:
        contact = life.profile.model_copy(update=changes)
        life.parts.contacts.write(life.store.id, [Writing(contact.id, contact=contact)])

    return doing


def reports(step: str, status: MessageStatus) -> Doing:
    """The provider, of the message of this step."""

    def doing(life: Life) -> None:
        name = message_id(life.enrolments()[-1].id, step)
        apply_report(
            Report(life.store.id, name, status, life.clock.now(), life.contact),
            life.parts.messages,
            life.parts.contact_book,
        )

    return doing


def is_found(channel: Channel, status: ConsentStatus, source: str) -> Doing:
    """What the contact's consent is by now."""

    def doing(life: Life) -> None:
        consent = life.profile.consent_for(channel)
        assert (consent.status, consent.source) == (status, source)

    return doing


def opens(step: str) -> Doing:
    return reports(step, MessageStatus.OPENED)


def clicks(step: str) -> Doing:
    return reports(step, MessageStatus.CLICKED)


def _apply(life: Life, change: Any) -> None:
    life.parts.intake.apply(life.store, change, None, life.clock.now())


def _patch(life: Life, **changes: Any) -> None:
    life.parts.contact_book.patch(life.store, life.contact, ContactPatch(**changes))


@contextmanager
def living(table: Table, locale: str) -> Iterator[Life]:
    life = Life(table, locale)
    wiring.use(life.parts)
    try:
        yield life
    finally:
        wiring.use(None)


def play(table: Table, template_id: str, scene: Scene, locale: str) -> set[str]:
    """Live through it, and say which steps were reached. Fails where it goes another way than the scene says."""
    with living(table, locale) as life:
        life.sells()
        for doing in scene.before:
            doing(life)
        life.switch_on(template_id, scene.choose)
        for when, doing in scene.does:
            life.until(when)
            doing(life)
        life.until(scene.lives)
        told = f"{template_id}, {scene.title} ({locale})"
        assert (told, life.sent(), life.ended()) == (told, list(scene.sent), scene.ends)
        _speaks(life, locale, told)
        read = "\n".join(message.text for message in life.channel.taken)
        assert all(one.coupon.code in read for one in life.enrolments() if one.coupon), told
        assert all(words in read for words in scene.says), told
        profile = life.profile
        if scene.lists is not None:
            assert set(profile.lists) == set(scene.lists), told
        assert {name: profile.fields.get(name) for name in scene.fields} == dict(scene.fields), told
        return life.reached()


def _speaks(life: Life, locale: str, told: str) -> None:
    """Every message is in the contact's language, but for what the shop's manager is told."""
    for message in life.channel.taken:
        if message.step == "alert":
            continue
        words = message.text if isinstance(message, Sms) else message.subject
        assert bool(re.search("[א-ת]", words)) == (locale == "he"), told
