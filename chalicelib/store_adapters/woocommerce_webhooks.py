"""The webhooks that a WooCommerce shop keeps for us: registered, and put right again, over its REST API.

WooCommerce switches a webhook off after more than five failures in a row (its docs, "Webhooks"), and an owner may
delete one. Its API never shows a secret, so the present one is written every time: whoever asks again harms nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from chalicelib.commerce.store import Store
from chalicelib.commerce.trouble import ShopTrouble, TroubleCode
from chalicelib.store_adapters.woocommerce_rest import Page, Params

TOPICS = (
    "order.created",
    "order.updated",
    "order.deleted",
    "order.restored",
    "customer.created",
    "customer.updated",
    "customer.deleted",
    "product.created",
    "product.updated",
    "product.deleted",
    "product.restored",
)
_NAMES = {topic: f"Agala: {topic}" for topic in TOPICS}
_A_PAGE = 100


class Client(Protocol):
    """What is used of `WooCommerceRest`; each raises `ShopTrouble`."""

    def get(self, path: str, params: Params | None = None) -> Page: ...

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]: ...

    def put(self, path: str, body: dict[str, Any]) -> dict[str, Any]: ...

    def delete(self, path: str, params: Params | None = None) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Mended:
    """What was not as it should be, by topic: `made` were missing, `enabled` were switched off; `removed` were ours and
    too many, or led to an older address of ours."""

    made: tuple[str, ...] = ()
    enabled: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        return len(self.made) + len(self.enabled) + len(self.removed)


def register(client: Client, store: Store, secret: str, webhook_url: str) -> Mended:
    """Afterwards each topic has exactly one webhook of ours: active, to `webhook_url`, signed with `secret`.

    Those that are not ours stay untouched. Repeating is safe at any point. Raises `ShopTrouble`, and `ValueError` for
    an address that is not this store's.
    """
    if not webhook_url.endswith(f"/{store.id}"):
        raise ValueError("the webhook address is another store's")
    ours = [webhook for webhook in _all(client) if _is_ours(webhook, webhook_url)]
    made, enabled, kept = [], [], set()
    for topic in TOPICS:
        body = {
            "name": _NAMES[topic],
            "topic": topic,
            "delivery_url": webhook_url,
            "secret": secret,
            "status": "active",
        }
        present = _best(ours, topic, webhook_url)
        if present is None:
            client.post("webhooks", body)
            made.append(topic)
            continue
        client.put(f"webhooks/{_id(present)}", body)
        kept.add(_id(present))
        if present.get("status") != "active":
            enabled.append(topic)
    surplus = [webhook for webhook in ours if _id(webhook) not in kept]
    for webhook in surplus:
        _delete(client, _id(webhook))
    return Mended(tuple(made), tuple(enabled), tuple(str(webhook.get("topic")) for webhook in surplus))


def _delete(client: Client, webhook_id: int) -> None:
    try:
        client.delete(f"webhooks/{webhook_id}", {"force": True})
    except ShopTrouble as trouble:
        if trouble.code is not TroubleCode.GONE:
            raise


def _all(client: Client) -> Iterator[dict[str, Any]]:
    page = 1
    while True:
        found = client.get("webhooks", {"per_page": _A_PAGE, "page": page, "orderby": "id", "order": "asc"})
        yield from (webhook for webhook in found.items if isinstance(webhook, dict) and _id(webhook) > 0)
        if len(found.items) < _A_PAGE:
            return
        page += 1


def _is_ours(webhook: dict[str, Any], webhook_url: str) -> bool:
    return webhook.get("name") in _NAMES.values() or webhook.get("delivery_url") == webhook_url


def _best(ours: list[dict[str, Any]], topic: str, webhook_url: str) -> dict[str, Any] | None:
    """Of several an active one, for that has been counting its failures from anew; then the oldest."""
    fitting = [w for w in ours if w.get("topic") == topic and w.get("delivery_url") == webhook_url]
    return min(fitting, key=lambda webhook: (webhook.get("status") != "active", _id(webhook)), default=None)


def _id(webhook: dict[str, Any]) -> int:
    found = webhook.get("id")
    return found if isinstance(found, int) else 0
