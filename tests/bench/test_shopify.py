from __future__ import annotations

from local.bench import shopify


def test_the_pull_of_a_shopify_shop_is_measured_with_few_objects_and_with_more() -> None:
    found = shopify.measure(objects=(30, 900))
    assert [one["objects"] for one in found["counted"]] == [30, 900]
    assert [one["orders"] for one in found["counted"]] == [10, 300]
    assert found["memory_ratio"] < 1.2
