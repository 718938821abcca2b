"""A connected store and the shop it is asked from: real records and journeys, a real REST client, a shop of ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chalicelib.clock import parse_rfc3339
from chalicelib.commerce.store import Connection, ConnectionStatus, Store
from chalicelib.journeys.enrolment import Enrolment
from chalicelib.settings import Settings
from chalicelib.storage.table import Table
from chalicelib.store_adapters.base import Delivery
from chalicelib.store_adapters.woocommerce import WooCommerce
from chalicelib.sync import pull
from chalicelib.sync.progress import SyncProgress
from chalicelib.wiring import Wiring
from local.bench.shop import KEY, SECRET, FakeShop
from tests.api.conftest import Secrets, Workflows
from tests.conftest import HandClock

STORE = "01jstorestorestorestore00a"


class Parts(Wiring):
    private_shops = True

    def __init__(self, table: Table, clock: HandClock) -> None:
        super().__init__(
            Settings.from_environment(
                {"AGALA_PUBLIC_URL": "https://agala.example", "AGALA_STORE_SYNC_MACHINE_ARN": "store-sync"}
            )
        )
        self.__dict__ |= {"table": table, "clock": clock, "secrets": Secrets(), "workflows": Workflows()}


@dataclass
class World:
    parts: Parts
    shop: FakeShop
    clock: HandClock

    @property
    def store(self) -> Store:
        found = self.parts.stores.get(STORE)
        assert found is not None
        return found

    @property
    def progress(self) -> SyncProgress:
        found = self.parts.sync_records.get(STORE)
        assert found is not None
        return found

    @property
    def started(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = self.parts.workflows.started  # type: ignore[attr-defined]
        return {name: given for name, given in found.items() if name.startswith("sync-")}

    def work(self, execution: dict[str, Any] | None = None) -> dict[str, Any]:
        """One call of the task, of the newest execution if none is named."""
        given = execution or list(self.started.values())[-1]
        return self.parts.pull.work(given["store_id"], given["run"], given["execution"])

    def run(self, most: int = 200) -> int:
        """Until it is done; store time moves on to when it may go on. Returns how many calls it took."""
        for turn in range(1, most + 1):
            answer = self.work()
            if answer["done"]:
                return turn
            self.clock.time = max(self.clock.time, parse_rfc3339(str(answer["until"])))
        raise AssertionError("it does not come to an end")

    def begin(self) -> None:
        """By pages of ten, so that a small shop has many."""
        self.parts.sync.history(self.store)
        self.parts.sync_records.save(self.progress.model_copy(update={"size": 10}))

    def history(self) -> None:
        self.begin()
        self.run()

    def nightly(self) -> None:
        self.parts.sync.nightly(self.store)
        self.run()

    def hear(self, topic: str, body: dict[str, Any]) -> None:
        """A webhook's delivery, applied as ingest does it."""
        store = self.store
        delivery = Delivery(STORE, "woocommerce", {"x-wc-webhook-topic": topic}, _bytes(body), self.clock.now())
        for change in WooCommerce().parse(delivery, store):
            self.parts.intake.apply(store, change, "delivery", self.clock.now())

    def enrolments(self, journey: str) -> list[Enrolment]:
        return list(self.parts.enrolments.all_of_journey(STORE, journey))

    def contact_of(self, email: str) -> Any:
        from chalicelib.contacts.identity import EMAIL

        pointer = self.parts.contacts.pointers(STORE, [(EMAIL, email)])[(EMAIL, email)]
        return self.parts.contacts.get(STORE, pointer.contacts[0])


def _bytes(body: dict[str, Any]) -> bytes:
    return json.dumps(body).encode()


def connected(parts: Parts, rest_url: str) -> Store:
    now = parts.clock.now()
    parts.secrets.put_rest_keys(STORE, KEY, SECRET)
    parts.secrets.put_webhook_secret(STORE, "the-secret-of-the-tests")
    return parts.stores.save(
        Store(
            id=STORE,
            platform="woocommerce",  # type: ignore[arg-type]
            name="Tea",
            url="https://tea.example",
            country="IL",
            currency="ILS",
            timezone="Asia/Jerusalem",
            locale="he",
            created_at=now,
            connection=Connection(status=ConnectionStatus.CONNECTED, rest_url=rest_url, at=now, keys_at=now),
        )
    )


def one_page_a_call(monkeypatch: Any) -> None:
    """The time of a call is over after every page."""
    monkeypatch.setattr(pull, "WORK_SECONDS", 0.0)


Make = Callable[..., World]
