"""The contact book: what the API, the links and the journeys' steps may do to a contact."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from chalicelib.clock import Clock, parse_rfc3339, rfc3339
from chalicelib.commerce.event import Event
from chalicelib.commerce.store import Store
from chalicelib.contacts import profile
from chalicelib.contacts.caused import CausedChanges, Stores
from chalicelib.contacts.consent import Channel, Consent, ConsentChange
from chalicelib.contacts.consent_events import became, chosen_events
from chalicelib.contacts.contact import Contact
from chalicelib.contacts.double_opt_in import wish
from chalicelib.contacts.erased import ErasedPeople
from chalicelib.contacts.identity import CUSTOMER, EMAIL, Identities, identities_of
from chalicelib.contacts.own_fields import set_fields
from chalicelib.contacts.person import Person
from chalicelib.contacts.ports import Contacts, KeptExports, Listener, RawDeliveries, Writing
from chalicelib.contacts.profile import Telling
from chalicelib.contacts.resolve import Resolver
from chalicelib.contacts.retry import persist
from chalicelib.errors import BadInput, FieldMistake


class ContactInput(BaseModel):
    """A person as the API takes one: at least one of email, phone, external_id. Lists and tags are added to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    email: str | None = Field(default=None, max_length=254)
    phone: str | None = Field(default=None, max_length=40)
    external_id: str | None = Field(default=None, max_length=100)
    first_name: str | None = Field(default=None, max_length=200)
    last_name: str | None = Field(default=None, max_length=200)
    locale: str | None = Field(default=None, max_length=35)
    timezone: str | None = Field(default=None, max_length=64)
    country: str | None = Field(default=None, pattern=r"^[A-Z]{2}$")
    consent: dict[Channel, Consent] = Field(default_factory=dict)
    lists: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    fields: dict[str, Any] = Field(default_factory=dict)
    joined_from: str = Field(default="api", max_length=100, pattern=r"^[^|]*$")


class ContactPatch(BaseModel):
    """Only what is given changes; null empties a name, a field. `lists` and `tags` replace what was there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    email: str | None = Field(default=None, max_length=254)
    phone: str | None = Field(default=None, max_length=40)
    first_name: str | None = Field(default=None, max_length=200)
    last_name: str | None = Field(default=None, max_length=200)
    locale: str | None = Field(default=None, max_length=35)
    timezone: str | None = Field(default=None, max_length=64)
    consent: dict[Channel, Consent] = Field(default_factory=dict)
    lists: tuple[str, ...] | None = None
    tags: tuple[str, ...] | None = None
    fields: dict[str, Any] = Field(default_factory=dict)


_LATELY = timedelta(hours=1)


class ContactBook(CausedChanges):
    """Every change is written over the revision it was decided on and tried again on a conflict (then `TryLater`)."""

    def __init__(
        self,
        contacts: Contacts,
        resolver: Resolver,
        deliveries: RawDeliveries,
        exports: KeptExports,
        clock: Clock,
        listener: Callable[[], Listener],
        stores: Stores,
        erased: ErasedPeople,
    ) -> None:
        """`listener` is asked for when there is something to tell: it may itself need the book."""
        super().__init__(contacts, clock, stores)
        self._resolver, self._deliveries, self._exports, self._listener = resolver, deliveries, exports, listener
        self._erased = erased

    def upsert(self, store: Store, given: ContactInput) -> Contact:
        """Make the contact, or add to the one (or ones: they merge) that these identities name.

        Raises `BadInput` naming the field.
        """
        now = self._clock.now()
        person = Person(
            email=given.email,
            phone=given.phone,
            customer_id=given.external_id,
            first_name=given.first_name,
            last_name=given.last_name,
            country=given.country,
            locale=given.locale,
            timezone=given.timezone,
        )
        self._check(person, store)
        telling = Telling(person, now, "api", now, given.joined_from, _stamped(given.consent, now))

        def action() -> tuple[Contact, list[Event]]:
            meeting = self._resolver.meet(store, telling)
            if meeting.contact is None:
                raise BadInput("expected an email, a phone or an external id")
            contact = set_fields(meeting.contact, given.fields, now, "api")
            events = _fields_changed(meeting.contact, contact, now)
            events += chosen_events(meeting.before, contact, telling.consent)
            contact, joined = _with_lists(
                contact, {*contact.lists, *given.lists}, {*contact.tags, *given.tags}, rfc3339(now)
            )
            events += joined
            writing = meeting.writing or Writing(contact.id)
            if meeting.writing or contact != meeting.contact:
                written = Writing(
                    contact.id,
                    contact=contact,
                    pointers=writing.pointers,
                    events=(*writing.events, *events, *writing.seen),
                    events_gone=writing.events_gone,
                    seen=writing.seen,
                )
                self._contacts.write(store.id, [written])
                contact = _next(contact)
            return contact, [*meeting.events, *events]

        contact, events = persist(action)
        self._tell(store, contact, events)
        return contact

    def patch(self, store: Store, contact_id: str, given: ContactPatch) -> Contact:
        """Raises `NotFound`, and `BadInput` also for an email that is another contact's."""
        now = self._clock.now()
        names = {name: getattr(given, name) for name in _NAMES if name in given.model_fields_set}
        person = Person(email=given.email, phone=given.phone)
        self._check(person, store)
        told = identities_of(person, store.country)
        telling = Telling(person, now, "api", now, "api", _stamped(given.consent, now))

        def alter(before: Contact) -> tuple[Contact, list[Event]]:
            contact = profile.absorb(before, telling, told, store)
            contact = profile.replace_names(contact, names, now, "api")
            contact = set_fields(contact, given.fields, now, "api")
            lists = before.lists if given.lists is None else given.lists
            tags = before.tags if given.tags is None else given.tags
            changed = _fields_changed(before, contact, now)
            contact, joined = _with_lists(contact, lists, tags, rfc3339(now))
            chosen = chosen_events(before, contact, telling.consent)
            return contact, [*chosen, *became(before, contact), *changed, *joined]

        contact, events = self._change(store.id, contact_id, alter, told)
        self._tell(store, contact, events)
        return contact

    def _tell(self, store: Store, contact: Contact, events: Sequence[Event]) -> None:
        """Journeys hear these events, and what calls before this one changed lately: one that was interrupted between
        the record and the telling is repeated by its caller, and then finds nothing left to change.
        """
        told = {event.id: event for event in self._resolver.changed_lately(store.id, contact.id, _LATELY)}
        told |= {event.id: event for event in events}
        if told:
            self._listener().on_events(store, contact.id, list(told.values()))

    def change_consent(self, store_id: str, contact_id: str, changes: Sequence[ConsentChange]) -> Contact:
        """The latest `at` wins per channel, a tie refuses; a change without a time is of now. Raises `NotFound`.

        Journeys hear of it, also if it is a repeat: whoever changed it before may not have come to tell.
        """
        return self.choose(store_id, contact_id, changes)

    def choose(
        self,
        store_id: str,
        contact_id: str,
        changes: Sequence[ConsentChange],
        joins: Sequence[str] = (),
        leaves: Sequence[str] = (),
    ) -> Contact:
        """What a person chose on a page of ours: channels as in `change_consent`, and lists. Raises `NotFound`."""
        now = self._clock.now()
        stamped = [c.model_copy(update={"consent": _at(c.consent, now)}) for c in changes]
        store = self._stores.get(store_id)
        stood: list[Contact] = []

        def alter(before: Contact) -> tuple[Contact, list[Event]]:
            stood[:] = [before]
            contact = profile.with_choices(before, stamped, store)
            lists = ({*before.lists} | {*joins}) - {*leaves}
            events = [*chosen_events(before, contact, stamped), *became(before, contact)]
            contact, moved = _with_lists(contact, lists, contact.tags, rfc3339(now))
            return contact, [*events, *moved]

        contact, events = self._change(store_id, contact_id, alter)
        same = [c.channel for c in stamped if stood[0].consent_for(c.channel).status is c.consent.status]
        same += [c.channel for c in stamped if stood[0].asked.get(c.channel) == wish(c.consent)]
        events += self._resolver.consent_told(store_id, stood[0], same)
        if events and store is not None:
            self._listener().on_events(store, contact.id, events)
        return contact

    def suppress(self, store_id: str, contact_id: str, channel: Channel, reason: str) -> Contact:
        """Never send there again, whatever the consent; the first reason stays. Raises `NotFound`."""
        return self._change(
            store_id,
            contact_id,
            lambda before: (before.model_copy(update={"suppressed": {channel: reason, **before.suppressed}}), []),
        )[0]

    def erase(self, store_id: str, contact_id: str, texts: bool = True) -> None:
        """Forget everything personal; enrolments are stopped, messages lose their addresses. Raises `NotFound`.

        Their addresses stay remembered as hashes only: what was told before does not bring them back, and nobody
        advertises to them again (`contacts.erased`).
        Whatever is interrupted can be asked for again: the profile goes last. `texts`: whether what the store sent is
        to be searched; else it is gone already.
        """
        contact = self._whole(store_id, contact_id)
        self._listener().stop_all(store_id, contact.id, "erased")
        pairs = [(EMAIL, email) for email in contact.emails] + [(CUSTOMER, c) for c in contact.external_ids]
        now = self._clock.now()
        self._erased.hold(store_id, contact.emails, contact.phones, now, contact.suppressed)
        self._exports.forget_contact(store_id, contact.id, now)
        for delivery_id in self._texts(store_id, contact) if texts else ():
            self._deliveries.erase(store_id, delivery_id)
        self._contacts.forget(store_id, contact, self._erased.hashes(store_id, pairs), now)
        self._exports.forget_contact(store_id, contact.id, now)  # one that was begun before the profile was gone

    def _texts(self, store_id: str, contact: Contact) -> set[str]:
        """Ids of all that told of them: also while their orders were nobody's, and what nobody could be found in."""
        orders = self._contacts.order_ids(store_id, contact.id)
        return {
            *self._deliveries.of_contact(store_id, contact.id),
            *self._deliveries.mentioning(store_id, [*contact.emails, *contact.phones]),
            *(one for order_id in orders for one in self._deliveries.of_order(store_id, order_id)),
        }

    def export(self, store_id: str, contact_id: str) -> dict[str, Any]:
        """Everything we hold on one person, by kind of record. Raises `NotFound`."""
        contact = self._get(store_id, contact_id)
        found: dict[str, Any] = dict(self._contacts.export(store_id, contact.id))
        told = list(self._deliveries.of_contact(store_id, contact.id))
        told += [one for o in found["orders"] for one in self._deliveries.of_order(store_id, o["external_id"])]
        raw = [self._deliveries.export(store_id, delivery_id) for delivery_id in dict.fromkeys(told)]
        mine = contact.model_dump(mode="json", exclude={"rev", "merging", "merged_into", "indexed"})
        return {"contact": mine, **found, "deliveries": [one for one in raw if one]}

    def _check(self, person: Person, store: Store) -> None:
        told = identities_of(person, store.country)
        mistakes = []
        if person.email and not told.email:
            mistakes.append(FieldMistake("email", "expected an email address"))
        if person.phone and not told.phone:
            mistakes.append(FieldMistake("phone", "expected a phone number, best with + and country code"))
        if mistakes:
            raise BadInput("this does not identify anybody", mistakes)

    def _whole(self, store_id: str, contact_id: str) -> Contact:
        """With all that a merge still had to carry to it: what is erased must not stay behind elsewhere."""

        def action() -> Contact:
            contact = self._get(store_id, contact_id)
            return self._resolver.finish(store_id, contact) if contact.merging else contact

        return persist(action)

    def _change(
        self,
        store_id: str,
        contact_id: str,
        alter: Callable[[Contact], tuple[Contact, list[Event]]],
        told: Identities | None = None,
    ) -> tuple[Contact, list[Event]]:
        """The contact after `alter`, and the events that were written with it."""

        def action() -> tuple[Contact, list[Event]]:
            before = self._get(store_id, contact_id)
            contact, events = alter(before)
            claims = self._resolver.claims(store_id, contact, told) if told else ()
            if contact == before and not claims:
                return before, []
            written = Writing(contact.id, contact=contact, pointers=claims, events=tuple(events))
            self._contacts.write(store_id, [written])
            return _next(contact), events

        return persist(action)


_NAMES = ("first_name", "last_name", "locale", "timezone")


def _at(consent: Consent, now: datetime) -> Consent:
    return consent.model_copy(update={"at": consent.at or now, "source": consent.source or "api"})


def _stamped(consent: dict[Channel, Consent], now: datetime) -> tuple[ConsentChange, ...]:
    return tuple(ConsentChange(channel=channel, consent=_at(value, now)) for channel, value in consent.items())


def _next(contact: Contact) -> Contact:
    return contact.model_copy(update={"rev": contact.rev + 1})


def _fields_changed(before: Contact, after: Contact, at: datetime) -> list[Event]:
    """One event for each own field whose value is another now; None stands for no value."""
    old, new = before.fields, after.fields
    return [
        Event(
            id=f"field_changed:{after.store_id}:{after.id}:{name}:{rfc3339(at)}",
            type="field_changed",
            occurred_at=at,
            properties={"field": name, "from": old.get(name), "to": new.get(name)},
        )
        for name in sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
    ]


def _with_lists(contact: Contact, lists: Iterable[str], tags: Iterable[str], cause: str) -> tuple[Contact, list[Event]]:
    """The contact with exactly these, and what changed."""
    at = parse_rfc3339(cause)
    events = []
    for kind, wanted, came, left in (
        ("lists", lists, "list_joined", "list_left"),
        ("tags", tags, "tag_added", "tag_removed"),
    ):
        have = set(getattr(contact, kind))
        for type_, names in ((came, set(wanted) - have), (left, have - set(wanted))):
            for name in sorted(names):
                event_id = f"{type_}:{contact.store_id}:{contact.id}:{name}:{cause}"
                properties = {kind.removesuffix("s"): name}
                events.append(Event(id=event_id, type=type_, occurred_at=at, properties=properties))
    changed = {"lists": tuple(sorted(set(lists))), "tags": tuple(sorted(set(tags)))}
    return contact.model_copy(update=changed), events
