from __future__ import annotations

from local.bench import carts


def test_a_cart_costs_few_units_and_the_fewest_transitions() -> None:
    found = carts.measure()
    assert found["state_transitions"] == {"watch": 2, "watch_of_a_cart_that_moved": 5, "floor": 2}
    for what, most in (("anonymous", 12), ("changed", 30), ("repeated", 8), ("left", 14)):
        assert found[what]["read_units"] + found[what]["write_units"] <= most, what
