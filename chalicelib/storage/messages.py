"""Messages: the conditional put of one is the claim to send it."""

from __future__ import annotations

from chalicelib.clock import rfc3339
from chalicelib.ids import contact_of
from chalicelib.messages.message import Message
from chalicelib.storage import keys
from chalicelib.storage.records import dump, load
from chalicelib.storage.table import ConditionFailed, Put, Table


class Messages:
    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, store_id: str, message_id: str, contact_id: str | None = None) -> Message | None:
        """`contact_id` is where it lives now, if a merge moved it away from the contact in its id."""
        partition = keys.contact(store_id, contact_id or contact_of(message_id))
        item = self._table.get(partition, keys.message(message_id))
        return load(Message, item) if item else None

    def claim(self, message: Message) -> bool:
        """True for exactly one caller, ever."""
        try:
            self._table.put(Put(self.item(message), new=True))
        except ConditionFailed:
            return False
        return True

    def save(self, message: Message) -> Message:
        """Raises `Conflict` if somebody was quicker."""
        written = message.model_copy(update={"rev": message.rev + 1})
        self._table.put(Put(self.item(written), rev=message.rev))
        return written

    def of_contact(self, store_id: str, contact_id: str) -> list[Message]:
        found = [load(Message, item) for item in self._table.query(keys.contact(store_id, contact_id), prefix="M#")]
        return sorted(found, key=self.sort_key)

    def of_store(self, store_id: str, after: str | None = None, limit: int = 100) -> list[Message]:
        """Oldest first; `after` is the `sort_key` of the last one seen."""
        return [load(Message, item) for item in self._table.listing("MESSAGES", store_id, after=after, limit=limit)]

    @staticmethod
    def sort_key(message: Message) -> str:
        return f"{rfc3339(message.created_at)}#{message.id}"

    def item(self, message: Message) -> dict[str, object]:
        key = (keys.contact(message.store_id, message.contact_id), keys.message(message.id))
        listing = keys.listing("MESSAGES", message.store_id, identifier=message.id)
        return dump(message, key, gsi1pk=listing, gsi1sk=self.sort_key(message))
