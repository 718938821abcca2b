"""Triggers in a shop owner's words."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.journeys.triggers import (
    AnswerTrigger,
    ApiTrigger,
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
    ViewTrigger,
)
from chalicelib.journeys.wording import CHANNELS, Pair, last_days, listed, many, say

TRIGGERS: Mapping[str, Pair] = {
    "order_placed": ("בוצעה הזמנה", "An order is placed"),
    "order_paid": ("הזמנה שולמה", "An order is paid"),
    "order_completed": ("הזמנה הושלמה", "An order is completed"),
    "order_cancelled": ("הזמנה בוטלה", "An order is cancelled"),
    "order_refunded": ("הזמנה זוכתה", "An order is refunded"),
    "order_delivered": ("הזמנה נמסרה", "An order is delivered"),
    "payment_failed": ("תשלום נכשל", "A payment fails"),
    "cart_abandoned": ("עגלה ננטשה", "A cart is abandoned"),
    "checkout_started": ("התחילו לשלם", "Checkout begins"),
    "checkout_abandoned": ("תשלום ננטש", "Checkout is abandoned"),
    "wish_list_changed": ("רשימת המשאלות השתנתה", "The wish list changes"),
    "product_viewed": ("צפו במוצר", "A product is viewed"),
    "category_viewed": ("צפו בקטגוריה", "A category is viewed"),
    "site_left": ("עזבו את האתר", "The site is left"),
    "product_back_in_stock": ("מוצר חזר למלאי", "A product is back in stock"),
    "price_dropped": ("מחיר ירד", "A price drops"),
    "product_published": ("מוצר חדש באתר", "A product is published"),
    "list_joined": ("הצטרפות לרשימה", "Joins a list"),
    "list_left": ("יציאה מרשימה", "Leaves a list"),
    "tag_added": ("תגית נוספה", "A tag is added"),
    "tag_removed": ("תגית הוסרה", "A tag is removed"),
    "subscribed": ("הצטרפות לדיוור", "Subscribes"),
    "unsubscribed": ("הסרה מדיוור", "Unsubscribes"),
    "journey_entered": ("כניסה למסע אחר", "Enters another journey"),
    "segment_entered": ("כניסה לפלח", "Enters a segment"),
    "segment_left": ("יציאה מפלח", "Leaves a segment"),
    "contact_created": ("איש קשר חדש", "A new contact"),
    "contact_replied": ("התקבלה תשובה", "A reply comes in"),
    "service_case_closed": ("פניית שירות נסגרה", "A service case is closed"),
    "field_changed": ("שדה השתנה", "A field changes"),
    "form_answered": ("טופס מולא", "A form is answered"),
    "survey_answered": ("סקר נענה", "A survey is answered"),
    "message_opened": ("הודעה נפתחה", "A message is opened"),
    "message_clicked": ("לחצו בהודעה", "A message is clicked"),
    "message_delivered": ("הודעה נמסרה", "A message is delivered"),
    "message_failed": ("הודעה נכשלה", "A message fails"),
    "message_complained": ("הודעה סומנה כספאם", "A message is called spam"),
    "smart_link_clicked": ("לחצו על קישור חכם", "A smart link is clicked"),
    "file_downloaded": ("הורידו קובץ", "A file is downloaded"),
    "date_field": ("תאריך של איש הקשר", "A date of the contact"),
    "holiday": ("חג", "A holiday"),
    "inactivity": ("אין פעילות", "Nothing happens for a while"),
    "threshold_reached": ("הגיעו לסף", "A threshold is reached"),
    "coupon_redeemed": ("קופון מומש", "A coupon is redeemed"),
    "api_event": ("אירוע מהממשק", "An event is sent"),
}

_WATCHERS: Mapping[str, Pair] = {
    "viewed": ("מי שצפו בו", "whoever viewed it"),
    "wished": ("מי ששמרו אותו ברשימת המשאלות", "whoever wished for it"),
    "asked": ("מי שביקשו לשמוע", "whoever asked to hear"),
    "bought": ("מי שקנו מהקטגוריה", "whoever bought from the category"),
}

_LACKING: Mapping[str, Pair] = {
    "order": ("הזמנה", "order"),
    "visit": ("ביקור", "visit"),
    "open": ("פתיחה", "open"),
    "click": ("לחיצה", "click"),
}


def trigger_in_words(trigger: Trigger, locale: str) -> str:
    """What happens, and of what."""
    said, of = say(TRIGGERS[trigger.type], locale), _named(trigger, locale)
    return f"{said}: {of}" if of else said


def trigger_detail(trigger: Trigger, locale: str) -> str:
    """What else is to know of it, without its filter; empty for most."""
    match trigger:
        case ViewTrigger(quiet_hours=int() as hours):
            quiet = many(hours, "hours", locale)
            return say((f"אחרי {quiet} של שקט", f"after {quiet} of quiet"), locale)
        case ProductTrigger():
            return _product_detail(trigger, locale)
        case DateTrigger(yearly=True):
            return say((f"בכל שנה, בשעה {trigger.at}", f"every year, at {trigger.at}"), locale)
        case DateTrigger() | HolidayTrigger():
            return say((f"בשעה {trigger.at}", f"at {trigger.at}"), locale)
        case InactivityTrigger(lifetime=True):
            return say(("או משך החיים של המוצר האחרון שקנו", "or as long as the last bought product lasts"), locale)
        case _:
            return ""


def _named(trigger: Trigger, locale: str) -> str:
    match trigger:
        case ListTrigger():
            return trigger.list
        case SegmentTrigger():
            return trigger.segment
        case TagTrigger():
            return trigger.tag
        case ApiTrigger() | LinkTrigger():
            return trigger.name
        case AnswerTrigger():
            return trigger.form or ""
        case ConsentTrigger():
            return say(CHANNELS[trigger.channel], locale) if trigger.channel else ""
        case CouponTrigger():
            return trigger.coupon or ""
        case JourneyTrigger():
            return trigger.journey
        case MessageTrigger():
            return " ".join(part for part in (trigger.step or trigger.journey, trigger.link) if part)
        case FieldTrigger():
            came = f" → {trigger.after}" if trigger.after is not None else ""
            return trigger.field + (f" {trigger.before}" if trigger.before is not None else "") + came
        case ThresholdTrigger():
            return _threshold(trigger, locale)
        case _:
            return _scheduled(trigger, locale)


def _scheduled(trigger: Trigger, locale: str) -> str:
    match trigger:
        case DateTrigger():
            joined = say(("יום ההצטרפות", "the day of joining"), locale)
            field = joined if trigger.field == "created_at" else trigger.field
            return _days_from(field, trigger.days, trigger.when == "before", locale)
        case HolidayTrigger():
            return _days_from(trigger.holiday.replace("_", " "), trigger.days_before, True, locale)
        case InactivityTrigger():
            lacking = listed([say(_LACKING[one], locale) for one in trigger.of], locale)
            last = last_days(trigger.days, locale)
            return say((f"בלי {lacking} {last}", f"no {lacking} {last}"), locale)
        case _:
            return ""


def _days_from(day: str, days: int, before: bool, locale: str) -> str:
    if not days:
        return day
    counted = many(days, "days", locale)
    if before:
        return say((f"{counted} לפני {day}", f"{counted} before {day}"), locale)
    return say((f"{counted} אחרי {day}", f"{counted} after {day}"), locale)


def _threshold(trigger: ThresholdTrigger, locale: str) -> str:
    if trigger.of == "orders_count":
        return say((f"{trigger.value} הזמנות", f"{trigger.value} orders"), locale)
    spent = f"{trigger.value / 100:,.2f}"
    return say((f"קניות בסך {spent}", f"{spent} spent"), locale)


def _product_detail(trigger: ProductTrigger, locale: str) -> str:
    parts = [listed([say(_WATCHERS[one], locale) for one in trigger.watchers or ()], locale)]
    if trigger.category:
        parts.append(say((f"מקטגוריה {trigger.category}", f"of category {trigger.category}"), locale))
    if trigger.at_least_percent:
        percent = trigger.at_least_percent
        parts.append(say((f"לפחות {percent}%", f"by {percent}% or more"), locale))
    if trigger.collect_hours:
        hours = many(trigger.collect_hours, "hours", locale)
        parts.append(say((f"נאסף במשך {hours}", f"gathered for {hours}"), locale))
    return ", ".join(part for part in parts if part)
