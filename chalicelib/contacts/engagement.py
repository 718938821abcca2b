"""What a contact looked at, wished for, asked to hear of, answered and belongs to: a fold of events, in any order.

One item beside the profile, read only by decisions that ask for it. Of everything the newest telling holds.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

VIEWS_KEPT = 100  # the newest, so that the item stays small
Activity = Literal["visit", "open", "click"]


class View(BaseModel):
    """One look at a product's page. `seconds` spent there; `out_of_stock` as the page said then."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    event_id: str
    product: str
    categories: tuple[str, ...] = ()
    seconds: int = 0
    out_of_stock: bool = False


class Membership(BaseModel):
    """In or out (of a wish list, a segment), since when."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    is_in: bool


class Told(BaseModel):
    """A value (an answer, a topic's interest from 0 to 100) and when it was told."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    value: Any


class LinkedRecord(BaseModel):
    """A pet, a child, a subscription of the contact's. `gone`: it was taken away."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    fields: dict[str, Any] = Field(default_factory=dict)
    gone: bool = False


class Engagement(BaseModel):
    """`views` oldest first. `wished` by product id, `asked` by subject (`product:12`, `category:7`), `answers` by
    survey and question, `linked` by kind and id, `segments` and `topics` by name. `indexed` are the entries
    of `day_index` that are written. `rev` counts writes.
    """

    model_config = ConfigDict(frozen=True)

    views: tuple[View, ...] = ()
    wished: dict[str, Membership] = Field(default_factory=dict)
    asked: dict[str, datetime] = Field(default_factory=dict)
    answers: dict[str, dict[str, Told]] = Field(default_factory=dict)
    linked: dict[str, dict[str, LinkedRecord]] = Field(default_factory=dict)
    segments: dict[str, Membership] = Field(default_factory=dict)
    topics: dict[str, Told] = Field(default_factory=dict)
    last: dict[Activity, datetime] = Field(default_factory=dict)
    indexed: dict[str, str] = Field(default_factory=dict)
    rev: int = 0
