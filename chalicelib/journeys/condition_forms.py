"""The one language of conditions: a typed JSON tree. `conditions.evaluate` answers it over facts about a contact.

Trigger filters, branches, goals and later segments, focused content and campaigns all speak it. Every form
of the vocabulary is here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, field_validator

from chalicelib.contacts.consent import Channel

# Handed on: whoever speaks of conditions finds all their words here.
from chalicelib.journeys.condition_subjects import CONSUMABLE as CONSUMABLE
from chalicelib.journeys.condition_subjects import TRIGGER as TRIGGER
from chalicelib.journeys.condition_subjects import Bought as Bought
from chalicelib.journeys.condition_subjects import CartState as CartState
from chalicelib.journeys.condition_subjects import Subject as Subject
from chalicelib.journeys.condition_subjects import Views as Views
from chalicelib.journeys.condition_values import VALUELESS as VALUELESS
from chalicelib.journeys.condition_values import Comparison, Form
from chalicelib.journeys.condition_values import Days as Days
from chalicelib.journeys.condition_values import Id as Id
from chalicelib.journeys.condition_values import Name as Name
from chalicelib.journeys.condition_values import Operator as Operator

StepId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]

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


class AllOf(Form):
    """Every one holds."""

    conditions: Annotated[tuple[Condition, ...], Field(alias="all", min_length=1, max_length=50)]


class AnyOf(Form):
    """At least one holds."""

    conditions: Annotated[tuple[Condition, ...], Field(alias="any", min_length=1, max_length=50)]


class Not(Form):
    """It does not hold."""

    condition: Annotated[Condition, Field(alias="not")]


class FieldIs(Comparison):
    """A value of the contact or of the journey's event, compared. Missing compares false; so do unlike types.

    `field`: email, phone, first_name, last_name, locale, orders_count, total_spent (minor units), first_order_at,
    last_order_at, joined_from, created_at, timezone, lists, tags, fields.<name>, consent.<channel>,
    event.<property path> (a path through a list gathers the values of all its elements, so `event.items.product_id`
    is a list).
    """

    field: str

    @field_validator("field")
    @classmethod
    def _known_path(cls, path: str) -> str:
        if not _PATH.fullmatch(path):
            raise ValueError(
                f"expected one of {', '.join(_PROFILE)}, fields.<name>, consent.<{'|'.join(Channel)}>, event.<property>"
            )
        return path


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


class Viewed(Form):
    viewed: Views


class WishListed(Form):
    """Is on the contact's wish list."""

    wish_list: Subject


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


class SurveyAnswer(Comparison):
    """The contact's newest answer to this question of a survey or form, compared as `FieldIs` does."""

    survey: Name
    question: Name


class SurveyIs(Form):
    survey: SurveyAnswer


class LinkedRecord(Comparison):
    """Some linked record of this kind (a pet, a child, a subscription) whose field compares so (`FieldIs` says how)."""

    kind: Name
    field: Name


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
