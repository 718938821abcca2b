"""Conditions about goods: a product or a category, by itself or through the journey's event."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from chalicelib.journeys.condition_values import Count, Days, Form, Id

TRIGGER = "trigger"
CONSUMABLE = "consumable"


class Subject(Form):
    """A product or a category by its store id, `trigger` for those of the journey's event; neither: anything.

    The product `consumable` is the one of the event that is used up first, and none of what was bought beside it;
    an event without one matches nothing. Nor does an id that is given but empty (or null): it was not chosen yet.
    """

    product: Id | None = None
    category: Id | None = None

    @model_validator(mode="after")
    def _not_both(self) -> Subject:
        if {"product", "category"} <= self.model_fields_set:
            raise ValueError("give a product or a category, not both")
        return self

    @property
    def kind(self) -> Literal["product", "category"] | None:
        """Which of the two was named, even if not yet chosen."""
        if "product" in self.model_fields_set:
            return "product"
        return "category" if "category" in self.model_fields_set else None

    @property
    def id(self) -> str | None:
        """The chosen id, or None where nothing is chosen."""
        return (self.product if self.kind == "product" else self.category) or None

    @property
    def unchosen(self) -> bool:
        return self.kind is not None and self.id is None


class Bought(Subject):
    """Paid orders that still count, in the last `within_days` days, or since the contact entered the journey
    (the order that started it is left out). Bars are reached by one product or category, not by several together.
    `at_least_total` is in minor units, net.
    """

    within_days: Days | None = None
    since: Literal["entry"] | None = None
    at_least_orders: Count | None = None
    at_least_units: Count | None = None
    at_least_total: Annotated[int, Field(ge=1, le=10**12)] | None = None

    @model_validator(mode="after")
    def _one_window(self) -> Bought:
        if self.within_days is not None and self.since is not None:
            raise ValueError("give within_days or since, not both")
        return self

    @property
    def windowed(self) -> bool:
        return self.within_days is not None or self.since is not None


class Views(Subject):
    """Product pages seen: how often, how many different ones, how long together, whether out of stock then.

    Of a category also its own page counts, as a time and with its seconds. Bars are reached by one product or category.
    """

    within_days: Days | None = None
    since: Literal["entry"] | None = None
    at_least_times: Count | None = None
    at_least_products: Count | None = None
    at_least_seconds: Count | None = None
    out_of_stock: bool | None = None


class CartState(Subject):
    """The cart of the journey's event, else the contact's newest. `at_least_total` in minor units."""

    state: Annotated[Literal["open", "abandoned", "bought", "emptied"] | None, Field(alias="is")] = None
    at_least_total: Annotated[int, Field(ge=1, le=10**12)] | None = None
