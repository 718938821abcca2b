"""What an act sets going beside the table: calls of each Lambda with their CPU time, messages on queues, state
transitions, and the bytes that stay in the table. By count; the time is CPU of the thread that runs the handler.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from unittest.mock import patch

from chalicelib.storage.objects import Objects
from local.bench.house import PATIENCE, House, open_house
from local.bench.units import size
from local.gateway import Gateway, HttpAnswer, HttpRequest
from local.lambdas import Lambdas
from local.queue import LocalQueue

YEAR = 365 * 86_400.0  # seconds
_INDEXED = 100  # bytes that DynamoDB keeps for each item beside its own, and again for its entry in an index
_DOORS = {"webhooks": "webhook_door", "u": "links_door", "l": "links_door", "o": "links_door", "p": "links_door"}


@dataclass
class Seen:
    """Since it was made."""

    calls: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    queued: int = 0
    kept_objects: int = 0
    answered: int = 0


@dataclass(frozen=True)
class Act:
    """Once: `functions` are calls by Lambda, `cpu` their CPU seconds by Lambda, `requests` those of API Gateway,
    `queued` messages on queues, `objects` what was put into the bucket, `answered` bytes of answers to the outside,
    `table_calls` calls of the table's API. `stored`: byte-months of table and index in a shop that has done this each
    month for a year: what ends sooner counts with the months that it is kept.
    """

    read: float
    write: float
    functions: dict[str, float]
    cpu: dict[str, float]
    requests: float
    queued: float
    transitions: float
    stored: float
    table_calls: float
    objects: float = 0
    answered: float = 0

    def plus(self, other: Act, times: float = 1) -> Act:
        """Both, the other one `times`."""
        return Act(
            self.read + other.read * times,
            self.write + other.write * times,
            _sum(self.functions, other.functions, times),
            _sum(self.cpu, other.cpu, times),
            self.requests + other.requests * times,
            self.queued + other.queued * times,
            self.transitions + other.transitions * times,
            self.stored + other.stored * times,
            self.table_calls + other.table_calls * times,
            self.objects + other.objects * times,
            self.answered + other.answered * times,
        )

    def less(self, other: Act) -> Act:
        """What this one does more than the other, which is a part of it."""
        return self.plus(other, -1)

    def times(self, number: float) -> Act:
        return _NOTHING.plus(self, number)

    def as_json(self) -> dict[str, Any]:
        return {
            "read_units": self.read,
            "write_units": self.write,
            "functions": self.functions,
            "cpu_ms": {name: round(seconds * 1000, 1) for name, seconds in self.cpu.items()},
            "state_transitions": self.transitions,
            "byte_months_stored": round(self.stored),
        }


_NOTHING = Act(0, 0, {}, {}, 0, 0, 0, 0, 0)


def _sum(one: dict[str, float], other: dict[str, float], times: float) -> dict[str, float]:
    """By Lambda; what comes to nothing, and a time that the noise of two others made negative, is left out."""
    found = {name: one.get(name, 0.0) + other.get(name, 0.0) * times for name in {**one, **other}}
    return {name: value for name, value in found.items() if value > 0}


class Watched:
    """A house whose traffic is seen."""

    def __init__(self, house: House, seen: list[Seen]) -> None:
        self.house, self._seen = house, seen

    def act(self, once: Callable[[], Any], *again: Callable[[], Any]) -> Act:
        """Does it once with the meter running and counts everything; then `again`, without, for the CPU time: the
        meter's own looks would be in it. Without an `again` the time includes them.
        """
        now = self.house.now()
        before, steps = self._kept(now), self._transitions()
        with self._look() as counted, self.house.meter.bill() as bill:
            once()
            self._settle()
        grown, walked = self._kept(now) - before, self._transitions() - steps
        timed = counted
        if again:
            with self._look() as timed:
                for one in again:
                    one()
                self._settle()
        times = max(1, len(again))
        requests = sum(count for name, count in counted.calls.items() if name in _ASKED)
        return Act(
            bill.read,
            bill.write,
            dict(counted.calls),
            {name: seconds / times for name, seconds in timed.seconds.items()},
            requests,
            counted.queued,
            walked,
            grown,
            sum(bill.calls.values()),
            counted.kept_objects,
            counted.answered,
        )

    def _settle(self) -> None:
        queues: Any = (self.house.parts.activities, self.house.parts.queue)
        for _ in range(2):  # what one told the other
            self.house.settle()
            if not all(queue.wait_until_idle(PATIENCE) for queue in queues):
                raise RuntimeError("the queues did not empty in time")

    @contextmanager
    def _look(self) -> Iterator[Seen]:
        seen = Seen()
        self._seen.append(seen)
        try:
            yield seen
        finally:
            self._seen.remove(seen)

    def _transitions(self) -> int:
        return sum(self.house.transitions.values())

    def _kept(self, now: datetime) -> float:
        """Bytes of every item, and of its entry in the index, times the months that they are kept."""
        client, found = self.house.unmetered(), 0.0
        for page in client.get_paginator("scan").paginate(TableName=self.house.parts.settings.table):
            for item in page["Items"]:
                left = int(item["expires_at"]["N"]) - now.timestamp() if "expires_at" in item else YEAR
                months = 12 * min(max(left, 0.0), YEAR) / YEAR
                found += months * (size(item) + _INDEXED) * (2 if "gsi1pk" in item else 1)
        return found


_ASKED = frozenset(("webhook_door", "carts_door", "links_door", "api_handler"))


def door_of(method: str, path: str) -> str:
    """The Lambda to which API Gateway hands this request, as the template's permissions have it."""
    parts = path.strip("/").split("/")
    if method == "POST" and parts[:2] == ["v1", "stores"] and parts[3:] == ["carts"]:
        return "carts_door"
    return _DOORS.get(parts[0], "api_handler")


@contextmanager
def watched_house(speed: float) -> Iterator[Watched]:
    """As `open_house`."""
    listening: list[Seen] = []
    answer, call, send = Gateway.answer, Lambdas.call, LocalQueue.send
    put = Objects.put

    def note(name: str, start: float) -> None:
        taken = time.thread_time() - start
        for seen in list(listening):
            seen.calls[name] += 1
            seen.seconds[name] += taken

    def answered(gateway: Gateway, request: HttpRequest) -> HttpAnswer:
        start = time.thread_time()
        given = answer(gateway, request)
        note(door_of(request.method, request.path), start)
        for seen in list(listening):
            seen.answered += len(given.body) + sum(len(name) + len(value) + 4 for name, value in given.headers)
        return given

    def called(lambdas: Lambdas, name: str, event: dict[str, Any]) -> Any:
        start = time.thread_time()
        try:
            return call(lambdas, name, event)
        finally:
            note(name, start)

    def sent(queue: LocalQueue, message: Any, message_id: str) -> None:
        for seen in list(listening):
            seen.queued += 1
        send(queue, message, message_id)

    def kept(objects: Objects, *given: Any) -> Any:
        for seen in list(listening):
            seen.kept_objects += 1
        return put(objects, *given)

    with ExitStack() as stack:
        stack.enter_context(patch.object(Objects, "put", kept))
        stack.enter_context(patch.object(Gateway, "answer", answered))
        stack.enter_context(patch.object(Lambdas, "call", called))
        stack.enter_context(patch.object(LocalQueue, "send", sent))
        stack.enter_context(patch("local.runtime._ACTIVITY_DELAY", 0.3))  # nobody else's visits are awaited here
        yield Watched(stack.enter_context(open_house(speed)), listening)
