"""A small invented shop for the intake's tests: its tellings, and its records brought to a form without made-up ids."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.clock import Clock
from chalicelib.commerce.cart_intake import CartIntake
from chalicelib.commerce.change import (
    Change,
    CustomerDeleted,
    OrderDeleted,
    OrderRestored,
    ProductDeleted,
    ProductRestored,
)
from chalicelib.commerce.customer import Customer
from chalicelib.commerce.event import Event
from chalicelib.commerce.intake import Intake
from chalicelib.commerce.money import Money
from chalicelib.commerce.order import STATUS_RANK, LineItem, Order, OrderStatus, Refund
from chalicelib.commerce.order_intake import OrderIntake
from chalicelib.commerce.privacy_desk import PrivacyDesk
from chalicelib.commerce.product import Category, Product
from chalicelib.commerce.snapshot import Version
from chalicelib.commerce.store import Platform, Store
from chalicelib.contacts.book import ContactBook
from chalicelib.contacts.consent import Channel, Consent, ConsentChange, ConsentStatus
from chalicelib.contacts.erased import AddressHashes, ErasedPeople
from chalicelib.contacts.person import Person
from chalicelib.contacts.resolve import Resolver
from chalicelib.errors import NotFound
from chalicelib.journeys.ports import Wanted
from chalicelib.storage import keys
from chalicelib.storage.carts import Carts
from chalicelib.storage.contacts import Contacts
from chalicelib.storage.decisions import Decisions
from chalicelib.storage.deliveries import Deliveries
from chalicelib.storage.orders import Orders
from chalicelib.storage.privacy import PrivacyRequests
from chalicelib.storage.products import Products
from chalicelib.storage.suppressions import Suppressions
from chalicelib.storage.table import Table
from chalicelib.storage.timeline import Timeline

START = datetime(2026, 11, 1, 10, 0, tzinfo=UTC)
STORE = Store(
    id="shop",
    platform=Platform.WOOCOMMERCE,
    name="Tea",
    url="https://tea.example",
    country="IL",
    currency="ILS",
    timezone="Asia/Jerusalem",
    locale="he",
    created_at=START,
)


class Heard:
    """Journeys' place in these tests: notes what it is told."""

    def __init__(self) -> None:
        self.events: list[tuple[str, Event]] = []
        self.reconsidered: list[str] = []
        self.stopped: list[str] = []
        self.left: list[tuple[str, str]] = []

    def listens(self, store: Store) -> bool:
        return True

    def on_events(self, store: Store, contact_id: str, events: list[Event]) -> None:
        self.events += [(contact_id, event) for event in events]

    def reconsider(self, store: Store, contact_id: str) -> None:
        self.reconsidered.append(contact_id)

    def leave_cart(self, store: Store, contact_id: str, token: str) -> None:
        self.left.append((contact_id, token))

    def stop_all(self, store_id: str, contact_id: str, reason: str) -> None:
        self.stopped.append(contact_id)


class Bucket:
    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def put(self, key: str, content: bytes) -> None:
        self.kept[key] = content

    def get(self, key: str) -> bytes:
        if key not in self.kept:
            raise NotFound("no such object")
        return self.kept[key]

    def delete(self, key: str) -> None:
        self.kept.pop(key, None)


class OneStore:
    def get(self, store_id: str) -> Store | None:
        return STORE if store_id == STORE.id else None


class Executions:
    """Remembers what was started, under its name; starting it again is nothing. `before` may raise."""

    def __init__(self) -> None:
        self.started: dict[str, dict[str, Any]] = {}
        self.before: Callable[[str], None] = lambda execution: None

    def start(self, machine: str, execution: str, payload: dict[str, Any]) -> None:
        self.before(execution)
        self.started.setdefault(execution, payload)


class Shop:
    """Everything of the intake on one table."""

    def __init__(
        self, table: Table, clock: Clock, heard: Heard | None = None, executions: Executions | None = None
    ) -> None:
        self.table, self.heard = table, heard or Heard()
        self.contacts, self.orders, self.products = Contacts(table), Orders(table), Products(table)
        self.timeline, self.deliveries = Timeline(table), Deliveries(table, Bucket())
        hashes = AddressHashes(lambda: "key of addresses")
        self.suppressions = Suppressions(table, hashes)
        erased = ErasedPeople(hashes, self.suppressions)
        self.resolver = Resolver(self.contacts, self.timeline, clock, erased)
        requests = PrivacyRequests(table, Bucket())
        self.book = ContactBook(
            self.contacts, self.resolver, self.deliveries, requests, clock, lambda: self.heard, OneStore(), erased
        )
        orders = OrderIntake(self.orders, self.contacts, self.timeline, self.resolver)
        privacy = PrivacyDesk(
            self.contacts, self.book, self.orders, orders, self.deliveries, requests, clock, lambda: 0.0, erased
        )
        self.carts, self.executions = Carts(table), executions or Executions()
        carts = CartIntake(
            self.carts, self.contacts, self.timeline, self.resolver, self.executions, "cart-watch", clock
        )
        self.intake = Intake(
            self.contacts, self.resolver, orders, carts, self.products, privacy, lambda: self.heard, clock
        )

    def tell(self, *changes: Change, store: Store = STORE) -> None:
        for change in changes:
            self.intake.apply(store, change, None, START)


def day(days: float) -> datetime:
    return START + timedelta(days=days)


def ils(amount: int) -> Money:
    return Money(amount=amount, currency="ILS")


def version(at: float, rank: int = 0, name: str = "") -> Version:
    return Version(modified_at=day(at), rank=rank, body_hash=name)


def line(product: str, amount: int, units: int = 1, variation: str | None = None) -> LineItem:
    return LineItem(
        product_id=product, variation_id=variation, name=f"tea {product}", quantity=units, total=ils(amount)
    )


def order(
    number: str,
    at: float,
    status: OrderStatus,
    person: Person,
    *,
    placed: float = 0,
    paid: float | None = None,
    items: tuple[LineItem, ...] = (),
    refunds: tuple[Refund, ...] = (),
    **more: Any,
) -> Order:
    items = items or (line("1", 5000),)
    return Order(
        external_id=number,
        number=number,
        status=status,
        version=version(at, STATUS_RANK[status], f"{number}-{at}-{status}"),
        total=ils(sum(item.total.amount for item in items)),
        refunded=ils(sum(refund.amount.amount for refund in refunds)),
        items=items,
        refunds=refunds,
        person=person,
        placed_at=day(placed),
        paid_at=None if paid is None else day(paid),
        completed_at=day(at) if status is OrderStatus.COMPLETED else None,
        **more,
    )


def refund(number: str, amount: int, at: float) -> Refund:
    return Refund(external_id=number, amount=ils(amount), at=day(at))


def product(number: str, at: float, *categories: str, lifetime: int | None = None, in_stock: bool = True) -> Product:
    return Product(
        external_id=number,
        version=version(at, 0, f"p{number}-{at}"),
        name=f"tea {number}",
        price=ils(5000),
        in_stock=in_stock,
        categories=tuple(Category(id=c, name=c) for c in categories),
        lifetime_days=lifetime,
    )


def customer(number: str, at: float, person: Person, created: float, *consent: ConsentChange) -> Customer:
    return Customer(
        external_id=number,
        version=version(at, 0, f"c{number}-{at}"),
        person=person,
        created_at=day(created),
        consent=consent,
    )


def chose(status: ConsentStatus, at: float, channel: Channel = Channel.EMAIL) -> ConsentChange:
    return ConsentChange(channel=channel, consent=Consent(status=status, source="checkout", at=day(at)))


NOA = Person(email="Noa@Mail.test", first_name="Noa", phone="050-555-0101")
NOA_ACCOUNT = Person(email="noa@mail.test", customer_id="7", first_name="Noa", last_name="Levi")
NOA_ELSEWHERE = Person(email="noa@work.test", customer_id="7", first_name="Noa L.")
DAN = Person(email="dan@mail.test", first_name="Dan", phone="+972 50 555 0102")
S = OrderStatus


def story() -> list[Change]:
    """Two people over forty days: late and repeated payments, refunds, an account after a guest, removals."""
    two = (line("1", 5000), line("2", 3000, 2, variation="21"))
    return [
        order("101", 0, S.PENDING, NOA, consent=(chose(ConsentStatus.SUBSCRIBED, 0),)),
        order("101", 1, S.FAILED, NOA),
        order("101", 2, S.PAID, NOA, paid=2),
        order("101", 3, S.COMPLETED, NOA, paid=2),
        order("102", 5, S.PAID, NOA_ELSEWHERE, placed=1.5, paid=1.5, items=two),
        order("102", 9, S.PAID, NOA_ELSEWHERE, placed=1.5, paid=1.5, items=two, refunds=(refund("r1", 2000, 9),)),
        order("103", 10, S.PAID, NOA_ELSEWHERE, placed=10, paid=10),
        order("103", 12, S.REFUNDED, NOA_ELSEWHERE, placed=10, paid=10, refunds=(refund("r2", 5000, 12),)),
        order("104", 13, S.PAID, DAN, placed=13, paid=13, items=two),
        order("104", 14, S.CANCELLED, DAN, placed=13, paid=13, items=two),
        order("105", 15, S.PAID, DAN, placed=15, paid=15),
        OrderDeleted("105", version(16, 99)),
        order("106", 20, S.PAID, DAN, placed=20, paid=20, items=two),
        OrderDeleted("106", version(21, 99)),
        OrderRestored("106", version(22)),
        order("107", 25, S.PAID, Person(), placed=25, paid=25),
        order("107", 26, S.PAID, NOA_ELSEWHERE, placed=25, paid=25),
        order("108", 27, S.PAID, DAN, placed=27, paid=27),
        order("108", 28, S.PAID, NOA, placed=27, paid=27),  # the shop put it under the right name
        order("109", 29, S.PAID, Person(phone="0505550102"), placed=29, paid=29),  # by telephone
        # Only this tells that the guest and the account are one person.
        customer("7", 4, NOA_ACCOUNT, 4, chose(ConsentStatus.UNSUBSCRIBED, 4)),
        customer("7", 11, NOA_ELSEWHERE, 4),
        customer("8", 30, Person(email="eve@mail.test", customer_id="8"), 30),
        CustomerDeleted("8", version(31, 99)),
        product("1", 0, "green", lifetime=30),
        product("1", 6, "black", in_stock=False),
        product("1", 7, "black", "gift"),
        product("2", 3, "black"),
        product("3", 3),
        ProductDeleted("3", version(4, 99)),
        ProductRestored("3", version(5)),
        ProductDeleted("2", version(8, 99)),
    ]


def records(shop: Shop, store_id: str = "shop") -> str:
    """All records, with contacts named by their oldest address instead of their made-up id, as sorted JSON."""
    contacts = shop.contacts.list(store_id, None, 1000)
    names = {contact.id: min(contact.emails or contact.phones or contact.external_ids) for contact in contacts}
    found: dict[str, Any] = {}
    for contact in contacts:
        items = shop.table.query(keys.contact(store_id, contact.id))
        bare = [{k: v for k, v in item.items() if k not in ("pk", "gsi1pk", "rev")} for item in items]
        subjects = ["product:1", "product:2", "product:21", "category:green", "category:black", "category:gift"]
        facts = Decisions(shop.table).read(store_id, contact.id, Wanted(subjects=subjects)).purchases
        found[names[contact.id]] = [bare, {s: fact.model_dump(mode="json") for s, fact in facts.items()}]
        for kind, values in (
            ("email", contact.emails),
            ("phone", contact.phones),
            ("customer", contact.external_ids),
        ):
            for value in values:
                pointed = shop.contacts.find(store_id, kind, value)
                found[f"{kind} {value}"] = pointed.id if pointed else None
    for number in range(101, 110):
        record = shop.orders.get(store_id, str(number))
        if record:
            owner = shop.contacts.get(store_id, record.contact_id) if record.contact_id else None
            told = record.model_dump(mode="json", exclude={"rev", "contact_id"})
            waiting = [event.id for event in shop.orders.waiting_events(store_id, str(number))]
            found[f"order {number}"] = [told, owner.id if owner else None, waiting]
    for product_record in shop.products.list(store_id, None, 1000):
        found[f"product {product_record.external_id}"] = product_record.model_dump(mode="json", exclude={"rev"})
    text = json.dumps(found, sort_keys=True, default=str, ensure_ascii=False, indent=1)
    for contact_id, name in names.items():
        text = text.replace(contact_id, f"<{name}>")
    return text
