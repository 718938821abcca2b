"""Journeys and pasts made at random, to set two ways of running them against each other."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from chalicelib.commerce.event import Event
from chalicelib.commerce.store import Store
from chalicelib.contacts.consent import Channel
from chalicelib.journeys.definition import Definition
from chalicelib.journeys.past import Past
from tests.journeys.pasts import START, STORE, bought, happened, past, refunded, somebody
from tests.journeys.sample_journeys import CONTENT

DAYS = 40
SECONDS = (1, 59, 60, 3600, 86_400, 86_401, 3 * 86_400, 10 * 86_400)
TRIGGERS: list[dict[str, Any]] = [
    {"type": "order_paid"},
    {"type": "order_placed", "where": {"field": "event.total", "is": "at_least", "value": 1500}},
    {"type": "list_joined", "list": "news"},
    {"type": "field_changed", "field": "size"},
    {"type": "api_event", "name": "ping"},
    {"type": "product_viewed"},
    {"type": "threshold_reached", "of": "orders_count", "value": 2},
]
GATHERED: dict[str, Any] = {"type": "product_viewed", "quiet_hours": 2}
EXITS: list[dict[str, Any]] = [
    {"type": "list_left", "list": "news"},
    {"type": "unsubscribed"},
    {"type": "field_changed", "field": "size", "to": "s"},
]
REENTRY: list[dict[str, Any]] = [
    {"mode": "once"},
    {"mode": "every_time"},
    {"mode": "after_days", "days": 3},
    {"mode": "once_at_a_time"},
    {"mode": "per_order"},
]
GOALS: list[Any] = [
    None,
    {"purchased": {"product": "12"}},
    {"purchased": {"product": "trigger", "since": "entry"}},
    {"field": "fields.size", "is": "equals", "value": "l"},
    {"ordered": {"since": "entry"}},
]
CONDITIONS: list[dict[str, Any]] = [
    {"purchased": {"product": "11", "within_days": 5}},
    {"purchased": {"category": "tea", "at_least_units": 2}},
    {"field": "orders_count", "is": "at_least", "value": 2},
    {"field": "total_spent", "is": "greater", "value": 3000},
    {"field": "fields.size", "is": "is_set"},
    {"field": "fields.mark", "is": "equals", "value": 1},
    {"field": "lists", "is": "contains", "value": "news"},
    {"field": "consent.email", "is": "equals", "value": "subscribed"},
    {"not": {"field": "event.nth", "is": "equals", "value": 1}},
    {"order": {"is": "refunded"}},
    {"any": [{"field": "tags", "is": "contains", "value": "vip"}, {"ordered": {"since": "entry"}}]},
]


class _Maker:
    """One journey; the dice say what it is."""

    def __init__(self, dice: random.Random) -> None:
        self.dice, self.number, self.sends = dice, 0, [""]
        self.waited: list[str] = []

    def steps(self, depth: int, most: int) -> list[dict[str, Any]]:
        return [self.step(depth) for _ in range(self.dice.randint(1, most))]

    def step(self, depth: int) -> dict[str, Any]:
        self.number += 1
        name = f"s{self.number}"
        makers = [self.mail, self.mail, self.pause, self.until, self.until, self.lifetime, self.change]
        if depth < 3:
            makers += [self.branch, self.branch, self.split]
        return {"id": name, **self.dice.choice(makers)(name, depth)}

    def mail(self, name: str, depth: int) -> dict[str, Any]:
        self.sends.append(name)
        kind = self.dice.choice(("marketing", "transactional"))
        if self.dice.random() < 0.2:
            return {"type": "send_sms", "kind": kind, "text": {"en": "Hello"}}
        return {"type": "send_email", "kind": kind, "content": CONTENT}

    def pause(self, name: str, depth: int) -> dict[str, Any]:
        return {"type": "wait", "for": {"seconds": self.dice.choice(SECONDS)}}

    def until(self, name: str, depth: int) -> dict[str, Any]:
        """A date field, a time of the week, or an event."""
        if self.dice.random() < 0.25:
            weekdays = self.dice.choice((None, ["monday"], ["sunday", "friday"]))
            return {"type": "wait", "until_time": {"at": "09:30", **({"weekdays": weekdays} if weekdays else {})}}
        if self.dice.random() < 0.2:
            return {"type": "wait", "until_date": {"field": "born", "yearly": True, "plus_days": -3}}
        self.waited.append(name)
        event = self.dice.choice([*TRIGGERS, {"type": "message_opened"}, {"type": "message_clicked"}])
        limit = {"seconds": self.dice.choice(SECONDS)}
        return {"type": "wait", "until_event": {"event": event, "at_most": limit}}

    def split(self, name: str, depth: int) -> dict[str, Any]:
        sends, waited = list(self.sends), list(self.waited)
        ways = []
        for way in ("a", "b", "control")[: self.dice.randint(2, 3)]:
            self.sends, self.waited = list(sends), list(waited)
            steps = self.steps(depth + 1, 2) if way != "control" else []
            ways.append({"name": way, "weight": self.dice.randint(1, 3), "steps": steps})
        self.sends, self.waited = sends, waited
        return {"type": "split", "ways": ways}

    def lifetime(self, name: str, depth: int) -> dict[str, Any]:
        return {"type": "wait", "lifetime": {"minus_days": self.dice.choice((0, 28)), "default_days": 4}}

    def change(self, name: str, depth: int) -> dict[str, Any]:
        return self.dice.choice(
            [
                {"type": "set_field", "field": "mark", "value": self.dice.randint(1, 2)},
                {"type": "set_field", "field": "size", "change": "clear"},
                {"type": "add_to_list", "list": "news"},
                {"type": "remove_from_list", "list": "news"},
                {"type": "add_tag", "tag": "vip"},
                {"type": "set_field", "field": "points", "change": "add", "value": 2, "undo_on_refund": True},
                {"type": "unsubscribe", "channel": "email", "reason": "asked"},
                {"type": "alert_manager", "text": {"en": "Look"}},
                {"type": "create_coupon", "enabled": True, "benefit": "percent", "value": 10, "expiry": {"days": 9}},
                {"type": "start_journey", "journey": "another"},
                {"type": "call_webhook", "url": "https://hook.example/in"},
            ]
        )

    def branch(self, name: str, depth: int) -> dict[str, Any]:
        condition = self.dice.choice(CONDITIONS)
        asked = self.dice.choice(self.sends[-2:])
        if asked and self.dice.random() < 0.3:
            condition = {"message": {"step": asked, "is": self.dice.choice(("sent", "opened", "clicked", "not_sent"))}}
        if self.waited and self.dice.random() < 0.4:
            condition = {"step": {"step": self.waited[-1], "is": self.dice.choice(("happened", "timed_out"))}}
        before, waited = list(self.sends), list(self.waited)
        then = self.steps(depth + 1, 2) if self.dice.random() < 0.8 else []
        self.sends, self.waited = list(before), list(waited)
        otherwise = self.steps(depth + 1, 2) if self.dice.random() < 0.6 else []
        self.sends, self.waited = before, waited  # what only one way sends is not asked about after it
        if self.dice.random() < 0.15 and then and otherwise:
            self.number += 1
            otherwise.append({"id": f"s{self.number}", "type": "end"})
        return {"type": "branch", "if": condition, "then": then, "else": otherwise}


def made_journey(seed: int) -> Definition:
    """Ends with a message on every way that leads so far: a wait at the very end would have no effect."""
    dice = random.Random(seed)
    maker = _Maker(dice)
    data: dict[str, Any] = {
        "name": {"en": "Made"},
        "trigger": dice.choice([*TRIGGERS, GATHERED]),
        "reentry": dice.choice(REENTRY),
        "steps": [*maker.steps(0, 5), {"id": "last", **maker.mail("last", 0)}],
    }
    if goal := dice.choice(GOALS):
        data["goal"] = goal
    if dice.random() < 0.3:
        data["exits"] = [dice.choice(EXITS)]
    return Definition.parse(data)


def made_store(seed: int) -> Store:
    """With quiet hours, caps and days of rest of several kinds."""
    dice = random.Random(seed)
    night = {"from": "21:00", "to": "09:00"}
    quiet = {"email": dice.choice((None, night)), "sms": night, "whatsapp": night}
    caps = dice.choice((None, {"email": {"per_day": 1}}, {"email": {"per_week": 2}}))
    rests = {"rest_days": dice.choice((None, True)), "duplicate_days": dice.choice((0, 1, 5))}
    settings = STORE.settings.model_validate({"quiet_hours": quiet, "caps": caps, **rests})
    return STORE.model_copy(update={"settings": settings})


def made_past(seed: int) -> Past:
    """Few moments, so that many things happen at the same one."""
    dice = random.Random(seed)
    moments = [START + timedelta(seconds=dice.randrange(DAYS * 86_400)) for _ in range(4)]
    moments += [moments[0] + timedelta(seconds=dice.choice(SECONDS)) for _ in range(3)]
    events: list[Event] = []
    for number in range(dice.randint(1, 9)):
        events += _made_events(dice, dice.choice(moments), number)
    contact = somebody(seed % 10**6, phone=dice.choice((None, "+33639980001")))
    if dice.random() < 0.2:
        contact = contact.model_copy(update={"consent": {Channel.SMS: contact.consent[Channel.EMAIL]}})
    contact = contact.model_copy(update={"fields": {"born": dice.choice(("1990-08-20", "2001-09-02", None))}})
    return past(contact, *{event.id: event for event in events}.values())


def _made_events(dice: random.Random, at: Any, number: int) -> list[Event]:
    match dice.randrange(15):
        case 0 | 1 | 2 | 3 | 4:
            found = bought(f"o{number}", at, dice.choice(("11", "12")), dice.choice((900, 2000)), dice.randint(1, 3))
            if dice.random() < 0.25:
                found.append(refunded(f"o{number}", at + timedelta(seconds=dice.choice(SECONDS)), 2000))
            return found
        case 5 | 6:
            return [happened("list_joined", at, str(number), list=dice.choice(("news", "vip")))]
        case 7:
            return [happened("list_left", at, str(number), list="news")]
        case 8 | 9:
            return [happened("field_changed", at, str(number), field="size", to=dice.choice(("s", "l", None)))]
        case 11 | 12 | 13:
            return [happened("product_viewed", at, str(number), product_id=dice.choice(("11", "12")))]
        case 10:
            return [happened("consent_changed", at, str(number), channel="email", status="unsubscribed", source="link")]
        case _:
            return [happened("ping", at, str(dice.randrange(3)))]
