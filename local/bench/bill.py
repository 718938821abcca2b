"""The month of a shop with 40,000 contacts as an AWS bill by line: counted units, times how often, at list prices.

Every act is counted once in the embedded house (`messages`, and here orders, carts, the console and the night); the
month says how often each is done. What cannot be counted here is an assumption with a name in `ASSUMED`. No
free tier is taken off.
The price of an SMS itself is the carrier's and stands nowhere. A newsletter is the same act of sending, through a
journey of one step: there are no campaigns yet. Pixel events come over `POST …/events`: there is no pixel yet.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from chalicelib.journeys.costs import ENTRY
from chalicelib.journeys.multitude import SWEEP
from chalicelib.messages.shelf_count import KIND as COUNT
from chalicelib.storage.errands import ErrandRecords
from chalicelib.storage.table import Table
from local.bench import messages, touches
from local.bench.house import PATIENCE, SECRET, STORE_SECONDS_PER_SECOND, House, make_store, shopper, wait_then_mail
from local.bench.purchase import SLOWLY, open_shop, told
from local.bench.traffic import Act, Watched, watched_house
from local.demo import play
from local.demo.carts import Cart
from local.demo.shop import CUP, GREEN

_ROOT = Path(__file__).parents[2]
MILLION, GB = 1e6, 1e9

PRICES = {
    # US dollars, us-east-1, November 2026, of AWS's public price lists.
    "SES, an email": 0.10 / 1000,
    "Step Functions Standard, a state transition": 0.025 / 1000,
    "DynamoDB on demand, a read unit": 0.125 / MILLION,
    "DynamoDB on demand, a write unit": 0.625 / MILLION,
    "DynamoDB storage, a GB and month": 0.25,
    "DynamoDB point-in-time recovery, a GB and month": 0.20,
    "Lambda arm64, a request": 0.20 / MILLION,
    "Lambda arm64, a GB-second": 0.0000133334,
    "API Gateway REST, a request": 3.50 / MILLION,
    "SQS standard, a request": 0.40 / MILLION,
    "SNS, a publication": 0.50 / MILLION,
    "S3 Standard, a PUT": 0.005 / 1000,
    "CloudWatch Logs, a GB taken in": 0.50,
    "CloudWatch, an alarm": 0.10,
    "CloudWatch, a dashboard": 3.00,
    "Data out to the internet, a GB": 0.09,
}

MONTH = {
    "newsletter mails": 160_000,
    "journey emails": 80_000,
    "journey SMS": 20_000,
    "orders": 6_000,
    "carts": 30_000,
    "reachable carts": 8_000,
    "pixel events": 400_000,
    "opens": 45_000,
    "clicks": 15_000,
    "console users": 20,
}
CONTACTS = 40_000

ASSUMED = {
    "touches for each entry into a journey": 2,
    "of a hundred touches, those that wait for quiet hours or Shabbat": 10,
    "transitions of such a wait": 3,
    "visits of programs, and repeated ones, for each open or click": 1,
    "pixel events of one visit": 5,
    "changes of a cart after the first": 2,
    "people who change a preference": 500,
    "people who unsubscribe": 500,
    "calls of the console for each user and working day": 200,
    "working days": 22,
    "nights": 30,
    "calls of the calendar a day (every 15 minutes)": 96,
    "ms for one call of the table": 4,
    "ms for one call of SES or End User Messaging": 60,
    "MB of memory at which Lambda gives one whole processor": 1769,
    "of a hundred invocations, cold ones": 1,
    "ms of a cold start": 3000,
    "bytes of log for each invocation (START, END and REPORT)": 400,
    "bytes of headers and encryption for each answer": 600,
    "requests of SQS for each message (sent, received, deleted)": 3,
    "long polls at a time that Lambda keeps open on a queue": 5,
    "seconds of a long poll": 20,
    "queues that Lambda reads": 2,
    "seconds of a month": 30 * 86_400,
}


@dataclass(frozen=True)
class Line:
    """`count` of something at `price` (a name in PRICES), and where the count is from."""

    price: str
    count: float
    why: str

    @property
    def dollars(self) -> float:
        return self.count * PRICES[self.price]

    @property
    def text(self) -> str:
        count = f"{self.count:,.0f}" if self.count >= 100 or self.count == round(self.count) else f"{self.count:.2f}"
        price = f"{PRICES[self.price]:.10f}".rstrip("0").rstrip(".")
        return f"{count} × ${price} = ${self.dollars:.2f}"


def measure(people: int = messages.PEOPLE) -> dict[str, Any]:
    acts = messages.acts(people) | orders(people) | carts() | nights()
    found = lines(acts, touches.measure())
    fee = sum(line.dollars for line in found if line.price == "SES, an email")
    besides = sum(line.dollars for line in found) - fee
    return {
        "acts": {name: act.as_json() for name, act in acts.items()},
        "lines": [asdict(line) | {"dollars": round(line.dollars, 2), "text": line.text} for line in found],
        "ses_fee": round(fee, 2),
        "besides": round(besides, 2),
        "ratio": round(besides / fee, 2),
        "aim": 0.5,
    }


def done(found: dict[str, Any]) -> list[tuple[float, str]]:
    """How often each act is done in the month: (times, its name)."""
    month, a = MONTH, ASSUMED
    touched = month["journey emails"] + month["journey SMS"]
    branches = touched * sum(one["branches"] for one in found.values()) / sum(one["touches"] for one in found.values())
    visits = month["pixel events"] / a["pixel events of one visit"]
    programs = a["visits of programs, and repeated ones, for each open or click"]
    return [
        (month["newsletter mails"] + touched / a["touches for each entry into a journey"], "entry"),
        (branches, "branch"),
        (month["newsletter mails"] + month["journey emails"], "message_email"),
        (month["journey SMS"], "message_sms"),
        (month["newsletter mails"] + month["journey emails"], "report_email"),
        (month["journey SMS"], "report_sms"),
        (month["orders"], "order"),
        (month["orders"], "order_looked_at_again"),
        (month["carts"], "cart_seen"),
        (month["carts"] * a["changes of a cart after the first"], "cart_changed"),
        (month["reachable carts"], "cart_named"),
        (month["reachable carts"], "cart_watched"),
        (month["orders"], "cart_bought"),
        (visits, "view_first_of_a_day"),
        (month["pixel events"] - visits, "view"),
        (month["opens"], "open_first"),
        (month["clicks"], "click_first"),
        (month["opens"] * programs, "open_repeated"),
        (month["clicks"] * programs, "click_repeated"),
        (a["people who change a preference"], "preference_page"),
        (a["people who change a preference"], "preference_change"),
        (a["people who unsubscribe"], "unsubscribe"),
        (
            month["console users"]
            * a["working days"]
            * a["calls of the console for each user and working day"]
            / len(_CONSOLE),
            "console",
        ),
        (a["nights"], "night"),
        (CONTACTS * a["nights"], "night_for_each_contact"),
        (a["nights"] * a["calls of the calendar a day (every 15 minutes)"], "calendar_look"),
    ]


def lines(acts: dict[str, Act], journeys: dict[str, Any]) -> list[Line]:
    times, a, month = done(journeys), ASSUMED, MONTH

    def total(of: Callable[[Act], float]) -> float:
        return sum(count * of(acts[name]) for count, name in times)

    emails = month["newsletter mails"] + month["journey emails"]
    touched = month["journey emails"] + month["journey SMS"]
    reports = emails + month["journey SMS"]
    invocations = total(lambda act: sum(act.functions.values()))
    per_touch = sum(one["transitions"] for one in journeys.values()) / sum(one["touches"] for one in journeys.values())
    waits = touched * a["of a hundred touches, those that wait for quiet hours or Shabbat"] / 100
    polls: float = a["queues that Lambda reads"] * a["long polls at a time that Lambda keeps open on a queue"]
    polls *= a["seconds of a month"] / a["seconds of a long poll"]
    requests = total(lambda act: act.requests)
    kept = {part: sum(n * acts[name].stored for n, name in times if name in names) for part, names in _PARTS.items()}
    kept["contacts"] = CONTACTS * acts["contact"].stored / 12
    stored = sum(kept.values()) / GB
    parts = ", ".join(f"{part} {held / GB:.1f}" for part, held in kept.items() if held >= GB / 20)
    step, read, write = list(PRICES)[1:4]
    alarms, dashboards = _template()
    watch = acts["cart_named"].transitions + acts["cart_watched"].transitions
    return [
        Line("SES, an email", emails, "newsletter and journeys"),
        Line(step, touched * per_touch, f"journeys: {per_touch:.2f} for each touch, the ready journeys' mean"),
        Line(step, month["newsletter mails"], "newsletter: a journey of one step, the only way there is today"),
        Line(step, month["reachable carts"] * watch, f"{watch:g} for each cart that is watched and moved once"),
        Line(step, waits * a["transitions of such a wait"], "a tenth of the touches waits for its hour"),
        *(_units(write, times, acts, lambda act: act.write)),
        Line(write, emails, "SES: its place among the sent of this second, one for each email"),
        *(_units(read, times, acts, lambda act: act.read)),
        Line(read, month["newsletter mails"] * ENTRY[0], f"newsletter: {ENTRY[0]:g} by which each entry is decided"),
        Line("DynamoDB storage, a GB and month", stored, f"what stays of twelve such months: {parts}"),
        Line("DynamoDB point-in-time recovery, a GB and month", stored, "the same"),
        Line("Lambda arm64, a request", invocations, "every invocation"),
        Line("Lambda arm64, a GB-second", total(_gb_seconds), "processor time counted, waiting assumed"),
        Line("API Gateway REST, a request", requests, "webhooks, carts, pixel events, visits, console"),
        Line(
            "SQS standard, a request",
            total(lambda act: act.queued) * a["requests of SQS for each message (sent, received, deleted)"],
            "messages on queues",
        ),
        Line("SQS standard, a request", polls, "Lambda asks both queues, also when nothing is there"),
        Line("SNS, a publication", reports, "providers' reports"),
        Line("S3 Standard, a PUT", total(lambda act: act.objects), "tallies of the nights; large deliveries"),
        Line(
            "CloudWatch Logs, a GB taken in",
            invocations * a["bytes of log for each invocation (START, END and REPORT)"] / GB,
            "Lambda's own three lines for each invocation",
        ),
        Line("CloudWatch, an alarm", alarms, "infra/template.json"),
        Line("CloudWatch, a dashboard", dashboards, "infra/template.json"),
        Line(
            "Data out to the internet, a GB",
            (total(lambda act: act.answered) + requests * a["bytes of headers and encryption for each answer"]) / GB,
            "answers",
        ),
    ]


_PARTS = {
    "messages": ("entry", "branch", "message_email", "message_sms"),
    "reports": ("report_email", "report_sms"),
    "pixel events": ("view_first_of_a_day", "view"),
    "opens and clicks": ("open_first", "click_first", "open_repeated", "click_repeated"),
    "orders": ("order", "order_looked_at_again"),
    "carts": ("cart_seen", "cart_changed", "cart_named", "cart_watched", "cart_bought"),
    "people's choices, console, nights": (
        "preference_page", "preference_change", "unsubscribe", "console",
        "night", "night_for_each_contact", "calendar_look",
    ),
}  # fmt: skip


def _units(
    price: str, times: list[tuple[float, str]], acts: dict[str, Act], of: Callable[[Act], float]
) -> Iterator[Line]:
    for part, names in _PARTS.items():
        counted = [(count, name, of(acts[name])) for count, name in times if name in names and of(acts[name])]
        why = " + ".join(f"{count:,.0f} {name.replace('_', ' ')} × {units:.3g}" for count, name, units in counted)
        yield Line(price, sum(count * units for count, _, units in counted), f"{part}: {why}")


def _gb_seconds(act: Act) -> float:
    """Processor time grows as the function's share of a processor shrinks; waiting is the same for all."""
    if not act.functions:
        return 0.0
    config = json.loads((_ROOT / ".chalice/config.json").read_text())["stages"]["production"]["lambda_functions"]
    memory: dict[str, int] = {
        name: config.get(name, config["api_handler"])["lambda_memory_size"] for name in act.functions
    }
    whole = ASSUMED["MB of memory at which Lambda gives one whole processor"]
    busy = sum(
        act.cpu.get(name, 0.0) / min(1.0, megabytes / whole) * megabytes / 1024 for name, megabytes in memory.items()
    )
    waited = act.table_calls * ASSUMED["ms for one call of the table"] / 1000
    if "journey_step" in act.functions:
        waited += ASSUMED["ms for one call of SES or End User Messaging"] / 1000
    cold = sum(act.functions[name] * megabytes for name, megabytes in memory.items()) / 1024
    cold *= ASSUMED["of a hundred invocations, cold ones"] / 100 * ASSUMED["ms of a cold start"] / 1000
    return busy + waited * max(memory.values()) / 1024 + cold


def _template() -> tuple[int, int]:
    """Alarms and dashboards of a deployment."""
    resources = json.loads((_ROOT / "infra/template.json").read_text())["Resources"].values()
    kinds = [one.get("Type") for one in resources]
    return kinds.count("AWS::CloudWatch::Alarm"), kinds.count("AWS::CloudWatch::Dashboard")


def orders(people: int) -> dict[str, Act]:
    """A contact, a purchase of a known one (two deliveries, no journey), the same order told anew, the console."""
    with watched_house(SLOWLY) as watched:
        house = watched.house
        store_id = open_shop(house)
        for number in range(1, people + 1):
            house.take(store_id, *told(house, number, order=1000 + number))
        bought = [told(house, number, order=2000 + number) for number in range(1, people + 1)]
        takes = [partial(house.take, store_id, *deliveries) for deliveries in bought]
        makes = partial(house.call, "POST", f"/v1/stores/{store_id}/contacts", {"email": "new@mail.test"})
        some = [{"email": f"p{number}@mail.test", "first_name": "נועה"} for number in range(50)]
        house.call("POST", f"/v1/stores/{store_id}/contacts", {"contacts": some})
        look = partial(_looked_at, house, store_id)
        return {
            "order": watched.act(takes[0], *takes[1:]),
            "order_looked_at_again": watched.act(partial(house.take, store_id, *told(house, 1, order=2001))),
            "contact": watched.act(makes),
            "console": watched.act(look, look, look),
        }


_CONSOLE = ("", "/contacts?limit=50", "/messages?limit=50", "/journeys", "/products/101", "/deliveries?limit=50")


def _looked_at(house: House, store_id: str) -> None:
    for path in _CONSOLE:
        house.get(f"/v1/stores/{store_id}{path}")


def carts() -> dict[str, Act]:
    """A cart seen, changed, its shopper named; and the two looks at one that moved once."""
    with watched_house(STORE_SECONDS_PER_SECOND) as watched:
        house = watched.house
        store_id = make_store(house)
        cart = _cart(1)
        tell = partial(_tell, watched, store_id)
        seen, changed = tell(cart, "updated", known=False), tell(cart, "updated", known=False)
        named = tell(cart, "checkout")
        moved = tell(cart, "updated")
        watch = watched.act(partial(house.await_executions, 1))
        other = _cart(2)
        tell(other, "checkout")
        return {
            "cart_seen": seen,
            "cart_changed": changed,
            "cart_named": named,
            "cart_watched": moved.plus(watch),
            "cart_bought": tell(other, "converted", 1002),
        }


def _cart(number: int) -> Cart:
    who = shopper(number)
    return Cart(f"{number:032x}", who, ((GREEN, 2), (CUP, 1)), "https://tea.example/p", who.email, consent=("email",))


def _tell(
    watched: Watched, store_id: str, cart: Cart, event: str, order: int | None = None, *, known: bool = True
) -> Act:
    call = cart.call(event, watched.house.now(), order, known=known)
    return watched.act(partial(watched.house.tell_cart, store_id, SECRET, call))


def nights(few: int = 10, many: int = 40) -> dict[str, Act]:
    """What one more buyer who stands in a journey adds to a night (sweeps and counts), and a look of the calendar."""
    found = []
    with watched_house(STORE_SECONDS_PER_SECOND) as watched:
        house = watched.house
        for number in (few, many):
            store_id = open_shop(house)
            play.activate(house, store_id, "after-purchase", wait_then_mail({"days": 300}))
            for buyer in range(number):
                house.take(store_id, *told(house, buyer, order=1000 + buyer))
            found.append(watched.act(partial(_night, house, store_id)))
        store = house.parts.stores.get(store_id)
        assert store is not None
        look = watched.act(partial(house.parts.calendar.look, store))
    one = found[1].less(found[0]).times(1 / (many - few))
    look = replace(look, functions={"calendar": 1})  # called without its Lambda
    return {"night": found[0].plus(one, -few), "night_for_each_contact": one, "calendar_look": look}


def _night(house: House, store_id: str) -> None:
    """The sweep and the count of what is bought, until both are over."""
    store = house.parts.stores.get(store_id)
    assert store is not None
    house.parts.begin_sweeps(store)
    house.parts.begin_count(store)
    errands = ErrandRecords(Table(house.unmetered(), house.parts.table.name))  # looked up where no meter runs
    deadline = time.monotonic() + PATIENCE
    while not all(one.ended_at for kind in (SWEEP, COUNT) for one in errands.of_kind(store_id, kind)):
        if time.monotonic() > deadline:
            raise RuntimeError("the night did not end in time")
        time.sleep(0.05)
