"""The composition root: what a handler needs is built here, when it first asks for it.

The embedded runtime and the tests subclass `Wiring` and `use` their own; nothing else differs from production.
Imports stand inside the properties on purpose: the webhook door must not load what only a step needs.
"""

from __future__ import annotations

import time
from functools import cached_property
from typing import TYPE_CHECKING

from chalicelib import wiring_choices, wiring_products
from chalicelib.wiring_shops import ShopWiring

if TYPE_CHECKING:
    from chalicelib.commerce.cart_intake import CartIntake
    from chalicelib.commerce.cart_watch import CartWatch
    from chalicelib.commerce.intake import Intake
    from chalicelib.commerce.ports import Listener
    from chalicelib.commerce.privacy_desk import PrivacyDesk
    from chalicelib.commerce.product import Product
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
    from chalicelib.messages.activity import Activity
    from chalicelib.messages.attribution import Attributing
    from chalicelib.messages.choices import Choices
    from chalicelib.messages.preview import Preview
    from chalicelib.messages.replies import Replies
    from chalicelib.messages.reports import Reports
    from chalicelib.messages.template import Words
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

    def template_words(self, store_id: str, template_id: str) -> Words | None:
        """A template's words by language: the store's own of that name, else the ready one."""
        from chalicelib.messages.gallery import message_templates

        own = self.message_templates.get(store_id, template_id)
        if own is not None:
            return own.content
        return next((ready.content for ready in message_templates() if ready.id == template_id), None)

    @cached_property
    def preview(self) -> Preview:
        from chalicelib.messages.preview import Preview

        def goods(store_id: str, count: int) -> list[Product]:
            some = [record.current for record in self.products.list(store_id, limit=50)]
            there = [product for product in some if product is not None and product.published]
            return sorted(there, key=lambda product: (product.image is None, not product.in_stock))[:count]

        return Preview(
            self.sender,
            lambda store, channel: self.medium(channel, store),
            self.contacts,
            self.timeline,
            self.decisions,
            goods,
            self.clock,
        )

    @cached_property
    def lifecycle(self) -> Lifecycle:
        from chalicelib.journeys.lifecycle import Lifecycle

        return Lifecycle(self.journeys, self.errands, self.workflows, self.settings, self.clock, self.template_words)

    @cached_property
    def journey_files(self) -> JourneyFiles:
        from chalicelib.journeys.files import JourneyFiles

        return JourneyFiles(self.journeys, self.lifecycle, self.message_templates, self.clock)

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
        if kind == "recount":
            from chalicelib.messages.recount import Recount

            return Recount(self.contacts, self.attributing, self.clock)
        if kind == "clean_coupons":
            from chalicelib.journeys.coupon_cleaning import CleanCoupons

            return CleanCoupons(self.coupon_records, self.remove_coupon, self.clock)
        if kind == "count_orders":
            return wiring_products.count_orders(self)
        if kind == "double_opt_in":
            return wiring_choices.ask_to_confirm(self)
        raise KeyError(kind)

    def begin_sweeps(self, store: Store) -> None:
        """See `multitude.begin_sweeps`; and coupons that nobody used in time are cleared away."""
        from chalicelib.journeys.coupon_cleaning import begin_cleaning
        from chalicelib.journeys.multitude import begin_sweeps

        begin_cleaning(self.errands, store, self.coupon_records, self.clock)
        others = ("tell_watchers", "due", "index_dates", "double_opt_in", "recount", "clean_coupons", "count_orders")
        begin_sweeps(self.errands, store, self.journeys.of_store(store.id), self.clock, others)

    def begin_count(self, store: Store) -> None:
        """See `shelf_count.begin_count`."""
        from chalicelib.messages.shelf_count import begin_count

        begin_count(self.errands, store, self.clock)

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
    def activity(self) -> Activity:
        from chalicelib.commerce.intake import ContactRef
        from chalicelib.messages.activity import Activity

        return Activity(
            self.followed,
            self.messages,
            self.contacts,
            self.stores,
            self.reports,
            self.contact_book,
            lambda store, contact_id, events: self.listener.on_events(store, contact_id, events),
            lambda store, contact_id, event: self.intake.record_event(store, ContactRef(id=contact_id), event),
            self.enrolments,
            lambda: self.outside.other_journeys,
        )

    @cached_property
    def replies(self) -> Replies:
        from chalicelib.messages.numbers import SenderNumbers
        from chalicelib.messages.replies import Replies

        settings = self.settings
        numbers = SenderNumbers(
            self.stores, self.gateways, settings.default_sms_sender, settings.whatsapp_phone_number_id
        )
        return Replies(numbers, self.contacts, self.contact_book, self.listener, self.suppression_list)

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

        return Resolver(self.contacts, self.timeline, self.clock, self.erased_people)

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
            self.erased_people,
        )

    @cached_property
    def choices(self) -> Choices:
        return wiring_choices.choices(self)

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
            self.erased_people,
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
        """Who hears of events: the journeys, and what keeps which message earned an order."""
        from chalicelib.messages.attribution import NotesAttribution
        from chalicelib.sync.listeners import LiveListener

        journeys = LiveListener(lambda: self.enroller, self.sync_records, self.stores, self.clock)
        listener = wiring_products.noting_watchers(self, NotesAttribution(journeys, self.attributing))
        return wiring_choices.hearing_consent(self, listener)

    @cached_property
    def attributing(self) -> Attributing:
        from chalicelib.messages.attribution import Attributing

        return Attributing(
            self.attributions, self.orders, self.contacts, self.messages, self.recents, self.coupon_records
        )

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
