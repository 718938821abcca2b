"""`/v1/stores/{s}/messages`: what was sent, and what was not and why."""

from __future__ import annotations

from typing import Annotated

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.commerce.money import Money
from chalicelib.commerce.store import Store
from chalicelib.contacts.consent import Channel
from chalicelib.handlers.api.shapes import Answer, PageQuery, Time, page, sift
from chalicelib.handlers.http import PATH_PATTERNS, Call, door
from chalicelib.handlers.request import after_cursor
from chalicelib.messages.message import Message, MessageKind, MessageStatus
from chalicelib.messages.sms_parts import price

messages = Blueprint(__name__)


class MessageQuery(PageQuery):
    contact_id: Annotated[str, Field(pattern=PATH_PATTERNS["contact_id"])] | None = None
    journey: Annotated[str, Field(pattern=PATH_PATTERNS["journey_id"])] | None = None


class MessageMoment(Answer):
    at: Time
    status: str
    detail: str | None


class MessageAnswer(Answer):
    """`at` is when `status` was reached. `not_sent` tells why in `reason`; `unknown` is a send that was cut off and
    that the provider cannot confirm: it is never repeated. `to_manager`: an alert about the contact, not to them.
    `parts`: how many SMS carriers make of it, `price` what these cost by the store's present price of a thousand."""

    id: str
    contact_id: str
    enrolment_id: str | None
    journey: str | None
    step: str | None
    channel: Channel
    kind: MessageKind
    to: str | None
    subject: str | None
    status: MessageStatus
    created_at: Time
    at: Time
    reason: str | None
    to_manager: bool
    parts: int | None
    price: Money | None
    history: list[MessageMoment]


class MessageList(Answer):
    items: list[MessageAnswer]
    next: str | None


@door(
    messages,
    "GET",
    "/v1/stores/{store_id}/messages",
    summary="Messages, the unsent with their reason, oldest first",
    scope="store",
    query=MessageQuery,
    answers=MessageList,
)
def list_messages(call: Call) -> MessageList:
    asked: MessageQuery = call.query
    listing = f"messages:{call.store.id}:{asked.contact_id or ''}:{asked.journey or ''}"
    after = after_cursor(listing, asked.cursor)
    records = call.wiring.messages

    def keep(message: Message) -> bool:
        return asked.journey in (None, message.journey)

    if asked.contact_id:
        contact = call.wiring.contacts.get(call.store.id, asked.contact_id)
        known = records.of_contact(call.store.id, contact.id) if contact else []
        left = [message for message in known if keep(message) and records.sort_key(message) > (after or "")]
        found, following = page(left, asked.limit, listing, records.sort_key)
    else:
        found, following = sift(
            lambda last, count: records.of_store(call.store.id, after=last, limit=count),
            keep if asked.journey else None,
            records.sort_key,
            asked.limit,
            listing,
            after,
        )
    return MessageList(items=[shown(message, call.store) for message in found], next=following)


def shown(message: Message, store: Store) -> MessageAnswer:
    """A message as the API shows it."""
    kept = {name: getattr(message, name) for name in MessageAnswer.model_fields if name not in ("history", "price")}
    per_thousand = store.settings.sms_price_per_thousand
    kept["price"] = price(message.parts, per_thousand) if message.parts and per_thousand else None
    history = [MessageMoment(at=entry.at, status=entry.status, detail=entry.detail) for entry in message.history]
    return MessageAnswer(**kept, history=history)
