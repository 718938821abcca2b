"""A WooCommerce over HTTP that keeps webhooks and coupons, as far as these tests ask: lists, filters, refusals."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from chalicelib.store_adapters.woocommerce_rest import RestKeys, WooCommerceRest
from tests.store_adapters.scripted_shop import Asked, Reply, ScriptedShop, shop

KEYS = RestKeys("ck_" + "1" * 40, "cs_" + "2" * 40)


class SmallShop:
    """`refuse`: the next request for which it is true is answered so; the work is done first if `after`."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[int, dict[str, Any]]] = {"webhooks": {}, "coupons": {}}
        self.secrets: dict[int, str] = {}
        self.next_id = 41
        self.trouble: tuple[str, Reply, bool] | None = None
        self.server: ScriptedShop

    @property
    def asked(self) -> list[str]:
        return [f"{asked.method} {asked.path.rpartition('/wc/v3/')[2]}" for asked in self.server.asked]

    def fail_once(self, method: str, reply: Reply, after: bool = False) -> None:
        self.trouble = (method, reply, after)

    def add(self, kind: str, **record: Any) -> int:
        self.next_id += 1
        self.kept[kind][self.next_id] = {"id": self.next_id, **record}
        return self.next_id

    def answer(self, asked: Asked) -> Reply:
        if self.trouble and self.trouble[0] == asked.method:
            _, reply, after = self.trouble
            self.trouble = None
            if after:
                self._do(asked)
            return reply
        return self._do(asked)

    def _do(self, asked: Asked) -> Reply:
        found = re.fullmatch(r"/wp-json/wc/v3/(webhooks|coupons)(?:/(\d+))?", asked.path)
        if not found or found[1] not in self.kept:
            return Reply.json({"code": "rest_no_route", "message": "No route", "data": {"status": 404}}, 404)
        records, number = self.kept[found[1]], int(found[2] or 0)
        body = json.loads(asked.body) if asked.body else {}
        if asked.method == "GET":
            return self._list(asked, [r for r in records.values() if asked.query.get("code", "") in r.get("code", "")])
        if asked.method == "POST":
            if found[1] == "coupons":
                body["code"] = body["code"].lower()  # as WooCommerce keeps it
                if any(record["code"] == body["code"] for record in records.values()):
                    taken = "woocommerce_rest_coupon_code_already_exists"
                    return Reply.json({"code": taken, "message": "The coupon code already exists"}, 400)
            number = self.add(found[1])
        if number not in records:
            return Reply.json({"code": "woocommerce_rest_invalid_id", "message": "Invalid ID."}, 404)
        if asked.method == "DELETE":
            return Reply.json(records.pop(number))
        if "secret" in body:
            self.secrets[number] = body.pop("secret")  # never shown
        records[number] |= body
        return Reply.json(records[number], 201 if asked.method == "POST" else 200)

    def _list(self, asked: Asked, found: list[dict[str, Any]]) -> Reply:
        size, page = int(asked.query.get("per_page", "10")), int(asked.query.get("page", "1"))
        return Reply.json(found[(page - 1) * size : page * size], X_WP_Total=str(len(found)))


@contextmanager
def small_shop() -> Iterator[tuple[SmallShop, WooCommerceRest]]:
    made = SmallShop()
    with shop(made.answer) as server:
        made.server = server
        client = WooCommerceRest(f"{server.url}/wp-json/", KEYS, private_addresses=True)
        yield made, client
        client.close()
