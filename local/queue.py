"""The embedded runtime's queue: durable, asynchronous, and as strict as SQS with a Lambda behind it."""

from __future__ import annotations

import hashlib
import heapq
import json
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chalicelib.errors import TryLater
from local.journal import Journal

_log = logging.getLogger(__name__)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    body TEXT NOT NULL,
    sent_at REAL NOT NULL,
    failures INTEGER NOT NULL DEFAULT 0,
    dead INTEGER NOT NULL DEFAULT 0,
    error TEXT
);
CREATE INDEX IF NOT EXISTS living ON messages (dead, place);
"""


@dataclass(frozen=True)
class DeadLetter:
    """A message that failed `receives` times; `error` names the last failure's class, never its text."""

    id: str
    body: dict[str, Any]
    receives: int
    error: str | None


class LocalQueue:
    """Messages stay until a handler succeeded with them: at least once, in no promised order.

    What was in hand when the process died is in the queue again at the next start; such a death is no failure of the
    message. After `receives` failures it is a dead letter until `redrive`. Pauses between attempts are real time:
    `pause` seconds, doubling; so is `delay`, the seconds that a new message waits. A message that failed before comes
    alone, so that it cannot take others with it.
    """

    def __init__(
        self,
        path: Path,
        *,
        workers: int = 4,
        batch: int = 10,
        receives: int = 5,
        pause: float = 0.2,
        delay: float = 0.0,
    ) -> None:
        self._journal = Journal(path, _SCHEMA)
        self._delay = delay
        self._workers, self._batch, self._receives, self._pause = workers, batch, receives, pause
        self._changed = threading.Condition()
        self._due: list[tuple[float, int, bool]] = []  # (monotonic time, place, failed before)
        self._in_hand = 0
        self._closing = False
        self._threads: list[threading.Thread] = []
        for row in self._journal.rows("SELECT place, sent_at, failures FROM messages WHERE dead = 0 ORDER BY place"):
            left = min(delay, row["sent_at"] + delay - time.time())
            heapq.heappush(self._due, (time.monotonic() + left if left > 0 else 0.0, row["place"], row["failures"] > 0))

    def send(self, message: Mapping[str, Any], message_id: str) -> None:
        """Keep it, and return at once. A second message of the same id, while the first is here, counts once.

        Raises `TryLater` if it cannot be written.
        """
        try:
            with self._journal.transaction() as journal:
                place = journal.execute(
                    "INSERT INTO messages (id, body, sent_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING RETURNING place",
                    (message_id, json.dumps(message, ensure_ascii=False), time.time()),
                ).fetchone()
        except sqlite3.Error as problem:
            raise TryLater("the queue cannot be written") from problem
        if place:
            self._make_due(place[0], self._delay, failed=False)

    def start(self, handler: Callable[[dict[str, Any]], Any]) -> None:
        """`handler` takes an SQS event; it answers None, or `{"batchItemFailures": [{"itemIdentifier": id}]}`."""
        for number in range(self._workers):
            thread = threading.Thread(target=self._work, args=(handler,), name=f"queue-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def dead_letters(self) -> list[DeadLetter]:
        rows = self._journal.rows("SELECT id, body, failures, error FROM messages WHERE dead = 1 ORDER BY place")
        return [DeadLetter(r["id"], json.loads(r["body"]), r["failures"], r["error"]) for r in rows]

    def redrive(self) -> int:
        """Every dead letter gets all its attempts again. Returns how many there were."""
        with self._journal.transaction() as journal:
            rows = journal.execute(
                "UPDATE messages SET dead = 0, failures = 0 WHERE dead = 1 RETURNING place"
            ).fetchall()
        for row in rows:
            self._make_due(row["place"], 0.0, failed=True)
        return len(rows)

    def waiting(self) -> int:
        """Messages not yet handled, those in hand included, dead letters not."""
        row = self._journal.row("SELECT count(*) AS n FROM messages WHERE dead = 0")
        return int(row["n"]) if row else 0

    def wait_until_idle(self, timeout: float) -> bool:
        """True as soon as nothing is left to handle; False after `timeout` real seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._due and not self._in_hand, timeout)

    def close(self, timeout: float = 1.0) -> None:
        """Takes nothing new in hand, waits up to `timeout` seconds for what is. The rest is for the next start."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        ends = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, ends - time.monotonic()))
        if not any(thread.is_alive() for thread in self._threads):
            self._journal.close()

    def _make_due(self, place: int, pause: float, *, failed: bool) -> None:
        with self._changed:
            heapq.heappush(self._due, (time.monotonic() + pause if pause else 0.0, place, failed))
            self._changed.notify()

    def _work(self, handler: Callable[[dict[str, Any]], Any]) -> None:
        while places := self._take():
            try:
                self._handle(places, handler)
            except sqlite3.Error:  # what became of them could not be written: as if they had never been in hand
                _log.exception("the queue cannot be written")
                for place in places:
                    self._make_due(place, 1.0, failed=True)
            finally:
                with self._changed:
                    self._in_hand -= len(places)
                    self._changed.notify_all()

    def _take(self) -> list[int]:
        """Waits for work; an empty answer means that the queue is closing."""
        with self._changed:
            while not self._closing:
                now = time.monotonic()
                if self._due and self._due[0][0] <= now:
                    places = self._batch_of_due(now)
                    self._in_hand += len(places)
                    return places
                self._changed.wait(self._due[0][0] - now if self._due else None)
            return []

    def _batch_of_due(self, now: float) -> list[int]:
        _, place, failed = heapq.heappop(self._due)
        places = [place]
        while not failed and len(places) < self._batch and self._due:
            due, place, failed = self._due[0]
            if failed or due > now:
                break
            heapq.heappop(self._due)
            places.append(place)
        return places

    def _handle(self, places: list[int], handler: Callable[[dict[str, Any]], Any]) -> None:
        marks = ",".join("?" * len(places))
        rows = self._journal.rows(f"SELECT * FROM messages WHERE place IN ({marks}) ORDER BY place", *places)  # noqa: S608
        error = "BatchItemFailure"
        try:
            failed = _failures(handler({"Records": [_record(row) for row in rows]}), {row["id"] for row in rows})
        except Exception as problem:  # noqa: BLE001 (whatever it is, SQS would bring the batch again)
            error = type(problem).__name__
            failed = {row["id"] for row in rows}
        with self._journal.transaction() as journal:
            done = [(row["place"],) for row in rows if row["id"] not in failed]
            journal.executemany("DELETE FROM messages WHERE place = ?", done)
            for row in rows:
                if row["id"] in failed:
                    journal.execute(
                        "UPDATE messages SET failures = failures + 1, error = ?, dead = ? WHERE place = ?",
                        (error, row["failures"] + 1 >= self._receives, row["place"]),
                    )
        for row in rows:
            if row["id"] in failed:
                self._after_failure(row, error)

    def _after_failure(self, row: sqlite3.Row, error: str) -> None:
        if row["failures"] + 1 >= self._receives:
            _log.error("dead letter", extra={"message_id": row["id"], "error": error})
            return
        _log.warning("will try again", extra={"message_id": row["id"], "error": error})
        self._make_due(row["place"], self._pause * 2 ** row["failures"], failed=True)


def _record(row: sqlite3.Row) -> dict[str, Any]:
    sent = str(round(row["sent_at"] * 1000))
    return {
        "messageId": row["id"],
        "receiptHandle": f"{row['id']}#{row['failures']}",
        "body": row["body"],
        "attributes": {
            "ApproximateReceiveCount": str(row["failures"] + 1),
            "SentTimestamp": sent,
            "SenderId": "local",
            "ApproximateFirstReceiveTimestamp": sent,
        },
        "messageAttributes": {},
        "md5OfBody": hashlib.md5(row["body"].encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:000000000000:agala",
        "awsRegion": "eu-west-1",
    }


def _failures(answer: Any, ids: set[str]) -> set[str]:
    """Which of the batch failed; an answer that names something else fails all of it (as Lambda's mapping does)."""
    if not answer or not answer.get("batchItemFailures"):
        return set()
    named = {failure.get("itemIdentifier") for failure in answer["batchItemFailures"]}
    return named if named <= ids else ids
