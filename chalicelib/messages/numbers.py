"""Which stores send from the number that somebody replied to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from chalicelib.commerce.store import Store
from chalicelib.contacts.consent import Channel
from chalicelib.messages.replies import Reply

_TOGETHER = 200


class Stores(Protocol):
    """`storage.stores.Stores`."""

    def get(self, store_id: str) -> Store | None: ...

    def list(self, after: str | None = None, limit: int = 100) -> Sequence[Store]: ...


class Gateways(Protocol):
    """Which stores have a provider of their own."""

    def has(self, store_id: str, channel: Channel) -> bool: ...


class SenderNumbers:
    """A `Numbers`. `sms` and `whatsapp` are the deployment's own numbers, for stores that name none.

    A store with a gateway hears what its gateway tells, and nobody else does: whoever sets one store up must not be
    able to speak in the name of another's customers.
    """

    def __init__(self, stores: Stores, gateways: Gateways, sms: str | None, whatsapp: str | None) -> None:
        self._stores, self._gateways = stores, gateways
        self._own = {Channel.SMS: sms, Channel.WHATSAPP: whatsapp}

    def stores_of(self, reply: Reply) -> list[Store]:
        if reply.store_id is not None:
            store = self._stores.get(reply.store_id)
            return [store] if store is not None else []
        numbers = {_plain(number) for number in reply.numbers}
        return [
            store
            for store in self._all()
            if _plain(self._number(store, reply.channel)) in numbers and not self._gateways.has(store.id, reply.channel)
        ]

    def _number(self, store: Store, channel: Channel) -> str:
        named = store.settings.sender.sms if channel is Channel.SMS else None
        return named or self._own.get(channel) or ""

    def _all(self) -> list[Store]:
        found = list(self._stores.list(limit=_TOGETHER))
        while len(found) % _TOGETHER == 0 and (more := self._stores.list(found[-1].id if found else None, _TOGETHER)):
            found += more
        return found


def _plain(number: str) -> str:
    return number.removeprefix("+")
