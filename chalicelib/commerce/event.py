"""What happened, in our words: complete, immutable, with an id that tells a repeat."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

FRESH = timedelta(hours=48)
"""Of store time: an older event begins no journey, so nobody is told of it."""


class Event(BaseModel):
    """`id` is meaningful (`order_paid:{store}:{order}`), so the same event found twice is one event.

    `type` is one of the trigger names of `journeys.definition` or any name sent over the API.
    `occurred_at` is store time (UTC). `properties` holds JSON values; money is {amount, currency}.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    type: str
    occurred_at: datetime
    properties: dict[str, Any] = Field(default_factory=dict)
