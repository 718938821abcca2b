"""What the events that anybody tells us of a contact look like: the properties of each known type, in one table.

A known type with other properties is a mistake of its sender; names beyond these are kept and left alone, and a type
that is not here is the sender's own and carries what it will.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool, ValidationError, field_validator, model_validator

Id = Annotated[str, Field(min_length=1, max_length=100)]
Name = Annotated[str, Field(min_length=1, max_length=100)]
Seconds = Annotated[int, Field(ge=0, le=86_400)]
MOST_LINKED = 1024  # bytes of a linked record's fields as JSON


class Told(BaseModel):
    """The properties of one type of event."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Anything(Told):
    """That it happened is all there is to say."""


class ProductViewed(Told):
    """`categories`: ids; the catalogue's if absent. `seconds` on the page. `in_stock`: what the page said."""

    product_id: Id
    categories: Annotated[tuple[Id, ...], Field(max_length=10)] = ()
    seconds: Seconds = 0
    in_stock: StrictBool = True


class CategoryViewed(Told):
    category: Id
    seconds: Seconds = 0


class WishListChanged(Told):
    """Products by id."""

    added: Annotated[tuple[Id, ...], Field(max_length=200)] = ()
    removed: Annotated[tuple[Id, ...], Field(max_length=200)] = ()


class WatchRequested(Told):
    """Tell me when this product is back, or a new one of this category is there. `cancelled`: no more."""

    product_id: Id | None = None
    category: Id | None = None
    cancelled: StrictBool = False

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.product_id is None) == (self.category is None):
            raise ValueError("expected a product_id or a category")
        return self

    @property
    def subject(self) -> str:
        return f"product:{self.product_id}" if self.product_id else f"category:{self.category}"


class SegmentChanged(Told):
    segment: Name


Answers = Annotated[dict[Name, Any], Field(max_length=100)]


class SurveyAnswered(Told):
    """`answers` by question: texts, numbers, true or false, or lists of these."""

    survey: Name
    answers: Answers = Field(default_factory=dict)

    @field_validator("answers")
    @classmethod
    def _plain(cls, answers: dict[str, Any]) -> dict[str, Any]:
        return _plain(answers)


class FormAnswered(Told):
    form: Name
    answers: Answers = Field(default_factory=dict)

    @field_validator("answers")
    @classmethod
    def _plain(cls, answers: dict[str, Any]) -> dict[str, Any]:
        return _plain(answers)


class Named(Told):
    """A smart link or a file."""

    name: Name


class TopicInterest(Told):
    topic: Name
    score: Annotated[int | float, Field(ge=0, le=100)]


class LinkedRecordChanged(Told):
    """`fields` are all that the record has now. `deleted`: it is there no more."""

    kind: Name
    id: Id
    fields: Annotated[dict[Name, Any], Field(max_length=50)] = Field(default_factory=dict)
    deleted: StrictBool = False

    @field_validator("fields")
    @classmethod
    def _small(cls, fields: dict[str, Any]) -> dict[str, Any]:
        if len(json.dumps(fields, ensure_ascii=False).encode()) > MOST_LINKED:
            raise ValueError(f"expected no more than {MOST_LINKED} bytes")
        return _plain(fields)


SHAPES: Mapping[str, type[Told]] = {
    "category_viewed": CategoryViewed,
    "contact_replied": Anything,
    "file_downloaded": Named,
    "form_answered": FormAnswered,
    "linked_record_changed": LinkedRecordChanged,
    "message_clicked": Anything,
    "message_opened": Anything,
    "page_viewed": Anything,
    "product_viewed": ProductViewed,
    "segment_entered": SegmentChanged,
    "segment_left": SegmentChanged,
    "service_case_closed": Anything,
    "site_left": Anything,
    "smart_link_clicked": Named,
    "survey_answered": SurveyAnswered,
    "topic_interest": TopicInterest,
    "watch_requested": WatchRequested,
    "wish_list_changed": WishListChanged,
}


def read(type_: str, properties: Mapping[str, Any]) -> Told | None:
    """None for a type of the sender's own. Raises `pydantic.ValidationError`."""
    shape = SHAPES.get(type_)
    return shape.model_validate(properties) if shape else None


def read_if_right(type_: str, properties: Mapping[str, Any]) -> Told | None:
    """As `read`, and None for what is wrongly shaped: kept before its shape was known."""
    try:
        return read(type_, properties)
    except ValidationError:
        return None


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    for name, value in values.items():
        several = value if isinstance(value, list) else [value]
        if not all(one is None or isinstance(one, str | int | float | bool) for one in several):
            raise ValueError(f"expected a text, a number, true or false, or a list of these for {name}")
    return values
