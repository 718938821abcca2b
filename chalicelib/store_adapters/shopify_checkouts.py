"""Shopify's checkouts as carts: `checkouts/create|update` tell the whole checkout each time (REST resource Checkout).

A checkout is known by its `token`; the order that comes of it names that as `checkout_token`. (`cart_token` is the
online store's cart, which may become several checkouts.)

Its amounts are in the currency that the shopper sees, `presentment_currency`; `currency` is the shop's own, and no
amount is told in it (Shopify's multi-currency migration guide: "For other resources, such as the Checkout resource,
the existing properties are in the presentment currency"). So a cart's money is labelled with what the shopper saw.
"""

from __future__ import annotations

import re
from datetime import datetime

from chalicelib.clock import rfc3339
from chalicelib.commerce.cart import CartActivity, CartItem, CartStep
from chalicelib.commerce.money import Money
from chalicelib.commerce.store import Store
from chalicelib.contacts.consent import Channel, Consent, ConsentChange, ConsentStatus
from chalicelib.contacts.identity import identities_of
from chalicelib.contacts.person import Person
from chalicelib.store_adapters.base import Change, Nothing
from chalicelib.store_adapters.reading import Fields
from chalicelib.store_adapters.shopify_people import CONSENT_FIELDS, buyer, consent

_TOKEN = re.compile(r"[0-9A-Za-z_.:-]{1,128}")
_TOTALS = ("total_price", "subtotal_price", "total_line_items_price")
_POINT_OF_SALE = "a sale at the till is no cart"
_DRAFT = "a draft order of the shop's own people is no cart"
_RENEWAL = "a subscription's renewal is no cart"
# `source_name`: "web" is the online store, a number another sales channel's app; those are shoppers' own.
_NOT_SHOPPERS = {"pos": _POINT_OF_SALE, "shopify_draft_order": _DRAFT, "draft_order": _DRAFT, "draft_orders": _DRAFT}
_RENEWALS = "subscription_contract"  # also "subscription_contract_checkout_one"


def checkout(fields: Fields, store: Store, body_hash: str) -> list[Change]:
    """Raises `Unintelligible`, naming the field. Where it is no cart, its text, which has addresses, is not kept."""
    token = _token(fields)
    reason = _no_cart(fields)
    if reason is None and "closed_at" in fields and "completed_at" not in fields:
        reason = "the shop put this checkout away; the shopper did nothing"
    if reason:
        return [Nothing(reason, private=True)]
    activity = _activity(fields, store, token, body_hash)
    if identities_of(activity.person, store.country).pairs():
        return [activity]
    return [activity, Nothing("names nobody who could be written to; its text is not kept", private=True)]


def checkout_deleted(fields: Fields, store: Store, body_hash: str) -> list[Change]:
    """A shopper leaves a checkout or empties it (an update); only Shopify deletes one, in time, or the bought one.

    The body has neither the token nor a time, so it could not be set against what happened since anyway.
    """
    return [Nothing("Shopify deletes checkouts by itself, long after the shopper left or bought", private=True)]


def ordered_token(order: Fields) -> str | None:
    """The checkout that an order came of; none of an order that no shopper made by themselves."""
    if sold_by_the_shop(order):
        return None
    return order.text("checkout_token", 128) or order.text("cart_token", 128)


def sold_by_the_shop(fields: Fields) -> str | None:
    """Why an order or a checkout is not a shopper's own doing, by where it says it was made; None if it is."""
    source = (fields.text("source_name", 100) or "").lower()
    return _RENEWAL if source.startswith(_RENEWALS) else _NOT_SHOPPERS.get(source)


def _no_cart(fields: Fields) -> str | None:
    """A `user_id` is of the shop's own people, a `device_id` of a till. A `location_id` says as much, but for a cart
    of the online store, which a shopper may want to fetch from there."""
    if reason := sold_by_the_shop(fields):
        return reason
    online = (fields.text("source_name", 100) or "").lower() == "web"
    marks = ("user_id", "device_id") if online else ("user_id", "device_id", "location_id")
    return _POINT_OF_SALE if any(fields.optional_identifier(mark) for mark in marks) else None


def _token(fields: Fields) -> str:
    token = fields.text("token", 200) or ""
    return token if _TOKEN.fullmatch(token) else fields.wrong("token", "a checkout's token")


def _activity(fields: Fields, store: Store, token: str, body_hash: str) -> CartActivity:
    told_at = fields.moment("updated_at") or fields.moment("created_at") or fields.wrong("updated_at", "a time")
    completed_at = fields.moment("completed_at")
    currency = fields.currency("presentment_currency", fields.currency("currency", store.currency))
    items = tuple(item for line in fields.items("line_items") if (item := _item(line, currency)))
    person = _shopper(fields)
    named = identities_of(person, store.country).pairs() != []
    step = CartStep.CONVERTED if completed_at else CartStep.CHECKOUT if items else CartStep.EMPTIED
    return CartActivity(
        # Of two tellings of one second, the one that knows whose it is comes later.
        id=f"{token}-{rfc3339(told_at)}-{int(named)}-{body_hash}",
        token=token,
        step=step,
        person=person,
        items=items,
        lines=len(items),
        total=_total(fields, items, currency),
        coupons=tuple(code for item in fields.items("discount_codes") if (code := item.text("code", 100))),
        restore_url=fields.link("abandoned_checkout_url"),
        consent=_chosen(fields, completed_at or told_at, fields.moment("created_at") or told_at),
        order_id=fields.optional_identifier("order_id"),
        occurred_at=completed_at or told_at,
    )


def _item(line: Fields, currency: str) -> CartItem | None:
    """In the words the shopper read. `line_price` is of all its units."""
    told = line.whole("quantity")
    quantity = 1 if told is None else told
    if quantity < 1:
        return None
    price = line.optional_money("price", currency)
    if price is None:
        whole = line.optional_money("line_price", currency)
        price = Money(amount=round((whole.amount if whole else 0) / quantity), currency=currency)
    name = line.text("presentment_title") or line.text("title") or ""
    variant = line.text("presentment_variant_title") or line.text("variant_title")
    return CartItem(
        product_id=line.optional_identifier("product_id") or "",
        # A product without a choice has a variant too, without a name: it is the product itself.
        variation_id=line.optional_identifier("variant_id") if "variant_title" in line else None,
        name=f"{name} - {variant}" if name and variant and variant != "Default Title" else name or variant or "",
        quantity=quantity,
        price=price,
    )


def _total(fields: Fields, items: tuple[CartItem, ...], currency: str) -> Money:
    """With the discounts, and the taxes and the shipping that are known by then, as the shopper saw it."""
    for name in _TOTALS:
        if told := fields.optional_money(name, currency):
            return told
    return Money(amount=sum(item.price.amount * item.quantity for item in items), currency=currency)


def _shopper(fields: Fields) -> Person:
    """With the number they want text messages to, if they gave one for that."""
    person = buyer(fields, fields.child("customer"))
    number = fields.text("sms_marketing_phone", 50)
    first = number if fields.yes("buyer_accepts_sms_marketing") else None
    return person.model_copy(update={"phone": first or person.phone or number})


def _chosen(fields: Fields, at: datetime, ticked_at: datetime) -> tuple[ConsentChange, ...]:
    """A ticked box is consent; an unticked one may not have been shown, and refuses nothing.

    Every telling repeats a box that was ticked once, so it counts from the checkout's beginning: whoever unsubscribed
    since is not taken back.
    The account's own choice comes before it where it has a time: the store asked them, and they answered.
    """
    customer = fields.child("customer")
    ticked = {}
    if fields.yes("buyer_accepts_marketing"):
        ticked[Channel.EMAIL] = ConsentStatus.SUBSCRIBED
    if fields.yes("buyer_accepts_sms_marketing") and "sms_marketing_phone" in fields:
        ticked[Channel.SMS] = ConsentStatus.SUBSCRIBED
    own = {
        change.channel: change
        for change in consent(customer, at, ticked_at)
        if change.channel not in ticked or customer.child(CONSENT_FIELDS[change.channel]).moment("consent_updated_at")
    }
    boxes = {
        channel: ConsentChange(channel=channel, consent=Consent(status=status, source="checkout", at=ticked_at))
        for channel, status in ticked.items()
    }
    return tuple({**boxes, **own}.values())
