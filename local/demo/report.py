"""Tells a shop owner what happened, and finds what did not happen as told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from local.demo import story as script
from local.demo.play import JOURNEYS, Stage, day_of, outcomes

OF_CARTS = ("cart-abandonment",)
_LRI, _PDI = "\u2068", "\u2069"  # keep a Hebrew name from turning the line around


def tell(stage: Stage, answers: dict[str, Any]) -> dict[str, Any]:
    """Prints the story; returns its figures and `mistakes` (empty when all is as told)."""
    base = f"/v1/stores/{stage.store_id}"
    contacts = {c["id"]: c for c in stage.runtime.all(f"{base}/contacts?limit=200")}
    enrolments = [e for j in JOURNEYS for e in stage.runtime.all(f"{base}/journeys/{j}/enrolments?limit=200")]
    messages = stage.messages
    outbox = stage.runtime.get("/local/outbox")["items"]
    deliveries = {
        s: stage.runtime.all(f"{base}/deliveries?status={s}&limit=200") for s in ("applied", "repeated", "parked")
    }
    recovered = _recovered(stage, contacts, enrolments, messages)
    carts = stage.carts
    brought_back = _brought_back(stage, carts)
    recovered = sorted([*recovered, *brought_back], key=lambda r: r["at"])
    spent = Counter(c["total_spent"]["currency"] for c in contacts.values())
    revenue = sum(c["total_spent"]["amount"] for c in contacts.values())
    orders = sum(c["orders_count"] for c in contacts.values())

    _table(
        "The shop after eleven days",
        ("what", "how many"),
        [
            ("contacts", len(contacts)),
            ("carts told of", len(carts)),
            ("carts left", sum(1 for c in carts.values() if c["abandoned_at"])),
            ("carts left, then bought", len(brought_back)),
            ("orders that count", orders),
            ("revenue", _shekels(revenue)),
            ("revenue recovered by journeys", _shekels(sum(r["amount"] for r in recovered))),
            ("deliveries applied", len(deliveries["applied"])),
            ("deliveries recognised as repeats", len(deliveries["repeated"])),
            ("emails sent", sum(1 for m in outbox if m["to"].endswith("@tea.example"))),
            ("SMS sent", sum(1 for m in outbox if m["channel"] == "sms")),
            ("messages not sent, each with its reason", sum(1 for m in messages if m["status"] == "not_sent")),
        ],
    )
    _table(
        "Who entered which journey",
        ("journey", "entered", "completed", "goal met", "exited", "on the way"),
        [_journey_row(j, enrolments) for j in JOURNEYS],
    )
    _table(
        "Which message went to whom, and when (store time)",
        ("when", "who", "journey", "step", "what became of it"),
        [
            (
                day_of(datetime.fromisoformat(m["at"])),
                _name(contacts[m["contact_id"]]),
                m["journey"],
                m["step"],
                m["status"] if m["status"] != "not_sent" else f"not sent: {m['reason']}",
            )
            for m in sorted(messages, key=lambda m: str(m["at"]))
        ],
    )
    _table(
        "Bought after a message",
        ("when", "who", "amount"),
        [(day_of(r["at"]), _name(contacts[r["contact_id"]]), _shekels(r["amount"])) for r in recovered],
    )
    _table(
        "Carts",
        ("whose", "worth", "left", "now", "order"),
        [
            (
                _name(contacts[c["contact_id"]]) if c["contact_id"] else "a stranger",
                _shekels(c["total"]["amount"]),
                day_of(datetime.fromisoformat(c["abandoned_at"][0])) if c["abandoned_at"] else "no",
                c["status"],
                c["order_id"] or "",
            )
            for c in carts.values()
        ],
    )
    zoe = _recorded_store(stage, answers)
    mistakes = [*_mistakes(stage, outbox, messages, answers), *zoe["mistakes"]]
    if set(spent) - {"ILS"}:
        mistakes.append("a contact's total is not in the store's currency")
    return {
        "contacts": len(contacts),
        "carts": len(carts),
        "carts_left": sum(1 for c in carts.values() if c["abandoned_at"]),
        "carts_recovered": len(brought_back),
        "orders": orders,
        "revenue": {"amount": revenue, "currency": "ILS"},
        "revenue_recovered": {"amount": sum(r["amount"] for r in recovered), "currency": "ILS"},
        "enrolments": {j: dict(Counter(e["status"] for e in enrolments if e["journey"] == j)) for j in JOURNEYS},
        "messages": [
            {
                "to": m["to"],
                "contact_id": m["contact_id"],
                "journey": m["journey"],
                "step": m["step"],
                "status": m["status"],
                "reason": m["reason"],
                "at": m["at"],
            }
            for m in messages
        ],
        "deliveries": {status: len(found) for status, found in deliveries.items()},
        "mistakes": mistakes,
    }


def _mistakes(
    stage: Stage, outbox: list[dict[str, Any]], messages: list[dict[str, Any]], answers: dict[str, Any]
) -> Iterable[str]:
    happened = outcomes(stage)
    for outcome, times in (stage.story.expected - happened).items():
        yield f"missing {times}x: {outcome}"
    for outcome, times in (happened - stage.story.expected - stage.story.optional).items():
        yield f"not in the story, {times}x: {outcome}"
    for token, cart in stage.carts.items():
        became = script.Left(bool(cart["abandoned_at"]), cart["status"], int(cart["order_id"] or 0) or None)
        if became != stage.story.carts[token]:
            yield f"{token} became {became}, not {stage.story.carts[token]}"
    twice = [i for i, times in Counter(m["id"] for m in outbox).items() if times > 1]
    if twice:
        yield f"handed to the provider twice: {twice}"
    handed = {m["id"] for m in outbox}
    for message in messages:
        if message["status"] not in ("not_sent", "failed") and message["id"] not in handed:
            yield f"said to be sent, and never handed to the provider: {message['id']}"
    if set(stage.answers) - {200, 202}:
        yield f"the doors answered {dict(stage.answers)}"
    if set(answers["taken"]) != {200} or answers["forged"] != 401 or answers["broken"] != 200:
        yield f"the recorded store's doors answered {answers}"


def _recorded_store(stage: Stage, answers: dict[str, Any]) -> dict[str, Any]:
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
    stage: Stage, contacts: dict[str, Any], enrolments: list[dict[str, Any]], messages: list[dict[str, Any]]
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


def _brought_back(stage: Stage, carts: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
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


def _name(contact: dict[str, Any]) -> str:
    return f"{_LRI}{contact['first_name'] or ''} {contact['last_name'] or ''}{_PDI}"


def _shekels(agorot: int) -> str:
    return f"{agorot / 100:,.2f} ILS"


def _table(title: str, head: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    cells = [tuple(str(c) for c in row) for row in rows]
    widths = [max(_width(c) for c in column) for column in zip(head, *cells, strict=True)]
    print(f"\n{title}\n{'-' * len(title)}")
    for row in (head, *cells):
        print("  ".join(c + " " * (w - _width(c)) for c, w in zip(row, widths, strict=True)).rstrip())


def _width(text: str) -> int:
    return sum(1 for c in text if c not in (_LRI, _PDI))
