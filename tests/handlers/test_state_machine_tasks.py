"""The tasks of the fixed state machines: what they raise is kept by executions and logs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from chalicelib import wiring
from chalicelib.errors import TaskFailed, TryLater
from chalicelib.handlers.cart_watch import cart_watch
from chalicelib.handlers.store_sync import store_sync

TASKS: list[tuple[Callable[..., Any], dict[str, Any]]] = [
    (cart_watch, {"store_id": "s", "token": "t", "generation": 1, "until": "2026-11-22T08:00:00Z"}),
    (store_sync, {"store_id": "s", "run": "r", "execution": 1}),
]


@pytest.fixture
def problems(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Exception]]:
    """What the part behind the task raises."""
    raised: list[Exception] = []

    def fail(*_: Any) -> None:
        raise raised[0]

    parts = SimpleNamespace(cart_watch=SimpleNamespace(look=fail), pull=SimpleNamespace(work=fail))
    monkeypatch.setattr(wiring, "get", lambda: parts)
    yield raised


@pytest.mark.parametrize(("task", "event"), TASKS)
def test_a_mistake_of_ours_says_where_and_quotes_nobody(
    problems: list[Exception], task: Callable[..., Any], event: dict[str, Any]
) -> None:
    problems.append(ValueError("no such contact: noa@shopper.example"))
    with pytest.raises(TaskFailed) as failed:
        task(event, None)
    assert str(failed.value).startswith("ValueError at ")
    assert "noa" not in str(failed.value)
    assert failed.value.__cause__ is None
    assert failed.value.__suppress_context__


@pytest.mark.parametrize(("task", "event"), TASKS)
def test_what_the_machine_retries_by_name_keeps_its_name(
    problems: list[Exception], task: Callable[..., Any], event: dict[str, Any]
) -> None:
    problems.append(TryLater("the table is busy"))
    with pytest.raises(TryLater):
        task(event, None)
