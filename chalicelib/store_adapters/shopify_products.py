"""Shopify's products: one body tells the product and all its variants; their stock also comes place by place."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from chalicelib.commerce.product import Category, Product
from chalicelib.commerce.snapshot import Version
from chalicelib.commerce.store import Store
from chalicelib.store_adapters.reading import Fields
from chalicelib.store_adapters.shopify_collections import collections_of

_LONGEST_LIFETIME = 3650  # days
# ProductStatus in small letters: whether shoppers see it.
PRODUCT_STATUSES = {"active": True, "unlisted": True, "draft": False, "archived": False}
_LISTED = {**PRODUCT_STATUSES, "unlisted": False}  # whether they find it without knowing its address
# ProductVariantInventoryPolicy in small letters: whether it is sold when none is left.
INVENTORY_POLICIES = {"continue": True, "deny": False}
_ONLY_VARIANT = "Default Title"  # Shopify's name for the variant of a product that has none


def products(fields: Fields, store: Store, body_hash: str) -> list[Product]:
    """The variants (none where the product has no choice), then the product itself.

    Of a product with more than a hundred variants a webhook tells a hundred, and the ids of all (`variant_gids`): then
    how many are left in all is not known, nor whether any is where all that were told of are sold out.

    In this order the intake folds what levels say of the variants into the product once, at the end.
    """
    external_id = fields.identifier("id")
    modified_at = fields.moment("updated_at") or fields.moment("created_at") or fields.wrong("updated_at", "a time")
    version = Version(modified_at=modified_at, body_hash=body_hash)
    variants = list(fields.items("variants"))
    published = _word(fields, "status", PRODUCT_STATUSES, "active") and "published_at" in fields
    handle = fields.text("handle", 255)
    url = f"{store.url.rstrip('/')}/products/{quote(handle)}" if handle else None
    pictures = {picture.optional_identifier("id"): picture.link("src") for picture in fields.items("images")}
    picture = fields.child("image").link("src") or next((src for src in pictures.values() if src), None)
    parts = [_variant(variant, version, store, pictures) for variant in variants]
    cheapest = min(
        (part for part in parts if part.price), key=lambda part: part.price.amount if part.price else 0, default=None
    )
    untold = _untold(fields, parts)
    counted = [max(0, part.stock) for part in parts if part.stock is not None]
    product = Product(
        external_id=external_id,
        version=version,
        name=fields.text("title") or "",
        price=cheapest.price if cheapest else None,
        regular_price=cheapest.regular_price if cheapest else None,
        in_stock=any(part.in_stock for part in parts) or not parts or bool(untold),
        stock_known=any(part.in_stock for part in parts) or not untold,
        stock=sum(counted) if counted and len(counted) == len(parts) and not untold else None,
        published=published,
        published_at=fields.moment("published_at") if _word(fields, "status", _LISTED, "active") else None,
        categories=_categories(fields),
        collections=collections_of(fields),
        image=picture,
        url=url,
        sku=parts[0].sku if len(parts) == 1 else None,
        lifetime_days=_lifetime_days(fields),
    )
    if len(variants) == 1 and variants[0].text("title") == _ONLY_VARIANT:
        only = parts[0]
        counted_as = ("inventory_item", "keeps_selling", "locations", "stock", "in_stock")
        return [product.model_copy(update={name: getattr(only, name) for name in counted_as})]
    return [
        *(
            part.model_copy(
                update={
                    "parent_id": external_id,
                    "name": f"{product.name} - {part.name}" if part.name else product.name,
                    "published": published,
                    "published_at": product.published_at,
                    "categories": product.categories,
                    "collections": product.collections,
                    "image": part.image or picture,
                    "url": f"{url}?variant={part.external_id}" if url else None,
                    "lifetime_days": product.lifetime_days,
                }
            )
            for part in parts
        ),
        product.model_copy(update={"variants": (*(part.external_id for part in parts), *untold)}),
    ]


def _untold(product: Fields, told: list[Product]) -> tuple[str, ...]:
    """The ids of variants that there are too, and that this body had no room for."""
    known = {part.external_id for part in told}
    every = [variant.optional_identifier("admin_graphql_api_id") for variant in product.items("variant_gids")]
    return tuple(one for one in dict.fromkeys(every) if one and one not in known)


def _variant(variant: Fields, version: Version, store: Store, pictures: dict[str | None, str | None]) -> Product:
    """What a variant tells of itself; the product adds the rest."""
    price = variant.optional_money("price", store.currency)
    tracked = "inventory_management" in variant
    stock = variant.whole("inventory_quantity") if tracked else None
    keeps_selling = _word(variant, "inventory_policy", INVENTORY_POLICIES, "deny")
    return Product(
        external_id=variant.identifier("id"),
        version=version,
        name=variant.text("title") or "",
        price=price,
        regular_price=variant.optional_money("compare_at_price", store.currency) or price,
        in_stock=stock is None or stock > 0 or keeps_selling,
        stock=stock,
        inventory_item=variant.optional_identifier("inventory_item_id") if tracked else None,
        keeps_selling=keeps_selling,
        locations=variant.whole("inventory_locations"),
        image=pictures.get(variant.optional_identifier("image_id")) if "image_id" in variant else None,
        sku=variant.text("sku", 100),
    )


def _word(fields: Fields, name: str, words: Mapping[str, bool], default: str) -> bool:
    """What a word of Shopify's means. One that we do not know is named: it may mean anything."""
    word = (fields.text(name, 40) or default).lower()
    return words[word] if word in words else fields.wrong(name, f"one of {', '.join(words)}")


def _categories(fields: Fields) -> tuple[Category, ...]:
    """Shopify's own category and the shop's product type."""
    found = []
    category = fields.child("category")
    if taxonomy := category.text("admin_graphql_api_id", 200):
        found.append(Category(id=taxonomy.rsplit("/", 1)[-1], name=category.text("name", 200) or ""))
    if kind := fields.text("product_type", 200):
        found.append(Category(id=f"type:{kind.casefold()}", name=kind))
    return tuple(found)


def _lifetime_days(fields: Fields) -> int | None:
    """The metafield `agala.lifetime_days`, sent where the webhook was registered with it."""
    for metafield in fields.items("metafields"):
        if metafield.text("namespace", 60) == "agala" and metafield.text("key", 60) == "lifetime_days":
            days = metafield.whole("value")
            return days if days is not None and 0 < days <= _LONGEST_LIFETIME else None
    return None
