"""The timeline: complete events in the contact's partition, in the order in which they happened."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chalicelib.clock import rfc3339
from chalicelib.commerce.event import Event
from chalicelib.contacts.ports import Removal
from chalicelib.storage import keys
from chalicelib.storage.records import dump, load
from chalicelib.storage.table import Item, Put, Table


class Timeline:
    def __init__(self, table: Table) -> None:
        self._table = table

    def append(self, store_id: str, contact_id: str, event: Event) -> None:
        """The same event again changes nothing."""
        self._table.put(Put(event_item(keys.contact(store_id, contact_id), event)))

    def of_contact(
        self,
        store_id: str,
        contact_id: str,
        before: str | None = None,
        limit: int = 100,
        since: datetime | None = None,
    ) -> list[Event]:
        """Newest first; `before` is the `sort_key` of the last one seen; none from before `since`."""
        found = self._table.query(
            keys.contact(store_id, contact_id),
            prefix="T#",
            after=keys.timeline(rfc3339(since), "") if since else None,
            before=before,
            limit=limit,
            newest_first=True,
        )
        return [load(Event, item) for item in found]

    def since(self, store_id: str, contact_id: str, moment: datetime) -> list[Event]:
        """Everything from this moment on, oldest first."""
        start = keys.timeline(rfc3339(moment), "")
        found = self._table.query(keys.contact(store_id, contact_id), prefix="T#", after=start)
        return [load(Event, item) for item in found]

    def entries(self, store_id: str, contact_id: str, wanted: Sequence[Removal]) -> list[Event]:
        partition = keys.contact(store_id, contact_id)
        asked = [(partition, keys.timeline(rfc3339(entry.at), entry.event_id)) for entry in wanted]
        found: list[Event] = []
        for start in range(0, len(asked), 100):
            found += [load(Event, item) for item in self._table.get_many(asked[start : start + 100])]
        return found

    @staticmethod
    def sort_key(event: Event) -> str:
        return keys.timeline(rfc3339(event.occurred_at), event.id)


def event_item(partition: str, event: Event) -> Item:
    return dump(event, (partition, Timeline.sort_key(event)))
