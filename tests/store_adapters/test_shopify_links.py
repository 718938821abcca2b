"""Which requests are Shopify's own, which texts are shops, and what a grant page is asked."""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.store_adapters.shopify_links import FRESH, grant_page, is_fresh, is_signed, shop_domain
from chalicelib.store_adapters.shopify_scopes import SCOPES, asked, missing

SECRET = "hush"
NEEDED = [scope.name for scope in SCOPES if scope.needed]


def signed(query: dict[str, list[str]], secret: str = SECRET, message: str | None = None) -> dict[str, list[str]]:
    """As Shopify's documentation says it, for parameters without characters that would have to be escaped."""
    plain = message or "&".join(f"{name}={values[0]}" for name, values in sorted(query.items()))
    return {**query, "hmac": [hmac.new(secret.encode(), plain.encode(), hashlib.sha256).hexdigest()]}


ASKED = {
    "code": ["0907a61c0c8d55e99db179b68161bc00"],
    "host": ["YWRtaW4uc2hvcGlmeS5jb20vc3RvcmUvdGVh"],
    "shop": ["tea.myshopify.com"],
    "state": ["0.6784241404160823"],
    "timestamp": ["1337178173"],
}


def test_shopifys_own_request_is_known() -> None:
    assert is_signed(signed(ASKED), SECRET)
    upper = signed(ASKED)
    assert is_signed(upper | {"hmac": [upper["hmac"][0].upper()]}, SECRET)


@pytest.mark.parametrize("comma", [", ", ","])
def test_a_list_is_signed_as_json(comma: str) -> None:
    query = {**ASKED, "ids[]": ["2", "1"]}
    plain = {**ASKED, "ids": [f'["2"{comma}"1"]']}
    assert is_signed(query | {"hmac": signed(plain)["hmac"]}, SECRET)
    assert not is_signed({**query, "ids[]": ["2"]} | {"hmac": signed(plain)["hmac"]}, SECRET)


@pytest.mark.parametrize(
    "change",
    [
        {"hmac": []},
        {"hmac": [""]},
        {"hmac": ["0" * 64]},
        {"hmac": ["0" * 63 + "é"]},
        {"shop": ["coffee.myshopify.com"]},
        {"timestamp": ["1337178174"]},
        {"extra": ["1"]},
    ],
)
def test_a_request_that_was_changed_is_forged(change: dict[str, list[str]]) -> None:
    assert not is_signed(signed(ASKED) | change, SECRET)


def test_another_apps_signature_is_none() -> None:
    assert not is_signed(signed(ASKED, "another secret"), SECRET)
    assert not is_signed(signed(ASKED, ""), "")


@pytest.mark.parametrize("name", sorted(ASKED))
def test_a_parameter_that_comes_twice_is_refused(name: str) -> None:
    query = signed(ASKED)
    assert not is_signed(query | {name: query[name] * 2}, SECRET)
    assert not is_signed(query | {name: [*query[name], "other"]}, SECRET)
    assert not is_signed(query | {"hmac": query["hmac"] * 2}, SECRET)


def test_one_parameter_cannot_pass_for_two() -> None:
    """What was signed as `a=1` and `shop=…` is not what `a` with an ampersand in it says."""
    query = {"a": ["1"], "shop": ["tea.myshopify.com"]}
    mark = signed(query)["hmac"]
    assert is_signed(query | {"hmac": mark}, SECRET)
    assert not is_signed({"a": ["1&shop=tea.myshopify.com"], "hmac": mark}, SECRET)
    assert not is_signed({"a=1&shop": ["tea.myshopify.com"], "hmac": mark}, SECRET)
    mark = signed({"a": ["b=c"]})["hmac"]
    assert is_signed({"a": ["b=c"], "hmac": mark}, SECRET)
    assert not is_signed({"a=b": ["c"], "hmac": mark}, SECRET)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.text(max_size=8), st.lists(st.text(max_size=8), max_size=3), max_size=5))
def test_nothing_that_anybody_sends_is_more_than_refused(query: dict[str, list[str]]) -> None:
    assert not is_signed(query, SECRET)
    assert not is_signed({**query, "hmac": ["ab" * 32]}, SECRET)
    is_fresh(query, 0)


@pytest.mark.parametrize(
    ("text", "shop"),
    [
        ("tea.myshopify.com", "tea.myshopify.com"),
        ("TEA.MyShopify.COM", "tea.myshopify.com"),
        ("0-1-2.myshopify.com", "0-1-2.myshopify.com"),
        ("", None),
        ("tea", None),
        ("tea.example", None),
        ("myshopify.com", None),
        (".myshopify.com", None),
        ("-tea.myshopify.com", None),
        ("tea.myshopify.com.", None),
        ("tea.myshopify.com\n", None),
        (" tea.myshopify.com", None),
        ("tea.myshopify.com.evil.example", None),
        ("tea.myshopify.com/x", None),
        ("tea.myshopify.com?x", None),
        ("tea.myshopify.com#x", None),
        ("tea.myshopify.com:443", None),
        ("tea.myshopify.com@evil.example", None),
        ("evil.example/.myshopify.com", None),
        ("evil.example#.myshopify.com", None),
        ("a.tea.myshopify.com", None),
        ("teaXmyshopify.com", None),
        ("https://tea.myshopify.com", None),
        ("תה.myshopify.com", None),
        ("ｔｅａ.myshopify.com", None),
        ("tea.myshopify。com", None),
        ("\u212aettle.myshopify.com", None),  # the sign for kelvin, whose small letter is k
        ("t" * 64 + ".myshopify.com", None),
    ],
)
def test_a_shop_has_one_spelling_and_nothing_else_is_one(text: str, shop: str | None) -> None:
    assert shop_domain(text) == shop


@pytest.mark.parametrize(
    ("told", "now", "fresh"),
    [
        (["1000"], 1000.0, True),
        (["1000"], 1000.0 + FRESH, True),
        (["1000"], 1001.0 + FRESH, False),
        (["1000"], 999.0 - FRESH, False),
        (["1000", "1000"], 1000.0, False),
        ([], 1000.0, False),
        (["x"], 1000.0, False),
        (["-1"], 0.0, False),
        (["١٠٠٠"], 1000.0, False),
    ],
)
def test_a_request_is_fresh_for_five_minutes(told: list[str], now: float, fresh: bool) -> None:
    assert is_fresh({"timestamp": told}, now) is fresh


def test_the_grant_page_is_asked_for_a_token_for_the_background() -> None:
    page = grant_page("https://tea.myshopify.com", "id", "read_orders", "https://agala.example/shopify/callback", "s t")
    parts = urlsplit(page)
    assert (parts.netloc, parts.path) == ("tea.myshopify.com", "/admin/oauth/authorize")
    assert parse_qs(parts.query) == {
        "client_id": ["id"],
        "scope": ["read_orders"],
        "redirect_uri": ["https://agala.example/shopify/callback"],
        "state": ["s t"],
    }


def test_old_orders_are_asked_for_only_where_shopify_lets_the_app() -> None:
    assert asked(all_orders=False).split(",") == NEEDED
    assert asked(all_orders=True).split(",") == [*NEEDED, "read_all_orders"]


def test_leave_to_write_is_leave_to_read_and_not_the_other_way_round() -> None:
    assert [scope.name for scope in missing(NEEDED)] == ["read_all_orders"]
    writes = ["write_orders", "write_customers", "write_products", "write_inventory", "write_fulfillments"]
    assert [scope.name for scope in missing([*writes, "write_discounts", " read_all_orders "])] == []
    assert "write_discounts" in [scope.name for scope in missing(["read_discounts"])]
    assert len(missing([])) == len(SCOPES)


def test_every_scope_has_one_reason() -> None:
    assert len({scope.name for scope in SCOPES}) == len({scope.why for scope in SCOPES}) == len(SCOPES)
