"""From what the Admin API told of a record to its body: the parts are gathered, and what is missing is asked for.

A bulk operation's file tells a record's parts as lines of their own; a page's query tells the first of them, and
whether there are more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from chalicelib.commerce.trouble import ShopTrouble, TroubleCode
from chalicelib.store_adapters.shopify_bodies import customer_body, order_body, product_body
from chalicelib.store_adapters.shopify_bulk import Admin

_KIND = re.compile(r"gid://shopify/([A-Za-z0-9]{1,40})/")
_MEDIA = ("MediaImage", "Video", "ExternalVideo", "Model3d")
_MOST_PAGES = 100  # of one record's parts

Json = dict[str, Any]
Node = Mapping[str, Any]


class Strange(Exception):
    """A record of a kind that was not asked for. The text quotes nothing that the shop wrote."""


def _order_of_file(admin: Admin, order: Json, parts: Sequence[Json]) -> Json:
    """What went back by a refund is told in one sum; where some of its transactions came to nothing, one by one."""
    _must_be(order, "Order")
    if any(one.get("kind") == "REFUND" and one.get("status") != "SUCCESS" for one in _list(order, "transactions")):
        order = {**order, "refunds": _refunds(admin, order)}
    return order_body(order, parts)


def _order_of_page(admin: Admin, order: Json) -> Json:
    _must_be(order, "Order")
    if any(_has_more(_object(refund, "transactions")) for refund in _list(order, "refunds")):
        order = {**order, "refunds": _refunds(admin, order)}
    return order_body(order, list(_all(admin, order, "order", "lineItems", "order_line_items")))


def _refunds(admin: Admin, order: Json) -> list[Json]:
    told = _object(admin.ask("order_refunds", {"id": order["id"]}), "order")
    return _list(told, "refunds")


def _customer_of_file(admin: Admin, customer: Json, parts: Sequence[Json]) -> Json:
    return _customer_of_page(admin, customer)


def _customer_of_page(admin: Admin, customer: Json) -> Json:
    _must_be(customer, "Customer")
    return customer_body(customer)


def _product_of_file(admin: Admin, product: Json, parts: Sequence[Json]) -> Json:
    _must_be(product, "Product")
    collections: list[Json] = []
    variants: dict[Any, Json] = {}
    for part in parts:
        kind = kind_of(part)
        if kind == "Collection":
            collections.append(part)
        elif kind == "ProductVariant":
            variants[part["id"]] = {**part, "media": []}
        elif variant := variants.get(part.get("__parentId")):
            variant["media"].append(part)
    return product_body(product, collections, list(variants.values()))


def _product_of_page(admin: Admin, product: Json) -> Json:
    _must_be(product, "Product")
    collections = list(_all(admin, product, "product", "collections", "product_collections"))
    variants = _all(admin, product, "product", "variants", "product_variants")
    plain = [{**variant, "media": _list(_object(variant, "media"), "nodes")} for variant in variants]
    return product_body(product, collections, plain)


PARTS = {"products": ("Collection", "ProductVariant", *_MEDIA), "orders": ("LineItem",)}
BULK_BODIES: dict[str, Callable[[Admin, Json, Sequence[Json]], Json]] = {
    "products": _product_of_file,
    "customers": _customer_of_file,
    "orders": _order_of_file,
}
CHANGED_BODIES: dict[str, Callable[[Admin, Json], Json]] = {
    "products": _product_of_page,
    "customers": _customer_of_page,
    "orders": _order_of_page,
}


def _all(admin: Admin, record: Json, noun: str, name: str, document: str) -> Iterator[Json]:
    """All of a record's parts: those that were told, then the next pages of them. Raises `ShopTrouble`."""
    told = _object(record, name)
    for _ in range(_MOST_PAGES):
        yield from _list(told, "nodes")
        if not _has_more(told):
            return
        after = _object(told, "pageInfo").get("endCursor")
        told = _object(_object(admin.ask(document, {"id": record["id"], "after": after}), noun), name)
    raise ShopTrouble(TroubleCode.TOO_LARGE)


def _has_more(connection: Node) -> bool:
    return bool(_object(connection, "pageInfo").get("hasNextPage"))


def kind_of(node: Node) -> str | None:
    """The kind of record, by its id."""
    found = _KIND.match(str(node.get("id")))
    return found[1] if found else None


def _must_be(node: Node, kind: str) -> None:
    if kind_of(node) != kind:
        raise Strange(f"id: expected that of {kind}")


def _object(node: Node, name: str) -> Json:
    value = node.get(name)
    return value if isinstance(value, dict) else {}


def _list(node: Node, name: str) -> list[Json]:
    value = node.get(name)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
