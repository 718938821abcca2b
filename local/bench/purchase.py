"""What a purchase and a message cost: request units of the table and state transitions, by count.

A purchase is what WooCommerce sends for one: `order.created` and an `order.updated` with the same body.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from chalicelib.commerce.event import Event
from chalicelib.storage import keys
from chalicelib.storage.timeline import event_item
from chalicelib.storage.wire import to_wire
from local.bench.house import SECRET, House, make_store, open_house, shopper, wait_then_mail
from local.demo import play
from local.demo.delivery import Delivery
from local.demo.shop import CUP, GREEN
from local.demo.woocommerce import Purchase, delivery, product_told

SHORT, LONG = 10, 10_000  # timeline entries
SLOWLY = 30.0  # store seconds per second: no day begins meanwhile, whose first purchase writes a little more


def measure() -> dict[str, Any]:
    with open_house() as house:
        store_id = open_shop(house)
        play.activate(house, store_id, "after-purchase", wait_then_mail({"hours": 1}))
        first = _bill(house, store_id, 1, order=1001)
        known = _bill(house, store_id, 1, order=1002)
        with house.meter.bill() as repeat:
            house.take(store_id, *told(house, 1, order=1002))
        house.await_executions(2)
        started = dict(house.transitions)
        return {
            "new_contact": first["purchase"],
            "known_contact": known["purchase"],
            "repeated_deliveries": repeat.as_json(),
            "message": known["message"],
            "state_transitions": {
                "per_message": max(started.values()),
                "floor": 2,  # a wait and a send
            },
        }


def measure_history(short: int = SHORT, long: int = LONG) -> dict[str, Any]:
    """The same purchase for a contact with a short and with a long timeline."""
    with open_house(SLOWLY) as house:
        store_id = open_shop(house)
        play.activate(house, store_id, "after-purchase", wait_then_mail({"minutes": 1}))
        bills = {}
        for number, entries in ((1, short), (2, long)):
            house.take(store_id, *told(house, number, order=2000 + number))
            house.await_executions(number * 2 - 1)
            lengthen(house, store_id, number, entries)
            bills[entries] = _bill(house, store_id, number, order=3000 + number, ended=number * 2)
        return {
            "entries": [short, long],
            "short": bills[short],
            "long": bills[long],
            "ratio": round(_units(bills[long]) / _units(bills[short]), 3),
        }


def open_shop(house: House) -> str:
    """A store whose catalogue is known, as it is after the first minutes of a real one."""
    store_id = make_store(house)
    at = house.now().replace(microsecond=0)
    house.take(store_id, *(delivery(SECRET, "product.created", product_told(w, at, ""), at) for w in (GREEN, CUP)))
    return store_id


def _bill(house: House, store_id: str, number: int, order: int, ended: int | None = None) -> dict[str, Any]:
    """The bills of one purchase, and of the message that follows it."""
    before = house.workflows.counts().get("succeeded", 0)
    deliveries = told(house, number, order)
    with house.meter.bill() as purchase:
        house.take(store_id, *deliveries)
    if house.workflows.counts().get("succeeded", 0) != before:
        raise RuntimeError("the message went out before the purchase was billed")
    with house.meter.bill() as message:
        house.await_executions(ended or before + 1)
    return {"purchase": purchase.as_json(), "message": message.as_json()}


def told(house: House, number: int, order: int) -> list[Delivery]:
    placed = (house.now() - timedelta(minutes=5)).replace(microsecond=0)
    bought = Purchase(order, shopper(number), ((GREEN, 2), (CUP, 1)), placed, consent="subscribed")
    body = bought.told("processing", placed + timedelta(minutes=1), paid=placed + timedelta(minutes=1))
    return [delivery(SECRET, topic, body, placed) for topic in ("order.created", "order.updated")]


def lengthen(house: House, store_id: str, number: int, entries: int) -> None:
    """Fills the contact's timeline up to `entries`, as views would."""
    (contact,) = house.all(f"/v1/stores/{store_id}/contacts?email={shopper(number).email}")
    have = len(house.all(f"/v1/stores/{store_id}/contacts/{contact['id']}/timeline?limit=100"))
    partition, start = keys.contact(store_id, str(contact["id"])), house.now() - timedelta(days=300)
    events = [
        Event(
            id=f"bench:{n}", type="viewed", occurred_at=start + timedelta(minutes=n), properties={"product_id": "101"}
        )
        for n in range(entries - have)
    ]
    table, client = house.parts.settings.table, house.unmetered()
    for first in range(0, len(events), 25):  # the most that one batch takes
        items = [to_wire(event_item(partition, event)) for event in events[first : first + 25]]
        client.batch_write_item(RequestItems={table: [{"PutRequest": {"Item": item}} for item in items]})


def _units(bill: dict[str, Any]) -> float:
    return float(sum(part[kind] for part in bill.values() for kind in ("read_units", "write_units")))
