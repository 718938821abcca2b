"""What journeys are told in, Hebrew and English (other languages read English): words, lengths, what was bought.

Triggers, conditions and steps have modules of their own beside this one (`wording_triggers`, …).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.journeys.actions import Duration
from chalicelib.journeys.condition_forms import CONSUMABLE, TRIGGER, Operator, Subject

Pair = tuple[str, str]  # Hebrew, English

WORDS: Mapping[str, Pair] = {
    "yes": ("כן", "Yes"),
    "no": ("לא", "No"),
    "goal": ("יעד", "Goal"),
    "exits": ("יוצאים מהמסע", "Leaves the journey"),
    "only if": ("רק אם", "only if"),
    "here now": ("נמצאים כאן עכשיו", "here now"),
    "idle": ("לא יבוצע לעולם", "never happens"),
    "off": ("כבוי", "switched off"),
    "and": (" וגם ", " and "),
    "or": (" או ", " or "),
    "not": ("לא: ", "not: "),
}

WEEKDAYS: Mapping[str, Pair] = {
    "sunday": ("ראשון", "Sunday"),
    "monday": ("שני", "Monday"),
    "tuesday": ("שלישי", "Tuesday"),
    "wednesday": ("רביעי", "Wednesday"),
    "thursday": ("חמישי", "Thursday"),
    "friday": ("שישי", "Friday"),
    "saturday": ("שבת", "Saturday"),
}

CHANNELS: Mapping[str, Pair] = {
    "email": ("מייל", "email"),
    "sms": ("SMS", "SMS"),
    "whatsapp": ("WhatsApp", "WhatsApp"),
}

OPERATORS: Mapping[Operator, Pair] = {
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

# One, two (Hebrew's dual), up to ten, and more (in Hebrew singular again).
UNITS: Mapping[str, tuple[Pair, Pair, Pair, Pair]] = {
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


def listed(said: Sequence[str], locale: str, by: str = "or") -> str:
    """Two or more, the last one after an "or" (or "and")."""
    return word(by, locale).join(part for part in (", ".join(said[:-1]), said[-1]) if part) if said else ""


def length_of(duration: Duration, locale: str) -> str:
    parts = [many(getattr(duration, unit), unit, locale) for unit in UNITS if getattr(duration, unit)]
    if locale != "he":
        return " and ".join(parts)
    first, *rest = parts
    return first + "".join(f" ו־{part}" if part[0].isdigit() else f" ו{part}" for part in rest)


def many(number: int, unit: str, locale: str) -> str:
    """So many days, hours, minutes or seconds."""
    return say(UNITS[unit][3 if number > 10 else min(number, 3) - 1], locale).format(number)


def last_days(days: int, locale: str) -> str:
    if days == 1:
        return say(("ביום האחרון", "in the last day"), locale)
    counted = many(days, "days", locale)
    return say((f"ב־{counted} האחרונים", f"in the last {counted}"), locale)


def compared(name: str, operator: Operator, value: Any, locale: str) -> str:
    """`name` is how the reader knows what is compared."""
    said = ", ".join(str(one) for one in value) if isinstance(value, tuple) else "" if value is None else str(value)
    return f"{name} {say(OPERATORS[operator], locale)} {said}".rstrip()


_UNCHOSEN: Mapping[str, Pair] = {
    "product": ("מוצר שעוד לא נבחר", "a product not chosen yet"),
    "category": ("מקטגוריה שעוד לא נבחרה", "from a category not chosen yet"),
}


def subject_in_words(subject: Subject, locale: str) -> str:
    """The product or category, as the object of a verb."""
    if subject.kind is None:
        return say(("משהו", "anything"), locale)
    if subject.unchosen:
        return say(_UNCHOSEN[subject.kind], locale)
    product = subject.kind == "product"
    if subject.id == TRIGGER:
        return say(("את אותו מוצר", "the same product") if product else ("מאותה קטגוריה", "the same category"), locale)
    if subject.product == CONSUMABLE:
        return say(("את המוצר המתכלה", "the consumable"), locale)
    noun = say(("מוצר" if product else "מקטגוריה", "product" if product else "from category"), locale)
    return f"{noun} {subject.id}"
