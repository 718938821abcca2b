"""A Shopify shop's catalogue: bodies of its webhooks about products, their stock and collections."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from local.demo.shop import Ware
from local.demo.shopify import Shop, gid


def variant_id(ware: Ware) -> int:
    """Shopify gives every product a variant, also one that has no choice."""
    return ware.variation_id or ware.id * 10 + 1


def stock_item_id(ware: Ware) -> int:
    """What inventory levels are about."""
    return variant_id(ware) * 10 + 7


def product_told(
    shop: Shop, wares: tuple[Ware, ...], modified: datetime, *, stock: dict[int, int] | None = None, **changed: Any
) -> dict[str, Any]:
    """A product with all its choices (`wares` has one for each, or is a product without choice).

    `stock` by variant id; a variant that is not in it is not counted. `changed` replaces fields.
    """
    first = wares[0]
    picture = {
        "id": first.id * 10 + 5,
        "admin_graphql_api_id": gid("ProductImage", first.id * 10 + 5),
        "product_id": first.id,
        "position": 1,
        "alt": None,
        "width": 800,
        "height": 800,
        "src": f"{shop.pictures}/{first.picture}.svg",
        "variant_ids": [],
        "created_at": shop.time(modified),
        "updated_at": shop.time(modified),
    }
    variants = [
        _variant(shop, ware, n, modified, (stock or {}).get(variant_id(ware))) for n, ware in enumerate(wares, 1)
    ]
    told = {
        "id": first.id,
        "admin_graphql_api_id": gid("Product", first.id),
        "title": first.name,
        "body_html": None,
        "vendor": "Agala's own",
        "product_type": first.category[1],
        "handle": first.picture,
        "status": "active",
        "tags": "",
        "template_suffix": None,
        "published_scope": "web",
        "published_at": shop.time(modified),
        "created_at": shop.time(modified),
        "updated_at": shop.time(modified),
        "category": None,
        "has_variants_that_requires_components": False,
        "variants": variants,
        "variant_gids": [
            {"admin_graphql_api_id": one["admin_graphql_api_id"], "updated_at": one["updated_at"]} for one in variants
        ],
        "options": [
            {
                "id": first.id * 10 + 3,
                "product_id": first.id,
                "name": "Choice" if first.choice else "Title",
                "position": 1,
                "values": [_choice(ware) for ware in wares],
            }
        ],
        "images": [picture],
        "image": picture,
        "media": [],
        "metafields": _metafields(first),
    }
    return {**told, **changed}


def _variant(shop: Shop, ware: Ware, position: int, modified: datetime, stock: int | None) -> dict[str, Any]:
    return {
        "id": variant_id(ware),
        "admin_graphql_api_id": gid("ProductVariant", variant_id(ware)),
        "product_id": ware.id,
        "title": _choice(ware),
        "option1": _choice(ware),
        "option2": None,
        "option3": None,
        "position": position,
        "price": shop.text(ware.price),
        "compare_at_price": None,
        "sku": f"TEA-{ware.variation_id or ware.id}",
        "barcode": None,
        "taxable": True,
        "image_id": None,
        "inventory_item_id": stock_item_id(ware),
        "inventory_policy": "deny",
        "inventory_management": None if stock is None else "shopify",
        "inventory_quantity": stock or 0,
        "old_inventory_quantity": stock or 0,
        "created_at": shop.time(modified),
        "updated_at": shop.time(modified),
    }


def _choice(ware: Ware) -> str:
    return ware.choice or "Default Title"


def _metafields(ware: Ware) -> list[dict[str, Any]]:
    """Sent where the webhook was registered with the namespace `agala`."""
    if ware.lifetime_days is None:
        return []
    return [
        {
            "id": ware.id * 10 + 9,
            "admin_graphql_api_id": gid("Metafield", ware.id * 10 + 9),
            "namespace": "agala",
            "key": "lifetime_days",
            "value": str(ware.lifetime_days),
            "type": "number_integer",
            "description": None,
            "owner_id": ware.id,
            "owner_resource": "product",
        }
    ]


def stock_told(shop: Shop, ware: Ware, available: int | None, modified: datetime, location: int = 61) -> dict[str, Any]:
    """`inventory_levels/update`. `available` is None where the place does not count."""
    return {
        "inventory_item_id": stock_item_id(ware),
        "location_id": location,
        "available": available,
        "updated_at": shop.time(modified),
        "admin_graphql_api_id": f"{gid('InventoryLevel', location)}?inventory_item_id={stock_item_id(ware)}",
    }
