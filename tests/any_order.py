"""A store that hears deliveries through its real door, and all that came of them in a form without made-up ids."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from chalicelib import wiring
from chalicelib.commerce.machines import CART_WATCH, ERRAND, machine
from chalicelib.commerce.store import Platform, Store
from chalicelib.handlers.cart_watch import cart_watch
from chalicelib.handlers.errands import errands
from chalicelib.handlers.ingest import ingest
from chalicelib.handlers.journey_steps import journey_step
from chalicelib.handlers.webhooks import receive
from chalicelib.messages.links import SignedLinks
from chalicelib.settings import Settings
from chalicelib.storage.table import Table, from_wire
from chalicelib.store_adapters.envelope import Arrival, arrival_id, encode
from chalicelib.store_adapters.plugin import PLATFORM, CartCall, headers_of, repeat_key
from tests.commerce.carts import OF_WATCHING
from tests.commerce.shop import Bucket
from tests.conftest import HandClock
from tests.journeys.world import RecordingChannel
from tests.memory_client import MemoryTables
from tests.recorded import SECRET
from tests.virtual_workflows import VirtualWorkflows

Told = tuple[Mapping[str, str], bytes]
"""One delivery: its headers and its body, as the store sends them."""

_SIGNED_LINK = re.compile(r"https://agala\.example/\S+")


class CollectingQueue:
    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    def send(self, message: dict[str, Any], message_id: str, /) -> None:
        self.messages.append(message)


class _Secret:
    def webhook_secret(self, store_id: str, newer_than: float = 0) -> str:
        return SECRET

    def address_key(self) -> str:
        return "key of addresses"


class Listening:
    """Production's wiring but for the table server, the clock, the queue, the bucket, workflows and the channel."""

    def __init__(self, table: Table, clock: HandClock, store: Mapping[str, Any]) -> None:
        self.clock, self.queue, self.bucket = clock, CollectingQueue(), Bucket()
        self.activities = CollectingQueue()
        self.channel = RecordingChannel()
        self.workflows = VirtualWorkflows(
            clock,
            lambda task: journey_step(task, None),
            {"arn:watch": lambda task: cart_watch(task, None), "arn:errands": lambda task: errands(task, None)},
        )
        self.workflows.publish(CART_WATCH, machine(CART_WATCH, "arn:watch"))
        self.workflows.publish(ERRAND, machine(ERRAND, "arn:errands"))
        told_where = {
            "AGALA_STEP_FUNCTION_ARN": "arn:step",
            "AGALA_CART_WATCH_MACHINE_ARN": CART_WATCH,
            "AGALA_ERRAND_MACHINE_ARN": ERRAND,
        }
        self.parts: Any = wiring.Wiring(Settings.from_environment(told_where))
        parts = self.parts
        parts.table, parts.clock, parts.workflows = table, clock, self.workflows
        parts.activities = self.activities
        parts.queue, parts.secrets, parts.objects = self.queue, _Secret(), self.bucket
        parts.email_channel = parts.sms_channel = self.channel
        parts.email_pace = None
        parts.links = SignedLinks("https://agala.example", [b"key"])
        told = {"id": "shop", "name": "Shop", "url": "https://shop.example", "platform": Platform.WOOCOMMERCE, **store}
        self.store: Store = parts.stores.save(Store(created_at=clock.now() - timedelta(days=30), **told))

    def activate(self, journeys: Mapping[str, dict[str, Any]]) -> None:
        for journey_id, definition in journeys.items():
            self.parts.lifecycle.save_draft(self.store, journey_id, definition)
            self.parts.lifecycle.activate(self.store, journey_id)

    def hear(self, told: Sequence[Told], batch: int = 1) -> None:
        """Through the door (calls of the plugin come verified), and on from the queue in batches of so many."""
        for headers, body in told:
            if "X-Agala-Signature" in headers:
                self.queue.send(encode(self._cart_call(body)), "")
            else:
                status, _ = receive(self.store.platform.value, self.store.id, headers, body, self.parts)
                assert status == 200
        while self.queue.messages:
            some, self.queue.messages = self.queue.messages[:batch], self.queue.messages[batch:]
            records = [{"messageId": str(n), "body": json.dumps(one)} for n, one in enumerate(some)]
            assert ingest({"Records": records}, None) == {"batchItemFailures": []}

    def _cart_call(self, body: bytes) -> Arrival:
        """As the carts door queues it, once its signature is found to be good."""
        call, now = CartCall.model_validate_json(body), self.clock.now()
        return Arrival("shop", PLATFORM, arrival_id(now), repeat_key(call.id), now, headers_of(call), body)

    def items(self) -> list[dict[str, Any]]:
        """Every item of the table."""
        table, found, start = self.parts.table, [], {}
        while True:
            answer = table._client.scan(TableName=table.name, ConsistentRead=True, **start)
            found += [from_wire(item) for item in answer["Items"]]
            if "LastEvaluatedKey" not in answer:
                return found
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def records(self) -> str:
        """Contacts by their oldest address, carts, orders, products, facts, timelines, and what was applied."""
        items = self.items()
        kept = []
        for item in items:
            bare = {k: v for k, v in item.items() if k not in ("rev", "gsi1pk", "gsi1sk", "expires_at")}
            kind, sk = str(item["pk"]).partition("#")[0], str(item["sk"])
            if kind == "ORDER" and sk.startswith("D#"):
                continue  # a pointer to a delivery, by its made-up id
            if kind in ("ORDER", "PRODUCT", "ID") or (kind == "C" and sk[0] in "POFTK" and not item.get("merged_into")):
                kept.append(bare)
            elif kind == "CART":
                kept.append({name: value for name, value in bare.items() if name not in OF_WATCHING})
            elif kind == "REPEAT":
                kept.append({"pk": bare["pk"]})
        for status in ("applied", "parked"):
            for record in self.parts.deliveries.list("shop", status, None, 1000):
                raw = self.parts.deliveries.raw("shop", record.id)
                kept.append({"pk": "delivery", "status": status, "topic": record.topic, "body": repr(raw and raw.body)})
        return self._named(kept)

    def enrolments(self) -> str:
        """Every enrolment as the API shows it, but for its id and what led to it."""
        found = []
        for contact in self.parts.contacts.list("shop", None, 1000):
            for one in self.parts.enrolments.of_contact("shop", contact.id):
                shown = {"id", "generation", "started", "history", "rev"}
                found.append(_without_nothing(one.model_dump(mode="json", exclude=shown)))
        return self._named(found)

    def messages(self) -> str:
        """Every message, sent or not, and what the channel was given."""
        found = []
        for contact in self.parts.contacts.list("shop", None, 1000):
            for one in self.parts.messages.of_contact("shop", contact.id):
                told = one.model_dump(mode="json", exclude={"id", "enrolment_id", "links", "provider_id", "rev"})
                given = [email for email in self.channel.taken if email.message_id == one.id]
                found.append({**told, "texts": [_SIGNED_LINK.sub("<link>", email.text) for email in given]})
        return self._named(found)

    def _named(self, found: list[dict[str, Any]]) -> str:
        """As sorted lines, with contacts by their oldest address instead of their made-up ids."""
        names = self._names()
        lines = []
        for one in found:
            text = _text(one)
            for contact_id, name in names.items():
                text = text.replace(contact_id, name)
            lines.append(text)
        return "\n".join(sorted(lines))

    def _names(self) -> dict[str, str]:
        contacts = {c.id: min((*c.emails, *c.phones)) for c in self.parts.contacts.list("shop", None, 1000)}
        merged = [item for item in self.items() if item.get("merged_into")]
        return contacts | {one["id"]: contacts[self.parts.contacts.get("shop", one["id"]).id] for one in merged}


def _text(item: Any) -> str:
    return json.dumps(item, sort_keys=True, default=str, ensure_ascii=False)


def _without_nothing(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nothing(one) for name, one in value.items() if one is not None}
    return [_without_nothing(one) for one in value] if isinstance(value, list) else value


@contextmanager
def listening(server: MemoryTables, clock: HandClock, store: Mapping[str, Any]) -> Iterator[Listening]:
    """On a table of its own, in the process's wiring."""
    made = Listening(Table(server.dynamodb(), "memory"), clock, store)
    wiring.use(made.parts)
    try:
        yield made
    finally:
        wiring.use(None)
