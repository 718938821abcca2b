"""`/v1/stores/{s}/contacts`: the people of a store."""

from __future__ import annotations

from typing import Annotated, Any, Self

from chalice.app import Blueprint
from pydantic import Discriminator, Field, Tag, model_validator

from chalicelib.commerce.money import Money
from chalicelib.contacts.consent import Channel, ConsentStatus
from chalicelib.handlers.api.shapes import Answer, Body, Line, PageQuery, Properties, Time
from chalicelib.handlers.request import MANY, ONE

contacts = Blueprint(__name__)

Email = Annotated[str, Field(min_length=3, max_length=254)]
Phone = Annotated[str, Field(min_length=3, max_length=40)]
Name = Annotated[str, Field(min_length=1, max_length=100)]


class ContactQuery(PageQuery):
    email: Email | None = None
    phone: Phone | None = None
    external_id: Line | None = None
    list: Line | None = None
    segment: Line | None = None


class ConsentNew(Body):
    """`at` is now if absent, `source` is `api`. `text` is what the person agreed to."""

    status: ConsentStatus
    source: Line | None = None
    at: Time | None = None
    text: Annotated[str, Field(max_length=2000)] | None = None


class ContactChange(Body):
    """What is here changes. `lists` and `tags` are then exactly these; `fields` are merged, `null` takes one away."""

    email: Email | None = None
    phone: Phone | None = None
    external_id: Line | None = None
    first_name: Line | None = None
    last_name: Line | None = None
    locale: Annotated[str, Field(pattern=r"^[a-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,2}$")] | None = None
    lists: Annotated[list[Name], Field(max_length=200)] | None = None
    tags: Annotated[list[Name], Field(max_length=200)] | None = None
    fields: Properties | None = None
    consent: dict[Channel, ConsentNew] | None = None


class ContactNew(ContactChange):
    """A person who is known by any of these identities is changed, anybody else is made. One identity at least."""

    joined_from: Line | None = None

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not (self.email or self.phone or self.external_id):
            raise ValueError("expected an email, a phone or an external_id")
        return self


class ContactBatch(Body):
    """Each is taken or refused for itself."""

    contacts: Annotated[
        list[Any], Field(min_length=1, max_length=1000, json_schema_extra={"items": {"type": "object"}})
    ]


def _one_or_many(body: Any) -> str:
    return MANY if isinstance(body, dict) and "contacts" in body else ONE


ContactPost = Annotated[
    Annotated[ContactNew, Tag(ONE)] | Annotated[ContactBatch, Tag(MANY)], Discriminator(_one_or_many)
]


class ConsentAnswer(Answer):
    status: ConsentStatus
    source: str | None
    at: Time | None


class Consents(Answer):
    email: ConsentAnswer
    sms: ConsentAnswer
    whatsapp: ConsentAnswer


class ContactAnswer(Answer):
    """`phone` in E.164. `total_spent` is net of refunds; `orders_count` counts orders paid and not given back."""

    id: str
    email: str | None
    phone: str | None
    external_ids: list[str]
    first_name: str | None
    last_name: str | None
    locale: str | None
    consent: Consents
    suppressed: dict[Channel, str]
    lists: list[str]
    tags: list[str]
    fields: dict[str, Any]
    joined_from: str | None
    orders_count: int
    total_spent: Money
    first_order_at: Time | None
    last_order_at: Time | None
    created_at: Time


class ContactList(Answer):
    items: list[ContactAnswer]
    next: str | None
