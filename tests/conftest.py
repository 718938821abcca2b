"""What all tests share: a real (embedded) DynamoDB, and a clock that moves only when told."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chalicelib.storage.table import Table, create_table
from local.table_server import TableServer
from tests.memory_client import MemoryTables, memory_table
from tests.shopify.plugin import shopify as shopify  # the fixture, for every folder

RECORDED = Path(__file__).parent / "recorded"


class HandClock:
    """Stands still until moved."""

    def __init__(self, start: datetime = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)) -> None:
        self.time = start

    def now(self) -> datetime:
        return self.time

    def advance(self, **delta: float) -> None:
        self.time += timedelta(**delta)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(scope="session")
def table_server() -> Iterator[TableServer]:
    server = TableServer(None)
    yield server
    server.close()


@pytest.fixture(scope="session")
def tables() -> MemoryTables:
    return MemoryTables()


@pytest.fixture
def table() -> Table:
    """A table of the test's own, in memory; `served_table` is one that a server keeps."""
    return memory_table()


@pytest.fixture
def served_table(table_server: TableServer) -> Table:
    """A table of the test's own, as the embedded runtime has it."""
    name = f"agala-{uuid.uuid4().hex[:12]}"
    client = table_server.dynamodb()
    create_table(client, name)
    return Table(client, name)
