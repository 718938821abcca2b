from __future__ import annotations

from local.bench import history


def test_the_pull_is_measured_with_few_orders_and_with_more() -> None:
    found = history.measure(records=(5, 40), counted=(5, 250))
    assert [one["orders"] for one in found["records"] + found["counted"]] == [5, 40, 5, 250]
    assert found["orders_per_second"] > 0
    assert 0.5 < found["memory_ratio"] < 1.5
