"""What a cart costs until it counts as left: request units of the table and state transitions, by count."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from local.bench.house import SECRET, House, make_store, open_house, shopper
from local.bench.units import Bill
from local.demo import play
from local.demo.carts import Cart, CartCall
from local.demo.shop import CUP, GREEN


def measure() -> dict[str, Any]:
    """A cart of two lines: seen, named at the checkout, changed, told again, bought; one that is left, and one that
    is changed, left and written about.
    """
    with open_house() as house:
        store_id = make_store(house)
        bought, left, reminded = _cart(1), _cart(2), _cart(3, "email")
        start = house.now().replace(microsecond=0)
        anonymous = _bill(house, store_id, bought.call("updated", start, known=False))
        named = _bill(house, store_id, bought.call("checkout", start + timedelta(seconds=1)))
        change = bought.call("updated", start + timedelta(seconds=2))
        changed, repeated = _bill(house, store_id, change), _bill(house, store_id, change)
        converted = _bill(house, store_id, bought.call("converted", start + timedelta(seconds=3), 1001))
        house.await_executions(1)
        _bill(house, store_id, left.call("checkout", house.now()))
        with house.meter.bill() as look:
            house.await_executions(2)
        play.activate(house, store_id, "left", _journey())
        for event in ("checkout", "updated"):
            _bill(house, store_id, reminded.call(event, house.now()))
        with house.meter.bill() as message:
            house.await_executions(4)
        watches = [count for name, count in house.transitions.items() if name.startswith("cart-")]
        return {
            "anonymous": anonymous.as_json(),
            "named": named.as_json(),
            "changed": changed.as_json(),
            "repeated": repeated.as_json(),
            "bought": converted.as_json(),
            "left": look.as_json(),
            "moved_left_and_written_to": message.as_json(),
            "state_transitions": {
                "watch": min(watches),
                "watch_of_a_cart_that_moved": max(watches),
                "floor": 2,  # a wait and a look
            },
        }


def _cart(number: int, *consent: str) -> Cart:
    who = shopper(number)
    return Cart(f"{number:032x}", who, ((GREEN, 2), (CUP, 1)), "https://tea.example/p", who.email, consent=consent)


def _bill(house: House, store_id: str, call: CartCall) -> Bill:
    ended = house.workflows.counts().get("succeeded", 0)
    with house.meter.bill() as bill:
        if (status := house.tell_cart(store_id, SECRET, call)) != 202:
            raise RuntimeError(f"a cart's call was answered {status}")
        house.settle()
    if house.workflows.counts().get("succeeded", 0) != ended:
        raise RuntimeError("a watch ended before the call was billed")
    return bill


def _journey() -> dict[str, Any]:
    words = {"he": "העגלה מחכה", "en": "Your cart is waiting"}
    mail = {"subject": "{{ store.name }}", "preheader": "…", "blocks": [{"type": "cart_items"}]}
    content = {"he": mail, "en": mail}
    return {
        "name": words,
        "description": words,
        "trigger": {"type": "cart_abandoned"},
        "reentry": {"mode": "per_cart"},
        "goal": {"purchased": {"since": "entry"}},
        "steps": [{"id": "mail", "title": words, "type": "send_email", "kind": "marketing", "content": content}],
    }
