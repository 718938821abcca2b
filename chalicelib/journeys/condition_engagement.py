"""Conditions about what a contact looked at, wished for, answered and belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from chalicelib.contacts.engagement import Engagement, View
from chalicelib.journeys.condition_compare import compare, plain
from chalicelib.journeys.condition_facts import Facts, subjects_named
from chalicelib.journeys.condition_forms import (
    Condition,
    LinkedIs,
    LinkedRecord,
    SegmentIs,
    SurveyAnswer,
    SurveyIs,
    TopicInterest,
    TopicIs,
    Viewed,
    WishListed,
)
from chalicelib.journeys.condition_subjects import Subject, Views

_NOTHING = Engagement()
_BY_ENGAGEMENT = (Viewed, WishListed, SegmentIs, TopicIs, SurveyIs, LinkedIs)


def by_engagement(condition: Condition) -> bool:
    """Whether this very condition (not one inside it) is answered by the engagement."""
    return isinstance(condition, _BY_ENGAGEMENT)


def by_categories(condition: Condition) -> bool:
    """Whether the catalogue's categories of the engagement's products are needed for it."""
    match condition:
        case Viewed(viewed=asked) | WishListed(wish_list=asked):
            return asked.kind == "category" and not asked.unchosen
        case _:
            return False


def engaged_so(condition: Condition, facts: Facts) -> bool:
    known = facts.engagement or _NOTHING
    match condition:
        case Viewed():
            return _viewed(condition.viewed, known, facts)
        case WishListed():
            return _wished(condition.wish_list, known, facts)
        case SegmentIs():
            return known.in_segment(condition.segment.id)
        case TopicIs():
            return _interested(condition.topic, known)
        case SurveyIs():
            return _answered(condition.survey, known, facts)
        case LinkedIs():
            return _linked(condition.linked, known, facts)
        case _:
            return False


def _viewed(asked: Views, known: Engagement, facts: Facts) -> bool:
    views = [view for view in known.views if _counts(asked, view, facts)]
    if asked.kind is None:
        return _enough(asked, [view for view in views if view.product])
    return any(
        _enough(asked, [view for view in views if subject in _subjects(view, facts.categories)])
        for subject in subjects_named(asked, facts.event)
    )


def _counts(asked: Views, view: View, facts: Facts) -> bool:
    if asked.within_days is not None and view.at <= facts.now - timedelta(days=asked.within_days):
        return False
    if asked.since is not None:
        own = (facts.event or {}).get("id")
        if facts.entered_at is None or view.at <= facts.entered_at or view.event_id == own:
            return False
    return asked.out_of_stock is None or view.out_of_stock is asked.out_of_stock


def _enough(asked: Views, views: list[View]) -> bool:
    return (
        len(views) >= (asked.at_least_times or 1)
        and len({view.product for view in views if view.product}) >= (asked.at_least_products or 0)
        and sum(view.seconds for view in views) >= (asked.at_least_seconds or 0)
    )


def _subjects(view: View, categories: Mapping[str, Iterable[str]]) -> set[str]:
    found = {f"category:{one}" for one in (*view.categories, *categories.get(view.product, ()))}
    return found | ({f"product:{view.product}"} if view.product else set())


def _wished(asked: Subject, known: Engagement, facts: Facts) -> bool:
    wishes = known.wishes()
    if asked.kind is None:
        return bool(wishes)
    there = {f"product:{product}" for product in wishes}
    there |= {f"category:{one}" for product in wishes for one in facts.categories.get(product, ())}
    return not there.isdisjoint(subjects_named(asked, facts.event))


def _interested(asked: TopicInterest, known: Engagement) -> bool:
    told = known.topics.get(asked.name)
    return told is not None and isinstance(told.value, int | float) and told.value >= asked.at_least


def _answered(asked: SurveyAnswer, known: Engagement, facts: Facts) -> bool:
    told = known.answers.get(asked.survey, {}).get(asked.question)
    return compare(asked.operator, plain(told.value) if told else None, asked.value, facts.now)


def _linked(asked: LinkedRecord, known: Engagement, facts: Facts) -> bool:
    return any(
        compare(asked.operator, plain(record.fields.get(asked.field)), asked.value, facts.now)
        for record in known.linked.get(asked.kind, {}).values()
        if not record.gone
    )
