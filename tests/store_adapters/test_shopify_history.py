"""A Shopify shop asked for all it has, and for what changed, over a fake shop that holds queries against the schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from graphql import parse

from chalicelib.commerce.customer import Customer
from chalicelib.commerce.order import Order
from chalicelib.commerce.product import Product
from chalicelib.commerce.snapshot import Version
from chalicelib.commerce.store import Platform, Store
from chalicelib.commerce.trouble import ShopTrouble, TroubleCode
from chalicelib.contacts.consent import Channel
from chalicelib.store_adapters import shopify_documents
from chalicelib.store_adapters.base import Change, Delivery
from chalicelib.store_adapters.shopify import Shopify
from chalicelib.store_adapters.shopify_admin import ShopifyAdmin
from chalicelib.store_adapters.shopify_history import PAGES, ShopifyHistory
from chalicelib.sync.ports import ShopPage
from tests.conftest import HandClock
from tests.shopify.cost import LARGEST, requested
from tests.shopify.fake import FakeShop, FakeShopify
from tests.shopify.schema import schema
from tests.store_adapters import shopify_records as like

DOMAIN = "tea.myshopify.com"
PLACED = datetime(2026, 11, 10, 9, 0, tzinfo=UTC)
STORE = Store(
    id="01jstorestorestorestore00a",
    platform=Platform.SHOPIFY,
    name="Tea",
    url="https://tea.example",
    country="IL",
    currency="EUR",
    timezone="Asia/Jerusalem",
    locale="he",
    created_at=PLACED,
)
KINDS = ("products", "customers", "orders")


class Token:
    def __init__(self, shop: FakeShop) -> None:
        self._shop = shop

    def access_token(self, renew: bool = False) -> str:
        return self._shop.token


@pytest.fixture
def shop(shopify: FakeShopify) -> FakeShop:
    made = shopify.shop(DOMAIN)
    made.currency = "EUR"
    return made


class Asking:
    """One call after another, each by a client of its own: nothing but the cursor outlives them."""

    def __init__(self, shopify: FakeShopify, shop: FakeShop, clock: HandClock) -> None:
        self._address, self._shop, self._clock = shopify.address(DOMAIN), shop, clock
        self.pages: list[ShopPage] = []

    def client(self) -> ShopifyHistory:
        admin = ShopifyAdmin(self._address, Token(self._shop), private_addresses=True, monotonic=self._seconds)
        return ShopifyHistory(admin, STORE, lambda: 0)

    def _seconds(self) -> float:
        return self._clock.now().timestamp()

    def page(self, kind: str, cursor: Any = None, since: datetime | None = None, size: int = 100) -> ShopPage:
        history = self.client()
        try:
            page = history.page(kind, json.loads(json.dumps(cursor or {})), since, size)
        finally:
            history.close()
        self._clock.advance(seconds=(page.wait or timedelta()).total_seconds())
        self.pages.append(page)
        return page

    def all(self, kind: str, since: datetime | None = None, size: int = 100, cursor: Any = None) -> list[Change]:
        """What came, until it is over."""
        changes: list[Change] = []
        for _ in range(200):
            page = self.page(kind, cursor, since, size)
            if page.trouble:
                raise page.trouble
            changes += [change for record in page.records for change in record.changes]
            if page.over:
                return changes
            cursor = page.cursor
        raise AssertionError("it does not come to an end")

    @property
    def mistakes(self) -> list[str]:
        return [record.mistake for page in self.pages for record in page.records if record.mistake]


@pytest.fixture
def asking(shopify: FakeShopify, shop: FakeShop, clock: HandClock) -> Iterator[Asking]:
    yield Asking(shopify, shop, clock)


def told(topic: str, body: dict[str, Any]) -> list[Change]:
    delivery = Delivery(STORE.id, "shopify", {"x-shopify-topic": topic}, json.dumps(body).encode(), PLACED)
    return Shopify().parse(delivery, STORE)


def but_for_hash(changes: list[Change]) -> list[Any]:
    """A delivery and an answer to a question spell the same record differently."""

    def plain(change: Any) -> Any:
        version = Version(modified_at=change.version.modified_at, rank=change.version.rank)
        gone = {"collections": None, "locations": None} if isinstance(change, Product) else {}
        known = {name: value for name, value in gone.items() if name in type(change).model_fields}
        return change.model_copy(update={"version": version, **known})

    return [plain(change) for change in changes]


def with_everything() -> tuple[dict[str, Any], dict[str, Any]]:
    """An order that was sent, delivered, refunded in part and edited: as the API has it, and as its webhook tells."""
    changed, sent = PLACED + timedelta(days=5), PLACED + timedelta(days=2)
    came = PLACED + timedelta(days=4)
    parcel = {"id": like.gid("Fulfillment", 7), "status": "SUCCESS", "displayStatus": "DELIVERED"}
    parcel |= {"createdAt": like.time(sent), "updatedAt": like.time(came), "deliveredAt": like.time(came)}
    left = like.order(
        1001,
        PLACED,
        changed,
        displayFinancialStatus="PARTIALLY_REFUNDED",
        displayFulfillmentStatus="FULFILLED",
        closedAt=like.time(changed),
        currentTotalPriceSet=like.money("40.00"),
        fulfillments=[parcel],
        refunds=[like.back(8, changed, "10.00"), like.back(9, changed, "3.00", "FAILURE")],
        transactions=[
            {"id": like.gid("OrderTransaction", 1), "kind": "SALE", "status": "SUCCESS"},
            {"id": like.gid("OrderTransaction", 8), "kind": "REFUND", "status": "SUCCESS"},
            {"id": like.gid("OrderTransaction", 9), "kind": "REFUND", "status": "FAILURE"},
        ],
        lineItems=[like.line(1), like.line(2, 1, "9.00", "0.00", "0.50"), {**like.line(3), "product": None}],
    )
    right = like.order_told(
        1001,
        PLACED,
        changed,
        financial_status="partially_refunded",
        fulfillment_status="fulfilled",
        closed_at=like.time(changed),
        current_total_price="40.00",
        fulfillments=[
            {
                "id": 7,
                "status": "success",
                "shipment_status": "delivered",
                "created_at": like.time(sent),
                "updated_at": like.time(came),
            }
        ],
        refunds=[like.back_told(8, changed, "10.00"), like.back_told(9, changed, "3.00", "failure")],
        line_items=[
            like.line_told(1),
            like.line_told(2, 1, "9.00", "0.00", "0.50"),
            {**like.line_told(3), "product_id": None},
        ],
    )
    return left, right


@pytest.mark.parametrize("since", [None, PLACED])
def test_an_order_pulled_is_the_order_that_its_webhooks_tell(
    shop: FakeShop, asking: Asking, since: datetime | None
) -> None:
    left, right = with_everything()
    shop.orders.append(left)
    [order] = asking.all("orders", since)
    assert isinstance(order, Order)
    assert but_for_hash([order]) == but_for_hash(told("orders/updated", right))
    assert (order.total.amount, order.refunded.amount) == (5000, 1000)


@pytest.mark.parametrize("since", [None, PLACED])
def test_a_yes_without_a_time_counts_from_the_customers_beginning(
    shop: FakeShop, asking: Asking, since: datetime | None
) -> None:
    """Not from the order's: whoever unsubscribed before it is not taken back by it."""
    begun = PLACED - timedelta(days=400)
    email = {"emailAddress": "noa@tea.example", "marketingState": "SUBSCRIBED", "marketingUpdatedAt": None}
    buyer = like.customer(7, "noa@tea.example", PLACED, createdAt=like.time(begun), defaultEmailAddress=email)
    shop.orders.append(like.order(1001, PLACED, PLACED + timedelta(days=1), customer=buyer))
    [order] = asking.all("orders", since)
    assert isinstance(order, Order)
    assert [one.consent.at for one in order.consent if one.channel is Channel.EMAIL] == [begun]


@pytest.mark.parametrize("since", [None, PLACED])
def test_a_customer_pulled_is_the_customer_that_its_webhooks_tell(
    shop: FakeShop, asking: Asking, since: datetime | None
) -> None:
    changed = PLACED + timedelta(days=1)
    shop.customers.append(like.customer(7, "noa@tea.example", changed))
    [customer] = asking.all("customers", since)
    assert isinstance(customer, Customer)
    assert len(customer.consent) == 2
    right = like.customer_told(7, "noa@tea.example", changed)
    assert but_for_hash([customer]) == but_for_hash(told("customers/update", right))


@pytest.mark.parametrize("since", [None, PLACED])
def test_products_pulled_are_those_that_their_webhooks_tell(
    shop: FakeShop, asking: Asking, since: datetime | None
) -> None:
    changed = PLACED + timedelta(days=1)
    shop.products.append(like.product(12, changed))
    shop.collections.append(
        {"id": like.gid("Collection", 3), "title": "Green", "products": [{"id": like.gid("Product", 12)}]}
    )
    pulled = asking.all("products", since)
    assert len(pulled) == 3
    assert but_for_hash(pulled) == but_for_hash(told("products/update", like.product_told(12, changed)))
    for one in pulled:
        assert isinstance(one, Product) and one.collections is not None
        assert [(part.id, part.name) for part in one.collections] == [("3", "Green")]


def test_words_that_only_some_orders_have(shop: FakeShop, asking: Asking) -> None:
    cancelled = PLACED + timedelta(hours=1)
    shop.orders += [
        like.order(1, PLACED, test=True),
        like.order(2, PLACED, cancelledAt=like.time(cancelled), displayFinancialStatus="VOIDED"),
        like.order(3, PLACED, displayFinancialStatus="AUTHORIZED", customer=None, email=None, phone=None),
        like.order(4, PLACED, lineItems=[]),
        like.order(9007199254740993123, PLACED),
    ]
    found = [change for change in asking.all("orders") if isinstance(change, Order)]
    assert [order.external_id for order in found] == ["2", "3", "4", "9007199254740993123"]
    assert found[0].cancelled_at == cancelled
    assert found[1].paid_at is None


# --- bulk operations ------------------------------------------------------------------------------------------------


def test_a_bulk_operation_is_waited_for_without_trouble(shop: FakeShop, asking: Asking) -> None:
    shop.orders += [like.order(number, PLACED) for number in range(1, 6)]
    shop.bulk_states = ["RUNNING"] * 6 + ["COMPLETED"]
    assert len(asking.all("orders", size=2)) == 5
    waits = [page.wait.total_seconds() for page in asking.pages if page.wait]
    assert waits == [5, 5, 10, 20, 40, 60, 60]
    assert {page.total for page in asking.pages if page.records} == {5}
    assert [page.counted for page in asking.pages if page.records] == [2, 2, 1]
    run = next(one for one in shop.asked if one.name == "BulkRun")
    assert "groupObjects: true" in run.document
    assert sum(one.name == "BulkRun" for one in shop.asked) == 1


def test_every_record_is_read_once_wherever_it_breaks_off(shop: FakeShop, asking: Asking) -> None:
    """The next call goes on at the byte where a record begins, not within what belongs to one."""
    shop.products += [like.product(number, PLACED) for number in range(1, 8)]
    shop.collections.append({"id": like.gid("Collection", 3), "title": "Green", "products": list(shop.products)})
    whole = asking.all("products", size=100)
    for size in (1, 2, 3):
        pulled = asking.all("products", size=size)
        assert pulled == whole
    assert len(whole) == 21
    starts = [headers["range"] for headers in shop.file_headers if "range" in headers]
    assert len(starts) > 10


def test_a_connection_that_breaks_within_a_record_costs_that_page(shop: FakeShop, asking: Asking) -> None:
    shop.orders += [like.order(number, PLACED) for number in range(1, 6)]
    page = asking.page("orders")
    while page.wait:
        page = asking.page("orders", page.cursor, size=2)
    assert len(page.records) == 2
    [file] = shop.files.values()
    shop.file_cut = len(file) // 5  # within the fourth order, for the answer begins with the third
    with pytest.raises(ShopTrouble):
        asking.page("orders", page.cursor, size=2)
    rest = asking.all("orders", cursor=page.cursor, size=2)
    assert [one.external_id for one in rest if isinstance(one, Order)] == ["3", "4", "5"]


def test_a_file_that_ends_too_early_is_not_taken_for_the_whole(shop: FakeShop, asking: Asking) -> None:
    shop.orders += [like.order(number, PLACED) for number in range(1, 6)]
    page = asking.page("orders")
    for _ in range(2):
        page = asking.page("orders", page.cursor, size=0)
    [name] = shop.files
    whole, shop.files[name] = shop.files[name], b"".join(shop.files[name].splitlines(keepends=True)[:6])
    with pytest.raises(ShopTrouble) as trouble:
        asking.page("orders", page.cursor)
    assert trouble.value.code is TroubleCode.BROKEN_ANSWER
    shop.files[name] = whole
    assert len(asking.all("orders", cursor=page.cursor)) == 5


def test_a_file_is_opened_once_as_long_as_the_call_lasts(shopify: FakeShopify, shop: FakeShop, asking: Asking) -> None:
    shop.orders += [like.order(number, PLACED) for number in range(1, 31)]
    page = asking.page("orders")
    page = asking.page("orders", page.cursor)
    cursor = page.cursor
    history = asking.client()
    read = 0
    for _ in range(11):
        page = history.page("orders", cursor, None, 3)
        read, cursor = read + len(page.records), page.cursor
    history.close()
    assert (read, page.over) == (30, True)
    assert len(shop.file_headers) == 1


def test_another_operation_of_the_app_is_waited_for(shop: FakeShop, asking: Asking) -> None:
    shop.orders.append(like.order(1, PLACED))
    shop.bulks.append(
        {"id": like.gid("BulkOperation", 1), "status": "RUNNING", "_states": [], "_scopes": [], "query": "{}"}
    )
    page = asking.page("orders")
    assert (page.wait, page.over, page.records) == (timedelta(minutes=1), False, [])
    shop.bulks[0]["status"] = "CANCELED"
    assert len(asking.all("orders", cursor=page.cursor)) == 1


def test_an_empty_shop_is_over_at_once(shop: FakeShop, asking: Asking) -> None:
    for kind in KINDS:
        assert asking.all(kind) == []
        assert (asking.pages[-1].over, asking.pages[-1].total) == (True, 0)


def test_an_operation_that_fails_is_begun_again_and_then_told(shop: FakeShop, asking: Asking) -> None:
    shop.orders += [like.order(number, PLACED) for number in (1, 2)]
    shop.bulk_states, shop.bulk_error, shop.bulk_partial = ["FAILED"], "TIMEOUT", 1
    waits, cursor, page = [], {}, None
    for _ in range(8):
        page = asking.page("orders", cursor)
        cursor = page.cursor
        if page.trouble:
            break
        waits.append(page.wait)
    assert page is not None and page.trouble is not None
    assert page.trouble.code is TroubleCode.FAILING
    assert page.trouble.retry_after == timedelta(hours=1)
    minutes = [wait.total_seconds() / 60 for wait in waits if wait and wait > timedelta(seconds=30)]
    assert minutes == [1, 5, 20]
    assert not any(one.records for one in asking.pages), "a part of a file ends anywhere"
    shop.bulk_states = ["COMPLETED"]
    assert len(asking.all("orders", cursor=cursor)) == 2


def test_a_file_that_ran_out_is_made_again_and_counted_once(shop: FakeShop, asking: Asking) -> None:
    shop.orders += [like.order(number, PLACED) for number in range(1, 6)]
    page = asking.page("orders", size=2)
    while page.wait:
        page = asking.page("orders", page.cursor, size=2)
    shop.forget_files()
    rest = asking.all("orders", cursor=page.cursor, size=2)
    assert len(rest) == 5
    assert sum(one.counted for one in asking.pages) == 5


def test_what_may_not_be_read_is_named(shop: FakeShop, asking: Asking) -> None:
    shop.scopes.remove("read_customers")
    page = asking.page("customers")
    page = asking.page("customers", page.cursor)
    page = asking.page("customers", page.cursor)
    assert page.trouble is not None
    assert page.trouble.code is TroubleCode.NOT_ALLOWED
    assert page.trouble.words.endswith("It was asked for its customers.")
    with pytest.raises(ShopTrouble) as told_at_once:
        asking.page("customers", {}, PLACED)
    assert told_at_once.value.words == page.trouble.words
    shop.scopes.append("read_customers")
    assert asking.all("customers", cursor=page.cursor) == []


def test_lines_that_make_no_sense_are_counted_and_stop_no_other(shop: FakeShop, asking: Asking) -> None:
    shop.orders += [like.order(number, PLACED) for number in (1, 2, 3)]
    page = asking.page("orders")
    for _ in range(2):
        page = asking.page("orders", page.cursor, size=0)
    [name] = shop.files
    first, item, second, *rest = shop.files[name].splitlines(keepends=True)
    strange = b'{"id": "gid://shopify/Moon/1", "__parentId": "gid://shopify/Order/1"}\n'
    orphan = b'{"id": "gid://shopify/LineItem/1", "__parentId": "gid://shopify/Order/77"}\n'
    wrong = json.dumps({**json.loads(second), "totalPriceSet": {"shopMoney": {"amount": "zoe@example.test"}}})
    lines = [b"zoe@example.test\n", first, item, strange, b"[1]\n", orphan, b"\n", wrong.encode() + b"\n"]
    lines += [b'{"id": "gid://shopify/Product/1"}\n', b'{"id": 5, "totalPriceSet": []}\n', *rest]
    shop.files[name] = b"".join(lines)
    shop.bulks[-1]["fileSize"] = str(len(shop.files[name]))
    found = asking.all("orders", cursor=page.cursor, size=3)
    assert [one.external_id for one in found if isinstance(one, Order)] == ["1", "3"]
    assert sorted(asking.mistakes) == [
        "id: expected that of Order",
        "id: expected that of Order",
        "line: expected JSON",
        "line: expected a kind that was asked for",
        "line: expected an object",
        "line: expected to follow the record it belongs to",
        "line: expected to follow the record it belongs to",
        "total_price: expected an amount",
    ]
    assert not any("zoe" in mistake for mistake in asking.mistakes)


def test_a_file_in_another_order_than_asked_for_is_not_taken(shop: FakeShop, asking: Asking) -> None:
    """Its orders would all be without their items."""
    page = asking.page("orders", size=0)
    shop.orders.append(like.order(1, PLACED, lineItems=[like.line(number) for number in range(1500)]))
    for _ in range(2):
        page = asking.page("orders", page.cursor, size=0)
    [name] = shop.files
    order, *items = shop.files[name].splitlines(keepends=True)
    another = order.replace(b"Order/1", b"Order/2")
    shop.files[name] = b"".join([order, another, *items])
    with pytest.raises(ShopTrouble) as trouble:
        asking.page("orders", page.cursor)
    assert trouble.value.code is TroubleCode.BROKEN_ANSWER


# --- what changed ---------------------------------------------------------------------------------------------------


def test_what_changed_comes_in_pages_with_all_that_belongs_to_it(shop: FakeShop, asking: Asking) -> None:
    since = PLACED
    many = [like.line(number, off="0.00") for number in range(1, 64)]
    shop.orders += [like.order(number, PLACED, PLACED + timedelta(hours=number)) for number in range(1, 20)]
    shop.orders.append(like.order(50, PLACED, PLACED + timedelta(days=3), lineItems=many))
    shop.orders.append(like.order(51, PLACED - timedelta(days=9), PLACED - timedelta(seconds=1)))
    found = [one for one in asking.all("orders", since) if isinstance(one, Order)]
    assert [one.external_id for one in found] == [str(number) for number in range(1, 20)] + ["50"]
    assert len(found[-1].items) == 63
    assert "updated_at:>='2026-11-10T09:00:00Z'" in [one.variables.get("query") for one in shop.asked]


def test_a_product_with_much_of_everything_comes_whole(shop: FakeShop, asking: Asking) -> None:
    variants = [like.variant(100 + number, 1) for number in range(115)]
    shop.products.append(like.product(1, PLACED, variants=variants))
    shop.collections += [
        {
            "id": like.gid("Collection", number),
            "title": "C",
            "products": list(shop.products),
            "updatedAt": "2020-01-01T00:00:00Z",
        }
        for number in range(1, 31)
    ]
    found = asking.all("products", PLACED)
    assert len(found) == 116
    assert isinstance(found[0], Product) and found[0].collections is not None
    assert len(found[0].collections) == 30


def test_points_are_waited_for_and_nothing_is_lost(shop: FakeShop, asking: Asking) -> None:
    lines = [like.line(number) for number in range(1, 61)]
    shop.orders += [
        like.order(number, PLACED, PLACED + timedelta(hours=number), lineItems=lines) for number in range(1, 15)
    ]
    shop.bucket.available = 900
    found = asking.all("orders", PLACED)
    assert [one.external_id for one in found if isinstance(one, Order)] == [str(number) for number in range(1, 15)]
    assert all(len(one.items) == 60 for one in found if isinstance(one, Order))
    assert any(page.wait for page in asking.pages)
    assert not asking.mistakes


def test_a_record_that_no_bucket_pays_for_comes_by_a_file(shop: FakeShop, asking: Asking) -> None:
    huge = [like.line(number) for number in range(1, 400)]
    shop.orders += [
        like.order(1, PLACED),
        like.order(2, PLACED, PLACED + timedelta(hours=1), lineItems=huge),
        like.order(3, PLACED, PLACED + timedelta(hours=2)),
        like.order(4, PLACED, PLACED - timedelta(hours=2)),
    ]
    found = [one for one in asking.all("orders", PLACED) if isinstance(one, Order)]
    assert {one.external_id: len(one.items) for one in found} == {"1": 1, "2": 399, "3": 1}
    assert shop.bulks[0]["query"].count("updated_at:>='2026-11-10T09:00:00Z'") == 1
    assert not asking.mistakes


def test_a_collection_that_changed_brings_its_products_again(shop: FakeShop, asking: Asking) -> None:
    """The product it lost is none of its own any more: nobody else says so."""
    before, night = PLACED - timedelta(days=9), PLACED
    shop.products += [like.product(1, before), like.product(2, before)]
    green = {"id": like.gid("Collection", 3), "title": "Green", "products": [shop.products[0]]}
    shop.collections.append({**green, "updatedAt": like.time(before)})
    assert asking.all("products", night) == []
    shop.collections[0] |= {"products": [shop.products[1]], "updatedAt": like.time(night + timedelta(hours=1))}
    asking.pages.clear()
    found = [one for one in asking.all("products", night) if isinstance(one, Product) and not one.parent_id]
    assert [(one.external_id, [part.id for part in one.collections or ()]) for one in found] == [
        ("1", []),
        ("2", ["3"]),
    ]
    assert sum(page.counted for page in asking.pages) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_costs_less_than_a_query_may(kind: str) -> None:
    document = parse(shopify_documents.text(f"{kind}_changed"))
    assert requested(schema(), document, {"first": PAGES[kind]}) < LARGEST


@pytest.mark.parametrize(
    "name", ["order_line_items", "order_refunds", "product_variants", "product_collections", "collections_changed"]
)
def test_more_of_one_record_costs_less_than_a_query_may(name: str) -> None:
    assert requested(schema(), parse(shopify_documents.text(name)), {}) < LARGEST


def test_trouble_is_the_owners_when_it_is_more_than_a_moment(shop: FakeShop, asking: Asking) -> None:
    shop.fail_next(503, on="OrdersChanged")
    with pytest.raises(ShopTrouble) as trouble:
        asking.page("orders", {}, PLACED)
    assert trouble.value.code is TroubleCode.FAILING
