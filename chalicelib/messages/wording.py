"""The few sentences that Agala itself says in an email or on a page, in each language it speaks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from chalicelib.contacts.consent import Channel

RIGHT_TO_LEFT = frozenset(("ar", "fa", "he", "ur", "yi"))


@dataclass(frozen=True)
class Wording:
    """`{store}` stands for the store's name, `{messages}` for one of `adverts`, `{date}` for a day, `{when}` for a day
    and hour, `{price}` and `{name}` for those of a product (or a category). Hebrew addresses
    nobody by gender."""

    quantity: str
    total: str
    coupon: str
    coupon_end: str
    coupon_use: str
    one_more: str
    many_more: str
    return_to_cart: str
    talk_to_us: str
    instead_of: str
    sold_out: str
    bought_together: str
    of_category: str
    best_sellers: str
    ends: str
    share: str
    why_marketing: str
    why_transactional: str
    why_alert: str
    unsubscribe: str
    preferences: str
    unsubscribe_sms: str
    or_reply: str
    adverts: Mapping[Channel, str]
    leave_title: str
    leave_question: str
    leave_button: str
    left_title: str
    left_text: str
    bad_link_title: str
    bad_link_text: str
    thanks_title: str
    thanks_text: str


_WORDINGS = {
    "he": Wording(
        quantity="כמות",
        total="סך הכול",
        coupon="קופון",
        coupon_end="בתוקף עד {date}",
        coupon_use="למימוש הקופון",
        one_more="ועוד פריט אחד",
        many_more="ועוד {count} פריטים",
        return_to_cart="חזרה לעגלה",
        talk_to_us="לדבר איתנו",
        instead_of="במקום {price}",
        sold_out="אזל מהמלאי",
        bought_together="נקנו לא פעם יחד עם {name}",
        of_category="מבוקשים בקטגוריה {name}",
        best_sellers="מהנמכרים ביותר בחנות",
        ends="מסתיים ב{when}",
        share="לשתף בוואטסאפ",
        why_marketing="ההודעה נשלחה אליך כי הכתובת שלך נמצאת ברשימת הדיוור של {store}.",
        why_transactional="ההודעה נשלחה אליך בעקבות פעילות שלך בחנות {store}.",
        why_alert="ההודעה נשלחה אליך לבקשת החנות {store}.",
        unsubscribe="להסרה מרשימת הדיוור",
        preferences="לבחור מה לקבל",
        unsubscribe_sms="להסרה",
        or_reply="או להשיב הסר",
        adverts={
            Channel.EMAIL: "הודעות פרסומת במייל",
            Channel.SMS: "הודעות פרסומת ב־SMS",
            Channel.WHATSAPP: "הודעות פרסומת בוואטסאפ",
        },
        leave_title="הסרה מרשימת הדיוור",
        leave_question="בלחיצה על הכפתור לא יישלחו אליך עוד {messages} מהחנות {store}.",
        leave_button="להסיר אותי מהרשימה",
        left_title="הוסרת מהרשימה",
        left_text="לא יישלחו אליך עוד {messages} מהחנות {store}. הודעות על הזמנות ימשיכו להגיע כרגיל.",
        bad_link_title="הקישור אינו תקין",
        bad_link_text="ייתכן שהקישור נחתך בדרך. אפשר לנסות שוב מתוך ההודעה המקורית.",
        thanks_title="תודה!",
        thanks_text="התשובה שלך התקבלה.",
    ),
    "en": Wording(
        quantity="Quantity",
        total="Total",
        coupon="Coupon",
        coupon_end="Good until {date}",
        coupon_use="Use the coupon",
        one_more="and 1 more item",
        many_more="and {count} more items",
        return_to_cart="Return to your cart",
        talk_to_us="Talk to us",
        instead_of="instead of {price}",
        sold_out="Sold out",
        bought_together="Often bought together with {name}",
        of_category="Popular in {name}",
        best_sellers="Best sellers of the shop",
        ends="Ends on {when}",
        share="Share on WhatsApp",
        why_marketing="You get this message because your address is on the mailing list of {store}.",
        why_transactional="You get this message about something you did at {store}.",
        why_alert="You get this message because {store} asked to be told.",
        unsubscribe="Unsubscribe",
        preferences="Choose what you get",
        unsubscribe_sms="Opt out",
        or_reply="or reply STOP",
        adverts={
            Channel.EMAIL: "marketing emails",
            Channel.SMS: "marketing texts (SMS)",
            Channel.WHATSAPP: "marketing messages on WhatsApp",
        },
        leave_title="Unsubscribe",
        leave_question="Press the button and {store} will send you no more {messages}.",
        leave_button="Unsubscribe me",
        left_title="You are unsubscribed",
        left_text="{store} will send you no more {messages}. Messages about your orders still come as usual.",
        bad_link_title="This link does not work",
        bad_link_text="It may have been cut on its way. Please try again from the message itself.",
        thanks_title="Thank you!",
        thanks_text="Your answer has reached us.",
    ),
}


def primary(locale: str | None) -> str:
    """The language of a BCP 47 (or `he_IL`) locale, in its present spelling; empty for none."""
    language = (locale or "").replace("_", "-").split("-", 1)[0].lower()
    return {"iw": "he", "ji": "yi", "in": "id"}.get(language, language)  # codes that ISO 639 withdrew


def wording(locale: str | None) -> Wording:
    """English for a language that has no wording here."""
    return _WORDINGS.get(primary(locale), _WORDINGS["en"])


def direction(locale: str | None) -> str:
    """`rtl` or `ltr`."""
    return "rtl" if primary(locale) in RIGHT_TO_LEFT else "ltr"


def choose_language(available: Collection[str], contact_locale: str | None, store_locale: str | None) -> str:
    """The contact's language if the content has it, else the store's, else the first there is.

    Raises ValueError when nothing is available.
    """
    if not available:
        raise ValueError("content in at least one language is needed")
    by_language = {primary(language): language for language in reversed(list(available))}
    for locale in (contact_locale, store_locale):
        if primary(locale) in by_language:
            return by_language[primary(locale)]
    return next(iter(available))
