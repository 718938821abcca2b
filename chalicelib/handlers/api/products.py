"""`/v1/stores/{s}/products`: a product as the store told it, in our words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from chalice.app import Blueprint

from chalicelib.commerce.money import Money
from chalicelib.commerce.product import Category
from chalicelib.commerce.stock import told_at
from chalicelib.errors import NotFound
from chalicelib.handlers.api.shapes import Answer, Time
from chalicelib.handlers.http import Call, door

if TYPE_CHECKING:
    from chalicelib.commerce.ports import CollectionRecord

products = Blueprint(__name__)


class ProductAnswer(Answer):
    """`lifetime_days`: after how many days one unit is used up. `deleted`: the store has it no longer.

    `back_in_stock_at`: since when it is to be had again, if it is and was sold out before.
    """

    external_id: str
    parent_id: str | None
    name: str
    price: Money | None
    regular_price: Money | None
    in_stock: bool
    stock: int | None
    published: bool
    categories: list[Category]
    image: str | None
    url: str | None
    sku: str | None
    lifetime_days: int | None
    back_in_stock_at: Time | None
    modified_at: Time
    deleted: bool


def _named(category: Category, named: Mapping[str, CollectionRecord]) -> Category:
    """A collection by its newest name."""
    told = named.get(category.id)
    return Category(id=category.id, name=told.name or category.name) if told else category


def _is_gone(category: Category, named: Mapping[str, CollectionRecord]) -> bool:
    return category.id in named and named[category.id].deleted


@door(
    products,
    "GET",
    "/v1/stores/{store_id}/products/{external_id}",
    summary="A product, as the store told it last",
    scope="store",
    answers=ProductAnswer,
)
def get_product(call: Call) -> ProductAnswer:
    record = call.wiring.products.get(call.store.id, call.path["external_id"])
    product = record.current if record else None
    if record is None or product is None:
        raise NotFound("no such product")
    kept = {name: getattr(product, name) for name in ProductAnswer.model_fields if hasattr(product, name)}
    named = call.wiring.products.collections(call.store.id, [one.id for one in record.collections])
    if named:
        kept["categories"] = [_named(one, named) for one in product.categories if not _is_gone(one, named)]
    return ProductAnswer(
        **kept,
        back_in_stock_at=told_at(record.back_by),
        modified_at=product.version.modified_at,
        deleted=record.is_deleted,
    )
