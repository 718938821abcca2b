"""What a condition may look at, and how it is found in a journey's event."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from chalicelib.commerce.cart import CartRecord
from chalicelib.commerce.order import Order
from chalicelib.contacts.contact import Contact, PurchaseFact
from chalicelib.contacts.engagement import Engagement
from chalicelib.journeys.condition_compare import gather
from chalicelib.journeys.condition_forms import CONSUMABLE, TRIGGER, Subject
from chalicelib.messages.message import Message


@dataclass(frozen=True)
class Facts:
    """What a decision may look at.

    `purchases` by subject (`product:12`, `category:7`, `any`); load those that `conditions.needs` names. `event` is the
    enrolment's (or trigger's) event as {id, type, occurred_at, properties}; `entered_at` None before entry.
    `messages` by the step id that made them; `order` is the event's own, as it stands today; `cart` is that of the
    event, else the contact's newest (load it where `asks_for_cart`); `engagement` where `engagement_asked`, with the
    catalogue's `categories` of the products in it by their ids where `categories_asked`. `steps` is what became of
    the enrolment's steps (done, failed, skipped, happened, timed_out). `now` is store time (UTC); `store_zone` and
    `country` are the store's.
    """

    contact: Contact
    now: datetime
    purchases: Mapping[str, PurchaseFact] = field(default_factory=dict)
    event: Mapping[str, Any] | None = None
    entered_at: datetime | None = None
    messages: Mapping[str, Message] = field(default_factory=dict)
    order: Order | None = None
    cart: CartRecord | None = None
    engagement: Engagement | None = None
    categories: Mapping[str, Sequence[str]] = field(default_factory=dict)
    steps: Mapping[str, str] = field(default_factory=dict)
    store_zone: str = "UTC"
    country: str = ""


def properties_of(event: Mapping[str, Any] | None) -> Mapping[str, Any]:
    properties = (event or {}).get("properties")
    return properties if isinstance(properties, Mapping) else {}


def order_in(event: Mapping[str, Any] | None) -> str | None:
    """The id of the order that an event is about."""
    order = properties_of(event).get("order_id")
    return order if isinstance(order, str) else None


def subjects_of(event: Mapping[str, Any] | None, kind: Literal["product", "category"]) -> list[str]:
    """The event's own products or categories as subjects, in the order of its items, each once.

    An event about one product (back in stock) or one category (its page was viewed) says so in its properties
    instead of in items.
    """
    return list(dict.fromkeys(_subjects(properties_of(event), kind)))


def _subjects(properties: Mapping[str, Any], kind: Literal["product", "category"]) -> Iterator[str]:
    for key in ("product_id",) if kind == "product" else ("categories", "category"):
        found = [*gather(properties.get("items"), [key]), *gather(properties, [key])]
        yield from (f"{kind}:{value}" for value in found if isinstance(value, str) and value)


def subjects_named(asked: Subject, event: Mapping[str, Any] | None) -> list[str]:
    """What a condition asks about by name, or through the event; nothing where it asks about anything at all."""
    if asked.kind is None or asked.id is None:
        return []
    if asked.id == TRIGGER:
        return subjects_of(event, asked.kind)
    if asked.product == CONSUMABLE:
        return subjects_of({"properties": properties_of(event).get("consumable")}, "product")
    return [f"{asked.kind}:{asked.id}"]
