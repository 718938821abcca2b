"""What the pages say on which a person chooses what comes to them, and the message that asks whether it was they.

`{store}` stands for the store's name, `{messages}` for one of `Wording.adverts`. Hebrew addresses nobody by gender.
"""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.messages.wording import primary


@dataclass(frozen=True)
class PersonalWording:
    prefer_title: str
    prefer_intro: str
    channels: str
    topics: str
    waits: str
    save: str
    leave_all: str
    saved_title: str
    saved_text: str
    saved_waits: str
    nothing_to_choose: str
    fewer: str
    confirm_title: str
    confirm_question: str
    confirm_agreed: str
    confirm_button: str
    confirmed_title: str
    confirmed_text: str
    over_title: str
    over_text: str
    ask_subject: str
    ask_preheader: str
    ask_heading: str
    ask_text: str
    ask_button: str
    ask_small: str
    ask_sms: str


_WORDINGS = {
    "he": PersonalWording(
        prefer_title="מה לשלוח אליך?",
        prefer_intro="כאן בוחרים אילו הודעות יגיעו אליך מהחנות {store}. הודעות על הזמנות יגיעו בכל מקרה.",
        channels="איך",
        topics="על מה",
        waits="ממתין לאישור בהודעה שנשלחה אליך",
        save="לשמור את הבחירה",
        leave_all="להסיר אותי מכל הודעות הפרסומת",
        saved_title="הבחירה נשמרה",
        saved_text="מעכשיו יגיעו אליך מהחנות {store} רק ההודעות שנבחרו, ואפשר לשנות כאן בכל עת.",
        saved_waits="כדי להשלים את ההרשמה נשלחה אליך הודעה עם קישור לאישור.",
        nothing_to_choose="אין כרגע כתובת או מספר שנשלחות אליהם הודעות פרסומת.",
        fewer="או לקבל פחות הודעות",
        confirm_title="אישור הרשמה",
        confirm_question="בלחיצה על הכפתור יישלחו אליך {messages} מהחנות {store}. אפשר להפסיק בכל עת.",
        confirm_agreed="זה הנוסח שסומן:",
        confirm_button="כן, לאשר את ההרשמה",
        confirmed_title="ההרשמה אושרה",
        confirmed_text="מעכשיו יישלחו אליך {messages} מהחנות {store}.",
        over_title="אין מה לאשר",
        over_text="הקישור כבר אינו בתוקף, או שההרשמה בוטלה בינתיים. אפשר להירשם שוב בחנות.",
        ask_subject="אישור הרשמה לעדכונים של {store}",
        ask_preheader="לחיצה אחת, וההרשמה מאושרת",
        ask_heading="רק לוודא שהבקשה שלך",
        ask_text="התקבלה בקשה לשלוח לכאן {messages} מהחנות {store}. נשאר רק לאשר אותה.",
        ask_button="לאישור ההרשמה",
        ask_small="אם הבקשה לא שלך, אין צורך לעשות דבר: בלי אישור לא יישלחו הודעות פרסומת. הקישור תקף ל־30 יום.",
        ask_sms="{store}: התקבלה בקשה לשלוח למספר הזה {messages}. לאישור: {url}",
    ),
    "en": PersonalWording(
        prefer_title="What may we send you?",
        prefer_intro="Choose which messages you get from {store}. Messages about your orders come in any case.",
        channels="How",
        topics="About what",
        waits="waits for your confirmation, by the message we sent you",
        save="Save my choice",
        leave_all="Unsubscribe from everything",
        saved_title="Your choice is saved",
        saved_text="From now on {store} sends you only what you chose. You can change it here at any time.",
        saved_waits="To complete your subscription, please follow the link in the message we have just sent you.",
        nothing_to_choose="There is no address or number to which advertising is sent.",
        fewer="Or get fewer messages",
        confirm_title="Confirm your subscription",
        confirm_question="Press the button and {store} will send you {messages}. You can stop them at any time.",
        confirm_agreed="This is what was ticked:",
        confirm_button="Yes, subscribe me",
        confirmed_title="You are subscribed",
        confirmed_text="From now on {store} will send you {messages}.",
        over_title="Nothing to confirm",
        over_text="This link has expired, or the subscription was taken back. You can sign up again in the shop.",
        ask_subject="Please confirm your subscription to {store}",
        ask_preheader="One click, and you are subscribed",
        ask_heading="Just to be sure that it was you",
        ask_text="Somebody asked {store} to send {messages} here. All that is missing is your confirmation.",
        ask_button="Confirm the subscription",
        ask_small="If it was not you, just do nothing: no advertising is sent. The link is good for 30 days.",
        ask_sms="{store}: somebody asked us to send this number {messages}. To confirm: {url}",
    ),
}
LANGUAGES = tuple(_WORDINGS)


def personal_wording(locale: str | None) -> PersonalWording:
    """English for a language that has no wording here."""
    return _WORDINGS.get(primary(locale), _WORDINGS["en"])
