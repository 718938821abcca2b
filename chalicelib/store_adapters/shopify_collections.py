"""Shopify's collections: categories that a shop puts products into, told apart from them."""

from __future__ import annotations

from datetime import UTC, datetime

from chalicelib.commerce.change import Change, CollectionDeleted, CollectionTold, Nothing
from chalicelib.commerce.product import Category
from chalicelib.commerce.snapshot import Version
from chalicelib.commerce.store import Store
from chalicelib.store_adapters.reading import Fields

_BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)


def collections_of(product: Fields) -> tuple[Category, ...] | None:
    """What the shop's history says beside a product; a webhook has no such list, and then says nothing of them."""
    if "collections" not in product:
        return None
    return tuple(
        Category(id=one.identifier("id"), name=one.text("title", 200) or "") for one in product.items("collections")
    )


def collection(fields: Fields, store: Store, body_hash: str) -> list[Change]:
    """`collections/update` tells what it is called, not what is in it. Without a time any other telling is newer."""
    identifier, title = fields.identifier("id"), fields.text("title", 200)
    if title is None:
        return [Nothing("a collection without a title")]
    version = Version(modified_at=fields.moment("updated_at") or _BEFORE_ALL, body_hash=body_hash)
    return [CollectionTold(identifier, title, version)]


def collection_deleted(fields: Fields, store: Store, body_hash: str) -> list[Change]:
    return [CollectionDeleted(fields.identifier("id"))]
