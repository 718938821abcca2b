from __future__ import annotations

from functools import partial

import pytest

from chalicelib.journeys import costs
from local.bench import bill, messages
from local.bench.__main__ import alone
from local.bench.traffic import Act, door_of


def test_what_follows_a_message_is_counted_and_no_dearer_than_the_message() -> None:
    acts = alone(partial(messages.measure, 3))
    sent = acts["message_email"]
    assert sent["functions"] == {"journey_step": 1}
    reckoned = costs.TASK[0] + costs.MESSAGE[0], costs.TASK[1] + costs.MESSAGE[1]
    assert abs(sent["read_units"] - reckoned[0]) <= 3 and abs(sent["write_units"] - reckoned[1]) <= 3
    assert acts["click_first"]["functions"] == {"links_door": 1, "activity": 1}
    assert acts["click_repeated"]["write_units"] == acts["open_repeated"]["write_units"] == 1
    for name in ("report_email", "open_first", "click_first", "preference_change", "unsubscribe"):
        assert 0 < acts[name]["write_units"] <= 12, name


def test_requests_are_counted_where_the_template_leads_them() -> None:
    assert door_of("POST", "/v1/stores/s/carts") == "carts_door"
    assert door_of("GET", "/v1/stores/s/carts") == "api_handler"
    assert door_of("GET", "/l/abc") == "links_door"
    assert door_of("POST", "/webhooks/woocommerce/s") == "webhook_door"


def test_a_bill_is_counts_times_prices() -> None:
    one = Act(2, 3, {"journey_step": 1}, {"journey_step": 0.01}, 1, 1, 1, 1200, 5)
    journeys = {"one": {"touches": 2, "branches": 1, "transitions": 5}}
    names = {name for _, name in bill.done(journeys)} | {"contact"}
    lines = bill.lines(dict.fromkeys(names, one), journeys)
    fee, touched = lines[:2]
    assert fee.dollars == pytest.approx(24) and fee.text == "240,000 × $0.0001 = $24.00"
    assert touched.count == 250_000 and touched.dollars == pytest.approx(6.25)
    written = [line for line in lines if line.price == "DynamoDB on demand, a write unit"]
    times = sum(count for count, _ in bill.done(journeys))
    assert sum(line.count for line in written) == pytest.approx(3 * times + 240_000), "every act is on the bill, once"
    invoked = next(line for line in lines if line.price == "Lambda arm64, a request")
    assert invoked.count == pytest.approx(times)


def test_two_acts_together_and_one_without_a_part_of_it() -> None:
    one = Act(2, 3, {"a": 1}, {"a": 0.01}, 1, 1, 1, 12, 5)
    assert one.plus(one).less(one) == one
    assert one.less(one).functions == {}
    assert one.times(3).write == 9
