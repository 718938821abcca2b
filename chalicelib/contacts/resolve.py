"""Which contact a telling is about: found by its identities, merged where they prove one person, else made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from chalicelib.clock import Clock
from chalicelib.commerce.event import FRESH, Event
from chalicelib.commerce.store import Store
from chalicelib.contacts import profile
from chalicelib.contacts.consent import Channel, ConsentChange
from chalicelib.contacts.consent_events import became, standing
from chalicelib.contacts.contact import Contact
from chalicelib.contacts.double_opt_in import wish
from chalicelib.contacts.erased import ErasedPeople
from chalicelib.contacts.identity import (
    CUSTOMER,
    EMAIL,
    PHONE,
    PHONE_CLAIMS,
    Identities,
    Pointer,
    identities_of,
    older,
    same_person_by_email,
    same_person_by_phone,
)
from chalicelib.contacts.ports import Contacts, Removal, Timeline, Writing
from chalicelib.contacts.profile import Telling
from chalicelib.contacts.purchases import ContactOrder, fold, ranks
from chalicelib.errors import BadInput, FieldMistake
from chalicelib.ids import new_id

_BEFORE_PAYMENT = ("order_placed", "payment_failed")
MOST_TOGETHER = 100  # items in a transaction


@dataclass(frozen=True)
class Meeting:
    """A telling and its contact. `contact` is as it will be once `writing` (None: nothing new) is written.

    `erased`: the person was erased after this telling; nothing of it may be kept, and `contact` is None.
    `merged`: contacts that were found to be this one; `before` is the contact as it was, None for a new one.
    """

    contact: Contact | None
    writing: Writing | None = None
    events: tuple[Event, ...] = ()
    merged: tuple[str, ...] = ()
    erased: bool = False
    before: Contact | None = None


def reranked(orders: Sequence[ContactOrder]) -> list[ContactOrder]:
    """Those whose rank is another than their events say, with the right one."""
    places = ranks(orders)
    return [o.model_copy(update={"nth": places[o.order_id]}) for o in orders if o.nth != places[o.order_id]]


def ranked_event(event: Event, nth: int | None) -> Event:
    """The event with its order's rank among the contact's paid orders (1-based); without one while it has none.

    What happens before an order is paid has none ever: whether the payment was told already must not matter.
    """
    properties = {name: value for name, value in event.properties.items() if name != "nth"}
    if nth and event.type not in _BEFORE_PAYMENT:
        properties["nth"] = nth
    return event.model_copy(update={"properties": properties})


_CHANGES = frozenset(
    {
        "contact_created",
        "list_joined",
        "list_left",
        "tag_added",
        "tag_removed",
        "field_changed",
    }
)


class Resolver:
    def __init__(self, contacts: Contacts, timeline: Timeline, clock: Clock, erased: ErasedPeople) -> None:
        self._contacts, self._timeline, self._clock, self._erased = contacts, timeline, clock, erased

    def meet(self, store: Store, telling: Telling) -> Meeting:
        """Merges are written at once, the telling itself is not: the caller writes it together with its own.

        Raises `Conflict` when somebody else was quicker: ask anew.
        """
        told = identities_of(telling.person, store.country)
        pairs = told.pairs()
        if not pairs:
            return Meeting(contact=None)
        merged: list[str] = []
        while True:  # every turn but the last makes one contact fewer, or finishes a merge
            pointers = self._contacts.pointers(store.id, pairs)
            known = self._contacts.read(store.id, {c for pointer in pointers.values() for c in pointer.contacts})
            halfway = next((contact for contact in known.values() if contact.merging), None)
            if halfway:
                merged += halfway.merging
                self.finish(store.id, halfway)
                continue
            main, other, told = _decide(told, pointers, known)
            if main and other:
                stays, goes = older(main, other)
                self.merge(store, stays, goes)
                continue
            return self._met(store, telling, told, main, pointers, known, tuple(merged))

    def _met(
        self,
        store: Store,
        telling: Telling,
        told: Identities,
        main: Contact | None,
        pointers: dict[tuple[str, str], Pointer],
        known: dict[str, Contact],
        merged: tuple[str, ...],
    ) -> Meeting:
        fresh = [pair for pair in told.pairs() if not any(c in known for c in _claims(pointers.get(pair)))]
        erased_at = self._contacts.erased_at(store.id, self._erased.known_by(store.id, fresh)) if fresh else None
        if erased_at and telling.at <= erased_at:
            return Meeting(contact=main, erased=True, merged=merged)
        before = main
        if main is None:
            main = profile.newborn(store.id, new_id(self._clock.now()), store.currency, telling)
        customer = pointers.get((CUSTOMER, told.customer or ""))
        contact = profile.absorb(main, telling, told, store, attached=not (customer and customer.detached))
        if erased_at:  # by their account, say, with an address that was not known then
            self._erased.hold(store.id, contact.emails, contact.phones, erased_at)
        created, gone = created_events(before, contact)
        consented = became(before, contact)
        born_now = contact.provenance.get("created_at") == telling.birth
        heard = (profile.created_event(contact),) if born_now else ()
        claims = _to_claim(told, contact.id, pointers, known)
        if customer and contact.external_ids != main.external_ids and customer.value not in {c.value for c in claims}:
            claims = (*claims, customer)  # the store may be deleting this account just now
        if contact == before and not claims:
            repeated = [c.channel for c in telling.consent if _is_as_told(contact, c)]
            again = self._consent_claimed(store.id, contact, repeated)
            return Meeting(contact, events=(*heard, *again), merged=merged, before=before)
        writing = Writing(
            contact.id, contact=contact, pointers=claims, events=created, events_gone=gone, seen=tuple(consented)
        )
        return Meeting(contact, writing, (*heard, *consented), merged, before=before)

    def _consent_claimed(self, store_id: str, contact: Contact, channels: Sequence[Channel]) -> list[Event]:
        """What was told of these channels' choices as they stand: whoever told it may not have come to tell journeys.

        Which of several choices changed anything depends on which came first, so the timeline, where order of arrival
        makes no difference, does not hold them: only that they were told is kept.
        """
        known = (self._contacts.seen(store_id, event.id) for event in self._fresh(contact, channels))
        return [told[1] for told in known if told and told[1]]

    def changed_lately(self, store_id: str, contact_id: str, lately: timedelta) -> list[Event]:
        """What somebody changed of the contact itself within this time, oldest first."""
        events = self._timeline.since(store_id, contact_id, self._clock.now() - lately)
        return [event for event in events if event.type in _CHANGES]

    def consent_told(self, store_id: str, contact: Contact, channels: Sequence[Channel]) -> list[Event]:
        """What the timeline has of these channels' choices as they stand: of those that were made with us."""
        fresh = self._fresh(contact, channels)
        if not fresh:
            return []
        return self._timeline.entries(store_id, contact.id, [Removal(one.occurred_at, one.id) for one in fresh])

    def _fresh(self, contact: Contact, channels: Sequence[Channel]) -> list[Event]:
        since = self._clock.now() - FRESH
        return [event for event in standing(contact, channels) if event.occurred_at > since]

    def claims(self, store_id: str, contact: Contact, told: Identities) -> tuple[Pointer, ...]:
        """The pointers by which these identities become this contact's. Raises `BadInput` for another's email."""
        pointers = self._contacts.pointers(store_id, told.pairs())
        known = self._contacts.read(store_id, {c for pointer in pointers.values() for c in pointer.contacts})
        owners = {known[c].id for c in _claims(pointers.get((EMAIL, told.email or ""))) if c in known}
        if owners - {contact.id}:
            raise BadInput("two contacts", [FieldMistake("email", "expected an email that no other contact has")])
        return _to_claim(told, contact.id, pointers, known)

    def merge(self, store: Store, stays: Contact, goes: Contact) -> Contact:
        """Two contacts are one person. Raises `Conflict`; once past that, it can be finished by anybody."""
        joined = profile.join(stays, goes)
        pairs = [
            *((EMAIL, email) for email in goes.emails),
            *((PHONE, phone) for phone in goes.phones),
            *((CUSTOMER, customer) for customer in goes.external_ids),
        ]
        moved = []
        for pointer in self._contacts.pointers(store.id, pairs).values():
            owners = dict.fromkeys(stays.id if owner == goes.id else owner for owner in pointer.contacts)
            moved.append(pointer.model_copy(update={"contacts": tuple(owners)}))
        self._contacts.write(
            store.id,
            [
                Writing(stays.id, contact=joined, pointers=tuple(moved)),
                Writing(goes.id, contact=profile.pointer_only(goes, stays.id)),
            ],
        )
        return self.finish(store.id, joined.model_copy(update={"rev": joined.rev + 1}))

    def finish(self, store_id: str, contact: Contact) -> Contact:
        """Bring a merge to its end: carry what is left, then fold the totals and ranks anew. Raises `Conflict`."""
        for loser in contact.merging:
            self._contacts.move(store_id, loser, contact.id)
        contact, orders = self._ranked(store_id, contact)
        done = profile.refold(contact, orders).model_copy(update={"merging": ()})
        born, _ = created_events(None, done)
        self._contacts.write(
            store_id,
            [
                Writing(
                    contact.id,
                    contact=done,
                    purchases=fold(orders) if orders else None,
                    events=born,
                )
            ],
        )
        return done.model_copy(update={"rev": done.rev + 1})

    def rerank(self, store_id: str, contact_id: str, changed: Sequence[ContactOrder], room: int) -> Writing:
        """As many of these orders of changed rank, with their events, as `room` items of a transaction hold.

        An order and its events change together and over the contact's revision (the caller's part), so whatever is
        interrupted is found and mended by the next telling.
        """
        some: list[ContactOrder] = []
        for order in changed:
            room -= 1 + len(order.events)
            if room < 0:
                break
            some.append(order)
        places = {event_id: order.nth for order in some for event_id in order.events}
        wanted = [Removal(at, event_id) for order in some for event_id, at in order.events.items()]
        events = self._timeline.entries(store_id, contact_id, wanted)
        events = [ranked_event(event, places[event.id]) for event in events]
        return Writing(contact_id, orders=tuple(some), events=tuple(events))

    def settle_ranks(self, store_id: str, contact_id: str) -> None:
        """Bring what a transaction had no room for to its end. Raises `Conflict`; anybody may finish it."""
        contact = self._contacts.get(store_id, contact_id)
        if contact and contact.merging:
            self.finish(store_id, contact)
        elif contact:
            self._ranked(store_id, contact)

    def _ranked(self, store_id: str, contact: Contact) -> tuple[Contact, list[ContactOrder]]:
        """The contact and its orders once every event says its order's rank. Raises `Conflict`."""
        orders = self._contacts.orders(store_id, contact.id)
        wrong = reranked(orders)
        while wrong:
            portion = self.rerank(store_id, contact.id, wrong, MOST_TOGETHER - 1)
            if not portion.orders:
                raise BadInput("an order has more events than can be changed at once")
            self._contacts.write(store_id, [replace(portion, contact=contact)])
            contact = contact.model_copy(update={"rev": contact.rev + 1})
            wrong = wrong[len(portion.orders) :]
        return contact, [order.model_copy(update={"nth": ranks(orders)[order.order_id]}) for order in orders]


def created_events(before: Contact | None, after: Contact) -> tuple[tuple[Event, ...], tuple[Removal, ...]]:
    """The `contact_created` entry to write, and the one that stood at another time."""
    event = profile.created_event(after)
    if before is None:
        return (event,), ()
    old = profile.created_event(before)
    if old == event:
        return (), ()
    gone = (Removal(old.occurred_at, old.id),) if old.occurred_at != event.occurred_at else ()
    return (event,), gone


def _is_as_told(contact: Contact, change: ConsentChange) -> bool:
    return change.consent == contact.consent.get(change.channel) or wish(change.consent) == contact.asked.get(
        change.channel
    )


def _claims(pointer: Pointer | None) -> tuple[str, ...]:
    return pointer.contacts if pointer else ()


def _decide(
    told: Identities, pointers: dict[tuple[str, str], Pointer], known: dict[str, Contact]
) -> tuple[Contact | None, Contact | None, Identities]:
    """(the contact, another that is the same person, the identities that may be claimed)."""

    def owner(kind: str, value: str | None) -> Contact | None:
        found = {known[c].id: known[c] for c in _claims(pointers.get((kind, value or ""))) if c in known}
        return next(iter(found.values())) if len(found) == 1 else None

    by_customer, by_email, by_phone = (
        owner(CUSTOMER, told.customer),
        owner(EMAIL, told.email),
        owner(PHONE, told.phone),
    )
    if by_customer and by_email and by_customer.id != by_email.id:
        if same_person_by_email(by_customer, by_email):
            return by_customer, by_email, told
        told = replace(told, email=None)  # two accounts: the address stays with its own
    main = by_customer or by_email
    if by_phone and (main is None or main.id != by_phone.id) and same_person_by_phone(main, told, by_phone):
        return (main, by_phone, told) if main else (by_phone, None, told)
    return main, None, told


def _to_claim(
    told: Identities, contact_id: str, pointers: dict[tuple[str, str], Pointer], known: dict[str, Contact]
) -> tuple[Pointer, ...]:
    found = []
    for kind, value in told.pairs():
        pointer = pointers.get((kind, value)) or Pointer(kind=kind, value=value)
        owners = {known[owner].id for owner in pointer.contacts if owner in known}
        if contact_id in owners or len(owners) >= PHONE_CLAIMS:
            continue
        claims = (*sorted(owners), contact_id) if kind == PHONE else (contact_id,)
        found.append(pointer.model_copy(update={"contacts": claims}))
    return tuple(found)
