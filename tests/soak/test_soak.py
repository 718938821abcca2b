"""All ready journeys live in one shop for half a year; whatever goes wrong, the same people get the same messages."""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from tests.soak.soak import lived

_FAULTS, _REPEATS = 6, 15  # of a thousand requests; of a hundred things that happen


def _life(contacts: int, faults: float, repeats: int) -> tuple[dict[str, Counter[Any]], list[str], list[str], int]:
    with lived(contacts, faults, repeats) as soak:
        return soak.outcome(), soak.overdue(), soak.executions.failed, soak.client.count


def test_crashes_repeats_and_late_news_change_no_message_and_leave_nobody_behind() -> None:
    contacts = 2000 if os.environ.get("PROVE") else 12  # `make prove` lives the whole of it
    with ProcessPoolExecutor(2) as hands:
        quiet = hands.submit(_life, contacts, 0, 0)
        rough = hands.submit(_life, contacts, _FAULTS, _REPEATS)
        (undisturbed, late, failed, _), (disturbed, late_too, failed_too, faults) = quiet.result(), rough.result()
    assert faults > contacts
    assert (late, late_too, failed, failed_too) == ([], [], [], [])
    for kind in ("messages", "passes"):
        assert {"missing": undisturbed[kind] - disturbed[kind], "more": disturbed[kind] - undisturbed[kind]} == {
            "missing": Counter(),
            "more": Counter(),
        }
    once = [key for key, count in disturbed["messages"].items() if count > undisturbed["messages"][key]]
    assert once == []
    assert len({journey for _, journey, *_ in undisturbed["passes"]}) >= min(contacts // 2, 36)
