"""How stores' shops are asked: their clients, their history, their coupons, and how a shop is connected.

Imports stand inside the properties on purpose: the webhook door must not load what only a step needs.
"""

from __future__ import annotations

from contextlib import closing
from functools import cached_property
from typing import TYPE_CHECKING

from chalicelib.wiring_channels import ChannelWiring

if TYPE_CHECKING:
    from chalicelib.commerce.coupon import Coupon, CouponTerms, Removal
    from chalicelib.commerce.store import Store
    from chalicelib.store_adapters.shopify_admin import ShopifyAdmin
    from chalicelib.store_adapters.shopify_connecting import ShopifyConnecting
    from chalicelib.store_adapters.shopify_oauth import ShopifyOAuth
    from chalicelib.store_adapters.woocommerce_rest import WooCommerceRest
    from chalicelib.sync.ports import Shop
    from chalicelib.sync.start import SyncStarter


class ShopWiring(ChannelWiring):
    @cached_property
    def sync(self) -> SyncStarter:
        from chalicelib.sync.start import SyncStarter

        machine = self.settings.store_sync_machine_arn
        return SyncStarter(self.sync_records, self.stores, lambda: self.workflows, machine, self.clock)

    def shop_rest(self, store: Store) -> WooCommerceRest:
        """A client of the store's own REST API, to be closed. Raises `ShopTrouble` without a key, `TryLater`."""
        from chalicelib.commerce.trouble import ShopTrouble, TroubleCode
        from chalicelib.store_adapters.woocommerce_rest import RestKeys, WooCommerceRest

        connection, keys = store.connection, self.secrets.rest_keys(store.id)
        if connection is None or connection.rest_url is None or not store.is_connected or keys is None:
            raise ShopTrouble(TroubleCode.NO_KEY)
        return WooCommerceRest(connection.rest_url, RestKeys(*keys), self.private_shops)

    def shopify_address(self, shop: str) -> str:
        """Where a shop's Admin API and grant page are: `https://tea.myshopify.com`."""
        return f"https://{shop}"

    def shopify_oauth(self, shop: str) -> ShopifyOAuth:
        """Where this shop hands out tokens, to be closed."""
        from chalicelib.store_adapters.shop_http import ShopHttp
        from chalicelib.store_adapters.shopify_oauth import ShopifyOAuth

        return ShopifyOAuth(self.shopify_address(shop), ShopHttp(self.private_shops))

    def shopify_admin(self, store: Store) -> ShopifyAdmin:
        """A client of the store's own Admin API, to be closed. Raises `ShopTrouble` for one that is not connected."""
        from chalicelib.commerce.trouble import ShopTrouble, TroubleCode
        from chalicelib.store_adapters.shopify_admin import ShopifyAdmin
        from chalicelib.store_adapters.shopify_tokens import ShopifyTokens

        shop = store.connection.shop if store.connection else None
        if shop is None or not store.is_connected:
            raise ShopTrouble(TroubleCode.NO_KEY)

        def connected() -> bool:
            known = self.stores.get(store.id)
            return known is not None and known.is_connected

        tokens = ShopifyTokens(store.id, self.secrets, lambda: self.shopify_oauth(shop), connected, self.unix_time)
        return ShopifyAdmin(self.shopify_address(shop), tokens, self.private_shops)

    @cached_property
    def shopify_connecting(self) -> ShopifyConnecting:
        from chalicelib.store_adapters.shopify_admin import ShopifyAdmin
        from chalicelib.store_adapters.shopify_connecting import ShopifyConnecting
        from chalicelib.store_adapters.shopify_tokens import OneToken

        def admin(shop: str, token: str) -> ShopifyAdmin:
            return ShopifyAdmin(self.shopify_address(shop), OneToken(token), self.private_shops)

        return ShopifyConnecting(self.stores, self.secrets, lambda: self.sync, admin, self.clock)

    def coupon(self, store: Store, cause: str, terms: CouponTerms, customer_id: str | None) -> Coupon:
        """The coupon of this cause, made in the store's shop unless it is there; `customer_id` is the shop's.

        Raises `BadInput` for terms that cannot be, `ShopTrouble`, `TryLater`.
        """
        now = self.clock.now()
        if store.platform == "shopify":
            from chalicelib.store_adapters import shopify_discounts

            with closing(self.shopify_admin(store)) as admin:
                return shopify_discounts.make_coupon(admin, cause, terms, store.currency, now, customer_id)
        from chalicelib.store_adapters import woocommerce_coupons

        with closing(self.shop_rest(store)) as rest:
            return woocommerce_coupons.make_coupon(rest, cause, terms, store.currency, now)

    def remove_coupon(self, store: Store, code: str) -> Removal:
        """Take an ended coupon out of the shop, unless an order used it. Raises `ShopTrouble`, `TryLater`."""
        from chalicelib.commerce.store import Platform

        if store.platform is Platform.SHOPIFY:
            from chalicelib.store_adapters import shopify_discounts

            with closing(self.shopify_admin(store)) as admin:
                return shopify_discounts.remove_coupon(admin, code)
        from chalicelib.store_adapters import woocommerce_coupons

        with closing(self.shop_rest(store)) as rest:
            return woocommerce_coupons.remove_coupon(rest, code)

    def shop(self, store: Store) -> Shop:
        """The store as one that is asked. Raises `ShopTrouble` without a key, `TryLater`."""
        from chalicelib.commerce.store import Platform

        if store.platform is Platform.SHOPIFY:
            from chalicelib.store_adapters.shopify_history import ShopifyHistory

            admin = self.shopify_admin(store)
            return ShopifyHistory(admin, store, lambda: self._mend_shopify_webhooks(admin, store))
        from chalicelib.store_adapters.woocommerce_history import WooCommerceHistory

        rest = self.shop_rest(store)
        return WooCommerceHistory(rest, store, lambda: self._mend_webhooks(rest, store))

    def _mend_webhooks(self, rest: WooCommerceRest, store: Store) -> int:
        """How many of the store's webhooks were missing, switched off or too many."""
        from chalicelib.store_adapters.woocommerce_webhooks import register

        secret = self.secrets.webhook_secret(store.id, newer_than=0)
        if secret is None:
            return 0
        address = f"{self.settings.public_url}/webhooks/{store.platform}/{store.id}"
        return register(rest, store, secret, address).count

    def _mend_shopify_webhooks(self, admin: ShopifyAdmin, store: Store) -> int:
        """As `_mend_webhooks`; what the owner should know is among the client's notices."""
        from chalicelib.store_adapters.shopify_webhooks import register

        door = f"{self.settings.public_url}/webhooks/{store.platform}/{store.id}"
        mended = register(admin, store, self.settings.shopify_event_source_arn or door)
        admin.notices.update(mended.notices)
        return mended.count

    def is_gone(self, address: str, seconds: float) -> bool:
        """Whether whoever answers there says that there is nothing, or there is no such host."""
        from chalicelib.commerce.trouble import ShopTrouble, TroubleCode
        from chalicelib.store_adapters.shop_http import ShopHttp

        with closing(ShopHttp(self.private_shops)) as http:
            try:
                return http.status_of("HEAD", address, b"", {}, seconds) in (404, 410)
            except ShopTrouble as trouble:
                return trouble.code is TroubleCode.UNKNOWN_HOST
