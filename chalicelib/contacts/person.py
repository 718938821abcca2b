"""Who a store says somebody is: the identities and names in one telling."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Person(BaseModel):
    """As told; nothing is normalised yet. `customer_id` is None for a guest."""

    model_config = ConfigDict(frozen=True)

    email: str | None = None
    phone: str | None = None
    customer_id: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    country: str | None = None
    locale: str | None = None
    timezone: str | None = None
