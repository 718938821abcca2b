"""The webhooks that a Shopify shop keeps for us: registered, and put right again, over its Admin API.

Shopify removes a subscription whose deliveries fail for too long, and keeps one per topic and address. They go to our
door by HTTPS, or to an event source of Amazon EventBridge: the address (`uri`) alone says which. The privacy topics are
no subscriptions of a shop; they are set up with the app.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from chalicelib.commerce.store import Store
from chalicelib.commerce.trouble import ShopTrouble, TroubleCode

_log = logging.getLogger(__name__)

_ORDERS, _CUSTOMERS, _PRODUCTS = ("read_orders",), ("read_customers",), ("read_products",)
_STOCK, _FULFILMENTS = ("read_inventory",), ("read_fulfillments",)
# WebhookSubscriptionTopic: the scopes that its description asks for. Any one of them will do; () needs none.
TOPICS: dict[str, tuple[str, ...]] = {
    "ORDERS_CREATE": _ORDERS,
    "ORDERS_UPDATED": _ORDERS,
    "ORDERS_PAID": _ORDERS,
    "ORDERS_CANCELLED": _ORDERS,
    "ORDERS_FULFILLED": _ORDERS,
    "ORDERS_PARTIALLY_FULFILLED": _ORDERS,
    "ORDERS_DELETE": _ORDERS,
    "REFUNDS_CREATE": _ORDERS,
    "CHECKOUTS_CREATE": _ORDERS,
    "CHECKOUTS_UPDATE": _ORDERS,
    "CHECKOUTS_DELETE": _ORDERS,
    "FULFILLMENTS_CREATE": _FULFILMENTS,
    "FULFILLMENTS_UPDATE": _FULFILMENTS,
    "CUSTOMERS_CREATE": _CUSTOMERS,
    "CUSTOMERS_UPDATE": _CUSTOMERS,
    "CUSTOMERS_DELETE": _CUSTOMERS,
    "CUSTOMERS_EMAIL_MARKETING_CONSENT_UPDATE": _CUSTOMERS,
    "CUSTOMERS_MARKETING_CONSENT_UPDATE": _CUSTOMERS,
    "CUSTOMERS_WHATS_APP_MARKETING_CONSENT_UPDATE": _CUSTOMERS,
    "PRODUCTS_CREATE": _PRODUCTS,
    "PRODUCTS_UPDATE": _PRODUCTS,
    "PRODUCTS_DELETE": _PRODUCTS,
    "COLLECTIONS_UPDATE": _PRODUCTS,
    "COLLECTIONS_DELETE": _PRODUCTS,
    "INVENTORY_LEVELS_CONNECT": _STOCK,
    "INVENTORY_LEVELS_UPDATE": _STOCK,
    "INVENTORY_LEVELS_DISCONNECT": _STOCK,
    "APP_UNINSTALLED": (),
}
NAMESPACE = "agala"  # of the metafields that come with a product
NOT_HTTPS = (
    "Shopify delivers to https addresses only, and Agala is not reached at one: no webhooks are registered, so what "
    "happens in the shop is fetched at night."
)
_NOT_LET = (
    "Shopify does not tell Agala of {}: let the app have the scopes that are missing, then connect the shop again."
)
_LONGEST_NAME = 50  # letters, digits, _ and -; unique in a shop
_TAKEN, _ABSENT = "already been taken", "does not exist"  # in Shopify's words, for it gives these errors no code

Subscription = Mapping[str, Any]


class Admin(Protocol):
    """What is used of `ShopifyAdmin`. Raises `ShopTrouble`."""

    def ask(self, document: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Mended:
    """What was not as it should be, by topic: `made` were missing, `changed` led elsewhere or told something else,
    `removed` were ours and too many. `refused`: Shopify does not let us have them. `notices` are for the owner."""

    made: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        return len(self.made) + len(self.changed) + len(self.removed)


def register(admin: Admin, store: Store, uri: str) -> Mended:
    """Afterwards each topic that the shop's grant allows has exactly one subscription of ours, to `uri`: this store's
    door, or the ARN of an event source.

    Those that are not ours stay untouched. Repeating is safe at any point, and so are two at once. Where `uri` is an
    address without https nothing is asked. Raises `ShopTrouble`, and `ValueError` for another store's door.
    """
    if not uri.startswith("arn:"):
        if not urlsplit(uri).path.endswith(_door(store)):
            raise ValueError("the webhook address is another store's")
        if urlsplit(uri).scheme != "https":
            return Mended(notices=(NOT_HTTPS,))
    return _Registration(admin, store, uri).run()


class _Registration:
    def __init__(self, admin: Admin, store: Store, uri: str) -> None:
        self._admin, self._store, self._uri = admin, store, uri
        self._scopes: set[str] = set()
        self._made: list[str] = []
        self._changed: list[str] = []
        self._removed: list[str] = []
        self._refused: list[str] = []

    def run(self) -> Mended:
        known = list(self._all())
        kept = {self._see_to(topic, known) for topic in TOPICS}
        for one in known:
            if self._is_ours(one) and one["id"] not in kept:
                self._remove(one)
        refused = tuple(self._refused)
        notices = (_NOT_LET.format(", ".join(map(_plain, refused))),) if refused else ()
        return Mended(tuple(self._made), tuple(self._changed), tuple(self._removed), refused, notices)

    def _see_to(self, topic: str, known: Collection[Subscription]) -> str | None:
        """The id of the subscription that serves this topic from now on, if it was known before."""
        wanted = self._wanted(topic)
        fitting = [one for one in known if one["topic"] == topic and (self._is_ours(one) or one["uri"] == self._uri)]
        best = min(
            fitting, key=lambda one: (not _is_as(one, wanted), one["uri"] != self._uri, _number(one)), default=None
        )
        if best is not None and _is_as(best, wanted):
            return str(best["id"])
        if TOPICS[topic] and not self._scopes & set(TOPICS[topic]):
            self._refused.append(topic)
            return str(best["id"]) if best else None
        if best is not None:
            errors = self._ask(
                topic, "webhook_change", "webhookSubscriptionUpdate", {"id": best["id"], "webhook": wanted}
            )
            if not errors:
                self._changed.append(topic)
            if not any(told in errors for told in (_ABSENT, _TAKEN)):
                return str(best["id"])
            if _TAKEN in errors:  # somebody else made the right one meanwhile: this one is too many
                return None
        made = {name: value for name, value in wanted.items() if value}
        errors = self._ask(topic, "webhook_make", "webhookSubscriptionCreate", {"topic": topic, "webhook": made})
        if not errors:
            self._made.append(topic)
        return None

    def _ask(self, topic: str, document: str, mutation: str, variables: Mapping[str, Any]) -> str:
        """What Shopify has against it, in its words; "" if it was done. Notes a topic that we may not have."""
        try:
            told = self._admin.ask(document, variables)[mutation]["userErrors"]
        except ShopTrouble as trouble:
            if trouble.code is not TroubleCode.NOT_ALLOWED:
                raise
            told = [{"message": "access denied"}]
        errors = "; ".join(str(one["message"]) for one in told)
        if errors and _TAKEN not in errors and _ABSENT not in errors:
            _log.warning("Shopify refuses a webhook: %s", errors, extra={"store_id": self._store.id, "topic": topic})
            self._refused.append(topic)
        return errors

    def _remove(self, one: Subscription) -> None:
        errors = self._admin.ask("webhook_remove", {"id": one["id"]})["webhookSubscriptionDelete"]["userErrors"]
        if not errors:
            self._removed.append(str(one["topic"]))

    def _all(self) -> Iterator[Subscription]:
        after = None
        while True:
            answer = self._admin.ask("webhooks_list", {"after": after})
            self._scopes = {
                scope["handle"].replace("write_", "read_", 1)  # leave to write is leave to read
                for scope in answer["currentAppInstallation"]["accessScopes"]
            }
            yield from answer["webhookSubscriptions"]["nodes"]
            page = answer["webhookSubscriptions"]["pageInfo"]
            if not page["hasNextPage"]:
                return
            after = page["endCursor"]

    def _wanted(self, topic: str) -> dict[str, Any]:
        return {
            "uri": self._uri,
            "name": self._mark() + topic.lower()[: _LONGEST_NAME - len(self._mark())],
            "format": "JSON",
            "filter": "",
            "includeFields": [],
            "metafieldNamespaces": [NAMESPACE] if topic.startswith("PRODUCTS_") else [],
        }

    def _is_ours(self, one: Subscription) -> bool:
        """By its way to this store's door, or by its name: an event source that was left does not say whose it is."""
        address = urlsplit(one["uri"])
        to_our_door = address.scheme == "https" and address.path.endswith(_door(self._store))
        return to_our_door or str(one["name"] or "").startswith(self._mark())

    def _mark(self) -> str:
        """Another Agala that uses the same app marks its subscriptions with another store."""
        return f"agala-{self._store.id[-8:]}-"


def _door(store: Store) -> str:
    return f"/webhooks/shopify/{store.id}"


def _is_as(one: Subscription, wanted: Mapping[str, Any]) -> bool:
    return all((one[name] or None) == (value or None) for name, value in wanted.items())


def _number(one: Subscription) -> int:
    """Older ones have lower numbers."""
    digits = str(one["id"]).rpartition("/")[2]
    return int(digits) if digits.isdecimal() else 0


def _plain(topic: str) -> str:
    return topic.lower().replace("_", " ")
