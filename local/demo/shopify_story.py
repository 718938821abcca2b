"""What happens in the demo's Shopify shop, act by act, and what must come of it: every message, and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from local.demo import kettle
from local.demo.acts import DAY, ERASED, FIRST_NIGHT, SECOND_NIGHT, Left, Story, evening_after, filled, hour_of
from local.demo.delivery import Delivery
from local.demo.kettle import ASSAM, LARGE_POT, MINT, SHORTBREAD, SMALL_POT
from local.demo.shop import Shopper
from local.demo.shopify import CustomerAccount, Shop, again, data_request_told, redaction_told
from local.demo.shopify_catalogue import product_told
from local.demo.shopify_orders import Checkout, GivenBack, Purchase, Wares, token

_FIRST_ORDER = 5_900_000_000_000


@dataclass
class KettleShop(Story):
    """`repeats`: how many deliveries come a second time, under another webhook id. `exports`: whose data the shop
    asked for."""

    shop: Shop = kettle.SHOP
    repeats: int = 0
    exports: list[Shopper] = field(default_factory=list)
    _orders: int = 0

    def told(self, topic: str, body: object, at: datetime) -> Delivery:
        return self.shop.delivery(topic, body, at)

    def checkout(self, who: Shopper, wares: Wares, after: timedelta, **more: object) -> Checkout:
        number = 37_000_000_000_000 + who.number
        begun = self.start + after
        return Checkout(self.shop, number, token(f"checkout {who.number}"), who, wares, begun, **more)  # type: ignore[arg-type]

    def purchase(self, who: Shopper, wares: Wares, after: timedelta, **more: object) -> Purchase:
        self._orders += 1
        placed = self.start + after
        return Purchase(self.shop, _FIRST_ORDER + self._orders, f"#{1000 + self._orders}", who, wares, placed, **more)  # type: ignore[arg-type]

    def pays(self, order: Purchase, *, repeated: bool = False) -> None:
        """Made, and paid seconds later, of which Shopify tells under two topics, and of the buyer beside it."""
        paid = order.placed + timedelta(seconds=4)
        body = order.told("paid", paid)
        tellings = [
            self.told("orders/create", order.told("pending", order.placed), order.placed),
            self.told("orders/paid", body, paid),
            self.told("orders/updated", body, paid),
        ]
        if order.with_customer:
            buyer = CustomerAccount(self.shop, order.shopper, order.placed, order.email, order.account)
            tellings.append(self.told("customers/create", buyer.told(order.placed), order.placed))
        if repeated:
            self.repeats += len(tellings)
            tellings += [again(self.shop, one) for one in tellings]
        self.add(order.placed - self.start, f"{order.shopper.first_name} buys", *tellings)


def write(start: datetime, pictures: str, steps: dict[str, list[str]]) -> KettleShop:
    """The whole story. `steps` maps each journey to its sending steps, first to last."""
    story = KettleShop(start, pictures, steps, kettle.SECRET)
    story.shop = replace(kettle.SHOP, pictures=pictures)
    told = [story.told("products/create", product_told(story.shop, wares, start), start) for wares in kettle.CATALOGUE]
    story.add(timedelta(0), "the catalogue arrives", *told)
    for chapter, who in zip(_CHAPTERS, kettle.SHOPPERS, strict=True):
        chapter(story, who)
    story.acts.sort(key=lambda act: act.at)
    return story


def _at_the_checkout(story: KettleShop, who: Shopper, night: timedelta, wares: Wares, **more: object) -> Checkout:
    """Begins as a stranger, and types an address three minutes later; Shopify tells that twice."""
    begun = filled(who, night)
    checkout = story.checkout(who, wares, begun, **more)
    first = story.told("checkouts/create", checkout.told(checkout.begun, known=False), checkout.begun)
    typed = checkout.begun + timedelta(minutes=3)
    known = story.told("checkouts/update", checkout.told(typed), typed)
    story.add(begun, f"{who.first_name} is at the checkout", first)
    story.add(begun + timedelta(minutes=3), f"{who.first_name} types an address", known, again(story.shop, known))
    story.repeats += 1
    return checkout


def _buys(story: KettleShop, checkout: Checkout, at: timedelta) -> Purchase:
    """The order names the checkout; the checkout says that it is done."""
    order = story.purchase(checkout.shopper, checkout.wares, at, checkout=checkout.token, accepts_email=True)
    story.pays(order)
    done = story.told("checkouts/update", checkout.told(order.placed, completed=order.placed), order.placed)
    story.add(at, "the checkout is done", done)
    return order


def checkout_recovered(story: KettleShop, who: Shopper) -> None:
    """Agreed to mails, not to SMS: a mail with the cart in the morning. Buys half a day later: no more about it."""
    checkout = _at_the_checkout(story, who, SECOND_NIGHT, ((SMALL_POT, 1), (SHORTBREAD, 2)), accepts_email=True)
    order = _buys(story, checkout, evening_after(who))
    story.carts[checkout.token] = Left(True, "bought", order.id)
    story.expect(who.email, "cart-abandonment", "no_consent", "sent")
    story.expect(who.email, "thank-you-new", "sent", "sent")


def checkout_bought_in_time(story: KettleShop, who: Shopper) -> None:
    """Half an hour is less than the shop's delay: nothing is sent about the cart."""
    checkout = _at_the_checkout(story, who, FIRST_NIGHT, ((LARGE_POT, 1),), accepts_email=True)
    order = _buys(story, checkout, filled(who, FIRST_NIGHT) + timedelta(minutes=30))
    story.carts[checkout.token] = Left(False, "bought", order.id)
    story.expect(who.email, "thank-you-new", "sent", "sent")


def checkout_never_bought(story: KettleShop, who: Shopper) -> None:
    """An SMS that nobody confirms, an hour later the mail, a day later help with deciding. Then silence."""
    wares = ((SMALL_POT, 1), (MINT, 1))
    both = {"phone": who.phone, "accepts_email": True, "accepts_sms": True}
    checkout = _at_the_checkout(story, who, SECOND_NIGHT, wares, **both)
    story.carts[checkout.token] = Left(True, "abandoned")
    story.expect(who.email, "cart-abandonment", "sent", "sent", "sent")


def checkout_of_a_stranger(story: KettleShop, who: Shopper) -> None:
    """Never says who they are: the cart is counted, and nobody is written to."""
    checkout = story.checkout(who, ((SHORTBREAD, 3),), filled(who, SECOND_NIGHT))
    told = story.told("checkouts/create", checkout.told(checkout.begun, known=False), checkout.begun)
    story.add(filled(who, SECOND_NIGHT), "a stranger is at the checkout", told)
    story.carts[checkout.token] = Left(False, "open")


def told_again(story: KettleShop, who: Shopper) -> None:
    """Buys tea; every delivery comes once more under another webhook id."""
    story.pays(story.purchase(who, ((MINT, 1),), hour_of(who), accepts_email=True), repeated=True)
    story.expect(who.email, "thank-you-new", "sent", "sent")
    story.expect(who.email, "replenishment", "sent", "sent")


def never_asked(story: KettleShop, who: Shopper) -> None:
    """A guest, of whom Shopify keeps a customer: gets the thank-you, and nothing that is advertising."""
    story.pays(story.purchase(who, ((LARGE_POT, 1),), hour_of(who), account="disabled"))
    story.expect(who.email, "thank-you-new", "sent", "no_consent")


def refunded_in_part(story: KettleShop, who: Shopper) -> None:
    """One of two pots goes back: the order counts for the rest, and the journey goes on."""
    order = story.purchase(who, ((SMALL_POT, 2),), hour_of(who), accepts_email=True)
    story.pays(order)
    back = order.placed + DAY
    given = GivenBack(910_000_000_001, SMALL_POT.price, back)
    story.add(
        back - story.start,
        f"{who.first_name} is refunded in part",
        story.told("refunds/create", order.refund(given), back),
        story.told("orders/updated", order.told("partially_refunded", back, refunds=(given,)), back),
    )
    story.expect(who.email, "thank-you-new", "sent", "sent")


def forgotten(story: KettleShop, who: Shopper) -> None:
    """Is thanked, then asks to be forgotten; a day after that the shop still repeats the order."""
    order = story.purchase(who, ((ASSAM, 1),), hour_of(who), accepts_email=True)
    story.pays(order)
    asked = order.placed + 1.5 * DAY
    redact = story.told("customers/redact", redaction_told(story.shop, who, (order.id,)), asked)
    story.add(asked - story.start, f"{who.first_name} asks to be forgotten", redact)
    late = story.told("orders/fulfilled", order.told("paid", order.placed + DAY, sent=order.placed + DAY), asked + DAY)
    story.add(asked + DAY - story.start, "a late telling of a forgotten order", late)
    story.erased[who] = (order.id,)
    story.expect(ERASED, "thank-you-new", "sent")


def asks_for_their_data(story: KettleShop, who: Shopper) -> None:
    """Buys, and the day after asks the shop what it knows of them: an export is made for the owner."""
    order = story.purchase(who, ((SHORTBREAD, 2),), hour_of(who), accepts_email=True)
    story.pays(order)
    asked = order.placed + DAY
    request = data_request_told(story.shop, who, 520_000_001, (order.id,))
    told = story.told("customers/data_request", request, asked)
    story.add(asked - story.start, f"{who.first_name} asks for their data", told)
    story.exports.append(who)
    story.expect(who.email, "thank-you-new", "sent", "sent")


def at_the_till(story: KettleShop, who: Shopper) -> None:
    """A sale in the shop's own rooms: no cart, whatever the till tells; who left an address is thanked."""
    checkout = story.checkout(who, ((ASSAM, 1),), filled(who, FIRST_NIGHT), source="pos")
    told = story.told("checkouts/create", checkout.told(checkout.begun), checkout.begun)
    story.add(filled(who, FIRST_NIGHT), "a sale at the till begins", told)
    story.pays(story.purchase(who, checkout.wares, hour_of(who), source="pos", checkout=checkout.token))
    story.no_carts.append(checkout.token)
    story.expect(who.email, "thank-you-new", "sent", "no_consent")
    story.expect(who.email, "replenishment", "no_consent", "no_consent")


def cancels(story: KettleShop, who: Shopper) -> None:
    order = story.purchase(who, ((ASSAM, 1),), hour_of(who), accepts_email=True)
    story.pays(order)
    late = order.placed + timedelta(hours=20)
    told = order.told("refunded", late, cancelled=late, refunds=(GivenBack(910_000_000_002, order.total, late),))
    story.add(late - story.start, f"{who.first_name} cancels", story.told("orders/cancelled", told, late))
    story.expect(who.email, "thank-you-new", "sent")


Chapter = Callable[[KettleShop, Shopper], None]
_CHAPTERS: tuple[Chapter, ...] = (
    checkout_recovered,
    checkout_bought_in_time,
    checkout_never_bought,
    checkout_of_a_stranger,
    told_again,
    never_asked,
    refunded_in_part,
    forgotten,
    asks_for_their_data,
    at_the_till,
    cancels,
)
