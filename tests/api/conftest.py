"""A wiring for the API's tests: the real table and the real domain; only what reaches outside is a fake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from chalicelib import wiring
from chalicelib.access import Token, token_hash
from chalicelib.settings import Settings
from chalicelib.storage.table import Table
from tests.api.client import Caller
from tests.conftest import HandClock
from tests.journeys.world import RecordingChannel

ADMIN = "admin-token-of-the-tests"
SHOP = {
    "platform": "woocommerce",
    "name": "חנות הדוגמה",
    "url": "https://shop.example",
    "country": "IL",
    "currency": "ILS",
    "timezone": "Asia/Jerusalem",
    "locale": "he",
}


class Secrets:
    """Webhook secrets, REST keys and Shopify's keys in dictionaries."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.rest: dict[str, tuple[str, str]] = {}
        self.shopify: dict[str, dict[str, Any]] = {}
        self.app: dict[str, Any] | None = None
        self.gateways: dict[tuple[str, str], dict[str, str]] = {}

    def signing_key(self) -> str:
        return "signing-key"

    def address_key(self) -> str:
        return "key of addresses"

    def rest_keys(self, store_id: str) -> tuple[str, str] | None:
        return self.rest.get(store_id)

    def put_rest_keys(self, store_id: str, key: str, secret: str) -> None:
        self.rest[store_id] = (key, secret)

    def delete_rest_keys(self, store_id: str) -> None:
        self.rest.pop(store_id, None)

    def shopify_access(self, store_id: str) -> dict[str, Any] | None:
        return self.shopify.get(store_id)

    def put_shopify_access(self, store_id: str, access: Mapping[str, Any]) -> None:
        self.shopify[store_id] = dict(access)

    def delete_shopify_access(self, store_id: str) -> None:
        self.shopify.pop(store_id, None)

    def shopify_app(self, newer_than: float = 0) -> dict[str, Any] | None:
        return self.app

    def put_shopify_app(self, app: Mapping[str, Any]) -> None:
        self.app = dict(app)

    def delete_shopify_app(self) -> None:
        self.app = None

    def gateway_secrets(self, store_id: str, channel: str, newer_than: float = 0) -> dict[str, str]:
        return dict(self.gateways.get((store_id, channel), {}))

    def put_gateway_secrets(self, store_id: str, channel: str, named: Mapping[str, str]) -> None:
        self.gateways[store_id, channel] = dict(named)

    def delete_gateway_secrets(self, store_id: str, channel: str) -> None:
        self.gateways.pop((store_id, channel), None)

    def webhook_secret(self, store_id: str, newer_than: float = 0) -> str | None:
        return self.kept.get(store_id)

    def put_webhook_secret(self, store_id: str, secret: str) -> None:
        self.kept[store_id] = secret

    def delete_webhook_secret(self, store_id: str) -> None:
        self.kept.pop(store_id, None)


class Workflows:
    """Remembers what was published, started and stopped."""

    def __init__(self) -> None:
        self.published: dict[str, dict[str, Any]] = {}
        self.started: dict[str, dict[str, Any]] = {}
        self.stopped: list[str] = []

    def publish(self, name: str, definition: dict[str, Any]) -> str:
        self.published[name] = definition
        return name

    def start(self, machine: str, execution: str, payload: dict[str, Any]) -> None:
        self.started[execution] = payload

    def stop(self, machine: str, execution: str, reason: str) -> None:
        self.stopped.append(execution)

    def runs(self, machine: str, execution: str) -> bool:
        return execution in self.started and execution not in self.stopped


class Queue:
    """Holds what the webhook door sent."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def send(self, message: dict[str, Any], message_id: str, /) -> None:
        self.sent.append(message)


class Objects:
    """A bucket in a dictionary."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def put(self, key: str, content: bytes) -> None:
        self.kept[key] = content

    def get(self, key: str) -> bytes:
        return self.kept[key]

    def delete(self, key: str) -> None:
        self.kept.pop(key, None)


class ApiWiring(wiring.Wiring):
    def __init__(self, table: Table, clock: HandClock) -> None:
        super().__init__(Settings.from_environment({"AGALA_TABLE": table.name}))
        self.__dict__["table"] = table
        self.__dict__["clock"] = clock

        self.__dict__["secrets"] = Secrets()
        self.__dict__["workflows"] = Workflows()
        self.__dict__["queue"] = Queue()
        self.__dict__["objects"] = Objects()
        self.__dict__["email_pace"] = None
        for name in ("email_channel", "sms_channel", "whatsapp_channel"):
            self.__dict__[name] = RecordingChannel()

    def shopify_address(self, shop: str) -> str:
        """Nobody answers there: no test asks a real shop."""
        return f"http://127.0.0.1:9/{shop}"


@pytest.fixture
def wired(table: Table, clock: HandClock) -> Iterator[ApiWiring]:
    made = ApiWiring(table, clock)
    made.tokens.put(Token(id="0" * 26, name="admin", hash=token_hash(ADMIN), stores=("*",), created_at=clock.now()))
    wiring.use(made)
    yield made
    wiring.use(None)


@pytest.fixture
def call(wired: ApiWiring) -> Caller:
    """A caller with the admin token."""
    return Caller(ADMIN)


@pytest.fixture
def store(call: Caller) -> dict[str, Any]:
    made: dict[str, Any] = call("POST", "/v1/stores", SHOP).json
    return made
