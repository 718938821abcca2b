from __future__ import annotations

from functools import partial

from local.bench import purchase
from local.bench.__main__ import alone


def test_a_purchase_costs_the_same_whatever_the_history_and_a_message_two_transitions() -> None:
    history = alone(partial(purchase.measure_history, 10, 400))
    assert history["short"] == history["long"]
    found = alone(purchase.measure)
    assert found["state_transitions"] == {"per_message": 2, "floor": 2}
    assert 0 < found["message"]["write_units"] < found["known_contact"]["write_units"]
