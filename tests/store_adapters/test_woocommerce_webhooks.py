from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.commerce.store import Store
from chalicelib.commerce.trouble import ShopTrouble, TroubleCode
from chalicelib.store_adapters.woocommerce_rest import WooCommerceRest
from chalicelib.store_adapters.woocommerce_webhooks import TOPICS, Mended, register
from tests.messages.shop import store as some_store
from tests.store_adapters.scripted_shop import Reply
from tests.store_adapters.small_shop import SmallShop, small_shop

STORE: Store = some_store(id="0" * 26)
URL = f"https://agala.example/webhooks/woocommerce/{STORE.id}"
SECRET = "the-secret-of-this-connection"
Both = tuple[SmallShop, WooCommerceRest]


@pytest.fixture
def both() -> Iterator[Both]:
    with small_shop() as found:
        yield found


def webhooks(shop: SmallShop) -> list[dict[str, Any]]:
    return list(shop.kept["webhooks"].values())


def is_right(shop: SmallShop, url: str = URL, secret: str = SECRET) -> bool:
    """One active webhook for each topic, and nothing else."""
    found = webhooks(shop)
    seen = sorted((w["name"], w["topic"], w["delivery_url"], w["status"], shop.secrets[w["id"]]) for w in found)
    return seen == sorted((f"Agala: {topic}", topic, url, "active", secret) for topic in TOPICS)


def test_eleven_webhooks_are_registered(both: Both) -> None:
    shop, client = both
    assert len(TOPICS) == 11
    assert register(client, STORE, SECRET, URL) == Mended(made=TOPICS)
    assert is_right(shop)


def test_registering_again_changes_nothing_and_writes_the_secret_anew(both: Both) -> None:
    shop, client = both
    register(client, STORE, "the-secret-before", URL)
    before = [w["id"] for w in webhooks(shop)]
    assert register(client, STORE, SECRET, URL) == Mended()
    assert [w["id"] for w in webhooks(shop)] == before
    assert is_right(shop)


def test_disabled_paused_and_missing_ones_are_mended(both: Both) -> None:
    shop, client = both
    register(client, STORE, SECRET, URL)
    by_topic = {w["topic"]: w for w in webhooks(shop)}
    by_topic["order.created"]["status"] = "disabled"
    by_topic["order.updated"]["status"] = "paused"
    del shop.kept["webhooks"][by_topic["product.deleted"]["id"]]
    mended = register(client, STORE, SECRET, URL)
    assert mended == Mended(made=("product.deleted",), enabled=("order.created", "order.updated"))
    assert mended.count == 3
    assert is_right(shop)


def test_ours_of_an_older_address_go_and_those_of_others_stay(both: Both) -> None:
    shop, client = both
    register(client, STORE, "old", f"https://old.example/webhooks/woocommerce/{STORE.id}")
    theirs = [
        shop.add("webhooks", name="ERP", topic="order.created", delivery_url="https://erp.example/in", status="active"),
        shop.add(
            "webhooks", name="Agala: mine", topic="order.created", delivery_url="https://x.example", status="paused"
        ),
    ]
    untouched = [dict(shop.kept["webhooks"][one]) for one in theirs]
    mended = register(client, STORE, SECRET, URL)
    assert (mended.made, mended.removed) == (TOPICS, TOPICS)
    assert [shop.kept["webhooks"].pop(one) for one in theirs] == untouched
    assert is_right(shop)


def test_of_two_that_an_interrupted_try_left_one_stays(both: Both) -> None:
    shop, client = both
    register(client, STORE, SECRET, URL)
    first = next(w for w in webhooks(shop) if w["topic"] == "order.created")
    first["status"] = "disabled"
    second = shop.add("webhooks", **{**first, "status": "active"} | {"name": "renamed by the owner"})
    shop.kept["webhooks"][second]["id"] = second
    assert register(client, STORE, SECRET, URL) == Mended(removed=("order.created",))
    assert first["id"] not in shop.kept["webhooks"]
    assert is_right(shop)


def test_an_interrupted_registration_is_finished_by_the_next(both: Both) -> None:
    shop, client = both
    shop.fail_once("POST", Reply(500, b"<html>", {"Content-Type": "text/html"}), after=True)
    with pytest.raises(ShopTrouble) as trouble:
        register(client, STORE, SECRET, URL)
    assert trouble.value.code is TroubleCode.FAILING
    assert len(webhooks(shop)) == 1
    assert len(register(client, STORE, SECRET, URL).made) == 10
    assert is_right(shop)


def test_one_that_is_gone_already_is_no_trouble(both: Both) -> None:
    shop, client = both
    register(client, STORE, "old", f"https://old.example/webhooks/woocommerce/{STORE.id}")
    gone = Reply.json({"code": "woocommerce_rest_shop_webhook_invalid_id", "message": "Invalid ID."}, 404)
    shop.fail_once("DELETE", gone, after=True)
    register(client, STORE, SECRET, URL)
    assert is_right(shop)


def test_a_shop_with_many_webhooks_is_read_to_the_end(both: Both) -> None:
    shop, client = both
    for number in range(150):
        shop.add(
            "webhooks", name=f"ERP {number}", topic="order.created", delivery_url="https://erp.example", status="active"
        )
    register(client, STORE, SECRET, URL)
    assert register(client, STORE, SECRET, URL) == Mended()
    assert len(webhooks(shop)) == 161


def test_a_key_that_is_refused_says_so(both: Both) -> None:
    shop, client = both
    shop.fail_once("GET", Reply.json({"code": "woocommerce_rest_cannot_view", "message": "no"}, 403))
    with pytest.raises(ShopTrouble) as trouble:
        register(client, STORE, SECRET, URL)
    assert trouble.value.code is TroubleCode.NOT_ALLOWED
    assert SECRET not in str(trouble.value)


def test_an_address_of_another_store_is_refused(both: Both) -> None:
    shop, client = both
    with pytest.raises(ValueError, match="another store"):
        register(client, STORE, SECRET, "https://agala.example/webhooks/woocommerce/" + "1" * 26)
    assert shop.asked == []
