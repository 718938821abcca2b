"""The steps of a journey: every action of the product."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from chalicelib.contacts.consent import Channel
from chalicelib.journeys.condition_forms import Condition, Days, Name, StepId, Subject, TimeOfDay, Weekday
from chalicelib.journeys.condition_values import Value
from chalicelib.journeys.limits import LONGEST_EXECUTION, LONGEST_WAIT
from chalicelib.journeys.triggers import Trigger
from chalicelib.messages.block_forms import Line, Link, Text
from chalicelib.messages.content_model import EmailContent, Language
from chalicelib.messages.message import MessageKind

LocalText = Annotated[dict[Language, Line], Field(max_length=20)]
LocalLongText = Annotated[dict[Language, Text], Field(min_length=1, max_length=20)]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StepForm(Part):
    """`id` never changes, titles may: claims, reports and the state machine use ids.

    `on_failure`: what follows when the step fails for good. `continue`: the next step, where `{step: {step, is:
    failed}}` may ask about it; `end`: the pass ends as failed, with the reason.
    """

    id: StepId
    title: LocalText = Field(default_factory=dict)
    on_failure: Literal["continue", "end"] = "continue"


class Duration(Part):
    """Added up: 1 second to 365 days."""

    days: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    hours: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    minutes: Annotated[int, Field(ge=0, le=1_000_000_000)] = 0
    seconds: Annotated[int, Field(ge=0, le=1_000_000_000)] = 0

    @model_validator(mode="after")
    def _bounded(self) -> Duration:
        if not timedelta(seconds=1) <= self.length <= LONGEST_WAIT:
            raise ValueError("a wait lasts from 1 second to 365 days; for longer use until_date, or several waits")
        return self

    @property
    def length(self) -> timedelta:
        return timedelta(days=self.days, hours=self.hours, minutes=self.minutes, seconds=self.seconds)


class Lifetime(Part):
    """The lifetime of the product of the journey's event, counted from that event, less `minus_days`.

    Several products: the shortest lifetime. None has one: `default_days`.
    """

    minus_days: Annotated[int, Field(ge=0, le=365)] = 0
    default_days: Annotated[int, Field(ge=1, le=365)]


class UntilDate(Part):
    """A date field of the contact (its next yearly return with `yearly`), moved by `plus_days` (may be negative).

    A field that holds a time is that time; one that holds a date is `at` this time of that day in `zone`. Without a
    date, or past it already, the journey goes on at once. 29 February is kept on the 28th in other years.
    """

    field: Name
    plus_days: Annotated[int, Field(ge=-365, le=365)] = 0
    yearly: bool = False
    at: TimeOfDay = "09:00"
    zone: Literal["store", "contact"] = "store"


class UntilTime(Part):
    """The next such weekday and time of day on the store's or the contact's clock.

    A time that the clock skips in spring is the moment after the gap; of one that comes twice in autumn, the first.
    """

    weekdays: Annotated[tuple[Weekday, ...], Field(min_length=1, max_length=7)] | None = None
    at: TimeOfDay
    zone: Literal["store", "contact"] = "store"


class UntilEvent(Part):
    """An event of the contact, at most so long; one since the contact entered counts, if it was not waited for yet."""

    event: Trigger
    at_most: Duration


class Wait(StepForm):
    """Exactly one of `for`, `lifetime`, `until_date`, `until_time`, `until_event`."""

    type: Literal["wait"]
    duration: Annotated[Duration | None, Field(alias="for")] = None
    lifetime: Lifetime | None = None
    until_date: UntilDate | None = None
    until_time: UntilTime | None = None
    until_event: UntilEvent | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Wait:
        ways = (self.duration, self.lifetime, self.until_date, self.until_time, self.until_event)
        if sum(way is not None for way in ways) != 1:
            raise ValueError("a wait needs exactly one of for, lifetime, until_date, until_time, until_event")
        return self

    @property
    def computed(self) -> bool:
        """Whether a task (or the start) must work out its end: it depends on the contact, or is too far for one go."""
        return self.duration is None or self.duration.length > LONGEST_EXECUTION


class SendEmail(StepForm):
    """Marketing needs consent and minds caps and quiet hours; transactional does not. `content` by language.

    `template` names a template of the store's, or a ready one. Without `content` its words are taken as they are when
    the journey is saved; with `content` it only tells where the words came from.
    """

    type: Literal["send_email"]
    kind: MessageKind = MessageKind.MARKETING
    template: Name | None = None
    content: Annotated[dict[Language, EmailContent], Field(max_length=20)] = {}

    @model_validator(mode="after")
    def _some_words(self) -> SendEmail:
        if not self.content and self.template is None:
            raise ValueError("expected content in at least one language, or a template")
        return self


class SendText(StepForm):
    """An SMS or a WhatsApp message; `text` is Liquid, by language; `template` is WhatsApp's approved template, whose
    places `variables` fill in their order (without them, `text` is the one).

    Marketing SMS say by themselves who sends them, how to have no more and, in Israel, that they advertise.
    """

    type: Literal["send_sms", "send_whatsapp"]
    kind: MessageKind = MessageKind.MARKETING
    text: LocalLongText
    template: Name | None = None
    variables: Annotated[dict[Language, Annotated[tuple[Line, ...], Field(max_length=20)]], Field(max_length=20)] = {}


class AlertManager(StepForm):
    """Tell the store's manager (settings.manager), with the contact's details and these own fields. `text`: Liquid."""

    type: Literal["alert_manager"]
    channels: Annotated[tuple[Channel, ...], Field(min_length=1, max_length=3)] = (Channel.EMAIL,)
    text: LocalLongText
    fields: Annotated[tuple[Name, ...], Field(max_length=50)] = ()


class ChangeList(StepForm):
    type: Literal["add_to_list", "remove_from_list"]
    list: Name


class ChangeTag(StepForm):
    type: Literal["add_tag", "remove_tag"]
    tag: Name


class SetField(StepForm):
    """Change a custom field. `only_if_empty` keeps what is there already; `clear`, `today` and `sum` take no value.

    `add` and `subtract` count from 0 and may take `units_of` instead of a value: how many units of it (of anything, if
    neither is named) the order of the journey's event has. `undo_on_refund`: taken back, once, when that order is
    cancelled or refunded in full. `sum` is that of the number fields in `fields` as they are at that moment. `append`
    makes a list of what was there. `today` is the date on the store's clock.
    """

    type: Literal["set_field"]
    field: Name
    change: Literal["set", "clear", "add", "subtract", "append", "today", "sum"] = "set"
    value: Value | None = None
    units_of: Subject | None = None
    fields: Annotated[tuple[Name, ...], Field(max_length=50)] = ()
    only_if_empty: bool = False
    undo_on_refund: bool = False

    @model_validator(mode="after")
    def _value_suits(self) -> SetField:
        counts = self.change in ("add", "subtract")
        if self.change in ("clear", "today", "sum"):
            if self.value is not None:
                raise ValueError(f"{self.change} takes no value")
        elif self.value is None and self.units_of is None:
            raise ValueError(f"{self.change} needs a value")
        if counts and (isinstance(self.value, bool | str | tuple)):
            raise ValueError(f"{self.change} needs a number as its value")
        if self.units_of is not None and (not counts or self.value is not None):
            raise ValueError("units_of goes with add or subtract, instead of a value")
        if self.undo_on_refund and not counts:
            raise ValueError("undo_on_refund goes with add or subtract")
        if (self.change == "sum") != bool(self.fields):
            raise ValueError("fields goes with sum, and only with it")
        if self.change == "clear" and self.only_if_empty:
            raise ValueError("clear and only_if_empty exclude each other")
        return self


class CouponExpiry(Part):
    """Exactly one: so many days, a fixed date, or the end of the month."""

    days: Days | None = None
    date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = None
    end_of_month: Literal[True] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> CouponExpiry:
        if sum(way is not None for way in (self.days, self.date, self.end_of_month)) != 1:
            raise ValueError("an expiry needs exactly one of days, date, end_of_month")
        return self


class CreateCoupon(StepForm):
    """A unique code made in the store, which later messages can show. Amounts in minor units.

    `not_within_days`: nobody who had a benefit so recently gets another. Off until the owner switches it on. A step
    that is off, or refuses so, is `skipped`. `name` is what `coupon_redeemed` knows it by.
    """

    type: Literal["create_coupon"]
    enabled: bool = False
    name: Name | None = None
    benefit: Literal["amount", "percent", "free_shipping", "gift_product", "buy_x_get_y"]
    value: Annotated[int, Field(ge=1, le=10**9)] | None = None
    gift_product: Name | None = None
    expiry: CouponExpiry
    minimum_total: Annotated[int, Field(ge=1, le=10**12)] | None = None
    minimum_units: Annotated[int, Field(ge=1, le=1000)] | None = None
    usage_limit: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    products: Annotated[tuple[Name, ...], Field(max_length=200)] = ()
    categories: Annotated[tuple[Name, ...], Field(max_length=200)] = ()
    not_within_days: Days | None = None


class ChangeSubscription(StepForm):
    """Subscribe to or unsubscribe from a channel; `reason` goes into the consent's source."""

    type: Literal["subscribe", "unsubscribe"]
    channel: Channel
    reason: Name


class ChangeAudience(StepForm):
    """An advertising audience."""

    type: Literal["add_to_audience", "remove_from_audience"]
    audience: Name


class CallWebhook(StepForm):
    """A signed POST of {id, journey, step, contact: {id, email, phone, names, fields}, event}; own fields as named."""

    type: Literal["call_webhook"]
    url: Link
    fields: Annotated[tuple[Name, ...], Field(max_length=50)] = ()


class OtherJourney(StepForm):
    """Start another journey for this contact, by this one's event (its re-entry rule decides), or end its pass."""

    type: Literal["start_journey", "stop_journey"]
    journey: StepId


class Branch(StepForm):
    """One of two ways; both come together again after it."""

    type: Literal["branch"]
    condition: Annotated[Condition, Field(alias="if")]
    then: tuple[Step, ...] = ()
    otherwise: Annotated[tuple[Step, ...], Field(alias="else")] = ()


class Way(Part):
    """One way of a split; a control group is a way that sends nothing: `{end}`, or no steps where none follow."""

    name: StepId
    weight: Annotated[int, Field(ge=1, le=100)]
    steps: tuple[Step, ...] = ()


class Split(StepForm):
    """Contacts parted at random, by weight, the same way every time; the ways come together again after it."""

    type: Literal["split"]
    ways: Annotated[tuple[Way, ...], Field(min_length=2, max_length=10)]

    @model_validator(mode="after")
    def _told_apart(self) -> Split:
        if len({way.name for way in self.ways}) < len(self.ways):
            raise ValueError("two ways have the same name; give each its own")
        return self


class End(StepForm):
    """The journey is over for the contact here."""

    type: Literal["end"]


STEPS: dict[str, type[StepForm]] = {
    "wait": Wait,
    "send_email": SendEmail,
    "branch": Branch,
    "end": End,
    "add_to_list": ChangeList,
    "remove_from_list": ChangeList,
    "add_tag": ChangeTag,
    "remove_tag": ChangeTag,
    "set_field": SetField,
    "send_sms": SendText,
    "send_whatsapp": SendText,
    "alert_manager": AlertManager,
    "create_coupon": CreateCoupon,
    "subscribe": ChangeSubscription,
    "unsubscribe": ChangeSubscription,
    "add_to_audience": ChangeAudience,
    "remove_from_audience": ChangeAudience,
    "call_webhook": CallWebhook,
    "start_journey": OtherJourney,
    "stop_journey": OtherJourney,
    "split": Split,
}

MAY_HAVE_TO_WAIT = frozenset(
    {"send_email", "send_sms", "send_whatsapp", "alert_manager", "create_coupon", "call_webhook"}
)
"""Steps that raise `NotNow`: while messages may not go out, or another system does not answer."""


def _step_tag(value: Any) -> str | None:
    kind = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
    form = STEPS.get(kind) if isinstance(kind, str) else None
    return f"<{form.__name__}>" if form else None


Step = Annotated[
    Annotated[Wait, Tag("<Wait>")]
    | Annotated[SendEmail, Tag("<SendEmail>")]
    | Annotated[Branch, Tag("<Branch>")]
    | Annotated[End, Tag("<End>")]
    | Annotated[ChangeList, Tag("<ChangeList>")]
    | Annotated[ChangeTag, Tag("<ChangeTag>")]
    | Annotated[SetField, Tag("<SetField>")]
    | Annotated[SendText, Tag("<SendText>")]
    | Annotated[AlertManager, Tag("<AlertManager>")]
    | Annotated[CreateCoupon, Tag("<CreateCoupon>")]
    | Annotated[ChangeSubscription, Tag("<ChangeSubscription>")]
    | Annotated[ChangeAudience, Tag("<ChangeAudience>")]
    | Annotated[CallWebhook, Tag("<CallWebhook>")]
    | Annotated[OtherJourney, Tag("<OtherJourney>")]
    | Annotated[Split, Tag("<Split>")],
    Discriminator(
        _step_tag,
        custom_error_type="unknown_type",
        custom_error_message="expected a step with a type of " + ", ".join(STEPS),
    ),
]

for _form in (Branch, Way, Split):
    _form.model_rebuild()
