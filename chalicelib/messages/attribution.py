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
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict

from chalicelib.commerce.coupon import OwnedCoupon
from chalicelib.commerce.event import Event
from chalicelib.commerce.money import Money
from chalicelib.commerce.order import Order
from chalicelib.commerce.ports import Listener, OrderRecord
from chalicelib.commerce.store import Store
from chalicelib.contacts.consent import Channel
from chalicelib.contacts.contact import Contact
from chalicelib.contacts.purchases import ContactOrder
from chalicelib.contacts.retry import persist
from chalicelib.messages.message import Message
from chalicelib.messages.ports import RecentRecords
from chalicelib.messages.recent import Touch

_COUNTS = {"click": ("click",), "open": ("click", "open")}
_ORDERS = ("order_paid", "order_refunded", "order_cancelled")
_READ: dict[str, Literal["click", "open"]] = {"message_clicked": "click", "message_opened": "open"}


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


def last_touch(store: Store, touches: Iterable[Touch], placed_at: datetime) -> Touch | None:
    """The one that earns an order of this moment, if nothing else does. Of two at one moment the click, then the later
    message."""
    since, wanted = placed_at - window(store), _COUNTS[store.settings.attribution]
    found = [one for one in touches if one.kind in wanted and since <= one.at <= placed_at]
    return max(found, key=lambda one: (one.at, one.kind == "click", one.message), default=None)


def window(store: Store) -> timedelta:
    return timedelta(days=store.settings.attribution_days)


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

    def orders(self, store_id: str, contact_id: str) -> Sequence[ContactOrder]: ...


class MessageRecords(Protocol):
    def get(self, store_id: str, message_id: str, contact_id: str | None = None) -> Message | None: ...

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
        recents: RecentRecords,
        coupons: CouponRecords,
    ) -> None:
        self._records, self._orders, self._contacts = records, orders, contacts
        self._messages, self._recents, self._coupons = messages, recents, coupons

    def look(self, store: Store, order_id: str) -> Attribution | None:
        """What this order is credited to now. Raises `TryLater`."""
        return persist(lambda: self._look(store, order_id))

    def look_since(self, store: Store, contact_id: str, since: datetime) -> int:
        """At all orders of this contact that were paid from `since` on; how many those are."""
        orders = [one for one in self._contacts.orders(store.id, contact_id) if one.paid_at >= since]
        for one in orders:
            self.look(store, one.order_id)
        return len(orders)

    def touched(self, store: Store, contact_id: str, touches: Sequence[Touch]) -> None:
        """Messages were clicked (or opened): noted; and where an order came after it but was told before it, that may
        be its. Raises `TryLater`."""
        contact = self._contacts.get(store.id, contact_id)
        wanted = [one for one in touches if one.kind in _COUNTS[store.settings.attribution]]
        if contact is None or not wanted or not window(store):
            return
        persist(lambda: self._note(store.id, contact.id, wanted))
        first = min(one.at for one in wanted)
        if contact.last_placed_at is not None and contact.last_placed_at >= first:
            self.look_since(store, contact.id, first)

    def _note(self, store_id: str, contact_id: str, touches: Sequence[Touch]) -> None:
        recent = self._recents.get(store_id, contact_id)
        noted = recent.touched(*touches)
        if noted != recent:
            self._recents.save(store_id, contact_id, noted)

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
        """None for an order that was never paid, or that no message of ours earned."""
        if order.paid_at is None:
            return None
        counts = order.counts and not record.is_deleted
        net = order.net if counts else Money(amount=0, currency=order.total.currency)
        known = {"order_id": order.external_id, "placed_at": order.placed_at, "total": order.total, "net": net}
        base = {"store_id": store.id, "contact_id": contact.id, **known}
        coupons = self._coupons.get_many(store.id, order.coupons).values() if order.coupons else ()
        coupon = max(coupons, key=lambda one: (one.at, one.code), default=None)
        if coupon is not None:
            return self._by_coupon(store, coupon, order, contact, base)
        touch = last_touch(store, self._touches(store, contact), order.placed_at)
        message = self._messages.get(store.id, touch.message, contact.id) if touch else None
        if touch is None or message is None:
            return None
        about = {"journey": message.journey, "step": message.step, "channel": message.channel}
        return Attribution(**base, **about, message_id=message.id, via=touch.kind, touched_at=touch.at)

    def _touches(self, store: Store, contact: Contact) -> Sequence[Touch]:
        return self._recents.get(store.id, contact.id).touches if window(store) else ()

    def _by_coupon(
        self, store: Store, coupon: OwnedCoupon, order: Order, contact: Contact, base: Mapping[str, Any]
    ) -> Attribution:
        """The code may be another's, who gave it away; of the messages that showed it, the last before the order."""
        people = sorted({contact.id, coupon.contact_id})
        messages = [message for one in people for message in self._messages.of_contact(store.id, one)]
        shown = [one for one in messages if one.coupon == coupon.code and one.created_at <= order.placed_at]
        showed = max(shown, key=lambda one: (one.created_at, one.id), default=None)
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
        read = [
            Touch(at=event.occurred_at, kind=_READ[event.type], message=str(event.properties["message_id"]))
            for event in events
            if event.type in _READ and event.properties.get("message_id")
        ]
        if read:
            self._attributing.touched(store, contact_id, read)

    def reconsider(self, store: Store, contact_id: str) -> None:
        self._listener.reconsider(store, contact_id)

    def leave_cart(self, store: Store, contact_id: str, token: str) -> None:
        self._listener.leave_cart(store, contact_id, token)

    def stop_all(self, store_id: str, contact_id: str, reason: str) -> None:
        self._listener.stop_all(store_id, contact_id, reason)
