"""What a contact looked at, wished for, asked to hear of, answered and belongs to: a fold of events, in any order.

One item beside the profile, read only by decisions that ask for it. Of everything the newest telling holds.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

# Of each kind the newest, so that the item stays far below DynamoDB's 400 KB.
VIEWS_KEPT = 100
ENTRIES_KEPT = 200  # of wishes, of those asked for
NAMES_KEPT = 100  # of segments, topics, answers of all surveys together
LINKED_KEPT = 50
Activity = Literal["visit", "open", "click"]


class View(BaseModel):
    """One look at a product's page, or (`product` empty) at a category's. `seconds` spent there; `out_of_stock` as the
    page said then."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    event_id: str
    product: str = ""
    categories: tuple[str, ...] = ()
    seconds: int = 0
    out_of_stock: bool = False


class Membership(BaseModel):
    """In or out (of a wish list, a segment, of those who asked), since when."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    event_id: str = ""
    is_in: bool


class Told(BaseModel):
    """A value (an answer, a topic's interest from 0 to 100) and when it was told; None takes an answer back."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    event_id: str = ""
    value: Any = None


class LinkedRecord(BaseModel):
    """A pet, a child, a subscription of the contact's. `gone`: it was taken away."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    event_id: str = ""
    fields: dict[str, Any] = Field(default_factory=dict)
    gone: bool = False


class Engagement(BaseModel):
    """`views` oldest first. `wished` by product id, `asked` by subject (`product:12`, `category:7`), `answers` by
    survey (or form) and question, `linked` by kind and id, `segments` and `topics` by name. What is out, gone or taken
    back stays as such, so that an older telling that comes late cannot bring it back. `indexed` are the entries of
    `day_index` that are written. `rev` counts writes.
    """

    model_config = ConfigDict(frozen=True)

    views: tuple[View, ...] = ()
    wished: dict[str, Membership] = Field(default_factory=dict)
    asked: dict[str, Membership] = Field(default_factory=dict)
    answers: dict[str, dict[str, Told]] = Field(default_factory=dict)
    linked: dict[str, dict[str, LinkedRecord]] = Field(default_factory=dict)
    segments: dict[str, Membership] = Field(default_factory=dict)
    topics: dict[str, Told] = Field(default_factory=dict)
    last: dict[Activity, datetime] = Field(default_factory=dict)
    indexed: dict[str, str] = Field(default_factory=dict)
    rev: int = 0

    def wishes(self) -> set[str]:
        """Ids of the products on the wish list."""
        return {product for product, wish in self.wished.items() if wish.is_in}

    def asks(self) -> set[str]:
        """Subjects that the contact wants to hear of."""
        return {subject for subject, ask in self.asked.items() if ask.is_in}

    def in_segment(self, name: str) -> bool:
        return name in self.segments and self.segments[name].is_in
