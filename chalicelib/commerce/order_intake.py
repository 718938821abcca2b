"""One order's tellings into its record, its contact's orders and its events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from chalicelib.commerce.event import Event
from chalicelib.commerce.events import delivery_of, events_of, unnamed, without_person
from chalicelib.commerce.order import Occasion, Order
from chalicelib.commerce.ports import EventMark, OrderRecord, Orders
from chalicelib.commerce.snapshot import Version
from chalicelib.commerce.store import Store
from chalicelib.contacts import profile
from chalicelib.contacts.contact import Contact
from chalicelib.contacts.ports import Contacts, Removal, Timeline, Writing
from chalicelib.contacts.profile import Telling
from chalicelib.contacts.purchases import ContactOrder, contact_order, fold, in_order, ranks
from chalicelib.contacts.resolve import MOST_TOGETHER, Meeting, Resolver, ranked_event, reranked
from chalicelib.contacts.retry import persist
from chalicelib.errors import Conflict


@dataclass(frozen=True)
class Outcome:
    """Events by contact, contacts touched, and those whose orders' ranks may have changed.

    `erased`: it was about a person who was erased.
    """

    events: list[tuple[str, Event]] = field(default_factory=list)
    contacts: list[str] = field(default_factory=list)
    reranked: list[str] = field(default_factory=list)
    erased: bool = False


@dataclass(frozen=True)
class _Step:
    """What the record becomes, and which events are told anew (`fresh`) or elsewhere than before (`gone`)."""

    record: OrderRecord
    fresh: tuple[Event, ...] = ()
    gone: tuple[Removal, ...] = ()


def with_telling(record: OrderRecord, order: Order, events: Sequence[Event]) -> _Step:
    """Newest telling wins; of each event the oldest telling's words stand."""
    key = order.version.key()
    newest = record.order is None or key >= record.order.version.key()
    marks, fresh, gone = dict(record.events), [], []
    for event in events:
        mark = marks.get(event.id)
        if mark and mark.version <= key:
            continue
        if mark and mark.at != event.occurred_at:
            gone.append(Removal(mark.at, event.id))
        marks[event.id] = EventMark(at=event.occurred_at, version=key)
        fresh.append(event)
    marks = {event_id: marks[event_id] for event_id in sorted(marks)}
    kept = unnamed(order) if newest else record.order
    delivered_at = earliest(record.delivered_at, order.delivered_at)
    changed = record.model_copy(update={"order": kept, "events": marks, "delivered_at": delivered_at})
    return _Step(changed, tuple(fresh), tuple(gone))


def with_delivery(step: _Step) -> _Step:
    """The event of the order's delivery, which may be told apart from the order, as the record now has it."""
    record = step.record
    marks, fresh, gone = dict(record.events), list(step.fresh), list(step.gone)
    for event in delivery_of(record):
        assert record.order is not None
        before, mark = marks.get(event.id), EventMark(at=event.occurred_at, version=record.order.version.key())
        if before == mark:
            continue
        if before and before.at != mark.at:
            gone.append(Removal(before.at, event.id))
        marks[event.id] = mark
        fresh.append(event)
    marks = {event_id: marks[event_id] for event_id in sorted(marks)}
    return _Step(record.model_copy(update={"events": marks}), tuple(fresh), tuple(gone))


def earliest(*told: datetime | None) -> datetime | None:
    return min((moment for moment in told if moment), default=None)


def latest(known: Version | None, told: Version) -> Version:
    return told if known is None or told.key() > known.key() else known


class OrderIntake:
    def __init__(
        self, orders: Orders, contacts: Contacts, timeline: Timeline, resolver: Resolver, history: bool = False
    ) -> None:
        """`history`: what is told comes out of a store's past, and not as it happens."""
        self._orders, self._contacts, self._timeline, self._resolver = orders, contacts, timeline, resolver
        self._history = history

    def told(self, store: Store, order: Order) -> Outcome:
        return persist(lambda: self._told(store, order))

    def deleted(self, store: Store, external_id: str, version: Version) -> Outcome:
        """Known or not: the tombstone stays, so that a late telling does not bring the order back."""
        return persist(lambda: self._marked(store, external_id, "deleted", version))

    def restored(self, store: Store, external_id: str, version: Version) -> Outcome:
        return persist(lambda: self._marked(store, external_id, "restored", version))

    def delivered(self, store: Store, external_id: str, at: datetime) -> Outcome:
        """Known or not: an order that is told later finds that it was delivered."""
        return persist(lambda: self._delivered(store, external_id, at))

    def redacted(self, store: Store, external_id: str) -> Outcome:
        """Known or not, only its goods and money are followed from here on: it is nobody's, and nobody is told."""
        outcome = persist(lambda: self._redacted(store, external_id))
        for contact_id in outcome.reranked:
            persist(lambda owner=contact_id: self._resolver.settle_ranks(store.id, owner))  # type: ignore[misc]
        self._orders.drop_waiting(store.id, external_id)
        return outcome

    def events_since(self, store_id: str, external_id: str, moment: datetime) -> list[tuple[str, Event]]:
        """(contact, event) of an order that stands; none while nobody knows whose it is."""
        record = self._orders.get(store_id, external_id)
        if record is None or record.contact_id is None or record.is_deleted:
            return []
        contact = self._contacts.get(store_id, record.contact_id)
        if contact is None:
            return []
        places = [place for place in _places(record) if place.at > moment]
        return [(contact.id, event) for event in self._timeline.entries(store_id, contact.id, places)]

    def _marked(self, store: Store, external_id: str, mark: str, version: Version) -> Outcome:
        before = self._get(store, external_id)
        after = before.model_copy(update={mark: latest(getattr(before, mark), version)})
        contacts, moved, _ = self._settle(store, before, _Step(after), Meeting(None))
        return Outcome([], contacts, moved)

    def _delivered(self, store: Store, external_id: str, at: datetime) -> Outcome:
        before = self._get(store, external_id)
        after = before.model_copy(update={"delivered_at": earliest(before.delivered_at, at)})
        step = _Step(after) if before.erased else with_delivery(_Step(after))
        contacts, moved, place = self._settle(store, before, step, Meeting(None))
        told = [] if place is None or after.is_deleted else delivery_of(after)
        events = [(place.contact_id, ranked_event(event, place.nth)) for event in told if place]
        return Outcome(events, contacts, moved, erased=before.erased)

    def _get(self, store: Store, external_id: str) -> OrderRecord:
        known = self._orders.get(store.id, external_id)
        return known or OrderRecord(store_id=store.id, external_id=external_id)

    def _told(self, store: Store, order: Order) -> Outcome:
        before = self._get(store, order.external_id)
        meeting = Meeting(None) if before.erased else self._resolver.meet(store, _telling(order))
        if before.erased or (meeting.erased and meeting.contact is None):
            return self._bare(before, order)
        events, key = events_of(store.id, order), order.version.key()
        step = with_delivery(with_telling(before, order, events))
        pulled = self._history and (before.order is None or before.pulled)
        step = replace(step, record=step.record.model_copy(update={"pulled": pulled}))
        if meeting.contact and key >= step.record.contact_by:
            owner = {"contact_id": meeting.contact.id, "contact_by": key}
            step = replace(step, record=step.record.model_copy(update=owner))
        contacts, moved, place = self._settle(store, before, step, meeting)
        told: list[tuple[str, Event]] = []
        if meeting.contact:
            told += [(meeting.contact.id, event) for event in meeting.events]
        if place and not step.record.is_deleted:
            # Also in a repeat: whoever processed this telling before may not have come to tell.
            known = [*events, *delivery_of(step.record)]
            mine = [event for event in known if step.record.events[event.id].version == key]
            told += [(place.contact_id, ranked_event(event, place.nth)) for event in mine]
        return Outcome(told, contacts, moved)

    def _bare(self, before: OrderRecord, order: Order) -> Outcome:
        """Of an erased person's order only goods and money are followed; nobody is told."""
        after = with_telling(before, without_person(order), ()).record
        after = after.model_copy(update={"erased": True, "contact_id": None})
        if after != before:
            self._orders.write(after, [])
        return Outcome(erased=True)

    def _redacted(self, store: Store, external_id: str) -> Outcome:
        before = self._get(store, external_id)
        order = without_person(before.order) if before.order else None
        after = before.model_copy(update={"order": order, "contact_id": None, "erased": True})
        source, _ = self._owners(store, before, before, Meeting(None))
        leaving = [self._leaving(store, source, before)[0]] if source else []
        if after != before:
            self._orders.write(after, leaving)
        return Outcome(reranked=[source.id] if source else [])

    def _settle(
        self, store: Store, before: OrderRecord, step: _Step, meeting: Meeting
    ) -> tuple[list[str], list[str], _Place | None]:
        """Write the record with all that follows from it; returns contacts touched, those reranked, and its place."""
        after = step.record
        source, target = self._owners(store, before, after, meeting)
        moving = target is not None and (source is None or source.id != target.id)
        told = list(step.fresh)
        writings: list[Writing] = []
        shifted: dict[str, list[ContactOrder]] = {}
        reranked_ids: list[str] = []
        place: _Place | None = None
        if moving:
            told = _united(self._standing(store, before, source), told)
        if moving and source:
            leaving, shifted[source.id] = self._leaving(store, source, before)
            writings.append(leaving)
            reranked_ids.append(source.id)
        if target:
            change = self._in_partition(store, target, after, told, () if moving else step.gone, not moving)
            writings = [change.writing, *writings]
            shifted[target.id] = change.shifted
            place = _Place(target.id, change.nth)
            reranked_ids += [target.id] if change.follow or change.shifted or meeting.merged else []
        else:
            reranked_ids += [meeting.contact.id] if meeting.contact and meeting.merged else []
        self._write(store, before, after, writings, shifted, step, meeting, target)
        touched = [contact.id for contact in (target, source, meeting.contact) if contact]
        return list(dict.fromkeys(touched)), list(dict.fromkeys(reranked_ids)), place

    def _owners(
        self, store: Store, before: OrderRecord, after: OrderRecord, meeting: Meeting
    ) -> tuple[Contact | None, Contact | None]:
        """Whose it was and whose it is now, the latter as it is to be written."""
        met = meeting.contact.id if meeting.contact else None
        wanted = [i for i in (before.contact_id, after.contact_id) if i and i != met]
        known = self._contacts.read(store.id, wanted) if wanted else {}
        for contact in known.values():
            if contact.merging:
                self._resolver.finish(store.id, contact)
                raise Conflict("a merge had to be finished first")
        if meeting.contact:
            known |= {i: meeting.contact for i, c in known.items() if c.id == meeting.contact.id}
            known[meeting.contact.id] = meeting.contact
        return known.get(before.contact_id or ""), known.get(after.contact_id or "")

    def _standing(self, store: Store, before: OrderRecord, source: Contact | None) -> list[Event]:
        """The order's events where they were until now."""
        if not before.events:
            return []
        if source is None:
            return list(self._orders.waiting_events(store.id, before.external_id))
        return self._timeline.entries(store.id, source.id, _places(before))

    def _leaving(self, store: Store, source: Contact, before: OrderRecord) -> tuple[Writing, list[ContactOrder]]:
        """The contact that turned out not to be this order's, and its orders of changed rank."""
        orders = self._contacts.orders(store.id, source.id)
        mine = tuple(order for order in orders if order.order_id == before.external_id)
        others = [order for order in orders if order.order_id != before.external_id]
        gone = tuple(_places(before))
        first = Writing(
            source.id,
            contact=profile.refold(source, others),
            orders_gone=mine,
            purchases=fold(others),
            events_gone=gone,
        )
        return first, reranked(others)

    def _in_partition(
        self, store: Store, target: Contact, after: OrderRecord, told: list[Event], gone: Sequence[Removal], here: bool
    ) -> _Change:
        """What the order changes in its contact's partition. `here`: its events stand there already."""
        orders = self._contacts.orders(store.id, target.id)
        old = next((order for order in orders if order.order_id == after.external_id), None)
        others = [order for order in orders if order.order_id != after.external_id]
        mine = _share(after)
        every = in_order([*others, mine] if mine else others)
        nth = ranks(every)[mine.order_id] if mine else None
        if mine:
            mine = mine.model_copy(update={"nth": nth})
        if here and nth != (old.nth if old else None):
            told = _united(self._timeline.entries(store.id, target.id, _places(after)), told)
        shifted = [order for order in reranked(every) if order.order_id != after.external_id]
        contact = profile.refold(target, every)
        facts = fold(every)
        first = Writing(
            target.id,
            contact=contact if contact != target or mine != old or shifted or told else None,
            orders=(mine,) if mine and mine != old else (),
            orders_gone=(old,) if old and (mine is None or mine.paid_at != old.paid_at) else (),
            purchases=facts if facts != fold(orders) else None,
            events=tuple(ranked_event(event, nth) for event in told),
            events_gone=tuple(gone),
        )
        follow = mine is not None and every[-1].order_id != mine.order_id
        return _Change(first, shifted, nth, follow)

    def _write(
        self,
        store: Store,
        before: OrderRecord,
        after: OrderRecord,
        writings: list[Writing],
        shifted: dict[str, list[ContactOrder]],
        step: _Step,
        meeting: Meeting,
        target: Contact | None,
    ) -> None:
        """In one transaction, except where more later orders change rank than it has room for.

        Those follow, each portion over the contact's revision; after a crash in between a telling of any of the
        contact's orders, this one's repeat too, finds and writes what is missing.
        """
        if meeting.writing:
            if target and meeting.writing.contact_id == target.id:
                writings = [_together(meeting.writing, writings[0]), *writings[1:]]
            else:
                writings = [*writings, meeting.writing]
        writings = [writing for writing in writings if writing != Writing(writing.contact_id)]
        waiting, waiting_gone = ((), ()) if target else (step.fresh, step.gone)
        room = MOST_TOGETHER - 1 - len(waiting) - len(waiting_gone) - sum(writing.items for writing in writings)
        unfinished = []
        for contact_id, orders in shifted.items():
            portion = self._resolver.rerank(store.id, contact_id, orders, room)
            room -= portion.items
            if portion.orders:
                writings.append(portion)
            if len(portion.orders) < len(orders):
                unfinished.append(contact_id)
        if after != before or writings:  # also a repeat's writings follow from the record, and go over its revision
            self._orders.write(after, writings, waiting, waiting_gone)
        if target and before.contact_id is None and before.events:
            self._orders.drop_waiting(store.id, before.external_id)
        for contact_id in unfinished:
            self._resolver.settle_ranks(store.id, contact_id)


@dataclass(frozen=True)
class _Place:
    contact_id: str
    nth: int | None


@dataclass(frozen=True)
class _Change:
    """`shifted`: other orders whose rank is another now. `follow`: there are later ones."""

    writing: Writing
    shifted: list[ContactOrder]
    nth: int | None
    follow: bool


def _telling(order: Order) -> Telling:
    return Telling(
        person=order.person,
        at=order.version.modified_at,
        source=f"order:{order.external_id}",
        since=order.placed_at,
        joined_from="order",
        consent=order.consent,
        fields=_own_fields(order.occasion),
        fields_at=order.occasion.at if order.occasion else order.placed_at,
        placed_at=order.placed_at,
    )


def _own_fields(occasion: Occasion | None) -> dict[str, Any]:
    """What a reminder needs to know of an occasion, among the contact's own fields."""
    if occasion is None:
        return {}
    return {"occasion": occasion.name, "occasion_date": occasion.date.isoformat(), "occasion_reminder": True}


def _share(record: OrderRecord) -> ContactOrder | None:
    """What the contact's partition holds of this order: nothing while it is unpaid or deleted."""
    if record.order is None or record.is_deleted:
        return None
    share = contact_order(record.order)
    events = {event_id: mark.at for event_id, mark in record.events.items()}
    return share.model_copy(update={"events": events}) if share else None


def _places(record: OrderRecord) -> list[Removal]:
    return [Removal(mark.at, event_id) for event_id, mark in record.events.items()]


def _united(standing: Sequence[Event], fresh: Sequence[Event]) -> list[Event]:
    """What stood, except where it is told anew."""
    anew = {event.id for event in fresh}
    return [*(event for event in standing if event.id not in anew), *fresh]


def _together(one: Writing, other: Writing) -> Writing:
    """Two writings of one contact; `other` has the contact as it ends up, if it has one."""
    return Writing(
        one.contact_id,
        contact=other.contact or one.contact,
        pointers=(*one.pointers, *other.pointers),
        orders=other.orders,
        orders_gone=other.orders_gone,
        purchases=other.purchases,
        events=(*one.events, *other.events),
        events_gone=(*one.events_gone, *other.events_gone),
        seen=(*one.seen, *other.seen),
    )
