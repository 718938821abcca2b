"""Tells a shop owner what happened, and finds what did not happen as told."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from local.demo.acts import ERASED, Left
from local.demo.play import JOURNEYS, Stage, Stages, day_of, outcomes
from local.demo.shop import Shopper

OF_CARTS = ("cart-abandonment",)
_LRI, _PDI = "\u2068", "\u2069"  # keep a Hebrew name from turning the line around


@dataclass(frozen=True)
class Seen:
    """All of one shop as Agala's API shows it in the end. `outbox`: what was handed to the provider for it.

    `brought_back`: orders of carts that had been left; `recovered`: these and whatever else a journey brought.
    """

    currency: str
    contacts: dict[str, dict[str, Any]]
    enrolments: list[dict[str, Any]]
    messages: list[dict[str, Any]]
    outbox: list[dict[str, Any]]
    deliveries: dict[str, list[dict[str, Any]]]
    carts: dict[str, dict[str, Any]]
    brought_back: list[dict[str, Any]]
    recovered: list[dict[str, Any]]

    @property
    def revenue(self) -> int:
        return sum(c["total_spent"]["amount"] for c in self.contacts.values())

    @property
    def orders(self) -> int:
        return sum(c["orders_count"] for c in self.contacts.values())

    @property
    def carts_left(self) -> int:
        return sum(1 for c in self.carts.values() if c["abandoned_at"])

    def money(self, amount: int) -> str:
        return f"{amount / 100:,.2f} {self.currency}"

    def name(self, contact_id: str) -> str:
        contact = self.contacts.get(contact_id)
        if contact is None:
            return ERASED
        return f"{_LRI}{contact['first_name'] or ''} {contact['last_name'] or ''}{_PDI}"


def tell(stages: Stages, answers: dict[str, Any]) -> dict[str, Any]:
    """Prints the stories; returns the WooCommerce shop's figures, the Shopify shop's as `shopify`, and `mistakes`
    (empty when all is as told)."""
    tea, kettle = _seen(stages.tea), _seen(stages.kettle)
    _show(tea, "")
    _show(kettle, "Shopify: ")
    erased, left_of_them = stages.kettle.story.erased, left_of_the_erased(stages.kettle)
    exports = _exports(stages.kettle)
    _table(
        "Shopify: what only this platform tells",
        ("what", "seen"),
        [
            ("deliveries under a second webhook id, recognised", len(kettle.deliveries["repeated"])),
            ("sales at the till that became carts", len(_carts_of_no_shopper(stages.kettle))),
            ("exports made for the owner, with what is known of somebody", len(exports)),
            ("people erased", len(erased)),
            ("what is left of them", ", ".join(left_of_them) or "nothing"),
        ],
    )
    zoe = _recorded_store(stages.tea, answers)
    mistakes = [*_mistakes(stages.tea, tea), *_mistakes(stages.kettle, kettle), *zoe["mistakes"]]
    if set(answers["taken"]) != {200} or answers["forged"] != 401 or answers["broken"] != 200:
        mistakes.append(f"the recorded store's doors answered {answers}")
    for who in stages.kettle.story.exports:
        if not any(who.email in one and who.last_name in one for one in exports):
            mistakes.append(f"no export names shopper {who.number}, who asked for their data")
    mistakes += [f"left of somebody who was erased: {one}" for one in left_of_them]
    mistakes += [f"a sale at the till became a cart: {one}" for one in _carts_of_no_shopper(stages.kettle)]
    if len(kettle.deliveries["repeated"]) != stages.kettle.story.repeats:
        mistakes.append(f"{len(kettle.deliveries['repeated'])} repeats, not {stages.kettle.story.repeats}")
    return {
        **_figures(tea),
        "shopify": {**_figures(kettle), "erased": len(erased), "exports": len(exports)},
        "mistakes": mistakes,
    }


def _seen(stage: Stage[Any]) -> Seen:
    base = f"/v1/stores/{stage.store_id}"
    contacts = {c["id"]: c for c in stage.runtime.all(f"{base}/contacts?limit=200")}
    journeys = [one["id"] for one in stage.runtime.all(f"{base}/journeys")]
    enrolments = [e for j in journeys for e in stage.runtime.all(f"{base}/journeys/{j}/enrolments?limit=200")]
    messages, carts = stage.messages, stage.carts
    brought_back = _brought_back(stage, carts)
    recovered = [*_recovered(stage, enrolments, messages), *brought_back]
    return Seen(
        currency=stage.runtime.get(base)["currency"],
        contacts=contacts,
        enrolments=enrolments,
        messages=messages,
        outbox=[m for m in stage.runtime.get("/local/outbox")["items"] if m["store_id"] == stage.store_id],
        deliveries={
            s: stage.runtime.all(f"{base}/deliveries?status={s}&limit=200") for s in ("applied", "repeated", "parked")
        },
        carts=carts,
        brought_back=brought_back,
        recovered=sorted(recovered, key=lambda r: r["at"]),
    )


def _figures(seen: Seen) -> dict[str, Any]:
    statuses = {j: Counter(e["status"] for e in seen.enrolments if e["journey"] == j) for j in JOURNEYS}
    shown = ("contact_id", "journey", "step", "status", "reason", "at")
    return {
        "contacts": len(seen.contacts),
        "carts": len(seen.carts),
        "carts_left": seen.carts_left,
        "carts_recovered": len(seen.brought_back),
        "orders": seen.orders,
        "revenue": {"amount": seen.revenue, "currency": seen.currency},
        "revenue_recovered": {"amount": sum(r["amount"] for r in seen.recovered), "currency": seen.currency},
        "enrolments": {journey: dict(counts) for journey, counts in statuses.items()},
        "messages": [{"to": m["to"], **{name: m[name] for name in shown}} for m in seen.messages],
        "deliveries": {status: len(found) for status, found in seen.deliveries.items()},
    }


def _show(seen: Seen, whose: str) -> None:
    _table(
        f"{whose}The shop after eleven days",
        ("what", "how many"),
        [
            ("contacts", len(seen.contacts)),
            ("carts told of", len(seen.carts)),
            ("carts left", seen.carts_left),
            ("carts left, then bought", len(seen.brought_back)),
            ("orders that count", seen.orders),
            ("revenue", seen.money(seen.revenue)),
            ("revenue recovered by journeys", seen.money(sum(r["amount"] for r in seen.recovered))),
            ("deliveries applied", len(seen.deliveries["applied"])),
            ("deliveries recognised as repeats", len(seen.deliveries["repeated"])),
            ("emails sent", sum(1 for m in seen.outbox if m["channel"] == "email")),
            ("SMS sent", sum(1 for m in seen.outbox if m["channel"] == "sms")),
            ("messages not sent, each with its reason", sum(1 for m in seen.messages if m["status"] == "not_sent")),
        ],
    )
    _table(
        f"{whose}Who entered which journey",
        ("journey", "entered", "completed", "goal met", "exited", "on the way"),
        [_journey_row(j, seen.enrolments) for j in JOURNEYS if whose == "" or _begun(j, seen.enrolments)],
    )
    _table(
        f"{whose}Which message went to whom, and when (store time)",
        ("when", "who", "journey", "step", "what became of it"),
        [
            (
                day_of(datetime.fromisoformat(m["at"])),
                seen.name(m["contact_id"]),
                m["journey"],
                m["step"],
                m["status"] if m["status"] != "not_sent" else f"not sent: {m['reason']}",
            )
            for m in sorted(seen.messages, key=lambda m: str(m["at"]))
        ],
    )
    _table(
        f"{whose}Bought after a message",
        ("when", "who", "amount"),
        [(day_of(r["at"]), seen.name(r["contact_id"]), seen.money(r["amount"])) for r in seen.recovered],
    )
    _table(
        f"{whose}Carts",
        ("whose", "worth", "left", "now", "order"),
        [
            (
                seen.name(c["contact_id"]) if c["contact_id"] else "a stranger",
                seen.money(c["total"]["amount"]),
                day_of(datetime.fromisoformat(c["abandoned_at"][0])) if c["abandoned_at"] else "no",
                c["status"],
                c["order_id"] or "",
            )
            for c in seen.carts.values()
        ],
    )


def _mistakes(stage: Stage[Any], seen: Seen) -> Iterable[str]:
    happened = outcomes(stage)
    for outcome, times in (stage.story.expected - happened).items():
        yield f"missing {times}x: {outcome}"
    for outcome, times in (happened - stage.story.expected - stage.story.optional).items():
        yield f"not in the story, {times}x: {outcome}"
    for token, cart in seen.carts.items():
        became = Left(bool(cart["abandoned_at"]), cart["status"], int(cart["order_id"] or 0) or None)
        if became != stage.story.carts[token]:
            yield f"{token} became {became}, not {stage.story.carts[token]}"
    twice = [i for i, times in Counter(m["id"] for m in seen.outbox).items() if times > 1]
    if twice:
        yield f"handed to the provider twice: {twice}"
    handed = {m["id"] for m in seen.outbox}
    for message in seen.messages:
        of_somebody = message["contact_id"] in seen.contacts  # of who was erased nothing is left with the provider
        if of_somebody and message["status"] not in ("not_sent", "failed") and message["id"] not in handed:
            yield f"said to be sent, and never handed to the provider: {message['id']}"
    if {c["total_spent"]["currency"] for c in seen.contacts.values()} - {seen.currency}:
        yield "a contact's total is not in the store's currency"
    if seen.deliveries["parked"]:
        yield f"parked: {sorted({one['reason'] for one in seen.deliveries['parked']})}"
    if set(stage.answers) - {200, 202}:
        yield f"the doors answered {dict(stage.answers)}"


def left_of_the_erased(stage: Stage[Any]) -> list[str]:
    """The places of Agala where anything still names somebody whom the story has erased."""
    seen = _seen(stage)
    return [place for who, orders in stage.story.erased.items() for place in _traces(stage, seen, who, orders)]


def _traces(stage: Stage[Any], seen: Seen, who: Shopper, orders: tuple[int, ...]) -> Iterable[str]:
    """The places where anything still names an erased shopper."""
    base = f"/v1/stores/{stage.store_id}"
    places = {
        "contacts": list(seen.contacts.values()),
        "messages": seen.messages,
        "deliveries": seen.deliveries,
        "orders": [stage.runtime.call("GET", f"{base}/orders/{order}").body for order in orders],
        "carts": seen.carts,
        "outbox": seen.outbox,
    }
    words = (who.email, who.phone, who.last_name, str(who.customer_id))
    for place, content in places.items():
        text = json.dumps(content, ensure_ascii=False).casefold()
        if any(word.casefold() in text for word in words):
            yield place


def _exports(stage: Stage[Any]) -> list[str]:
    """What was made for the owner on the platform's request, each as text."""
    base = f"/v1/stores/{stage.store_id}/privacy-requests"
    made = [one["id"] for one in stage.runtime.all(base) if one["kind"] == "export" and one["available"]]
    return [json.dumps(stage.runtime.get(f"{base}/{one}/export"), ensure_ascii=False) for one in made]


def _carts_of_no_shopper(stage: Stage[Any]) -> list[str]:
    paths = {token: f"/v1/stores/{stage.store_id}/carts/{token}" for token in stage.story.no_carts}
    found = {token: stage.runtime.call("GET", path) for token, path in paths.items()}
    return [token for token, answer in found.items() if answer.status != 404]


def _recorded_store(stage: Stage[Any], answers: dict[str, Any]) -> dict[str, Any]:
    base = f"/v1/stores/{answers['store_id']}"
    contacts = stage.runtime.all(f"{base}/contacts")
    order = stage.runtime.get(f"{base}/orders/15")
    messages = stage.runtime.all(f"{base}/messages")
    parked = stage.runtime.all(f"{base}/deliveries?status=parked")
    _table(
        "The recorded store: real deliveries, each three times, in random order",
        ("what", "seen"),
        [
            ("contacts", len(contacts)),
            ("order 15", f"{order['status']}, {order['total']['amount'] / 100:.2f} {order['total']['currency']}"),
            ("messages", ", ".join(f"{m['step']}: {m['reason'] or m['status']}" for m in messages)),
            ("a forged delivery was answered", answers["forged"]),
            ("a broken one was parked because", parked[0]["reason"] if parked else "it was not"),
        ],
    )
    mistakes = []
    if len(contacts) != 1 or order["status"] != "paid" or contacts[0]["orders_count"] != 1:
        mistakes.append("the recorded store did not end with one contact and one paid order")
    if sorted(m["reason"] or m["status"] for m in messages) != ["no_consent", "sent"]:
        mistakes.append("the recorded store's contact did not get her one thank-you")
    if len(parked) != 1:
        mistakes.append(f"{len(parked)} deliveries were parked, not one")
    return {"mistakes": mistakes}


def _recovered(
    stage: Stage[Any], enrolments: list[dict[str, Any]], messages: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Orders that met a journey's goal after it had sent something: {contact_id, at, amount (agorot)}.

    Those of carts are told by the carts themselves (`_brought_back`).
    """
    sent = {m["enrolment_id"]: m["at"] for m in messages if m["status"] in ("sent", "opened", "clicked")}
    found = []
    for enrolment in enrolments:
        first = sent.get(enrolment["id"])
        if enrolment["journey"] in OF_CARTS or enrolment["status"] != "goal_met" or not first:
            continue
        if first > enrolment["ended_at"]:
            continue
        ended = datetime.fromisoformat(enrolment["ended_at"])
        timeline = stage.runtime.get(
            f"/v1/stores/{stage.store_id}/contacts/{enrolment['contact_id']}/timeline?limit=200"
        )
        paid = [
            e
            for e in timeline["items"]
            if e["type"] == "order_paid"
            and first < e["occurred_at"]
            and datetime.fromisoformat(e["occurred_at"]) <= ended
        ]
        if paid and ended - datetime.fromisoformat(paid[0]["occurred_at"]) < timedelta(days=1):
            found.append(
                {"contact_id": enrolment["contact_id"], "at": ended, "amount": paid[0]["properties"]["total"]["amount"]}
            )
    return sorted(found, key=lambda r: r["at"])


def _brought_back(stage: Stage[Any], carts: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Orders of carts that had been left: {contact_id (whose cart it was), at, amount (agorot)}."""
    found = []
    for cart in carts.values():
        if cart["abandoned_at"] and cart["order_id"]:
            order = stage.runtime.get(f"/v1/stores/{stage.store_id}/orders/{cart['order_id']}")
            bought = datetime.fromisoformat(cart["bought_at"])
            found.append({"contact_id": cart["contact_id"], "at": bought, "amount": order["total"]["amount"]})
    return found


def _journey_row(journey: str, enrolments: list[dict[str, Any]]) -> tuple[Any, ...]:
    counts = Counter(e["status"] for e in enrolments if e["journey"] == journey)
    return journey, counts.total(), counts["completed"], counts["goal_met"], counts["exited"], counts["running"]


def _begun(journey: str, enrolments: list[dict[str, Any]]) -> bool:
    return any(e["journey"] == journey for e in enrolments)


def _table(title: str, head: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    cells = [tuple(str(c) for c in row) for row in rows]
    widths = [max(_width(c) for c in column) for column in zip(head, *cells, strict=True)]
    print(f"\n{title}\n{'-' * len(title)}")
    for row in (head, *cells):
        print("  ".join(c + " " * (w - _width(c)) for c, w in zip(row, widths, strict=True)).rstrip())


def _width(text: str) -> int:
    return sum(1 for c in text if c not in (_LRI, _PDI))
