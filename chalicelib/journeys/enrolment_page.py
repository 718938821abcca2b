"""One pass through a journey as a page to read: what happened, when, at which step, and why; what was sent or not.

Times are on the store's clock. The page holds no script, and loads nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape
from zoneinfo import ZoneInfo

from chalicelib.commerce.store import Store
from chalicelib.journeys.definition import Definition
from chalicelib.journeys.enrolment import Enrolment, EnrolmentStatus, Passage
from chalicelib.journeys.wording import CHANNELS, Pair, localised, say
from chalicelib.journeys.wording_passages import reason_of, status_of, why_of
from chalicelib.journeys.wording_steps import title_of
from chalicelib.journeys.wording_triggers import trigger_in_words
from chalicelib.messages.message import Message
from chalicelib.messages.wording import direction, primary

_WHAT: dict[str, Pair] = {
    "entered": ("נכנסו למסע", "Entered"),
    "step": ("בוצע", "Done"),
    "attempt": ("ניסיון שנכשל", "Tried in vain"),
    "waiting": ("המתנה", "Waits"),
    "parked": ("המתנה לאירוע", "Waits for an event"),
    "happened": ("האירוע הגיע", "The event came"),
    "timed_out": ("האירוע לא הגיע", "The event did not come"),
    "tried": ("ניסיון שנכשל, עוד יבוא אחר", "Tried in vain, and will be again"),
    "held": ("הושהה, כי המסע מושהה", "Held, for the journey is paused"),
    "resumed": ("המשך", "Went on"),
    "skipped": ("ההמתנה דולגה", "The wait was skipped"),
    "moved": ("מעבר לגרסה אחרת", "Moved to another version"),
    "redriven": ("ניסיון נוסף", "Tries again"),
    "mended": ("תוקן, כי הריצה נעלמה", "Mended, for its execution was gone"),
    "ended": ("סוף", "Ended"),
}
_STATUS: dict[EnrolmentStatus, Pair] = {
    EnrolmentStatus.RUNNING: ("בדרך", "On the way"),
    EnrolmentStatus.HELD: ("בהשהיה", "Held"),
    EnrolmentStatus.COMPLETED: ("הושלם", "Completed"),
    EnrolmentStatus.GOAL_MET: ("המטרה הושגה", "Goal met"),
    EnrolmentStatus.EXITED: ("יצאו מהמסע", "Left the journey"),
    EnrolmentStatus.STOPPED: ("נעצר", "Stopped"),
    EnrolmentStatus.FAILED: ("נכשל", "Failed"),
}
_HEADS: tuple[Pair, ...] = (("מתי", "When"), ("מה", "What"), ("שלב", "Step"), ("למה", "Why"))
_MESSAGES: tuple[Pair, ...] = (("מתי", "When"), ("ערוץ", "Channel"), ("שלב", "Step"), ("מצב", "Status"), ("למה", "Why"))
_FORM = "%d.%m.%Y %H:%M"
_STYLE = (
    "body{margin:2rem auto;max-width:60rem;padding:0 1rem;font:16px/1.5 system-ui,'Segoe UI',Arial,sans-serif;"
    "color:#1d2433;background:#f6f7f9}h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}"
    "table{width:100%;border-collapse:collapse;background:#fff;border-radius:10px;overflow:hidden}"
    "th,td{text-align:start;padding:.55rem .8rem;border-bottom:1px solid #e5e8ee;vertical-align:top}"
    "td{overflow-wrap:anywhere}"
    "th{font-size:.85rem;color:#5b6475}.s{display:inline-block;padding:.15rem .7rem;border-radius:99px;"
    "background:#e8edff;font-weight:600}time{white-space:nowrap}"
    "@media(prefers-color-scheme:dark){body{background:#14171d;color:#eef1f6}table{background:#1f242d}"
    "th,td{border-color:#343b47}.s{background:#2b3a6b}}"
)


def page_of(enrolment: Enrolment, definition: Definition, messages: Sequence[Message], store: Store) -> str:
    """An HTML document in the store's language; `messages` are those of the enrolment."""
    locale = primary(store.locale)
    titles = {place.step.id: title_of(place.step, locale) for place in definition.located()}
    zone = ZoneInfo(store.timezone)

    def step(step_id: str | None) -> str:
        return escape(titles.get(step_id, step_id)) if step_id else ""

    def passage(one: Passage) -> list[str]:
        what = say(_WHAT[one.what], locale) if one.what in _WHAT else one.what
        why = why_of(one, locale, titles, lambda at: f"\u2066{at.astimezone(zone):{_FORM}}\u2069")
        if one.what == "entered":
            why = trigger_in_words(definition.trigger, locale)
        return [_when(one.at, zone), escape(what), step(one.step), _bidi(why)]

    def message(one: Message) -> list[str]:
        status, why = status_of(one.status, locale), status_of(one.reason or "", locale)
        return [_when(one.at, zone), say(CHANNELS[one.channel], locale), step(one.step), escape(status), _bidi(why)]

    name = escape(localised(definition.name, locale))
    status = escape(say(_STATUS[enrolment.status], locale))
    why = reason_of(enrolment.reason or "", locale, titles)
    reason = f" &middot; {_bidi(why)}" if why else ""
    due = f"<p>{escape(say(('עד', 'until'), locale))} {_when(enrolment.due_at, zone)}</p>" if enrolment.due_at else ""
    history = _table([say(head, locale) for head in _HEADS], [passage(one) for one in enrolment.history])
    sent = _table([say(head, locale) for head in _MESSAGES], [message(one) for one in messages]) if messages else ""
    return (
        f'<!doctype html><html lang="{locale}" dir="{direction(locale)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" '
        f'content="light dark"><title>{name}</title><style>{_STYLE}</style></head><body><h1>{name}</h1>'
        f'<p><span class="s">{status}</span>{reason}</p><p><bdi>{escape(enrolment.contact_id)}</bdi></p>{due}'
        f"<h2>{escape(say(('מה קרה', 'What happened'), locale))}</h2>{history}"
        + (f"<h2>{escape(say(('הודעות', 'Messages'), locale))}</h2>{sent}" if sent else "")
        + "</body></html>"
    )


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """`rows` are HTML already."""
    head = "".join(f"<th>{escape(one)}</th>" for one in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _when(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return f'<time datetime="{at.isoformat()}"><bdi>{local:{_FORM}}</bdi></time>'


def _bidi(text: str | None) -> str:
    return f"<bdi>{escape(text)}</bdi>" if text else ""
