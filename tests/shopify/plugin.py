"""The fixture that gives a test a Shopify of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from chalicelib.clock import Clock

if TYPE_CHECKING:
    from tests.shopify.fake import FakeShopify


@pytest.fixture
def shopify(clock: Clock) -> Iterator[FakeShopify]:
    """On the test's `clock`, which stands still until moved. Skipped by name where the schema is absent."""
    from tests.shopify.fake import FakeShopify

    made = FakeShopify(clock)
    yield made
    made.close()
