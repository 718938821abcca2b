from __future__ import annotations

import base64
import datetime as dt
import gzip
import hashlib
import hmac
import ipaddress
import json
import ssl
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from chalicelib.commerce.trouble import ShopTrouble, TroubleCode
from chalicelib.store_adapters import shop_http
from chalicelib.store_adapters.public_addresses import is_public
from chalicelib.store_adapters.woocommerce_rest import RestKeys, WooCommerceRest
from tests.store_adapters.scripted_shop import Asked, Reply, shop

KEYS = RestKeys("ck_" + "1" * 40, "cs_" + "2" * 40)
NO_ROUTE = {"code": "rest_no_route", "message": "No route", "data": {"status": 404}}
INVALID_ID = {"code": "woocommerce_rest_shop_order_invalid_id", "message": "Invalid ID.", "data": {"status": 404}}


def client(url: str, root: str = "/wp-json/", **more: Any) -> WooCommerceRest:
    return WooCommerceRest(url + root, KEYS, private_addresses=True, **more)


def trouble(reply: Reply) -> ShopTrouble:
    with shop(lambda _: reply) as there, pytest.raises(ShopTrouble) as raised:
        client(there.url).get("orders")
    assert KEYS.key not in str(raised.value)
    assert KEYS.secret not in str(raised.value)
    return raised.value


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Signed by itself, for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop.test")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "shop.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return file, context


def signature_is_right(asked: Asked, url: str) -> bool:
    """As WooCommerce checks it (OAuth 1.0a, RFC 5849 3.4, no token)."""
    told = dict(asked.query)
    given = told.pop("oauth_signature")
    pairs = "&".join(f"{quote(k, safe='~')}={quote(v, safe='~')}" for k, v in sorted(told.items()))
    text = "&".join(quote(part, safe="~") for part in (asked.method, url + asked.path, pairs))
    made = hmac.new(f"{KEYS.secret}&".encode(), text.encode(), hashlib.sha256).digest()
    return base64.b64encode(made).decode() == given


def test_a_page_has_its_records_and_how_many_there_are() -> None:
    with shop(lambda _: Reply.json([{"id": 1}], X_WP_Total="250", X_WP_TotalPages="3")) as there:
        page = client(there.url).get("orders", {"per_page": 100, "status": "any"})
    assert (page.items, page.total, page.pages) == ([{"id": 1}], 250, 3)
    assert there.asked[0].path == "/wp-json/wc/v3/orders"
    assert there.asked[0].query["per_page"] == "100"
    assert there.asked[0].headers["user-agent"].startswith("Agala/")


def test_over_http_the_secret_is_never_sent_but_signs() -> None:
    with shop(lambda _: Reply.json({"id": 7})) as there:
        rest = client(there.url)
        rest.one("orders/7", {"search": "קפה & תה/7"})
        rest.post("coupons", {"code": "x"})
    for asked in there.asked:
        assert signature_is_right(asked, there.url)
        assert KEYS.secret not in str(asked)
        assert "authorization" not in asked.headers
    assert json.loads(there.asked[1].body) == {"code": "x"}


def test_over_https_the_key_goes_by_basic_authentication(tmp_path: Path) -> None:
    file, context = certificate(tmp_path)
    with shop(lambda _: Reply.json([]), context) as there:
        rest = client(there.url)
        rest._http.session.verify = str(file)
        rest.get("orders")
    expected = base64.b64encode(f"{KEYS.key}:{KEYS.secret}".encode()).decode()
    assert there.asked[0].headers["authorization"] == f"Basic {expected}"
    assert not there.asked[0].query


def test_a_host_that_takes_the_authorization_header_away_gets_a_signature(tmp_path: Path) -> None:
    def answer(asked: Asked) -> Reply:
        return Reply.json([]) if "oauth_signature" in asked.query else Reply.json({"code": "x"}, 401)

    file, context = certificate(tmp_path)
    with shop(answer, context) as there:
        rest = client(there.url)
        rest._http.session.verify = str(file)
        rest.get("orders")
        rest.get("orders")
    assert ["oauth_signature" in asked.query for asked in there.asked] == [False, True, True]
    assert signature_is_right(there.asked[1], there.url)


def test_a_shop_without_pretty_permalinks_is_asked_by_rest_route() -> None:
    with shop(lambda _: Reply.json([])) as there:
        client(there.url, "/?rest_route=/").get("orders", {"page": 2})
        client(there.url, "/tea/index.php?lang=he&rest_route=%2F").get("orders")
    first, second = there.asked
    assert (first.path, first.query["rest_route"], first.query["page"]) == ("/index.php", "/wc/v3/orders", "2")
    assert "wp-json/wc/" in first.line, "as WooCommerce looks for it: before the address is decoded"
    assert "wp-json/wc/" in second.line
    assert (second.path, second.query["rest_route"], second.query["lang"]) == (
        "/tea/index.php",
        "/wc/v3/orders",
        "he",
    )
    assert signature_is_right(first, there.url)


@pytest.mark.parametrize(
    ("reply", "code", "lasting"),
    [
        (Reply.json({"code": "woocommerce_rest_cannot_view"}, 401), TroubleCode.KEY_REFUSED, True),
        (Reply(403, b"<html>Attention Required!</html>"), TroubleCode.NOT_ALLOWED, True),
        (Reply.json(NO_ROUTE, 404), TroubleCode.NO_REST, True),
        (Reply(404, b"<html>Not found</html>"), TroubleCode.NO_REST, True),
        (Reply.json(INVALID_ID, 404), TroubleCode.GONE, True),
        (Reply.json({"code": "woocommerce_rest_coupon_code_already_exists"}, 400), TroubleCode.REFUSED, True),
        (Reply(429, b""), TroubleCode.SLOW_DOWN, False),
        (Reply(503, b"<h1>Briefly unavailable for scheduled maintenance.</h1>"), TroubleCode.FAILING, False),
        (Reply(500, b""), TroubleCode.FAILING, False),
        (Reply(200, b"<!doctype html><title>Just a moment...</title>"), TroubleCode.WEB_PAGE, False),
        (Reply(200, b"<br /><b>Warning</b>: x in y[]"), TroubleCode.WEB_PAGE, False),
        (Reply(200, b'[{"id": 1}, {"i'), TroubleCode.BROKEN_ANSWER, False),
        (Reply(200, b"[" * 200_000), TroubleCode.BROKEN_ANSWER, False),
        (Reply(200, b""), TroubleCode.BROKEN_ANSWER, False),
        (Reply(200, b'{"not": "a list"}'), TroubleCode.BROKEN_ANSWER, False),
        (Reply(200, b'[{"id": 1}]' + b" " * 100_000, cut=50_000), TroubleCode.BROKEN_ANSWER, False),
        (Reply(200, b"no gzip", {"Content-Encoding": "gzip"}), TroubleCode.BROKEN_ANSWER, False),
    ],
)
def test_each_failure_has_words_of_its_own(reply: Reply, code: TroubleCode, lasting: bool) -> None:
    found = trouble(reply)
    assert (found.code, found.lasting) == (code, lasting)
    assert found.words.endswith((".", "?", ")"))


def test_every_code_has_words() -> None:
    assert all(ShopTrouble(code).words for code in TroubleCode)


def test_the_shops_own_code_is_told_but_never_its_text() -> None:
    found = trouble(Reply.json({"code": "woocommerce_rest_invalid_coupon", "message": "zoe@example.test"}, 400))
    assert (found.reason, found.status) == ("woocommerce_rest_invalid_coupon", 400)
    assert "zoe" not in str(found.__dict__)
    assert trouble(Reply.json({"code": "<b>zoe@example.test</b>"}, 400)).reason is None


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "120"}, timedelta(seconds=120)),
        (
            {"Retry-After": "Sun, 22 Nov 2026 10:05:00 GMT", "Date": "Sun, 22 Nov 2026 10:00:00 GMT"},
            timedelta(minutes=5),
        ),
        ({"Retry-After": "Sun, 22 Nov 2026 09:00:00 GMT", "Date": "Sun, 22 Nov 2026 10:00:00 GMT"}, timedelta()),
        ({"Retry-After": "999999999"}, timedelta(hours=24)),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "soon"}, None),
        ({}, None),
    ],
)
def test_a_shop_that_says_when_to_come_back_is_understood(
    headers: dict[str, str], wait: timedelta | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shop_http.retry_after(headers) == wait
    if "Date" not in headers:
        assert trouble(Reply(429, b"", headers)).retry_after == wait


def test_a_redirect_on_the_same_host_is_followed_and_signed_anew() -> None:
    def answer(asked: Asked) -> Reply:
        if asked.path.endswith("/"):
            return Reply.json([{"id": 1}])
        old = "&".join(f"{name}={quote(value)}" for name, value in asked.query.items())
        return Reply(301, b"", {"Location": f"{asked.path}/?{old}"})

    with shop(answer) as there:
        assert client(there.url).get("orders", {"page": 3}).items == [{"id": 1}]
    assert signature_is_right(there.asked[1], there.url)
    assert there.asked[1].query["page"] == "3"


def test_the_key_goes_to_no_other_host() -> None:
    with shop(lambda _: Reply.json([])) as other:
        for target in (
            f"{other.url}/wp-json/wc/v3/orders",
            f"//localhost:{other.port}/",
            "https://evil.example/",
            "file:///etc/passwd",
            f"http://shop@127.0.0.1:{other.port}/",
            "http://[bad",
        ):
            found = trouble(Reply(302, b"", {"Location": target}))
            assert found.code is TroubleCode.MOVED
            assert found.lasting
    assert not other.asked


def test_a_redirected_write_is_not_repeated_elsewhere() -> None:
    with shop(lambda _: Reply(307, b"", {"Location": "/other"})) as there, pytest.raises(ShopTrouble) as raised:
        client(there.url).post("coupons", {"code": "x"})
    assert raised.value.code is TroubleCode.MOVED
    assert len(there.asked) == 1


@pytest.mark.parametrize("growing", [False, True])
def test_a_circle_of_redirects_ends(growing: bool) -> None:
    def answer(asked: Asked) -> Reply:
        turn = int(asked.query.get("turn", "0"))
        return Reply(302, b"", {"Location": f"{asked.path}?turn={turn + 1 if growing else 1 - turn}"})

    with shop(answer) as there, pytest.raises(ShopTrouble) as raised:
        client(there.url).get("orders")
    assert raised.value.code is TroubleCode.REDIRECT_LOOP
    assert len(there.asked) <= 5


def test_from_https_the_key_does_not_go_back_to_http() -> None:
    assert not shop_http.same_host("https://shop.example/a", "http://shop.example/a")
    assert shop_http.same_host("http://shop.example/a", "https://shop.example/a")
    assert not shop_http.same_host("http://shop.example:8080/a", "https://shop.example/a")
    assert not shop_http.same_host("https://shop.example/a", "https://www.shop.example/a")


def test_an_answer_without_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shop_http, "LARGEST", 200_000)
    bomb = gzip.compress(b"[" + b" " * 5_000_000 + b"]")
    assert trouble(Reply(200, bomb, {"Content-Encoding": "gzip"})).code is TroubleCode.TOO_LARGE


def test_a_shop_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shop_http, "READ_SECONDS", 0.2)
    assert trouble(Reply(hangs=True)).code is TroubleCode.NO_ANSWER


def test_a_shop_that_answers_drop_by_drop_is_left_after_a_minute() -> None:
    ticks = iter(range(0, 10_000, 40))
    with shop(lambda _: Reply(200, b"[" + b" " * 300_000 + b"]")) as there, pytest.raises(ShopTrouble) as raised:
        client(there.url, monotonic=lambda: next(ticks)).get("orders")
    assert raised.value.code is TroubleCode.NO_ANSWER


def test_nobody_there_and_no_such_name() -> None:
    with shop(lambda _: Reply()) as there:
        gone = there.url
    for url, code in ((gone, TroubleCode.NO_CONNECTION), ("https://no-such-shop.invalid", TroubleCode.UNKNOWN_HOST)):
        with pytest.raises(ShopTrouble) as raised:
            client(url).get("orders")
        assert raised.value.code is code
        assert "127.0.0.1" not in str(raised.value)


def test_a_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    _, context = certificate(tmp_path)
    with shop(lambda _: Reply(), context) as there, pytest.raises(ShopTrouble) as raised:
        client(there.url).get("orders")
    assert raised.value.code is TroubleCode.CERTIFICATE
    assert not there.asked


def test_a_private_address_is_not_spoken_to() -> None:
    with shop(lambda _: Reply.json([])) as there:
        for url in (there.url, there.url.replace("127.0.0.1", "localhost")):
            with pytest.raises(ShopTrouble) as raised:
                WooCommerceRest(f"{url}/wp-json/", KEYS).get("orders")
            assert raised.value.code is TroubleCode.PRIVATE_ADDRESS
    assert not there.asked


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("127.0.0.1", False),
        ("169.254.169.254", False),
        ("10.0.0.8", False),
        ("172.16.0.1", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:169.254.169.254", False),
        ("2002:7f00:1::", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("64:ff9b:1::7f00:1", False),
        ("::7f00:1", False),
        ("64:ff9b::5db8:d822", True),
    ],
)
def test_what_is_public(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize(
    "address", ["ftp://shop.example/", "file:///etc/passwd", "shop.example", "", "https://", "https://a@shop.example/"]
)
def test_only_web_addresses_are_called(address: str) -> None:
    with pytest.raises(ValueError, match="http"):
        WooCommerceRest(address, KEYS)


def test_keys_show_in_no_representation() -> None:
    assert KEYS.key not in repr(KEYS)
    assert KEYS.secret not in repr(KEYS)


def test_the_recorded_answer_of_a_real_shop_is_understood() -> None:
    """The shape of WooCommerce 11.0.1's own 404."""
    headers = {"Content-Type": "application/json; charset=UTF-8", "Allow": "GET, POST"}
    found = trouble(Reply(404, json.dumps(INVALID_ID).encode(), headers))
    assert (found.code, found.reason) == (TroubleCode.GONE, "woocommerce_rest_shop_order_invalid_id")
    assert urlsplit("http://x").scheme == "http"
