from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chalicelib.commerce.store import Store
from chalicelib.commerce.trouble import ShopTrouble, TroubleCode
from chalicelib.settings import Settings
from chalicelib.store_adapters.shopify_admin import ShopifyAdmin
from chalicelib.store_adapters.shopify_scopes import SCOPES
from chalicelib.store_adapters.shopify_webhooks import NOT_HTTPS, TOPICS, Mended, register
from chalicelib.wiring import Wiring
from tests.conftest import HandClock
from tests.messages.shop import store as some_store
from tests.shopify.fake import FakeShop, FakeShopify
from tests.shopify.schema import FILE, needs_schema

STORE: Store = some_store(id="01k9zq3v7w" + "a" * 8 + "bcdefgh0")
DOOR = f"https://agala.example/webhooks/shopify/{STORE.id}"
ARN = "arn:aws:events:eu-west-1::event-source/aws.partner/shopify.com/1234567/agala"
ALL = tuple(TOPICS)
TEA = "tea.myshopify.com"


class Given:
    def __init__(self, token: str) -> None:
        self.token = token

    def access_token(self, renew: bool = False) -> str:
        return self.token


@pytest.fixture
def shop(shopify: FakeShopify) -> FakeShop:
    return shopify.shop(TEA)


@pytest.fixture
def admin(shopify: FakeShopify, shop: FakeShop, clock: HandClock) -> Iterator[ShopifyAdmin]:
    made = ShopifyAdmin(shopify.address(TEA), Given(shop.token), private_addresses=True)
    yield made
    made.close()


def theirs(shop: FakeShop, **changed: Any) -> dict[str, Any]:
    made = {
        "id": shop.gid("WebhookSubscription"),
        "topic": "ORDERS_CREATE",
        "uri": "https://erp.example/webhooks/shopify",
        "name": None,
        "format": "JSON",
        "filter": None,
        "includeFields": [],
        "metafieldNamespaces": [],
        **changed,
    }
    shop.webhooks.append(made)
    return made


def is_right(shop: FakeShop, uri: str = DOOR, topics: tuple[str, ...] = ALL) -> bool:
    """One subscription for each topic, all to `uri`, telling everything; and nothing else."""
    for one in shop.webhooks:
        wanted = ["agala"] if one["topic"].startswith("PRODUCTS_") else []
        assert (one["uri"], one["format"], one["metafieldNamespaces"]) == (uri, "JSON", wanted)
        assert not one["filter"] and not one["includeFields"]
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,50}", one["name"])
    names = [one["name"] for one in shop.webhooks]
    assert len(set(names)) == len(names), "Shopify wants them unique in a shop"
    return sorted(one["topic"] for one in shop.webhooks) == sorted(topics)


def test_every_topic_is_registered_with_our_metafields_for_products(shop: FakeShop, admin: ShopifyAdmin) -> None:
    assert register(admin, STORE, DOOR) == Mended(made=ALL)
    assert is_right(shop)


def test_registering_again_changes_nothing(shop: FakeShop, admin: ShopifyAdmin) -> None:
    register(admin, STORE, DOOR)
    before = [dict(one) for one in shop.webhooks]
    shop.asked.clear()
    assert register(admin, STORE, DOOR) == Mended()
    assert shop.webhooks == before
    assert {one.name for one in shop.asked} == {"WebhooksList"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (DOOR, ARN),
        (ARN, DOOR),
        (DOOR.replace("agala.example", "old.example/agala"), DOOR),
        (ARN, ARN.replace("/agala", "/agala-2")),
    ],
)
def test_a_change_of_way_moves_every_subscription(shop: FakeShop, admin: ShopifyAdmin, before: str, after: str) -> None:
    register(admin, STORE, before)
    ids = [one["id"] for one in shop.webhooks]
    assert register(admin, STORE, after) == Mended(changed=ALL)
    assert is_right(shop, after)
    assert [one["id"] for one in shop.webhooks] == ids, "moved, so that nothing is missed between two"


def test_those_of_others_are_not_touched(shop: FakeShop, admin: ShopifyAdmin) -> None:
    """Another tool's, another source's, and another Agala's that has the same app."""
    other = some_store(id="01k9zq3v7w" + "z" * 16)
    register(admin, other, "https://staging.example/webhooks/shopify/" + other.id)
    theirs(shop)
    theirs(shop, uri=ARN.replace("1234567/agala", "99/erp"))
    theirs(shop, topic="SHOP_UPDATE", uri=ARN)
    theirs(shop, uri="http://old.example/webhooks/shopify/" + STORE.id[:-1] + "1")
    untouched = [dict(one) for one in shop.webhooks]
    for uri in (DOOR, ARN, DOOR):
        register(admin, STORE, uri)
    assert shop.webhooks[: len(untouched)] == untouched
    del shop.webhooks[: len(untouched)]
    assert is_right(shop)


def test_one_that_the_owner_made_to_the_same_source_is_taken_over(shop: FakeShop, admin: ShopifyAdmin) -> None:
    """Shopify keeps one per topic and address."""
    adopted = theirs(shop, uri=ARN, includeFields=["id"], filter="total_price:>100")
    mended = register(admin, STORE, ARN)
    assert (mended.changed, len(mended.made)) == (("ORDERS_CREATE",), len(ALL) - 1)
    assert is_right(shop, ARN) and shop.webhooks[0]["id"] == adopted["id"]


def test_what_is_wrong_is_put_right_and_what_is_too_many_goes(shop: FakeShop, admin: ShopifyAdmin) -> None:
    register(admin, STORE, DOOR)
    by_topic = {one["topic"]: one for one in shop.webhooks}
    by_topic["PRODUCTS_UPDATE"]["metafieldNamespaces"] = []
    by_topic["ORDERS_PAID"]["includeFields"] = ["id"]
    shop.webhooks.remove(by_topic["REFUNDS_CREATE"])
    theirs(shop, uri=DOOR, topic="SHOP_UPDATE")
    theirs(shop, uri=DOOR.replace("https://", "https://old."), topic="ORDERS_CREATE")
    mended = register(admin, STORE, DOOR)
    assert mended == Mended(
        made=("REFUNDS_CREATE",),
        changed=("ORDERS_PAID", "PRODUCTS_UPDATE"),
        removed=("SHOP_UPDATE", "ORDERS_CREATE"),
    )
    assert mended.count == 5
    assert is_right(shop)


def test_a_shop_with_many_subscriptions_is_read_to_the_end(shop: FakeShop, admin: ShopifyAdmin) -> None:
    for number in range(230):
        theirs(shop, uri=f"https://erp.example/{number}")
    register(admin, STORE, DOOR)
    assert register(admin, STORE, DOOR) == Mended()
    assert len(shop.webhooks) == 230 + len(ALL)


@pytest.mark.parametrize("document", ["WebhookMake", "WebhookChange", "WebhookRemove"])
@pytest.mark.parametrize("after_doing", [True, False])
def test_an_interrupted_registration_is_finished_by_the_next(
    shop: FakeShop, admin: ShopifyAdmin, document: str, after_doing: bool
) -> None:
    register(admin, STORE, ARN)
    shop.webhooks.pop()
    theirs(shop, uri=DOOR, topic="SHOP_UPDATE")
    shop.fail_next(500, b"<html>", on=document, after_doing=after_doing)
    with pytest.raises(ShopTrouble) as trouble:
        register(admin, STORE, DOOR)
    assert trouble.value.code is TroubleCode.FAILING
    register(admin, STORE, DOOR)
    assert is_right(shop)


def interfere(shop: FakeShop, admin: ShopifyAdmin, on: str, meanwhile: Callable[[], Any]) -> Any:
    """A client; just before its first `on`, somebody else is done."""
    done: list[bool] = []

    class Beside:
        def ask(self, document: str, variables: Any = None) -> dict[str, Any]:
            if document == on and not done:
                done.append(True)
                meanwhile()
            return admin.ask(document, variables)

    return Beside()


@pytest.mark.parametrize(("before", "on"), [(None, "webhook_make"), (ARN, "webhook_change")])
def test_two_at_once_are_harmless(shop: FakeShop, admin: ShopifyAdmin, before: str | None, on: str) -> None:
    if before:
        register(admin, STORE, before)
    slower = interfere(shop, admin, on, lambda: register(admin, STORE, DOOR))
    assert register(slower, STORE, DOOR).refused == ()
    assert is_right(shop)


def test_one_that_is_gone_or_doubled_meanwhile_is_made_or_goes(shop: FakeShop, admin: ShopifyAdmin) -> None:
    register(admin, STORE, ARN)
    first, second = shop.webhooks[:2]

    def meanwhile() -> None:
        shop.webhooks.remove(first)
        theirs(shop, topic=second["topic"], uri=DOOR, name="agala-aaaa-other")

    mended = register(interfere(shop, admin, "webhook_change", meanwhile), STORE, DOOR)
    assert (mended.made, mended.removed, mended.refused) == ((first["topic"],), (second["topic"],), ())
    register(admin, STORE, DOOR)
    assert is_right(shop)


def test_a_topic_that_the_grant_does_not_allow_is_told_and_the_others_are_registered(
    shop: FakeShop, admin: ShopifyAdmin
) -> None:
    shop.scopes.remove("read_inventory")
    mended = register(admin, STORE, DOOR)
    stock = ("INVENTORY_LEVELS_CONNECT", "INVENTORY_LEVELS_UPDATE", "INVENTORY_LEVELS_DISCONNECT")
    assert mended.refused == stock
    (notice,) = mended.notices
    assert "inventory levels update" in notice
    assert is_right(shop, topics=tuple(topic for topic in ALL if topic not in stock))
    shop.scopes.append("write_inventory")  # leave to write is leave to read
    assert register(admin, STORE, DOOR) == Mended(made=stock)


@pytest.mark.parametrize(
    "answer",
    [
        b'{"data": {"webhookSubscriptionCreate": {"webhookSubscription": null, "userErrors": [{"field": null, '
        b'"message": "You cannot create a webhook subscription with the specified topic"}]}}}',
        b'{"data": null, "errors": [{"message": "This app is not approved to subscribe to webhook topics containing '
        b'protected customer data.", "extensions": {"code": "ACCESS_DENIED"}}]}',
    ],
)
def test_what_shopify_refuses_for_a_reason_of_its_own_holds_nothing_up(
    shop: FakeShop, admin: ShopifyAdmin, answer: bytes
) -> None:
    shop.fail_next(200, answer, on="WebhookMake", headers={"Content-Type": "application/json"})
    mended = register(admin, STORE, DOOR)
    assert (mended.refused, len(mended.made)) == (("ORDERS_CREATE",), len(ALL) - 1)


def test_an_address_without_https_registers_nothing_and_says_so(shop: FakeShop, admin: ShopifyAdmin) -> None:
    assert register(admin, STORE, DOOR.replace("https:", "http:")) == Mended(notices=(NOT_HTTPS,))
    assert shop.asked == []


@pytest.mark.parametrize("uri", [DOOR[:-1] + "1", "https://agala.example/", ""])
def test_an_address_of_another_store_is_refused(shop: FakeShop, admin: ShopifyAdmin, uri: str) -> None:
    with pytest.raises(ValueError, match="another store"):
        register(admin, STORE, uri)
    assert shop.asked == []


def test_a_refused_token_says_so(shopify: FakeShopify, shop: FakeShop) -> None:
    client = ShopifyAdmin(shopify.address(TEA), Given("shpat_wrong"), private_addresses=True)
    with pytest.raises(ShopTrouble) as trouble:
        register(client, STORE, DOOR)
    client.close()
    assert trouble.value.code is TroubleCode.KEY_REFUSED


@pytest.mark.parametrize(
    ("told", "uri"),
    [
        ({"AGALA_PUBLIC_URL": "https://agala.example"}, DOOR),
        ({"AGALA_PUBLIC_URL": "https://agala.example", "AGALA_SHOPIFY_EVENT_SOURCE_ARN": ARN}, ARN),
    ],
)
def test_one_setting_says_how_webhooks_come(
    shop: FakeShop, admin: ShopifyAdmin, told: dict[str, str], uri: str
) -> None:
    tea = STORE.model_copy(update={"platform": "shopify"})
    assert Wiring(Settings.from_environment(told))._mend_shopify_webhooks(admin, tea) == len(ALL)
    assert is_right(shop, uri)
    shop.scopes.remove("read_customers")
    Wiring(Settings.from_environment({"AGALA_PUBLIC_URL": "http://127.0.0.1:8000"}))._mend_shopify_webhooks(admin, tea)
    assert admin.notices == {NOT_HTTPS}


def test_topics_and_their_scopes_are_those_of_the_schema() -> None:
    schema = (needs_schema() / FILE).read_text()
    found = re.search(r"^enum WebhookSubscriptionTopic {(.*?)^}", schema, re.DOTALL | re.MULTILINE)
    assert found
    described = {topic: words for words, topic in re.findall(r'"""(.*?)"""\s+([A-Z_]+)', found[1], re.DOTALL)}
    for topic, scopes in TOPICS.items():
        asked = set(re.findall(r"\b(?:read|write)_[a-z_]+", described[topic]))
        assert set(scopes) <= asked if asked else not scopes, topic
    granted = {scope.name for scope in SCOPES if scope.needed}
    assert all(not scopes or granted & set(scopes) for scopes in TOPICS.values())
