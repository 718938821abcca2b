"""Why something happened on a contact's way, in a shop owner's words. A word that is not here is shown as it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime

from chalicelib.clock import parse_rfc3339
from chalicelib.journeys.enrolment import Passage
from chalicelib.journeys.wording import Pair, say, word
from chalicelib.journeys.wording_triggers import TRIGGERS

WHY: Mapping[str, Pair] = {
    # what became of a message
    "claimed": ("בשליחה", "being sent"),
    "sent": ("נשלח", "sent"),
    "not_sent": ("לא נשלח", "not sent"),
    "unknown": ("לא ידוע", "unknown"),
    "delivered": ("נמסר", "delivered"),
    "bounced": ("חזר", "bounced"),
    "complained": ("תלונת ספאם", "complained of as spam"),
    "opened": ("נפתח", "opened"),
    "clicked": ("הוקלק", "clicked"),
    "alerted": ("ההתראה נשלחה", "the alert was sent"),
    # why not, or not yet
    "no_consent": ("אין הסכמה", "no consent"),
    "pending": ("ההרשמה טרם אושרה", "the subscription is not confirmed yet"),
    "unsubscribed": ("הוסרו מרשימת הדיוור", "unsubscribed"),
    "frequency_cap": ("תקרת תדירות", "frequency cap"),
    "duplicate": ("אותן מילים כבר נשלחו לא מזמן", "the same words were sent not long ago"),
    "quiet_hours": ("שעות שקט", "quiet hours"),
    "rest_day": ("שבת או חג", "Shabbat or a holiday"),
    "suppressed": ("חסום", "suppressed"),
    "suppression_list": ("הכתובת ברשימת החסומים", "the address is on the suppression list"),
    "no_email": ("אין כתובת מייל", "no email address"),
    "no_phone": ("אין טלפון", "no phone"),
    "sandbox": ("לא ברשימת הנמענים של מצב הניסוי", "not one of the sandbox's own people"),
    "sending_stopped": ("השליחה עצורה", "sending is stopped"),
    "disconnected": ("החנות נותקה", "the shop was disconnected"),
    "rejected": ("הספק סירב", "refused by the provider"),
    "rendering": ("לא ניתן היה לבנות את ההודעה", "the message could not be put together"),
    "off": ("השלב כבוי", "the step is off"),
    "recent_benefit": ("קיבלו הטבה לא מזמן", "had a benefit not long ago"),
    "no_units": ("ההזמנה לא כוללת אותו", "the order has none of it"),
    "not_active": ("המסע ההוא לא פעיל", "that journey is not active"),
    "reentry": ("כבר היו במסע ההוא", "was in that journey already"),
    "not_a_number": ("השדה אינו מספר", "the field is no number"),
    "no_manager": ("לא נקבע למי מודיעים בחנות", "the store says nobody to tell"),
    "no_shop_key": ("החנות אינה מחוברת", "the shop is not connected"),
    "coupon_refused": ("החנות סירבה לקופון", "the shop refused the coupon"),
    "coupon_expired": ("תוקף הקופון עבר", "the coupon had expired"),
    "no_such_journey": ("אין מסע כזה", "there is no such journey"),
    "too_many_starts": ("יותר מדי מסעות שמתחילים זה את זה", "too many journeys start each other"),
    "no_whatsapp_number": ("אין מספר WhatsApp", "there is no WhatsApp number"),
    # why it ended
    "goal_met": ("המטרה הושגה", "the goal was met"),
    "journey_stopped": ("המסע נעצר", "the journey was stopped"),
    "stopped_by_hand": ("נעצר ביד", "stopped by hand"),
    "cart_bought": ("העגלה נקנתה", "the cart was bought"),
    "cart_emptied": ("העגלה רוקנה", "the cart was emptied"),
    "cart_of_another": ("העגלה שייכת למישהו אחר", "the cart is somebody else's"),
    "order_cancelled": ("ההזמנה בוטלה", "the order was cancelled"),
    "order_refunded": ("ההזמנה זוכתה", "the order was refunded"),
    "order_deleted": ("ההזמנה נמחקה", "the order was deleted"),
    "contact_erased": ("איש הקשר נמחק", "the contact was erased"),
}
_OUTCOMES: Mapping[str, Pair] = {"skipped": ("דולג", "skipped"), "failed": ("נכשל", "failed")}
_UNTIL = re.compile(r"(?:(?P<why>\w+), )?until (?P<at>\S+)")
_ANSWERED = re.compile(r"webhook_(\d{3})")
_MOVED = re.compile(r"(\d+) to (\d+)")


def why_of(passage: Passage, locale: str, titles: Mapping[str, str], when: Callable[[datetime], str]) -> str:
    """What the detail of a passage says; empty where there is nothing to say, as for the id of an event.

    `titles` are the steps', by id; `when` writes a moment.
    """
    detail = passage.detail
    if not detail or passage.what in ("entered", "happened"):
        return ""
    if passage.what == "ended" and detail != "goal_met":
        return reason_of(detail, locale, titles)
    if until := _UNTIL.fullmatch(detail):
        end = f"{say(('עד', 'until'), locale)} {when(parse_rfc3339(until['at']))}"
        return f"{_word(until['why'], locale)}, {end}" if until["why"] else end
    if passage.what == "moved" and (versions := _MOVED.fullmatch(detail)):
        return say(("מגרסה {} לגרסה {}", "from version {} to {}"), locale).format(*versions.groups())
    if passage.what == "step" and detail in ("then", "else"):
        return word("yes" if detail == "then" else "no", locale)
    outcome, _, why = detail.partition(":")
    if outcome in _OUTCOMES and why:
        return f"{say(_OUTCOMES[outcome], locale)}: {_word(why, locale)}"
    return _word(detail, locale)


def reason_of(reason: str, locale: str, titles: Mapping[str, str]) -> str:
    """Why a pass ended; empty where its status says it all."""
    if reason in ("completed", "goal_met"):
        return ""
    what, _, why = reason.partition(":")
    if what == "exit" and why in TRIGGERS:
        return say(TRIGGERS[why], locale)
    if what in titles and why:
        return f"{titles[what]}: {_word(why, locale)}"
    return _word(reason, locale)


def _word(key: str, locale: str) -> str:
    if answered := _ANSWERED.fullmatch(key):
        return say(("הכתובת ענתה {}", "the address answered {}"), locale).format(answered[1])
    return say(WHY[key], locale) if key in WHY else key


def status_of(status: str, locale: str) -> str:
    """A message's status, or the reason why it was not sent."""
    return say(_OUTCOMES[status], locale) if status in _OUTCOMES else _word(status, locale)
