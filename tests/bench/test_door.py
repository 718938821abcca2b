from __future__ import annotations

import pytest

from local.bench import door


def test_both_handlers_take_the_recorded_order_and_are_compared() -> None:
    found = door.measure(rounds=2, calls=2)
    assert found["body_bytes"] > 1000
    assert found["door_cpu_us"] > 0
    assert found["ratio"] == pytest.approx(found["door_cpu_us"] / found["floor_cpu_us"], rel=0.01)


def test_a_refused_delivery_is_no_measure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "SECRET", "another")
    with pytest.raises(RuntimeError, match="401"):
        door.measure(rounds=1, calls=1)
