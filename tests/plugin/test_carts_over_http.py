"""Carts over real requests: what the session keeps between them, and what a restore link answers."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.plugin import environment, programs
from tests.plugin.shopper import AGENT, Shopper

EMAIL = "noa@shopper.example"
CONNECTED = """
$address = 'http://127.0.0.1:9'; // Nobody answers there.
Agala\\Options::save_connection( array( 'address' => $address, 'store_id' => 's', 'secret' => 's',
    'webhook_url' => "$address/w", 'carts_url' => "$address/c", 'plugin_url' => "$address/p", 'connected_at' => 1 ) );
"""
ROWS = """
global $wpdb;
foreach ( $wpdb->get_results( "SELECT * FROM {$wpdb->prefix}agala_carts ORDER BY created_at", ARRAY_A ) as $row ) {
    $link    = Agala\\Restore_Link::url( $row['token'], (int) $row['changed_at'], $row['email'] );
    $found[] = $row + array( 'link' => $link );
}
echo wp_json_encode( $found ?? array() );
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[environment.WordPress]:
    try:
        programs.require("php")
        site = environment.copy(tmp_path_factory.mktemp("carts") / "wordpress")
    except programs.Missing as missing:
        pytest.skip(str(missing))
    with site.serve():
        site.php(CONNECTED)
        yield site


@pytest.fixture(scope="module")
def mug(site: environment.WordPress) -> int:
    return int(site.php("echo wc_get_product_id_by_sku( 'MUG-1' );"))


def rows(site: environment.WordPress) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(site.php(ROWS).splitlines()[-1])
    return found


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def answer(url: str, method: str = "GET", **headers: str) -> tuple[int, Any]:
    """Status and headers of one request without cookies, redirects not followed."""
    named = {"User-Agent": AGENT, **{name.replace("_", "-"): value for name, value in headers.items()}}
    try:
        with urllib.request.build_opener(_Stay).open(urllib.request.Request(url, method=method, headers=named)) as ok:
            return ok.status, ok.headers
    except urllib.error.HTTPError as other:
        return other.code, other.headers


def test_a_cart_through_requests_restored_elsewhere_and_bought(site: environment.WordPress, mug: int) -> None:
    shopper = Shopper(site.url)
    shopper.go(f"/?add-to-cart={mug}")
    token = rows(site)[0]["token"]
    shopper.go("/cart/")
    shopper.go(f"/?add-to-cart={mug}")
    shopper.go("/checkout/")
    shopper.store("/cart/update-customer", {"billing_address": {"email": EMAIL}})
    (row,) = rows(site)
    assert (row["token"], row["email"], row["step"]) == (token, EMAIL, "checkout")
    assert json.loads(row["state"])["items"][0]["quantity"] == 2

    link = row["link"]
    elsewhere = Shopper(site.url)
    elsewhere.go(link)
    assert elsewhere.at == f"{site.url}/checkout/"
    cart = elsewhere.store("/cart", {}, method="GET")
    assert [line["quantity"] for line in cart["items"]] == [2]
    assert cart["billing_address"]["email"] == EMAIL
    assert rows(site)[0]["changed_at"] == row["changed_at"], "opening a link is no change of the cart"

    address = {"first_name": "N", "last_name": "L", "country": "IL", "city": "Haifa", "address_1": "1 Herzl"}
    address |= {"email": "other@shopper.example", "phone": "0505550102"}
    done = elsewhere.store("/checkout", {"billing_address": address, "payment_method": "bacs"})
    (row,) = rows(site)
    assert (row["step"], int(row["order_id"])) == ("converted", done["order_id"])

    shopper.go("/checkout/")
    assert len(rows(site)) == 1, "what still lies on the first device is no new cart"
    shopper.go(f"/?add-to-cart={mug}")
    assert [one["step"] for one in rows(site)] == ["converted", "updated"]
    assert answer(link)[1]["Location"] == f"{site.url}/shop/", "it is bought"


def test_a_machine_gets_nothing_and_no_cache_keeps_a_link(site: environment.WordPress, mug: int) -> None:
    Shopper(site.url).go(f"/?add-to-cart={mug}")
    row = rows(site)[-1]
    for status, headers in (
        answer(row["link"], "HEAD"),
        answer(row["link"], Sec_Purpose="prefetch;prerender"),
        answer(row["link"], User_Agent="Mozilla/5.0 (compatible; Googlebot/2.1)"),
        answer(row["link"], User_Agent=""),
    ):
        assert (status, headers["Location"]) == (302, f"{site.url}/cart/")
        assert headers.get_all("Set-Cookie") is None
    status, headers = answer(row["link"])
    assert (status, headers["Location"]) == (302, f"{site.url}/cart/")
    assert any(cookie.startswith("wp_woocommerce_session_") for cookie in headers.get_all("Set-Cookie"))
    assert "no-store" in headers["Cache-Control"]
    assert "noindex" in headers["X-Robots-Tag"]
    status, headers = answer(row["link"][:-1] + ("0" if row["link"][-1] != "0" else "1"))
    assert status == 404
    assert "no-store" in headers["Cache-Control"]
    assert rows(site)[-1] == row


def test_an_email_typed_at_the_classic_checkout_arrives(site: environment.WordPress, mug: int) -> None:
    shopper = Shopper(site.url)
    shopper.go(f"/?add-to-cart={mug}")
    shopper.go("/classic-checkout/")
    assert "assets/checkout.js" in shopper.page
    settings = json.loads(
        shopper.page.partition("window.agalaCheckout = ")[2].partition(";\n")[0].split("\n")[0].rstrip(";")
    )
    typed = {"email": "typed@shopper.example", "nonce": "from a cache"}
    shopper.send(settings["url"], typed)
    assert shopper.status == 403
    shopper.send(settings["url"], {**typed, "nonce": json.loads(shopper.page)["nonce"]})
    assert json.loads(shopper.page) == {"kept": True}
    assert rows(site)[-1]["email"] == "typed@shopper.example"
    stranger = Shopper(site.url)
    stranger.go(f"/?add-to-cart={mug}")
    stranger.send(settings["url"], {**typed, "nonce": settings["nonce"]})
    assert stranger.status == 403, "the nonce is of one session"
