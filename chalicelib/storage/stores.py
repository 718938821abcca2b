"""Stores and who may call us for them."""

from __future__ import annotations

from chalicelib.access import Token
from chalicelib.commerce.store import Store
from chalicelib.errors import Conflict
from chalicelib.storage import keys
from chalicelib.storage.records import dump, load
from chalicelib.storage.table import Delete, Put, Table


class Stores:
    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, store_id: str) -> Store | None:
        item = self._table.get(*keys.store(store_id))
        return load(Store, item) if item else None

    def save(self, store: Store) -> Store:
        """Write over the revision that was read. Raises `Conflict` if somebody was quicker."""
        written = store.model_copy(update={"rev": store.rev + 1})
        self._table.put(self._put(written, store.rev))
        return written

    def of_shop(self, domain: str) -> Store | None:
        """The store that is or was connected to the shop of this domain (`tea.myshopify.com`)."""
        item = self._table.get(*keys.shop(domain))
        return self.get(str(item["store_id"])) if item else None

    def point_shop(self, domain: str, store_id: str) -> None:
        """From now on the shop of this domain is this store."""
        pk, sk = keys.shop(domain)
        self._table.put(Put({"pk": pk, "sk": sk, "store_id": store_id}))

    def save_as_shop(self, store: Store, domain: str) -> Store:
        """`save`, and from now on the shop of this domain is this store, unless it became another one meanwhile.

        Raises `Conflict` if somebody was quicker.
        """
        written = store.model_copy(update={"rev": store.rev + 1})
        pk, sk = keys.shop(domain)
        before = self._table.get(pk, sk)
        pointed = Put({"pk": pk, "sk": sk, "store_id": store.id}, new=True)
        if before is not None:
            if before["store_id"] != store.id and self.get(str(before["store_id"])) is not None:
                raise Conflict("the shop is another store")
            pointed = Put(pointed.item, condition="store_id = :before", values={":before": before["store_id"]})
        self._table.transact([self._put(written, store.rev), pointed])
        return written

    def delete(self, store_id: str) -> None:
        self._table.delete(*keys.store(store_id))

    def list(self, after: str | None = None, limit: int = 100) -> list[Store]:
        """In order of their ids, which is the order of their making; `after` is a store id."""
        return [load(Store, item) for item in self._table.listing("STORES", after=after, limit=limit)]

    @staticmethod
    def _put(store: Store, over: int) -> Put:
        listing = keys.listing("STORES", identifier=store.id)
        return Put(dump(store, keys.store(store.id), gsi1pk=listing, gsi1sk=store.id), rev=over)


class Tokens:
    def __init__(self, table: Table) -> None:
        self._table = table

    def find(self, token_hash: str) -> Token | None:
        item = self._table.get(*keys.token(token_hash))
        return load(Token, item) if item else None

    def get(self, token_id: str) -> Token | None:
        """By id, through the index: a moment behind in production."""
        listing = keys.listing("TOKENS", identifier=token_id)
        found = self._table.query(listing, prefix=token_id, limit=1, index=True)
        return load(Token, found[0]) if found else None

    def put(self, token: Token) -> None:
        self._table.put(self._put(token))

    def replace(self, old: Token, new: Token) -> None:
        """The same token under a new hash; the old hash ends in the same moment."""
        self._table.transact([self._put(new), Delete(*keys.token(old.hash))])

    def delete(self, token: Token) -> None:
        self._table.delete(*keys.token(token.hash))

    def list(self, after: str | None = None, limit: int = 100) -> list[Token]:
        return [load(Token, item) for item in self._table.listing("TOKENS", after=after, limit=limit)]

    @staticmethod
    def _put(token: Token) -> Put:
        listing = keys.listing("TOKENS", identifier=token.id)
        return Put(dump(token, keys.token(token.hash), gsi1pk=listing, gsi1sk=token.id))
