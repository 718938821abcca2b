"""Store time for the embedded runtime: it can run fast, runs on while the process is down, never goes back."""

from __future__ import annotations

import json
import math
import mmap
import os
import struct
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime(9999, 1, 1, tzinfo=UTC)  # where time stops: beyond it no date can be written


class FastClock:
    """Store time = anchor's store time + (machine's time - anchor's machine time) * speed.

    `folder` keeps the anchor (`clock.json`) and the last time told (`clock.told`); the second is mapped memory,
    which outlives the process, so that a restart knows it exactly without a write to disk for every look.
    `speed` is seconds of store time per real second, more than 0; it may change between starts. `start` (UTC) counts
    at the first start only, default the machine's time. Raises ValueError for a bad speed or a damaged anchor.
    """

    def __init__(
        self,
        folder: Path,
        speed: float = 1.0,
        start: datetime | None = None,
        machine_time: Callable[[], float] = time.time,
    ) -> None:
        if not (math.isfinite(speed) and speed > 0):
            raise ValueError("the clock's speed must be a number above 0")
        folder.mkdir(parents=True, exist_ok=True)
        self.speed = speed
        self._path = folder / "clock.json"
        self._machine_time = machine_time
        self._lock = threading.Lock()
        self._told = _Told(folder / "clock.told")
        real = machine_time()
        self._anchor_store, self._anchor_real = self._resumed(real, start), real
        self._last_real = real
        self._keep_anchor()

    def now(self) -> datetime:
        """Store time, timezone-aware UTC, never earlier than any answer before."""
        with self._lock:
            real = self._machine_time()
            if real < self._last_real:  # somebody set the machine's clock back: go on from where we were
                self._anchor_store, self._anchor_real = self._told.get(), real
                self._keep_anchor()
            self._last_real = real
            store = max(self._told.get(), self._store_at(real, self._anchor_store, self._anchor_real, self.speed))
            self._told.set(store)
            return _moment(store)

    def real_seconds_until(self, store_time: datetime) -> float:
        """Real seconds from now until it is `store_time`; 0 for a time that has come."""
        return max(0.0, (store_time - self.now()).total_seconds() / self.speed)

    def close(self) -> None:
        self._told.close()

    @staticmethod
    def _store_at(real: float, anchor_store: int, anchor_real: float, speed: float) -> int:
        passed = max(0.0, real - anchor_real) * speed
        return min(anchor_store + round(passed * 1_000_000), _microseconds(_LAST))

    def _resumed(self, real: float, start: datetime | None) -> int:
        if not self._path.exists():
            return _microseconds(start) if start else round(real * 1_000_000)
        try:
            kept = json.loads(self._path.read_text())
            store, anchor_real, speed = int(kept["store"]), float(kept["real"]), float(kept["speed"])
        except (ValueError, TypeError, KeyError) as problem:
            raise ValueError(f"{self._path} is damaged") from problem
        return max(self._store_at(real, store, anchor_real, speed), self._told.get())

    def _keep_anchor(self) -> None:
        text = json.dumps({"store": self._anchor_store, "real": self._anchor_real, "speed": self.speed})
        beside = self._path.with_suffix(".new")
        with beside.open("w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class _Told:
    """The last store time that was told, microseconds since 1970, in eight bytes of mapped memory."""

    def __init__(self, path: Path) -> None:
        with path.open("a+b") as file:
            file.truncate(8)
            self._memory = mmap.mmap(file.fileno(), 8)

    def get(self) -> int:
        return int(struct.unpack_from("<q", self._memory)[0])

    def set(self, microseconds: int) -> None:
        struct.pack_into("<q", self._memory, 0, microseconds)

    def close(self) -> None:
        self._memory.close()


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _moment(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
