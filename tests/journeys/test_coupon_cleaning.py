"""Ended coupons leave the shop, once, and a shop that is out keeps nobody waiting."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib.commerce.coupon import OwnedCoupon, Removal
from chalicelib.commerce.store import Connection, ConnectionStatus, Store
from chalicelib.commerce.trouble import ShopTrouble, TroubleCode
from chalicelib.journeys.coupon_cleaning import GRACE, TOGETHER, CleanCoupons, begin_cleaning
from chalicelib.journeys.errands import Errand
from chalicelib.storage.table import Table
from tests.conftest import HandClock
from tests.journeys.world import World


@pytest.fixture
def world(table: Table, clock: HandClock) -> World:
    found = World(table, clock)
    connection = Connection(status=ConnectionStatus.CONNECTED, rest_url="https://tea.example/", at=clock.now())
    found.store = found.stores.save(found.store.model_copy(update={"connection": connection}))
    return found


def give(world: World, code: str, ended_ago: timedelta) -> None:
    now = world.clock.now()
    owned = OwnedCoupon(
        code=code,
        store_id=world.store.id,
        contact_id=world.contact,
        enrolment="e",
        journey="j",
        step="gift",
        at=now - timedelta(days=30),
        ends_at=now - ended_ago,
    )
    world.coupons.claim(owned)


def errand(world: World) -> Errand:
    return Errand(store_id=world.store.id, kind="clean_coupons", key="today", begun_at=world.clock.now())


def test_each_is_asked_for_once_and_those_that_are_good_still_stay(world: World) -> None:
    for number in range(TOGETHER + 2):
        give(world, f"OVER-{number:02}", GRACE + timedelta(hours=number + 1))
    give(world, "GOOD", -timedelta(days=3))
    give(world, "JUST", GRACE - timedelta(minutes=1))
    asked: list[str] = []

    def remove(store: Store, code: str) -> Removal:
        asked.append(code)
        return Removal.USED if code == "OVER-03" else Removal.REMOVED

    work = CleanCoupons(world.coupons, remove, world.clock)
    first = work.slice(world.store, errand(world))
    assert first.again_at is not None
    second = work.slice(world.store, errand(world).model_copy(update={"report": dict(first.report or {})}))
    assert (second.again_at, second.done) == (None, 2)
    assert dict(second.report or {}) == {"removed": TOGETHER + 1, "used": 1}
    assert asked[0] == f"OVER-{TOGETHER + 1:02}"  # the earliest end first
    assert len(asked) == len(set(asked)) == TOGETHER + 2
    assert world.coupons.get_many(world.store.id, ["OVER-03"])["OVER-03"].cleared == "used"


def test_a_shop_that_does_not_answer_is_asked_again_tomorrow(world: World) -> None:
    give(world, "OVER", GRACE * 2)

    def out(store: Store, code: str) -> Removal:
        raise ShopTrouble(TroubleCode.NO_ANSWER)

    done = CleanCoupons(world.coupons, out, world.clock).slice(world.store, errand(world))
    assert (done.again_at, done.report) == (None, {"trouble": "no_answer"})
    begin_cleaning(world.errands, world.store, world.coupons, world.clock)
    assert [one.key for one in world.errands.of_kind(world.store.id, "clean_coupons")] == ["2026-11-21"]


def test_one_that_the_shop_refuses_to_give_up_keeps_no_other_waiting(world: World) -> None:
    give(world, "LOCKED", GRACE * 3)
    give(world, "OVER", GRACE * 2)

    def remove(store: Store, code: str) -> Removal:
        if code == "LOCKED":
            raise ShopTrouble(TroubleCode.REFUSED, reason="cannot_delete")
        return Removal.REMOVED

    done = CleanCoupons(world.coupons, remove, world.clock).slice(world.store, errand(world))
    assert done.report == {"refused": 1, "removed": 1}
    assert world.coupons.ended(world.store.id, world.clock.now(), 9) == []


def test_nothing_is_begun_where_nothing_ended(world: World) -> None:
    give(world, "GOOD", -timedelta(days=3))
    begin_cleaning(world.errands, world.store, world.coupons, world.clock)
    assert world.errands.of_kind(world.store.id, "clean_coupons") == []
