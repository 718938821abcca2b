"""A WooCommerce shop asked for all it has: pages of its REST API in our words, in the order of ids.

**None is skipped while the shop goes on living.** Ids only grow, and a page begins with the last record of the page
before (`offset` one back). If it is not there, records before it were deleted and those we have not seen moved up: the
page is looked for further back, until the last one seen or an older one shows. What was seen is known by its id. A
record that comes while we read has a higher id and stands at the end; one that changes after it was read, or comes back
out of the bin behind us, is told by a webhook, or found by the next look (`modified_after`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from chalicelib.commerce.change import Change
from chalicelib.commerce.store import Store
from chalicelib.commerce.trouble import ShopTrouble, TroubleCode
from chalicelib.store_adapters.base import Unintelligible
from chalicelib.store_adapters.woocommerce import read_record
from chalicelib.store_adapters.woocommerce_rest import WooCommerceRest
from chalicelib.sync.ports import Cursor, Pulled, ShopPage

_KINDS: dict[str, tuple[str, dict[str, str]]] = {
    "products": ("product", {"status": "any"}),
    "customers": ("customer", {}),
    "orders": ("order", {"status": "any"}),
}
_WITHOUT_TIMES = ("customers",)  # WooCommerce cannot list customers by when they changed


@dataclass(frozen=True)
class _List:
    """What of one list was read. `last`: the highest id seen, None where the shop does not keep to the order of ids."""

    fresh: list[Any]
    last: int | None
    offset: int
    total: int | None
    over: bool


class WooCommerceHistory:
    """`webhooks` puts the shop's webhooks in order and returns how many were not."""

    def __init__(self, rest: WooCommerceRest, store: Store, webhooks: Callable[[], int]) -> None:
        self._rest, self._store, self._webhooks = rest, store, webhooks
        self.notices: tuple[str, ...] = ()

    def mend_webhooks(self) -> int:
        return self._webhooks()

    def page(self, kind: str, cursor: Cursor, since: datetime | None, size: int) -> ShopPage:
        """`cursor`: {last, offset} of the list, and {variable, within} while variations are read."""
        if waiting := cursor.get("variable"):
            return self._variations(cursor, list(waiting), size)
        noun, asked = _KINDS[kind]
        params: dict[str, str | int] = dict(asked)
        if since is not None and kind not in _WITHOUT_TIMES:
            moment = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
            params |= {"modified_after": moment, "dates_are_gmt": "true"}
        found = self._list(kind, params, cursor, size)
        after: dict[str, Any] = {"last": found.last, "offset": found.offset, "over": found.over}
        variable = [item for item in found.fresh if kind == "products" and _is_variable(item)]
        after |= {"variable": [[item["id"], str(item.get("name") or "")[:200]] for item in variable]}
        records = [self._read(noun, item) for item in found.fresh]
        return ShopPage(records, len(records), found.total, after, found.over and not variable)

    def close(self) -> None:
        self._rest.close()

    def _variations(self, cursor: Cursor, waiting: list[Any], size: int) -> ShopPage:
        """The next variations of the first product that waits for its own to be read."""
        parent, name = waiting[0]
        within = cursor.get("within") or {}
        try:
            found = self._list(f"products/{parent}/variations", {"status": "any"}, within, size)
        except ShopTrouble as trouble:
            if trouble.code is not TroubleCode.GONE:
                raise
            found = _List([], None, 0, None, over=True)  # the product was deleted meanwhile
        records = [self._read("product", _with_parent(item, parent, name)) for item in found.fresh]
        within = {} if found.over else {"last": found.last, "offset": found.offset}
        left = waiting[1:] if found.over else waiting
        after = {**cursor, "variable": left, "within": within}
        return ShopPage(records, 0, None, after, bool(cursor.get("over")) and not left)

    def _list(self, path: str, params: Mapping[str, str | int], cursor: Mapping[str, Any], size: int) -> _List:
        last, seen = cursor.get("last"), int(cursor.get("offset") or 0)
        start = max(0, seen - 1) if last is not None else seen
        asked = {"orderby": "id", "order": "asc", "per_page": size, **params}
        while True:
            page = self._rest.get(path, {**asked, "offset": start})
            ids = [_id(item) for item in page.items]
            moved_up = last is not None and start > 0 and (not ids or (ids[0] or 0) > last)
            if not moved_up:
                break
            start = max(0, start - size + 1)
        end = start + len(page.items)
        over = not page.items or (end >= page.total if page.total is not None else len(page.items) < size)
        known = [one for one in ids if one is not None]
        if len(known) < len(ids) or known != sorted(known):
            return _List(page.items, None, end, page.total, over)
        fresh = [item for item, one in zip(page.items, known, strict=True) if last is None or one > last]
        return _List(fresh, known[-1] if known else last, end, page.total, over)

    def _read(self, noun: str, item: Any) -> Pulled:
        try:
            changes: list[Change] = read_record(noun, item, self._store)
        except Unintelligible as mistake:
            return Pulled(mistake=re.sub(r"\[\d+\]", "[]", str(mistake)))
        return Pulled(changes)


def _id(item: Any) -> int | None:
    found = item.get("id") if isinstance(item, dict) else None
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _is_variable(item: Any) -> bool:
    return isinstance(item, dict) and _id(item) is not None and "variable" in str(item.get("type"))


def _with_parent(item: Any, parent: int, name: str) -> Any:
    """A variation as its own webhook tells it: listed under its product it has only what tells it from the others."""
    if not isinstance(item, dict):
        return item
    own = str(item.get("name") or "")
    return {**item, "parent_id": parent, "name": f"{name} - {own}" if own else name}
