from __future__ import annotations

import pytest

from local.bench import plugin


def test_a_shoppers_request_writes_two_rows_and_calls_nobody() -> None:
    found = plugin.measure(rounds=5)
    if "skipped" in found:
        pytest.skip(found["skipped"])
    assert found["network_calls"] == 0
    assert found["statements"] == 2
    assert found["floor_us"] > 0
    assert found["plugin_us"] > 0
    assert found["page_view_us"] < 100
