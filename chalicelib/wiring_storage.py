"""Where everything is kept, queued and counted by the clock: the ground that `wiring.Wiring` builds on.

Imports stand inside the properties on purpose: the webhook door must not load what only a step needs.
"""

from __future__ import annotations

import time
from functools import cached_property
from typing import TYPE_CHECKING, Any

from chalicelib.settings import Settings

if TYPE_CHECKING:
    from chalicelib.clock import Clock
    from chalicelib.contacts.erased import AddressHashes, ErasedPeople
    from chalicelib.journeys.ports import Workflows
    from chalicelib.storage.attributions import Attributions
    from chalicelib.storage.calendar import DayIndex, Ledgers
    from chalicelib.storage.carts import Carts
    from chalicelib.storage.connections import Connections
    from chalicelib.storage.contacts import Contacts
    from chalicelib.storage.coupons import Coupons
    from chalicelib.storage.decisions import Decisions
    from chalicelib.storage.deliveries import Deliveries
    from chalicelib.storage.errands import ErrandRecords
    from chalicelib.storage.followed import FollowedLinks
    from chalicelib.storage.gateways import Gateways
    from chalicelib.storage.gatherings import Gatherings
    from chalicelib.storage.journeys import Enrolments, Journeys
    from chalicelib.storage.message_templates import MessageTemplates
    from chalicelib.storage.messages import Messages
    from chalicelib.storage.objects import Objects
    from chalicelib.storage.orders import Orders
    from chalicelib.storage.privacy import PrivacyRequests
    from chalicelib.storage.products import Products
    from chalicelib.storage.queue import Queue
    from chalicelib.storage.recents import Recents
    from chalicelib.storage.secrets import Secrets
    from chalicelib.storage.shelves import Shelves
    from chalicelib.storage.stores import Stores, Tokens
    from chalicelib.storage.suppressions import Suppressions
    from chalicelib.storage.sync import SyncRecords
    from chalicelib.storage.table import Table
    from chalicelib.storage.timeline import Timeline
    from chalicelib.storage.watchers import WatcherRecords


class StorageWiring:
    """AWS's services and one repository per kind of record, each made when first asked for."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings.from_environment()

    def client(self, service: str) -> Any:
        """A client of this account and region; from botocore, for boto3 itself lengthens every cold start."""
        return self._session.create_client(service)

    @cached_property
    def _session(self) -> Any:
        from botocore.session import get_session

        return get_session()

    def unix_time(self) -> float:
        """Real seconds since 1970, whatever the store's clock says: for the freshness of signed calls."""
        return time.time()

    @cached_property
    def clock(self) -> Clock:
        from chalicelib.clock import SystemClock

        return SystemClock()

    @cached_property
    def secrets(self) -> Secrets:
        from chalicelib.storage.secrets import Secrets

        return Secrets(self.client("ssm"), self.settings.parameter_prefix)

    @cached_property
    def objects(self) -> Objects:
        from chalicelib.storage.objects import Objects

        return Objects(self.client("s3"), self.settings.bucket)

    @cached_property
    def queue(self) -> Queue:
        from chalicelib.storage.queue import SqsQueue

        return SqsQueue(self.client("sqs"), self.settings.queue_url, lambda: self.objects)

    @cached_property
    def activities(self) -> Queue:
        """What was seen of links and pictures, to be judged a few seconds later (the queue's own delay)."""
        from chalicelib.storage.queue import SqsQueue

        return SqsQueue(self.client("sqs"), self.settings.activity_queue_url, lambda: self.objects)

    @cached_property
    def table(self) -> Table:
        from chalicelib.storage.table import Table

        return Table(self.client("dynamodb"), self.settings.table)

    @cached_property
    def stores(self) -> Stores:
        from chalicelib.storage.stores import Stores

        return Stores(self.table)

    @cached_property
    def tokens(self) -> Tokens:
        from chalicelib.storage.stores import Tokens

        return Tokens(self.table)

    @cached_property
    def connections(self) -> Connections:
        from chalicelib.storage.connections import Connections

        return Connections(self.table)

    @cached_property
    def journeys(self) -> Journeys:
        from chalicelib.storage.journeys import Journeys

        return Journeys(self.table)

    @cached_property
    def enrolments(self) -> Enrolments:
        from chalicelib.storage.journeys import Enrolments

        return Enrolments(self.table)

    @cached_property
    def gatherings(self) -> Gatherings:
        from chalicelib.storage.gatherings import Gatherings

        return Gatherings(self.table)

    @cached_property
    def message_templates(self) -> MessageTemplates:
        from chalicelib.storage.message_templates import MessageTemplates

        return MessageTemplates(self.table)

    @cached_property
    def gateways(self) -> Gateways:
        from chalicelib.storage.gateways import Gateways

        return Gateways(self.table)

    @cached_property
    def messages(self) -> Messages:
        from chalicelib.storage.messages import Messages

        return Messages(self.table)

    @cached_property
    def recents(self) -> Recents:
        from chalicelib.storage.recents import Recents

        return Recents(self.table)

    @cached_property
    def followed(self) -> FollowedLinks:
        from chalicelib.storage.followed import FollowedLinks

        return FollowedLinks(self.table)

    @cached_property
    def contacts(self) -> Contacts:
        from chalicelib.storage.contacts import Contacts

        return Contacts(self.table)

    @cached_property
    def attributions(self) -> Attributions:
        from chalicelib.storage.attributions import Attributions

        return Attributions(self.table)

    @cached_property
    def address_hashes(self) -> AddressHashes:
        from chalicelib.contacts.erased import AddressHashes

        return AddressHashes(lambda: self.secrets.address_key())

    @cached_property
    def suppression_list(self) -> Suppressions:
        from chalicelib.storage.suppressions import Suppressions

        return Suppressions(self.table, self.address_hashes)

    @cached_property
    def erased_people(self) -> ErasedPeople:
        from chalicelib.contacts.erased import ErasedPeople

        return ErasedPeople(self.address_hashes, self.suppression_list)

    @cached_property
    def coupon_records(self) -> Coupons:
        from chalicelib.storage.coupons import Coupons

        return Coupons(self.table)

    @cached_property
    def decisions(self) -> Decisions:
        from chalicelib.storage.decisions import Decisions

        return Decisions(self.table)

    @cached_property
    def orders(self) -> Orders:
        from chalicelib.storage.orders import Orders

        return Orders(self.table)

    @cached_property
    def carts(self) -> Carts:
        from chalicelib.storage.carts import Carts

        return Carts(self.table)

    @cached_property
    def products(self) -> Products:
        from chalicelib.storage.products import Products

        return Products(self.table)

    @cached_property
    def shelves(self) -> Shelves:
        from chalicelib.storage.shelves import Shelves

        return Shelves(self.table, self.objects)

    @cached_property
    def timeline(self) -> Timeline:
        from chalicelib.storage.timeline import Timeline

        return Timeline(self.table)

    @cached_property
    def deliveries(self) -> Deliveries:
        from chalicelib.storage.deliveries import Deliveries

        return Deliveries(self.table, self.objects)

    @cached_property
    def privacy_requests(self) -> PrivacyRequests:
        from chalicelib.storage.privacy import PrivacyRequests

        return PrivacyRequests(self.table, self.objects)

    @cached_property
    def sync_records(self) -> SyncRecords:
        from chalicelib.storage.sync import SyncRecords

        return SyncRecords(self.table)

    @cached_property
    def errand_records(self) -> ErrandRecords:
        from chalicelib.storage.errands import ErrandRecords

        return ErrandRecords(self.table)

    @cached_property
    def day_index(self) -> DayIndex:
        from chalicelib.storage.calendar import DayIndex

        return DayIndex(self.table)

    @cached_property
    def ledgers(self) -> Ledgers:
        from chalicelib.storage.calendar import Ledgers

        return Ledgers(self.table)

    @cached_property
    def watcher_records(self) -> WatcherRecords:
        from chalicelib.storage.watchers import WatcherRecords

        return WatcherRecords(self.table)

    @cached_property
    def workflows(self) -> Workflows:
        from chalicelib.storage.workflows import StepFunctionsWorkflows

        return StepFunctionsWorkflows(self.client("stepfunctions"), self.settings.state_machine_role_arn)
