"""Calls of other systems: signed, once each, never into a private network, and only the status is asked for."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from chalicelib.commerce.trouble import ShopTrouble, TroubleCode
from chalicelib.store_adapters.webhook_calls import WebhookCalls, call_secret
from tests.store_adapters.scripted_shop import Reply, ScriptedShop
from tests.store_adapters.scripted_shop import shop as scripted_shop

NOW = 1_795_341_600.7


@contextmanager
def receiver(reply: Reply) -> Iterator[ScriptedShop]:
    with scripted_shop(lambda asked: reply) as shop:
        yield shop


def call(url: str, private: bool = True) -> int:
    calls = WebhookCalls(lambda: "signing-key", lambda: NOW, private)
    return calls.call("s1", url, "c1-abc:erp", {"id": "c1-abc:erp", "contact": {"first_name": "דנה"}})


def test_the_call_is_signed_by_the_stores_own_secret_and_names_itself() -> None:
    with receiver(Reply(status=204, body=b"")) as shop:
        assert call(f"{shop.url}/hook?a=1") == 204
    (asked,) = shop.asked
    assert (asked.method, asked.path, asked.query) == ("POST", "/hook", {"a": "1"})
    assert json.loads(asked.body)["contact"] == {"first_name": "דנה"}
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["x-agala-id"] == "c1-abc:erp"
    assert asked.headers["x-agala-timestamp"] == "1795341600"
    secret = call_secret("signing-key", "s1")
    right = hmac.digest(secret.encode(), b"1795341600." + asked.body, "sha256").hex()
    assert asked.headers["x-agala-signature"] == right
    assert secret not in (call_secret("signing-key", "s2"), call_secret("other-key", "s1"), "signing-key")


@pytest.mark.parametrize("status", [200, 302, 404, 503])
def test_whatever_is_answered_is_told_by_its_status_alone(status: int) -> None:
    huge = Reply(status=status, body=b"x" * 2_000_000, headers={"Location": "/elsewhere"})
    with receiver(huge) as shop:
        assert call(f"{shop.url}/hook") == status
    assert [asked.path for asked in shop.asked] == ["/hook"], "no redirect is followed"


def test_a_private_network_is_not_entered() -> None:
    with receiver(Reply()) as shop, pytest.raises(ShopTrouble) as caught:
        call(f"{shop.url}/hook", private=False)
    assert caught.value.code is TroubleCode.PRIVATE_ADDRESS
    assert shop.asked == []


def test_nobody_there_is_trouble() -> None:
    with receiver(Reply()) as shop:
        gone = f"{shop.url}/hook"
    with pytest.raises(ShopTrouble) as caught:
        call(gone)
    assert caught.value.code is TroubleCode.NO_CONNECTION
