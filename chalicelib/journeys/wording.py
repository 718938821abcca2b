"""Triggers, steps and conditions in a shop owner's words, Hebrew and English (other languages read English)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from chalicelib.journeys.actions import (
    Branch,
    ChangeList,
    ChangeTag,
    Duration,
    Lifetime,
    SendEmail,
    SendText,
    SetField,
    Split,
    Step,
    Wait,
)
from chalicelib.journeys.condition_forms import (
    CONSUMABLE,
    TRIGGER,
    AllOf,
    AnyOf,
    Bought,
    CartIs,
    CartState,
    Condition,
    FieldIs,
    MessageIs,
    Not,
    Operator,
    Ordered,
    OrderIs,
    Purchased,
    Subject,
)
from chalicelib.journeys.triggers import ApiTrigger, FieldTrigger, ListTrigger, SegmentTrigger, Trigger

Pair = tuple[str, str]  # Hebrew, English

WORDS: Mapping[str, Pair] = {
    "yes": ("כן", "Yes"),
    "no": ("לא", "No"),
    "goal": ("יעד", "Goal"),
    "only if": ("רק אם", "only if"),
    "here now": ("נמצאים כאן עכשיו", "here now"),
    "idle": ("לא יבוצע לעולם", "never happens"),
    "and": (" וגם ", " and "),
    "or": (" או ", " or "),
    "not": ("לא: ", "not: "),
    "other": ("תנאי נוסף", "another condition"),
}

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
    "smart_link_clicked": ("לחצו על קישור חכם", "A smart link is clicked"),
    "file_downloaded": ("הורידו קובץ", "A file is downloaded"),
    "date_field": ("תאריך של איש הקשר", "A date of the contact"),
    "holiday": ("חג", "A holiday"),
    "inactivity": ("אין פעילות", "Nothing happens for a while"),
    "threshold_reached": ("הגיעו לסף", "A threshold is reached"),
    "coupon_redeemed": ("קופון מומש", "A coupon is redeemed"),
    "api_event": ("אירוע מהממשק", "An event is sent"),
}

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

_OPERATORS: Mapping[Operator, Pair] = {
    Operator.EQUALS: ("הוא", "is"),
    Operator.NOT_EQUALS: ("אינו", "is not"),
    Operator.CONTAINS: ("כולל", "contains"),
    Operator.NOT_CONTAINS: ("לא כולל", "does not contain"),
    Operator.STARTS_WITH: ("מתחיל ב־", "starts with"),
    Operator.ONE_OF: ("אחד מ־", "is one of"),
    Operator.GREATER: ("מעל", "above"),
    Operator.AT_LEAST: ("לפחות", "at least"),
    Operator.LESS: ("מתחת ל־", "below"),
    Operator.AT_MOST: ("לכל היותר", "at most"),
    Operator.BEFORE: ("לפני", "before"),
    Operator.AFTER: ("אחרי", "after"),
    Operator.WITHIN_LAST_DAYS: ("בימים האחרונים:", "within the last days:"),
    Operator.IS_SET: ("ידוע", "is known"),
    Operator.IS_MISSING: ("חסר", "is missing"),
}

_FIELDS: Mapping[str, Pair] = {
    "email": ("אימייל", "email"),
    "phone": ("טלפון", "phone"),
    "first_name": ("שם פרטי", "first name"),
    "last_name": ("שם משפחה", "last name"),
    "locale": ("שפה", "language"),
    "orders_count": ("מספר ההזמנות", "number of orders"),
    "total_spent": ("סך הקניות", "total spent"),
    "first_order_at": ("הזמנה ראשונה", "first order"),
    "last_order_at": ("הזמנה אחרונה", "last order"),
    "joined_from": ("מקור ההצטרפות", "joined from"),
    "created_at": ("תאריך ההצטרפות", "joined at"),
    "lists": ("רשימות", "lists"),
    "tags": ("תגיות", "tags"),
    "event.nth": ("מספר ההזמנה", "order number in line"),
    "event.items.product_id": ("המוצרים בהזמנה", "products ordered"),
    "event.items.categories": ("הקטגוריות בהזמנה", "categories ordered"),
    "event.total": ("סכום ההזמנה", "order total"),
    "event.lifetime_days": ("משך החיים של המוצר", "the product's lifetime"),
}

_STATES: Mapping[str, Pair] = {
    "sent": ("נשלחה", "was sent"),
    "delivered": ("נמסרה", "was delivered"),
    "failed": ("נכשלה", "failed"),
    "opened": ("נפתחה", "was opened"),
    "clicked": ("נלחצה", "was clicked"),
    "not_sent": ("לא נשלחה", "was not sent"),
    "bounced": ("חזרה", "bounced"),
}

_ORDER_STATES: Mapping[str, Pair] = {
    "pending": ("ההזמנה ממתינה לתשלום", "the order awaits payment"),
    "paid": ("ההזמנה שולמה", "the order is paid"),
    "completed": ("ההזמנה הושלמה", "the order is completed"),
    "cancelled": ("ההזמנה בוטלה", "the order is cancelled"),
    "refunded": ("ההזמנה זוכתה", "the order is refunded"),
    "failed": ("תשלום ההזמנה נכשל", "the order's payment failed"),
}

# One, two (Hebrew's dual), up to ten, and more (in Hebrew singular again).
_UNITS: Mapping[str, tuple[Pair, Pair, Pair, Pair]] = {
    "days": (("יום", "1 day"), ("יומיים", "2 days"), ("{} ימים", "{} days"), ("{} יום", "{} days")),
    "hours": (("שעה", "1 hour"), ("שעתיים", "2 hours"), ("{} שעות", "{} hours"), ("{} שעה", "{} hours")),
    "minutes": (("דקה", "1 minute"), ("2 דקות", "2 minutes"), ("{} דקות", "{} minutes"), ("{} דקות", "{} minutes")),
    "seconds": (
        ("שנייה", "1 second"),
        ("2 שניות", "2 seconds"),
        ("{} שניות", "{} seconds"),
        ("{} שניות", "{} seconds"),
    ),
}


def say(pair: Pair, locale: str) -> str:
    return pair[0] if locale == "he" else pair[1]


def word(key: str, locale: str) -> str:
    return say(WORDS[key], locale)


def localised(text: Mapping[str, str], locale: str) -> str:
    """The text in this language, else in English, else in the first there is; empty if there is none."""
    return text.get(locale) or text.get("en") or next(iter(text.values()), "")


def title_of(step: Step, locale: str) -> str:
    """The owner's own title, else what kind of step it is."""
    return localised(step.title, locale) or say(STEPS[step.type], locale)


def detail_of(step: Step, locale: str) -> str:
    """What the step does exactly, in a few words."""
    match step:
        case SendEmail():
            content = step.content.get(locale) or next(iter(step.content.values()))
            return _without_liquid(content.subject)
        case SendText():
            return " ".join(_without_liquid(step.text.get(locale) or next(iter(step.text.values()))).split())
        case Wait(duration=Duration() as duration):
            return length_of(duration, locale)
        case Wait(lifetime=Lifetime() as lifetime):
            return _lifetime(lifetime, locale)
        case Branch():
            return condition_in_words(step.condition, locale)
        case Split():
            return " / ".join(f"{way.name} {way.weight}" for way in step.ways)
        case ChangeList():
            return step.list
        case ChangeTag():
            return step.tag
        case SetField():
            return step.field if step.value is None else f"{step.field} = {step.value}"
        case _:
            return ""


def _without_liquid(text: str) -> str:
    """What is filled in for each contact is an ellipsis; the logic around it is left out."""
    return re.sub(r"\{%.*?%\}", "", re.sub(r"\{\{.*?\}\}", "…", text))


def length_of(duration: Duration, locale: str) -> str:
    parts = [_many(getattr(duration, unit), forms, locale) for unit, forms in _UNITS.items() if getattr(duration, unit)]
    if locale != "he":
        return " and ".join(parts)
    first, *rest = parts
    return first + "".join(f" ו־{part}" if part[0].isdigit() else f" ו{part}" for part in rest)


def _many(number: int, forms: tuple[Pair, Pair, Pair, Pair], locale: str) -> str:
    return say(forms[3 if number > 10 else min(number, 3) - 1], locale).format(number)


def _lifetime(lifetime: Lifetime, locale: str) -> str:
    until = say(("עד שהמוצר אמור להיגמר", "until the product should run out"), locale)
    if not lifetime.minus_days:
        return until
    days = _many(lifetime.minus_days, _UNITS["days"], locale)
    return say((f"עד {days} לפני שהמוצר אמור להיגמר", f"until {days} before the product should run out"), locale)


def trigger_in_words(trigger: Trigger, locale: str) -> str:
    said = say(TRIGGERS[trigger.type], locale)
    match trigger:
        case ListTrigger():
            return f"{said}: {trigger.list}"
        case SegmentTrigger():
            return f"{said}: {trigger.segment}"
        case FieldTrigger():
            return f"{said}: {trigger.field}"
        case ApiTrigger():
            return f"{said}: {trigger.name}"
        case _:
            return said


def condition_in_words(condition: Condition, locale: str) -> str:
    match condition:
        case AllOf():
            return word("and", locale).join(condition_in_words(inner, locale) for inner in condition.conditions)
        case AnyOf():
            return word("or", locale).join(condition_in_words(inner, locale) for inner in condition.conditions)
        case Not():
            return word("not", locale) + condition_in_words(condition.condition, locale)
        case FieldIs():
            return _field_in_words(condition, locale)
        case Purchased():
            return _bought_in_words(condition.purchased, locale)
        case Ordered():
            return say(("הזמינו מאז הכניסה למסע", "placed an order since entering"), locale)
        case OrderIs():
            return say(_ORDER_STATES[condition.order.state], locale)
        case MessageIs():
            state = say(_STATES[condition.message.state], locale)
            message = say(("ההודעה", "message"), locale)
            return f"{message} {condition.message.step} {state}"
        case CartIs():
            return _cart_in_words(condition.cart, locale)
        case _:
            return word("other", locale)


def _field_in_words(condition: FieldIs, locale: str) -> str:
    if condition.field == "event.nth" and condition.operator is Operator.EQUALS and condition.value == 1:
        return say(("זו ההזמנה הראשונה", "it is the first order"), locale)
    known = _FIELDS.get(condition.field)
    field = say(known, locale) if known else condition.field.removeprefix("fields.").removeprefix("event.")
    value = condition.value
    listed = ", ".join(str(one) for one in value) if isinstance(value, tuple) else "" if value is None else str(value)
    return f"{field} {say(_OPERATORS[condition.operator], locale)} {listed}".rstrip()


def _bought_in_words(bought: Bought, locale: str) -> str:
    said = say(("קנו", "bought"), locale) + " " + _subject_in_words(bought, locale)
    if bought.since:
        same = bought.id == TRIGGER or bought.product == CONSUMABLE
        said += say((" שוב" if same else " מאז הכניסה למסע", " again" if same else " since entering"), locale)
    if bought.within_days == 1:
        said += say((" ביום האחרון", " in the last day"), locale)
    elif bought.within_days:
        days = _many(bought.within_days, _UNITS["days"], locale)
        said += say((f" ב־{days} האחרונים", f" in the last {days}"), locale)
    if bought.at_least_orders and bought.at_least_orders > 1:
        said += say((f", לפחות {bought.at_least_orders} הזמנות", f", {bought.at_least_orders} orders or more"), locale)
    if bought.at_least_units:
        said += say((f", לפחות {bought.at_least_units} יחידות", f", {bought.at_least_units} units or more"), locale)
    return said


_CARTS: Mapping[str | None, Pair] = {
    None: ("יש עגלה", "there is a cart"),
    "open": ("העגלה פתוחה", "the cart is open"),
    "abandoned": ("העגלה ננטשה", "the cart was left"),
    "bought": ("העגלה נקנתה", "the cart was bought"),
    "emptied": ("העגלה התרוקנה", "the cart was emptied"),
}


def _cart_in_words(cart: CartState, locale: str) -> str:
    said = say(_CARTS[cart.state], locale)
    if cart.kind:
        said += say((" ויש בה ", ", with "), locale) + _subject_in_words(cart, locale).removeprefix("את ")
    if cart.at_least_total:
        said += say((f", בסכום {cart.at_least_total} ומעלה", f", total {cart.at_least_total} or more"), locale)
    return said


_UNCHOSEN: Mapping[str, Pair] = {
    "product": ("מוצר שעוד לא נבחר", "a product not chosen yet"),
    "category": ("מקטגוריה שעוד לא נבחרה", "from a category not chosen yet"),
}


def _subject_in_words(bought: Subject, locale: str) -> str:
    if bought.kind is None:
        return say(("משהו", "anything"), locale)
    if bought.unchosen:
        return say(_UNCHOSEN[bought.kind], locale)
    product = bought.kind == "product"
    if bought.id == TRIGGER:
        return say(("את אותו מוצר", "the same product") if product else ("מאותה קטגוריה", "the same category"), locale)
    if bought.product == CONSUMABLE:
        return say(("את המוצר המתכלה", "the consumable"), locale)
    noun = say(("מוצר" if product else "מקטגוריה", "product" if product else "from category"), locale)
    return f"{noun} {bought.id}"
