"""Conditions in a shop owner's words: every form of the language."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.journeys.condition_forms import (
    CONSUMABLE,
    TRIGGER,
    AllOf,
    AnyOf,
    BenefitIs,
    Bought,
    CartIs,
    CartState,
    ClockIs,
    Condition,
    FieldIs,
    LastBenefit,
    LinkedIs,
    MessageIs,
    MessageStep,
    Moment,
    Not,
    Operator,
    Ordered,
    OrderIs,
    Purchased,
    RandomIs,
    SegmentIs,
    StepIs,
    SurveyIs,
    TopicIs,
    Viewed,
    Views,
    WishListed,
)
from chalicelib.journeys.wording import (
    CHANNELS,
    WEEKDAYS,
    Pair,
    compared,
    last_days,
    listed,
    many,
    say,
    subject_in_words,
    word,
)

Titles = Mapping[str, str]
"""How the reader knows a step, by its id; one that is not in it goes by its id."""

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
    "timezone": ("אזור הזמן", "time zone"),
    "event.stock": ("כמה במלאי", "how many are in stock"),
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

_STEP_STATES: Mapping[str, Pair] = {
    "done": ("בוצע", "was done"),
    "failed": ("נכשל", "failed"),
    "skipped": ("דולג", "was skipped"),
    "happened": ("זה קרה בזמן", "it happened in time"),
    "timed_out": ("זה לא קרה בזמן", "it did not happen in time"),
}

_CARTS: Mapping[str | None, Pair] = {
    None: ("יש עגלה", "there is a cart"),
    "open": ("העגלה פתוחה", "the cart is open"),
    "abandoned": ("העגלה ננטשה", "the cart was left"),
    "bought": ("העגלה נקנתה", "the cart was bought"),
    "emptied": ("העגלה התרוקנה", "the cart was emptied"),
}


def condition_in_words(condition: Condition, locale: str, titles: Titles | None = None) -> str:
    """`titles`: what the reader calls the steps that it asks about."""
    named = titles or {}
    match condition:
        case AllOf() | AnyOf():
            said = [_inside(inner, locale, named) for inner in condition.conditions]
            return word("and" if isinstance(condition, AllOf) else "or", locale).join(said)
        case Not():
            return word("not", locale) + _inside(condition.condition, locale, named)
        case MessageIs():
            return _message_in_words(condition.message, locale, named)
        case StepIs():
            step = condition.step
            return f"{_quoted(named.get(step.step, step.step), locale)}: {say(_STEP_STATES[step.state], locale)}"
        case FieldIs():
            return _field_in_words(condition, locale)
        case Purchased():
            return _bought_in_words(condition.purchased, locale)
        case Ordered():
            return say(("הזמינו מאז הכניסה למסע", "placed an order since entering"), locale)
        case OrderIs():
            return say(_ORDER_STATES[condition.order.state], locale)
        case CartIs():
            return _cart_in_words(condition.cart, locale)
        case _:
            return _known_of_contact(condition, locale)


def _inside(condition: Condition, locale: str, titles: Titles) -> str:
    """In brackets where "and" and "or" would run together."""
    said = condition_in_words(condition, locale, titles)
    several = isinstance(condition, AllOf | AnyOf) and len(condition.conditions) > 1
    return f"({said})" if several else said


def _known_of_contact(condition: Condition, locale: str) -> str:
    match condition:
        case Viewed():
            return _viewed_in_words(condition.viewed, locale)
        case WishListed():
            wished = subject_in_words(condition.wish_list, locale).removeprefix("את ")
            return say((f"ברשימת המשאלות: {wished}", f"on the wish list: {wished}"), locale)
        case SegmentIs():
            return say((f"בפלח {condition.segment.id}", f"in the segment {condition.segment.id}"), locale)
        case TopicIs():
            name, least = condition.topic.name, condition.topic.at_least
            return say((f"עניין ({name}): {least} ומעלה", f"interest in {name}: {least} or more"), locale)
        case BenefitIs():
            return _benefit_in_words(condition.benefit, locale)
        case SurveyIs():
            answer = condition.survey
            return compared(f"{answer.survey}/{answer.question}", answer.operator, answer.value, locale)
        case LinkedIs():
            linked = condition.linked
            return compared(f"{linked.kind}: {linked.field}", linked.operator, linked.value, locale)
        case ClockIs():
            return _clock_in_words(condition.clock, locale)
        case RandomIs():
            percent = condition.random.percent
            return say((f"{percent}% באקראי", f"{percent}% at random"), locale)
        case _:
            raise ValueError(f"no words for {type(condition).__name__}")


def _quoted(title: str, locale: str) -> str:
    return say((f"״{title}״", f"“{title}”"), locale)


def _message_in_words(message: MessageStep, locale: str, titles: Titles) -> str:
    state = say(_STATES[message.state], locale)
    called = titles.get(message.step)
    noun = say(("ההודעה", "message"), locale)
    said = f"{noun} {_quoted(called, locale) if called else message.step} {state}"
    return f"{said}: {message.link}" if message.link else said


def _field_in_words(condition: FieldIs, locale: str) -> str:
    field, operator, value = condition.field, condition.operator, condition.value
    if field == "event.nth" and operator is Operator.EQUALS and value == 1:
        return say(("זו ההזמנה הראשונה", "it is the first order"), locale)
    if field == "event.nth" and operator is Operator.AT_LEAST and value == 2:
        return say(("זו לא ההזמנה הראשונה", "it is not the first order"), locale)
    if field.startswith("consent.") and operator is Operator.EQUALS and value == "subscribed":
        channel = say(CHANNELS[field.removeprefix("consent.")], locale)
        hebrew = f"רשומים ל־{channel}" if channel.isascii() else f"רשומים ל{channel}"
        return say((hebrew, f"subscribed to {channel}"), locale)
    known = _FIELDS.get(field)
    name = say(known, locale) if known else field.removeprefix("fields.").removeprefix("event.")
    if value == "":
        value = say(("(עוד לא נבחר)", "(not chosen yet)"), locale)
    return compared(name, operator, value, locale)


def _bought_in_words(bought: Bought, locale: str) -> str:
    said = say(("קנו", "bought"), locale) + " " + subject_in_words(bought, locale)
    if bought.since:
        same = bought.id == TRIGGER or bought.product == CONSUMABLE
        said += say((" שוב" if same else " מאז הכניסה למסע", " again" if same else " since entering"), locale)
    if bought.within_days:
        said += " " + last_days(bought.within_days, locale)
    if bought.at_least_orders and bought.at_least_orders > 1:
        said += say((f", לפחות {bought.at_least_orders} הזמנות", f", {bought.at_least_orders} orders or more"), locale)
    if bought.at_least_units:
        said += say((f", לפחות {bought.at_least_units} יחידות", f", {bought.at_least_units} units or more"), locale)
    return said + _at_least_total(bought.at_least_total, locale)


def _at_least_total(total: int | None, locale: str) -> str:
    """The currency is the store's, which a journey does not know: two decimals for nearly all of them."""
    amount = f"{(total or 0) / 100:,.2f}"
    return say((f", בסכום {amount} ומעלה", f", total {amount} or more"), locale) if total else ""


def _viewed_in_words(viewed: Views, locale: str) -> str:
    of = subject_in_words(viewed, locale).removeprefix("את ")
    said = say(("צפו ב", "viewed "), locale) + (of.removeprefix("מ") if viewed.kind == "category" else of)
    if viewed.since:
        said += say((" מאז הכניסה למסע", " since entering"), locale)
    if viewed.within_days:
        said += " " + last_days(viewed.within_days, locale)
    if viewed.at_least_products:
        counted = viewed.at_least_products
        said += say((f", לפחות {counted} מוצרים", f", {counted} products or more"), locale)
    if viewed.at_least_times:
        said += say((f", לפחות {viewed.at_least_times} פעמים", f", {viewed.at_least_times} times or more"), locale)
    if viewed.at_least_seconds:
        length = many(viewed.at_least_seconds, "seconds", locale)
        said += say((f", לפחות {length}", f", {length} or longer"), locale)
    if viewed.out_of_stock is not None:
        stock = ("שאזל", "out of stock") if viewed.out_of_stock else ("שהיה במלאי", "in stock")
        said += ", " + say(stock, locale)
    return said


def _cart_in_words(cart: CartState, locale: str) -> str:
    said = say(_CARTS[cart.state], locale)
    if cart.kind:
        said += say((" ויש בה ", ", with "), locale) + subject_in_words(cart, locale).removeprefix("את ")
    return said + _at_least_total(cart.at_least_total, locale)


def _benefit_in_words(benefit: LastBenefit, locale: str) -> str:
    parts = []
    if benefit.none_within_days:
        last = last_days(benefit.none_within_days, locale)
        parts.append(say((f"לא קיבלו הטבה {last}", f"had no benefit {last}"), locale))
    if benefit.used is not None:
        used = ("ההטבה האחרונה מומשה", "the last benefit was used")
        unused = ("ההטבה האחרונה לא מומשה", "the last benefit was not used")
        parts.append(say(used if benefit.used else unused, locale))
    return ", ".join(parts) or say(("קיבלו הטבה", "had a benefit"), locale)


def _clock_in_words(clock: Moment, locale: str) -> str:
    parts = []
    if clock.weekdays:
        parts.append(listed([say(WEEKDAYS[day], locale) for day in clock.weekdays], locale))
    if clock.start or clock.end:
        start, end = clock.start or "00:00", clock.end or "24:00"
        parts.append(say((f"בין {start} ל־{end}", f"from {start} to {end}"), locale))
    if clock.holiday is not None:
        day = ("חג או יום מנוחה", "a holiday or day of rest")
        parts.append(say(day if clock.holiday else ("יום רגיל", "an ordinary day"), locale))
    if clock.zone == "contact":
        parts.append(say(("לפי השעון של איש הקשר", "on the contact's clock"), locale))
    return ", ".join(parts)
