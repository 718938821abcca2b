"""Shopify's deliveries: whose they are, the door of the whole app, and what becomes of a shop that removes the app."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from chalice.test import Client

from chalicelib.commerce.store import ConnectionStatus, FirstHistory
from chalicelib.errors import TryLater
from chalicelib.handlers.webhooks import LARGEST_BODY, receive_for_app, webhook_door
from chalicelib.storage.secrets import Secrets
from chalicelib.store_adapters.envelope import Arrival, arrival_id, by_object, encode
from chalicelib.sync.progress import SyncMode
from local.table_server import TableServer
from tests.conftest import HandClock
from tests.handlers.shopify_shops import ACCESS, COFFEE, EMAIL, TEA, Shops, headers, order, two_shops
from tests.recorded import signature

REDACT = {"shop_id": 1, "shop_domain": TEA, "customer": {"id": 9007199254740993777, "email": EMAIL}}


def raise_try_later(*_: Any) -> None:
    raise TryLater("out")


@pytest.fixture
def shops(table_server: TableServer, clock: HandClock) -> Iterator[Shops]:
    with two_shops(table_server, clock) as made:
        yield made


def test_a_delivery_of_another_shop_is_parked_with_the_reason_though_its_signature_is_good(shops: Shops) -> None:
    """The app's secret is the same for both shops."""
    told = order(1001, shops.clock.now())
    assert shops.to_store("orders/create", told, store="coffee", shop=TEA)[0] == 200
    (parked,) = shops.kept("parked", "coffee")
    assert parked.reason is not None and "another's" in parked.reason
    assert shops.parts.deliveries.raw("coffee", parked.id) is None, "nor do its people's data reach this shop's owner"
    assert shops.parts.contacts.find("coffee", "email", EMAIL) is None
    assert shops.to_store("orders/create", told, store="tea", shop=TEA)[0] == 200
    assert shops.parts.contacts.find("tea", "email", EMAIL) is not None
    assert shops.kept("parked", "tea") == []


@pytest.mark.parametrize("topic", ["customers/redact", "shop/redact", "app/uninstalled"])
def test_a_header_does_not_turn_a_signed_body_into_another_shops(shops: Shops, topic: str) -> None:
    shops.to_store("orders/create", order(1001, shops.clock.now()), store="coffee", shop=COFFEE)
    shops.to_store(topic, {**REDACT, "myshopify_domain": TEA}, store="coffee", shop=COFFEE)
    (parked,) = shops.kept("parked", "coffee")
    assert parked.reason is not None and parked.reason.startswith("shop_domain: expected the store's own shop")
    assert shops.parts.deliveries.raw("coffee", parked.id) is None
    assert shops.parts.contacts.find("coffee", "email", EMAIL) is not None
    assert shops.store("coffee").is_connected


def test_the_shops_domain_is_read_whatever_its_letters(shops: Shops) -> None:
    shops.to_store("orders/create", order(1001, shops.clock.now()), shop="TEA.myshopify.com ")
    assert len(shops.kept("applied")) == 1


@pytest.mark.parametrize("version", ["2019-04", "unstable", "", "\x00"])
def test_a_body_of_another_api_version_is_read_as_far_as_possible(shops: Shops, version: str) -> None:
    shops.to_store("orders/create", order(1001, shops.clock.now(), new_field={"a": [None]}), API_Version=version)
    assert len(shops.enrolments()) == 1


def test_the_apps_door_finds_the_store_by_what_is_signed(shops: Shops) -> None:
    for store, shop in (("tea", TEA), ("coffee", COFFEE)):
        shops.to_store("orders/create", order(1001, shops.clock.now()), store=store, shop=shop)
    assert shops.to_app("customers/redact", REDACT, shop=COFFEE)[0] == 200
    (parked,) = shops.kept("parked", "tea")
    assert parked.topic == "customers/redact", "its header says another shop than what is signed: nobody is erased"
    assert shops.to_app("customers/redact", REDACT, shop=TEA)[0] == 200
    assert shops.parts.contacts.find("tea", "email", EMAIL) is None
    assert shops.parts.contacts.find("coffee", "email", EMAIL) is not None
    assert shops.kept("parked", "coffee") == []


def test_the_same_event_at_both_doors_counts_once(shops: Shops) -> None:
    shops.to_store("shop/redact", {"shop_id": 1, "shop_domain": TEA}, event_id="one")
    shops.to_app("shop/redact", {"shop_id": 1, "shop_domain": TEA}, event_id="one")
    assert [len(shops.kept(status)) for status in ("applied", "repeated")] == [1, 1]


def test_without_an_event_id_the_same_body_counts_once(shops: Shops) -> None:
    body = json.dumps(REDACT).encode()
    told = {name: value for name, value in headers("customers/redact", TEA, body).items() if "Event" not in name}
    for _ in range(2):
        assert receive_for_app(told, body, shops.parts)[0] == 200
    shops.read()
    assert [len(shops.kept(status)) for status in ("applied", "repeated")] == [1, 1]


def test_a_shop_that_is_no_store_is_answered_200_and_nothing_is_kept(
    shops: Shops, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    before = len(shops.listener.items())
    told = {**REDACT, "shop_domain": "nobody.myshopify.com"}
    assert shops.to_app("customers/redact", told, shop="nobody.myshopify.com")[0] == 200
    assert len(shops.listener.items()) == before
    assert "no store's" in caplog.text and EMAIL not in caplog.text


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"null", b"\xff", b"[" * 90_000, b'{"shop_domain": ["tea"]}'])
def test_a_signed_body_that_names_no_shop_is_answered_200(shops: Shops, body: bytes) -> None:
    assert shops.to_app("customers/redact", body)[0] == 200
    assert shops.kept("parked") == []


def test_what_travelled_through_the_bucket_is_gone_from_there(shops: Shops) -> None:
    big = json.dumps({**REDACT, "orders_to_redact": list(range(1, 50))}).encode()
    for shop in (TEA, "nobody.myshopify.com"):
        told = {name.lower(): value for name, value in headers("customers/redact", TEA, big).items()}
        now = shops.clock.now()
        message = encode(Arrival("", "shopify", arrival_id(now), f"key-{shop}", now, told, big, shop))
        smaller, key, content = by_object(message)
        shops.parts.objects.put(key, content)
        shops.listener.queue.messages.append(smaller)
    shops.read()
    assert shops.listener.bucket.kept == {}
    assert len(shops.kept("applied")) == 1


def test_what_is_not_signed_by_the_app_is_refused(shops: Shops) -> None:
    body = json.dumps(REDACT).encode()
    told = headers("customers/redact", TEA, body)
    for forged in ({**told, "X-Shopify-Hmac-Sha256": signature(body, "another app")}, {"X-Shopify-Topic": "x"}):
        assert receive_for_app(forged, body, shops.parts)[0] == 401
    assert receive_for_app(told, body + b" ", shops.parts)[0] == 401
    assert receive_for_app(told, b"x" * (LARGEST_BODY + 1), shops.parts)[0] == 413
    assert shops.listener.queue.messages == []


def test_a_new_app_secret_is_honoured_at_once(shops: Shops, table_server: TableServer) -> None:
    seconds = [0.0]
    door: Any = shops.parts
    elsewhere = door.secrets
    door.secrets = Secrets(table_server.client("ssm"), elsewhere._prefix, lambda: seconds[0])
    assert door.secrets.shopify_app() is not None
    elsewhere.put_shopify_app({"client_id": "id", "client_secret": "a new one"})
    seconds[0] = 10.0
    body = json.dumps(REDACT).encode()
    told = {**headers("customers/redact", TEA, body), "X-Shopify-Hmac-Sha256": signature(body, "a new one")}
    assert receive_for_app(told, body, door)[0] == 200


def test_where_there_is_no_app_there_is_no_such_door(shops: Shops) -> None:
    shops.parts.secrets.delete_shopify_app()
    assert shops.to_app("customers/redact", REDACT)[0] == 404


def test_a_queue_that_is_out_asks_for_a_repeat(shops: Shops, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shops.listener.queue, "send", raise_try_later)
    assert shops.to_app("customers/redact", REDACT)[0] == 503


def test_both_doors_answer_at_their_addresses(shops: Shops) -> None:
    from app import app

    body = json.dumps(REDACT).encode()
    told = headers("customers/redact", TEA, body)
    with Client(app) as client:
        answers = [
            client.http.post(path, headers=told, body=body)
            for path in (
                "/webhooks/shopify",
                "/webhooks/shopify/tea",
                "/webhooks/shopify/nobody",
                "/webhooks/magento/tea",
            )
        ]
    assert [answer.status_code for answer in answers] == [200, 200, 404, 404]
    sent = shops.listener.queue.messages
    assert [(one["store_id"], one.get("shop")) for one in sent] == [("", TEA), ("tea", None)]


@pytest.mark.parametrize("encoded", [True, False])
def test_the_doors_own_lambda_knows_both_by_their_route(shops: Shops, encoded: bool) -> None:
    body = json.dumps(REDACT).encode()
    event = {
        "headers": headers("customers/redact", TEA, body),
        "body": base64.b64encode(body).decode() if encoded else body.decode(),
        "isBase64Encoded": encoded,
    }
    routes: list[dict[str, Any]] = [
        {"resource": "/webhooks/shopify", "pathParameters": None},
        {"resource": "/webhooks/shopify/{store_id}", "pathParameters": {"store_id": "tea"}},
        {"resource": "/webhooks/{platform}/{store_id}", "pathParameters": {"platform": "shopify", "store_id": "tea"}},
    ]
    assert [webhook_door({**event, **route}, None)["statusCode"] for route in routes] == [200, 200, 200]
    assert [one["store_id"] for one in shops.listener.queue.messages] == ["", "tea", "tea"]


@pytest.mark.parametrize("by", ["store", "app", "event"])
def test_a_shop_that_removes_the_app_is_let_go(shops: Shops, by: str) -> None:
    shops.to_store("orders/create", order(1001, shops.clock.now()))
    shops.to_store("orders/create", order(1001, shops.clock.now()), store="coffee", shop=COFFEE)
    shops.clock.advance(hours=1)
    shops.remove_app(by=by)
    connection = shops.store().connection
    assert connection is not None
    assert (connection.status, connection.shop, connection.at) == (
        ConnectionStatus.DISCONNECTED,
        TEA,
        shops.clock.now(),
    )
    assert shops.parts.secrets.shopify_access("tea") is None
    assert shops.parts.secrets.webhook_secret("tea") is not None
    assert [one.status.value for one in shops.parts.journeys.of_store("tea")] == ["stopped"]
    (ended,) = shops.enrolments()
    assert (ended.status.value, ended.reason) == ("stopped", "app_removed")
    told = shops.kept("applied")[-1]
    assert told.reason == "the app was removed from the shop"
    assert shops.parts.deliveries.raw("tea", told.id) is None, "its owner's address is in it"
    assert shops.store("coffee").is_connected and shops.parts.secrets.shopify_access("coffee") == ACCESS
    shops.listener.workflows.live(days=10)
    assert len(shops.listener.channel.taken) == 2, "both of the other shop's"


def test_what_was_on_its_way_still_comes_and_begins_nothing(shops: Shops) -> None:
    placed = shops.clock.now()
    shops.clock.advance(minutes=1)
    shops.remove_app()
    assert shops.to_store("orders/create", order(1001, placed))[0] == 200
    assert shops.parts.contacts.find("tea", "email", EMAIL).orders_count == 1
    assert shops.enrolments() == []
    shops.clock.advance(hours=48)
    assert shops.to_app("shop/redact", {"shop_id": 1, "shop_domain": TEA})[0] == 200
    assert shops.parts.contacts.list("tea") == []


def test_a_shop_that_came_back_is_not_erased(shops: Shops) -> None:
    """Shopify asks two days after it was left, whatever happened since."""
    shops.clock.advance(hours=1)
    shops.remove_app()
    shops.clock.advance(hours=24)
    shops.connect("tea", TEA)
    shops.to_store("orders/create", order(1001, shops.clock.now()))
    shops.clock.advance(hours=24)
    assert shops.to_app("shop/redact", {"shop_id": 1, "shop_domain": TEA})[0] == 200
    assert shops.parts.contacts.find("tea", "email", EMAIL).orders_count == 1
    assert "nothing is erased" in (shops.kept("applied")[-1].reason or "")


def test_an_erased_shop_that_comes_back_is_asked_for_all_its_past(
    shops: Shops, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shops.parts.sync, "go_on", lambda progress: None)
    shops.parts.sync.history(shops.store())
    shops.clock.advance(hours=1)
    shops.remove_app()
    shops.clock.advance(hours=48)
    shops.to_app("shop/redact", {"shop_id": 1, "shop_domain": TEA})
    assert shops.parts.sync_records.get("tea") is None
    assert shops.store().first_history is None
    shops.clock.advance(days=30)
    assert shops.parts.sync.connected(shops.connect("tea", TEA)).mode is SyncMode.HISTORY
    assert shops.store().first_history is FirstHistory.RUNNING


def test_told_again_it_harms_nothing(shops: Shops) -> None:
    shops.clock.advance(minutes=1)
    shops.remove_app(event_id="one")
    stood = shops.store()
    shops.clock.advance(minutes=1)
    shops.remove_app(event_id="one")
    shops.remove_app(event_id="another")
    assert shops.store() == stood


def test_an_old_removal_does_nothing_to_a_shop_that_came_back(shops: Shops) -> None:
    shops.clock.advance(days=1)
    removed = shops.clock.now()
    shops.clock.advance(minutes=5)
    shops.connect("tea", TEA)
    shops.to_store("orders/create", order(1001, shops.clock.now()))
    shops.remove_app(at=removed)
    assert shops.store().is_connected
    assert shops.parts.secrets.shopify_access("tea") == ACCESS
    (goes_on,) = shops.enrolments()
    assert goes_on.open
    why = {one.topic: one.reason for one in shops.kept("applied")}
    assert why["app/uninstalled"] == "the app was removed before the shop was connected as it is now"


@pytest.mark.parametrize("when", ["", "yesterday", "2026-11-21", "\x00"])
def test_a_removal_that_does_not_say_when_counts_from_its_coming(shops: Shops, when: str) -> None:
    shops.clock.advance(minutes=5)
    shops.to_store("app/uninstalled", b"no JSON", Triggered_At=when)
    assert shops.store().is_disconnected


def test_a_removal_that_was_cut_short_is_finished(shops: Shops, monkeypatch: pytest.MonkeyPatch) -> None:
    shops.to_store("orders/create", order(1001, shops.clock.now()))
    shops.clock.advance(minutes=5)
    with monkeypatch.context() as broken, pytest.raises(AssertionError):
        broken.setattr(shops.parts.secrets, "delete_shopify_access", raise_try_later)
        shops.remove_app()
    assert shops.store().is_disconnected
    with monkeypatch.context() as broken, pytest.raises(AssertionError):
        broken.setattr(shops.parts.lifecycle, "stop_every", raise_try_later)
        shops.read()
    shops.read()
    assert shops.parts.secrets.shopify_access("tea") is None
    (ended,) = shops.enrolments()
    assert not ended.open


def test_a_token_of_this_very_moment_stays(shops: Shops, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shop is connected again while the removal is being worked on."""
    shops.clock.advance(minutes=5)
    save = shops.parts.stores.save

    def save_and_come_back(store: Any) -> Any:
        saved = save(store)
        shops.parts.secrets.put_shopify_access("tea", {**ACCESS, "access_token": "shpat_new"})
        return saved

    monkeypatch.setattr(shops.parts.stores, "save", save_and_come_back)
    shops.remove_app()
    assert shops.parts.secrets.shopify_access("tea") == {**ACCESS, "access_token": "shpat_new"}


def test_a_store_whose_shop_we_were_never_tied_to_stops_its_journeys(shops: Shops) -> None:
    """Its owner made it over the API: nothing would ever connect it again."""
    shops.to_store("orders/create", order(1001, shops.clock.now()))
    shops.parts.stores.save(shops.store().model_copy(update={"connection": None}))
    shops.remove_app(at=shops.clock.now() - timedelta(hours=1))
    assert shops.store().connection is None
    (ended,) = shops.enrolments()
    assert ended.reason == "app_removed"
