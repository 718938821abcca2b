"""Contacts: the profile, who points to it, what it bought. Everything about one contact is in its partition."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from chalicelib.clock import rfc3339
from chalicelib.commerce.event import Event
from chalicelib.contacts.contact import Contact
from chalicelib.contacts.day_index import changes, contact_entries
from chalicelib.contacts.engagement import Engagement
from chalicelib.contacts.identity import Pointer
from chalicelib.contacts.ports import Writing
from chalicelib.contacts.purchases import ContactOrder, Purchases
from chalicelib.storage import keys
from chalicelib.storage.contact_moves import export, forget, forget_unclaimed, move, order_ids, remember_erased
from chalicelib.storage.day_entries import engagement_operations, entry_operations
from chalicelib.storage.records import dump, load
from chalicelib.storage.table import Delete, Put, Table
from chalicelib.storage.timeline import Timeline, event_item


class Contacts:
    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, store_id: str, contact_id: str) -> Contact | None:
        """The contact, or the one it was merged into."""
        return self.read(store_id, [contact_id]).get(contact_id)

    def read(self, store_id: str, contact_ids: Iterable[str]) -> dict[str, Contact]:
        """By the ids asked for, each followed to where it was merged, in one request unless there was a merge."""
        wanted = {asked: asked for asked in contact_ids}
        known: dict[str, Contact] = {}
        while missing := [now for now in wanted.values() if now not in known]:
            found = self._table.get_many([(keys.contact(store_id, now), keys.PROFILE) for now in missing])
            known |= {contact.id: contact for contact in (load(Contact, item) for item in found)}
            for asked, now in list(wanted.items()):
                if now not in known:
                    del wanted[asked]
                elif into := known[now].merged_into:
                    wanted[asked] = into
        return {asked: known[now] for asked, now in wanted.items()}

    def find(self, store_id: str, kind: str, value: str) -> Contact | None:
        """`kind` is email, phone or customer; `value` normalised. A phone that two people share finds nobody."""
        pointer = self.pointers(store_id, [(kind, value)]).get((kind, value))
        if pointer is None or pointer.detached:
            return None
        found = {contact.id: contact for contact in self.read(store_id, pointer.contacts).values()}
        return next(iter(found.values())) if len(found) == 1 else None

    @staticmethod
    def sort_key(contact: Contact) -> str:
        return f"{rfc3339(contact.created_at)}#{contact.id}"

    def pointers(self, store_id: str, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Pointer]:
        found = [load(Pointer, i) for i in self._table.get_many([keys.identity(store_id, k, v) for k, v in pairs])]
        return {(pointer.kind, pointer.value): pointer for pointer in found}

    def orders(self, store_id: str, contact_id: str) -> list[ContactOrder]:
        """Every order that was ever paid, by paid time."""
        return [load(ContactOrder, i) for i in self._table.query(keys.contact(store_id, contact_id), prefix="O#")]

    def orders_since(self, store_id: str, contact_id: str, since: datetime) -> list[ContactOrder]:
        """Those that were paid from then on, by paid time."""
        partition, earliest = keys.contact(store_id, contact_id), keys.contact_order(rfc3339(since), "")
        return [load(ContactOrder, i) for i in self._table.query(partition, prefix="O#", after=earliest)]

    def engagement(self, store_id: str, contact_id: str) -> Engagement:
        item = self._table.get(keys.contact(store_id, contact_id), keys.ENGAGEMENT)
        return load(Engagement, item) if item else Engagement()

    def seen(self, store_id: str, event_id: str) -> tuple[str, Event | None] | None:
        """The contact and the event that came with this id before; no event once its contact was erased."""
        item = self._table.get(*keys.event_seen(store_id, event_id))
        if item is None:
            return None
        return item["contact_id"], Event.model_validate(item["event"]) if "event" in item else None

    def erased_at(self, store_id: str, hashes: Sequence[str]) -> datetime | None:
        found = self._table.get_many([keys.erased(store_id, hashed) for hashed in hashes])
        return max((datetime.fromisoformat(item["at"]) for item in found), default=None)

    def write(self, store_id: str, writings: Sequence[Writing]) -> None:
        """Everything in one transaction. Raises `Conflict`."""
        self._table.transact([operation for writing in writings for operation in operations(store_id, writing)])

    def move(self, store_id: str, loser: str, winner: str) -> None:
        move(self._table, store_id, loser, winner)

    def forget(self, store_id: str, contact: Contact, hashes: Sequence[str], at: datetime) -> None:
        forget(self._table, store_id, contact, hashes, at)

    def remember_erased(self, store_id: str, hashes: Sequence[str], at: datetime) -> None:
        remember_erased(self._table, store_id, hashes, at)

    def forget_unclaimed(self, store_id: str, at: datetime) -> None:
        forget_unclaimed(self._table, store_id, at)

    def order_ids(self, store_id: str, contact_id: str) -> Sequence[str]:
        """Of every order in the contact's timeline, paid or not."""
        return order_ids(self._table.query(keys.contact(store_id, contact_id), prefix="T#"))

    def export(self, store_id: str, contact_id: str) -> dict[str, list[dict[str, Any]]]:
        return export(self._table, store_id, contact_id)

    def list(self, store_id: str, after: str | None = None, limit: int = 100) -> list[Contact]:
        """Oldest first; `after` is the `sort_key` of the last one seen."""
        return [load(Contact, item) for item in self._table.listing("CONTACTS", store_id, after=after, limit=limit)]


def operations(store_id: str, writing: Writing) -> list[Put | Delete]:
    """A contact's writing as what the table does, for a transaction."""
    partition = keys.contact(store_id, writing.contact_id)
    found: list[Put | Delete] = []
    if writing.contact:
        found += _profile(store_id, writing.contact)
    for pointer in writing.pointers:
        key = keys.identity(store_id, pointer.kind, pointer.value)
        found.append(Put(dump(pointer.model_copy(update={"rev": pointer.rev + 1}), key), rev=pointer.rev))
    found += [Put(dump(order, (partition, _order_key(order)))) for order in writing.orders]
    found += [Delete(partition, _order_key(order)) for order in writing.orders_gone]
    if writing.purchases == Purchases():
        found.append(Delete(partition, keys.PURCHASES))
    elif writing.purchases:
        found.append(Put(dump(writing.purchases, (partition, keys.PURCHASES))))
    if writing.engagement:
        found += engagement_operations(store_id, writing.contact_id, writing.engagement)
    kept = {Timeline.sort_key(event) for event in writing.events}
    found += [Put(event_item(partition, event)) for event in writing.events]
    gone = {keys.timeline(rfc3339(entry.at), entry.event_id) for entry in writing.events_gone} - kept
    found += [Delete(partition, sk) for sk in sorted(gone)]
    for event in writing.seen:
        pk, sk = keys.event_seen(store_id, event.id)
        item = {"pk": pk, "sk": sk, "contact_id": writing.contact_id, "event": event.model_dump(mode="json")}
        found.append(Put(item, new=True))
    return found


def _order_key(order: ContactOrder) -> str:
    return keys.contact_order(rfc3339(order.paid_at), order.order_id)


def _profile(store_id: str, contact: Contact) -> list[Put | Delete]:
    """The profile, and what its entries in the index of days are now."""
    entries = contact_entries(contact) if contact.merged_into is None else {}
    written = contact.model_copy(update={"rev": contact.rev + 1, "indexed": entries})
    listing: dict[str, str] = {}
    if contact.merged_into is None:
        listing = {
            "gsi1pk": keys.listing("CONTACTS", store_id, identifier=contact.id),
            "gsi1sk": Contacts.sort_key(contact),
        }
    profile = Put(dump(written, (keys.contact(store_id, contact.id), keys.PROFILE), **listing), rev=contact.rev)
    return [profile, *entry_operations(store_id, contact.id, changes(entries, contact.indexed))]
