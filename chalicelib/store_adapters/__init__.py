"""Store platforms: each adapter turns one platform's deliveries into our words. docs/adding-a-store-platform.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.errors import NotFound

if TYPE_CHECKING:
    from chalicelib.store_adapters.base import StoreAdapter


def adapter_for(platform: str) -> StoreAdapter:
    """The platform's adapter, imported when first asked for. Raises `NotFound` for one we do not know."""
    if platform == "woocommerce":
        from chalicelib.store_adapters.woocommerce import WooCommerce

        return WooCommerce()
    if platform == "shopify":
        from chalicelib.store_adapters.shopify import Shopify

        return Shopify()
    if platform == "plugin":
        from chalicelib.store_adapters.plugin import Plugin

        return Plugin()
    raise NotFound("no such store platform")
