"""The composition root: what a handler needs is built here, when it first asks for it.

The embedded runtime and the tests subclass `Wiring` and `use` their own; nothing else differs from production.
Imports stand inside the properties on purpose: the webhook door must not load what only a step needs.
"""

from __future__ import annotations

import time
from functools import cached_property
from typing import TYPE_CHECKING

from chalicelib import wiring_products
from chalicelib.wiring_shops import ShopWiring

if TYPE_CHECKING:
    from chalicelib.commerce.cart_intake import CartIntake
    from chalicelib.commerce.cart_watch import CartWatch
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
    from chalicelib.journeys.files import JourneyFiles
    from chalicelib.journeys.interventions import Interventions
    from chalicelib.journeys.lifecycle import Lifecycle
    from chalicelib.journeys.ports import Outside
    from chalicelib.journeys.product_news import ProductNews, TellWatchers
    from chalicelib.journeys.steps import Steps
    from chalicelib.messages.replies import Replies
    from chalicelib.messages.reports import Reports
    from chalicelib.store_adapters.webhook_calls import WebhookCalls
    from chalicelib.sync.pull import Pull


class Wiring(ShopWiring):
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

        return Lifecycle(self.journeys, self.errands, self.workflows, self.settings, self.clock)

    @cached_property
    def journey_files(self) -> JourneyFiles:
        from chalicelib.journeys.files import JourneyFiles

        return JourneyFiles(self.journeys, self.lifecycle)

    @cached_property
    def interventions(self) -> Interventions:
        from chalicelib.journeys.interventions import Interventions

        enroller = self.enroller
        return Interventions(enroller.published, enroller.changes, enroller.launcher, self.clock)

    @cached_property
    def errands(self) -> Errands:
        from chalicelib.journeys.errands import Errands

        machine = self.settings.errand_machine_arn
        return Errands(self.errand_records, self.stores, self.work, lambda: self.workflows, machine, self.clock)

    def work(self, kind: str) -> Work:
        """Who does errands of this kind. Raises KeyError."""
        from chalicelib.journeys import multitude

        if kind in multitude.KINDS:
            acts = multitude.Acts(self.interventions, self.enroller.launcher, self.journeys, self.clock)
            return multitude.work_of(kind, self.enrolments, acts, self.clock)
        if kind == "gather":
            return self.enroller.gatherer
        if kind in ("due", "index_dates"):
            return self._work_of_calendar(kind)
        if kind == "tell_watchers":
            return self.tell_watchers
        raise KeyError(kind)

    def begin_sweeps(self, store: Store) -> None:
        """See `multitude.begin_sweeps`."""
        from chalicelib.journeys.multitude import begin_sweeps

        others = ("tell_watchers", "due", "index_dates")
        begin_sweeps(self.errands, store, self.journeys.of_store(store.id), self.clock, others)

    @cached_property
    def tell_watchers(self) -> TellWatchers:
        return wiring_products.tell_watchers(self)

    @cached_property
    def product_news(self) -> ProductNews:
        return wiring_products.product_news(self)

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
    def replies(self) -> Replies:
        from chalicelib.messages.numbers import SenderNumbers
        from chalicelib.messages.replies import Replies

        settings = self.settings
        numbers = SenderNumbers(
            self.stores, self.gateways, settings.default_sms_sender, settings.whatsapp_phone_number_id
        )
        return Replies(numbers, self.contacts, self.contact_book, self.listener, None)

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
            lambda: self.product_news,
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

        listener = wiring_products.noting_watchers(self, HistoryListener(lambda: self.enroller))
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

        journeys = LiveListener(lambda: self.enroller, self.sync_records, self.stores, self.clock)
        return wiring_products.noting_watchers(self, journeys)

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
