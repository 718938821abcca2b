"""Collections are told apart from the product; a telling without them takes none away, whatever comes first."""

from __future__ import annotations

from itertools import permutations

from chalicelib.commerce.change import ProductDeleted
from chalicelib.commerce.ports import ProductRecord
from chalicelib.commerce.product import Category, Product
from chalicelib.commerce.product_intake import shown, with_product
from chalicelib.storage.table import Table
from chalicelib.sync.apply import Missed
from chalicelib.sync.ports import Pulled
from tests.commerce.shop import START, STORE, Shop, product, version
from tests.conftest import HandClock

WINTER, SUMMER = Category(id="501", name="Winter"), Category(id="502", name="Summer")


def telling(at: float, own: str, collections: tuple[Category, ...] | None) -> Product:
    return product("1", at, own).model_copy(update={"collections": collections})


def record_of(shop: Shop) -> ProductRecord:
    record = shop.products.get("shop", "1")
    assert record
    return record


def categories(record: ProductRecord) -> list[str]:
    assert record.current
    return [category.id for category in record.current.categories]


def test_the_newest_own_categories_and_the_newest_collections_in_any_order(table: Table, clock: HandClock) -> None:
    tellings = [
        telling(1, "green", (SUMMER,)),
        telling(2, "green", (WINTER, SUMMER)),
        telling(3, "black", (WINTER,)),
        telling(4, "white", None),
    ]
    ends = set()
    for order in permutations([*tellings, tellings[2]]):
        record = ProductRecord(store_id="shop", external_id="1")
        for told in order:
            record = with_product(record, told)
        ends.add(record.model_dump_json())
        assert categories(record) == ["white", "501"]
    assert len(ends) == 1
    shop = Shop(table, clock)
    shop.tell(*tellings)
    assert categories(record_of(shop)) == ["white", "501"]


def test_of_one_time_the_collections_that_come_later_hold(table: Table, clock: HandClock) -> None:
    """A product is not changed by being put into a collection: asked again, the shop tells it with its old time."""
    for number in range(8):
        record = with_product(ProductRecord(store_id="shop", external_id="1"), telling(1, "green", (WINTER,)))
        again = telling(1, "green", (SUMMER,))
        other = again.version.model_copy(update={"body_hash": f"{number}{number}"})
        assert categories(with_product(record, again.model_copy(update={"version": other}))) == ["green", "502"]


def test_the_nightly_look_finds_what_was_put_into_a_collection(table: Table, clock: HandClock) -> None:
    shop = Shop(table, clock)
    missed = Missed(shop.orders, shop.products, shop.contacts)
    shop.tell(telling(2, "green", None))
    for collections, news in (((WINTER,), 1), ((WINTER,), 0), ((WINTER, SUMMER), 1), ((), 1), (None, 0)):
        found = missed.apply(shop.intake, STORE, [Pulled([telling(2, "green", collections)])], START)
        assert len(found.news) == news
    late = missed.apply(shop.intake, STORE, [Pulled([telling(1, "green", (WINTER,))])], START)
    assert (late.news, categories(record_of(shop))) == ([], ["green"])


def test_a_telling_that_says_there_are_none_takes_them_away(table: Table, clock: HandClock) -> None:
    shop = Shop(table, clock)
    shop.tell(telling(1, "green", (WINTER,)), telling(2, "green", ()), telling(3, "green", None))
    assert categories(record_of(shop)) == ["green"]


def test_journeys_see_collections_and_nothing_of_a_deleted_product(table: Table, clock: HandClock) -> None:
    shop = Shop(table, clock)
    shop.tell(telling(1, "green", None))
    before = shown(record_of(shop))
    shop.tell(telling(1, "green", (WINTER,)))
    assert shown(record_of(shop)) != before
    shop.tell(ProductDeleted("1", version(9, 99)))
    assert shown(record_of(shop)) is None
