"""Who may call us: API tokens scoped to stores, and what a shop gets to connect itself. Secrets are kept as hashes."""

from __future__ import annotations

import hashlib
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

ALL_STORES = "*"


class Token(BaseModel):
    """`stores` lists store ids, or `*` for all and for making stores and tokens. `hash` is SHA-256 in hex.

    In the table `expires_at` is the attribute by which DynamoDB drops records, so this one has another name there.
    """

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    id: str
    name: str
    hash: str
    stores: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None = Field(default=None, alias="good_until")

    def covers(self, store_id: str) -> bool:
        return ALL_STORES in self.stores or store_id in self.stores

    def good_at(self, now: datetime) -> bool:
        return self.expires_at is None or now < self.expires_at


class ConnectionCode(BaseModel):
    """Lets one shop connect itself, once. `store_id` None: it makes a store, or takes the one of the same address.

    `shop` is the address to which its owner said yes, where there was one: no other shop's store is taken with it.
    """

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    hash: str
    store_id: str | None = None
    shop: str | None = None
    created_at: datetime
    expires_at: datetime = Field(alias="good_until")
    used_at: datetime | None = None


class KeyHandover(BaseModel):
    """The address where a shop hands over its REST keys, once. `keys_hash`: which ones came: a repeat is no other."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    hash: str
    store_id: str
    expires_at: datetime = Field(alias="good_until")
    keys_hash: str | None = None


class ShopifyState(BaseModel):
    """One walk of a shop's owner through Shopify's grant page, once. Its times are real: the page is Shopify's.

    `hash` is of the state that Shopify brings back, `browser` that of the cookie of the browser in which it began
    (None: an address that was made over the API, which may be opened anywhere). `store_id`: the store that the shop
    is to become.
    """

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    hash: str
    shop: str
    store_id: str | None = None
    browser: str | None = None
    expires_at: datetime = Field(alias="good_until")
    used_at: datetime | None = None


def token_hash(secret: str) -> str:
    """Tokens are 256 random bits, so a plain hash is enough: there is nothing to guess."""
    return hashlib.sha256(secret.encode()).hexdigest()
