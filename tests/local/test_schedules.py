from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local.clock import FastClock
from local.lambdas import Lambdas
from local.schedules import Schedules, parse

NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "following"),
    [
        ("rate(1 minute)", NOON + timedelta(minutes=1)),
        ("rate(12 hours)", NOON + timedelta(hours=12)),
        ("rate(1 day)", NOON + timedelta(days=1)),
        ("cron(30 14 * * ? *)", NOON + timedelta(hours=2, minutes=30)),
        ("cron(0 12 * * ? *)", NOON + timedelta(days=1)),
        ("cron(0 3 * * ? *)", NOON + timedelta(hours=15)),
    ],
)
def test_the_next_time_follows_from_the_expression(expression: str, following: datetime) -> None:
    assert parse(expression).after(NOON) == following


@pytest.mark.parametrize("expression", ["", "rate(5 fortnights)", "cron(0 3 1 * ? *)", "at(2026-11-01T00:00:00)"])
def test_other_expressions_are_refused(expression: str) -> None:
    with pytest.raises(ValueError, match="schedule"):
        parse(expression)


def test_a_function_is_called_again_and_again_also_after_a_failure(tmp_path: Path) -> None:
    thrice = threading.Event()
    events: list[Any] = []

    def handler(event: Any, context: Any) -> None:
        events.append((event, context.function_name))
        if len(events) == 3:
            thrice.set()
        raise RuntimeError("the next run is the retry")

    lambdas = Lambdas()
    lambdas.register("sweep", handler)
    schedules = Schedules(FastClock(tmp_path, 10_000), lambdas)
    schedules.add("sweep", "rate(5 minutes)")
    schedules.start()
    assert thrice.wait(10)
    schedules.close()
    event, name = events[0]
    assert (event["source"], event["detail-type"], name) == ("aws.events", "Scheduled Event", "sweep")
