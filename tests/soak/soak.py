"""A shop with every ready journey live, on a virtual clock: undisturbed, or with crashes, repeats and late news."""

from __future__ import annotations

import hashlib
import heapq
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from ulid import ULID

from chalicelib import ids, wiring
from chalicelib.commerce.coupon import Coupon, coupon_code
from chalicelib.commerce.event import Event
from chalicelib.commerce.intake import ContactRef
from chalicelib.commerce.machines import CART_WATCH, ERRAND, machine
from chalicelib.contacts.book import ContactInput
from chalicelib.errors import TryLater
from chalicelib.handlers.cart_watch import cart_watch
from chalicelib.handlers.errands import errands
from chalicelib.handlers.journey_steps import journey_step
from chalicelib.journeys.enrolment import Enrolment
from chalicelib.journeys.gallery import gallery
from chalicelib.messages.message import Message, MessageStatus
from chalicelib.messages.reports import Report
from chalicelib.storage.table import Table
from tests.any_order import Listening
from tests.conftest import HandClock
from tests.soak.executions import Executions
from tests.soak.story import CATEGORY, DAYS, START, TELLING, Doing, catalogue, story
from tests.soak.trouble import Killed, UnreliableClient

_HEBREW = {"country": "IL", "currency": "ILS", "timezone": "Asia/Jerusalem", "locale": "he"}
_TICK = timedelta(hours=3)
_AFTERWARDS = timedelta(days=7, minutes=43)  # no wait ends at that minute, or within ten before it
Told = tuple[datetime, str]


class Soak:
    """`faults` in a thousand requests; `repeats` in a hundred of what happens is told again, as many come late."""

    def __init__(self, contacts: int, faults: float = 0, repeats: int = 0, seed: int = 1) -> None:
        self.clock = HandClock(START)
        self.client = UnreliableClient(faults, seed)
        self._chance, self._repeats = random.Random(seed), repeats
        self.shop = Listening(Table(self.client, "memory"), self.clock, _HEBREW)  # type: ignore[arg-type]
        self.parts = self.shop.parts
        self.parts.workflows = self.executions = Executions(
            self.clock,
            {
                "arn:step": lambda task: journey_step(task, None),
                "arn:watch": lambda task: cart_watch(task, None),
                "arn:errands": lambda task: errands(task, None),
            },
            self.client,
        )
        self.executions.publish(CART_WATCH, machine(CART_WATCH, "arn:watch"))
        self.executions.publish(ERRAND, machine(ERRAND, "arn:errands"))
        self.parts.coupon = lambda store, cause, terms, customer_id: Coupon(coupon_code(cause), "1")
        self._contacts = contacts
        self._news: list[tuple[Any, int, Callable[[], None]]] = []
        self._count = 0
        self._reported: set[str] = set()
        self._heard: dict[str, list[Told]] = {}

    def live(self) -> None:
        """The whole half year, and what is still on its way for another week."""
        for product in catalogue():
            self.parts.intake.apply(self.shop.store, product, None, self.clock.now())
        self.shop.activate({template.id: chosen(template.definition) for template in gallery()})
        for doing in story(self._contacts):
            self._plan(doing.at, lambda doing=doing: self._happens(doing))  # type: ignore[misc]
        end = START + timedelta(days=DAYS) + _AFTERWARDS
        tick = START
        while tick < end:
            self._plan(tick, self._tick)
            tick += _TICK
        while self._news or self.executions.next_due():
            if not self._one_thing(end):
                break
        self.clock.time = end

    def _one_thing(self, end: Any) -> bool:
        due = self.executions.next_due()
        news = self._news[0][0] if self._news else None
        if news is not None and (due is None or news <= due):
            self.clock.time = max(self.clock.time, news)
            _, _, act = heapq.heappop(self._news)
            self._surely(act)
            return True
        if due is None or due > end:
            return False
        self.clock.time = max(self.clock.time, due)
        self.executions.go_on()
        self._report()
        return True

    def _plan(self, at: Any, act: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._news, (at, self._count, act))

    def _happens(self, doing: Doing) -> None:
        """It is told: now, some minutes late, and perhaps once more."""
        late = self._repeats and self._chance.randrange(100) < self._repeats
        again = self._repeats and self._chance.randrange(100) < self._repeats
        at = doing.at + timedelta(seconds=self._chance.randrange(30, 150) if late else 0)
        self._plan(at, lambda: self._tell(doing))
        if again:
            self._plan(at + timedelta(seconds=self._chance.randrange(0, 90)), lambda: self._tell(doing))

    def _surely(self, act: Callable[[], None]) -> None:
        """As the queue does: what fails comes again."""
        for _ in range(50):
            try:
                self.client.armed = True
                act()
                return
            except (TryLater, Killed):
                continue
            finally:
                self.client.armed = False
        raise AssertionError("fifty times in a row")

    def _tell(self, doing: Doing) -> None:
        store, now = self.parts.stores.get(self.shop.store.id), self.clock.now()
        self._heard.setdefault(doing.email, []).append((now, f"is told {doing.id}"))
        if doing.change is not None:
            self.parts.intake.apply(store, doing.change, None, now)
        elif doing.event is not None:
            kind, properties = doing.event
            event = Event(id=doing.id, type=kind, occurred_at=doing.at, properties=properties)
            self.parts.intake.record_event(store, ContactRef(email=doing.email), event)
        else:
            self.parts.contact_book.upsert(store, ContactInput.model_validate(doing.contact))

    def _tick(self) -> None:
        """What EventBridge's schedule calls."""
        self.parts.calendar.look(self.parts.stores.get(self.shop.store.id))

    def _report(self) -> None:
        """Each message that went out is delivered, and opened or clicked, some seconds later."""
        for message in self.shop.channel.taken[len(self._reported) :]:
            self._reported.add(message.message_id)
            self._plan(self.clock.now() + timedelta(seconds=40), lambda sent=message: self._delivered(sent))  # type: ignore[misc]

    def _delivered(self, sent: Any) -> None:
        luck = hashlib.sha256(f"{sent.to}{sent.step}".encode()).digest()[0]
        told = [MessageStatus.DELIVERED]
        told += [MessageStatus.OPENED] if luck < 100 else []
        told += [MessageStatus.CLICKED] if luck < 40 else []
        if luck > 240:
            told = [MessageStatus.FAILED]
        for status in told:
            report = Report(self.shop.store.id, sent.message_id, status, self.clock.now())
            self.parts.reports.take(report)

    # What came of it

    def enrolments(self) -> Iterator[Enrolment]:
        for journey in self.parts.journeys.of_store(self.shop.store.id):
            yield from self.parts.enrolments.all_of_journey(self.shop.store.id, journey.id)

    def messages(self) -> list[Message]:
        found: list[Message] = []
        after = None
        while page := self.parts.messages.of_store(self.shop.store.id, after=after, limit=1000):
            found += page
            after = self.parts.messages.sort_key(page[-1])
        return found

    def outcome(self) -> dict[str, Counter[Any]]:
        """Every message and every pass, by whom and of what, without the ids and the minutes."""
        who = {contact.id: contact.email for contact in self._people()}
        messages = Counter(
            (who.get(m.contact_id), m.journey, m.step, m.channel.value, m.to, m.subject, _outcome(m), m.reason)
            for m in self.messages()
        )
        passes = Counter((who.get(e.contact_id), e.journey, e.status.value, e.reason) for e in self.enrolments())
        return {"messages": messages, "passes": passes}

    def tales(self) -> dict[str, list[Told]]:
        """Of each contact all that was told of them, and where they went."""
        who = {contact.id: contact.email for contact in self._people()}
        found = {email: [*self._heard.get("", []), *self._heard.get(email, [])] for email in who.values() if email}
        for enrolment in self.enrolments():
            tale = found[who[enrolment.contact_id] or ""]
            for passage in enrolment.history:
                about = (enrolment.journey, passage.what, passage.step, passage.detail)
                tale.append((passage.at, " ".join(one for one in about if one).replace(enrolment.contact_id, "*")))
        return found

    def _people(self) -> Iterator[Any]:
        after = None
        while page := self.parts.contacts.list(self.shop.store.id, after, 500):
            yield from page
            after = self.parts.contacts.sort_key(page[-1])

    def overdue(self) -> list[str]:
        """Whoever is on the way and should be further."""
        late = self.clock.now() - timedelta(hours=2)
        return [f"{e.journey} at {e.at_step} {e.status}" for e in self.enrolments() if e.open and _due(e) < late]


def _due(enrolment: Enrolment) -> Any:
    return max([enrolment.due_at or enrolment.entered_at, *(passage.at for passage in enrolment.history)])


def _outcome(message: Message) -> str:
    """Whether it went out; how it was read comes afterwards."""
    went = message.status not in (MessageStatus.NOT_SENT, MessageStatus.UNKNOWN)
    return "sent" if went else message.status.value


def chosen(definition: dict[str, Any]) -> dict[str, Any]:
    """A ready journey whose owner chose products and categories."""
    text = json.dumps(definition, ensure_ascii=False)
    for field, value in (("event.items.categories", CATEGORY), ("event.items.product_id", TELLING)):
        text = text.replace(_contains(field, ""), _contains(field, value))
    return dict(json.loads(text.replace('"product": ""', '"product": "3"')))


def _contains(field: str, value: str) -> str:
    return f'"{field}", "is": "contains", "value": "{value}"'


@contextmanager
def lived(contacts: int, faults: float = 0, repeats: int = 0, seed: int = 1) -> Iterator[Soak]:
    """With the same seed the same life, to the last id."""
    with patch.object(ids, "ULID", _Ulids(seed)):
        soak = Soak(contacts, faults, repeats, seed)
        wiring.use(soak.parts)
        try:
            soak.live()
            yield soak
        finally:
            wiring.use(None)


class _Ulids:
    """What `ids` asks of the class."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    def from_datetime(self, at: datetime) -> ULID:
        return ULID(int(at.timestamp() * 1000).to_bytes(6) + self._chance.randbytes(10))
