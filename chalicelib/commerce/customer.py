"""A customer as a store tells it."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from chalicelib.commerce.snapshot import Version
from chalicelib.contacts.consent import ConsentChange
from chalicelib.contacts.person import Person


class Customer(BaseModel):
    """`joined_from` is `account`, or `store` where it is no account but what the store keeps of any buyer."""

    model_config = ConfigDict(frozen=True)

    external_id: str
    version: Version
    person: Person
    created_at: datetime
    joined_from: str = "account"
    consent: tuple[ConsentChange, ...] = ()
