"""Carts, and the pointers by which their contact knows them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from chalicelib.commerce.cart import CartRecord
from chalicelib.contacts.ports import Writing
from chalicelib.storage import keys
from chalicelib.storage.contacts import operations
from chalicelib.storage.records import dump, load
from chalicelib.storage.table import Delete, Item, Put, Table

KEPT = timedelta(days=180)  # after the last activity
_POINTER_KEPT = KEPT + timedelta(days=31)  # it is written once in a calendar month of activity, and outlives its cart


class Carts:
    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, store_id: str, token: str) -> CartRecord | None:
        item = self._table.get(*keys.cart(store_id, token))
        return load(CartRecord, item) if item else None

    def write(
        self,
        record: CartRecord,
        writings: Sequence[Writing] = (),
        pointer_in: str | None = None,
        pointers_gone: Sequence[str] = (),
    ) -> CartRecord:
        """Record, contacts and pointers in one transaction, each record over the revision it has. Raises `Conflict`.

        `pointer_in` and `pointers_gone` are contacts: who is to know this cart, and who no longer.
        """
        written = record.model_copy(update={"rev": record.rev + 1})
        found: list[Put | Delete] = [Put(cart_item(written), rev=record.rev)]
        for writing in writings:
            found += operations(record.store_id, writing)
        if pointer_in:
            found.append(Put(_pointer(record, pointer_in)))
        sk = keys.contact_cart(record.token)
        found += [Delete(keys.contact(record.store_id, contact_id), sk) for contact_id in pointers_gone]
        self._table.transact(found)
        return written


def cart_item(record: CartRecord) -> Item:
    last = max(filter(None, (record.last_activity_at, record.bought_at, record.first_at)), default=None)
    return dump(record, keys.cart(record.store_id, record.token), **_expiry(last, KEPT), **_listing(record))


def _listing(record: CartRecord) -> Item:
    """A restore link may lead to what somebody typed."""
    if record.contact_id or record.latest is None or record.latest.restore_url is None:
        return {}
    return {"gsi1pk": keys.nobodys(record.store_id, record.token), "gsi1sk": f"cart#{record.token}"}


def _pointer(record: CartRecord, contact_id: str) -> Item:
    pk, sk = keys.contact(record.store_id, contact_id), keys.contact_cart(record.token)
    return {"pk": pk, "sk": sk, "token": record.token, **_expiry(record.last_activity_at, _POINTER_KEPT)}


def _expiry(last: datetime | None, length: timedelta) -> Item:
    return {"expires_at": int((last + length).timestamp())} if last else {}
