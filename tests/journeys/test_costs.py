"""The counted units of a journey's parts are those that what-if reckons with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.journeys import costs
from chalicelib.journeys.costs import Done, cost, units
from chalicelib.storage.table import Table, create_table
from local.bench.units import Bill, Meter
from local.table_server import TableServer
from tests.conftest import HandClock
from tests.journeys.world import BOUGHT_AGAIN, World, journey, mail, pause

Metered = tuple[World, Meter]


@pytest.fixture
def metered(table_server: TableServer, clock: HandClock, request: pytest.FixtureRequest) -> Metered:
    client = table_server.dynamodb()
    name = f"units-{request.node.name[:30].replace('[', '-').replace(']', '')}"
    create_table(client, name)
    meter = Meter(table_server.dynamodb())
    meter.watch(client.meta.events)
    return World(Table(client, name), clock), meter


def billed(meter: Meter, action: Callable[[], Any]) -> tuple[float, float]:
    with meter.bill() as bill:
        action()
    found: Bill = bill
    return found.read, found.write


def test_the_units_that_are_reckoned_with_are_the_counted_ones(metered: Metered) -> None:
    world, meter = metered
    tag = {"id": "tag", "type": "add_tag", "tag": "vip"}
    world.activate(
        journey(mail("mail", "marketing"), pause("days"), tag, pause("more"), mail("last"), goal=BOUGHT_AGAIN)
    )
    event = world.order("1")
    entry = billed(meter, lambda: world.tell(event))
    message = billed(meter, lambda: world.run(world.only(), ["mail"], "days"))
    world.clock.time += timedelta(days=3)
    change = billed(meter, lambda: world.run(world.only(), ["tag"], "more"))
    heard = billed(meter, lambda: world.tell(event))
    found = {"entry": entry, "message": message, "change": change, "heard": heard}
    reckoned = {
        "entry": costs.ENTRY,
        "message": (costs.TASK[0] + costs.MESSAGE[0], costs.TASK[1] + costs.MESSAGE[1]),
        "change": (costs.TASK[0] + costs.CHANGE[0], costs.TASK[1] + costs.CHANGE[1]),
        "heard": costs.HEARD,
    }
    for part, (read, write) in found.items():
        assert abs(read - reckoned[part][0]) <= 1.5, (part, found[part], reckoned[part])
        assert abs(write - reckoned[part][1]) <= 1.5, (part, found[part], reckoned[part])


def test_costs_are_lists_prices_in_millionths_of_a_dollar() -> None:
    done = Done(transitions=1000, invocations=1000, entries=100, messages=400, changes=0, heard=0, emails=1000)
    found = cost(done)
    assert (found.state_transitions, found.emails) == (25_000, 100_000)  # $0.025 and $0.10
    read, write = units(done)
    assert found.table == round(read * 0.125 + write * 0.625)
    assert found.functions == 600  # 1,000 calls of 60 ms with half a GB
    assert found.total == found.state_transitions + found.emails + found.table + found.functions
