"""The one language of conditions: a typed JSON tree. `conditions.evaluate` answers it over facts about a contact.

Trigger filters, branches, goals and later segments, focused content and campaigns all speak it. Every form
of the vocabulary is here; `EXECUTABLE` names those that can be answered now.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator, model_validator

from chalicelib.clock import parse_rfc3339
from chalicelib.contacts.consent import Channel
from chalicelib.journeys.condition_values import Value

Id = Annotated[str, Field(max_length=100)]
Name = Annotated[str, Field(min_length=1, max_length=100)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Days = Annotated[int, Field(ge=1, le=3650)]
StepId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]

TRIGGER = "trigger"
CONSUMABLE = "consumable"

_PROFILE = (
    "email",
    "phone",
    "first_name",
    "last_name",
    "locale",
    "orders_count",
    "total_spent",
    "first_order_at",
    "last_order_at",
    "joined_from",
    "created_at",
    "timezone",
    "lists",
    "tags",
)
_PATH = re.compile(
    rf"(?:{'|'.join(_PROFILE)}|fields\.[^.\s][^.]{{0,63}}|consent\.(?:{'|'.join(Channel)})|event(?:\.\w{{1,64}}){{1,8}})"
)


class Operator(StrEnum):
    EQUALS = "equals"
    NOT_EQUALS = "not_equals"
    CONTAINS = "contains"
    NOT_CONTAINS = "not_contains"
    STARTS_WITH = "starts_with"
    ONE_OF = "one_of"
    GREATER = "greater"
    AT_LEAST = "at_least"
    LESS = "less"
    AT_MOST = "at_most"
    BEFORE = "before"
    AFTER = "after"
    WITHIN_LAST_DAYS = "within_last_days"
    IS_SET = "is_set"
    IS_MISSING = "is_missing"


NUMERIC = frozenset({Operator.GREATER, Operator.AT_LEAST, Operator.LESS, Operator.AT_MOST, Operator.WITHIN_LAST_DAYS})
TEMPORAL = frozenset({Operator.BEFORE, Operator.AFTER})
VALUELESS = frozenset({Operator.IS_SET, Operator.IS_MISSING})


class Form(BaseModel):
    """One node of the tree."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class AllOf(Form):
    """Every one holds."""

    conditions: Annotated[tuple[Condition, ...], Field(alias="all", min_length=1, max_length=50)]


class AnyOf(Form):
    """At least one holds."""

    conditions: Annotated[tuple[Condition, ...], Field(alias="any", min_length=1, max_length=50)]


class Not(Form):
    """It does not hold."""

    condition: Annotated[Condition, Field(alias="not")]


class FieldIs(Form):
    """A value of the contact or of the journey's event, compared. Missing compares false; so do unlike types.

    `field`: email, phone, first_name, last_name, locale, orders_count, total_spent (minor units), first_order_at,
    last_order_at, joined_from, created_at, lists, tags, fields.<name>, consent.<channel>, event.<property path>
    (a path through a list gathers the values of all its elements, so `event.items.product_id` is a list).
    """

    field: str
    operator: Annotated[Operator, Field(alias="is")]
    value: Value | None = None

    @field_validator("field")
    @classmethod
    def _known_path(cls, path: str) -> str:
        if not _PATH.fullmatch(path):
            raise ValueError(
                f"expected one of {', '.join(_PROFILE)}, fields.<name>, consent.<{'|'.join(Channel)}>, event.<property>"
            )
        return path

    @model_validator(mode="after")
    def _value_suits(self) -> FieldIs:
        if self.operator in VALUELESS and self.value is not None:
            raise ValueError(f"{self.operator} takes no value")
        if self.operator is Operator.ONE_OF and not isinstance(self.value, tuple):
            raise ValueError("one_of needs a list as its value")
        if self.operator is not Operator.ONE_OF and isinstance(self.value, tuple):
            raise ValueError(f"{self.operator} needs a single value, not a list")
        if self.operator in NUMERIC and (isinstance(self.value, bool) or not isinstance(self.value, int | float)):
            raise ValueError(f"{self.operator} needs a number as its value")
        if self.operator in TEMPORAL and not _is_time(self.value):
            raise ValueError(f"{self.operator} needs a date (2026-11-21) or a time with its zone as its value")
        return self


def _is_time(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        parse_rfc3339(f"{value}T00:00:00Z" if len(value) == 10 else value)
    except ValueError:
        return False
    return True


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


class Purchased(Form):
    """Bought it."""

    purchased: Bought


class Placed(Form):
    """An order placed after the contact entered the journey, paid or not, whatever became of it."""

    since: Literal["entry"]


class Ordered(Form):
    """Placed an order: for what must stop at once, also while a bank transfer is on its way."""

    ordered: Placed


class MessageStep(Form):
    """What became of the message that a step of this journey sent. A step that was not reached: false.

    `clicked` with `link` asks for that link.
    """

    step: StepId
    state: Annotated[
        Literal["sent", "delivered", "failed", "opened", "clicked", "not_sent", "bounced"], Field(alias="is")
    ]
    link: Annotated[str, Field(min_length=1, max_length=2000)] | None = None


class MessageIs(Form):
    message: MessageStep


class StepState(Form):
    """`done`; `failed` for good; `skipped` (switched off, or a benefit so soon after another); of a wait for an event
    whether it `happened`, or `timed_out`."""

    step: StepId
    state: Annotated[Literal["done", "failed", "skipped", "happened", "timed_out"], Field(alias="is")]


class StepIs(Form):
    """What became of an earlier step of this journey. For messages ask `message`."""

    step: StepState


class Views(Subject):
    """Product pages seen: how often, how many different ones, how long, and whether it was out of stock then."""

    within_days: Days | None = None
    since: Literal["entry"] | None = None
    at_least_times: Count | None = None
    at_least_products: Count | None = None
    at_least_seconds: Count | None = None
    out_of_stock: bool | None = None


class Viewed(Form):
    viewed: Views


class WishListed(Form):
    """Is on the contact's wish list."""

    wish_list: Subject


class CartState(Subject):
    """The cart of the journey's event, else the contact's newest. `at_least_total` in minor units."""

    state: Annotated[Literal["open", "abandoned", "bought", "emptied"] | None, Field(alias="is")] = None
    at_least_total: Annotated[int, Field(ge=1, le=10**12)] | None = None


class CartIs(Form):
    cart: CartState


class OrderState(Form):
    """The order of the journey's event, as the store tells it today; false where the event is about none."""

    state: Annotated[Literal["pending", "paid", "completed", "cancelled", "refunded", "failed"], Field(alias="is")]


class OrderIs(Form):
    order: OrderState


class SegmentMember(Form):
    id: Name


class SegmentIs(Form):
    """Is in the segment now."""

    segment: SegmentMember


class TopicInterest(Form):
    """Interest learned from opens and clicks, 0–100."""

    name: Name
    at_least: Annotated[int, Field(ge=0, le=100)] = 50


class TopicIs(Form):
    topic: TopicInterest


class LastBenefit(Form):
    """The contact's last coupon, gift or free shipping: none in so many days, or whether the last one was used."""

    none_within_days: Days | None = None
    used: bool | None = None


class BenefitIs(Form):
    benefit: LastBenefit


class SurveyAnswer(Form):
    survey: Name
    question: Name
    operator: Annotated[Operator, Field(alias="is")]
    value: Value | None = None


class SurveyIs(Form):
    survey: SurveyAnswer


class LinkedRecord(Form):
    """Some linked record of this kind (a pet, a child, a subscription) whose field compares so (`FieldIs` says how)."""

    kind: Name
    field: Name
    operator: Annotated[Operator, Field(alias="is")]
    value: Value | None = None


class LinkedIs(Form):
    linked: LinkedRecord


Weekday = Literal["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
TimeOfDay = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class Moment(Form):
    """Now, on the store's or the contact's clock: weekday, time of day, holiday or rest day."""

    weekdays: Annotated[tuple[Weekday, ...], Field(min_length=1, max_length=7)] | None = None
    start: Annotated[TimeOfDay | None, Field(alias="from")] = None
    end: Annotated[TimeOfDay | None, Field(alias="to")] = None
    holiday: bool | None = None
    zone: Literal["store", "contact"] = "store"


class ClockIs(Form):
    clock: Moment


class Share(Form):
    """So many in a hundred contacts, the same ones every time. `salt` parts one split from another."""

    percent: Annotated[int, Field(ge=1, le=99)]
    salt: Annotated[str, Field(max_length=40)] = ""


class RandomIs(Form):
    """A random split; the side that gets nothing is the control group."""

    random: Share


FORMS: dict[str, type[Form]] = {
    "all": AllOf,
    "any": AnyOf,
    "not": Not,
    "field": FieldIs,
    "purchased": Purchased,
    "ordered": Ordered,
    "message": MessageIs,
    "step": StepIs,
    "viewed": Viewed,
    "wish_list": WishListed,
    "cart": CartIs,
    "order": OrderIs,
    "segment": SegmentIs,
    "topic": TopicIs,
    "benefit": BenefitIs,
    "survey": SurveyIs,
    "linked": LinkedIs,
    "clock": ClockIs,
    "random": RandomIs,
}
_KEY_OF = {form: key for key, form in FORMS.items()}

EXECUTABLE = frozenset({"all", "any", "not", "field", "purchased", "ordered", "message", "order", "cart"})


def _form_tag(value: Any) -> str | None:
    if isinstance(value, dict):
        keys = [key for key in FORMS if key in value]
        return f"<{keys[0]}>" if len(keys) == 1 else None
    key = _KEY_OF.get(type(value))
    return f"<{key}>" if key else None


Condition = Annotated[
    Annotated[AllOf, Tag("<all>")]
    | Annotated[AnyOf, Tag("<any>")]
    | Annotated[Not, Tag("<not>")]
    | Annotated[FieldIs, Tag("<field>")]
    | Annotated[Purchased, Tag("<purchased>")]
    | Annotated[Ordered, Tag("<ordered>")]
    | Annotated[MessageIs, Tag("<message>")]
    | Annotated[StepIs, Tag("<step>")]
    | Annotated[Viewed, Tag("<viewed>")]
    | Annotated[WishListed, Tag("<wish_list>")]
    | Annotated[CartIs, Tag("<cart>")]
    | Annotated[OrderIs, Tag("<order>")]
    | Annotated[SegmentIs, Tag("<segment>")]
    | Annotated[TopicIs, Tag("<topic>")]
    | Annotated[BenefitIs, Tag("<benefit>")]
    | Annotated[SurveyIs, Tag("<survey>")]
    | Annotated[LinkedIs, Tag("<linked>")]
    | Annotated[ClockIs, Tag("<clock>")]
    | Annotated[RandomIs, Tag("<random>")],
    Discriminator(
        _form_tag,
        custom_error_type="unknown_condition",
        custom_error_message="expected a condition with exactly one of " + ", ".join(FORMS),
    ),
]

for _form in (AllOf, AnyOf, Not):
    _form.model_rebuild()


def key_of(condition: Condition) -> str:
    """The form's key, such as `purchased`."""
    return _KEY_OF[type(condition)]


def located(condition: Condition, path: str) -> Iterator[tuple[str, Condition]]:
    """This condition and all inside it, each with its place (`if.all[1].not`)."""
    yield path, condition
    if isinstance(condition, AllOf | AnyOf):
        for index, inner in enumerate(condition.conditions):
            yield from located(inner, f"{path}.{key_of(condition)}[{index}]")
    elif isinstance(condition, Not):
        yield from located(condition.condition, f"{path}.not")


def step_asked(condition: Condition) -> str | None:
    """The step of this journey that this very condition (not one inside it) asks about."""
    if isinstance(condition, MessageIs):
        return condition.message.step
    return condition.step.step if isinstance(condition, StepIs) else None


def steps_mentioned(condition: Condition) -> set[str]:
    """Step ids whose messages the condition asks about."""
    return {inner.message.step for _, inner in located(condition, "") if isinstance(inner, MessageIs)}
