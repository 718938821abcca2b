"""A customer account as a store tells it."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from chalicelib.commerce.snapshot import Version
from chalicelib.contacts.consent import ConsentChange
from chalicelib.contacts.person import Person
from chalicelib.contacts.profile import Telling


class Customer(BaseModel):
    model_config = ConfigDict(frozen=True)

    external_id: str
    version: Version
    person: Person
    created_at: datetime
    consent: tuple[ConsentChange, ...] = ()

    @property
    def telling(self) -> Telling:
        """What it says of a person."""
        return Telling(
            person=self.person.model_copy(update={"customer_id": self.external_id}),
            at=self.version.modified_at,
            source=f"customer:{self.external_id}",
            since=self.created_at,
            joined_from="account",
            consent=self.consent,
        )
