"""A message to one contact: claimed once, sent at most once, explained either way."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from chalicelib.contacts.consent import Channel

BUSY = "provider_busy"
"""In a claim's history: the provider surely did not take it, and is asked again."""


class MessageKind(StrEnum):
    MARKETING = "marketing"
    TRANSACTIONAL = "transactional"


class MessageStatus(StrEnum):
    """Moves forward only. `claimed` is before the provider answered; `unknown` is an interrupted claim that
    no provider can confirm: shown, never resent. `not_sent` carries the reason."""

    CLAIMED = "claimed"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"
    SENT = "sent"
    FAILED = "failed"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    OPENED = "opened"
    CLICKED = "clicked"


class HistoryEntry(BaseModel):
    model_config = ConfigDict(frozen=True)

    at: datetime
    status: str
    detail: str | None = None


class Message(BaseModel):
    """`id` is `ids.message_id(enrolment, step)`, so its conditional put is the claim. `to` the address used.

    `to_manager`: it told the store's manager of the contact (its id is of the step and the channel), so nothing that is
    reported of it says anything about the contact's own addresses.

    `created_at` is when it was claimed and never changes; `at` is when `status` was reached. `coupon` is the code that
    it showed, `links` that of the record of its links, `words` a digest of what it said (without links of its own), by
    which a duplicate is known; `parts` how many SMS carriers make of it (only of an SMS).
    """

    model_config = ConfigDict(frozen=True)

    id: str
    store_id: str
    contact_id: str
    enrolment_id: str | None = None
    journey: str | None = None
    step: str | None = None
    channel: Channel
    kind: MessageKind
    to: str | None = None
    subject: str | None = None
    status: MessageStatus
    created_at: datetime
    at: datetime
    reason: str | None = None
    to_manager: bool = False
    parts: int | None = None
    coupon: str | None = None
    links: str | None = None
    words: str | None = None
    provider_id: str | None = None
    history: tuple[HistoryEntry, ...] = ()
    rev: int = 0
