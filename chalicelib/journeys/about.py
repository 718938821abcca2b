"""What a trigger is about: its list, field, product or holiday, held against what an event says."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from chalicelib.journeys.triggers import (
    AnswerTrigger,
    ConsentTrigger,
    CouponTrigger,
    DateTrigger,
    FieldTrigger,
    HolidayTrigger,
    InactivityTrigger,
    JourneyTrigger,
    LinkTrigger,
    ListTrigger,
    MessageTrigger,
    ProductTrigger,
    SegmentTrigger,
    TagTrigger,
    ThresholdTrigger,
    Trigger,
    TriggerForm,
    watchers_of,
)


def concerns(trigger: Trigger, properties: Mapping[str, Any]) -> bool:
    """Whether an event of the right type is about this trigger's list, field, product, … `where` comes after."""
    match trigger:
        case FieldTrigger():
            return (
                properties.get("field") == trigger.field
                and (trigger.before is None or properties.get("from") == trigger.before)
                and (trigger.after is None or properties.get("to") == trigger.after)
            )
        case AnswerTrigger():
            return trigger.form in (None, properties.get("form"), properties.get("survey"))
        case ProductTrigger():
            return (
                _is_watched(trigger, properties.get("watched_as"))
                and _of_category(trigger.category, properties)
                and _at_least(trigger.at_least_percent, properties.get("percent"))
            )
        case DateTrigger():
            day_itself = not properties.get("years")
            return _same(trigger, properties, "field", "days", "when", "at") and (trigger.yearly or day_itself)
        case HolidayTrigger():
            return _same(trigger, properties, "holiday", "days_before", "at")
        case InactivityTrigger():
            same_kind = set(_texts(properties.get("of"))) == set(trigger.of)
            any_days = trigger.lifetime and "lifetime" not in properties
            return same_kind and _same(trigger, properties, "at", "lifetime", *([] if any_days else ["days"]))
        case _:
            asked = ((name, getattr(trigger, name)) for name in _TOLD_APART.get(type(trigger), ()))
            return all(wanted is None or properties.get(name) == wanted for name, wanted in asked)


_TOLD_APART: dict[type[TriggerForm], tuple[str, ...]] = {
    ListTrigger: ("list",),
    SegmentTrigger: ("segment",),
    TagTrigger: ("tag",),
    ConsentTrigger: ("channel",),
    MessageTrigger: ("journey", "step", "channel", "link"),
    LinkTrigger: ("name",),
    ThresholdTrigger: ("of", "value"),
    CouponTrigger: ("coupon",),
    JourneyTrigger: ("journey",),
}
"""The properties that must be as the trigger names them; what it leaves out may be anything."""


def _same(trigger: Trigger, properties: Mapping[str, Any], *names: str) -> bool:
    """Whether the calendar found it by a rule like this one; what the event does not say is as the trigger has it."""
    return all(properties.get(name, getattr(trigger, name)) == getattr(trigger, name) for name in names)


def _is_watched(trigger: ProductTrigger, watched_as: Any) -> bool:
    """`watched_as` is in the event as a contact is told it; before that it is about whom it may concern."""
    return watched_as is None or not watchers_of(trigger).isdisjoint(watched_as)


def _of_category(wanted: str | None, properties: Mapping[str, Any]) -> bool:
    return wanted is None or wanted in _texts(properties.get("categories"))


def _at_least(wanted: int | None, told: Any) -> bool:
    return wanted is None or (isinstance(told, int | float | Decimal) and told >= wanted)


def _texts(told: Any) -> list[str]:
    """A list of texts, or one text; whatever else somebody told is none."""
    several = told if isinstance(told, list | tuple) else [told]
    return [one for one in several if isinstance(one, str)]
