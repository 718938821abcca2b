"""A WooCommerce shop of any size on the loopback: its REST API over records that are made when they are asked for.

`python -m local.bench.shop 100000` serves one with so many orders, prints its address and ends with its standard input.
Tests break it on purpose (`mood`), and delete, add and change what it has while it is read.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from local.demo.shop import CATALOGUE, CUP, GREEN, HONEY, Shopper
from local.demo.woocommerce import CustomerAccount, Purchase, product_told

KEY, SECRET = "ck_" + "0" * 40, "cs_" + "0" * 40
OPENED = datetime(2024, 1, 1, tzinfo=UTC)
FIRST_ORDER, FIRST_CUSTOMER, VARIABLE, FIRST_VARIATION = 1001, 501, 150, 151
_ORDERS_OF_ONE = 4  # of a shopper, on average
_WARES = ((GREEN, 2), (CUP, 1)), ((HONEY, 1),), ((GREEN, 1), (HONEY, 3))
Json = dict[str, Any]


@dataclass(frozen=True)
class _Buyer(Shopper):
    """One of very many: the range of telephone numbers kept for fiction has not enough of them."""

    @property
    def phone(self) -> str:
        return ""

    @property
    def customer_id(self) -> int:
        return FIRST_CUSTOMER + self.number


@dataclass
class Shelf:
    """Records of one kind, by id: a range made by `make`, without the `gone`, with those that were `put`."""

    first: int
    count: int
    make: Callable[[int], Json]
    gone: set[int] = field(default_factory=set)
    put: dict[int, Json] = field(default_factory=dict)

    def ids(self) -> Any:
        known = range(self.first, self.first + self.count)
        return sorted({*known, *self.put} - self.gone) if self.gone or self.put else known

    def get(self, number: int) -> Json | None:
        if number in self.gone or (number not in self.put and not self.first <= number < self.first + self.count):
            return None
        return self.put.get(number) or self.make(number)


@dataclass
class Mood:
    """How the shop answers. `status` with `headers` and `body` instead of what was asked; `hang` until it closes;
    `slow` seconds before each answer; `only` concerns just paths that end so; `times` so often, then it is well."""

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    hang: bool = False
    slow: float = 0.0
    only: str = ""
    times: int | None = None


class FakeShop:
    """`url` is its address, `asked` counts its requests. `days`: over how many its orders are spread, up to `until`."""

    def __init__(self, orders: int = 0, until: datetime = OPENED + timedelta(days=365), days: int = 365) -> None:
        self.until, self._spread = until, timedelta(days=days) / max(1, orders)
        self._orders_made = orders
        self.shelves = {
            "orders": Shelf(FIRST_ORDER, orders, self.order),
            "customers": Shelf(FIRST_CUSTOMER + 1, orders // _ORDERS_OF_ONE // 2, self._customer),
            "products": Shelf(VARIABLE, 1, self._variable),
            "webhooks": Shelf(1, 0, lambda number: {"id": number}),
            f"products/{VARIABLE}/variations": Shelf(FIRST_VARIATION, 3, self._variation),
        }
        self.shelves["products"].put = {ware.id: product_told(ware, OPENED, "") for ware in CATALOGUE}
        self.mood = Mood()
        self.asked: list[str] = []
        self.before_answer: Callable[[str, dict[str, str]], None] | None = None
        self._closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.rest_url = f"{self.url}/wp-json/"

    def serve(self) -> FakeShop:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def close(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def placed(self, number: int) -> datetime:
        later = self._orders_made - (number - FIRST_ORDER)
        return (self.until - self._spread * later).replace(microsecond=0)

    def order(self, number: int, **told: Any) -> Json:
        """Paid at once. `told` replaces what the order says."""
        place = number - FIRST_ORDER
        people = max(1, self._orders_made // _ORDERS_OF_ONE)
        buyer = _Buyer(place * 7 % people + 1, "נועה", "כהן")
        placed = self.placed(number)
        account = buyer.number <= people // 2
        bought = Purchase(number, buyer, _WARES[place % len(_WARES)], placed, consent="subscribed", guest=not account)
        return bought.told("completed", placed, paid=placed, completed=placed) | told

    def _customer(self, number: int) -> Json:
        return CustomerAccount(_Buyer(number - FIRST_CUSTOMER, "נועה", "כהן"), OPENED).told(OPENED)

    def _variable(self, number: int) -> Json:
        return product_told(CUP, OPENED, "") | {"id": number, "type": "variable", "name": "כוס בצבעים"}

    def _variation(self, number: int) -> Json:
        told = product_told(CUP, OPENED, "") | {"id": number, "type": "variation", "name": f"צבע {number}"}
        for name in ("images", "categories"):
            del told[name]
        return told | {"image": {"id": number, "src": f"https://tea.example/{number}.png"}}

    def _answer(self, method: str, path: str, query: dict[str, str], body: Json) -> tuple[int, Any, dict[str, str]]:
        if query.get("oauth_consumer_key") != KEY:
            return 401, {"code": "woocommerce_rest_authentication_error", "data": {"status": 401}}, {}
        if shelf := self.shelves.get(path):
            return self._made(shelf, body) if method == "POST" else self._page(shelf, query)
        place, _, last = path.rpartition("/")
        owner = self.shelves.get(place)
        if owner is None or not last.isdigit():
            return 404, {"code": "rest_no_route", "data": {"status": 404}}, {}
        number = int(last)
        known = owner.get(number)
        if known is None:
            return 404, {"code": "woocommerce_rest_invalid_id", "data": {"status": 404}}, {}
        if method == "PUT":
            owner.put[number] = known = known | body
        if method == "DELETE":
            owner.gone.add(number)
        return 200, known, {}

    def _made(self, shelf: Shelf, body: Json) -> tuple[int, Any, dict[str, str]]:
        number = max([*shelf.ids(), 0]) + 1
        shelf.put[number] = {"id": number, **body}
        return 201, shelf.put[number], {}

    def _page(self, shelf: Shelf, query: dict[str, str]) -> tuple[int, Any, dict[str, str]]:
        ids = shelf.ids()
        if after := query.get("modified_after"):
            ids = [one for one in ids if ((shelf.get(one) or {}).get("date_modified_gmt") or "") > after]
        size = int(query.get("per_page", "10"))
        start = int(query.get("offset") or (int(query.get("page", "1")) - 1) * size)
        ordered = ids if query.get("order") == "asc" else ids[::-1]
        found = [shelf.get(one) for one in ordered[start : start + size]]
        return 200, found, {"X-WP-Total": str(len(ids)), "X-WP-TotalPages": str(-(-len(ids) // size))}

    def _in_a_mood(self, path: str) -> Mood | None:
        mood = self.mood
        if not path.endswith(mood.only) or mood.times == 0:
            return None
        if mood.times is not None:
            mood.times -= 1
        return mood

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        shop = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                parts = urlsplit(self.path)
                query = dict(parse_qsl(parts.query))
                path = parts.path.removeprefix("/wp-json/wc/v3/").strip("/")
                sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                shop.asked.append(f"{self.command} {path}")
                mood = shop._in_a_mood(path)
                if mood and (mood.hang or mood.slow):
                    shop._closing.wait(60 if mood.hang else mood.slow)
                if mood and mood.status is not None:
                    self.send(mood.status, mood.body, mood.headers)
                    return
                if shop.before_answer:
                    shop.before_answer(path, query)
                status, told, headers = shop._answer(self.command, path, query, json.loads(sent or b"{}"))
                self.send(status, json.dumps(told).encode(), {"Content-Type": "application/json", **headers})

            do_GET = do_POST = do_PUT = do_DELETE = answer

            def send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


def main() -> None:
    shop = FakeShop(int(sys.argv[1])).serve()
    print(shop.rest_url, flush=True)
    sys.stdin.read()
    shop.close()


if __name__ == "__main__":
    main()
