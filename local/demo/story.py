"""What happens in the demo's WooCommerce shop, act by act, and what must come of it: every message, and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from local.demo import shop
from local.demo.acts import DAY, FIRST_NIGHT, SECOND_NIGHT, Left, Outcome, Story, evening_after, filled, hour_of
from local.demo.carts import Cart
from local.demo.delivery import Delivery
from local.demo.shop import Shopper, Ware
from local.demo.woocommerce import CustomerAccount, Purchase, delivery, product_told

SECRET = "the-demo-shop-signs-with-this"  # noqa: S105 (a made-up shop on this machine)


@dataclass
class TeaShop(Story):
    _orders: int = 1000

    def purchase(
        self, shopper: Shopper, wares: tuple[tuple[Ware, int], ...], after: timedelta, **more: object
    ) -> Purchase:
        self._orders += 1
        return Purchase(self._orders, shopper, wares, self.start + after, **more)  # type: ignore[arg-type]

    def pays(self, order: Purchase, *, late_creation: bool = False) -> None:
        """The shop tells an order twice: made, then paid 40 seconds later; every fifth telling is repeated."""
        paid = order.placed + timedelta(seconds=40)
        made = self.told("order.created", order.told("pending", order.placed, pictures=self.pictures), order.placed)
        bought = self.told("order.updated", order.told("processing", paid, paid=paid, pictures=self.pictures), paid)
        tellings: tuple[Delivery, ...] = (bought, made) if late_creation else (made, bought)
        if order.id % 5 == 0:
            tellings = (*tellings, bought, made)
        self.add(order.placed - self.start, f"{order.shopper.first_name} buys", *tellings)

    def told(self, topic: str, body: object, at: datetime) -> Delivery:
        return delivery(self.secret, topic, body, at)


def write(start: datetime, pictures: str, steps: dict[str, list[str]]) -> TeaShop:
    """The whole story. `steps` maps each journey to its sending steps, first to last."""
    story = TeaShop(start, pictures, steps, SECRET)
    people = iter(shop.SHOPPERS)
    _catalogue_arrives(story)
    for chapter, number in _CHAPTERS:
        for _ in range(number):
            chapter(story, next(people))
    story.acts.sort(key=lambda act: act.at)
    return story


def _catalogue_arrives(story: TeaShop) -> None:
    told = [
        story.told("product.created", product_told(w, story.start, story.pictures), story.start) for w in shop.CATALOGUE
    ]
    story.add(timedelta(0), "the catalogue arrives", *told)


_TEAS = (shop.GREEN, shop.EARL_GREY, shop.CAMOMILE)
_OTHERS = (shop.TEAPOT, shop.CUP, shop.STRAINER)


def _tea(story: TeaShop, who: Shopper, consent: str | None) -> Purchase:
    order = story.purchase(
        who, ((_TEAS[who.number % 3], 1 + who.number % 2), (shop.COOKIES, 1)), hour_of(who), consent=consent
    )
    story.pays(order)
    return order


def silent_tea_lover(story: TeaShop, who: Shopper) -> None:
    """Buys tea, wants mail, never answers: thank-you, tips, two reminders."""
    _tea(story, who, "subscribed")
    story.expect(who.email, "thank-you-new", "sent", "sent")
    story.expect(who.email, "replenishment", "sent", "sent")


def restocks_after_reminder(story: TeaShop, who: Shopper) -> None:
    """Buys again after the first reminder: the second one is never sent."""
    first = _tea(story, who, "subscribed")
    again = story.purchase(who, (first.wares[0],), 5.5 * DAY + hour_of(who))
    story.pays(again)
    story.expect(who.email, "thank-you-new", "sent", "sent")
    story.expect(who.email, "replenishment", "sent")  # of the first order
    story.expect(who.email, "replenishment", "sent")  # of the second: the same outcome, counted apart


def restocks_early(story: TeaShop, who: Shopper) -> None:
    """Buys again before any reminder: the first order's reminders are never sent."""
    first = _tea(story, who, "subscribed")
    story.pays(story.purchase(who, (first.wares[0],), 2.4 * DAY + hour_of(who)))
    story.expect(who.email, "thank-you-new", "sent", "sent")
    story.expect(who.email, "replenishment", "sent")
    story.optional[Outcome(who.email, "replenishment", story.steps["replenishment"][1], "sent")] += 1


def ware_buyer(story: TeaShop, who: Shopper) -> None:
    """Buys what does not run out: no reminder to restock, but an offer of tea."""
    story.pays(story.purchase(who, ((_OTHERS[who.number % 3], 1),), hour_of(who), consent="subscribed"))
    story.expect(who.email, "thank-you-new", "sent", "sent")
    story.expect(who.email, "repeat-purchase", "sent")


def never_asked(story: TeaShop, who: Shopper) -> None:
    """Was never asked: gets the thank-you, and nothing that is advertising."""
    _tea(story, who, None)
    story.expect(who.email, "thank-you-new", "sent", "no_consent")
    story.expect(who.email, "replenishment", "no_consent", "no_consent")


def refused(story: TeaShop, who: Shopper) -> None:
    _tea(story, who, "unsubscribed")
    story.expect(who.email, "thank-you-new", "sent", "unsubscribed")
    story.expect(who.email, "replenishment", "unsubscribed", "unsubscribed")


def leaves_by_link(story: TeaShop, who: Shopper) -> None:
    """Uses the unsubscribe link of the second mail: the reminders are not sent, and say so."""
    _tea(story, who, "subscribed")
    story.add(hour_of(who) + 3 * DAY, f"{who.first_name} unsubscribes", then="unsubscribe", who=who)
    story.expect(who.email, "thank-you-new", "sent", "sent")
    story.expect(who.email, "replenishment", "unsubscribed", "unsubscribed")


def sends_it_back(story: TeaShop, who: Shopper) -> None:
    """Refunded in full after a day: the journeys end, the order no longer counts."""
    order = _tea(story, who, "subscribed")
    back = order.placed + DAY
    told = order.told(
        "refunded", back, paid=order.placed + timedelta(seconds=40), refunds=(order.total,), pictures=story.pictures
    )
    story.add(back - story.start, f"{who.first_name} is refunded", story.told("order.updated", told, back))
    story.expect(who.email, "thank-you-new", "sent")


def cancels(story: TeaShop, who: Shopper) -> None:
    order = _tea(story, who, "subscribed")
    late = order.placed + timedelta(hours=20)
    told = order.told("cancelled", late, paid=order.placed + timedelta(seconds=40), pictures=story.pictures)
    story.add(late - story.start, f"{who.first_name} cancels", story.told("order.updated", told, late))
    story.expect(who.email, "thank-you-new", "sent")


def payment_fails(story: TeaShop, who: Shopper) -> None:
    """A mail with a link to pay again at once; a day later no SMS, for nobody asked."""
    order = story.purchase(who, ((shop.HONEY, 1),), hour_of(who))
    failed = story.told("order.created", order.told("failed", order.placed, pictures=story.pictures), order.placed)
    story.add(order.placed - story.start, f"{who.first_name}'s payment fails", failed)
    story.expect(who.email, "payment-failed", "sent", "no_consent")


def guest_then_customer(story: TeaShop, who: Shopper) -> None:
    """Buys as a guest with the email in capitals, then with an account: one person, one first order, one offer."""
    first = story.purchase(
        who, ((shop.CUP, 1),), hour_of(who), consent="subscribed", guest=True, email=who.email.upper()
    )
    story.pays(first)
    account = CustomerAccount(who, story.start + DAY)
    told = story.told("customer.created", account.told(account.created), account.created)
    story.add(DAY, f"{who.first_name} opens an account", told)
    story.pays(story.purchase(who, ((shop.TEAPOT, 1),), 1.6 * DAY))
    story.expect(who.email, "thank-you-new", "sent", "sent")
    story.expect(who.email, "repeat-purchase", "sent")


def mail_bounces(story: TeaShop, who: Shopper) -> None:
    """The first mail bounces: nothing more is sent there."""
    _tea(story, who, "subscribed")
    story.add(hour_of(who) + timedelta(hours=1), f"{who.first_name}'s mailbox is gone", then="bounce", who=who)
    story.expect(who.email, "thank-you-new", "sent", "suppressed")
    story.expect(who.email, "replenishment", "suppressed", "suppressed")


def told_out_of_order(story: TeaShop, who: Shopper) -> None:
    """The shop tells of the payment before it tells of the order."""
    order = story.purchase(who, ((shop.STRAINER, 2),), hour_of(who), consent="subscribed")
    story.pays(order, late_creation=True)
    story.expect(who.email, "thank-you-new", "sent", "sent")
    story.expect(who.email, "repeat-purchase", "sent")


def comes_back(story: TeaShop, who: Shopper) -> None:
    """Bought a month ago: that order is history and starts nothing; today's is no first order."""
    old = story.purchase(who, ((shop.TEAPOT, 1),), -30 * DAY, consent="subscribed")
    told = old.told("completed", old.placed, paid=old.placed, completed=old.placed, pictures=story.pictures)
    story.add(
        timedelta(minutes=2), f"{who.first_name}'s old order arrives", story.told("order.updated", told, old.placed)
    )
    story.pays(story.purchase(who, ((shop.HONEY, 2),), hour_of(who)))


def _leaves_a_cart(story: TeaShop, who: Shopper, night: timedelta, *, phone: bool = False) -> Cart:
    """Fills a cart as a stranger, and is known three minutes later, at the checkout."""
    cart = Cart(
        f"cart-{who.number}",
        who,
        ((shop.HONEY, 1), (shop.COOKIES, 2)),
        story.pictures,
        email=who.email,
        phone=who.phone if phone else None,
        consent=("email", "sms"),
    )
    begun = filled(who, night)
    for event, at, known in (("updated", begun, False), ("checkout", begun + timedelta(minutes=3), True)):
        call = cart.call(event, story.start + at, known=known)
        story.add(at, f"{who.first_name} fills a cart", call, call)  # the plugin may repeat itself
    return cart


def _buys_the_cart(story: TeaShop, cart: Cart, at: timedelta, email: str | None = None) -> Purchase:
    """The order carries the cart's token; the plugin tells it as well."""
    order = story.purchase(
        cart.shopper,
        cart.wares,
        at,
        guest=True,
        email=email,
        cart_token=cart.token,
    )
    story.pays(order)
    story.add(order.placed - story.start, "the cart is bought", cart.call("converted", order.placed, order.id))
    return order


def cart_recovered(story: TeaShop, who: Shopper) -> None:
    """No phone: the mail with the cart comes at once. Buys half a day later: no more about the cart."""
    order = _buys_the_cart(story, _leaves_a_cart(story, who, SECOND_NIGHT), evening_after(who))
    story.carts[f"cart-{who.number}"] = Left(True, "bought", order.id)
    story.expect(who.email, "cart-abandonment", "no_phone", "sent")
    story.expect(who.email, "thank-you-new", "sent", "sent")


def cart_bought_in_time(story: TeaShop, who: Shopper) -> None:
    """Half an hour is less than the shop's delay: nothing is sent about the cart."""
    bought = filled(who, FIRST_NIGHT) + timedelta(minutes=30)
    order = _buys_the_cart(story, _leaves_a_cart(story, who, FIRST_NIGHT, phone=True), bought)
    story.carts[f"cart-{who.number}"] = Left(False, "bought", order.id)
    story.expect(who.email, "thank-you-new", "sent", "sent")


def cart_bought_under_another_email(story: TeaShop, who: Shopper) -> None:
    """The cart's own token ends it, whoever the order says it is for: nothing more to the address of the cart."""
    other = f"work-{who.email}"
    order = _buys_the_cart(story, _leaves_a_cart(story, who, SECOND_NIGHT), evening_after(who), email=other)
    story.carts[f"cart-{who.number}"] = Left(True, "bought", order.id)
    story.expect(who.email, "cart-abandonment", "no_phone", "sent")
    story.expect(other, "thank-you-new", "sent", "no_consent")


def cart_never_bought(story: TeaShop, who: Shopper) -> None:
    """An SMS that nobody confirms, an hour later the mail, a day later help with deciding. Then silence."""
    cart = _leaves_a_cart(story, who, SECOND_NIGHT, phone=True)
    story.carts[cart.token] = Left(True, "abandoned")
    story.expect(who.email, "cart-abandonment", "sent", "sent", "sent")


def cart_of_a_stranger(story: TeaShop, who: Shopper) -> None:
    """Never says who they are: the cart is counted, and nobody is written to."""
    cart = Cart(f"cart-{who.number}", who, ((shop.TEAPOT, 1),), story.pictures)
    at = filled(who, SECOND_NIGHT)
    story.add(at, "a stranger fills a cart", cart.call("updated", story.start + at, known=False))
    story.carts[cart.token] = Left(False, "open")


Chapter = Callable[[TeaShop, Shopper], None]
_CHAPTERS: tuple[tuple[Chapter, int], ...] = (
    (silent_tea_lover, 8),
    (restocks_after_reminder, 5),
    (restocks_early, 3),
    (ware_buyer, 6),
    (never_asked, 6),
    (refused, 2),
    (leaves_by_link, 2),
    (sends_it_back, 2),
    (cancels, 1),
    (payment_fails, 1),
    (guest_then_customer, 1),
    (mail_bounces, 1),
    (told_out_of_order, 1),
    (comes_back, 1),
    (cart_recovered, 1),
    (cart_bought_in_time, 1),
    (cart_bought_under_another_email, 1),
    (cart_never_bought, 1),
    (cart_of_a_stranger, 1),
)
