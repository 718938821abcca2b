"""Functions that do little may do little: what the two schedules really ask of the table stands in their policies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chalicelib.contacts.book import ContactInput
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
