"""What a journey's step does to a contact, once for its cause (`journeys.ports.ContactChanges`).

A cause names one step of one enrolment, so it is the only one in its store, also after two contacts became one: the
event that it leaves is known by it, and not by the contact. All is computed over the revision that it is written over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from chalicelib.clock import Clock, rfc3339
from chalicelib.commerce.event import Event
from chalicelib.commerce.store import Store
from chalicelib.contacts import engagement_fold, own_fields, profile
from chalicelib.contacts.consent import Channel, Consent, ConsentChange, ConsentStatus
from chalicelib.contacts.contact import Benefit, Contact
from chalicelib.contacts.double_opt_in import REQUESTED
from chalicelib.contacts.field_change import FieldChange, difference
from chalicelib.contacts.ports import Contacts, Writing
from chalicelib.contacts.retry import persist
from chalicelib.errors import NotFound, StepCannot

Altered = tuple[Contact, dict[str, Any] | None]
"""The contact as it will be, and the properties of the event; None where there is nothing to tell."""
_TOLD_AS = {
    ConsentStatus.SUBSCRIBED: "subscribed",
    ConsentStatus.UNSUBSCRIBED: "unsubscribed",
    ConsentStatus.PENDING: REQUESTED,
}


class Stores(Protocol):
    def get(self, store_id: str) -> Store | None: ...


class CausedChanges:
    """Every change raises `NotFound` for a contact that is gone, and `TryLater` if the record never stands still."""

    def __init__(self, contacts: Contacts, clock: Clock, stores: Stores) -> None:
        self._contacts, self._clock, self._stores = contacts, clock, stores

    def set_field(self, store_id: str, contact_id: str, name: str, value: Any, cause: str | None = None) -> list[Event]:
        """None takes the field away. `cause` (a step's claim, say) makes repeating find the same event again."""
        return self.change_field(store_id, contact_id, name, FieldChange("set", value), cause)

    def change_field(
        self, store_id: str, contact_id: str, name: str, change: FieldChange, cause: str | None = None
    ) -> list[Event]:
        """Two at once count two, a cause that comes again counts once. Raises `StepCannot("not_a_number")`, and
        ValueError for a cause that changed another field."""
        now = self._clock.now()
        cause = cause or f"{contact_id}:{name}:{rfc3339(now)}"

        def alter(before: Contact) -> Altered:
            if change.undoable and self._contacts.seen(store_id, _undone(store_id, cause)):
                return before, None
            contact = own_fields.change_field(before, name, change, now, cause)
            return contact, _field_properties(before, contact, name)

        def told(event: Event) -> list[Event]:
            if event.properties["field"] != name:
                raise ValueError("one cause changes one field")
            return [event]

        return self._once(store_id, contact_id, f"field_changed:{store_id}:{cause}", "field_changed", alter, told)

    def undo_field(self, store_id: str, contact_id: str, cause: str) -> list[Event]:
        """Take back, once, what an add or subtract with this cause did.

        If it was not done yet it never will be: the order that it counts may be refunded at this very moment. A field
        that is no number by now stays as it is.
        """

        def alter(before: Contact) -> Altered:
            known = self._contacts.seen(store_id, f"field_changed:{store_id}:{cause}")
            told = known[1].properties if known and known[1] else {}
            if not told:
                return before, None
            name = told["field"]
            try:
                by = difference(told["from"], told["to"])
                contact = own_fields.count(before, name, by, self._clock.now())
            except StepCannot:
                return before, None
            return contact, _field_properties(before, contact, name)

        return self._once(store_id, contact_id, _undone(store_id, cause), "field_changed", alter, always=True)

    def add_to_list(self, store_id: str, contact_id: str, name: str, cause: str | None = None) -> list[Event]:
        return self._member(store_id, contact_id, "lists", name, True, "list_joined", cause)

    def remove_from_list(self, store_id: str, contact_id: str, name: str, cause: str | None = None) -> list[Event]:
        return self._member(store_id, contact_id, "lists", name, False, "list_left", cause)

    def add_tag(self, store_id: str, contact_id: str, name: str, cause: str | None = None) -> list[Event]:
        return self._member(store_id, contact_id, "tags", name, True, "tag_added", cause)

    def remove_tag(self, store_id: str, contact_id: str, name: str, cause: str | None = None) -> list[Event]:
        return self._member(store_id, contact_id, "tags", name, False, "tag_removed", cause)

    def join_audience(self, store_id: str, contact_id: str, name: str, cause: str | None = None) -> list[Event]:
        """An advertising audience, by name."""
        return self._member(store_id, contact_id, "audiences", name, True, "audience_joined", cause)

    def leave_audience(self, store_id: str, contact_id: str, name: str, cause: str | None = None) -> list[Event]:
        return self._member(store_id, contact_id, "audiences", name, False, "audience_left", cause)

    def set_consent(
        self, store_id: str, contact_id: str, channel: Channel, status: ConsentStatus, source: str, cause: str
    ) -> list[Event]:
        """As of now; the latest choice wins, so one that the contact made meanwhile stays. A tie refuses.

        Told as `consent_changed`, and where it is a plain yes or no also as `subscribed` or `unsubscribed`. A yes that
        the store wants confirmed is only a wish, `pending` and `consent_requested`.
        """
        store = self._stores.get(store_id)
        change = ConsentChange(channel=channel, consent=Consent(status=status, source=source, at=self._clock.now()))

        def alter(before: Contact) -> Altered:
            contact = profile.with_choices(before, [change], store)
            became = contact.consent_for(channel).status
            same = before.consent_for(channel).status is became
            told = {"channel": channel.value, "status": became.value, "source": source}
            return (before, None) if same else (contact, told)

        event_id = f"consent_changed:{store_id}:{cause}"
        return self._once(store_id, contact_id, event_id, "consent_changed", alter, _with_plain_word)

    def give_benefit(self, store_id: str, contact_id: str, benefit: Benefit) -> None:
        """The newest is kept, so that a repeat (its code tells one) or one that comes late changes nothing."""

        def alter(before: Contact) -> Contact:
            last = before.last_benefit
            if last and (last.code == benefit.code or (last.at, last.code) > (benefit.at, benefit.code)):
                return before
            return before.model_copy(update={"last_benefit": benefit})

        self._quietly(store_id, contact_id, alter)

    def use_benefit(self, store_id: str, contact_id: str, code: str, at: datetime) -> None:
        """The code was redeemed. Nothing happens if it is not that of the last benefit; its first use stays."""

        def alter(before: Contact) -> Contact:
            last = before.last_benefit
            if last is None or last.code.casefold() != code.casefold() or (last.used_at and last.used_at <= at):
                return before
            return before.model_copy(update={"last_benefit": last.model_copy(update={"used_at": at})})

        self._quietly(store_id, contact_id, alter)

    def heard(self, store_id: str, contact_id: str, channel: Channel, at: datetime) -> None:
        """A message of theirs came by this channel; the latest is remembered."""

        def alter(before: Contact) -> Contact:
            return before.model_copy(update={"replied": profile.later_replies(before.replied, {channel: at})})

        self._quietly(store_id, contact_id, alter)

    def note(self, store_id: str, contact_id: str, event: Event) -> None:
        """Keep an event of our own making (a message was opened, say): in the timeline, and in the engagement where it
        concerns that. Repeating is harmless; a contact that is gone has nothing noted."""

        def action() -> None:
            contact = self._contacts.get(store_id, contact_id)
            if contact is not None:
                self._contacts.write(store_id, [noting(self._contacts, store_id, contact, event)])

        persist(action)

    def _member(
        self, store_id: str, contact_id: str, kind: str, name: str, wanted: bool, type_: str, cause: str | None
    ) -> list[Event]:
        def alter(before: Contact) -> Altered:
            have: tuple[str, ...] = getattr(before, kind)
            if (name in have) is wanted:
                return before, None
            now_have = tuple(sorted({*have, name} if wanted else {*have} - {name}))
            return before.model_copy(update={kind: now_have}), {kind.removesuffix("s"): name}

        cause = cause or f"{contact_id}:{rfc3339(self._clock.now())}"
        return self._once(store_id, contact_id, f"{type_}:{store_id}:{name}:{cause}", type_, alter)

    def _once(
        self,
        store_id: str,
        contact_id: str,
        event_id: str,
        type_: str,
        alter: Callable[[Contact], Altered],
        told_as: Callable[[Event], list[Event]] = lambda event: [event],
        always: bool = False,
    ) -> list[Event]:
        """A cause that was here before changes nothing and finds what it told then.

        `always`: it is remembered also where there was nothing to change.
        """
        now = self._clock.now()

        def action() -> list[Event]:
            before = self._get(store_id, contact_id)
            if known := self._contacts.seen(store_id, event_id):
                return told_as(known[1]) if known[1] and known[1].properties else []
            contact, properties = alter(before)
            event = Event(id=event_id, type=type_, occurred_at=now, properties=properties or {})
            told = told_as(event) if properties else []
            if contact != before or always:
                self._contacts.write(
                    store_id, [Writing(contact.id, contact=contact, events=tuple(told), seen=(event,))]
                )
            return told

        return persist(action)

    def _quietly(self, store_id: str, contact_id: str, alter: Callable[[Contact], Contact]) -> None:
        def action() -> None:
            before = self._get(store_id, contact_id)
            contact = alter(before)
            if contact != before:
                self._contacts.write(store_id, [Writing(contact.id, contact=contact)])

        persist(action)

    def _get(self, store_id: str, contact_id: str) -> Contact:
        contact = self._contacts.get(store_id, contact_id)
        if contact is None:
            raise NotFound("no such contact")
        return contact


def noting(contacts: Contacts, store_id: str, contact: Contact, event: Event) -> Writing:
    """What keeps this event with its contact; the engagement is read only for a type that changes it."""
    writing = Writing(contact.id, events=(event,))
    if not engagement_fold.concerns(event):
        return writing
    known = contacts.engagement(store_id, contact.id)
    after = engagement_fold.fold(known, event)
    if after == known:
        return writing
    return replace(writing, engagement=after, contact=None if known.rev else contact)


def _undone(store_id: str, cause: str) -> str:
    return f"field_undone:{store_id}:{cause}"


def _field_properties(before: Contact, after: Contact, name: str) -> dict[str, Any] | None:
    old, new = before.fields.get(name), after.fields.get(name)
    return None if old == new else {"field": name, "from": old, "to": new}


def _with_plain_word(changed: Event) -> list[Event]:
    told = changed.properties
    word = _TOLD_AS.get(ConsentStatus(told["status"]))
    if word is None:
        return [changed]
    properties = {"channel": told["channel"], "source": told["source"]}
    plain = changed.model_copy(update={"id": f"{word}:{changed.id}", "type": word, "properties": properties})
    return [changed, plain]
