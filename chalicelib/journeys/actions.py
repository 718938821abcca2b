"""The steps of a journey. Every action of the product is in the model; `not_yet` tells what cannot run now."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from chalicelib.contacts.consent import Channel
from chalicelib.journeys.condition_forms import Condition, Days, Name, StepId, TimeOfDay, Weekday
from chalicelib.journeys.condition_values import Value
from chalicelib.journeys.triggers import Trigger
from chalicelib.messages.content_model import EmailContent, Language, Line, Link, Text
from chalicelib.messages.message import MessageKind

LocalText = Annotated[dict[Language, Line], Field(max_length=20)]
LocalLongText = Annotated[dict[Language, Text], Field(min_length=1, max_length=20)]
LONGEST_WAIT = timedelta(days=365)


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StepForm(Part):
    """`id` never changes, titles may: claims, reports and the state machine use ids."""

    id: StepId
    title: LocalText = Field(default_factory=dict)


class Duration(Part):
    """Added up: 1 second to 365 days."""

    days: Annotated[int, Field(ge=0, le=365)] = 0
    hours: Annotated[int, Field(ge=0, le=8760)] = 0
    minutes: Annotated[int, Field(ge=0, le=525_600)] = 0
    seconds: Annotated[int, Field(ge=0, le=31_536_000)] = 0

    @model_validator(mode="after")
    def _bounded(self) -> Duration:
        if not timedelta(seconds=1) <= self.length <= LONGEST_WAIT:
            raise ValueError("a wait lasts from 1 second to 365 days")
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
    """A date field of the contact, moved by `plus_days` (may be negative)."""

    field: Name
    plus_days: Annotated[int, Field(ge=-365, le=365)] = 0


class UntilTime(Part):
    """The next such weekday and time of day on the store's or the contact's clock."""

    weekdays: Annotated[tuple[Weekday, ...], Field(min_length=1, max_length=7)] | None = None
    at: TimeOfDay
    zone: Literal["store", "contact"] = "store"


class UntilEvent(Part):
    """An event of the contact, at most so long; first it is looked whether it came already."""

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
        """Whether its end depends on the contact, so that a task (or the start) must work it out."""
        return self.duration is None


class SendEmail(StepForm):
    """Marketing needs consent and minds caps and quiet hours; transactional does not. `content` by language."""

    type: Literal["send_email"]
    kind: MessageKind = MessageKind.MARKETING
    content: Annotated[dict[Language, EmailContent], Field(min_length=1, max_length=20)]


class SendText(StepForm):
    """An SMS or a WhatsApp message; `text` is Liquid, by language; `template` is WhatsApp's approved template.

    Marketing SMS say by themselves who sends them, how to have no more and, in Israel, that they advertise.
    """

    type: Literal["send_sms", "send_whatsapp"]
    kind: MessageKind = MessageKind.MARKETING
    text: LocalLongText
    template: Name | None = None


class AlertManager(StepForm):
    """Tell the store's manager, with the contact's details and these fields."""

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
    """Change a custom field. `only_if_empty` keeps what is there already; `clear` and `today` take no value."""

    type: Literal["set_field"]
    field: Name
    change: Literal["set", "clear", "add", "subtract", "append", "today"] = "set"
    value: Value | None = None
    only_if_empty: bool = False

    @model_validator(mode="after")
    def _value_suits(self) -> SetField:
        if self.change in ("clear", "today"):
            if self.value is not None:
                raise ValueError(f"{self.change} takes no value")
        elif self.value is None:
            raise ValueError(f"{self.change} needs a value")
        if self.change in ("add", "subtract") and (isinstance(self.value, bool | str | tuple)):
            raise ValueError(f"{self.change} needs a number as its value")
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

    `not_within_days`: nobody who had a benefit so recently gets another. Off until the owner switches it on.
    """

    type: Literal["create_coupon"]
    enabled: bool = False
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
    """A signed POST with the contact's id and these fields."""

    type: Literal["call_webhook"]
    url: Link
    fields: Annotated[tuple[Name, ...], Field(max_length=50)] = ()


class OtherJourney(StepForm):
    """Start another journey for this contact, or end its pass there."""

    type: Literal["start_journey", "stop_journey"]
    journey: StepId


class Branch(StepForm):
    """One of two ways; both come together again after it."""

    type: Literal["branch"]
    condition: Annotated[Condition, Field(alias="if")]
    then: tuple[Step, ...] = ()
    otherwise: Annotated[tuple[Step, ...], Field(alias="else")] = ()


class Way(Part):
    """One way of a split; a control group is a way without steps."""

    name: StepId
    weight: Annotated[int, Field(ge=1, le=100)]
    steps: tuple[Step, ...] = ()


class Split(StepForm):
    """Contacts parted at random, by weight, the same way every time; the ways come together again after it."""

    type: Literal["split"]
    ways: Annotated[tuple[Way, ...], Field(min_length=2, max_length=10)]


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

EXECUTABLE = frozenset(
    {
        "wait",
        "send_email",
        "send_sms",
        "branch",
        "end",
        "add_to_list",
        "remove_from_list",
        "add_tag",
        "remove_tag",
        "set_field",
    }
)


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


def reason_not_yet(step: Step) -> str | None:
    """Why this step cannot run yet, or None if it can."""
    if step.type not in EXECUTABLE:
        return f"{step.type} steps cannot run yet"
    if isinstance(step, Wait) and step.duration is None and step.lifetime is None:
        return "only waits with for or lifetime can run yet"
    if isinstance(step, SetField) and step.change not in ("set", "clear"):
        return f"set_field can only set or clear yet, not {step.change}"
    return None
