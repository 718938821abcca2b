"""Which message earned an order: the last touch before it, or the coupon with which it was paid.

A pure rule over records, so the numbers can be worked out again at any time and come out the same: the order as the
store tells it, the contact's messages with their clicks and opens, whose each coupon is.

- An order paid with a code of ours is credited to the step that gave the code, and to the last message that showed it.
- Else to the last message that was clicked (or opened, where the store says so) within `attribution_days` before the
  order was placed. What robots did is no touch: it never becomes a click of the message (messages.robots).
- What was refunded is taken off; of an order that does not count any more nothing is left.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict

from chalicelib.commerce.coupon import OwnedCoupon
from chalicelib.commerce.event import Event
from chalicelib.commerce.money import Money
from chalicelib.commerce.order import Order
from chalicelib.commerce.ports import Listener, OrderRecord
from chalicelib.commerce.store import Store
from chalicelib.contacts.consent import Channel
from chalicelib.contacts.contact import Contact
from chalicelib.contacts.engagement import Engagement
from chalicelib.contacts.purchases import ContactOrder
from chalicelib.contacts.retry import persist
from chalicelib.messages.message import Message, MessageStatus

_TOUCHES: dict[str, tuple[MessageStatus, ...]] = {
    "click": (MessageStatus.CLICKED,),
    "open": (MessageStatus.CLICKED, MessageStatus.OPENED),
}
_ORDERS = ("order_paid", "order_refunded", "order_cancelled")
_READ = ("message_clicked", "message_opened")


class Attribution(BaseModel):
    """What one order was earned by. `net` is what the store kept of it today, nothing while it does not count;
    `touched_at` the click's or open's time, of a coupon when the order was placed. `contact_id` and `message_id` are
    None once their person was erased, `message_id` also where no message showed the coupon. `rev` counts writes."""

    model_config = ConfigDict(frozen=True)

    store_id: str
    order_id: str
    contact_id: str | None = None
    journey: str | None = None
    step: str | None = None
    message_id: str | None = None
    channel: Channel | None = None
    via: Literal["coupon", "click", "open"]
    coupon: str | None = None
    touched_at: datetime
    placed_at: datetime
    total: Money
    net: Money
    rev: int = 0


def attributed(
    store: Store,
    order: Order,
    contact_id: str,
    coupons: Collection[OwnedCoupon],
    messages: Iterable[Message],
    owners_messages: Iterable[Message] = (),
) -> Attribution | None:
    """None for an order that was never paid, or that no message of ours earned.

    `coupons`: those of ours with which it was paid; `messages`: the buyer's; `owners_messages`: those of whoever the
    coupons belong to, where that is somebody else.
    """
    if order.paid_at is None:
        return None
    net = order.net if order.counts else Money(amount=0, currency=order.total.currency)
    base = {
        "store_id": store.id,
        "order_id": order.external_id,
        "contact_id": contact_id,
        "placed_at": order.placed_at,
        "total": order.total,
        "net": net,
    }
    known = list(messages)
    for coupon in sorted(coupons, key=lambda one: (one.at, one.code), reverse=True):
        showed = _last_that_showed(coupon.code, [*known, *owners_messages], order.placed_at)
        return Attribution(
            **base,
            journey=coupon.journey,
            step=coupon.step,
            message_id=showed.id if showed else None,
            channel=showed.channel if showed else None,
            via="coupon",
            coupon=coupon.code,
            touched_at=order.placed_at,
        )
    touch = _last_touch(store, known, order.placed_at)
    if touch is None:
        return None
    at, status, message = touch
    return Attribution(
        **base,
        journey=message.journey,
        step=message.step,
        message_id=message.id,
        channel=message.channel,
        via="click" if status is MessageStatus.CLICKED else "open",
        touched_at=at,
    )


def window(store: Store) -> timedelta:
    return timedelta(days=store.settings.attribution_days)


def _last_that_showed(code: str, messages: Sequence[Message], before: datetime) -> Message | None:
    shown = [one for one in messages if one.coupon == code and one.created_at <= before]
    return max(shown, key=lambda one: (one.created_at, one.id), default=None)


def _last_touch(
    store: Store, messages: Iterable[Message], placed_at: datetime
) -> tuple[datetime, MessageStatus, Message] | None:
    """Of two at one moment the click, then the later message."""
    since, wanted = placed_at - window(store), _TOUCHES[store.settings.attribution]
    found = [
        (entry.at, status is MessageStatus.CLICKED, message.created_at, message.id, status, message)
        for message in messages
        if not message.to_manager
        for entry in message.history
        for status in wanted
        if entry.status == status.value and since <= entry.at <= placed_at
    ]
    if not found:
        return None
    at, _, _, _, status, message = max(found, key=lambda one: one[:4])
    return at, status, message


class AttributionRecords(Protocol):
    """`storage.attributions.Attributions`."""

    def get(self, store_id: str, order_id: str) -> Attribution | None: ...

    def save(self, attribution: Attribution) -> Attribution:
        """Over the revision it has. Raises `Conflict` if somebody was quicker."""
        ...

    def remove(self, attribution: Attribution) -> None:
        """At the revision it has. Raises `Conflict` if somebody was quicker."""
        ...


class OrderRecords(Protocol):
    def get(self, store_id: str, external_id: str) -> OrderRecord | None: ...


class ContactRecords(Protocol):
    def get(self, store_id: str, contact_id: str) -> Contact | None:
        """The contact, or the one it was merged into."""
        ...

    def engagement(self, store_id: str, contact_id: str) -> Engagement: ...

    def orders(self, store_id: str, contact_id: str) -> Sequence[ContactOrder]: ...


class MessageRecords(Protocol):
    def of_contact(self, store_id: str, contact_id: str) -> list[Message]: ...


class CouponRecords(Protocol):
    def get_many(self, store_id: str, codes: Collection[str]) -> Mapping[str, OwnedCoupon]: ...


class Attributing:
    """Works out, and keeps, what earned an order. Whatever is told in whatever order, twice or at once: each look reads
    the revision first and everything else after it, so the last one to write has seen all there is."""

    def __init__(
        self,
        records: AttributionRecords,
        orders: OrderRecords,
        contacts: ContactRecords,
        messages: MessageRecords,
        coupons: CouponRecords,
    ) -> None:
        self._records, self._orders, self._contacts = records, orders, contacts
        self._messages, self._coupons = messages, coupons

    def look(self, store: Store, order_id: str) -> Attribution | None:
        """What this order is credited to now. Raises `TryLater`."""
        return persist(lambda: self._look(store, order_id))

    def look_since(self, store: Store, contact_id: str, since: datetime) -> int:
        """At all orders of this contact that were paid from `since` on; how many those are."""
        orders = [one for one in self._contacts.orders(store.id, contact_id) if one.paid_at >= since]
        for one in orders:
            self.look(store, one.order_id)
        return len(orders)

    def touched(self, store: Store, contact_id: str, at: datetime) -> None:
        """A message was clicked (or opened): where an order came after it and was told before it, that one may be its.

        Raises `TryLater`."""
        contact = self._contacts.get(store.id, contact_id)
        if contact is not None and contact.last_placed_at is not None and contact.last_placed_at >= at:
            self.look_since(store, contact.id, at)

    def _look(self, store: Store, order_id: str) -> Attribution | None:
        present = self._records.get(store.id, order_id)
        record = self._orders.get(store.id, order_id)
        order = record.order if record is not None else None
        if record is None or order is None or record.erased:
            return present
        contact = self._contacts.get(store.id, record.contact_id) if record.contact_id else None
        found = self._found(store, record, order, contact) if contact is not None else None
        if found is None:
            if present is not None and present.contact_id is not None:
                self._records.remove(present)
            return None
        if present is not None:
            found = found.model_copy(update={"rev": present.rev})
        return present if found == present else self._records.save(found)

    def _found(self, store: Store, record: OrderRecord, order: Order, contact: Contact) -> Attribution | None:
        coupons = list(self._coupons.get_many(store.id, order.coupons).values()) if order.coupons else []
        if not coupons and not self._may_be_earned(store, contact.id, order):
            return None
        messages = self._messages.of_contact(store.id, contact.id)
        owners = {one.contact_id for one in coupons} - {contact.id}
        theirs = [message for owner in sorted(owners) for message in self._messages.of_contact(store.id, owner)]
        found = attributed(store, order, contact.id, coupons, messages, theirs)
        if found is not None and record.is_deleted:
            return found.model_copy(update={"net": Money(amount=0, currency=order.total.currency)})
        return found

    def _may_be_earned(self, store: Store, contact_id: str, order: Order) -> bool:
        """Most orders are not, and one small item says so: nothing was clicked (or opened) lately enough."""
        if not window(store):
            return False
        last = self._contacts.engagement(store.id, contact_id).last
        at = last.get(store.settings.attribution)
        return at is not None and at >= order.placed_at - window(store)


class NotesAttribution:
    """A listener before another one: what a store tells of its orders as it happens, and what people read."""

    def __init__(self, listener: Listener, attributing: Attributing) -> None:
        self._listener, self._attributing = listener, attributing

    def listens(self, store: Store) -> bool:
        return self._listener.listens(store)

    def on_events(self, store: Store, contact_id: str, events: list[Event]) -> None:
        self._listener.on_events(store, contact_id, events)
        told = {str(event.properties.get("order_id")) for event in events if event.type in _ORDERS}
        for order_id in sorted(told):
            self._attributing.look(store, order_id)
        read = [event.occurred_at for event in events if event.type in _READ]
        if read:
            self._attributing.touched(store, contact_id, min(read))

    def reconsider(self, store: Store, contact_id: str) -> None:
        self._listener.reconsider(store, contact_id)

    def leave_cart(self, store: Store, contact_id: str, token: str) -> None:
        self._listener.leave_cart(store, contact_id, token)

    def stop_all(self, store_id: str, contact_id: str, reason: str) -> None:
        self._listener.stop_all(store_id, contact_id, reason)
