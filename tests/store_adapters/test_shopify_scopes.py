"""The scopes that we ask for are those that Shopify's own schema says our topics need."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chalicelib.store_adapters.shopify_scopes import SCOPES
from tests.shopify.schema import schema

WANTED = [
    *(f"ORDERS_{what}" for what in ("CREATE", "UPDATED", "PAID", "CANCELLED", "FULFILLED", "PARTIALLY_FULFILLED")),
    *(f"ORDERS_{what}" for what in ("DELETE", "EDITED")),
    *(f"CHECKOUTS_{what}" for what in ("CREATE", "UPDATE", "DELETE")),
    *(f"CUSTOMERS_{what}" for what in ("CREATE", "UPDATE", "DELETE", "ENABLE", "DISABLE")),
    "CUSTOMERS_MARKETING_CONSENT_UPDATE",
    "CUSTOMERS_EMAIL_MARKETING_CONSENT_UPDATE",
    "CUSTOMERS_WHATS_APP_MARKETING_CONSENT_UPDATE",
    *(f"PRODUCTS_{what}" for what in ("CREATE", "UPDATE", "DELETE")),
    *(f"INVENTORY_LEVELS_{what}" for what in ("UPDATE", "CONNECT", "DISCONNECT")),
    *(f"COLLECTIONS_{what}" for what in ("UPDATE", "DELETE")),
    "REFUNDS_CREATE",
    *(f"FULFILLMENTS_{what}" for what in ("CREATE", "UPDATE")),
    "APP_UNINSTALLED",
]
OURS = {scope.name for scope in SCOPES if scope.needed}


@pytest.mark.parametrize("topic", WANTED)
def test_a_topic_needs_no_more_than_we_ask(topic: str) -> None:
    needed = set(re.findall(r"\bread_\w+", _topics()[topic]))
    assert not needed or needed & OURS


def test_each_scope_to_read_is_needed_by_a_topic() -> None:
    topics = _topics()
    needed = {scope for topic in WANTED for scope in re.findall(r"\bread_\w+", topics[topic])}
    assert {name for name in OURS if name.startswith("read_")} <= needed


def test_the_guide_lists_every_scope_with_its_reason_and_no_other() -> None:
    guide = Path("docs/shopify.md").read_text().partition("## Scopes, and why")[2].partition("\n## ")[0]
    rows = [f"| `{scope.name}`{'' if scope.needed else ' (optional)'} | {scope.why} |" for scope in SCOPES]
    assert [line for line in guide.splitlines() if line.startswith("| `")] == rows


def _topics() -> dict[str, str]:
    values = schema().type_map["WebhookSubscriptionTopic"].values  # type: ignore[attr-defined]
    return {name: value.description or "" for name, value in values.items()}
