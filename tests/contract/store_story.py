"""One story of a shop in no platform's words: what its shoppers and its owner do, hour by hour.

A teller (`tests/contract/tellers.py`) puts each happening into one platform's deliveries. A third platform is one more
teller.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from local.demo.shop import COOKIES, CUP, GREEN, HONEY, SHOPPERS, STRAINER, TEAPOT, Shopper, Ware

BEGIN = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)  # a Sunday morning in Haifa: no quiet hours, no rest day until Friday
END = timedelta(hours=47)  # all of it is fresh enough to begin journeys, also when it is heard at its end
SHOP = {
    "name": "Tea and time",
    "url": "https://tea.example",
    "country": "IL",
    "currency": "ILS",
    "timezone": "Asia/Jerusalem",
    "locale": "he",
}

NOA, DAN, MAYA, YONI, SHIRA, OMER, YAEL, ORI, HILA, GUY, RONI, TAMAR = SHOPPERS[:12]
AT_WORK = replace(YONI, number=60)  # the same person under another address, which is another customer of the shop
BLUE = replace(CUP, variation_id=1121, choice="כחול")
OOLONG = replace(GREEN, id=131, name="תה אולונג, 100 גרם", price=6400, picture="oolong")
WHITE = replace(CUP, variation_id=1122, choice="לבן", price=7400)
Goods = tuple[Ware, ...]
Basket = tuple[tuple[Ware, int], ...]


@dataclass(frozen=True)
class Happening:
    """Something that happens at `at` and is heard of then, or at `heard`."""

    at: datetime
    heard: datetime | None = field(default=None, kw_only=True)

    @property
    def told_at(self) -> datetime:
        return self.heard or self.at


@dataclass(frozen=True)
class GoodsTold(Happening):
    """A product, with all its choices if it has any. `stock`: how many there are; None where nobody counts. `since`:
    since when shoppers see it.
    """

    goods: Goods
    stock: int | None = None
    since: datetime = BEGIN - timedelta(days=90)


@dataclass(frozen=True)
class GoodsGone(Happening):
    goods: Goods


@dataclass(frozen=True)
class AtCheckout(Happening):
    """A cart at the checkout. `known`: whether the shopper has typed their address by now, and perhaps their phone.

    `agreed`: whether they agreed to be written to there, by email and (where they told their phone) SMS.
    """

    token: str
    who: Shopper
    wares: Basket
    known: bool = True
    phone: bool = False
    agreed: bool = False


@dataclass(frozen=True)
class Sale:
    """An order, of which there are many tellings. `guest`: without an account; `agreed`: to emails, at the checkout."""

    number: int
    who: Shopper
    wares: Basket
    placed: datetime
    guest: bool = False
    agreed: bool = False
    cart: str | None = None

    @property
    def total(self) -> int:
        return sum(ware.price * quantity for ware, quantity in self.wares)


@dataclass(frozen=True)
class OrderTold(Happening):
    """`state`: pending, paid, completed, cancelled, refunded. `refunds`: (number, amount, when)."""

    sale: Sale
    state: str
    refunds: tuple[tuple[int, int, datetime], ...] = ()
    completed: datetime | None = None


@dataclass(frozen=True)
class OrderGone(Happening):
    sale: Sale


@dataclass(frozen=True)
class AccountTold(Happening):
    """An account. `choice`: what its owner chose about emails, and when; None where they were never asked."""

    who: Shopper
    since: datetime
    choice: tuple[str, datetime] | None = None


@dataclass(frozen=True)
class ChoiceTold(Happening):
    """In their account somebody changes their mind about emails: `subscribed` or `unsubscribed`."""

    who: Shopper
    since: datetime
    status: str


@dataclass
class _Writer:
    told: list[Happening] = field(default_factory=list)
    _numbers: int = 1000

    def sale(self, who: Shopper, wares: Basket, hour: float, **more: object) -> Sale:
        self._numbers += 1
        return Sale(self._numbers, who, wares, at(hour), **more)  # type: ignore[arg-type]

    def pays(self, sale: Sale) -> None:
        """Told when it is made, and forty seconds later when the money is there; the money is of the first moment."""
        self.told += [
            OrderTold(sale.placed, sale, "pending"),
            OrderTold(sale.placed + timedelta(seconds=40), sale, "paid"),
        ]


def at(hour: float) -> datetime:
    return BEGIN + timedelta(hours=hour)


def write() -> list[Happening]:
    """In the order in which it happens."""
    writer = _Writer()
    for chapter in (
        _catalogue,
        _cart_left_and_recovered,
        _cart_bought_in_time,
        _cart_never_bought,
        _cart_bought_under_another_email,
        _cart_of_a_stranger,
        _guest_then_account,
        _refunds,
        _cancelled_and_deleted,
        _told_twice_and_backwards,
        _told_at_the_newsletter,
    ):
        chapter(writer)
    return sorted(writer.told, key=lambda one: one.told_at)


def _catalogue(story: _Writer) -> None:
    """Told before anything; one gets dearer, two cheaper, one sells out and comes back, one is new, one is taken away.

    Who bought green tea hears that it costs less and that there is oolong, and who bought a cup that teapots are back.
    """
    told = [(GREEN,), (HONEY,), (COOKIES,), (STRAINER,), (BLUE, WHITE)]
    story.told += [GoodsTold(at(0), goods) for goods in told]
    story.told += [GoodsTold(at(hour), (TEAPOT,), stock) for hour, stock in ((0, 3), (12, 0), (30, 5))]
    story.told.append(GoodsTold(at(20), (replace(HONEY, price=5600),)))
    story.told.append(GoodsTold(at(21), (BLUE, replace(WHITE, price=7900))))
    story.told.append(GoodsTold(at(34), (replace(GREEN, price=4900),)))
    story.told.append(GoodsTold(at(34.5), (replace(HONEY, price=5500),)))  # too little to tell of
    story.told.append(GoodsTold(at(35), (OOLONG,), since=at(35)))
    story.told.append(GoodsGone(at(25), (STRAINER,)))


def _cart_left_and_recovered(story: _Writer) -> None:
    """The address comes late, with the consent; bought after the first message, paid, and sent a day later."""
    token, wares = "a" * 32, ((GREEN, 2), (HONEY, 1))
    story.told.append(AtCheckout(at(1), token, NOA, wares, known=False))
    story.told.append(AtCheckout(at(1.05), token, NOA, wares, agreed=True))
    sale = story.sale(NOA, wares, 7, cart=token, agreed=True)
    story.pays(sale)
    story.told.append(OrderTold(at(30), sale, "completed", completed=at(30)))


def _cart_bought_in_time(story: _Writer) -> None:
    token, wares = "b" * 32, ((BLUE, 1),)
    story.told.append(AtCheckout(at(2), token, DAN, wares, phone=True))
    story.pays(story.sale(DAN, wares, 2.5, cart=token))


def _cart_never_bought(story: _Writer) -> None:
    """With a phone and the consent to use it: every message of the journey goes out."""
    token = "c" * 32
    story.told.append(AtCheckout(at(3), token, MAYA, ((TEAPOT, 1), (WHITE, 2)), phone=True, agreed=True))
    story.told.append(AtCheckout(at(3.1), token, MAYA, ((TEAPOT, 1), (WHITE, 1)), phone=True, agreed=True))


def _cart_bought_under_another_email(story: _Writer) -> None:
    """The cart is over, whoever the order says it is for; the other address later opens an account."""
    token, wares = "d" * 32, ((GREEN, 1),)
    story.told.append(AtCheckout(at(4), token, YONI, wares, agreed=True))
    story.pays(story.sale(AT_WORK, wares, 9, cart=token, guest=True))
    story.told.append(AccountTold(at(33), AT_WORK, at(33)))


def _cart_of_a_stranger(story: _Writer) -> None:
    story.told.append(AtCheckout(at(5), "e" * 32, SHIRA, ((COOKIES, 1),), known=False))


def _guest_then_account(story: _Writer) -> None:
    """One person, one first order; agrees to emails in the account and takes that back two hours later."""
    story.pays(story.sale(SHIRA, ((GREEN, 1), (COOKIES, 2)), 6, guest=True))
    story.told.append(AccountTold(at(24), SHIRA, at(24), ("subscribed", at(24))))
    story.pays(story.sale(SHIRA, ((HONEY, 1),), 26))
    story.told.append(ChoiceTold(at(28), SHIRA, at(24), "unsubscribed"))


def _refunds(story: _Writer) -> None:
    part = story.sale(OMER, ((GREEN, 3), (WHITE, 1)), 8, agreed=True)
    story.pays(part)
    story.told.append(OrderTold(at(27), part, "paid", ((71, 1500, at(27)),)))
    whole = story.sale(YAEL, ((GREEN, 1), (HONEY, 1)), 8.5, agreed=True)
    story.pays(whole)
    story.told.append(OrderTold(at(29), whole, "refunded", ((72, whole.total, at(29)),)))
    story.told += [AccountTold(at(0.5), who, at(0.5)) for who in (OMER, YAEL)]


def _cancelled_and_deleted(story: _Writer) -> None:
    cancelled = story.sale(ORI, ((GREEN, 1),), 10, agreed=True)
    story.pays(cancelled)
    story.told.append(OrderTold(at(31), cancelled, "cancelled"))
    deleted = story.sale(HILA, ((COOKIES, 4),), 11)
    story.pays(deleted)
    story.told.append(OrderGone(at(32), deleted))


def _told_twice_and_backwards(story: _Writer) -> None:
    """The payment is heard of before the order, and everything twice."""
    sale = story.sale(GUY, ((COOKIES, 1), (GREEN, 1)), 13, agreed=True)
    made, paid = OrderTold(sale.placed, sale, "pending"), OrderTold(at(13.1), sale, "paid")
    story.told += [replace(one, heard=at(13.2 + n / 100)) for n, one in enumerate((paid, made, paid, made))]


def _told_at_the_newsletter(story: _Writer) -> None:
    """An account with consent from its first day, and another that refused; neither buys."""
    story.told.append(AccountTold(at(14), RONI, at(14), ("subscribed", at(14))))
    story.told.append(AccountTold(at(15), TAMAR, at(15), ("unsubscribed", at(15))))
