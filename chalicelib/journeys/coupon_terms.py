"""What a `create_coupon` step asks of a shop: its terms, when they end, and what no shop of that platform can do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from chalicelib.commerce.coupon import CouponTerms
from chalicelib.commerce.money import Money
from chalicelib.commerce.store import Platform, Store
from chalicelib.contacts.contact import Contact
from chalicelib.errors import FieldMistake
from chalicelib.journeys.actions import CouponExpiry, CreateCoupon
from chalicelib.journeys.definition import Definition
from chalicelib.journeys.local_time import moment_of, zone_of

_GIFTS = ("gift_product", "buy_x_get_y")


def terms_of(step: CreateCoupon, store: Store, contact: Contact, ends_at: datetime) -> CouponTerms:
    """One that only one order may use is the contact's own; one for several is there to be handed out."""
    gift = step.gift_product if step.benefit in _GIFTS else None
    percent = step.value if step.benefit == "percent" else (step.value or 100) if gift else None
    amount = step.value if step.benefit == "amount" else None
    return CouponTerms(
        amount=Money(amount=amount, currency=store.currency) if amount is not None else None,
        percent=Decimal(percent) if percent is not None else None,
        free_shipping=step.benefit == "free_shipping",
        minimum=Money(amount=step.minimum_total, currency=store.currency) if step.minimum_total else None,
        minimum_units=step.minimum_units,
        expires_at=ends_at,
        email=contact.email if step.usage_limit == 1 else None,
        products=step.products,
        categories=step.categories,
        usage_limit=step.usage_limit,
        gift=gift,
    )


def customer_of(step: CreateCoupon, contact: Contact) -> str | None:
    """The shop's id of who alone may use it; None where that is not known, or anybody may."""
    return contact.external_ids[0] if step.usage_limit == 1 and len(contact.external_ids) == 1 else None


def ends_at(expiry: CouponExpiry, zone: str, now: datetime) -> datetime:
    """The midnight on the store's clock (UTC here) that ends the last day on which it is good."""
    today = now.astimezone(zone_of(zone)).date()
    if expiry.date is not None:
        last = date.fromisoformat(expiry.date)
    elif expiry.days is not None:
        last = today + timedelta(days=expiry.days)
    else:
        last = (today.replace(day=1) + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return moment_of(last + timedelta(days=1), time.min, zone_of(zone))


def coupon_mistakes(definition: Definition, store: Store, now: datetime) -> Iterator[FieldMistake]:
    """What stops the journey's coupons in this store; steps that are off are not asked."""
    for place in definition.located():
        if isinstance(place.step, CreateCoupon) and place.step.enabled:
            for field, reason in _mistakes(place.step, store, now):
                yield FieldMistake(f"{place.path}.{field}", f"step {place.step.id!r}: {reason}")


def _mistakes(step: CreateCoupon, store: Store, now: datetime) -> Iterator[tuple[str, str]]:
    yield from _incomplete(step)
    for name in ("products", "categories", "gift_product"):
        given = getattr(step, name) or ()
        if not all(one.isascii() and one.isdigit() for one in ((given,) if isinstance(given, str) else given)):
            yield name, "expected ids of the shop: whole numbers"
    try:
        over = ends_at(step.expiry, store.timezone, now) <= now
    except ValueError:
        yield "expiry.date", "there is no such day"
    else:
        if over:
            yield "expiry.date", "that day is over"
    yield from _of_woocommerce(step) if store.platform is Platform.WOOCOMMERCE else _of_shopify(step)


def _incomplete(step: CreateCoupon) -> Iterator[tuple[str, str]]:
    if step.benefit in ("amount", "percent") and step.value is None:
        yield "value", "say how much it is worth"
    if step.benefit == "free_shipping" and step.value is not None:
        yield "value", "free shipping takes no value"
    if step.benefit != "amount" and (step.value or 0) > 100:
        yield "value", "expected a percentage, from 1 to 100"
    if (step.benefit in _GIFTS) != (step.gift_product is not None):
        yield "gift_product", "name the product that is given, with gift_product or buy_x_get_y only"
    if step.benefit == "buy_x_get_y" and not (step.products or step.categories):
        yield "products", "name what has to be bought, here or in categories"


def _of_woocommerce(step: CreateCoupon) -> Iterator[tuple[str, str]]:
    if step.benefit == "buy_x_get_y":
        yield "benefit", "WooCommerce's own coupons cannot do buy_x_get_y; give the product with gift_product"
    if step.minimum_units is not None:
        yield "minimum_units", "WooCommerce's own coupons cannot ask for a number of units; use minimum_total"
    if step.benefit == "gift_product" and (step.products or step.categories):
        field = "products" if step.products else "categories"
        yield field, "WooCommerce's own coupons cannot tie a gift to other products; leave them out"


def _of_shopify(step: CreateCoupon) -> Iterator[tuple[str, str]]:
    if step.benefit == "gift_product" and not (step.products or step.categories):
        yield "benefit", "Shopify gives a product only with others that are bought; name them in products or categories"
    if step.minimum_total is not None and step.minimum_units is not None:
        yield "minimum_units", "a Shopify code asks for either minimum_total or minimum_units"
    if step.products and step.categories:
        yield "categories", "a Shopify code is for either products or collections"
    if step.benefit == "free_shipping" and (step.products or step.categories):
        yield "products" if step.products else "categories", "on Shopify, free shipping is for the whole order"
