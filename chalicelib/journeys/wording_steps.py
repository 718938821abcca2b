"""Steps in a shop owner's words: what kind each is, and what exactly it does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from chalicelib.journeys.actions import (
    AlertManager,
    Branch,
    CallWebhook,
    ChangeAudience,
    ChangeList,
    ChangeSubscription,
    ChangeTag,
    CouponExpiry,
    CreateCoupon,
    Duration,
    Lifetime,
    OtherJourney,
    SendEmail,
    SendText,
    SetField,
    Split,
    Step,
    UntilDate,
    UntilEvent,
    UntilTime,
    Wait,
)
from chalicelib.journeys.wording import (
    CHANNELS,
    WEEKDAYS,
    Pair,
    length_of,
    listed,
    localised,
    many,
    say,
    subject_in_words,
    word,
)
from chalicelib.journeys.wording_conditions import Titles, condition_in_words
from chalicelib.journeys.wording_triggers import trigger_in_words

STEPS: Mapping[str, Pair] = {
    "wait": ("המתנה", "Wait"),
    "send_email": ("שליחת מייל", "Send an email"),
    "branch": ("בדיקה", "Check"),
    "split": ("פיצול אקראי", "Split at random"),
    "end": ("סוף המסע", "End of the journey"),
    "add_to_list": ("הוספה לרשימה", "Add to a list"),
    "remove_from_list": ("הסרה מרשימה", "Remove from a list"),
    "add_tag": ("הוספת תגית", "Add a tag"),
    "remove_tag": ("הסרת תגית", "Remove a tag"),
    "set_field": ("עדכון שדה", "Change a field"),
    "send_sms": ("שליחת SMS", "Send an SMS"),
    "send_whatsapp": ("שליחת WhatsApp", "Send a WhatsApp message"),
    "alert_manager": ("התראה למנהל", "Alert the manager"),
    "create_coupon": ("יצירת קופון", "Create a coupon"),
    "subscribe": ("רישום לדיוור", "Subscribe"),
    "unsubscribe": ("הסרה מדיוור", "Unsubscribe"),
    "add_to_audience": ("הוספה לקהל", "Add to an audience"),
    "remove_from_audience": ("הסרה מקהל", "Remove from an audience"),
    "call_webhook": ("קריאה למערכת אחרת", "Call another system"),
    "start_journey": ("התחלת מסע אחר", "Start another journey"),
    "stop_journey": ("סיום מסע אחר", "Stop another journey"),
}

_CHANGES: Mapping[str, Pair] = {
    "set": ("{field} = {value}", "{field} = {value}"),
    "clear": ("ריקון {field}", "empty {field}"),
    "add": ("{field} + {value}", "{field} + {value}"),
    "subtract": ("{field} − {value}", "{field} − {value}"),
    "append": ("הוספת {value} אל {field}", "append {value} to {field}"),
    "today": ("{field} = התאריך של היום", "{field} = today's date"),
    "sum": ("{field} = הסכום של {value}", "{field} = the sum of {value}"),
}


def title_of(step: Step, locale: str) -> str:
    """The owner's own title, else what kind of step it is."""
    return localised(step.title, locale) or say(STEPS[step.type], locale)


def detail_of(step: Step, locale: str, titles: Titles | None = None) -> str:
    """What the step does exactly, in a few words. `titles`: what the reader calls the steps it asks about."""
    said = _detail(step, locale, titles or {})
    if step.on_failure != "end":
        return said
    fails = say(("אם נכשל, המסע נגמר", "if it fails, the journey ends"), locale)
    return f"{said} ({fails})" if said else fails


def _detail(step: Step, locale: str, titles: Titles) -> str:
    match step:
        case SendEmail():
            content = step.content.get(locale) or next(iter(step.content.values()))
            return _without_liquid(content.subject)
        case SendText() | AlertManager():
            return " ".join(_without_liquid(step.text.get(locale) or next(iter(step.text.values()))).split())
        case Wait():
            return _wait(step, locale)
        case Branch():
            return condition_in_words(step.condition, locale, titles)
        case Split():
            whole = sum(way.weight for way in step.ways)
            return " / ".join(f"{way.name} {round(100 * way.weight / whole)}%" for way in step.ways)
        case SetField():
            return _field_change(step, locale)
        case CreateCoupon():
            return _coupon(step, locale)
        case _:
            return _plain(step, locale)


def _plain(step: Step, locale: str) -> str:
    """Of steps that say it with one name."""
    match step:
        case ChangeList():
            return step.list
        case ChangeTag():
            return step.tag
        case ChangeAudience():
            return step.audience
        case ChangeSubscription():
            return f"{say(CHANNELS[step.channel], locale)} ({step.reason})"
        case CallWebhook():
            return urlsplit(_without_liquid(step.url)).hostname or ""
        case OtherJourney():
            return step.journey
        case _:
            return ""


def _without_liquid(text: str) -> str:
    """What is filled in for each contact is an ellipsis; the logic around it is left out."""
    return re.sub(r"\{%.*?%\}", "", re.sub(r"\{\{.*?\}\}", "…", text))


def _wait(wait: Wait, locale: str) -> str:
    match wait:
        case Wait(duration=Duration() as duration):
            return length_of(duration, locale)
        case Wait(lifetime=Lifetime() as lifetime):
            return _lifetime(lifetime, locale)
        case Wait(until_date=UntilDate() as until):
            return _until_date(until, locale)
        case Wait(until_time=UntilTime() as until):
            return _until_time(until, locale)
        case Wait(until_event=UntilEvent() as until):
            event, most = trigger_in_words(until.event, locale), length_of(until.at_most, locale)
            return say((f"עד: {event}, לכל היותר {most}", f"until: {event}, at most {most}"), locale)
        case _:
            return ""


def _lifetime(lifetime: Lifetime, locale: str) -> str:
    until = say(("עד שהמוצר אמור להיגמר", "until the product should run out"), locale)
    if not lifetime.minus_days:
        return until
    days = many(lifetime.minus_days, "days", locale)
    return say((f"עד {days} לפני שהמוצר אמור להיגמר", f"until {days} before the product should run out"), locale)


def _until_date(until: UntilDate, locale: str) -> str:
    day = until.field
    if until.plus_days:
        days = many(abs(until.plus_days), "days", locale)
        after = until.plus_days > 0
        day = say(
            (f"{days} {'אחרי' if after else 'לפני'} {day}", f"{days} {'after' if after else 'before'} {day}"), locale
        )
    if until.yearly:
        day += say((", בכל שנה", ", every year"), locale)
    return say((f"עד {day}, בשעה {until.at}", f"until {day}, at {until.at}"), locale) + _zone(until.zone, locale)


def _until_time(until: UntilTime, locale: str) -> str:
    days = listed([say(WEEKDAYS[day], locale) for day in until.weekdays or ()], locale)
    he, en = (f"עד יום {days} בשעה {until.at}", f"until {days} at {until.at}") if days else ("", "")
    return say((he or f"עד השעה {until.at}", en or f"until {until.at}"), locale) + _zone(until.zone, locale)


def _zone(zone: str, locale: str) -> str:
    return say((" (שעון איש הקשר)", " (the contact's clock)"), locale) if zone == "contact" else ""


def _field_change(step: SetField, locale: str) -> str:
    value = ", ".join(step.fields) if step.change == "sum" else step.value
    if step.units_of is not None:
        subject = subject_in_words(step.units_of, locale).removeprefix("את ")
        value = say((f"יחידות שנקנו: {subject}", f"units bought: {subject}"), locale)
    if isinstance(value, tuple):
        value = ", ".join(str(one) for one in value)
    said = say(_CHANGES[step.change], locale).format(field=step.field, value=value)
    if step.only_if_empty:
        said += say((", אם ריק", ", if empty"), locale)
    if step.undo_on_refund:
        said += say((", מתבטל בהחזר", ", undone by a refund"), locale)
    return said


def _coupon(step: CreateCoupon, locale: str) -> str:
    parts = [_benefit(step, locale), _expiry(step.expiry, locale)]
    if step.not_within_days:
        days = many(step.not_within_days, "days", locale)
        parts.append(say((f"לא למי שקיבלו הטבה לפני פחות מ־{days}", f"nobody who had one within {days}"), locale))
    return ", ".join([*([] if step.enabled else [word("off", locale)]), *parts])


def _benefit(step: CreateCoupon, locale: str) -> str:
    match step.benefit:
        case "percent":
            return say((f"{step.value}% הנחה", f"{step.value}% off"), locale)
        case "amount":
            amount = f"{(step.value or 0) / 100:,.2f}"
            return say((f"{amount} הנחה", f"{amount} off"), locale)
        case "free_shipping":
            return say(("משלוח חינם", "free shipping"), locale)
        case "gift_product":
            return say(("מוצר במתנה", "a gift product"), locale)
        case "buy_x_get_y":
            return say(("קונים ומקבלים", "buy one, get another"), locale)


def _expiry(expiry: CouponExpiry, locale: str) -> str:
    if expiry.days:
        days = many(expiry.days, "days", locale)
        return say((f"בתוקף {days}", f"good for {days}"), locale)
    if expiry.date:
        return say((f"בתוקף עד {expiry.date}", f"good until {expiry.date}"), locale)
    return say(("בתוקף עד סוף החודש", "good until the end of the month"), locale)
