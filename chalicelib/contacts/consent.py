"""Consent per channel: a status with its source and time. The latest `at` wins; a tie refuses."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Channel(StrEnum):
    EMAIL = "email"
    SMS = "sms"
    WHATSAPP = "whatsapp"


class ConsentStatus(StrEnum):
    SUBSCRIBED = "subscribed"
    UNSUBSCRIBED = "unsubscribed"
    PENDING = "pending"
    NEVER_ASKED = "never_asked"


class Consent(BaseModel):
    """`source` is where it was given or taken (checkout, unsubscribe_link, api, shopify, …), `text` what the person
    agreed to, as it was shown, `place` the message or page in which.

    `confirmed_at`: when they proved that the address is theirs and the wish is true; `requested_at` and
    `requested_from`: when and where they had asked for it, if that was before. Together the proof of a double opt-in.
    """

    model_config = ConfigDict(frozen=True)

    status: ConsentStatus = ConsentStatus.NEVER_ASKED
    source: str | None = None
    at: datetime | None = None
    text: str | None = None
    place: str | None = None
    confirmed_at: datetime | None = None
    requested_at: datetime | None = None
    requested_from: str | None = None


class ConsentChange(BaseModel):
    """One thing a person did about one channel, at a time."""

    model_config = ConfigDict(frozen=True)

    channel: Channel
    consent: Consent


def is_in_person(source: str | None) -> bool:
    """Whether somebody themselves said yes there: at the checkout, in a form, on a page of ours. A list that was
    brought in over the API without saying where its people agreed, and a journey, are not they themselves."""
    return bool(source) and source not in ("api", "import") and not str(source).startswith(("journey:", "import:"))
