"""All ready journeys live in one shop for half a year; whatever goes wrong, the same people get the same messages."""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.soak.soak import Told, lived
from tests.soak.tale import beside

_FAULTS, _REPEATS = 6, 15  # of a thousand requests; of a hundred things that happen


@dataclass(frozen=True)
class Life:
    outcome: dict[str, Counter[Any]]
    tales: dict[str, list[Told]]
    overdue: list[str]
    failed: list[str]
    faults: int


def _life(contacts: int, faults: float, repeats: int) -> Life:
    with lived(contacts, faults, repeats) as soak:
        return Life(soak.outcome(), soak.tales(), soak.overdue(), soak.executions.failed, soak.client.count)


def _difference(undisturbed: Life, disturbed: Life) -> str:
    """Empty if there is none; else what it is, and the tales of those it happened to."""
    lines, who = [], set()
    for kind, expected in undisturbed.outcome.items():
        found = disturbed.outcome[kind]
        for name, these in (("missing", expected - found), ("more", found - expected)):
            lines += [f"{kind}, {name}: {count} of {key}" for key, count in these.items()]
            who |= {str(key[0]) for key in these}
    return "\n".join([*lines, beside(who, undisturbed.tales, disturbed.tales)]) if lines else ""


def test_crashes_repeats_and_late_news_change_no_message_and_leave_nobody_behind() -> None:
    contacts = 2000 if os.environ.get("PROVE") else 12  # `make prove` lives the whole of it
    with ProcessPoolExecutor(2) as hands:
        quiet = hands.submit(_life, contacts, 0, 0)
        rough = hands.submit(_life, contacts, _FAULTS, _REPEATS)
        undisturbed, disturbed = quiet.result(), rough.result()
    assert disturbed.faults > contacts
    assert (undisturbed.overdue, disturbed.overdue, undisturbed.failed, disturbed.failed) == ([], [], [], [])
    difference = _difference(undisturbed, disturbed)
    assert not difference, difference
    assert len({journey for _, journey, *_ in undisturbed.outcome["passes"]}) >= min(contacts // 2, 36)


def test_a_difference_is_told_with_what_happened_around_it_in_both_lives() -> None:
    noon = datetime(2027, 3, 5, 12, tzinfo=UTC)
    before = [(noon - timedelta(days=9), "is told born"), (noon, "is told bought")]
    first = Life({"messages": Counter()}, {"ada": before}, [], [], 0)
    told = [(noon + timedelta(minutes=1), "is told bought"), (noon + timedelta(minutes=2), "is told bought")]
    news = (noon + timedelta(hours=20), "new-arrivals step what-is-new sent")
    second = Life({"messages": Counter([("ada", "new")])}, {"ada": [before[0], *told, news]}, [], [], 0)
    assert _difference(first, first) == ""
    assert _difference(first, second).splitlines() == [
        "messages, more: 1 of ('ada', 'new')",
        "ada",
        "   03-05 12:00:00 | 03-05 12:01:00 | is told bought",
        " !       -        | 03-06 08:00:00 | new-arrivals step what-is-new sent",
    ]


def test_with_the_same_seed_a_life_is_the_same() -> None:
    first, second = _life(3, 20, 15), _life(3, 20, 15)
    assert first == second
