from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.commerce.trouble import ShopTrouble, TroubleCode
from chalicelib.store_adapters import shop_http, shopify_admin, shopify_documents
from chalicelib.store_adapters.shopify_admin import API_VERSION, DEPRECATED, OTHER_VERSION, ShopifyAdmin
from tests.conftest import HandClock
from tests.shopify.fake import FakeShopify
from tests.store_adapters.scripted_shop import Asked, Reply, shop

TOKEN = "shpat_0123456789abcdef"
RENEWED = "shpat_fedcba9876543210"
FINE = {"data": {"shop": {"name": "Tea"}}}
DOCUMENTS = {
    "name": "query Name { shop { name } }",
    "teas": "query Teas($first: Int!) { products(first: $first) { nodes { id title } } }",
    "other": "query Other { shop { id } }",
}

Answers = Callable[[Asked], Reply]


class Keys:
    """Gives the next token each time it is asked to renew."""

    def __init__(self, *tokens: str) -> None:
        self._tokens = list(tokens or (TOKEN,))
        self.renewals = 0

    def access_token(self, renew: bool = False) -> str:
        if renew:
            self.renewals += 1
            if len(self._tokens) == 1:
                raise ShopTrouble(TroubleCode.KEY_REFUSED)
            self._tokens.pop(0)
        return self._tokens[0]


class Ticks:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture(autouse=True)
def _documents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, text in DOCUMENTS.items():
        (tmp_path / f"{name}.graphql").write_text(text)
    monkeypatch.setattr(shopify_documents, "FOLDER", tmp_path)
    shopify_documents.text.cache_clear()
    yield
    shopify_documents.text.cache_clear()


def client(url: str, *tokens: str, **more: Any) -> ShopifyAdmin:
    return ShopifyAdmin(f"{url}/tea.myshopify.com", Keys(*tokens), private_addresses=True, **more)


def trouble(reply: Reply | Answers, *tokens: str) -> ShopTrouble:
    answers = reply if callable(reply) else lambda _: reply
    with shop(answers) as there, pytest.raises(ShopTrouble) as raised:
        client(there.url, *tokens).ask("name")
    assert TOKEN not in repr(raised.value)
    assert there.url not in str(raised.value)
    assert raised.value.__cause__ is None
    return raised.value


def errors(*codes: str | None, **more: Any) -> Reply:
    told = [{"message": "secret words", "extensions": {"code": code}} for code in codes]
    return Reply.json({"errors": told, **more})


def cost(asked: int, left: float, restore: float = 100.0) -> dict[str, Any]:
    status = {"maximumAvailable": 2000.0, "currentlyAvailable": left, "restoreRate": restore}
    return {"cost": {"requestedQueryCost": asked, "actualQueryCost": asked, "throttleStatus": status}}


def test_a_document_is_asked_with_its_variables_and_the_token() -> None:
    with shop(lambda _: Reply.json(FINE)) as there:
        assert client(there.url).ask("teas", {"first": 3}) == FINE["data"]
    [asked] = there.asked
    assert (asked.method, asked.path) == ("POST", f"/tea.myshopify.com/admin/api/{API_VERSION}/graphql.json")
    assert asked.headers["x-shopify-access-token"] == TOKEN
    assert json.loads(asked.body) == {"query": DOCUMENTS["teas"], "variables": {"first": 3}}


def test_a_document_that_is_not_there_is_a_mistake_of_ours() -> None:
    with pytest.raises(FileNotFoundError):
        client("http://127.0.0.1:1").text("nothing")


def test_numbers_of_any_size_stay_as_they_are() -> None:
    body = b'{"data": {"shop": {"id": 9007199254740993, "price": null}}}'
    with shop(lambda _: Reply(200, body)) as there:
        assert client(there.url).ask("name") == {"shop": {"id": 9007199254740993, "price": None}}


# --- the token ------------------------------------------------------------------------------------------------------


def test_a_token_that_ended_is_renewed_once() -> None:
    def answer(asked: Asked) -> Reply:
        fine = asked.headers["x-shopify-access-token"] == RENEWED
        return Reply.json(FINE) if fine else Reply.json({"errors": "[API] Invalid API key"}, 401)

    with shop(answer) as there:
        admin = client(there.url, TOKEN, RENEWED)
        assert admin.ask("name") == FINE["data"]
        assert admin.ask("name") == FINE["data"]
    assert [asked.headers["x-shopify-access-token"] for asked in there.asked] == [TOKEN, RENEWED, RENEWED]


def test_a_renewed_token_that_is_refused_too_ends_it() -> None:
    seen: list[str] = []

    def answer(asked: Asked) -> Reply:
        seen.append(asked.headers["x-shopify-access-token"])
        return Reply(401, b"")

    found = trouble(answer, TOKEN, RENEWED, "a third one")
    assert (found.code, found.status) == (TroubleCode.KEY_REFUSED, 401)
    assert seen == [TOKEN, RENEWED]


def test_a_pasted_token_cannot_be_renewed() -> None:
    assert trouble(Reply(401, b"")).code is TroubleCode.KEY_REFUSED


@pytest.mark.parametrize("token", ["", "two\r\nlines: 1", "ключ"])
def test_a_token_that_cannot_be_one_is_not_sent(token: str) -> None:
    with shop(lambda _: Reply.json(FINE)) as there, pytest.raises(ShopTrouble) as raised:
        client(there.url, token).ask("name")
    assert raised.value.code is TroubleCode.KEY_REFUSED
    assert not there.asked


def test_the_token_goes_to_no_other_host() -> None:
    with shop(lambda _: Reply.json(FINE)) as other:
        for status in (301, 302, 303, 307, 308):
            found = trouble(Reply(status, b"", {"Location": f"{other.url}/admin/api/{API_VERSION}/graphql.json"}))
            assert found.code is TroubleCode.MOVED
    assert not other.asked


def test_neither_token_nor_address_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    headers = {"X-Shopify-API-Deprecated-Reason": f"https://shopify.dev/{TOKEN}"}
    trouble(Reply(500, b"", headers))
    trouble(Reply(200, b"{", {}, cut=1))
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("chalicelib")]
    assert ours == [DEPRECATED]
    assert read(ranged) == LINES
    assert TOKEN not in caplog.text
    assert "s3cret" not in caplog.text, "whoever has a file's address can read it"


# --- what may come instead of an answer -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "lasting"),
    [
        (400, TroubleCode.REFUSED, True),
        (402, TroubleCode.SHOP_CLOSED, True),
        (403, TroubleCode.NOT_ALLOWED, True),
        (404, TroubleCode.UNKNOWN_SHOP, True),
        (408, TroubleCode.NO_ANSWER, False),
        (423, TroubleCode.SHOP_CLOSED, True),
        (429, TroubleCode.SLOW_DOWN, False),
        (430, TroubleCode.SLOW_DOWN, False),
        (500, TroubleCode.FAILING, False),
        (503, TroubleCode.FAILING, False),
    ],
)
def test_a_status_has_a_meaning(status: int, code: TroubleCode, lasting: bool) -> None:
    found = trouble(Reply.json({"errors": "Not what you hoped"}, status))
    assert (found.code, found.lasting, found.status) == (code, lasting, status)
    assert "hoped" not in found.words


def test_how_long_to_wait_is_in_the_answers_head() -> None:
    assert trouble(Reply(429, b"", {"Retry-After": "2.0"})).retry_after == timedelta(seconds=2)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"<!DOCTYPE html><title>Tea</title>", TroubleCode.WEB_PAGE),
        (b'{"data": {"shop"', TroubleCode.BROKEN_ANSWER),
        (b"", TroubleCode.BROKEN_ANSWER),
        (b"[]", TroubleCode.BROKEN_ANSWER),
        (b"null", TroubleCode.BROKEN_ANSWER),
        (b"{}", TroubleCode.BROKEN_ANSWER),
        (b'{"data": null}', TroubleCode.BROKEN_ANSWER),
        (b'{"data": []}', TroubleCode.BROKEN_ANSWER),
        (b'{"data": null, "errors": []}', TroubleCode.BROKEN_ANSWER),
        (b'{"data": {"a": NaN}}', TroubleCode.BROKEN_ANSWER),
        (b"[" * 100_000, TroubleCode.BROKEN_ANSWER),
        (b'{"errors": "Not Found"}', TroubleCode.REFUSED),
        (b'{"errors": [null, 7, {"extensions": []}, {"extensions": {"code": ["x"]}}]}', TroubleCode.REFUSED),
        (b'{"errors": {"query": "Required parameter missing"}}', TroubleCode.REFUSED),
    ],
)
def test_an_answer_that_is_none(body: bytes, code: TroubleCode) -> None:
    assert trouble(Reply(200, body)).code is code


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("ACCESS_DENIED", TroubleCode.NOT_ALLOWED),
        ("MAX_COST_EXCEEDED", TroubleCode.TOO_MUCH),
        ("INTERNAL_SERVER_ERROR", TroubleCode.FAILING),
        ("SHOP_INACTIVE", TroubleCode.SHOP_CLOSED),
        ("TIMEOUT", TroubleCode.NO_ANSWER),
        ("THROTTLED", TroubleCode.SLOW_DOWN),
        ("undefinedField", TroubleCode.REFUSED),
        ("with <b>markup</b>", TroubleCode.REFUSED),
        (None, TroubleCode.REFUSED),
    ],
)
def test_an_error_in_the_answer_has_a_meaning(code: str | None, expected: TroubleCode) -> None:
    found = trouble(errors(code))
    assert found.code is expected
    assert found.reason == (code if code and "<" not in code else None)
    assert "secret" not in str(found)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["data", "errors", "extensions", "code", "cost", "throttleStatus", "requestedQueryCost", "restoreRate"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=50, deadline=None)
@given(_JSON)
def test_whatever_the_answer_it_is_data_or_trouble(told: Any) -> None:
    admin = client("http://127.0.0.1:1")
    for _ in range(2):
        with contextlib.suppress(ShopTrouble):
            assert isinstance(admin._data("name", told), dict)


def test_an_answer_of_which_a_part_failed_is_none() -> None:
    """What could not be read would look like what is not there."""
    told = errors("undefinedField", "ACCESS_DENIED", data={"shop": {"name": "Tea", "email": None}})
    found = trouble(told)
    assert (found.code, found.reason) == (TroubleCode.NOT_ALLOWED, "ACCESS_DENIED")


def test_an_answer_that_breaks_off_or_never_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shop_http, "READ_SECONDS", 0.2)
    assert trouble(Reply(200, json.dumps(FINE).encode(), cut=5)).code is TroubleCode.BROKEN_ANSWER
    assert trouble(Reply(hangs=True)).code is TroubleCode.NO_ANSWER


def test_an_answer_without_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shop_http, "LARGEST", 100_000)
    assert trouble(Reply(200, b'{"data": "' + b"x" * 200_000 + b'"}')).code is TroubleCode.TOO_LARGE


def test_a_private_address_is_not_spoken_to() -> None:
    with shop(lambda _: Reply.json(FINE)) as there, pytest.raises(ShopTrouble) as raised:
        ShopifyAdmin(f"{there.url}/tea.myshopify.com", Keys()).ask("name")
    assert raised.value.code is TroubleCode.PRIVATE_ADDRESS
    assert not there.asked


def test_only_web_addresses_are_called() -> None:
    for address in ("tea.myshopify.com", "ftp://tea.myshopify.com", "https://evil@tea.myshopify.com"):
        with pytest.raises(ValueError, match="http"):
            ShopifyAdmin(address, Keys())


# --- points ---------------------------------------------------------------------------------------------------------


def test_refused_for_its_cost_a_query_says_when_there_will_be_enough() -> None:
    assert trouble(errors("THROTTLED", extensions=cost(300, 45))).retry_after == timedelta(seconds=3)
    assert trouble(errors("THROTTLED", extensions=cost(5000, 0))).retry_after == timedelta(seconds=20)
    assert trouble(errors("THROTTLED", extensions=cost(300, 45, restore=0))).retry_after is None
    assert trouble(errors("THROTTLED")).retry_after is None


def test_while_too_little_is_left_the_shop_is_not_asked() -> None:
    ticks = Ticks()
    with shop(lambda _: Reply.json({**FINE, "extensions": cost(300, 50)})) as there:
        admin = client(there.url, monotonic=ticks)
        admin.ask("name")
        with pytest.raises(ShopTrouble) as raised:
            admin.ask("name")
        assert (raised.value.code, raised.value.retry_after) == (TroubleCode.SLOW_DOWN, timedelta(seconds=3))
        assert len(there.asked) == 1
        admin.ask("other")  # its cost is not known
        ticks.seconds += 2.4
        with pytest.raises(ShopTrouble):
            admin.ask("name")
        ticks.seconds += 0.1
        admin.ask("name")
    assert len(there.asked) == 3


@pytest.mark.parametrize(
    "extensions",
    [None, [], {"cost": None}, {"cost": {"requestedQueryCost": "9", "throttleStatus": []}}, cost(-5, 3), cost(9, -1)],
)
def test_what_is_said_of_the_cost_may_be_nonsense(extensions: Any) -> None:
    with shop(lambda _: Reply.json({**FINE, "extensions": extensions})) as there:
        admin = client(there.url)
        for _ in range(2):
            assert admin.ask("name") == FINE["data"]


# --- versions -------------------------------------------------------------------------------------------------------


def test_an_old_version_is_a_notice_and_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    headers = {"X-Shopify-API-Deprecated-Reason": "https://shopify.dev/x", "X-Shopify-API-Version": "2026-10"}
    with shop(lambda _: Reply(200, json.dumps(FINE).encode(), headers)) as there:
        admin = client(there.url)
        for _ in range(3):
            assert admin.ask("name") == FINE["data"]
    assert admin.notices == {DEPRECATED, OTHER_VERSION}
    assert [record.getMessage() for record in caplog.records] == [DEPRECATED, OTHER_VERSION]


def test_the_version_that_was_asked_is_no_notice() -> None:
    with shop(lambda _: Reply(200, json.dumps(FINE).encode(), {"X-Shopify-API-Version": API_VERSION})) as there:
        admin = client(there.url)
        admin.ask("name")
    assert not admin.notices


# --- files ----------------------------------------------------------------------------------------------------------

LINES = [b'{"id":"gid://shopify/Product/%d"}\n' % number for number in range(1, 6)]
FILE = b"".join(LINES)


def ranged(asked: Asked, content: bytes = FILE, cut: int = 0) -> Reply:
    start = int(asked.headers.get("range", "bytes=0-")[6:-1])
    if "range" not in asked.headers:
        return Reply(200, content, cut=cut)
    if start >= len(content):
        return Reply(416, b"", {"Content-Range": f"bytes */{len(content)}"})
    return Reply(206, content[start:], {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}, cut)


def read(answer: Answers, start: int = 0) -> list[bytes]:
    with shop(answer) as there:
        found = list(client(there.url).lines(f"{there.url}/files/1.jsonl?signature=s3cret", start))
    for asked in there.asked:
        assert "x-shopify-access-token" not in asked.headers
        assert asked.headers["accept-encoding"] == "identity", "a range of what is packed is no range of the lines"
    return found


def file_trouble(answer: Answers, start: int = 0) -> tuple[ShopTrouble, list[bytes]]:
    got: list[bytes] = []
    with shop(answer) as there, pytest.raises(ShopTrouble) as raised:
        for line in client(there.url).lines(f"{there.url}/files/1.jsonl?signature=s3cret", start):
            got.append(line)
    assert "s3cret" not in repr(raised.value)
    assert there.url not in str(raised.value)
    return raised.value, got


def test_a_file_is_read_line_by_line_without_the_token() -> None:
    assert read(ranged) == LINES


def test_a_file_is_read_on_from_any_line() -> None:
    for done in range(len(LINES) + 1):
        assert read(ranged, len(b"".join(LINES[:done]))) == LINES[done:]


def test_a_store_of_files_without_ranges_sends_all_of_it() -> None:
    for done in range(len(LINES) + 1):
        assert read(lambda _: Reply(200, FILE), len(b"".join(LINES[:done]))) == LINES[done:]


def test_a_line_longer_than_a_piece_is_whole() -> None:
    content = b'{"text":"' + b"x" * 300_000 + b'"}\n' + LINES[0]
    assert read(lambda asked: ranged(asked, content)) == [content[: -len(LINES[0])], LINES[0]]


def test_the_last_line_may_lack_its_end() -> None:
    assert read(lambda asked: ranged(asked, FILE[:-1])) == [*LINES[:-1], LINES[-1][:-1]]


def test_a_file_that_breaks_off_is_read_on_from_where_it_did() -> None:
    content = b"".join(b'{"id":%d}\n' % number for number in range(20_000))
    found, got = file_trouble(lambda asked: ranged(asked, content, cut=20_007))
    assert found.code is TroubleCode.BROKEN_ANSWER
    start = len(b"".join(got))
    assert 0 < start < len(content) - 20_007
    assert got + read(lambda asked: ranged(asked, content), start) == content.splitlines(keepends=True)


def test_a_last_line_that_is_not_whole_is_no_line() -> None:
    found, got = file_trouble(lambda _: Reply(200, FILE[:-5]))
    assert (found.code, got) == (TroubleCode.BROKEN_ANSWER, LINES[:-1])


@pytest.mark.parametrize("status", [400, 403, 404, 410])
def test_an_address_that_has_run_out_is_gone(status: int) -> None:
    found, _ = file_trouble(lambda _: Reply(status, b"<Error><Code>ExpiredToken</Code></Error>"))
    assert found.code is TroubleCode.GONE


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(500, b""), TroubleCode.FAILING),
        (Reply(429, b"", {"Retry-After": "7"}), TroubleCode.SLOW_DOWN),
        (Reply(302, b"", {"Location": "https://evil.example/"}), TroubleCode.MOVED),
        (Reply(206, FILE, {"Content-Range": "bytes 0-9/10"}), TroubleCode.BROKEN_ANSWER),
        (Reply(206, FILE), TroubleCode.BROKEN_ANSWER),
        (Reply(206, FILE, {"Content-Range": "bytes */10"}), TroubleCode.BROKEN_ANSWER),
        (Reply(416, b"", {"Content-Range": "bytes */3"}), TroubleCode.BROKEN_ANSWER),
        (Reply(416, b""), TroubleCode.BROKEN_ANSWER),
        (Reply(200, b"short"), TroubleCode.BROKEN_ANSWER),
    ],
)
def test_what_is_not_the_rest_of_the_file_is_not_taken_for_it(reply: Reply, code: TroubleCode) -> None:
    found, got = file_trouble(lambda _: reply, start=20)
    assert (found.code, got) == (code, [])


def test_a_line_without_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shopify_admin, "LARGEST", 100_000)
    found, _ = file_trouble(lambda _: Reply(200, b"x" * 400_000))
    assert found.code is TroubleCode.TOO_LARGE


@pytest.mark.parametrize(
    "url", ["http://storage.example/1.jsonl", "file:///etc/passwd", "ftp://a.example/", "https://[bad", "", "/1.jsonl"]
)
def test_a_file_is_read_over_https_only(url: str) -> None:
    with shop(lambda _: Reply(200, FILE)) as there, pytest.raises(ShopTrouble) as raised:
        next(client(there.url).lines(url))
    assert raised.value.code is TroubleCode.REFUSED
    assert not there.asked


# --- with the fake shop, which executes what it is asked ------------------------------------------------------------


class Given:
    def __init__(self, token: str) -> None:
        self._token = token

    def access_token(self, renew: bool = False) -> str:
        if renew:
            raise ShopTrouble(TroubleCode.KEY_REFUSED)
        return self._token


def test_the_fake_shop_understands_the_client(shopify: FakeShopify, clock: HandClock) -> None:
    there = shopify.shop("tea.myshopify.com")
    there.products += [{"id": f"gid://shopify/Product/{2**53 + number}", "title": "Tea"} for number in range(3)]
    admin = ShopifyAdmin(shopify.address(there.domain), Given(there.token), private_addresses=True)
    nodes = admin.ask("teas", {"first": 2})["products"]["nodes"]
    assert [node["id"] for node in nodes] == [
        "gid://shopify/Product/9007199254740992",
        "gid://shopify/Product/9007199254740993",
    ]
    there.bucket.available = 1
    with pytest.raises(ShopTrouble) as raised:
        admin.ask("teas", {"first": 2})
    assert (raised.value.code, raised.value.retry_after) == (TroubleCode.SLOW_DOWN, timedelta(seconds=1))
    other = shopify.shop("coffee.myshopify.com")
    with pytest.raises(ShopTrouble) as raised:
        ShopifyAdmin(shopify.address(other.domain), Given(there.token), private_addresses=True).ask("name")
    assert raised.value.code is TroubleCode.KEY_REFUSED
    admin.close()
