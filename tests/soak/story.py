"""Half a year of a shop's life, the same for the same seed: what each contact does, and when.

Each thing that one contact does has a minute of the hour to itself, ten apart: every wait is whole hours, so what may
come some minutes late, or be repeated, never changes places with what else happens to them. The full hour is the
calendar's. News of products come when nobody looks at any or buys, for two hours: it takes a while until all are told.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.commerce.cart import CartActivity, CartStep
from chalicelib.commerce.change import OrderDelivered
from chalicelib.commerce.order import STATUS_RANK, LineItem, Order, OrderStatus
from chalicelib.commerce.product import Category, Product
from chalicelib.commerce.snapshot import Version
from chalicelib.contacts.person import Person
from tests.commerce.carts import item
from tests.commerce.shop import ils

START = datetime(2027, 1, 4, 6, 0, tzinfo=UTC)
DAYS = 180
CATEGORY, TELLING, CONSUMABLE = "7", "1", "5"  # of every product; chosen in the templates; with a lifetime
PRODUCTS = ("1", "2", "3", "4", CONSUMABLE)


@dataclass(frozen=True)
class Doing:
    """`change` goes to the intake; `event` (type, properties) and `contact` go over the API."""

    at: datetime
    email: str
    change: Any = None
    event: tuple[str, dict[str, Any]] | None = None
    contact: dict[str, Any] | None = None
    id: str = ""


def catalogue() -> Iterator[Product]:
    for number in PRODUCTS:
        yield goods(number, START - timedelta(days=400))


def goods(number: str, at: datetime, **more: Any) -> Product:
    told = {
        "external_id": number,
        "version": Version(modified_at=at, rank=0, body_hash=f"{number}-{at:%m%d}"),
        "name": f"tea {number}",
        "price": ils(5000),
        "in_stock": True,
        "url": f"https://tea.example/{number}",
        "categories": (Category(id=CATEGORY, name="Tea"),),
        "lifetime_days": 40 if number == CONSUMABLE else None,
    }
    return Product(**{**told, **more})


def story(contacts: int, seed: int = 1) -> list[Doing]:
    """Everything, in the order in which it happens."""
    found = [doing for number in range(contacts) for doing in _life(number, random.Random(seed * 100_003 + number))]
    return sorted([*found, *_shop()], key=lambda doing: (doing.at, doing.id))


def _shop() -> Iterator[Doing]:
    """A product sells out, comes back, gets cheaper; a new one is published."""
    days = ((30, {"in_stock": False}), (40, {}), (70, {"price": ils(4000)}), (100, {"in_stock": False}), (110, {}))
    for day, more in days:
        at = START + timedelta(days=day, minutes=56)
        yield Doing(at, "", change=goods("2", at, **more), id=f"goods-{day}")
    at = START + timedelta(days=60, minutes=56)
    fresh = {"published_at": at} if "published_at" in Product.model_fields else {}
    yield Doing(at, "", change=goods("9", at, **fresh), id="goods-new")


def _life(number: int, chance: random.Random) -> Iterator[Doing]:
    email = f"shopper{number}@soak.example"
    began = START + timedelta(days=chance.randrange(0, 60), hours=chance.randrange(3, 12))
    who = {
        "email": email,
        "phone": f"+9725550{number:05d}",
        "first_name": f"Shopper {number}",
        "consent": {"email": {"status": "subscribed"}, "sms": {"status": "subscribed"}},
        "fields": {
            "birthday": f"{chance.randrange(1950, 2005)}-{chance.randrange(1, 13):02d}-{chance.randrange(1, 29):02d}"
        },
    }
    yield Doing(began + timedelta(minutes=38), email, contact=who, id=f"{number}-born")
    acts = chance.sample(_ACTS, k=chance.choice((1, 1, 2, 2, 3)))
    for place, act in enumerate(acts):
        at = began + timedelta(days=1 + 37 * place + chance.randrange(0, 9), hours=chance.randrange(0, 8))
        yield from act(number, email, at + timedelta(minutes=8 + 10 * place), chance)
    if chance.random() < 0.1:
        gone = {"email": email, "consent": {"email": {"status": "unsubscribed"}}}
        yield Doing(
            began + timedelta(days=chance.randrange(20, 150), minutes=48), email, contact=gone, id=f"{number}-out"
        )


def _orders(number: int, email: str, at: datetime, chance: random.Random) -> Iterator[Doing]:
    how_many = chance.choice((1, 1, 2, 3))
    product = chance.choice(PRODUCTS)
    for nth in range(how_many):
        external_id = f"{number}{nth:02d}{at:%m%d}"
        yield from _order(external_id, email, at + timedelta(days=27 * nth, minutes=2 * nth), product, chance)


def _order(external_id: str, email: str, at: datetime, product: str, chance: random.Random) -> Iterator[Doing]:
    ends = chance.random()
    if ends < 0.1:
        yield _told(external_id, email, at, at, product, OrderStatus.FAILED)
        return
    yield _told(external_id, email, at, at, product, OrderStatus.PAID)
    if ends > 0.9:
        yield _told(external_id, email, at, at + timedelta(days=2, hours=1), product, OrderStatus.REFUNDED)
        return
    yield _told(external_id, email, at, at + timedelta(days=1, hours=1), product, OrderStatus.COMPLETED)
    delivered = at + timedelta(days=3, hours=1)
    change = OrderDelivered(external_id=external_id, at=delivered)
    yield Doing(delivered, email, change=change, id=f"{external_id}-delivered")


def _told(external_id: str, email: str, placed: datetime, at: datetime, product: str, status: OrderStatus) -> Doing:
    total = ils(30_000 if product == "4" else 9_000)
    line = LineItem(product_id=product, name=f"tea {product}", quantity=2, total=total)
    paid = None if status is OrderStatus.FAILED else placed
    order = Order(
        external_id=external_id,
        number=external_id,
        status=status,
        version=Version(modified_at=at, rank=STATUS_RANK[status], body_hash=f"{external_id}-{status}"),
        total=total,
        refunded=total if status is OrderStatus.REFUNDED else ils(0),
        items=(line,),
        refunds=(),
        person=Person(email=email),
        placed_at=placed,
        paid_at=paid,
        completed_at=at if status is OrderStatus.COMPLETED else None,
        payment_url="https://tea.example/pay",
    )
    return Doing(at, email, change=order, id=f"{external_id}-{status}")


def _cart(number: int, email: str, at: datetime, chance: random.Random) -> Iterator[Doing]:
    """Left, and in every third case bought two days later."""
    token = f"{number:08d}{at:%m%d}".ljust(32, "0")
    product = chance.choice(PRODUCTS)
    step = chance.choice((CartStep.UPDATED, CartStep.CHECKOUT))
    activity = CartActivity(
        id=f"{token}-1",
        token=token,
        step=step,
        person=Person(email=email),
        items=(item(product),),
        lines=1,
        total=ils(5000),
        restore_url=f"https://tea.example/?cart={token}",
        occurred_at=at,
    )
    yield Doing(at, email, change=activity, id=f"{token}-left")
    if chance.random() < 0.3:
        why = {"email": email, "fields": {"what_stopped_you": chance.choice(_REASONS)}}
        yield Doing(at + timedelta(days=1, hours=3), email, contact=why, id=f"{token}-why")
    if chance.random() < 0.33:
        later = at + timedelta(days=2, hours=5)
        yield _told(f"{number}99{at:%m%d}", email, later, later, product, OrderStatus.PAID)


def _looks(number: int, email: str, at: datetime, chance: random.Random) -> Iterator[Doing]:
    for nth, product in enumerate(chance.sample(PRODUCTS, k=chance.choice((1, 2, 3)))):
        seen = {"product_id": product, "categories": [CATEGORY], "seconds": 20}
        moment = at + timedelta(seconds=90 * nth)
        yield Doing(moment, email, event=("product_viewed", seen), id=f"{number}-{at:%m%d}-{product}")
    yield Doing(at + timedelta(minutes=5), email, event=("site_left", {}), id=f"{number}-{at:%m%d}-left")


def _wishes(number: int, email: str, at: datetime, chance: random.Random) -> Iterator[Doing]:
    yield Doing(at, email, event=("wish_list_changed", {"added": ["2"], "removed": []}), id=f"{number}-{at:%m%d}-wish")


def _leaves(number: int, email: str, at: datetime, chance: random.Random) -> Iterator[Doing]:
    yield Doing(at, email, event=("site_left", {}), id=f"{number}-{at:%m%d}-bare")


def _joins(name: str) -> Callable[[int, str, datetime, random.Random], Iterator[Doing]]:
    def joins(number: int, email: str, at: datetime, chance: random.Random) -> Iterator[Doing]:
        yield Doing(at, email, contact={"email": email, "lists": [name]}, id=f"{number}-{name}")

    return joins


def _answers(number: int, email: str, at: datetime, chance: random.Random) -> Iterator[Doing]:
    ratings = {name: chance.randrange(1, 6) for name in ("rating_product", "rating_service", "rating_delivery")}
    yield Doing(at, email, contact={"email": email, "fields": ratings}, id=f"{number}-{at:%m%d}-rated")
    told = {"survey": "review", "form": "review", "answers": ratings}
    yield Doing(at + timedelta(hours=1), email, event=("survey_answered", told), id=f"{number}-{at:%m%d}-answered")


def _service(number: int, email: str, at: datetime, chance: random.Random) -> Iterator[Doing]:
    yield Doing(at, email, event=("service_case_closed", {"case": str(number)}), id=f"{number}-{at:%m%d}-case")


_REASONS = ("price", "shipping", "not_now", "not_what_i_looked_for", "not_clear")
_ACTS = (
    _orders,
    _orders,
    _cart,
    _looks,
    _wishes,
    _leaves,
    _answers,
    _service,
    _joins("newsletter"),
    _joins("downloaded-the-guide"),
    _joins("ambassadors"),
    _joins("friends"),
    _joins("please-call-me"),
)
