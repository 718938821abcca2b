"""A product, or one variation of a product, as a store tells it."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from chalicelib.commerce.money import Money
from chalicelib.commerce.snapshot import Version


class Category(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: str
    name: str


class Product(BaseModel):
    """`lifetime_days`: after how many days one unit is used up, for consumables; None otherwise.

    `collections`: categories that are told apart from the product (Shopify's collections); None where this telling
    says nothing of them, so that it takes none away (`ProductRecord.current`).
    `variants`: ids of its variations, where the store tells a product with all of them.
    `inventory_item`: by what its levels at several places are told, where they are (commerce.stock); `stock` is then
    how many there are in all of them, `locations` in how many, and `keeps_selling` that it is sold when none is left.
    `published_at`: since when shoppers find it in the shop, as far as the store tells; None while they do not.
    `stock_known` False: this telling does not say whether it is there, and changes nothing of what is known.
    """

    model_config = ConfigDict(frozen=True)

    external_id: str
    parent_id: str | None = None
    version: Version
    name: str
    price: Money | None = None
    regular_price: Money | None = None
    in_stock: bool = True
    stock_known: bool = True
    stock: int | None = None
    published: bool = True
    published_at: datetime | None = None
    categories: tuple[Category, ...] = ()
    collections: tuple[Category, ...] | None = None
    image: str | None = None
    url: str | None = None
    sku: str | None = None
    lifetime_days: int | None = None
    variants: tuple[str, ...] = ()
    inventory_item: str | None = None
    keeps_selling: bool = False
    locations: int | None = None
