"""Peak memory of `make run` with many journeys waiting, against the same product with none.

The process and its table server: the most each ever held (VmHWM), added up. Linux only.
"""

from __future__ import annotations

import re
import sqlite3
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from local.bench.house import SECRET, START, make_store, wait_then_mail
from local.demo import live, play
from local.demo.delivery import Delivery
from local.demo.shop import CUP, GREEN, Shopper
from local.demo.woocommerce import Purchase, delivery

JOURNEYS = 1000
PATIENCE = 300.0  # real seconds


@dataclass(frozen=True)
class _Caller(Shopper):
    """One of very many: the range of telephone numbers kept for fiction has not enough of them."""

    @property
    def phone(self) -> str:
        return ""


def measure(journeys: int = JOURNEYS) -> dict[str, Any]:
    """Megabytes (1,000,000 bytes)."""
    idle, waiting = _peak(0), _peak(journeys)
    return {
        "journeys_waiting": journeys,
        "idle_mb": round(idle / 1e6, 1),
        "waiting_mb": round(waiting / 1e6, 1),
        "ratio": round(waiting / idle, 3),
        "kb_per_journey": round((waiting - idle) / max(1, journeys) / 1e3, 2),
    }


def _peak(journeys: int) -> int:
    with tempfile.TemporaryDirectory(prefix="agala-bench-") as folder:
        runtime = live.Runtime(Path(folder), 1.0, START)
        runtime.start()
        try:
            store_id = make_store(runtime)
            play.activate(runtime, store_id, "after-purchase", wait_then_mail({"days": 3}))
            for number in range(journeys):
                runtime.deliver(store_id, _order(number, runtime.clock().now()))
            _await_waiting(Path(folder) / "workflows.db", journeys)
            return sum(high_water(pid) for pid in _family(runtime.pid))
        finally:
            runtime.stop()


def _order(number: int, now: datetime) -> Delivery:
    placed = (now - timedelta(minutes=5)).replace(microsecond=0)
    buyer = _Caller(number + 1, "נועה", "כהן")
    bought = Purchase(5000 + number, buyer, ((GREEN, 2), (CUP, 1)), placed, consent="subscribed")
    return delivery(SECRET, "order.created", bought.told("processing", placed, paid=placed), placed)


def _await_waiting(workflows: Path, wanted: int) -> None:
    deadline = time.monotonic() + PATIENCE
    with closing(sqlite3.connect(f"file:{workflows}?mode=ro", uri=True)) as journal:
        while True:
            query = "SELECT count(*) FROM executions WHERE status = 'running' AND due_at IS NOT NULL"
            (waiting,) = journal.execute(query).fetchone()
            if waiting >= wanted:
                return
            if time.monotonic() > deadline:
                raise RuntimeError(f"{waiting} of {wanted} journeys wait")
            time.sleep(0.2)


def _family(pid: int) -> list[int]:
    """The process and all that it started, theirs included."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            told = status.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        parents[int(status.parent.name)] = int(told[1])
    family = [pid]
    for one in family:
        family += [child for child, parent in parents.items() if parent == one]
    return family


def high_water(pid: int) -> int:
    """Bytes."""
    told = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", told)
    return int(found[1]) * 1024 if found else 0
