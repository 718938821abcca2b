"""A store's email templates: the newest in the store's partition, every version in one of the template's own."""

from __future__ import annotations

from chalicelib.messages.template import MessageTemplate
from chalicelib.storage import keys
from chalicelib.storage.records import dump, load
from chalicelib.storage.table import Delete, Put, Table


class MessageTemplates:
    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, store_id: str, template_id: str, version: int | None = None) -> MessageTemplate | None:
        """The newest, or that version of it."""
        key = keys.message_template(store_id, template_id)
        if version is not None:
            key = keys.message_template_version(store_id, template_id, version)
        item = self._table.get(*key)
        return load(MessageTemplate, item) if item else None

    def save(self, template: MessageTemplate) -> MessageTemplate:
        """The next version. Raises `Conflict` if somebody was quicker."""
        written = template.model_copy(update={"rev": template.rev + 1})
        newest = keys.message_template(template.store_id, template.id)
        version = keys.message_template_version(template.store_id, template.id, template.version)
        self._table.transact([Put(dump(written, newest), rev=template.rev), Put(dump(written, version))])
        return written

    def of_store(self, store_id: str) -> list[MessageTemplate]:
        """By id."""
        pk, prefix = keys.message_template(store_id, "")
        return [load(MessageTemplate, item) for item in self._table.query(pk, prefix=prefix)]

    def versions(self, store_id: str, template_id: str) -> list[MessageTemplate]:
        """Oldest first, also of one that was deleted."""
        pk, _ = keys.message_template_version(store_id, template_id, 0)
        return [load(MessageTemplate, item) for item in self._table.query(pk, prefix="V#")]

    def delete(self, template: MessageTemplate) -> None:
        """Its versions stay. Raises `Conflict` if somebody was quicker."""
        self._table.transact([Delete(*keys.message_template(template.store_id, template.id), rev=template.rev)])
