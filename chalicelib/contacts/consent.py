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
    """`source` is where it was given or taken (checkout, unsubscribe_link, api, shopify, …)."""

    model_config = ConfigDict(frozen=True)

    status: ConsentStatus = ConsentStatus.NEVER_ASKED
    source: str | None = None
    at: datetime | None = None
    text: str | None = None


class ConsentChange(BaseModel):
    """One thing a person did about one channel, at a time."""

    model_config = ConfigDict(frozen=True)

    channel: Channel
    consent: Consent
