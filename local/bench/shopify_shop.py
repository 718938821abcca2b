"""A Shopify shop of any size on the loopback: it has orders, and answers their bulk operation with a file.

`python -m local.bench.shopify_shop 1000` makes the file of so many orders, prints the shop's address and ends with its
standard input. The file is written and sent in pieces: the shop's own memory does not grow with it.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import copyfileobj
from typing import Any

LINES = 2  # line items of an order: three objects in the file
_OPENED = datetime(2024, 1, 1, tzinfo=UTC)
_PATH = "/files/orders.jsonl"
Json = dict[str, Any]


def written(orders: int) -> Iterator[bytes]:
    """The file, order by order, each with its line items after it."""
    for number in range(1, orders + 1):
        for told in _told(number):
            yield json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _told(number: int) -> Iterator[Json]:
    placed = f"{_OPENED + timedelta(minutes=5 * number):%Y-%m-%dT%H:%M:%SZ}"
    order, buyer = f"gid://shopify/Order/{number}", number % 1000
    address = {"firstName": "נועה", "lastName": "כהן", "phone": None, "countryCodeV2": "IL"}
    email = {"emailAddress": f"shopper{buyer}@tea.example", "marketingState": "SUBSCRIBED"}
    yield {
        "id": order,
        "name": f"#{number}",
        "number": number,
        "test": False,
        "email": email["emailAddress"],
        "phone": None,
        "currencyCode": "ILS",
        "presentmentCurrencyCode": "ILS",
        "createdAt": placed,
        "processedAt": placed,
        "updatedAt": placed,
        "cancelledAt": None,
        "closedAt": None,
        "displayFinancialStatus": "PAID",
        "displayFulfillmentStatus": "UNFULFILLED",
        "taxesIncluded": True,
        "customerAcceptsMarketing": True,
        "customerLocale": "he-IL",
        "sourceName": "web",
        "cartToken": f"cart{number:028}",
        "checkoutToken": f"checkout{number:024}",
        "discountCodes": [],
        "totalPriceSet": _money("98.00") | {"presentmentMoney": {"amount": "98.00", "currencyCode": "ILS"}},
        "currentTotalPriceSet": _money("98.00"),
        "billingAddress": address,
        "shippingAddress": address,
        "customer": {
            "id": f"gid://shopify/Customer/{buyer + 1}",
            "firstName": "נועה",
            "lastName": "כהן",
            "defaultEmailAddress": email | {"marketingUpdatedAt": placed},
            "defaultPhoneNumber": None,
        },
        "fulfillments": [],
        "refunds": [],
        "transactions": [{"kind": "SALE", "status": "SUCCESS"}],
    }
    for line in range(LINES):
        yield {
            "id": f"gid://shopify/LineItem/{number * LINES + line}",
            "name": "תה ירוק",
            "quantity": 1,
            "sku": f"TEA-{line}",
            "product": {"id": f"gid://shopify/Product/{line + 1}"},
            "variant": {"id": f"gid://shopify/ProductVariant/{line + 11}"},
            "originalUnitPriceSet": _money("49.00"),
            "discountAllocations": [],
            "taxLines": [{"priceSet": _money("7.47")}],
            "__parentId": order,
        }


def _money(amount: str) -> Json:
    return {"shopMoney": {"amount": amount, "currencyCode": "ILS"}}


def serve(orders: int, file: Path) -> ThreadingHTTPServer:
    """Its operations are over when they are first asked after; only that of the orders has found something."""
    with file.open("wb") as out:
        out.writelines(written(orders))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            told = json.dumps({"data": self._answer(asked["query"], asked["variables"])}).encode()
            self._begin(200, len(told))
            self.wfile.write(told)

        def _answer(self, query: str, variables: Json) -> Json:
            if "bulkOperationRunQuery" in query:
                kind = "Order" if re.search(r"\borders\b", variables["query"]) else "None"
                made = {"id": f"gid://shopify/BulkOperation/{kind}", "status": "CREATED"}
                return {"bulkOperationRunQuery": {"bulkOperation": made, "userErrors": []}}
            found = orders if variables["id"].endswith("Order") else 0
            address = f"http://{self.headers['Host']}{_PATH}"
            return {
                "bulkOperation": {
                    "id": variables["id"],
                    "status": "COMPLETED",
                    "objectCount": str(found * (1 + LINES)),
                    "rootObjectCount": str(found),
                    "fileSize": str(file.stat().st_size) if found else None,
                    "url": address if found else None,
                }
            }

        def do_GET(self) -> None:
            size = file.stat().st_size
            given = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
            start = int(given[1]) if given else 0
            span = {"Content-Range": f"bytes {start}-{size - 1}/{size}"} if given else {}
            self._begin(206 if given else 200, size - start, span)
            with file.open("rb") as content:
                content.seek(start)
                try:
                    copyfileobj(content, self.wfile)
                except OSError:  # the client has read enough
                    self.close_connection = True

        def _begin(self, status: int, length: int, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in {**(headers or {}), "Content-Length": str(length)}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="agala-bench-") as folder:
        server = serve(int(sys.argv[1]), Path(folder) / "orders.jsonl")
        print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
        sys.stdin.read()
        server.shutdown()


if __name__ == "__main__":
    main()
