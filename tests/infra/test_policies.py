"""Functions that do little may do little: what the two schedules really ask of the table stands in their policies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.contacts.book import ContactInput
from chalicelib.contacts.consent import Channel, Consent, ConsentChange, ConsentStatus
from chalicelib.messages.followed import MessageLinks, Sighting, Target
from chalicelib.storage import keys
from chalicelib.storage.table import Put, Table
from tests.any_order import Listening, listening
from tests.conftest import HandClock
from tests.journeys.world import journey, mail
from tests.memory_client import MemoryClient
from tests.test_any_order import HEBREW, NOW

_OF_TRANSACTIONS = {
    "Put": "PutItem",
    "Delete": "DeleteItem",
    "Update": "UpdateItem",
    "ConditionCheck": "ConditionCheckItem",
}


class AskedClient(MemoryClient):
    """Notes the actions that IAM would be asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name not in ("get_item", "put_item", "delete_item", "update_item", "batch_get_item", "query"):
            return self._noting(found) if name == "transact_write_items" else found
        self.asked.add(f"dynamodb:{''.join(part.capitalize() for part in name.split('_'))}")
        return found

    def _noting(self, transact: Any) -> Any:
        def asked(**given: Any) -> Any:
            kinds = {kind for operation in given["TransactItems"] for kind in operation}
            self.asked |= {f"dynamodb:{_OF_TRANSACTIONS[kind]}" for kind in kinds}
            return transact(**given)

        return asked


class _Tables:
    def __init__(self) -> None:
        self.client = AskedClient()

    def dynamodb(self) -> Any:
        return self.client


@pytest.fixture
def asking() -> Iterator[tuple[Listening, AskedClient]]:
    tables = _Tables()
    with listening(tables, HandClock(NOW), HEBREW) as shop:  # type: ignore[arg-type]
        yield shop, tables.client


def allowed(function: str) -> set[str]:
    policy = json.loads(Path(f".chalice/policy-{function}.json").read_text())
    return {action for statement in policy["Statement"] for action in statement["Action"]}


def from_before_the_index(table: Table, contact_id: str) -> None:
    """A contact as it was written when there was no index of days; one entry that it has stands for nothing by now."""
    item = table.get(keys.contact("shop", contact_id), keys.PROFILE)
    assert item is not None
    table.put(Put({**item, "indexed": {"date:gone": "2020-01-01"}}))


def test_the_schedules_may_do_what_they_do(asking: tuple[Listening, AskedClient]) -> None:
    shop, client = asking
    given = ContactInput(email="dana@shopper.example", fields={"birthday": "1990-11-22"})
    contact = shop.parts.contact_book.upsert(shop.store, given)
    from_before_the_index(shop.parts.table, contact.id)
    birthday = {"type": "date_field", "field": "birthday", "yearly": True, "at": "09:00"}
    shop.activate({"birthday": journey(mail(), trigger=birthday)})
    for function, looks in (
        ("calendar", shop.parts.calendar.look),
        ("nightly", shop.parts.begin_sweeps),
        ("nightly", shop.parts.begin_count),
    ):
        client.asked.clear()
        looks(shop.store)
        assert client.asked <= allowed(function), function
    assert shop.parts.contacts.get("shop", contact.id).indexed.keys() == {"date:birthday"}


def test_the_door_behind_links_and_its_reader_may_do_what_they_do(asking: tuple[Listening, AskedClient]) -> None:
    shop, client = asking
    agreed = Consent(status=ConsentStatus.SUBSCRIBED, source="api", at=NOW)
    given = ContactInput(email="dana@shopper.example", consent={Channel.EMAIL: agreed})
    contact = shop.parts.contact_book.upsert(shop.store, given)
    about = {"store_id": "shop", "contact_id": contact.id, "message_id": f"{contact.id}-m", "channel": "email"}
    home = {"language": "en", "home": "https://tea.example", "targets": (Target(url="https://tea.example/"),)}
    shop.parts.followed.keep(MessageLinks.model_validate({"code": "c" * 12, "sent_at": NOW, **about, **home}))
    client.asked.clear()
    assert shop.parts.followed.see("c" * 12, Sighting(at=NOW, number="0"))
    assert shop.parts.followed.get("c" * 12)
    refusal = Consent(status=ConsentStatus.UNSUBSCRIBED, source="unsubscribe_link", at=NOW + timedelta(days=1))
    shop.parts.contact_book.change_consent("shop", contact.id, [ConsentChange(channel=Channel.EMAIL, consent=refusal)])
    assert client.asked <= allowed("links-door")
    client.asked.clear()
    shop.parts.activity.take("c" * 12, "0", NOW)
    shop.parts.contact_book.add_tag("shop", contact.id, "tea", "cause")
    shop.parts.followed.forget("c" * 12)
    assert client.asked <= allowed("activity")
