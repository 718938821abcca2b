"""A contact's past, and what the store knew of them at any moment of it.

Today's profile is walked back to the beginning by undoing what the events say changed; from there the same events are
done again as time goes by. Orders are folded as they were paid and refunded by then, carts and engagement likewise.

What no record dates is taken as it is today: addresses, names, suppressed channels, the catalogue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chalicelib.commerce.cart import CartRecord
from chalicelib.commerce.event import Event
from chalicelib.commerce.ports import OrderRecord
from chalicelib.contacts import engagement_fold
from chalicelib.contacts.consent import Channel, Consent, ConsentChange, ConsentStatus
from chalicelib.contacts.contact import Contact
from chalicelib.contacts.engagement import Engagement, Membership, Told
from chalicelib.contacts.profile import merge_consent
from chalicelib.contacts.purchases import ContactOrder, Purchases, fold, totals
from chalicelib.journeys.past_carts import cart_then, over_at
from chalicelib.journeys.past_orders import OrderPast, order_pasts

CART_EVENTS = frozenset({"cart_abandoned", "checkout_started", "checkout_abandoned"})
_MEMBER_OF = {
    "list_joined": ("lists", "list", True),
    "list_left": ("lists", "list", False),
    "tag_added": ("tags", "tag", True),
    "tag_removed": ("tags", "tag", False),
}


@dataclass(frozen=True)
class Past:
    """`contact` and `engagement` as they are today, `events` of the timeline since the beginning, oldest first.

    `orders` are all that were ever paid, `carts` those that the events name, as they are today, by token.
    """

    contact: Contact
    events: Sequence[Event] = ()
    orders: Sequence[ContactOrder] = ()
    carts: Mapping[str, CartRecord] = field(default_factory=dict)
    engagement: Engagement = field(default_factory=Engagement)


def changed_by(contact: Contact, event: Event) -> Contact:
    """The contact after an event of the past."""
    told = event.properties
    if event.type in _MEMBER_OF:
        return _member(contact, event, undo=False)
    if event.type == "field_changed":
        return _field(contact, told.get("field"), told.get("to"))
    if event.type in ("consent_changed", "subscribed", "unsubscribed"):
        return _consent(contact, event)
    if event.type == "order_placed" and (contact.last_placed_at is None or contact.last_placed_at < event.occurred_at):
        return contact.model_copy(update={"last_placed_at": event.occurred_at})
    return contact


def at_first(past: Past, start: datetime) -> Contact:
    """The contact as it was before the first of the events."""
    contact, today = past.contact, past.contact
    consent = dict(today.consent)
    for event in reversed(past.events):
        if event.type in _MEMBER_OF:
            contact = _member(contact, event, undo=True)
        elif event.type == "field_changed":
            contact = _field(contact, event.properties.get("field"), event.properties.get("from"))
    told = {channel for event in past.events if (channel := _channel(event)) is not None}
    for channel, given in today.consent.items():
        if channel in told or (given.at is not None and given.at > start):
            consent[channel] = _consent_before(given, channel, past.events)
    placed = [order.paid_at for order in past.orders if order.paid_at < start]
    if today.last_placed_at is not None and today.last_placed_at < start:
        placed.append(today.last_placed_at)
    benefit = today.last_benefit if today.last_benefit and today.last_benefit.at < start else None
    asked = {channel: one for channel, one in today.asked.items() if one.at is not None and one.at < start}
    changes = {
        "consent": consent,
        "asked": asked,
        "last_placed_at": max(placed, default=None),
        "last_benefit": benefit,
        "rev": 0,
    }
    return contact.model_copy(update=changes)


class Then:
    """What the records say at the clock's time (`memory.Known`)."""

    def __init__(self, past: Past, start: datetime, now: Callable[[], datetime]) -> None:
        self._past, self._now = past, now
        self._store_id = past.contact.store_id
        self._orders: dict[str, OrderPast] = order_pasts(past.orders, past.events)
        self._told: list[Event] = []
        self._engagement = _engagement_before(past.engagement, start)
        self._purchases: Purchases | None = None
        self._moments = sorted({moment for order in self._orders.values() for moment in order.moments}, reverse=True)
        self._consents = _untold_consents(past, start)
        self._folded = False

    def tell(self, event: Event) -> None:
        """It happened now."""
        self._told.append(event)
        if engagement_fold.concerns(event):
            self._engagement = engagement_fold.fold(self._engagement, event)

    def up_to_date(self, contact: Contact) -> Contact:
        """The contact with its totals, and the consents that no event tells of, as they are now."""
        now = self._now()
        while self._consents and self._consents[-1][0] <= now:
            contact = contact.model_copy(update={"consent": merge_consent(contact.consent, [self._consents.pop()[1]])})
        while self._moments and self._moments[-1] <= now:
            self._moments.pop()
            self._folded = False
        if self._folded:
            return contact
        self._folded, self._purchases = True, None
        return contact.model_copy(update=dict(totals(self.paid(), contact.total_spent.currency)))

    def paid(self) -> list[ContactOrder]:
        now = self._now()
        return [found for order in self._orders.values() if (found := order.at(now)) is not None]

    def order(self, order_id: str) -> OrderRecord | None:
        order = self._orders.get(order_id)
        return order.record(self._store_id, self._now()) if order else None

    def cart(self, token: str) -> CartRecord | None:
        return cart_then(self._past.contact, self._past.carts.get(token), token, self._told, self._now())

    def newest_cart(self) -> CartRecord | None:
        named = [str(event.properties.get("cart_token")) for event in self._told if event.type in CART_EVENTS]
        older = [
            (cart.latest.place(), token)
            for token, cart in self._past.carts.items()
            if cart.latest is not None and cart.latest.occurred_at <= self._now()
        ]
        token = named[-1] if named else max(older)[1] if older else None
        return self.cart(token) if token else None

    def carts_over(self) -> list[tuple[datetime, str]]:
        """When which cart was bought or emptied."""
        found = [(over_at(cart), token) for token, cart in self._past.carts.items()]
        return [(moment, token) for moment, token in found if moment is not None]

    def purchases(self) -> Purchases:
        if self._purchases is None:
            self._purchases = fold(self.paid())
        return self._purchases

    def engagement(self) -> Engagement:
        return self._engagement

    def engaged(self, engagement: Engagement) -> None:
        self._engagement = engagement


def _member(contact: Contact, event: Event, undo: bool) -> Contact:
    kind, property_, came = _MEMBER_OF[event.type]
    name = event.properties.get(property_)
    have: tuple[str, ...] = getattr(contact, kind)
    if not isinstance(name, str) or (name in have) is (came is not undo):
        return contact
    now_have = {*have, name} if came is not undo else {*have} - {name}
    return contact.model_copy(update={kind: tuple(sorted(now_have))})


def _field(contact: Contact, name: Any, value: Any) -> Contact:
    if not isinstance(name, str):
        return contact
    fields = {**contact.fields, name: value}
    if value is None:
        del fields[name]
    return contact.model_copy(update={"fields": fields})


def _channel(event: Event) -> Channel | None:
    if event.type not in ("consent_changed", "subscribed", "unsubscribed"):
        return None
    channel = event.properties.get("channel")
    return Channel(channel) if channel in list(Channel) else None


def _status(event: Event) -> ConsentStatus:
    if event.type == "consent_changed":
        told = event.properties.get("status")
        return ConsentStatus(told) if told in list(ConsentStatus) else ConsentStatus.NEVER_ASKED
    return ConsentStatus(event.type)


def _consent(contact: Contact, event: Event) -> Contact:
    channel = _channel(event)
    if channel is None:
        return contact
    source = event.properties.get("source")
    given = Consent(status=_status(event), source=source if isinstance(source, str) else None, at=event.occurred_at)
    return contact.model_copy(update={"consent": {**contact.consent, channel: given}})


def _consent_before(today: Consent, channel: Channel, events: Iterable[Event]) -> Consent:
    """Before its first change: who unsubscribed had been subscribed, everybody else had not been asked."""
    first = next((_status(event) for event in events if _channel(event) is channel), today.status)
    was = ConsentStatus.SUBSCRIBED if first is ConsentStatus.UNSUBSCRIBED else ConsentStatus.NEVER_ASKED
    return Consent(status=was)


def _untold_consents(past: Past, start: datetime) -> list[tuple[datetime, ConsentChange]]:
    """What a checkout or a form said since the beginning, newest first: it is dated, and no event tells of it."""
    told = {(channel, event.occurred_at) for event in past.events if (channel := _channel(event)) is not None}
    found = []
    for channel, given in past.contact.consent.items():
        at = (
            given.at.replace(microsecond=given.at.microsecond // 1000 * 1000) if given.at else None
        )  # as events have it
        if at is not None and at > start and (channel, at) not in told:
            found.append((at, ConsentChange(channel=channel, consent=given)))
    return sorted(found, key=lambda one: (one[0], one[1].channel), reverse=True)


def _engagement_before(today: Engagement, start: datetime) -> Engagement:
    """What is older than the beginning; of what changed since, nobody knows what it was before."""

    def older(kept: Mapping[str, Any]) -> dict[str, Any]:
        return {name: one for name, one in kept.items() if _at(one) < start}

    return today.model_copy(
        update={
            "rev": 0,
            "views": tuple(view for view in today.views if view.at < start),
            "wished": older(today.wished),
            "asked": older(today.asked),
            "answers": {survey: older(answers) for survey, answers in today.answers.items()},
            "linked": {kind: older(records) for kind, records in today.linked.items()},
            "segments": older(today.segments),
            "topics": older(today.topics),
            "last": {kind: at for kind, at in today.last.items() if at < start},
        }
    )


def _at(kept: datetime | Membership | Told | Any) -> datetime:
    moment: datetime = kept if isinstance(kept, datetime) else kept.at
    return moment
