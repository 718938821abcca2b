"""A shop's past comes in whole, page by page, whatever happens on the way."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib.commerce.store import ConnectionStatus, FirstHistory
from chalicelib.errors import TryLater
from chalicelib.sync.progress import SyncStatus
from local.bench.shop import FIRST_ORDER, FIRST_VARIATION, VARIABLE
from tests.sync.world import STORE, Make, World, one_page_a_call


def orders_known(world: World) -> set[int]:
    ids = world.shop.shelves["orders"].ids()
    return {one for one in ids if world.parts.orders.get(STORE, str(one))}


def test_everything_a_shop_has_comes_in(make: Make) -> None:
    world = make(orders=45)
    world.history()
    assert orders_known(world) == set(world.shop.shelves["orders"].ids())
    progress = world.progress
    assert progress.status is SyncStatus.DONE
    assert [(part.kind, part.done, part.total) for part in progress.parts] == [
        ("webhooks", 1, 1),
        ("products", 9, 9),
        ("customers", 5, 5),
        ("orders", 45, 45),
    ]
    variation = world.parts.products.get(STORE, str(FIRST_VARIATION))
    assert variation is not None and variation.product is not None
    assert variation.product.parent_id == str(VARIABLE)
    assert variation.product.name == f"כוס בצבעים - צבע {FIRST_VARIATION}"
    assert variation.product.image == f"https://tea.example/{FIRST_VARIATION}.png"
    assert len(world.shop.shelves["webhooks"].put) == 11
    people = {one["billing"]["email"] for one in map(world.shop.order, world.shop.shelves["orders"].ids())}
    counts = [world.contact_of(email).orders_count for email in people]
    assert sum(counts) == 45


def test_a_crash_after_any_page_loses_nothing_and_costs_that_page(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    world = make(orders=35)
    world.begin()
    one_page_a_call(monkeypatch)
    save, saves = world.parts.sync_records.save, iter(range(1, 10_000))

    def falls_over(progress: object) -> object:
        if next(saves) % 3 == 0:
            raise TryLater("the table is out")
        return save(progress)  # type: ignore[arg-type]

    monkeypatch.setattr(world.parts.sync_records, "save", falls_over)
    crashes = 0
    for _ in range(24):
        try:
            if world.work()["done"]:
                break
        except TryLater:
            crashes += 1
    assert crashes > 2
    assert orders_known(world) == set(world.shop.shelves["orders"].ids())
    assert [part.done for part in world.progress.parts] == [1, 9, 4, 35]


def test_a_call_works_for_a_bounded_time_and_says_when_to_come_back(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make(orders=35)
    world.begin()
    one_page_a_call(monkeypatch)
    before = len(world.shop.asked)
    assert world.work()["done"] is False
    assert {one.split()[1].split("/")[0] for one in world.shop.asked[before:]} == {"webhooks"}
    assert world.run() > 5


@pytest.mark.parametrize("gone", [1, 9, 10, 16])
def test_orders_deleted_behind_us_make_us_skip_none(make: Make, gone: int) -> None:
    """They move up those that we have not read: what page numbers would skip."""
    world = make(orders=45)
    orders = world.shop.shelves["orders"]

    def delete(path: str, query: dict[str, str]) -> None:
        if path == "orders" and int(query["offset"]) > 15 and not orders.gone:
            orders.gone |= set(range(FIRST_ORDER, FIRST_ORDER + gone))

    world.shop.before_answer = delete
    world.history()
    assert orders_known(world) == set(orders.ids())


def test_orders_that_come_while_we_read_are_read_too(make: Make) -> None:
    world = make(orders=30)
    orders = world.shop.shelves["orders"]

    def add(path: str, query: dict[str, str]) -> None:
        if path == "orders" and int(query["offset"]) > 10 and not orders.put:
            orders.put |= {FIRST_ORDER + n: world.shop.order(FIRST_ORDER + n) for n in (30, 31)}

    world.shop.before_answer = add
    world.history()
    assert orders_known(world) == set(orders.ids())
    assert len(orders.ids()) == 32


def test_one_bad_record_is_counted_and_never_stops_the_rest(make: Make) -> None:
    world = make(orders=22)
    orders = world.shop.shelves["orders"]
    orders.put[FIRST_ORDER + 3] = world.shop.order(FIRST_ORDER + 3, status="on-the-moon")
    orders.put[FIRST_ORDER + 4] = world.shop.order(FIRST_ORDER + 4, total="zoe@example.test")
    orders.put[FIRST_ORDER + 5] = world.shop.order(FIRST_ORDER + 5, total="many")
    orders.put[FIRST_ORDER + 6] = {"id": FIRST_ORDER + 6}
    world.history()
    part = world.progress.parts[-1]
    assert (part.done, part.skipped) == (22, 4)
    assert part.reasons["total: expected an amount"] == 2
    assert "zoe" not in str(part)
    assert len(orders_known(world)) == 18


def test_our_own_mistake_with_one_record_is_counted_too(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    world = make(orders=20)
    apply = world.parts.history_intake.apply

    def stumbles(store: object, change: object, *more: object) -> object:
        if getattr(change, "external_id", "") == str(FIRST_ORDER + 7):
            raise KeyError("zoe@example.test")
        return apply(store, change, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(world.parts.history_intake, "apply", stumbles)
    world.history()
    assert world.progress.parts[-1].reasons == {"internal error: KeyError": 1}
    assert len(orders_known(world)) == 19


def test_a_list_that_keeps_to_no_order_is_read_by_its_pages(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    world = make(orders=35)
    orders = world.shop.shelves["orders"]
    mixed = sorted(orders.ids(), key=lambda one: one * 7919 % 1009)
    monkeypatch.setattr(orders, "ids", lambda: mixed)
    world.history()
    assert orders_known(world) == set(mixed)


def test_a_shop_that_gives_fewer_than_asked_is_read_to_its_end(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    world = make(orders=33)
    page = world.shop._page
    monkeypatch.setattr(world.shop, "_page", lambda shelf, query: page(shelf, {**query, "per_page": "4"}))
    world.history()
    assert orders_known(world) == set(world.shop.shelves["orders"].ids())


def test_an_older_execution_ends_when_it_wakes(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    world = make(orders=5)
    world.parts.sync.history(world.store)
    first = dict(world.started)
    world.clock.advance(hours=1)
    world.parts.sync.history(world.store)
    assert len(world.started) == 2
    assert world.work(next(iter(first.values()))) == {"done": True}
    assert not world.shop.asked
    world.run()
    assert len(orders_known(world)) == 5


def test_asking_twice_starts_one(make: Make) -> None:
    world = make(orders=5)
    world.parts.sync.history(world.store)
    world.parts.sync.history(world.store)
    assert len(world.started) == 1
    world.run()
    world.parts.sync.history(world.store)
    assert len(world.started) == 2
    world.run()
    assert world.progress.parts[-1].done == 5


def test_a_very_long_pull_goes_on_in_a_fresh_execution(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """An execution of Step Functions ends at 25,000 events of its history."""
    from chalicelib.sync import pull

    monkeypatch.setattr(pull, "CALLS_OF_ONE_EXECUTION", 2)
    one_page_a_call(monkeypatch)
    world = make(orders=45)
    world.begin()
    while world.progress.status is not SyncStatus.DONE:
        world.work()
    assert len(world.started) > 3
    assert orders_known(world) == set(world.shop.shelves["orders"].ids())


def test_ranks_are_known_only_when_all_is_read(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    world = make(orders=5)
    assert world.store.first_history is None
    world.parts.sync.history(world.store)
    assert world.store.first_history is FirstHistory.RUNNING
    world.run()
    assert world.store.first_history is FirstHistory.DONE
    world.history()
    assert world.store.first_history is FirstHistory.DONE


def test_a_store_that_went_away_ends_the_pull(make: Make) -> None:
    world = make(orders=5)
    world.parts.sync.history(world.store)
    world.parts.stores.delete(STORE)
    assert world.work() == {"done": True}


def test_orders_of_one_person_from_many_hands_are_counted_right(make: Make) -> None:
    world = make(orders=0)
    orders = world.shop.shelves["orders"]
    said = {"billing": {"email": "noa@tea.example", "country": "IL"}, "customer_id": 0}
    placed = world.clock.now() - timedelta(days=300)
    for n in range(24):
        at = f"{placed + timedelta(days=n):%Y-%m-%dT%H:%M:%S}"
        times = {f"date_{what}_gmt": at for what in ("created", "modified", "paid", "completed")}
        orders.put[FIRST_ORDER + n] = world.shop.order(FIRST_ORDER + n) | said | times
    world.history()
    assert world.contact_of("noa@tea.example").orders_count == 24


def test_a_shop_that_was_disconnected_is_left_and_taken_up_again_when_it_is_back(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_page_a_call(monkeypatch)
    world = make(orders=12)
    world.begin()
    world.work()
    connection = world.store.connection
    assert connection is not None
    off = connection.model_copy(update={"status": ConnectionStatus.DISCONNECTED})
    world.parts.stores.save(world.store.model_copy(update={"connection": off}))
    asked = len(world.shop.asked)
    assert world.work() == {"done": True}
    assert len(world.shop.asked) == asked
    world.parts.stores.save(world.store.model_copy(update={"connection": connection}))
    world.history()
    assert orders_known(world) == set(world.shop.shelves["orders"].ids())
