"""One cart's activities, and the orders that came of it, into its record, its contact and its events.

Whoever must look later whether the cart was left is sent for before the record says so (`cart_watch`): started twice
it is one execution, and written down without being started nobody would ever look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from chalicelib.clock import Clock, rfc3339
from chalicelib.commerce.cart import CartActivity, CartRecord, CartState, CartStep
from chalicelib.commerce.cart_events import standing_events, updated_event
from chalicelib.commerce.cart_fold import kept, with_activity, with_order, without_person
from chalicelib.commerce.cart_watch import first_look
from chalicelib.commerce.event import Event
from chalicelib.commerce.order import Order
from chalicelib.commerce.ports import Carts
from chalicelib.commerce.store import Store
from chalicelib.contacts.ports import Contacts, Removal, Timeline, Writing
from chalicelib.contacts.profile import Telling
from chalicelib.contacts.resolve import Meeting, Resolver
from chalicelib.contacts.retry import persist
from chalicelib.ids import digest

_LOST = timedelta(days=10)  # longer than any store's delay: whoever was to look has not done so


class Executions(Protocol):
    """As `journeys.ports.Workflows` starts them."""

    def start(self, machine: str, execution: str, payload: dict[str, Any]) -> None: ...


@dataclass(frozen=True)
class CartOutcome:
    """Events by contact, contacts touched, those merged, and whom the cart is over for: it was bought or emptied,
    or is another's.

    `erased`: it was about a person who was erased.
    """

    token: str
    events: list[tuple[str, Event]] = field(default_factory=list)
    contacts: list[str] = field(default_factory=list)
    merged: list[str] = field(default_factory=list)
    over: list[str] = field(default_factory=list)
    erased: bool = False


class CartIntake:
    """`machine` is the state machine that watches carts, as `Executions.start` knows it."""

    def __init__(
        self,
        carts: Carts,
        contacts: Contacts,
        timeline: Timeline,
        resolver: Resolver,
        executions: Executions,
        machine: str,
        clock: Clock,
    ) -> None:
        self._carts, self._contacts, self._timeline, self._resolver = carts, contacts, timeline, resolver
        self._executions, self._machine, self._clock = executions, machine, clock

    def told(self, store: Store, activity: CartActivity, received_at: datetime) -> CartOutcome:
        """Raises `TryLater`: repeating finishes what was begun."""
        activity = kept(activity, received_at)
        return persist(lambda: self._told(store, activity))

    def ordered(self, store: Store, token: str, order: Order) -> CartOutcome:
        """An order names the cart that it came of, known or not."""
        return persist(lambda: self._ordered(store, token, order))

    def _told(self, store: Store, activity: CartActivity) -> CartOutcome:
        before = self._get(store, activity.token)
        meeting = self._resolver.meet(store, _telling(activity))
        forgotten = meeting.erased or (before.erased_at is not None and activity.occurred_at <= before.erased_at)
        if forgotten:
            settled = self._settle(store, before, with_activity(before, without_person(activity), None), None)
            return settled.outcome(activity.token, erased=meeting.erased)
        contact = meeting.contact
        settled = self._settle(store, before, with_activity(before, activity, contact.id if contact else None), meeting)
        if contact is None:
            return settled.outcome(activity.token)
        events = [*meeting.events]
        if activity.step is not CartStep.CONVERTED:
            event = updated_event(settled.record, activity)
            self._timeline.append(store.id, contact.id, event)  # in a repeat too: a crash may have come before it
            events.append(event)
        told = [(contact.id, event) for event in events]
        return settled.outcome(activity.token, told, [contact.id], merged=[contact.id] if meeting.merged else [])

    def _ordered(self, store: Store, token: str, order: Order) -> CartOutcome:
        before = self._get(store, token)
        after = with_order(before, order.external_id, order.placed_at)
        return self._settle(store, before, after, None).outcome(token)

    def _get(self, store: Store, token: str) -> CartRecord:
        return self._carts.get(store.id, token) or CartRecord(store_id=store.id, token=token)

    def _settle(self, store: Store, before: CartRecord, after: CartRecord, meeting: Meeting | None) -> _Settled:
        """Write the record with all that follows from it. Raises `Conflict`."""
        writings = [meeting.writing] if meeting and meeting.writing else []
        if after == before:
            if writings:
                self._contacts.write(store.id, writings)
            return _Settled(after, after.contact_id, standing_events(after))
        after = self._watched(store, before, after.model_copy(update={"heard_at": self._clock.now()}))
        source = self._source(store, before, after)
        fresh, moved = _standing_anew(source, before, after)
        gone = [source] if source and source != after.contact_id else []
        pointer = after.contact_id if source != after.contact_id or _in_a_new_month(before, after) else None
        return _Settled(self._carts.write(after, [*writings, *moved], pointer, gone), source, fresh)

    def _source(self, store: Store, before: CartRecord, after: CartRecord) -> str | None:
        """Whose the cart was until now, wherever a merge has carried it."""
        if before.contact_id is None or before.contact_id == after.contact_id:
            return before.contact_id
        known = self._contacts.get(store.id, before.contact_id)
        return known.id if known else None

    def _watched(self, store: Store, before: CartRecord, record: CartRecord) -> CartRecord:
        """With somebody on the way to look whether it was left, where it may be left and somebody can be reached."""
        lost = before.heard_at is not None and before.heard_at < self._clock.now() - _LOST
        if (record.watched and not lost) or record.contact_id is None or record.state is not CartState.OPEN:
            return record
        generation = record.generation + 1
        until = rfc3339(first_look(store, record) or self._clock.now())
        payload = {"store_id": store.id, "token": record.token, "generation": generation, "until": until}
        self._executions.start(self._machine, execution_name(record, generation), payload)
        return record.model_copy(update={"generation": generation, "watched": True})


@dataclass(frozen=True)
class _Settled:
    """The record as it is written, whose it was before, and the standing events that journeys are to hear."""

    record: CartRecord
    source: str | None
    fresh: list[Event]

    def outcome(
        self,
        token: str,
        events: Sequence[tuple[str, Event]] = (),
        contacts: Sequence[str] = (),
        merged: Sequence[str] = (),
        erased: bool = False,
    ) -> CartOutcome:
        owner = self.record.contact_id
        told = [*events, *((owner, event) for event in self.fresh if owner)]
        ended = self.record.state in (CartState.BOUGHT, CartState.EMPTIED)
        concerned = list(dict.fromkeys(one for one in (owner, self.source) if one))
        over = [one for one in concerned if ended or one != owner]
        touched = list(dict.fromkeys([*contacts, *concerned]))
        return CartOutcome(token, told, touched, list(merged), over, erased)


def execution_name(record: CartRecord, generation: int) -> str:
    """One execution for each time that a cart is watched."""
    return f"cart-{digest('cart', record.store_id, record.token)}-{generation}"


def _standing_anew(source: str | None, before: CartRecord, after: CartRecord) -> tuple[list[Event], list[Writing]]:
    """The events that stand now and did not, or did elsewhere; and what that changes in the timelines."""
    old = {event.id: (source, event.occurred_at) for event in standing_events(before) if source}
    new = {event.id: event for event in standing_events(after)}
    fresh = [event for event in new.values() if old.get(event.id) != (after.contact_id, event.occurred_at)]
    kept_ids = new.keys() - {event.id for event in fresh}
    gone = tuple(Removal(at, event_id) for event_id, (_, at) in old.items() if event_id not in kept_ids)
    writings = []
    if after.contact_id and fresh:
        here = gone if source == after.contact_id else ()
        writings.append(Writing(after.contact_id, events=tuple(fresh), events_gone=here))
    if source and gone and source != after.contact_id:
        writings.append(Writing(source, events_gone=gone))
    return fresh, writings


def _in_a_new_month(before: CartRecord, after: CartRecord) -> bool:
    return _month(before) != _month(after)


def _month(record: CartRecord) -> tuple[int, int] | None:
    last = record.last_activity_at
    return (last.year, last.month) if last else None


def _telling(activity: CartActivity) -> Telling:
    """Who is shopping says the same with every activity: told once an hour, their profile is not written each time."""
    hour = activity.occurred_at.replace(minute=0, second=0, microsecond=0)
    return Telling(
        person=activity.person,
        at=hour,
        source=f"cart:{activity.token}",
        since=activity.occurred_at,
        joined_from="checkout",
        consent=activity.consent,
    )
