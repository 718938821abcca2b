"""Turns and gateways, on the table of the tests and on that of the embedded runtime."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.contacts.consent import Channel
from chalicelib.messages.gateway import Gateway
from chalicelib.storage.gateways import Gateways
from chalicelib.storage.table import Table
from chalicelib.storage.turns import Turns
from tests.messages.shop import NOW


@pytest.fixture(params=["table", "served_table"])
def either(request: pytest.FixtureRequest) -> Table:
    found: Table = request.getfixturevalue(request.param)
    return found


def test_turns_follow_each_other_whoever_takes_them(either: Table) -> None:
    hands, apart = [Turns(either), Turns(either)], timedelta(milliseconds=250)
    taken = [hands[n % 2].take("email:marketing", apart, NOW) for n in range(6)]
    assert taken == [(NOW + n * apart, n + 1) for n in range(6)]
    later = NOW + timedelta(minutes=1)
    assert [hand.take("email:marketing", apart, later) for hand in hands] == [(later, 7), (later + apart, 8)]
    assert hands[0].take("email:transactional", apart, NOW) == (NOW, 1)


def test_a_gateway_serves_a_minute_unless_it_is_asked_for_anew(either: Table) -> None:
    time = [0.0]
    here, elsewhere = Gateways(either, lambda: time[0]), Gateways(either)
    known: dict[str, Any] = {
        "url": "https://api.pelican.example/{{ to }}",
        "body": {"json": {"a": ["{{ text }}", 1, None]}},
        "from": "Hadar",
        "inbound": {"from": "body.from", "text": "body.text"},
    }
    gateway = Gateway.model_validate(known)
    assert here.get("s1", Channel.SMS) is None
    elsewhere.put("s1", Channel.SMS, gateway)
    assert here.get("s1", Channel.SMS) is None
    assert here.get("s1", Channel.SMS, newer_than=0) == gateway
    elsewhere.delete("s1", Channel.SMS)
    time[0] = 59.0
    assert here.has("s1", Channel.SMS) and not here.has("s1", Channel.WHATSAPP) and not here.has("s2", Channel.SMS)
    time[0] = 60.0
    assert not here.has("s1", Channel.SMS)
