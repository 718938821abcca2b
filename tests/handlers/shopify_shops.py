"""Two shops of one Shopify app, told of through the real doors; the app's secret is the same for both."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from chalicelib.clock import rfc3339
from chalicelib.commerce.store import Connection, ConnectionStatus, Platform, Store
from chalicelib.handlers.ingest import ingest
from chalicelib.handlers.shopify_events import shopify_events
from chalicelib.handlers.webhooks import receive, receive_for_app
from chalicelib.storage.deliveries import DeliveryRecord
from chalicelib.storage.secrets import Secrets
from local.table_server import TableServer
from tests.any_order import Listening, listening
from tests.conftest import HandClock
from tests.journeys.world import journey, mail, pause
from tests.memory_client import MemoryTables
from tests.recorded import SECRET, signature

TEA, COFFEE = "tea.myshopify.com", "coffee.myshopify.com"
EMAIL = "noa@example.test"
STORE = {"country": "FR", "currency": "EUR", "timezone": "Europe/Paris", "locale": "en", "platform": Platform.SHOPIFY}
ACCESS = {"kind": "app", "access_token": "shpat_test"}


def headers(topic: str, shop: str | None, body: bytes, event_id: str | None = None, **more: str) -> dict[str, str]:
    told = {"X-Shopify-Topic": topic, "X-Shopify-Hmac-Sha256": signature(body), "Content-Type": "application/json"}
    told |= {"X-Shopify-Event-Id": event_id or str(uuid.uuid4()), "X-Shopify-API-Version": "2026-07"}
    told |= {"X-Shopify-Shop-Domain": shop} if shop else {}
    return {**told, **{"X-Shopify-" + name.replace("_", "-"): value for name, value in more.items()}}


class Shops:
    """`tea` and `coffee`: connected since the clock's time, each with a journey that welcomes buyers over days."""

    def __init__(self, listener: Listening, server: TableServer) -> None:
        self.listener, self.parts, self.clock = listener, listener.parts, listener.clock
        self.parts.secrets = Secrets(server.client("ssm"), f"/agala-{uuid.uuid4().hex[:8]}")
        self.parts.secrets.put_shopify_app({"client_id": "id", "client_secret": SECRET})
        self.parts.stores.delete(listener.store.id)
        for name, shop in (("tea", TEA), ("coffee", COFFEE)):
            self.connect(name, shop)
            self._activate(name)

    def connect(self, name: str, shop: str) -> Store:
        known: Store | None = self.parts.stores.get(name)
        made = known or Store(id=name, name=name, url=f"https://{name}.example", created_at=self.clock.now(), **STORE)
        now = self.clock.now()
        tied = Connection(status=ConnectionStatus.CONNECTED, shop=shop, at=now, keys_at=now)
        self.parts.secrets.put_webhook_secret(name, SECRET)
        self.parts.secrets.put_shopify_access(name, ACCESS)
        saved: Store = self.parts.stores.save(made.model_copy(update={"connection": tied}))
        self.parts.stores.point_shop(shop, name)
        return saved

    def _activate(self, name: str) -> None:
        definition = journey(pause(days=1), mail("first"), pause("longer", days=3), mail("second"))
        self.parts.lifecycle.save_draft(self.store(name), "welcome", definition)
        self.parts.lifecycle.activate(self.store(name), "welcome")

    def store(self, name: str = "tea") -> Store:
        found: Store | None = self.parts.stores.get(name)
        assert found is not None
        return found

    def to_store(
        self, topic: str, content: Any, store: str = "tea", shop: str | None = TEA, **more: str
    ) -> tuple[int, dict[str, Any]]:
        """To a store's own door."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        answer = receive("shopify", store, headers(topic, shop, body, **more), body, self.parts)
        self.read()
        return answer

    def to_app(self, topic: str, content: Any, shop: str | None = TEA, **more: str) -> tuple[int, dict[str, Any]]:
        """To the app's door."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        answer = receive_for_app(headers(topic, shop, body, **more), body, self.parts)
        self.read()
        return answer

    def by_event(self, topic: str, content: Any, shop: str | None = TEA, **more: str) -> None:
        """Over EventBridge."""
        shopify_events(event(topic, content, shop, **more), None)
        self.read()

    def read(self) -> None:
        """Everything on the queue, as ingest gets it; what failed stays."""
        while self.listener.queue.messages:
            record = {"messageId": "1", "body": json.dumps(self.listener.queue.messages[0])}
            assert ingest({"Records": [record]}, None) == {"batchItemFailures": []}
            self.listener.queue.messages.pop(0)

    def kept(self, status: str, store: str = "tea") -> list[DeliveryRecord]:
        found: list[DeliveryRecord] = self.parts.deliveries.list(store, status)
        return found

    def enrolments(self, store: str = "tea", email: str = EMAIL) -> list[Any]:
        contact = self.parts.contacts.find(store, "email", email)
        return self.parts.enrolments.of_contact(store, contact.id) if contact else []

    def remove_app(self, at: datetime | None = None, by: str = "store", **more: str) -> None:
        """As Shopify tells it: `at` is when the owner did it."""
        content = {"id": 690933842, "name": "Tea", "myshopify_domain": TEA, "email": "owner@example.test"}
        more["Triggered_At"] = rfc3339(at or self.clock.now()).replace("Z", "110521Z")
        sent = {"store": self.to_store, "app": self.to_app, "event": self.by_event}[by]
        sent("app/uninstalled", content, **more)


def event(topic: str, content: Any, shop: str | None = TEA, **more: str) -> dict[str, Any]:
    """What EventBridge hands to a function. Shopify signs its metadata over bytes that nobody sees again."""
    return {
        "version": "0",
        "id": "6fd2ad4b-4d2c-4c47-94c2-06b8b8a9f4a5",
        "detail-type": "shopifyWebhook",
        "source": "aws.partner/shopify.com/1234567/agala",
        "account": "123456789012",
        "region": "eu-west-1",
        "resources": [],
        "detail": {"payload": content, "metadata": headers(topic, shop, b"as Shopify wrote it", **more)},
    }


def order(number: int, at: datetime, **changed: Any) -> dict[str, Any]:
    """Paid by card, in the shape of the webhook documentation."""
    told = {
        "id": 9007199254740993000 + number,
        "name": f"#{number}",
        "email": EMAIL,
        "currency": "EUR",
        "created_at": rfc3339(at),
        "processed_at": rfc3339(at),
        "updated_at": rfc3339(at),
        "financial_status": "paid",
        "total_price": "50.00",
        "current_total_price": "50.00",
        "taxes_included": True,
        "customer": {"id": 9007199254740993777, "email": EMAIL, "first_name": "Noa"},
        "line_items": [{"id": 1, "product_id": 12, "variant_id": 34, "title": "Tea", "quantity": 2, "price": "25.00"}],
        "refunds": [],
    }
    return {**told, **changed}


@contextmanager
def two_shops(server: TableServer, clock: HandClock) -> Iterator[Shops]:
    with listening(MemoryTables(), clock, {**STORE, "id": "shop"}) as listener:
        clock.advance(seconds=1)
        yield Shops(listener, server)
