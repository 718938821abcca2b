"""The one record of a person in one store."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from chalicelib.commerce.money import Money
from chalicelib.contacts.consent import Channel, Consent, ConsentStatus


class Provenance(BaseModel):
    """Where a profile value came from; the newest (`at`, then `source`, then value) wins, in any order of arrival.

    `counted` is how much of a number was added up since it was told, the last of it at `counted_at`: what two contacts
    counted, the one that they merge into has together.
    """

    model_config = ConfigDict(frozen=True)

    at: datetime
    source: str
    counted: int | float | None = None
    counted_at: datetime | None = None


class Benefit(BaseModel):
    """A coupon, gift or free shipping that a journey gave; `kind` as its step has it, `used_at` when it was used."""

    model_config = ConfigDict(frozen=True)

    kind: str
    code: str
    at: datetime
    journey: str
    step: str
    expires_at: datetime | None = None
    used_at: datetime | None = None


class Contact(BaseModel):
    """The profile. `email` normalised, `phone` E.164, `external_ids` the store's customer ids (text).

    `total_spent` is net of refunds in the store's currency; `orders_count` counts orders ever paid, not
    cancelled, not refunded in full; `last_placed_at` is of any order, paid or not. `merged_into` makes this record a
    mere pointer; `merging` names contacts whose records are still on their way here. `timezone` is an IANA name (None:
    the store's), `audiences` are advertising ones. `asked` are wishes to be subscribed, of which some may wait for a
    confirmation. `replied` is when the last message of theirs came by each channel. `indexed` are the entries of
    `day_index` that are written. `rev` counts writes.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    store_id: str
    email: str | None = None
    phone: str | None = None
    other_emails: tuple[str, ...] = ()
    other_phones: tuple[str, ...] = ()
    external_ids: tuple[str, ...] = ()
    first_name: str | None = None
    last_name: str | None = None
    locale: str | None = None
    provenance: dict[str, Provenance] = Field(default_factory=dict)
    consent: dict[Channel, Consent] = Field(default_factory=dict)
    asked: dict[Channel, Consent] = Field(default_factory=dict)
    suppressed: dict[Channel, str] = Field(default_factory=dict)
    lists: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    fields: dict[str, Any] = Field(default_factory=dict)
    joined_from: str | None = None
    timezone: str | None = None
    audiences: tuple[str, ...] = ()
    replied: dict[Channel, datetime] = Field(default_factory=dict)
    last_benefit: Benefit | None = None
    orders_count: int = 0
    total_spent: Money
    first_order_at: datetime | None = None
    last_order_at: datetime | None = None
    last_placed_at: datetime | None = None
    created_at: datetime
    merged_into: str | None = None
    merging: tuple[str, ...] = ()
    indexed: dict[str, str] = Field(default_factory=dict)
    rev: int = 0

    @property
    def emails(self) -> tuple[str, ...]:
        return ((self.email,) if self.email else ()) + self.other_emails

    @property
    def phones(self) -> tuple[str, ...]:
        return ((self.phone,) if self.phone else ()) + self.other_phones

    def consent_for(self, channel: Channel) -> Consent:
        """What counts: the choice that stands, or a newer wish that is still to be confirmed."""
        return self.waiting(channel) or self.consent.get(channel, Consent())

    def waiting(self, channel: Channel) -> Consent | None:
        """The wish to be subscribed that its owner has not confirmed (`contacts.double_opt_in`)."""
        asked, stands = self.asked.get(channel), self.consent.get(channel, Consent())
        if asked is None or asked.at is None or stands.status is ConsentStatus.SUBSCRIBED:
            return None
        return asked if stands.at is None or asked.at > stands.at else None


class PurchaseFact(BaseModel):
    """What one contact bought of one product or category (`subject` = `product:12` or `category:7`).

    `by_order` maps an order's external id to its share; orders that no longer count are not in it, and of a
    contact with very many orders only the newest are: the others are summed in `earlier`.
    """

    model_config = ConfigDict(frozen=True)

    subject: str
    by_order: dict[str, Share] = Field(default_factory=dict)
    earlier: Earlier | None = None

    @property
    def orders(self) -> int:
        return len(self.by_order) + (self.earlier.orders if self.earlier else 0)

    @property
    def units(self) -> int:
        return sum(share.units for share in self.by_order.values()) + (self.earlier.units if self.earlier else 0)

    @property
    def total(self) -> int:
        """Net, in minor units of the store's currency."""
        return sum(share.total for share in self.by_order.values()) + (self.earlier.total if self.earlier else 0)

    @property
    def last_at(self) -> datetime | None:
        last = self.earlier.last_at if self.earlier else None
        return max((share.at for share in self.by_order.values()), default=last)


class Share(BaseModel):
    """One order's part in a purchase fact: when it was paid, units, net total in minor units."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    units: int
    total: int
    version: str = ""


class Earlier(BaseModel):
    """Orders older than those kept one by one, summed. `total` in minor units."""

    model_config = ConfigDict(frozen=True)

    orders: int
    units: int
    total: int
    last_at: datetime


PurchaseFact.model_rebuild()
