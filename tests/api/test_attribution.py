from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.commerce.money import Money
from chalicelib.contacts.consent import Channel
from chalicelib.messages.attribution import Attribution
from tests.api.client import Caller
from tests.api.conftest import ApiWiring

NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def earned(wired: ApiWiring, store: dict[str, Any]) -> str:
    """Five orders: three of one step by a click, one of another by a coupon, one in a foreign currency."""
    told = [("welcome", "hi", "click", 1000, "ILS")] * 3
    told += [("birthday", "gift", "coupon", 500, "ILS"), ("welcome", "hi", "click", 99, "USD")]
    told += [("birthday", "gift", "coupon", 0, "ILS")]  # refunded
    for number, (journey, step, via, net, currency) in enumerate(told):
        wired.attributions.save(
            Attribution(
                store_id=store["id"],
                order_id=str(number),
                journey=journey,
                step=step,
                channel=Channel.EMAIL,
                via=via,  # type: ignore[arg-type]
                touched_at=NOON,
                placed_at=NOON + timedelta(days=number),
                total=Money(amount=2000, currency=currency),
                net=Money(amount=net, currency=currency),
            )
        )
    return f"/v1/stores/{store['id']}/attribution"


def test_orders_come_in_pages_and_by_journey(call: Caller, earned: str) -> None:
    first = call("GET", f"{earned}?limit=2").json
    rest = call("GET", f"{earned}?limit=10&cursor={first['next']}").json
    assert [one["order_id"] for one in first["items"] + rest["items"]] == ["0", "1", "2", "3", "4", "5"]
    gift, _refunded = call("GET", f"{earned}?journey=birthday").json["items"]
    assert (gift["order_id"], gift["via"], gift["net"]) == ("3", "coupon", {"amount": 500, "currency": "ILS"})
    some = call("GET", f"{earned}?since=2026-11-02T12:00:00Z&before=2026-11-04T12:00:00Z").json["items"]
    assert [one["order_id"] for one in some] == ["1", "2"]


def test_sums_by_step_in_the_stores_currency(call: Caller, earned: str) -> None:
    told = call("GET", f"{earned}/sums?since=2026-11-01T00:00:00Z&before=2026-12-01T00:00:00Z").json
    assert (told["orders"], told["revenue"]["amount"], told["complete"]) == (5, 3500, True)
    assert [(one["journey"], one["orders"], one["revenue"]["amount"]) for one in told["items"]] == [
        ("birthday", 1, 500),
        ("welcome", 4, 3000),
    ]
    wrong = call("GET", f"{earned}/sums?since=2026-12-02T00:00:00Z&before=2026-12-01T00:00:00Z")
    assert (wrong.status, wrong.json["errors"][0]["field"]) == (422, "since")


def test_a_recount_is_an_errand(call: Caller, earned: str) -> None:
    answer = call("POST", f"{earned}/recount", {})
    assert answer.status == 202
    assert answer.json["ended_at"] is not None
