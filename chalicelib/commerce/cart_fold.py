"""A cart's activities and orders folded into its record: functions of the set of tellings, not of their order."""

from __future__ import annotations

from datetime import datetime

from chalicelib.commerce.cart import CartActivity, CartItem, CartRecord, CartStep
from chalicelib.contacts.person import Person

MOST_LINES = 100
LONGEST_NAME = 200
LONGEST_URL = 1000
MOST_COUPONS = 20


def kept(activity: CartActivity, received_at: datetime) -> CartActivity:
    """What is kept of an activity: no more than a page of it, and nothing that is said to happen after it came."""
    return activity.model_copy(
        update={
            "items": tuple(_kept_item(item) for item in activity.items[:MOST_LINES]),
            "lines": max(activity.lines, len(activity.items)),
            "coupons": tuple(code[:LONGEST_NAME] for code in activity.coupons[:MOST_COUPONS]),
            "restore_url": _url(activity.restore_url),
            "occurred_at": min(activity.occurred_at, received_at),
        }
    )


def with_activity(record: CartRecord, told: CartActivity, contact_id: str | None) -> CartRecord:
    """The record with one more activity. `contact_id`: whom it names, None for nobody.

    Whoever an order is made for need not be who filled the cart: a conversion says nothing of whose it is.
    """
    changes: dict[str, object] = {"first_at": _earlier(record.first_at, told.occurred_at)}
    if told.step is CartStep.CONVERTED:
        changes |= _bought(record, told.order_id, told.occurred_at)
    elif record.latest is None or told.place() >= record.latest.place():
        changes["latest"] = unnamed(told)
    if told.step is CartStep.CHECKOUT:
        changes["checkout_at"] = _earlier(record.checkout_at, told.occurred_at)
    if contact_id and told.step is not CartStep.CONVERTED:
        changes["named_at"] = _earlier(record.named_at, told.occurred_at)
        if told.place() >= record.contact_by:
            changes |= {"contact_id": contact_id, "contact_by": told.place()}
    return record.model_copy(update=changes)


def with_order(record: CartRecord, order_id: str, placed_at: datetime) -> CartRecord:
    """An order names this cart, whatever became of the order: who ordered has not left the cart behind."""
    return record.model_copy(update=_bought(record, order_id, placed_at))


def unnamed(activity: CartActivity) -> CartActivity:
    """Whose a cart is, its contact says, so that a person is written down in one place only."""
    return activity.model_copy(update={"person": Person(), "consent": ()})


def without_person(activity: CartActivity) -> CartActivity:
    """What may be kept of an erased person's cart: the goods and the money. A restore link fills in an address."""
    return unnamed(activity).model_copy(update={"restore_url": None})


def erased(record: CartRecord, at: datetime) -> CartRecord:
    """The record once its person was erased."""
    latest = without_person(record.latest) if record.latest else None
    nobody = {"contact_id": None, "contact_by": "", "named_at": None}
    return record.model_copy(update={**nobody, "latest": latest, "erased_at": at})


def _bought(record: CartRecord, order_id: str | None, at: datetime) -> dict[str, object]:
    """The earliest time that anybody tells; of several orders, the one with the smallest number."""
    known = [one for one in (record.order_id, order_id) if one]
    first = min(known, key=lambda one: (len(one), one), default=None)
    return {"bought_at": _earlier(record.bought_at, at), "order_id": first}


def _kept_item(item: CartItem) -> CartItem:
    return item.model_copy(
        update={"name": item.name[:LONGEST_NAME], "image": _url(item.image), "url": _url(item.url)},
    )


def _url(text: str | None) -> str | None:
    """Half an address leads nowhere."""
    return text if text and len(text) <= LONGEST_URL else None


def _earlier(known: datetime | None, told: datetime) -> datetime:
    return told if known is None else min(known, told)
