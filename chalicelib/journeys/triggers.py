"""What starts a journey, ends a pass, or is waited for: every event of the product."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator

from chalicelib.contacts.consent import Channel
from chalicelib.journeys.condition_forms import Condition, Days, Id, Name, StepId, TimeOfDay
from chalicelib.journeys.condition_values import Scalar
from chalicelib.journeys.holidays import HOLIDAYS

Hours = Annotated[int, Field(ge=1, le=8760)]


class TriggerForm(BaseModel):
    """`where` is looked at once, when the event comes; absent: every event of the type."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    where: Condition | None = None


class OrderTrigger(TriggerForm):
    """Something happened to an order. Event properties: order_id, number, total, items, coupons, nth."""

    type: Literal[
        "order_placed",
        "order_paid",
        "order_completed",
        "order_cancelled",
        "order_refunded",
        "payment_failed",
        "order_delivered",
    ]


class CartTrigger(TriggerForm):
    """A cart or a checkout; how long counts as left is the store's setting. Event properties: cart_token, items,
    total, lines, coupons, checkout, restore_url.
    """

    type: Literal["cart_abandoned", "checkout_started", "checkout_abandoned", "wish_list_changed"]


class ViewTrigger(TriggerForm):
    """Looked at a product or category, or left the site. Event properties: product_id, categories; category; none.

    With `quiet_hours` the contact enters once nothing was heard of them on the site for so long: several views are one
    entry, whose event gathers them as `items`, and `where` is looked at then.
    """

    type: Literal["product_viewed", "category_viewed", "site_left"]
    quiet_hours: Hours | None = None


Watcher = Literal["viewed", "wished", "asked", "bought"]


class ProductTrigger(TriggerForm):
    """A product changed in a way its watchers want to hear of. Event properties: product_id, categories, and for a
    price was, price, percent. `category`: only products of it. `collect_hours`: gather so long into one event, `items`.

    `watchers`: contacts who viewed, wished for or asked about this product, or (`bought`, and of a published one
    `asked` too) about a category of it. Absent: viewed, wished, asked; of a published product bought, asked.
    """

    type: Literal["product_back_in_stock", "price_dropped", "product_published"]
    watchers: Annotated[tuple[Watcher, ...], Field(min_length=1, max_length=4)] | None = None
    category: Id | None = None
    at_least_percent: Annotated[int, Field(ge=1, le=99)] | None = None
    collect_hours: Hours | None = None


class ListTrigger(TriggerForm):
    """Joined or left this list. Event properties: list."""

    type: Literal["list_joined", "list_left"]
    list: Name


class SegmentTrigger(TriggerForm):
    """Began or ceased to belong to this segment."""

    type: Literal["segment_entered", "segment_left"]
    segment: Name


class TagTrigger(TriggerForm):
    """Was given or lost this tag. Event properties: tag."""

    type: Literal["tag_added", "tag_removed"]
    tag: Name


class ConsentTrigger(TriggerForm):
    """Subscribed to a channel or unsubscribed from it (any, if none is named). Event properties: channel, source."""

    type: Literal["subscribed", "unsubscribed"]
    channel: Channel | None = None


class ContactTrigger(TriggerForm):
    """A contact is new, wrote back, or had a service case closed."""

    type: Literal["contact_created", "contact_replied", "service_case_closed"]


class FieldTrigger(TriggerForm):
    """A custom field changed, from and to what if that matters. Event properties: field, from, to."""

    type: Literal["field_changed"]
    field: Name
    before: Annotated[Scalar | None, Field(alias="from")] = None
    after: Annotated[Scalar | None, Field(alias="to")] = None


class AnswerTrigger(TriggerForm):
    """A form or survey was answered (any, if none is named)."""

    type: Literal["form_answered", "survey_answered"]
    form: Name | None = None


class MessageTrigger(TriggerForm):
    """Something became of a message, of any journey, step and channel unless named. A bounce is a failure, a
    complaint that it was called spam.

    Event properties: message_id, journey, step, channel, and of a click link.
    """

    type: Literal["message_opened", "message_clicked", "message_delivered", "message_failed", "message_complained"]
    journey: Name | None = None
    step: StepId | None = None
    channel: Channel | None = None
    link: Annotated[str, Field(min_length=1, max_length=2000)] | None = None


class LinkTrigger(TriggerForm):
    """A smart link was clicked or a file downloaded."""

    type: Literal["smart_link_clicked", "file_downloaded"]
    name: Name


class DateTrigger(TriggerForm):
    """So many days before or after a date field of the contact, once or every year, `at` this time of the store's day.

    `field` is an own field, or `created_at` for the day on which the contact joined. 29 February is kept on the 28th
    in other years. Event properties: field, date (the day itself), days, when, at, years (since the field's own).
    """

    type: Literal["date_field"]
    field: Name
    at: TimeOfDay = "09:00"
    days: Annotated[int, Field(ge=0, le=365)] = 0
    when: Literal["before", "after"] = "before"
    yearly: bool = False


class HolidayTrigger(TriggerForm):
    """So many days before a holiday of the Gregorian or Hebrew calendar (`journeys.holidays` names them).

    Every contact of the store that `where` is true of enters. Event properties: holiday, date, days_before, at.
    """

    type: Literal["holiday"]
    holiday: Annotated[Name, Field(json_schema_extra={"enum": sorted(HOLIDAYS)})]
    at: TimeOfDay = "09:00"
    days_before: Annotated[int, Field(ge=0, le=365)] = 0

    @field_validator("holiday")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in HOLIDAYS:
            raise ValueError(f"expected one of {', '.join(sorted(HOLIDAYS))}")
        return name


class InactivityTrigger(TriggerForm):
    """None of these for so many days; `lifetime` prefers the last bought product's lifetime in days.

    Who never ordered is not meant by `order`; of the others the day of joining counts as a first one. Who was inactive
    for longer already when the journey was switched on does not enter. Event properties: of, days (of the trigger),
    since (the day of the last one), at, lifetime, lifetime_days (of the product, where that counted).
    """

    type: Literal["inactivity"]
    at: TimeOfDay = "09:00"
    of: Annotated[tuple[Literal["order", "visit", "open", "click"], ...], Field(min_length=1, max_length=4)]
    days: Days
    lifetime: bool = False


class ThresholdTrigger(TriggerForm):
    """The contact's orders or spending (minor units) reached a threshold."""

    type: Literal["threshold_reached"]
    of: Literal["orders_count", "total_spent"]
    value: Annotated[int, Field(ge=1, le=10**12)]


class CouponTrigger(TriggerForm):
    """A coupon of ours was used."""

    type: Literal["coupon_redeemed"]
    coupon: Name | None = None


class JourneyTrigger(TriggerForm):
    """Entered another journey: for `exits` only. Event properties: journey."""

    type: Literal["journey_entered"]
    journey: StepId


class ApiTrigger(TriggerForm):
    """An event of this type was sent over the API."""

    type: Literal["api_event"]
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.:-]{0,63}$")]


TRIGGERS: dict[str, type[TriggerForm]] = {
    name: form
    for form in (
        OrderTrigger,
        CartTrigger,
        ViewTrigger,
        ProductTrigger,
        ListTrigger,
        SegmentTrigger,
        TagTrigger,
        ConsentTrigger,
        ContactTrigger,
        FieldTrigger,
        AnswerTrigger,
        MessageTrigger,
        LinkTrigger,
        DateTrigger,
        HolidayTrigger,
        InactivityTrigger,
        ThresholdTrigger,
        CouponTrigger,
        JourneyTrigger,
        ApiTrigger,
    )
    for name in get_args(form.model_fields["type"].annotation)
}

ON_SCHEDULE = frozenset({"date_field", "holiday", "inactivity"})
"""Found by a schedule, not told by anybody: they begin journeys, but cannot be waited for or end one."""


def _trigger_tag(value: Any) -> str | None:
    kind = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
    form = TRIGGERS.get(kind) if isinstance(kind, str) else None
    return f"<{form.__name__}>" if form else None


Trigger = Annotated[
    Annotated[OrderTrigger, Tag("<OrderTrigger>")]
    | Annotated[CartTrigger, Tag("<CartTrigger>")]
    | Annotated[ViewTrigger, Tag("<ViewTrigger>")]
    | Annotated[ProductTrigger, Tag("<ProductTrigger>")]
    | Annotated[ListTrigger, Tag("<ListTrigger>")]
    | Annotated[SegmentTrigger, Tag("<SegmentTrigger>")]
    | Annotated[TagTrigger, Tag("<TagTrigger>")]
    | Annotated[ConsentTrigger, Tag("<ConsentTrigger>")]
    | Annotated[ContactTrigger, Tag("<ContactTrigger>")]
    | Annotated[FieldTrigger, Tag("<FieldTrigger>")]
    | Annotated[AnswerTrigger, Tag("<AnswerTrigger>")]
    | Annotated[MessageTrigger, Tag("<MessageTrigger>")]
    | Annotated[LinkTrigger, Tag("<LinkTrigger>")]
    | Annotated[DateTrigger, Tag("<DateTrigger>")]
    | Annotated[HolidayTrigger, Tag("<HolidayTrigger>")]
    | Annotated[InactivityTrigger, Tag("<InactivityTrigger>")]
    | Annotated[ThresholdTrigger, Tag("<ThresholdTrigger>")]
    | Annotated[CouponTrigger, Tag("<CouponTrigger>")]
    | Annotated[JourneyTrigger, Tag("<JourneyTrigger>")]
    | Annotated[ApiTrigger, Tag("<ApiTrigger>")],
    Discriminator(
        _trigger_tag,
        custom_error_type="unknown_type",
        custom_error_message="expected a trigger with a type of " + ", ".join(TRIGGERS),
    ),
]


def event_type(trigger: Trigger) -> str:
    """The type of the events that start it: for `api_event` its name."""
    return trigger.name if isinstance(trigger, ApiTrigger) else trigger.type


def watchers_of(trigger: ProductTrigger) -> frozenset[str]:
    """As what a contact must watch the product."""
    usual = ("bought", "asked") if trigger.type == "product_published" else ("viewed", "wished", "asked")
    return frozenset(trigger.watchers or usual)
