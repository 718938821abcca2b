"""EventBridge's schedules for the embedded runtime: `rate(…)` and daily `cron(…)` expressions, on store time."""

from __future__ import annotations

import logging
import re
import threading
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.clock import rfc3339
from local.clock import FastClock
from local.lambdas import Lambdas

_log = logging.getLogger(__name__)

_UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
_OFTENEST = 0.5  # real seconds between two runs of one schedule, however fast the clock


@dataclass(frozen=True)
class Rate:
    every: timedelta

    def after(self, moment: datetime) -> datetime:
        return moment + self.every


@dataclass(frozen=True)
class Daily:
    hour: int
    minute: int

    def after(self, moment: datetime) -> datetime:
        today = moment.replace(hour=self.hour, minute=self.minute, second=0, microsecond=0)
        return today if today > moment else today + timedelta(days=1)


def parse(expression: str) -> Rate | Daily:
    """`rate(5 minutes)` or `cron(0 3 * * ? *)` (minute and hour of every day, UTC). Raises ValueError for others."""
    if found := re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression):
        return Rate(int(found[1]) * _UNITS[found[2]])
    if found := re.fullmatch(r"cron\((\d{1,2}) (\d{1,2}) \* \* \? \*\)", expression):
        return Daily(hour=int(found[2]), minute=int(found[1]))
    raise ValueError(f"the embedded runtime does not know the schedule {expression}")


class Schedules:
    """Calls each function when it is due, one run at a time; what was missed while down is one run at the start."""

    def __init__(self, clock: FastClock, lambdas: Lambdas) -> None:
        self._clock, self._lambdas = clock, lambdas
        self._entries: list[tuple[str, Rate | Daily]] = []
        self._closing = threading.Event()

    def add(self, function_name: str, expression: str) -> None:
        """Raises ValueError."""
        self._entries.append((function_name, parse(expression)))

    def start(self) -> None:
        for function_name, schedule in self._entries:
            threading.Thread(
                target=self._tend, args=(function_name, schedule), name=f"schedule-{function_name}", daemon=True
            ).start()

    def close(self) -> None:
        self._closing.set()

    def _tend(self, function_name: str, schedule: Rate | Daily) -> None:
        due = self._clock.now()
        while not self._closing.wait(min(max(self._clock.real_seconds_until(due), _OFTENEST), 3600.0)):
            if self._clock.now() >= due:
                self._run(function_name, self._clock.now())
                due = schedule.after(self._clock.now())

    def _run(self, function_name: str, now: datetime) -> None:
        event = {
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": "000000000000",
            "time": rfc3339(now),
            "region": "eu-west-1",
            "resources": [f"arn:aws:events:eu-west-1:000000000000:rule/{function_name}"],
            "detail": {},
            "version": "0",
        }
        try:
            self._lambdas.call(function_name, event)
        except Exception:  # noqa: BLE001 (the next run is the retry)
            _log.exception("scheduled run failed")
