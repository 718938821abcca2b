"""Events fold into a contact's engagement: the same in any order of arrival, however often each is told.

Under every key the newest telling holds; of two of one moment that of the greater event id.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from datetime import datetime
from typing import Protocol, TypeVar

from chalicelib.commerce.event import Event
from chalicelib.contacts import told_events
from chalicelib.contacts.engagement import (
    ENTRIES_KEPT,
    LINKED_KEPT,
    NAMES_KEPT,
    VIEWS_KEPT,
    Activity,
    Engagement,
    LinkedRecord,
    Membership,
    Told,
    View,
)
from chalicelib.contacts.told_events import (
    CategoryViewed,
    FormAnswered,
    LinkedRecordChanged,
    ProductViewed,
    SegmentChanged,
    SurveyAnswered,
    TopicInterest,
    WatchRequested,
    WishListChanged,
)

_TEXT_KEPT = 500  # characters of an answer; its event has the whole
_ON_THE_SITE: tuple[Activity, ...] = ("visit",)
_SHOWS: Mapping[str, tuple[Activity, ...]] = {
    "category_viewed": _ON_THE_SITE,
    "message_clicked": ("open", "click"),
    "message_opened": ("open",),
    "page_viewed": _ON_THE_SITE,
    "product_viewed": _ON_THE_SITE,
    "site_left": _ON_THE_SITE,
}
_FOLDED = frozenset(
    (
        *_SHOWS,
        "form_answered",
        "linked_record_changed",
        "segment_entered",
        "segment_left",
        "survey_answered",
        "topic_interest",
        "watch_requested",
        "wish_list_changed",
    )
)


class Dated(Protocol):
    @property
    def at(self) -> datetime: ...

    @property
    def event_id(self) -> str: ...


Entry = TypeVar("Entry", bound=Dated)
Key = TypeVar("Key", bound=Hashable)


def concerns(event: Event) -> bool:
    """Whether its type changes any engagement."""
    return event.type in _FOLDED


def fold(known: Engagement, event: Event) -> Engagement:
    """The engagement after this event, which may be an old one or known already."""
    return join(known, _of(event)) if concerns(event) else known


def join(one: Engagement, other: Engagement) -> Engagement:
    """What both say. `rev` and `indexed` are the first one's."""
    views = {view.event_id: view for view in sorted((*one.views, *other.views), key=_place)}
    return Engagement(
        views=tuple(sorted(views.values(), key=_place))[-VIEWS_KEPT:],
        wished=_newest(one.wished, other.wished, ENTRIES_KEPT),
        asked=_newest(one.asked, other.asked, ENTRIES_KEPT),
        answers=_nested(one.answers, other.answers, NAMES_KEPT),
        linked=_nested(one.linked, other.linked, LINKED_KEPT),
        segments=_newest(one.segments, other.segments, NAMES_KEPT),
        topics=_newest(one.topics, other.topics, NAMES_KEPT),
        last={
            activity: max(times)
            for activity in sorted({*one.last, *other.last})
            if (times := [side.last[activity] for side in (one, other) if activity in side.last])
        },
        indexed=one.indexed,
        rev=one.rev,
    )


def _of(event: Event) -> Engagement:
    """What this one event says."""
    at, told = event.occurred_at, told_events.read_if_right(event.type, event.properties)
    said = _said(event, told) if told else Engagement()
    return said.model_copy(update={"last": dict.fromkeys(_SHOWS.get(event.type, ()), at)})


def _said(event: Event, told: told_events.Told) -> Engagement:
    def member(is_in: bool) -> Membership:
        return Membership(at=event.occurred_at, event_id=event.id, is_in=is_in)

    def value(answer: object) -> Told:
        return Told(at=event.occurred_at, event_id=event.id, value=answer)

    match told:
        case ProductViewed():
            return Engagement(views=(_view(event, told),))
        case CategoryViewed():
            page = View(at=event.occurred_at, event_id=event.id, categories=(told.category,), seconds=told.seconds)
            return Engagement(views=(page,))
        case WishListChanged():
            removed = dict.fromkeys(told.removed, member(False))
            return Engagement(wished=removed | dict.fromkeys(told.added, member(True)))
        case WatchRequested():
            return Engagement(asked={told.subject: member(not told.cancelled)})
        case SegmentChanged():
            return Engagement(segments={told.segment: member(event.type == "segment_entered")})
        case SurveyAnswered():
            return Engagement(answers={told.survey: {q: value(_short(a)) for q, a in told.answers.items()}})
        case FormAnswered():
            return Engagement(answers={told.form: {q: value(_short(a)) for q, a in told.answers.items()}})
        case TopicInterest():
            return Engagement(topics={told.topic: value(told.score)})
        case LinkedRecordChanged():
            fields = {} if told.deleted else told.fields
            record = LinkedRecord(at=event.occurred_at, event_id=event.id, fields=fields, gone=told.deleted)
            return Engagement(linked={told.kind: {told.id: record}})
        case _:
            return Engagement()


def _view(event: Event, told: ProductViewed) -> View:
    return View(
        at=event.occurred_at,
        event_id=event.id,
        product=told.product_id,
        categories=told.categories,
        seconds=told.seconds,
        out_of_stock=not told.in_stock,
    )


def _short(answer: object) -> object:
    if isinstance(answer, list):
        return [_short(one) for one in answer][:20]
    return answer[:_TEXT_KEPT] if isinstance(answer, str) else answer


def _place(entry: Dated) -> tuple[datetime, str]:
    return entry.at, entry.event_id


def _newest(one: Mapping[Key, Entry], other: Mapping[Key, Entry], most: int) -> dict[Key, Entry]:
    """The newest entry under each key; of very many keys the newest, in the order of their names."""
    both = {key: max((side[key] for side in (one, other) if key in side), key=_place) for key in {*one, *other}}
    kept = sorted(both, key=lambda key: (*_place(both[key]), str(key)))[-most:]
    return {key: both[key] for key in sorted(kept, key=str)}


def _nested(
    one: Mapping[str, Mapping[str, Entry]], other: Mapping[str, Mapping[str, Entry]], most: int
) -> dict[str, dict[str, Entry]]:
    found: dict[str, dict[str, Entry]] = {}
    for (group, name), entry in _newest(_flat(one), _flat(other), most).items():
        found.setdefault(group, {})[name] = entry
    return found


def _flat(groups: Mapping[str, Mapping[str, Entry]]) -> dict[tuple[str, str], Entry]:
    return {(group, name): entry for group, named in groups.items() for name, entry in named.items()}
