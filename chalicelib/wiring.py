"""The composition root: what a handler needs is built here, when it first asks for it.

The embedded runtime and the tests subclass `Wiring` and `use` their own; nothing else differs from production.
Imports stand inside the properties on purpose: the webhook door must not load what only a step needs.
"""

from __future__ import annotations

import time
from contextlib import closing
from functools import cached_property
from typing import TYPE_CHECKING

from chalicelib.wiring_channels import ChannelWiring

if TYPE_CHECKING:
    from chalicelib.commerce.cart_intake import CartIntake
    from chalicelib.commerce.cart_watch import CartWatch
    from chalicelib.commerce.coupon import Coupon, CouponTerms
    from chalicelib.commerce.intake import Intake
    from chalicelib.commerce.ports import Listener
    from chalicelib.commerce.privacy_desk import PrivacyDesk
    from chalicelib.commerce.store import Store
    from chalicelib.contacts.book import ContactBook
    from chalicelib.contacts.resolve import Resolver
    from chalicelib.journeys.calendar import Calendar
    from chalicelib.journeys.consequences import Consequences
    from chalicelib.journeys.enrol import Enroller
    from chalicelib.journeys.errands import Errands, Work
    from chalicelib.journeys.lifecycle import Lifecycle
    from chalicelib.journeys.ports import Outside
    from chalicelib.journeys.steps import Steps
    from chalicelib.messages.reports import Reports
    from chalicelib.store_adapters.shopify_admin import ShopifyAdmin
    from chalicelib.store_adapters.shopify_connecting import ShopifyConnecting
    from chalicelib.store_adapters.shopify_oauth import ShopifyOAuth
    from chalicelib.store_adapters.webhook_calls import WebhookCalls
    from chalicelib.store_adapters.woocommerce_rest import WooCommerceRest
    from chalicelib.sync.ports import Shop
    from chalicelib.sync.pull import Pull
    from chalicelib.sync.start import SyncStarter


class Wiring(ChannelWiring):
    private_shops = False
    """Whether a shop's address may be one of a private network."""

    @cached_property
    def enroller(self) -> Enroller:
        from chalicelib.journeys.enrol import Enroller

        return Enroller(
            self.journeys,
            self.enrolments,
            self.decisions,
            self.orders,
            self.products,
            self.timeline,
            self.gatherings,
            self.consequences,
            self.contact_book,
            lambda: self.errands,
            self.workflows,
            self.clock,
        )

    @cached_property
    def consequences(self) -> Consequences:
        from chalicelib.journeys.consequences import Consequences

        return Consequences(self.contacts, self.orders, self.coupon_records, self.contact_book, self.timeline)

    @cached_property
    def lifecycle(self) -> Lifecycle:
        from chalicelib.journeys.lifecycle import Lifecycle

        return Lifecycle(self.journeys, self.enrolments, self.enroller, self.workflows, self.settings, self.clock)

    @cached_property
    def errands(self) -> Errands:
        from chalicelib.journeys.errands import Errands

        machine = self.settings.errand_machine_arn
        return Errands(self.errand_records, self.stores, self.work, lambda: self.workflows, machine, self.clock)

    def work(self, kind: str) -> Work:
        """Who does errands of this kind. Raises KeyError."""
        if kind in ("due", "index_dates"):
            return self._work_of_calendar(kind)
        if kind == "gather":
            return self.enroller.gatherer
        raise KeyError(kind)

    @cached_property
    def calendar(self) -> Calendar:
        from chalicelib.journeys.calendar import Calendar

        return Calendar(self.journeys, self.ledgers, self.errands, self.clock)

    def _work_of_calendar(self, kind: str) -> Work:
        from chalicelib.journeys.due import Due, IndexDates

        if kind == "index_dates":
            return IndexDates(self.contacts, self.clock)
        return Due(self.day_index, self.journeys, self.products, self.contact_book, self.listener, self.clock)

    @cached_property
    def reports(self) -> Reports:
        from chalicelib.messages.reports import Reports

        return Reports(
            self.messages,
            self.contacts,
            self.contact_book,
            self.contact_book.note,
            self.stores,
            lambda: self.listener,
        )

    @cached_property
    def steps(self) -> Steps:
        from chalicelib.journeys.steps import Steps

        return Steps(
            self.decisions,
            self.journeys,
            self.enrolments,
            self.products,
            self.timeline,
            self.contact_book,
            self.enroller,
            self.sender,
            self.workflows,
            self.outside,
            self.clock,
        )

    @cached_property
    def outside(self) -> Outside:
        from chalicelib.journeys.other_journeys import OtherJourneys
        from chalicelib.journeys.ports import Outside

        others = OtherJourneys(self.journeys, self.enrolments, self.decisions, self.enroller, self.clock)
        return Outside(self.coupon, self.coupon_records, lambda: self.webhook_calls, others)

    @cached_property
    def webhook_calls(self) -> WebhookCalls:
        from chalicelib.store_adapters.webhook_calls import WebhookCalls

        return WebhookCalls(self.secrets.signing_key, self.unix_time, self.private_shops)

    @cached_property
    def resolver(self) -> Resolver:
        from chalicelib.contacts.resolve import Resolver

        return Resolver(self.contacts, self.timeline, self.clock)

    @cached_property
    def contact_book(self) -> ContactBook:
        from chalicelib.contacts.book import ContactBook

        return ContactBook(
            self.contacts,
            self.resolver,
            self.deliveries,
            self.privacy_requests,
            self.clock,
            lambda: self.listener,
            self.stores,
        )

    @cached_property
    def privacy(self) -> PrivacyDesk:
        from chalicelib.commerce.order_intake import OrderIntake
        from chalicelib.commerce.privacy_desk import PrivacyDesk

        return PrivacyDesk(
            self.contacts,
            self.contact_book,
            self.orders,
            OrderIntake(self.orders, self.contacts, self.timeline, self.resolver),
            self.deliveries,
            self.privacy_requests,
            self.clock,
            time.monotonic,
        )

    @cached_property
    def intake(self) -> Intake:
        from chalicelib.commerce.intake import Intake
        from chalicelib.commerce.order_intake import OrderIntake

        orders = OrderIntake(self.orders, self.contacts, self.timeline, self.resolver)
        return Intake(
            self.contacts,
            self.resolver,
            orders,
            self.cart_intake,
            self.products,
            self.privacy,
            lambda: self.listener,
            self.clock,
        )

    @cached_property
    def cart_intake(self) -> CartIntake:
        from chalicelib.commerce.cart_intake import CartIntake

        return CartIntake(
            self.carts,
            self.contacts,
            self.timeline,
            self.resolver,
            self.workflows,
            self.settings.cart_watch_machine_arn,
            self.clock,
        )

    @cached_property
    def cart_watch(self) -> CartWatch:
        from chalicelib.commerce.cart_watch import CartWatch

        return CartWatch(self.stores, self.carts, self.contacts, self.timeline, self.listener, self.clock)

    @cached_property
    def history_intake(self) -> Intake:
        """For what a store is asked of its past."""
        from chalicelib.commerce.intake import Intake
        from chalicelib.commerce.order_intake import OrderIntake
        from chalicelib.sync.listeners import HistoryListener

        listener = HistoryListener(lambda: self.enroller)
        orders = OrderIntake(self.orders, self.contacts, self.timeline, self.resolver, history=True)
        return Intake(
            self.contacts,
            self.resolver,
            orders,
            self.cart_intake,
            self.products,
            self.privacy,
            lambda: listener,
            self.clock,
        )

    @cached_property
    def listener(self) -> Listener:
        """Who hears of events: the journeys."""
        from chalicelib.sync.listeners import LiveListener

        return LiveListener(lambda: self.enroller, self.sync_records, self.stores, self.clock)

    @cached_property
    def sync(self) -> SyncStarter:
        from chalicelib.sync.start import SyncStarter

        machine = self.settings.store_sync_machine_arn
        return SyncStarter(self.sync_records, self.stores, lambda: self.workflows, machine, self.clock)

    @cached_property
    def pull(self) -> Pull:
        from chalicelib.sync.apply import Missed
        from chalicelib.sync.pull import Pull

        return Pull(
            self.sync_records,
            self.stores,
            self.shop,
            self.history_intake,
            self.intake,
            Missed(self.orders, self.products, self.contacts),
            lambda: self.enroller,
            lambda progress: self.sync.go_on(progress),
            self.clock,
            time.monotonic,
        )

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


_used: Wiring | None = None


def use(wiring: Wiring | None) -> None:
    """Make this the process's wiring; None goes back to what the environment says."""
    global _used
    _used = wiring


def get() -> Wiring:
    global _used
    if _used is None:
        _used = Wiring()
    return _used
