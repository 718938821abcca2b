"""Durable executions for the embedded runtime: Step Functions' part, played by `chalicelib.journeys.walk`.

An execution is one row. It is written before and after each task, so that `kill -9` at any moment loses nothing: a
task that was under way is done again, a wait keeps its deadline. Waiting costs a row and a place in one heap.
"""

from __future__ import annotations

import hashlib
import heapq
import json
import logging
import queue
import random
import sqlite3
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from chalicelib.clock import parse_rfc3339
from chalicelib.errors import NotFound, TryLater
from chalicelib.journeys import walk
from chalicelib.journeys.walk import Standing
from local.clock import FastClock
from local.journal import Journal
from local.lambdas import Lambdas

_log = logging.getLogger(__name__)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS definitions (hash TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS machines (arn TEXT PRIMARY KEY, definition TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS executions (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    machine TEXT NOT NULL,
    definition TEXT NOT NULL,
    status TEXT NOT NULL,
    standing TEXT,
    due_at TEXT,
    started_at TEXT NOT NULL,
    ended_at TEXT,
    error TEXT
);
CREATE INDEX IF NOT EXISTS running ON executions (status) WHERE status = 'running';
CREATE TABLE IF NOT EXISTS answers (execution INTEGER PRIMARY KEY, token TEXT NOT NULL, output TEXT NOT NULL);
"""
_LONGEST_SLEEP = 3600.0  # real seconds; a look now and then costs nothing


@dataclass(frozen=True)
class Execution:
    """`status` is running, succeeded, failed or stopped; `due_at` the end of the present wait, if it waits."""

    name: str
    machine: str
    status: str
    due_at: datetime | None
    started_at: datetime
    ended_at: datetime | None
    error: str | None


class LocalWorkflows:
    """The port `journeys.ports.Workflows`: tasks call the handlers in `lambdas`; waits and retries are store time."""

    def __init__(self, path: Path, clock: FastClock, lambdas: Lambdas, *, workers: int = 8) -> None:
        self._journal = Journal(path, _SCHEMA)
        self._clock, self._lambdas, self._workers = clock, lambdas, workers
        self._ready: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._changed = threading.Condition()
        self._waiting: list[tuple[str, int]] = []  # (store time due, execution), earliest first
        self._dropped = 0  # places in `_waiting` of executions that were stopped
        self._busy = 0
        self._under_way: set[int] = set()
        self._once_more: set[int] = set()  # made ready while they were under way
        self._closing = False
        self._threads: list[threading.Thread] = []
        self._definition = lru_cache(maxsize=256)(self._read_definition)

    # The port

    def publish(self, name: str, definition: dict[str, Any]) -> str:
        """Executions keep the definition that they started with, also when the name gets another."""
        body = json.dumps(definition, ensure_ascii=False, sort_keys=True)
        digest = hashlib.sha256(body.encode()).hexdigest()
        arn = f"arn:aws:states:eu-west-1:000000000000:stateMachine:{name}"
        with self._journal.transaction() as journal:
            journal.execute("INSERT INTO definitions VALUES (?, ?) ON CONFLICT DO NOTHING", (digest, body))
            journal.execute("INSERT OR REPLACE INTO machines VALUES (?, ?)", (arn, digest))
        return arn

    def start(self, machine: str, execution: str, payload: dict[str, Any]) -> None:
        """Raises NotFound for a machine that was never published, TryLater when nothing can be written."""
        found = self._journal.row("SELECT definition FROM machines WHERE arn = ?", machine)
        if found is None:
            raise NotFound("no such state machine")
        now = self._clock.now()
        standing = walk.begin(self._definition(found["definition"]), json.loads(json.dumps(payload)), now, execution)
        row = (execution, machine, found["definition"], _text(now), *_columns(standing, now))
        try:
            with self._journal.transaction() as journal:
                new = journal.execute(
                    "INSERT INTO executions"
                    " (name, machine, definition, started_at, status, standing, due_at, ended_at, error)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id",
                    row,
                ).fetchone()
        except sqlite3.Error as problem:
            raise TryLater("the workflows cannot be written") from problem
        if new:
            self._arm(new["id"], standing)

    def stop(self, machine: str, execution: str, reason: str) -> None:
        with self._journal.transaction() as journal:
            stopped = journal.execute(
                "UPDATE executions SET status = 'stopped', standing = NULL, due_at = NULL, ended_at = ?, error = ?"
                " WHERE name = ? AND machine = ? AND status = 'running' RETURNING id",
                (_text(self._clock.now()), reason, execution, machine),
            ).fetchone()
        if stopped:
            self._forget_one()

    def answer(self, token: str, output: Mapping[str, Any]) -> None:
        """Kept until the execution stands there: the very task that hands the token over may answer it."""
        name = token.partition(":")[0]
        try:
            with self._journal.transaction() as journal:
                found = journal.execute(
                    "SELECT id, standing FROM executions WHERE name = ? AND status = 'running'", (name,)
                ).fetchone()
                standing = Standing.from_dict(json.loads(found["standing"])) if found else None
                if standing is None or standing.token != token:
                    return
                journal.execute(
                    "INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", (found["id"], token, json.dumps(dict(output)))
                )
        except sqlite3.Error as problem:
            raise TryLater("the workflows cannot be written") from problem
        if standing.kind == "token":
            self._make_ready(found["id"])

    # The runtime's own

    def run(self) -> None:
        """Arms every execution that was running when the process last ended, and starts the threads."""
        rows = self._journal.rows(
            "SELECT id, due_at, token FROM executions LEFT JOIN answers ON execution = id"
            " WHERE status = 'running' ORDER BY id"
        )
        with self._changed:
            self._waiting = [(row["due_at"], row["id"]) for row in rows if row["due_at"]]
            heapq.heapify(self._waiting)
        for row in rows:
            if not row["due_at"] or row["token"]:
                self._make_ready(row["id"])
        targets = [self._tend_timers, *([self._work] * self._workers)]
        self._threads = [threading.Thread(target=t, name=f"workflows-{n}", daemon=True) for n, t in enumerate(targets)]
        for thread in self._threads:
            thread.start()

    def execution(self, name: str) -> Execution | None:
        row = self._journal.row("SELECT * FROM executions WHERE name = ?", name)
        if row is None:
            return None
        return Execution(
            row["name"],
            row["machine"],
            row["status"],
            parse_rfc3339(row["due_at"]) if row["due_at"] else None,
            parse_rfc3339(row["started_at"]),
            parse_rfc3339(row["ended_at"]) if row["ended_at"] else None,
            row["error"],
        )

    def counts(self) -> dict[str, int]:
        """Executions by status."""
        return {
            r["status"]: r["n"] for r in self._journal.rows("SELECT status, count(*) AS n FROM executions GROUP BY 1")
        }

    def next_due(self) -> datetime | None:
        """When the next wait ends; None if nothing waits."""
        row = self._journal.row("SELECT min(due_at) AS due FROM executions WHERE status = 'running'")
        return parse_rfc3339(row["due"]) if row and row["due"] else None

    def wake(self) -> None:
        """Look at the timers now: for a clock that is moved by hand."""
        with self._changed:
            self._changed.notify_all()

    def wait_until_idle(self, timeout: float) -> bool:
        """True as soon as no task is under way and nothing is due; False after `timeout` real seconds."""
        ends = time.monotonic() + timeout
        with self._changed:
            while self._busy or (self._waiting and self._waiting[0][0] <= _text(self._clock.now())):
                left = ends - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(min(left, 0.05))
        return True

    def close(self, timeout: float = 1.0) -> None:
        """Begins nothing new; what is under way after `timeout` real seconds is done again at the next start."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for _ in range(self._workers):
            self._ready.put(None)
        ends = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, ends - time.monotonic()))
        if not any(thread.is_alive() for thread in self._threads):
            self._journal.close()

    # Timers

    def _tend_timers(self) -> None:
        with self._changed:
            while not self._closing:
                now = _text(self._clock.now())
                while self._waiting and self._waiting[0][0] <= now:
                    self._make_ready(heapq.heappop(self._waiting)[1])
                self._changed.wait(self._sleep())

    def _sleep(self) -> float:
        if not self._waiting:
            return _LONGEST_SLEEP
        return min(self._clock.real_seconds_until(parse_rfc3339(self._waiting[0][0])), _LONGEST_SLEEP)

    def _arm(self, execution_id: int, standing: Standing) -> None:
        if standing.kind == "task":
            self._make_ready(execution_id)
        elif standing.until and not standing.ended:
            with self._changed:
                heapq.heappush(self._waiting, (standing.until, execution_id))
                if self._waiting[0][1] == execution_id:
                    self._changed.notify_all()

    def _make_ready(self, execution_id: int) -> None:
        with self._changed:
            self._busy += 1
        self._ready.put(execution_id)

    def _forget_one(self) -> None:
        """A stopped execution's place in the heap is dropped with many others, not searched for."""
        with self._changed:
            self._dropped += 1
            if self._dropped < 1000 or self._dropped * 2 < len(self._waiting):
                return
            self._dropped = 0
            running = {row["id"] for row in self._journal.rows("SELECT id FROM executions WHERE status = 'running'")}
            self._waiting = [place for place in self._waiting if place[1] in running]
            heapq.heapify(self._waiting)

    # Tasks

    def _work(self) -> None:
        while (execution_id := self._ready.get()) is not None and not self._closing:
            if not self._is_mine(execution_id):
                continue
            try:
                self._carry_on(execution_id)
            except sqlite3.Error:  # its row still says what is to do: the next start does it
                _log.exception("the workflows cannot be written")
            finally:
                self._done_with(execution_id)

    def _is_mine(self, execution_id: int) -> bool:
        """False while another thread is at it (an answer may come when its time does): that one looks once more."""
        with self._changed:
            if execution_id not in self._under_way:
                self._under_way.add(execution_id)
                return True
            self._once_more.add(execution_id)
            self._busy -= 1
            return False

    def _done_with(self, execution_id: int) -> None:
        with self._changed:
            self._under_way.discard(execution_id)
            again = execution_id in self._once_more
            self._once_more.discard(execution_id)
            if again:
                self._make_ready(execution_id)
            self._busy -= 1
            self._changed.notify_all()

    def _carry_on(self, execution_id: int) -> None:
        """From where the row says, task after task, until it waits or ends."""
        row = self._journal.row("SELECT * FROM executions WHERE id = ?", execution_id)
        if row is None or row["status"] != "running":
            return
        definition = self._definition(row["definition"])
        standing = Standing.from_dict(json.loads(row["standing"]))
        while not self._closing:
            after = self._next(definition, standing, execution_id)
            if after is standing:
                break  # it waits
            standing = after
            if not self._keep(execution_id, standing):
                return  # it was stopped meanwhile
            if standing.ended:
                return
        else:
            return
        self._arm(execution_id, standing)

    def _next(self, definition: dict[str, Any], standing: Standing, execution_id: int) -> Standing:
        """One task, one answer, or one end of a wait; the same standing if it is not time."""
        if standing.kind == "token":
            answered = self._journal.row(
                "SELECT output FROM answers WHERE execution = ? AND token = ?", execution_id, standing.token
            )
            if answered:
                return walk.task_succeeded(definition, standing, json.loads(answered["output"]), self._clock.now())
        if standing.kind != "task":
            return walk.time_came(definition, standing, self._clock.now())
        try:
            result = self._lambdas.invoke(standing.resource or "", standing.payload)
        except Exception as failure:  # noqa: BLE001 (whatever a task raises is that task's failure)
            error, cause = walk.lambda_failure(failure)
            return walk.task_failed(definition, standing, error, cause, self._clock.now(), _full_jitter)
        return walk.task_succeeded(definition, standing, result, self._clock.now())

    def _keep(self, execution_id: int, standing: Standing) -> bool:
        """False if it was stopped: then nothing is written."""
        columns = _columns(standing, self._clock.now())
        with self._journal.transaction() as journal:
            kept = journal.execute(
                "UPDATE executions SET status = ?, standing = ?, due_at = ?, ended_at = ?, error = ?"
                " WHERE id = ? AND status = 'running' RETURNING name",
                (*columns, execution_id),
            ).fetchone()
            if standing.ended:
                journal.execute("DELETE FROM answers WHERE execution = ?", (execution_id,))
        if kept and columns[0] == "failed":
            _log.error("execution failed", extra={"execution": kept["name"], "error": columns[4]})
        return kept is not None

    def _read_definition(self, digest: str) -> dict[str, Any]:
        (row,) = self._journal.rows("SELECT body FROM definitions WHERE hash = ?", digest)
        definition: dict[str, Any] = json.loads(row["body"])
        return definition


def _columns(standing: Standing, now: datetime) -> tuple[str, str | None, str | None, str | None, str | None]:
    """status, standing, due_at, ended_at, error. What has ended needs no standing."""
    if standing.ended:
        return standing.kind, None, None, _text(now), standing.error
    return "running", json.dumps(standing.to_dict(), ensure_ascii=False), standing.until, None, None


def _full_jitter(delay: float) -> float:
    return random.uniform(0, delay)  # noqa: S311 (no secret)


def _text(at: datetime) -> str:
    """The fixed width of `Standing.until`: text order is time order."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
