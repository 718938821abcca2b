"""Entries of the index of days, written together with the record that they follow from."""

from __future__ import annotations

from chalicelib.contacts.day_index import Changes, changes, engagement_entries
from chalicelib.contacts.engagement import Engagement
from chalicelib.storage import keys
from chalicelib.storage.records import dump
from chalicelib.storage.table import Delete, Put


def entry_operations(store_id: str, contact_id: str, changes: Changes) -> list[Put | Delete]:
    """What the table does, for the transaction that writes the profile or the engagement."""
    partition = keys.contact(store_id, contact_id)
    return [
        Delete(partition, keys.day_entry(name))
        if place is None
        else Put(
            {
                "pk": partition,
                "sk": keys.day_entry(name),
                "gsi1pk": keys.listing("DATES", store_id, name, identifier=contact_id),
                "gsi1sk": f"{place}#{contact_id}",
            }
        )
        for name, place in changes.items()
    ]


def engagement_operations(store_id: str, contact_id: str, engagement: Engagement) -> list[Put | Delete]:
    """The engagement over the revision that it has, and what its entries are now."""
    entries = engagement_entries(engagement)
    written = engagement.model_copy(update={"rev": engagement.rev + 1, "indexed": entries})
    put = Put(dump(written, (keys.contact(store_id, contact_id), keys.ENGAGEMENT)), rev=engagement.rev)
    return [put, *entry_operations(store_id, contact_id, changes(entries, engagement.indexed))]
