"""Queues of turns that many functions share: one conditional update takes the next one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from chalicelib.errors import TryLater
from chalicelib.storage import keys
from chalicelib.storage.table import ConditionFailed, Put, Table

_TRIES = 5
_START = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Turns:
    """`messages.pace.Turns`. `free_at` is the first moment that nobody has, in microseconds since 1970."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._free_at: dict[str, int] = {}

    def take(self, queue: str, apart: timedelta, now: datetime) -> tuple[datetime, int]:
        """See the port. Whoever finds people waiting goes behind them, else now: what was last seen of the queue says
        which to try first, so that it is one write nearly always."""
        moment, gap = (now - _START) // _MICROSECOND, apart // _MICROSECOND
        waiting = self._free_at.get(queue, 0) >= moment
        for attempt in range(_TRIES):
            try:
                behind = waiting is (attempt % 2 == 0)
                at, count = self._behind(queue, gap, moment) if behind else self._at_once(queue, gap, moment)
            except ConditionFailed:
                if attempt and self._opened(queue, gap, moment):
                    at, count = moment, 1
                else:
                    continue
            self._free_at[queue] = at + gap
            return _START + timedelta(microseconds=at), count
        raise TryLater("everybody sends at once")

    def _behind(self, queue: str, gap: int, moment: int) -> tuple[int, int]:
        item = self._table.update(
            *keys.turns(queue),
            "SET free_at = free_at + :gap, taken = taken + :one",
            condition="free_at >= :now",
            values={":gap": gap, ":one": 1, ":now": moment},
        )
        return item["free_at"] - gap, item["taken"]

    def _at_once(self, queue: str, gap: int, moment: int) -> tuple[int, int]:
        item = self._table.update(
            *keys.turns(queue),
            "SET free_at = :after, taken = taken + :one",
            condition="free_at < :now",
            values={":after": moment + gap, ":one": 1, ":now": moment},
        )
        return moment, item["taken"]

    def _opened(self, queue: str, gap: int, moment: int) -> bool:
        """Whether there was no such queue, and now there is."""
        pk, sk = keys.turns(queue)
        try:
            self._table.put(Put({"pk": pk, "sk": sk, "free_at": moment + gap, "taken": 1}, new=True))
        except ConditionFailed:
            return False
        return True
