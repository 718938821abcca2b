"""A cart is watched until it counts as left, whatever happens to it or breaks off meanwhile."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.clock import parse_rfc3339, rfc3339
from chalicelib.commerce.cart import CartState
from chalicelib.commerce.cart_watch import CartWatch
from chalicelib.commerce.change import Change
from chalicelib.commerce.machines import CART_WATCH, machine
from chalicelib.journeys import compile as journey_machines
from chalicelib.journeys.ports import NotNow
from chalicelib.storage.stores import Stores
from chalicelib.storage.table import Table
from tests.commerce.carts import (
    CHECKOUT,
    CONVERTED,
    EMPTIED,
    NOBODY,
    TOKEN,
    Broken,
    U,
    activity,
    breaking,
    cart,
    events,
    item,
)
from tests.commerce.shop import DAN, NOA, START, STORE, S, Shop, order
from tests.conftest import HandClock
from tests.virtual_workflows import VirtualWorkflows

NOA_MAIL = "noa@mail.test"


class Watched:
    """The shop on a clock that stands at `START`, with the real machine watching its carts."""

    def __init__(self, table: Table) -> None:
        self.clock = HandClock(START)
        self.workflows = VirtualWorkflows(self.clock, self.look)
        self.workflows.publish(CART_WATCH, machine(CART_WATCH, "arn:watch"))
        self.shop = Shop(table, self.clock, executions=self.workflows)  # type: ignore[arg-type]
        Stores(table).save(STORE)
        self.watch = CartWatch(
            Stores(table), self.shop.carts, self.shop.contacts, self.shop.timeline, self.shop.heard, self.clock
        )
        self.looks: list[float] = []

    def look(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.looks.append(self.minute)
        again = self.watch.look(asked["store_id"], asked["token"], asked["generation"], parse_rfc3339(asked["until"]))
        if again is not None:
            raise NotNow(rfc3339(again))
        return {}

    @property
    def minute(self) -> float:
        return (self.clock.now() - START).total_seconds() / 60

    def at(self, minute: float, *changes: Change) -> None:
        """Let the time pass until then, and hear what comes."""
        self.workflows.live(minutes=minute - self.minute)
        for change in changes:
            self.shop.intake.apply(STORE, change, None, self.clock.now())

    def told(self, type_: str = "cart_abandoned") -> list[tuple[str, float]]:
        """What journeys heard of this type: (event id's end, minute)."""
        found = [event for _, event in self.shop.heard.events if event.type == type_]
        return [(e.id.rpartition(":")[2], (e.occurred_at - START).total_seconds() / 60) for e in found]

    def running(self) -> int:
        return sum(not one.standing.ended for one in self.workflows.executions.values())

    def failed(self) -> int:
        return sum(one.standing.kind == "failed" for one in self.workflows.executions.values())


@pytest.fixture
def watched(table: Table) -> Watched:
    return Watched(table)


def bought(minute: float, **more: Any) -> Change:
    at = minute / 1440
    return order("900", at, S.PENDING, more.pop("person", NOA), placed=at, **more)


def test_a_cart_counts_as_left_when_its_stores_delay_is_over(watched: Watched) -> None:
    watched.at(0, activity(0, CHECKOUT, NOA, item("1"), item("2", 2, image="https://tea.example/2.png")))
    watched.at(59)
    assert watched.told() == []
    watched.at(61)
    assert watched.looks == [60]
    assert watched.told() == [("1", 60)]
    assert events(watched.shop, NOA_MAIL)[-2:] == [("cart_abandoned", 60), ("checkout_abandoned", 60)]
    found = cart(watched.shop)
    assert (found.state, found.watched) == (CartState.ABANDONED, False)
    assert watched.running() == 0
    told = next(event for _, event in watched.shop.heard.events if event.type == "cart_abandoned")
    assert told.properties["restore_url"] == f"https://tea.example/?cart={TOKEN}"
    assert told.properties["total"] == {"amount": 15000, "currency": "ILS"}
    assert [one["quantity"] for one in told.properties["items"]] == [1, 2]
    assert (told.properties["checkout"], told.properties["lines"], told.properties["generation"]) == (True, 2, 1)


def test_a_cart_that_moved_is_looked_at_when_it_was_left_at_last(watched: Watched) -> None:
    watched.at(0, activity(0, U, NOA))
    watched.at(30, activity(30, U, NOA, item("2")))
    watched.at(45, activity(45, U, NOBODY, item("3")))
    watched.at(200)
    assert watched.looks == [60, 105]
    assert watched.told() == [("1", 105)]
    assert sum(one.standing.transitions for one in watched.workflows.executions.values()) == 2 + 3


@pytest.mark.parametrize("step", [EMPTIED, CONVERTED])
def test_a_cart_that_is_over_is_let_go(watched: Watched, step: Any) -> None:
    watched.at(0, activity(0, U, NOA))
    watched.at(30, activity(30, step, NOA))
    watched.at(500)
    assert watched.told() == []
    assert (cart(watched.shop).watched, watched.running(), watched.looks) == (False, 0, [60])


def test_a_cart_that_comes_back_to_life_is_watched_anew(watched: Watched) -> None:
    watched.at(0, activity(0, U, NOA))
    watched.at(100, activity(100, U, NOA, item("2")))
    assert cart(watched.shop).state is CartState.OPEN
    watched.at(200)
    watched.at(300, activity(300, EMPTIED, NOA))
    watched.at(310, activity(310, U, NOA))
    watched.at(500)
    assert watched.told() == [("1", 60), ("2", 160), ("3", 370)]


def test_what_is_heard_late_of_a_left_cart_brings_it_back_only_if_it_is_news(watched: Watched) -> None:
    watched.at(0, activity(5, U, NOA))  # its own clock is a little ahead: it happened when it came
    watched.at(70, activity(-5, U, NOA))
    assert cart(watched.shop).state is CartState.ABANDONED
    watched.at(71, activity(55, U, NOA))
    assert cart(watched.shop).state is CartState.OPEN
    watched.at(300)
    assert watched.told() == [("1", 60), ("2", 115)]


def test_a_backlog_waits_for_what_came_with_it(watched: Watched) -> None:
    """After a day's silence carts and orders come at once, in any order."""
    watched.at(1440, activity(10, U, NOA))
    watched.at(1441.5, bought(20, cart_token=TOKEN))
    watched.at(3000)
    assert watched.looks == [1442]
    assert watched.told() == []


def test_a_backlog_on_top_of_a_watch_waits_as_well(watched: Watched) -> None:
    watched.at(0, activity(0, U, NOA))
    watched.at(59.5, activity(10, U, NOA))
    watched.at(61, bought(20, cart_token=TOKEN))
    watched.at(3000)
    assert watched.told() == []


def test_an_old_cart_alone_in_a_backlog_was_left(watched: Watched) -> None:
    watched.at(1440, activity(10, U, NOA))
    watched.at(3000)
    assert watched.told() == [("1", 70)]


def test_whoever_ordered_otherwise_has_left_nothing(watched: Watched) -> None:
    watched.at(0, activity(0, U, NOA))
    watched.at(20, bought(20))
    watched.at(500)
    assert watched.told() == []
    assert (cart(watched.shop).watched, watched.running()) == (False, 0)


@pytest.mark.parametrize("minute", [-60, 20])
def test_an_order_before_the_cart_or_of_somebody_else_does_not_count(watched: Watched, minute: float) -> None:
    watched.at(0, bought(minute, person=NOA if minute < 0 else DAN), activity(0, U, NOA))
    watched.at(500)
    assert watched.told() == [("1", 60)]


def test_an_order_of_a_left_cart_recovers_it(watched: Watched) -> None:
    watched.at(0, activity(0, U, NOA))
    watched.at(100, bought(100, cart_token=TOKEN))
    assert watched.told("cart_recovered") == [(TOKEN, 100)]
    assert events(watched.shop, NOA_MAIL)[-1] == ("cart_recovered", 100)
    told = watched.shop.heard.events[-1][1]
    assert (told.type, told.properties["order_id"]) == ("cart_recovered", "900")


def test_an_order_that_was_placed_in_time_and_heard_late_recovers_nothing(watched: Watched) -> None:
    watched.at(0, activity(0, U, NOA))
    watched.at(100, bought(50, cart_token=TOKEN))
    assert watched.told("cart_recovered") == []
    assert cart(watched.shop).state is CartState.BOUGHT


def test_an_erased_contacts_cart_is_let_go(watched: Watched) -> None:
    watched.at(0, activity(0, U, NOA))
    contact = watched.shop.contacts.find("shop", "email", NOA_MAIL)
    assert contact is not None
    watched.at(10)
    watched.shop.book.erase("shop", contact.id)
    watched.at(500)
    assert (watched.told(), watched.running(), cart(watched.shop).contact_id) == ([], 0, None)


def test_the_shops_own_delay_counts_also_when_it_changes(watched: Watched, table: Table) -> None:
    watched.at(0, activity(0, U, NOA))
    stores = Stores(table)
    known = stores.get("shop")
    assert known is not None
    stores.save(known.model_copy(update={"abandon_after_minutes": 180}))
    watched.at(500)
    assert watched.looks == [60, 180]
    assert watched.told() == [("1", 180)]


# What breaks off is finished


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("where", ["read", "record", "timeline", "journeys"])
def test_a_look_that_breaks_off_anywhere_is_finished_by_the_next(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, where: str, after: bool
) -> None:
    watched.at(0, activity(0, U, NOA))
    place = {
        "read": (watched.shop.carts, "get"),
        "record": (watched.shop.carts, "write"),
        "timeline": (watched.shop.timeline, "append"),
        "journeys": (watched.shop.heard, "on_events"),
    }[where]
    breaking(*place, monkeypatch, after=after)
    watched.at(500)
    assert watched.looks == [60, 120]
    assert set(watched.told()) == {("1", 60)}
    assert events(watched.shop, NOA_MAIL)[-1] == ("cart_abandoned", 60)
    assert (cart(watched.shop).state, watched.running(), watched.failed()) == (CartState.ABANDONED, 0, 0)


def test_a_cart_that_moves_while_a_broken_look_rests_is_told_with_its_next_leaving(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched.at(0, activity(0, U, NOA))
    breaking(watched.shop.carts, "write", monkeypatch, after=True)
    watched.at(61)
    watched.at(70, activity(70, U, NOA))
    watched.at(500)
    assert watched.told() == [("2", 130)]
    assert (watched.running(), watched.failed()) == (0, 0)


def test_a_watch_whose_cart_is_not_written_yet_comes_back(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """The delivery was cut off between the two, and comes again from the dead letters the next day."""
    breaking(watched.shop.carts, "write", monkeypatch)
    with pytest.raises(Broken):
        watched.at(0, activity(0, U, NOA))
    watched.at(1000)
    assert watched.shop.carts.get("shop", TOKEN) is None
    watched.at(1440, activity(0, U, NOA))
    watched.at(1600)
    assert watched.told() == [("1", 60)]
    assert watched.running() == 0


def test_a_watch_whose_cart_is_never_written_ends_after_a_fortnight(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaking(watched.shop.carts, "write", monkeypatch)
    with pytest.raises(Broken):
        watched.at(0, activity(0, U, NOA))
    watched.workflows.live(days=16)
    assert (watched.running(), watched.failed()) == (0, 0)


def test_a_cart_whose_watch_was_lost_is_watched_again(watched: Watched) -> None:
    watched.at(0, activity(0, U, NOA))
    watched.workflows.executions.clear()
    watched.workflows.live(days=11)
    late = 11 * 1440.0
    watched.at(late, activity(late, U, NOA))
    watched.at(late + 100)
    assert watched.told() == [("2", late + 60)]


def test_the_machine_tries_again_as_journeys_do() -> None:
    retries = machine(CART_WATCH, "arn:watch")["States"]["Look"]["Retry"]
    named = {"Lambda.ServiceException": "Lambda.ServiceException", "TryLater": "TryLater"}
    for retry in retries:
        name = next(name for name in named if name in retry["ErrorEquals"])
        as_journeys = next(one for one in journey_machines._RETRY if name in one["ErrorEquals"])
        assert {k: v for k, v in retry.items() if k != "ErrorEquals"} == {
            k: v for k, v in as_journeys.items() if k != "ErrorEquals"
        }
        assert set(retry["ErrorEquals"]) <= set(as_journeys["ErrorEquals"])
    assert timedelta(seconds=machine(CART_WATCH, "-")["States"]["Again"]["Seconds"]) == timedelta(hours=1)
